import CHDF5
import FileFormats
import Tensors

/// Vectors of every word of a treebank from the layers of an encoder, in the layout of the structural-probes repository: datasets `"0"`,
/// `"1"`, …, one a sentence, of shape (layers, tokens, dimension), and `sentence_to_index`, a JSON object from sentence to number.
///
/// Files of other programs in the same layout are read as well: ELMo's (words) and BERT's (word pieces, which the caller aligns).
package final class LayerFile: Sendable {
    package static let format = "kotonoha/layers"

    package let path: String
    package let sentenceCount: Int
    /// What each layer of the file is called: 0 for the embeddings, then 1, 2, … In files of other programs simply their places, from 0:
    /// the published BERT files begin with the first transformer layer.
    package let layers: [Int]
    /// Components of a vector.
    package let dimension: Int
    /// As of `vectors.h5`; nil for files of other programs.
    package let metadata: VectorMetadata?
    /// How pieces became words (`mean`, `first`, `last`), and what the encoder read (`written`, `spaced`); empty for files of other
    /// programs.
    package let pieces: String
    package let text: String
    /// How the numbers are stored; nil for files of other programs.
    package let storage: VectorStorage?
    private let container: HDF5Container

    /// Opens a file.
    /// - Throws: `DataError` if it is missing, no HDF5, damaged, or laid out otherwise.
    package init(path: String) throws {
        self.path = path
        container = try HDF5Container(path: path)
        let numbers = try container.datasetNames().compactMap { Int($0) }.filter { $0 >= 0 }
        guard let last = numbers.max() else {
            throw DataError(
                .badData,
                "it has no datasets \"0\", \"1\", …; vectors of words (embed TREEBANK.conllu -o FILE \(Setting.tokens)) were expected",
                file: path)
        }
        guard Set(numbers).count == last + 1 else {
            let present = Set(numbers)
            let missing = (0...last).first { !present.contains($0) } ?? 0
            throw DataError(
                .badData,
                "sentence \(missing) has no vectors: dataset \"\(missing)\" is missing, though \"\(last)\" "
                    + "exists", file: path)
        }
        sentenceCount = last + 1
        let first = try Self.dataset(0, in: container)
        dimension = first.shape[2]
        let names = try container.attribute("layers")?.string?.split(separator: ",").compactMap { Int($0) }
        if let names, names.count == first.shape[0] { layers = names } else { layers = Array(0..<first.shape[0]) }
        pieces = try container.attribute("pieces")?.string ?? ""
        text = try container.attribute("text")?.string ?? ""
        storage = try container.attribute("storage")?.string.flatMap { VectorStorage(rawValue: $0) }
        metadata = try container.attribute("format")?.string == Self.format ? VectorMetadata(reading: container) : nil
    }

    /// Whether a file is one of layers, this program's or another's in the same layout.
    package static func isLayers(path: String) throws -> Bool {
        let file = try HDF5Container(path: path)
        if let format = try file.attribute("format")?.string { return format == Self.format }
        return try file.dataset("0")?.shape.count == 3 && file.dataset("sentence_to_index") != nil
    }

    private static func dataset(_ sentence: Int, in container: HDF5Container) throws -> HDF5Dataset {
        let dataset = try container.required("\(sentence)")
        guard dataset.shape.count == 3, case .float = dataset.kind, dataset.shape[0] > 0, dataset.shape[2] > 0 else {
            throw DataError(
                .badData,
                "dataset \"\(sentence)\" has the shape \(dataset.shape); (layers, tokens, dimension) of floating-point numbers was expected",
                file: container.path)
        }
        return dataset
    }

    /// Vectors that a sentence has in each layer.
    package func tokenCount(_ sentence: Int) throws -> Int { try Self.dataset(sentence, in: container).shape[1] }

    /// Loads layers of all sentences, each as (words, dimension).
    /// - Parameters:
    ///   - wanted: the layers' names.
    ///   - words: for each sentence its number of words.
    ///   - name: what errors call a sentence.
    ///   - pieces: for files with one vector per word piece: the rows of the dataset that make each word, and how many rows there should
    ///     be; their mean is the word's vector. nil if there is one vector per word.
    /// - Throws: `DataError` that names the sentence whose vectors are missing, too many or too few, or not finite.
    package func load(
        layers wanted: [Int], words: [Int], name: (Int) -> String,
        pieces: ((Int) throws -> (words: [Range<Int>], count: Int))? = nil
    ) throws -> [Tensor<Float>] {
        let places = try wanted.map { layer in
            guard let place = layers.firstIndex(of: layer) else {
                throw DataError(.usage, "no layer \(layer); the file has \(layers.map(String.init).joined(separator: ", "))", file: path)
            }
            return place
        }
        guard words.count == sentenceCount else {
            let detail = words.count > sentenceCount ? "; sentence \(name(sentenceCount)) has no vectors" : ""
            throw DataError(
                .badData,
                "it has vectors of \(sentenceCount) sentences, the treebank has \(words.count)\(detail). Were they made from this treebank?",
                file: path)
        }
        let total = words.reduce(0, +)
        var tensors = wanted.map { _ in Tensor<Float>(uninitialized: [total, dimension]) }
        var buffer: [Float] = []
        var row = 0
        for sentence in 0..<sentenceCount {
            let dataset = try Self.dataset(sentence, in: container)
            let rows = dataset.shape[1]
            let alignment = try pieces?(sentence)
            let expected = alignment?.count ?? words[sentence]
            guard rows == expected, alignment.map({ $0.words.count == words[sentence] }) ?? true else {
                throw DataError(
                    .badData,
                    "sentence \(name(sentence)) has \(words[sentence]) "
                        + "words\(alignment.map { " in \($0.count) pieces" } ?? ""), but \(rows) "
                        + "vectors\(alignment == nil && metadata == nil && rows > expected ? "; for a file with one vector per word piece, name its encoder with \(Setting.pieceModel)" : "")",
                    file: path)
            }
            guard dataset.shape[0] == layers.count, dataset.shape[2] == dimension else {
                throw DataError(
                    .badData,
                    "sentence \(name(sentence)) has vectors of shape \(dataset.shape), the first one of (\(layers.count), …, \(dimension)): they come from different encoders",
                    file: path)
            }
            if buffer.count < rows * dimension { buffer = [Float](repeating: 0, count: rows * dimension) }
            for (index, place) in places.enumerated() {
                try buffer.withUnsafeMutableBufferPointer { buffer in
                    let part = UnsafeMutableBufferPointer(rebasing: buffer[..<(rows * dimension)])
                    try dataset.read(rows: place..<place + 1, into: part)
                    guard let from = part.baseAddress else { return }
                    guard Float.allFinite(from, count: part.count) else {
                        throw DataError(
                            .badData,
                            "sentence \(name(sentence)): layer \(wanted[index]) has a component that is not "
                                + "finite", file: path)
                    }
                    tensors[index].withUnsafeMutableElements { to in
                        let target = to + row * dimension
                        guard let alignment else { return target.update(from: from, count: rows * dimension) }
                        for (word, range) in alignment.words.enumerated() {
                            let vector = target + word * dimension
                            vector.update(repeating: 0, count: dimension)
                            for piece in range { Float.add(from + piece * dimension, count: dimension, to: vector) }
                            Float.scale(vector, by: 1 / Float(max(range.count, 1)), count: dimension)
                        }
                    }
                }
            }
            row += words[sentence]
        }
        return tensors
    }

    /// The texts by the number of their sentence, nil if the file has none. A text that stands twice has one number in this layout.
    package func sentences() throws -> [Int: String]? {
        guard let dataset = try container.dataset("sentence_to_index"), dataset.kind == .string, let text = try dataset.strings().first
        else { return nil }
        guard let members = try JSON(parsing: text, file: path).object else {
            throw DataError(.badData, "sentence_to_index is not a JSON object", file: path)
        }
        var sentences: [Int: String] = [:]
        for (text, number) in members {
            // AllenNLP writes the numbers as strings.
            if let number = number.int ?? number.string.flatMap({ Int($0) }) { sentences[number] = text }
        }
        return sentences
    }

    /// Checks that two files come from one encoder.
    /// - Throws: `DataError` if models or dimensions differ.
    package func requireSameEncoder(as other: LayerFile) throws {
        let isSameModel = metadata.flatMap { mine in other.metadata.map { mine.modelSHA256 == $0.modelSHA256 } } ?? true
        guard isSameModel, dimension == other.dimension, layers == other.layers else {
            throw DataError(
                .badData, "these vectors are not from the encoder of \(other.path): \(summary) here, \(other.summary) there", file: path)
        }
    }

    /// The encoder in a few words.
    package var summary: String { "\(metadata?.model ?? "an unnamed model"), \(layers.count) layers of \(dimension) components" }
}

