import Autograd
import Tensors

/// A part of a network: parameters, and how values pass through them.
///
/// Modules consist of constants and parameters, so that the compiler itself finds them `Sendable`; what changes when a network learns are
/// the values of its parameters alone.
package protocol Module<Scalar>: AnyObject, Sendable {
    associatedtype Scalar: TensorScalar
    /// All parameters, always in the same order.
    var parameters: [Parameter<Scalar>] { get }
}

/// y = x Wᵀ + b, weights `(outputs, inputs)`.
///
/// `precision` is what inference computes in; training's precision is the tape's.
package final class Linear<Scalar: TensorScalar>: Module {
    /// `(outputs, inputs)`.
    package let weight: Parameter<Scalar>
    /// `(outputs)`; nil if there is none.
    package let bias: Parameter<Scalar>?
    /// What products without a tape compute in.
    package let precision: Precision

    /// Zeros, until a checkpoint or an initializer fills them.
    package init(inputs: Int, outputs: Int, bias: Bool = true, precision: Precision = .f32) {
        weight = Parameter(Tensor(shape: [outputs, inputs]))
        self.bias = bias ? Parameter(Tensor(shape: [outputs])) : nil
        self.precision = precision
    }

    /// A layer that shares its weights with another part, as an output layer with the embedding table.
    package init(sharing weight: Parameter<Scalar>, bias: Parameter<Scalar>?, precision: Precision = .f32) {
        self.weight = weight
        self.bias = bias
        self.precision = precision
    }

    /// Length of an input row.
    package var inputs: Int { weight.shape[1] }
    /// Length of an output row.
    package var outputs: Int { weight.shape[0] }
    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { [weight] + (bias.map { [$0] } ?? []) }

    /// - Parameter x: `(n, inputs)`.
    /// - Returns: `(n, outputs)`.
    package func callAsFunction(_ x: Variable<Scalar>, activation: Activation = .identity, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        linear(x, weight: weight, bias: bias, activation: activation, precision: precision, on: tape)
    }
}

