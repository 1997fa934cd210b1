import FileFormats
import Foundation
import TestSupport
import TestTools
import Testing
import VectorStore

/// `surprisal`, `fill`, `evaluate choice` and `reading`, `attention`, `explain` and `embed --word` as users run them.
@Suite struct LanguageModelCommandTests {
    let program: Program
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
        "LanguageModelsTests/Fixtures")
    let bert = Self.fixtures.appendingPathComponent("bert").path
    static let hasMeCab = FileManager.default.fileExists(atPath: "/var/lib/mecab/dic/ipadic-utf8/sys.dic")

    init() throws { program = try Program() }

    private func run(_ arguments: String...) throws -> Program.Result {
        let result = try program.run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    /// Rows of a TSV on standard output or in a file, by column.
    private func rows(_ text: String, separator: Character = "\t") -> [[String: String]] {
        let lines = text.split(separator: "\n").map { $0.split(separator: separator, omittingEmptySubsequences: false).map(String.init) }
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }

    // MARK: surprisal

    @Test func theTableGoesStraightIntoARegression() throws {
        let input = try program.write("items.tsv", "id\tsentence\tcondition\n1\ttwo dogs play in the snow.\tA\n2\t\tA\n3\tthe cat\tB\n")
        let said = try run("surprisal", bert, input, "--lag", "2", "-o", "words.csv").errors
        #expect(said.contains("2 texts") && said.contains("pseudo-perplexity") && said.contains("1 row without text left out"), "\(said)")
        let found = rows(try String(contentsOfFile: program.path("words.csv"), encoding: .utf8), separator: ",")
        #expect(found.map { $0["word"] } == ["two", "dogs", "play", "in", "the", "snow.", "the", "cat"])
        #expect(
            found.map { $0["row"] } == ["2", "2", "2", "2", "2", "2", "4", "4"]
                && found.map { $0["condition"] }.suffix(3) == ["A", "B", "B"])
        #expect(
            found[5]["tokens"] == "2" && found[5]["length"] == "5" && found[2]["word_prev2"] == "two"
                && found[2]["surprisal_prev1"] == found[1]["surprisal"])
        #expect(found[0]["surprisal_prev1"] == "" && found[6]["word_prev1"] == "" && (Double(found[0]["surprisal"] ?? "") ?? 0) > 0)
        let record = try JSON(contentsOf: program.path("words.csv.provenance.json"))
        #expect(
            record["method"]?.string == "surprisal" && record["texts"]?.int == 2 && record["units"]?.int == 8
                && record["pll"]?.string == "original")
        let methods = try run("methods", "words.csv", "--without-bibtex").output
        #expect(
            methods.contains("surprisal (−log probability, in bits) of 8 words in 2 texts") && methods.contains("Salazar et al., 2020"),
            "\(methods)")
        #expect(try run("methods", "words.csv", "--language", "ja", "--without-bibtex").output.contains("疑似対数尤度"))
    }

    @Test func unitsAndBases() throws {
        let bits = rows(try run("surprisal", bert, "two dogs / play in the snow", "--regions", "--quiet").output)
        #expect(bits.map { $0["region"] } == ["two dogs", "play in the snow"])
        let nats = rows(
            try run("surprisal", bert, "two dogs / play in the snow", "--regions", "--base", "e", "--decimals", "10", "--quiet").output)
        let ratio = (Double(bits[0]["surprisal"] ?? "") ?? 0) / (Double(nats[0]["surprisal"] ?? "") ?? 1)
        #expect(abs(ratio - 1 / log(2)) < 1e-4)
        let tokens = rows(try run("surprisal", bert, "two dogs / play in the snow", "--regions", "--unit", "token", "--quiet").output)
        #expect(
            tokens.map { $0["region"] } == ["1", "1", "2", "2", "2", "2"]
                && tokens.map { $0["token"] } == ["two", "dogs", "play", "in", "the", "snow"])
        let text = rows(try run("surprisal", bert, "two dogs", "--unit", "text", "--decimals", "6", "--quiet").output)
        #expect(text.count == 1 && text[0]["tokens"] == "2")
        let json = try JSON(parsing: run("surprisal", bert, "two dogs", "-o", "t.tsv", "--json").output)
        #expect(json["tokens"]?.int == 2 && json["kind"]?.string == "masked")
    }

    @Test(.enabled(if: hasMeCab, "needs Debian's mecab-ipadic-utf8")) func japaneseWords() throws {
        let found = rows(try run("surprisal", bert, "犬が雪で遊ぶ", "--pll", "within-word-l2r", "--quiet").output)
        #expect(found.map { $0["word"] } == ["犬", "が", "雪", "で", "遊ぶ"])
    }

    @Test func mistakesAreNamed() throws {
        func fails(_ status: Int32, _ text: String, _ arguments: String...) throws {
            let result = try program.run(arguments)
            #expect(result.status == status && result.errors.contains(text), "\(arguments): \(result.status) \(result.errors)")
            #expect(!result.errors.contains("Fatal"))
        }
        let tiny = try TinyModel().folder.path
        try fails(64, "no language-model head", "surprisal", tiny, "two dogs")
        try fails(64, "no language-model head", "fill", tiny, "two [MASK]")
        try fails(64, "needs --regions", "surprisal", bert, "two", "--unit", "region")
        try fails(64, "reads 38", "surprisal", bert, String(repeating: "snow ", count: 50))
        #expect(try program.run("surprisal", bert, String(repeating: "snow ", count: 50), "--stride", "10").status == 0)
        try fails(66, "nowhere.tsv", "surprisal", bert, "nowhere.tsv")
        let table = try program.write("t.tsv", "a\tb\tc\nx\ty\t1\n")
        try fails(64, "no column 文", "surprisal", bert, table, "--column", "文")
        try fails(64, "no [MASK]", "fill", bert, "two dogs")
        try fails(64, ", not '", "surprisal", bert, "two", "-o", "x.h5")
        try fails(
            65, "none of its columns names", "evaluate", "choice", try program.write("p.tsv", "good\tbad\tuid\ntwo dogs\tdogs two\tq\n"),
            "--model", bert, "--beside", table)
        try fails(64, "name one with --model", "evaluate", "choice", program.path("p.tsv"))
        try fails(
            64, "--cue is for cues", "evaluate", "choice", program.path("p.tsv"), "--good", "good", "--bad", "bad", "--cue", "uid",
            "--model", bert)
        try fails(64, "no column rt", "evaluate", "reading", table, "--time", "rt")
        try fails(64, "no layer 9", "attention", bert, "two dogs", "--figure", "a.svg", "--layer", "9")
        try fails(64, "--head needs --layer", "attention", bert, "two dogs", "--head", "1")
        try fails(64, "the second is missing", "explain", bert, "two dogs")
        try fails(64, "--label is for classifiers", "explain", bert, "two", "dogs", "--label", "x")
    }

    // MARK: fill

    @Test func holesAreFilled() throws {
        let table = try program.write("t.csv", "item,text\n7,two [MASK] play in the <mask>\n")
        let found = rows(try run("fill", bert, table, "--top", "3").output)
        #expect(found.count == 6 && found.allSatisfy { $0["item"] == "7" } && found.map { $0["hole"] } == ["1", "1", "1", "2", "2", "2"])
        #expect(found[0]["text"]?.contains("[MASK]") == true && found[0]["text"]?.hasPrefix("two " + (found[0]["guess"] ?? "?")) == true)
        let json = try JSON(parsing: run("fill", bert, "two [MASK]", "--top", "2", "--json").output)
        #expect(json.array?.count == 2 && (json.array?[0]["probability"]?.double ?? 0) > (json.array?[1]["probability"]?.double ?? 1))
    }

    // MARK: evaluations

    @Test func minimalPairs() throws {
        let pairs = try program.write(
            "p.jsonl",
            (0..<12).map {
                #"{"sentence_good": "two dogs play in the \#($0 % 2 == 0 ? "snow" : "cat")", "sentence_bad": "two dogs play the in \#($0)", "UID": "u\#($0 % 3)", "field": "syntax"}"#
            }.joined(separator: "\n") + "\n")
        let beside = try program.write("published.tsv", "UID\tgpt2\thuman\nu0\t0.9\t0.95\nu2\t0.8\t0.9\noverall\t0.85\t0.93\n")
        let found = rows(
            try run("evaluate", "choice", pairs, "--model", bert, "--beside", beside, "-o", "items.tsv", "--categories", "c.xlsx").output)
        #expect(
            found.map { $0["category"] } == ["all", "u0", "u1", "u2", "syntax"] && found.map { $0["pairs"] } == ["12", "4", "4", "4", "12"])
        #expect(found[0]["gpt2"] == "0.8500" && found[1]["human"] == "0.9500" && found[2]["gpt2"] == "")
        let items = rows(try String(contentsOfFile: program.path("items.tsv"), encoding: .utf8))
        let right = items.count { $0["correct"] == "TRUE" }
        #expect(items.count == 12 && found[0]["accuracy"] == String(format: "%.4f", Double(right) / 12))
        #expect(items.allSatisfy { ($0["correct"] == "TRUE") == ((Double($0["margin"] ?? "") ?? 0) > 0) })
        #expect(try run("methods", "items.tsv", "--without-bibtex").output.contains("Warstadt et al., 2020"))
    }

    @Test func readingTimes() throws {
        let words = (0..<60).map {
            "\($0 / 12)\tw\(String(repeating: "x", count: $0 % 5))\t\(($0 * 7) % 13)\t\(300 + 5 * (($0 * 7) % 13) + ($0 * 3) % 7)"
        }
        let table = try program.write("r.tsv", "story\tword\tsurprisal\trt\n" + words.joined(separator: "\n") + "\n")
        let said = try run("evaluate", "reading", table, "--time", "rt", "--resamples", "200", "-o", "c.csv")
        #expect(
            said.output.contains("Δ log-likelihood") && said.output.contains("each of 5 story values in turn")
                && said.errors.contains("5 rows without"))
        let coefficients = rows(try String(contentsOfFile: program.path("c.csv"), encoding: .utf8), separator: ",")
        let surprisal = try #require(coefficients.first { $0["model"] == "full" && $0["predictor"] == "surprisal" })
        #expect(abs((Double(surprisal["coefficient"] ?? "") ?? 0) - 5) < 0.3)
        #expect(try run("methods", "c.csv", "--without-bibtex").output.contains("leaving out one story at a time"))
    }

    // MARK: attention, explain

    @Test func attentionInEveryForm() throws {
        let table = rows(try run("attention", bert, "two dogs play").output)
        #expect(table.count == 6 && table.allSatisfy { (Double($0["entropy"] ?? "") ?? -1) > 0 })
        _ = try run(
            "attention", bert, "two <dogs> & \"cats\"", "the cat", "--html", "a.html", "--figure", "a.svg", "--figure", "a.pdf", "-o",
            "a.csv", "--rollout")
        let page = try String(contentsOfFile: program.path("a.html"), encoding: .utf8)
        #expect(
            page.contains("default-src 'none'") && page.contains("two &lt;dogs&gt; &amp;") && !page.contains("http://localhost")
                && page.contains("ロールアウト"))
        let rollout = rows(try String(contentsOfFile: program.path("a.csv"), encoding: .utf8), separator: ",")
        #expect(abs(rollout.filter { $0["position"] == "1" }.reduce(0) { $0 + (Double($1["rollout"] ?? "") ?? 0) } - 1) < 1e-4)
        #expect(try run("methods", "a.csv", "--without-bibtex").output.contains("Abnar & Zuidema, 2020"))
    }

    @Test func explanationsAddUp() throws {
        let said = try run("explain", bert, "two dogs play", "the cat plays", "-o", "m.tsv", "--figure", "m.svg")
        #expect(said.errors.contains("check: the attributions sum to") && !said.errors.contains("warning"), "\(said.errors)")
        let map = rows(try String(contentsOfFile: program.path("m.tsv"), encoding: .utf8))
        #expect(map.count == 9 && Set(map.map { $0["second"] }) == ["the", "cat", "plays"])
        let json = try JSON(parsing: run("explain", bert, "two dogs play", "the cat plays", "--unit", "token", "--json").output)
        #expect(abs((json["sum"]?.double ?? 1) - (json["expected"]?.double ?? 0)) < 1e-4)
        #expect(try run("methods", "m.tsv", "--without-bibtex").output.contains("Moeller et al., 2023"))
        let reranker = Self.fixtures.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
            "ProgramTests/Fixtures/cross-encoder"
        ).path
        let score = try run("explain", reranker, "two dogs", "the cat in the snow", "--steps", "64")
        #expect(rows(score.output).map { $0["word"] }.contains("snow") && score.errors.contains("score of LABEL_0"))
    }

    // MARK: embed --word

    @Test func aWordHasAVectorInEachSentence() throws {
        let input = try program.write("s.tsv", "sentence\ttarget\tsense\nthe cat in the snow\tthe\tx\nThe dogs play\tdogs\ty\n")
        let said = try run("embed", input, "-o", "w.h5", "--word", "target", "--model", bert, "--column", "sentence")
        #expect(said.errors.contains("3 words in 2 sentences"))
        let file = try VectorFile(path: program.path("w.h5")), d = file.dimension, all = try file.readEmbeddings()
        #expect(file.count == 3 && d == 18 && Array(all[0..<d]) != Array(all[d..<2 * d]))
        #expect(file.layout.columnNames == ["target", "sense", "occurrence"])
        #expect(
            try run("methods", "w.h5", "--without-bibtex").output.contains(
                "For 3 words of s.tsv, the vector of the word in its sentence context"))
        #expect(try run("methods", "w.h5", "--without-bibtex", "--language", "ja").output.contains("第2層"))
        #expect(
            try program.run(
                "embed", input, "-o", "x.h5", "--word", "target", "--model", bert, "--column", "sentence", "--occurrences", "only"
            ).status == 65)
        #expect(
            try run(
                "embed", input, "-o", "f.h5", "--word", "target", "--model", bert, "--column", "sentence", "--occurrences", "first",
                "--layers", "0,1"
            ).errors.contains("layer 0, 1"))
        let wrong = try program.run(
            "embed", try program.write("n.tsv", "sentence\ttarget\nthe cats\tcat\n"), "-o", "n.h5", "--word", "target", "--model", bert,
            "--column", "sentence")
        #expect(wrong.status == 65 && wrong.errors.contains("n.tsv:2") && wrong.errors.contains("inside longer words"), "\(wrong.errors)")
        #expect(!FileManager.default.fileExists(atPath: program.path("n.h5")))
        #expect(
            try program.run("embed", input, "-o", "n.h5", "--word", "nothing", "--model", bert, "--column", "sentence").errors.contains(
                "no column nothing"))
        #expect(try program.run("embed", input, "-o", "n.h5", "--inside", "--model", bert).status == 64)
    }
}
