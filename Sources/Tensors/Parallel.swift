import Dispatch
import Foundation
import Synchronization

/// Work on several cores at once. Each item of work runs wholly on one thread, so results do not depend on how many there are.
public enum Parallel {
    /// Cores that the process may use.
    public static let availableThreads = max(1, ProcessInfo.processInfo.activeProcessorCount)

    /// Calls `body(item, worker)` once for every item in 0 ..< count; items go to whichever worker is free, worker numbers lie
    /// in 0 ..< threads. Returns when all are done; rethrows the error of the lowest item that failed (later ones may be skipped).
    public static func forEach(_ count: Int, threads: Int = availableThreads, _ body: @Sendable (_ item: Int, _ worker: Int) throws -> Void) throws {
        let workers = max(1, min(threads, count))
        if workers == 1 {
            for item in 0..<count { try body(item, 0) }
            return
        }
        let next = Atomic(0)
        let failure = Mutex<(item: Int, error: any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
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
        if let failure = failure.withLock({ $0 }) { throw failure.error }
    }

    /// As `forEach`, for work that cannot fail.
    public static func forEach(_ count: Int, threads: Int = availableThreads, _ body: @Sendable (_ item: Int, _ worker: Int) -> Void) {
        let workers = max(1, min(threads, count))
        if workers == 1 {
            for item in 0..<count { body(item, 0) }
            return
        }
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            while true {
                let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard item < count else { return }
                body(item, worker)
            }
        }
    }

    /// 0 ..< count cut into ranges of `size`, the last one shorter; the cuts do not depend on the number of threads.
    public static func chunks(_ count: Int, size: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: max(1, size)).map { $0..<min(count, $0 + max(1, size)) }
    }
}

/// A pointer that the author promises to use without races: each worker writes only its own part.
public struct Shared<Pointee>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Pointee>
    public init(_ pointer: UnsafeMutablePointer<Pointee>) { self.pointer = pointer }
    public init(_ pointer: UnsafePointer<Pointee>) { self.pointer = UnsafeMutablePointer(mutating: pointer) }
}
