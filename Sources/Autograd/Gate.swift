import Tensors

/// Gated linear unit (Shazeer 2020: GEGLU, SwiGLU): f(left half) ∘ right half of every row.
///
/// - Parameter x: `(n, 2 × width)`.
/// - Returns: `(n, width)`.
public func gated<S: TensorScalar>(_ x: Variable<S>, _ kind: Activation, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows, width = x.value.columns / 2
    precondition(x.value.columns == 2 * width, "a gated unit splits an even number of columns, not \(x.value.columns)")
    var y = Tensor<S>(uninitialized: [rows, width])
    x.value.withUnsafeElements { from in y.withUnsafeMutableElements { S.gate(kind, from, rows: rows, width: width, into: $0) } }
    guard let tape else { return Variable(y) }
    return tape.record(y) { tape, gradient in
        x.value.withUnsafeElements { from in
            gradient.withUnsafeElements { g in
                Scratch.with(S.self, count: 2 * width) { scratch in
                    tape.addGradient(of: x) { S.gateBackward(kind, from, g, rows: rows, width: width, addingTo: $0, scratch: scratch) }
                }
            }
        }
    }
}
