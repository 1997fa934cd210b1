import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// What results say about themselves: figures with their names, notes where something else was done than asked, Methods paragraphs.
@Suite struct ResultTextTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
        let places = ["snow", "the cat", "dogs", "play"]
        let rows = (0..<60).map { row -> String in
            let language = row / 4 % 2 == 0 ? "ja" : "en", text = row == 7 ? "" : "\(places[row % 4]) two in \(row % 7) the \(row)"
            return "s\(row % 4)\t\(language)\t\(text)"
        }
        let input = try program.write("c.tsv", "scene\tlanguage\ttext\n" + rows.joined(separator: "\n") + "\n")
        #expect(
            try program.run("embed", input, "-o", "v.h5", "--model", model, "--column", "text", "--group-column", "scene", "--quiet").status
                == 0)
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        let result = try program.run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    private func methods(_ name: String, _ more: String...) throws -> String {
        try program.run(["methods", name, "--without-bibtex"] + more).output
    }

    // MARK: t-SNE

    @Test func fewSentencesHaveAMapAndItSaysWhatItIs() throws {
        let plain = try run("tsne", "v.h5", "-o", "m.csv")
        #expect(plain.errors.contains("note: perplexity 19 instead of the usual 30, because there are only 59 points"), "\(plain.errors)")
        #expect(plain.errors.contains("affinities over all pairs") && plain.errors.contains("750 iterations"), "\(plain.errors)")
        #expect(plain.errors.contains(/KL divergence \d\.\d{4} over all pairs/), "\(plain.errors)")
        let all = try JSON(parsing: run("tsne", "v.h5", "-o", "m.csv", "--json").output)
        #expect(
            all["kl_affinities"]?.string == "over all pairs" && all["kl_is_exact"]?.bool == true
                && all["kl"]?.double == all["kl_over_all_pairs"]?.double, "\(all)")
        #expect(all["perplexity"]?.string == "19" && all["iterations"]?.int == 750, "\(all)")
        #expect(try methods("m.csv").contains("affinities over all pairs of points"))
    }

    @Test func nearestNeighboursAreCalledSo() throws {
        let near = try run("tsne", "v.h5", "-o", "m.csv", "--perplexity", "10", "--affinities", "nearest")
        #expect(near.errors.contains(/KL divergence \d\.\d{4} over the 30 nearest neighbours, \d\.\d{4} over all pairs/), "\(near.errors)")
        let json = try JSON(parsing: run("tsne", "v.h5", "-o", "m.h5", "--perplexity", "10", "--affinities", "nearest", "--json").output)
        #expect(
            json["kl_is_exact"]?.bool == false && json["kl"]?.double != json["kl_over_all_pairs"]?.double
                && json["kl_over_all_pairs"]?.double != nil, "\(json)")
        let text = try methods("m.csv")
        #expect(
            text.contains("affinities to each point's 30 nearest neighbours only")
                && text.contains(/divergence over these neighbours was \d\.\d{3}, over all pairs \d/), "\(text)")
        #expect(try methods("m.csv", "--language", "ja").contains("各点の近傍30点"))
        #expect(try program.run("tsne", "v.h5", "-o", "m.csv", "--affinities", "some").status == 64)
    }

    @Test(arguments: ["14", "15", "19"]) func iterationsAreObeyed(_ perplexity: String) throws {
        let json = try JSON(parsing: run("tsne", "v.h5", "-o", "m.csv", "--perplexity", perplexity, "--iterations", "500", "--json").output)
        #expect(json["iterations"]?.int == 750, "\(json)")
    }

    /// The approximations are named as such: their record calls them by the library's names.
    @Test func theGradientIsTheOneThatWasUsed() throws {
        _ = try run("tsne", "v.h5", "-o", "f.csv", "--perplexity", "5", "--iterations", "20", "--method", "fft", "--quiet")
        #expect(
            try methods("f.csv").contains(
                "repulsion approximated by interpolation with the fast Fourier transform (Linderman et al., 2019)"))
        _ = try run("tsne", "v.h5", "-o", "b.csv", "--perplexity", "5", "--iterations", "20", "--method", "barnes-hut", "--quiet")
        #expect(try methods("b.csv").contains("Barnes–Hut tree (van der Maaten, 2014)"))
    }

    // MARK: Methods

    @Test func methodsCountRowsWithASentence() throws {
        let text = try methods("v.h5")
        let hash = try SHA256.hex(ofFile: program.path("c.tsv")).prefix(12)
        #expect(
            text.contains("Each of the 59 sentences of c.tsv (SHA-256 \(hash)…)")
                && text.contains("One row without a sentence was excluded."), "\(text)")
        #expect(text.contains("(Reimers & Gurevych, 2019; SHA-256 of the model ") && !text.contains(") ("), "\(text)")
        #expect(try methods("v.h5", "--language", "ja").contains("59文のそれぞれを"))
    }

    @Test func methodsOfEveryResult() throws {
        let modelHash = try VectorFile(path: program.path("v.h5")).metadata.modelSHA256.prefix(12),
            vectorHash = try SHA256.hex(ofFile: program.path("v.h5")).prefix(12)
        let pairs = try program.write(
            "p.csv", "two dogs play,dogs play,4.5\ntwo dogs,the snow,1.0\ncat,a cat,3.8\nsnow,two dogs play in the snow,2.2\n")
        let pairHash = try SHA256.hex(ofFile: pairs).prefix(12)
        _ = try run("rank", "v.h5", "snow", "--model", model, "-o", "rank.csv", "--quiet")
        _ = try run("mine", "v.h5", "-o", "mine.tsv", "--top", "3", "--quiet")
        _ = try run("cluster", "v.h5", "-o", "cluster.tsv", "--clusters", "1", "--quiet")
        _ = try run("similarity", "--pairs", pairs, "-o", "similarity.tsv", "--model", model, "--quiet")
        _ = try run("evaluate", "sts", pairs, "-o", "sts.tsv", "--model", model, "--quiet")
        _ = try run("evaluate", "retrieval", pairs, "--columns", "1,2", "-o", "retrieval.csv", "--model", model, "--quiet")
        _ = try run("evaluate", "groups", "v.h5", "-o", "groups.tsv", "--by", "language", "--quiet")
        _ = try run("tsne", "v.h5", "-o", "tsne.csv", "--iterations", "20", "--quiet")
        _ = try run("pca", "v.h5", "-o", "pca.h5", "--components", "1", "--quiet")
        let said = [
            "rank.csv": "For 1 query, the 10 sentences with the highest cosine",
            "mine.tsv": "The 3 most similar pairs of sentences were found",
            "cluster.tsv": "grouped into 1 cluster by k-means", "similarity.tsv": "the two sentences of each of 4 pairs is the cosine",
            "sts.tsv": "Cosines of 4 pairs of sentences were correlated",
            "retrieval.csv": "each of 4 different first sentences was a query for its partner among 4 second sentences",
            "groups.tsv": "within and between the values of “language”", "tsne.csv": "The vectors of 59 rows were mapped",
            "pca.h5": "kept 1 component, which explains",
        ]
        for (name, part) in said {
            let text = try methods(name)
            #expect(text.contains(part), "\(name): \(text)")
            #expect(text.contains("SHA-256 of the model \(modelHash)…"), "\(name): \(text)")
            let input = ["similarity.tsv", "sts.tsv", "retrieval.csv"].contains(name) ? pairHash : vectorHash
            #expect(text.contains("SHA-256 \(input)…"), "\(name): \(text)")
            #expect(try methods(name, "--language", "ja").contains("用いた。"))
        }
    }

    @Test func nothingKnownIsNoParagraph() throws {
        let record = #"{"command": ["kotonoha"], "version": "0.1.0"}"#
        _ = try program.write("x.csv", "a\n1\n")
        _ = try program.write("x.csv.provenance.json", record)
        let refused = try program.run("methods", "x.csv")
        #expect(refused.status == 65 && refused.output.isEmpty && refused.errors.contains("neither a model nor a method"), "\(refused)")
    }

    // MARK: Records

    @Test func sentenceVectorsKnowTheirCommand() throws {
        let record = try JSON(parsing: VectorFile(path: program.path("v.h5")).metadata.provenance)
        let command = (record["command"]?.array ?? []).compactMap(\.string)
        #expect(command.contains("embed") && command.contains("c.tsv") && command.contains("--group-column"), "\(record)")
        #expect(record["kernels"]?.string?.isEmpty == false)
        #expect(try record["inputs"]?.array?.first?["sha256"]?.string == SHA256.hex(ofFile: program.path("c.tsv")))
        #expect(record["model"]?["sha256"]?.string == (try VectorFile(path: program.path("v.h5")).metadata.modelSHA256))
        // What changes no vector is left out, so that equal runs give equal files.
        #expect(!command.contains("v.h5") && !command.contains("--quiet") && !command.contains("--threads"))
        #expect(
            Provenance.decisive(["kotonoha", "embed", "a", "-o", "b", "--threads=3", "--resume", "--column", "-o"]) == [
                "kotonoha", "embed", "a", "--column",
            ])
        _ = try run("embed", try program.write("more.txt", "snow\n"), "-o", "w.h5", "--model", model, "--quiet")
        _ = try run("embed", try program.write("most.txt", "a cat\n"), "-o", "w.h5", "--model", model, "--append", "--quiet")
        let both = try JSON(parsing: VectorFile(path: program.path("w.h5")).metadata.provenance)
        #expect(both["inputs"]?.array?.compactMap { $0["name"]?.string } == ["more.txt", "most.txt"], "\(both)")
    }

    @Test func rankSaysThatItComputesInAnotherPrecision() throws {
        let file = try VectorFile(path: program.path("v.h5"))
        var metadata = file.metadata
        metadata.precision = "bf16"
        let writer = try VectorFileWriter(path: program.path("b.h5"), layout: file.layout, metadata: metadata, storage: file.storage)
        try writer.append(file.block(rows: 0..<file.count))
        try writer.finish()
        let rank = try program.run("rank", "b.h5", "snow", "--model", model, environment: ["ONEDNN_MAX_CPU_ISA": "AVX2"])
        #expect(rank.status == 0 && rank.errors.contains("note: this processor has no bf16 instructions"), "\(rank.errors)")
        #expect(
            try program.run("rank", "b.h5", "snow", "--model", model, "--quiet", environment: ["ONEDNN_MAX_CPU_ISA": "AVX2"]).errors.isEmpty
        )
        #expect(
            try !program.run("rank", "v.h5", "snow", "--model", model, environment: ["ONEDNN_MAX_CPU_ISA": "AVX2"]).errors.contains("bf16"))
    }

    // MARK: Retrieval

    @Test func equalSentencesCountAsRight() throws {
        let pairs = try program.write("q.tsv", "ja\ten\nsnow dogs\tcat 1\nsnow two\tcat 1\nplay in\tcat 1\nplay in\tthe 2\n")
        let result = try program.run("evaluate", "retrieval", pairs, "--model", model)
        #expect(
            result.output.contains("pairs\t4")
                && result.errors.contains(
                    "3 different first and 2 different second sentences; where a sentence has several partners, any of them counts as right"
                ), "\(result)")
        let same = try program.write("s.tsv", "ja\ten\nsnow dogs\tsnow dogs\nsnow dogs\tsnow dogs\nplay in\tplay in\n")
        let json = try JSON(parsing: run("evaluate", "retrieval", same, "--model", model, "--json").output)
        #expect(json["first_to_second"]?["top1"]?.double == 1 && json["second_to_first"]?["top1"]?.double == 1, "\(json)")
        #expect(json["first_to_second"]?["queries"]?.int == 2 && json["right_answer"]?.string == "any partner")
    }

    /// Five captions and two of another language for one picture, five rows: with the picture as group each of the two is right.
    @Test func anyOfTheGroupCountsAsRight() throws {
        var rows = "picture\tja\ten\n"
        for (picture, word) in ["snow", "cat", "play"].enumerated() {
            for k in 0..<5 { rows += "p\(picture)\t\(word) \(word) \(k)\t\(word) \(["the", "in"][k % 2])\n" }
        }
        let pairs = try program.write("g.tsv", rows)
        let json = try JSON(
            parsing: run("evaluate", "retrieval", pairs, "--columns", "ja,en", "--group-column", "picture", "--model", model, "--json")
                .output)
        #expect(
            json["first_to_second"]?["queries"]?.int == 15 && json["second_to_first"]?["queries"]?.int == 6
                && json["right_answer"]?.string == "any of the group", "\(json)")
        let without = try JSON(parsing: run("evaluate", "retrieval", pairs, "--columns", "ja,en", "--model", model, "--json").output)
        #expect((json["first_to_second"]?["top1"]?.double ?? 0) >= (without["first_to_second"]?["top1"]?.double ?? 1))
        let said = try program.run("evaluate", "retrieval", pairs, "--columns", "ja,en", "--group-column", "picture", "--model", model)
        #expect(said.errors.contains("any sentence of the group counts as right"), "\(said.errors)")
    }
}
