import DequeModule
import Dispatch
import Foundation
import Kotonoha
import Synchronization

/// What packed batches are computed with: the same row for a sequence in any batch.
public protocol BatchEngine: AnyObject, Sendable {
    /// Numbers that one sequence becomes.
    var width: Int { get }
    /// Shape (sequences, width).
    /// - Throws: `DataError` where a result is NaN or infinite.
    func compute(_ batch: PackedBatch) throws -> Tensor<Float>
}

/// Sentences of many requests, computed in packed batches on threads of the queue's own.
///
/// A worker that is free takes its share of what is there, up to the token budget and in whole tiles of a product (`BatchChoice`), and never
/// waits for more. Requests take turns: each gives at most one batch before the next one has its turn, so a request of 2,048 sentences does
/// not hold up a request of one. Since a sentence's vector is the same in any batch, none of this can be seen in a result.
///
/// Admission counts tokens: a request is refused while `capacityTokens` or more wait before it.
public final class ComputeQueue: Sendable {
    public struct Settings: Sendable {
        /// Threads, one a core.
        public var workers = Parallel.availableThreads
        /// Tokens of a batch.
        public var batchTokens = 1024
        /// A new request is refused while so many tokens wait.
        public var capacityTokens = 65_536
        /// A new request is refused while so many bytes of text wait for the tokenizer.
        public var capacityBytes = 64 << 20

        public init() {}
    }

    /// The queue is full.
    public struct Overload: Error {
        /// Seconds after which the work that waits now should be done, at least 1.
        public let retryAfter: Int
    }

    /// The texts of one request, computed.
    public struct Rows: Sendable {
        /// (texts, width), row-major.
        public var values: [Float]
        public var width: Int
        /// Tokens computed, special ones included.
        public var tokens: Int
        /// Places of the texts that were cut at the maximum length.
        public var truncated: [Int]
    }

    public struct Load: Sendable {
        public var waitingTokens = 0
        public var waitingRequests = 0
        public var tokensPerSecond = 0.0
        public var computedTokens = 0
        public var computedTexts = 0
        public var batches = 0
        public var refused = 0
        public var dropped = 0
    }

