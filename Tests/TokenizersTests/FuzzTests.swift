import FileFormats
import Foundation
import Testing
import Tokenizers

private let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

/// Damaged files end in an error or in a tokenizer that works; nothing traps, nothing hangs.
struct FuzzTests {
    private struct Random {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        mutating func below(_ n: Int) -> Int { n > 0 ? Int(next() % UInt64(n)) : 0 }
    }

    private static let texts: [[UInt8]] = [
        Array("Two dogs, 犬が走る。 e\u{301}a\u{323}\u{302} ﾊﾟ [MASK] <mask>  'll 12 ３４\r\n👩🏽‍🚀".utf8), [], [0x20],
        [0xFF, 0xC3, 0x28, 0, 0xE3, 0x81],
        Array(String(repeating: "ab ", count: 60).utf8),
    ]

    private func use(_ tokenizer: Tokenizer) {
        var ids: [Int32] = []
        var scratch = TokenizerScratch()
        for text in Self.texts {
            for limit in [nil, 0, 1, 7] {
                _ = text.withUnsafeBufferPointer { tokenizer.appendIDs(of: $0, maxLength: limit, to: &ids, scratch: &scratch) }
            }
            let string = String(decoding: text, as: UTF8.self)
            _ = try? tokenizer.encode(string)
            _ = try? tokenizer.encode(string, pair: "b c", maxLength: 6, stride: 1)
        }
        _ = tokenizer.decode(Array(ids.prefix(300)) + [-1, Int32.max, 5, 77])
        for id in [Int32.min, -1, 0, 3, Int32.max] { _ = tokenizer.token(for: id) }
    }

