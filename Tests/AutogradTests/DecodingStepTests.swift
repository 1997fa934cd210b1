import Autograd
import Foundation
import Tensors
import Testing

/// The steps of a decoder without a tape: what each row gets must be what the plain operations give, and its own alone.
@Suite struct DecodingStepTests {
    private func random<S: TensorScalar>(_ shape: [Int], seed: UInt64, of type: S.Type) -> Tensor<S> {
        var random = RandomSource(seed: seed)
        return Tensor((0..<shape.reduce(1, *)).map { _ in S(random.normal()) }, shape: shape)
    }

    /// More classes than one block of columns holds, more rows than one tile, the last block and tile not full.
    private func compare<S: TensorScalar>(_ type: S.Type, rows: Int, classes: Int, tolerance: Double) {
        let size = 24
        let x = random([rows, size], seed: 1, of: S.self)
        let weight = Parameter(random([classes, size], seed: 2, of: S.self)), bias = Parameter(random([classes], seed: 3, of: S.self))
        let expected = logSoftmax(linear(Variable(x), weight: weight, bias: bias, on: nil), on: nil).value
        let wanted = (0..<rows).map { Int32($0 % 3 == 0 ? -1 : ($0 * 7919) % classes) }
        let free = mostProbable(x, weight: weight, bias: bias), forced = mostProbable(x, weight: weight, bias: bias, wanted: wanted)
        #expect(free.classes == forced.classes)
        for r in 0..<rows {
            let row = (0..<classes).map { Double(expected[r, $0]) }
            let best = row.indices.max { (row[$0], -$0) < (row[$1], -$1) } ?? 0
            #expect(Int(free.classes[r]) == best)
            #expect(abs(free.logProbabilities[r] - row[best]) < tolerance)
            #expect(abs(forced.logProbabilities[r] - row[wanted[r] < 0 ? best : Int(wanted[r])]) < tolerance)
        }
    }

    @Test(arguments: [(1, 5), (3, 512), (70, 513), (300, 1200)]) func mostProbableIsThatOfTheSoftmax(rows: Int, classes: Int) {
        compare(Double.self, rows: rows, classes: classes, tolerance: 1e-11)
        compare(Float.self, rows: rows, classes: classes, tolerance: 2e-5)
    }

    @Test(.tags(.sameBits), arguments: [Precision.f32, .bf16].filter(\.isFast)) func aRowsChoiceIsItsOwn(_ precision: Precision) {
        let x = random([130, 32], seed: 4, of: Float.self)
        let weight = Parameter(random([1100, 32], seed: 5, of: Float.self)), bias = Parameter(random([1100], seed: 6, of: Float.self))
        let together = mostProbable(x, weight: weight, bias: bias, precision: precision)
        for r in [0, 63, 64, 129] {
            let alone = mostProbable(x.rows(r..<r + 1), weight: weight, bias: bias, precision: precision)
            #expect(
                alone.classes == [together.classes[r]] && alone.logProbabilities[0].bitPattern == together.logProbabilities[r].bitPattern)
        }
    }

    @Test func ofEqualScoresTheFirstIsChosen() {
        // Classes 600 and 3 have the same score, in different blocks.
        var rows = Tensor<Float>(shape: [1000, 4])
        for c in [3, 600, 999] { rows[c * 4] = 1 }
        let found = mostProbable(Tensor<Float>([1, 0, 0, 0], shape: [1, 4]), weight: Parameter(rows), bias: nil)
        #expect(found.classes == [3])
        #expect(abs(found.logProbabilities[0] - (1 - log(997 + 3 * exp(1.0)))) < 1e-5)
    }

    /// A changed weight must not be looked up in the old blocks.
    @Test func blocksFollowTheWeight() {
        let weight = Parameter(random([1000, 8], seed: 7, of: Float.self)), x = random([2, 8], seed: 8, of: Float.self)
        _ = mostProbable(x, weight: weight, bias: nil)
        var value = weight.take()
        for c in 0..<8 { value[700, c] = 100 * x[0, c] }
        weight.giveBack(value)
        #expect(mostProbable(x, weight: weight, bias: nil).classes[0] == 700)
    }

    private func attention<S: TensorScalar>(_ type: S.Type, headSize: Int, tolerance: Double) {
        let heads = 3, size = heads * headSize, offsets: [Int64] = [0, 1, 18, 40]
        let memory = random([40, 2 * size], seed: 9, of: S.self), queries = random([5, size], seed: 10, of: S.self)
        let sequences = [0, 1, 1, 2, 2]
        let found = singleQueryAttention(queries, memory: memory, offsets: offsets, sequences: sequences, heads: heads)
        let expected = packedAttention(
            queries: AttentionColumns(Variable(queries)), keys: AttentionColumns(Variable(memory)),
            values: AttentionColumns(Variable(memory), column: size),
            heads: heads, headSize: headSize, queryOffsets: [0, 1, 3, 5], keyOffsets: offsets, on: nil
        ).value
        for (a, b) in zip(found.elements, expected.elements) { #expect(abs(Double(a) - Double(b)) < tolerance) }
        // A query alone gives the same bits.
        let last = singleQueryAttention(queries.rows(4..<5), memory: memory, offsets: offsets, sequences: [2], heads: heads)
        #expect(last.hasSameBits(as: found.rows(4..<5)))
    }

    /// Heads of whole vectors, of less than one, and of one and a part.
    @Test(.tags(.sameBits), arguments: [5, 8, 32, 96, 44]) func singleQueriesAttendAsMany(headSize: Int) {
        attention(Double.self, headSize: headSize, tolerance: 1e-12)
        attention(Float.self, headSize: headSize, tolerance: 1e-5)
    }

    /// Work that has several threads for itself divides queries or heads, and blocks of classes, among them.
    @Test(.tags(.sameBits), arguments: [1, 3]) func threadsShareAStep(queries: Int) {
        let heads = 6, group = 2, headSize = 24, keys = 400
        let q = random([queries, heads * headSize], seed: 5, of: Float.self)
        let memory = random([queries * keys, 2 * heads / group * headSize], seed: 6, of: Float.self)
        let firstKeys = (0..<queries).map { Int64($0 * keys + $0) }, counts = (0..<queries).map { Int64(keys - 7 * $0) }
        let attend: @Sendable () -> Tensor<Float> = {
            singleQueryAttention(q, memory: memory, firstKeys: firstKeys, keyCounts: counts, heads: heads, group: group, cap: 20)
        }
        let weight = Parameter(random([5000, heads * headSize], seed: 7, of: Float.self))
        let choose: @Sendable () -> [Double] = { mostProbable(q, weight: weight, bias: nil).logProbabilities }
        let (alone, chosen) = (attend(), choose())
        for (attended, shared) in Parallel.map(1, threads: 3, { _, _ in (0..<20).map { _ in (attend(), choose()) } })[0] {
            #expect(attended.hasSameBits(as: alone) && shared == chosen)
        }
    }
}
