import FileFormats
import Tensors

/// How often a sentence's partner (its translation, its paraphrase) is the nearest of all partners.
public struct RetrievalEvaluation: Sendable, Equatable {
    public let queries: Int
    /// Share of queries whose own partner comes first, or among the first ten, of all partners; in 0 ... 1. An equally near other row before it
    /// counts against it.
    public let first: Double
    public let firstTen: Double
    /// Mean reciprocal rank, partners below rank ten counting 0.
    public let meanReciprocalRank: Double

    /// - Parameters:
    ///   - queries, partners: vectors (pairs, dimension), row k of one belonging to row k of the other.
    /// - Throws: `DataError` where the shapes differ or a vector is not finite.
    public init(queries: Tensor<Float>, partners: Tensor<Float>, threads: Int = Parallel.availableThreads) throws {
        guard queries.rows == partners.rows, queries.rows > 0 else {
            throw DataError(.badData, "retrieval needs as many partners as queries, at least one; there are \(partners.rows) and \(queries.rows)")
        }
        let found = try CosineSearch(corpus: partners, threads: threads).search(queries, top: 10)
        var first = 0, ten = 0, reciprocal = 0.0
        for query in 0..<found.queries {
            let answers = found[query]
            guard let place = answers.firstIndex(where: { $0.row == query }) else { continue }
            // Ties go to the lower row; the partner is not favoured by standing above its equals.
            let tied = place + 1 < answers.count && answers[place + 1].score == answers[place].score
            ten += 1
            if place == 0 && !tied { first += 1 }
            reciprocal += 1 / Double(place + (tied ? 2 : 1))
        }
        self.queries = found.queries
        self.first = Double(first) / Double(found.queries)
        firstTen = Double(ten) / Double(found.queries)
        meanReciprocalRank = reciprocal / Double(found.queries)
    }
}

/// How often the nearest sentence is of the same group, as captions of one scene are.
public struct GroupEvaluation: Sendable, Equatable {
    /// Sentences asked about: those whose group has another member among the candidates.
    public let queries: Int
    /// Share of them whose nearest candidate is of their own group, in 0 ... 1.
    public let nearest: Double
    /// R-precision: of the R nearest candidates the share that is of the group, R being the number of its members there; averaged.
    public let precision: Double

    /// - Parameters:
    ///   - vectors: (sentences, dimension).
    ///   - groups: one a sentence.
    ///   - from, to: which sentences ask, and which are candidates; a sentence is no candidate for itself.
    /// - Throws: `DataError` where nothing can be asked, or a vector is not finite.
    public init(vectors: Tensor<Float>, groups: [String], from: [Bool]? = nil, to: [Bool]? = nil, threads: Int = Parallel.availableThreads) throws {
        let n = vectors.rows
        let from = from ?? Array(repeating: true, count: n), to = to ?? Array(repeating: true, count: n)
        guard groups.count == n, from.count == n, to.count == n else { throw DataError(.badData, "\(groups.count) groups were given for \(n) vectors") }
        var members: [String: Int] = [:]
        for row in 0..<n where to[row] { members[groups[row], default: 0] += 1 }
        let others = (0..<n).map { (members[groups[$0]] ?? 0) - (to[$0] ? 1 : 0) }
        let asked = (0..<n).map { from[$0] && others[$0] > 0 }
        guard let most = (0..<n).filter({ asked[$0] }).map({ others[$0] }).max() else {
            throw DataError(.badData, "no sentence has another one of its group to be found")
        }
        // One more than wanted: the sentence itself is found first.
        let found = try CosineSearch(corpus: vectors, valid: to, threads: threads).search(vectors, top: most + 1, queryValid: asked)
        var hits = 0, precision = 0.0
        for row in 0..<n where asked[row] {
            let answers = found[row].filter { $0.row != row }
            if let best = answers.first, groups[best.row] == groups[row] { hits += 1 }
            precision += Double(answers.prefix(others[row]).count { groups[$0.row] == groups[row] }) / Double(others[row])
        }
        queries = asked.count { $0 }
        nearest = Double(hits) / Double(queries)
        self.precision = precision / Double(queries)
    }
}
