/// Cuts running text into sentences by its punctuation: Japanese and Chinese full stops, Latin ones followed by a space, and line ends.
///
/// A full stop inside brackets (「はい。」と言った) ends nothing, neither does the one of an abbreviation (`Dr. Smith`), an initial (`J. Doe`) or
/// a number (`3.14`). White space at both ends of a sentence belongs to none.
package enum SentenceSplitter {
    /// The sentences in their order, none of them empty.
    ///
    /// - Complexity: O(length of the text).
    package static func split(_ text: String) -> [Substring] {
        let characters = Array(text), places = Array(text.indices) + [text.endIndex]
        var sentences: [Substring] = []
        var start = 0, depth = 0, index = 0
        func finish(before end: Int) {
            var (first, last) = (start, end)
            while first < last, characters[first].isWhitespace { first += 1 }
            while last > first, characters[last - 1].isWhitespace { last -= 1 }
            if first < last { sentences.append(text[places[first]..<places[last]]) }
            start = end
        }
        while index < characters.count {
            let character = characters[index]
            index += 1
            if character.isNewline {
                // A bracket that stays open does not swallow the rest of the text.
                depth = 0
                finish(before: index)
            } else if opening.contains(character) {
                depth += 1
            } else if closing.contains(character) {
                depth = max(0, depth - 1)
            } else if depth == 0, wide.contains(character) || (narrow.contains(character) && endsSentence(characters, at: index - 1)) {
                while index < characters.count, wide.contains(characters[index]) || narrow.contains(characters[index]) { index += 1 }
                while index < characters.count, closing.contains(characters[index]) || quotes.contains(characters[index]) { index += 1 }
                finish(before: index)
            }
            // 「はい。」 ends a sentence where no particle takes it up.
            if depth == 0, closing.contains(character), index >= 2, wide.contains(characters[index - 2]), !isTakenUp(characters, at: index)
            {
                finish(before: index)
            }
        }
        finish(before: characters.count)
        return sentences
    }

    private static let wide: Set<Character> = ["。", "！", "？", "．", "｡", "‼", "⁇", "⁈", "⁉"]
    private static let narrow: Set<Character> = [".", "!", "?"]
    private static let opening: Set<Character> = ["「", "『", "（", "【", "〈", "《", "〔", "｢"]
    private static let closing: Set<Character> = ["」", "』", "）", "】", "〉", "》", "〕", "｣"]
    private static let quotes: Set<Character> = ["\"", "'", "”", "’", ")", "]"]
    /// What goes on with a quotation: 「はい。」と, 「はい。」って, 「はい。」の.
    private static let particles: Set<Character> = ["と", "っ", "な", "の", "が", "を", "は", "に", "も", "で", "、", "，", "や", "か", "じ", "だ"]
    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "st", "fig", "figs", "vol", "cf", "vs", "e.g", "i.e", "eds", "pp", "dept", "approx", "gen", "rev",
        "sen", "rep", "capt", "lt", "col",
    ]

    private static func isTakenUp(_ characters: [Character], at index: Int) -> Bool {
        index < characters.count && (particles.contains(characters[index]) || closing.contains(characters[index]))
    }

    /// Whether a Latin mark ends a sentence: white space or the end follows, and it belongs to no abbreviation.
    private static func endsSentence(_ characters: [Character], at place: Int) -> Bool {
        var next = place + 1
        while next < characters.count,
            narrow.contains(characters[next]) || quotes.contains(characters[next]) || closing.contains(characters[next])
        { next += 1 }
        guard next < characters.count else { return true }
        guard characters[next].isWhitespace else { return false }
        while next < characters.count, characters[next].isWhitespace, !characters[next].isNewline { next += 1 }
        guard next < characters.count, !characters[next].isNewline else { return true }
        guard characters[place] == "." else { return !characters[next].isLowercase }
        guard !characters[next].isLowercase else { return false }
        var first = place
        while first > 0, characters[first - 1].isLetter || characters[first - 1] == "." { first -= 1 }
        let word = String(characters[first..<place])
        if word.count == 1, word.first?.isUppercase == true, word != "I" { return false }
        if word.lowercased() == "no" { return !characters[next].isNumber }
        return !abbreviations.contains(word.lowercased())
    }
}
