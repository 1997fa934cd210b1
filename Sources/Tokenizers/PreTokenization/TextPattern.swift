/// A part of a text and whether it is a match of a pattern or what lies between matches.
struct PatternMatch: Equatable, Sendable {
    var start: Int
    var end: Int
    var isMatch: Bool
    var range: Range<Int> { start..<end }
}

/// What a pre-tokenizer or a normalizer looks for.
enum TextPattern: Sendable {
    case expression(RegularExpression)
    case literal([UInt8])
    /// Every single scalar that the predicate accepts is a match.
    case scalars(@Sendable (UInt32) -> Bool)
    /// A scanner of its own, which reports its matches in order.
    case scanner(@Sendable (UnsafeBufferPointer<UInt8>, (Int, Int) -> Void) -> Void)

    /// Appends parts that together cover `text`.
    func appendMatches(in text: UnsafeBufferPointer<UInt8>, to parts: inout [PatternMatch]) {
        if text.isEmpty {
            parts.append(PatternMatch(start: 0, end: 0, isMatch: false))
            return
        }
        var end = 0
        func found(_ start: Int, _ stop: Int) {
            if end < start { parts.append(PatternMatch(start: end, end: start, isMatch: false)) }
            parts.append(PatternMatch(start: start, end: stop, isMatch: true))
            end = stop
        }
        switch self {
        case .expression(let expression): expression.forEachMatch(in: text, found)
        case .scanner(let scan): scan(text, found)
        case .scalars(let accepts):
            var i = 0
            while i < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: i)
                if accepts(scalar) { found(i, i + length) }
                i += length
            }
        case .literal(let wanted):
            guard let first = wanted.first else { break }
            var i = 0
            while i + wanted.count <= text.count {
                if text[i] == first, wanted.indices.allSatisfy({ text[i + $0] == wanted[$0] }) {
                    found(i, i + wanted.count)
                    i += wanted.count
                } else {
                    i += 1
                }
            }
        }
        if end < text.count { parts.append(PatternMatch(start: end, end: text.count, isMatch: false)) }
    }
}
