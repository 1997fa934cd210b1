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
        public var base: Double
        public var localBase: Double

        public init(base: Double, localBase: Double) {
            (self.base, self.localBase) = (base, localBase)
        }
    }

    /// A learned attention bias for buckets of distances (Raffel et al. 2020), shared by all layers.
    public struct RelativeBias: Sendable, Equatable {
        public var buckets: Int
        public var maximumDistance: Int
        /// Rows of the table; at least `buckets`.
        public var rows: Int

        public init(buckets: Int, maximumDistance: Int, rows: Int) {
            (self.buckets, self.maximumDistance, self.rows) = (buckets, maximumDistance, rows)
        }
    }

    /// DeBERTa's disentangled attention (He et al. 2021).
    public struct Disentangled: Sendable, Equatable {
        public var contentToPosition: Bool
        public var positionToContent: Bool
        /// Half the rows of the table of relative positions.
        public var span: Int
        /// Distances beyond `span / 2` share logarithmic buckets; otherwise each has its own row.
        public var buckets: Bool
        public var maximumDistance: Int
        /// Positions go through the content's own query and key projections.
        public var sharesProjections: Bool
        public var normalizesPositions: Bool
        /// Width and activation of the convolution next to the first layer, if there is one.
        public var convolution: Convolution?

        public struct Convolution: Sendable, Equatable {
            public var width: Int
            public var activation: Activation

            public init(width: Int, activation: Activation) {
                (self.width, self.activation) = (width, activation)
            }
        }

        public init(contentToPosition: Bool, positionToContent: Bool, span: Int, buckets: Bool, maximumDistance: Int,
                    sharesProjections: Bool, normalizesPositions: Bool, convolution: Convolution? = nil) {
            (self.contentToPosition, self.positionToContent) = (contentToPosition, positionToContent)
            (self.span, self.buckets, self.maximumDistance) = (span, buckets, maximumDistance)
            (self.sharesProjections, self.normalizesPositions) = (sharesProjections, normalizesPositions)
            self.convolution = convolution
        }
    }

    /// `model_type` of the file: which family's checkpoint keys fit.
    public var modelType = "bert"
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var layers: Int
    public var attentionHeads: Int
    public var intermediateSize: Int
    public var activation = Activation.gelu
    public var dropout = 0.1

    // Embeddings
    /// Positions that the model knows: rows of the table, if there is one.
    public var positions: Int
    public var hasPositionTable = true
    /// Row of the first token's position (RoBERTa counts from padding id + 1).
    public var firstPosition = 0
    public var paddingID: Int32 = 0
    /// Segments that type ids choose from; 0 for none.
    public var segments = 2
    /// Size of the embedding tables; `hiddenSize` but for ALBERT, ELECTRA and some DeBERTa.
    public var embeddingSize: Int
    public var embeddingProjection = EmbeddingProjection.none
    public var rotary: Rotary?
    public var relativeBias: RelativeBias?
    public var disentangled: Disentangled?

    // Layers
    public var layerNormEpsilon = 1e-12
    public var normPlacement = NormPlacement.post
    public var normBias = true
    /// ModernBERT's first layer gets the embeddings as their norm left them.
    public var firstAttentionNorm = true
    public var attentionBias = true
    public var feedForwardUpBias = true
    public var feedForwardDownBias = true
    /// The feed-forward layer multiplies its activated half with the other half (GEGLU, SwiGLU).
    public var gatedFeedForward = false
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
        source.json ?? .object([
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
        ])
    }
}
