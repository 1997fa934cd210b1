import FileFormats

/// How the vectors of a word's pieces become the word's.
public enum PieceMerging: String, Sendable, CaseIterable {
    case mean, first, last
}

/// What an encoder reads for a sentence of a treebank.
package enum WordText: String, Sendable, CaseIterable {
    /// The sentence as it is written.
    case written
    /// Its words with one space between them.
    case spaced

    package func text(of sentence: TreebankSentence) -> TreebankText {
        switch self {
        case .written: sentence.written()
        case .spaced: sentence.spaced()
        }
    }
}

/// Which of a tokenizer's pieces make each word, found by their places in the text.
package struct WordAlignment: Sendable, Equatable {
    /// For each word its tokens, as places in the encoding. A piece that crosses a boundary between words belongs to each of them.
    package var tokens: [Range<Int>]
    /// Pieces that cross a boundary between words.
    package var crossingPieces = 0
    /// Words without a piece of their own (the tokenizer drops their characters); they take the piece before, or the one after.
    package var bareWords = 0

    /// - Parameters:
    ///   - words: ranges of UTF-8 in the text; equal ranges are words of one written token.
    ///   - offsets: for each token of the encoding its range in the text.
    ///   - special: for each token whether it was added and stands for no text.
    package init(words: [Range<Int>], offsets: [Range<Int>], special: [Bool]) {
        let pieces = offsets.indices.filter { !special[$0] && !offsets[$0].isEmpty }
        tokens = []
        var owners = [Int](repeating: 0, count: offsets.count)
        var start = 0
        var previous: Range<Int>?
        for word in words {
            // Words come in the order of the text, so earlier pieces need no second look.
            while start < pieces.count, offsets[pieces[start]].upperBound <= word.lowerBound { start += 1 }
            var end = start
            while end < pieces.count, offsets[pieces[end]].lowerBound < word.upperBound { end += 1 }
            if start < end {
                let range = pieces[start]..<pieces[end - 1] + 1
                if word != previous { for token in range { owners[token] += 1 } }
                tokens.append(range)
            } else {
                let near = start > 0 ? pieces[start - 1] : pieces.first ?? 0
                bareWords += 1
                tokens.append(offsets.isEmpty ? 0..<0 : near..<near + 1)
            }
            previous = word
        }
        crossingPieces = owners.count { $0 > 1 }
    }

    package init(_ text: TreebankText, _ encoding: Encoding) {
        self.init(words: text.ranges, offsets: encoding.offsets, special: encoding.specialTokensMask.map { $0 == 1 })
    }
}
