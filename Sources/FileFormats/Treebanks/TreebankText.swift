/// The running text of a sentence and where its words lie in it.
public struct TreebankText: Sendable, Equatable {
    /// The running text.
    public var text: String
    /// For each word its range in the UTF-8 of `text`. Words of one written token that cannot be told apart (French `au` = `à` + `le`)
    /// all have the token's range.
    package var ranges: [Range<Int>]
    /// Words that share their range with another.
    package var sharedWords: Int
    /// False if `# text` is missing or does not spell the words, so that the text was put together from them.
    package var isOriginal: Bool

    package init(text: String, ranges: [Range<Int>], sharedWords: Int = 0, isOriginal: Bool = true) {
        (self.text, self.ranges, self.sharedWords, self.isOriginal) = (text, ranges, sharedWords, isOriginal)
    }
}

extension TreebankSentence {
    /// The written tokens: each its form and its words.
    private var tokens: [(form: String, words: Range<Int>, hasSpaceAfter: Bool)] {
        var tokens: [(form: String, words: Range<Int>, hasSpaceAfter: Bool)] = []
        var spans = multiwordTokens[...]
        var word = 0
        while word < words.count {
            if let span = spans.first, span.words.lowerBound == word + 1 {
                tokens.append((span.form, word..<span.words.upperBound, span.hasSpaceAfter))
                spans = spans.dropFirst()
                word = span.words.upperBound
            } else {
                tokens.append((words[word].form, word..<word + 1, words[word].hasSpaceAfter))
                word += 1
            }
        }
        return tokens
    }

    /// The text as written (`# text`), or put together from the words and `SpaceAfter=No` where that is missing or differs.
    public func written() -> TreebankText {
        let tokens = self.tokens
        if let text, let ranges = Self.places(of: tokens.map { Array($0.form.utf8) }, in: Array(text.utf8)) {
            return spread(tokens.map(\.words), ranges, text: text, isOriginal: true)
        }
        var joined: [UInt8] = []
        var ranges: [Range<Int>] = []
        for (index, token) in tokens.enumerated() {
            let start = joined.count
            joined += token.form.utf8
            ranges.append(start..<joined.count)
            if token.hasSpaceAfter && index < tokens.count - 1 { joined.append(UInt8(ascii: " ")) }
        }
        return spread(tokens.map(\.words), ranges, text: String(decoding: joined, as: UTF8.self), isOriginal: false)
    }

    /// The words with one space between them, for encoders that were probed on such text.
    package func spaced() -> TreebankText {
        var joined: [UInt8] = []
        let ranges = words.map { word in
            if !joined.isEmpty { joined.append(UInt8(ascii: " ")) }
            let start = joined.count
            joined += word.form.utf8
            return start..<joined.count
        }
        return TreebankText(text: String(decoding: joined, as: UTF8.self), ranges: ranges, sharedWords: 0, isOriginal: false)
    }

    /// Where the forms are in the text, in order with nothing but white space between them; nil if they do not.
    private static func places(of forms: [[UInt8]], in text: [UInt8]) -> [Range<Int>]? {
        func spaceLength(_ index: Int) -> Int {
            switch text[index] {
            case 0x20, 0x09, 0x0D: 1
            case 0xC2 where index + 1 < text.count && text[index + 1] == 0xA0: 2  // U+00A0
            case 0xE3 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] == 0x80: 3  // U+3000
            default: 0
            }
        }
        var position = 0
        var ranges: [Range<Int>] = []
        for form in forms {
            while true {
                if text[position...].starts(with: form) { break }
                guard position < text.count, case let length = spaceLength(position), length > 0 else { return nil }
                position += length
            }
            ranges.append(position..<position + form.count)
            position += form.count
        }
        while position < text.count {
            let length = spaceLength(position)
            guard length > 0 else { return nil }
            position += length
        }
        return ranges
    }

    /// Gives every word its part of its token.
    private func spread(_ tokens: [Range<Int>], _ places: [Range<Int>], text: String, isOriginal: Bool) -> TreebankText {
        var result = TreebankText(text: text, ranges: [], sharedWords: 0, isOriginal: isOriginal)
        for (members, place) in zip(tokens, places) {
            let lengths = members.map { words[$0].form.utf8.count }
            let spelled = members.flatMap { Array(words[$0].form.utf8) }
            if spelled.elementsEqual(text.utf8.dropFirst(place.lowerBound).prefix(place.count)) {
                var start = place.lowerBound
                for length in lengths {
                    result.ranges.append(start..<start + length)
                    start += length
                }
            } else {
                result.ranges += Array(repeating: place, count: members.count)
                result.sharedWords += members.count
            }
        }
        return result
    }
}
