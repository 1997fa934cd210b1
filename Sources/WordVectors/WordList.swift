import FileFormats

/// Words as the bytes that a file gives them, each with its number, found by hashing.
///
/// Words are bytes, not characters: vector files of others hold words cut in the middle of a character, and these must come out as they
/// went in.
public struct WordList: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = [0]
    /// Open addressing; 0 is free, else word number + 1.
    private var slots: [UInt32]

    /// At most this many words: their numbers fit 32 bits.
    package static let maximumCount = Int(UInt32.max) - 2

    package init() { slots = [UInt32](repeating: 0, count: 1 << 10) }

    /// Words.
    package var count: Int { ends.count - 1 }

    /// The bytes of a word.
    package func bytes(of word: Int) -> ArraySlice<UInt8> { bytes[ends[word]..<ends[word + 1]] }

    /// A word as text; invalid UTF-8 becomes U+FFFD.
    public subscript(word: Int) -> String { String(decoding: bytes(of: word), as: UTF8.self) }

    /// All words, in the order of their indices.
    package var strings: [String] { (0..<count).map { self[$0] } }

    /// Whether the word is well-formed UTF-8.
    package func isText(_ word: Int) -> Bool { bytes(of: word).withUnsafeBytes(UTF8Text.isValid) }

    /// The number of a word, nil if it is not in the list.
    package func index(of word: UnsafeRawBufferPointer) -> Int? {
        let slot = slot(of: word)
        return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
    }
    /// The index of a word; nil if it is not in the list.
    public func index(of word: String) -> Int? {
        var word = word
        return word.withUTF8 { index(of: UnsafeRawBufferPointer($0)) }
    }

    /// The word's number, after adding it where it is new.
    /// - Complexity: O(length), amortized.
    @discardableResult
    package mutating func insert(_ word: UnsafeRawBufferPointer) -> (index: Int, isNew: Bool) {
        let slot = slot(of: word)
        if slots[slot] != 0 { return (Int(slots[slot]) - 1, false) }
        precondition(count < Self.maximumCount, "too many words for one list")
        bytes.append(contentsOf: word)
        ends.append(bytes.count)
        slots[slot] = UInt32(count)
        if count * 2 > slots.count { grow() }
        return (count - 1, true)
    }
    @discardableResult
    package mutating func insert(_ word: String) -> (index: Int, isNew: Bool) {
        var word = word
        return word.withUTF8 { insert(UnsafeRawBufferPointer($0)) }
    }

    private func slot(of word: UnsafeRawBufferPointer) -> Int {
        let mask = slots.count - 1
        return slots.withUnsafeBufferPointer { slots in
            bytes.withUnsafeBytes { bytes in
                ends.withUnsafeBufferPointer { ends in
                    var slot = Int(truncatingIfNeeded: Self.hash(word)) & mask
                    while slots[slot] != 0 {
                        let other = Int(slots[slot]) - 1
                        let start = ends[other], length = ends[other + 1] - start
                        if length == word.count, Self.isEqual(word, bytes, at: start) { return slot }
                        slot = (slot + 1) & mask
                    }
                    return slot
                }
            }
        }
    }

    private static func isEqual(_ word: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer, at start: Int) -> Bool {
        for i in 0..<word.count where word[i] != bytes[start + i] { return false }
        return true
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        bytes.withUnsafeBytes { bytes in
            for word in 0..<count {
                var slot = Int(truncatingIfNeeded: Self.hash(UnsafeRawBufferPointer(rebasing: bytes[ends[word]..<ends[word + 1]]))) & mask
                while slots[slot] != 0 { slot = (slot + 1) & mask }
                slots[slot] = UInt32(word + 1)
            }
        }
    }

    /// A multiplicative hash, eight bytes at a step.
    private static func hash(_ word: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = UInt64(truncatingIfNeeded: word.count) &* 0x9E37_79B9_7F4A_7C15
        var i = 0
        while i + 8 <= word.count {
            hash = (hash ^ word.loadUnaligned(fromByteOffset: i, as: UInt64.self)) &* 0xD6E8_FEB8_6659_FD93
            hash ^= hash >> 32
            i += 8
        }
        var rest: UInt64 = 0
        while i < word.count {
            rest = rest << 8 | UInt64(word[i])
            i += 1
        }
        hash = (hash ^ rest) &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 32
    }
}
