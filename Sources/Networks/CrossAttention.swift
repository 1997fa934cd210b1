import Autograd
import Tensors

/// Attention from a decoder to the encoder's states: queries from one, keys and values, in one fused projection, from the other.
package final class CrossAttention<Scalar: TensorScalar>: Module {
    /// Queries of the target.
    package let query: Linear<Scalar>
    /// `(source tokens, 2 × hiddenSize)`: keys beside values.
    package let keyValue: Linear<Scalar>
    /// From the heads back to hidden states.
    package let output: Linear<Scalar>
    /// Attention heads.
    package let heads: Int

    /// Attention of `heads` heads, with zero weights.
    package init(hiddenSize: Int, heads: Int, precision: Precision = .f32) {
        query = Linear(inputs: hiddenSize, outputs: hiddenSize, precision: precision)
        keyValue = Linear(inputs: hiddenSize, outputs: 2 * hiddenSize, precision: precision)
        output = Linear(inputs: hiddenSize, outputs: hiddenSize, precision: precision)
        self.heads = heads
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { query.parameters + keyValue.parameters + output.parameters }
    /// Components of a hidden state.
    package var hiddenSize: Int { output.inputs }

    /// - Parameters:
    ///   - x: decoder states, `(target tokens, hiddenSize)`.
    ///   - memory: `keyValue` of the encoder's states.
    package func callAsFunction(
        _ x: Variable<Scalar>, offsets: [Int64], memory: Variable<Scalar>, memoryOffsets: [Int64], on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        let attended = packedAttention(
            queries: AttentionColumns(query(x, on: tape)), keys: AttentionColumns(memory),
            values: AttentionColumns(memory, column: hiddenSize),
            heads: heads, headSize: hiddenSize / heads, queryOffsets: offsets, keyOffsets: memoryOffsets, on: tape)
        return output(attended, on: tape)
    }

    /// One more token of each hypothesis, which looks at the source that `sources` says.
    func step(_ x: Variable<Scalar>, sources: [Int], memory: Variable<Scalar>, memoryOffsets: [Int64]) -> Variable<Scalar> {
        let attended = singleQueryAttention(
            query(x, on: nil).value, memory: memory.value, offsets: memoryOffsets, sequences: sources, heads: heads)
        return output(Variable(attended), on: nil)
    }

    /// The weights of a single pair, `(heads, target tokens, source tokens)`.
    package func weights(_ x: Variable<Scalar>, memory: Variable<Scalar>) -> Tensor<Scalar> {
        attentionWeights(
            queries: AttentionColumns(query(x, on: nil)), keys: AttentionColumns(memory), heads: heads, headSize: hiddenSize / heads)
    }
}

/// One layer of the decoder: causal self-attention, attention to the source, feed-forward.
package final class DecoderLayer<Scalar: TensorScalar>: Module {
    /// The attention sublayer.
    package let attention: SelfAttention<Scalar>
    /// The norm of the attention sublayer.
    package let attentionNorm: LayerNorm<Scalar>
    /// The attention of the target to the source.
    package let crossAttention: CrossAttention<Scalar>
    /// The norm of the cross-attention sublayer.
    package let crossAttentionNorm: LayerNorm<Scalar>
    /// The feed-forward sublayer.
    package let feedForward: FeedForward<Scalar>
    /// The norm of the feed-forward sublayer.
    package let feedForwardNorm: LayerNorm<Scalar>
    private let placement: EncoderConfiguration.NormPlacement
    private let dropoutRate: Double

    /// A layer with the configuration's sizes.
    package init(_ configuration: EncoderConfiguration, precision: Precision = .f32) {
        let size = configuration.hiddenSize, epsilon = configuration.layerNormEpsilon
        attention = SelfAttention(hiddenSize: size, heads: configuration.attentionHeads, precision: precision)
        crossAttention = CrossAttention(hiddenSize: size, heads: configuration.attentionHeads, precision: precision)
        feedForward = FeedForward(
            hiddenSize: size, intermediateSize: configuration.intermediateSize, activation: configuration.activation,
            precision: precision)
        attentionNorm = LayerNorm(size: size, epsilon: epsilon)
        crossAttentionNorm = LayerNorm(size: size, epsilon: epsilon)
        feedForwardNorm = LayerNorm(size: size, epsilon: epsilon)
        placement = configuration.normPlacement
        dropoutRate = configuration.dropout
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        attention.parameters + attentionNorm.parameters + crossAttention.parameters + crossAttentionNorm.parameters + feedForward.parameters
            + feedForwardNorm.parameters
    }

    /// - Parameters:
    ///   - selfAttend, crossAttend: the two attentions, given the states that they read.
    func run(
        _ x: Variable<Scalar>, on tape: Tape<Scalar>?, selfAttend: (Variable<Scalar>) -> Variable<Scalar>,
        crossAttend: (Variable<Scalar>) -> Variable<Scalar>
    ) -> Variable<Scalar> {
        func sublayer(_ x: Variable<Scalar>, _ norm: LayerNorm<Scalar>, _ body: (Variable<Scalar>) -> Variable<Scalar>) -> Variable<Scalar>
        {
            switch placement {
            case .post: norm(dropout(body(x), rate: dropoutRate, on: tape), residual: x, on: tape)
            case .pre: sum(x, dropout(body(norm(x, on: tape)), rate: dropoutRate, on: tape), on: tape)
            }
        }
        let attended = sublayer(x, attentionNorm, selfAttend)
        let informed = sublayer(attended, crossAttentionNorm, crossAttend)
        return sublayer(informed, feedForwardNorm) { feedForward($0, on: tape) }
    }
}
