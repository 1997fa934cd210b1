import FileFormats
import Foundation
import LanguageModels
import ModelFolders
import Networks
import Tensors
import TestSupport
import Testing
import Tokenizers

@Suite struct MaskedModelTests {
    static let families = [
        "bert", "bert-untied", "roberta", "xlm-roberta", "distilbert", "mpnet", "albert", "electra", "deberta-v2", "deberta-v3", "luke",
        "modernbert", "nomic_bert",
    ]

    /// The network of a family's fixture: it has no tokenizer.
    private func network(_ name: String) throws -> (encoder: Encoder<Float>, head: MaskedLanguageHead<Float>) {
        let json = try Fixtures.json("heads/\(name)/config.json"), archive = try Fixtures.tensors("heads/\(name)/model.safetensors")
        #expect(try MaskedLanguageHead<Float>.isThere(json: json, file: "config.json", names: archive.names))
        let encoder = Encoder<Float>(try EncoderConfiguration(json: json, file: "config.json"))
        try load(encoder.checkpointEntries, from: archive, prefixes: encoder.checkpointPrefixes)
        let head = try MaskedLanguageHead(json: json, file: "config.json", encoder: encoder, names: archive.names)
        try head.load(from: archive)
        return (encoder, head)
    }

    private func batch(_ expected: SafetensorsArchive) throws -> PackedBatch {
        let ids = try expected.integers("ids").map(Int32.init), offsets = try expected.integers("offsets")
        return PackedBatch(zip(offsets, offsets.dropFirst()).map { Array(ids[$0..<$1]) })
    }

    @Test("Logits of every family agree with the reference", arguments: families)
    func logits(name: String) throws {
        let (encoder, head) = try network(name), expected = try Fixtures.tensors("heads/\(name)/expected.safetensors")
        let found = head(encoder(try batch(expected), on: nil), on: nil).value, wanted = try expected.tensor("logits")
        #expect(found.shape == wanted.shape)
        #expect(distance(found.elements.map(Double.init), wanted.elements.map(Double.init)) <= 1e-5)
    }

    @Test("Attention of every family agrees with the reference", arguments: families)
    func attention(name: String) throws {
        let (encoder, _) = try network(name), expected = try Fixtures.tensors("heads/\(name)/expected.safetensors"),
            all = try batch(expected)
        let layers = encoder.attentionWeights(of: PackedBatch([Array(all[0])]))
        #expect(layers.count == 2)
        for (layer, weights) in layers.enumerated() {
            let wanted = try expected.tensor("attention.\(layer)")
            #expect(weights.shape == wanted.shape)
            #expect(distance(weights.elements.map(Double.init), wanted.elements.map(Double.init)) <= 1e-5, "layer \(layer)")
        }
    }

    @Test("A model without a head says what it can do instead")
    func withoutHead() throws {
        let model = try TinyModel()
        let error = #expect(throws: DataError.self) { try openLanguageModel(model.folder.path) }
        #expect(error?.kind == .usage && "\(error!)".contains("no language-model head") && "\(error!)".contains("embed"))
        let classifier = try TinyModel([
            "config.json":
                #"{"model_type": "bert", "architectures": ["BertForSequenceClassification"], "vocab_size": 68, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}"#
        ])
        let other = #expect(throws: DataError.self) { try openLanguageModel(classifier.folder.path) }
        #expect("\(other!)".contains("rerank"))
    }

