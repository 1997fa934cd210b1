import Foundation
import TestTools

/// The built program, run as a user runs it.
struct Program {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// `kotonoha` beside the test bundle.
    static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("kotonoha")

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

    func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = folder
        return process
    }

    /// Output goes through files, so that neither pipe can fill up and stop the program.
    func run(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws -> Result {
        try run(arguments, input: input, environment: environment)
    }

    func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws -> Result {
        let process = process(arguments, environment: environment)
        let names = ["stdin", "stdout", "stderr"].map { "\($0)-\(UUID().uuidString)" }
        try Data(input.utf8).write(to: folder.appendingPathComponent(names[0]))
        for name in names[1...] { try Data().write(to: folder.appendingPathComponent(name)) }
        process.standardInput = try FileHandle(forReadingFrom: folder.appendingPathComponent(names[0]))
        process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent(names[1]))
        process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent(names[2]))
        try process.run()
        process.waitUntilExit()
        let result = Result(status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
                            output: String(decoding: try bytes(names[1]), as: UTF8.self), errors: String(decoding: try bytes(names[2]), as: UTF8.self))
        for name in names { try FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }
        return result
    }
}
