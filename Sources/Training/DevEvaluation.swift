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
        table = try SentenceTable(files: [task.file], columns: task.columns, score: task.scoreColumn, tokenizer: tokenizer, maxLength: maxLength)
    }

    /// The figure, in [−1, 1] for similarity and in [0, 1] for retrieval.
    ///
    /// - Parameter embed: vectors of length 1 for sentences of a token store, in its order.
    func measure(_ embed: (TokenStore) -> Tensor<Float>) throws -> Double {
        let vectors = embed(table.tokens), size = vectors.columns
        switch task.measure {
        case .similarity:
            let cosines = (0..<table.rows).map { Float.dot(vectors.view[2 * $0], vectors.view[2 * $0 + 1]) }
            return try Correlation.spearman(cosines, table.scores)
        case .retrieval:
            let every = (0..<table.rows).map { Int32($0) }
            func side(_ column: Int) -> Tensor<Float> {
                var part = Tensor<Float>(uninitialized: [table.rows, size])
                Float.gatherRows(vectors.view, every.map { $0 * 2 + Int32(column) }, into: &part.target)
                return part
            }
            let cosines = matrixProduct(side(0), transposed: false, side(1), transposed: true)
            func found(_ scores: Tensor<Float>) -> Int {
                scores.withUnsafeElements { s in
                    every.count { row in
                        let own = s + Int(row) * table.rows
                        return !every.contains { $0 != row && own[Int($0)] >= own[Int(row)] }
                    }
                }
            }
            return Double(found(cosines) + found(cosines.transposed())) / Double(2 * table.rows)
        }
    }
}