    public let settings: Settings
    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    /// - Parameter name: of the threads.
    public init(settings: Settings = Settings(), name: String = "kotonoha") {
        self.settings = settings
        state = Mutex(State())
        for number in 0..<settings.workers {
            let thread = Thread { [self] in work() }
            thread.name = "\(name) \(number)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    public var load: Load { state.withLock(\.load) }

    // MARK: Requests

    /// Computes the texts of one request and renders the answer on a worker.
    ///
    /// - Parameters:
    ///   - texts: how many; `prepare` is called once for each place.
    ///   - bytes: of all texts, for admission.
    ///   - isUrgent: goes before all others and is never refused; for one short text.
    ///   - prepare: tokens of a text; its error ends the request.
    ///   - render: makes the answer out of the rows.
    /// - Throws: `Overload`, what `prepare` and `render` throw, `CancellationError` when the task is cancelled: what waits is dropped then.
    public func run<Answer: Sendable>(
        _ engine: any BatchEngine, texts: Int, bytes: Int, isUrgent: Bool = false,
        prepare: @escaping @Sendable (Int) throws -> PreparedText,
        render: @escaping @Sendable (Rows) throws -> Answer
    ) async throws -> Answer {
        let job = Job(engine: engine, count: texts, bytes: bytes, isUrgent: isUrgent, prepare: prepare)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Answer, any Error>) in
                job.finish.withLock { finish in
                    finish = { result in continuation.resume(with: result.flatMap { rows in Result { try render(rows) } }) }
                }
                admit(job)
            }
        } onCancel: {
            cancel(job)
        }
    }

    /// Runs other work of a request, such as reading a large body or a search, on a worker, before batches.
    /// - Throws: `Overload` where `mostErrands` wait already; what `work` throws.
    public func perform<Answer: Sendable>(_ work: @escaping @Sendable () throws -> Answer) async throws -> Answer {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Answer, any Error>) in
            let isAccepted = state.withLock { state in
                guard state.errands.count < Self.mostErrands else {
                    state.load.refused += 1
                    return false
                }
                state.errands.append { continuation.resume(with: Result { try work() }) }
                return true
            }
            if isAccepted { wakeWorkers() } else { continuation.resume(throwing: Overload(retryAfter: 1)) }
        }
    }

    static let mostErrands = 256

    private func admit(_ job: Job) {
        let refusal: Overload? = state.withLock { state in
            let isFull = state.load.waitingTokens >= settings.capacityTokens || state.waitingBytes >= settings.capacityBytes
            if isFull && !job.isUrgent {
                state.load.refused += 1
                return Overload(retryAfter: state.retryAfter)
            }
            state.waitingBytes += job.bytes
            state.load.waitingRequests += 1
            state.preparing.append(job)
            return nil
        }
        if let refusal { return job.end(.failure(refusal)) }
        // A request cancelled before it stood in the queue.
        if Task.isCancelled { cancel(job) }
        wakeWorkers()
    }

    private func cancel(_ job: Job) {
        let wasWaiting = state.withLock { $0.remove(job) }
        if wasWaiting { state.withLock { $0.load.dropped += 1 } }
        job.end(.failure(CancellationError()))
    }

    private func wakeWorkers() {
        let count = state.withLock { state in
            let woken = state.sleepers
            state.sleepers = 0
            return woken
        }
        for _ in 0..<count { wake.signal() }
    }

    // MARK: Workers

    private func work() {
        while true {
            switch state.withLock({ $0.next(settings) }) {
            case .none: wake.wait()
            case .errand(let errand): errand()
            case .prepare(let job, let places): prepare(job, places)
            case .batch(let batch): compute(batch)
            }
        }
    }

    private func prepare(_ job: Job, _ places: Range<Int>) {
        do {
            let found = try places.map { try job.prepare($0) }
            let isReady = state.withLock { $0.prepared(job, places, found, settings) }
            switch isReady {
            case .waiting: break
            case .ready: wakeWorkers()
            case .full(let overload): job.end(.failure(overload))
            }
        } catch {
            _ = state.withLock { $0.remove(job) }
            job.end(.failure(error))
        }
    }

    private func compute(_ batch: Batch) {
        let begin = ContinuousClock.now
        let result = Result { try batch.engine.compute(batch.packed) }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        var failed: [(Job, any Error)] = []
        switch result {
        case .success(let rows):
            var place = 0
            for (job, texts) in batch.members {
                job.store(rows, from: place, at: texts)
                place += texts.count
            }
        case .failure(let error): failed = batch.members.map { ($0.job, error) }
        }
        let finished = state.withLock { $0.computed(batch, seconds: seconds, failed: failed.map(\.0)) }
        for (job, error) in failed { job.end(.failure(error)) }
        for job in finished { job.end(.success(job.rows())) }
    }
}

extension ComputeQueue {
    /// Sequences of one or several requests.
    struct Batch: Sendable {
        let engine: any BatchEngine
        var packed = PackedBatch()
        var members: [(job: Job, texts: Range<Int>)] = []
    }

    private enum Work {
        case errand(@Sendable () -> Void)
        case prepare(Job, Range<Int>)
        case batch(Batch)
    }

    private enum Readiness { case waiting, ready, full(Overload) }

    private struct State: Sendable {
        var errands: Deque<@Sendable () -> Void> = []
        var preparing: Deque<Job> = []
        var ready: Deque<Job> = []
        var waitingBytes = 0
        var sleepers = 0
        var computing = 0
        var load = Load()

        var retryAfter: Int {
            load.tokensPerSecond > 0 ? max(1, min(60, Int((Double(load.waitingTokens) / load.tokensPerSecond).rounded(.up)))) : 1
        }

        /// What a free worker does next; counts it among the sleepers where there is nothing.
        mutating func next(_ settings: Settings) -> Work? {
            if let errand = errands.popFirst() { return .errand(errand) }
            if let job = preparing.first {
                let places = job.nextToPrepare..<min(job.count, job.nextToPrepare + 64)
                job.nextToPrepare = places.upperBound
                if places.upperBound == job.count { preparing.removeFirst() }
                return .prepare(job, places)
            }
            if let batch = nextBatch(settings) {
                computing += 1
                return .batch(batch)
            }
            sleepers += 1
            return nil
        }

