/// A sequence, or a pair of sequences, as a model reads it.
///
/// All arrays have one element for each token.
public struct Encoding: Sendable, Equatable {
    /// Token ids.
    public internal(set) var ids: [Int32] = []
    /// Segment of each token: 0 for the first sequence, 1 for the second, where the model tells them apart.
    public internal(set) var typeIDs: [Int32] = []
    /// The tokens as strings: the vocabulary's spelling, or the text's own for an unknown piece of a Unigram model.
    public internal(set) var tokens: [String] = []
    /// Half-open ranges of UTF-8 bytes of the original text (of the token's own sequence); `0..<0` for tokens that were added.
    public internal(set) var offsets: [Range<Int>] = []
    /// 1 for a token that the post-processor added, 0 for one that stands for text.
    package internal(set) var specialTokensMask: [UInt8] = []
    /// Number of the pre-tokenizer's word in its sequence; nil for added tokens.
    package internal(set) var wordIDs: [Int32?] = []
    /// 0 for the first sequence, 1 for the second; nil for added tokens.
    package internal(set) var sequenceIDs: [UInt8?] = []
    /// What truncation cut off, in windows that overlap by the stride.
    package internal(set) var overflow: [Encoding] = []

    /// An encoding without tokens.
    package init() {}

    /// The number of tokens.
    public var count: Int { ids.count }

    mutating func append(
        id: Int32, typeID: Int32 = 0, token: String, offsets range: Range<Int>, special: UInt8 = 0, word: Int32? = nil,
        sequence: UInt8? = nil
    ) {
        ids.append(id)
        typeIDs.append(typeID)
        tokens.append(token)
        offsets.append(range)
        specialTokensMask.append(special)
        wordIDs.append(word)
        sequenceIDs.append(sequence)
    }

    mutating func setTypeID(_ id: Int32) {
        typeIDs = [Int32](repeating: id, count: ids.count)
    }

    func window(_ range: Range<Int>) -> Encoding {
        var part = Encoding()
        part.ids = Array(ids[range])
        part.typeIDs = Array(typeIDs[range])
        part.tokens = Array(tokens[range])
        part.offsets = Array(offsets[range])
        part.specialTokensMask = Array(specialTokensMask[range])
        part.wordIDs = Array(wordIDs[range])
        part.sequenceIDs = Array(sequenceIDs[range])
        return part
    }

    /// Appends another encoding. Overflows combine: each of this encoding's with the other and with each of its overflows, and this
    /// encoding with each of them.
    mutating func merge(_ other: Encoding) {
        var combined: [Encoding] = []
        for part in overflow {
            var whole = part
            whole.merge(other.withoutOverflow)
            combined.append(whole)
            for otherPart in other.overflow {
                var both = part
                both.merge(otherPart)
                combined.append(both)
            }
        }
        for otherPart in other.overflow {
            var both = withoutOverflow
            both.merge(otherPart)
            combined.append(both)
        }
        ids += other.ids
        typeIDs += other.typeIDs
        tokens += other.tokens
        offsets += other.offsets
        specialTokensMask += other.specialTokensMask
        wordIDs += other.wordIDs
        sequenceIDs += other.sequenceIDs
        overflow = combined
    }

    private var withoutOverflow: Encoding {
        var copy = self
        copy.overflow = []
        return copy
    }
}

extension Encoding {
    /// The tokens for people: as they are in the text where they are whole characters, else as the vocabulary spells them; word pieces
    /// keep `##`.
    package func shown(of text: String, pair: String? = nil) -> [String] {
        let texts = [Array(text.utf8), Array((pair ?? "").utf8)]
        return ids.indices.map { place in
            let token = tokens[place], bytes = texts[sequenceIDs[place] == 1 ? 1 : 0], range = offsets[place]
            guard specialTokensMask[place] == 0, !token.hasPrefix("##"), !range.isEmpty, range.upperBound <= bytes.count else {
                return token
            }
            // Several byte tokens of one character all have its place.
            let isShared = [place - 1, place + 1].contains {
                ids.indices.contains($0) && offsets[$0] == range && sequenceIDs[$0] == sequenceIDs[place]
            }
            let surface = String(decoding: bytes[range], as: UTF8.self).trimmingWhiteSpace
            return isShared || surface.isEmpty ? token : surface
        }
    }
}

extension String {
    fileprivate var trimmingWhiteSpace: String {
        String(String(drop { $0.isWhitespace }.reversed()).drop { $0.isWhitespace }.reversed())
    }
}
