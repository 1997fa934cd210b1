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
        let input = try program.write(
            "c.tsv", "id\ttext\n" + (0..<40).map { "\($0)\tdog \($0) plays in the snow" }.joined(separator: "\n") + "\n")
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "text", "--quiet").status == 0)
    }

    /// Runs what is to be refused, and sees that the file has not changed.
    private func refuses(
        _ arguments: String..., keeping name: String, says words: String = "is an input", at location: SourceLocation = #_sourceLocation
    ) throws {
        let before = try program.bytes(name)
        let run = try program.run(arguments)
        #expect(run.status == 64 || run.status == 73, "\(run.status): \(run.errors)", sourceLocation: location)
        #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: location)
        #expect(try program.bytes(name) == before, "the input is as it was", sourceLocation: location)
    }

    @Test func anInputIsNoOutput() throws {
        let manager = FileManager.default
        try manager.copyItem(atPath: program.path("c.tsv"), toPath: program.path("text.h5"))
        try refuses("embed", "text.h5", "--format", "tsv", "-o", "text.h5", "--model", model, "--force", keeping: "text.h5")
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
        try manager.linkItem(atPath: program.path("v.h5"), toPath: program.path("hard.html"))
        try refuses("tsne", "v.h5", "-o", "map.csv", "--figure", "v.svg", "--html", "hard.html", keeping: "v.h5")
        try refuses("rank", "v.h5", "dog", "--model", model, "-o", "hard.csv", keeping: "v.h5")
        // Standard input that is the output.
        let shell = try program.shell("\"$0\" embed - -o text.h5 --model \(model) < text.h5")
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
        #expect(
            missing.status == 73 && !FileManager.default.fileExists(atPath: program.path("m.csv")), "before any work: \(missing.errors)")
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
        let commands = [
            "tokenize \(long) --model \(model)", "rank v.h5 dog --model \(model)", "mine v.h5",
            "similarity --pairs pairs.tsv --model \(model)",
            "info v.h5", "--help",
        ]
        for command in commands {
            let full = try program.shell("\"$0\" \(command) > /dev/full")
            #expect(
                full.status == 74 && full.errors.split(separator: "\n").count { $0.hasPrefix("kotonoha: ") } == 1,
                "\(command): \(full.status) \(full.errors)")
            #expect(!full.errors.contains("Fatal"), "\(full.errors)")
            let closed = try program.shell("\"$0\" \(command) >&-")
            #expect(closed.status == 74, "\(command): \(closed.status) \(closed.errors)")
        }
        // A reader that has enough ends the program without a word, and no rubbish stays behind.
        let pipe = try program.shell(
            "set -o pipefail; \"$0\" tokenize \(long) --model \(model) --quiet | head -n 1; \"$0\" rank v.h5 dog --model \(model) -o /dev/stdout --json | true"
        )
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
        ["tsne", "v.h5", "-o", "m.csv", "--iterations", "9223372036854775807"],
        ["tsne", "v.h5", "-o", "m.csv", "--perplexity", "5", "--early-iterations", "10000000000"],
        ["tsne", "v.h5", "-o", "m.csv", "--exaggeration", "nan"], ["generate", "nowhere", "c.tsv", "--beam", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--epochs", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--hidden-size", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--max-length", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--batch-size", "9223372036854775807"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--layers", "1000000"], ["train", "seq2seq", "c.tsv", "-o", "m", "--dropout", "1"],
        ["export", "v.h5", "-o", "a.hdf5", "--queries", "99999999999999999999"], ["embed", "c.tsv", "-o", "w.h5", "--batch-tokens", "1e3"],
        ["evaluate", "sts", "c.tsv", "--seed", "18446744073709551615"],
    ]) func numbersHaveBounds(_ arguments: [String]) throws {
        let run = try program.run(arguments)
        #expect(
            run.status == 64 && run.errors.contains(arguments[arguments.count - 2]) && run.errors.contains("expected a"),
            "\(run.status): \(run.errors)")
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
        #expect(try program.run("frobnicate").errors.contains("expected one of embed"))
        #expect(try program.run("help", "embed").status == 0)
    }

    @Test(arguments: [
        ["cluster", "v.h5", "-o", "c.csv", "--clusters", "4", "--threshold", "q99"], ["cluster", "v.h5", "-o", "c.csv", "--starts", "3"],
        ["pca", "v.h5", "-o", "p.h5", "--from", "q.h5", "--components", "3"], ["similarity", "a", "b", "-o", "s.tsv"],
        ["export", "v.h5", "-o", "e.npy", "--queries", "5"],
        ["rank", "v.h5", "--query-vectors", "v.h5", "--model", "x"], ["generate", "m", "c.tsv", "--temperature", "2"],
        ["generate", "m", "c.tsv", "--score", "2", "--beam", "3"],
        ["train", "seq2seq", "c.tsv", "-o", "m", "--from", "n", "--hidden-size", "8"],
        ["embed", "c.tsv", "-o", "w.h5", "--group-file", "c.tsv", "--group-column", "id"],
    ]) func contradictionsAreRefused(_ arguments: [String]) throws {
        let run = try program.run(arguments)
        #expect(run.status == 64 && run.errors.contains("--"), "\(run.status): \(run.errors)")
        #expect(["is for", "cannot be combined", "belongs to"].contains { run.errors.contains($0) }, "\(run.errors)")
    }

    // MARK: Finished, unfinished and appended files

    @Test func resumeOverAFinishedFile() throws {
        let before = try program.bytes("v.h5")
        let same = try program.run("embed", "c.tsv", "-o", "v.h5", "--model", model, "--column", "text", "--resume")
        #expect(same.status == 0 && same.errors.contains("complete"), "\(same.errors)")
        #expect(try program.bytes("v.h5") == before)
        let one = try program.write("one.txt", "a dog\n")
        for other in [[one], ["c.tsv", "--column", "id"], ["c.tsv", "--column", "text", "--store", "float16"]] {
            let run = try program.run(["embed"] + other + ["-o", "v.h5", "--model", model, "--resume"])
            #expect(run.status == 64 && run.errors.contains("--force"), "\(run.errors)")
            #expect(try program.bytes("v.h5") == before)
        }
    }

    @Test func appendingTwiceAddsOnce() throws {
        let more = try program.write("more.tsv", "text\tlanguage\na dog\ten\nsnow\ten\n")
        let options = ["embed", more, "-o", "v.h5", "--model", model, "--append", "--column", "text"]
        let first = try program.run(options)
        #expect(
            first.status == 0 && first.errors.contains("earlier rows have no 'language'") && first.errors.contains("new rows have no 'id'"),
            "\(first.errors)")
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(file.count == 42 && file.layout.columns.map(\.name).sorted() == ["id", "language", "text"])
        #expect(
            try file.column("language", rows: 38..<42) == ["", "", "en", "en"] && file.column("id", rows: 38..<42) == ["38", "39", "", ""])
        let bytes = try program.bytes("v.h5")
        let second = try program.run(options)
        #expect(second.status == 0 && second.errors.contains("already there"), "\(second.errors)")
        #expect(try program.bytes("v.h5") == bytes)
        // The same rows through a pipe have no name; they are known by their content.
        for expected in [43, 43] {
            #expect(try program.run("embed", "-", "-o", "v.h5", "--model", model, "--append", input: "two cats\n").status == 0)
            #expect(try VectorFile(path: program.path("v.h5")).count == expected)
        }
        #expect(try program.run(options + ["--force"]).status == 0)
        #expect(try VectorFile(path: program.path("v.h5")).count == 45)
        let nowhere = try program.run("embed", more, "-o", "none.h5", "--model", model, "--append")
        #expect(nowhere.status == 66 && !FileManager.default.fileExists(atPath: program.path("none.h5")), "\(nowhere.errors)")
    }

    @Test func foreignFilesAtThePlaceOfUnfinishedWork() throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: program.path("treasure"), withIntermediateDirectories: true)
        _ = try program.write("treasure/thesis.txt", "years of work")
        _ = try program.write("treasure/rows-000000000000.block", "not yours either")
        let embed = ["embed", "c.tsv", "-o", "w.h5", "--model", model, "--quiet"]
        try manager.createSymbolicLink(atPath: program.path("w.h5.partial"), withDestinationPath: "treasure")
        let link = try program.run(embed)
        #expect(link.status == 73 && link.errors.contains("symbolic link"), "\(link.errors)")
        try manager.removeItem(atPath: program.path("w.h5.partial"))
        try manager.moveItem(atPath: program.path("treasure"), toPath: program.path("w.h5.partial"))
        let foreign = try program.run(embed)
        #expect(foreign.status == 73 && foreign.errors.contains("did not write"), "\(foreign.errors)")
        #expect(
            try manager.contentsOfDirectory(atPath: program.path("w.h5.partial")).sorted() == ["rows-000000000000.block", "thesis.txt"])
        try manager.removeItem(atPath: program.path("w.h5.partial"))
        // A file put into the program's own folder survives it.
        let broken = try program.write("broken.txt", "snow\n" + String(repeating: "a dog\n", count: 20) + "b\u{0}c\n")
        #expect(try program.run("embed", broken, "-o", "w.h5", "--model", model).status == 65)
        #expect(!manager.fileExists(atPath: program.path("w.h5.partial")), "a run that fails on bad data leaves nothing behind")
        #expect(try program.run(embed).status == 0)
        // The state of a map.
        _ = try program.write("m.csv.partial", "my notes")
        let map = try program.run("tsne", "v.h5", "-o", "m.csv", "--iterations", "10", "--perplexity", "5")
        #expect(map.status == 73 && map.errors.contains("left alone"), "\(map.errors)")
        #expect(try program.bytes("m.csv.partial") == Data("my notes".utf8))
    }

    @Test func aModelTakesThePlaceOfAModelOnly() throws {
        let pairs = try program.write("p.tsv", "aa\tbb\nab\tba\n"),
            train = ["train", "seq2seq", pairs, "--epochs", "1", "--hidden-size", "8", "--heads", "2", "--quiet", "-o"]
        #expect(try program.run(train + ["model"]).status == 0)
        _ = try program.write("model/README.md", "my notes")
        let refused = try program.run(train + ["model"])
        #expect(refused.status == 73 && refused.errors.contains("--force"), "\(refused.errors)")
        #expect(try program.run(train + ["model", "--force", "--seed", "4"]).status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: program.path("model")).sorted() == [
                "README.md", "config.json", "model.safetensors", "tokenizer.json",
            ])
        try FileManager.default.createDirectory(atPath: program.path("thesis"), withIntermediateDirectories: true)
        _ = try program.write("thesis/chapter.txt", "years of work")
        let thesis = try program.run(train + ["thesis", "--force"])
        #expect(thesis.status == 73, "\(thesis.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: program.path("thesis")) == ["chapter.txt"])
    }

    @Test func configurationsWithoutNumbers() throws {
        let folder = try TinyModel().folder, file = folder.appendingPathComponent("config.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        for value in ["NaN", "Infinity", "-Infinity", "2", "\"x\""] {
            try text.replacing(/"layer_norm_eps": [^,\n]+/, with: "\"layer_norm_eps\": \(value)").write(
                to: file, atomically: true, encoding: .utf8)
            let run = try program.run("similarity", "a dog", "snow", "--model", folder.path)
            #expect(run.status == 65 && run.errors.contains("layer_norm_eps"), "\(value): \(run.status) \(run.output)\(run.errors)")
        }
        try text.write(to: file, atomically: true, encoding: .utf8)
        let weights = folder.appendingPathComponent("model.safetensors")
        var bytes = try Data(contentsOf: weights)
        for place in stride(from: bytes.count - 8000, to: bytes.count, by: 4) {
            bytes.replaceSubrange(place..<place + 4, with: withUnsafeBytes(of: Float(1e38)) { Data($0) })
        }
        try bytes.write(to: weights)
        let run = try program.run("similarity", "a dog", "snow", "--model", folder.path)
        #expect(run.status == 65 && run.errors.contains("NaN or infinity"), "\(run.status) \(run.output)\(run.errors)")
    }

    // MARK: Records

    @Test func recordsAreChecked() throws {
        func check(_ name: String, _ status: Int32 = 0) throws -> [String: String] {
            let run = try program.run("info", "--check", name, "--json")
            #expect(run.status == status, "\(name): \(run.status) \(run.errors)")
            return Dictionary(
                (try JSON(parsing: run.output).array ?? []).map { ($0["part"]?.string ?? "", $0["result"]?.string ?? "") },
                uniquingKeysWith: { first, _ in first })
        }
        #expect(try program.run("rank", "v.h5", "dog", "--model", model, "-o", "r.csv").status == 0)
        #expect(try program.run("cluster", "v.h5", "-o", "k.csv", "--clusters", "2").status == 0)
        #expect(try program.run("pca", "v.h5", "-o", "p.h5", "--components", "2").status == 0)
        #expect(try check("v.h5") == ["content": "same", "input": "same", "model": "not here"])
        #expect(
            try program.run(
                "info", "--check", "v.h5", environment: ["KOTONOHA_MODELS": URL(fileURLWithPath: model).deletingLastPathComponent().path]
            ).output.contains("model"))
        #expect(try check("k.csv")["content"] == "same" && check("k.csv")["input"] == "same")
        #expect(try check("p.h5")["content"] == "same")
        // One changed cell, one changed input, one changed byte of a vector.
        let table = String(decoding: try program.bytes("k.csv"), as: UTF8.self)
        _ = try program.write("k.csv", table.replacingOccurrences(of: "snow", with: "rain"))
        #expect(try check("k.csv", 65)["content"] == "differs")
        _ = try program.write("c.tsv", "other\n")
        #expect(try check("v.h5", 65)["input"] == "differs")
        try FileManager.default.removeItem(atPath: program.path("c.tsv"))
        #expect(try check("v.h5")["input"] == "not here")
        var bytes = try program.bytes("v.h5")
        let row = try VectorFile(path: program.path("v.h5")).readEmbeddings(rows: 3..<4).withUnsafeBytes { Data($0) }
        let place = try #require(bytes.range(of: row))
        bytes[place.lowerBound] ^= 1
        _ = try program.write("v.h5", bytes)
        #expect(try check("v.h5", 65)["content"] == "differs")
        #expect(try program.run("info", "--check", try program.write("bare.csv", "a,b\n")).status == 66)
    }

    // MARK: The terminal

    @Test func aTerminalIsNotSteeredByData() throws {
        let hostile = "snow \u{1B}[31m\u{1B}]0;title\u{7} \u{202E}dog\u{9B}2J"
        let pairs = try program.write("x.tsv", "\(hostile)\tsnow\n")
        let arguments = ["similarity", "--pairs", pairs, "--model", model, "--quiet"]
        let shown = try program.onTerminal(arguments)
        #expect(
            shown.contains("\\u001B[31m") && shown.contains("\\u202Edog") && shown.contains("\\u009B2J") && !shown.contains("\u{1B}")
                && !shown.contains("\u{202E}"), "\(shown)")
        #expect(try program.run(arguments).output.contains(hostile), "a file or pipe gets what stands there")
    }

    @Test func coloursAreAskedFor() throws {
        let pairs = try program.write("p.tsv", "aa\tbb\nab\tba\n")
        #expect(
            try program.run("train", "seq2seq", pairs, "--epochs", "1", "--hidden-size", "8", "--heads", "2", "--quiet", "-o", "m").status
                == 0)
        let arguments = ["generate", "m", pairs, "--target", "2", "--quiet"]
        #expect(try program.onTerminal(arguments).contains("\u{1B}[31m"))
        for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            #expect(try !program.onTerminal(arguments, environment: environment).contains("\u{1B}"), "\(environment)")
        }
        #expect(try program.onTerminal(arguments + ["--color", "always"], environment: ["NO_COLOR": "1"]).contains("\u{1B}[31m"))
    }
}
