import Autograd
import Foundation
import Tensors
import Testing

/// Attention with bfloat16 operands, element by element against the same computation in Double.
@Suite struct HalfAttentionTests {
    private func rounded(_ x: Double) -> Double {
        let bits = Float(x).bitPattern
        return Double(Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000))
    }

    /// softmax(scale q kᵀ) v of one sequence with operands rounded, and how far from it the rounding of the weights may lead:
    /// Σ |w v| / 256 for each element, since a bfloat16 has eight bits.
    private func reference(_ fused: Tensor<Float>, _ range: Range<Int>, heads: Int, headSize: Int) -> [(value: Double, tolerance: Double)] {
        let size = heads * headSize, scale = 1 / Double(headSize).squareRoot()
        func x(_ row: Int, _ column: Int) -> Double { rounded(Double(fused[row, column])) }
        return range.flatMap { i in
            (0..<heads).flatMap { h -> [(value: Double, tolerance: Double)] in
                let scores = range.map { j in
                    scale * (0..<headSize).reduce(0.0) { $0 + x(i, h * headSize + $1) * x(j, size + h * headSize + $1) }
                }
                let top = scores.max() ?? 0, weights = scores.map { exp($0 - top) }, total = weights.reduce(0, +)
                return (0..<headSize).map { c in
                    let terms = zip(range, weights).map { j, w in w / total * x(j, 2 * size + h * headSize + c) }
                    return (terms.reduce(0, +), terms.reduce(0) { $0 + abs($1) } / 256 + 1e-5)
                }
            }
        }
    }

    @Test(.enabled(if: Precision.bf16.isFast, "this processor has no bfloat16 products"), arguments: [(1, 16), (3, 32), (2, 64), (4, 48)])
    func everyElementIsNear(heads: Int, headSize: Int) {
        var random = RandomSource(seed: UInt64(headSize))
        let offsets: [Int64] = [0, 1, 4, 21, 64, 64, 129], size = heads * headSize
        let fused = Tensor<Float>((0..<129 * 3 * size).map { _ in Float(random.normal()) }, shape: [129, 3 * size]), x = Variable(fused)
        func attended(_ precision: Precision) -> Tensor<Float> {
            packedAttention(
                queries: AttentionColumns(x), keys: AttentionColumns(x, column: size), values: AttentionColumns(x, column: 2 * size),
                heads: heads, headSize: headSize, queryOffsets: offsets, keyOffsets: offsets, precision: precision, on: nil
            ).value
        }
        let found = attended(.bf16)
        let expected = zip(offsets, offsets.dropFirst()).flatMap { reference(fused, Int($0)..<Int($1), heads: heads, headSize: headSize) }
        #expect(expected.count == found.count)
        for (i, (value, expected)) in zip(found.elements, expected).enumerated() {
            #expect(abs(Double(value) - expected.value) <= expected.tolerance, "row \(i / size), column \(i % size)")
        }
        #expect(found != attended(.f32), "the precision made no difference at all")
    }

    /// The reference itself, where no processor can hide: without rounding it is what attention in f32 gives.
    @Test func theReferenceIsAttention() {
        var random = RandomSource(seed: 3)
        // Numbers that bfloat16 holds exactly.
        let fused = Tensor<Float>((0..<9 * 48).map { _ in Float(random.below(17) - 8) / 8 }, shape: [9, 48]), x = Variable(fused)
        let exact = packedAttention(
            queries: AttentionColumns(x), keys: AttentionColumns(x, column: 16), values: AttentionColumns(x, column: 32), heads: 1,
            headSize: 16, queryOffsets: [0, 9], keyOffsets: [0, 9], on: nil
        ).value
        for (value, expected) in zip(exact.elements, reference(fused, 0..<9, heads: 1, headSize: 16)) {
            #expect(abs(Double(value) - expected.value) < 1e-5)
        }
    }
}
