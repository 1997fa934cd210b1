import FileFormats
import Foundation
import TestSupport
import Testing

/// A good file is never called damaged because memory is short, and nothing spins.
@Suite struct MemoryTests {
    @Test(.timeLimit(.minutes(5)), arguments: [200_000, 300_000, 450_000, 700_000, 1_200_000])
    func littleMemoryIsCalledSo(kilobytes: Int) throws {
        let program = try Program(), model = try TinyModel()
        let input = try program.write("a.txt", (0..<200).map { "the cat \($0)" }.joined(separator: "\n"))
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", model.folder.path).status == 0)
        for arguments in [["info", "v.h5"], ["rank", "v.h5", "cat", "--model", model.folder.path], ["pca", "v.h5", "-o", "p.h5"]] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit -v \(kilobytes); exec \"$0\" \"$@\"", Program.executable.path] + arguments
            process.environment = Program.environment()
            process.currentDirectoryURL = program.folder
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            // Below some limit not even the loader of the program's libraries has room (status 127).
            let isFine =
                process.terminationReason == .exit
                && (process.terminationStatus == 0 || process.terminationStatus == 127
                    || process.terminationStatus == DataError.Kind.memory.rawValue && text.contains("memory"))
            #expect(isFine, "\(arguments) under \(kilobytes) KB: \(process.terminationStatus) \(text)")
            if kilobytes >= 1_200_000 { #expect(process.terminationStatus == 0, "\(text)") }
        }
    }
}