    @Test(
        "Token scores agree with minicons, by both pseudo-log-likelihoods", arguments: ["bert", "roberta"],
        [PseudoLikelihood.original, .withinWordLeftToRight])
    func minicons(name: String, metric: PseudoLikelihood) throws {
        let model = try Fixtures.masked(name), expected = try Fixtures.json("\(name)/expected.json")
        let texts = expected["texts"]?.array?.compactMap(\.string) ?? []
        let wanted =
            expected[metric == .original ? "original" : "within_word_l2r"]?.array?.map {
                $0.array?.compactMap { $0.array?.last?.double } ?? []
            } ?? []
        var options = SurprisalOptions()
        options.pseudoLikelihood = metric
        let scorer = SurprisalScorer(model: model, options: options, cutter: WordCutter(.spaces))
        let found = try scorer.score(texts.map { try scorer.cutter.cut($0) }, unit: .token, name: { $0 }, file: nil)
        #expect(texts.count == 5 && wanted.count == 5)
        for (score, wanted) in zip(found, wanted) { #expect(distance(score.units.compactMap(\.logProbability), wanted) <= 1e-5) }
        let other =
            expected[metric == .original ? "within_word_l2r" : "original"]?.array?.flatMap {
                $0.array?.compactMap { $0.array?.last?.double } ?? []
            } ?? []
        #expect(distance(wanted.joined(), other) > 0.01, "the fixture tells the two apart")
    }

    @Test("Holes are filled as the reference fills them")
    func fill() throws {
        for name in ["bert", "roberta"] {
            let model = try Fixtures.masked(name), expected = try Fixtures.json("\(name)/expected.json")["fill"]?.array ?? []
            let fill = try Fill(model: model), mask = try #require(model.tokenizer.token(for: model.maskID!))
            let holes = try fill.holes(
                in: ["two dogs [MASK] in the <mask>", "two dogs " + mask], top: 5, batchTokens: 8, threads: 2, name: { $0 }, file: nil)
            #expect(holes[0].count == 2 && holes[1].count == 1 && expected.count == 2)
            for (hole, wanted) in zip(holes[0], expected) {
                #expect(hole.candidates.map(\.token) == wanted.array?.compactMap { $0.array?.first?.string })
                #expect(distance(hole.candidates.map(\.probability), wanted.array?.compactMap { $0.array?.last?.double } ?? []) <= 1e-5)
                #expect(hole.entropy > 0)
            }
            #expect(throws: DataError.self) { try fill.holes(in: ["no hole"], top: 1, batchTokens: 8, threads: 1, name: { $0 }, file: nil) }
        }
    }

    @Test("Batches and threads change no bit", .tags(.sameBits), arguments: ["bert", "roberta"])
    func sameBits(name: String) throws {
        let model = try Fixtures.masked(name), texts = ["two dogs play in the snow.", "The cat", "playing, it's the dogs", "cats"]
        func scores(_ tokens: Int, _ threads: Int) throws -> [TextScore] {
            var options = SurprisalOptions()
            (options.batchTokens, options.threads) = (tokens, threads)
            let scorer = SurprisalScorer(model: model, options: options, cutter: WordCutter(.spaces))
            return try scorer.score(texts.map { try scorer.cutter.cut($0) }, unit: .word, name: { $0 }, file: nil)
        }
        let one = try scores(1, 1)
        #expect(try scores(1024, 2) == one && scores(50, 3) == one)
        #expect(one.allSatisfy { $0.units.allSatisfy { $0.logProbability != nil } })
    }

    @Test("Japanese words are MeCab's, and within-word hiding follows them", .enabled(if: hasMeCab, "needs Debian's mecab-ipadic-utf8"))
    func japanese() throws {
        let model = try Fixtures.masked("bert")
        let scorer = SurprisalScorer(model: model), units = try scorer.cutter.cut("犬が雪で遊ぶ")
        #expect(!units.isSpaced && units.words.count == 5)
        let found = try scorer.score([units], unit: .word, name: { $0 }, file: nil)[0]
        #expect(found.units.map(\.text) == ["犬", "が", "雪", "で", "遊ぶ"] && found.units.map(\.tokens).reduce(0, +) == found.tokens)
        // 遊ぶ is one word of two tokens for MeCab, while the tokenizer knows every character as a word of its own.
        var options = SurprisalOptions()
        options.pseudoLikelihood = .withinWordLeftToRight
        let within = try SurprisalScorer(model: model, options: options).score([units], unit: .word, name: { $0 }, file: nil)[0]
        let single = found.units.indices.filter { found.units[$0].tokens == 1 },
            several = found.units.indices.filter { found.units[$0].tokens > 1 }
        #expect(!several.isEmpty && single.allSatisfy { within.units[$0] == found.units[$0] })
        #expect(several.allSatisfy { within.units[$0].logProbability != found.units[$0].logProbability })
    }
}
