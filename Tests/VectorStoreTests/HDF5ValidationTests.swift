import FileFormats
import Foundation
import Testing
import VectorStore

@Suite struct HDF5ValidationTests {
    let scratch = Scratch()

    /// The program that stands beside the tests.
    static var program: HDF5Validation.Program {
        let folder = URL(fileURLWithPath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
            .deletingLastPathComponent()
        let bundled = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let place = [bundled, folder].map { $0.appendingPathComponent("hdf5-child").path }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return HDF5Validation.Program(executable: place ?? "hdf5-child", arguments: ["validate"])
    }

    private func write(_ name: String, rows: Int) throws -> String {
        let writer = try VectorFileWriter(path: scratch.path(name), layout: layout, metadata: metadata)
        try writer.append(block(0..<rows))
        try writer.finish()
        return scratch.path(name)
    }

    @Test func passesGoodFilesQuickly() throws {
        let path = try write("v.h5", rows: 2000)
        var best = Duration.seconds(9)
        for _ in 0..<5 { best = min(best, try ContinuousClock().measure { try HDF5Validation.validate(path, by: Self.program) }) }
        print("validation of 2,000 rows: \(best)")
        #expect(best < .seconds(1))
        let layers = try LayerFileWriter(path: scratch.path("l.h5"), layers: [0, 1], dimension: 2, metadata: metadata)
        try [Float]([1, 2, 3, 4]).withUnsafeBufferPointer { try layers.append(sentence: "a", words: 1, vectors: $0) }
        try layers.finish()
        try HDF5Validation.validate(scratch.path("l.h5"), by: Self.program)
    }

    @Test func endsWithAnErrorWhateverTheChildDoes() throws {
        let path = try write("v.h5", rows: 10)
        let hanging = HDF5Validation.Program(executable: Self.program.executable, arguments: ["hang"])
        #expect(
            try failure { try HDF5Validation.validate(path, by: hanging, timeLimit: .milliseconds(300)) }.message.contains("timed out")
        )
        let crashing = HDF5Validation.Program(executable: "/bin/sh", arguments: ["-c", "printf +; kill -SEGV $$"])
        #expect(try failure { try HDF5Validation.validate(path, by: crashing) }.message.contains("crashes"))
        let none = HDF5Validation.Program(executable: "/no/such/program", arguments: [])
        #expect(try failure { try HDF5Validation.validate(path, by: none) }.kind == .unavailable)
    }

    /// What the child lets pass is opened and read by another process, as the program does it: it reads, or it says what is wrong.
    @Test func mutatedFilesNeverHurtTheParent() throws {
        func layers(_ name: String, _ storage: VectorStorage, isCompressed: Bool) throws -> String {
            let writer = try LayerFileWriter(
                path: scratch.path(name), layers: [0, 1], dimension: 4, metadata: metadata, storage: storage, isCompressed: isCompressed)
            for words in [2, 3, 1] {
                try [Float](repeating: 0.5, count: 8 * words).withUnsafeBufferPointer {
                    try writer.append(sentence: "w\(words)", words: words, vectors: $0)
                }
            }
            try writer.finish()
            return scratch.path(name)
        }
        let originals = try [
            bytes(of: write("a.h5", rows: 3)), bytes(of: write("b.h5", rows: 300)), bytes(of: layers("c.h5", .float16, isCompressed: true)),
            bytes(of: layers("d.h5", .float16, isCompressed: false)),
        ]
        var random = SeededNumbers(state: 11)
        var refused = 0, passed = 0, crashed = 0
        let path = scratch.path("damaged.h5")
        for round in 0..<400 {
            var bytes = originals[round % 4]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                // Damage of the metadata, which lies mostly at the beginning, matters; that of numbers does not.
                let place = Int.random(in: 0..<(round % 3 == 0 ? bytes.count : min(bytes.count, 6000)), using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 10 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count / 2, using: &random)) }
            try bytes.write(to: URL(fileURLWithPath: path))
            do {
                try HDF5Validation.validate(path, by: Self.program, timeLimit: .seconds(5))
                let outcome = try run("read", path)
                #expect(outcome.reason == .exit && [0, 1, 65].contains(outcome.status), "round \(round): \(outcome)")
                if outcome.status == 65 { crashed += 1 }
                passed += 1
            } catch is DataError {
                refused += 1
            }
        }
        print("damaged HDF5 files: \(refused) refused, \(passed) read, \(crashed) of them to a crash of libhdf5")
        #expect(refused > 20)
    }

    @Test func aCutFileIsSaidToBeDamagedOnce() throws {
        let path = try write("cut.h5", rows: 300)
        try bytes(of: path).prefix(3000).write(to: URL(fileURLWithPath: path))
        let error = try failure { try HDF5Validation.validate(path, by: Self.program) }
        #expect(error.kind == .badData && error.message.hasPrefix("this HDF5 file is damaged: it cannot be opened: "), "\(error)")
        #expect(error.message.ranges(of: "damaged").count == 1, "\(error)")
    }

    /// What libhdf5's crash is to a user: a message that names the file, and the status of damaged data. A crash that is not libhdf5's
    /// stays one.
    @Test func aCrashOfTheLibraryIsAMessage() throws {
        let path = try write("v.h5", rows: 3)
        #expect(try run("read", path).status == 0)
        let crash = try run("crash", path)
        #expect(crash.reason == .exit && crash.status == 65)
        #expect(crash.errors == "kotonoha: \(path): this HDF5 file is damaged: reading it crashes the HDF5 library\n")
        #expect(try run("crash-elsewhere").reason == .uncaughtSignal)
    }

    private func run(_ words: String...) throws -> (reason: Process.TerminationReason, status: Int32, errors: String) {
        let process = Process(), errors = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.program.executable)
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationReason, process.terminationStatus, text)
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
