import Dispatch
import Foundation
import Synchronization

/// Work on several cores at once. Each item of work runs wholly on one thread, so results do not depend on how many there are.
public enum Parallel {
    /// Cores that the process may use.
    public static let availableThreads = max(1, ProcessInfo.processInfo.activeProcessorCount)

    /// Who helps with the item of work at hand, because there are more threads than items; nil outside of `forEach`.
    @TaskLocal static var helpers: Helpers?

    /// Threads that the item of work at hand may use by itself.
    package static var threadsPerItem: Int { helpers?.threads ?? 1 }

    /// Runs items of which `workers` are at work at once on `threads`, with helpers if there are more threads.
    private static func withHelpers<Result>(_ threads: Int, workers: Int, _ body: () throws -> Result) rethrows -> Result {
        let own = min(threads, helpers?.threads ?? threads) / workers
        guard own > 1 else { return try $helpers.withValue(.alone) { try body() } }
        let helpers = Helpers(threads: own)
        defer { helpers.end() }
        return try $helpers.withValue(helpers) { try body() }
    }

    /// Calls `body(item, worker)` once for every item in 0 ..< count; items go to whichever worker is free, worker numbers lie
    /// in 0 ..< threads. Returns when all are done; rethrows the error of the lowest item that failed (later ones may be skipped).
    package static func forEach(
        _ count: Int, threads: Int = availableThreads, _ body: @Sendable (_ item: Int, _ worker: Int) throws -> Void
    ) throws {
        let workers = max(1, min(threads, count))
        if workers == 1 {
            try withHelpers(threads, workers: 1) { for item in 0..<count { try body(item, 0) } }
            return
        }
        let next = Atomic(0)
        let failure = Mutex<(item: Int, error: any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            withHelpers(threads, workers: workers) {
                while true {
                    let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard item < count else { return }
                    do {
                        try body(item, worker)
                    } catch {
                        failure.withLock { if $0 == nil || item < $0!.item { $0 = (item, error) } }
                        next.store(count, ordering: .relaxed)
                    }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
    }

    /// As `forEach`, for work that cannot fail.
    package static func forEach(_ count: Int, threads: Int = availableThreads, _ body: @Sendable (_ item: Int, _ worker: Int) -> Void) {
        let workers = max(1, min(threads, count))
        if workers == 1 {
            withHelpers(threads, workers: 1) { for item in 0..<count { body(item, 0) } }
            return
        }
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            withHelpers(threads, workers: workers) {
                while true {
                    let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard item < count else { return }
                    body(item, worker)
                }
            }
        }
    }

    /// The values of all items, in order.
    package static func map<Value: Sendable>(
        _ count: Int, threads: Int = availableThreads, _ body: @Sendable (_ item: Int, _ worker: Int) throws -> Value
    ) throws -> [Value] {
        let found = Mutex([Value?](repeating: nil, count: count))
        try forEach(count, threads: threads) { item, worker in
            let value = try body(item, worker)
            found.withLock { $0[item] = value }
        }
        return found.withLock { $0.compactMap(\.self) }
    }

    /// As `map`, for work that cannot fail.
    public static func map<Value: Sendable>(
        _ count: Int, threads: Int = availableThreads, _ body: @Sendable (_ item: Int, _ worker: Int) -> Value
    ) -> [Value] {
        let found = Mutex([Value?](repeating: nil, count: count))
        forEach(count, threads: threads) { item, worker in
            let value = body(item, worker)
            found.withLock { $0[item] = value }
        }
        return found.withLock { $0.compactMap(\.self) }
    }

    /// 0 ..< count cut into ranges of `size`, the last one shorter; the cuts do not depend on the number of threads.
    public static func chunks(_ count: Int, size: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: max(1, size)).map { $0..<min(count, $0 + max(1, size)) }
    }
}

/// Rows of one of several tensors, whose elements are taken as `(rows, width)`.
package struct Stretch: Sendable, Equatable {
    package let tensor: Int
    package let rows: Range<Int>
    package let width: Int

    package init(tensor: Int, rows: Range<Int>, width: Int = 1) {
        self.tensor = tensor
        self.rows = rows
        self.width = width
    }

    package var count: Int { rows.count * width }
    var elements: Range<Int> { rows.lowerBound * width..<rows.upperBound * width }
}

extension Tensor {
    /// The elements that a stretch means.
    package func view(of stretch: Stretch) -> MatrixView<Scalar> {
        precondition(stretch.elements.upperBound <= count)
        return MatrixView(
            storage, offset: stretch.elements.lowerBound, rows: stretch.rows.count, columns: stretch.width, stride: stretch.width)
    }
}

extension Parallel {
    /// Calls `body` once for every stretch, on several threads, with its elements to write. The one place where threads write to the
    /// same tensors: stretches do not overlap, which is checked, so every element belongs to one call.
    package static func forEachStretch<S: TensorScalar>(
        _ stretches: [Stretch], of tensors: inout [Tensor<S>], threads: Int,
        _ body: @Sendable (_ index: Int, _ target: inout MutableMatrixView<S>) -> Void
    ) {
        let storages = shared(&tensors, among: stretches)
        forEach(stretches.count, threads: threads) { index, _ in
            var target = MutableMatrixView(storages, stretches[index])
            body(index, &target)
        }
    }

