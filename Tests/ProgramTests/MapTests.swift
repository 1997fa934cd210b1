import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// Maps, components and groups of a vector file, as a user makes them.
@Suite struct MapTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
        let places = ["snow", "beach", "kitchen", "street"]
        let input = try program.write(
            "c.tsv",
            "scene\ttext\n" + (0..<120).map { "s\($0 % 4)\t\(places[$0 % 4]) dogs \($0 % 7) play \($0)" }.joined(separator: "\n") + "\n")
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "text", "--group-column", "scene").status == 0)
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        let result = try program.run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    @Test func sameSeedSameMap() throws {
        for (threads, name) in [("1", "a.csv"), ("2", "b.csv")] {
            _ = try run(
                "tsne", "v.h5", "-o", name, "--perplexity", "10", "--iterations", "60", "--seed", "7", "--threads", threads, "--quiet")
        }
        #expect(try program.bytes("a.csv") == program.bytes("b.csv"))
        _ = try run(
            "tsne", "v.h5", "-o", "c.csv", "--perplexity", "10", "--iterations", "60", "--seed", "8", "--initialization", "random",
            "--quiet")
        #expect(try program.bytes("a.csv") != program.bytes("c.csv"))
    }

    @Test func mapsAreMeasuredAndCompared() throws {
        let report = try JSON(
            parsing: run("tsne", "v.h5", "-o", "m.h5", "--perplexity", "10", "--iterations", "100", "--report", "--json").output)
        let quality = try #require(report["quality"])
        for measure in ["trustworthiness", "continuity", "neighbor_preservation", "label_accuracy"] {
            let value = try #require(quality[measure]?.double)
            #expect((0...1).contains(value), "\(measure) \(value)")
        }
        // Equal sentences cannot be told apart: with many of them it is above what was asked for.
        #expect((9.99...40).contains(report["realized_perplexity"]?.double ?? 0))
        let same = try JSON(parsing: run("compare", "m.h5", "m.h5", "--json").output)
        #expect(same["neighbor_overlap"]?.double == 1 && abs(same["procrustes_disparity"]?.double ?? 1) < 1e-6, "\(same)")
    }

    @Test func newSentencesOnAnOldMap() throws {
        _ = try run("tsne", "v.h5", "-o", "m.h5", "--perplexity", "10", "--iterations", "100", "--quiet")
        let again = try program.write("again.txt", "snow dogs 0 play 0\nkitchen dogs 2 play 2\n")
        _ = try run("embed", again, "-o", "new.h5", "--model", model, "--quiet")
        _ = try run("tsne", "new.h5", "--onto", "m.h5", "-o", "placed.csv", "--quiet")
        let lines = String(decoding: try program.bytes("placed.csv"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "row,x,y,text")
        // Sentences of the map itself come to lie among its points.
        for line in lines.dropFirst() {
            let cells = line.split(separator: ",").prefix(3).compactMap { Double($0) }
            #expect(cells.count == 3 && cells.allSatisfy(\.isFinite), "\(line)")
        }
        #expect(try program.run("tsne", "new.h5", "--onto", "v.h5", "-o", "placed2.csv").status == 65)
    }

    @Test func groupsByKMeansAndByThreshold() throws {
        _ = try run("cluster", "v.h5", "-o", "g.h5", "--clusters", "4", "--quiet")
        let groups = try #require(try VectorFile(path: program.path("g.h5")).groups())
        #expect(Set(groups).count == 4 && groups.count == 120)
        _ = try run("cluster", "v.h5", "-o", "t.tsv", "--threshold", "q90", "--min-size", "3", "--quiet")
        #expect(String(decoding: try program.bytes("t.tsv"), as: UTF8.self).hasPrefix("row\tcluster\tscene\ttext\n"))
        #expect(try program.run("cluster", "v.h5", "-o", "x.tsv", "--threshold", "high").status == 64)
    }

    @Test func methodsSayWhatWasDone() throws {
        _ = try run("tsne", "v.h5", "-o", "m.csv", "--perplexity", "10", "--iterations", "60", "--seed", "7", "--quiet")
        let english = try run("methods", "m.csv").output
        for part in [
            "vectors of 120 rows", "t-SNE (van der Maaten & Hinton, 2008)", "perplexity 10", "310 iterations", "seed 7",
            "@article{vandermaaten2008visualizing", "@software{kotonoha",
        ] {
            #expect(english.contains(part), "'\(part)' in: \(english)")
        }
        #expect(!english.contains("barnes") && !english.contains("Linderman"), "works are cited that were not used")
        _ = try run("pca", "v.h5", "-o", "p.h5", "--components", "3", "--quiet")
        let japanese = try run("methods", "p.h5", "--language", "ja", "--without-bibtex").output
        #expect(japanese.contains("主成分分析") && japanese.contains("3成分") && !japanese.contains("@"), "\(japanese)")
        let vectors = try run("methods", "v.h5").output
        #expect(vectors.contains("reimers2019sentence") && vectors.contains("120 sentences"))
        #expect(try program.run("methods", "c.tsv").status == 66)
        #expect(try program.run("methods", "nowhere.h5").status == 66)
    }

    @Test func partnersAndGroupsAreEvaluated() throws {
        let groups = try JSON(parsing: run("evaluate", "groups", "v.h5", "--json").output)
        let result = try #require(groups["results"]?.array?.first)
        #expect(result["sentences"]?.int == 120 && (0...1).contains(result["nearest_of_same_group"]?.double ?? 2))
        #expect(try program.run("evaluate", "groups", "v.h5", "--by", "colour").status == 64)
        let pairs = try program.write("pairs.tsv", "ja\ten\nsnow dogs\tsnow dogs\nkitchen play\tkitchen play\n\tempty\n")
        let found = try JSON(parsing: run("evaluate", "retrieval", pairs, "--columns", "ja,en", "--model", model, "--json").output)
        #expect(
            found["pairs"]?.int == 2 && found["pairs_left_out"]?.int == 1 && found["first_to_second"]?["top10"]?.double == 1, "\(found)")
    }

    @Test func infoReadsEveryFile() throws {
        _ = try run("pca", "v.h5", "-o", "p.h5", "--components", "3", "--quiet")
        _ = try run("tsne", "v.h5", "-o", "m.h5", "--perplexity", "10", "--iterations", "60", "--quiet")
        #expect(try run("info", "p.h5").output.contains("principal components"))
        let map = try JSON(parsing: run("info", "m.h5", "--json").output)
        #expect(map["kind"]?.string == "map" && map["coordinates"]?.string == "120 x 2" && map["seed"]?.int == 0, "\(map)")
    }

    @Test func tooFewPoints() throws {
        let few = try program.write("few.txt", (0..<20).map { "dog \($0)" }.joined(separator: "\n"))
        _ = try run("embed", few, "-o", "few.h5", "--model", model, "--quiet")
        let refused = try program.run("tsne", "few.h5", "-o", "m.csv", "--perplexity", "30")
        #expect(refused.status == 64 && refused.errors.contains("perplexity"), "\(refused.errors)")
        #expect(refused.errors.contains("6"), "the largest perplexity that 20 points allow is not named: \(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: program.path("m.csv")))
        // Without a wish the perplexity fits itself to them.
        #expect(
            try run("tsne", "few.h5", "-o", "m.csv", "--iterations", "20").errors.contains("note: perplexity 6 instead of the usual 30"))
    }
}
