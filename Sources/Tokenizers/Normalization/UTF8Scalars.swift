/// Reading and writing UTF-8 in byte buffers without passing through `String`.
enum UTF8Scalars {
    /// The scalar at `index` of valid UTF-8 and its length in bytes.
    ///
    /// Only for text that has passed `isValid`; a cut-off sequence at the end is read as U+FFFD rather than past the buffer.
    @inline(__always)
    static func decode(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: UInt32, length: Int) {
        let lead = UInt32(bytes[index])
        if lead < 0x80 { return (lead, 1) }
        let left = bytes.count &- index
        if lead < 0xE0 {
            guard left >= 2 else { return (0xFFFD, left) }
            return ((lead & 0x1F) << 6 | UInt32(bytes[index &+ 1]) & 0x3F, 2)
        }
        if lead < 0xF0 {
            guard left >= 3 else { return (0xFFFD, left) }
            return ((lead & 0x0F) << 12 | (UInt32(bytes[index &+ 1]) & 0x3F) << 6 | UInt32(bytes[index &+ 2]) & 0x3F, 3)
        }
        guard left >= 4 else { return (0xFFFD, left) }
        return (
            (lead & 0x07) << 18 | (UInt32(bytes[index &+ 1]) & 0x3F) << 12 | (UInt32(bytes[index &+ 2]) & 0x3F) << 6
                | UInt32(bytes[index &+ 3]) & 0x3F, 4
        )
    }

    /// The scalar that ends before `end` and its length; `end` is above 0.
    @inline(__always)
    static func decodeBackward(_ bytes: UnsafeBufferPointer<UInt8>, before end: Int) -> (scalar: UInt32, length: Int) {
        var start = end - 1
        while start > 0, bytes[start] & 0xC0 == 0x80, end - start < 4 { start -= 1 }
        return (decode(bytes, at: start).scalar, end - start)
    }

    @inline(__always)
    static func length(_ scalar: UInt32) -> Int {
        scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
    }

    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        if scalar < 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: scalar))
        } else if scalar < 0x800 {
            bytes.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            bytes.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else {
            bytes.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }

    /// Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
    static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var i = 0
        let n = bytes.count
        while i < n {
            // Eight ASCII bytes at a time: most text is long stretches of it.
            while i &+ 8 <= n, UnsafeRawPointer(bytes.baseAddress! + i).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
                i &+= 8
            }
            if i >= n { break }
            let lead = bytes[i]
            if lead < 0x80 {
                i &+= 1
                continue
            }
            let length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
            guard length > 0, i &+ length <= n else { return false }
            let second = bytes[i &+ 1]
            guard second & 0xC0 == 0x80 else { return false }
            switch lead {
            case 0xE0: guard second >= 0xA0 else { return false }
            case 0xED: guard second < 0xA0 else { return false }
            case 0xF0: guard second >= 0x90 else { return false }
            case 0xF4: guard second < 0x90 else { return false }
            default: break
            }
            for k in 2..<max(length, 2) where bytes[i &+ k] & 0xC0 != 0x80 { return false }
            i &+= length
        }
        return true
    }

    /// Whether a scalar begins at `index` (or the text ends there).
    @inline(__always)
    static func isBoundary(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        index == bytes.count || (index >= 0 && index < bytes.count && bytes[index] & 0xC0 != 0x80)
    }
}
