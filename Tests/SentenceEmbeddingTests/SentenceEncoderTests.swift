import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import TestSupport
import TestTools
import Testing
import Tokenizers

/// The real model, where tools/fetch-minilm has put it.
private let miniLM = models.appendingPathComponent("downloaded/all-MiniLM-L6-v2")
private let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Models").standardizedFileURL
private let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
private var hasMiniLM: Bool { FileManager.default.fileExists(atPath: miniLM.appendingPathComponent("model.safetensors").path) }

private func sentences() throws -> [String] {
    let json = try JSON(contentsOf: fixtures.appendingPathComponent("minilm-sentences.json").path)
    return (json.array ?? []).compactMap(\.string)
}

@Suite struct SentenceEncoderTests {
    @Test(.enabled(if: hasMiniLM, "Models/downloaded/all-MiniLM-L6-v2 is not there (tools/fetch-minilm)"))
    func vectorsAreTheReferences() throws {
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: miniLM))
        let texts = try sentences()
        let found = try encoder.encode(texts)
        let expected = try NPYFile(path: fixtures.appendingPathComponent("minilm-vectors.npy").path)
        #expect(found.shape == expected.shape)
        let reference = try expected.floats()
        for i in 0..<found.count { #expect(abs(found[i] - reference[i]) < 2e-6, "component \(i % 384) of '\(texts[i / 384].prefix(40))'") }
    }

    @Test func pooledAndNormalized() throws {
        let model = try TinyModel()
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: model.folder))
        #expect(encoder.dimension == 24 && encoder.maxLength == 32 && encoder.isNormalized)
        let vectors = try encoder.encode(["two dogs play", "snow"])
        for row in 0..<2 { #expect(abs(vectors.rows(row..<row + 1).squaredNorm - 1) < 1e-6) }
        // Mean of the tokens' vectors, by hand.
        let batchEncoder = try encoder.encoder
        let batch = PackedBatchOf(encoder, "snow")
        let hidden = batchEncoder(batch.packed, on: nil).value
        var mean = [Float](repeating: 0, count: 24)
        for t in 0..<hidden.rows { for c in 0..<24 { mean[c] += hidden[t, c] / Float(hidden.rows) } }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for c in 0..<24 { #expect(abs(mean[c] / length - vectors[1, c]) < 1e-6) }
    }

    /// The smallest model of the project is a table of token vectors, and knows both languages.
    @Test func tinyGivesMeansOfItsRows() throws {
        let folder = models.appendingPathComponent("kotonoha-tiny")
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: folder))
        let texts = ["犬が雪の中で遊んでいる", "dogs play in the snow", "株価が下がった", "stock prices fell", ""]
        let vectors = try encoder.encode(texts)
        let table = try StaticEmbedding<Float>(from: ModelDirectory.weights(in: folder)).table.value
        #expect(vectors.shape == [5, table.columns])
        for (row, text) in texts.enumerated() {
            let ids = try encoder.tokenizer.encode(text).ids
            #expect(ids.isEmpty == text.isEmpty)
            var sum = [Double](repeating: 0, count: table.columns)
            for id in ids { for c in sum.indices { sum[c] += Double(table[Int(id), c]) } }
            let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for c in sum.indices { #expect(abs(sum[c] / max(length, 1e-12) - Double(vectors[row, c])) < 1e-6) }
        }
        func cosine(_ a: Int, _ b: Int) -> Float { (0..<table.columns).reduce(0) { $0 + vectors[a, $1] * vectors[b, $1] } }
        for (japanese, english, other) in [(0, 1, 3), (2, 3, 1)] { #expect(cosine(japanese, english) > cosine(japanese, other) + 0.2) }
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        let bytes = try files.reduce(0) {
            $0 + (try FileManager.default.attributesOfItem(atPath: folder.path + "/" + $1)[.size] as? Int ?? 0)
        }
        #expect(bytes < 5_000_000)
    }

    @Test func longTextsAreCutAndCounted() throws {
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: TinyModel().folder))
        var vectors = [Float](repeating: 0, count: 3 * 24)
        let counts = try vectors.withUnsafeMutableBufferPointer {
            try encoder.encode([String(repeating: "snow ", count: 100), "snow", "日本"], into: $0)
        }
        #expect(counts.truncated == 1)
        #expect(counts.tokens == 32 + 3 + 4)
        #expect(counts.unknownTokens == 2)
    }

    @Test func matryoshkaPrefixAndPrompt() throws {
        let model = try TinyModel(
            seed: 3, ["config_sentence_transformers.json": #"{"prompts": {"query": "two dogs "}, "default_prompt_name": null}"#])
        let directory = try ModelDirectory(folder: model.folder)
        let whole = try SentenceEncoder(directory: directory).encode(["snow"])
        var options = SentenceEncoder.Options()
        options.truncatedDimension = 8
        let cut = try SentenceEncoder(directory: directory, options: options)
        #expect(cut.dimension == 8 && !cut.isNormalized)
        #expect(try cut.encode(["snow"]).elements == Array(whole.elements[..<8]))
        options = SentenceEncoder.Options()
        options.promptName = "query"
        let prompted = try SentenceEncoder(directory: directory, options: options).encode(["snow"])
        #expect(prompted == (try SentenceEncoder(directory: directory).encode(["two dogs snow"])))
        options.promptName = "document"
        #expect(throws: DataError.self) { try SentenceEncoder(directory: directory, options: options) }
    }

    /// Tables of token vectors: the golden ones of NetworksTests with a tokenizer beside them.
    @Test(arguments: [true, false])
    func staticEmbeddings(isModel2Vec: Bool) throws {
        let golden = fixtures.appendingPathComponent("../../NetworksTests/Fixtures/families/static-" + (isModel2Vec ? "model2vec" : "st"))
            .standardizedFileURL
        let folder = try TestFolder.name("static")
        try FileManager.default.copyItem(at: golden, to: folder)
        let words = (0..<20).map { "\"w\($0)\": \($0)" }.joined(separator: ", ")
        try Data(
            #"{"version": "1.0", "pre_tokenizer": {"type": "WhitespaceSplit"}, "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {\#(words)}}}"#
                .utf8
        )
        .write(to: folder.appendingPathComponent("tokenizer.json"))
        if !isModel2Vec {
            try Data(#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}]"#.utf8)
                .write(to: folder.appendingPathComponent("modules.json"))
        }
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: folder))
        // model2vec's config.json asks for vectors of length 1.
        #expect(encoder.dimension == 10 && encoder.isNormalized == isModel2Vec)
        let found = try encoder.encode(["w3 w4 w5", "w19", "w7 w7 unknown w2"])
        let expected = try SafetensorsFile(path: golden.appendingPathComponent("expected.safetensors").path).floats("vectors")
        for (row, place) in [0, 2, 3].enumerated() {
            let vector = Array(expected[place * 10..<place * 10 + 10])
            let length = isModel2Vec ? vector.reduce(0) { $0 + $1 * $1 }.squareRoot() : 1
            for c in 0..<10 { #expect(abs(found[row, c] - vector[c] / length) < 1e-5) }
        }
        #expect(throws: DataError.self) { _ = try encoder.encoder }
    }

    @Test func concatenatedPoolingAndDense() throws {
        let model = try TinyModel(
            seed: 5,
            [
                "1_Pooling/config.json": #"{"embedding_dimension": 24, "pooling_mode": ["cls", "max"], "include_prompt": true}"#,
                "modules.json": #"""
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.Pooling"},
                 {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.base.modules.Dense"}]
                """#,
                "2_Dense/config.json":
                    #"{"in_features": 48, "out_features": 2, "bias": true, "activation_function": "torch.nn.modules.activation.Tanh"}"#,
            ])
        var writer = SafetensorsWriter()
        var weights = [Float](repeating: 0, count: 96)
        weights[0] = 1  // first component of the CLS vector
        weights[48 + 24] = 1  // first component of the largest values
        writer.add("linear.weight", shape: [2, 48], values: weights)
        writer.add("linear.bias", shape: [2], values: [0, 0.5])
        try writer.write(to: model.folder.appendingPathComponent("2_Dense/model.safetensors").path)
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: model.folder))
        #expect(encoder.dimension == 2 && encoder.directory.poolingName == "cls+max")
        let hidden = try encoder.encoder(PackedBatchOf(encoder, "cat").packed, on: nil).value
        let largest = (0..<hidden.rows).map { hidden[$0, 0] }.max() ?? 0
        let vector = try encoder.encode(["cat"])
        #expect(abs(vector[0] - Foundation.tanh(hidden[0, 0])) < 1e-6)
        #expect(abs(vector[1] - Foundation.tanh(largest + 0.5)) < 1e-6)
    }
}

/// The same sentence gives the same bits, whatever else is computed beside it.
@Suite struct AnyBatchTests {
    @Test(.tags(.sameBits)) func inAnyBatchOrderAndNumberOfThreads() throws {
        let model = hasMiniLM ? miniLM : try TinyModel().folder
        let directory = try ModelDirectory(folder: model)
        var texts = try sentences()
        for i in 0..<60 { texts.append(String(repeating: "two dogs play in the snow, ", count: i % 7 + 1) + "cat \(i)") }
        let reference = try SentenceEncoder(directory: directory)
        let expected = try texts.map { try reference.encode([$0]).elements }
        for (threads, budget) in [(1, 64), (2, 300), (3, 1024), (2, 100_000)] {
            var options = SentenceEncoder.Options()
            options.threads = threads
            options.batchTokens = budget
            let encoder = try SentenceEncoder(directory: directory, options: options)
            let order = (0..<texts.count).map { ($0 * 37 + threads) % texts.count }
            let found = try encoder.encode(order.map { texts[$0] })
            for (row, text) in order.enumerated() {
                let same = (0..<encoder.dimension).allSatisfy { found[row, $0].bitPattern == expected[text][$0].bitPattern }
                #expect(same, "'\(texts[text].prefix(30))' with \(threads) threads and \(budget) tokens a batch")
            }
        }
    }
}

/// Token ids of a text as a batch of one.
private struct PackedBatchOf {
    var packed: PackedBatch
    init(_ encoder: SentenceEncoder, _ text: String) {
        var text = text, ids: [Int32] = [], scratch = TokenizerScratch()
        _ = text.withUTF8 { encoder.tokenizer.appendIDs(of: $0, maxLength: encoder.maxLength, to: &ids, scratch: &scratch) }
        packed = PackedBatch([ids])
    }
}
