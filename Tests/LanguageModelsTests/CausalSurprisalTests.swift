import FileFormats
import Foundation
import LanguageModels
import Tensors
import Testing
import Tokenizers

@Suite struct CausalSurprisalTests {
    let tokenizer: Tokenizer
    let model: RecordedModel
    let expected: [JSON]

    init() throws {
        tokenizer = try Tokenizer(json: try Fixtures.json("causal-tokenizer.json"), file: "causal-tokenizer.json")
        let archive = try Fixtures.tensors("causal.safetensors")
        expected = try Fixtures.json("causal.json").array ?? []
        var recorded: [[Int32]: Tensor<Float>] = [:]
        for number in expected.indices {
            recorded[try archive.integers("ids.\(number)").map(Int32.init)] = try archive.tensor("logits.\(number)")
        }
        model = RecordedModel(tokenizer: tokenizer, recorded: recorded, beginID: tokenizer.id(for: "<|endoftext|>"))
    }

    private func scores(_ unit: SurprisalUnit, corrects: Bool) throws -> [TextScore] {
        var options = SurprisalOptions()
        options.correctsLeadingSpaces = corrects
        let scorer = SurprisalScorer(model: model, options: options)
        return try scorer.score(expected.map { try scorer.cutter.cut($0["text"]?.string ?? "") }, unit: unit, name: { $0 }, file: nil)
    }

    @Test("Tokens, entropies and ranks agree with minicons")
    func tokens() throws {
        for (score, wanted) in zip(try scores(.token, corrects: true), expected) {
            func numbers(_ key: String) -> [Double] { wanted[key]?.array?.compactMap(\.double) ?? [] }
            #expect(distance(score.units.compactMap(\.logProbability), numbers("token_scores")) <= 1e-5)
            #expect(distance(score.units.compactMap(\.entropy), numbers("entropies")) <= 1e-5)
            #expect(score.units.compactMap(\.rank).map(Double.init) == numbers("token_ranks"))
        }
    }

    @Test("Words agree with minicons, plain and corrected for leading spaces", arguments: [false, true])
    func words(corrects: Bool) throws {
        for (score, wanted) in zip(try scores(.word, corrects: corrects), expected) {
            let pairs = wanted[corrects ? "words_corrected" : "words"]?.array?.compactMap(\.array) ?? []
            #expect(score.units.map(\.text) == pairs.compactMap { $0.first?.string })
            #expect(distance(score.units.compactMap(\.logProbability), pairs.compactMap { $0.last?.double }) <= 1e-5)
            #expect(corrects == (score.units.map(\.logProbability) != score.units.map(\.uncorrected)))
        }
    }

    @Test("A text's total is the sum of its tokens")
    func totals() throws {
        for (whole, tokens) in zip(try scores(.text, corrects: true), try scores(.token, corrects: true)) {
            #expect(whole.units.count == 1 && whole.units[0].tokens == tokens.units.count)
            #expect(distance([whole.units[0].logProbability ?? .nan], [tokens.units.compactMap(\.logProbability).reduce(0, +)]) < 1e-12)
        }
    }

    @Test("Without a begin token the first token has no surprisal, and neither has its word")
    func withoutBegin() throws {
        let scorer = SurprisalScorer(model: BigramModel(tokenizer: tokenizer, beginID: nil))
        let text = try scorer.cutter.cut("the snow in the snow")
        let tokens = try scorer.score([text], unit: .token, name: { $0 }, file: nil)[0],
            words = try scorer.score([text], unit: .word, name: { $0 }, file: nil)[0]
        #expect(tokens.units[0].logProbability == nil && tokens.units.dropFirst().allSatisfy { $0.logProbability != nil })
        #expect(words.units[0].logProbability == nil && words.units[1].logProbability != nil)
        let whole = try scorer.score([text], unit: .text, name: { $0 }, file: nil)[0]
        #expect(whole.units[0].tokens == tokens.units.count - 1)
    }

    @Test("Long texts are refused without a stride, and read in windows with one")
    func windows() throws {
        var model = BigramModel(tokenizer: tokenizer, beginID: 0)
        let text = String(repeating: "the cat and the snow, ", count: 8)
        let whole = try SurprisalScorer(model: model).score([WordCutter(.spaces).cut(text)], unit: .token, name: { $0 }, file: nil)[0]
        model.contextLength = 11
        let error = #expect(throws: DataError.self) {
            try SurprisalScorer(model: model).score([WordCutter(.spaces).cut(text)], unit: .token, name: { $0 + 7 }, file: "f.tsv")
        }
        #expect(error?.kind == .usage && "\(error!)".contains("`stride`") && "\(error!)".contains("f.tsv:7"))
        for stride in [1, 4, 9] {
            var options = SurprisalOptions()
            options.stride = stride
            let parts = try SurprisalScorer(model: model, options: options).score(
                [WordCutter(.spaces).cut(text)], unit: .token, name: { $0 }, file: nil)[0]
            #expect(parts.windows > 1 && parts.units == whole.units, "stride \(stride)")
        }
    }

    @Test("Marks make regions and leave the text as it was")
    func regions() throws {
        let cutter = WordCutter(.spaces)
        let english = try cutter.cut("The dog / that barked/ ran. ", mark: "/")
        #expect(english.text == "The dog that barked ran. ")
        func parts(_ units: TextUnits) -> [String] { units.regions.map { String(decoding: Array(units.text.utf8)[$0], as: UTF8.self) } }
        #expect(parts(english) == ["The dog", "that barked", "ran."])
        let japanese = try cutter.cut("/太郎が/花子に/会う。/", mark: "/")
        #expect(japanese.text == "太郎が花子に会う。" && parts(japanese) == ["太郎が", "花子に", "会う。"])
        #expect(try parts(cutter.cut("a ‖ b", mark: "‖")) == ["a", "b"] && cutter.cut("a / b").regions.isEmpty)
        let scorer = SurprisalScorer(model: BigramModel(tokenizer: tokenizer, beginID: 0))
        let units = try scorer.cutter.cut("the dogs / play in / the snow", mark: "/")
        let regions = try scorer.score([units], unit: .region, name: { $0 }, file: nil)[0],
            words = try scorer.score([units], unit: .word, name: { $0 }, file: nil)[0]
        #expect(regions.units.map(\.text) == ["the dogs", "play in", "the snow"] && words.units.map(\.region) == [0, 0, 1, 1, 2, 2])
        // Corrections inside a region cancel: what one word adds the next one takes.
        for (region, members) in zip(regions.units, [[0, 1], [2, 3], [4, 5]]) {
            #expect(distance([region.logProbability ?? .nan], [members.reduce(0) { $0 + (words.units[$1].logProbability ?? .nan) }]) < 1e-9)
        }
    }
}
