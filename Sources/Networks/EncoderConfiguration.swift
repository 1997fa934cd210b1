import FileFormats
import Tensors

/// The shape of a Transformer encoder, as `config.json` of a Hugging Face model states it.
public struct EncoderConfiguration: Sendable, Equatable {
    /// Where layer norms stand: after each residual sum (BERT) or before each sublayer.
    public enum NormPlacement: String, Sendable { case post, pre }

    /// `model_type` of the file: which checkpoint-key table fits.
    public var modelType = "bert"
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var layers: Int
    public var attentionHeads: Int
    public var intermediateSize: Int
    public var activation = Activation.gelu
    /// Rows of the position table.
    public var positions: Int
    /// Row of the first token's position (RoBERTa counts from padding id + 1).
    public var firstPosition = 0
    /// Segments that type ids choose from; 0 for none.
    public var segments = 2
    public var layerNormEpsilon = 1e-12
    public var normPlacement = NormPlacement.post
    public var dropout = 0.1

    public init(vocabularySize: Int, hiddenSize: Int, layers: Int, attentionHeads: Int, intermediateSize: Int, positions: Int = 512) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.attentionHeads = attentionHeads
        self.intermediateSize = intermediateSize
        self.positions = positions
    }

    /// The longest sequence, in tokens, that the positions allow.
    public var longestSequence: Int { positions - firstPosition }

    // MARK: config.json

    /// Names of activations in configuration files.
    private static let activationNames: [(String, Activation)] = [
        ("gelu", .gelu), ("gelu_new", .geluTanh), ("gelu_pytorch_tanh", .geluTanh), ("gelu_fast", .geluTanh), ("relu", .relu), ("tanh", .tanh),
        ("silu", .silu), ("swish", .silu),
    ]
    static let supportedTypes = ["bert"]

    /// - Parameter file: how errors name the file.
    /// - Throws: `DataError` that names the key, what was expected and what was found.
    public init(json: JSON, file: String) throws {
        func fail(_ message: String) -> DataError { DataError(.badData, message, file: file) }
        guard json.object != nil else { throw fail("expected an object with the model's configuration") }
        func integer(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) throws -> Int {
            guard let value = json[key], !value.isNull else {
                if let fallback { return fallback }
                throw fail("'\(key)' is missing; an encoder needs it")
            }
            guard let number = value.int, range.contains(number) else {
                throw fail("'\(key)' should be an integer from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        let type = json["model_type"]?.string ?? "bert"
        guard Self.supportedTypes.contains(type) else {
            throw fail("model_type '\(type)' is not supported; supported are \(Self.supportedTypes.joined(separator: ", "))")
        }
        modelType = type
        vocabularySize = try integer("vocab_size", in: 1...10_000_000)
        hiddenSize = try integer("hidden_size", in: 1...65536)
        layers = try integer("num_hidden_layers", in: 1...1024)
        attentionHeads = try integer("num_attention_heads", in: 1...1024)
        intermediateSize = try integer("intermediate_size", in: 1...1_048_576)
        positions = try integer("max_position_embeddings", default: 512, in: 1...1_048_576)
        segments = try integer("type_vocab_size", default: 2, in: 0...1024)
        guard hiddenSize % attentionHeads == 0 else {
            throw fail("hidden_size \(hiddenSize) does not divide by num_attention_heads \(attentionHeads)")
        }
        if let name = json["hidden_act"]?.string {
            guard let known = Self.activationNames.first(where: { $0.0 == name }) else {
                throw fail("activation '\(name)' is not supported; supported are \(Self.activationNames.map(\.0).joined(separator: ", "))")
            }
            activation = known.1
        }
        if let epsilon = json["layer_norm_eps"]?.double {
            guard epsilon >= 0, epsilon < 1 else { throw fail("'layer_norm_eps' should lie in 0 ..< 1") }
            layerNormEpsilon = epsilon
        }
        if let rate = json["hidden_dropout_prob"]?.double, (0..<1).contains(rate) { dropout = rate }
        if let kind = json["position_embedding_type"]?.string, kind != "absolute" {
            throw fail("position_embedding_type '\(kind)' is not supported; supported is absolute")
        }
    }

    /// As `config.json` of transformers' BertModel.
    public var json: JSON {
        .object([
            ("architectures", .array([.string("BertModel")])),
            ("attention_probs_dropout_prob", .number(dropout)),
            ("hidden_act", .string(Self.activationNames.first { $0.1 == activation }?.0 ?? activation.rawValue)),
            ("hidden_dropout_prob", .number(dropout)),
            ("hidden_size", .integer(hiddenSize)),
            ("intermediate_size", .integer(intermediateSize)),
            ("layer_norm_eps", .number(layerNormEpsilon)),
            ("max_position_embeddings", .integer(positions)),
            ("model_type", .string("bert")),
            ("num_attention_heads", .integer(attentionHeads)),
            ("num_hidden_layers", .integer(layers)),
            ("position_embedding_type", .string("absolute")),
            ("type_vocab_size", .integer(segments)),
            ("vocab_size", .integer(vocabularySize)),
        ])
    }
}
