import Tensors

/// Each token's neighbourhood in one row, so that a convolution over the tokens of a sequence becomes a linear layer.
///
/// Column `c × size + t` holds channel c of the token t − (size − 1) / 2 places on, zero beyond the sequence's ends: the order of a
/// `Conv1d` weight `(outputs, channels, size)` with its last two axes flattened.
///
/// - Parameter x: `(tokens, channels)`, the rows of sequence s being `offsets[s] ..< offsets[s + 1]`.
/// - Returns: `(tokens, channels × size)`.
package func neighborhoods<S: TensorScalar>(_ x: Variable<S>, size: Int, offsets: [Int64], on tape: Tape<S>?) -> Variable<S> {
    let channels = x.value.columns, before = (size - 1) / 2
    precondition(Int(offsets.last ?? 0) == x.value.rows && size > 0)
    /// Calls `body(row, column offset t, source row)` for every neighbour inside its sequence.
    func forEachNeighbour(_ body: (Int, Int, Int) -> Void) {
        for (first, end) in zip(offsets, offsets.dropFirst()) {
            for i in Int(first)..<Int(end) {
                for t in 0..<size where i + t - before >= Int(first) && i + t - before < Int(end) { body(i, t, i + t - before) }
            }
        }
    }
    var result = Tensor<S>(shape: [x.value.rows, channels * size])
    forEachNeighbour { i, t, j in S.interleave(x.value.view[j], at: t, of: size, into: &result[rows: i..<i + 1]) }
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: x) { dx in
            forEachNeighbour { i, t, j in S.addInterleaved(gradient.view[i], at: t, of: size, to: &dx[rows: j..<j + 1]) }
        }
    }
}
