import FileFormats
import Foundation

/// SentencePiece's character map: a double-array trie from byte sequences to replacements, as `precompiled_charsmap` holds it
/// (base64 in `tokenizer.json`, bytes in a `.model` file).
///
/// The layout is that of Darts-clone; matching follows the reference even where it surprises: a grapheme cluster of fewer than
/// six bytes is replaced as a whole by the entry for its shortest prefix.
struct PrecompiledCharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]
    /// For each ASCII byte whether it has an entry; most have none, and most text is ASCII.
    private let asciiHasEntry: [Bool]
    /// … and whether a longer entry may begin with it.
    private let asciiBeginsEntry: [Bool]

    init(_ bytes: [UInt8], file: String?) throws {
        func damaged(_ what: String) -> DataError { DataError(.badData, "the precompiled character map is damaged: \(what)", file: file) }
        if bytes.isEmpty {
            units = []
            replacements = []
            asciiHasEntry = [Bool](repeating: false, count: 128)
            asciiBeginsEntry = asciiHasEntry
            return
        }
        guard bytes.count >= 4 else { throw damaged("it ends in its header") }
        let size = bytes.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
        guard size % 4 == 0, size >= 4, size <= bytes.count - 4 else {
            throw damaged("its trie should have \(size) bytes, and \(bytes.count - 4) follow")
        }
        let units = bytes.withUnsafeBytes { buffer in
            (0..<size / 4).map { UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: 4 + $0 * 4, as: UInt32.self)) }
        }
        let replacements = Array(bytes[(4 + size)...])
        guard replacements.withUnsafeBufferPointer({ UTF8Scalars.isValid($0) }) else { throw damaged("its replacements are not UTF-8") }
        self.units = units
        self.replacements = replacements
        asciiBeginsEntry = (0..<128).map { byte in
            let position = Self.offset(units[0]) ^ byte
            return position < units.count && units[position] & (1 << 31 | 0xFF) == UInt32(byte)
        }
        asciiHasEntry = (0..<128).map { byte in
            [UInt8(byte)].withUnsafeBufferPointer { Self.shortestPrefix(of: $0, units) } != nil
        }
    }

    init(base64: String, file: String?) throws {
        guard let data = Data(base64Encoded: base64) else {
            throw DataError(.badData, "the precompiled character map is not base64", file: file)
        }
        try self.init(Array(data), file: file)
    }

    /// Where the children of a unit begin.
    @inline(__always)
    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

    /// The value of the shortest entry that is a prefix of `key`.
    private static func shortestPrefix(of key: UnsafeBufferPointer<UInt8>, _ units: [UInt32]) -> Int? {
        guard let root = units.first else { return nil }
        var position = Self.offset(root)
        for byte in key {
            if byte == 0 { return nil }
            position ^= Int(byte)
            guard position < units.count else { return nil }
            let unit = units[position]
            guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
            position ^= Self.offset(unit)
            guard position < units.count else { return nil }
            if unit >> 8 & 1 == 1 { return Int(units[position] & 0x7FFF_FFFF) }
        }
        return nil
    }

    /// The longest entry at `start`, as SentencePiece itself matches: its length and what replaces it.
    func longestMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (length: Int, replacement: ArraySlice<UInt8>)? {
        guard let root = units.first else { return nil }
        if text[start] < 0x80, !asciiBeginsEntry[Int(text[start])] { return nil }
        var position = Self.offset(root)
        var longest: (length: Int, value: Int)?
        var i = start
        while i < text.count {
            position ^= Int(text[i])
            guard position < units.count else { break }
            let unit = units[position]
            guard unit & (1 << 31 | 0xFF) == UInt32(text[i]) else { break }
            position ^= Self.offset(unit)
            guard position < units.count else { break }
            i += 1
            if unit >> 8 & 1 == 1 { longest = (i - start, Int(units[position] & 0x7FFF_FFFF)) }
        }
        // A match that ends inside a character is a damaged map's.
        guard let (length, value) = longest, value <= replacements.count, UTF8Scalars.isBoundary(text, start + length),
            replacements.withUnsafeBufferPointer({ UTF8Scalars.isBoundary($0, value) })
        else { return nil }
        return (length, replacements[value..<(replacements[value...].firstIndex(of: 0) ?? replacements.count)])
    }

    /// What replaces `key`; nil if nothing does.
    private func replacement(of key: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard let start = Self.shortestPrefix(of: key, units) else { return nil }
        guard start <= replacements.count else { return nil }
        let end = replacements[start...].firstIndex(of: 0) ?? replacements.count
        // A pointer into the middle of a character is a damaged map; leave the text alone.
        guard replacements.withUnsafeBufferPointer({ UTF8Scalars.isBoundary($0, start) }) else { return nil }
        return start..<end
    }

    func normalize(_ text: inout NormalizedText) {
        guard !units.isEmpty else { return }
        if !text.tracksOffsets, text.bytes.allSatisfy({ $0 < 0x80 && $0 != 13 && !asciiHasEntry[Int($0)] }) { return }
        var edits = Edits()
        edits.scalars.reserveCapacity(text.bytes.count)
        edits.changes.reserveCapacity(text.bytes.count)
        var modified = false

        func replace(_ old: UnsafeBufferPointer<UInt8>, _ new: Range<Int>) {
            modified = true
            var oldCount = 0
            for byte in old where byte & 0xC0 != 0x80 { oldCount += 1 }
            let from = edits.scalars.count
            replacements.withUnsafeBufferPointer { pool in
                var i = new.lowerBound
                while i < new.upperBound {
                    let (scalar, length) = UTF8Scalars.decode(pool, at: i)
                    edits.append(scalar)
                    i += length
                }
            }
            let difference = edits.scalars.count - from - oldCount
            if difference > 0 {
                for i in 0..<difference { edits.changes[edits.changes.count - 1 - i] = 1 }
            } else if difference < 0, let last = edits.changes.indices.last {
                edits.changes[last] += Int32(truncatingIfNeeded: difference)
            }
        }

        text.bytes.withUnsafeBufferPointer { bytes in
            var i = 0
            while i < bytes.count {
                let byte = bytes[i]
                // An ASCII character before another is a cluster of its own, but for CR before LF.
                if byte < 0x80, !asciiHasEntry[Int(byte)], byte != 13, i + 1 < bytes.count ? bytes[i + 1] < 0x80 : true {
                    edits.append(UInt32(byte))
                    i += 1
                    continue
                }
                let end = GraphemeClusters.end(in: bytes, from: i)
                if end - i < 6 {
                    let cluster = UnsafeBufferPointer(rebasing: bytes[i..<end])
                    if let new = replacement(of: cluster) {
                        replace(cluster, new)
                        i = end
                        continue
                    }
                }
                while i < end {
                    let (scalar, length) = UTF8Scalars.decode(bytes, at: i)
                    let single = UnsafeBufferPointer(rebasing: bytes[i..<i + length])
                    if let new = replacement(of: single) { replace(single, new) } else { edits.append(scalar) }
                    i += length
                }
            }
        }
        if modified { text.apply(edits) }
    }
}
