import CKernels
import Tensors

/// Which keys a query may look at.
public enum AttentionMask: Sendable, Equatable {
    case none
    /// Query i sees keys up to its own place, places counted from the end where there are more keys than queries (a cache).
    case causal
    /// Query i sees keys at most this far away on either side (local attention).
    case window(Int)
}

/// Columns of a `(tokens, width)` matrix that hold one of queries, keys and values: all three may lie side by side in one
/// matrix, as a fused projection leaves them.
public struct AttentionColumns<Scalar: TensorScalar>: Sendable {
    public let matrix: Variable<Scalar>
    /// First column.
    public let column: Int

    public init(_ matrix: Variable<Scalar>, column: Int = 0) {
        self.matrix = matrix
        self.column = column
    }
}

/// Scaled dot-product attention of several heads (Vaswani et al. 2017) over packed sequences.
///
/// - Parameters:
///   - queries: in each row `heads` × `headSize` values; rows of sequence s are `queryOffsets[s] ..< queryOffsets[s + 1]`.
///   - keys, values: likewise, by `keyOffsets`. Other offsets than the queries' make it cross-attention.
///   - bias: `(heads, n, n)` with n at least the longest sequence, added to the scaled scores of every sequence (relative positions).
///   - biasOffsets: where each sequence's own bias `(heads, queries, keys)` begins, if `bias` holds one for every sequence.
///   - scale: 1/√headSize by default.
///   - precision: below f32, attention without a tape, a mask and a bias rounds its operands to bfloat16 where the processor can.
/// - Returns: `(query tokens, heads × headSize)`.
public func packedAttention<S: TensorScalar>(
    queries: AttentionColumns<S>, keys: AttentionColumns<S>, values: AttentionColumns<S>, heads: Int, headSize: Int,
    queryOffsets: [Int64], keyOffsets: [Int64], mask: AttentionMask = .none, bias: Variable<S>? = nil, biasOffsets: [Int64]? = nil,
    scale: S? = nil, precision: Precision = .f32, on tape: Tape<S>?
) -> Variable<S> {
    let tokens = queries.matrix.value.rows
    precondition(Int(queryOffsets.last ?? 0) == tokens && Int(keyOffsets.last ?? 0) == keys.matrix.value.rows)
    let scale = scale ?? 1 / S(headSize).squareRoot()
    let geometry = AttentionGeometry(
        queryOffsets: queryOffsets, keyOffsets: keyOffsets, heads: heads, headSize: headSize, mask: mask,
        strides: (queries.matrix.value.columns, keys.matrix.value.columns, values.matrix.value.columns), biasShape: bias?.shape,
        biasOffsets: biasOffsets)

    func withInputs(_ body: (UnsafePointer<S>, UnsafePointer<S>, UnsafePointer<S>, UnsafePointer<S>?) -> Void) {
        queries.matrix.value.withUnsafeElements { q in
            keys.matrix.value.withUnsafeElements { k in
                values.matrix.value.withUnsafeElements { v in
                    withOptionalElements(bias?.value) { body(q + queries.column, k + keys.column, v + values.column, $0) }
                }
            }
        }
    }

    var out = Tensor<S>(uninitialized: [tokens, heads * headSize])
    var logSums = Tensor<S>(uninitialized: [tape == nil ? 0 : tokens, heads])
    geometry.withShape(S.self) { shape, scratch in
        withInputs { q, k, v, bias in
            out.withUnsafeMutableElements { out in
                if tape == nil, precision != .f32, mask == .none, bias == nil,
                   S.attentionInHalves(shape, q, k, v, scale: scale, into: out, scratch: scratch) { return }
                logSums.withUnsafeMutableElements { sums in
                    S.attention(shape, q, k, v, bias: bias, scale: scale, into: out, logSums: tape == nil ? nil : sums, scratch: scratch)
                }
            }
        }
    }
    guard let tape else { return Variable(out) }
    let result = out, sums = logSums
    return tape.record(out) { tape, gradient in
        // A constant has no gradient to add to; what the kernel writes for it goes nowhere.
        var unused: [Tensor<S>] = []
        func target(_ columns: AttentionColumns<S>) -> UnsafeMutablePointer<S> {
            if let pointer = tape.gradientPointer(of: columns.matrix) { return pointer + columns.column }
            unused.append(Tensor(shape: columns.matrix.shape))
            return unused[unused.count - 1].withUnsafeMutableElements { $0 } + columns.column
        }
        let (dq, dk, dv) = (target(queries), target(keys), target(values))
        let dbias = bias.flatMap { tape.gradientPointer(of: $0) }
        geometry.withShape(S.self) { shape, scratch in
            withInputs { q, k, v, bias in
                result.withUnsafeElements { out in
                    sums.withUnsafeElements { sums in
                        gradient.withUnsafeElements { dout in
                            S.attentionBackward(shape, q, k, v, bias: bias, scale: scale, out: out, logSums: sums, dout,
                                                addingTo: dq, dk, dv, dbias: dbias, scratch: scratch)
                        }
                    }
                }
            }
        }
        withExtendedLifetime(unused) {}
    }
}

