import Autograd
import Foundation
import Tensors

// The parts that only DeBERTa has (He et al. 2021): https://arxiv.org/abs/2006.03654, https://arxiv.org/abs/2111.09543

/// Embeddings of relative positions, one table for all layers.
package final class RelativePositions<Scalar: TensorScalar>: Module {
    /// `(2 × span, hiddenSize)`; row `span` is distance 0.
    package let table: Parameter<Scalar>
    /// The norm of the table's rows; nil if there is none.
    package let norm: LayerNorm<Scalar>?

    /// A table for the configuration's distances.
    package init(_ configuration: EncoderConfiguration.Disentangled, hiddenSize: Int, epsilon: Double) {
        table = Parameter(Tensor(shape: [2 * configuration.span, hiddenSize]))
        norm = configuration.normalizesPositions ? LayerNorm(size: hiddenSize, epsilon: epsilon) : nil
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { [table] + (norm?.parameters ?? []) }

    /// The table as every layer sees it.
    package func callAsFunction(on tape: Tape<Scalar>?) -> Variable<Scalar> {
        let rows = embedding((0..<Int32(table.value.rows)).map { $0 }, table: table, on: tape)
        return norm.map { $0(rows, on: tape) } ?? rows
    }
}

/// Content looking at relative positions ("c2p") and relative positions at content ("p2c"), in one layer.
package final class DisentangledTerms<Scalar: TensorScalar>: Module {
    /// Of positions; nil if they go through the content's own projections.
    package let keyProjection: Linear<Scalar>?
    /// Queries of relative positions; nil if the content's projection is used.
    package let queryProjection: Linear<Scalar>?
    private let configuration: EncoderConfiguration.Disentangled

    /// The projections of one layer.
    package init(_ configuration: EncoderConfiguration.Disentangled, hiddenSize: Int, precision: Precision = .f32) {
        self.configuration = configuration
        let own = !configuration.sharesProjections
        keyProjection = own && configuration.contentToPosition ? Linear(inputs: hiddenSize, outputs: hiddenSize, precision: precision) : nil
        queryProjection =
            own && configuration.positionToContent ? Linear(inputs: hiddenSize, outputs: hiddenSize, precision: precision) : nil
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { (keyProjection?.parameters ?? []) + (queryProjection?.parameters ?? []) }

    /// 1 / √(headSize × number of terms), for all terms alike.
    func scale(headSize: Int) -> Scalar {
        let terms = 1 + (configuration.contentToPosition ? 1 : 0) + (configuration.positionToContent ? 1 : 0)
        return 1 / Scalar(headSize * terms).squareRoot()
    }

    /// What positions add to the scores of each sequence, as `packedAttention` takes it.
    ///
    /// - Parameters:
    ///   - fused: the layer's queries, keys and values `(tokens, 3 × hiddenSize)`.
    ///   - positions: `(2 × span, hiddenSize)`.
    func callAsFunction(
        _ fused: Variable<Scalar>, _ positions: Variable<Scalar>, of attention: SelfAttention<Scalar>, offsets: [Int64],
        on tape: Tape<Scalar>?
    ) -> (scores: Variable<Scalar>, offsets: [Int64]) {
        let size = attention.hiddenSize, headSize = size / attention.heads
        var keys: AttentionColumns<Scalar>?, queries: AttentionColumns<Scalar>?
        if configuration.sharesProjections {
            let projected = attention.projection(positions, on: tape)
            if configuration.contentToPosition { keys = AttentionColumns(projected, column: size) }
            if configuration.positionToContent { queries = AttentionColumns(projected) }
        } else {
            keys = keyProjection.map { AttentionColumns($0(positions, on: tape)) }
            queries = queryProjection.map { AttentionColumns($0(positions, on: tape)) }
        }
        return disentangledScores(
            queries: AttentionColumns(fused), keys: AttentionColumns(fused, column: size), positionKeys: keys, positionQueries: queries,
            heads: attention.heads, headSize: headSize, offsets: offsets, row: configuration.row, scale: scale(headSize: headSize), on: tape
        )
    }
}

extension EncoderConfiguration.Disentangled {
    /// The table's row for a distance query − key.
    package func row(_ distance: Int) -> Int { min(max(bucket(distance) + span, 0), 2 * span - 1) }

    /// Distances up to `span / 2` stand for themselves; farther ones share buckets whose widths grow logarithmically.
    package func bucket(_ distance: Int) -> Int {
        let middle = span / 2, far = abs(distance)
        guard buckets, far > middle else { return distance }
        // In 32 bits, as the reference: on the border of two buckets the rounding decides.
        let logarithm = logf(Float(far) / Float(middle)) / logf(Float(Double(maximumDistance - 1) / Double(middle)))
        let bucket = Int((logarithm * Float(middle - 1)).rounded(.up)) + middle
        return distance < 0 ? -bucket : bucket
    }
}

/// A convolution over neighbouring tokens next to the first layer (DeBERTa v2 xlarge): LayerNorm(layer output + f(conv(embeddings))).
package final class ConvolutionBeside<Scalar: TensorScalar>: Module {
    /// `(hiddenSize, hiddenSize × width)`.
    package let linear: Linear<Scalar>
    /// The norm of the sum.
    package let norm: LayerNorm<Scalar>
    /// Tokens that one output sees.
    package let width: Int
    private let activation: Activation

    /// A convolution with the configuration's width and activation.
    package init(_ configuration: EncoderConfiguration.Disentangled.Convolution, hiddenSize: Int, epsilon: Double) {
        linear = Linear(inputs: hiddenSize * configuration.width, outputs: hiddenSize)
        norm = LayerNorm(size: hiddenSize, epsilon: epsilon)
        width = configuration.width
        activation = configuration.activation
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { linear.parameters + norm.parameters }

    /// LayerNorm(output + f(convolution of the embeddings)), `(tokens, hiddenSize)`.
    package func callAsFunction(
        _ embeddings: Variable<Scalar>, besides output: Variable<Scalar>, offsets: [Int64], dropout rate: Double, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        // Dropout is before the activation here.
        let convolved = dropout(linear(neighborhoods(embeddings, size: width, offsets: offsets, on: tape), on: tape), rate: rate, on: tape)
        return norm(activated(convolved, activation, on: tape), residual: output, on: tape)
    }
}
