import FileFormats
import Foundation
import Testing
import VectorStore

/// No file talks libhdf5 into reading another one, or into taking more memory or time than it is worth.
@Suite struct HDF5ConfinementTests {
    let scratch = Scratch()
    private static var child: HDF5Validation.Program { HDF5ValidationTests.program }

    /// Runs the helper beside the tests and returns what it prints.
    @discardableResult private func helper(_ arguments: String...) throws -> String {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.child.executable)
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(arguments)")
        return String(decoding: output, as: UTF8.self)
    }

    private func secret() throws -> String {
        let path = scratch.path("secret.txt")
        try Data((String(repeating: "secret ", count: 9) + "\n").utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test(arguments: ["external", "virtual", "link"])
    func refusesDataInOtherFiles(kind: String) throws {
        let path = scratch.path("hostile.h5"), whole = scratch.path("whole.h5")
        try helper("external", whole, try secret())
        try helper(kind, path, kind == "external" ? try secret() : whole)
        let words = kind == "link" ? "link to somewhere else" : "another file"
        #expect(try failure { try HDF5Validation.validate(path, by: Self.child) }.message.contains(words))
        // The reader refuses by itself, where nobody has validated.
        if kind != "link" {
            #expect(try failure { _ = try HDF5Container(path: path).required("/data") }.message.contains(words))
        } else {
            #expect(throws: DataError.self) { _ = try HDF5Container(path: path).required("/data") }
        }
    }

    /// Not a check that could be forgotten: the kernel refuses. This test never skips; a machine without Landlock and without seccomp fails
    /// it.
    @Test func theChildCanOpenNothing() throws {
        let path = scratch.path("external.h5"), secret = try secret()
        try helper("external", path, secret)
        let report = try helper("trespass", path, secret)
        #expect(report.contains("before: secret secret"), "the file does read the other one where nothing forbids it: \(report)")
        #expect(report.contains("after: denied"), "\(report)")
        for attempt in ["open", "create", "folder", "remove", "truncate", "network", "link"] {
            #expect(report.contains("\(attempt): -1"), "\(attempt) in \(report)")
        }
        #expect(scratch.contents == ["external.h5", "secret.txt"])
        #expect(try bytes(of: secret).count == 64)
    }

    /// The parent reads with libhdf5 as well, on a thread that has no way to the file system.
    @Test func theReadingThreadCanOpenNothing() throws {
        let secret = try secret()
        #expect(!HDF5.confinement.isEmpty)
        print("libhdf5 is confined by \(HDF5.confinement.joined(separator: ", "))")
        let inside = HDF5.locked {
            [
                open(secret, O_RDONLY), open(secret + ".new", O_WRONLY | O_CREAT, 0o600), unlink(secret), mkdir(secret + ".folder", 0o700),
                socket(AF_INET, 1, 0),
            ]
        }
        #expect(inside == [-1, -1, -1, -1, -1])
        let outside = open(secret, O_RDONLY)
        #expect(outside >= 0, "other threads keep their rights")
        close(outside)
        // What the thread is for still works: a file that was opened outside, read and written.
        let path = scratch.path("v.h5")
        try HDF5Container.create(path: path) { try $0.write("/x", shape: [3], values: [1.0, 2.0, 3.0]) }
        #expect(try HDF5Container(path: path).read("/x", as: Double.self).values == [1, 2, 3])
        // Errors keep their type on the way from that thread.
        #expect(throws: CancellationError.self) { try HDF5.locked { throw CancellationError() } }
    }

    @Test(.timeLimit(.minutes(1))) func aPipeKeepsNobodyWaiting() throws {
        let path = scratch.path("pipe.h5")
        #expect(mkfifo(path, 0o600) == 0)
        #expect(try failure { try HDF5Validation.validate(path, by: Self.child) }.kind == .noInput)
        #expect(try failure { _ = try HDF5Container(path: path) }.kind == .noInput)
        #expect(try failure { _ = try MappedFile(path: path) }.kind == .noInput)
    }

    @Test func shapesWithoutDataAreRefusedAtOnce() throws {
        let path = scratch.path("sparse.h5")
        try helper("sparse", path, String(1 << 40))
        let begin = ContinuousClock.now
        #expect(try failure { try HDF5Validation.validate(path, by: Self.child) }.message.contains("is far larger than"))
        #expect(try failure { _ = try HDF5Container(path: path).required("/data") }.message.contains("is far larger than"))
        #expect(ContinuousClock.now - begin < .seconds(5))
        try helper("sparse", path, "1000")
        try HDF5Validation.validate(path, by: Self.child)
    }

    /// 2 GB for one number is out of all proportion; where the user's own limit is the lower one, memory is what is lacking.
    @Test func tellsWantOfMemoryFromDamage() throws {
        let path = scratch.path("chunk.h5")
        try helper("chunk", path, String(2_000_000_000))
        let damage = try failure { try HDF5Validation.validate(path, by: Self.child) }
        #expect(damage.kind == .badData && damage.message.contains("MB of memory"), "\(damage)")
        let limited = HDF5Validation.Program(
            executable: "/bin/sh", arguments: ["-c", "ulimit -v 200000; exec \"$0\" validate \"$@\"", Self.child.executable])
        let lack = try failure { try HDF5Validation.validate(path, by: limited) }
        #expect(lack.kind == .memory && lack.message.contains("memory"), "\(lack)")
        let killed = HDF5Validation.Program(executable: "/bin/sh", arguments: ["-c", "kill -KILL $$"])
        #expect(try failure { try HDF5Validation.validate(path, by: killed) }.kind == .memory)
    }

    @Test func theChildEndsWithItsParent() throws {
        let path = scratch.path("v.h5")
        try HDF5Container.create(path: path) { try $0.write("/x", shape: [1], values: [1.0]) }
        let parent = Process()
        parent.executableURL = URL(fileURLWithPath: Self.child.executable)
        parent.arguments = ["parent", path]
        try parent.run()
        var child: Int32?
        for _ in 0..<400 where child == nil {
            usleep(25_000)
            child = Self.children(of: parent.processIdentifier).first
        }
        let number = try #require(child)
        // It has watched its parent from the time when it has a limit of memory.
        for _ in 0..<400 where (try? String(contentsOfFile: "/proc/\(number)/status", encoding: .utf8))?.contains("Seccomp:\t2") != true {
            usleep(25_000)
        }
        kill(parent.processIdentifier, SIGKILL)
        parent.waitUntilExit()
        var isGone = false
        for _ in 0..<120 where !isGone {
            usleep(25_000)
            let state = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8))?.split(separator: " ").dropFirst(2).first
            isGone = state == nil || state == "Z"
        }
        #expect(isGone, "process \(number) outlives its parent")
        if !isGone { kill(number, SIGKILL) }
    }

    @Test func timeByTheClockIsLimited() throws {
        let path = scratch.path("v.h5")
        try HDF5Container.create(path: path) { try $0.write("/x", shape: [1], values: [1.0]) }
        // A child that sleeps uses no processor time.
        let lingering = HDF5Validation.Program(executable: Self.child.executable, arguments: ["linger"])
        let begin = ContinuousClock.now
        #expect(
            try failure { try HDF5Validation.validate(path, by: lingering, timeLimit: .milliseconds(200)) }.message.contains(
                "timed out"))
        #expect(ContinuousClock.now - begin < .seconds(10))
    }

    private static func children(of parent: Int32) -> [Int32] {
        let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        return numbers.filter { number in
            guard let stat = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8), let end = stat.lastIndex(of: ")") else {
                return false
            }
            return stat[end...].split(separator: " ").dropFirst(2).first.flatMap { Int32($0) } == parent
        }
    }
}
