import FileFormats

/// The token strings of a model and their ids: one block of bytes and one open hash table, filled in a millisecond or two, whose
/// hash can be carried on byte by byte. Neither a lookup nor the search for the longest piece builds a string.
struct Vocabulary: Sendable {
    private let pool: [UInt8]
    /// Token k is `pool[starts[k]..<starts[k + 1]]`.
    private let starts: [UInt32]
    private let ids: [Int32]
    /// High half: the hash; low half: token number + 1; 0 where free. The number of slots is a power of two.
    private let slots: [UInt64]
    /// Token number for each id, −1 in the holes.
    private let numberOfID: [Int32]
    /// Bytes of the longest token.
    let longest: Int

    /// The number of different tokens.
    var count: Int { ids.count }
    /// One more than the highest id.
    var idBound: Int { numberOfID.count }

    static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    static func carry(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15
    }

    @inline(__always)
    private static func finish(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: (hash ^ hash >> 29) >> 16) | 1 }

    /// - Parameter tokens: token and id; a token that comes twice counts with its last id. Ids may leave holes, but not out of
    ///   all proportion to the number of tokens.
    init<S: Sequence>(_ tokens: S, file: String? = nil) throws where S.Element == (token: String, id: Int) {
        var pool: [UInt8] = []
        var starts: [UInt32] = [0]
        var ids: [Int32] = []
        let expected = max(tokens.underestimatedCount, 16)
        pool.reserveCapacity(expected * 8)
        starts.reserveCapacity(expected + 1)
        ids.reserveCapacity(expected)
        var capacity = 64
        while capacity < expected * 2 { capacity *= 2 }
        var slots = [UInt64](repeating: 0, count: capacity)
        var longest = 0
        var highest = -1
        for (token, id) in tokens {
            guard id >= 0, id < Int(Int32.max) else {
                throw DataError(
                    .badData,
                    "the vocabulary gives \(token.debugDescription) the id \(id), which is not a token "
                        + "id", file: file)
            }
            if (ids.count + 1) * 2 > slots.count { Self.grow(&slots) }
            var text = token
            let known: Bool = text.withUTF8 { bytes in
                var hash = Self.seed
                for byte in bytes { hash = Self.carry(hash, byte) }
                let tag = Self.finish(hash)
                var slot = Int(tag) & (slots.count - 1)
                while slots[slot] != 0 {
                    let number = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
                    if UInt32(truncatingIfNeeded: slots[slot] >> 32) == tag,
                        pool[Int(starts[number])..<Int(starts[number + 1])].elementsEqual(bytes)
                    {
                        ids[number] = Int32(id)
                        return true
                    }
                    slot = (slot + 1) & (slots.count - 1)
                }
                slots[slot] = UInt64(tag) << 32 | UInt64(ids.count + 1)
                pool.append(contentsOf: bytes)
                longest = max(longest, bytes.count)
                return false
            }
            highest = max(highest, id)
            if known { continue }
            guard pool.count < Int(UInt32.max) else { throw DataError(.badData, "the vocabulary is larger than 4 GB", file: file) }
            starts.append(UInt32(pool.count))
            ids.append(Int32(id))
        }
        guard highest < ids.count * 16 + 1_000_000 else {
            throw DataError(.badData, "the highest token id is \(highest), but there are only \(ids.count) tokens", file: file)
        }
        var numberOfID = [Int32](repeating: -1, count: highest + 1)
        for (number, id) in ids.enumerated() { numberOfID[Int(id)] = Int32(number) }
        self.pool = pool
        self.starts = starts
        self.ids = ids
        self.slots = slots
        self.numberOfID = numberOfID
        self.longest = longest
    }

    private static func grow(_ slots: inout [UInt64]) {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        for entry in slots where entry != 0 {
            var slot = Int(truncatingIfNeeded: entry >> 32) & (larger.count - 1)
            while larger[slot] != 0 { slot = (slot + 1) & (larger.count - 1) }
            larger[slot] = entry
        }
        slots = larger
    }

    /// The id of `head` followed by `count` bytes at `bytes`, whose carried hash is `hash`; −1 if there is no such token.
    @inline(__always)
    func id(hash: UInt64, head: UnsafeBufferPointer<UInt8>, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        let tag = Self.finish(hash)
        let mask = slots.count - 1
        var slot = Int(tag) & mask
        return slots.withUnsafeBufferPointer { slots in
            while slots[slot] != 0 {
                let entry = slots[slot]
                if UInt32(truncatingIfNeeded: entry >> 32) == tag {
                    let number = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
                    if equals(number, head, bytes, count) { return ids.withUnsafeBufferPointer { $0[number] } }
                }
                slot = (slot + 1) & mask
            }
            return -1
        }
    }

    @inline(__always)
    private func equals(_ number: Int, _ head: UnsafeBufferPointer<UInt8>, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        starts.withUnsafeBufferPointer { starts in
            let start = Int(starts[number])
            guard Int(starts[number + 1]) - start == head.count + count else { return false }
            return pool.withUnsafeBufferPointer { pool in
                for i in 0..<head.count where pool[start + i] != head[i] { return false }
                let rest = start + head.count
                for i in 0..<count where pool[rest + i] != bytes[i] { return false }
                return true
            }
        }
    }

    /// The id of a token, −1 if there is none.
    func id(of bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard let base = bytes.baseAddress else { return id(of: "") ?? -1 }
        var hash = Self.seed
        for byte in bytes { hash = Self.carry(hash, byte) }
        return id(hash: hash, head: UnsafeBufferPointer(start: nil, count: 0), base, bytes.count)
    }

    func id(of token: String) -> Int32? {
        var token = token
        let id = token.withUTF8 { bytes -> Int32 in
            if let base = bytes.baseAddress {
                var hash = Self.seed
                for byte in bytes { hash = Self.carry(hash, byte) }
                return self.id(hash: hash, head: UnsafeBufferPointer(start: nil, count: 0), base, bytes.count)
            }
            var nothing: UInt8 = 0
            return self.id(hash: Self.seed, head: UnsafeBufferPointer(start: nil, count: 0), &nothing, 0)
        }
        return id < 0 ? nil : id
    }

    /// The token with `id`, nil for a hole or an id beyond the vocabulary.
    func token(_ id: Int32) -> String? {
        guard id >= 0, Int(id) < numberOfID.count, numberOfID[Int(id)] >= 0 else { return nil }
        let number = Int(numberOfID[Int(id)])
        return String(decoding: pool[Int(starts[number])..<Int(starts[number + 1])], as: UTF8.self)
    }

    /// The bytes of the token with `id`, empty for a hole.
    func bytes(_ id: Int32) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < numberOfID.count, numberOfID[Int(id)] >= 0 else { return [] }
        let number = Int(numberOfID[Int(id)])
        return pool[Int(starts[number])..<Int(starts[number + 1])]
    }
}
