import Tensors

/// Gated linear unit (Shazeer 2020: GEGLU, SwiGLU): f(left half) ∘ right half of every row.
///
/// - Parameter x: `(n, 2 × width)`.
/// - Returns: `(n, width)`.
package func gated<S: TensorScalar>(_ x: Variable<S>, _ kind: Activation, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows, width = x.value.columns / 2
    precondition(x.value.columns == 2 * width, "a gated unit splits an even number of columns, not \(x.value.columns)")
    var y = Tensor<S>(uninitialized: [rows, width])
    S.gate(kind, x.value.view, into: &y.target)
    guard let tape else { return Variable(y) }
    return tape.record(y) { tape, dy in
        tape.addGradient(of: x) { dx in S.gateBackward(kind, x.value.view, dy.view, addingTo: &dx.target) }
    }
}
