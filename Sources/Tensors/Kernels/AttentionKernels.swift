import CKernels

/// Which keys a query may look at.
package enum AttentionMask: Sendable, Equatable {
    case none
    /// Query i sees keys up to its own place, places counted from the end if there are more keys than queries (a cache).
    case causal
    /// Query i sees keys at most this far away on either side (local attention).
    case window(Int)
    /// Of the keys that `causal` allows, its own and this many before it (sliding windows).
    case causalWindow(Int)

    /// The mask of a layer that sees only what is before it, or only so far, or both.
    package init(isCausal: Bool, window: Int?) {
        self =
            switch (isCausal, window) {
            case (false, nil): .none
            case (true, nil): .causal
            case (false, let window?): .window(window)
            case (true, let window?): .causalWindow(window)
            }
    }
}

/// The shape of an attention over packed sequences: sequence s has the queries `queryOffsets[s] ..< queryOffsets[s + 1]` and likewise its
/// keys, each of `heads` × `headSize` numbers, or of `heads / group` × `headSize` where heads share their keys and values.
package struct AttentionShape: Sendable {
    package let heads: Int
    package let headSize: Int
    /// Query heads that share a head of keys and values (Ainslie et al. 2023).
    package let group: Int
    /// Scores become cap · tanh(score / cap).
    package let cap: Double?
    package let mask: AttentionMask
    private let queryOffsets: TensorStorage<Int64>
    private let keyOffsets: TensorStorage<Int64>
    /// Where each sequence's own bias `(heads, queries, keys)` begins; nil for one bias `(heads, n, n)` of all.
    private let biasOffsets: TensorStorage<Int64>?
    private let biasColumns: Int
    private let longestQueries: Int
    private let longestKeys: Int

    /// - Parameter biasShape: `(heads, n, n)` with n at least the longest sequence; `biasOffsets` end with the count of elements.
    package init(
        queryOffsets: [Int64], keyOffsets: [Int64], heads: Int, headSize: Int, group: Int = 1, cap: Double? = nil, mask: AttentionMask,
        biasShape: [Int]? = nil, biasOffsets: [Int64]? = nil
    ) {
        precondition(group >= 1 && heads % group == 0, "\(heads) heads do not divide into groups of \(group)")
        precondition(queryOffsets.count == keyOffsets.count && !queryOffsets.isEmpty)
        func longest(_ offsets: [Int64]) -> Int { Int(zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0) }
        (longestQueries, longestKeys) = (longest(queryOffsets), longest(keyOffsets))
        if let biasShape {
            let fits = biasOffsets.map { $0.count == queryOffsets.count && Int($0[$0.count - 1]) == biasShape.reduce(1, *) }
            precondition(fits ?? (biasShape.count == 3 && biasShape[1] >= max(longestQueries, longestKeys)))
        }
        self.heads = heads
        self.headSize = headSize
        self.group = group
        self.cap = cap
        self.mask = mask
        self.queryOffsets = TensorStorage(queryOffsets)
        self.keyOffsets = TensorStorage(keyOffsets)
        self.biasOffsets = biasOffsets.map { TensorStorage($0) }
        biasColumns = biasOffsets == nil ? biasShape?[1] ?? 0 : 0
    }

    var queries: Int { Int(queryOffsets.elements[queryOffsets.count - 1]) }
    var keys: Int { Int(keyOffsets.elements[keyOffsets.count - 1]) }
    var width: Int { heads * headSize }
    var keyWidth: Int { heads / group * headSize }
    /// Whether the loops over bfloat16 operands know the mask and all else.
    var allowsHalves: Bool {
        if case .window = mask { return false }
        return cap == nil
    }
    var scratch: Int { Int(kt_attention_scratch(Int64(longestQueries), Int64(longestKeys), Int64(headSize))) }

    /// In C's terms; its pointers are valid while this shape lives.
    func c(queryStride: Int, keyStride: Int, valueStride: Int) -> kt_attention_shape {
        var shape = kt_attention_shape()
        shape.query_offsets = UnsafePointer(queryOffsets.elements)
        shape.key_offsets = UnsafePointer(keyOffsets.elements)
        shape.segments = Int64(queryOffsets.count - 1)
        shape.heads = Int64(heads)
        shape.head_size = Int64(headSize)
        shape.key_group = Int64(group)
        shape.cap = cap ?? 0
        shape.q_stride = Int64(queryStride)
        shape.k_stride = Int64(keyStride)
        shape.v_stride = Int64(valueStride)
        shape.out_stride = Int64(width)
        shape.bias_columns = Int64(biasColumns)
        shape.bias_offsets = biasOffsets.map { UnsafePointer($0.elements) }
        switch mask {
        case .none: shape.mask = Int32(KT_MASK_NONE.rawValue)
        case .causal: shape.mask = Int32(KT_MASK_CAUSAL.rawValue)
        case .window(let window):
            shape.mask = Int32(KT_MASK_WINDOW.rawValue)
            shape.window = Int64(window)
        case .causalWindow(let window):
            shape.mask = Int32(KT_MASK_CAUSAL_WINDOW.rawValue)
            shape.window = Int64(window)
        }
        return shape
    }
}

