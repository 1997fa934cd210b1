import Tensors

/// Scaled dot-product attention of one query each (Vaswani et al. 2017): a step of a decoder, without a tape.
///
/// - Parameters:
///   - queries: `(n, width)` with heads × headSize values in each row's first columns.
///   - memory: `(keys, 2 × heads × headSize)`: keys beside values.
///   - offsets: the keys of sequence s are rows `offsets[s] ..< offsets[s + 1]` of the memory.
///   - sequences: which sequence each query looks at; none is empty.
/// - Returns: `(n, heads × headSize)`. A row does not depend on the others.
package func singleQueryAttention<S: TensorScalar>(
    _ queries: Tensor<S>, memory: Tensor<S>, offsets: [Int64], sequences: [Int], heads: Int
) -> Tensor<S> {
    precondition(queries.rows == sequences.count && Int(offsets.last ?? 0) == memory.rows)
    return singleQueryAttention(
        queries, memory: memory, firstKeys: sequences.map { offsets[$0] },
        keyCounts: sequences.map { offsets[$0 + 1] - offsets[$0] }, heads: heads)
}

/// The same where query i looks at rows `firstKeys[i] ..< firstKeys[i] + keyCounts[i]`; `group` query heads share a head of the memory, and
/// scores become cap · tanh(score / cap).
package func singleQueryAttention<S: TensorScalar>(
    _ queries: Tensor<S>, memory: Tensor<S>, firstKeys: [Int64], keyCounts: [Int64], heads: Int, group: Int = 1, scale: S? = nil,
    cap: Double? = nil
) -> Tensor<S> {
    let headSize = memory.columns / 2 * group / heads
    return S.attendSingly(
        queries.view, memory: memory.view, firstKeys: firstKeys, keyCounts: keyCounts, heads: heads, group: group,
        scale: scale ?? 1 / S(headSize).squareRoot(), cap: S(cap ?? 0))
}
