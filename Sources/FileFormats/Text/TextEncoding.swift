/// The encodings in which people keep text.
public enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    case utf16LE = "utf-16le"
    case utf16BE = "utf-16be"
    case utf32LE = "utf-32le"
    case utf32BE = "utf-32be"
    /// Windows code page 932: Shift_JIS as Windows and Excel write it.
    case cp932
    case eucJP = "euc-jp"
    /// The seven-bit encoding of Japanese mail.
    case iso2022JP = "iso-2022-jp"
    case latin1 = "latin-1"
    case windows1252 = "windows-1252"

    /// The encoding of this name, upper or lower case, under its usual other names. `utf-16` and `utf-32` without an order of bytes are
    /// read as little-endian, which Windows writes; a byte-order mark overrules.
    package init?(name: String) {
        let plain = name.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }
        switch plain {
        case "utf8", "utf8sig": self = .utf8
        case "utf16", "utf16le", "unicode": self = .utf16LE
        case "utf16be": self = .utf16BE
        case "utf32", "utf32le": self = .utf32LE
        case "utf32be": self = .utf32BE
        case "cp932", "ms932", "shiftjis", "sjis", "windows31j", "ms_kanji", "mskanji", "xsjis": self = .cp932
        case "eucjp", "ujis", "eucjpms": self = .eucJP
        case "iso2022jp", "jis": self = .iso2022JP
        case "latin1", "iso88591": self = .latin1
        case "cp1252", "windows1252": self = .windows1252
        default: return nil
        }
    }

    /// What the C library's iconv calls it. The vendor's variants carry the characters that people use (①, ㈱, 髙).
    var iconvName: String {
        switch self {
        case .utf8: "UTF-8"
        case .utf16LE: "UTF-16LE"
        case .utf16BE: "UTF-16BE"
        case .utf32LE: "UTF-32LE"
        case .utf32BE: "UTF-32BE"
        case .cp932: "CP932"
        case .eucJP: "EUC-JP-MS"
        case .iso2022JP: "ISO-2022-JP"
        case .latin1: "ISO-8859-1"
        case .windows1252: "CP1252"
        }
    }

    /// The encoding that a byte-order mark at the beginning announces, and the mark's length.
    static func mark(of bytes: UnsafeRawBufferPointer) -> (encoding: TextEncoding, length: Int)? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if bytes.starts(with: [0xFF, 0xFE, 0x00, 0x00]) { return (.utf32LE, 4) }
        if bytes.starts(with: [0x00, 0x00, 0xFE, 0xFF]) { return (.utf32BE, 4) }
        if bytes.starts(with: [0xFF, 0xFE]) { return (.utf16LE, 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return (.utf16BE, 2) }
        return nil
    }
}