/// Gradients to add to in one pass, which may be columns of one matrix: those of queries, keys and values of a fused projection.
package struct ColumnTargets<Scalar: TensorScalar>: Sendable {
    /// Each matrix once.
    package var tensors: [Tensor<Scalar>]
    /// Of each target its matrix and its first column; nil for one that is not wanted.
    package let places: [(tensor: Int, column: Int)?]

    package init(tensors: [Tensor<Scalar>], places: [(tensor: Int, column: Int)?]) {
        self.tensors = tensors
        self.places = places
    }

    /// Where each target begins; valid while this value exists and its tensors are not copied.
    fileprivate mutating func pointers() -> [UnsafeMutablePointer<Scalar>?] {
        let starts = tensors.indices.map { tensors[$0].mutablePointer }
        return places.map { place in place.map { starts[$0.tensor] + $0.column } }
    }
}

extension TensorScalar {
    /// softmax(scale · q kᵀ + bias) v in each head of each sequence.
    ///
    /// - Parameters:
    ///   - q, k, v: one token per row, heads side by side.
    ///   - halves: round the operands to bfloat16, where the scalar, the head size and the processor allow it.
    ///   - keeping: whether the derivative will be asked for.
    /// - Returns: `(queries, heads × headSize)`, and for the derivative the logarithm of each row's sum of exponentials.
    package static func attention(
        _ shape: AttentionShape, _ q: MatrixView<Self>, _ k: MatrixView<Self>, _ v: MatrixView<Self>, bias: Tensor<Self>?, scale: Self,
        halves: Bool, keeping: Bool
    ) -> (out: Tensor<Self>, logSums: Tensor<Self>) {
        check(shape, q, k, v)
        var c = shape.c(queryStride: q.stride, keyStride: k.stride, valueStride: v.stride)
        var out = Tensor<Self>(uninitialized: [shape.queries, shape.width])
        var logSums = Tensor<Self>(uninitialized: [keeping ? shape.queries : 0, shape.heads])
        Scratch.with(Self.self, count: shape.scratch) { scratch in
            if halves, !keeping, shape.allowsHalves, bias == nil,
                attentionInHalves(c, q.start, k.start, v.start, scale: scale, into: out.mutablePointer, scratch: scratch)
            {
                return
            }
            kernels.c.attention(
                &c, q.start, k.start, v.start, bias?.pointer, scale, out.mutablePointer,
                keeping ? logSums.mutablePointer : nil, scratch)
        }
        withExtendedLifetime(shape) {}
        return (out, logSums)
    }

    /// Adds to the gradients of q, k, v and, as a fourth target, of the bias.
    package static func attentionBackward(
        _ shape: AttentionShape, _ q: MatrixView<Self>, _ k: MatrixView<Self>, _ v: MatrixView<Self>, bias: Tensor<Self>?, scale: Self,
        out: Tensor<Self>, logSums: Tensor<Self>, _ dout: Tensor<Self>, addingTo targets: inout ColumnTargets<Self>
    ) {
        check(shape, q, k, v)
        precondition(out.shape == [shape.queries, shape.width] && dout.count == out.count && logSums.count == shape.queries * shape.heads)
        var c = shape.c(queryStride: q.stride, keyStride: k.stride, valueStride: v.stride)
        let d = targets.pointers()
        guard d.count == 4, let dq = d[0], let dk = d[1], let dv = d[2] else {
            preconditionFailure("attention has gradients of q, k and v")
        }
        Scratch.with(Self.self, count: shape.scratch) { scratch in
            kernels.c.attentionBackward(
                &c, q.start, k.start, v.start, bias?.pointer, scale, out.pointer, logSums.pointer, dout.pointer,
                dq, dk, dv, d[3], scratch)
        }
        withExtendedLifetime(shape) {}
    }

