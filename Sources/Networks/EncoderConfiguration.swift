import FileFormats
import Tensors

/// The shape of a Transformer encoder: everything in which the families differ, said once.
///
/// `init(json:file:)` reads it from `config.json` of a Hugging Face model; the families under `Families/` know how.
package struct EncoderConfiguration: Sendable, Equatable {
    /// Where layer norms stand: after each residual sum (BERT) or before each sublayer.
    package enum NormPlacement: String, Sendable { case post, pre }

    /// How embeddings of another size than the hidden states become hidden states.
    package enum EmbeddingProjection: Sendable { case none, afterNorm, beforeNormWithoutBias }

    /// Rotary positions: θ of the layers that see the whole sequence and of those that see a window.
    package struct Rotary: Sendable, Equatable {
        /// θ of layers that see the whole sequence.
        package var base: Double
        /// θ of layers that see a window.
        package var localBase: Double

        /// Rotary positions with two bases.
        package init(base: Double, localBase: Double) {
            (self.base, self.localBase) = (base, localBase)
        }
    }

    /// A learned attention bias for buckets of distances (Raffel et al. 2020), shared by all layers.
    package struct RelativeBias: Sendable, Equatable {
        /// Buckets of distances.
        package var buckets: Int
        /// Distances from here on share the last bucket.
        package var maximumDistance: Int
        /// Rows of the table; at least `buckets`.
        package var rows: Int

        /// A table of `rows` biases for each head.
        package init(buckets: Int, maximumDistance: Int, rows: Int) {
            (self.buckets, self.maximumDistance, self.rows) = (buckets, maximumDistance, rows)
        }
    }

    /// DeBERTa's disentangled attention (He et al. 2021).
    package struct Disentangled: Sendable, Equatable {
        /// Scores of the content of queries against positions.
        package var contentToPosition: Bool
        /// Scores of positions against the content of keys.
        package var positionToContent: Bool
        /// Half the rows of the table of relative positions.
        package var span: Int
        /// Distances beyond `span / 2` share logarithmic buckets; otherwise each has its own row.
        package var buckets: Bool
        /// The largest distance that buckets tell apart.
        package var maximumDistance: Int
        /// Positions go through the content's own query and key projections.
        package var sharesProjections: Bool
        /// Whether a layer norm is applied to the table of relative positions.
        package var normalizesPositions: Bool
        /// Width and activation of the convolution next to the first layer, if there is one.
        package var convolution: Convolution?

        /// A convolution over neighbouring tokens.
        package struct Convolution: Sendable, Equatable {
            /// Tokens that one output sees.
            package var width: Int
            /// The activation function.
            package var activation: Activation

            /// A convolution of a width, followed by an activation.
            package init(width: Int, activation: Activation) {
                (self.width, self.activation) = (width, activation)
            }
        }

        /// Disentangled attention with the terms that are true.
        package init(
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
    package var modelType = "bert"
    /// Number of token ids.
    package var vocabularySize: Int
    /// Components of a hidden state.
    package var hiddenSize: Int
    /// Number of layers.
    package var layers: Int
    /// Attention heads of a layer.
    package var attentionHeads: Int
    /// Width of the feed-forward layers.
    package var intermediateSize: Int
    /// The activation function.
    package var activation = Activation.gelu
    /// Dropout rate in training, in [0, 1).
    package var dropout = 0.1

    // Embeddings
    /// Positions that the model knows: rows of the table, if there is one.
    package var positions: Int
    /// Whether positions are added from a learned table.
    package var hasPositionTable = true
    /// Row of the first token's position (RoBERTa counts from padding id + 1).
    package var firstPosition = 0
    /// The padding token.
    package var paddingID: Int32 = 0
    /// Segments that type ids choose from; 0 for none.
    package var segments = 2
    /// Size of the embedding tables; `hiddenSize` but for ALBERT, ELECTRA and some DeBERTa.
    package var embeddingSize: Int
    /// How embeddings of another size become hidden states.
    package var embeddingProjection = EmbeddingProjection.none
    /// Rotary positions; nil for none.
    package var rotary: Rotary?
    /// A bias by distance; nil for none.
    package var relativeBias: RelativeBias?
    /// DeBERTa's attention; nil for the usual one.
    package var disentangled: Disentangled?

    // Layers
    /// What is added to the variance before the root.
    package var layerNormEpsilon = 1e-12
    /// Where layer norms stand.
    package var normPlacement = NormPlacement.post
    /// Whether norms are over batches (Ioffe and Szegedy 2015) instead of layers; of BERT's architecture only.
    package var normalizesBatches = false {
        didSet { modelType = normalizesBatches ? BERT.batchNormType : "bert" }
    }
    /// Whether layer norms have a bias.
    package var normBias = true
    /// ModernBERT's first layer gets the embeddings as their norm left them.
    package var firstAttentionNorm = true
    /// Whether the projections of attention have a bias.
    package var attentionBias = true
    /// Whether the first feed-forward layer has a bias.
    package var feedForwardUpBias = true
    /// Whether the second feed-forward layer has a bias.
    package var feedForwardDownBias = true
    /// The feed-forward layer multiplies its activated half with the other half (GEGLU, SwiGLU).
    package var gatedFeedForward = false
    /// Tokens attend to themselves and to those before them only (`is_decoder` of transformers' BERT).
    package var isCausal = false
    /// How far a token sees to either side in the layers that `isLocal` marks.
    package var localWindow: Int?
    /// Layers with a window; empty for none.
    package var isLocal: [Bool] = []
    /// Which weights each layer uses, where layers share them (ALBERT); empty if each has its own.
    package var sharedLayers: [Int] = []
    /// How the checkpoint of a model with shared layers groups them.
    package var layersPerGroup = 1

    private var source = Source()

    /// config.json as it was read, for saving it again unchanged. Two configurations that mean the same are equal whatever they came from.
    private struct Source: Sendable, Equatable {
        var json: JSON?
        static func == (a: Source, b: Source) -> Bool { true }
    }

    /// BERT's architecture with the given sizes.
    package init(vocabularySize: Int, hiddenSize: Int, layers: Int, attentionHeads: Int, intermediateSize: Int, positions: Int = 512) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.attentionHeads = attentionHeads
        self.intermediateSize = intermediateSize
        self.positions = positions
        embeddingSize = hiddenSize
    }

    /// The longest sequence, in tokens, that the positions allow.
    package var longestSequence: Int { positions - firstPosition }

    /// What a layer's queries see.
    package func window(ofLayer layer: Int) -> Int? { layer < isLocal.count && isLocal[layer] ? localWindow : nil }

    func mask(ofLayer layer: Int) -> AttentionMask {
        AttentionMask(isCausal: isCausal, window: window(ofLayer: layer))
    }

    // MARK: config.json

    /// - Parameter file: how errors name the file.
    /// - Throws: `DataError` that names the key, what was expected and what was found; for an unknown architecture, those that are known.
    package init(json: JSON, file: String) throws {
        let reader = try ConfigurationReader(json: json, file: file)
        self = try encoderFamily(reader).configuration(reader)
        source.json = json
    }

    /// The `config.json` that it was read from, else one as transformers' BertModel writes it.
    package var json: JSON {
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
                    ("model_type", .string(modelType)),
                    ("num_attention_heads", .integer(attentionHeads)),
                    ("num_hidden_layers", .integer(layers)),
                    ("pad_token_id", .integer(Int(paddingID))),
                    ("position_embedding_type", .string("absolute")),
                    ("type_vocab_size", .integer(segments)),
                    ("vocab_size", .integer(vocabularySize)),
                ] + (isCausal ? [("is_decoder", .bool(true))] : []))
    }
}
