import Autograd
import Tensors

/// Root-mean-square normalization with a learned scale.
package final class RMSNorm<Scalar: TensorScalar>: Module {
    /// The scale, `(size)`.
    package let gamma: Parameter<Scalar>
    /// What is added to the variance before the root.
    package let epsilon: Double
    /// Added to the scale: 1 if checkpoints store it minus 1.
    package let offset: Double

    /// A norm with scale 1; `offset` is added to the scale.
    package init(size: Int, epsilon: Double, offset: Double = 0) {
        gamma = Parameter(Tensor(repeating: Scalar(1 - offset), shape: [size]))
        (self.epsilon, self.offset) = (epsilon, offset)
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { [gamma] }

    /// - Parameter heads: stretches of γ's size in each row that are normalized by themselves, the rest unchanged; nil for whole rows.
    package func callAsFunction(_ x: Variable<Scalar>, heads: Range<Int>? = nil, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        rmsNorm(x, gamma: gamma, offset: Scalar(offset), epsilon: Scalar(epsilon), heads: heads, on: tape)
    }
}

/// The norm of a decoder block, of the kind that the family has.
package enum DecoderNorm<Scalar: TensorScalar>: Sendable {
    case layer(LayerNorm<Scalar>)
    case rootMeanSquare(RMSNorm<Scalar>)

    init(_ configuration: DecoderConfiguration) {
        let size = configuration.hiddenSize, epsilon = configuration.normEpsilon
        self =
            switch configuration.norm {
            case .layer: .layer(LayerNorm(size: size, epsilon: epsilon))
            case .rootMeanSquare: .rootMeanSquare(RMSNorm(size: size, epsilon: epsilon))
            case .rootMeanSquarePlusOne: .rootMeanSquare(RMSNorm(size: size, epsilon: epsilon, offset: 1))
            }
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        switch self {
        case .layer(let norm): norm.parameters
        case .rootMeanSquare(let norm): norm.parameters
        }
    }

    var scale: Parameter<Scalar> { parameters[0] }
    var shift: Parameter<Scalar>? {
        if case .layer(let norm) = self { return norm.beta }
        return nil
    }

    /// Normalizes each row, `(tokens, size)`.
    package func callAsFunction(_ x: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        switch self {
        case .layer(let norm): norm(x, on: tape)
        case .rootMeanSquare(let norm): norm(x, on: tape)
        }
    }
}

/// Attention whose heads may share keys and values (Ainslie et al. 2023), with one fused projection: queries, keys and values side by side
/// in `(tokens, (heads + 2 × keyValueHeads) × headSize)`.
package final class GroupedAttention<Scalar: TensorScalar>: Module {
    /// Queries, keys and values in one layer.
    package let projection: Linear<Scalar>
    /// From the heads back to hidden states.
    package let output: Linear<Scalar>
    /// Heads of queries.
    package let heads: Int
    /// Heads of keys and values.
    package let keyValueHeads: Int
    /// Components of a head.
    package let headSize: Int
    /// Over each head, where the family has them.
    package let queryNorm: RMSNorm<Scalar>?
    /// The norm of keys; nil if there is none.
    package let keyNorm: RMSNorm<Scalar>?
    private let scale: Scalar
    private let cap: Double?

    /// Attention of one layer, with zero weights.
    package init(_ configuration: DecoderConfiguration, precision: Precision = .f32) {
        heads = configuration.attentionHeads
        keyValueHeads = configuration.keyValueHeads
        headSize = configuration.headSize
        projection = Linear(
            inputs: configuration.hiddenSize, outputs: (heads + 2 * keyValueHeads) * headSize, bias: configuration.attentionBias,
            precision: precision)
        output = Linear(
            inputs: heads * headSize, outputs: configuration.hiddenSize, bias: configuration.attentionOutputBias, precision: precision)
        let offset = configuration.norm == .rootMeanSquarePlusOne ? 1.0 : 0, size = headSize
        func norm() -> RMSNorm<Scalar> { RMSNorm(size: size, epsilon: configuration.normEpsilon, offset: offset) }
        queryNorm = configuration.queryKeyNorm ? norm() : nil
        keyNorm = configuration.queryKeyNorm ? norm() : nil
        scale = Scalar(configuration.attentionScale ?? 1 / Double(headSize).squareRoot())
        cap = configuration.attentionCap
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        projection.parameters + output.parameters + (queryNorm?.parameters ?? []) + (keyNorm?.parameters ?? [])
    }

    private var group: Int { heads / keyValueHeads }
    /// First columns of keys and of values in the fused projection.
    private var keyColumn: Int { heads * headSize }
    private var valueColumn: Int { (heads + keyValueHeads) * headSize }

    /// Queries, keys and values as attention takes them.
    func fused(
        _ x: Variable<Scalar>, rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)?, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        var fused = projection(x, on: tape)
        if let queryNorm { fused = queryNorm(fused, heads: 0..<heads, on: tape) }
        if let keyNorm { fused = keyNorm(fused, heads: heads..<heads + keyValueHeads, on: tape) }
        if let rotary {
            fused = rotated(
                fused, heads: heads + keyValueHeads, headSize: headSize, positions: rotary.positions, angles: rotary.angles, on: tape)
        }
        return fused
    }

    /// Attention inside each sequence of a packed batch, `(tokens, hiddenSize)`.
    ///
    /// - Parameter bias: `(heads, n, n)`, added to the scores of every sequence.
    func attend(
        _ fused: Variable<Scalar>, offsets: [Int64], mask: AttentionMask, bias: Variable<Scalar>?, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        output(
            packedAttention(
                queries: AttentionColumns(fused), keys: AttentionColumns(fused, column: keyColumn),
                values: AttentionColumns(fused, column: valueColumn),
                heads: heads, headSize: headSize, group: group, queryOffsets: offsets, keyOffsets: offsets, mask: mask, cap: cap,
                bias: bias,
                scale: scale, precision: projection.precision, on: tape), on: tape)
    }

    /// Attention of one more token of each sequence to those that the cache holds, itself included.
    func attend(_ fused: Tensor<Scalar>, cache: inout DecoderCache<Scalar>, layer: Int, mask: AttentionMask) -> Variable<Scalar> {
        output(Variable(cache.attend(fused, layer: layer, heads: heads, group: group, scale: scale, cap: cap, mask: mask)), on: nil)
    }

    /// The attention weights of a single sequence, `(heads, tokens, tokens)`.
    func weights(_ fused: Variable<Scalar>, mask: AttentionMask, bias: Tensor<Scalar>?) -> Tensor<Scalar> {
        attentionWeights(
            queries: AttentionColumns(fused), keys: AttentionColumns(fused, column: keyColumn), heads: heads, headSize: headSize,
            group: group, mask: mask, cap: cap, bias: bias, scale: scale)
    }
}

