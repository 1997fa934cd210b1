import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// No output destroys an input or a finished result, and standard output that is full, closed or a terminal is treated as such.
@Suite struct OutputTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
        let input = try program.write("c.tsv", "id\ttext\n" + (0..<40).map { "\($0)\tdog \($0) plays in the snow" }.joined(separator: "\n") + "\n")
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "text", "--quiet").status == 0)
    }

    /// Runs what is to be refused, and sees that the file has not changed.
    private func refuses(_ arguments: String..., keeping name: String, says words: String = "is an input", at location: SourceLocation = #_sourceLocation) throws {
        let before = try program.bytes(name)
        let run = try program.run(arguments)
        #expect(run.status == 64 || run.status == 73, "\(run.status): \(run.errors)", sourceLocation: location)
        #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: location)
        #expect(try program.bytes(name) == before, "the input is as it was", sourceLocation: location)
    }

    @Test func anInputIsNoOutput() throws {
        let manager = FileManager.default
        try refuses("embed", "c.tsv", "-o", "c.tsv", "--model", model, "--force", keeping: "c.tsv")
        _ = try program.write("pairs.tsv", "a dog\tthe dog\nsnow\tthe snow\n")
        try refuses("similarity", "--pairs", "pairs.tsv", "-o", "pairs.tsv", "--model", model, keeping: "pairs.tsv")
        for command in ["tsne", "pca", "cluster"] { try refuses(command, "v.h5", "-o", "v.h5", "--force", keeping: "v.h5") }
        try manager.createSymbolicLink(atPath: program.path("link.h5"), withDestinationPath: "v.h5")
        try refuses("pca", "v.h5", "-o", "link.h5", "--force", keeping: "v.h5")
        try refuses("pca", "link.h5", "-o", "./v.h5", "--force", keeping: "v.h5")
        try manager.linkItem(atPath: program.path("v.h5"), toPath: program.path("hard.csv"))
        try refuses("cluster", "v.h5", "-o", "hard.csv", "--clusters", "2", "--force", keeping: "v.h5")
        try manager.copyItem(atPath: program.path("c.tsv"), toPath: program.path("c.svg"))
        try refuses("draw", "characters", "c.svg", "-o", "c.svg", keeping: "c.svg")
        try refuses("tsne", "v.h5", "-o", "map.csv", "--figure", "v.svg", "--html", "hard.csv", keeping: "v.h5")
        try refuses("rank", "v.h5", "dog", "--model", model, "-o", "hard.csv", keeping: "v.h5")
        // Standard input that is the output.
        let shell = try program.shell("\"$0\" embed - -o c.tsv --model \(model) < c.tsv")
        #expect(shell.status == 64 && shell.errors.contains("standard input"), "\(shell.errors)")
        // A file of the model.
        let weights = URL(fileURLWithPath: model).appendingPathComponent("vocab.txt"), before = try Data(contentsOf: weights)
        let run = try program.run("rank", "v.h5", "dog", "--model", model, "-o", weights.path)
        #expect(run.status == 64 && run.errors.contains("belongs to an input"), "\(run.errors)")
        #expect(try Data(contentsOf: weights) == before)
    }

    @Test func twoOutputsHaveTwoNames() throws {
        let run = try program.run("tsne", "v.h5", "-o", "m.csv", "--figure", "a.svg", "--figure", "./a.svg", "--iterations", "10")
        #expect(run.status == 64 && run.errors.contains("a.svg"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: program.path("m.csv")))
        let missing = try program.run("tsne", "v.h5", "-o", "m.csv", "--html", "no/such/folder.html", "--iterations", "10")
        #expect(missing.status == 73 && !FileManager.default.fileExists(atPath: program.path("m.csv")), "before any work: \(missing.errors)")
    }

    @Test func finishedVectorsAreReplacedOnRequestOnly() throws {
        let one = try program.write("one.txt", "a dog\n")
        try refuses("embed", one, "-o", "v.h5", "--model", model, keeping: "v.h5", says: "--force")
        try refuses("cluster", one, "-o", "v.h5", keeping: "v.h5", says: "--force")
        #expect(try program.run("embed", one, "-o", "v.h5", "--model", model, "--force").status == 0)
        #expect(try VectorFile(path: program.path("v.h5")).count == 1)
        // Maps and tables are made anew without a word.
        for _ in 0..<2 { #expect(try program.run("pca", "v.h5", "-o", "p.h5", "--components", "1").status != 73) }
    }

    @Test func fullAndClosedStandardOutput() throws {
        let long = try program.write("long.txt", (0..<20_000).map { "the dog \($0)" }.joined(separator: "\n"))
        _ = try program.write("pairs.tsv", "a dog\tthe dog\nsnow\tthe snow\n")
        let commands = ["tokenize \(long) --model \(model)", "rank v.h5 dog --model \(model)", "mine v.h5", "similarity --pairs pairs.tsv --model \(model)",
                        "info v.h5", "--help"]
        for command in commands {
            let full = try program.shell("\"$0\" \(command) > /dev/full")
            #expect(full.status == 74 && full.errors.split(separator: "\n").count { $0.hasPrefix("kotonoha: ") } == 1, "\(command): \(full.status) \(full.errors)")
            #expect(!full.errors.contains("Fatal"), "\(full.errors)")
            let closed = try program.shell("\"$0\" \(command) >&-")
            #expect(closed.status == 74, "\(command): \(closed.status) \(closed.errors)")
        }
        // A reader that has enough ends the program without a word, and no rubbish stays behind.
        let pipe = try program.shell("set -o pipefail; \"$0\" tokenize \(long) --model \(model) --quiet | head -n 1; \"$0\" rank v.h5 dog --model \(model) -o /dev/stdout --json | true")
        #expect(pipe.errors.isEmpty, "\(pipe.errors)")
        #expect(pipe.output.split(separator: "\n").count == 1)
        // Standard error that nobody reads does not stop the work.
        #expect(try program.shell("\"$0\" embed c.tsv -o w.h5 --model \(model) 2>&-").status == 0)
        #expect(try VectorFile(path: program.path("w.h5")).count == 40)
    }

    @Test func aLimitOnFileSizeIsAnError() throws {
        let run = try program.shell("ulimit -f 8; \"$0\" export v.h5 -o v.csv")
        #expect(run.status == 74, "\(run.status) \(run.errors)")
        let sheet = try program.shell("ulimit -f 4; \"$0\" export v.h5 -o v.xlsx")
        #expect(sheet.status == 74 && sheet.errors.split(separator: "\n").count == 1, "libxlsxwriter's own lines: \(sheet.errors)")
    }

    @Test(arguments: [
        ["mine", "v.h5", "--top", "9223372036854775807"], ["mine", "v.h5", "--top", "0"],
        ["tsne", "v.h5", "-o", "m.csv", "--iterations", "9223372036854775807"], ["tsne", "v.h5", "-o", "m.csv", "--perplexity", "5", "--early-iterations", "10000000000"],
        ["tsne", "v.h5", "-o", "m.csv", "--exaggeration", "nan"], ["generate", "nowhere", "c.tsv", "--beam", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--epochs", "9223372036854775807"], ["train", "seq2seq", "c.tsv", "-o", "m", "--hidden-size", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--max-length", "9223372036854775807"], ["train", "seq2seq", "c.tsv", "-o", "m", "--batch-size", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--layers", "1000000"], ["train", "seq2seq", "c.tsv", "-o", "m", "--dropout", "1"],
        ["export", "v.h5", "-o", "a.hdf5", "--queries", "99999999999999999999"], ["embed", "c.tsv", "-o", "w.h5", "--batch-tokens", "1e3"],
        ["evaluate", "sts", "c.tsv", "--seed", "18446744073709551615"],
    ]) func numbersHaveBounds(_ arguments: [String]) throws {
        let run = try program.run(arguments)
        #expect(run.status == 64 && run.errors.contains(arguments[arguments.count - 2]) && run.errors.contains("expected a"), "\(run.status): \(run.errors)")
    }

    @Test func helpSaysTheBounds() throws {
        let help = try program.run("mine", "--help").output.replacing(/\s+/, with: " ")
        #expect(help.contains("from 1 to 1,000,000,000; default: 100"), "\(help)")
    }

    @Test func misspelledCommands() throws {
        for (wrong, right) in [("embd", "embed"), ("similarty", "similarity"), ("tnse", "tsne"), ("rnak", "rank")] {
            let run = try program.run(wrong, "x")
            #expect(run.status == 64 && run.errors.contains("did you mean '\(right)'"), "\(run.errors)")
        }
        let nested = try program.run("evaluate", "retreival", "x")
        #expect(nested.status == 64 && nested.errors.contains("'retrieval'"), "\(nested.errors)")
        #expect(try program.run("frobnicate").errors.contains("there are embed"))
        #expect(try program.run("help", "embed").status == 0)
    }
}
