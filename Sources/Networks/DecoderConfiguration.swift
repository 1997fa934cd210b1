import FileFormats
import Tensors

/// The shape of a stack of decoder blocks (GPT, Llama, Gemma and their like), which may also read in both directions (EmbeddingGemma, T5's
/// encoder): everything in which the families differ, said once.
///
/// `init(json:file:)` reads it from `config.json` of a Hugging Face model; the families under `Families/` know how.
package struct DecoderConfiguration: Sendable, Equatable {
    /// The normalization of hidden states.
    package enum Norm: Sendable, Equatable {
        /// With a bias.
        case layer
        /// Root mean square (Zhang & Sennrich 2019).
        case rootMeanSquare
        /// The same if checkpoints store the scale minus 1 (Gemma).
        case rootMeanSquarePlusOne
    }

    /// How the two sublayers of a block are joined.
    package enum Joining: Sendable, Equatable {
        /// x + attention(norm x), then x + feed-forward(norm x).
        case sequential
        /// x + attention(norm₁ x) + feed-forward(norm₂ x) (GPT-NeoX).
        case parallel
        /// As sequential, and another norm behind each sublayer (Gemma 2).
        case sandwiched
    }

    /// `model_type` of the file: which family's checkpoint keys fit.
    package var modelType = "llama"
    /// Number of token ids.
    package var vocabularySize: Int
    /// Components of a hidden state.
    package var hiddenSize: Int
    /// Number of layers.
    package var layers: Int
    /// Attention heads of a layer.
    package var attentionHeads: Int
    /// Heads of keys and values; each is shared by `attentionHeads / keyValueHeads` heads of queries (Ainslie et al. 2023).
    package var keyValueHeads: Int
    /// Components of a head.
    package var headSize: Int
    /// Width of the feed-forward layers.
    package var intermediateSize: Int
    /// The activation function.
    package var activation = Activation.silu
    /// Whether the activated half of the feed-forward layer multiplies the other half (SwiGLU, GEGLU).
    package var gatedFeedForward = true
    /// Dropout rate in training, in [0, 1).
    package var dropout = 0.0

    // Embeddings
    /// The longest sequence, in tokens.
    package var positions: Int
    /// A table of learned positions (GPT-2).
    package var hasPositionTable = false
    /// What token vectors are multiplied with (Gemma: √hiddenSize).
    package var embeddingScale = 1.0
    /// The language-model head uses the token table.
    package var tiedHead = false
    /// Whether the language-model head has a bias.
    package var headBias = false
    /// The token that begins a sequence.
    package var beginID: Int32?
    /// Tokens that end a text.
    package var endIDs: [Int32] = []

    // Blocks
    /// The normalization of hidden states.
    package var norm = Norm.rootMeanSquare
    /// What is added to the variance before the root.
    package var normEpsilon = 1e-6
    /// How the two sublayers of a block are joined.
    package var joining = Joining.sequential
    /// Queries and keys of each head are normalized before they turn (Qwen 3, Gemma 3).
    package var queryKeyNorm = false
    /// Whether the projections of attention have a bias.
    package var attentionBias = false
    /// Whether the output projection of attention has a bias.
    package var attentionOutputBias = false
    /// Whether the feed-forward layers have a bias.
    package var feedForwardBias = false
    /// What scores are multiplied with; nil for 1 / √headSize.
    package var attentionScale: Double?
    /// Attention scores become cap · tanh(score / cap).
    package var attentionCap: Double?
    /// The same of the head's logits.
    package var logitCap: Double?
    /// Whether a token sees only those before it.
    package var isCausal = true
    /// How far a token sees back in the layers that `isLocal` marks; to either side where the stack is not causal.
    package var localWindow: Int?
    /// Layers with a window; empty for none.
    package var isLocal: [Bool] = []
    /// Rotary positions; nil for none.
    package var rotary: RotaryPositions?
    /// Of the layers with a window; nil for the same.
    package var localRotary: RotaryPositions?
    /// T5's bias by distance, in place of other positions.
    package var relativeBias: EncoderConfiguration.RelativeBias?

    private var source = Source()

    /// config.json as it was read, for saving it again unchanged. Two configurations that mean the same are equal whatever they came from.
    private struct Source: Sendable, Equatable {
        var json: JSON?
        static func == (a: Source, b: Source) -> Bool { true }
    }

    /// A causal decoder with the given sizes; heads are `hiddenSize / attentionHeads` wide unless stated.
    package init(
        vocabularySize: Int, hiddenSize: Int, layers: Int, attentionHeads: Int, keyValueHeads: Int? = nil, headSize: Int? = nil,
        intermediateSize: Int, positions: Int = 2048
    ) {
        (self.vocabularySize, self.hiddenSize, self.layers, self.attentionHeads) = (vocabularySize, hiddenSize, layers, attentionHeads)
        self.keyValueHeads = keyValueHeads ?? attentionHeads
        self.headSize = headSize ?? hiddenSize / max(1, attentionHeads)
        (self.intermediateSize, self.positions) = (intermediateSize, positions)
    }

    /// Query heads that share a head of keys and values.
    package var headGroup: Int { attentionHeads / keyValueHeads }

    /// What a layer's queries see.
    package func mask(ofLayer layer: Int) -> AttentionMask {
        AttentionMask(isCausal: isCausal, window: layer < isLocal.count && isLocal[layer] ? localWindow : nil)
    }

    func rotary(ofLayer layer: Int) -> RotaryPositions? {
        layer < isLocal.count && isLocal[layer] ? localRotary ?? rotary : rotary
    }

    // MARK: config.json

    /// - Parameter file: how errors name the file.
    /// - Throws: `DataError` that names the key, what was expected and what was found; for an unknown architecture, those that are known.
    package init(json: JSON, file: String) throws {
        let reader = try ConfigurationReader(json: json, file: file)
        guard let type = try reader.string("model_type"), let family = decoderFamily(type) else {
            let type = try reader.string("model_type") ?? "none"
            throw reader.fail("model_type '\(type)' is not supported; expected one of \(supportedDecoderTypes.joined(separator: ", "))")
        }
        self = try family.configuration(reader)
        modelType = type
        source.json = json
    }

    /// Whether a `config.json` describes such a stack.
    package static func describes(_ json: JSON) -> Bool { json["model_type"]?.string.map { decoderFamily($0) != nil } ?? false }

    /// The `config.json` that it was read from, else one as transformers' LlamaForCausalLM writes it.
    package var json: JSON {
        if let json = source.json { return json }
        var fields: [(String, JSON)] = [
            ("architectures", .array([.string("LlamaForCausalLM")])),
            ("attention_bias", .bool(attentionBias)),
            ("attention_dropout", .number(0)),
            ("bos_token_id", beginID.map { .integer(Int($0)) } ?? .null),
            ("eos_token_id", endIDs.first.map { .integer(Int($0)) } ?? .null),
            ("head_dim", .integer(headSize)),
            ("hidden_act", .string(ConfigurationReader.name(of: activation))),
            ("hidden_size", .integer(hiddenSize)),
            ("intermediate_size", .integer(intermediateSize)),
            ("max_position_embeddings", .integer(positions)),
            ("mlp_bias", .bool(feedForwardBias)),
            ("model_type", .string("llama")),
            ("num_attention_heads", .integer(attentionHeads)),
            ("num_hidden_layers", .integer(layers)),
            ("num_key_value_heads", .integer(keyValueHeads)),
            ("rms_norm_eps", .number(normEpsilon)),
        ]
        if let rotary { fields.append(("rope_theta", .number(rotary.base))) }
        return .object(fields + [("tie_word_embeddings", .bool(tiedHead)), ("vocab_size", .integer(vocabularySize))])
    }
}
