import Tensors

/// Scaled dot-product attention of one query each (Vaswani et al. 2017): a step of a decoder, without a tape.
///
/// - Parameters:
///   - queries: `(n, width)` with heads × headSize values in each row's first columns.
///   - memory: `(keys, 2 × heads × headSize)`: keys beside values.
///   - offsets: the keys of sequence s are rows `offsets[s] ..< offsets[s + 1]` of the memory.
///   - sequences: which sequence each query looks at; none is empty.
/// - Returns: `(n, heads × headSize)`. A row does not depend on the others.
public func singleQueryAttention<S: TensorScalar>(
    _ queries: Tensor<S>, memory: Tensor<S>, offsets: [Int64], sequences: [Int], heads: Int
) -> Tensor<S> {
    let size = memory.columns / 2
    precondition(queries.rows == sequences.count && queries.columns >= size && size % heads == 0 && Int(offsets.last ?? 0) == memory.rows)
    let first = sequences.map { offsets[$0] }, counts = sequences.map { offsets[$0 + 1] - offsets[$0] }
    return memory.withUnsafeElements { singleQueryAttention(queries, memory: $0, size: size, firstKeys: first, keyCounts: counts, heads: heads) }
}

/// The same over memory that a cache holds: query i looks at rows `firstKeys[i] ..< firstKeys[i] + keyCounts[i]`.
func singleQueryAttention<S: TensorScalar>(
    _ queries: Tensor<S>, memory: UnsafePointer<S>, size: Int, firstKeys: [Int64], keyCounts: [Int64], heads: Int
) -> Tensor<S> {
    let headSize = size / heads, longest = Int(keyCounts.max() ?? 0)
    var result = Tensor<S>(uninitialized: [queries.rows, size])
    queries.withUnsafeElements { queriesAt in
        result.withUnsafeMutableElements { result in
            Scratch.with(S.self, count: longest + 16) { scratch in
                S.attendSingly(queriesAt, stride: queries.columns, queries: queries.rows, keys: memory, values: memory + size, stride: 2 * size,
                               firstKeys: firstKeys, keyCounts: keyCounts, heads: heads, headSize: headSize,
                               scale: 1 / S(headSize).squareRoot(), into: result, scratch: scratch)
            }
        }
    }
    return result
}
