/// The model of a tokenizer: a word in, tokens out.
enum TokenModel: Sendable {
    case wordPiece(WordPiece)
    case wordLevel(WordLevel)
    case characters(CharacterSubwords)

    var vocabulary: Vocabulary {
        switch self {
        case .wordPiece(let model): model.vocabulary
        case .wordLevel(let model): model.vocabulary
        case .characters(let model): model.vocabulary
        }
    }

    /// −1 where the model has no unknown token.
    var unknownID: Int32 {
        switch self {
        case .wordPiece(let model): model.unknownID
        case .wordLevel(let model): model.unknownID
        case .characters(let model): model.unknownID
        }
    }

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken], scratch: inout ModelScratch) {
        switch self {
        case .wordPiece(let model): model.appendTokens(of: word, to: &tokens)
        case .wordLevel(let model): model.appendTokens(of: word, to: &tokens)
        case .characters(let model): model.appendTokens(of: word, to: &tokens)
        }
    }
}

/// Working memory of the models, kept from word to word.
struct ModelScratch {
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
                tokens.append(ModelToken(id: id >= 0 ? id : unknownID, start: isUnchanged ? i : 0,
                                         end: isUnchanged ? i + length : word.count))
                i += length
            }
        }
    }
}
