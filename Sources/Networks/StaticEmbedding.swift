import Autograd
import FileFormats
import Tensors

/// A sentence as the mean of fixed vectors of its tokens: sentence-transformers' `StaticEmbedding`, and model2vec
/// (https://github.com/MinishLab/model2vec), whose tables may share rows between tokens and weigh each token.
package final class StaticEmbedding<Scalar: TensorScalar>: Module {
    /// `(vocabulary, size)`, weights multiplied in.
    package let table: Parameter<Scalar>

    /// A table of zeros.
    package init(vocabularySize: Int, size: Int) { table = Parameter(Tensor(shape: [vocabularySize, size])) }

    fileprivate init(table: Tensor<Scalar>) { self.table = Parameter(table) }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { [table] }
    /// Number of token ids.
    package var vocabularySize: Int { table.value.rows }
    /// Components of a vector.
    package var size: Int { table.value.columns }
    /// Every parameter with its checkpoint keys.
    package var checkpointEntries: [CheckpointEntry<Scalar>] { [CheckpointEntry(key: "embedding.weight", parameter: table, rows: nil)] }

    /// One vector a sequence, `(sequences, size)`; zeros for an empty one.
    ///
    /// - Precondition: ids lie in the vocabulary.
    package func callAsFunction(_ batch: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        pooled(embedding(batch.ids, table: table, on: tape), offsets: batch.offsets, mode: .mean, on: tape)
    }
}

extension StaticEmbedding where Scalar == Float {
    /// Reads either layout: `embedding.weight`, or `embeddings` with perhaps `mapping` (row of each token) and `weights` (of each token).
    ///
    /// - Throws: `DataError` if there is no such table, or its parts do not fit each other.
    package convenience init(from archive: some WeightArchive) throws {
        func fail(_ message: String) -> DataError { DataError(.badData, message, file: archive.fileName) }
        let names = Set(archive.names)
        guard let name = ["embedding.weight", "embeddings"].first(where: names.contains) else {
            throw fail("static embeddings should have a tensor 'embedding.weight' or 'embeddings'; this file has neither")
        }
        let rows = try archive.tensor(name)
        guard rows.shape.count == 2, rows.count > 0 else { throw fail("tensor '\(name)' should be a table, not of shape \(rows.shape)") }
        guard rows.isFinite else { throw fail("tensor '\(name)' contains NaN or infinity") }
        guard name == "embeddings", names.contains("mapping") || names.contains("weights") else {
            self.init(table: rows)
            return
        }

        let mapping = names.contains("mapping") ? try archive.integers("mapping") : Array(0..<rows.rows)
        let weights = names.contains("weights") ? try archive.tensor("weights") : Tensor(repeating: 1, shape: [mapping.count])
        if let wrong = mapping.firstIndex(where: { !(0..<rows.rows).contains($0) }) {
            throw fail("'mapping' maps token \(wrong) to row \(mapping[wrong]) of a table of \(rows.rows)")
        }
        guard weights.count == mapping.count else { throw fail("'weights' has \(weights.count) elements for \(mapping.count) tokens") }
        guard weights.isFinite else { throw fail("tensor 'weights' contains NaN or infinity") }
        var table = Tensor<Float>(shape: [mapping.count, rows.columns])
        for (token, row) in mapping.enumerated() { Float.add(weights[token], times: rows.view[row], to: &table[rows: token..<token + 1]) }
        self.init(table: table)
    }
}