/// Writes a `LayerFile`, sentence after sentence, in constant memory. The file appears when `finish` returns.
package final class LayerFileWriter {
    package let path: String
    package let layers: [Int]
    package let dimension: Int
    private let storage: VectorStorage
    private let isCompressed: Bool
    private let closeFailures = HDF5.closeFailures
    private let replacement: FileReplacement
    private var container: HDF5Container?
    private let type: HDF5Handle?
    private var sentences: [String] = []

    /// - Parameters:
    ///   - storage: float32 or float16.
    ///   - settings: further attributes of the file, as how pieces became words.
    package init(
        path: String, layers: [Int], dimension: Int, metadata: VectorMetadata, storage: VectorStorage = .float32, isCompressed: Bool = true,
        settings: [(key: String, value: String)] = []
    ) throws {
        precondition(storage == .float32 || storage == .float16, "layers are stored as float32 or float16")
        (self.path, self.layers, self.dimension, self.storage, self.isCompressed) = (path, layers, dimension, storage, isCompressed)
        replacement = try FileReplacement(path: path)
        let container = try HDF5Container(creating: replacement.temporary, for: path)
        type = storage == .float16 ? try HDF5Container.float16Type(path) : nil
        try container.set("format", .string(LayerFile.format))
        try container.set("format_version", .int(1))
        try container.set("storage", .string(storage.rawValue))
        try container.set("layers", .string(layers.map(String.init).joined(separator: ",")))
        for (key, value) in settings { try container.set(key, .string(value)) }
        try metadata.write(to: container)
        self.container = container
    }

    /// Takes the next sentence: its words with spaces between them, and its vectors (layers, words, dimension), row-major.
    /// - Throws: `DataError` if the disk is full, or a number is not finite or too large for the storage.
    package func append(sentence: String, words: Int, vectors: UnsafeBufferPointer<Float>) throws {
        precondition(vectors.count == layers.count * words * dimension, "the vectors do not fit the shape")
        guard let container else { preconditionFailure("the file is finished") }
        let limit: Float = storage == .float16 ? 65504 : .greatestFiniteMagnitude
        guard vectors.allSatisfy({ abs($0) <= limit }) else {
            throw DataError(
                .badData,
                "a vector of sentence \(sentences.count + 1) has a component that is not finite or too large for \(storage.rawValue)",
                file: path)
        }
        // One chunk a layer: a probe reads one layer and leaves the others on the disk.
        let dataset = try container.make(
            "\(sentences.count)", shape: [layers.count, words, dimension], type: type?.id ?? Float.fileType, chunk: 1, deflate: isCompressed
        )
        if let type {
            let bits = vectors.map(HalfPrecision.float16)
            try bits.withUnsafeBytes { try dataset.write(rows: 0..<layers.count, type: type.id, $0.baseAddress) }
        } else {
            try dataset.write(rows: 0..<layers.count, from: vectors)
        }
        sentences.append(sentence)
    }

    /// Writes the index and puts the file in its place.
    package func finish() throws {
        guard let container else { preconditionFailure("the file is finished") }
        // Of equal sentences the last one counts, as in the files of the reference.
        var numbers: [String: Int] = [:]
        for (number, sentence) in sentences.enumerated() { numbers[sentence] = number }
        let members = sentences.enumerated().filter { numbers[$1] == $0 }.map { (key: $1, value: JSON.string(String($0))) }
        try container.write("sentence_to_index", strings: [JSON.object(members).serialized()])
        try container.flush()
        self.container = nil
        try HDF5Container.requireClosed(since: closeFailures, path)
        try replacement.commit()
        HDF5Validation.trust(path)
    }
}
