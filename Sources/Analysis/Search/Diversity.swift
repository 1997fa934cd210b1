import FileFormats
import Tensors

/// Answers that are near the query and far from one another: maximal marginal relevance (Carbonell & Goldstein 1998).
package struct MaximalMarginalRelevance: Sendable {
    /// λ in [0, 1]: 1 − λ weighs the cosine to the query, λ the largest cosine to an answer that was chosen before. 0 is plain ranking.
    package var diversity: Double

    package init(diversity: Double) throws {
        guard (0...1).contains(diversity) else { throw DataError(.usage, "diversity must be between 0 and 1, not \(diversity)") }
        self.diversity = diversity
    }

    /// The `top` best of a table's answers, in the order in which they were chosen; scores stay the cosines to the query. Equal values go
    /// to the answer that ranks higher.
    ///
    /// - Parameter vector: the vector of a row.
    /// - Complexity: O(queries · top · candidates · columns).
    package func choose(_ candidates: NeighborTable, top: Int, vector: (Int) throws -> [Float]) throws -> NeighborTable {
        var rows = [Int32](repeating: -1, count: candidates.queries * top), scores = [Float](repeating: -.infinity, count: rows.count),
            counts: [Int32] = []
        for query in 0..<candidates.queries {
            let answers = candidates[query], vectors = try answers.map { try unit(vector($0.row)) }
            var nearest = [Double](repeating: -.infinity, count: answers.count), isLeft = [Bool](repeating: true, count: answers.count),
                chosen = 0
            while chosen < min(top, answers.count) {
                func value(_ i: Int) -> Double { (1 - diversity) * Double(answers[i].score) - (chosen == 0 ? 0 : diversity * nearest[i]) }
                guard let best = answers.indices.filter({ isLeft[$0] }).max(by: { (value($0), $1) < (value($1), $0) }) else { break }
                (rows[query * top + chosen], scores[query * top + chosen]) = (Int32(answers[best].row), answers[best].score)
                isLeft[best] = false
                chosen += 1
                for i in answers.indices where isLeft[i] {
                    nearest[i] = max(nearest[i], zip(vectors[i], vectors[best]).reduce(0.0) { $0 + $1.0 * $1.1 })
                }
            }
            counts.append(Int32(chosen))
        }
        return NeighborTable(top: top, rows: rows, scores: scores, counts: counts)
    }

    private func unit(_ values: [Float]) -> [Double] {
        let length = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return values.map { length > 0 ? Double($0) / length : 0 }
    }
}

extension NeighborTable {
    /// The answers at or above a score.
    package func atLeast(_ score: Double) -> NeighborTable {
        let kept = (0..<queries).map { query in Int32(self[query].count { Double($0.score) >= score }) }
        return NeighborTable(top: top, rows: rows, scores: scores, counts: kept)
    }

    /// The first `top` answers of each query.
    package func prefix(_ top: Int) -> NeighborTable { dropping([Int?](repeating: nil, count: queries), top: top) }
}