/// Layer normalization with a learned scale and, mostly, a learned shift.
package final class LayerNorm<Scalar: TensorScalar>: Module {
    /// The scale, `(size)`.
    package let gamma: Parameter<Scalar>
    /// The bias, `(size)`; nil if there is none.
    package let beta: Parameter<Scalar>?
    /// What is added to the variance before the root.
    package let epsilon: Double

    /// A norm with scale 1 and bias 0.
    package init(size: Int, epsilon: Double, bias: Bool = true) {
        gamma = Parameter(Tensor(repeating: 1, shape: [size]))
        beta = bias ? Parameter(Tensor(shape: [size])) : nil
        self.epsilon = epsilon
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { [gamma] + (beta.map { [$0] } ?? []) }

    /// Normalizes x, or x + residual.
    package func callAsFunction(_ x: Variable<Scalar>, residual: Variable<Scalar>? = nil, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        layerNorm(x, residual: residual, gamma: gamma, beta: beta, epsilon: Scalar(epsilon), on: tape)
    }
}

/// Self-attention with one fused projection: queries, keys and values side by side in `(tokens, 3 × hiddenSize)`.
package final class SelfAttention<Scalar: TensorScalar>: Module {
    /// Queries, keys and values in one layer.
    package let projection: Linear<Scalar>
    /// From the heads back to hidden states.
    package let output: Linear<Scalar>
    /// Attention heads.
    package let heads: Int
    /// Disentangled attention's terms for relative positions, where the architecture has them.
    package let positionTerms: DisentangledTerms<Scalar>?

    /// Attention of `heads` heads, with zero weights.
    package init(
        hiddenSize: Int, heads: Int, bias: Bool = true, positionTerms: DisentangledTerms<Scalar>? = nil, precision: Precision = .f32
    ) {
        projection = Linear(inputs: hiddenSize, outputs: 3 * hiddenSize, bias: bias, precision: precision)
        output = Linear(inputs: hiddenSize, outputs: hiddenSize, bias: bias, precision: precision)
        self.heads = heads
        self.positionTerms = positionTerms
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { projection.parameters + output.parameters + (positionTerms?.parameters ?? []) }
    /// Components of a hidden state.
    package var hiddenSize: Int { output.inputs }

    /// - Parameters:
    ///   - x: `(tokens, hiddenSize)`.
    ///   - bias: `(heads, n, n)`, added to the scores of every sequence.
    ///   - rotary: how each token's place turns its query and key.
    ///   - relativePositions: the table `(rows, hiddenSize)` that `positionTerms` look into.
    package func callAsFunction(
        _ x: Variable<Scalar>, offsets: [Int64], mask: AttentionMask = .none, bias: Variable<Scalar>? = nil,
        rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)? = nil, relativePositions: Variable<Scalar>? = nil,
        on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        let headSize = hiddenSize / heads
        var fused = projection(x, on: tape)
        if let rotary {
            fused = rotated(fused, heads: 2 * heads, headSize: headSize, positions: rotary.positions, angles: rotary.angles, on: tape)
        }
        var bias = bias, biasOffsets: [Int64]?, scale: Scalar?
        if let positionTerms, let relativePositions {
            scale = positionTerms.scale(headSize: headSize)
            (bias, biasOffsets) = positionTerms(fused, relativePositions, of: self, offsets: offsets, on: tape)
        }
        let attended = packedAttention(
            queries: AttentionColumns(fused), keys: AttentionColumns(fused, column: hiddenSize),
            values: AttentionColumns(fused, column: 2 * hiddenSize), heads: heads, headSize: headSize,
            queryOffsets: offsets, keyOffsets: offsets, mask: mask, bias: bias, biasOffsets: biasOffsets, scale: scale,
            precision: projection.precision, on: tape)
        return output(attended, on: tape)
    }

    /// The attention weights of a single sequence, `(heads, tokens, tokens)`.
    package func weights(
        _ x: Variable<Scalar>, mask: AttentionMask = .none, bias: Tensor<Scalar>? = nil,
        rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)? = nil, relativePositions: Variable<Scalar>? = nil
    ) -> Tensor<Scalar> {
        let headSize = hiddenSize / heads, tokens = x.value.rows
        var fused = projection(x, on: nil)
        if let rotary {
            fused = rotated(fused, heads: 2 * heads, headSize: headSize, positions: rotary.positions, angles: rotary.angles, on: nil)
        }
        var bias = bias, scale: Scalar?
        if let positionTerms, let relativePositions {
            scale = positionTerms.scale(headSize: headSize)
            let terms = positionTerms(fused, relativePositions, of: self, offsets: [0, Int64(tokens)], on: nil)
            bias = terms.scores.value.reshaped([heads, tokens, tokens])
        }
        return attentionWeights(
            queries: AttentionColumns(fused), keys: AttentionColumns(fused, column: hiddenSize),
            heads: heads, headSize: headSize, mask: mask, bias: bias, scale: scale)
    }
}

/// Two linear layers with an activation between.
///
/// A gated layer's `up` makes twice the intermediate size: the half that goes through the activation, then the half it is multiplied with.
package final class FeedForward<Scalar: TensorScalar>: Module {
    /// To the intermediate size.
    package let up: Linear<Scalar>
    /// Back to the hidden size.
    package let down: Linear<Scalar>
    /// The activation between the two layers.
    package let activation: Activation
    /// Whether the activated half of the first layer multiplies the other half.
    package let isGated: Bool

    /// Two linear layers, with zero weights.
    package init(
        hiddenSize: Int, intermediateSize: Int, activation: Activation, bias: Bool = true, downBias: Bool? = nil, isGated: Bool = false,
        precision: Precision = .f32
    ) {
        up = Linear(inputs: hiddenSize, outputs: (isGated ? 2 : 1) * intermediateSize, bias: bias, precision: precision)
        down = Linear(inputs: intermediateSize, outputs: hiddenSize, bias: downBias ?? bias, precision: precision)
        self.activation = activation
        self.isGated = isGated
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { up.parameters + down.parameters }

    /// Each row on its own, `(tokens, hiddenSize)`.
    package func callAsFunction(_ x: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        guard let tape else {
            return Variable(
                Autograd.feedForward(
                    x.value, up: up.weight, upBias: up.bias, activation: activation, gated: isGated, down: down.weight,
                    downBias: down.bias, precision: up.precision))
        }
        if isGated { return down(gated(up(x, on: tape), activation, on: tape), on: tape) }
        return Autograd.feedForward(
            x, up: up.weight, upBias: up.bias, activation: activation, down: down.weight, downBias: down.bias, on: tape)
    }
}
