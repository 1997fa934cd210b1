import Autograd
import Tensors

/// Keys and values of the tokens that each sequence has so far, in every layer: the next token needs no others. Sequences may be of
/// different lengths. Room grows by half.
package struct DecoderCache<Scalar: TensorScalar>: Sendable {
    /// Tokens of each sequence.
    package private(set) var lengths: [Int]
    /// keyValueHeads × headSize.
    private let size: Int
    /// Tokens that a sequence has room for.
    private var capacity: Int
    /// Keys beside values of each layer, `(sequences × capacity, 2 × size)`.
    private var rows: [Tensor<Scalar>]

    init(layers: Int, size: Int, lengths: [Int]) {
        (self.lengths, self.size) = (lengths, size)
        let room = (lengths.max() ?? 0) + 16
        capacity = room
        rows = (0..<layers).map { _ in Tensor(uninitialized: [lengths.count * room, 2 * size]) }
    }

    /// Keeps what a layer made of whole sequences.
    ///
    /// - Parameter fused: queries, keys and values of all tokens, the last `2 × size` columns.
    mutating func keep(_ fused: Tensor<Scalar>, offsets: [Int64], layer: Int) {
        let columns = fused.columns - 2 * size..<fused.columns
        for s in lengths.indices {
            let first = Int(offsets[s]), end = Int(offsets[s + 1])
            Scalar.copy(
                fused.view[columns: columns][rows: first..<end], into: &rows[layer][rows: s * capacity..<s * capacity + end - first])
        }
    }

    /// Adds one token to each sequence in this layer, and attends from it to those that the mask shows. `grow` follows when all layers
    /// have theirs.
    ///
    /// - Parameter fused: `(sequences, …)`, queries first, keys and values in the last `2 × size` columns.
    /// - Returns: `(sequences, heads × headSize)`.
    mutating func attend(
        _ fused: Tensor<Scalar>, layer: Int, heads: Int, group: Int, scale: Scalar, cap: Double?, mask: AttentionMask
    ) -> Tensor<Scalar> {
        let added = fused.view[columns: fused.columns - 2 * size..<fused.columns]
        for s in lengths.indices {
            let row = s * capacity + lengths[s]
            Scalar.copy(added[rows: s..<s + 1], into: &rows[layer][rows: row..<row + 1])
        }
        var window = Int.max
        if case .causalWindow(let before) = mask { window = before + 1 }
        let counts = lengths.map { min($0 + 1, window) }
        let first = zip(lengths, counts).enumerated().map { s, pair in Int64(s * capacity + pair.0 + 1 - pair.1) }
        return singleQueryAttention(
            fused, memory: rows[layer], firstKeys: first, keyCounts: counts.map(Int64.init), heads: heads, group: group,
            scale: scale, cap: cap)
    }

    /// Counts the token that every layer has got.
    mutating func grow() { for s in lengths.indices { lengths[s] += 1 } }

    /// Makes room for one more token of each sequence.
    mutating func makeRoom() {
        guard (lengths.max() ?? 0) >= capacity else { return }
        arrange(Array(lengths.indices), capacity: capacity + max(16, capacity / 2))
    }

    /// Sequence i becomes what sequence `kept[i]` was; a sequence may be kept several times.
    package mutating func select(_ kept: [Int]) {
        if kept.elementsEqual(lengths.indices) { return }
        arrange(kept, capacity: capacity)
    }

    private mutating func arrange(_ kept: [Int], capacity newCapacity: Int) {
        for layer in rows.indices {
            var moved = Tensor<Scalar>(uninitialized: [kept.count * newCapacity, 2 * size])
            for (i, s) in kept.enumerated() {
                Scalar.copy(
                    rows[layer].view[rows: s * capacity..<s * capacity + lengths[s]],
                    into: &moved[rows: i * newCapacity..<i * newCapacity + lengths[s]])
            }
            rows[layer] = moved
        }
        lengths = kept.map { lengths[$0] }
        capacity = newCapacity
    }
}
