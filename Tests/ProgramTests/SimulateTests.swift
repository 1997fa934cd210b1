import FileFormats
import Foundation
import Testing

/// `kotonoha simulate` and `draw overfitting` as a user runs them.
@Suite struct SimulateTests {
    static let patients = """
        患者\t正答\t意味性錯語\t形式性錯語\t非語\t混合性錯語\t無関連錯語\t無反応
        甲\t121\t5\t12\t26\t2\t4\t5
        乙\t121\t16\t9\t4\t5\t2\t18

        """

    @Test func namingFitsATable() throws {
        let program = try Program(), table = try program.write("患者.tsv", Self.patients),
            environment = ["XDG_CACHE_HOME": program.path("cache")]
        func run(_ more: String...) throws -> Program.Result {
            try program.run(["simulate", "naming", table, "--surface-trials", "100", "--trials", "500"] + more, environment: environment)
        }
        let refused = try run()
        #expect(refused.status == 64 && refused.errors.contains("--omissions"))
        let first = try run(
            "--omissions", "exclude", "-o", program.path("fits.tsv"), "--figure", program.path("map.png"), "--language", "ja", "--threads",
            "2")
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.errors.contains("最尤推定値") && FileManager.default.fileExists(atPath: program.path("fits.tsv.provenance.json")))
        let lines = String(decoding: try program.bytes("fits.tsv"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3 && lines[1].hasPrefix("甲\tsp\ts\t"))
        // The surface was kept; threads change nothing.
        let again = try run("--omissions", "exclude", "-o", program.path("again.tsv"), "--threads", "1")
        #expect(again.errors.contains("was simulated before"))
        #expect(try program.bytes("fits.tsv") == program.bytes("again.tsv"))
        #expect(try program.run("methods", program.path("fits.tsv"), "--language", "en").output.contains("Foygel & Dell, 2000"))
        let power = try JSON(parsing: run("--omissions", "keep", "--power", "甲,乙", "--json").output)
        #expect((power["power_sp"]?.array?.count ?? 0) == 3)
        #expect(try run("--omissions", "exclude", "--fit", "q").status == 64)
        #expect(try run("--omissions", "exclude", "--penalty", "s=1").status == 64)
        #expect(try run("--omissions", "exclude", "--power", "甲,丙").errors.contains("丙"))
    }