/// One block of a decoder stack: attention and feed-forward with their norms.
package final class DecoderBlock<Scalar: TensorScalar>: Module {
    /// The attention sublayer.
    package let attention: GroupedAttention<Scalar>
    /// The norm of the attention sublayer.
    package let attentionNorm: DecoderNorm<Scalar>
    /// The feed-forward sublayer.
    package let feedForward: FeedForward<Scalar>
    /// The norm of the feed-forward sublayer.
    package let feedForwardNorm: DecoderNorm<Scalar>
    /// Behind the sublayers, where the family has them.
    package let attentionPostNorm: DecoderNorm<Scalar>?
    /// The norm behind the feed-forward sublayer; nil if there is none.
    package let feedForwardPostNorm: DecoderNorm<Scalar>?
    private let joining: DecoderConfiguration.Joining
    private let dropoutRate: Double

    /// A layer with the configuration's sizes.
    package init(_ configuration: DecoderConfiguration, precision: Precision = .f32) {
        attention = GroupedAttention(configuration, precision: precision)
        attentionNorm = DecoderNorm(configuration)
        feedForward = FeedForward(
            hiddenSize: configuration.hiddenSize, intermediateSize: configuration.intermediateSize,
            activation: configuration.activation, bias: configuration.feedForwardBias,
            isGated: configuration.gatedFeedForward, precision: precision)
        feedForwardNorm = DecoderNorm(configuration)
        attentionPostNorm = configuration.joining == .sandwiched ? DecoderNorm(configuration) : nil
        feedForwardPostNorm = configuration.joining == .sandwiched ? DecoderNorm(configuration) : nil
        joining = configuration.joining
        dropoutRate = configuration.dropout
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        attention.parameters + attentionNorm.parameters + feedForward.parameters + feedForwardNorm.parameters
            + (attentionPostNorm?.parameters ?? []) + (feedForwardPostNorm?.parameters ?? [])
    }

    /// - Parameter attend: the attention, given its normalized input.
    func callAsFunction(_ x: Variable<Scalar>, on tape: Tape<Scalar>?, attend: (Variable<Scalar>) -> Variable<Scalar>) -> Variable<Scalar> {
        func attended() -> Variable<Scalar> {
            let y = attend(attentionNorm(x, on: tape))
            return dropout(attentionPostNorm?(y, on: tape) ?? y, rate: dropoutRate, on: tape)
        }
        func fed(_ x: Variable<Scalar>) -> Variable<Scalar> {
            let y = feedForward(feedForwardNorm(x, on: tape), on: tape)
            return dropout(feedForwardPostNorm?(y, on: tape) ?? y, rate: dropoutRate, on: tape)
        }
        if joining == .parallel { return sum(x, sum(attended(), fed(x), on: tape), on: tape) }
        let middle = sum(x, attended(), on: tape)
        return sum(middle, fed(middle), on: tape)
    }
}
