import CKernels
import FileFormats
import Tensors

/// k-means on the unit sphere: each vector belongs to the center with the highest cosine, each center is the direction of its vectors'
/// mean (Dhillon & Modha 2001), seeded by k-means++ (Arthur & Vassilvitskii 2007) with 1 − cosine, half the squared distance.
public struct SphericalKMeans: Sendable {
    public var clusters: Int
    /// Independent starts, of which the best is kept.
    public var starts: Int
    /// Rounds of assignment and update in one start.
    public var rounds: Int
    public var seed: UInt64
    public var threads: Int

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
    public func fit(_ x: Tensor<Float>, valid: [Bool]? = nil) throws -> Clustering {
        try x.checkShape("the vectors")
        if let valid, valid.count != x.rows { throw DataError(.badData, "\(valid.count) validity flags were given for \(x.rows) vectors") }
        try checkFinite(x, valid: valid)
        let width = x.columns
        let members = x.withUnsafeElements { p in
            (0..<x.rows).filter { valid?[$0] != false && Float.dot(p + $0 * width, p + $0 * width, count: width) > 0 }
        }
        guard clusters >= 1, clusters <= members.count else {
            throw DataError(.usage, "\(clusters) clusters need at least as many vectors that are not zero; there are \(members.count)")
        }
        guard starts >= 1, rounds >= 1 else { throw DataError(.usage, "k-means needs at least one start and one round") }
        var unit = Tensor<Float>(uninitialized: [members.count, width])
        x.withUnsafeElements { from in
            unit.withUnsafeMutableElements { to in
                for (place, row) in members.enumerated() {
                    let line = from + row * width
                    scaleToUnit(line, squaredNorm: Float.dot(line, line, count: width), width: width, into: to + place * width)
                }
            }
        }
        var best: (labels: [Int32], centers: Tensor<Float>, total: Double)?
        for start in 0..<starts {
            var random = RandomSource(seed: seed).split(UInt64(start))
            let found = try run(unit, random: &random)
            if best == nil || found.total > best!.total { best = found }
        }
        guard let best else { throw DataError(.usage, "k-means needs at least one start") }
        return Clustering(labels: best.labels, centers: best.centers, members: members, rows: x.rows, meanCosine: best.total / Double(members.count))
    }

    private func run(_ x: Tensor<Float>, random: inout RandomSource) throws -> (labels: [Int32], centers: Tensor<Float>, total: Double) {
        var centers = try seeds(x, random: &random)
        var labels: [Int32] = [], cosines: [Float] = []
        for _ in 0..<rounds {
            let table = try CosineSearch(corpus: centers, threads: threads).search(x, top: 1)
            let settled = table.rows == labels
            (labels, cosines) = (table.rows, table.scores)
            if settled { break }
            centers = means(x, labels, cosines)
        }
        return (labels, centers, cosines.reduce(0) { $0 + Double($1) })
    }

    /// k-means++: each next center is a row drawn with probability proportional to its 1 − cosine to the nearest one so far.
    private func seeds(_ x: Tensor<Float>, random: inout RandomSource) throws -> Tensor<Float> {
        let n = x.rows, width = x.columns
        var chosen = [random.below(n)]
        var distance = [Double](repeating: .infinity, count: n)
        while chosen.count < clusters {
            let latest = chosen[chosen.count - 1], pieces = Parallel.chunks(n, size: 4096)
            x.withUnsafeElements { p in
                distance.withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let rows = Shared(p), out = Shared(base)
                    Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                        for i in pieces[piece] {
                            let cosine = Float.dot(rows.pointer + i * width, rows.pointer + latest * width, count: width)
                            out.pointer[i] = min(out.pointer[i], max(0, 1 - cosine))
                        }
                    }
                }
            }
            // Copies of a center are at no distance from it but for rounding.
            for i in 0..<n where distance[i] < 1e-6 { distance[i] = 0 }
            let total = distance.reduce(0, +)
            guard total > 0 else {
                throw DataError(.usage, "\(clusters) clusters need as many different directions among the vectors; found: \(chosen.count)")
            }
            var left = random.uniform() * total
            let drawn = distance.firstIndex { weight in
                left -= weight
                return left < 0
            } ?? distance.lastIndex { $0 > 0 } ?? 0
            chosen.append(drawn)
        }
        var centers = Tensor<Float>(uninitialized: [clusters, width])
        x.withUnsafeElements { from in
            centers.withUnsafeMutableElements { to in
                for (place, row) in chosen.enumerated() { (to + place * width).update(from: from + row * width, count: width) }
            }
        }
        return centers
    }

    /// Directions of the clusters' means; a cluster that has lost all its vectors takes over the one that fits its own worst.
    private func means(_ x: Tensor<Float>, _ labels: [Int32], _ cosines: [Float]) -> Tensor<Float> {
        let n = x.rows, width = x.columns, pieces = Parallel.chunks(n, size: max(1024, (n + 15) / 16)), size = clusters * width
        var sums = [Double](repeating: 0, count: pieces.count * size), counts = [Int](repeating: 0, count: clusters)
        for label in labels { counts[Int(label)] += 1 }
        x.withUnsafeElements { p in
            sums.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let rows = Shared(p), out = Shared(base)
                Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                    for i in pieces[piece] {
                        let to = out.pointer + piece * size + Int(labels[i]) * width, from = rows.pointer + i * width
                        for c in 0..<width { to[c] += Double(from[c]) }
                    }
                }
            }
        }
        for piece in 1..<max(1, pieces.count) { for i in 0..<size { sums[i] += sums[piece * size + i] } }
        var worst = counts.contains(0) ? (0..<n).sorted { (cosines[$0], $0) < (cosines[$1], $1) }[...] : []
        var centers = Tensor<Float>(uninitialized: [clusters, width])
        x.withUnsafeElements { p in
            centers.withUnsafeMutableElements { to in
                for k in 0..<clusters {
                    let sum = sums[k * width..<(k + 1) * width], norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    if counts[k] > 0 && norm > 1e-12 {
                        for (c, value) in sum.enumerated() { to[k * width + c] = Float(value / norm) }
                    } else if let row = worst.popFirst() {
                        (to + k * width).update(from: p + row * width, count: width)
                    } else if let row = labels.firstIndex(of: Int32(k)) {
                        // The vectors of a cluster cancel: any of them is as good a direction.
                        (to + k * width).update(from: p + row * width, count: width)
                    }
                }
            }
        }
        return centers
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
        let width = centers.columns
        var sorted = Tensor<Float>(uninitialized: [order.count, width])
        centers.withUnsafeElements { from in
            sorted.withUnsafeMutableElements { to in
                for (place, cluster) in order.enumerated() { (to + place * width).update(from: from + cluster * width, count: width) }
            }
        }
        self.centers = sorted
        self.meanCosine = meanCosine
    }
}
