/// Detects the encoding of a text.
///
/// A byte-order mark decides. Well-formed UTF-8 is UTF-8 (unless it is all seven-bit and switches to Japanese by escapes). The rest is
/// Japanese of a legacy encoding only where every byte decodes and what comes out looks like Japanese: kana and kanji beside one another,
/// hardly any half-width kana, which Latin letters with accents turn into. Otherwise nothing is guessed; the error names what would fit.
struct TextEncodingDetection {
    var encoding: TextEncoding
    /// False if a mark or plain UTF-8 left nothing to guess.
    var isGuess = false

    /// Looks through all of a file, or at the first block of standard input. `blocks` starts from the beginning at every call.
    init(name: String, blocks: (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void, isWhole: Bool) throws {
        var look = UTF8Look()
        try blocks { look.take($0) }
        if isWhole { look.finish() }
        if let mark = look.mark {
            encoding = mark
            return
        }
        if look.firstBadLine == nil {
            encoding = .utf8
            if look.hasJapaneseEscape, !look.hasHighBytes, try Self.plausibility(.iso2022JP, blocks, isWhole: isWhole) != nil {
                encoding = .iso2022JP
                isGuess = true
            }
            return
        }
        let candidates: [TextEncoding] = [.cp932, .eucJP]
        let judged = try candidates.compactMap { candidate in
            try Self.plausibility(candidate, blocks, isWhole: isWhole).map { (encoding: candidate, share: $0) }
        }
        if let best = judged.max(by: { $0.share < $1.share }), best.share >= 0.7 {
            encoding = best.encoding
            isGuess = true
            return
        }
        throw Self.error(name: name, line: look.firstBadLine ?? 1, fitting: judged.map(\.encoding), look: look)
    }

    /// What to say of bytes that are not UTF-8.
    static func error(name: String, line: Int, fitting: [TextEncoding], look: UTF8Look?) -> DataError {
        let names: [String]
        if let look, look.looksLikeUTF16 { names = ["utf-16"] } else { names = fitting.map(\.rawValue) + ["latin-1"] }
        return DataError(
            .badData,
            "this line is not valid UTF-8. Its bytes fit \(names.joined(separator: " or ")): try \(Setting.encoding) \(names[0]), or "
                + "\(Setting.lossy) to replace invalid bytes",
            file: name, line: line)
    }

    /// The error for a text that turns out not to be UTF-8 only while it is read.
    static func error(inPart bytes: UnsafeRawBufferPointer, name: String, line: Int) -> DataError {
        let judged = [TextEncoding.cp932, .eucJP].filter { candidate in
            ((try? plausibility(candidate, { try $0(bytes) }, isWhole: false)) ?? nil) != nil
        }
        var look = UTF8Look()
        look.take(bytes)
        return error(name: name, line: line, fitting: judged, look: look)
    }

    /// The share of non-ASCII characters that look like Japanese text, nil if some bytes do not decode.
    private static func plausibility(
        _ encoding: TextEncoding, _ blocks: (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void, isWhole: Bool
    ) throws -> Double? {
        struct Undecodable: Error {}
        let transcoder = try TextTranscoder(from: encoding, isLossy: false)
        var look = JapaneseLook()
        do {
            try blocks { block in
                var text: [UInt8] = []
                do { try transcoder.convert(block, isLast: false, into: &text) } catch { throw Undecodable() }
                look.take(text)
            }
            if isWhole {
                var text: [UInt8] = []
                do { try transcoder.convert(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, into: &text) } catch {
                    throw Undecodable()
                }
            }
        } catch is Undecodable {
            return nil
        }
        return look.share
    }
}

/// Looks at bytes as if they were UTF-8.
struct UTF8Look {
    private(set) var mark: TextEncoding?
    private(set) var firstBadLine: Int?
    private(set) var hasJapaneseEscape = false
    private(set) var hasHighBytes = false
    private var zeros = 0
    private var count = 0
    private var lines = 0
    private var tail: [UInt8] = []

    /// Every second byte of ASCII text is zero in UTF-16; of Japanese still the line ends and spaces.
    var looksLikeUTF16: Bool { zeros > 0 && zeros * 50 >= count }

    mutating func take(_ block: UnsafeRawBufferPointer) {
        if count == 0 { mark = TextEncoding.mark(of: block)?.encoding }
        count += block.count
        if mark != nil || (firstBadLine != nil && zeros > 0) { return }
        if !hasHighBytes { hasHighBytes = block.contains { $0 >= 0x80 } }
        zeros += block.count { $0 == 0 }
        guard firstBadLine == nil else { return }
        if !hasHighBytes, !hasJapaneseEscape {
            for index in block.indices.dropLast(2) where block[index] == 0x1B && block[index + 1] == UInt8(ascii: "$") {
                hasJapaneseEscape = block[index + 2] == UInt8(ascii: "B") || block[index + 2] == UInt8(ascii: "@")
                if hasJapaneseEscape { break }
            }
        }
        let joined = tail.isEmpty ? nil : tail + block
        if let joined { joined.withUnsafeBytes { validate($0) } } else { validate(block) }
    }

    private mutating func validate(_ block: UnsafeRawBufferPointer) {
        let incomplete = UTF8Text.incompleteTail(block)
        let whole = UnsafeRawBufferPointer(rebasing: block[..<(block.count - incomplete)])
        if let bad = UTF8Text.firstInvalid(whole) {
            firstBadLine = lines + 1 + whole[..<bad].count { $0 == UInt8(ascii: "\n") }
        }
        lines += whole.count { $0 == UInt8(ascii: "\n") }
        tail = Array(block[(block.count - incomplete)...])
    }

    /// The end: a character that was begun is one too few bytes.
    mutating func finish() {
        if mark == nil, firstBadLine == nil, !tail.isEmpty { firstBadLine = lines + 1 }
    }
}

/// Counts how Japanese a text looks.
private struct JapaneseLook {
    private var others = 0
    private var japanese = 0
    private var halfWidthKana = 0
    /// The characters of the present run, none of which is counted before it has a neighbour.
    private var run = 0

    mutating func take(_ utf8: [UInt8]) {
        for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0..<0x80: endRun()
            // Kana, punctuation, kanji, compatibility forms, full-width letters.
            case 0x3000...0x30FF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF01...0xFF60, 0x2460...0x2473, 0x3220...0x33FF: run += 1
            case 0xFF61...0xFF9F:
                endRun()
                halfWidthKana += 1
            default:
                endRun()
                others += 1
            }
        }
        endRun()
    }

    private mutating func endRun() {
        if run > 1 { japanese += run } else { others += run }
        run = 0
    }

    var share: Double {
        let all = others + japanese + halfWidthKana
        return all == 0 ? 0 : (Double(japanese) + 0.25 * Double(halfWidthKana)) / Double(all)
    }
}
