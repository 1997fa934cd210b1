import FileFormats
import SentenceEmbedding
import Tensors

/// Vectors of a teacher for the rows of a task, `(rows, size)`, length 1; computed once at the start of a run.
public struct TeacherVectors: Sendable {
    public let vectors: Tensor<Float>

    public init(model: String, texts: [String], threads: Int, progress: (Int) -> Void = { _ in }) throws {
        var options = SentenceEncoder.Options()
        options.threads = threads
        options.normalizes = true
        options.precision = Precision.bf16.isFast ? .bf16 : .f32
        let encoder = try SentenceEncoder(model: model, options: options)
        var vectors = Tensor<Float>(uninitialized: [texts.count, encoder.dimension])
        let size = encoder.dimension
        for range in Parallel.chunks(texts.count, size: 4096) {
            let part = try encoder.encode(Array(texts[range]))
            vectors.withUnsafeMutableElements { to in
                part.withUnsafeElements { (to + range.lowerBound * size).update(from: $0, count: part.count) }
            }
            progress(range.upperBound)
        }
        self.vectors = vectors
    }

    public var size: Int { vectors.columns }

    /// The vectors of some rows.
    func rows(_ rows: [Int]) -> Tensor<Float> {
        var result = Tensor<Float>(uninitialized: [rows.count, size])
        vectors.withUnsafeElements { from in
            result.withUnsafeMutableElements { to in Float.gatherRows(from, width: size, rows.map(Int32.init), adding: false, into: to) }
        }
        return result
    }
}
