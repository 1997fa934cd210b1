import Autograd
import Tensors

/// One layer of the encoder: self-attention and feed-forward, each with a residual connection and a layer norm.
public final class EncoderLayer<Scalar: TensorScalar>: Module, @unchecked Sendable {
    public let attention: SelfAttention<Scalar>
    public let attentionNorm: LayerNorm<Scalar>
    public let feedForward: FeedForward<Scalar>
    public let feedForwardNorm: LayerNorm<Scalar>
    private let placement: EncoderConfiguration.NormPlacement
    private let dropoutRate: Double

    public init(_ configuration: EncoderConfiguration) {
        let size = configuration.hiddenSize
        attention = SelfAttention(hiddenSize: size, heads: configuration.attentionHeads)
        attentionNorm = LayerNorm(size: size, epsilon: configuration.layerNormEpsilon)
        feedForward = FeedForward(hiddenSize: size, intermediateSize: configuration.intermediateSize, activation: configuration.activation)
        feedForwardNorm = LayerNorm(size: size, epsilon: configuration.layerNormEpsilon)
        placement = configuration.normPlacement
        dropoutRate = configuration.dropout
    }

    public var parameters: [Parameter<Scalar>] {
        attention.parameters + attentionNorm.parameters + feedForward.parameters + feedForwardNorm.parameters
    }

    public func callAsFunction(
        _ x: Variable<Scalar>, offsets: [Int64], mask: AttentionMask = .none, bias: Variable<Scalar>? = nil, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        switch placement {
        case .post:
            let attended = dropout(attention(x, offsets: offsets, mask: mask, bias: bias, on: tape), rate: dropoutRate, on: tape)
            let middle = attentionNorm(attended, residual: x, on: tape)
            let fed = dropout(feedForward(middle, on: tape), rate: dropoutRate, on: tape)
            return feedForwardNorm(fed, residual: middle, on: tape)
        case .pre:
            let attended = attention(attentionNorm(x, on: tape), offsets: offsets, mask: mask, bias: bias, on: tape)
            let middle = sum(x, dropout(attended, rate: dropoutRate, on: tape), on: tape)
            let fed = feedForward(feedForwardNorm(middle, on: tape), on: tape)
            return sum(middle, dropout(fed, rate: dropoutRate, on: tape), on: tape)
        }
    }
}

/// A Transformer encoder (Devlin et al. 2019) over packed batches. With a tape it trains; without one it infers, by the same code.
public final class Encoder<Scalar: TensorScalar>: Module, @unchecked Sendable {
    public let configuration: EncoderConfiguration
    public let words: Parameter<Scalar>
    public let positions: Parameter<Scalar>
    public let segments: Parameter<Scalar>?
    public let embeddingNorm: LayerNorm<Scalar>
    public let layers: [EncoderLayer<Scalar>]
    /// After the last layer, where norms stand before the sublayers.
    public let finalNorm: LayerNorm<Scalar>?

    /// Zeros, to be filled by a checkpoint or by `initialize`.
    public init(_ configuration: EncoderConfiguration) {
        self.configuration = configuration
        let size = configuration.hiddenSize
        words = Parameter(Tensor(shape: [configuration.vocabularySize, size]))
        positions = Parameter(Tensor(shape: [configuration.positions, size]))
        segments = configuration.segments > 0 ? Parameter(Tensor(shape: [configuration.segments, size])) : nil
        embeddingNorm = LayerNorm(size: size, epsilon: configuration.layerNormEpsilon)
        layers = (0..<configuration.layers).map { _ in EncoderLayer(configuration) }
        finalNorm = configuration.normPlacement == .pre ? LayerNorm(size: size, epsilon: configuration.layerNormEpsilon) : nil
    }

    public var parameters: [Parameter<Scalar>] {
        [words, positions] + (segments.map { [$0] } ?? []) + embeddingNorm.parameters + layers.flatMap(\.parameters) + (finalNorm?.parameters ?? [])
    }

    /// Random weights as BERT's: normal with deviation 0.02 for matrices and tables, zeros for biases, ones for scales.
    public func initialize(seed: UInt64) {
        for (index, parameter) in parameters.enumerated() where parameter.shape.count == 2 {
            var random = RandomSource(seed: seed).split(UInt64(index))
            parameter.value = Tensor((0..<parameter.value.count).map { _ in Scalar(0.02 * random.normal()) }, shape: parameter.shape)
        }
    }

    /// What the linear layers compute in when there is no tape.
    public func setPrecision(_ precision: Precision) {
        for layer in layers {
            for linear in [layer.attention.projection, layer.attention.output, layer.feedForward.up, layer.feedForward.down] {
                linear.precision = precision
            }
        }
    }

    /// Hidden states of the last layer, `(tokens, hiddenSize)`.
    ///
    /// - Parameter eachLayer: called with 0 and the embeddings, then with 1 … layers and each layer's output.
    /// - Precondition: ids lie in the vocabulary, and no sequence is longer than `configuration.longestSequence`.
    public func callAsFunction(
        _ batch: PackedBatch, eachLayer: ((Int, Variable<Scalar>) -> Void)? = nil, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        var lookups = [(batch.ids, words), (batch.positions(from: configuration.firstPosition), positions)]
        if let segments {
            lookups.append((batch.typeIDs.isEmpty ? [Int32](repeating: 0, count: batch.tokens) : batch.typeIDs, segments))
        }
        var x = dropout(embeddingNorm(embeddingSum(lookups, on: tape), on: tape), rate: configuration.dropout, on: tape)
        eachLayer?(0, x)
        for (index, layer) in layers.enumerated() {
            x = layer(x, offsets: batch.offsets, on: tape)
            if index == layers.count - 1, let finalNorm { x = finalNorm(x, on: tape) }
            eachLayer?(index + 1, x)
        }
        return x
    }
}