    /// The attention weights of a shape with one sequence, `(heads, queries, keys)`.
    package static func attentionWeights(
        _ shape: AttentionShape, _ q: MatrixView<Self>, _ k: MatrixView<Self>, bias: Tensor<Self>?, scale: Self
    ) -> Tensor<Self> {
        check(shape, q, k, k)
        var c = shape.c(queryStride: q.stride, keyStride: k.stride, valueStride: 0)
        var weights = Tensor<Self>(uninitialized: [shape.heads, shape.queries, shape.keys])
        Scratch.with(Self.self, count: shape.scratch) { scratch in
            kernels.c.attentionWeights(&c, 0, q.start, k.start, bias?.pointer, scale, weights.mutablePointer, scratch)
        }
        withExtendedLifetime(shape) {}
        return weights
    }

    private static func check(_ shape: AttentionShape, _ q: MatrixView<Self>, _ k: MatrixView<Self>, _ v: MatrixView<Self>) {
        precondition(
            q.rows == shape.queries && k.rows >= shape.keys && v.rows >= shape.keys, "attention of \(shape.queries) queries got \(q.rows)")
        precondition(
            q.columns >= shape.width && k.columns >= shape.keyWidth && v.columns >= shape.keyWidth,
            "\(shape.heads) heads of \(shape.headSize) do not fit \(q.columns) columns")
    }

    /// False if the scalar, the head size or the processor does not allow it.
    private static func attentionInHalves(
        _ shape: kt_attention_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, _ v: UnsafePointer<Self>, scale: Self,
        into out: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    ) -> Bool {
        guard Self.self == Float.self, shape.head_size % 16 == 0, Precision.bf16.isFast else { return false }
        func floats(_ pointer: UnsafePointer<Self>) -> UnsafePointer<Float> {
            UnsafeRawPointer(pointer).assumingMemoryBound(to: Float.self)
        }
        func floats(_ pointer: UnsafeMutablePointer<Self>) -> UnsafeMutablePointer<Float> {
            UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
        }
        var shape = shape
        kt_attention_halves(&shape, floats(q), floats(k), floats(v), Float(scale), floats(out), floats(scratch))
        return true
    }

    /// Attention of one query each: query i looks at the rows `firstKeys[i] ..< firstKeys[i] + keyCounts[i]` of `memory`,
    /// `(keys, 2 × size / group)` with keys beside values.
    ///
    /// - Parameters:
    ///   - group: query heads that share a head of keys and values.
    ///   - cap: scores become cap · tanh(score / cap); 0 for none.
    /// - Returns: `(queries, size)`.
    package static func attendSingly(
        _ q: MatrixView<Self>, memory: MatrixView<Self>, firstKeys: [Int64], keyCounts: [Int64], heads: Int, group: Int = 1, scale: Self,
        cap: Self = 0
    ) -> Tensor<Self> {
        let keySize = memory.columns / 2, size = keySize * group
        precondition(firstKeys.count == q.rows && keyCounts.count == q.rows && q.columns >= size && size % heads == 0 && heads % group == 0)
        precondition(zip(firstKeys, keyCounts).allSatisfy { $0 >= 0 && $1 >= 1 && Int($0 + $1) <= memory.rows })
        var result = Tensor<Self>(uninitialized: [q.rows, size])
        let headSize = size / heads, keyHeads = heads / group
        // Each item writes what its queries or heads are, and reads what nobody writes.
        nonisolated(unsafe) let from = q.start, keys = memory.start, out = result.mutablePointer
        let attend: @Sendable (Range<Int>, Range<Int>) -> Void = { rows, shared in
            Scratch.with(Self.self, count: Int(keyCounts[rows].max() ?? 0) + 16) { scratch in
                let first = shared.lowerBound * headSize
                kernels.c.attendSingly(
                    from + rows.lowerBound * q.stride + first * group, Int64(q.stride), Int64(rows.count), keys + first,
                    keys + keySize + first, Int64(memory.stride), Array(firstKeys[rows]), Array(keyCounts[rows]),
                    Int64(shared.count * group), Int64(group), Int64(headSize), scale, cap,
                    out + rows.lowerBound * size + first * group, scratch)
            }
        }
        let work = keyCounts.reduce(0, +) * Int64(size)
        if let helpers = Parallel.helpers, helpers.threads > 1, work >= 1 << 15, q.rows > 1 || keyHeads > 1 {
            let parts = Parallel.chunks(
                q.rows > 1 ? q.rows : keyHeads, size: ((q.rows > 1 ? q.rows : keyHeads) + helpers.threads - 1) / helpers.threads)
            helpers.run(parts.count) { part in attend(q.rows > 1 ? parts[part] : 0..<1, q.rows > 1 ? 0..<keyHeads : parts[part]) }
        } else if q.rows > 0 {
            attend(0..<q.rows, 0..<keyHeads)
        }
        return result
    }
}

// MARK: Disentangled attention

