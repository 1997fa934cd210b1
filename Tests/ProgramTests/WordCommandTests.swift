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
        let lines = (0 ..< 3000).map { _ in
            let topic = topics[random(3)]
            return (0 ..< 10).map { _ in random(5) == 0 ? "の" : topic[random(4)] }.joined(separator: " ")
        }
        return try program.write("text.txt", lines.joined(separator: "\n") + "\n")
    }

    @Test func trainsTheSameWithAnyThreadsAndAnswers() throws {
        let text = try corpus()
        for (name, threads) in [("one.h5", "1"), ("two.h5", "2")] {
            let result = try program.run("train", "words", text, "-o", program.path(name), "--dimension", "16", "--threads", threads, "--subsample", "0", "--json")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try json(result.output)["words"]?.int == 13)
        }
        let one = try VectorFile(path: program.path("one.h5")), two = try VectorFile(path: program.path("two.h5"))
        #expect(try one.readEmbeddings() == two.readEmbeddings())
        #expect(try one.column("count")?.compactMap { Int($0) }.reduce(0, +) == 30_000)
        let near = try program.run("nearest", program.path("one.h5"), "犬", "--top", "3", "--json")
        let found = try json(near.output).array?.first?["results"]?.array?.compactMap { $0["word"]?.string } ?? []
        #expect(Set(found) == ["猫", "馬", "鳥"], "\(near.output) \(near.errors)")
        let sum = try program.run("rank", program.path("one.h5"), "--plus", "犬,赤", "--minus", "猫", "--method", "mul", "--top", "2", "--json")
        #expect(try json(sum.output).array?.first?["query"]?.string == "犬 + 赤 − 猫" && !sum.output.contains("\"猫\""))
        let unknown = try program.run("rank", program.path("one.h5"), "象")
        #expect(unknown.status == 64 && unknown.errors.contains("象"))
        // The record beside the file, the record in it, and a format of others' that has only the one beside it say the same.
        let methods = try program.run("methods", program.path("one.h5"))
        #expect(methods.status == 0 && methods.output.hasPrefix("Vectors of 16 dimensions for 13 words were trained on 30,000 words"), "\(methods.output) \(methods.errors)")
        try FileManager.default.removeItem(atPath: program.path("one.h5.provenance.json"))
        #expect(try program.run("methods", program.path("one.h5")).output == methods.output)
        let other = try program.run("train", "words", text, "-o", program.path("one.vec"), "--dimension", "16", "--threads", "1", "--subsample", "0")
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
        #expect(try VectorFile(path: program.path("mean.h5")).readEmbeddings(rows: 0 ..< 1) == [0.95, 0.05])
        let rank = try program.run("rank", program.path("idf.h5"), "cat", "--model", words, "--top", "1", "--json")
        #expect(try json(rank.output).array?.first?["results"]?.array?.first?["text"]?.string == "dog cat", "\(rank.errors)")
    }

    @Test func analogiesAreCounted() throws {
        let words = try program.write("w.vec", "5 3\nman 1 0 0\nking 1 0 1\nwoman 0 1 0\nqueen 0 1 1\nother -1 -1 -1\n")
        let questions = try program.write("q.txt", ": family\nman king woman queen\nman king woman unicorn\n: gram1-x\nking man queen woman\n")
        let result = try program.run("evaluate", "analogies", questions, "--model", words, "--json", "-o", program.path("a.tsv"))
        #expect(result.status == 0, "\(result.errors)")
        let totals = try json(result.output)["totals"]?.array ?? []
        #expect(totals.compactMap { $0["correct"]?.int } == [1, 1, 2] && totals.compactMap { $0["skipped"]?.int } == [1, 0, 1])
        let three = try program.write("bad.txt", ": family\nman king woman\n")
        let bad = try program.run("evaluate", "analogies", three, "--model", words)
        #expect(bad.status == 65 && bad.errors.contains("bad.txt:2"))
    }
}
