import Foundation
import TestSupport
import Testing

@Suite struct DefaultModelTests {
    /// A program without its model: an error that says what to do, and no other model in its place.
    @Test func aMissingDefaultModelIsAnError() throws {
        let program = try Program(), files = FileManager.default
        for folder in ["bin", "models", "hub"] {
            try files.createDirectory(atPath: program.path(folder), withIntermediateDirectories: true)
        }
        try files.copyItem(atPath: Program.executable.path, toPath: program.path("bin/kotonoha"))
        try files.copyItem(atPath: TinyModel().folder.path, toPath: program.path("models/all-MiniLM-L6-v2"))
        let process = program.process(
            ["similarity", "a cat", "snow"], environment: ["KOTONOHA_MODELS": program.path("models"), "HF_HUB_CACHE": program.path("hub")])
        process.executableURL = URL(fileURLWithPath: program.path("bin/kotonoha"))
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 66, "\(said)")
        #expect(said.contains("the default model is not installed") && said.contains("KOTONOHA_MODELS"), "\(said)")
    }
}
