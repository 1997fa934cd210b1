import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// Conditions, matrices, trees and models against data, as a user asks for them.
@Suite struct ConditionTests {
    let program: Program

    init() throws {
        program = try Program()
        let words = ["snow", "dogs", "play", "the cat", "two in the", "cat dogs", "snow play", "two cat"]
        let rows = (0..<16).map { "\($0 / 2)\t\($0 % 2 == 0 ? "A" : "B")\tr\($0)\t\(words[$0 / 2])\($0 % 2 == 0 ? "" : " snow dogs")\t\(Double($0 % 2) + Double($0 / 2) * 0.25)" }
        let input = try program.write("c.tsv", "item\tcondition\tid\ttext\tscore\n" + rows.joined(separator: "\n") + "\n")
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", TinyModel().folder.path, "--column", "text", "--id-column", "id", "--quiet").status == 0)
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        let result = try program.run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    @Test func matricesTreesAndMaps() throws {
        _ = try run("matrix", "v.h5", "-o", "m.csv", "--by", "condition", "--figure", "m.svg", "--language", "ja")
        let lines = String(decoding: try program.bytes("m.csv"), as: UTF8.self).split(whereSeparator: \.isNewline)
        #expect(lines.first == "label,A,B" && lines.count == 3 && lines[1].hasPrefix("A,1.000000,"))
        _ = try run("rdm", "v.h5", "-o", "r.rdm.h5", "--order", "tree")
        _ = try run("rdm", "r.rdm.h5", "-o", "r.xlsx")
        _ = try run("rdm", "r.xlsx", "-o", "again.rdm.h5")
        let fit = try JSON(parsing: run("mds", "r.rdm.h5", "-o", "mds.csv", "--nonmetric", "--starts", "2", "--figure", "mds.pdf", "--shepard", "s.svg", "--json").output)
        #expect((fit["stress_1"]?.double).map { (0..<1).contains($0) } == true)
        _ = try run("cluster", "v.h5", "--tree", "ward", "-o", "t.newick", "--figure", "t.svg")
        #expect(String(decoding: try program.bytes("t.newick"), as: UTF8.self).hasSuffix(";\n"))
        _ = try run("cluster", "v.h5", "--tree", "average", "-o", "t.csv", "--clusters", "3")
        #expect(try program.run("cluster", "v.h5", "-o", "x.csv", "--height", "0.2").status == 64)
        #expect(try program.run("rdm", "v.h5", "-o", "r.h5").status != 0)
        #expect(try run("methods", "mds.csv", "--results").output.contains("stress-1"))
    }

    @Test func contrastsByItem() throws {
        let result = try JSON(parsing: run("contrast", "c.tsv", "--by", "condition", "--between", "B,A", "--item", "item", "--value", "score", "-o", "long.csv", "--figure", "c.svg", "--json").output)
        let contrast = try #require(result["contrasts"]?.array?.first)
        // Every item's difference is exactly 1: both signs of all eight are as extreme as each other.
        #expect(contrast["difference"]?.double == 1 && contrast["n"]?.int == 8 && contrast["p"]?.double == 2.0 / 256, "\(contrast)")
        #expect(contrast["test"]?.string == "permutation test (exact, 256)")
        let text = try run("methods", "long.csv", "--results").output, japanese = try run("methods", "long.csv", "--results", "--language", "ja").output
        #expect(text.contains("p = .008") && japanese.contains("p = 0.008"), "\(text) \(japanese)")
        #expect(try run("methods", "long.csv").output.contains("Efron, 1987"))
        let pairs = try JSON(parsing: run("contrast", "v.h5", "--by", "condition", "--between", "A,B", "--item", "item", "-o", "pairs.tsv", "--resamples", "200", "--json").output)
        #expect(pairs["contrasts"]?.array?.count == 5)
        #expect(String(decoding: try program.bytes("pairs.tsv"), as: UTF8.self).split(separator: "\n").count == 1 + 16 * 15 / 2)
        for (arguments, message) in [(["--between", "A,C"], "'C'"), (["--between", "A,A", "--item", "item"], "itself"), (["--between", "A"], "comma")] {
            let refused = try program.run(["contrast", "c.tsv", "--by", "condition", "--value", "score", "-o", "no.csv"] + arguments)
            #expect(refused.status != 0 && refused.errors.contains(message), "\(refused.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: program.path("no.csv")))
    }

    @Test func modelsAgainstData() throws {
        var random: UInt64 = 1
        func next() -> Double { random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407; return Double(random >> 40) / 16_777_216 }
        var text = "a\tb\ttruth\tnoise\ts1\ts2\n"
        for i in 0..<9 {
            for j in i + 1..<9 {
                let truth = next()
                text += "c\(i)\tc\(j)\t\(truth)\t\(next())\t\(truth + 0.2 * next())\t\(truth + 0.2 * next())\n"
            }
        }
        _ = try program.write("pairs.tsv", text)
        let result = try JSON(parsing: run("rsa", "pairs.tsv:truth,noise", "--data", "pairs.tsv:s1,s2", "-o", "rsa.csv", "--figure", "rsa.svg", "--permutations", "200", "--resamples", "100", "--json").output)
        let models = try #require(result["models"]?.array)
        #expect(models[0]["name"]?.string == "truth" && (models[0]["value"]?.double ?? 0) > 0.8 && (models[0]["p"]?.double ?? 1) < 0.02)
        #expect(try run("methods", "rsa.csv", "--results").output.contains("noise ceiling"))
        let other = try program.write("other.tsv", "a\tb\tx\nc0\tc1\t1\nc0\tzz\t2\nc1\tzz\t3\n")
        let refused = try program.run("rsa", "pairs.tsv:truth", "--data", other)
        #expect(refused.status == 65 && refused.errors.contains("zz"), "\(refused.errors)")
    }

    @Test func encodingAndSelections() throws {
        _ = try program.write("y.tsv", "id\tv1\tv2\n" + (0..<16).map { "r\($0)\t\($0 % 2).5\t\($0)" }.joined(separator: "\n") + "\n")
        let pairs = try JSON(parsing: run("encoding", "v.h5", "--data", "y.tsv", "--match", "id", "--leave", "2", "--json").output)
        #expect((pairs["accuracy"]?.double).map { (0...1).contains($0) } == true)
        _ = try run("encoding", "v.h5", "--data", "y.tsv", "--match", "id", "-o", "scores.tsv", "--folds", "4", "--group-column", "item", "--permutations", "20")
        #expect(try program.run("encoding", "v.h5", "--data", "y.tsv", "--match", "v1").status == 65)

        _ = try run("vectors", "select", "v.h5", "-o", "a.h5", "--where", "condition=A")
        #expect(try VectorFile(path: program.path("a.h5")).count == 8)
        _ = try run("vectors", "select", "v.h5", "-o", "d.h5", "--distinct", "0.9999", "--dropped", "dropped.csv")
        _ = try program.write("labels.csv", "row,theme\n0,x\n3,y\n")
        _ = try run("vectors", "label", "v.h5", "labels.csv", "-o", "l.h5")
        let labelled = try VectorFile(path: program.path("l.h5"))
        #expect(try labelled.column("theme").map { Array($0[..<4]) } == ["x", "", "", "y"])
        #expect(try program.run("vectors", "select", "v.h5", "-o", "n.h5", "--where", "condition=Z").status == 64)
        #expect(try program.run("vectors", "label", "v.h5", "labels.csv", "-o", "v.h5").status != 0)
    }
}
