import FileFormats
import Foundation
import Testing
import Tokenizers

/// BERT's pipeline on a vocabulary small enough to work out by hand.
struct BertPipelineTests {
    static let json = """
        {"version": "1.0", "truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0}, "padding": null,
         "added_tokens": [
           {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
           {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
           {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
           {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
           {"id": 4, "content": "[MASK]", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "TemplateProcessing",
           "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                      {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
           "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                    {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
           "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                              "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
         "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 10,
           "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "dog": 5, "##s": 6, "cafe": 7, "犬": 8, "!": 9,
                     "do": 10, "##g": 11, "a": 12, "##a": 13}}}
        """

    static func tokenizer() throws -> Tokenizer {
        try Data(json.utf8).withUnsafeBytes { try Tokenizer(json: JSON(parsing: $0)) }
    }

    static func fastIDs(_ tokenizer: Tokenizer, _ bytes: [UInt8], maxLength: Int? = nil) -> ([Int32], TokenCounts) {
        var ids: [Int32] = []
        var scratch = TokenizerScratch()
        let counts = bytes.withUnsafeBufferPointer { tokenizer.appendIDs(of: $0, maxLength: maxLength, to: &ids, scratch: &scratch) }
        return (ids, counts)
    }

    @Test func wordsPiecesAndOffsets() throws {
        let tokenizer = try Self.tokenizer()
        let encoding = try tokenizer.encode("Dogs, CAFÉ犬!")
        #expect(encoding.ids == [2, 5, 6, 1, 7, 8, 9, 3])
        #expect(encoding.tokens == ["[CLS]", "dog", "##s", "[UNK]", "cafe", "犬", "!", "[SEP]"])
        #expect(encoding.offsets == [0..<0, 0..<3, 3..<4, 4..<5, 6..<11, 11..<14, 14..<15, 0..<0])
        #expect(encoding.wordIDs == [nil, 0, 0, 1, 2, 3, 4, nil])
        #expect(encoding.specialTokensMask == [1, 0, 0, 0, 0, 0, 0, 1])
        #expect(Self.fastIDs(tokenizer, Array("Dogs, CAFÉ犬!".utf8)).0 == encoding.ids)
        #expect(tokenizer.decode(encoding.ids) == "dogs cafe 犬!")  // the unknown token is special
    }

    @Test func specialIDs() throws {
        let tokenizer = try Self.tokenizer()
        #expect([tokenizer.padID, tokenizer.unknownID, tokenizer.clsID, tokenizer.sepID, tokenizer.maskID] == [0, 1, 2, 3, 4])
        #expect(tokenizer.vocabularySize == 14 && tokenizer.idBound == 14)
        #expect(tokenizer.id(for: "##s") == 6 && tokenizer.token(for: 8) == "犬" && tokenizer.token(for: 99) == nil)
    }

    @Test func addedTokensInText() throws {
        let tokenizer = try Self.tokenizer()
        let encoding = try tokenizer.encode("dog  [MASK]dog")
        #expect(encoding.ids == [2, 5, 4, 5, 3])
        #expect(encoding.offsets[2] == 3..<11)
        #expect(Self.fastIDs(tokenizer, Array("dog  [MASK]dog".utf8)).0 == encoding.ids)
    }

    @Test func pairsAndTruncation() throws {
        let tokenizer = try Self.tokenizer()
        let pair = try tokenizer.encode("dog dogs", pair: "a")
        #expect(pair.ids == [2, 5, 5, 6, 3, 12, 3])
        #expect(pair.typeIDs == [0, 0, 0, 0, 0, 1, 1])
        #expect(try tokenizer.encode("dog dogs", pair: "a a a", maxLength: 7).ids == [2, 5, 5, 3, 12, 12, 3])
        #expect(try tokenizer.encode("dog dogs", pair: "a a a", maxLength: 7, strategy: .onlyFirst).ids == [2, 5, 3, 12, 12, 12, 3])
        let cut = try tokenizer.encode("a dog a dogs", maxLength: 5, stride: 1)
        #expect(cut.ids == [2, 12, 5, 12, 3])
        #expect(cut.overflow.map(\.ids) == [[2, 12, 5, 6, 3]])
        #expect(throws: DataError.self) { try tokenizer.encode("dog", maxLength: 1) }
        #expect(throws: DataError.self) { try tokenizer.encode("a a a a", maxLength: 4, stride: 2) }
    }

    @Test func fastPathTruncatesAndCounts() throws {
        let tokenizer = try Self.tokenizer()
        let (ids, counts) = Self.fastIDs(tokenizer, Array("dog zebra dogs zebra".utf8), maxLength: 5)
        #expect(ids == [2, 5, 1, 5, 3])
        #expect(counts == TokenCounts(tokens: 5, unknowns: 1, isTruncated: true))
        #expect(Self.fastIDs(tokenizer, Array("dog".utf8), maxLength: 3).1 == TokenCounts(tokens: 3, unknowns: 0, isTruncated: false))
        #expect(Self.fastIDs(tokenizer, []).0 == [2, 3])
        // Words of more than ten characters are unknown as a whole.
        #expect(Self.fastIDs(tokenizer, Array("aaaaaaaaaa aaaaaaaaaaa".utf8)).1.unknowns == 1)
    }

    @Test func invalidUTF8CountsAsReplacementCharacters() throws {
        let tokenizer = try Self.tokenizer()
        #expect(Self.fastIDs(tokenizer, [0x64, 0x6F, 0xFF, 0x67]).0 == [2, 5, 3])  // U+FFFD is cleaned away
    }

    @Test func unknownComponentsAreNamed() throws {
        let bad = Self.json.replacingOccurrences(of: "BertPreTokenizer", with: "Sorcery")
        let error = #expect(throws: DataError.self) {
            try Data(bad.utf8).withUnsafeBytes { try Tokenizer(json: JSON(parsing: $0), file: "tokenizer.json") }
        }
        #expect(error?.description.contains("Sorcery") == true && error?.description.contains("Metaspace") == true)
        let newer = Self.json.replacingOccurrences(of: "\"1.0\"", with: "\"2.0\"")
        #expect(throws: DataError.self) { try Data(newer.utf8).withUnsafeBytes { try Tokenizer(json: JSON(parsing: $0)) } }
    }
}
