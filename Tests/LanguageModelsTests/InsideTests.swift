import FileFormats
import Foundation
import Interpretation
import LanguageModels
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import TestSupport
import TestTools
import Testing
import Tokenizers

@Suite struct InsideTests {
    private func encoder() throws -> SentenceEncoder { try SentenceEncoder(model: Fixtures.path("bert")) }
    private func matrix(_ json: JSON?) -> [[Double]] { json?.array?.map { $0.array?.compactMap(\.double) ?? [] } ?? [] }

    @Test("Attributions of a cosine agree with Jacobians of the reference", arguments: [AttributionMethod.integrated, .gradientInput])
    func jacobians(method: AttributionMethod) throws {
        let golden = try Fixtures.json("explain.json")
        let found = try SimilarityAttribution(
            encoder(), golden["a"]?.string ?? "", golden["b"]?.string ?? "", method: method, cutter: WordCutter(.spaces))
        let wanted = matrix(golden[method == .integrated ? "integrated_jacobians" : "gradient_input"])
        let largest = wanted.joined().map(abs).max() ?? 0
        #expect(largest > 1e-3 && found.matrix.count == wanted.count)
        for (row, expected) in zip(found.matrix, wanted) {
            #expect(row.count == expected.count && zip(row, expected).allSatisfy { abs($0 - $1) <= 1e-3 * largest })
        }
        #expect(
            abs(found.score - (golden["score"]?.double ?? 0)) < 1e-5
                && abs(found.referenceScores.first - (golden["reference_a"]?.double ?? 0)) < 1e-5)
        #expect(abs(found.referenceScores.both - (golden["references"]?.double ?? 0)) < 1e-5)
        guard method == .integrated else { return #expect(found.expected == nil) }
        #expect(abs(found.sum - (found.expected ?? .nan)) < 1e-3 * largest)
    }

    @Test("Words gather their tokens' attributions, and threads change nothing")
    func words() throws {
        let model = try encoder()
        let found = try SimilarityAttribution(model, "playing snowcat", "the cat", nodes: 6, cutter: WordCutter(.spaces), threads: 1)
        let words = found.words()
        #expect(words.first == ["playing", "snowcat"] && words.second == ["the", "cat"])
        #expect(abs(words.matrix.joined().reduce(0, +) - found.sum) < 1e-12)
        let other = try SimilarityAttribution(model, "playing snowcat", "the cat", nodes: 6, cutter: WordCutter(.spaces), threads: 3)
        #expect(other.matrix == found.matrix)
    }

    @Test("Random weights change the map (Adebayo et al. 2018)")
    func sanity() throws {
        let model = try encoder(), texts = ("two dogs play in the snow.", "the cat, playing")
        func map(_ encoder: (any LayeredNetwork<Float>)?) throws -> [Double] {
            Array(
                try SimilarityAttribution(model, encoder: encoder, texts.0, texts.1, nodes: 8, cutter: WordCutter(.spaces)).matrix.joined())
        }
        let own = try map(nil), again = try map(try model.encoder)
        let random = try map(try model.encoder.untrained(seed: 3))
        #expect(own == again)
        let middle = { (x: [Double]) in x.reduce(0, +) / Double(x.count) }
        let (a, b) = (own.map { $0 - middle(own) }, random.map { $0 - middle(random) })
        let r = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / (a.reduce(0) { $0 + $1 * $1 } * b.reduce(0) { $0 + $1 * $1 }).squareRoot()
        #expect(abs(r) < 0.8, "r \(r)")
    }

    /// A tiny embedder built on a decoder or on T5's encoder, with its tokenizer.
    private func embedder(_ name: String) throws -> SentenceEncoder {
        let tests = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent(),
            fixture = tests.appending(path: "SentenceEmbeddingTests/Fixtures/decoders/\(name)")
        let folder = try TestFolder.make("embedder").appending(path: name)
        try FileManager.default.copyItem(at: fixture, to: folder)
        let tokenizer = try #require(try JSON(contentsOf: fixture.appending(path: "expected.json").path)["tokenizer"]?.string)
        try FileManager.default.copyItem(
            at: tests.appending(path: "TokenizersTests/Fixtures/\(tokenizer).tokenizer.json"), to: folder.appending(path: "tokenizer.json"))
        return try SentenceEncoder(directory: ModelDirectory(folder: folder))
    }

    @Test(
        "Attention of embedders on decoders: causal ones look back only, and rows sum to 1",
        arguments: [("qwen3", true), ("sgpt", true), ("embeddinggemma", false), ("sentence-t5", false)])
    func attentionOfDecoders(name: String, isCausal: Bool) throws {
        let model = try embedder(name), found = try SentenceAttention(model, "two dogs play in the snow"), n = found.tokens.count
        let network = try model.encoder
        #expect(found.layers.count == network.layerCount && found.heads == network.attentionHeads && n > 4)
        var ahead = 0.0
        for layer in found.layers.indices {
            for head in 0..<found.heads {
                for (i, row) in found.weights(layer: layer, head: head).enumerated() {
                    #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                    ahead += row[(i + 1)...].reduce(0, +)
                }
            }
        }
        #expect(isCausal ? ahead == 0 : ahead > 0.1, "\(ahead)")
        #expect(try SentenceAttention(model, "two dogs play in the snow", untrainedSeed: 1).layers != found.layers)
    }

