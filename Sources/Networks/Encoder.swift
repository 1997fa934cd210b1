import Autograd
import Tensors

/// One layer of the encoder: self-attention and feed-forward, each with a residual connection and a norm.
package final class EncoderLayer<Scalar: TensorScalar>: Module {
    /// The attention sublayer.
    package let attention: SelfAttention<Scalar>
    /// Absent in the first layer of ModernBERT.
    package let attentionNorm: EncoderNorm<Scalar>?
    /// The feed-forward sublayer.
    package let feedForward: FeedForward<Scalar>
    /// The norm of the feed-forward sublayer.
    package let feedForwardNorm: EncoderNorm<Scalar>
    private let placement: EncoderConfiguration.NormPlacement
    private let dropoutRate: Double

    /// Layer `index` of the configuration's stack.
    package init(_ configuration: EncoderConfiguration, index: Int = 0, precision: Precision = .f32) {
        let size = configuration.hiddenSize
        attention = SelfAttention(
            hiddenSize: size, heads: configuration.attentionHeads, bias: configuration.attentionBias,
            positionTerms: configuration.disentangled.map { DisentangledTerms($0, hiddenSize: size, precision: precision) },
            precision: precision)
        attentionNorm = index > 0 || configuration.firstAttentionNorm ? EncoderNorm(configuration) : nil
        feedForward = FeedForward(
            hiddenSize: size, intermediateSize: configuration.intermediateSize, activation: configuration.activation,
            bias: configuration.feedForwardUpBias, downBias: configuration.feedForwardDownBias,
            isGated: configuration.gatedFeedForward, precision: precision)
        feedForwardNorm = EncoderNorm(configuration)
        placement = configuration.normPlacement
        dropoutRate = configuration.dropout
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        attention.parameters + (attentionNorm?.parameters ?? []) + feedForward.parameters + feedForwardNorm.parameters
    }

    /// - Parameters: as of `SelfAttention`.
    package func callAsFunction(
        _ x: Variable<Scalar>, offsets: [Int64], mask: AttentionMask = .none, bias: Variable<Scalar>? = nil,
        rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)? = nil, relativePositions: Variable<Scalar>? = nil,
        on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        func attend(_ x: Variable<Scalar>) -> Variable<Scalar> {
            let attended = attention(
                x, offsets: offsets, mask: mask, bias: bias, rotary: rotary, relativePositions: relativePositions, on: tape)
            return dropout(attended, rate: dropoutRate, on: tape)
        }
        func feed(_ x: Variable<Scalar>) -> Variable<Scalar> { dropout(feedForward(x, on: tape), rate: dropoutRate, on: tape) }
        switch placement {
        case .post:
            let attended = attend(x)
            let middle = attentionNorm?(attended, residual: x, on: tape) ?? sum(attended, x, on: tape)
            return feedForwardNorm(feed(middle), residual: middle, on: tape)
        case .pre:
            let middle = sum(x, attend(attentionNorm?(x, on: tape) ?? x), on: tape)
            return sum(middle, feed(feedForwardNorm(middle, on: tape)), on: tape)
        }
    }

    /// The attention weights of a single sequence, `(heads, tokens, tokens)`.
    func attentionWeights(
        _ x: Variable<Scalar>, mask: AttentionMask, bias: Variable<Scalar>?, rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)?,
        relativePositions: Variable<Scalar>?
    ) -> Tensor<Scalar> {
        let input = placement == .pre ? attentionNorm?(x, on: nil) ?? x : x
        return attention.weights(input, mask: mask, bias: bias?.value, rotary: rotary, relativePositions: relativePositions)
    }
}

