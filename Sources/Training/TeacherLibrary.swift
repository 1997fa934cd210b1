import Autograd
import FileFormats
import Tensors
import VectorStore

/// A teacher's vectors by sentence, from vector files (`kotonoha embed TEXTS --model TEACHER -o FILE.h5`).
struct TeacherLibrary {
    private var places: [String: Int32] = [:]
    private let vectors: Tensor<Float>
    private let files: [String]

    /// - Parameter centers: the mean of each file is taken off its vectors, which then get length 1. Encoders whose cosines are all high
    ///   say more so; with a file for each language the languages' means do not set them apart.
    /// - Throws: `DataError` if files differ in dimension or a vector contains NaN.
    init(files: [String], centers: Bool) throws {
        self.files = files
        let stores = try files.map { try VectorFile(path: $0) }
        guard let size = stores.first?.dimension else { throw DataError(.badData, "no vector files of a teacher") }
        var vectors = Tensor<Float>(uninitialized: [stores.reduce(0) { $0 + $1.count }, size]), first = 0
        for store in stores {
            guard store.dimension == size else {
                throw DataError(.badData, "vectors of \(store.dimension) components; those in \(files[0]) have \(size)", file: store.path)
            }
            var means = [Double](repeating: 0, count: size), part = Tensor(try store.readEmbeddings(), shape: [store.count, size])
            let valid = try store.valid()
            if centers {
                for row in 0..<store.count where valid[row] { for i in 0..<size { means[i] += Double(part[row, i]) } }
                let count = Double(max(1, valid.count { $0 })), center = Tensor(means.map { Float(-$0 / count) }, shape: [1, size])
                for row in 0..<store.count { Float.add(1, times: center.view, to: &part[rows: row..<row + 1]) }
            }
            part = normalizedRows(Variable(part), on: nil).value
            for (row, text) in try store.texts().enumerated() where valid[row] { places[text] = Int32(first + row) }
            Float.copy(part.view, into: &vectors[rows: first..<first + store.count])
            first += store.count
        }
        self.vectors = vectors
    }

    /// The vectors of some sentences, in their order.
    ///
    /// - Throws: `DataError` that names a sentence for which there is none.
    func vectors(of texts: [String], file: String, column: String) throws -> TeacherVectors {
        let rows = try texts.map { text in
            guard let place = places[text] else {
                let names = files.joined(separator: ", ")
                throw DataError(.badData, "no vector in \(names) for the sentence \"\(text.prefix(60))\" of column \(column)", file: file)
            }
            return place
        }
        var result = Tensor<Float>(uninitialized: [texts.count, vectors.columns])
        Float.gatherRows(vectors.view, rows, into: &result.target)
        return TeacherVectors(vectors: result)
    }
}
