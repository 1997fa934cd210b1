import FileFormats
import Foundation
import Testing
import Tokenizers

struct VocabularyTrainingTests {
    private static let captions: [String] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Datasets/captions.tsv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropFirst().compactMap { $0.split(separator: "\t").last.map(String.init) }
    }()

    private func options(_ change: (inout VocabularyTrainer.Options) -> Void = { _ in }) -> VocabularyTrainer.Options {
        var options = VocabularyTrainer.Options()
        change(&options)
        return options
    }

    private func merges(_ json: JSON) -> [String] {
        (json["model"]?["merges"]?.array ?? []).map { ($0.array ?? []).compactMap(\.string).joined(separator: "+") }
    }

    /// ▁ab three times, ▁abc twice: (▁, a) and (a, b) come five times, (b, c) twice; of equals the one with the smaller numbers goes first.
    @Test func mergesByHand() throws {
        let json = try VocabularyTrainer.train(
            texts: ["ab ab ab abc abc"], kind: .bytePair, size: 12, options: options { $0.characterCoverage = 1 })
        // Characters by frequency: a, b, ▁ (equals by code point), c. The pair (a, b) has the smaller numbers.
        #expect(merges(json) == ["a+b", "▁+ab", "▁ab+c"])
        let tokenizer = try Tokenizer(json: json)
        #expect(try tokenizer.encode("abc ab ca").tokens == ["[CLS]", "▁abc", "▁ab", "▁", "c", "a", "[SEP]"])
    }

    @Test func wordPieceByHand() throws {
        let json = try VocabularyTrainer.train(
            texts: ["hug hug hug pug pug"], kind: .wordPiece, size: 17, options: options { $0.characterCoverage = 1 })
        let tokenizer = try Tokenizer(json: json)
        // (##u, ##g) comes five times, then (h, ##ug) three times.
        #expect(tokenizer.id(for: "##ug") == 13 && tokenizer.id(for: "hug") == 14 && tokenizer.id(for: "pug") == 15)
        #expect(try tokenizer.encode("hugpug").tokens == ["[CLS]", "hug", "##p", "##ug", "[SEP]"])
    }

    @Test(arguments: VocabularyTrainer.Kind.allCases)
    func realText(kind: VocabularyTrainer.Kind) throws {
        try #require(Self.captions.count == 700)
        let size = kind == .wordPiece ? 3000 : 1800
        let settings = options { $0.lowercases = true }
        let json = try VocabularyTrainer.train(texts: Self.captions, kind: kind, size: size, options: settings)
        #expect(
            try VocabularyTrainer.train(texts: Self.captions, kind: kind, size: size, options: settings) == json,
            "another run gives another vocabulary")
        let tokenizer = try Tokenizer(json: json)
        #expect(tokenizer.vocabularySize <= size)
        if kind != .characters { #expect(tokenizer.vocabularySize > size * 9 / 10) }
        #expect([tokenizer.padID, tokenizer.clsID, tokenizer.sepID, tokenizer.maskID] == [0, 2, 3, 4])
        var scratch = TokenizerScratch()
        var ids: [Int32] = []
        var unknowns = 0
        for caption in Self.captions {
            unknowns += Array(caption.utf8).withUnsafeBufferPointer { tokenizer.appendIDs(of: $0, to: &ids, scratch: &scratch) }.unknowns
        }
        // Character coverage leaves one in two thousand out.
        #expect(unknowns * 300 < ids.count)
        let characters = Self.captions.reduce(0) { $0 + $1.unicodeScalars.count }
        if kind != .characters { #expect(Double(characters) / Double(ids.count) > 1.3, "pieces are hardly longer than characters") }
        if kind == .unigram || kind == .byteLevelBytePair {
            #expect(
                tokenizer.decode(try tokenizer.encode("two dogs on the beach").ids).trimmingCharacters(in: .whitespaces)
                    == "two dogs on the beach")
        }
    }

    /// The unigram model finds the words of a made-up language, whose text has no spaces.
    @Test func unigramFindsWords() throws {
        let words = ["かき", "さしす", "たちつて", "なに", "はひふへほ"]
        var state: UInt64 = 1
        let texts = (0..<400).map { _ in
            (0..<6).map { _ -> String in
                state = state &* 6364136223846793005 &+ 1442695040888963407
                return words[Int(state >> 33) % words.count]
            }.joined()
        }
        let json = try VocabularyTrainer.train(texts: texts, kind: .unigram, size: 30, options: options { $0.characterCoverage = 1 })
        let tokenizer = try Tokenizer(json: json)
        for word in words { #expect(tokenizer.id(for: word) != nil, "\(word)") }
    }

    @Test func requestsThatMakeNoSense() {
        #expect(throws: DataError.self) { try VocabularyTrainer.train(texts: ["abc"], kind: .bytePair, size: 6) }
        #expect(throws: DataError.self) { try VocabularyTrainer.train(texts: [], kind: .unigram, size: 100) }
        #expect(throws: DataError.self) { try VocabularyTrainer.train(texts: ["  "], kind: .wordPiece, size: 100) }
        #expect(throws: DataError.self) {
            try VocabularyTrainer.train(
                texts: ["abc"], kind: .bytePair, size: 100, options: options { $0.specialTokens = ["a", "a", "b", "c", "d"] })
        }
    }
}
