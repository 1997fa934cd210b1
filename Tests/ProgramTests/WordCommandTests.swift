import FileFormats
import Foundation
import Testing
import VectorStore

/// Word vectors on the whole road: train, ask, convert, project, embed.
@Suite struct WordCommandTests {
    let program: Program

    init() throws { program = try Program() }

    private func json(_ text: String) throws -> JSON { try JSON(parsing: text, file: "output") }

    private func corpus() throws -> String {
        var state: UInt64 = 11
        func random(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        let topics = [["犬", "猫", "馬", "鳥"], ["赤", "青", "緑", "白"], ["船", "車", "汽車", "飛行機"]]
        let lines = (0..<3000).map { _ in
            let topic = topics[random(3)]
            return (0..<10).map { _ in random(5) == 0 ? "の" : topic[random(4)] }.joined(separator: " ")
        }
        return try program.write("text.txt", lines.joined(separator: "\n") + "\n")
    }

    @Test func trainsTheSameWithAnyThreadsAndAnswers() throws {
        let text = try corpus()
        for (name, threads) in [("one.h5", "1"), ("two.h5", "2")] {
            let result = try program.run(
                "train", "words", text, "-o", program.path(name), "--dimension", "16", "--threads", threads, "--subsample", "0", "--json")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try json(result.output)["words"]?.int == 13)
        }
        let one = try VectorFile(path: program.path("one.h5")), two = try VectorFile(path: program.path("two.h5"))
        #expect(try one.readEmbeddings() == two.readEmbeddings())
        #expect(try one.column("count")?.compactMap { Int($0) }.reduce(0, +) == 30_000)
        let near = try program.run("nearest", program.path("one.h5"), "犬", "--top", "3", "--json")
        let found = try json(near.output).array?.first?["results"]?.array?.compactMap { $0["word"]?.string } ?? []
        #expect(Set(found) == ["猫", "馬", "鳥"], "\(near.output) \(near.errors)")
        let sum = try program.run(
            "rank", program.path("one.h5"), "--plus", "犬,赤", "--minus", "猫", "--method", "mul", "--top", "2", "--json")
        #expect(try json(sum.output).array?.first?["query"]?.string == "犬 + 赤 − 猫" && !sum.output.contains("\"猫\""))
        let unknown = try program.run("rank", program.path("one.h5"), "象")
        #expect(unknown.status == 64 && unknown.errors.contains("象"))
        // The record beside the file, the record in it, and a format of others' that has only the one beside it say the same.
        let methods = try program.run("methods", program.path("one.h5"))
        #expect(
            methods.status == 0 && methods.output.hasPrefix("Vectors of 16 dimensions for 13 words were trained on 30,000 words"),
            "\(methods.output) \(methods.errors)")
        try FileManager.default.removeItem(atPath: program.path("one.h5.provenance.json"))
        #expect(try program.run("methods", program.path("one.h5")).output == methods.output)
        let other = try program.run(
            "train", "words", text, "-o", program.path("one.vec"), "--dimension", "16", "--threads", "1", "--subsample", "0")
        #expect(other.status == 0, "\(other.errors)")
        #expect(try program.run("methods", program.path("one.vec")).output == methods.output)
    }

    @Test func convertsThereAndBack() throws {
        let first = try program.write("w.vec", "3 2\n犬 1 2\n猫 3 4\n鳥 5 6\n")
        for (from, to) in [("w.vec", "a.h5"), ("a.h5", "b.bin"), ("b.bin", "c.npy"), ("c.npy", "d.vec")] {
            let result = try program.run("convert", program.path(from), "-o", program.path(to))
            #expect(result.status == 0, "\(to): \(result.errors)")
        }
        #expect(try String(decoding: program.bytes("d.vec"), as: UTF8.self) == "3 2\n犬 1.0 2.0\n猫 3.0 4.0\n鳥 5.0 6.0\n")
        let list = try program.write("list.txt", "鳥\n象\n")
        let picked = try program.run("convert", first, "-o", program.path("p.vec"), "--words", list, "--json")
        #expect(try json(picked.output)["missing"]?.array?.compactMap(\.string) == ["象"])
        let lying = try program.write("lies.vec", "4 2\n犬 1 2\n")
        let refused = try program.run("convert", lying, "-o", program.path("no.h5"))
        #expect(refused.status == 65 && !FileManager.default.fileExists(atPath: program.path("no.h5")))
    }

    @Test func projectsAndPlaces() throws {
        let file = try program.write("w.vec", "4 3\n海 1 0 0\n池 1 1 0\n山 0 0 1\n丘 0 1 1\n")
        #expect(try program.run("convert", file, "-o", program.path("w.h5")).status == 0)
        let result = try program.run("vectors", "project", program.path("w.h5"), "--onto", "海,池", "-o", program.path("p.h5"))
        #expect(result.status == 0, "\(result.errors)")
        #expect(try VectorFile(path: program.path("p.h5")).readEmbeddings() == [1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0])
        let axis = try program.run("vectors", "project", program.path("w.h5"), "--axis", "海:山", "--json")
        #expect(try json(axis.output).array?.compactMap { $0["text"]?.string } == ["海", "池", "丘", "山"])
        #expect(try program.run("vectors", "project", program.path("w.h5"), "--onto", "川", "-o", program.path("q.h5")).status == 64)
    }

    @Test func wordVectorsAreAModel() throws {
        let words = try program.write("w.vec", "4 2\ndog 1 0\ncat 0.9 0.1\nred 0 1\nblue 0.1 0.9\n")
        let pairs = try program.write("pairs.csv", "a,b,score\ndog,cat,9\nred,blue,8\ndog,red,1\ncat,blue,2\ndog,unicorn,5\n")
        let sts = try program.run("evaluate", "sts", pairs, "--model", words, "--json")
        #expect(sts.status == 0, "\(sts.errors)")
        #expect(try json(sts.output)["pairs"]?.int == 4 && json(sts.output)["coverage"]?.double == 0.8)
        let texts = try program.write("t.txt", "dog cat\nthe red dog\nnothing here\n")
        for pooling in ["mean", "idf", "sif"] {
            let result = try program.run("embed", texts, "-o", program.path("\(pooling).h5"), "--model", words, "--pooling", pooling)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try VectorFile(path: program.path("\(pooling).h5")).valid() == [true, true, false])
        }
        #expect(try VectorFile(path: program.path("mean.h5")).readEmbeddings(rows: 0..<1) == [0.95, 0.05])
        let rank = try program.run("rank", program.path("idf.h5"), "cat", "--model", words, "--top", "1", "--json")
        #expect(try json(rank.output).array?.first?["results"]?.array?.first?["text"]?.string == "dog cat", "\(rank.errors)")
    }

    @Test func analogiesAreCounted() throws {
        let words = try program.write("w.vec", "5 3\nman 1 0 0\nking 1 0 1\nwoman 0 1 0\nqueen 0 1 1\nother -1 -1 -1\n")
        let questions = try program.write(
            "q.txt", ": family\nman king woman queen\nman king woman unicorn\n: gram1-x\nking man queen woman\n")
        let result = try program.run("evaluate", "analogies", questions, "--model", words, "--json", "-o", program.path("a.tsv"))
        #expect(result.status == 0, "\(result.errors)")
        let totals = try json(result.output)["totals"]?.array ?? []
        #expect(totals.compactMap { $0["correct"]?.int } == [1, 1, 2] && totals.compactMap { $0["skipped"]?.int } == [1, 0, 1])
        let three = try program.write("bad.txt", ": family\nman king woman\n")
        let bad = try program.run("evaluate", "analogies", three, "--model", words)
        #expect(bad.status == 65 && bad.errors.contains("bad.txt:2"))
    }

    @Test func aKilledRunGoesOnToTheSameBits() throws {
        let text = try corpus()
        let arguments = [
            "train", "words", text, "--dimension", "64", "--epochs", "40", "--subsample", "0", "--threads", "1", "--checkpoint", "0",
        ]
        #expect(try program.run(arguments + ["-o", program.path("whole.h5")]).status == 0)
        let process = program.process(arguments + ["-o", program.path("cut.h5")])
        process.standardError = FileHandle.nullDevice
        try process.run()
        for _ in 0..<4000 where process.isRunning && !FileManager.default.fileExists(atPath: program.path("cut.h5.partial")) {
            usleep(1000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try #require(process.terminationReason == .uncaughtSignal && FileManager.default.fileExists(atPath: program.path("cut.h5.partial")))
        #expect(!FileManager.default.fileExists(atPath: program.path("cut.h5")))
        // With another number of threads: they decide nothing.
        var rest = arguments + ["-o", program.path("cut.h5"), "--resume"]
        rest[rest.firstIndex(of: "--threads").map { $0 + 1 } ?? 0] = "2"
        let resumed = try program.run(rest)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(
            try VectorFile(path: program.path("cut.h5")).readEmbeddings() == VectorFile(path: program.path("whole.h5")).readEmbeddings())
        #expect(!FileManager.default.fileExists(atPath: program.path("cut.h5.partial")))
    }

    /// Each command of words writes spreadsheets and JSON and leaves a record that `methods` can read.
    @Test func everyResultSaysHowItWasMade() throws {
        let words = try program.write(
            "w.vec",
            "8 3\nrose 1 0 0.1\nlily 0.9 0.1 0.2\nant 0 1 0.1\nfly 0.1 0.9 0.1\ngood 1 0.1 1\nnice 0.8 0 0.7\nbad 0.1 1 0.8\nevil 0 0.9 1\n"
        )
        func methods(_ file: String, _ expected: String, language: String = "en") throws {
            let text = try program.run("methods", program.path(file), "--language", language)
            #expect(text.status == 0 && text.output.contains(expected), "\(file): \(text.output)\(text.errors)")
        }
        func made(_ arguments: String...) throws {
            let result = try program.run(arguments + ["--json"])
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            if result.status == 0 { _ = try json(result.output) }
        }
        try made("convert", words, "-o", program.path("w.h5"))
        try methods("w.h5", "Vectors of 3 dimensions for 8 words were taken from w.vec")
        try made("convert", program.path("w.h5"), "-o", program.path("v.vec"))
        try methods("v.vec", "Vectors of 3 dimensions for 8 words were taken from w.h5")
        try made("rank", program.path("w.h5"), "rose", "-o", program.path("near.xlsx"))
        try methods("near.xlsx", "with the highest cosine")
        try made(
            "rank", program.path("w.h5"), "--plus", "rose,ant", "--minus", "lily", "--method", "mul", "--top", "2", "-o",
            program.path("sum.xlsx"))
        try methods("sum.xlsx", "The 2 words with the highest 3CosMul score (Levy & Goldberg, 2014) for rose + ant − lily")
        try made("vectors", "project", program.path("w.h5"), "--onto", "rose,ant", "-o", program.path("p.h5"))
        try methods("p.h5", "projected orthogonally onto the span of those of rose, ant (rank 2)")
        try made("vectors", "project", program.path("w.h5"), "--axis", "good,nice:bad", "-o", program.path("axis.xlsx"))
        try methods("axis.xlsx", "on the axis from good, nice to bad")
        try methods("axis.xlsx", "good、niceからbadへの軸上", language: "ja")
        let pairs = try program.write(
            "pairs.tsv",
            "# a list\tof\tpairs\n# Word 1\tWord 2\tHuman (mean)\nrose\tlily\t9\nant\tfly\t8\nrose\tant\t1\ngood\tnice\t7\n"
                + "bad\tevil\t6\ngood\tbad\t2\nlily\tunicorn\t2\n")
        try made("evaluate", "sts", pairs, "--model", words, "-o", program.path("sts.xlsx"))
        try methods("sts.xlsx", "Cosines of 6 pairs of words")
        try methods("sts.xlsx", "1 further pair was excluded")
        #expect(try !program.run("methods", program.path("sts.xlsx")).output.contains("token"))
        let questions = try program.write("q.txt", ": s\nrose lily ant fly\n")
        try made("evaluate", "analogies", questions, "--model", words, "-o", program.path("a.xlsx"))
        try methods("a.xlsx", "1 questions were asked")
        let items = try program.write("i.csv", "cue,option1,option2,answer\nrose,lily,ant,lily\nfly,rose,ant,ant\n")
        try made("evaluate", "choice", items, "--model", words, "-o", program.path("c.xlsx"))
        try methods("c.xlsx", "2 forced-choice items")
        let labels = try program.write("l.tsv", "text\tset\nrose\tF\nlily\tF\nant\tI\nfly\tI\ngood\tP\nnice\tP\nbad\tU\n")
        try made("vectors", "label", program.path("w.h5"), labels, "--key", "text", "-o", program.path("l.h5"))
        // A word without a label belongs to no group.
        try made("evaluate", "groups", program.path("l.h5"), "--group", "set", "-o", program.path("g.xlsx"))
        try methods("g.xlsx", "1.000 of 6 sentences")
        // The association with one set rather than another, as WEAT has it: all 6 arrangements are tried.
        let weat = try program.run(
            "contrast", program.path("l.h5"), "--by", "set", "--between", "F,I", "--toward", "P:U", "-o", program.path("weat.xlsx"),
            "--json")
        #expect(weat.status == 0, "\(weat.errors)")
        let first = try json(weat.output)["contrasts"]?.array?.first
        func cosine(_ a: [Double], _ b: [Double]) -> Double {
            func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
            return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
        }
        func association(_ x: [Double]) -> Double { (cosine(x, [1, 0.1, 1]) + cosine(x, [0.8, 0, 0.7])) / 2 - cosine(x, [0.1, 1, 0.8]) }
        let difference =
            (association([1, 0, 0.1]) + association([0.9, 0.1, 0.2]) - association([0, 1, 0.1]) - association([0.1, 0.9, 0.1])) / 2
        #expect(abs((first?["difference"]?.double ?? .nan) - difference) < 1e-6 && first?["test"]?.string?.contains("exact, 6") == true)
        try methods("weat.xlsx", "mean cosine to the rows of P minus that to the rows of U (Caliskan et al., 2017)")
    }

    /// What is wrong is named, with its line or word, and nothing is left behind.
    @Test func badWordsAreNamed() throws {
        let good = try program.write("w.vec", "2 2\na 1 2\nb 3 4\n"), questions = try program.write("q.txt", ": s\na b a\n")
        _ = try program.write("nan.vec", "2 2\na 1 nan\nb 3 4\n")
        _ = try program.write("rows.vec", "3 2\na 1 2\nb 3 4\n")
        _ = try program.write("wide.vec", "2 3\na 1 2\nb 3 4\n")
        _ = try program.write("glove.txt", "a 1 2\nNew York 3 4\n")
        _ = try program.write("items.csv", "cue,option1,option2,answer\na,b,absent,b\n")
        let text = try program.write("text.txt", "x y x\n")
        #expect(try program.run("convert", good, "-o", program.path("w.h5")).status == 0)
        for (status, message, arguments) in [
            (65, "nan.vec:2: the vector of \"a\" contains NaN", ["convert", program.path("nan.vec"), "-o", program.path("o.h5")]),
            (65, "3 words, but the file has 2", ["convert", program.path("rows.vec"), "-o", program.path("o.h5")]),
            (65, "the header says 2 words", ["convert", program.path("wide.vec"), "-o", program.path("o.h5")]),
            (65, "\"New York\"", ["convert", program.path("glove.txt"), "-o", program.path("o.vec")]),
            (65, "occurs 2 times", ["train", "words", text, "-o", program.path("o.h5")]),
            (65, "q.txt:2", ["evaluate", "analogies", questions, "--model", good]),
            (
                65, "items.csv:2: \"absent\" has no vector",
                ["evaluate", "choice", program.path("items.csv"), "--model", good, "--missing", "error"]
            ),
            (64, "\"zebra\"", ["vectors", "project", program.path("w.h5"), "--axis", "a:zebra"]),
        ] as [(Int32, String, [String])] {
            let result = try program.run(arguments)
            #expect(result.status == status && result.errors.contains(message), "\(arguments): \(result.status) \(result.errors)")
        }
        #expect(
            !FileManager.default.fileExists(atPath: program.path("o.h5")) && !FileManager.default.fileExists(atPath: program.path("o.vec")))
        let left = try program.run("evaluate", "choice", program.path("items.csv"), "--model", good, "--json")
        #expect(left.status == 0 && left.output.contains("\"absent\""))
    }

    @Test func damagedModelsAreRefused() throws {
        let model = program.path("m.bin")
        let trained = try program.run(
            "train", "words", corpus(), "-o", model, "--dimension", "4", "--epochs", "1", "--minimum-n", "1", "--maximum-n", "2",
            "--buckets", "50")
        #expect(trained.status == 0, "\(trained.errors)")
        let whole = try program.bytes("m.bin")
        func refused(_ name: String, _ bytes: Data, _ message: String) throws {
            let result = try program.run("convert", program.write(name, bytes), "-o", program.path("o.vec"))
            #expect(result.status == 65 && result.errors.contains(message), "\(name): \(result.errors)")
        }
        try refused("cut.bin", whole.dropLast(9), "cut.bin")
        // Arguments follow magic and version, four bytes each; that of the buckets is the ninth.
        var buckets = whole
        buckets[8 + 4 * 8] = 51
        try refused("buckets.bin", buckets, "words and 51 buckets")
        var quantized = whole
        // The flag before the input matrix: the sizes of the matrix follow it.
        let rows = withUnsafeBytes(of: Int64(13 + 50).littleEndian) { Data($0) }
        let place = try #require(whole.range(of: rows + withUnsafeBytes(of: Int64(4).littleEndian) { Data($0) }))
        quantized[place.lowerBound - 1] = 1
        try refused("quantized.bin", quantized, "quantized")
    }
}
