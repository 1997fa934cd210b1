import CKernels
import FileFormats
import Synchronization
import Tensors

/// Two rows and the cosine between their vectors.
package struct SimilarPair: Sendable, Equatable {
    /// The lower row.
    package let first: Int
    package let second: Int
    package let cosine: Float

    /// Higher cosine first, then lower rows.
    static func isBetter(_ a: SimilarPair, _ b: SimilarPair) -> Bool {
        (b.cosine, a.first, a.second) < (a.cosine, b.first, b.second)
    }
}

/// Which pairs of rows may be mined.
package struct PairFilter: Sendable {
    /// Pairs below this cosine are not reported.
    package var threshold: Float
    /// Rows with the same number here are copies of one another (the same sentence) and make no pair.
    package var identityClasses: [Int32]?
    /// When given, only rows of different groups make a pair.
    package var groups: [Int32]?

    package init(threshold: Float = -.infinity, identityClasses: [Int32]? = nil, groups: [Int32]? = nil) {
        self.threshold = threshold
        self.identityClasses = identityClasses
        self.groups = groups
    }

    /// One number for each different string, for `identityClasses` and `groups`.
    package static func classes(of labels: [String]) -> [Int32] {
        var numbers: [String: Int32] = [:]
        return labels.map { label in
            if let known = numbers[label] { return known }
            let number = Int32(numbers.count)
            numbers[label] = number
            return number
        }
    }
}

extension CosineSearch {
    /// The `top` most similar pairs of different rows, best first; equal cosines in the order of their rows.
    ///
    /// - Throws: `DataError` for NaN or infinity in a vector, or classes that are not one a row.
    /// - Complexity: rows² · columns operations; memory for a few times `top` pairs.
    package func minePairs(top: Int, filter: PairFilter = PairFilter()) throws -> [SimilarPair] {
        guard top > 0 else { throw DataError(.usage, "the number of pairs must be at least 1, not \(top)") }
        for classes in [filter.identityClasses, filter.groups] {
            if let classes, classes.count != corpus.rows {
                throw DataError(.badData, "\(classes.count) labels were given for \(corpus.rows) vectors")
            }
        }
        let n = corpus.rows, width = corpus.columns, tile = 64
        let found = BestPairs(top: top, threshold: filter.threshold)
        // A band of rows is packed once and meets itself and every row above it.
        let bandRows = BlockedBest.blockRows * 8
        for start in stride(from: 0, to: n, by: bandRows) {
            let band = start..<min(n, start + bandRows)
            let blocks = try corpus.withRows(band) { pointer in
                try Parallel.chunks(band.count, size: BlockedBest.blockRows).map { piece in
                    try CorpusBlock(
                        pointer + piece.lowerBound * width, rows: piece.lowerBound + start..<piece.upperBound + start, width: width,
                        by: .cosine, valid: valid, reusing: nil)
                }
            }
            // The rows up to there pass by in spans, so that a file of any length fits in memory.
            for first in stride(from: 0, to: band.upperBound, by: bandRows) {
                let span = first..<min(band.upperBound, first + bandRows),
                    tiles = Parallel.chunks(span.count, size: tile).map { $0.lowerBound + first..<$0.upperBound + first }
                try corpus.withRows(span) { pointer in
                    let rows = Shared(pointer)
                    try Parallel.forEach(tiles.count, threads: threads) { item, _ in
                        let queries = tiles[item], ready = PreparedRows(capacity: tile, width: width)
                        try ready.fill(
                            UnsafePointer(rows.pointer) + (queries.lowerBound - first) * width, rows: queries, by: .cosine, valid: valid,
                            what: "the vectors", threads: 1)
                        var own: [SimilarPair] = []
                        var bound = found.bound
                        Scratch.with(Float.self, count: tile * BlockedBest.blockRows) { products in
                            Scratch.with(Int32.self, count: BlockedBest.blockRows) { hits in
                                for block in blocks where block.rows.upperBound > queries.lowerBound + 1 {
                                    Float.multiply(ready.row(0), rows: queries.count, by: block.matrix, bias: block.bias, into: products)
                                    for query in queries where ready.usable[query - queries.lowerBound] {
                                        // Only pairs with the query as the lower row, so that each is seen once.
                                        let from = max(0, query + 1 - block.rows.lowerBound)
                                        guard from < block.rows.count else { continue }
                                        let line = products + (query - queries.lowerBound) * block.rows.count + from
                                        let count = kt_at_least(line, Int64(block.rows.count - from), max(bound, -2), hits)
                                        for hit in 0..<Int(count) {
                                            let second = block.rows.lowerBound + from + Int(hits[hit])
                                            if let classes = filter.identityClasses, classes[query] == classes[second] { continue }
                                            if let groups = filter.groups, groups[query] == groups[second] { continue }
                                            own.append(
                                                SimilarPair(first: query, second: second, cosine: max(-1, min(1, line[Int(hits[hit])]))))
                                        }
                                        if own.count > 4 * top + 1024 {
                                            found.merge(&own)
                                            bound = found.bound
                                        }
                                    }
                                }
                            }
                        }
                        found.merge(&own)
                    }
                }
            }
        }
        return found.sorted()
    }
}

/// The best pairs of all workers. Which pairs end up here does not depend on who came first: a pair is only ever dropped for `top` better
/// ones.
private final class BestPairs: Sendable {
    private struct State: Sendable {
        var pairs: [SimilarPair] = []
        var bound: Float
    }
    private let top: Int
    private let state: Mutex<State>

    init(top: Int, threshold: Float) {
        self.top = top
        state = Mutex(State(bound: threshold))
    }

    /// Pairs below this cannot be among the best.
    var bound: Float { state.withLock { $0.bound } }

    func merge(_ own: inout [SimilarPair]) {
        guard !own.isEmpty else { return }
        let fresh = own
        own.removeAll(keepingCapacity: true)
        state.withLock { state in
            for pair in fresh where pair.cosine >= state.bound { state.pairs.append(pair) }
            guard state.pairs.count >= 2 * top else { return }
            shrink(&state)
        }
    }

    private func shrink(_ state: inout State) {
        state.pairs.sort(by: SimilarPair.isBetter)
        if state.pairs.count > top { state.pairs.removeLast(state.pairs.count - top) }
        if state.pairs.count == top, let last = state.pairs.last { state.bound = max(state.bound, last.cosine) }
    }

    func sorted() -> [SimilarPair] {
        state.withLock { state in
            shrink(&state)
            return state.pairs
        }
    }
}
