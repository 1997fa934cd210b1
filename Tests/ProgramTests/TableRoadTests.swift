import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// The roads of tables through the program: columns that travel along, headers, pipes, names that choose a format.
@Suite struct TableRoadTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
    }

    private func expect(_ result: Program.Result, _ status: Int32, _ words: String..., at location: SourceLocation = #_sourceLocation) {
        #expect(result.status == status, "\(result.output)\(result.errors)", sourceLocation: location)
        for word in words { #expect(result.errors.contains(word), "'\(word)' in: \(result.errors)", sourceLocation: location) }
    }

    private func lines(_ name: String) throws -> [String] {
        String(decoding: try program.bytes(name), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
            String.init)
    }

    private func shell(_ script: String) throws -> Program.Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        process.environment = Program.environment(["K": Program.executable.path, "M": model])
        process.currentDirectoryURL = program.folder
        let names = ["out-\(UUID().uuidString)", "err-\(UUID().uuidString)"]
        for name in names { try Data().write(to: program.folder.appendingPathComponent(name)) }
        process.standardOutput = try FileHandle(forWritingTo: program.folder.appendingPathComponent(names[0]))
        process.standardError = try FileHandle(forWritingTo: program.folder.appendingPathComponent(names[1]))
        try process.run()
        process.waitUntilExit()
        return .init(
            status: process.terminationStatus, output: String(decoding: try program.bytes(names[0]), as: UTF8.self),
            errors: String(decoding: try program.bytes(names[1]), as: UTF8.self))
    }

    private func stimuli() throws -> String {
        let rows = (0..<40).map { "s\($0)\ttwo dogs \($0 % 5) play in the snow \($0)\t\($0 % 2 == 0 ? "適切" : "不適切")\t0.\($0)0" }
        return try program.write("s.tsv", "番号\t文\t条件\t頻度\n" + rows.joined(separator: "\n") + "\n")
    }

    @Test func columnsTravelEverywhere() throws {
        let embedded = try program.run("embed", try stimuli(), "-o", "v.h5", "--model", model, "--column", "文", "--group-column", "条件")
        #expect(embedded.status == 0, "\(embedded.errors)")
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(file.layout.columns.map(\.name) == ["番号", "条件", "文", "頻度"] && file.layout.groupName == "条件")
        #expect(try file.factor("条件").levels == ["適切", "不適切"] && file.column("group")?.count == 40)

        expect(try program.run("evaluate", "groups", "v.h5", "--by", "条件"), 0)
        let runs: [(arguments: [String], file: String, head: String)] = [
            (["tsne", "v.h5", "-o", "m.csv", "--perplexity", "5", "--iterations", "30"], "m.csv", "row,x,y,番号,条件,文,頻度"),
            (["cluster", "v.h5", "-o", "c.csv", "--clusters", "2"], "c.csv", "row,cluster,番号,条件,文,頻度"),
            (["rank", "v.h5", "two dogs", "--model", model, "-o", "r.csv"], "r.csv", "query,rank,cosine,row,番号,条件,文,頻度"),
            (["mine", "v.h5", "--top", "3", "-o", "p.csv"], "p.csv", "cosine,row1,row2,番号1,番号2,条件1,条件2,文1,文2,頻度1,頻度2"),
            (["export", "v.h5", "-o", "e.csv"], "e.csv", "row,番号,条件,文,頻度,v0,v1"),
            (["export", "v.h5", "-o", "e.tsv"], "e.metadata.tsv", "文\t番号\t条件\t頻度"),
        ]
        for run in runs {
            expect(try program.run(run.arguments), 0)
            let table = try lines(run.file)
            #expect(table.first?.hasPrefix(run.head) == true, "\(run.arguments): \(table.first ?? "")")
            #expect(table.dropFirst().allSatisfy { $0.contains("dogs") && $0.contains("適切") && $0.contains("0.") }, "\(run.arguments)")
        }
        #expect(try lines("m.csv")[1].contains(",s0,適切,two dogs 0 play in the snow 0,0.00"))
        // Groups that give way to clusters stay as a column of their own name.
        expect(try program.run("cluster", "v.h5", "-o", "c.h5", "--clusters", "2"), 0)
        #expect(try VectorFile(path: program.path("c.h5")).layout.columns.map(\.name) == ["番号", "cluster", "文", "頻度", "条件"])
        expect(try program.run("evaluate", "groups", "c.h5", "--by", "条件"), 0)
        // JSON and the listing have them too.
        let listed = try program.run("rank", "v.h5", "two dogs", "--model", model, "--top", "1")
        #expect(listed.output.contains("\ts") && listed.output.contains("適切\t") && listed.output.contains("\t0."), "\(listed.output)")
        let json = try JSON(parsing: try program.run("rank", "v.h5", "two dogs", "--model", model, "--top", "1", "--json").output)
        #expect(json.array?.first?["results"]?.array?.first?["頻度"]?.string?.hasPrefix("0.") == true)
    }

    @Test func pairsKeepTheirColumns() throws {
        let pairs = try program.write("p.csv", "番号,sentence1,sentence2,条件\n1,two dogs play,dogs play,a\n2,two dogs,,b\n")
        for name in ["s.tsv", "s.csv", "s.xlsx", "s.jsonl"] {
            expect(try program.run("similarity", "--pairs", pairs, "-o", name, "--model", model), 0)
            let table = try Table(path: program.path(name))
            #expect(table.columnNames == ["cosine", "first", "second", "番号", "条件"] && table.rowCount == 2, "\(name)")
            #expect(
                try table.column("条件").texts == ["a", "b"] && table.column("番号").kind == .integer
                    && table.column("cosine").optionalNumbers()[1] == nil, "\(name)")
        }
        #expect(try program.bytes("s.xlsx").starts(with: [0x50, 0x4B]))
        let record = try JSON(contentsOf: program.path("s.csv.provenance.json"))
        #expect(try record["inputs"]?.array?.first?["sha256"]?.string == SHA256.hex(ofFile: pairs) && record["model"] != nil)
    }

    @Test func headersAreNoData() throws {
        let pairs = try program.write(
            "ja-en.tsv", "ja\ten\n" + (0..<5).map { "two dogs \($0)\tdogs play \($0)" }.joined(separator: "\n") + "\n")
        let scored = try program.run("similarity", "--pairs", pairs, "--model", model)
        #expect(scored.output.split(separator: "\n").count == 6 && !scored.output.contains("\tja\t"), "\(scored.output)")
        let retrieval = try program.run("evaluate", "retrieval", pairs, "--model", model, "--json")
        #expect(try JSON(parsing: retrieval.output)["pairs"]?.int == 5, "\(retrieval.errors)")
        let unknown = try program.write(
            "de.tsv",
            "erster\tzweiter\n" + (0..<5).map { "two dogs play in the snow \($0)\tdogs play outside all day \($0)" }.joined(separator: "\n")
                + "\n")
        let warned = try program.run("similarity", "--pairs", unknown, "--model", model)
        #expect(warned.output.split(separator: "\n").count == 7 && warned.errors.contains("--header"), "\(warned.errors)")
        #expect(try program.run("similarity", "--pairs", unknown, "--model", model, "--header").output.split(separator: "\n").count == 6)
        #expect(try !program.run("similarity", "--pairs", unknown, "--model", model, "--quiet").errors.contains("--header"))
        let verses = try program.write("verses.tsv", "upper\tlower\nsnow\tdog\ncat\tdogs\n")
        let trained = try program.run("train", "seq2seq", verses, "-o", "poems", "--epochs", "1", "--hidden-size", "8")
        #expect(trained.status == 0 && trained.errors.contains("2 pairs"), "\(trained.errors)")
        let generated = try program.run("generate", "poems", verses)
        #expect(
            generated.status == 0 && generated.output.split(separator: "\n", omittingEmptySubsequences: false).count == 3,
            "\(generated.output)\(generated.errors)")
    }

    @Test func pipesAreReadOnce() throws {
        let text = (0..<5001).map { "the dog \($0) plays" }.joined(separator: "\n") + "\n"
        _ = try program.write("long.txt", String(repeating: "x ", count: 9) + "\n" + text)
        let tokenized = try shell(#""$K" tokenize <(cat long.txt) --model "$M" --quiet | wc -l"#)
        #expect(tokenized.output.trimmingCharacters(in: .whitespacesAndNewlines) == "5002", "\(tokenized.output)\(tokenized.errors)")
        let embedded = try shell(
            #""$K" embed <(cat long.txt) -o p.h5 --model "$M" --quiet && "$K" embed long.txt -o f.h5 --model "$M" --quiet"#)
        #expect(embedded.status == 0, "\(embedded.errors)")
        let (piped, read) = (try VectorFile(path: program.path("p.h5")), try VectorFile(path: program.path("f.h5")))
        #expect(piped.count == 5002 && piped.metadata.sourceSHA256 == read.metadata.sourceSHA256)
        #expect(try piped.readEmbeddings() == read.readEmbeddings())
        let resumed = try shell(#""$K" embed <(cat long.txt) -o q.h5 --model "$M" --resume"#)
        #expect(resumed.status == 64 && resumed.errors.contains("pipe"), "\(resumed.errors)")
        let book = try shell(#"cp "\#(fixtureBook)" b.xlsx && "$K" tokenize <(cat b.xlsx) --column text --model "$M" --quiet | wc -l"#)
        #expect(book.output.trimmingCharacters(in: .whitespacesAndNewlines) == "4", "\(book.output)\(book.errors)")
    }

    private var fixtureBook: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
            "FileFormatsTests/Fixtures/openpyxl.xlsx"
        ).path
    }
    private var traps: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
            "FileFormatsTests/Fixtures/traps.xlsx"
        ).path
    }

    @Test func formatsFollowTheName() throws {
        let input = try stimuli(), pairs = try program.write("p.tsv", "sentence1\tsentence2\nsnow\tdog\n")
        expect(try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "文"), 0)
        let refused: [[String]] = [
            ["embed", input, "-o", "x.txt", "--model", model], ["embed", input, "-o", "x", "--model", model],
            ["embed", input, "-o", "x.csv", "--model", model],
            ["pca", "v.h5", "-o", "x.csv"], ["pca", "v.h5", "-o", "x.h5", "--scree", "x.doc"], ["tsne", "v.h5", "-o", "x.svg"],
            ["cluster", "v.h5", "-o", "x.npy"],
            ["similarity", "--pairs", pairs, "-o", "x.h5", "--model", model], ["rank", "v.h5", "snow", "-o", "x.html", "--model", model],
            ["mine", "v.h5", "-o", "x.vec"], ["export", "v.h5", "-o", "x.h5"], ["train", "vocabulary", input, "-o", "x.txt"],
            ["draw", "characters", input, "-o", "x.csv"], ["tsne", "v.h5", "-o", "m.csv", "--html", "x.txt"],
            ["tsne", "v.h5", "-o", "m.csv", "--figure", "x.jpg"],
            ["similarity", "snow", "dog", "-o", "x.tsv", "--model", model],
        ]
        for arguments in refused {
            let result = try program.run(arguments)
            #expect(result.status == 64, "\(arguments): \(result.status) \(result.errors)")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: program.folder.path).filter { $0.hasPrefix("x") || $0.hasPrefix("m.") }
                == [])
        expect(try program.run("pca", "v.h5", "-o", "x.csv"), 64, ".h5", "x.csv")
    }

    @Test func formulasAreDefused() throws {
        let input = try program.write("f.csv", "id,text,group\n1,=cmd|'/C calc'!A0,+1\n2,a dog,-2\n")
        expect(try program.run("embed", input, "-o", "v.h5", "--model", model), 0)
        expect(try program.run("rank", "v.h5", "dog", "--model", model, "-o", "r.csv", "--safe-csv"), 0)
        let table = String(decoding: try program.bytes("r.csv"), as: UTF8.self)
        #expect(table.contains(",'=cmd|") && !table.contains(",=cmd|") && table.contains(",-2,"), "\(table)")
    }

    @Test func smallTraps() throws {
        // Counts have the right noun.
        let one = try program.run("embed", try program.write("one.txt", "snow\n\ndog\n"), "-o", "v.h5", "--model", model)
        expect(one, 0, "1 empty row kept in place")
        // Empty queries.
        expect(try program.run("rank", "v.h5", "", "--model", model), 64, "empty")
        expect(
            try program.run("rank", "v.h5", "--queries", try program.write("q.txt", "snow\n\n"), "--model", model), 65, "q.txt:2", "empty")
        expect(try program.run("rank", "v.h5", "--queries", try program.write("none.txt", ""), "--model", model), 65, "none.txt")
        // A column of queries.
        let queries = try program.write("q.tsv", "a\tb\nsnow\tdog\ncat\ttwo dogs\n")
        let ranked = try program.run("rank", "v.h5", "--queries", queries, "--column", "b", "--top", "1", "--model", model, "--json")
        #expect(try JSON(parsing: ranked.output).array?.compactMap { $0["query"]?.string } == ["dog", "two dogs"], "\(ranked.errors)")
        // Pairs without scores are not asked for scores.
        let three = try program.write("three.tsv", "a dog\ta cat\tthe snow\nx y\tz\tw v\n")
        let asked = try program.run("similarity", "--pairs", three, "--model", model)
        #expect(asked.status == 64 && asked.errors.contains("--columns") && !asked.errors.contains("score"), "\(asked.errors)")
        // A treebank without --tokens.
        let bank = try program.write(
            "t.conllu",
            "# sent_id = 1\n# text = Dogs run\n1\tDogs\tdog\tNOUN\tNNS\t_\t2\tnsubj\t_\t_\n2\trun\trun\tVERB\tVBP\t_\t0\troot\t_\t_\n\n")
        expect(try program.run("embed", bank, "-o", "t.h5", "--model", model), 64, "embed t.conllu --tokens")
        // Sheets, without any other option.
        let sheets = try program.run("embed", traps, "--list-sheets")
        #expect(sheets.status == 0 && sheets.output == "1\t実験\n2\t予備調査\n", "\(sheets.output)\(sheets.errors)")
        let book = try program.run("embed", traps, "-o", "b.h5", "--column", "文", "--header-row", "1-2", "--model", model)
        expect(book, 0, "予備調査", "no stored result")
        #expect(try VectorFile(path: program.path("b.h5")).layout.columnNames == ["容認度 前", "容認度 後"])
        // Keys of .vec are different.
        let twice = try program.write("twice.tsv", "id\ttext\ndog\ta dog\ndog\ttwo dogs\ncat\ta cat\n")
        expect(try program.run("embed", twice, "-o", "w.h5", "--model", model), 0)
        expect(try program.run("export", "w.h5", "-o", "w.vec"), 0, "1 key")
        #expect(try lines("w.vec").dropFirst().map { $0.split(separator: " ")[0] } == ["dog", "dog_2", "cat"])
    }

    @Test func longTextsAreSplit() throws {
        let input = try program.write(
            "d.tsv", "番号\t文\nx1\tTwo dogs play. A cat sleeps! Dr. Dog runs in the snow.\nx2\t\nx3\t犬が走る。「雪だ。」と猫は言った。\n")
        let run = try program.run("embed", input, "-o", "v.h5", "--column", "文", "--split", "sentences", "--model", model)
        expect(run, 0, "3 documents")
        let parts = try VectorFile(path: program.path("v.h5"))
        #expect(try parts.texts() == ["Two dogs play.", "A cat sleeps!", "Dr. Dog runs in the snow.", "", "犬が走る。", "「雪だ。」と猫は言った。"])
        #expect(try parts.column("document") == ["1", "1", "1", "2", "3", "3"] && parts.column("part") == ["1", "2", "3", "1", "1", "2"])
        #expect(try parts.ids() == ["x1", "x1", "x1", "x2", "x3", "x3"])
        let documents = try VectorFile(path: program.path("v.documents.h5"))
        #expect(
            try documents.count == 3 && documents.valid() == [true, false, true] && documents.column("parts") == ["3", "0", "2"]
                && documents.ids() == ["x1", "x2", "x3"])
        #expect(try documents.texts()[0] == "Two dogs play. A cat sleeps! Dr. Dog runs in the snow.")
        let x = try parts.readEmbeddings(), y = try documents.readEmbeddings(), d = parts.dimension
        var mean = (0..<d).map { (Double(x[$0]) + Double(x[d + $0]) + Double(x[2 * d + $0])) / 3 }
        if parts.metadata.isNormalized {
            let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
            mean = mean.map { $0 / length }
        }
        #expect(zip(mean, y).allSatisfy { abs($0 - Double($1)) < 1e-6 })
        // By tokens: no part is longer, and nothing is lost.
        let long = try program.write("long.txt", String(repeating: "two dogs play in the snow ", count: 40) + "\n")
        expect(try program.run("embed", long, "-o", "l.h5", "--split", "16", "--model", model), 0)
        let stretches = try VectorFile(path: program.path("l.h5")).texts()
        #expect(
            stretches.count >= 15
                && stretches.joined(separator: " ")
                    == String(repeating: "two dogs play in the snow ", count: 40).trimmingCharacters(in: .whitespaces)
        )
        expect(try program.run("embed", long, "-o", "l.h5", "--split", "words", "--model", model), 64, "--split")
        expect(try program.run("embed", long, "-o", "l.h5", "--split", "16", "--append", "--model", model), 64, "--append")
    }
}
