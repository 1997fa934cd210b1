import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

@Suite struct EmbedTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
    }

    @Test func fromTextToRanking() throws {
        let input = try program.write("captions.txt", "two dogs play in the snow\n\na cat\r\nthe snow, two dogs\nno final newline")
        let run = try program.run("embed", input, "-o", "v.h5", "--model", model)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.isEmpty, "standard output is for data")
        #expect(run.errors.contains("5 rows × 24") && run.errors.contains("1 empty row"))
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(try file.texts() == ["two dogs play in the snow", "", "a cat", "the snow, two dogs", "no final newline"])
        #expect(try file.valid() == [true, false, true, true, true])
        #expect(file.metadata.source == "captions.txt" && file.metadata.pooling == "mean" && file.metadata.isNormalized)
        #expect(!FileManager.default.fileExists(atPath: program.path("v.h5.partial")))

        // A sentence of the file finds itself first, with cosine 1; the empty row is never found.
        let rank = try program.run("rank", "v.h5", "a cat", "--model", model, "--json")
        #expect(rank.status == 0, "\(rank.errors)")
        let results = try JSON(parsing: rank.output).array?.first?["results"]?.array
        #expect(results?.count == 4)
        #expect(results?.first?["row"]?.int == 2)
        #expect(abs((results?.first?["cosine"]?.double ?? 0) - 1) < 1e-5)
        #expect(results?.contains { $0["row"]?.int == 1 } == false)

        let pair = try program.run("similarity", "a cat", "a cat", "--model", model)
        #expect(pair.output == "1.0000\n")
        let info = try program.run("info", "v.h5", "--json")
        #expect(try JSON(parsing: info.output)["rows"]?.int == 5)
    }

    @Test func columnsTravelAlong() throws {
        let input = try program.write("t.csv", "id,scene,caption,freq\r\n7,beach,\"two dogs, a cat\",3\r\n8,kitchen,snow,11\r\n")
        let run = try program.run(
            "embed", input, "-o", "v.h5", "--model", model, "--column", "caption", "--group-column", "scene", "--id-column", "1")
        #expect(run.status == 0, "\(run.errors)")
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(try file.texts() == ["two dogs, a cat", "snow"])
        #expect(try file.groups() == ["beach", "kitchen"])
        #expect(try file.ids() == ["7", "8"])
        #expect(try file.column("freq") == ["3", "11"])
        let missing = try program.run("embed", input, "-o", "w.h5", "--model", model, "--column", "text")
        #expect(missing.status == 64 && missing.errors.contains("caption"), "the columns are listed: \(missing.errors)")
    }

    @Test func standardInputAndAppend() throws {
        #expect(try program.run("embed", "-", "-o", "v.h5", "--model", model, input: "snow\ncat\n").status == 0)
        #expect(try program.run("embed", "-", "-o", "v.h5", "--model", model, "--append", input: "dogs\n").status == 0)
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(try file.texts() == ["snow", "cat", "dogs"])
        // Another model's vectors do not belong there.
        let other = try TinyModel(seed: 99).folder.path
        let before = try program.bytes("v.h5")
        let refused = try program.run("embed", "-", "-o", "v.h5", "--model", other, "--append", input: "dogs\n")
        #expect(refused.status != 0 && refused.errors.contains("model"))
        #expect(try program.bytes("v.h5") == before)
        #expect(try program.run("embed", "-", "-o", "v.h5", "--model", model, "--resume", input: "x\n").status == 64)
    }

    @Test func equalRunsGiveEqualFiles() throws {
        let text = (0..<300).map { "two dogs play \($0 % 7) in the snow \($0)" }.joined(separator: "\n")
        let input = try program.write("c.txt", text)
        #expect(try program.run("embed", input, "-o", "a.h5", "--model", model, "--threads", "1").status == 0)
        #expect(try program.run("embed", input, "-o", "b.h5", "--model", model, "--threads", "3", "--batch-tokens", "200").status == 0)
        #expect(try program.bytes("a.h5") == program.bytes("b.h5"))
    }

    @Test func killedAndResumed() throws {
        let count = 60_000
        let input = try program.write(
            "c.txt", (0..<count).map { "two dogs play \($0 % 7) in the snow and the cat \($0)" }.joined(separator: "\n"))
        #expect(try program.run("embed", input, "-o", "whole.h5", "--model", model).status == 0)
        let process = program.process(["embed", input, "-o", "cut.h5", "--model", model])
        process.standardError = FileHandle.nullDevice
        try process.run()
        // As soon as some rows are safe, and before all are.
        let manifest = program.path("cut.h5.partial")
        for _ in 0..<2000 {
            if ((try? FileManager.default.contentsOfDirectory(atPath: manifest)) ?? []).count >= 4 { break }
            usleep(5000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(!FileManager.default.fileExists(atPath: program.path("cut.h5")))
        let resumed = try program.run("embed", input, "-o", "cut.h5", "--model", model, "--resume", "--json")
        #expect(resumed.status == 0, "\(resumed.errors)")
        let summary = try JSON(parsing: resumed.output)
        #expect(summary["resumed_rows"]?.int ?? 0 > 0 && summary["rows"]?.int == count)
        #expect(try program.bytes("cut.h5") == program.bytes("whole.h5"))
    }

    @Test func resumeRefusesAnotherInput() throws {
        let input = try program.write("c.txt", (0..<40_000).map { "the cat \($0)" }.joined(separator: "\n"))
        let process = program.process(["embed", input, "-o", "v.h5", "--model", model])
        process.standardError = FileHandle.nullDevice
        try process.run()
        for _ in 0..<2000 {
            if ((try? FileManager.default.contentsOfDirectory(atPath: program.path("v.h5.partial"))) ?? []).count >= 3 { break }
            usleep(5000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        _ = try program.write("c.txt", "other text\n")
        let refused = try program.run("embed", input, "-o", "v.h5", "--model", model, "--resume")
        #expect(refused.status != 0 && refused.errors.contains("source"), "\(refused.errors)")
    }

    @Test func japaneseEncodingsNeedNoWord() throws {
        let text = "画像,説明\r\n1,犬が雪の中を走る\r\n2,海辺で子どもが遊ぶ\r\n"
        let shiftJIS = try #require(text.data(using: .shiftJIS))
        let input = try program.write("sjis.csv", shiftJIS)
        let run = try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "説明")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("cp932"), "the encoding is named: \(run.errors)")
        #expect(run.errors.contains("unknown to this model"), "an English vocabulary is warned about")
        #expect(try VectorFile(path: program.path("v.h5")).texts() == ["犬が雪の中を走る", "海辺で子どもが遊ぶ"])
    }

    @Test func rankChecksTheModel() throws {
        let moved = try TinyModel()
        _ = try program.run("embed", "-", "-o", "v.h5", "--model", moved.folder.path, input: "snow\ncat\n")
        let other = try TinyModel(seed: 7).folder.path
        let refused = try program.run("rank", "v.h5", "snow", "--model", other)
        #expect(refused.status == 65 && refused.errors.contains("different contents"), "\(refused.errors)")
    }
}
