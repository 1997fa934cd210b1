import Foundation
import Kotonoha
import Synchronization
import Testing

@testable import Serving

@Suite struct ComputeQueueTests {
    /// Whoever asks, with whatever others ask at the same time, gets the vector that `embed` gives.
    @Test func sameBitsUnderAnySchedule() async throws {
        let isFull = ProcessInfo.processInfo.environment["KOTONOHA_SCHEDULES"] == "full"
        let sentences = TestModels.sentences(isFull ? 10_000 : 300), engine = EncoderEngine(TestModels.encoder)
        let expected = try TestModels.encoder.encode(sentences).elements, width = engine.width
        var random = Generator(state: 20), differences = 0
        for _ in 0..<(isFull ? 50 : 12) {
            let clients = Int.random(in: 1...64, using: &random), workers = Int.random(in: 1...3, using: &random)
            let queue = TestModels.queue(workers: workers) {
                $0.batchTokens = [64, 256, 1024, 4096].randomElement(using: &random)!
                $0.capacityTokens = .max
            }
            // Requests of random sizes in random order.
            var order = sentences.indices.shuffled(using: &random), requests: [[Int]] = []
            while !order.isEmpty {
                let most = [1, 8, 64, 2048].randomElement(using: &random)!,
                    size = min(order.count, Int.random(in: 1...most, using: &random))
                requests.append(Array(order.prefix(size)))
                order.removeFirst(size)
            }
            let work = requests
            let next = Counter()
            differences += try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<clients {
                    group.addTask {
                        var wrong = 0
                        while true {
                            let number = next.next()
                            guard number < work.count else { return wrong }
                            let rows = work[number]
                            let found = try await queue.run(engine, texts: rows.count, bytes: 0) {
                                engine.encoder.prepared(sentences[rows[$0]])
                            } render: {
                                $0.values
                            }
                            for (place, row) in rows.enumerated() {
                                let a = found[place * width..<(place + 1) * width], b = expected[row * width..<(row + 1) * width]
                                if !zip(a, b).allSatisfy({ $0.bitPattern == $1.bitPattern }) { wrong += 1 }
                            }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(differences == 0)
    }

    @Test func refusesWhileTooManyTokensWait() async throws {
        let queue = TestModels.queue(workers: 1) { $0.capacityTokens = 10 }, engine = GatedEngine(isOpen: false)
        let ask: @Sendable (Int) async throws -> [Float] = { length in
            try await queue.run(engine, texts: 1, bytes: 1) { _ in
                PreparedText(ids: Array(repeating: 1, count: length))
            } render: {
                $0.values
            }
        }
        // One is computed, one waits and fills the queue.
        let first = Task { try await ask(3) }
        try await until { engine.arrived.load(ordering: .relaxed) == 1 }
        let second = Task { try await ask(12) }
        // The worker is busy, so the second one's tokens are not known yet; once the first is through they are.
        try await until { queue.load.waitingRequests == 2 }
        engine.open()
        #expect(try await first.value == [3])
        #expect(try await second.value == [12])

        let closed = GatedEngine(isOpen: false)
        let two = TestModels.queue(workers: 2) { $0.capacityTokens = 10 }
        let run: @Sendable (Int) async throws -> [Float] = { length in
            try await two.run(closed, texts: 1, bytes: 1) { _ in
                PreparedText(ids: Array(repeating: 1, count: length))
            } render: {
                $0.values
            }
        }
        // Both workers compute; what follows is prepared when one is free, so fill the queue through a third that a worker has prepared.
        let third = Task { try await run(3) }
        try await until { closed.arrived.load(ordering: .relaxed) == 1 }
        let many = Task {
            try await two.run(closed, texts: 40, bytes: 1) { _ in
                PreparedText(ids: Array(repeating: 1, count: 1000))
            } render: {
                $0.values
            }
        }
        try await until { two.load.waitingTokens > 10 }
        await #expect(throws: ComputeQueue.Overload.self) { try await run(1) }
        #expect(two.load.refused == 1)
        closed.open()
        #expect(try await third.value == [3])
        #expect(try await many.value.count == 40)
        #expect(try await run(1) == [1])
        #expect(two.load.waitingTokens == 0 && two.load.waitingRequests == 0)
    }

    @Test func dropsWorkWhoseClientHasGone() async throws {
        let queue = TestModels.queue(workers: 1), engine = GatedEngine(isOpen: false)
        let first = Task {
            try await queue.run(engine, texts: 1, bytes: 1) { _ in
                PreparedText(ids: [1])
            } render: {
                $0.values
            }
        }
        try await until { engine.arrived.load(ordering: .relaxed) == 1 }
        let gone = Task {
            try await queue.run(engine, texts: 100, bytes: 1) { _ in
                PreparedText(ids: [1, 2])
            } render: {
                $0.values
            }
        }
        try await until { queue.load.waitingRequests == 2 }
        gone.cancel()
        await #expect(throws: CancellationError.self) { try await gone.value }
        engine.open()
        _ = try await first.value
        try await until { queue.load.waitingRequests == 0 }
        #expect(engine.computed.load(ordering: .relaxed) == 1)
        #expect(queue.load.dropped == 1)
    }

    /// A request of one sentence does not wait for a request of thousands.
    @Test func requestsTakeTurns() async throws {
        let queue = TestModels.queue(workers: 1) { $0.batchTokens = 64 }, engine = GatedEngine(isOpen: false)
        let big = Task {
            try await queue.run(engine, texts: 2048, bytes: 1) { _ in
                PreparedText(ids: Array(repeating: 1, count: 8))
            } render: {
                $0.values.count
            }
        }
        try await until { engine.arrived.load(ordering: .relaxed) == 1 }
        let small = Task {
            try await queue.run(engine, texts: 1, bytes: 1) { _ in
                PreparedText(ids: [1])
            } render: { _ in
                engine.computed.load(ordering: .relaxed)
            }
        }
        try await until { queue.load.waitingRequests == 2 }
        engine.open()
        #expect(try await small.value < 200)
        #expect(try await big.value == 2048)
    }

    /// A batch is whole tiles, and the sentence that did not fit into it begins the next one.
    @Test func fillsTiles() async throws {
        let queue = TestModels.queue(workers: 1), engine = GatedEngine(isOpen: false)
        var requests: [Task<[Float], any Error>] = []
        for (place, length) in [5, 40, 30, 24].enumerated() {
            requests.append(
                Task {
                    try await queue.run(engine, texts: 1, bytes: 1) { _ in
                        PreparedText(ids: Array(repeating: 1, count: length))
                    } render: {
                        $0.values
                    }
                })
            try await until { queue.load.waitingRequests == place + 1 && engine.arrived.load(ordering: .relaxed) == 1 }
        }
        engine.open()
        var found: [Float] = []
        for request in requests { found += try await request.value }
        #expect(found == [5, 40, 30, 24])
        #expect(engine.batches.withLock { $0 } == [[5], [40, 24], [30]])
    }

    @Test func anErrorEndsItsRequestAlone() async throws {
        let queue = TestModels.queue(), engine = GatedEngine(isOpen: true)
        await #expect(throws: APIError.self) {
            try await queue.run(engine, texts: 70, bytes: 1) { place in
                if place == 66 { throw APIError.invalid("no") }
                return PreparedText(ids: [1])
            } render: {
                $0.values
            }
        }
        #expect(
            try await queue.run(engine, texts: 1, bytes: 1) { _ in
                PreparedText(ids: [1, 2, 3])
            } render: {
                $0.values
            } == [3])
        try await until { queue.load.waitingRequests == 0 && queue.load.waitingTokens == 0 }
    }
}

/// Waits for what another thread does.
func until(_ condition: @Sendable () -> Bool) async throws {
    for _ in 0..<2000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("waited 10 s in vain")
}