    @Test(arguments: ["bert_uncased", "roberta", "modernbert", "llama3", "llama2", "unigram", "bpe_prefix", "word_level", "odd"])
    func damagedTokenizerJSON(name: String) throws {
        let original = [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name + ".tokenizer.json")))
        var random = Random(state: 0x9E37_79B9 ^ UInt64(original.count))
        var loaded = 0
        // The components stand at the front and at the end; the vocabulary between them is hit now and then.
        let interesting = Array("0123456789-.eE{}[]\",:nulltruefalse \\u".utf8) + [0, 0xFF]
        for round in 0..<350 {
            var bytes = original
            for _ in 0...random.below(3) {
                guard !bytes.isEmpty else { break }
                let front = min(2500, bytes.count)
                let place =
                    round % 3 == 0
                    ? random.below(bytes.count) : round % 3 == 1 ? random.below(front) : bytes.count - 1 - random.below(front)
                switch random.below(5) {
                case 0: bytes[place] = interesting[random.below(interesting.count)]
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(interesting[random.below(interesting.count)], at: place)
                case 3: bytes.removeSubrange(place..<min(bytes.count, place + random.below(40)))
                default:
                    bytes.replaceSubrange(
                        place..<place, with: Array(["99999999999", "-1", "1e308", "null", "\"x\"", "[]", "{}"][random.below(7)].utf8))
                }
            }
            let tokenizer = try? bytes.withUnsafeBytes { try Tokenizer(json: JSON(parsing: $0), file: "tokenizer.json") }
            guard let tokenizer else { continue }
            loaded += 1
            use(tokenizer)
        }
        #expect(loaded > 0)
    }

    /// Values of the wrong kind in every place of a well-formed file.
    @Test(arguments: ["bert_uncased", "roberta", "unigram", "llama2", "odd"])
    func wrongValues(name: String) throws {
        let data = try Data(contentsOf: fixtures.appendingPathComponent(name + ".tokenizer.json"))
        let root = try data.withUnsafeBytes { try JSON(parsing: $0) }
        let values: [JSON] = [
            .null, .bool(true), .integer(-1), .integer(Int.max), .number(1e300), .string(""), .string("犬"), .array([]), .object([]),
            .array([.string("a"), .integer(0)]),
        ]
        for target in 0..<140 {
            for value in [values[target % values.count], values[(target / 3) % values.count]] {
                var left = target
                let changed = replacing(root, &left, value)
                if let tokenizer = try? Tokenizer(json: changed) { use(tokenizer) }
            }
        }
    }

    /// The value at the `left`-th place in depth-first order, large lists and objects only sampled.
    private func replacing(_ json: JSON, _ left: inout Int, _ value: JSON) -> JSON {
        if left == 0 {
            left = -1
            return value
        }
        if left < 0 { return json }
        left -= 1
        switch json {
        case .array(let elements):
            var copy = elements
            for i in copy.indices.prefix(4) where left >= 0 { copy[i] = replacing(copy[i], &left, value) }
            return .array(copy)
        case .object(let members):
            var copy = members
            for i in copy.indices where left >= 0 && (copy.count < 20 || i < 3) { copy[i].value = replacing(copy[i].value, &left, value) }
            return .object(copy)
        default: return json
        }
    }

    @Test(arguments: ["sp_unigram", "sp_symbols", "sp_bpe"])
    func damagedSentencePieceModels(name: String) throws {
        let original = [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name + ".model")))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kotonoha-\(UUID().uuidString).model")
        defer { try? FileManager.default.removeItem(at: file) }
        var random = Random(state: 77)
        for _ in 0..<250 {
            var bytes = original
            for _ in 0...random.below(4) {
                let place = random.below(bytes.count)
                if random.below(4) == 0 {
                    bytes.removeSubrange(place..<min(bytes.count, place + random.below(300)))
                } else {
                    bytes[place] = UInt8(random.below(256))
                }
                if bytes.isEmpty { break }
            }
            try Data(bytes).write(to: file)
            if let tokenizer = try? Tokenizer(sentencePieceModel: file) { use(tokenizer) }
        }
    }

    @Test func absurdConfigurations() throws {
        func load(_ text: String) -> Tokenizer? { try? Data(text.utf8).withUnsafeBytes { try Tokenizer(json: JSON(parsing: $0)) } }
        #expect(load("{}") == nil)
        #expect(load("[]") == nil)
        #expect(load(#"{"model": {"type": "WordPiece", "vocab": {}}}"#) == nil)
        #expect(load(#"{"model": {"type": "WordPiece", "unk_token": "u", "vocab": {"u": 2147483646}}}"#) == nil)
        #expect(load(#"{"model": {"type": "Unigram", "unk_id": 5, "vocab": [["a", -1.0]]}}"#) == nil)
        #expect(load(#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}"#) == nil)
        // No unknown token: what cannot be spelled is left out.
        let bare = try #require(load(#"{"model": {"type": "Unigram", "unk_id": null, "vocab": [["a", -1.0]]}}"#))
        #expect(try bare.encode("aba").ids == [0, 0])
        // Ids with holes.
        let holes = try #require(load(#"{"model": {"type": "WordLevel", "unk_token": "u", "vocab": {"u": 3, "dog": 900}}}"#))
        #expect(try holes.encode("dog").ids == [900])
        #expect(holes.vocabularySize == 2 && holes.idBound == 901 && holes.token(for: 4) == nil)
        use(holes)
        var nested = #"{"type": "Lowercase"}"#
        for _ in 0..<200 { nested = #"{"type": "Sequence", "normalizers": [\#(nested)]}"# }
        #expect(load(#"{"normalizer": \#(nested), "model": {"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0}}}"#) == nil)
        // A pattern that goes on for ever elsewhere.
        let slow =
            #"{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}, "model": {"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0}}}"#
        _ = try load(slow)?.encode(String(repeating: "a", count: 40) + "b")
    }

    @Test func longLines() throws {
        for name in ["bert_uncased", "roberta", "xlm_roberta", "llama2", "unigram"] {
            let tokenizer = try Tokenizer(tokenizerJSON: fixtures.appendingPathComponent(name + ".tokenizer.json"))
            for text in [
                String(repeating: "q", count: 100_000), String(repeating: "日本語", count: 33_000), String(repeating: " ", count: 100_000),
                "a" + String(repeating: "\u{301}\u{323}", count: 50_000),
            ] {
                var ids: [Int32] = []
                var scratch = TokenizerScratch()
                _ = Array(text.utf8).withUnsafeBufferPointer { tokenizer.appendIDs(of: $0, to: &ids, scratch: &scratch) }
                #expect(try tokenizer.encode(text).ids == ids)
            }
        }
    }
}
