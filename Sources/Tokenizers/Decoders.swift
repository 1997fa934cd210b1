/// The way from tokens back to text, as `tokenizer.json` names it.
indirect enum Decoder: Sendable {
    case wordPiece(prefix: String, cleansUp: Bool)
    case byteLevel
    case metaspace(replacement: Unicode.Scalar, dropsFirst: Bool)
    case bpe(suffix: String)
    case byteFallback
    case fuse
    case strip(Unicode.Scalar, start: Int, stop: Int)
    case replace(TextPattern, String)
    case ctc(pad: String, delimiter: String, cleansUp: Bool)
    case sequence([Decoder])

    func decode(_ tokens: [String]) -> [String] {
        switch self {
        case .wordPiece(let prefix, let cleansUp):
            return tokens.enumerated().map { i, token in
                var text = token
                if i > 0 {
                    text = token.hasBytePrefix(prefix) ? String(token.unicodeScalars.dropFirst(prefix.unicodeScalars.count)) : " " + token
                }
                return cleansUp ? Self.cleanUp(text) : text
            }
        case .byteLevel:
            var bytes: [UInt8] = []
            for token in tokens {
                let mapped = token.unicodeScalars.map { ByteLevelAlphabet.byte($0.value) }
                if mapped.contains(nil) { bytes += token.utf8 } else { bytes += mapped.compactMap { $0 } }
            }
            return [String(decoding: bytes, as: UTF8.self)]
        case .metaspace(let replacement, let dropsFirst):
            return tokens.enumerated().map { i, token in
                var text = String.UnicodeScalarView()
                for scalar in token.unicodeScalars {
                    if scalar != replacement { text.append(scalar) } else if i > 0 || !dropsFirst { text.append(" ") }
                }
                return String(text)
            }
        case .bpe(let suffix):
            return tokens.enumerated().map { i, token in token.replacing(suffix, by: i == tokens.count - 1 ? "" : " ") }
        case .byteFallback: return Self.joinBytes(tokens)
        case .fuse: return [tokens.joined()]
        case .strip(let scalar, let start, let stop):
            return tokens.map { token in
                var scalars = Array(token.unicodeScalars)[...]
                var cut = 0
                while cut < start, scalars.first == scalar {
                    scalars.removeFirst()
                    cut += 1
                }
                cut = 0
                while cut < stop, scalars.last == scalar {
                    scalars.removeLast()
                    cut += 1
                }
                return String(String.UnicodeScalarView(scalars))
            }
        case .replace(let pattern, let content):
            return tokens.map { token in
                let bytes = Array(token.utf8)
                var matches: [PatternMatch] = []
                bytes.withUnsafeBufferPointer { pattern.appendMatches(in: $0, to: &matches) }
                return matches.reduce(into: "") { $0 += $1.isMatch ? content : String(decoding: bytes[$1.range], as: UTF8.self) }
            }
        case .ctc(let pad, let delimiter, let cleansUp):
            var result: [String] = []
            for (i, token) in tokens.enumerated() where i == 0 || tokens[i - 1] != token {
                var text = token.replacing(pad, by: "")
                if cleansUp { text = Self.cleanUp(text).replacing(delimiter, by: " ") }
                if !text.isEmpty { result.append(text) }
            }
            return result
        case .sequence(let steps): return steps.reduce(tokens) { $1.decode($0) }
        }
    }

    /// The spaces before punctuation and English contractions that WordPiece leaves.
    private static func cleanUp(_ text: String) -> String {
        [
            (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
            (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
        ].reduce(text) { $0.replacing($1.0, by: $1.1) }
    }

    /// Runs of `<0x..>` tokens become the characters that they spell, or a replacement character each.
    private static func joinBytes(_ tokens: [String]) -> [String] {
        var result: [String] = []
        var bytes: [UInt8] = []
        func flush() {
            guard !bytes.isEmpty else { return }
            if bytes.withUnsafeBufferPointer({ UTF8Scalars.isValid($0) }) {
                result.append(String(decoding: bytes, as: UTF8.self))
            } else {
                result += bytes.map { _ in "\u{FFFD}" }
            }
            bytes = []
        }
        for token in tokens {
            if let byte = byteFallbackValue(token) {
                bytes.append(byte)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }
}

/// The byte that a token such as `<0xE3>` stands for.
func byteFallbackValue(_ token: String) -> UInt8? {
    let utf8 = Array(token.utf8)
    guard utf8.count == 6, utf8.starts(with: Array("<0x".utf8)), utf8[5] == 0x3E else { return nil }
    return UInt8(String(decoding: utf8[3..<5], as: UTF8.self), radix: 16)
}

extension String {
    /// Prefix by bytes: `hasPrefix` compares by canonical equivalence, which no tokenizer means.
    func hasBytePrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Every occurrence of `old`, byte by byte, replaced.
    func replacing(_ old: String, by new: String) -> String {
        let wanted = Array(old.utf8)
        guard !wanted.isEmpty else { return self }
        let bytes = Array(utf8)
        var parts: [PatternMatch] = []
        bytes.withUnsafeBufferPointer { TextPattern.literal(wanted).appendMatches(in: $0, to: &parts) }
        guard parts.contains(where: \.isMatch) else { return self }
        var result: [UInt8] = []
        for part in parts { if part.isMatch { result += new.utf8 } else { result += bytes[part.range] } }
        return String(decoding: result, as: UTF8.self)
    }
}
