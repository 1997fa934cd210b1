import CSimdJSON

/// Parses JSON documents one after the other in the same memory, as the lines of a JSON-lines file. simdjson does the work.
package final class JSONParser {
    /// Arrays and objects within one another; deeper documents are refused.
    package static let maximumDepth = 512

    private let parser: OpaquePointer

    package init() {
        guard let parser = ksj_parser_new() else { preconditionFailure("out of memory") }
        self.parser = parser
    }

    deinit { ksj_parser_free(parser) }

    /// Parses one document, as `JSON.init(parsing:file:line:)` does.
    /// - Parameter spellsOutNaN: Python's `NaN` and `Infinity` become texts instead of null, so that a configuration that holds one is
    ///   refused where a number is expected, and not read as if the key were missing.
    package func parse(_ bytes: UnsafeRawBufferPointer, file: String? = nil, line: Int? = nil, spellsOutNaN: Bool = false) throws -> JSON {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        // The tape and the values, at the least.
        try MemoryBudget.require(bytes.count.multipliedReportingOverflow(by: 6).partialValue, for: "this JSON", file: file, line: line)
        let text = bytes.starts(with: mark) ? UnsafeRawBufferPointer(rebasing: bytes[3...]) : bytes
        var error = run(text)
        if error != 0, let rewritten = Self.withoutPythonNumbers(text, spellsOut: spellsOutNaN) {
            error = rewritten.withUnsafeBytes { run($0) }
        }
        guard error == 0 else {
            let fault = JSONFault(in: text)
            let reason = fault?.message ?? String(cString: ksj_error_text(error))
            throw Self.error(reason, in: text, at: fault?.offset, file: file, line: line)
        }
        var walk = TapeWalk(tape: ksj_tape(parser), strings: ksj_strings(parser))
        guard let value = walk.value(depth: 0) else {
            throw Self.error(
                "it is nested deeper than \(Self.maximumDepth) levels", in: text, at: JSONFault(in: text)?.offset, file: file, line: line)
        }
        return value
    }

    private func run(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard bytes.count > 0, let start = bytes.baseAddress else { return ksj_parse(parser, [], 0) }
        return ksj_parse(parser, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    private static func error(
        _ reason: String, in text: UnsafeRawBufferPointer, at offset: Int?, file: String?, line: Int?
    ) -> DataError {
        guard let offset else { return DataError(.badData, "invalid JSON: \(reason)", file: file, line: line) }
        let before = text[..<min(offset, text.count)]
        let lines = before.count { $0 == UInt8(ascii: "\n") }
        return DataError(.badData, "invalid JSON: \(reason) (byte \(offset))", file: file, line: line ?? lines + 1)
    }

    /// Python writes and reads whole numbers beyond 64 bits, NaN and Infinity; simdjson refuses them, and so does the standard the
    /// last two. The first pass as decimals, the others as null. Nil if the text has none.
    private static func withoutPythonNumbers(_ text: UnsafeRawBufferPointer, spellsOut: Bool) -> [UInt8]? {
        var result: [UInt8] = []
        var copied = 0, index = 0
        func isDigit(_ index: Int) -> Bool { index < text.count && text[index] &- UInt8(ascii: "0") < 10 }
        func digits(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                while index < text.count, text[index] != UInt8(ascii: "\"") { index += text[index] == UInt8(ascii: "\\") ? 2 : 1 }
                index += 1
            } else if isDigit(index) || byte == UInt8(ascii: "-") {
                let start = index
                index += 1
                while isDigit(index) { index += 1 }
                let whole = index
                while isDigit(index) || (index < text.count && ".eE+-".utf8.contains(text[index])) { index += 1 }
                if index == start + 1, byte == UInt8(ascii: "-"), text[index...].starts(with: "Infinity".utf8) {
                    result.append(contentsOf: text[copied..<start])
                    copied = index
                } else if index == whole, whole - start >= 19, Int(digits(start..<whole)) == nil, UInt(digits(start..<whole)) == nil {
                    result.append(contentsOf: text[copied..<whole])
                    result.append(contentsOf: ".0".utf8)
                    copied = whole
                }
            } else if let word = ["NaN", "Infinity"].first(where: { text[index...].starts(with: $0.utf8) }) {
                result.append(contentsOf: text[copied..<index])
                result.append(contentsOf: (spellsOut ? "\"\(word)\"" : "null").utf8)
                index += word.utf8.count
                copied = index
            } else {
                index += 1
            }
        }
        guard copied > 0 else { return nil }
        result.append(contentsOf: text[min(copied, text.count)...])
        return result
    }
}

/// Turns simdjson's tape into values. The tape comes from a successful parse, so its structure can be relied on.
private struct TapeWalk {
    let tape: UnsafePointer<UInt64>
    let strings: UnsafePointer<UInt8>
    var index = 1

    init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>) {
        self.tape = tape
        self.strings = strings
    }

    /// Nil if the nesting is too deep.
    mutating func value(depth: Int) -> JSON? {
        let word = tape[index]
        index += 1
        switch UInt8(truncatingIfNeeded: word >> 56) {
        case UInt8(ascii: "{"):
            guard depth < JSONParser.maximumDepth else { return nil }
            let end = Int(word & 0xFFFF_FFFF) - 1
            var members: [(key: String, value: JSON)] = []
            members.reserveCapacity(Int(word >> 32 & 0xFF_FFFF))
            while index < end {
                let key = string(tape[index])
                index += 1
                guard let value = value(depth: depth + 1) else { return nil }
                members.append((key, value))
            }
            index = end + 1
            return .object(members)
        case UInt8(ascii: "["):
            guard depth < JSONParser.maximumDepth else { return nil }
            let end = Int(word & 0xFFFF_FFFF) - 1
            var elements: [JSON] = []
            elements.reserveCapacity(Int(word >> 32 & 0xFF_FFFF))
            while index < end {
                guard let element = value(depth: depth + 1) else { return nil }
                elements.append(element)
            }
            index = end + 1
            return .array(elements)
        case UInt8(ascii: "\""): return .string(string(word))
        case UInt8(ascii: "l"):
            index += 1
            return .integer(Int(bitPattern: UInt(tape[index - 1])))
        case UInt8(ascii: "u"):
            index += 1
            return .number(Double(tape[index - 1]))
        case UInt8(ascii: "d"):
            index += 1
            return .number(Double(bitPattern: tape[index - 1]))
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        default: return .null
        }
    }

    private func string(_ word: UInt64) -> String {
        let start = UnsafeRawPointer(strings + Int(word & 0x00FF_FFFF_FFFF_FFFF))
        let count = Int(start.loadUnaligned(as: UInt32.self))
        return String(decoding: UnsafeRawBufferPointer(start: start + 4, count: count), as: UTF8.self)
    }
}
