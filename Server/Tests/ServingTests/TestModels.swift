import Foundation
import Kotonoha
import Synchronization

@testable import Serving

/// The checkout's own small model.
enum TestModels {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let small = root.appendingPathComponent("Models/kotonoha-small").path
    static let encoder = try! SentenceEncoder(model: small)

    /// Sentences of many lengths, all different.
    static func sentences(_ count: Int) -> [String] {
        let words = "two dogs play in snow 犬 が 雪 の 中 で 走る a bowl of noodles on the table 子供 たち は 公園 で 遊ぶ".split(separator: " ").map(
            String.init)
        var random = Generator(state: 7)
        return (0..<count).map { number in
            let length = 1 + Int(random.next() % (number % 17 == 0 ? 90 : 14))
            return "\(number) " + (0..<length).map { _ in words[Int(random.next() % UInt64(words.count))] }.joined(separator: " ")
        }
    }

    static func api(_ queue: ComputeQueue, _ change: (inout API.Settings) -> Void = { _ in }) throws -> API {
        var settings = API.Settings()
        change(&settings)
        return API(Holdings(encoders: [try ServedEncoder(encoder)]), queue: queue, settings: settings)
    }

    static func queue(workers: Int = 2, _ change: (inout ComputeQueue.Settings) -> Void = { _ in }) -> ComputeQueue {
        var settings = ComputeQueue.Settings()
        settings.workers = workers
        change(&settings)
        return ComputeQueue(settings: settings)
    }
}

struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Counts for several tasks.
final class Counter: Sendable {
    private let value = Atomic(0)
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// Computes a row's length, when it is allowed to.
final class GatedEngine: BatchEngine {
    let width = 1
    private let gate = DispatchSemaphore(value: 0)
    private let isOpen: Atomic<Bool>
    /// Batches that have come to the gate.
    let arrived = Atomic(0)
    let computed = Atomic(0)
    /// Lengths of the sequences of each batch.
    let batches = Mutex<[[Int]]>([])

    init(isOpen: Bool) { self.isOpen = Atomic(isOpen) }

    /// Lets all batches through, those that wait and those to come.
    func open() {
        isOpen.store(true, ordering: .relaxed)
        for _ in 0..<64 { gate.signal() }
    }

    func compute(_ batch: PackedBatch) throws -> Tensor<Float> {
        arrived.add(1, ordering: .relaxed)
        if !isOpen.load(ordering: .relaxed) { gate.wait() }
        computed.add(batch.sequences, ordering: .relaxed)
        let lengths = (0..<batch.sequences).map(batch.length)
        batches.withLock { $0.append(lengths) }
        return Tensor(lengths.map(Float.init), shape: [batch.sequences, 1])
    }
}

extension Fields {
    init(_ text: String) throws { try self.init(Array(text.utf8)) }
}
