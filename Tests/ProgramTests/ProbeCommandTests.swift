import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// From a treebank to trees, with files of this program and of others.
@Suite struct ProbeCommandTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
    }

    private static let patterns: [[(form: String, tag: String, head: Int, relation: String)]] = [
        [
            ("two", "CD", 2, "nummod"), ("dogs", "NNS", 3, "nsubj"), ("play", "VBP", 0, "root"), ("in", "IN", 6, "case"),
            ("the", "DT", 6, "det"),
            ("snow", "NN", 3, "obl"), (".", ".", 3, "punct"),
        ],
        [("the", "DT", 2, "det"), ("cat", "NN", 3, "nsubj"), ("play", "VBP", 0, "root"), (".", ".", 3, "punct")],
        [("snow", "NN", 0, "root")],
        [
            ("the", "DT", 2, "det"), ("snow", "NN", 0, "root"), (",", ",", 5, "punct"), ("two", "CD", 5, "nummod"),
            ("cat", "NN", 2, "appos"),
        ],
    ]

    /// A treebank of `count` sentences; CoNLL-X has no comments and leaves the last columns to projective heads.
    private func treebank(_ name: String, _ count: Int, isCoNLLX: Bool = false) throws -> String {
        var text = ""
        for number in 0..<count {
            let words = Self.patterns[number % Self.patterns.count]
            if !isCoNLLX { text += "# sent_id = \(name)-\(number + 1)\n# text = \(words.map(\.form).joined(separator: " "))\n" }
            for (place, word) in words.enumerated() {
                text +=
                    "\(place + 1)\t\(word.form)\t_\t\(word.tag)\t\(word.tag)\t_\t\(word.head)\t\(word.relation)\t\(isCoNLLX ? "\(word.head)\t\(word.relation)" : "_\t_")\n"
            }
            text += "\n"
        }
        return try program.write(name, text)
    }

    private func embed(_ treebank: String, _ output: String, _ model: String, _ options: String...) throws {
        let process = program.process(["embed", treebank, "-o", output, "--tokens", "--model", model, "--quiet"] + options)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func fromTreebankToTree() throws {
        let train = try treebank("train.conllu", 40), dev = try treebank("dev.conll", 12, isCoNLLX: true)
        try embed(train, "train.h5", model)
        try embed(dev, "dev.h5", model, "--store", "float16")
        #expect(try LayerFile(path: program.path("train.h5")).layers == [0, 1, 2])

        let trained = try program.run(
            "probe", "train", "--train", "train.h5", train, "--dev", "dev.h5", dev, "--layer", "2", "--rank", "8", "-o", "p.safetensors",
            "--json")
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(trained.errors.contains("left out as punctuation: 9 (words with the Penn Treebank tags"), "\(trained.errors)")
        let scores = try JSON(parsing: trained.output)
        for measure in ["UUAS", "root accuracy", "DSpr.", "directed accuracy"] {
            #expect(scores[measure]?["value"]?.double != nil, "\(measure)")
        }

        let evaluated = try program.run("probe", "evaluate", "p.safetensors", "--test", "dev.h5", dev, "--details")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        for part in ["# probe", "# adjacent words", "# random projection", "nsubj\t", "words apart"] {
            #expect(evaluated.output.contains(part), "\(part)")
        }

        let parsed = try program.run(
            "probe", "parse", "p.safetensors", "two dogs play in the snow.", "--model", model, "--json", "--figure", "t.svg", "--heatmap",
            "d.png", "--space", "s.svg")
        #expect(parsed.status == 0, "\(parsed.errors)")
        let tree = try JSON(parsing: parsed.output)
        #expect(tree["words"]?.array?.count == 7 && tree["distances"]?.array?.count == 7)
        #expect(tree["heads"]?.array?.count { $0.int == 0 } == 2, "the root, and the full stop that takes no part")
        for picture in ["t.svg", "d.png", "s.svg"] { #expect(try program.bytes(picture).count > 500, "\(picture)") }
        let gold = try program.run(
            "probe", "parse", "p.safetensors", "--treebank", train, "--id", "train.conllu-1", "--model", model, "--figure", "g.svg")
        #expect(gold.status == 0 && gold.output.contains("─ "), "\(gold.errors)")
        #expect(String(decoding: try program.bytes("g.svg"), as: UTF8.self).contains("nummod"))
    }

    @Test func sweepAndCompare() throws {
        let train = try treebank("train.conllu", 40), dev = try treebank("dev.conllu", 12)
        for (bank, name) in [(train, "train"), (dev, "dev")] {
            try embed(bank, "\(name).h5", model)
            try embed(bank, "\(name)-0.h5", model, "--untrained-seed", "3")
        }
        let sweep = try program.run(
            "probe", "sweep", "--train", "train.h5", train, "--dev", "dev.h5", dev, "--untrained", "train-0.h5", "dev-0.h5",
            "--layers", "0,2", "--ranks", "2,8", "--controls", "--epochs", "2", "-o", "t.tsv", "--figure", "t.svg")
        #expect(sweep.status == 0, "\(sweep.errors)")
        let lines = String(decoding: try program.bytes("t.tsv"), as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false)
        }
        func count(_ vectors: String, _ task: String) -> Int { lines.count { $0[0] == vectors && $0[1] == task } }
        #expect(
            count("trained encoder", "treebank") == 4 && count("trained encoder", "control task") == 4
                && count("trained encoder", "selectivity") == 4)
        #expect(count("untrained encoder", "treebank") == 4 && count("adjacent words", "treebank") == 1)
        #expect(count("trained encoder", "treebank, random projection") == 2)
        #expect(FileManager.default.fileExists(atPath: program.path("t.tsv.provenance.json")))
        #expect(try program.bytes("t.svg").count > 1000)

        for (name, file) in [("a", "train"), ("b", "train-0")] {
            let run = try program.run(
                "probe", "train", "--train", "\(file).h5", train, "--dev", "\(file).h5", train, "--layer", "1", "--rank", "4", "--epochs",
                "2", "-o", "\(name).safetensors", "--quiet")
            #expect(run.status == 0, "\(run.errors)")
        }
        let compared = try program.run(
            "probe", "compare", "a.safetensors", "b.safetensors", "--first-vectors", "dev.h5", "--second-vectors", "dev-0.h5", "--treebank",
            dev)
        #expect(compared.status == 0 && compared.output.contains("measure\tfirst\tsecond\tdifference"), "\(compared.errors)")
        #expect(compared.errors.contains("left out as punctuation"), "\(compared.errors)")
        let unlike = try program.run(
            "probe", "sweep", "--train", "train.h5", train, "--dev", "dev.h5", dev, "--untrained", "train-0.h5", "dev.h5", "--layers", "0",
            "--ranks", "2",
            "--epochs", "1", "-o", "u.tsv")
        #expect(unlike.status == 65 && unlike.errors.contains("not from the encoder of"), "\(unlike.errors)")
        // Vectors of the other encoder.
        let mixed = try program.run("probe", "evaluate", "a.safetensors", "--test", "dev-0.h5", dev)
        #expect(mixed.status == 65 && mixed.errors.contains("model hashes differ"), "\(mixed.errors)")
    }

    /// Files in the published style: no attributes, a vector a word piece with the special tokens, or a vector a word.
    @Test func filesOfOtherPrograms() throws {
        let bank = try treebank("t.conllu", 8)
        let words = (0..<8).map { Self.patterns[$0 % 4].count }
        func write(_ name: String, extra: Int) throws {
            try HDF5Container.create(path: program.path(name)) { file in
                for (sentence, count) in words.enumerated() {
                    let tokens = count + extra
                    try file.write(
                        "\(sentence)", shape: [3, tokens, 5],
                        values: (0..<3 * tokens * 5).map { Float(($0 * 7919 + sentence * 31) % 97) / 97 })
                }
            }
        }
        try write("elmo.h5", extra: 0)
        try write("bert.h5", extra: 2)
        func train(_ file: String, _ options: String...) throws -> Program.Result {
            let process = program.process(
                [
                    "probe", "train", "--train", file, bank, "--dev", file, bank, "--layer", "1", "--rank", "3", "--epochs", "2", "-o",
                    "p.safetensors", "--force",
                ] + options)
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Program.Result(status: process.terminationStatus, output: "", errors: text)
        }
        let elmo = try train("elmo.h5"), bert = try train("bert.h5", "--piece-model", model), without = try train("bert.h5")
        #expect(elmo.status == 0, "\(elmo.errors)")
        #expect(bert.status == 0, "\(bert.errors)")
        #expect(
            without.status == 65 && without.errors.contains("t.conllu-1 has 7 words, but 9 vectors")
                && without.errors.contains("--piece-model"), "\(without.errors)")
    }

    /// BERT's published files were cut without splitting words at punctuation; how a file was cut is found out from its numbers of vectors.
    @Test func wordPiecesOfOtherPrograms() throws {
        let forms = ["two", "dogs.", "snowcat", "play"]
        let rows = forms.enumerated().map { "\($0 + 1)\t\($1)\t_\tX\tX\t_\t\($0)\t\($0 == 0 ? "root" : "dep")\t_\t_\n" }.joined()
        let bank = try program.write("p.conllu", String(repeating: rows + "\n", count: 6))
        // Pieces of the words: as the tokenizer splits them, and by the model alone, to which "dogs." is one unknown word.
        func train(_ pieces: [Int]) throws -> (words: Program.Result, pieces: Program.Result) {
            func options(_ file: String) -> [String] {
                [
                    "probe", "train", "--train", file, bank, "--dev", file, bank, "--layer", "0", "--rank", "3", "--epochs", "3", "-o",
                    "\(file).safetensors", "--json", "--quiet", "--force",
                ]
            }
            func value(_ sentence: Int, _ token: Int, _ component: Int) -> Float {
                Float((token * 5 + component + sentence * 31) * 7919 % 97) / 97
            }
            try HDF5Container.create(path: program.path("w.h5")) { words in
                try HDF5Container.create(path: program.path("b.h5")) { file in
                    for sentence in 0..<6 {
                        let tokens = 2 + pieces.reduce(0, +)
                        try file.write(
                            "\(sentence)", shape: [1, tokens, 5], values: (0..<tokens * 5).map { value(sentence, $0 / 5, $0 % 5) })
                        var first = 1, means: [Float] = []
                        for count in pieces {
                            for component in 0..<5 {
                                means.append(
                                    (first..<first + count).reduce(Float(0)) { $0 + value(sentence, $1, component) } * (1 / Float(count)))
                            }
                            first += count
                        }
                        try words.write("\(sentence)", shape: [1, 4, 5], values: means)
                    }
                }
            }
            return (try program.run(options("w.h5")), try program.run(options("b.h5") + ["--piece-model", model]))
        }
        for pieces in [[1, 2, 4, 1], [1, 1, 4, 1]] {
            let result = try train(pieces)
            #expect(result.words.status == 0 && result.pieces.status == 0, "\(pieces): \(result.words.errors)\(result.pieces.errors)")
            #expect(result.words.output == result.pieces.output && result.words.output.contains("UUAS"), "\(pieces)")
        }
        let neither = try train([1, 3, 4, 1]).pieces
        #expect(
            neither.status == 65 && neither.errors.contains("sentence #1 has 4 words in 10 pieces, but 11 vectors"), "\(neither.errors)")
    }

    @Test func filesSayHowTheyWereMade() throws {
        let train = try treebank("train.conllu", 20)
        try embed(train, "t.h5", model, "--store", "float16", "--pieces", "first", "--layers", "0,2", "--untrained-seed", "4")
        let facts = try JSON(parsing: program.run("info", "t.h5", "--json").output)
        for (key, value) in [
            ("kind", "word vectors of a treebank"), ("pieces", "first"), ("text", "written"), ("layers", "0,2"), ("storage", "float16"),
            ("source", "train.conllu"),
        ] {
            #expect(facts[key]?.string == value, "\(key)")
        }
        let text = try #require(try HDF5Container(path: program.path("t.h5")).attribute("provenance")?.string)
        let record = try JSON(parsing: text)
        let input = record["inputs"]?.array?.first, hash = try SHA256.hex(ofFile: train)
        #expect(input?["name"]?.string == "train.conllu" && input?["sha256"]?.string == hash)
        #expect(
            record["model"]?["sha256"]?.string?.count == 64 && record["seed"]?.int == 4 && record["layers"]?.string == "0,2"
                && record["storage"]?.string == "float16")
        #expect(
            record["command"]?.array?.contains(.string("--untrained-seed")) == true && record["version"]?.string != nil
                && !text.contains(program.folder.path))
        let methods = try program.run("methods", "t.h5").output
        for part in [
            "20 sentences of train.conllu", "layers 0, 2", "(untrained, seed 4)", "that of its first word piece", "stored as float16",
        ] { #expect(methods.contains(part), "\(part) in \(methods)") }

        let sweep = try program.run(
            "probe", "sweep", "--train", "t.h5", train, "--dev", "t.h5", train, "--ranks", "2,3", "--epochs", "1", "--controls", "-o",
            "s.tsv", "--quiet")
        #expect(sweep.status == 0, "\(sweep.errors)")
        let english = try program.run("methods", "s.tsv").output, japanese = try program.run("methods", "s.tsv", "--language", "ja").output
        for part in [
            "rank 2, 3", "layers 0, 2", "20 sentences of train.conllu", "Penn Treebank tags", "@inproceedings{hewitt2019structural",
            "@inproceedings{hewitt2019designing",
        ] {
            #expect(english.contains(part), "\(part) in \(english)")
        }
        #expect(japanese.contains("階数2, 3の線形写像") && japanese.contains("train.conllu"), "\(japanese)")
        let probe = try program.run(
            "probe", "train", "--train", "t.h5", train, "--dev", "t.h5", train, "--layer", "2", "--rank", "5", "--epochs", "1", "-o",
            "p.safetensors", "--quiet")
        #expect(probe.status == 0, "\(probe.errors)")
        let shown = try JSON(parsing: program.run("info", "p.safetensors", "--json").output)
        #expect(
            shown["kind"]?.string == "structural probe" && shown["layer"]?.int == 2 && shown["distance"]?.string == "5 x 24"
                && shown["pieces"]?.string == "first")
        let made = try program.run("methods", "p.safetensors").output
        #expect(made.contains("rank 5") && made.contains("hewitt2019structural") && !made.contains("hewitt2019designing"), "\(made)")
        // Sentence vectors of a probe's vectors are another thing.
        for options in [["--append"], ["--prompt", "x"], ["--max-length", "5"]] {
            let refused = try program.run(["embed", train, "-o", "x.h5", "--tokens", "--model", model] + options)
            #expect(refused.status == 64 && refused.errors.contains("\(options[0]) is for sentences"), "\(refused.errors)")
        }
        let untrained = try program.run("embed", train, "-o", "x.h5", "--model", model, "--untrained-seed", "1")
        #expect(untrained.status == 64 && untrained.errors.contains("needs --tokens"), "\(untrained.errors)")
    }

    @Test func sentencesOfOneWordAndOfPunctuation() throws {
        let single = try program.write(
            "one.conllu",
            String(
                repeating:
                    "1\tsnow\t_\tNOUN\tNN\t_\t0\troot\t_\t_\n\n1\tcat\t_\tNOUN\tNN\t_\t0\troot\t_\t_\n\n1\t.\t_\tPUNCT\t.\t_\t0\troot\t_\t_\n\n",
                count: 3))
        try embed(single, "one.h5", model)
        let trained = try program.run(
            "probe", "train", "--train", "one.h5", single, "--dev", "one.h5", single, "--layer", "1", "--rank", "2", "--epochs", "2", "-o",
            "p.safetensors", "--json")
        #expect(trained.status == 0, "\(trained.errors)")
        let scores = try JSON(parsing: trained.output)
        #expect(scores["UUAS"] == nil && scores["DSpr."] == nil && scores["root accuracy"]?["value"]?.double == 1)
        for sentence in ["snow", "...", "."] {
            let parsed = try program.run(
                "probe", "parse", "p.safetensors", sentence, "--model", model, "--figure", "t.svg", "--heatmap", "h.svg", "--space", "s.svg"
            )
            #expect(parsed.status == 0 && !parsed.output.isEmpty, "\(sentence): \(parsed.errors)")
        }
        let mixed = try program.run("probe", "parse", "p.safetensors", "two cat, the snow.", "--model", model)
        #expect(mixed.errors.contains("left out as punctuation: , ."), "\(mixed.errors)")
        let nothing = try program.run("probe", "parse", "p.safetensors", "  ", "--model", model)
        #expect(nothing.status == 64 && nothing.errors.contains("no words"), "\(nothing.errors)")
        var writer = SafetensorsWriter(metadata: [("format", "kotonoha/probe"), ("layer", "9")])
        writer.add("distance", shape: [1, 24], values: [Float](repeating: 1, count: 24))
        try writer.write(to: program.path("far.safetensors"))
        let far = try program.run("probe", "parse", "far.safetensors", "snow", "--model", model)
        #expect(far.status == 65 && far.errors.contains("it reads layer 9"), "\(far.errors)")
    }

    @Test func badInputs() throws {
        let bank = try treebank("t.conllu", 8), longer = try treebank("l.conllu", 9)
        try embed(bank, "t.h5", model)
        func train(_ bank: String, _ rank: String, layer: String = "1") throws -> Program.Result {
            try program.run(
                "probe", "train", "--train", "t.h5", bank, "--dev", "t.h5", bank, "--layer", layer, "--rank", rank, "-o", "p.safetensors")
        }
        let rank = try train(bank, "25"), other = try train(longer, "2"), layer = try train(bank, "2", layer: "7")
        #expect(rank.status == 64 && rank.errors.contains("the rank 25 is not between 1 and 24"), "\(rank.errors)")
        #expect(other.status == 65 && other.errors.contains("sentence l.conllu-9 has no vectors"), "\(other.errors)")
        #expect(layer.status == 64 && layer.errors.contains("no layer 7; the file has 0, 1, 2"), "\(layer.errors)")
        let dots = try program.write("dots.conllu", "1\t.\t.\tPUNCT\t.\t_\t0\troot\t_\t_\n\n")
        let punctuation = try train(dots, "2")
        #expect(punctuation.status == 65 && punctuation.errors.contains("every word is punctuation"), "\(punctuation.errors)")
        let circle = try program.write(
            "circle.conllu",
            "# sent_id = c1\n1\ta\ta\tX\tX\t_\t2\tdep\t_\t_\n2\tb\tb\tX\tX\t_\t1\tdep\t_\t_\n3\tc\tc\tX\tX\t_\t0\troot\t_\t_\n\n")
        let cycle = try program.run("embed", circle, "-o", "c.h5", "--tokens", "--model", model)
        #expect(cycle.status == 65 && cycle.errors.contains("sentence c1") && cycle.errors.contains("cycle"), "\(cycle.errors)")
        #expect(
            !FileManager.default.fileExists(atPath: program.path("p.safetensors"))
                && !FileManager.default.fileExists(atPath: program.path("c.h5")))
        let vectors = try program.run("probe", "evaluate", "t.h5", "--test", "t.h5", bank)
        #expect(vectors.status == 65, "\(vectors.errors)")
    }
}
