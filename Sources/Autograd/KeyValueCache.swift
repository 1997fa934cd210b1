import CKernels
import Tensors

/// Keys and values of the tokens that each hypothesis of a decoder has written: self-attention of the next token needs no others.
///
/// All hypotheses are equally long. Room grows by doubling.
public struct KeyValueCache<Scalar: TensorScalar>: Sendable {
    public private(set) var hypotheses: Int
    public private(set) var length = 0
    /// heads × headSize.
    public let size: Int
    private var capacity = 16
    /// Keys beside values, `(hypotheses × capacity, 2 × size)`.
    private var rows: Tensor<Scalar>

    public init(hypotheses: Int, size: Int) {
        self.hypotheses = hypotheses
        self.size = size
        rows = Tensor(uninitialized: [hypotheses * capacity, 2 * size])
    }

    /// Adds one token to each hypothesis and attends from it to all of its tokens, itself included.
    ///
    /// - Parameter fused: queries, keys and values side by side, `(hypotheses, 3 × size)`.
    /// - Returns: `(hypotheses, size)`.
    public mutating func attend(_ fused: Tensor<Scalar>, heads: Int) -> Tensor<Scalar> {
        precondition(fused.shape == [hypotheses, 3 * size] && size % heads == 0)
        if length == capacity { arrange(Array(0..<hypotheses), capacity: 2 * capacity) }
        let width = 2 * size, headSize = size / heads, keys = length + 1, capacity = capacity, hypotheses = hypotheses, size = size
        var result = Tensor<Scalar>(uninitialized: [hypotheses, size])
        let offsets: [Int64] = [0, 1, 0, Int64(keys)]
        let scratchCount = attentionScratch(longestQueries: 1, longestKeys: keys, headSize: headSize)
        fused.withUnsafeElements { fused in
            rows.withUnsafeMutableElements { rows in
                result.withUnsafeMutableElements { result in
                    offsets.withUnsafeBufferPointer { offsets in
                        Scratch.with(Scalar.self, count: scratchCount) { scratch in
                            var shape = kt_attention_shape()
                            shape.query_offsets = offsets.baseAddress
                            shape.key_offsets = offsets.baseAddress.map { $0 + 2 }
                            shape.segments = 1
                            shape.heads = Int64(heads)
                            shape.head_size = Int64(headSize)
                            shape.q_stride = Int64(3 * size)
                            shape.k_stride = Int64(width)
                            shape.v_stride = Int64(width)
                            shape.out_stride = Int64(size)
                            shape.mask = Int32(KT_MASK_NONE.rawValue)
                            for h in 0..<hypotheses {
                                let first = rows + h * capacity * width, query = fused + h * 3 * size
                                (first + (keys - 1) * width).update(from: query + size, count: width)
                                Scalar.attention(shape, query, first, first + size, bias: nil, scale: 1 / Scalar(headSize).squareRoot(),
                                                 into: result + h * size, logSums: nil, scratch: scratch)
                            }
                        }
                    }
                }
            }
        }
        length = keys
        return result
    }

    /// Hypothesis i becomes what hypothesis `kept[i]` was.
    public mutating func select(_ kept: [Int]) {
        if kept.elementsEqual(0..<hypotheses) { return }
        arrange(kept, capacity: capacity)
    }

    private mutating func arrange(_ kept: [Int], capacity newCapacity: Int) {
        let width = 2 * size, length = length, capacity = capacity
        var moved = Tensor<Scalar>(uninitialized: [kept.count * newCapacity, width])
        rows.withUnsafeElements { from in
            moved.withUnsafeMutableElements { to in
                for (i, h) in kept.enumerated() {
                    (to + i * newCapacity * width).update(from: from + h * capacity * width, count: length * width)
                }
            }
        }
        rows = moved
        hypotheses = kept.count
        self.capacity = newCapacity
    }
}