    /// Several people of a workbook with Japanese names, both variants, refined; then the paragraph of one of them.
    @Test func namingFromAWorkbookToAParagraph() throws {
        let program = try Program(), environment = ["XDG_CACHE_HOME": program.path("cache")],
            lines = Self.patients.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        let book = try SpreadsheetWriter(path: program.path("患者.xlsx"), columns: lines[0].map { TableColumn($0) })
        for line in lines.dropFirst() { try book.write(line.map { cell in Int(cell).map(Cell.integer) ?? .text(cell) }) }
        try book.finish(parameters: [])
        func fits(_ input: String, _ name: String, _ more: String...) throws -> Program.Result {
            try program.run(
                [
                    "simulate", "naming", input, "--surface-trials", "100", "--trials", "500", "--omissions", "exclude", "-o",
                    program.path(name),
                ] + more, environment: environment)
        }
        let both = try fits(
            "患者.xlsx", "both.tsv", "--variant", "sp", "--variant", "wd", "--figure", program.path("map.svg"), "--language", "ja")
        #expect(both.status == 0, "\(both.errors)")
        #expect(
            String(decoding: try program.bytes("both.tsv"), as: UTF8.self).split(separator: "\n").map {
                $0.split(separator: "\t").prefix(2).joined(separator: " ")
            }
                == ["patient variant", "甲 sp", "乙 sp", "甲 wd", "乙 wd"])
        #expect(String(decoding: try program.bytes("map.svg"), as: UTF8.self).contains("意味の重み"))
        // The same people as text give the same fits.
        let text = try fits(program.write("患者.tsv", Self.patients), "text.tsv", "--variant", "sp", "--variant", "wd")
        #expect(try text.status == 0 && program.bytes("text.tsv") == program.bytes("both.tsv"))
        let english = try program.run("methods", program.path("both.tsv"), "--results", "--language", "en").output
        #expect(
            english.contains("For 甲, the SP model's maximum-likelihood estimates from 170 responses were s = ") && english.contains("BIC")
                && english.contains("G²(3) = "))
        #expect(try program.run("methods", program.path("both.tsv"), "--results", "--language", "ja").output.contains("最尤推定値"))
        // Refined by direct simulation, the likelihood is another, and the interval stays that of the parameter space.
        let refined = try fits("患者.tsv", "refined.tsv", "--refine")
        #expect(refined.status == 0, "\(refined.errors)")
        func column(_ file: String, _ name: String) throws -> [Double] {
            let rows = String(decoding: try program.bytes(file), as: UTF8.self).split(separator: "\n").map {
                $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            }
            let place = try #require(rows[0].firstIndex(of: name))
            return rows.dropFirst().compactMap { Double($0[place]) }
        }
        let before = try column("both.tsv", "g2").prefix(2), after = try column("refined.tsv", "g2")
        // G² is that of direct simulation in both: a search over it does not end higher.
        for (a, b) in zip(before, after) { #expect(b < a + 0.01) }
    }

    /// Words of a vector file: a word with a close neighbour is predicted to be mistaken for it.
    @Test func namingOfRealWords() throws {
        let program = try Program(), words = try program.write("w.vec", "5 3\n犬 1 0 0\n猫 0.9 0.4 0\n車 0 1 0\n空 0 0 1\n海 -1 0 0\n")
        #expect(try program.run("convert", words, "-o", program.path("w.h5")).status == 0)
        let result = try program.run(
            "simulate", "naming", "--semantics", program.path("w.h5"), "--at", "s=0.02,p=0.03", "--trials", "2000", "--json", "--figure",
            program.path("w.png"), "--language", "ja")
        let rows = try JSON(parsing: result.output)["rows"]?.array ?? []
        #expect(rows.count == 5 && rows.map { $0["word"]?.string } == ["犬", "猫", "車", "空", "海"], "\(result.errors)")
        let semantic = rows.map { $0["semantic"]?.double ?? -1 }
        #expect(rows[0]["neighbours"]?.string?.hasPrefix("猫 ") == true && semantic[0] > 0.2 && semantic[3] < semantic[0] / 3)
        #expect(try program.run("simulate", "naming", "--semantics", program.path("w.h5"), "--recover", "5").status == 64)
        #expect(try program.run("simulate", "naming", "--semantics", program.path("absent.h5")).status == 66)
    }

    @Test func namingMomentsBesideTheSimulation() throws {
        let program = try Program()
        let rows =
            try JSON(parsing: program.run("simulate", "naming", "--moments", "--trials", "5000", "--json").output)["rows"]?.array ?? []
        #expect(rows.count == 6)
        for row in rows {
            #expect(
                abs(row["bias"]?.double ?? 1) < 0.05
                    && abs((row["moments"]?.double ?? 0) - (row["proportion"]?.double ?? 0) - (row["bias"]?.double ?? 1)) < 1e-9)
        }
        #expect(try program.run("simulate", "naming", "--moments", "--recover", "5").status == 64)
    }

    @Test func badTablesGetTheirWord() throws {
        let program = try Program()
        let header = "patient\tcorrect\tsemantic\tformal\tnonword\tmixed\tunrelated\n"
        for (text, word) in [
            (header + "A\t1.5\t.1\t0\t0\t0\t0\n", "above 1"), ("patient\tcategory\nA\twrong\n", "unknown category"),
            (header + "A\t100\t-2\t0\t0\t0\t0\n", "negative"),
            (header + "A\t0\t0\t0\t0\t0\t0\nB\t9\t1\t1\t1\t1\t1\n", "no responses"),
            (header.replacingOccurrences(of: "mixed", with: "blended") + "A\t9\t1\t1\t1\t1\t1\n", "no column mixed"),
        ] {
            let result = try program.run("simulate", "naming", try program.write("t.tsv", text))
            #expect(result.status == 65 && result.errors.contains(word), "\(result.errors)")
        }
        #expect(try program.run("simulate", "naming", program.path("absent.tsv")).status == 66)
    }

    @Test func namingAtGivenValues() throws {
        let program = try Program()
        let result = try program.run(
            "simulate", "naming", "--at", "s=0,p=0", "--trials", "2000", "--json", "--figure", program.path("a.svg"))
        let rows = try JSON(parsing: result.output)["rows"]?.array ?? []
        #expect(rows.count == 6 && abs((rows[3]["proportion"]?.double ?? 0) - 0.75) < 0.05)
        #expect(try program.run("simulate", "naming", "--at", "weight=1").status == 64)
        #expect(try program.run("simulate", "naming", "--at", "s=-1").status == 64)
    }

    @Test func stroop() throws {
        let program = try Program()
        let rows =
            try JSON(parsing: program.run("simulate", "stroop", "--trials", "50", "--json", "--figure", program.path("s.png")).output)[
                "rows"]?.array ?? []
        #expect(rows.count == 6 && rows.map { $0["cycles"]?.int } == [24, 25, 23, 35, 47, 30])
        #expect(
            try program.run(
                "simulate", "stroop", "--soa", "-100:100:100", "--trials", "20", "--figure", program.path("c.pdf"), "--language", "ja"
            ).status == 0)
        #expect(try program.run("simulate", "stroop", "--soa", "5").status == 64)
        // Trained ten to one, naming is slower and suffers from the word; trained alike, both take as long.
        func cycles(_ train: String) throws -> [Int] {
            try JSON(parsing: program.run("simulate", "stroop", "--train", train, "--trials", "20", "--json").output)["rows"]?.array?
                .compactMap { $0["cycles"]?.int } ?? []
        }
        let trained = try cycles("10"), alike = try cycles("1")
        #expect(trained.count == 6 && trained[3] > trained[0] + 3 && trained[4] > trained[3] + 3 && abs(trained[1] - trained[0]) <= 1)
        #expect(alike.count == 6 && abs(alike[3] - alike[0]) <= 1)
        // Other weights, other results; a table with a link too few is refused.
        let weights = try program.write("w.tsv", "from\tto\tweight\nink red\thidden ink 1\t3\n")
        let refused = try program.run("simulate", "stroop", "--weights", weights)
        #expect(refused.status == 65 && refused.errors.contains("has no weight"))
    }

    @Test func stroopOfATextEncoder() throws {
        let program = try Program()
        func run(_ more: String...) throws -> Program.Result {
            try program.run(["simulate", "stroop", "--account", "transfer", "--networks", "4"] + more)
        }
        let first = try run("--json", "--figure", program.path("t.png"), "--threads", "1"), json = try JSON(parsing: first.output),
            rows = json["rows"]?.array ?? []
        #expect(rows.count == 18 && json["contrasts"]?.array?.count == 12, "\(first.errors)")
        #expect(try run("--json", "--threads", "2").output == first.output)
        func surprisal(_ task: String, _ condition: String) -> Double {
            rows.first { $0["history"]?.string == "transfer" && $0["task"]?.string == task && $0["condition"]?.string == condition }?[
                "surprisal"]?.double ?? .nan
        }
        let naming = surprisal("colour naming", "conflict") - surprisal("colour naming", "control")
        #expect(naming > surprisal("word reading", "conflict") - surprisal("word reading", "control"))
        #expect(try run("--soa", "0:0:1").status == 64)
        #expect(try program.run("simulate", "stroop", "--account", "other").status == 64)
    }

    @Test func weaverCumulativeAndERP() throws {
        let program = try Program()
        let weaver =
            try JSON(parsing: program.run("simulate", "weaver", "--soa", "0:0:100", "--json", "--figure", program.path("w.png")).output)[
                "rows"]?.array ?? []
        #expect(weaver.count == 9)
        let related = weaver.first { $0["condition"]?.string == "related" }?["latency_ms"]?.double ?? 0
        #expect(abs(related - 213.57) < 0.01)
        let table = try program.write("h.tsv", "position\tms\n1\t610\n2\t635\n3\t661\n4\t688\n5\t735\n")
        let fit = try program.run(
            "simulate", "cumulative", table, "--column", "ms", "--lags", "2", "--figure", program.path("h.png"), "--json")
        #expect(try (JSON(parsing: fit.output)["rmse_ms"]?.double ?? 9) < 3)
        let few = try program.write("few.tsv", "ms\n610\n635\n661\n")
        #expect(try program.run("simulate", "cumulative", few, "--column", "ms").status == 65)
        let text = try program.write(
            "t.txt",
            """
            the dog and the cat ran for the red bus
            a man can sit by the big box
            two men dig for the old pot in the sun
            small children play with red balls
            big brown dogs chase thin white cats
            students listen to music while people talk quietly
            many people stand near the train
            """)
        let erp = try program.run(
            "simulate", "erp", text, "--epochs", "3", "--strings", "8", "--networks", "2", "-o", program.path("e.tsv"), "--figure",
            program.path("e.png"))
        #expect(erp.status == 0 && erp.errors.contains("first: pseudoword > illegal"), "\(erp.errors)")
        #expect(try program.run("simulate", "erp", try program.write("ja.txt", "日本語の文\n"), "--epochs", "1").status == 65)
    }

    @Test func drawOverfitting() throws {
        let program = try Program()
        let result = try program.run(
            "draw", "overfitting", "-o", program.path("o.png"), "--table", program.path("o.tsv"), "--repetitions", "5", "--language", "ja")
        #expect(result.status == 0, "\(result.errors)")
        #expect(String(decoding: try program.bytes("o.tsv"), as: UTF8.self).split(separator: "\n").count == 1 + 12 + 41)
    }
}
