import Tensors

/// Layer normalization (Ba et al. 2016) of x, or of x + residual: γ (s − mean) / √(variance + ε) + β over each row.
///
/// - Parameters:
///   - x, residual: `(n, size)`.
///   - gamma, beta: `(size)`; beta may be absent.
/// - Returns: `(n, size)`.
package func layerNorm<S: TensorScalar>(
    _ x: Variable<S>, residual: Variable<S>? = nil, gamma: Parameter<S>, beta: Parameter<S>?, epsilon: S, on tape: Tape<S>?
) -> Variable<S> {
    precondition(gamma.shape == [x.value.columns], "a layer norm of shape \(gamma.shape) got \(x.shape)")
    let scale = gamma.value
    let (y, kept) = S.layerNorm(x.value, residual: residual?.value, gamma: scale, beta: beta?.value, epsilon: epsilon, keeping: tape != nil)
    guard let tape, let kept else { return Variable(y) }
    let places = (x.place, residual?.place)
    return tape.record(y) { tape, dy in
        var dx: Tensor<S>?
        tape.addGradients(of: gamma, beta) { dgamma, dbeta in
            dx = S.layerNormBackward(kept, gamma: scale, dy, addingTo: &dgamma, &dbeta)
        }
        guard let dx else { return }
        if let residual = places.1 { tape.addGradient(of: residual, dx) }
        tape.addGradient(of: places.0, dx)
    }
}
