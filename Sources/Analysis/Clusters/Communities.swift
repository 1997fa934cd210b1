import CKernels
import FileFormats
import Tensors

/// Groups of vectors that are all close to one of them: sentence-transformers' `community_detection`.
///
/// Every row with at least `minimumSize` rows (itself among them) at a cosine of `threshold` or more founds a community. The largest
/// comes first; what it holds is taken from the others, which stay communities while their founder and enough others are left.
public struct CommunityDetection: Sendable {
    /// Least cosine to the founder. What counts as close depends on the model: see `RandomPairCosines.quantile`.
    package var threshold: Float
    /// Least number of members.
    package var minimumSize: Int
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// Communities of at least `minimumSize` rows at cosine `threshold` or more of their founder.
    public init(threshold: Float = 0.75, minimumSize: Int = 10, threads: Int = Parallel.availableThreads) {
        self.threshold = threshold
        self.minimumSize = minimumSize
        self.threads = threads
    }

    /// Pairs above the threshold that fit in memory, at four bytes each.
    private static let mostPairs = 1 << 30

    /// Communities in descending order of size, each with its founder first, then by descending cosine to it.
    ///
    /// - Throws: `DataError` for NaN or infinity, a threshold outside [−1, 1], or one so low that more than 2^30 pairs lie above it.
    public func fit(_ x: Tensor<Float>, valid: [Bool]? = nil) throws -> [[Int]] {
        try x.checkShape("the vectors")
        if let valid, valid.count != x.rows { throw DataError(.badData, "\(valid.count) validity flags were given for \(x.rows) vectors") }
        guard threshold >= -1, threshold <= 1 else {
            throw DataError(.usage, "a cosine threshold must be between -1 and 1, not \(threshold)")
        }
        guard minimumSize >= 1 else { throw DataError(.usage, "a community has at least 1 member, not \(minimumSize)") }
        let near = try similarRows(x, valid: valid)
        let n = x.rows
        let founders = (0..<n).filter { near[$0].count >= minimumSize }.sorted { (-near[$0].count, $0) < (-near[$1].count, $1) }
        var taken = [Bool](repeating: false, count: n)
        var communities: [[Int]] = []
        for founder in founders where !taken[founder] {
            let free = near[founder].lazy.map(Int.init).filter { !taken[$0] }
            guard free.count >= minimumSize else { continue }
            let members = Array(free)
            for member in members { taken[member] = true }
            communities.append(members)
        }
        return communities.enumerated().sorted { (-$0.element.count, $0.offset) < (-$1.element.count, $1.offset) }.map(\.element)
    }

    /// For each row the rows at least as close as the threshold, best first (equal cosines by row, the row itself first).
    private func similarRows(_ x: Tensor<Float>, valid: [Bool]?) throws -> [[Int32]] {
        let n = x.rows, width = x.columns, tile = 64, threshold = self.threshold
        var found = [[(Float, Int32)]](repeating: [], count: n)
        var total = 0
        let bandRows = BlockedBest.blockRows * 8
        try found.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = Shared(base)
            try x.withRows(0..<n) { pointer in
                let rows = Shared(pointer)
                for start in stride(from: 0, to: n, by: bandRows) {
                    let band = start..<min(n, start + bandRows)
                    let blocks = try Parallel.chunks(band.count, size: BlockedBest.blockRows).map { piece in
                        try CorpusBlock(
                            pointer + (start + piece.lowerBound) * width, rows: piece.lowerBound + start..<piece.upperBound + start,
                            width: width, by: .cosine, valid: valid, reusing: nil)
                    }
                    let tiles = Parallel.chunks(n, size: tile)
                    try Parallel.forEach(tiles.count, threads: threads) { item, _ in
                        let queries = tiles[item], ready = PreparedRows(capacity: tile, width: width)
                        try ready.fill(
                            UnsafePointer(rows.pointer) + queries.lowerBound * width, rows: queries, by: .cosine, valid: valid,
                            what: "the vectors", threads: 1)
                        Scratch.with(Float.self, count: tile * BlockedBest.blockRows) { products in
                            Scratch.with(Int32.self, count: BlockedBest.blockRows) { hits in
                                for block in blocks {
                                    Float.multiply(ready.row(0), rows: queries.count, by: block.matrix, bias: block.bias, into: products)
                                    for query in queries where ready.usable[query - queries.lowerBound] {
                                        let line = products + (query - queries.lowerBound) * block.rows.count
                                        // Rounding must not part a vector from itself.
                                        if block.rows.contains(query) { line[query - block.rows.lowerBound] = 2 }
                                        let count = kt_at_least(line, Int64(block.rows.count), threshold, hits)
                                        for hit in 0..<Int(count) {
                                            out.pointer[query].append((line[Int(hits[hit])], Int32(block.rows.lowerBound) + hits[hit]))
                                        }
                                    }
                                }
                            }
                        }
                    }
                    total = (0..<n).reduce(0) { $0 + out.pointer[$1].count }
                    guard total <= Self.mostPairs else {
                        throw DataError(
                            .usage, "more than \(Self.mostPairs) pairs have a cosine of \(threshold) or more; choose a higher threshold")
                    }
                }
            }
        }
        return found.map { row in row.sorted { ($1.0, $0.1) < ($0.0, $1.1) }.map(\.1) }
    }
}

extension Clustering {
    /// Communities as clusters; rows in none have the label −1, and centers are the directions of the members' means.
    package init(communities: [[Int]], of x: Tensor<Float>) {
        let width = x.columns
        var labels: [Int32] = [], members: [Int] = []
        var centers = Tensor<Float>(repeating: 0, shape: [communities.count, width]), total = 0.0
        x.withUnsafeElements { from in
            centers.withUnsafeMutableElements { to in
                for (number, community) in communities.enumerated() {
                    var sum = [Double](repeating: 0, count: width)
                    for row in community {
                        let line = from + row * width, norm = Float.dot(line, line, count: width).squareRoot()
                        for c in 0..<width { sum[c] += norm > 0 ? Double(line[c]) / norm : 0 }
                        labels.append(Int32(number))
                        members.append(row)
                    }
                    let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    total += norm
                    for c in 0..<width { to[number * width + c] = norm > 0 ? Float(sum[c] / norm) : 0 }
                }
            }
        }
        self.init(
            labels: labels, centers: centers, members: members, rows: x.rows,
            meanCosine: members.isEmpty ? 0 : total / Double(members.count))
    }
}