    @Test(
        "Attributions of embedders on decoders add up to the cosine against the references",
        arguments: ["qwen3", "sgpt", "embeddinggemma", "sentence-t5"])
    func attributionsOfDecoders(name: String) throws {
        let model = try embedder(name)
        let found = try SimilarityAttribution(model, "two dogs play", "a cat in the snow", nodes: 128, cutter: WordCutter(.spaces))
        let expected = try #require(found.expected), largest = found.matrix.joined().map(abs).max() ?? 0
        #expect(largest > 1e-4 && abs(found.sum - expected) < 0.03 * largest, "\(found.sum) \(expected) \(largest)")
    }

    @Test("Integrated gradients of a cross-encoder add up to its score against the reference")
    func crossEncoder() throws {
        let folder = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "ProgramTests/Fixtures/cross-encoder")
        let model = try ExplainedClassifier(directory: ModelDirectory(folder: folder))
        let found = try ScoreAttribution(model, "two dogs play in the snow", "the cat, the cat", nodes: 256, cutter: WordCutter(.spaces))
        let expected = try #require(found.expected)
        #expect(abs(expected) > 0.01 && abs(found.sum - expected) < 0.01 * abs(expected), "\(found.sum) \(expected)")
        // The derivative by differences: a small step towards the reference at the text itself.
        let local = try ScoreAttribution(
            model, "two dogs play in the snow", "the cat, the cat", method: .gradientInput, cutter: WordCutter(.spaces))
        #expect(local.expected == nil && local.score == found.score && local.values != found.values)
        #expect(found.words().filter { $0.sentence == 1 }.map(\.text) == ["the", "cat,", "the", "cat"])
    }

    @Test("A classifier that is open is explained by the network that it has")
    func openClassifier() throws {
        let folder = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "ProgramTests/Fixtures/cross-encoder")
        let classifier = try TextClassifier(model: folder.path)
        let shared = try ExplainedClassifier(classifier), own = try ExplainedClassifier(directory: ModelDirectory(folder: folder))
        #expect(try shared.network === #require(classifier.fullPrecision).network && shared.labels == own.labels)
        let found = try [shared, own].map { try ScoreAttribution($0, "two dogs play", "the cat", cutter: WordCutter(.spaces)) }
        #expect(found[0].values.map(\.bitPattern) == found[1].values.map(\.bitPattern))
    }

    @Test("Rollout and measures are means that can be reckoned by hand")
    func rollout() {
        // Two tokens, one head: both look at the first token alone; then everyone at themselves.
        let first = Tensor<Float>([1, 0, 1, 0], shape: [1, 2, 2]), second = Tensor<Float>([1, 0, 0, 1], shape: [1, 2, 2])
        let attention = SentenceAttention(tokens: ["a", "b"], isSpecial: [true, false], sentences: [nil, 0], layers: [first, second])
        #expect(attention.rollout() == [[[1, 0], [0.5, 0.5]], [[1, 0], [0.5, 0.5]]])
        let measures = attention.measures()
        #expect(
            measures.count == 2 && measures[0].entropy == 0 && measures[0].distance == 0.5 && measures[0].toFirst == 1
                && measures[0].toSpecial == 1)
        #expect(measures[0].toSelf == 0.5 && measures[0].toPrevious == 1 && measures[0].toNext == 0 && measures[1].toSelf == 1)
        let even = SentenceAttention(
            tokens: ["a", "b"], isSpecial: [false, false], sentences: [0, 0], layers: [Tensor<Float>(repeating: 0.5, shape: [1, 2, 2])])
        #expect(even.measures()[0].entropy == 1)
    }

    @Test("A pair is read together, and rows of weights sum to one")
    func pair() throws {
        let attention = try SentenceAttention(encoder(), "two dogs", pair: "the cat")
        #expect(
            attention.tokens == ["[CLS]", "two", "dogs", "[SEP]", "the", "cat", "[SEP]"]
                && attention.sentences == [nil, 0, 0, nil, 1, 1, nil])
        for layer in attention.layers.indices { for row in attention.mean(layer: layer) { #expect(abs(row.reduce(0, +) - 1) < 1e-5) } }
        for layer in attention.rollout() { for row in layer { #expect(abs(row.reduce(0, +) - 1) < 1e-5) } }
        #expect(throws: DataError.self) { try SentenceAttention(encoder(), String(repeating: "snow ", count: 60)) }
    }

    @Test("A word is found by itself, not inside others", .enabled(if: hasMeCab, "needs Debian's mecab-ipadic-utf8"))
    func targetWords() throws {
        let cutter = WordCutter()
        let english = try TargetWord.places(of: "bank", in: "Bank clerks bank on the river bank; bankers do.", cutter: cutter)
        #expect(english.words == [0..<4, 12..<16, 30..<34] && english.inside == [36..<40])
        let japanese = try TargetWord.places(of: "橋", in: "橋本さんが橋を渡る。", cutter: cutter)
        #expect(japanese.words == [15..<18] && japanese.inside == [0..<3])
        let none = try TargetWord.places(of: "箸", in: "橋を渡る", cutter: cutter)
        #expect(none.words.isEmpty && none.inside.isEmpty)
    }
}
