import FileFormats
import Foundation
import Synchronization
import Testing
import Training

/// Letters between the peers of a test, which are threads of this process.
private final class Mail: Sendable {
    private let boxes: Mutex<[[Int]: [[UInt8]]]> = Mutex([:])

    func send(_ bytes: [UInt8], from: Int, to: Int) { boxes.withLock { $0[[from, to], default: []].append(bytes) } }

    func receive(from: Int, to: Int) throws -> [UInt8] {
        for _ in 0..<600_000 {
            if let letter = boxes.withLock({ boxes -> [UInt8]? in
                boxes[[from, to]]?.isEmpty == false ? boxes[[from, to]]?.removeFirst() : nil
            }) {
                return letter
            }
            usleep(100)
        }
        throw DataError(.unavailable, "peer \(to) waits for peer \(from) and nothing comes")
    }
}

private struct Peer: TrainingPeers {
    let rank: Int, count: Int, mail: Mail

    func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) { mail.send(Array(bytes), from: self.rank, to: rank) }
    func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws {
        let letter = try mail.receive(from: rank, to: self.rank)
        guard letter.count == bytes.count else {
            throw DataError(.badData, "\(letter.count) bytes came where \(bytes.count) were expected")
        }
        bytes.copyBytes(from: letter)
    }
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws {
        guard rank == self.rank else { return try receive(bytes, from: rank) }
        for other in 0..<count where other != rank { send(UnsafeRawBufferPointer(bytes), to: other) }
    }
}

@Suite struct PeerTests {
    /// Weights, best weights and history after a run of `count` peers; stopped after a step, where one is given.
    private func run(
        _ configuration: SentenceTrainingConfiguration, in folder: URL, peers count: Int, stop: Int? = nil
    ) -> [(weights: [[UInt32]], best: Double?, error: String)] {
        let mail = Mail(), results = Mutex([Int: (weights: [[UInt32]], best: Double?, error: String)]())
        let threads = (0..<count).map { rank in
            Thread {
                var result: (weights: [[UInt32]], best: Double?, error: String) = ([], nil, "")
                do {
                    let trainer = try SentenceTrainer(
                        configuration, threads: 1 + rank % 2, peers: count > 1 ? Peer(rank: rank, count: count, mail: mail) : nil)
                    do { try trainer.run(in: folder, shouldStop: { trainer.step == stop }) } catch let error as DataError
                        where error.kind == .interrupted
                    {}
                    result = (trainer.encoder.parameters.map { $0.value.elements.map(\.bitPattern) }, trainer.history.best, "")
                } catch { result.error = "\(error)" }
                results.withLock { $0[rank] = result }
            }
        }
        for thread in threads {
            thread.stackSize = 8 << 20
            thread.start()
        }
        for _ in 0..<600_000 where results.withLock({ $0.count }) < count { usleep(100) }
        return results.withLock { results in (0..<count).map { results[$0] ?? ([], nil, "peer \($0) has not ended") } }
    }

    /// Any number of peers, and another number after a stop: the very weights of one process, on every peer.
    @Test(.tags(.sameBits)) func anyNumberOfPeersGivesTheSameBits() throws {
        let tiny = try TinyRun()
        defer { tiny.remove() }
        let configuration = try tiny.configuration(["lanes": "5", "accumulate": "2", "clip": "0.5"])
        func folder(_ name: String) -> URL { tiny.folder.appendingPathComponent(name) }
        let alone = run(configuration, in: folder("1"), peers: 1)[0]
        #expect(alone.error.isEmpty && alone.best != nil)
        for count in [2, 3, 5] {
            for (rank, result) in run(configuration, in: folder("\(count)"), peers: count).enumerated() {
                #expect(result.error.isEmpty, "peer \(rank) of \(count)")
                #expect(result.weights == alone.weights && result.best == alone.best, "peer \(rank) of \(count)")
            }
        }
        _ = run(configuration, in: folder("broken"), peers: 4, stop: 7)
        #expect(try Checkpoint.newest(in: folder("broken"))?.step == 7)
        for result in run(configuration, in: folder("broken"), peers: 2) {
            #expect(result.weights == alone.weights && result.best == alone.best)
        }
        // More peers than lanes are refused.
        #expect(run(configuration, in: folder("many"), peers: 6).allSatisfy { $0.error.contains("5 lanes") })
    }
}
