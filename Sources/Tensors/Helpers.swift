import Dispatch
import Glibc
import Synchronization

/// Threads that help the one that runs an item of work, which has them for itself (`Parallel.forEach` with fewer items than threads).
///
/// A network's next product comes within microseconds, and to wake a thread takes as long as a small product: a helper looks for work for a
/// moment before it sleeps. Helpers start with the first work that is shared, and are gone when `end` returns.
final class Helpers: Sendable {
    private struct Job: Sendable {
        var count: Int
        var body: @Sendable (Int) -> Void
    }

    /// Threads that work together, the one that runs the item included.
    let threads: Int
    private let job = Mutex<Job?>(nil)
    /// Jobs so far.
    private let turn = Atomic(0)
    private let next = Atomic(0)
    /// Helpers that hold the job at hand. It is over when its items are taken and nobody holds it.
    private let holders = Atomic(0)
    private let sleepers = Atomic(0)
    private let isOver = Atomic(false)
    private let bell = DispatchSemaphore(value: 0)
    private let group = DispatchGroup()
    private let hasStarted = Atomic(false)
    /// Looks before a helper sleeps; each gives its core away if somebody else wants it.
    private static let looks = 300

    init(threads: Int) { self.threads = threads }

    /// Of an item that has one thread.
    static let alone = Helpers(threads: 1)

    /// Calls `body` once for every item in 0 ..< count and returns when all are done. One job at a time.
    func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        if !hasStarted.exchange(true, ordering: .relaxed) {
            for _ in 1..<threads { DispatchQueue.global(qos: .userInitiated).async(group: group) { self.help() } }
        }
        next.store(0, ordering: .relaxed)
        job.withLock { $0 = Job(count: count, body: body) }
        turn.wrappingAdd(1, ordering: .sequentiallyConsistent)
        wake()
        work(count, body)
        job.withLock { $0 = nil }
        while holders.load(ordering: .acquiring) > 0 { sched_yield() }
    }

    /// Sends the helpers away.
    func end() {
        guard hasStarted.load(ordering: .relaxed) else { return }
        isOver.store(true, ordering: .sequentiallyConsistent)
        wake()
        group.wait()
    }

    private func wake() {
        for _ in 0..<sleepers.load(ordering: .sequentiallyConsistent) { bell.signal() }
    }

    private func work(_ count: Int, _ body: (Int) -> Void) {
        while true {
            let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard item < count else { return }
            body(item)
        }
    }

    private func help() {
        var seen = 0, looks = 0
        while !isOver.load(ordering: .sequentiallyConsistent) {
            let now = turn.load(ordering: .sequentiallyConsistent)
            if now != seen {
                (seen, looks) = (now, 0)
                // Whoever takes the job is counted under its lock: after the job is gone from there, the count only falls.
                let taken = job.withLock { job in
                    if job != nil { holders.wrappingAdd(1, ordering: .relaxed) }
                    return job
                }
                if let taken {
                    work(taken.count, taken.body)
                    holders.wrappingSubtract(1, ordering: .releasing)
                }
            } else if looks < Self.looks {
                looks += 1
                sched_yield()
            } else {
                // A job that comes now sees the sleeper, or is seen here.
                sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
                if turn.load(ordering: .sequentiallyConsistent) == seen && !isOver.load(ordering: .sequentiallyConsistent) { bell.wait() }
                sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
                looks = 0
            }
        }
    }
}
