import FileFormats
import Tensors

/// The shape of a Transformer encoder: everything in which the families differ, said once.
///
/// `init(json:file:)` reads it from `config.json` of a Hugging Face model; the families under `Families/` know how.
public struct EncoderConfiguration: Sendable, Equatable {
    /// Where layer norms stand: after each residual sum (BERT) or before each sublayer.
    public enum NormPlacement: String, Sendable { case post, pre }

    /// How embeddings of another size than the hidden states become hidden states.
    public enum EmbeddingProjection: Sendable { case none, afterNorm, beforeNormWithoutBias }

    /// Rotary positions: θ of the layers that see the whole sequence and of those that see a window.
    public struct Rotary: Sendable, Equatable {
        /// θ of layers that see the whole sequence.
        public var base: Double
        /// θ of layers that see a window.
        public var localBase: Double

        /// Rotary positions with two bases.
        public init(base: Double, localBase: Double) {
            (self.base, self.localBase) = (base, localBase)
        }
    }

    /// A learned attention bias for buckets of distances (Raffel et al. 2020), shared by all layers.
    public struct RelativeBias: Sendable, Equatable {
        /// Buckets of distances.
        public var buckets: Int
        /// Distances from here on share the last bucket.
        public var maximumDistance: Int
        /// Rows of the table; at least `buckets`.
        public var rows: Int

        /// A table of `rows` biases for each head.
        public init(buckets: Int, maximumDistance: Int, rows: Int) {
            (self.buckets, self.maximumDistance, self.rows) = (buckets, maximumDistance, rows)
        }
    }

    /// DeBERTa's disentangled attention (He et al. 2021).
    public struct Disentangled: Sendable, Equatable {
        /// Scores of the content of queries against positions.
        public var contentToPosition: Bool
        /// Scores of positions against the content of keys.
        public var positionToContent: Bool
        /// Half the rows of the table of relative positions.
        public var span: Int
        /// Distances beyond `span / 2` share logarithmic buckets; otherwise each has its own row.
        public var buckets: Bool
        /// The largest distance that buckets tell apart.
        public var maximumDistance: Int
        /// Positions go through the content's own query and key projections.
        public var sharesProjections: Bool
        /// Whether a layer norm is applied to the table of relative positions.
        public var normalizesPositions: Bool
        /// Width and activation of the convolution next to the first layer, if there is one.
        public var convolution: Convolution?

        /// A convolution over neighbouring tokens.
        public struct Convolution: Sendable, Equatable {
            /// Tokens that one output sees.
            public var width: Int
            /// The activation function.
            public var activation: Activation

            /// A convolution of a width, followed by an activation.
            public init(width: Int, activation: Activation) {
                (self.width, self.activation) = (width, activation)
            }
        }

        /// Disentangled attention with the terms that are true.
        public init(
            contentToPosition: Bool, positionToContent: Bool, span: Int, buckets: Bool, maximumDistance: Int,
            sharesProjections: Bool, normalizesPositions: Bool, convolution: Convolution? = nil
        ) {
            (self.contentToPosition, self.positionToContent) = (contentToPosition, positionToContent)
            (self.span, self.buckets, self.maximumDistance) = (span, buckets, maximumDistance)
            (self.sharesProjections, self.normalizesPositions) = (sharesProjections, normalizesPositions)
            self.convolution = convolution
        }
    }

    /// `model_type` of the file: which family's checkpoint keys fit.
    public var modelType = "bert"
    /// Number of token ids.
    public var vocabularySize: Int
    /// Components of a hidden state.
    public var hiddenSize: Int
    /// Number of layers.
    public var layers: Int
    /// Attention heads of a layer.
    public var attentionHeads: Int
    /// Width of the feed-forward layers.
    public var intermediateSize: Int
    /// The activation function.
    public var activation = Activation.gelu
    /// Dropout rate in training, in [0, 1).
    public var dropout = 0.1

