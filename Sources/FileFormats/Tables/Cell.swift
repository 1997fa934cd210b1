import Glibc

/// One cell of a table. A number stays a number until it is written.
public enum Cell: Sendable, Equatable {
    case text(String)
    case number(Double)
    case integer(Int)
    case boolean(Bool)
    /// Nothing is known; written as an empty cell, `null` in JSON.
    case missing

    /// Numbers in as few digits as read back to the same bits, booleans as `TRUE` and `FALSE`, nothing for `missing`. Not-a-number and
    /// infinities are written as R and pandas read them: `NaN`, `Inf`, `-Inf`.
    package var plainText: String { plainText(decimals: nil) }

    /// - Parameter decimals: digits after the point of a `number`; the shortest text that reads back to the same bits where nil.
    package func plainText(decimals: Int?) -> String {
        switch self {
        case .text(let text): text
        case .number(let number): Self.text(of: number, decimals: decimals)
        case .integer(let number): String(number)
        case .boolean(let value): value ? "TRUE" : "FALSE"
        case .missing: ""
        }
    }

    /// The value as a number, where it is one.
    public var double: Double? {
        switch self {
        case .number(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    /// The value in JSON; numbers that are not finite become `null`.
    package var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): number.isFinite ? .number(number) : .null
        case .integer(let number): .integer(number)
        case .boolean(let value): .bool(value)
        case .missing: .null
        }
    }

    /// A number if there is one, else `missing`.
    package init(_ number: Double?) { self = number.map(Cell.number) ?? .missing }
    /// A number of single precision as the shortest decimal that reads back to the same bits: 0.1 rather than 0.10000000149011612.
    public static func single(_ number: Float) -> Cell { .number(Double("\(number)") ?? Double(number)) }
    /// A text if there is one, else `missing`.
    package init(_ text: String?) { self = text.map(Cell.text) ?? .missing }

    private static func text(of number: Double, decimals: Int?) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "Inf" }
        guard let decimals else { return number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(number)" }
        var text = [CChar](repeating: 0, count: 400)
        withVaList([Int32(clamping: min(max(decimals, 0), 30)), number]) { _ = vsnprintf(&text, text.count, "%.*f", $0) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Numbers as people write them in tables: digits, a point, an exponent. Words that Swift takes for numbers (`nan`, `inf`, `0x1F`) are
/// words.
package enum PlainNumber {
    /// Marks of a missing value in a column of numbers, as R and pandas read them.
    package static let missingMarks: Set<String> = ["", "NA", "N/A", "NaN", "nan", "NULL", "null"]

    /// The finite number that a text is, spaces around it left out.
    package static func value(of text: String) -> Double? {
        var bytes = text.utf8[...]
        while bytes.last == 0x20 { bytes.removeLast() }
        while bytes.first == 0x20 { bytes.removeFirst() }
        guard let first = bytes.first, first < 0x3A, bytes.allSatisfy(isAllowed) else { return nil }
        guard let number = Double(Substring(bytes)), number.isFinite else { return nil }
        return number
    }

    /// Digits, point, signs and the letter of an exponent.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
        default: false
        }
    }

    /// The number that a cell of unknown meaning may be written as without harm to what it may be: no leading zeros (`007` is a name),
    /// no exponent (`1E5` is one too), no plus, at most the fifteen digits that spreadsheets keep.
    package static func harmless(_ text: String) -> Cell? {
        var bytes = Array(text.utf8)
        if bytes.first == 0x2D { bytes.removeFirst() }
        guard let first = bytes.first, first >= 0x30, first <= 0x39, bytes.count <= 16 else { return nil }
        if first == 0x30, bytes.count > 1, bytes[1] != 0x2E { return nil }
        let points = bytes.count { $0 == 0x2E }
        guard points <= 1, bytes.last != 0x2E, bytes.count - points <= 15, bytes.allSatisfy({ $0 == 0x2E || ($0 >= 0x30 && $0 <= 0x39) })
        else { return nil }
        return points == 0 ? Int(text).map(Cell.integer) : Double(text).map(Cell.number)
    }
}
