import CKernels
import FileFormats
import Tensors

/// Exact search for the most similar vectors by the cosine of the angle between them.
///
/// Vectors need not be of unit length. A vector of zeros has no direction: it is never found and finds nothing. NaN and infinity are
/// errors that name the row. The result does not depend on the number of threads; equal cosines go to the lower row.
///
/// - Complexity: 2 · queries · corpus · columns operations; memory for the result and some 64 MB, never queries × corpus.
public struct CosineSearch<Corpus: RowSource>: Sendable {
    /// The vectors that are searched.
    package let corpus: Corpus
    /// Rows marked false are not found (and, in `minePairs`, do not search).
    package let valid: [Bool]?
    /// Number of worker threads; results do not depend on it.
    package let threads: Int
    /// Short codes of the same rows, for a query or two at a time. With int8 codes the answers are the same to the bit; with binary ones
    /// (`RowCodes`) some can be missing.
    public var codes: RowCodes?

    /// - Throws: `DataError` if the corpus is not a matrix, or `valid` does not have one flag per row.
    public init(corpus: Corpus, valid: [Bool]? = nil, threads: Int = Parallel.availableThreads) throws {
        try corpus.checkShape("the vectors")
        if let valid, valid.count != corpus.rows {
            throw DataError(.badData, "\(valid.count) validity flags were given for \(corpus.rows) vectors")
        }
        self.corpus = corpus
        self.valid = valid
        self.threads = threads
    }

    /// The `top` most similar corpus rows for each query, best first; fewer where the corpus has fewer.
    ///
    /// - Parameter queryValid: queries marked false get no answers.
    /// - Throws: `DataError` when queries have another width than the corpus, or a vector holds NaN or infinity.
    public func search<Queries: RowSource>(_ queries: Queries, top: Int, queryValid: [Bool]? = nil) throws -> NeighborTable {
        guard queries.columns == corpus.columns else {
            throw DataError(
                .badData,
                "the queries have \(queries.columns) columns and the vectors \(corpus.columns); both must come from the same model")
        }
        guard top > 0 else { throw DataError(.usage, "the number of answers must be at least 1, not \(top)") }
        let best = try BlockedBest.search(
            queries: queries, corpus: corpus, by: .cosine, top: top, queryValid: queryValid, corpusValid: valid, codes: codes,
            threads: threads)
        return NeighborTable(best)
    }
}

/// For each query its best corpus rows, best first.
public struct NeighborTable: Sendable, Equatable {
    /// Places kept for each query.
    package let top: Int
    /// Row numbers in the corpus, (queries, top); −1 where a query has fewer answers.
    package let rows: [Int32]
    /// Cosines in [−1, 1] (or Euclidean distances, for a table of nearest neighbours), (queries, top).
    package let scores: [Float]
    /// Answers of each query.
    package let counts: [Int32]

    /// Number of queries.
    package var queries: Int { counts.count }

    /// The answers of one query, best first.
    public subscript(query: Int) -> [(row: Int, score: Float)] {
        (0..<Int(counts[query])).map { (Int(rows[query * top + $0]), scores[query * top + $0]) }
    }

    /// The answers of one query, best first.
    package init(answers: [(row: Int, score: Double)], top: Int) {
        let answers = answers.prefix(top)
        self.init(
            top: max(1, answers.count), rows: answers.map { Int32($0.row) }, scores: answers.map { Float($0.score) },
            counts: [Int32(answers.count)])
    }

    /// The table without one row per query, such as the query's own; nil leaves that query's results unchanged.
    package func dropping(_ excluded: [Int?], top: Int) -> NeighborTable {
        var rows = [Int32](repeating: -1, count: queries * top), scores = [Float](repeating: -.infinity, count: queries * top),
            counts: [Int32] = []
        for query in 0..<queries {
            let kept = self[query].filter { $0.row != excluded[query] }.prefix(top)
            for (place, answer) in kept.enumerated() {
                (rows[query * top + place], scores[query * top + place]) = (Int32(answer.row), answer.score)
            }
            counts.append(Int32(kept.count))
        }
        return NeighborTable(top: top, rows: rows, scores: scores, counts: counts)
    }

    init(top: Int, rows: [Int32], scores: [Float], counts: [Int32]) {
        self.top = top
        self.rows = rows
        self.scores = scores
        self.counts = counts
    }

    /// Rounding can carry the cosine of parallel vectors a little past 1.
    init(_ best: BlockedBest) {
        self.init(
            top: best.top, rows: best.rows, scores: best.scores.map { $0 == -.infinity ? $0 : max(-1, min(1, $0)) }, counts: best.counts)
    }
}
