import Foundation

/// Where a word is in a text.
package enum TargetWord {
    package struct Places: Sendable, Equatable {
        /// Ranges of UTF-8 where the word stands by itself.
        package var words: [Range<Int>]
        /// Ranges where it is part of a longer word: bank in banker, 橋 in 橋本.
        package var inside: [Range<Int>]
    }

    /// Finds a word without regard to case. It stands by itself where words of the text begin and end with it: in texts with spaces between
    /// words where neither a letter nor a digit touches it, in Japanese where MeCab cuts on both sides.
    ///
    /// - Throws: `DataError` if MeCab is needed and there is no dictionary.
    package static func places(of word: String, in text: String, cutter: WordCutter) throws -> Places {
        var found: [Range<Int>] = [], from = text.startIndex
        while !word.isEmpty, from < text.endIndex,
            let range = text.range(of: word, options: [.caseInsensitive, .literal], range: from..<text.endIndex)
        {
            let start = text.utf8.distance(from: text.startIndex, to: range.lowerBound)
            found.append(start..<start + text[range].utf8.count)
            from = range.upperBound
        }
        guard !found.isEmpty else { return Places(words: [], inside: []) }
        let cut = try cutter.cut(text), starts = Set(cut.words.map(\.lowerBound)), ends = Set(cut.words.map(\.upperBound))
        let utf8 = text.utf8
        func touches(_ range: Range<Int>) -> Bool {
            let lower = utf8.index(utf8.startIndex, offsetBy: range.lowerBound),
                upper = utf8.index(utf8.startIndex, offsetBy: range.upperBound)
            let before = lower > text.startIndex ? text[text.index(before: lower)] : " ", after = upper < text.endIndex ? text[upper] : " "
            return before.isLetter || before.isNumber || after.isLetter || after.isNumber
        }
        func isWord(_ range: Range<Int>) -> Bool {
            cut.isSpaced ? !touches(range) : starts.contains(range.lowerBound) && ends.contains(range.upperBound)
        }
        return Places(words: found.filter(isWord), inside: found.filter { !isWord($0) })
    }
}