    // Embeddings
    /// Positions that the model knows: rows of the table, if there is one.
    public var positions: Int
    /// Whether positions are added from a learned table.
    public var hasPositionTable = true
    /// Row of the first token's position (RoBERTa counts from padding id + 1).
    public var firstPosition = 0
    /// The padding token.
    public var paddingID: Int32 = 0
    /// Segments that type ids choose from; 0 for none.
    public var segments = 2
    /// Size of the embedding tables; `hiddenSize` but for ALBERT, ELECTRA and some DeBERTa.
    public var embeddingSize: Int
    /// How embeddings of another size become hidden states.
    public var embeddingProjection = EmbeddingProjection.none
    /// Rotary positions; nil for none.
    public var rotary: Rotary?
    /// A bias by distance; nil for none.
    public var relativeBias: RelativeBias?
    /// DeBERTa's attention; nil for the usual one.
    public var disentangled: Disentangled?

    // Layers
    /// What is added to the variance before the root.
    public var layerNormEpsilon = 1e-12
    /// Where layer norms stand.
    public var normPlacement = NormPlacement.post
    /// Whether layer norms have a bias.
    public var normBias = true
    /// ModernBERT's first layer gets the embeddings as their norm left them.
    public var firstAttentionNorm = true
    /// Whether the projections of attention have a bias.
    public var attentionBias = true
    /// Whether the first feed-forward layer has a bias.
    public var feedForwardUpBias = true
    /// Whether the second feed-forward layer has a bias.
    public var feedForwardDownBias = true
    /// The feed-forward layer multiplies its activated half with the other half (GEGLU, SwiGLU).
    public var gatedFeedForward = false
    /// Tokens attend to themselves and to those before them only (`is_decoder` of transformers' BERT).
    package var isCausal = false
    /// How far a token sees to either side in the layers that `isLocal` marks.
    public var localWindow: Int?
    /// Layers with a window; empty for none.
    public var isLocal: [Bool] = []
    /// Which weights each layer uses, where layers share them (ALBERT); empty if each has its own.
    public var sharedLayers: [Int] = []
    /// How the checkpoint of a model with shared layers groups them.
    public var layersPerGroup = 1

    private var source = Source()

    /// config.json as it was read, for saving it again unchanged. Two configurations that mean the same are equal whatever they came from.
    private struct Source: Sendable, Equatable {
        var json: JSON?
        static func == (a: Source, b: Source) -> Bool { true }
    }

    /// BERT's architecture with the given sizes.
    public init(vocabularySize: Int, hiddenSize: Int, layers: Int, attentionHeads: Int, intermediateSize: Int, positions: Int = 512) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.attentionHeads = attentionHeads
        self.intermediateSize = intermediateSize
        self.positions = positions
        embeddingSize = hiddenSize
    }

    /// The longest sequence, in tokens, that the positions allow.
    public var longestSequence: Int { positions - firstPosition }

    /// What a layer's queries see.
    public func window(ofLayer layer: Int) -> Int? { layer < isLocal.count && isLocal[layer] ? localWindow : nil }

    func mask(ofLayer layer: Int) -> AttentionMask {
        guard let window = window(ofLayer: layer) else { return isCausal ? .causal : .none }
        return isCausal ? .causalWindow(window) : .window(window)
    }

    // MARK: config.json

    /// - Parameter file: how errors name the file.
    /// - Throws: `DataError` that names the key, what was expected and what was found; for an unknown architecture, those that are known.
    public init(json: JSON, file: String) throws {
        let reader = try ConfigurationReader(json: json, file: file)
        self = try encoderFamily(reader).configuration(reader)
        source.json = json
    }

    /// The `config.json` that it was read from, else one as transformers' BertModel writes it.
    public var json: JSON {
        source.json
            ?? .object(
                [
                    ("architectures", .array([.string("BertModel")])),
                    ("attention_probs_dropout_prob", .number(dropout)),
                    ("hidden_act", .string(ConfigurationReader.name(of: activation))),
                    ("hidden_dropout_prob", .number(dropout)),
                    ("hidden_size", .integer(hiddenSize)),
                    ("intermediate_size", .integer(intermediateSize)),
                    ("layer_norm_eps", .number(layerNormEpsilon)),
                    ("max_position_embeddings", .integer(positions)),
                    ("model_type", .string("bert")),
                    ("num_attention_heads", .integer(attentionHeads)),
                    ("num_hidden_layers", .integer(layers)),
                    ("pad_token_id", .integer(Int(paddingID))),
                    ("position_embedding_type", .string("absolute")),
                    ("type_vocab_size", .integer(segments)),
                    ("vocab_size", .integer(vocabularySize)),
                ] + (isCausal ? [("is_decoder", .bool(true))] : []))
    }
}
