import Tensors

/// op(a) · op(b), each transposed first where `transposed` says so.
///
/// - Parameters:
///   - a: `(m, k)`, or `(k, m)` if transposed.
///   - b: `(k, n)`, or `(n, k)` if transposed.
/// - Returns: `(m, n)`.
package func matrixProduct<S: TensorScalar>(
    _ a: Variable<S>, _ b: Variable<S>, transposed: (a: Bool, b: Bool) = (false, false), on tape: Tape<S>?
) -> Variable<S> {
    let precision = tape?.precision ?? .f32
    let result = matrixProduct(a.value, transposed: transposed.a, b.value, transposed: transposed.b, precision: precision)
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, dc in
        // c = a b: da = dc bᵀ, db = aᵀ dc; a transposed operand gets the transpose of that.
        if tape.follows(a) {
            tape.addGradient(
                of: a,
                transposed.a
                    ? matrixProduct(b.value, transposed: transposed.b, dc, transposed: true, precision: precision)
                    : matrixProduct(dc, transposed: false, b.value, transposed: !transposed.b, precision: precision))
        }
        if tape.follows(b) {
            tape.addGradient(
                of: b,
                transposed.b
                    ? matrixProduct(dc, transposed: true, a.value, transposed: transposed.a, precision: precision)
                    : matrixProduct(a.value, transposed: !transposed.a, dc, precision: precision))
        }
    }
}

/// The inner product of each row of x with the same row of y: `(n)` from two `(n, size)`. Summed in Double.
package func rowDots<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) have no rows in common")
    let rows = x.value.rows
    let result = Tensor<S>((0..<rows).map { S(S.dot(x.value.view[$0], y.value.view[$0])) }, shape: [rows])
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, gradient in
        func pass(to place: Place, _ other: Tensor<S>) {
            tape.addGradient(of: place) { d in
                for r in 0..<rows { S.add(gradient[r], times: other.view[r], to: &d[rows: r..<r + 1]) }
            }
        }
        pass(to: x.place, y.value)
        pass(to: y.place, x.value)
    }
}
