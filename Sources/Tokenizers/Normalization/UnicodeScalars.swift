import CUnicodeTables

/// What the reference tokenizers know of a Unicode scalar. Never Foundation's or Swift's own tables: those belong to another
/// release of the standard, and a letter that is new to one side would tokenize differently.
struct ScalarProperties: Sendable {
    private let record: kn_unicode_record

    @inline(__always)
    init(_ scalar: UInt32) {
        record = scalar < 0x110000 ? kn_record(scalar).pointee : kn_record(0).pointee
    }

    /// Hugging Face tokenizers' view; the bit order is that of tools/unicode/generate_tables.py.
    struct Flags: OptionSet {
        let rawValue: UInt16
        static let whitespace = Flags(rawValue: 1 << 0)
        /// Cc, Cf and Co as `BertNormalizer` removes them.
        static let other = Flags(rawValue: 1 << 1)
        static let punctuation = Flags(rawValue: 1 << 2)
        static let nonspacingMark = Flags(rawValue: 1 << 3)
        static let combiningMark = Flags(rawValue: 1 << 4)
        static let numeric = Flags(rawValue: 1 << 5)
        /// `\w` of Rust's regular expressions.
        static let word = Flags(rawValue: 1 << 6)
        /// `\p{L}`, `\p{N}`, `\s` and `\w` of the reference's Oniguruma.
        static let letter = Flags(rawValue: 1 << 7)
        static let number = Flags(rawValue: 1 << 8)
        static let patternSpace = Flags(rawValue: 1 << 9)
        static let patternWord = Flags(rawValue: 1 << 10)
        static let pictographic = Flags(rawValue: 1 << 11)
        static let canonicalUnknown = Flags(rawValue: 1 << 12)
        static let compatibleUnknown = Flags(rawValue: 1 << 13)
    }

    /// Python's view, which BertJapaneseTokenizer follows.
    struct PythonFlags: OptionSet {
        let rawValue: UInt8
        static let space = PythonFlags(rawValue: 1 << 0)
        static let punctuation = PythonFlags(rawValue: 1 << 1)
        static let control = PythonFlags(rawValue: 1 << 2)
        static let nonspacingMark = PythonFlags(rawValue: 1 << 3)
        static let cased = PythonFlags(rawValue: 1 << 4)
        static let caseIgnorable = PythonFlags(rawValue: 1 << 5)
        static let lowercaseUnknown = PythonFlags(rawValue: 1 << 6)
    }

    var flags: Flags { Flags(rawValue: record.flags) }
    var pythonFlags: PythonFlags { PythonFlags(rawValue: record.pythonFlags) }
    var combiningClass: UInt8 { record.combiningClass }
    var pythonCombiningClass: UInt8 { record.pythonCombiningClass }
    /// A number for the script; 0 joins with every script.
    var script: UInt8 { record.script }
    var clusterBreak: UInt8 { record.cluster & 15 }
    var conjunctBreak: UInt8 { record.cluster >> 4 }
    /// General category as the reference's Oniguruma knows it, a place in `RegularExpression.categories`.
    var category: UInt8 { record.category }
}

/// The first scalar of the lowercase mapping. Only U+0130 has a second one, U+0307.
@inline(__always)
func lowercaseMapping(_ scalar: UInt32) -> UInt32 {
    scalar < 0x80 ? (scalar &- 65 < 26 ? scalar | 32 : scalar) : scalar < 0x110000 ? kn_lowercase(scalar) : scalar
}

/// The blocks that BERT separates character by character ("Chinese" in its sense: neither kana nor Hangul). The third
/// extension block begins where the reference's does.
@inline(__always)
func isBertIdeograph(_ c: UInt32) -> Bool {
    (0x4E00...0x9FFF).contains(c) || (0x3400...0x4DBF).contains(c) || (0xF900...0xFAFF).contains(c)
        || (0x20000...0x2A6DF).contains(c) || (0x2A700...0x2B73F).contains(c) || (0x2B740...0x2B81F).contains(c)
        || (0x2B920...0x2CEAF).contains(c) || (0x2F800...0x2FA1F).contains(c)
}
