import Tensors

/// Keys and values of the tokens that each hypothesis of a decoder has written: self-attention of the next token needs no others.
///
/// All hypotheses are equally long. Room grows by doubling.
package struct KeyValueCache<Scalar: TensorScalar>: Sendable {
    /// Number of hypotheses.
    package private(set) var hypotheses: Int
    /// Tokens kept for each hypothesis.
    package private(set) var length = 0
    /// heads × headSize.
    package let size: Int
    private var capacity = 16
    /// Keys beside values, `(hypotheses × capacity, 2 × size)`.
    private var rows: Tensor<Scalar>

    /// An empty cache; `size` is heads × headSize.
    package init(hypotheses: Int, size: Int) {
        self.hypotheses = hypotheses
        self.size = size
        rows = Tensor(uninitialized: [hypotheses * capacity, 2 * size])
    }

    /// Adds one token to each hypothesis and attends from it to all of its tokens, itself included.
    ///
    /// - Parameter fused: queries, keys and values side by side, `(hypotheses, 3 × size)`.
    /// - Returns: `(hypotheses, size)`.
    package mutating func attend(_ fused: Tensor<Scalar>, heads: Int) -> Tensor<Scalar> {
        precondition(fused.shape == [hypotheses, 3 * size] && size % heads == 0)
        if length == capacity { arrange(Array(0..<hypotheses), capacity: 2 * capacity) }
        Scalar.copy(fused.view[columns: size..<3 * size], into: &rows[every: capacity, from: length])
        length += 1
        return singleQueryAttention(
            fused, memory: rows, firstKeys: (0..<hypotheses).map { Int64($0 * capacity) },
            keyCounts: [Int64](repeating: Int64(length), count: hypotheses), heads: heads)
    }

    /// Hypothesis i becomes what hypothesis `kept[i]` was.
    package mutating func select(_ kept: [Int]) {
        if kept.elementsEqual(0..<hypotheses) { return }
        arrange(kept, capacity: capacity)
    }

    private mutating func arrange(_ kept: [Int], capacity newCapacity: Int) {
        var moved = Tensor<Scalar>(uninitialized: [kept.count * newCapacity, 2 * size])
        for (i, h) in kept.enumerated() {
            Scalar.copy(
                rows.view[rows: h * capacity..<h * capacity + length], into: &moved[rows: i * newCapacity..<i * newCapacity + length])
        }
        rows = moved
        hypotheses = kept.count
        self.capacity = newCapacity
    }
}
