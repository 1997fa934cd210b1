import Analysis
import Tensors
import Testing

@Suite struct EvaluationTests {
    /// Unit vectors at these angles, in degrees.
    private func plane(_ angles: [Double]) -> Tensor<Float> {
        let pi = Double.pi
        return Tensor(
            angles.flatMap { angle -> [Float] in
                // cos and sin by their series are exact enough here and need no library.
                let t = angle * pi / 180
                var cosine = 1.0, sine = t, term = 1.0, odd = t
                for k in 1...12 {
                    term *= -t * t / Double((2 * k - 1) * 2 * k)
                    cosine += term
                    odd *= -t * t / Double(2 * k * (2 * k + 1))
                    sine += odd
                }
                return [Float(cosine), Float(sine)]
            }, shape: [angles.count, 2])
    }

    @Test func partnersByHand() throws {
        // The third query's partner is at 40°, the other ones at 5° and 52° lie: ranks 1, 1, 2.
        let result = try RetrievalEvaluation(queries: plane([0, 60, 50]), partners: plane([5, 52, 40]))
        #expect(result.queries == 3)
        #expect(abs(result.first - 2.0 / 3) < 1e-12)
        #expect(result.firstTen == 1)
        #expect(abs(result.meanReciprocalRank - (1 + 1 + 0.5) / 3) < 1e-12)
    }

    @Test func equalsAreNoHits() throws {
        // Both partners are the same: nothing says which belongs to which query.
        let result = try RetrievalEvaluation(queries: plane([0, 90]), partners: plane([45, 45]))
        #expect(result.first == 0 && result.meanReciprocalRank == 0.5)
        #expect(throws: (any Error).self) { try RetrievalEvaluation(queries: plane([0]), partners: plane([0, 1])) }
    }

    /// A sentence in several pairs is one: it asks once, is found once, and each of its partners is right.
    @Test func severalPartners() throws {
        // Rows: A–x, A–y, B–x, C–z, C–z.
        let table = PartnerTable(first: [7, 7, 8, 9, 9], second: [1, 2, 1, 3, 3])
        #expect(table.first == [0, 2, 3] && table.second == [0, 1, 3] && table.pairs == 5 && table.hasSeveralPartners)
        #expect(table.answersOfFirst == [[0, 1], [0], [2]] && table.answersOfSecond == [[0, 1], [0], [2]])
        // A at 0° finds y at 2° first; B at 8° finds y first, and its partner x at 20° second; C at 90° finds z.
        let there = try RetrievalEvaluation(queries: plane([0, 8, 90]), candidates: plane([20, 2, 80]), answers: table.answersOfFirst)
        #expect(there.queries == 3 && abs(there.first - 2.0 / 3) < 1e-12 && abs(there.meanReciprocalRank - 2.5 / 3) < 1e-12)
        let grouped = PartnerTable(first: [7, 7, 8, 9, 9], second: [1, 2, 1, 3, 3], groups: [0, 0, 0, 1, 1])
        #expect(grouped.answersOfFirst == [[0, 1], [0, 1], [2]] && grouped.answersOfSecond == [[0, 1], [0, 1], [2]])
        #expect(
            try RetrievalEvaluation(queries: plane([0, 8, 90]), candidates: plane([20, 2, 80]), answers: grouped.answersOfFirst).first == 1)
        #expect(!PartnerTable(first: [0, 1], second: [0, 1]).hasSeveralPartners)
        // Right answers do not stand in one another's way, wrong equals do.
        let tied = try RetrievalEvaluation(queries: plane([0]), candidates: plane([10, 10, 10]), answers: [[0, 2]])
        #expect(tied.first == 0 && tied.meanReciprocalRank == 0.5)
        #expect(try RetrievalEvaluation(queries: plane([0]), candidates: plane([10, 10, 10]), answers: [[0, 1, 2]]).first == 1)
    }

    @Test func groupsByHand() throws {
        let x = plane([0, 10, 14, 40, 41]), groups = ["a", "a", "b", "b", "c"]
        let all = try GroupEvaluation(vectors: x, groups: groups)
        // "c" has no partner; 0 → 10 hits, 10 → 14 misses, 14 → 10 misses, 40 → 41 misses.
        #expect(all.queries == 4 && all.nearest == 0.25 && all.precision == 0.25)
        // Only 0° and 40° ask, only 10° and 14° answer.
        let some = try GroupEvaluation(
            vectors: x, groups: groups, from: [true, false, false, true, false], to: [false, true, true, false, false])
        #expect(some.queries == 2 && some.nearest == 1 && some.precision == 1)
        #expect(throws: (any Error).self) { try GroupEvaluation(vectors: x, groups: ["a", "b", "c", "d", "e"]) }
    }
}
