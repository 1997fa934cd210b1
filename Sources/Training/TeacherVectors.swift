import Autograd
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors

/// Vectors of a teacher for the rows of a task, `(rows, size)`, length 1; computed once at the start of a run.
package struct TeacherVectors: Sendable {
    package let vectors: Tensor<Float>

    /// - Parameter cache: a folder that keeps the vectors for the next start of the run; with them, the teacher itself is not needed.
    package init(model: String, texts: [String], cache: URL? = nil, threads: Int, progress: (Int) -> Void = { _ in }) throws {
        let name = URL(fileURLWithPath: model).lastPathComponent
        let key = SHA256.hex(of: name + "\n" + texts.joined(separator: "\n"))
        let file = cache?.appendingPathComponent("teacher-\(key.prefix(16)).safetensors")
        if let file, FileManager.default.fileExists(atPath: file.path) {
            let stored = try SafetensorsFile(path: file.path)
            guard let entry = stored["vectors"], entry.shape.count == 2, entry.shape[0] == texts.count else {
                throw DataError(.badData, "these are not the teacher's \(texts.count) vectors; remove the file", file: file.path)
            }
            vectors = Tensor(try stored.floats("vectors"), shape: entry.shape)
            progress(texts.count)
            return
        }
        var options = SentenceEncoder.Options()
        options.threads = threads
        options.normalizes = true
        options.precision = Precision.bf16.isFast ? .bf16 : .f32
        let encoder = try SentenceEncoder(model: model, options: options)
        var vectors = Tensor<Float>(uninitialized: [texts.count, encoder.dimension])
        for range in Parallel.chunks(texts.count, size: 4096) {
            let part = try encoder.encode(Array(texts[range]))
            Float.copy(part.view, into: &vectors[rows: range])
            progress(range.upperBound)
        }
        self.vectors = vectors
        if let file {
            try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            var writer = SafetensorsWriter()
            writer.add("vectors", shape: vectors.shape, values: vectors.elements)
            try writer.write(to: file.path)
        }
    }

    init(vectors: Tensor<Float>) { self.vectors = vectors }

    /// The means over several columns' vectors, row by row, at length 1.
    static func mean(of columns: [TeacherVectors]) -> TeacherVectors {
        var result = columns[0].vectors
        for other in columns.dropFirst() { Float.add(1, times: other.vectors.view, to: &result[rows: 0..<result.rows]) }
        return TeacherVectors(vectors: normalizedRows(Variable(result), on: nil).value)
    }

    package var size: Int { vectors.columns }

    /// The vectors of some rows.
    func rows(_ rows: [Int]) -> Tensor<Float> {
        var result = Tensor<Float>(uninitialized: [rows.count, size])
        Float.gatherRows(vectors.view, rows.map(Int32.init), into: &result.target)
        return result
    }
}