/// The shape of disentangled attention's position terms (He et al. 2021) over packed sequences.
package struct DisentangledShape: Sendable {
    package let heads: Int
    package let headSize: Int
    private let offsets: TensorStorage<Int64>
    private let scoreOffsets: TensorStorage<Int64>
    /// The position tables' row of each distance from −(longest − 1) to longest − 1.
    private let rowOfDistance: TensorStorage<Int32>
    private let longest: Int
    private let lastRow: Int

    /// - Parameters:
    ///   - scoreOffsets: where each sequence's `(heads, n, n)` begins, and the end.
    ///   - rowOfDistance: for the distances −(longest − 1) … longest − 1.
    package init(offsets: [Int64], scoreOffsets: [Int64], rowOfDistance: [Int32], heads: Int, headSize: Int) {
        precondition(offsets.count == scoreOffsets.count && rowOfDistance.count % 2 == 1 && rowOfDistance.allSatisfy { $0 >= 0 })
        longest = (rowOfDistance.count + 1) / 2
        precondition(zip(offsets, offsets.dropFirst()).allSatisfy { Int($1 - $0) <= (rowOfDistance.count + 1) / 2 })
        lastRow = Int(rowOfDistance.max() ?? 0)
        self.offsets = TensorStorage(offsets)
        self.scoreOffsets = TensorStorage(scoreOffsets)
        self.rowOfDistance = TensorStorage(rowOfDistance)
        self.heads = heads
        self.headSize = headSize
    }

    var scores: Int { Int(scoreOffsets.elements[scoreOffsets.count - 1]) }

    func check<S>(_ q: MatrixView<S>, _ k: MatrixView<S>, _ tables: MatrixView<S>?...) {
        precondition(q.rows == Int(offsets.elements[offsets.count - 1]) && k.rows == q.rows && q.stride == k.stride)
        precondition(min(q.columns, k.columns) >= heads * headSize)
        let tables = tables.compactMap(\.self)
        precondition(
            tables.allSatisfy { $0.rows > lastRow && $0.columns >= heads * headSize && $0.stride == tables[0].stride },
            "a distance beyond the position table")
    }

    /// In C's terms; its pointers are valid while this shape lives.
    func c(stride: Int, positionStride: Int) -> kt_disentangled_shape {
        kt_disentangled_shape(
            offsets: UnsafePointer(offsets.elements), score_offsets: UnsafePointer(scoreOffsets.elements),
            segments: Int64(offsets.count - 1), heads: Int64(heads), head_size: Int64(headSize), stride: Int64(stride),
            position_stride: Int64(positionStride), row_of_distance: UnsafePointer(rowOfDistance.elements + longest - 1))
    }
}

extension TensorScalar {
    /// scale · (qᵢ · positionKeys[r] + kⱼ · positionQueries[r]) with r the row of distance i − j, `(heads, n, n)` of each sequence.
    package static func disentangled(
        _ shape: DisentangledShape, _ q: MatrixView<Self>, _ k: MatrixView<Self>, positionKeys: MatrixView<Self>?,
        positionQueries: MatrixView<Self>?, scale: Self
    ) -> Tensor<Self> {
        shape.check(q, k, positionKeys, positionQueries)
        var c = shape.c(stride: q.stride, positionStride: (positionKeys ?? positionQueries)?.stride ?? 0)
        var scores = Tensor<Self>(uninitialized: [shape.scores])
        kernels.c.disentangled(&c, q.start, k.start, positionKeys?.start, positionQueries?.start, scale, scores.mutablePointer)
        withExtendedLifetime(shape) {}
        return scores
    }

    /// Adds to the gradients of q, k, positionKeys and positionQueries.
    package static func disentangledBackward(
        _ shape: DisentangledShape, _ q: MatrixView<Self>, _ k: MatrixView<Self>, positionKeys: MatrixView<Self>?,
        positionQueries: MatrixView<Self>?, scale: Self, _ dscores: Tensor<Self>, addingTo targets: inout ColumnTargets<Self>
    ) {
        shape.check(q, k, positionKeys, positionQueries)
        precondition(dscores.count == shape.scores)
        var c = shape.c(stride: q.stride, positionStride: (positionKeys ?? positionQueries)?.stride ?? 0)
        let d = targets.pointers()
        guard d.count == 4, let dq = d[0], let dk = d[1] else { preconditionFailure("disentangled attention has gradients of q and k") }
        kernels.c.disentangledBackward(
            &c, q.start, k.start, positionKeys?.start, positionQueries?.start, scale, dscores.pointer, dq, dk,
            d[2], d[3])
        withExtendedLifetime(shape) {}
    }
}
