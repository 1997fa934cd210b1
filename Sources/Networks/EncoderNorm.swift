import Autograd
import Tensors

/// Batch normalization with a learned scale and shift. It normalizes by means and variances of a population, which are measured when
/// training ends; until then by those of the tokens that are computed together.
package final class BatchNorm<Scalar: TensorScalar>: Module {
    /// The scale, `(size)`.
    package let gamma: Parameter<Scalar>
    /// The shift, `(size)`.
    package let beta: Parameter<Scalar>
    /// The population's means, `(size)`.
    package let mean: Parameter<Scalar>
    /// The population's variances, `(size)`; zeros while they are not known.
    package let variance: Parameter<Scalar>
    /// What is added to the variance before the root.
    package let epsilon: Double

    /// A norm with scale 1 and shift 0 for a population of mean 0 and variance 1.
    package init(size: Int, epsilon: Double) {
        gamma = Parameter(Tensor(repeating: 1, shape: [size]))
        beta = Parameter(Tensor(shape: [size]))
        mean = Parameter(Tensor(shape: [size]))
        variance = Parameter(Tensor(repeating: 1, shape: [size]))
        self.epsilon = epsilon
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { [gamma, beta] + statistics }
    /// The parameters that are measured, not learnt.
    package var statistics: [Parameter<Scalar>] { [mean, variance] }
    /// Whether the population's statistics are known.
    package var isMeasured: Bool { variance.value.squaredNorm > 0 }
    /// Goes back to the statistics of the tokens that are computed together.
    package func forgetPopulation() { variance.assign(Tensor(shape: variance.shape)) }

    /// Normalizes x, or x + residual.
    package func callAsFunction(_ x: Variable<Scalar>, residual: Variable<Scalar>? = nil, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        batchNorm(
            x, residual: residual, gamma: gamma, beta: beta, mean: mean, variance: variance, epsilon: Scalar(epsilon), on: tape)
    }
}

/// The norm of an encoder, of the kind that its configuration has.
package enum EncoderNorm<Scalar: TensorScalar>: Sendable {
    case layer(LayerNorm<Scalar>)
    case batch(BatchNorm<Scalar>)

    init(_ configuration: EncoderConfiguration, size: Int? = nil) {
        let size = size ?? configuration.hiddenSize, epsilon = configuration.layerNormEpsilon
        self =
            configuration.normalizesBatches
            ? .batch(BatchNorm(size: size, epsilon: epsilon))
            : .layer(LayerNorm(size: size, epsilon: epsilon, bias: configuration.normBias))
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        switch self {
        case .layer(let norm): norm.parameters
        case .batch(let norm): norm.parameters
        }
    }

    /// Normalizes x, or x + residual, `(tokens, size)`.
    package func callAsFunction(_ x: Variable<Scalar>, residual: Variable<Scalar>? = nil, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        switch self {
        case .layer(let norm): norm(x, residual: residual, on: tape)
        case .batch(let norm): norm(x, residual: residual, on: tape)
        }
    }
}

extension Encoder {
    /// Its batch norms; empty where norms are over layers.
    package var batchNorms: [BatchNorm<Scalar>] {
        ([embeddingNorm] + distinctLayers.flatMap { [$0.attentionNorm, $0.feedForwardNorm].compactMap(\.self) }
            + [finalNorm].compactMap(\.self))
            .compactMap { norm in
                if case .batch(let norm) = norm { norm } else { nil }
            }
    }
}
