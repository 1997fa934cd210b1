import ArgumentParser
import Foundation
import Glibc
import Synchronization

/// Load on an embedding server: clients that each wait for their answer (closed loop), or requests at times that were fixed beforehand, whether or not
/// the server keeps up (open loop; latencies then count from the planned time, so that waiting is not forgotten).
@main
struct LoadClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load-client", abstract: "Load on an embedding server, with a log of every request.")

    @Option(help: "The server's address.") var host = "127.0.0.1"
    @Option(help: "The server's port.") var port = 8080
    @Option(help: "The server's Unix socket, instead of a port.") var socket: String?
    @Option(help: "Path that is asked.") var path = "/v1/embeddings"
    @Option(help: "A file of sentences, one a line.") var sentences: String
    @Option(help: "Model named in the request.") var model: String?
    @Option(help: "Field of the request that holds the sentences.") var field = "input"
    @Option(help: "float or base64.") var format: String?
    @Option(help: "Sentences of a request.") var batch = 1
    @Option(help: "Connections; in an open loop the most requests under way at once.") var clients = 1
    @Option(help: "Requests a second at random times (Poisson): open loop.") var rate: Double?
    @Option(help: "Seconds.") var seconds = 10.0
    @Option(help: "Requests, instead of seconds.") var requests: Int?
    @Option(help: "Seed of the arrival times.") var seed: UInt64 = 1
    @Option(help: "A table of every request: number, planned, sent and answered in seconds, status.") var log: String?
    @Option(
        help:
            "A log of an idle run of the same sentences: simulates a queue of --servers servers with these service times and the arrivals of this run."
    ) var service: String?
    @Option(help: "Servers of the simulated queue.") var servers = 2

    struct Record: Sendable {
        var number = 0, planned = 0.0, sent = 0.0, answered = 0.0, status = 0
        /// For a connection that broke: whether an answer had begun.
        var isBroken = false, hadBegun = false
        var latency: Double { answered - planned }
    }

    func run() throws {
        let lines = try String(contentsOfFile: sentences, encoding: .utf8).split(separator: "\n").map(String.init)
        guard !lines.isEmpty else { throw ValidationError("\(sentences) holds no sentences") }
        let target: Connection.Target = socket.map { .socket($0) } ?? .port(host, port)
        let bodies = (0..<max(1, min(lines.count / batch, 20_000))).map { request(lines, $0) }
        // On the clock that a caller can read too (CLOCK_MONOTONIC), so that a request can be put before or after what the caller does.
        let begin = now() + (rate == nil ? 0 : 0.2)
        let records = rate == nil ? closedLoop(target, bodies, from: begin) : openLoop(target, bodies, from: begin)
        print("begin\t\(format6(begin))")
        try report(records)
    }

    private func request(_ lines: [String], _ number: Int) -> [UInt8] {
        let texts = (0..<batch).map { lines[(number * batch + $0) % lines.count] }
        var object: [String: Any] = [field: batch == 1 ? texts[0] as Any : texts as Any]
        if let model { object["model"] = model }
        if let format { object["encoding_format"] = format }
        let body = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
        let head = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + Array(body)
    }

    /// Each client sends its next request when the last one is answered.
    private func closedLoop(_ target: Connection.Target, _ bodies: [[UInt8]], from begin: Double) -> [Record] {
        let found = Mutex<[Record]>([]), next = Atomic(0), end = begin + seconds, most = requests
        let threads = (0..<clients).map { _ in
            joinable {
                let connection = Connection(target)
                var mine: [Record] = []
                while true {
                    let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    if let most { if number >= most { break } } else if now() >= end { break }
                    var record = Record(number: number), began = false
                    record.sent = now() - begin
                    record.planned = record.sent
                    let reply = connection.ask(bodies[number % bodies.count], began: &began)
                    record.answered = now() - begin
                    record.status = reply?.status ?? 0
                    (record.isBroken, record.hadBegun) = (reply == nil, began)
                    mine.append(record)
                    // The server has gone.
                    if reply == nil && !began && mine.suffix(3).allSatisfy(\.isBroken) && mine.count >= 3 { break }
                }
                found.withLock { $0 += mine }
            }
        }
        for thread in threads { thread.wait() }
        return found.withLock { $0 }.sorted { $0.number < $1.number }
    }

    /// Requests are sent at their times by whichever connection is free.
    private func openLoop(_ target: Connection.Target, _ bodies: [[UInt8]], from begin: Double) -> [Record] {
        var random = SplitMix(state: seed), times: [Double] = [], time = 0.0
        while true {
            time += -log1p(-random.unit()) / (rate ?? 1)
            if let requests { if times.count >= requests { break } } else if time > seconds { break }
            times.append(time)
        }
        let planned = times, found = Mutex<[Record]>([]), next = Atomic(0)
        let threads = (0..<clients).map { _ in
            joinable {
                let connection = Connection(target)
                var mine: [Record] = []
                while true {
                    let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard number < planned.count else { break }
                    let wait = begin + planned[number] - now()
                    if wait > 0 { usleep(UInt32(wait * 1e6)) }
                    var record = Record(number: number, planned: planned[number]), began = false
                    record.sent = now() - begin
                    let reply = connection.ask(bodies[number % bodies.count], began: &began)
                    record.answered = now() - begin
                    record.status = reply?.status ?? 0
                    (record.isBroken, record.hadBegun) = (reply == nil, began)
                    mine.append(record)
                }
                found.withLock { $0 += mine }
            }
        }
        for thread in threads { thread.wait() }
        return found.withLock { $0 }.sorted { $0.number < $1.number }
    }

    // MARK: Report

    private func report(_ records: [Record]) throws {
        if let log {
            var text = "number\tplanned\tsent\tanswered\tstatus\n"
            for r in records { text += "\(r.number)\t\(r.planned)\t\(r.sent)\t\(r.answered)\t\(r.status)\n" }
            try text.write(toFile: log, atomically: true, encoding: .utf8)
        }
        let good = records.filter { $0.status == 200 }, latencies = good.map(\.latency).sorted()
        let span = (records.map(\.answered).max() ?? 0) - (records.map(\.sent).min() ?? 0)
        func quantile(_ q: Double) -> Double {
            latencies.isEmpty ? .nan : latencies[min(latencies.count - 1, Int(q * Double(latencies.count)))] * 1000
        }
        let statuses = Dictionary(grouping: records, by: \.status).mapValues(\.count).sorted { $0.key < $1.key }
        print("requests\t\(records.count)")
        for (status, count) in statuses { print(status == 0 ? "broken\t\(count)" : "status_\(status)\t\(count)") }
        print("broken_after_answer_began\t\(records.count { $0.isBroken && $0.hadBegun })")
        print("seconds\t\(format3(span))")
        print("sentences_per_second\t\(format3(Double(good.count * batch) / span))")
        for (name, q) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99), ("max_ms", 1)] { print("\(name)\t\(format3(quantile(q)))") }
        if rate != nil {
            let late = records.map { $0.sent - $0.planned }.sorted()
            print("late_p99_ms\t\(format3((late.isEmpty ? 0 : late[Int(0.99 * Double(late.count))]) * 1000))")
        }
        if let service { print("simulated_p99_ms\t\(format3(try simulated(records, service) * 1000))") }
    }

    /// The 99 % quantile of a first-come-first-served queue with these arrivals, and the service times of an idle run.
    private func simulated(_ records: [Record], _ path: String) throws -> Double {
        let times = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst().map { line in
            let cells = line.split(separator: "\t").compactMap { Double($0) }
            return cells[3] - cells[2]
        }
        guard !times.isEmpty else { throw ValidationError("\(path) holds no requests") }
        var free = [Double](repeating: 0, count: servers), waits: [Double] = []
        for record in records {
            let place = free.indices.min { free[$0] < free[$1] } ?? 0
            free[place] = max(free[place], record.planned) + times[record.number % times.count]
            waits.append(free[place] - record.planned)
        }
        waits.sort()
        return waits[min(waits.count - 1, Int(0.99 * Double(waits.count)))]
    }
}

private func format3(_ value: Double) -> String { String(format: "%.3f", value) }
private func format6(_ value: Double) -> String { String(format: "%.6f", value) }

private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func joinable(_ body: @escaping @Sendable () -> Void) -> DispatchSemaphore {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        body()
        done.signal()
    }
    thread.stackSize = 1 << 20
    thread.start()
    return done
}

/// Steele, Lea & Flood 2014.
private struct SplitMix {
    var state: UInt64
    mutating func unit() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
