import Autograd
import Synchronization
import Tensors
import Testing

/// Values that are read from a file when they are wanted.
@Suite struct DeferredValueTests {
    private final class Reads: Sendable {
        let whole = Atomic(0)
        let rows = Mutex<[Range<Int>]>([])
    }

    private func deferred(_ table: Tensor<Float>, _ reads: Reads, byRows: Bool) -> Parameter<Float> {
        let parameter = Parameter(Tensor<Float>(shape: table.shape))
        let read: @Sendable () -> Tensor<Float> = {
            reads.whole.wrappingAdd(1, ordering: .relaxed)
            return table
        }
        let readRows: @Sendable (Range<Int>) -> Tensor<Float> = { range in
            reads.rows.withLock { $0.append(range) }
            return table.rows(range)
        }
        parameter.fillLater(Parameter<Float>.Deferred(read: read, readRows: byRows ? readRows : nil))
        return parameter
    }

    private func random(_ shape: [Int], seed: UInt64) -> Tensor<Float> {
        var source = RandomSource(seed: seed)
        return Tensor((0..<shape.reduce(1, *)).map { _ in Float(source.uniform()) }, shape: shape)
    }

    @Test func aLargeTableStaysInItsFile() {
        // 2²⁴ numbers: from here on rows are read by themselves.
        let table = random([1 << 15, 512], seed: 1), reads = Reads(), parameter = deferred(table, reads, byRows: true)
        let found = embedding([5, 7, 5], table: parameter, on: nil).value
        #expect(found.hasSameBits(as: table.selecting([5, 7, 5])))
        #expect(reads.rows.withLock { $0 } == [5..<6, 7..<8, 5..<6])

        let x = random([3, 512], seed: 2)
        func best(_ weight: Parameter<Float>) -> [Double] { mostProbable(x, weight: weight, bias: nil).logProbabilities }
        #expect(best(parameter) == best(Parameter(table)))
        #expect(reads.whole.load(ordering: .relaxed) == 0)
        #expect(reads.rows.withLock { $0.dropFirst(3).map(\.count) } == [Int](repeating: 512, count: 64))
        #expect(parameter.value.hasSameBits(as: table) && reads.whole.load(ordering: .relaxed) == 1)
    }

    @Test func productsDoNotKeepTheValue() {
        let table = random([96, 64], seed: 3), reads = Reads(), parameter = deferred(table, reads, byRows: false)
        let x = random([2, 64], seed: 4)
        func product(_ weight: Parameter<Float>) -> Tensor<Float> {
            var y = Tensor<Float>(uninitialized: [2, 96])
            Float.multiply(ProductOperand(x.view, precision: .f32), by: weight.packed(.f32), into: &y.target)
            return y
        }
        let wanted = product(Parameter(table))
        for _ in 0..<3 { #expect(product(parameter).hasSameBits(as: wanted)) }
        #expect(reads.whole.load(ordering: .relaxed) == 1)
        #expect(parameter.value.hasSameBits(as: table) && reads.whole.load(ordering: .relaxed) == 2)
        // A value that was assigned is not read over.
        let other = random([96, 64], seed: 5)
        parameter.assign(other)
        #expect(parameter.value.hasSameBits(as: other) && product(parameter).hasSameBits(as: product(Parameter(other))))
    }

    @Test func partsFillTheirRowsAndLeaveTheOthers() {
        let first = random([2, 3], seed: 6), last = random([1, 3], seed: 7), whole = random([4, 3], seed: 8)
        let parameter = Parameter(whole)
        parameter.fillLater(Parameter<Float>.Deferred(rows: 0..<2, read: { first }))
        parameter.fillLater(Parameter<Float>.Deferred(rows: 3..<4, read: { last }))
        let expected = first.elements + whole.rows(2..<3).elements + last.elements
        let x = Tensor<Float>([1, 0, 0, 0, 1, 0, 0, 0, 1], shape: [3, 3])
        var y = Tensor<Float>(uninitialized: [3, 4])
        Float.multiply(ProductOperand(x.view, precision: .f32), by: parameter.packed(.f32), into: &y.target)
        #expect(y.transposed().elements == expected && parameter.value.elements == expected)
    }
}
