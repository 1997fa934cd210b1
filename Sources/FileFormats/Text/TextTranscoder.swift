import Glibc

/// Turns bytes of any encoding into UTF-8, a block at a time, through the C library's iconv.
final class TextTranscoder {
    let encoding: TextEncoding
    /// Invalid bytes become U+FFFD instead of an error.
    let isLossy: Bool
    private let descriptor: iconv_t?
    /// The beginning of a character that the next block completes.
    private var remainder: [UInt8] = []

    /// Bytes that are invalid in this encoding.
    struct Invalid: Error {}

    init(from encoding: TextEncoding, isLossy: Bool) throws {
        self.encoding = encoding
        self.isLossy = isLossy
        descriptor = iconv_open("UTF-8", encoding.iconvName)
        guard descriptor != iconv_t(bitPattern: -1) else {
            throw DataError(.unavailable, "this system's iconv does not support \(encoding.iconvName)")
        }
    }

    deinit { if let descriptor { iconv_close(descriptor) } }

    /// Appends the text of `bytes`. What was read before an invalid byte is appended when it throws.
    func convert(_ bytes: UnsafeRawBufferPointer, isLast: Bool, into output: inout [UInt8]) throws(Invalid) {
        var input = remainder
        input.append(contentsOf: bytes)
        remainder = []
        var offset = 0
        while offset < input.count {
            let (read, fault) = step(input, from: offset, into: &output)
            offset = read
            switch fault {
            case E2BIG: continue
            case EINVAL where !isLast:
                remainder = Array(input[offset...])
                return
            case EINVAL, EILSEQ:
                guard isLossy else { throw Invalid() }
                output.append(contentsOf: [0xEF, 0xBF, 0xBD])
                offset += min(unit, input.count - offset)
            default: continue
            }
        }
    }

    /// Bytes to skip after an invalid sequence.
    private var unit: Int {
        switch encoding {
        case .utf16LE, .utf16BE: 2
        case .utf32LE, .utf32BE: 4
        default: 1
        }
    }

    /// One call of iconv. Returns the offset up to which it read, and the error that stopped it, 0 where none did.
    private func step(_ input: [UInt8], from offset: Int, into output: inout [UInt8]) -> (Int, Int32) {
        let room = min(max(3 * (input.count - offset), 64), 1 << 16)
        var fault: Int32 = 0
        var read = offset
        let part = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            input.withUnsafeBytes { source in
                // iconv takes a pointer to mutable bytes and leaves them as they are.
                var from: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(mutating: source.baseAddress! + offset)
                    .assumingMemoryBound(to: CChar.self)
                var left = input.count - offset
                buffer.withMemoryRebound(to: CChar.self) { target in
                    var to: UnsafeMutablePointer<CChar>? = target.baseAddress
                    var free = room
                    if iconv(descriptor, &from, &left, &to, &free) == Int.max || left > 0 { fault = errno }
                    count = room - free
                }
                read = input.count - left
            }
        }
        output.append(contentsOf: part)
        return (read, read == input.count ? 0 : fault)
    }
}
