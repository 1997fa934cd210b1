import FileFormats

/// Which pieces make the words of a treebank in a file of another program with one vector per word piece. How that program tokenized its
/// text is found
/// out from the number of vectors: as this tokenizer cuts the words with spaces between them, or each word alone through the tokenizer's
/// model, without splitting at punctuation, as the published BERT files of the structural probes have it.
package struct PieceAlignment: Sendable {
    /// For each sentence the pieces of each word, and how many there are with special tokens.
    package let sentences: [(words: [Range<Int>], count: Int)]

    /// - Parameter vectors: how many vectors a sentence of the file has.
    /// - Throws: `DataError` of the tokenizer or the file. If neither number fits, loading the vectors reports it.
    package init(_ treebank: Treebank, tokenizer: Tokenizer, vectors: (Int) throws -> Int) throws {
        let whole = try treebank.sentences.map { sentence in
            let text = sentence.spaced(), encoding = try tokenizer.encode(text.text)
            return (words: WordAlignment(text, encoding).tokens, count: encoding.count)
        }
        func fits(_ sentences: [(words: [Range<Int>], count: Int)]) throws -> Bool {
            try sentences.indices.allSatisfy { try sentences[$0].count == vectors($0) }
        }
        guard try !fits(whole) else {
            sentences = whole
            return
        }
        let special = tokenizer.addedTokenCount()
        let single = treebank.sentences.map { sentence in
            var next = special > 0 ? 1 : 0
            let words = sentence.words.map { word in
                let start = next
                next += tokenizer.tokenCount(ofWholeWord: word.form)
                return start..<next
            }
            return (words: words, count: next + max(special - 1, 0))
        }
        sentences = try fits(single) ? single : whole
    }
}
