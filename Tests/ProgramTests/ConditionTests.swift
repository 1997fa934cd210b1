import FileFormats
import Foundation
import Tensors
import TestSupport
import Testing
import VectorStore

/// Conditions, matrices, trees and models against data, as a user asks for them.
@Suite struct ConditionTests {
    let program: Program

    init() throws {
        program = try Program()
        let words = ["snow", "dogs", "play", "the cat", "two in the", "cat dogs", "snow play", "two cat"]
        let rows = (0..<16).map {
            "\($0 / 2)\t\($0 % 2 == 0 ? "A" : "B")\tr\($0)\t\(words[$0 / 2])\($0 % 2 == 0 ? "" : " snow dogs")\t\(Double($0 % 2) + Double($0 / 2) * 0.25)"
        }
        let input = try program.write("c.tsv", "item\tcondition\tid\ttext\tscore\n" + rows.joined(separator: "\n") + "\n")
        #expect(
            try program.run(
                "embed", input, "-o", "v.h5", "--model", TinyModel().folder.path, "--column", "text", "--id-column", "id", "--quiet"
            ).status == 0)
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
        _ = try run("rdm", "v.h5", "-o", "r.rdm.h5", "--order", "tree", "--figure", "tree.svg")
        #expect(try String(decoding: program.bytes("tree.svg"), as: UTF8.self).contains("tree"))
        _ = try run("rdm", "r.rdm.h5", "-o", "r.xlsx")
        _ = try run("rdm", "r.xlsx", "-o", "again.rdm.h5")
        let fit = try JSON(
            parsing: run(
                "mds", "r.rdm.h5", "-o", "mds.csv", "--nonmetric", "--starts", "2", "--figure", "mds.pdf", "--shepard", "s.svg", "--json"
            ).output)
        #expect((fit["stress_1"]?.double).map { (0..<1).contains($0) } == true)
        _ = try run("cluster", "v.h5", "--tree", "ward", "-o", "t.newick", "--figure", "t.svg")
        #expect(String(decoding: try program.bytes("t.newick"), as: UTF8.self).hasSuffix(";\n"))
        _ = try run("cluster", "v.h5", "--tree", "average", "-o", "t.csv", "--clusters", "3")
        _ = try run("cluster", "v.h5", "--tree", "average", "-o", "cut.csv", "--threshold", "0.2")
        _ = try run("cluster", "r.rdm.h5", "--tree", "complete", "-o", "of-matrix.csv", "--clusters", "2", "--figure", "d.svg")
        #expect(try String(decoding: program.bytes("of-matrix.csv"), as: UTF8.self).hasPrefix("row,label,cluster"))
        #expect(try program.run("cluster", "v.h5", "-o", "x.csv", "--height", "0.2").status == 64)
        #expect(try program.run("cluster", "v.h5", "--tree", "ward", "-o", "x.csv", "--threshold", "q99").status == 64)
        #expect(try program.run("rdm", "v.h5", "-o", "r.h5").status != 0)
        #expect(try run("methods", "mds.csv", "--results").output.contains("stress-1"))
    }

    @Test func contrastsByItem() throws {
        let result = try JSON(
            parsing: run(
                "contrast", "c.tsv", "--by", "condition", "--between", "B,A", "--item", "item", "--value", "score", "-o", "long.csv",
                "--figure", "c.svg", "--json"
            ).output)
        let contrast = try #require(result["contrasts"]?.array?.first)
        // Every item's difference is exactly 1: both signs of all eight are as extreme as each other.
        #expect(contrast["difference"]?.double == 1 && contrast["n"]?.int == 8 && contrast["p"]?.double == 2.0 / 256, "\(contrast)")
        #expect(contrast["test"]?.string == "permutation test (exact, 256)")
        let text = try run("methods", "long.csv", "--results").output,
            japanese = try run("methods", "long.csv", "--results", "--language", "ja").output
        #expect(text.contains("p = .008") && japanese.contains("p = 0.008"), "\(text) \(japanese)")
        #expect(try run("methods", "long.csv").output.contains("Efron, 1987"))
        let pairs = try JSON(
            parsing: run(
                "contrast", "v.h5", "--by", "condition", "--between", "A,B", "--item", "item", "-o", "pairs.tsv", "--resamples", "200",
                "--json"
            ).output)
        // Raw, centred, without overlap and length, overlap: two each; and length.
        #expect(pairs["contrasts"]?.array?.count == 9, "\(pairs["contrasts"]?.array?.compactMap { $0["name"]?.string } ?? [])")
        #expect(String(decoding: try program.bytes("pairs.tsv"), as: UTF8.self).split(separator: "\n").count == 1 + 16 * 15 / 2)
        // Labels become the beginning of a sentence.
        #expect(try run("methods", "pairs.tsv", "--results").output.contains("Mean cosine within minus between conditions (A, B) was "))
        #expect(try run("methods", "pairs.tsv", "--results", "--language", "ja").output.contains("A内とB内の中心化したコサイン類似度の平均の差は"))
        for (arguments, message) in [
            (["--between", "A,C"], "'C'"), (["--between", "A,A", "--item", "item"], "twice"), (["--between", "A"], "comma"),
        ] {
            let refused = try program.run(["contrast", "c.tsv", "--by", "condition", "--value", "score", "-o", "no.csv"] + arguments)
            #expect(refused.status != 0 && refused.errors.contains(message), "\(refused.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: program.path("no.csv")))
    }

    @Test func modelsAgainstData() throws {
        var random: UInt64 = 1
        func next() -> Double {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(random >> 40) / 16_777_216
        }
        var text = "a\tb\ttruth\tnoise\ts1\ts2\n"
        for i in 0..<9 {
            for j in i + 1..<9 {
                let truth = next()
                text += "c\(i)\tc\(j)\t\(truth)\t\(next())\t\(truth + 0.2 * next())\t\(truth + 0.2 * next())\n"
            }
        }
        _ = try program.write("pairs.tsv", text)
        let result = try JSON(
            parsing: run(
                "rsa", "pairs.tsv:truth,noise", "--data", "pairs.tsv:s1,s2", "-o", "rsa.csv", "--figure", "rsa.svg", "--permutations",
                "200", "--resamples", "100", "--json"
            ).output)
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
        _ = try run(
            "encoding", "v.h5", "--data", "y.tsv", "--match", "id", "-o", "scores.tsv", "--folds", "4", "--group-column", "item",
            "--permutations", "20")
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

    // MARK: Arrays over time

    /// (times, trials, channels): conditions differ from time 2 on.
    private func array(
        _ name: String, times: Int = 5, conditions: Int = 6, repeats: Int = 4, channels: Int = 3, seed: UInt64, patterns: [[Double]]
    ) throws {
        var random = RandomSource(seed: seed), values: [Float] = []
        for time in 0..<times {
            for trial in 0..<conditions * repeats {
                for channel in 0..<channels {
                    values.append(Float((time >= 2 ? 2.5 * patterns[trial % conditions][channel] : 0) + random.normal()))
                }
            }
        }
        let writer = try NPYWriter(path: program.path(name), shape: [times, conditions * repeats, channels])
        try writer.append(values)
        try writer.finish()
    }

    @Test func arraysOverTime() throws {
        var random = RandomSource(seed: 77)
        let patterns = (0..<6).map { _ in (0..<3).map { _ in random.normal() } }
        for subject in 1...3 { try array("s\(subject).npy", seed: UInt64(subject), patterns: patterns) }
        _ = try program.write("trials.csv", "condition,fold\n" + (0..<24).map { "c\($0 % 6),run\($0 / 12)" }.joined(separator: "\n") + "\n")
        for metric in ["crossnobis", "mahalanobis", "decoding", "euclidean"] {
            let record = try JSON(
                parsing: run(
                    "rdm", "s1.npy", "-o", "\(metric).rdm.h5", "--trials", "trials.csv", "--metric", metric, "--times", "-0.2:0.1", "--json"
                ).output)
            #expect(record["times"]?.int == 5 && record["metric"]?.string == metric)
            #expect(
                try run("methods", "\(metric).rdm.h5").output.contains("5 times")
                    && run("methods", "\(metric).rdm.h5", "--language", "ja").output.contains("5時点"))
        }
        for subject in 1...3 {
            _ = try run(
                "rdm", "s\(subject).npy", "-o", "s\(subject).rdm.h5", "--trials", "trials.csv", "--metric", "crossnobis", "--times",
                "-0.2:0.1", "--quiet")
        }
        _ = try program.write(
            "model.tsv",
            "label\tx\ty\tz\n" + patterns.enumerated().map { "c\($0)\t\($1[0])\t\($1[1])\t\($1[2])" }.joined(separator: "\n") + "\n")
        _ = try run("rdm", "model.tsv", "--label-column", "label", "--metric", "sqeuclidean", "-o", "truth.rdm.h5")
        let course = try JSON(
            parsing: run(
                "rsa", "truth.rdm.h5", "--data", "s1.rdm.h5", "--data", "s2.rdm.h5", "--data", "s3.rdm.h5", "-o", "course.csv", "--figure",
                "course.svg", "--permutations", "500", "--language", "ja",
                "--json"
            ).output)
        let model = try #require(course["models"]?.array?.first)
        #expect((model["peak"]?.double ?? 0) > 0.8 && (model["peak_time"]?.double ?? -1) >= 0)
        let text = String(decoding: try program.bytes("course.csv"), as: UTF8.self)
        #expect(text.contains("noise ceiling,") && text.contains(",lower,") && text.split(separator: "\n").count == 1 + 5 * 3, "\(text)")
        #expect(try String(decoding: program.bytes("course.svg"), as: UTF8.self).contains("ノイズシーリング"))
        #expect(
            try run("methods", "course.csv", "--results").output.contains("significant from")
                && run("methods", "course.csv", "--language", "ja").output.contains("時点ごとに"))
        // A window of a series, of an array; a single condition axis without trials.
        _ = try run("rdm", "s1.rdm.h5", "-o", "late.csv", "--window", "0:0.2")
        _ = try run(
            "rdm", "s1.npy", "-o", "late.rdm.h5", "--trials", "trials.csv", "--metric", "crossnobis", "--times", "-0.2:0.1", "--window",
            "0:0.2")
        _ = try run("rsa", "truth.rdm.h5", "--data", "late.rdm.h5", "--permutations", "50", "--resamples", "0", "-o", "one.csv")
        for (arguments, message) in [
            (["rdm", "s1.npy", "-o", "no.rdm.h5", "--metric", "crossnobis"], "needs several trials"),
            (["rdm", "s1.npy", "-o", "no.csv", "--trials", "trials.csv"], ".rdm.h5"),
            (["rdm", "s1.npy", "-o", "no.rdm.h5", "--trials", "trials.csv", "--times", "trials.csv"], "time"),
            (["rdm", "s1.npy", "-o", "no.rdm.h5", "--trials", "c.tsv"], "16 trials"),
            (["rsa", "truth.rdm.h5", "--data", "s1.rdm.h5", "--data", "late.rdm.h5", "-o", "no.csv"], "over time"),
            (["rdm", "s1.rdm.h5", "-o", "no.csv", "--window", "7:8"], "no times between"),
            (["mds", "s1.rdm.h5", "-o", "no.csv"], "--window"),
        ] {
            let refused = try program.run(arguments)
            #expect(refused.status != 0 && refused.errors.contains(message), "\(arguments) \(refused.errors)")
        }
        #expect(
            !FileManager.default.fileExists(atPath: program.path("no.rdm.h5"))
                && !FileManager.default.fileExists(atPath: program.path("no.csv")))
    }

    /// MATLAB's two formats hold the same array as NumPy's.
    @Test func arraysOfMATLAB() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent(),
            packed = tests.deletingLastPathComponent().appendingPathComponent("FileFormatsTests/Fixtures/packed.mat").path
        let hdf5 = tests.appendingPathComponent("Fixtures/v73.mat").path
        let writer = try NPYWriter(path: program.path("signal.npy"), shape: [2, 3, 4])
        try writer.append((0..<24).map { Float($0) / 8 - 1 })
        try writer.finish()
        for (name, input) in [("a", "signal.npy"), ("b", packed + ":signal"), ("c", hdf5)] {
            _ = try run("rdm", input, "-o", "\(name).csv", "--metric", "euclidean", "--window", "1:1")
        }
        #expect(try program.bytes("a.csv") == program.bytes("b.csv") && program.bytes("a.csv") == program.bytes("c.csv"))
        let several = try program.run("rdm", packed, "-o", "no.csv")
        #expect(several.status == 64 && several.errors.contains("signal") && several.errors.contains("short"), "\(several.errors)")
        _ = try program.write("bad.mat", "not a matrix")
        #expect(try program.run("rdm", "bad.mat", "-o", "no.csv").status == 65)
    }

    @Test func severalMapsAndBareNumbers() throws {
        // Labels that are bare numbers, with an empty corner; and none at all.
        _ = try program.write("square.csv", ",10,20,30,40\n10,0,1,2,4\n20,1,0,3,5\n30,2,3,0,6\n40,4,5,6,0\n")
        _ = try run("rdm", "square.csv", "-o", "square.tsv")
        #expect(try String(decoding: program.bytes("square.tsv"), as: UTF8.self).hasPrefix("label\t10\t20\t30\t40\n10\t0.0"))
        _ = try program.write("bare.csv", "0,1,2,4\n1,0,3,5\n2,3,0,6\n4,5,6,0\n")
        _ = try run("rdm", "bare.csv", "-o", "bare.tsv")
        #expect(try String(decoding: program.bytes("bare.tsv"), as: UTF8.self).hasPrefix("label\t0\t1\t2\t3\n0\t0.0"))
        _ = try program.write("other.csv", ",40,30,20,10\n40,0,6,5,4\n30,6,0,3,2\n20,5,3,0,1\n10,4,2,1,0\n")
        let fit = try JSON(parsing: run("mds", "square.csv", "other.csv", "-o", "maps.csv", "--figure", "maps.svg", "--json").output)
        let maps = try #require(fit["maps"]?.array)
        // The same matrix in another order is the same map.
        #expect(maps.count == 2 && (maps[0]["disparity"]?.double ?? 1) < 1e-9)
        #expect(String(decoding: try program.bytes("maps.csv"), as: UTF8.self).split(separator: "\n").count == 1 + 3 * 4)
        #expect(
            try run("methods", "maps.csv").output.contains("Procrustes")
                && run("methods", "maps.csv", "--results", "--language", "ja").output.contains("不一致度"))
        let refused = try program.run("mds", "square.csv", "bare.csv", "-o", "no.csv")
        #expect(refused.status == 65 && refused.errors.contains("10"), "\(refused.errors)")
    }

    @Test func filteredAndDiverseRanking() throws {
        func rows(_ arguments: String...) throws -> [Int] {
            let found = try JSON(parsing: run(["rank", "v.h5", "--query-vectors", "v.h5", "--json"] + arguments))
            return (found.array?.first?["results"]?.array ?? []).compactMap { $0["row"]?.int }
        }
        func run(_ arguments: [String]) throws -> String {
            let result = try program.run(arguments)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            return result.output
        }
        let plain = try rows("--top", "16")
        #expect(plain.first == 0 && plain.count == 16)
        #expect(try rows("--top", "16", "--where", "condition=B") == plain.filter { $0 % 2 == 1 })
        #expect(try rows("--top", "16", "--threshold", "0.99999").first == 0 && rows("--top", "16", "--threshold", "0.99999").count < 16)
        let diverse = try rows("--top", "4", "--diversity", "0.7")
        #expect(diverse.first == 0 && diverse.count == 4 && diverse != Array(plain[..<4]))
        #expect(try rows("--top", "16", "--diversity", "0") == plain)
        _ = try run([
            "rank", "v.h5", "--query-vectors", "v.h5", "--where", "condition=A", "--threshold", "q50", "--diversity", "0.5", "-o",
            "ranked.csv", "--quiet",
        ])
        let methods = try run(["methods", "ranked.csv"])
        #expect(methods.contains("condition=A") && methods.contains("50th percentile") && methods.contains("Carbonell"), "\(methods)")
        #expect(try program.run("rank", "v.h5", "--query-vectors", "v.h5", "--where", "condition=Z").status == 64)
        #expect(try program.run("rank", "v.h5", "--query-vectors", "v.h5", "--diversity", "2").status == 64)
    }

    @Test func mapsByAnyColumn() throws {
        for command in ["pca", "tsne"] {
            _ = try run(
                command, "v.h5", "-o", command == "pca" ? "p.h5" : "t.csv", "--figure", "\(command).svg", "--color-by", "item",
                "--no-caption", "--quiet")
            let text = String(decoding: try program.bytes("\(command).svg"), as: UTF8.self)
            #expect(text.contains(">item<") && !text.contains("n = 16"), "\(command)")
            _ = try run(
                command, "v.h5", "-o", command == "pca" ? "p2.h5" : "t2.csv", "--figure", "\(command)2.svg", "--color-by", "score",
                "--quiet")
            let scale = String(decoding: try program.bytes("\(command)2.svg"), as: UTF8.self)
            #expect(scale.contains("colorbar") && scale.contains("n = 16"), "\(command)")
            let refused = try program.run(
                command, "v.h5", "-o", command == "pca" ? "no.h5" : "no.csv", "--figure", "no.svg", "--color-by", "colour")
            #expect(refused.status == 64 && refused.errors.contains("condition"), "\(refused.errors)")
        }
    }

    @Test func repeatedMeasurementsAndBands() throws {
        var random = RandomSource(seed: 4)
        let file = try VectorFile(path: program.path("v.h5")), d = file.dimension, x = try file.readEmbeddings(), v = 12
        for repetition in 1...3 {
            let lines = (0..<16).map { row in
                "r\(row)"
                    + (0..<v).map { k in "\t\(Double(k < 4 ? 20 * (x[row * d + k] - x[row * d + k + 1]) : 0) + 0.2 * random.normal())" }
                    .joined()
            }
            _ = try program.write(
                "y\(repetition).tsv", "id" + (0..<v).map { "\tvoxel\($0)" }.joined() + "\n" + lines.joined(separator: "\n") + "\n")
        }
        let data = (1...3).flatMap { ["--data", "y\($0).tsv"] }
        func run(_ arguments: [String]) throws -> String {
            let result = try program.run(arguments)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            return result.output
        }
        let scores = try JSON(
            parsing: run(
                [
                    "encoding", "v.h5", "--match", "id", "-o", "s.csv", "--folds", "4", "--stable", "4", "--permutations", "20", "--figure",
                    "s.svg", "--json",
                ] + data))
        #expect(scores["repetitions"]?.int == 3 && (scores["mean_ceiling"]?.double ?? 0) > 0, "\(scores)")
        #expect(String(decoding: try program.bytes("s.csv"), as: UTF8.self).hasPrefix("voxel,r,r_squared,alpha,p,p_fdr,ceiling,folds\n"))
        _ = try run(
            ["encoding", "v.h5", "--match", "id", "-o", "s.h5", "--folds", "4", "--bands", "\(d / 2),\(d - d / 2)", "--band-samples", "2"]
                + data)
        #expect(try HDF5Container(path: program.path("s.h5")).read("r_squared_by_band", as: Double.self).shape == [v, 2])
        _ = try run(["encoding", "v.h5", "--match", "id", "-o", "s2.csv", "--folds", "4", "--bands", "v.h5", "--band-samples", "0"] + data)
        _ = try run(
            [
                "encoding", "v.h5", "--match", "id", "--leave", "2", "--stable", "3", "--permutations", "20", "--figure", "pairs.svg", "-o",
                "pairs.csv",
            ] + data)
        let methods = try run(["methods", "s.csv"]), japanese = try run(["methods", "s.csv", "--language", "ja"])
        #expect(methods.contains("3 repetitions") && methods.contains("4 measurements whose") && japanese.contains("3回の反復"), "\(methods)")
        _ = try program.write(
            "gap.tsv",
            String(decoding: program.bytes("y1.tsv"), as: UTF8.self).replacingOccurrences(of: "r15\t", with: "r15\tNA\t")
                .replacingOccurrences(of: "id\t", with: "id\tw\t"))
        for (arguments, message) in [
            (["--data", "y1.tsv", "--stable", "4"], "--data several times"), (data + ["--stable", "40"], "number of voxels, 12"),
            (data + ["--bands", "3,4"], "adds up to 7"),
            (["--data", "y1.tsv", "--data", "c.tsv"], "c.tsv"), (["--data", "gap.tsv"], "gap.tsv"),
            (["--data", "y1.tsv", "--folds", "17"], "17 folds"),
        ] {
            let refused = try program.run(["encoding", "v.h5", "--match", "id", "-o", "no.csv"] + arguments)
            #expect(refused.status != 0 && refused.errors.contains(message), "\(arguments) \(refused.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: program.path("no.csv")))
    }

    /// What the page of bad input promises: a message with names and numbers, and nothing written.
    @Test func badInput() throws {
        _ = try program.write("three.tsv", "a\tb\tx\nc0\tc1\t1\nc0\tc2\t2\nc1\tc2\t3\n")
        _ = try program.write("four.tsv", "a\tb\tx\nc0\tc1\t1\nc0\tc2\t2\nc0\tc3\t4\nc1\tc2\t3\nc1\tc3\t5\nc2\tc3\t6\n")
        _ = try program.write("gaps.tsv", "a\tb\tx\nc0\tc1\t1\nc0\tc2\t2\nc0\tc3\tNA\nc1\tc2\t3\nc1\tc3\t5\nc2\tc3\t7\n")
        _ = try program.write("flat.tsv", "a\tb\tx\nc0\tc1\t1\nc0\tc2\t1\nc1\tc2\t1\n")
        _ = try program.write("one.tsv", "condition\tvalue\nA\t1\nA\t2\n")
        _ = try program.write("few.tsv", "item\tcondition\tvalue\n1\tA\t1\n1\tB\t2\n")
        _ = try program.write("constant.csv", "label,x,y\na,1,1\nb,1,1\nc,2,5\n")
        let contrast = ["contrast", "--by", "condition", "--between", "A,B", "-o", "no.csv"]
        for (arguments, message) in [
            (["rsa", "four.tsv", "--data", "three.tsv", "-o", "no.csv"], "c3"),
            (["rsa", "flat.tsv", "--data", "three.tsv", "-o", "no.csv"], "are equal"),
            (["rsa", "four.tsv", "--data", "gaps.tsv", "--method", "cov-weighted", "-o", "no.csv"], "1 pairs are missing"),
            (["mds", "gaps.tsv", "-o", "no.csv"], "'c0' and 'c3' is missing"),
            (contrast + ["one.tsv", "--value", "value"], "'B'"),
            (contrast + ["few.tsv", "--value", "value", "--item", "item"], "there is 1"),
            (["rdm", "constant.csv", "--label-column", "label", "--metric", "correlation", "-o", "no.csv"], "'a' is constant"),
            (["rdm", "v.h5", "--by", "nothing", "-o", "no.csv"], "condition"),
            (contrast + ["v.h5", "--item", "condition"], "A"),
        ] {
            let refused = try program.run(arguments)
            #expect(refused.status != 0 && refused.errors.contains(message), "\(arguments) \(refused.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: program.path("no.csv")))
        // Missing pairs are left out, and it is said.
        let result = try program.run(
            "rsa", "four.tsv", "--data", "gaps.tsv", "-o", "with-gaps.csv", "--permutations", "20", "--resamples", "20")
        #expect(result.status == 0 && result.errors.contains("1 of 6 pairs are missing"), "\(result.errors)")
        // Several rows of an item in a condition are averaged, and named; of vectors they are refused.
        _ = try program.write(
            "twice.tsv",
            "item\tcondition\tvalue\n" + (1...4).flatMap { ["\($0)\tA\t\($0)", "\($0)\tB\t\($0 * 2)"] }.joined(separator: "\n")
                + "\n3\tB\t9\n")
        let averaged = try program.run(
            "contrast", "twice.tsv", "--by", "condition", "--between", "A,B", "--value", "value", "--item", "item")
        #expect(averaged.status == 0 && averaged.errors.contains("3 in B (2 rows)"), "\(averaged.errors)")
        _ = try program.write("twice.csv", "row,pair\n" + (0..<16).map { "\($0),\($0 / 4)" }.joined(separator: "\n") + "\n")
        _ = try run("vectors", "label", "v.h5", "twice.csv", "-o", "twice.h5")
        let refused = try program.run("contrast", "twice.h5", "--by", "condition", "--between", "A,B", "--item", "pair", "-o", "no.csv")
        #expect(refused.status == 65 && refused.errors.contains("occurs twice"), "\(refused.errors)")
    }
}
