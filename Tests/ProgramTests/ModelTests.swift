import FileFormats
import Foundation
import TestSupport
import TestTools
import Testing
import VectorStore

private let rerankerFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/cross-encoder")

@Suite struct ModelTests {
    let program: Program

    init() throws { program = try Program() }

    /// A folder for `KOTONOHA_MODELS` with one model in it.
    private func place(_ model: TinyModel, as name: String) throws -> [String: String] {
        let folder = program.folder.appendingPathComponent("models")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: model.folder, to: folder.appendingPathComponent(name))
        return ["KOTONOHA_MODELS": folder.path, "HF_HUB_CACHE": program.path("no-cache")]
    }

    @Test func listAndInfo() throws {
        let model = try TinyModel([
            "README.md": "---\nlanguage:\n- ja\n- en\nlicense: apache-2.0\n---\n# Tiny\n",
            "config_sentence_transformers.json": #"{"prompts": {"query": "two dogs ", "document": ""}, "default_prompt_name": "document"}"#,
        ])
        let environment = try place(model, as: "tiny")
        let list = try program.run("model", "list", "--json", environment: environment)
        #expect(list.status == 0, "\(list.errors)")
        let entry = try JSON(parsing: list.output).array?.first { $0["name"]?.string == "tiny" }
        #expect(entry?["kind"]?.string == "sentence vectors" && entry?["family"]?.string == "bert")
        #expect(entry?["languages"]?.array?.compactMap(\.string) == ["ja", "en"])
        #expect(try program.run("model", "list", environment: environment).output.contains("tiny\tsentence vectors\tbert"))

        let info = try program.run("model", "info", "tiny", "--json", environment: environment)
        #expect(info.status == 0, "\(info.errors)")
        let json = try JSON(parsing: info.output)
        let weights = try SafetensorsFile(path: model.folder.path + "/model.safetensors")
        #expect(json["parameters"]?.int == weights.names.compactMap { weights[$0]?.count }.reduce(0, +))
        #expect(
            json["layers"]?.int == 2 && json["dimension"]?.int == 24 && json["pooling"]?.string == "mean"
                && json["maximum length"]?.int == 32)
        #expect(json["languages"]?.string == "ja, en" && json["licence"]?.string == "apache-2.0")
        #expect(json["prompt query"]?.string == "two dogs " && json["default prompt"]?.string == "document")
        let reranker = try JSON(parsing: try program.run("model", "info", rerankerFolder.path, "--json").output)
        #expect(reranker["kind"]?.string == "reranker" && reranker["layers"]?.int == 2)
        #expect(try program.run("model", "info", "nothing-of-the-kind", environment: environment).status == 66)
    }

    @Test func promptsByName() throws {
        let model = try TinyModel(["config_sentence_transformers.json": #"{"prompts": {"query": "two dogs ", "passage": "in the "}}"#])
            .folder.path
        #expect(try program.run("embed", "-", "-o", "a.h5", "--model", model, "--prompt-name", "query", input: "snow\n").status == 0)
        #expect(try program.run("embed", "-", "-o", "b.h5", "--model", model, "--prompt", "two dogs ", input: "snow\n").status == 0)
        #expect(try program.run("embed", "-", "-o", "c.h5", "--model", model, input: "snow\n").status == 0)
        func vectors(_ name: String) throws -> [Float] { try VectorFile(path: program.path(name)).readEmbeddings() }
        let (a, b, c) = (try vectors("a.h5"), try vectors("b.h5"), try vectors("c.h5"))
        #expect(a == b && a != c)
        #expect(try VectorFile(path: program.path("a.h5")).metadata.prompt == "two dogs ")
        // Asked with the file's own prompt, the sentence finds itself.
        let rank = try program.run("rank", "a.h5", "snow", "--model", model, "--quiet")
        #expect(rank.output.hasPrefix("1.0000\t0\t"), "\(rank.output)\(rank.errors)")
        let unknown = try program.run("embed", "-", "-o", "d.h5", "--model", model, "--prompt-name", "title", input: "snow\n")
        #expect(unknown.status == 64 && unknown.errors.contains("passage, query"), "\(unknown.errors)")
        #expect(
            try program.run("embed", "-", "-o", "d.h5", "--model", model, "--prompt-name", "query", "--prompt", "x", input: "snow\n").status
                == 64)
    }

    @Test func truncatedVectors() throws {
        let model = try TinyModel().folder.path
        let run = try program.run(
            "embed", "-", "-o", "v.h5", "--model", model, "--truncate-dim", "8", "--normalize", input: "snow\ntwo dogs\na cat\n")
        #expect(run.status == 0, "\(run.errors)")
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(file.dimension == 8 && file.metadata.isNormalized)
        let rank = try program.run("rank", "v.h5", "two dogs", "--model", model, "--top", "1")
        #expect(rank.output.hasPrefix("1.0000\t1\t"), "\(rank.output)\(rank.errors)")
        let tooMany = try program.run("embed", "-", "-o", "w.h5", "--model", model, "--truncate-dim", "25", input: "snow\n")
        #expect(tooMany.status == 64 && tooMany.errors.contains("24"), "\(tooMany.errors)")
    }

    /// A sentence finds itself in every storage, and what is near in whole numbers is near in small ones.
    @Test(arguments: ["float32", "float16", "int8", "binary"])
    func storages(store: String) throws {
        let model = try TinyModel().folder.path
        let words = ["two", "dogs", "play", "in", "the", "snow", "cat"]
        var lines: [String] = []
        for i in 0..<60 {
            let places = (0...(i % 5)).map { k in (i * 3 + k * (i % 4 + 1)) % 7 }
            lines.append(places.map { words[$0] }.joined(separator: " ") + " \(i)")
        }
        let input = try program.write("c.txt", lines.joined(separator: "\n"))
        let run = try program.run("embed", input, "-o", "v.h5", "--model", model, "--store", store)
        #expect(run.status == 0, "\(run.errors)")
        let file = try VectorFile(path: program.path("v.h5"))
        #expect(file.storage.rawValue == store && file.count == 60 && file.dimension == 24)
        for row in [0, 17, 42] {
            let rank = try program.run("rank", "v.h5", lines[row], "--model", model, "--json")
            let results: [JSON] = try JSON(parsing: rank.output).array?.first?["results"]?.array ?? []
            let best: JSON? = results.first
            let cosine: Double = best?["cosine"]?.double ?? 0
            #expect(best?["row"]?.int == row, "\(rank.output.prefix(200)) \(rank.errors)")
            let least: [String: Double] = ["float32": 0.999999, "float16": 0.99999, "int8": 0.999, "binary": 0.6]
            #expect(cosine > least[store] ?? 1)
            #expect(rank.errors.contains("signs of components") == (store == "binary"))
        }
        let mined = try program.run("mine", "v.h5", "--top", "3", "--json")
        #expect(mined.status == 0, "\(mined.errors)")
        #expect(try JSON(parsing: try program.run("info", "v.h5", "--json").output)["storage"]?.string == store)
        #expect(try program.run("embed", input, "-o", "w.h5", "--model", model, "--store", "float8").status == 64)
    }

    @Test func precisionsThatTheProcessorLacks() throws {
        let model = try TinyModel().folder.path
        let old = ["ONEDNN_MAX_CPU_ISA": "AVX2"]
        for precision in ["bf16", "int8"] {
            let run = try program.run(
                "embed", "-", "-o", "v.h5", "--force", "--model", model, "--precision", precision, input: "snow\n", environment: old)
            #expect(run.status == 0 && run.errors.contains("no \(precision) instructions") && run.errors.contains("f32"), "\(run.errors)")
            #expect(try VectorFile(path: program.path("v.h5")).metadata.precision == "f32")
        }
        #expect(try program.run("embed", "-", "-o", "v.h5", "--model", model, "--precision", "int4", input: "snow\n").status == 64)
    }

    @Test(arguments: [("f32", 1.0), ("bf16", 0.999), ("f16", 0.99999)])
    func converted(precision: String, least: Double) throws {
        let model = try TinyModel().folder.path
        let convert = try program.run("model", "convert", model, "-o", "new", "--weights", precision)
        #expect(convert.status == 0, "\(convert.errors)")
        let new = try SafetensorsFile(path: program.path("new/model.safetensors")),
            old = try SafetensorsFile(path: model + "/model.safetensors")
        #expect(new.names == old.names)
        for name in new.names { #expect(new[name]?.dtype.rawValue.lowercased() == precision && new[name]?.shape == old[name]?.shape) }
        _ = try program.write("t.txt", "two dogs play\na cat in the snow\nx\n")
        #expect(try program.run("embed", "t.txt", "-o", "a.h5", "--model", model).status == 0)
        #expect(try program.run("embed", "t.txt", "-o", "b.h5", "--model", program.path("new")).status == 0)
        let a = try VectorFile(path: program.path("a.h5")).readEmbeddings(), b = try VectorFile(path: program.path("b.h5")).readEmbeddings()
        for row in 0..<3 {
            var cosine = 0.0
            for place in row * 24..<row * 24 + 24 { cosine += Double(a[place]) * Double(b[place]) }
            #expect(cosine > least - 1e-6, "\(cosine)")
        }
        // What is there is not written over, and one file takes the weights alone.
        let again = try program.run("model", "convert", model, "-o", "new")
        #expect(again.status == 73 && again.errors.contains("finished model"), "\(again.errors)")
        #expect(try program.run("model", "convert", model, "-o", "one.safetensors", "--weights", precision, "--json").status == 0)
        #expect(try SafetensorsFile(path: program.path("one.safetensors")).names == old.names)
        #expect(try program.run("model", "convert", model, "-o", "x", "--weights", "f8").status == 64)
        #expect(try program.run("model", "convert", program.folder.path, "-o", "x").status == 66)
    }

    /// The fixture's scores are those of sentence-transformers; its weights are a `pytorch_model.bin`.
    @Test func rerankAgreesWithTheReference() throws {
        let expected = try JSON(contentsOf: rerankerFolder.appendingPathComponent("expected.json").path)
        let query = expected["query"]?.string ?? "", texts = expected["texts"]?.array?.compactMap(\.string) ?? []
        let scores = expected["scores"]?.array?.compactMap(\.double) ?? []
        #expect(texts.count == 7 && scores.count == 7)
        let input = try program.write("t.txt", (texts + [""]).joined(separator: "\n") + "\n")
        func check(_ model: String, within tolerance: Double) throws {
            let run = try program.run("rerank", query, input, "--model", model, "--json")
            #expect(run.status == 0 && run.errors.contains("1 of 7 texts was longer"), "\(run.errors)")
            let found = try JSON(parsing: run.output).array ?? []
            #expect(found.count == 7)
            let order = scores.indices.sorted { scores[$0] > scores[$1] }
            #expect(found.compactMap { $0["row"]?.int } == order)
            for entry in found {
                let row = entry["row"]?.int ?? 0
                #expect(abs((entry["score"]?.double ?? 9) - scores[row]) < tolerance, "row \(row)")
                #expect(entry["text"]?.string == texts[row])
            }
        }
        // Float's rounding differs among processors: 2.05e-6 was seen without AVX-512.
        try check(rerankerFolder.path, within: 3e-6)
        #expect(try program.run("model", "convert", rerankerFolder.path, "-o", "converted").status == 0)
        #expect(!FileManager.default.fileExists(atPath: program.path("converted/pytorch_model.bin")))
        try check(program.path("converted"), within: 3e-6)

        #expect(
            try program.run("rerank", query, input, "--model", rerankerFolder.path, "--top", "2", "--quiet").output.split(separator: "\n")
                .count == 2)
        #expect(try program.run("rerank", query, input, "--model", rerankerFolder.path, "-o", "r.csv").status == 0)
        #expect(String(decoding: try program.bytes("r.csv"), as: UTF8.self).hasPrefix("rank,score,row,text"))
        let tiny = try TinyModel().folder.path
        let none = try program.run("rerank", query, input, "--model", tiny)
        #expect(none.status == 64 && none.errors.contains("not a reranker"), "\(none.errors)")
        #expect(try program.run("rerank", query, input).status == 64)
        #expect(try program.run("rerank", query, try program.write("e.txt", "\n \n"), "--model", rerankerFolder.path).status == 65)
    }

    @Test(.enabled(if: TestTool.python3.isExpected, "needs python3")) func pulled() throws {
        let model = try TinyModel()
        let hub = try #require(try LocalHub(serving: model.folder), "a hub in Python")
        let online = ["HF_ENDPOINT": hub.address, "HF_HUB_CACHE": hub.cache.path, "KOTONOHA_MODELS": program.folder.path]
        let pull = try program.run("model", "pull", "org/model", "--json", environment: online)
        #expect(pull.status == 0, "\(pull.errors)")
        #expect(try JSON(parsing: pull.output)["commit"]?.string?.count == 40)
        let offline = online.merging(["HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"]) { $1 }
        let list = try program.run("model", "list", environment: offline)
        #expect(list.output.contains("org/model\t"), "\(list.output)\(list.errors)")
        let embed = try program.run("embed", "-", "-o", "v.h5", "--model", "org/model", input: "snow\n", environment: offline)
        #expect(embed.status == 0, "\(embed.errors)")
        #expect(try VectorFile(path: program.path("v.h5")).metadata.model == "org/model")

        let refused = try program.run("model", "pull", "org/model", environment: offline)
        #expect(refused.status == 69 && refused.errors.contains("HF_HUB_OFFLINE"), "\(refused.errors)")
        let wrong = try program.run("model", "pull", "org/wrong", environment: online)
        #expect(wrong.status == 65 && wrong.errors.contains("corrupted"), "\(wrong.errors)")
        var cut = try program.run("model", "pull", "org/cut", environment: online), tries = 1
        #expect(cut.status == 69 && (cut.errors.contains("stopped after") || cut.errors.contains("transfer failed")), "\(cut.errors)")
        while cut.status != 0 && tries < 60 {
            cut = try program.run("model", "pull", "org/cut", environment: online)
            tries += 1
        }
        #expect(cut.status == 0 && tries > 1, "\(cut.errors)")
        #expect(try program.run("model", "pull", "org/private", environment: online).errors.contains("HF_TOKEN"))
        #expect(try program.run("model", "pull", "org/private", environment: online.merging(["HF_TOKEN": "secret"]) { $1 }).status == 0)
        #expect(try program.run("model", "pull", "../../x", environment: online).status == 64)
        #expect(try program.run("model", "pull", "org/nothing", environment: online).status == 66)
    }
}

