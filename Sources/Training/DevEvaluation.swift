import Analysis
import Autograd
import FileFormats
import Networks
import Statistics
import Tensors
import Tokenizers

/// A dev file, ready to be measured again and again.
struct DevSet: Sendable {
    let task: DevTask
    let table: SentenceTable

    init(_ task: DevTask, tokenizer: Tokenizer, maxLength: Int) throws {
        self.task = task
        table = try SentenceTable(
            files: [task.file], columns: task.columns, score: task.scoreColumn, tokenizer: tokenizer, maxLength: maxLength)
    }

    /// The figure, in [−1, 1] for similarity and in [0, 1] for retrieval: the share of sentences, of both columns, that find a partner
    /// first. Sentences of equal tokens are one sentence, and each of its partners is right.
    ///
    /// - Parameter embed: vectors of length 1 for sentences of a token store, in its order.
    func measure(_ embed: (TokenStore) throws -> Tensor<Float>) throws -> Double {
        let vectors = try embed(table.tokens), size = vectors.columns
        switch task.measure {
        case .similarity:
            let cosines = (0..<table.rows).map { Float.dot(vectors.view[2 * $0], vectors.view[2 * $0 + 1]) }
            return try Correlation.spearman(cosines, table.scores)
        case .retrieval:
            func side(_ rows: [Int], _ column: Int) -> Tensor<Float> {
                var part = Tensor<Float>(uninitialized: [rows.count, size])
                Float.gatherRows(vectors.view, rows.map { Int32(2 * $0 + column) }, into: &part.target)
                return part
            }
            let partners = Self.partners(table)
            let first = side(partners.first, 0), second = side(partners.second, 1)
            let there = try RetrievalEvaluation(queries: first, candidates: second, answers: partners.answersOfFirst)
            let back = try RetrievalEvaluation(queries: second, candidates: first, answers: partners.answersOfSecond)
            return (there.first * Double(there.queries) + back.first * Double(back.queries)) / Double(there.queries + back.queries)
        }
    }

    private static func partners(_ table: SentenceTable) -> PartnerTable {
        func classes(_ column: Int) -> [Int32] {
            var numbers: [[Int32]: Int32] = [:]
            return (0..<table.rows).map { row in
                let ids = Array(table.tokens[2 * row + column])
                if let known = numbers[ids] { return known }
                numbers[ids] = Int32(numbers.count)
                return Int32(numbers.count - 1)
            }
        }
        return PartnerTable(first: classes(0), second: classes(1))
    }
}
