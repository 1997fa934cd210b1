import FileFormats
import Foundation
import TestSupport
import Testing

/// `train seq2seq`, `generate` and `draw` as a user runs them.
@Suite struct GeneratorTests {
    let program: Program
    let pairs: String

    init() throws {
        program = try Program()
        // Four letters and the same backward: learned by heart in a second.
        pairs = try program.write(
            "pairs.tsv",
            "from\tto\n"
                + (0..<24).map { i in
                    let letters = [0, 1, 2, 3].map { "あいうえかきく"[(i / [1, 2, 3, 5][$0] + $0) % 7] }
                    return letters.joined() + "\t" + letters.reversed().joined()
                }.joined(separator: "\n") + "\n")
    }

    private func train(_ name: String, _ options: String...) throws -> Program.Result {
        let process = program.process(
            ["train", "seq2seq", pairs, "-o", program.path(name), "--source-column", "from", "--target-column", "to"] + options)
        let errors = Pipe(), output = Pipe()
        process.standardError = errors
        process.standardOutput = output
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile(), printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Program.Result(
            status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
            errors: String(decoding: said, as: UTF8.self))
    }

    private func trained() throws -> String {
        let result = try train(
            "m", "--network", "gru", "--attention", "additive", "--hidden-size", "24", "--learning-rate", "1e-2", "--batch-size", "8",
            "--epochs", "60", "--evaluate-every", "10", "--until", "1", "--threads", "2")
        #expect(result.status == 0 && result.errors.contains("free-running: exact"), "\(result.errors)")
        return program.path("m")
    }

    private func expect(_ result: Program.Result, _ status: Int32, _ words: String..., at location: SourceLocation = #_sourceLocation) {
        #expect(result.status == status, "\(result.errors)", sourceLocation: location)
        for word in words { #expect(result.errors.contains(word), "'\(word)' in: \(result.errors)", sourceLocation: location) }
    }

    /// Every shape that the options name trains a step and writes something.
    @Test(arguments: [
        ["--norm", "pre", "--positions", "learned", "--tied"],
        ["--norm", "post", "--positions", "sinusoidal", "--sampled-input", "0.3", "--label-smoothing", "0.1"],
        ["--network", "lstm"], ["--network", "gru", "--bidirectional", "--attention", "general"],
        ["--network", "lstm", "--attention", "dot", "--input-feeding"],
        ["--network", "gru", "--attention", "concat", "--freeze", "encoder"],
        ["--network", "lstm", "--attention", "additive", "--penalty", "attention=0.1", "--penalty", "recurrence=0.01"],
    ]) func shapes(_ options: [String]) throws {
        let process = program.process(
            ["train", "seq2seq", pairs, "-o", program.path("s"), "--hidden-size", "16", "--epochs", "1", "--quiet"] + options)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(options)")
        let written = try program.run(
            "generate", program.path("s"), try program.write("x.txt", "あいう\n"), "--sample", "--top-k", "3", "--top-p", "0.9",
            "--temperature", "2", "--outputs", "3", "--max-length", "5")
        #expect(written.status == 0 && written.output.split(separator: "\n").count == 3, "\(written.errors)")
    }

    @Test func measuresPicturesAndScores() throws {
        let model = try trained()
        let measured = try program.run(
            "generate", model, pairs, "--source-column", "from", "--target", "to", "--color", "always", "--html", "i.html", "--items",
            "i.xlsx")
        #expect(measured.status == 0 && measured.errors.contains("exact"), "\(measured.errors)")
        #expect(measured.output.split(separator: "\n").count == 24)
        #expect(String(decoding: try program.bytes("i.html"), as: UTF8.self).contains("character error rate"))
        #expect(
            try program.run("generate", model, pairs, "--source-column", "from", "--target", "to", "--items", "i.csv", "--quiet").errors
                .isEmpty)
        #expect(String(decoding: try program.bytes("i.csv"), as: UTF8.self).hasPrefix("line,source,target,output,exact"))
        // A wrong target is red.
        let wrong = try program.write("wrong.tsv", "from\tto\n" + "あいうえ\tくくくくくく\n")
        let marked = try program.run("generate", model, wrong, "--source-column", "from", "--target", "to", "--color", "always")
        #expect(marked.output.contains("\u{1B}[31m"))
        #expect(try !program.run("generate", model, wrong, "--source-column", "from", "--target", "to").output.contains("\u{1B}"))

        let source = try program.write("one.txt", "あいうえ\n")
        for name in ["a.svg", "a.html"] {
            #expect(try program.run("generate", model, source, "--attention", name).status == 0)
            let record = String(decoding: try program.bytes(name + ".provenance.json"), as: UTF8.self)
            #expect(record.contains("\"model\"") && record.contains("one.txt"))
        }
        #expect(try !program.bytes("i.html.provenance.json").isEmpty)
        #expect(String(decoding: try program.bytes("a.html"), as: UTF8.self).contains("Cross-attention"))
        let exact = try program.run("generate", model, source, "--outputs", "1")
        #expect(try program.run("generate", model, source, "--precision", "int8").output == exact.output)
        let best = try program.run("generate", model, source, "--beam", "4", "--outputs", "4", "--length-penalty", "1")
        #expect(best.output.split(separator: "\n").count == 4)
        // What the beam found best scores what the beam said.
        let first = best.output.split(separator: "\n")[0].split(separator: "\t").map(String.init)
        let scored = try program.run("generate", model, try program.write("s.tsv", "あいうえ\t\(first[1])\n"), "--score", "2")
        let difference = abs(
            (Double(first[2]) ?? 0) - (Double(scored.output.split(separator: "\t").last?.trimmingCharacters(in: .newlines) ?? "") ?? 9))
        #expect(difference < 1e-3, "\(best.output) \(scored.output)")
        let forced = try program.run("generate", model, try program.write("p.tsv", "あいうえ\tかか\n"), "--prefix-column", "2")
        #expect(forced.output.hasPrefix("かか"))
        // Same seed, same output.
        func drawn(_ seed: String) throws -> String {
            try program.run("generate", model, source, "--sample", "--temperature", "3", "--outputs", "5", "--seed", seed).output
        }
        #expect(try drawn("1") == drawn("1"))
        #expect(try drawn("1") != drawn("2"))
        // Fine-tuning from it, held to its weights.
        expect(try train("n", "--from", model, "--epochs", "1", "--freeze", "encoder", "--penalty", "attention=0.1@pretrained"), 0)
    }

