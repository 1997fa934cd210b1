/// A token that is looked for in the text itself, before or after normalization, and never split.
package struct AddedToken: Sendable, Equatable {
    package var id: Int32
    package var content: String
    /// Whether it stands for something other than text, such as `[MASK]`, and is left out when decoding.
    package var isSpecial: Bool
    /// Whether it is looked for in the normalized text (and in its own normalized form).
    package var isNormalized = false
    /// Whether it counts only where no word character touches it.
    package var isSingleWord = false
    /// Whether it takes white space on its left, on its right.
    package var stripsLeft = false
    package var stripsRight = false

    package init(id: Int32, content: String, isSpecial: Bool) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
    }
}

/// The added tokens of a tokenizer, ready to be found: leftmost, and of those the longest.
struct AddedTokens: Sendable {
    let tokens: [AddedToken]
    private let byID: [Int32: Int]
    /// By bytes: Swift's strings are equal where they only look alike.
    private let byContent: [[UInt8]: Int]
    /// The normalized form of tokens that have another.
    private let normalForms: [Int32: String]
    /// The patterns for the raw text and for the normalized text.
    let raw: Matcher
    let normalized: Matcher

    struct Matcher: Sendable {
        /// For each first byte the patterns that begin with it, longest first.
        private var patterns: [[(bytes: [UInt8], token: Int)]]
        let isEmpty: Bool
        let firstBytes: [Bool]

        init(_ all: [(bytes: [UInt8], token: Int)]) {
            patterns = Array(repeating: [], count: 256)
            for pattern in all {
                guard let first = pattern.bytes.first else { continue }
                patterns[Int(first)].append(pattern)
            }
            for i in patterns.indices { patterns[i].sort { $0.bytes.count > $1.bytes.count } }
            firstBytes = patterns.map { !$0.isEmpty }
            isEmpty = !firstBytes.contains(true)
        }

        /// The longest pattern at `position`.
        func match(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> (length: Int, token: Int)? {
            for (bytes, token) in patterns[Int(text[position])] where position + bytes.count <= text.count {
                if bytes.indices.allSatisfy({ text[position + $0] == bytes[$0] }) { return (bytes.count, token) }
            }
            return nil
        }
    }

    init(_ tokens: [AddedToken], normalizer: Normalizer?) {
        self.tokens = tokens
        byID = Dictionary(tokens.enumerated().map { ($1.id, $0) }) { $1 }
        byContent = Dictionary(tokens.enumerated().map { (Array($1.content.utf8), $0) }) { $1 }
        var raw: [(bytes: [UInt8], token: Int)] = []
        var normalized: [(bytes: [UInt8], token: Int)] = []
        var normalForms: [Int32: String] = [:]
        for (i, token) in tokens.enumerated() {
            let content = Array(token.content.utf8)
            guard token.isNormalized else {
                raw.append((content, i))
                continue
            }
            var text = content.withUnsafeBufferPointer { NormalizedText($0, tracksOffsets: true) }
            normalizer?.normalize(&text)
            normalized.append((text.bytes, i))
            if text.bytes != content { normalForms[token.id] = String(decoding: text.bytes, as: UTF8.self) }
        }
        self.normalForms = normalForms
        self.raw = Matcher(raw)
        self.normalized = Matcher(normalized)
    }

    func token(id: Int32) -> AddedToken? { byID[id].map { tokens[$0] } }
    /// What decoding works with: the normalized form, so that it can be taken back like any other text.
    func form(id: Int32) -> String? { token(id: id).map { normalForms[id] ?? $0.content } }
    func isSpecial(_ content: String) -> Bool { byContent[Array(content.utf8)].map { tokens[$0].isSpecial } ?? false }
    func id(of content: String) -> Int32? { byContent[Array(content.utf8)].map { tokens[$0].id } }

    /// The parts of a text: ranges, with the id of the added token that each is or −1.
    func parts(of text: UnsafeBufferPointer<UInt8>, _ matcher: Matcher) -> [(range: Range<Int>, id: Int32)] {
        guard !matcher.isEmpty, !text.isEmpty else { return [(0..<text.count, -1)] }
        var parts: [(range: Range<Int>, id: Int32)] = []
        var done = 0
        var i = 0
        while i < text.count {
            guard matcher.firstBytes[Int(text[i])], let found = matcher.match(in: text, at: i) else {
                i += 1
                continue
            }
            let token = tokens[found.token]
            var start = i
            var end = i + found.length
            i = end
            if token.isSingleWord {
                let wordBefore = start > 0 && Self.isWord(UTF8Scalars.decodeBackward(text, before: start).scalar)
                let wordAfter = end < text.count && Self.isWord(UTF8Scalars.decode(text, at: end).scalar)
                if wordBefore || wordAfter { continue }
            }
            if token.stripsLeft {
                while start > done {
                    let (scalar, length) = UTF8Scalars.decodeBackward(text, before: start)
                    guard ScalarProperties(scalar).flags.contains(.whitespace) else { break }
                    start -= length
                }
                start = max(start, done)
            }
            if token.stripsRight {
                while end < text.count {
                    let (scalar, length) = UTF8Scalars.decode(text, at: end)
                    guard ScalarProperties(scalar).flags.contains(.whitespace) else { break }
                    end += length
                }
            }
            if done < start { parts.append((done..<start, -1)) }
            parts.append((start..<max(start, end), token.id))
            done = end
        }
        if done != text.count, done < text.count { parts.append((done..<text.count, -1)) }
        return parts
    }

    private static func isWord(_ scalar: UInt32) -> Bool { ScalarProperties(scalar).flags.contains(.word) }
}
