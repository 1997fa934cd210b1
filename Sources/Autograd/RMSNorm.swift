import Tensors

/// Root-mean-square normalization (Zhang & Sennrich 2019): (offset + γ) x / √(mean of squares + ε), over each row, or over each head of
/// a part of every row while the rest stays as it is.
///
/// - Parameters:
///   - x: `(n, width)`.
///   - gamma: `(size)`; with `size` the width, or a head's.
///   - offset: 1 where the checkpoint stores γ − 1 (Gemma), else 0.
///   - columns: heads that are normalized by themselves; nil for whole rows.
/// - Returns: `(n, width)`.
package func rmsNorm<S: TensorScalar>(
    _ x: Variable<S>, gamma: Parameter<S>, offset: S = 0, epsilon: S, heads columns: Range<Int>? = nil, on tape: Tape<S>?
) -> Variable<S> {
    let size = gamma.shape[0], scale = gamma.value
    let range = columns.map { $0.lowerBound * size..<$0.upperBound * size } ?? 0..<x.value.columns
    precondition(range.upperBound <= x.value.columns && range.count % size == 0, "a norm of shape \(gamma.shape) got \(x.shape)")
    let heads = range.count / size
    // What is not normalized goes through unchanged.
    var y = range.count == x.value.columns ? Tensor<S>(uninitialized: x.shape) : x.value
    let kept = S.rmsNorm(
        x.value.view[columns: range], heads: heads, gamma: scale, offset: offset, epsilon: epsilon, keeping: tape != nil,
        into: &y[columns: range])
    guard let tape else { return Variable(y) }
    let before = x.value, place = x.place
    return tape.record(y) { tape, dy in
        var dx = dy
        tape.addGradients(of: gamma, nil) { dgamma, _ in
            S.rmsNormBackward(
                before.view[columns: range], heads: heads, gamma: scale, offset: offset, reciprocals: kept,
                becoming: &dx[columns: range], addingTo: &dgamma)
        }
        tape.addGradient(of: place, dx)
    }
}
