import Synchronization
import Tensors
import Testing

@Suite struct ParallelTests {
    private struct Failure: Error, Equatable { var item: Int }

    @Test(arguments: [1, 2, 3, 9]) func everyItemRunsOnceOnAWorkerOfItsRange(_ threads: Int) {
        let counts = Mutex([Int](repeating: 0, count: 100))
        Parallel.forEach(100, threads: threads) { item, worker in
            #expect(worker >= 0 && worker < threads)
            counts.withLock { $0[item] += 1 }
        }
        #expect(counts.withLock { $0 } == [Int](repeating: 1, count: 100))
        Parallel.forEach(0, threads: threads) { _, _ in Issue.record("there is nothing to do") }
    }

    @Test(arguments: [1, 2, 5]) func theLowestFailureIsRethrown(_ threads: Int) {
        for _ in 0..<20 {
            #expect(throws: Failure(item: 7)) {
                try Parallel.forEach(50, threads: threads) { item, _ in if item >= 7 { throw Failure(item: item) } }
            }
        }
        #expect(throws: Failure(item: 3)) {
            try Parallel.map(4, threads: threads) { item, _ in if item == 3 { throw Failure(item: 3) } else { item } }
        }
    }

    @Test(arguments: [1, 2, 7]) func valuesComeInOrder(_ threads: Int) throws {
        #expect(Parallel.map(200, threads: threads) { item, _ in item * item } == (0..<200).map { $0 * $0 })
        let optional = Parallel.map(6, threads: threads) { item, _ in item % 2 == 0 ? item : nil }
        #expect(optional == [0, nil, 2, nil, 4, nil])
        #expect(Parallel.map(0, threads: threads) { item, _ in item }.isEmpty)
        #expect(try Parallel.map(3, threads: threads) { item, _ throws(Failure) in item + 1 } == [1, 2, 3])
    }

    @Test func chunksCoverEverythingWhateverTheThreads() {
        #expect(Parallel.chunks(10, size: 4) == [0..<4, 4..<8, 8..<10])
        #expect(Parallel.chunks(0, size: 4).isEmpty && Parallel.chunks(3, size: 0) == [0..<1, 1..<2, 2..<3])
    }

    /// Each stretch writes its own elements of every list, and nobody else's.
    @Test(arguments: [1, 2, 4]) func stretchesAreWrittenApart(_ threads: Int) {
        var a = [Tensor<Float>(shape: [10, 3]), Tensor(shape: [0]), Tensor(shape: [7])], b = a, c = a
        let kept = a[0]
        let stretches =
            Parallel.chunks(10, size: 4).map { Stretch(tensor: 0, rows: $0, width: 3) }
            + Parallel.chunks(7, size: 2).map { Stretch(tensor: 2, rows: $0) }
        Parallel.forEachStretch(stretches, of: &a, &b, &c, threads: threads) { index, a, b, c in
            Float.fill(&a, with: Float(index + 1))
            Float.fill(&b, with: Float(stretches[index].count))
            Float.add(a.view, to: &c)
        }
        let expected = stretches.enumerated().flatMap { index, stretch in [Float](repeating: Float(index + 1), count: stretch.count) }
        #expect(a[0].elements + a[2].elements == expected && c[0].elements + c[2].elements == expected)
        #expect(
            b[0].elements == [Float](repeating: 12, count: 24) + [Float](repeating: 6, count: 6) && b[2].elements == [2, 2, 2, 2, 2, 2, 1])
        // A copy made before is not written to.
        #expect(kept.elements == [Float](repeating: 0, count: 30))
    }

    @Test func stretchesThatOverlapAreRefused() async {
        await #expect(processExitsWith: .failure) {
            var tensors = [Tensor<Float>(shape: [8])]
            Parallel.forEachStretch([Stretch(tensor: 0, rows: 0..<5), Stretch(tensor: 0, rows: 4..<8)], of: &tensors, threads: 2) { _, _ in
            }
        }
        await #expect(processExitsWith: .failure) {
            var tensors = [Tensor<Float>(shape: [8])]
            Parallel.forEachStretch([Stretch(tensor: 0, rows: 0..<9)], of: &tensors, threads: 1) { _, _ in }
        }
    }
}

/// What operations hand to kernels.
@Suite struct MatrixViewTests {
    private let x = Tensor<Float>((0..<12).map { Float($0) }, shape: [4, 3])

    @Test func partsAreWhereTheyShouldBe() {
        #expect(x.view[rows: 1..<3][columns: 1..<2][1, 0] == 7)
        #expect(x.view[2].count == 3 && x.view[2][0, 2] == 8)
        var y = Tensor<Float>(shape: [2, 4])
        Float.copy(x.view[rows: 1..<3][columns: 1..<3], into: &y[columns: 2..<4])
        #expect(y.elements == [0, 0, 4, 5, 0, 0, 7, 8])
        Float.add(2, times: x.view[rows: 0..<1][columns: 0..<2], to: &y[row: 1, columns: 1..<3])
        #expect(y.elements == [0, 0, 4, 5, 0, 0, 9, 8])
        var every = Tensor<Float>(shape: [6, 2])
        Float.copy(x.view[rows: 0..<3][columns: 0..<2], into: &every[every: 2, from: 1])
        #expect(every.elements == [0, 0, 0, 1, 0, 0, 3, 4, 0, 0, 6, 7])
    }

    @Test func writingLeavesCopiesAlone() {
        var y = x
        let view = y.view
        Float.scale(&y.target, by: 2)
        #expect(x[1] == 1 && view[0, 1] == 1 && y[1] == 2)
        Float.fill(&y[rows: 3..<4], with: 5)
        #expect(y.rows(3..<4).elements == [5, 5, 5] && view[3, 0] == 9)
    }

    @Test func whatDoesNotFitIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = Tensor<Float>(shape: [2, 2]).view[rows: 1..<3] }
        await #expect(processExitsWith: .failure) {
            var y = Tensor<Float>(shape: [2, 2])
            Float.copy(Tensor<Float>(shape: [3, 2]).view, into: &y.target)
        }
        // Kernels that take rows without gaps do not take a column.
        await #expect(processExitsWith: .failure) {
            var y = Tensor<Float>(shape: [2, 1])
            Float.activate(.relu, Tensor<Float>(shape: [2, 2]).view[columns: 0..<1], into: &y.target)
        }
    }

    @Test func bitsAreNotNumbers() {
        let zero = Tensor<Float>([0, 1], shape: [2]), negative = Tensor<Float>([-0.0, 1], shape: [2]),
            none = Tensor<Float>([.nan], shape: [1])
        #expect(zero == negative && !zero.hasSameBits(as: negative) && zero.hasSameBits(as: zero.reshaped([2])))
        #expect(none != none && none.hasSameBits(as: none) && !zero.hasSameBits(as: zero.reshaped([1, 2])))
    }
}
