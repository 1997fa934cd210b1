import FileFormats
import ModelFolders
import Tensors
import WordVectors

/// What turns texts into vectors: a sentence model, or a table of words whose vectors are averaged.
public protocol TextEncoder: Sendable {
    /// What outputs call it.
    var name: String { get }
    /// Components of a vector.
    var dimension: Int { get }
    /// Whether vectors come out with length 1.
    var isNormalized: Bool { get }
    /// As `mean`, `cls`, `sif`.
    var poolingName: String { get }
    /// As `f32`, `bf16`.
    var precisionName: String { get }
    /// The longest text in tokens; longer ones are cut.
    var maxLength: Int { get }
    /// Text put before every sentence, empty for none.
    var prompt: String { get }

    /// A hash of everything that decides the vectors, the settings of a run aside.
    func identity() throws -> String
    /// Vectors of texts into a buffer of `texts.count × dimension` numbers, row-major. A text that has no vector gets zeros.
    @discardableResult
    func encode(_ texts: [String], into vectors: UnsafeMutableBufferPointer<Float>) throws -> SentenceEncoder.Counts
}

extension TextEncoder {
    /// Vectors of texts, `(texts.count, dimension)`.
    public func encode(_ texts: [String]) throws -> Tensor<Float> {
        try encodeCounting(texts).vectors
    }

    /// Vectors of texts, and what was met on the way.
    package func encodeCounting(_ texts: [String]) throws -> (vectors: Tensor<Float>, counts: SentenceEncoder.Counts) {
        var counts = SentenceEncoder.Counts()
        let vectors = try Tensor<Float>(filling: [texts.count, dimension]) { counts = try encode(texts, into: $0) }
        return (vectors, counts)
    }
}

extension SentenceEncoder: TextEncoder {
    /// What outputs call the encoder.
    public var name: String { directory.name }
    /// As `mean`, `cls`, `sif`.
    public var poolingName: String { directory.poolingName }
    /// As `f32`, `bf16`.
    public var precisionName: String { options.precision.rawValue }
    /// A hash of everything that decides the vectors, the settings of a run aside.
    public func identity() throws -> String { try directory.sha256() }
}

extension WordTextEncoder: TextEncoder {
    /// What outputs call the encoder.
    package var name: String { table.name }
    /// Whether vectors come out with length 1.
    package var isNormalized: Bool { options.normalizes }
    /// As `mean`, `cls`, `sif`.
    package var poolingName: String { "words, " + options.pooling.rawValue }
    /// As `f32`, `bf16`.
    package var precisionName: String { "f32" }
    /// Without limit: texts are never cut.
    package var maxLength: Int { Int(Int32.max) }
    /// Empty: word tables have no prompts.
    package var prompt: String { "" }
    /// A hash of everything that decides the vectors, the settings of a run aside.
    package func identity() -> String { sha256 }

    /// Vectors of texts into a buffer of `texts.count × dimension` numbers, row-major. A text without a known word gets zeros.
    package func encode(_ texts: [String], into vectors: UnsafeMutableBufferPointer<Float>) throws -> SentenceEncoder.Counts {
        let found: WordTextEncoder.Counts = try encode(texts, into: vectors)
        var counts = SentenceEncoder.Counts()
        (counts.sentences, counts.tokens, counts.unknownTokens) = (found.texts, found.words, found.unknownWords)
        return counts
    }
}