/// The attention weights of one sequence, `(heads, queries, keys)`; for looking at, not for training.
public func attentionWeights<S: TensorScalar>(
    queries: AttentionColumns<S>, keys: AttentionColumns<S>, heads: Int, headSize: Int, mask: AttentionMask = .none,
    bias: Tensor<S>? = nil, scale: S? = nil
) -> Tensor<S> {
    let queryCount = queries.matrix.value.rows, keyCount = keys.matrix.value.rows
    let geometry = AttentionGeometry(
        queryOffsets: [0, Int64(queryCount)], keyOffsets: [0, Int64(keyCount)], heads: heads, headSize: headSize, mask: mask,
        strides: (queries.matrix.value.columns, keys.matrix.value.columns, 0), biasShape: bias?.shape)
    var weights = Tensor<S>(uninitialized: [heads, queryCount, keyCount])
    geometry.withShape(S.self) { shape, scratch in
        queries.matrix.value.withUnsafeElements { q in
            keys.matrix.value.withUnsafeElements { k in
                withOptionalElements(bias) { bias in
                    weights.withUnsafeMutableElements {
                        S.attentionWeights(shape, segment: 0, q + queries.column, k + keys.column, bias: bias,
                                           scale: scale ?? 1 / S(headSize).squareRoot(), into: $0, scratch: scratch)
                    }
                }
            }
        }
    }
    return weights
}

/// Everything about an attention call but the numbers, in Swift's terms; `withShape` says it in C's.
private struct AttentionGeometry: Sendable {
    let queryOffsets: [Int64], keyOffsets: [Int64]
    let heads: Int, headSize: Int
    let mask: AttentionMask
    let strides: (Int, Int, Int)
    let biasShape: [Int]?
    let biasOffsets: [Int64]?
    private let longestQueries: Int, longestKeys: Int

    init(queryOffsets: [Int64], keyOffsets: [Int64], heads: Int, headSize: Int, mask: AttentionMask, strides: (Int, Int, Int),
         biasShape: [Int]?, biasOffsets: [Int64]? = nil) {
        precondition(queryOffsets.count == keyOffsets.count && !queryOffsets.isEmpty)
        func longest(_ offsets: [Int64]) -> Int { Int(zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0) }
        (longestQueries, longestKeys) = (longest(queryOffsets), longest(keyOffsets))
        if let biasShape {
            let fits = biasOffsets.map { $0.count == queryOffsets.count && Int($0[$0.count - 1]) == biasShape.reduce(1, *) }
            precondition(fits ?? (biasShape.count == 3 && biasShape[1] >= max(longestQueries, longestKeys)))
        }
        self.biasOffsets = biasOffsets
        self.queryOffsets = queryOffsets
        self.keyOffsets = keyOffsets
        self.heads = heads
        self.headSize = headSize
        self.mask = mask
        self.strides = strides
        self.biasShape = biasShape
    }

    /// The shape and its scratch memory live as long as the call.
    func withShape<S: TensorScalar>(_ type: S.Type, _ body: (kt_attention_shape, UnsafeMutablePointer<S>) -> Void) {
        queryOffsets.withUnsafeBufferPointer { q in
            keyOffsets.withUnsafeBufferPointer { k in
                var shape = kt_attention_shape()
                shape.query_offsets = q.baseAddress
                shape.key_offsets = k.baseAddress
                shape.segments = Int64(queryOffsets.count - 1)
                shape.heads = Int64(heads)
                shape.head_size = Int64(headSize)
                shape.q_stride = Int64(strides.0)
                shape.k_stride = Int64(strides.1)
                shape.v_stride = Int64(strides.2)
                shape.out_stride = Int64(heads * headSize)
                shape.bias_columns = Int64(biasOffsets == nil ? biasShape?[1] ?? 0 : 0)
                switch mask {
                case .none: shape.mask = Int32(KT_MASK_NONE.rawValue)
                case .causal: shape.mask = Int32(KT_MASK_CAUSAL.rawValue)
                case .window(let window):
                    shape.mask = Int32(KT_MASK_WINDOW.rawValue)
                    shape.window = Int64(window)
                }
                let count = attentionScratch(longestQueries: longestQueries, longestKeys: longestKeys, headSize: headSize)
                Scratch.with(S.self, count: count) { scratch in
                    guard let biasOffsets else { return body(shape, scratch) }
                    biasOffsets.withUnsafeBufferPointer {
                        shape.bias_offsets = $0.baseAddress
                        body(shape, scratch)
                    }
                }
            }
        }
    }
}