    /// The same with the same elements of two lists of tensors.
    package static func forEachStretch<S: TensorScalar>(
        _ stretches: [Stretch], of first: inout [Tensor<S>], _ second: inout [Tensor<S>], threads: Int,
        _ body: @Sendable (_ index: Int, _ first: inout MutableMatrixView<S>, _ second: inout MutableMatrixView<S>) -> Void
    ) {
        let a = shared(&first, among: stretches), b = shared(&second, among: stretches)
        forEach(stretches.count, threads: threads) { index, _ in
            var first = MutableMatrixView(a, stretches[index]), second = MutableMatrixView(b, stretches[index])
            body(index, &first, &second)
        }
    }

    /// The same with the same elements of three lists of tensors.
    package static func forEachStretch<S: TensorScalar>(
        _ stretches: [Stretch], of first: inout [Tensor<S>], _ second: inout [Tensor<S>], _ third: inout [Tensor<S>], threads: Int,
        _ body:
            @Sendable (
                _ index: Int, _ first: inout MutableMatrixView<S>, _ second: inout MutableMatrixView<S>, _ third: inout MutableMatrixView<S>
            ) -> Void
    ) {
        let a = shared(&first, among: stretches), b = shared(&second, among: stretches), c = shared(&third, among: stretches)
        forEach(stretches.count, threads: threads) { index, _ in
            var first = MutableMatrixView(a, stretches[index]), second = MutableMatrixView(b, stretches[index])
            var third = MutableMatrixView(c, stretches[index])
            body(index, &first, &second, &third)
        }
    }

    /// Memory of uniquely referenced tensors.
    private static func shared<S: TensorScalar>(_ tensors: inout [Tensor<S>], among stretches: [Stretch]) -> [TensorStorage<S>] {
        for (stretch, next) in zip(stretches, stretches.dropFirst()) {
            precondition(
                stretch.tensor < next.tensor || stretch.tensor == next.tensor && stretch.elements.upperBound <= next.elements.lowerBound,
                "stretches are in order and do not overlap")
        }
        for stretch in stretches { precondition(stretch.elements.upperBound <= tensors[stretch.tensor].count) }
        for index in Set(stretches.map(\.tensor)) { tensors[index].makeUnique() }
        return tensors.map(\.storage)
    }
}

extension MutableMatrixView {
    fileprivate init(_ storages: [TensorStorage<Element>], _ stretch: Stretch) {
        self.init(
            storages[stretch.tensor], offset: stretch.elements.lowerBound, rows: stretch.rows.count, columns: stretch.width,
            stride: stretch.width)
    }
}

/// A pointer that the author promises to use without races: each worker writes only its own part. For the analyses, whose loops do not go
/// over tensors yet; others take `map` and `forEachStretch`.
package struct Shared<Pointee>: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Pointee>
    package init(_ pointer: UnsafeMutablePointer<Pointee>) { self.pointer = pointer }
    package init(_ pointer: UnsafePointer<Pointee>) { self.pointer = UnsafeMutablePointer(mutating: pointer) }
}
