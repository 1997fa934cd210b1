import CKernels
import FileFormats
import Tensors

/// k-means on the unit sphere: each vector belongs to the center with the highest cosine, each center is the direction of its vectors'
/// mean (Dhillon & Modha 2001), seeded by k-means++ (Arthur & Vassilvitskii 2007) with 1 − cosine, half the squared distance.
public struct SphericalKMeans: Sendable {
    /// Clusters to find.
    public var clusters: Int
    /// Independent starts, of which the best is kept.
    public var starts: Int
    /// Rounds of assignment and update in one start.
    public var rounds: Int
    /// Seed of the random numbers; it fixes the result.
    public var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    public var threads: Int

    /// Settings for `fit`.
    public init(clusters: Int, starts: Int = 4, rounds: Int = 100, seed: UInt64 = 0, threads: Int = Parallel.availableThreads) {
        self.clusters = clusters
        self.starts = starts
        self.rounds = rounds
        self.seed = seed
        self.threads = threads
    }

    /// Clusters in descending order of size.
    ///
    /// Rows of zeros and rows that `valid` marks false belong to none.
    /// - Throws: `DataError` for NaN or infinity, or fewer different directions than clusters.
    /// - Complexity: the vectors are read in portions, three times a round and once for each seed; memory for a few numbers a row and 16
    ///   sums.
    public func fit<Source: RowSource>(_ x: Source, valid: [Bool]? = nil) throws -> Clustering {
        try x.checkShape("the vectors")
        if let valid, valid.count != x.rows { throw DataError(.badData, "\(valid.count) validity flags were given for \(x.rows) vectors") }
        let width = x.columns
        var members: [Int] = []
        for range in Parallel.chunks(x.rows, size: 8192) {
            try x.withRows(range) { p in
                for row in range where valid?[row] != false {
                    let line = p + (row - range.lowerBound) * width, squares = Float.dot(line, line, count: width)
                    guard squares.isFinite else { throw notFinite(row: row, of: "the vectors") }
                    if squares > 0 { members.append(row) }
                }
            }
        }
        guard clusters >= 1, clusters <= members.count else {
            throw DataError(.usage, "\(clusters) clusters need at least as many vectors that are not zero; there are \(members.count)")
        }
        guard starts >= 1, rounds >= 1 else { throw DataError(.usage, "k-means needs at least one start and one round") }
        let unit = UnitRows(source: x, members: members)
        var best: (labels: [Int32], centers: Tensor<Float>, total: Double)?
        for start in 0..<starts {
            var random = RandomSource(seed: seed).split(UInt64(start))
            let found = try run(unit, random: &random)
            if best == nil || found.total > best!.total { best = found }
        }
        guard let best else { throw DataError(.usage, "k-means needs at least one start") }
        return Clustering(
            labels: best.labels, centers: best.centers, members: members, rows: x.rows, meanCosine: best.total / Double(members.count))
    }

    private func run<Source: RowSource>(
        _ x: UnitRows<Source>, random: inout RandomSource
    ) throws -> (labels: [Int32], centers: Tensor<Float>, total: Double) {
        var centers = try seeds(x, random: &random)
        var labels: [Int32] = [], cosines: [Float] = []
        for _ in 0..<rounds {
            let table = try CosineSearch(corpus: centers, threads: threads).search(x, top: 1)
            let settled = table.rows == labels
            (labels, cosines) = (table.rows, table.scores)
            if settled { break }
            centers = try means(x, labels, cosines)
        }
        return (labels, centers, cosines.reduce(0) { $0 + Double($1) })
    }

