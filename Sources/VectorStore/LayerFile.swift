import CHDF5
import FileFormats

/// Vectors of every word in every layer, a dataset a sentence, in the layout of the structural probes (Hewitt & Manning 2019) and of
/// AllenNLP's ELMo files: datasets `0`, `1`, … of shape (layers, tokens, hiddenSize), and `sentence_to_index`, a JSON object of texts and numbers.
public final class LayerFile: Sendable {
    public let path: String
    /// Sentences.
    public let count: Int
    private let container: HDF5Container

    /// Opens a file.
    /// - Throws: `DataError` where it is missing, damaged, or has no dataset `0`.
    public init(path: String) throws {
        self.path = path
        container = try HDF5Container(path: path)
        let names = Set(try container.links(in: "/").map(\.name))
        var count = 0
        while names.contains(String(count)) { count += 1 }
        guard count > 0 else {
            throw DataError(.badData, "this HDF5 file holds no layers: it has no dataset \"0\"; make one by kotonoha embed --tokens --layers all", file: path)
        }
        self.count = count
    }

    /// An attribute of the root, as `model_sha256`, nil where there is none.
    public func attribute(_ name: String) throws -> HDF5Attribute? { try container.attribute(name) }

    /// The shape (layers, tokens, hiddenSize) of a sentence.
    public func shape(of sentence: Int) throws -> (layers: Int, tokens: Int, hiddenSize: Int) {
        let shape = try dataset(sentence).shape
        return (shape[0], shape[1], shape[2])
    }

    /// The vectors of one layer, row-major, shape (tokens, hiddenSize).
    /// - Throws: `DataError` where the file is damaged, has no such layer, or a vector holds NaN or infinity (sentence and token are named).
    public func read(sentence: Int, layer: Int) throws -> [Float] {
        let dataset = try dataset(sentence)
        guard (0 ..< dataset.shape[0]).contains(layer) else {
            throw DataError(.usage, "sentence \(sentence) has layers 0 to \(dataset.shape[0] - 1), not \(layer)", file: path)
        }
        return try checked(try dataset.read(Float.self, rows: layer ..< layer + 1), sentence, dataset.shape)
    }

    /// The vectors of all layers, row-major, shape (layers, tokens, hiddenSize).
    public func read(sentence: Int) throws -> [Float] {
        let dataset = try dataset(sentence)
        return try checked(try dataset.read(Float.self), sentence, dataset.shape)
    }

    /// The texts by the number of their sentence, nil where the file has none. A text that stands twice has one number in this layout.
    public func sentences() throws -> [Int: String]? {
        guard let dataset = try container.dataset("sentence_to_index"), dataset.kind == .string, let text = try dataset.strings().first else { return nil }
        guard let members = try JSON(parsing: text, file: path).object else { throw DataError(.badData, "sentence_to_index is no JSON object", file: path) }
        var sentences: [Int: String] = [:]
        for (text, number) in members {
            // AllenNLP writes the numbers as strings.
            if let number = number.int ?? number.string.flatMap({ Int($0) }) { sentences[number] = text }
        }
        return sentences
    }

    private func dataset(_ sentence: Int) throws -> HDF5Dataset {
        let dataset = try container.required(String(sentence))
        guard dataset.shape.count == 3, case .float = dataset.kind else {
            throw DataError(.badData, "dataset \(sentence) has shape \(dataset.shape); numbers of shape (layers, tokens, hiddenSize) were expected", file: path)
        }
        return dataset
    }

    private func checked(_ values: [Float], _ sentence: Int, _ shape: [Int]) throws -> [Float] {
        var check: Float = 0
        for value in values { check += value * 0 }
        if check.isNaN, let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw DataError(.badData, "sentence \(sentence), token \(bad / shape[2] % shape[1]): the vector holds NaN or infinity", file: path)
        }
        return values
    }
}

/// Writes a `LayerFile` sentence by sentence. The file appears when `finish` returns; equal contents give equal bytes.
public final class LayerFileWriter {
    public enum Precision: String, Sendable { case float32, float16 }

    public let path: String
    /// Sentences written so far.
    public private(set) var count = 0

    private let replacement: FileReplacement
    private var container: HDF5Container?
    private let precision: Precision
    private let isCompressed: Bool
    private var index: [(key: String, value: JSON)] = []

    /// Opens a temporary file beside `path`.
    public init(path: String, precision: Precision = .float32, isCompressed: Bool = true) throws {
        (self.path, self.precision, self.isCompressed) = (path, precision, isCompressed)
        replacement = try FileReplacement(path: path)
        container = try HDF5Container(creating: replacement.temporary, for: path)
    }

    /// Sets an attribute of the root, as `model_sha256`.
    public func set(_ name: String, _ value: HDF5Attribute) throws { try opened.set(name, value) }

    /// Adds a sentence with its vectors, row-major, shape (layers, tokens, hiddenSize).
    /// - Throws: `DataError` where the disk is full or a value cannot be stored.
    public func append(_ text: String, layers: Int, tokens: Int, hiddenSize: Int, values: [Float]) throws {
        precondition(values.count == layers * tokens * hiddenSize, "the values do not fit the shape")
        let limit: Float = precision == .float16 ? 65504 : .greatestFiniteMagnitude
        if let bad = values.firstIndex(where: { !(abs($0) <= limit) }) {
            throw DataError(.badData, "sentence \(count): a vector holds \(values[bad]), which cannot be stored as \(precision.rawValue)", file: path)
        }
        let container = try opened
        let type = try (precision == .float16 ? VectorStorage.float16 : .float32).fileType(path)
        // One chunk a layer, so that a probe of one layer unpacks no other.
        let dataset = try container.make(String(count), shape: [layers, tokens, hiddenSize], type: type.id, chunk: isCompressed ? 1 : nil, deflate: isCompressed)
        if precision == .float16 {
            let bits = values.map(HalfPrecision.float16)
            try bits.withUnsafeBytes { try dataset.write(rows: 0 ..< layers, type: type.id, $0.baseAddress) }
        } else {
            try values.withUnsafeBufferPointer { try dataset.write(rows: 0 ..< layers, from: $0) }
        }
        index.append((text, .string(String(count))))
        count += 1
    }

    /// Writes `sentence_to_index` and puts the file in its place.
    public func finish() throws {
        let container = try opened
        try container.write("sentence_to_index", strings: [JSON.object(index).serialized()])
        try container.flush()
        self.container = nil
        try replacement.commit()
        HDF5Validation.trust(path)
    }

    private var opened: HDF5Container {
        get throws {
            guard let container else { throw DataError(.usage, "the file is finished", file: path) }
            return container
        }
    }
}
