import Glibc

/// Where a text stops being JSON, and why. simdjson says only that it does; this slow walk is made for the error message alone.
struct JSONFault {
    var offset: Int
    var message: String

    /// The first fault of the text, nil if none is found.
    init?(in text: UnsafeRawBufferPointer) {
        var scanner = Scanner(text: text)
        do {
            try scanner.document()
            return nil
        } catch {
            self = error.fault
        }
    }

    private init(offset: Int, message: String) {
        self.offset = offset
        self.message = message
    }

    private struct Found: Error { var fault: JSONFault }

    private struct Scanner {
        let text: UnsafeRawBufferPointer
        var index = 0
        /// The open brackets, innermost last.
        var open: [UInt8] = []

        init(text: UnsafeRawBufferPointer) { self.text = text }

        func fail(_ message: String, at offset: Int? = nil) -> Found {
            Found(fault: JSONFault(offset: offset ?? index, message: message))
        }

        /// What is at the present place, for the message.
        var found: String {
            guard index < text.count else { return "the end" }
            let byte = text[index]
            return byte >= 0x21 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
        }

        mutating func space() {
            while index < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { index += 1 }
        }

        mutating func document() throws(Found) {
            space()
            if index == text.count { throw fail("it is empty") }
            try value()
            while let bracket = open.last {
                space()
                let closing: UInt8 = bracket == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
                guard index < text.count else { throw fail("it ends inside \(bracket == UInt8(ascii: "{") ? "an object" : "an array")") }
                if text[index] == closing {
                    index += 1
                    open.removeLast()
                } else if text[index] == UInt8(ascii: ",") {
                    index += 1
                    space()
                    if bracket == UInt8(ascii: "{") { try key() }
                    try value()
                } else {
                    throw fail("expected ',' or '\(Character(Unicode.Scalar(closing)))', found \(found)")
                }
            }
            space()
            if index < text.count { throw fail("expected the end after the value, found \(found)") }
        }

        mutating func key() throws(Found) {
            guard index < text.count, text[index] == UInt8(ascii: "\"") else {
                throw fail("expected a key in quotation marks, found \(found)")
            }
            try string()
            space()
            guard index < text.count, text[index] == UInt8(ascii: ":") else { throw fail("expected ':' after the key, found \(found)") }
            index += 1
        }

        /// Reads a scalar, or opens brackets down to the first scalar in them; `document` closes them.
        mutating func value() throws(Found) {
            while true {
                space()
                guard index < text.count else { throw fail("expected a value, found the end") }
                switch text[index] {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    let bracket = text[index]
                    guard open.count < JSONParser.maximumDepth else {
                        throw fail("it is nested deeper than \(JSONParser.maximumDepth) levels")
                    }
                    index += 1
                    space()
                    if index < text.count, text[index] == bracket + 2 {
                        index += 1
                        return
                    }
                    open.append(bracket)
                    if bracket == UInt8(ascii: "{") { try key() }
                case UInt8(ascii: "\""): return try string()
                case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
                default:
                    for word in ["true", "false", "null", "NaN", "Infinity"] where text[index...].starts(with: word.utf8) {
                        index += word.utf8.count
                        return
                    }
                    throw fail("expected a value, found \(found)")
                }
            }
        }

        mutating func digits() throws(Found) {
            let start = index
            while index < text.count, text[index] &- UInt8(ascii: "0") < 10 { index += 1 }
            if index == start { throw fail("expected a digit, found \(found)") }
        }

        mutating func number() throws(Found) {
            let start = index
            if text[index] == UInt8(ascii: "-") {
                index += 1
                if text[index...].starts(with: "Infinity".utf8) {
                    index += 8
                    return
                }
            }
            let whole = index
            try digits()
            if index - whole > 1, text[whole] == UInt8(ascii: "0") { throw fail("a number may not begin with 0", at: start) }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                index += 1
                try digits()
            }
            if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
                index += 1
                if index < text.count, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") { index += 1 }
                try digits()
            }
            if let value = Double(String(decoding: text[start..<index], as: UTF8.self)), value.isInfinite {
                throw fail("the number is too large", at: start)
            }
        }

        mutating func string() throws(Found) {
            let start = index
            index += 1
            while index < text.count {
                let byte = text[index]
                switch byte {
                case UInt8(ascii: "\""):
                    if let bad = UTF8Text.firstInvalid(UnsafeRawBufferPointer(rebasing: text[start..<index])) {
                        throw fail("the string is not valid UTF-8", at: start + bad)
                    }
                    index += 1
                    return
                case 0..<0x20:
                    throw fail(
                        "a control character inside a string must be written as \\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
                case UInt8(ascii: "\\"): try escape()
                default: index += 1
                }
            }
            throw fail("the string that begins here does not end", at: start)
        }

        mutating func escape() throws(Found) {
            let start = index
            index += 1
            guard index < text.count else { throw fail("the text ends inside an escape") }
            if "\"\\/bfnrt".utf8.contains(text[index]) {
                index += 1
                return
            }
            guard let first = unit() else { throw fail("unknown escape", at: start) }
            switch first {
            case 0xD800..<0xDC00:
                index += text[index...].starts(with: "\\".utf8) ? 1 : 0
                guard let second = unit(), (0xDC00..<0xE000).contains(second) else { throw fail("half a surrogate pair", at: start) }
            case 0xDC00..<0xE000: throw fail("half a surrogate pair", at: start)
            default: break
            }
        }

        /// The four digits of `uXXXX`.
        mutating func unit() -> UInt32? {
            guard index + 5 <= text.count, text[index] == UInt8(ascii: "u") else { return nil }
            let digits = String(decoding: text[index + 1..<index + 5], as: UTF8.self)
            guard digits.utf8.allSatisfy({ isxdigit(Int32($0)) != 0 }), let value = UInt32(digits, radix: 16) else { return nil }
            index += 5
            return value
        }
    }
}
