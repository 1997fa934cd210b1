/// The model of a tokenizer: a word in, tokens out.
enum TokenModel: Sendable {
    case wordPiece(WordPiece)
    case unigram(Unigram)
    case bytePair(BytePairEncoding)
    case sentencePieceBytePair(SentencePieceBytePair)
    case wordLevel(WordLevel)
    case characters(CharacterSubwords)

    var vocabulary: Vocabulary {
        switch self {
        case .wordPiece(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        case .bytePair(let model): model.vocabulary
        case .sentencePieceBytePair(let model): model.vocabulary
        case .wordLevel(let model): model.vocabulary
        case .characters(let model): model.vocabulary
        }
    }

    /// −1 where the model has no unknown token.
    var unknownID: Int32 {
        switch self {
        case .wordPiece(let model): model.unknownID
        case .unigram(let model): model.unknownID
        case .bytePair(let model): model.unknownID
        case .sentencePieceBytePair(let model): model.unknownID
        case .wordLevel(let model): model.unknownID
        case .characters(let model): model.unknownID
        }
    }

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken], scratch: inout ModelScratch) {
        switch self {
        case .wordPiece(let model): model.appendTokens(of: word, to: &tokens)
        case .unigram(let model): cached(word, &tokens, &scratch) { model.appendTokens(of: word, to: &$0, scratch: &$1) }
        case .bytePair(let model): cached(word, &tokens, &scratch) { model.appendTokens(of: word, to: &$0, scratch: &$1) }
        case .sentencePieceBytePair(let model): cached(word, &tokens, &scratch) { model.appendTokens(of: word, to: &$0, scratch: &$1) }
        case .wordLevel(let model): model.appendTokens(of: word, to: &tokens)
        case .characters(let model): model.appendTokens(of: word, to: &tokens)
        }
    }
}

private extension TokenModel {
    /// Words come back: what was worked out for one is kept in the scratch.
    @inline(__always)
    func cached(
        _ word: UnsafeBufferPointer<UInt8>, _ tokens: inout [ModelToken], _ scratch: inout ModelScratch,
        _ compute: (inout [ModelToken], inout ModelScratch) -> Void
    ) {
        guard word.count <= WordCache.longest else { return compute(&tokens, &scratch) }
        let slot = scratch.cache.find(word)
        if scratch.cache.append(slot, to: &tokens) { return }
        let from = tokens.count
        compute(&tokens, &scratch)
        scratch.cache.insert(word, slot, tokens[from...])
    }
}

/// Working memory of the models, kept from word to word.
struct ModelScratch {
    var path: [ModelToken] = []
    var symbols: [SymbolMerging.Symbol] = []
    var queue: [SymbolMerging.Candidate] = []
    var bytes: [UInt8] = []
    var cache = WordCache()
}

/// The tokens of words seen before. When it is full it starts again from nothing: simple, and bounded.
struct WordCache {
    static let longest = 48
    private static let slotCount = 1 << 15

    private struct Slot {
        var hash: UInt64 = 0
        var start: UInt32 = 0
        var firstToken: UInt32 = 0
        var tokenCount: UInt16 = 0
        var length: UInt8 = 0
        var isUsed = false
    }
    private var slots: [Slot] = []
    private var words: [UInt8] = []
    private var tokens: [ModelToken] = []
    private var count = 0

    mutating func reset() {
        slots = []
        words = []
        tokens = []
        count = 0
    }

    /// Where the word is, or where it belongs.
    @inline(__always)
    mutating func find(_ word: UnsafeBufferPointer<UInt8>) -> (slot: Int, hash: UInt64) {
        if slots.isEmpty { slots = Array(repeating: Slot(), count: Self.slotCount) }
        var hash = Vocabulary.seed
        for byte in word { hash = Vocabulary.carry(hash, byte) }
        hash ^= hash >> 31
        var slot = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
        while slots[slot].isUsed {
            if slots[slot].hash == hash, Int(slots[slot].length) == word.count {
                let start = Int(slots[slot].start)
                if words.withUnsafeBufferPointer({ words in word.indices.allSatisfy { words[start + $0] == word[$0] } }) { break }
            }
            slot = (slot + 1) & (Self.slotCount - 1)
        }
        return (slot, hash)
    }

    @inline(__always)
    func append(_ found: (slot: Int, hash: UInt64), to result: inout [ModelToken]) -> Bool {
        let slot = slots[found.slot]
        guard slot.isUsed else { return false }
        let first = Int(slot.firstToken)
        for i in first..<first + Int(slot.tokenCount) { result.append(tokens[i]) }
        return true
    }

    mutating func insert(_ word: UnsafeBufferPointer<UInt8>, _ found: (slot: Int, hash: UInt64), _ result: ArraySlice<ModelToken>) {
        guard result.count <= Int(UInt16.max) else { return }
        if count >= Self.slotCount / 2 {
            reset()
            return
        }
        slots[found.slot] = Slot(
            hash: found.hash, start: UInt32(words.count), firstToken: UInt32(tokens.count),
            tokenCount: UInt16(result.count), length: UInt8(word.count), isUsed: true)
        words.append(contentsOf: word)
        tokens.append(contentsOf: result)
        count += 1
    }
}

/// Whole words only.
struct WordLevel: Sendable {
    let vocabulary: Vocabulary
    let unknownID: Int32

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken]) {
        let id = vocabulary.id(of: word)
        if id >= 0 || unknownID >= 0 { tokens.append(ModelToken(id: id >= 0 ? id : unknownID, start: 0, end: word.count)) }
    }
}

/// Each character of a word is a token: the `character` subwords of BertJapaneseTokenizer.
struct CharacterSubwords: Sendable {
    let vocabulary: Vocabulary
    let unknownID: Int32

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken]) {
        // The reference normalizes each word once more, which matters only for what lower-casing left unnormalized.
        let normal = UnicodeNormalization.python(Array(word), form: .nfkc)
        let isUnchanged = normal.elementsEqual(word)
        normal.withUnsafeBufferPointer { text in
            var i = 0
            while i < text.count {
                let length = UTF8Scalars.decode(text, at: i).length
                let id = vocabulary.id(of: UnsafeBufferPointer(rebasing: text[i..<i + length]))
                tokens.append(
                    ModelToken(
                        id: id >= 0 ? id : unknownID, start: isUnchanged ? i : 0,
                        end: isUnchanged ? i + length : word.count))
                i += length
            }
        }
    }
}
