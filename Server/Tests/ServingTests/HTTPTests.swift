import Foundation
import Kotonoha
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Serving

/// A server within the test, on a port of its own.
private final class RunningServe: Sendable {
    let port: Int
    private let task: Task<Void, any Error>

    init(_ api: API, key: String? = nil, change: (inout Serve) -> Void = { _ in }) async throws {
        var serve = Serve(addresses: [.host("127.0.0.1", port: 0)])
        serve.admission = Admission(key: key)
        change(&serve)
        let (starts, start) = AsyncStream<Int>.makeStream(), server = serve
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let log = logger
        task = Task {
            try await server.run(api, signals: [], logger: log) { if case .host(_, let port) = $0 { start.yield(port) } }
        }
        var iterator = starts.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }
    deinit { task.cancel() }
}

@Suite(.serialized) struct HTTPTests {
    private let queue = TestModels.queue()

    @Test func answersOverOneConnection() async throws {
        let server = try await RunningServe(TestModels.api(queue)), client = try RawClient(port: server.port)
        for _ in 0..<3 {
            client.post("/v1/embeddings", #"{"input": "two dogs"}"#)
            let answer = try #require(client.answer())
            #expect(answer.status == 200)
            #expect(answer.head.lowercased().contains("x-kotonoha-fingerprint: \(try ServedEncoder(TestModels.encoder).fingerprint)"))
            #expect(!answer.head.lowercased().contains("access-control"))
        }
    }

    @Test(arguments: [
        ("GET /v1/embeddings HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
        ("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404), ("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404), ("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ])
    func refusesInItsShape(_ request: String, _ status: Int) async throws {
        let server = try await RunningServe(TestModels.api(queue)), client = try RawClient(port: server.port)
        client.say(request)
        let answer = try #require(client.answer())
        #expect(answer.status == status)
        let json = try JSON(parsing: answer.body)
        if status != 200 { #expect(json["error"]?["message"]?.string?.isEmpty == false) }
        if status == 405 { #expect(answer.head.lowercased().contains("allow: ")) }
    }

    @Test func limitsHeadsAndBodies() async throws {
        let server = try await RunningServe(TestModels.api(queue)) {
            $0.limits.headTime = .milliseconds(300)
            $0.limits.bodyTime = .milliseconds(300)
            $0.limits.bodyBytes = 10_000
        }
        let slowHead = try RawClient(port: server.port)
        slowHead.say("POST /v1/embeddings HTTP/1.1\r\nHost: local")
        #expect(slowHead.isClosed())
        let dripping = try RawClient(port: server.port)
        dripping.say("GET /health HTTP/1.1\r\n")
        for _ in 0..<10 {
            try await Task.sleep(for: .milliseconds(100))
            if !dripping.say("X: y\r\n") { break }
        }
        #expect(dripping.isClosed())
        let slowBody = try RawClient(port: server.port)
        slowBody.say("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n{\"input\":")
        #expect(slowBody.isClosed())
        let longHead = try RawClient(port: server.port)
        longHead.say("GET /health HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "y", count: 100_000))\r\n\r\n")
        #expect(longHead.answer()?.status ?? 0 != 200)
        let large = try RawClient(port: server.port)
        large.say("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<200 where !large.say("3e8\r\n\(String(repeating: " ", count: 1000))\r\n") { break }
        #expect(large.answer()?.status == 413)
        #expect(large.isClosed())
        // Others are served all the while.
        let good = try RawClient(port: server.port)
        good.post("/v1/embeddings", #"{"input": "two dogs"}"#)
        #expect(good.answer()?.status == 200)
    }

    @Test func aClientThatExpectsToContinueMay() async throws {
        let server = try await RunningServe(TestModels.api(queue)), client = try RawClient(port: server.port),
            body = #"{"input": "two dogs"}"#
        client.say("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        #expect(client.answer()?.status == 100)
        client.say(body)
        #expect(client.answer()?.status == 200)
    }

    @Test func aKeyIsAskedForButByHealth() async throws {
        let server = try await RunningServe(TestModels.api(queue), key: "secret"), client = try RawClient(port: server.port)
        client.post("/v1/embeddings", #"{"input": "two dogs"}"#)
        #expect(client.answer()?.status == 401)
        client.post("/v1/embeddings", #"{"input": "two dogs"}"#, headers: "Authorization: Bearer secret\r\n")
        #expect(client.answer()?.status == 200)
        client.say("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.answer()?.status == 200)
    }

    /// The queue is full: status 429 with the time after which to come again; a client that leaves has its work dropped.
    @Test func refusesWhenFullAndDropsWhatNobodyWaitsFor() async throws {
        let busy = TestModels.queue(workers: 1) { $0.capacityTokens = 1 }, api = try TestModels.api(busy),
            engine = GatedEngine(isOpen: false)
        let server = try await RunningServe(api)
        let blocking = Task {
            try await busy.run(engine, texts: 2, bytes: 1, isUrgent: true) { _ in
                PreparedText(ids: Array(repeating: 1, count: 2000))
            } render: { _ in
                0
            }
        }
        try await until { busy.load.waitingTokens >= 2000 }
        let refused = try RawClient(port: server.port)
        refused.post("/v1/embeddings", #"{"input": "two dogs"}"#)
        let answer = try #require(refused.answer())
        #expect(answer.status == 429 && answer.head.lowercased().contains("retry-after: "))
        #expect(try JSON(parsing: answer.body)["error"]?["type"]?.string == "rate_limit_error")
        engine.open()
        _ = try await blocking.value

        let closed = GatedEngine(isOpen: false)
        let held = Task {
            try await busy.run(closed, texts: 1, bytes: 1) { _ in
                PreparedText(ids: [1])
            } render: { _ in
                0
            }
        }
        try await until { closed.arrived.load(ordering: .relaxed) == 1 }
        do {
            let leaving = try RawClient(port: server.port)
            leaving.post("/v1/embeddings", #"{"input": "two dogs"}"#)
            try await until { busy.load.waitingRequests == 2 }
        }
        try await until { busy.load.dropped == 1 && busy.load.waitingRequests == 1 }
        closed.open()
        _ = try await held.value
    }
}

/// The program itself, as an init system starts and ends it.
@Suite(.serialized) struct ProgramTests {
    private static let program = TestModels.root.appendingPathComponent(".build/release/kotonoha-serve").path

    private func start(_ arguments: [String]) throws -> (process: Process, lines: FileHandle) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = arguments
        process.standardError = pipe
        try process.run()
        return (process, pipe.fileHandleForReading)
    }

    private func firstLine(_ handle: FileHandle) -> String {
        var text = ""
        while !text.contains("\n") {
            let part = handle.availableData
            if part.isEmpty { break }
            text += String(decoding: part, as: UTF8.self)
        }
        return text
    }

    @Test func endsOnSIGTERMWithNothingLost() async throws {
        let (process, lines) = try start(["serve", "--model", TestModels.small, "--port", "0"])
        defer { if process.isRunning { process.terminate() } }
        let line = firstLine(lines)
        let port = try #require(line.split(separator: " ").first { $0.hasPrefix("http://") }.flatMap { URL(string: String($0))?.port })
        // Idle, a connection open.
        let idle = try RawClient(port: port)
        idle.say("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(idle.answer()?.status == 200)
        // A request that takes a while is under way.
        let busy = try RawClient(port: port, receiveBuffer: 4096)
        let many = JSON.array(TestModels.sentences(2000).map(JSON.string)).serialized()
        busy.post("/v1/embeddings", #"{"input": \#(many), "encoding_format": "base64"}"#)
        // Not before it has been accepted.
        for _ in 0..<500 {
            idle.say("GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let info = try JSON(parsing: try #require(idle.answer()).body)
            if info["waiting_tokens"]?.int ?? 0 > 0 { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        process.terminate()
        // It is read late: by then the answer of some megabytes waits for room, and its connection is to be closed.
        try await Task.sleep(for: .seconds(4))
        #expect(process.isRunning)
        let answer = try #require(busy.answer())
        let rows = try JSON(parsing: answer.body)["data"]?.array?.count
        #expect(answer.status == 200 && rows == 2000)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(throws: (any Error).self) { try RawClient(port: port) }

        let (second, secondLines) = try start(["serve", "--model", TestModels.small, "--port", "0"])
        _ = firstLine(secondLines)
        let begin = ContinuousClock.now
        second.terminate()
        second.waitUntilExit()
        #expect(ContinuousClock.now - begin < .seconds(2))
        #expect(second.terminationStatus == 0)
    }

    /// Commands that ask the server print what they print without it, and load no model.
    @Test func commandsAskARunningServer() throws {
        let kotonoha = TestModels.root.appendingPathComponent(".build/release/kotonoha").path
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let socket = folder.appendingPathComponent("s").path
        let (process, lines) = try start(["serve", "--model", TestModels.small, "--port", "0", "--socket", socket])
        defer { process.terminate() }
        while access(socket, F_OK) != 0 { _ = firstLine(lines) }
        func run(_ arguments: [String], input: String = "", server: String?) throws -> (status: Int32, output: String, errors: String) {
            let command = Process(), output = Pipe(), errors = Pipe(), feed = Pipe()
            command.executableURL = URL(fileURLWithPath: kotonoha)
            command.arguments = arguments
            var environment = ProcessInfo.processInfo.environment
            environment["KOTONOHA_SERVER"] = server
            command.environment = environment
            (command.standardOutput, command.standardError, command.standardInput) = (output, errors, feed)
            try command.run()
            feed.fileHandleForWriting.write(Data(input.utf8))
            try feed.fileHandleForWriting.close()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            command.waitUntilExit()
            return (command.terminationStatus, text, words)
        }
        let here = try run(["similarity", "犬が走る", "A dog is running", "--json"], server: nil),
            there = try run(["similarity", "犬が走る", "A dog is running", "--json"], server: socket)
        #expect(there.status == 0, "\(there.errors)")
        #expect(here.output == there.output)
        // The note on the default model is what loading prints.
        #expect(here.errors.contains("model:") && there.errors.isEmpty, "\(there.errors)")
        let text = TestModels.sentences(40).joined(separator: "\n") + "\n", first = folder.appendingPathComponent("a.h5").path,
            second = folder.appendingPathComponent("b.h5").path
        #expect(try run(["embed", "-", "-o", first, "--format", "txt"], input: text, server: nil).status == 0)
        #expect(try run(["embed", "-", "-o", second, "--format", "txt"], input: text, server: socket).status == 0)
        #expect(
            try VectorFile(path: first).readEmbeddings().map(\.bitPattern) == VectorFile(path: second).readEmbeddings().map(\.bitPattern))
        let ranked = try run(["rank", second, "two dogs"], server: socket)
        let rankedHere = try run(["rank", second, "two dogs"], server: nil)
        #expect(ranked.status == 0 && ranked.output == rankedHere.output)
    }

    @Test func anOpenAddressNeedsAKey() throws {
        let (process, lines) = try start(["serve", "--model", TestModels.small, "--host", "0.0.0.0", "--port", "0"])
        #expect(firstLine(lines).contains("KOTONOHA_KEY"))
        process.waitUntilExit()
        #expect(process.terminationStatus == 64)
    }

    @Test func aPortInUseIsNamed() async throws {
        let taken = try await RunningServe(TestModels.api(TestModels.queue()))
        let (process, lines) = try start(["serve", "--model", TestModels.small, "--port", String(taken.port)])
        #expect(firstLine(lines).contains("cannot listen"))
        process.waitUntilExit()
        #expect(process.terminationStatus == 69)
    }
}
