/// Character n-grams of words, hashed into buckets as fastText does (Bojanowski, Grave, Joulin & Mikolov 2017; reference: fastText 0.9.2).
///
/// N-grams run over the word between `<` and `>`, count characters by the lead bytes of UTF-8, and share a fixed number of vectors.
package struct Subwords: Sendable, Equatable {
    /// Shortest and longest n-gram in characters.
    package var minimum: Int
    package var maximum: Int
    /// Vectors that all n-grams share.
    package var buckets: Int

    package init(minimum: Int, maximum: Int, buckets: Int) {
        (self.minimum, self.maximum, self.buckets) = (minimum, maximum, buckets)
    }

    /// Whether there are any: a longest n-gram of 0 switches them off.
    package var isEmpty: Bool { maximum < 1 || buckets < 1 || minimum > maximum }

    /// FNV-1a, 32 bits, over bytes taken as signed, as fastText's files have it.
    package static func hash(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in bytes { hash = (hash ^ UInt32(bitPattern: Int32(Int8(bitPattern: byte)))) &* 16_777_619 }
        return hash
    }

    /// The buckets of a word's n-grams, in 0 ..< buckets, in fastText's order; an n-gram that occurs twice is there twice.
    package func buckets(of word: some Sequence<UInt8>) -> [Int] {
        var found: [Int] = []
        forEach(in: word) { found.append(Int($1 % UInt32(buckets))) }
        return found
    }

    /// The n-grams themselves, in the same order.
    package func strings(of word: String) -> [String] {
        var found: [String] = []
        forEach(in: word.utf8) { bytes, _ in found.append(String(decoding: bytes, as: UTF8.self)) }
        return found
    }

    private func forEach(in word: some Sequence<UInt8>, _ body: (ArraySlice<UInt8>, UInt32) -> Void) {
        if isEmpty { return }
        let text = [UInt8(ascii: "<")] + word + [UInt8(ascii: ">")]
        for start in text.indices where text[start] & 0xC0 != 0x80 {
            var end = start, characters = 0, hash: UInt32 = 2_166_136_261
            while end < text.count, characters < maximum {
                repeat {
                    hash = (hash ^ UInt32(bitPattern: Int32(Int8(bitPattern: text[end])))) &* 16_777_619
                    end += 1
                } while end < text.count && text[end] & 0xC0 == 0x80
                characters += 1
                // The boundary marks alone are not n-grams.
                if characters >= minimum, !(characters == 1 && (start == 0 || end == text.count)) { body(text[start..<end], hash) }
            }
        }
    }
}
