extension JSON {
    /// How a value is written.
    public struct Style: OptionSet, Sendable {
        /// The options as bits.
        public let rawValue: Int
        /// Options from bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// One member a line, two spaces a level.
        package static let pretty = Style(rawValue: 1)
        /// Members in the order of their keys' UTF-8 bytes instead of their own.
        package static let sortedKeys = Style(rawValue: 2)
        /// `<`, `>`, `&`, U+2028 and U+2029 as escapes, so that the text may stand inside a `<script>` element.
        package static let safeInHTML = Style(rawValue: 4)
    }

    /// The value as JSON text: numbers read back to the same bits; NaN and infinities, which JSON lacks, become `null`.
    public func serialized(_ style: Style = []) -> String {
        var bytes: [UInt8] = []
        write(to: &bytes, style: style)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the value's UTF-8 text.
    public func write(to bytes: inout [UInt8], style: Style = []) { write(to: &bytes, style: style, level: 0) }

    private func write(to bytes: inout [UInt8], style: Style, level: Int) {
        func newLine(_ level: Int) {
            guard style.contains(.pretty) else { return }
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
        }
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): bytes.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): Self.write(value, to: &bytes, style: style)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                newLine(level + 1)
                element.write(to: &bytes, style: style, level: level + 1)
            }
            if !elements.isEmpty { newLine(level) }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            let ordered = style.contains(.sortedKeys) ? members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : members
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in ordered.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                newLine(level + 1)
                Self.write(member.key, to: &bytes, style: style)
                bytes.append(UInt8(ascii: ":"))
                if style.contains(.pretty) { bytes.append(UInt8(ascii: " ")) }
                member.value.write(to: &bytes, style: style, level: level + 1)
            }
            if !members.isEmpty { newLine(level) }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8], style: Style) {
        let digits = Array("0123456789abcdef".utf8)
        let isForHTML = style.contains(.safeInHTML)
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var index = 0
            while index < utf8.count {
                let byte = utf8[index]
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
                case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
                case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
                case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
                case 0..<0x20, 0x7F:
                    bytes.append(contentsOf: "\\u00".utf8)
                    bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                    if isForHTML {
                        bytes.append(contentsOf: "\\u00".utf8)
                        bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                    } else {
                        bytes.append(byte)
                    }
                case 0xE2 where isForHTML && index + 2 < utf8.count && utf8[index + 1] == 0x80 && utf8[index + 2] & 0xFE == 0xA8:
                    bytes.append(contentsOf: (utf8[index + 2] == 0xA8 ? "\\u2028" : "\\u2029").utf8)
                    index += 2
                default: bytes.append(byte)
                }
                index += 1
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
