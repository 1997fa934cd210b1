import FileFormats
import Foundation
import TestSupport
import Testing

/// Everything that can be wrong with a request ends with a clear sentence and the right status, and leaves earlier output as it was.
@Suite struct BadInputTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
    }

    private func expect(_ result: Program.Result, _ status: Int32, _ words: String..., at location: SourceLocation = #_sourceLocation) {
        #expect(result.status == status, "\(result.errors)", sourceLocation: location)
        for word in words { #expect(result.errors.contains(word), "'\(word)' in: \(result.errors)", sourceLocation: location) }
    }

    @Test func missingThings() throws {
        expect(try program.run("embed", "nowhere.txt", "-o", "v.h5", "--model", model), 66, "nowhere.txt")
        expect(try program.run("embed", try program.write("a.txt", "x\n"), "-o", "v.h5", "--model", "no-such-model"), 66, "no-such-model")
        expect(try program.run("embed", try program.write("a.txt", "x\n"), "-o", "v.h5", "--model", program.folder.path), 66, "config.json")
        expect(try program.run("embed", try program.write("a.txt", "x\n"), "-o", "no/folder/v.h5", "--model", model), 73, "no/folder")
        expect(try program.run("rank", "v.h5", "x"), 66, "v.h5")
        expect(try program.run("frobnicate"), 64)
        expect(try program.run("embed", "a.txt"), 64)
        expect(try program.run("similarity", "one"), 64, "two sentences")
    }

    @Test func brokenInputs() throws {
        let good = try program.write("good.txt", "snow\n")
        #expect(try program.run("embed", good, "-o", "v.h5", "--model", model).status == 0)
        let before = try program.bytes("v.h5")
        func broken(_ name: String, _ bytes: [UInt8], _ options: String...) throws -> Program.Result {
            let input = try program.write(name, bytes)
            var arguments = ["embed", input, "-o", "v.h5", "--model", model, "--quiet", "--force"]
            arguments += options
            let process = program.process(arguments)
            let errors = program.path("errors")
            _ = FileManager.default.createFile(atPath: errors, contents: nil)
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
            try process.run()
            process.waitUntilExit()
            return Program.Result(
                status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, output: "",
                errors: String(decoding: try program.bytes("errors"), as: UTF8.self))
        }
        expect(try broken("nul.txt", Array("a\nb\u{0}c\n".utf8)), 65, "nul.txt:2")
        expect(try broken("bad.txt", Array("one\ntwo\n".utf8) + [0xFF, 0xFE, 0x41, 0x0A], "--encoding", "utf-8"), 65, "bad.txt:3")
        #expect(try broken("bad.txt", Array("one\n".utf8) + [0x80, 0x0A], "--encoding", "utf-8", "--lossy").status == 0)
        try before.write(to: URL(fileURLWithPath: program.path("v.h5")))
        expect(try broken("bad.jsonl", Array("{\"text\": \"a\"}\n{\"text\": \n".utf8), "--format", "jsonl"), 65, "bad.jsonl:2")
        expect(try broken("bad.csv", Array("text,b\n\"open quote,1\n".utf8), "--format", "csv"), 65, "bad.csv")
        expect(try broken("empty.txt", []), 65, "empty.txt")
        expect(try broken("not.xlsx", Array("PK\u{3}\u{4}rubbish".utf8)), 65, "not.xlsx")
        #expect(try program.bytes("v.h5") == before, "earlier output stays as it was")
    }

    @Test func awkwardSentences() throws {
        // Every line of these is a row of its own, and none of them stops the program.
        let lines = ["", "   ", "👩‍👩‍👧‍👦🏳️‍🌈", "ｶﾞｷﾞｸﾞ", "か\u{3099}", String(repeating: "dog ", count: 25_000), "a\u{2028}b", "\u{200B}", "tab\there"]
        let input = try program.write("awkward.txt", "\u{FEFF}" + lines.joined(separator: "\r\n"))
        let run = try program.run("embed", input, "-o", "v.h5", "--model", model, "--json")
        #expect(run.status == 0, "\(run.errors)")
        let summary = try JSON(parsing: run.output)
        #expect(summary["rows"]?.int == lines.count && summary["empty_rows"]?.int == 2 && summary["truncated"]?.int == 1, "\(run.output)")
    }

    @Test func damagedWeights() throws {
        let input = try program.write("a.txt", "snow\n")
        let folder = try TinyModel().folder
        let weights = folder.appendingPathComponent("model.safetensors")
        let whole = try Data(contentsOf: weights)
        try whole.prefix(whole.count / 2).write(to: weights)
        expect(try program.run("embed", input, "-o", "v.h5", "--model", folder.path), 65, "model.safetensors")
        try Data([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x7B]).write(to: weights)
        expect(try program.run("embed", input, "-o", "v.h5", "--model", folder.path), 65, "model.safetensors")
        // A NaN in the middle of the data.
        var poisoned = whole
        poisoned.replaceSubrange(poisoned.count - 400..<poisoned.count - 396, with: [0, 0, 0xC0, 0x7F])
        try poisoned.write(to: weights)
        expect(try program.run("embed", input, "-o", "v.h5", "--model", folder.path), 65, "NaN")
    }

    @Test func foreignHDF5() throws {
        let rubbish = try program.write("v.h5", "this is no HDF5 file")
        expect(try program.run("rank", rubbish, "snow", "--model", model), 65, "v.h5")
        _ = try program.run("embed", "-", "-o", "w.h5", "--model", model, input: "snow\ncat\n")
        let whole = try program.bytes("w.h5")
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: program.path("cut.h5")))
        expect(try program.run("info", "cut.h5"), 65, "cut.h5")
    }

    @Test func fullDisk() throws {
        // A file size limit stands for a full disk: writing fails in the middle.
        let input = try program.write("a.txt", (0..<3000).map { "the cat \($0)" }.joined(separator: "\n"))
        #expect(try program.run("embed", try program.write("one.txt", "snow\n"), "-o", "v.h5", "--model", model).status == 0)
        let before = try program.bytes("v.h5")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" embed \"$1\" -o v.h5 --force --model \"$2\" --quiet", Program.executable.path,
            input, model,
        ]
        process.environment = Program.environment()
        process.currentDirectoryURL = program.folder
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && [73, 74].contains(process.terminationStatus), "\(process.terminationStatus)")
        #expect(try program.bytes("v.h5") == before, "the old output is untouched")
    }
}