        private mutating func nextBatch(_ settings: Settings) -> Batch? {
            guard let engine = ready.first?.engine else { return nil }
            // What waits is shared among all workers: one that is free soon finds enough for whole tiles.
            let share = BatchChoice.tiles(for: load.waitingTokens / max(1, settings.workers))
            let budget = min(settings.batchTokens, share), outlook = budget + BatchChoice.tile
            var seen: [Job] = [], waiting: [BatchChoice.Waiting] = [], tokens = 0
            while tokens < outlook, let job = ready.popFirst() {
                let lengths = job.engine === engine ? job.nextLengths(reaching: outlook) : []
                seen.append(job)
                waiting.append(BatchChoice.Waiting(lengths: lengths, wasPassed: job.wasPassed))
                tokens += lengths.reduce(0, +)
            }
            let counts = BatchChoice.counts(waiting, budget: budget), last = counts.lastIndex { $0 > 0 } ?? 0
            var batch = Batch(engine: engine), unfinished: [Job] = [], kept: [Job] = []
            for (place, (job, count)) in zip(seen, counts).enumerated() {
                guard count > 0 else {
                    if place < last { job.wasPassed = true }
                    kept.append(job)
                    continue
                }
                take(count, of: job, into: &batch)
                // Its turn comes again after the others'; a request that had none yet keeps its place.
                if job.nextToCompute < job.count { unfinished.append(job) }
            }
            for job in kept.reversed() { ready.prepend(job) }
            ready.append(contentsOf: unfinished)
            return batch
        }

        private mutating func take(_ count: Int, of job: Job, into batch: inout Batch) {
            let texts = job.nextToCompute..<job.nextToCompute + count, before = batch.packed.tokens
            for place in texts {
                guard let text = job.prepared[place] else { preconditionFailure("only requests whose texts are prepared are ready") }
                batch.packed.append(text.ids, typeIDs: text.typeIDs)
                job.prepared[place] = nil
            }
            let taken = batch.packed.tokens - before
            job.waitingTokens -= taken
            load.waitingTokens -= taken
            job.nextToCompute = texts.upperBound
            job.wasPassed = false
            batch.members.append((job, texts))
        }

        mutating func prepared(_ job: Job, _ places: Range<Int>, _ found: [PreparedText], _ settings: Settings) -> Readiness {
            guard !job.isOver else { return .waiting }
            for (place, text) in zip(places, found) {
                job.prepared[place] = text
                job.tokens += text.ids.count
                if text.isTruncated { job.truncated.append(place) }
            }
            job.preparedCount += found.count
            guard job.preparedCount == job.count else { return .waiting }
            job.truncated.sort()
            waitingBytes -= job.bytes
            if load.waitingTokens >= settings.capacityTokens && !job.isUrgent {
                job.isOver = true
                load.refused += 1
                load.waitingRequests -= 1
                return .full(Overload(retryAfter: retryAfter))
            }
            job.waitingTokens = job.tokens
            load.waitingTokens += job.tokens
            if job.isUrgent { ready.prepend(job) } else { ready.append(job) }
            return .ready
        }

        /// Takes a request out; whether it was there.
        mutating func remove(_ job: Job) -> Bool {
            guard !job.isOver else { return false }
            job.isOver = true
            if job.preparedCount < job.count { waitingBytes -= job.bytes }
            load.waitingTokens -= job.waitingTokens
            job.waitingTokens = 0
            load.waitingRequests -= 1
            preparing.removeAll { $0 === job }
            ready.removeAll { $0 === job }
            return true
        }

        /// The requests that are finished with this batch.
        mutating func computed(_ batch: Batch, seconds: Double, failed: [Job]) -> [Job] {
            computing -= 1
            load.batches += 1
            load.computedTokens += batch.packed.tokens
            load.computedTexts += batch.packed.sequences
            // All workers together, over the last batches.
            let rate = Double(batch.packed.tokens) / max(seconds, 1e-6) * Double(max(1, computing + 1))
            load.tokensPerSecond = load.tokensPerSecond == 0 ? rate : 0.95 * load.tokensPerSecond + 0.05 * rate
            for job in failed { _ = remove(job) }
            var finished: [Job] = []
            for (job, texts) in batch.members where !job.isOver {
                job.computedCount += texts.count
                guard job.computedCount == job.count else { continue }
                job.isOver = true
                load.waitingRequests -= 1
                finished.append(job)
            }
            return finished
        }
    }
}
