import FileFormats

/// The steps that rewrite text before it is split, as `tokenizer.json` names them.
indirect enum Normalizer: Sendable {
    case bert(BertNormalizer)
    case form(UnicodeNormalization.Form)
    case lowercase
    case strip(left: Bool, right: Bool)
    case stripAccents
    case prepend([UInt32])
    case replace(TextPattern, [UInt8])
    case precompiled(PrecompiledCharacterMap)
    case nmt
    case byteLevel
    case sentencePiece(SentencePieceNormalizer)
    /// A normal form by Python's tables.
    case python(UnicodeNormalization.Form)
    case sequence([Normalizer])

    func normalize(_ text: inout NormalizedText) {
        switch self {
        case .bert(let normalizer): normalizer.normalize(&text)
        case .form(let form): text.normalize(form)
        case .lowercase: text.lowercase()
        case .strip(let left, let right): text.strip(left: left, right: right)
        case .stripAccents: text.filter { !ScalarProperties($0).flags.contains(.combiningMark) }
        case .prepend(let prefix): text.prepend(prefix)
        case .replace(let pattern, let content): text.replace(pattern, with: content)
        case .precompiled(let map): map.normalize(&text)
        case .nmt: Self.normalizeNMT(&text)
        case .byteLevel: Self.normalizeByteLevel(&text)
        case .sentencePiece(let normalizer): normalizer.normalize(&text)
        case .python(let form): if !text.isASCII { text.apply(UnicodeNormalization.edits(of: text, form: form, source: .python)) }
        case .sequence(let steps): for step in steps { step.normalize(&text) }
        }
    }

    /// The clean-up of SentencePiece's `nmt` rules.
    private static func normalizeNMT(_ text: inout NormalizedText) {
        text.filter { c in
            !((0x01...0x08).contains(c) || c == 0x0B || (0x0E...0x1F).contains(c) || c == 0x7F || c == 0x8F || c == 0x9F)
        }
        text.map { c in
            switch c {
            case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: 0x20
            default: c
            }
        }
    }

    /// Each byte becomes the visible character that stands for it (GPT-2).
    private static func normalizeByteLevel(_ text: inout NormalizedText) {
        guard !text.bytes.isEmpty else { return }
        var edits = Edits()
        for byte in text.bytes { edits.append(ByteLevelAlphabet.scalar(byte), byte & 0xC0 == 0x80 ? 1 : 0) }
        text.apply(edits)
    }
}

/// The visible characters that stand for the 256 bytes in byte-level vocabularies (Radford et al. 2019): printable ones for
/// themselves, the others from U+0100 on.
enum ByteLevelAlphabet {
    private static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte) { return byte }
            defer { next += 1 }
            return next
        }
    }()
    private static let bytes = Dictionary(uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })
    /// Two UTF-8 bytes for each byte, the second 0 where one is enough.
    static let utf8: [(UInt8, UInt8)] = scalars.map { $0 < 0x80 ? (UInt8($0), 0) : (UInt8(0xC0 | $0 >> 6), UInt8(0x80 | $0 & 0x3F)) }

    static func scalar(_ byte: UInt8) -> UInt32 { scalars[Int(byte)] }
    static func byte(_ scalar: UInt32) -> UInt8? { bytes[scalar] }
}

/// BERT's cleaning: control characters go, white space becomes spaces, ideographs stand alone, accents go, lower case.
struct BertNormalizer: Sendable {
    var cleansText: Bool
    var separatesIdeographs: Bool
    var stripsAccents: Bool
    var lowercases: Bool

    /// Whether cleaning removes the scalar.
    @inline(__always)
    static func isRemoved(_ c: UInt32) -> Bool {
        if c < 0x80 { return c < 0x20 ? c != 9 && c != 10 && c != 13 : c == 0x7F }
        return c == 0xFFFD || ScalarProperties(c).flags.contains(.other)
    }

    func normalize(_ text: inout NormalizedText) {
        if cleansText {
            text.filter { !Self.isRemoved($0) }
            text.map { ScalarProperties($0).flags.contains(.whitespace) ? 0x20 : $0 }
        }
        if separatesIdeographs {
            var edits = Edits()
            var separatesAny = false
            text.forEachScalar { c in
                if isBertIdeograph(c) {
                    edits.append(0x20, 0)
                    edits.append(c, 1)
                    edits.append(0x20, 1)
                    separatesAny = true
                } else {
                    edits.append(c, 0)
                }
            }
            if separatesAny { text.apply(edits) }
        }
        if stripsAccents {
            text.normalize(.nfd)
            text.filter { !ScalarProperties($0).flags.contains(.nonspacingMark) }
        }
        if lowercases { text.lowercase() }
    }
}
