import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

@Suite struct CommandTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
        let input = try program.write(
            "c.tsv",
            "scene\ttext\n" + (0..<40).map { "s\($0 % 4)\ttwo dogs \($0 % 5) play in the snow \($0)" }.joined(separator: "\n") + "\n")
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "text", "--group-column", "scene").status == 0)
    }

    @Test func helpNamesEveryCommand() throws {
        let help = try program.run("--help")
        #expect(help.status == 0)
        for command in ["embed", "similarity", "rank", "mine", "evaluate", "tokenize", "info", "export"] {
            #expect(help.output.contains("  \(command) ") || help.output.contains("  \(command), "), "\(command)")
            #expect(try program.run(command, "--help").status == 0)
        }
        #expect(!help.output.contains("internal-"))
    }

    @Test func mineAgreesWithItself() throws {
        let mined = try program.run("mine", "v.h5", "--top", "5", "--between-groups", "--json")
        #expect(mined.status == 0, "\(mined.errors)")
        let json = try JSON(parsing: mined.output)
        let pairs = json["pairs"]?.array ?? []
        #expect(pairs.count == 5)
        let cosines = pairs.compactMap { $0["cosine"]?.double }
        #expect(cosines == cosines.sorted(by: >))
        for pair in pairs { #expect(pair["scene1"]?.string != pair["scene2"]?.string) }
        #expect(json["random_pairs"]?["q99"]?.double ?? 2 <= 1)
        #expect(try program.run("mine", "v.h5", "--threshold", "q99.5").status == 0)
        #expect(try program.run("mine", "v.h5", "--threshold", "often").status == 64)
    }

    @Test func exportsReadBack() throws {
        let file = try VectorFile(path: program.path("v.h5")), vectors = try file.readEmbeddings()
        for name in ["v.npy", "v.vec", "v.tsv", "v.csv", "v.xlsx"] {
            let run = try program.run("export", "v.h5", "-o", name)
            #expect(run.status == 0, "\(name): \(run.errors)")
        }
        let npy = try NPYFile(path: program.path("v.npy"))
        #expect(npy.shape == [40, 24])
        #expect(try npy.floats() == vectors)
        let vec = String(decoding: try program.bytes("v.vec"), as: UTF8.self).split(separator: "\n")
        #expect(vec.count == 41 && vec[0] == "40 24")
        #expect(vec[1].split(separator: " ").dropFirst().compactMap { Float($0) } == Array(vectors[..<24]))
        let metadata = String(decoding: try program.bytes("v.metadata.tsv"), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(metadata[0] == "text\tscene" && metadata.count == 42)
        #expect(try program.run("export", "v.h5", "-o", "v.hdf5", "--queries", "5", "--neighbours", "3").status == 0)
        #expect(try program.run("export", "v.h5", "-o", "v.docx").status == 64)
    }

    @Test func pairsAndEvaluation() throws {
        let pairs = try program.write(
            "p.csv", "two dogs play,dogs play,4.5\ntwo dogs,the snow,1.0\ncat,a cat,3.8\nsnow,two dogs play in the snow,2.2\n")
        let scored = try program.run("similarity", "--pairs", pairs, "-o", "s.tsv", "--model", model)
        #expect(scored.status == 0, "\(scored.errors)")
        let lines = String(decoding: try program.bytes("s.tsv"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 5 && lines[0] == "cosine\tfirst\tsecond\t3" && lines[1].hasSuffix("\ttwo dogs play\tdogs play\t4.5"))
        #expect(FileManager.default.fileExists(atPath: program.path("s.tsv.provenance.json")))
        let evaluated = try program.run("evaluate", "sts", pairs, "--model", model, "--json")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        let json = try JSON(parsing: evaluated.output)
        #expect(json["pairs"]?.int == 4 && abs(json["spearman"]?.double ?? 2) <= 1)
    }

    @Test func tokenizePrintsALineForALine() throws {
        let run = try program.run("tokenize", "-", "--model", model, input: "Two dogs\n\nsnow.\n")
        #expect(run.output == "[CLS] two dogs [SEP]\n[CLS] [SEP]\n[CLS] snow . [SEP]\n", "\(run.errors)")
        let ids = try program.run("tokenize", "-", "--model", model, "--ids", input: "snow\n")
        #expect(ids.output == "2 62 3\n")
    }

    @Test func provenanceNamesNoFolder() throws {
        let run = try program.run("rank", "v.h5", "snow", "--model", model, "-o", program.path("r.csv"))
        #expect(run.status == 0, "\(run.errors)")
        let text = String(decoding: try program.bytes("r.csv.provenance.json"), as: UTF8.self)
        #expect(text.contains("r.csv") && text.contains("date") && !text.contains(program.folder.path), "\(text)")
    }
}