/// A Transformer encoder (Devlin et al. 2019, and what came of it) over packed batches. With a tape it trains; without one it
/// infers, by the same code. `configuration` determines which parts it has.
package final class Encoder<Scalar: TensorScalar>: Module {
    /// The network's shape.
    package let configuration: EncoderConfiguration
    /// The token table, `(vocabulary, embeddingSize)`.
    package let words: Parameter<Scalar>
    /// Absent where positions act in attention alone.
    package let positions: Parameter<Scalar>?
    /// The segment table, `(segments, embeddingSize)`; nil if the model has none.
    package let segments: Parameter<Scalar>?
    /// The norm of the embeddings.
    package let embeddingNorm: EncoderNorm<Scalar>
    /// From embeddings to hidden states; nil if they have the same size.
    package let embeddingProjection: Linear<Scalar>?
    /// `(buckets, heads)`, of MPNet.
    package let relativeBiasTable: Parameter<Scalar>?
    /// DeBERTa's table of relative positions; nil for other models.
    package let relativePositions: RelativePositions<Scalar>?
    /// The convolution beside the first layer; nil if there is none.
    package let convolution: ConvolutionBeside<Scalar>?
    /// Each set of weights once.
    package let distinctLayers: [EncoderLayer<Scalar>]
    /// In the order in which they run; with shared weights a layer appears several times.
    package let layers: [EncoderLayer<Scalar>]
    /// After the last layer, where norms are before the sublayers.
    package let finalNorm: EncoderNorm<Scalar>?
    private let angles: RotaryCache<Scalar>?

    /// Zeros, to be filled by a checkpoint or by `initialize`.
    ///
    /// - Parameter precision: what the layers' products compute in when there is no tape.
    package init(_ configuration: EncoderConfiguration, precision: Precision = .f32) {
        self.configuration = configuration
        let size = configuration.hiddenSize, embeddingSize = configuration.embeddingSize, epsilon = configuration.layerNormEpsilon
        func table(_ rows: Int) -> Parameter<Scalar> { Parameter(Tensor(shape: [rows, embeddingSize])) }
        words = table(configuration.vocabularySize)
        positions = configuration.hasPositionTable ? table(configuration.positions) : nil
        segments = configuration.segments > 0 ? table(configuration.segments) : nil
        let normsProjected = configuration.embeddingProjection == .beforeNormWithoutBias
        embeddingNorm = EncoderNorm(configuration, size: normsProjected ? size : embeddingSize)
        embeddingProjection =
            configuration.embeddingProjection == .none
            ? nil
            : Linear(inputs: embeddingSize, outputs: size, bias: !normsProjected)
        relativeBiasTable = configuration.relativeBias.map { Parameter(Tensor(shape: [$0.rows, configuration.attentionHeads])) }
        relativePositions = configuration.disentangled.map { RelativePositions($0, hiddenSize: size, epsilon: epsilon) }
        convolution = configuration.disentangled?.convolution.map { ConvolutionBeside($0, hiddenSize: size, epsilon: epsilon) }
        let distinct = configuration.sharedLayers.max().map { $0 + 1 } ?? configuration.layers
        let made = (0..<distinct).map { EncoderLayer<Scalar>(configuration, index: $0, precision: precision) }
        distinctLayers = made
        layers = configuration.sharedLayers.isEmpty ? made : configuration.sharedLayers.map { made[$0] }
        finalNorm = configuration.normPlacement == .pre ? EncoderNorm(configuration) : nil
        angles = configuration.rotary.map { _ in RotaryCache() }
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        var all = [words, positions, segments].compactMap(\.self) + embeddingNorm.parameters
        all += (embeddingProjection?.parameters ?? []) + [relativeBiasTable].compactMap(\.self)
        all += (relativePositions?.parameters ?? []) + (convolution?.parameters ?? [])
        return all + distinctLayers.flatMap(\.parameters) + (finalNorm?.parameters ?? [])
    }

    /// Random weights as BERT's: normal with deviation 0.02 for matrices and tables, zeros for biases, ones for scales.
    package func initialize(seed: UInt64) {
        for (index, parameter) in parameters.enumerated() where parameter.shape.count == 2 {
            var random = RandomSource(seed: seed).split(UInt64(index))
            parameter.fill { 0.02 * random.normal() }
        }
    }

    /// An encoder of the same shape with random weights: what the architecture alone gives, as a control.
    package func untrained(seed: UInt64) -> Encoder {
        let other = Encoder(configuration)
        other.initialize(seed: seed)
        return other
    }

    /// An encoder of the same values that computes in another precision.
    package func computing(in precision: Precision) -> Encoder {
        let other = Encoder(configuration, precision: precision)
        other.take(from: self)
        return other
    }

    /// Hidden states of the last layer, `(tokens, hiddenSize)`, from embeddings.
    package func callAsFunction(
        _ embeddings: Variable<Scalar>, offsets: [Int64], eachLayer: ((Int, Variable<Scalar>) -> Void)? = nil, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        eachLayer?(0, embeddings)
        let surroundings = Surroundings(offsets: offsets, of: self, on: tape)
        var x = embeddings
        for (index, layer) in layers.enumerated() {
            let (mask, rotary) = surroundings.ofLayer(index)
            x = layer(
                x, offsets: offsets, mask: mask, bias: surroundings.bias, rotary: rotary, relativePositions: surroundings.relative, on: tape
            )
            if index == 0, let convolution {
                x = convolution(embeddings, besides: x, offsets: offsets, dropout: configuration.dropout, on: tape)
            }
            if index == layers.count - 1, let finalNorm { x = finalNorm(x, on: tape) }
            eachLayer?(index + 1, x)
        }
        return x
    }

    /// How much each token of one sequence looks at each other one, for every layer `(heads, tokens, tokens)`; rows sum to 1.
    ///
    /// - Precondition: the batch holds one sequence.
    package func attentionWeights(of batch: PackedBatch) -> [Tensor<Scalar>] {
        precondition(batch.sequences == 1, "attention is looked at one sequence at a time")
        var states: [Variable<Scalar>] = []
        _ = self(batch, eachLayer: { _, x in states.append(x) }, on: nil)
        let surroundings = Surroundings(offsets: batch.offsets, of: self, on: nil)
        return layers.enumerated().map { index, layer in
            let (mask, rotary) = surroundings.ofLayer(index)
            return layer.attentionWeights(
                states[index], mask: mask, bias: surroundings.bias, rotary: rotary, relativePositions: surroundings.relative)
        }
    }

    /// What layers see next to the hidden states.
    private struct Surroundings {
        let bias: Variable<Scalar>?
        let relative: Variable<Scalar>?
        private let places: [Int32]
        private let longest: Int
        private let encoder: Encoder

        init(offsets: [Int64], of encoder: Encoder, on tape: Tape<Scalar>?) {
            self.encoder = encoder
            let longest = zip(offsets, offsets.dropFirst()).map { Int($1 - $0) }.max() ?? 0
            self.longest = longest
            bias = encoder.relativeBiasTable.flatMap { table in
                encoder.configuration.relativeBias.map { relativeBias(table: table, length: longest, bucket: $0.bucket, on: tape) }
            }
            relative = encoder.relativePositions?(on: tape)
            places = encoder.angles == nil ? [] : zip(offsets, offsets.dropFirst()).flatMap { (0..<Int32($1 - $0)).map { $0 } }
        }

        func ofLayer(_ index: Int) -> (mask: AttentionMask, rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)?) {
            let window = encoder.configuration.window(ofLayer: index)
            let rotary = encoder.configuration.rotary.flatMap { rotary in
                encoder.angles.map { angles in
                    (
                        places,
                        angles.angles(
                            RotaryPositions(base: window == nil ? rotary.base : rotary.localBase, turned: encoder.headSize),
                            positions: longest)
                    )
                }
            }
            return (encoder.configuration.mask(ofLayer: index), rotary)
        }
    }

    private var headSize: Int { configuration.hiddenSize / configuration.attentionHeads }

    /// What the first layer gets, `(tokens, hiddenSize)`: words, positions and segments, normalized and projected.
    package func embeddings(of batch: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        var lookups = [(batch.ids, words)]
        if let positions {
            let paddingID = configuration.firstPosition > 0 ? configuration.paddingID : nil
            lookups.append((batch.positions(from: configuration.firstPosition, paddingID: paddingID), positions))
        }
        if let segments {
            lookups.append((batch.typeIDs.isEmpty ? [Int32](repeating: 0, count: batch.tokens) : batch.typeIDs, segments))
        }
        var x = embeddingSum(lookups, on: tape)
        if configuration.embeddingProjection == .beforeNormWithoutBias, let embeddingProjection { x = embeddingProjection(x, on: tape) }
        x = dropout(embeddingNorm(x, on: tape), rate: configuration.dropout, on: tape)
        if configuration.embeddingProjection == .afterNorm, let embeddingProjection { x = embeddingProjection(x, on: tape) }
        return x
    }
}
