import FileFormats
import Glibc

/// Bytes of a file, packed or not, taken in lines or in counted pieces.
final class ByteReader {
    let stream: UnpackedStream
    var name: String { stream.name }
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(path: String) throws { stream = try UnpackedStream(path: path) }

    /// Bytes that are there already.
    private var available: Int { buffer.count - start }

    private func fill() throws {
        if start > 0, start >= buffer.count / 2 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        if try !stream.next({ buffer.append(contentsOf: $0) }) { isAtEnd = true }
    }

    /// The next `count` bytes without taking them, fewer at the end of the file.
    func peek(_ count: Int) throws -> ArraySlice<UInt8> {
        while available < count, !isAtEnd { try fill() }
        return buffer[start..<min(start + count, buffer.count)]
    }

    /// Takes `count` bytes.
    /// - Throws: what `missing` makes if there are fewer.
    func take<Result>(_ count: Int, orElse missing: () -> DataError, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        while available < count, !isAtEnd { try fill() }
        guard available >= count else { throw missing() }
        defer { start += count }
        return try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
    }

    /// Hands over the bytes up to `end`, and takes them with it; nil at the end of the file. The last piece needs no end.
    /// - Throws: `DataError` if a piece is longer than `limit`.
    func next<Result>(upTo end: UInt8, limit: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result? {
        var searched = 0
        while true {
            let found: Int? = buffer.withUnsafeBytes { bytes in
                guard start + searched < bytes.count, let base = bytes.baseAddress,
                    let place = memchr(base + start + searched, Int32(end), bytes.count - start - searched)
                else { return nil }
                return UnsafeRawPointer(place) - base
            }
            if let found {
                defer { start = found + 1 }
                return try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<found])) }
            }
            if isAtEnd {
                if available == 0 { return nil }
                defer { start = buffer.count }
                return try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
            }
            searched = available
            guard searched <= limit else {
                throw DataError(.badData, "more than \(limit) bytes without an end; not a file of word vectors", file: name)
            }
            try fill()
        }
    }

    /// Whether everything was taken.
    var isDone: Bool {
        get throws {
            while available == 0, !isAtEnd { try fill() }
            return available == 0
        }
    }
}

/// A decimal number as word-vector files write it, rounded to the nearest Float.
enum DecimalText {
    /// Nil if the bytes are not a number. `nan` and `inf` count as numbers here; callers reject them with their own message.
    static func float(_ text: UnsafeRawBufferPointer) -> Float? {
        var i = 0, isNegative = false
        guard text.count > 0 else { return nil }
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            isNegative = text[0] == UInt8(ascii: "-")
            i = 1
        }
        var digits: UInt64 = 0, significant = 0, scale = 0, any = false
        while i < text.count, text[i] &- 48 < 10 {
            any = true
            if digits > 0 || text[i] != 48 { significant += 1 }
            digits = digits &* 10 &+ UInt64(text[i] &- 48)
            i += 1
        }
        if i < text.count, text[i] == UInt8(ascii: ".") {
            i += 1
            while i < text.count, text[i] &- 48 < 10 {
                any = true
                if digits > 0 || text[i] != 48 { significant += 1 }
                digits = digits &* 10 &+ UInt64(text[i] &- 48)
                scale -= 1
                i += 1
            }
        }
        if i < text.count, any, text[i] | 0x20 == UInt8(ascii: "e") {
            var j = i + 1, exponent = 0, isDown = false
            if j < text.count, text[j] == UInt8(ascii: "-") || text[j] == UInt8(ascii: "+") {
                isDown = text[j] == UInt8(ascii: "-")
                j += 1
            }
            let first = j
            while j < text.count, text[j] &- 48 < 10, j - first < 5 {
                exponent = exponent * 10 + Int(text[j] &- 48)
                j += 1
            }
            guard j > first else { return nil }
            scale += isDown ? -exponent : exponent
            i = j
        }
        // Exact up to 2^53 and 10^22 (Clinger 1990); then one rounding to Double and one to Float. Everything else goes the slow way.
        if any, i == text.count, significant <= 15, abs(scale) <= 22 {
            let value = Double(digits)
            let scaled = scale < 0 ? value / powers[-scale] : value * powers[scale]
            return Float(isNegative ? -scaled : scaled)
        }
        return Float(String(decoding: text, as: UTF8.self))
    }

    private static let powers: [Double] = {
        var powers = [1.0]
        for _ in 0..<22 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// A whole number without sign.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int? {
        guard text.count > 0, text.count < 19, text.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int($1 &- 48) }
    }
}
