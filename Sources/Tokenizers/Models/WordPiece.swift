import FileFormats

/// WordPiece (Schuster and Nakajima 2012; BERT's form): the longest piece that is in the vocabulary, again and again; a word that
/// cannot be covered, or is too long, becomes the unknown token as a whole.
struct WordPiece: Sendable {
    let vocabulary: Vocabulary
    let unknownID: Int32
    let unknownToken: String
    let maxCharactersPerWord: Int
    let prefix: [UInt8]
    private let prefixHash: UInt64

    init(vocabulary: Vocabulary, unknownToken: String, prefix: String, maxCharactersPerWord: Int, file: String?) throws {
        guard let id = vocabulary.id(of: unknownToken) else {
            throw DataError(.badData, "WordPiece: the unknown token \(unknownToken.debugDescription) is not in the vocabulary", file: file)
        }
        self.vocabulary = vocabulary
        unknownID = id
        self.unknownToken = unknownToken
        self.prefix = Array(prefix.utf8)
        self.maxCharactersPerWord = maxCharactersPerWord
        prefixHash = self.prefix.reduce(Vocabulary.seed) { Vocabulary.carry($0, $1) }
    }

    /// Appends the pieces of one word with their places in it.
    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken]) {
        guard let base = word.baseAddress, !word.isEmpty else { return }
        var characters = 0
        for byte in word where byte & 0xC0 != 0x80 { characters += 1 }
        let before = tokens.count
        if characters <= maxCharactersPerWord {
            var start = 0
            while start < word.count {
                let (id, length) = longestPiece(base + start, word.count - start, continuing: start > 0)
                if id < 0 { break }
                tokens.append(ModelToken(id: id, start: start, end: start + length))
                start += length
            }
            if start == word.count { return }
        }
        tokens.removeSubrange(before...)
        tokens.append(ModelToken(id: unknownID, start: 0, end: word.count))
    }

    /// The longest piece at the beginning of the bytes: its id (−1 if none) and its length in bytes.
    @inline(__always)
    func longestPiece(_ bytes: UnsafePointer<UInt8>, _ count: Int, continuing: Bool) -> (Int32, Int) {
        prefix.withUnsafeBufferPointer { prefix in
            let head = continuing ? prefix : UnsafeBufferPointer(start: nil, count: 0)
            var hash = continuing ? prefixHash : Vocabulary.seed
            let limit = min(count, vocabulary.longest - head.count)
            var best: (Int32, Int) = (-1, 0)
            var i = 0
            while i < limit {
                hash = Vocabulary.carry(hash, bytes[i])
                i &+= 1
                // Only whole scalars are pieces.
                if i < count, bytes[i] & 0xC0 == 0x80 { continue }
                let id = vocabulary.id(hash: hash, head: head, bytes, i)
                if id >= 0 { best = (id, i) }
            }
            return best
        }
    }
}