/// Model folders that contradict themselves, seen through the program.
@Suite struct BrokenModelTests {
    let program: Program

    init() throws { program = try Program() }

    private func expect(
        _ files: [String: String?], _ status: Int32, _ words: String..., at location: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try TinyModel(files).folder.path
        let run = try program.run("embed", "-", "-o", "v.h5", "--model", folder, input: "snow\n")
        #expect(run.status == status, "\(run.errors)", sourceLocation: location)
        for word in words { #expect(run.errors.contains(word), "'\(word)' in: \(run.errors)", sourceLocation: location) }
        #expect(!FileManager.default.fileExists(atPath: program.path("v.h5")), sourceLocation: location)
    }

    /// A tokenizer.json of the tiny model's words with one part replaced.
    private func tokenizer(
        version: String = "1.0", preTokenizer: String = #"{"type": "BertPreTokenizer"}"#, extra: String = "", cls: String = "[CLS]"
    ) -> String {
        let entries: [String] = TinyModel.words.enumerated().map { id, word in JSON.string(word).serialized() + ": \(id)" }
        let words = entries.joined(separator: ", ")
        return #"""
            {"version": "\#(version)", "normalizer": {"type": "Lowercase"}, "pre_tokenizer": \#(preTokenizer),
             "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["\#(cls)", 2]},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {\#(words)\#(extra)}}}
            """#
    }

    @Test func tokenizers() throws {
        // The plain one works.
        let good = try TinyModel(["tokenizer.json": tokenizer(), "vocab.txt": nil]).folder.path
        #expect(try program.run("tokenize", "-", "--model", good, input: "two dogs\n").output == "[CLS] two dogs [SEP]\n")
        try expect(["tokenizer.json": tokenizer(version: "2.0")], 65, "tokenizer.json", "2.0", "1.0")
        try expect(["tokenizer.json": tokenizer(preTokenizer: #"{"type": "Telepathy"}"#)], 65, "Telepathy", "Metaspace", "ByteLevel")
        // A hole in the ids, so that the highest lies beyond the table of vectors.
        try expect(["tokenizer.json": tokenizer(extra: #", "far": 100"#)], 65, "100", "vocabulary has \(TinyModel.words.count)")
        try expect(["tokenizer.json": "{"], 65, "tokenizer.json")
        let withoutCLS = TinyModel.words.map { $0 == "[CLS]" ? "cls" : $0 }.joined(separator: "\n") + "\n"
        try expect(["vocab.txt": withoutCLS], 65, "[CLS]", "vocab.txt")
        try expect(["vocab.txt": nil], 66, "tokenizer.json", "vocab.txt")
    }

    @Test func configurations() throws {
        let config = try JSON(contentsOf: TinyModel().folder.appendingPathComponent("config.json").path)
        func changed(_ key: String, _ value: JSON?) -> String {
            JSON.object((config.object ?? []).filter { $0.key != key } + (value.map { [(key, $0)] } ?? [])).serialized()
        }
        try expect(["config.json": changed("hidden_size", .integer(48))], 65, "shape", "configuration expects")
        try expect(["config.json": changed("num_hidden_layers", .integer(5))], 65, "encoder.layer.2", "missing")
        try expect(["config.json": changed("model_type", .string("mamba"))], 65, "mamba", "modernbert")
        try expect(["config.json": changed("num_attention_heads", .integer(5))], 65, "num_attention_heads")
        try expect(["config.json": changed("vocab_size", .integer(9))], 65, "vocabulary has 9")
        try expect(["config.json": changed("hidden_size", .integer(Int.max))], 65, "hidden_size")
        try expect(
            ["modules.json": #"[{"path": "", "type": "sentence_transformers.models.CLIPModel"}]"#], 65, "CLIPModel", "StaticEmbedding")
        try expect(["model.safetensors": nil, "pytorch_model.bin": "no zip"], 65, "pytorch_model.bin")
    }

    @Test func positionsBeyondTheTable() throws {
        // The files ask for more than the table has; the table counts, as in the reference, and the cut sentence is reported.
        let folder = try TinyModel(["sentence_bert_config.json": #"{"max_seq_length": 4096}"#]).folder.path
        let run = try program.run("embed", "-", "-o", "v.h5", "--model", folder, input: String(repeating: "snow ", count: 500) + "\nsnow\n")
        #expect(run.status == 0 && run.errors.contains("1 of 2 sentences was longer than 64 tokens"), "\(run.errors)")
    }
}
