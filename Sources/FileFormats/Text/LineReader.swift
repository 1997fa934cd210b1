import Glibc

/// The lines of a text, one after the other, in constant memory. LF and CRLF end a line and nothing else does, U+2028 least of all;
/// the last line needs no end. Invalid UTF-8 and NUL are errors with the line number.
final class LineReader {
    /// A line without its end. The bytes stay valid until the next line is read.
    struct Line {
        var bytes: UnsafeRawBufferPointer
        /// From 1.
        var number: Int
        var hasCarriageReturn: Bool
    }

    let input: TextInput
    private let isLossy: Bool
    private var buffer: [UInt8] = []
    /// Where the next line begins, up to where no line end was found, and up to where the text was checked.
    private var start = 0, searched = 0, checked = 0
    /// The number of the last line that was handed out.
    private(set) var number: Int
    /// Bytes of UTF-8 handed out, with the ends of their lines.
    private(set) var position = 0
    private var isAtEnd = false

    /// Longer lines are errors: they are unlikely to be text, and tokenizing them takes many times their size.
    static let maximumLine = 1 << 26

    /// - Parameter firstLine: the number of the first line, where the input is a stretch of a file.
    init(input: TextInput, isLossy: Bool, firstLine: Int = 1) {
        self.input = input
        self.isLossy = isLossy
        number = firstLine - 1
    }

    /// The next line, nil at the end.
    func next() throws -> Line? {
        while true {
            let found: Int? = buffer.withUnsafeBytes { bytes in
                guard searched < bytes.count, let end = memchr(bytes.baseAddress! + searched, 0x0A, bytes.count - searched) else {
                    return nil
                }
                return UnsafeRawPointer(end) - bytes.baseAddress!
            }
            if let end = found, end < checked || isAtEnd { return line(to: end, next: end + 1) }
            searched = found ?? buffer.count
            if isAtEnd {
                return start < buffer.count ? line(to: buffer.count, next: buffer.count) : nil
            }
            try fill()
        }
    }

    /// Calls `body` with the beginning of the text that is still to come, at least `count` bytes or all there is.
    func peek<Result>(_ count: Int, _ body: (_ text: UnsafeRawBufferPointer, _ isAll: Bool) throws -> Result) throws -> Result {
        while buffer.count - start < count, !isAtEnd { try fill() }
        return try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<checked]), isAtEnd) }
    }

    private func line(to end: Int, next: Int) -> Line {
        number += 1
        position += next - start
        defer { (start, searched) = (next, next) }
        return buffer.withUnsafeBytes { bytes in
            let hasReturn = next > end && end > start && bytes[end - 1] == 0x0D
            // The buffer is changed only by `fill`, so the bytes outlive this closure until then.
            return Line(
                bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<(hasReturn ? end - 1 : end)]), number: number,
                hasCarriageReturn: hasReturn)
        }
    }

    private func fill() throws {
        if start > 0 {
            buffer.removeSubrange(..<start)
            (searched, checked, start) = (searched - start, checked - start, 0)
        }
        guard buffer.count < Self.maximumLine else {
            throw DataError(
                .badData,
                "this line is longer than \(Self.maximumLine >> 20) MB; expected lines of text with one sentence, "
                    + "row or record each", file: input.name, line: number + 1)
        }
        do {
            isAtEnd = try !input.next(into: &buffer)
        } catch is TextInput.Undecodable {
            throw DataError(
                .badData,
                "this line is not valid \(input.encoding.rawValue); try another \(Setting.encoding), or "
                    + "\(Setting.lossy) to replace invalid bytes",
                file: input.name, line: lineNumber(at: buffer.count))
        }
        try check()
    }

    private func check() throws {
        let unchecked = checked
        let (end, zero, bad): (Int, Int?, Int?) = buffer.withUnsafeBytes { bytes in
            let fresh = UnsafeRawBufferPointer(rebasing: bytes[unchecked...])
            let end = bytes.count - (isAtEnd ? 0 : UTF8Text.incompleteTail(fresh))
            guard end > unchecked else { return (end, nil, nil) }
            let zero = memchr(bytes.baseAddress! + unchecked, 0, end - unchecked).map { UnsafeRawPointer($0) - bytes.baseAddress! }
            let bad = isLossy ? nil : UTF8Text.firstInvalid(UnsafeRawBufferPointer(rebasing: bytes[unchecked..<end])).map { $0 + unchecked }
            return (end, zero, bad)
        }
        if let bad, bad < zero ?? .max {
            throw buffer.withUnsafeBytes { TextEncodingDetection.error(inPart: $0, name: input.name, line: lineNumber(at: bad)) }
        }
        if let zero {
            throw DataError(
                .badData,
                "this line contains a NUL byte: not text, or UTF-16 without a byte-order mark (\(Setting.encoding) "
                    + "utf-16)",
                file: input.name, line: lineNumber(at: zero))
        }
        checked = end
    }

    private func lineNumber(at offset: Int) -> Int {
        number + 1 + buffer[start..<offset].count { $0 == UInt8(ascii: "\n") }
    }
}