    /// k-means++: each next center is a row drawn with probability proportional to its 1 − cosine to the nearest one so far.
    private func seeds<Source: RowSource>(_ x: UnitRows<Source>, random: inout RandomSource) throws -> Tensor<Float> {
        let n = x.rows, width = x.columns
        var chosen = [random.below(n)]
        var distance = [Double](repeating: .infinity, count: n)
        while chosen.count < clusters {
            let latest = try x.gather([chosen[chosen.count - 1]])
            try latest.withUnsafeElements { center in
                try distance.withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let out = Shared(base), middle = Shared(center)
                    try x.eachPiece(of: 0..<n, threads: threads) { range, rows in
                        for (place, i) in range.enumerated() {
                            let cosine = Float.dot(rows + place * width, UnsafePointer(middle.pointer), count: width)
                            out.pointer[i] = min(out.pointer[i], max(0, 1 - cosine))
                        }
                    }
                }
            }
            // Copies of a center are at no distance from it but for rounding.
            for i in 0..<n where distance[i] < 1e-6 { distance[i] = 0 }
            let total = distance.reduce(0, +)
            guard total > 0 else {
                throw DataError(.usage, "\(clusters) clusters need as many different directions among the vectors; found \(chosen.count)")
            }
            var left = random.uniform() * total
            let drawn =
                distance.firstIndex { weight in
                    left -= weight
                    return left < 0
                } ?? distance.lastIndex { $0 > 0 } ?? 0
            chosen.append(drawn)
        }
        // Rows come in ascending order; centers are in the order in which they were drawn.
        let order = chosen.indices.sorted { chosen[$0] < chosen[$1] }, found = try x.gather(order.map { chosen[$0] })
        var centers = Tensor<Float>(uninitialized: [clusters, width])
        for (place, center) in order.enumerated() { Float.copy(found.view[place], into: &centers[rows: center..<center + 1]) }
        return centers
    }

    /// Directions of the clusters' means; a cluster that has lost all its vectors takes over the one that fits its own worst.
    private func means<Source: RowSource>(_ x: UnitRows<Source>, _ labels: [Int32], _ cosines: [Float]) throws -> Tensor<Float> {
        let n = x.rows, width = x.columns, parts = Parallel.chunks(n, size: max(1024, (n + 15) / 16)), size = clusters * width
        var sums = [Double](repeating: 0, count: size), counts = [Int](repeating: 0, count: clusters)
        for label in labels { counts[Int(label)] += 1 }
        // Sums of fixed parts of the rows, added in their order: neither threads nor files decide a bit.
        for (place, part) in parts.enumerated() {
            var own = [Double](repeating: 0, count: size)
            try own.withUnsafeMutableBufferPointer { buffer in
                guard let out = buffer.baseAddress else { return }
                let to = Shared(out), lanes = max(1, min(threads, width / 16))
                // Workers share the columns, so that every sum is taken in the order of the rows.
                for range in Parallel.chunks(part.count, size: UnitRows<Source>.span).map({
                    $0.lowerBound + part.lowerBound..<$0.upperBound + part.lowerBound
                }) {
                    try x.withRows(range) { from in
                        let rows = Shared(from)
                        Parallel.forEach(lanes, threads: threads) { lane, _ in
                            let columns = lane * width / lanes..<(lane + 1) * width / lanes
                            for (row, i) in range.enumerated() {
                                let target = to.pointer + Int(labels[i]) * width, line = rows.pointer + row * width
                                for c in columns { target[c] += Double(line[c]) }
                            }
                        }
                    }
                }
            }
            if place == 0 { sums = own } else { for i in 0..<size { sums[i] += own[i] } }
        }
        var worst = counts.contains(0) ? (0..<n).sorted { (cosines[$0], $0) < (cosines[$1], $1) }[...] : []
        var centers = Tensor<Float>(uninitialized: [clusters, width])
        for k in 0..<clusters {
            let sum = sums[k * width..<(k + 1) * width], norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if counts[k] > 0 && norm > 1e-12 {
                for (c, value) in sum.enumerated() { centers[k, c] = Float(value / norm) }
            } else if let row = worst.popFirst() ?? labels.firstIndex(of: Int32(k)) {
                // The vectors of a cluster cancel: any of them is as good a direction.
                Float.copy(try x.gather([row]).view, into: &centers[rows: k..<k + 1])
            }
        }
        return centers
    }
}

/// Some rows of a source, scaled to length 1 as they are read.
private struct UnitRows<Source: RowSource>: RowSource {
    let source: Source
    /// Ascending.
    let members: [Int]
    var rows: Int { members.count }
    var columns: Int { source.columns }

    /// Rows that are held at once.
    static var span: Int { 16_384 }

    func withRows<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) throws -> Result) throws -> Result {
        precondition(!range.isEmpty && range.upperBound <= rows, "rows \(range) of \(rows)")
        let width = columns, whole = members[range.lowerBound]..<members[range.upperBound - 1] + 1
        return try Scratch.with(Float.self, count: range.count * width) { to in
            var place = range.lowerBound
            for part in Parallel.chunks(whole.count, size: Self.span).map({
                $0.lowerBound + whole.lowerBound..<$0.upperBound + whole.lowerBound
            }) {
                guard place < range.upperBound, members[place] < part.upperBound else { continue }
                try source.withRows(part) { from in
                    while place < range.upperBound, members[place] < part.upperBound {
                        let line = from + (members[place] - part.lowerBound) * width
                        scaleToUnit(
                            line, squaredNorm: Float.dot(line, line, count: width), width: width,
                            into: to + (place - range.lowerBound) * width)
                        place += 1
                    }
                }
            }
            return try body(UnsafePointer(to))
        }
    }

    /// Calls `body` for pieces of rows on several threads.
    func eachPiece(of rows: Range<Int>, threads: Int, _ body: @Sendable (_ range: Range<Int>, _ rows: UnsafePointer<Float>) -> Void) throws
    {
        let width = columns
        for span in Parallel.chunks(rows.count, size: Self.span).map({ $0.lowerBound + rows.lowerBound..<$0.upperBound + rows.lowerBound })
        {
            try withRows(span) { base in
                let from = Shared(base), pieces = Parallel.chunks(span.count, size: 1024)
                Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                    body(
                        pieces[piece].lowerBound + span.lowerBound..<pieces[piece].upperBound + span.lowerBound,
                        UnsafePointer(from.pointer) + pieces[piece].lowerBound * width)
                }
            }
        }
    }
}

/// Which cluster each row belongs to.
public struct Clustering: Sendable, Equatable {
    /// Cluster of each row, from 0 in descending order of size; −1 for rows that belong to none.
    public let labels: [Int32]
    /// Rows in each cluster, descending.
    public let sizes: [Int]
    /// For each cluster, the direction of its middle (clusters, columns).
    public let centers: Tensor<Float>
    /// Mean cosine of the members to their cluster's center.
    public let meanCosine: Double

    /// Number of clusters.
    public var count: Int { sizes.count }

    /// Sorts clusters by size; `labels` are those of `members`.
    init(labels: [Int32], centers: Tensor<Float>, members: [Int], rows: Int, meanCosine: Double) {
        var counts = [Int](repeating: 0, count: centers.rows)
        for label in labels { counts[Int(label)] += 1 }
        let order = counts.indices.filter { counts[$0] > 0 }.sorted { (-counts[$0], $0) < (-counts[$1], $1) }
        var rank = [Int32](repeating: -1, count: centers.rows)
        for (place, cluster) in order.enumerated() { rank[cluster] = Int32(place) }
        var all = [Int32](repeating: -1, count: rows)
        for (place, row) in members.enumerated() { all[row] = rank[Int(labels[place])] }
        self.labels = all
        sizes = order.map { counts[$0] }
        self.centers = centers.selecting(order)
        self.meanCosine = meanCosine
    }
}
