import Tensors

/// Columns of a `(tokens, width)` matrix that hold one of queries, keys and values: all three may lie side by side in one
/// matrix, as a fused projection leaves them.
package struct AttentionColumns<Scalar: TensorScalar>: Sendable {
    /// The matrix, `(tokens, width)`.
    package let matrix: Variable<Scalar>
    /// First column.
    package let column: Int

    /// Columns from `column` on.
    package init(_ matrix: Variable<Scalar>, column: Int = 0) {
        self.matrix = matrix
        self.column = column
    }

    /// The columns from the first on.
    var view: MatrixView<Scalar> { matrix.value.view[columns: column..<matrix.value.columns] }
}

/// Scaled dot-product attention of several heads (Vaswani et al. 2017) over packed sequences.
///
/// - Parameters:
///   - queries: in each row `heads` × `headSize` values; rows of sequence s are `queryOffsets[s] ..< queryOffsets[s + 1]`.
///   - keys, values: likewise, by `keyOffsets`. Other offsets than the queries' make it cross-attention.
///   - bias: `(heads, n, n)` with n at least the longest sequence, added to the scaled scores of every sequence (relative positions).
///   - biasOffsets: where each sequence's own bias `(heads, queries, keys)` begins, if `bias` holds one for every sequence.
///   - group: query heads that share a head of keys and values (Ainslie et al. 2023), which then have `heads / group` × `headSize` columns.
///   - cap: scores become cap · tanh(score / cap) before the mask (Gemma 2).
///   - scale: 1/√headSize by default.
///   - precision: below f32, attention without a tape, a symmetric window, a cap and a bias rounds its operands to bfloat16 where the
///     processor can.
/// - Returns: `(query tokens, heads × headSize)`.
package func packedAttention<S: TensorScalar>(
    queries: AttentionColumns<S>, keys: AttentionColumns<S>, values: AttentionColumns<S>, heads: Int, headSize: Int,
    group: Int = 1, queryOffsets: [Int64], keyOffsets: [Int64], mask: AttentionMask = .none, cap: Double? = nil, bias: Variable<S>? = nil,
    biasOffsets: [Int64]? = nil, scale: S? = nil, precision: Precision = .f32, on tape: Tape<S>?
) -> Variable<S> {
    let tokens = queries.matrix.value.rows
    precondition(Int(queryOffsets.last ?? 0) == tokens && Int(keyOffsets.last ?? 0) == keys.matrix.value.rows)
    let scale = scale ?? 1 / S(headSize).squareRoot()
    let shape = AttentionShape(
        queryOffsets: queryOffsets, keyOffsets: keyOffsets, heads: heads, headSize: headSize, group: group, cap: cap,
        mask: mask, biasShape: bias?.shape, biasOffsets: biasOffsets)
    let (out, logSums) = S.attention(
        shape, queries.view, keys.view, values.view, bias: bias?.value, scale: scale, halves: precision != .f32,
        keeping: tape != nil)
    guard let tape else { return Variable(out) }
    return tape.record(out) { tape, dout in
        let biasColumns = bias.flatMap { tape.follows($0) ? AttentionColumns($0) : nil }
        tape.addGradients(of: [queries, keys, values, biasColumns]) { targets in
            S.attentionBackward(
                shape, queries.view, keys.view, values.view, bias: bias?.value, scale: scale, out: out, logSums: logSums, dout,
                addingTo: &targets)
        }
    }
}

/// The attention weights of one sequence, `(heads, queries, keys)`; for looking at, not for training.
package func attentionWeights<S: TensorScalar>(
    queries: AttentionColumns<S>, keys: AttentionColumns<S>, heads: Int, headSize: Int, group: Int = 1, mask: AttentionMask = .none,
    cap: Double? = nil, bias: Tensor<S>? = nil, scale: S? = nil
) -> Tensor<S> {
    let shape = AttentionShape(
        queryOffsets: [0, Int64(queries.matrix.value.rows)], keyOffsets: [0, Int64(keys.matrix.value.rows)], heads: heads,
        headSize: headSize, group: group, cap: cap, mask: mask, biasShape: bias?.shape)
    return S.attentionWeights(shape, queries.view, keys.view, bias: bias, scale: scale ?? 1 / S(headSize).squareRoot())
}
