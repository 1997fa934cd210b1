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
        let program = try Program(), table = try program.write("患者.tsv", Self.patients), environment = ["XDG_CACHE_HOME": program.path("cache")]
        func run(_ more: String...) throws -> Program.Result {
            try program.run(["simulate", "naming", table, "--surface-trials", "100", "--trials", "500"] + more, environment: environment)
        }
        let refused = try run()
        #expect(refused.status == 64 && refused.errors.contains("--omissions"))
        let first = try run("--omissions", "exclude", "-o", program.path("fits.tsv"), "--figure", program.path("map.png"), "--language", "ja", "--threads", "2")
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

    @Test func badTablesGetTheirWord() throws {
        let program = try Program()
        for (text, word) in [("patient\tcorrect\tsemantic\tformal\tnonword\tmixed\tunrelated\nA\t1.5\t.1\t0\t0\t0\t0\n", "above 1"), ("patient\tcategory\nA\twrong\n", "unknown category")] {
            let result = try program.run("simulate", "naming", try program.write("t.tsv", text))
            #expect(result.status == 65 && result.errors.contains(word), "\(result.errors)")
        }
        #expect(try program.run("simulate", "naming", program.path("absent.tsv")).status == 66)
    }

    @Test func namingAtGivenValues() throws {
        let program = try Program()
        let result = try program.run("simulate", "naming", "--at", "s=0,p=0", "--trials", "2000", "--json", "--figure", program.path("a.svg"))
        let rows = try JSON(parsing: result.output)["rows"]?.array ?? []
        #expect(rows.count == 6 && abs((rows[3]["proportion"]?.double ?? 0) - 0.75) < 0.05)
        #expect(try program.run("simulate", "naming", "--at", "weight=1").status == 64)
        #expect(try program.run("simulate", "naming", "--at", "s=-1").status == 64)
    }

    @Test func stroop() throws {
        let program = try Program()
        let rows = try JSON(parsing: program.run("simulate", "stroop", "--trials", "50", "--json", "--figure", program.path("s.png")).output)["rows"]?.array ?? []
        #expect(rows.count == 6 && rows.map { $0["cycles"]?.int } == [24, 25, 23, 35, 47, 30])
        #expect(try program.run("simulate", "stroop", "--soa", "-100:100:100", "--trials", "20", "--figure", program.path("c.pdf"), "--language", "ja").status == 0)
        #expect(try program.run("simulate", "stroop", "--soa", "5").status == 64)
        // Other weights, other results; a table with a link too few is refused.
        let weights = try program.write("w.tsv", "from\tto\tweight\nink red\thidden ink 1\t3\n")
        let refused = try program.run("simulate", "stroop", "--weights", weights)
        #expect(refused.status == 65 && refused.errors.contains("has no weight"))
    }

    @Test func weaverCumulativeAndERP() throws {
        let program = try Program()
        let weaver = try JSON(parsing: program.run("simulate", "weaver", "--soa", "0:0:100", "--json", "--figure", program.path("w.png")).output)["rows"]?.array ?? []
        #expect(weaver.count == 9)
        let related = weaver.first { $0["condition"]?.string == "related" }?["latency_ms"]?.double ?? 0
        #expect(abs(related - 213.57) < 0.01)
        let table = try program.write("h.tsv", "position\tms\n1\t610\n2\t635\n3\t661\n4\t688\n5\t735\n")
        let fit = try program.run("simulate", "cumulative", table, "--column", "ms", "--lags", "2", "--figure", program.path("h.png"), "--json")
        #expect(try (JSON(parsing: fit.output)["rmse_ms"]?.double ?? 9) < 3)
        let few = try program.write("few.tsv", "ms\n610\n635\n661\n")
        #expect(try program.run("simulate", "cumulative", few, "--column", "ms").status == 65)
        let text = try program.write("t.txt", """
            the dog and the cat ran for the red bus
            a man can sit by the big box
            two men dig for the old pot in the sun
            small children play with red balls
            big brown dogs chase thin white cats
            students listen to music while people talk quietly
            many people stand near the train
            """)
        let erp = try program.run("simulate", "erp", text, "--epochs", "3", "--strings", "8", "-o", program.path("e.tsv"), "--figure", program.path("e.png"))
        #expect(erp.status == 0, "\(erp.errors)")
        #expect(try program.run("simulate", "erp", try program.write("ja.txt", "日本語の文\n"), "--epochs", "1").status == 65)
    }

    @Test func drawOverfitting() throws {
        let program = try Program()
        let result = try program.run("draw", "overfitting", "-o", program.path("o.png"), "--table", program.path("o.tsv"), "--repetitions", "5", "--language", "ja")
        #expect(result.status == 0, "\(result.errors)")
        #expect(String(decoding: try program.bytes("o.tsv"), as: UTF8.self).split(separator: "\n").count == 1 + 12 + 41)
    }
}
