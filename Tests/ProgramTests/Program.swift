import Foundation
import TestTools

/// The built program, run as a user runs it.
struct Program {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// `kotonoha` beside the test bundle; `KOTONOHA_TESTED` names another build, to see a test fail on it.
    static let executable =
        ProcessInfo.processInfo.environment["KOTONOHA_TESTED"].map { URL(fileURLWithPath: $0) }
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("kotonoha")

    /// A folder of its own for one test.
    let folder: URL

    init() throws {
        folder = try TestFolder.make("program")
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: folder.appendingPathComponent(name))
        return path(name)
    }
    func write(_ name: String, _ text: String) throws -> String { try write(name, text.utf8) }
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name)) }

    /// That of the tests, without the user's cache, settings and language: what one test leaves there is not to help another, and messages are English.
    static func environment(_ own: [String: String] = [:]) -> [String: String] {
        ProcessInfo.processInfo.environment.merging(["KOTONOHA_CACHE": "off", "KOTONOHA_CONFIG": "off", "KOTONOHA_LANGUAGE": "en"]) { $1 }
            .merging(own) { $1 }
    }

    func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = Self.environment(environment)
        process.currentDirectoryURL = folder
        return process
    }

    /// Output goes through files, so that neither pipe can fill up and stop the program.
    func run(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws -> Result {
        try run(arguments, input: input, environment: environment)
    }

    func run(_ arguments: [String], input: String = "", environment: [String: String] = [:], folder: URL? = nil) throws -> Result {
        try run(process(arguments, environment: environment), input: input, in: folder)
    }

    private func run(_ process: Process, input: String = "", in place: URL? = nil) throws -> Result {
        process.currentDirectoryURL = place ?? folder
        let names = ["stdin", "stdout", "stderr"].map { "\($0)-\(UUID().uuidString)" }
        try Data(input.utf8).write(to: folder.appendingPathComponent(names[0]))
        for name in names[1...] { try Data().write(to: folder.appendingPathComponent(name)) }
        process.standardInput = try FileHandle(forReadingFrom: folder.appendingPathComponent(names[0]))
        process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent(names[1]))
        process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent(names[2]))
        try process.run()
        process.waitUntilExit()
        let result = Result(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: try bytes(names[1]), as: UTF8.self), errors: String(decoding: try bytes(names[2]), as: UTF8.self))
        for name in names { try FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }
        return result
    }

    /// A line of bash in the test's folder, where `$0` is the program.
    func shell(_ line: String, environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line, Self.executable.path]
        process.environment = Self.environment(environment)
        return try run(process)
    }

    /// What the program shows on a terminal, standard output and standard error together.
    func onTerminal(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
        var master: Int32 = -1, slave: Int32 = -1
        guard openpty(&master, &slave, nil, nil, nil) == 0 else { throw POSIXError(.ENODEV) }
        let terminal = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
        let process = process(arguments, environment: ["TERM": "xterm", "NO_COLOR": ""].merging(environment) { $1 })
        (process.standardOutput, process.standardError) = (terminal, terminal)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try terminal.close()
        // The reading end fails when the last writer has gone.
        var bytes: [UInt8] = [], part = [UInt8](repeating: 0, count: 4096)
        while case let count = read(master, &part, part.count), count > 0 { bytes += part[..<count] }
        process.waitUntilExit()
        close(master)
        return String(decoding: bytes, as: UTF8.self)
    }
}
