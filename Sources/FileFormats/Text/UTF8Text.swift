import CSimdJSON

/// Questions about bytes that should be UTF-8.
package enum UTF8Text {
    /// True if the bytes are well-formed UTF-8 (Unicode 15, table 3-7).
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        return ksj_validate_utf8(start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// The offset of the first byte that belongs to no character, nil if all is well.
    package static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
        if isValid(bytes) { return nil }
        var index = 0
        while index < bytes.count {
            guard let length = characterLength(bytes, at: index) else { return index }
            index += length
        }
        return nil
    }

    /// Bytes at the end that begin a character which the next block completes: 0 to 3.
    package static func incompleteTail(_ bytes: UnsafeRawBufferPointer) -> Int {
        for length in 1...3 where length <= bytes.count {
            let byte = bytes[bytes.count - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return needed > length ? length : 0
        }
        return 0
    }

    /// The length of the well-formed character at `index`, nil if it is malformed.
    private static func characterLength(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int? {
        func isTrail(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        switch bytes[index] {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return isTrail(1) ? 2 : nil
        case 0xE0: return isTrail(1, 0xA0...0xBF) && isTrail(2) ? 3 : nil
        case 0xED: return isTrail(1, 0x80...0x9F) && isTrail(2) ? 3 : nil
        case 0xE1...0xEF: return isTrail(1) && isTrail(2) ? 3 : nil
        case 0xF0: return isTrail(1, 0x90...0xBF) && isTrail(2) && isTrail(3) ? 4 : nil
        case 0xF1...0xF3: return isTrail(1) && isTrail(2) && isTrail(3) ? 4 : nil
        case 0xF4: return isTrail(1, 0x80...0x8F) && isTrail(2) && isTrail(3) ? 4 : nil
        default: return nil
        }
    }
}