    @Test func badInputIsNamedWithItsLine() throws {
        let model = try trained()
        func generate(_ text: String, _ options: String...) throws -> Program.Result {
            let process = program.process(["generate", model, try program.write("bad.tsv", text)] + options)
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let said = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return Program.Result(status: process.terminationStatus, output: "", errors: String(decoding: said, as: UTF8.self))
        }
        expect(try generate("あい\nあX\n"), 65, "bad.tsv:2", "'X' is not in the model's vocabulary", "--keep-unknown")
        expect(try generate("あい\nあX\n", "--keep-unknown"), 0)
        expect(try generate("あい\n" + String(repeating: "あ", count: 300) + "\n"), 65, "bad.tsv:2", "300 tokens", "256")
        expect(try generate("あい\n   \nあ\n"), 65, "bad.tsv:2")
        expect(try generate("あい\tあ\nあい\t\n", "--score", "2"), 65, "bad.tsv:2", "empty")
        expect(try generate("あい\tあ\nあい\n", "--score", "2"), 65, "bad.tsv:2")
        expect(try generate("あい\tあ\n", "--score", "3"), 64, "no column 3")
        expect(try generate("from\tto\nあい\tあ\n", "--source-column", "nowhere"), 64, "nowhere")
        expect(try generate("あい\n", "--top-k", "3"), 64, "--sample")
        expect(try generate("あい\n", "--beam", "0"), 64)
        expect(try generate("あい\n", "--items", "x.csv"), 64, "--target")
        // An encoder is not a generator.
        expect(try program.run("generate", try TinyModel().folder.path, pairs), 65, "expected a model with a decoder", "train seq2seq")
        expect(try program.run("generate", program.folder.path, pairs), 66, "config.json")

        for (text, words) in [("a\tb\nc\t\n", "target is empty"), ("a\tb\n\td\n", "source is empty"), ("a\tb\nc\n", "bad.tsv:2")] {
            let result = try program.run("train", "seq2seq", try program.write("bad.tsv", text), "-o", "none", "--epochs", "1")
            expect(result, 65, "bad.tsv:2", words)
        }
        expect(try program.run("train", "seq2seq", pairs, "-o", "none", "--attention", "dot"), 64, "--network")
        expect(try train("none", "--freeze", "nothing"), 64)
        expect(try train("none", "--penalty", "attention"), 64, "attention=0.01")
        expect(try train("none", "--network", "lstm", "--input-feeding"), 65, "input_feeding")
        #expect(!FileManager.default.fileExists(atPath: program.path("none")))
    }

    @Test func explainingPictures() throws {
        for name in ["p.svg", "p.png"] { #expect(try program.run("draw", "positions", "-o", name).status == 0) }
        #expect(String(decoding: try program.bytes("p.svg"), as: UTF8.self).contains("dimension 7"))
        expect(try program.run("draw", "positions", "-o", "p.svg", "--dimensions", "4-20"), 64, "--dimensions")
        #expect(try program.run("draw", "characters", pairs, "--column", "from", "-o", "c.svg", "--table", "c.csv").status == 0)
        #expect(String(decoding: try program.bytes("c.csv"), as: UTF8.self).contains("rank,character,occurrences,share\n1,"))
        expect(
            try program.run("draw", "characters", try program.write("empty.txt", " \n"), "-o", "d.svg"), 65, "empty.txt", "no characters")
    }
}

extension String {
    fileprivate subscript(_ place: Int) -> String { String(self[index(startIndex, offsetBy: place)]) }
}
