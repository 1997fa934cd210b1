/// The ids-only way through BERT's pipeline (`BertNormalizer`, `BertPreTokenizer`, WordPiece) in one pass over the bytes: each
/// character is cleaned, stripped and lowered as it comes, words are hashed while they are read, and no string is built.
///
/// It gives exactly what the steps one after the other give. What it does not handle (an added token in the text, a combining
/// character whose reordering would matter) it leaves to them by answering nil.
struct BertFastPath: Sendable {
    private enum Kind {
        static let word: UInt8 = 0, space: UInt8 = 1, punctuation: UInt8 = 2, removed: UInt8 = 3, other: UInt8 = 4
    }

    private let normalizer: BertNormalizer
    private let model: WordPiece
    private let added: AddedTokens.Matcher
    /// What each byte is; bytes above 0x7F are `other`, and so is an ASCII byte that may begin an added token.
    private let kinds: [UInt8]
    private let lowered: [UInt8]

    init?(normalizer: Normalizer?, preTokenizer: PreTokenizer?, model: TokenModel, added: AddedTokens) {
        guard case .bert(let normalizer)? = normalizer, case .bert? = preTokenizer, case .wordPiece(let model) = model,
            added.normalized.isEmpty, model.maxCharactersPerWord <= 4096
        else { return nil }
        self.normalizer = normalizer
        self.model = model
        self.added = added.raw
        kinds = (UInt32(0)..<256).map { c in
            if c >= 0x80 || added.raw.firstBytes[Int(c)] { return Kind.other }
            return Self.kind(c, cleansText: normalizer.cleansText)
        }
        lowered = (UInt32(0)..<256).map { UInt8($0 < 0x80 && normalizer.lowercases ? lowercaseMapping($0) : $0) }
    }

    private static func kind(_ c: UInt32, cleansText: Bool) -> UInt8 {
        if cleansText, BertNormalizer.isRemoved(c) { return Kind.removed }
        let flags = ScalarProperties(c).flags
        return flags.contains(.whitespace) ? Kind.space : flags.contains(.punctuation) ? Kind.punctuation : Kind.word
    }

    /// Appends the ids of a text and returns how many of them are unknown; stops once there are more than `limit`.
    /// nil if the text needs the general way; then `ids` is as it was.
    func appendIDs(of text: UnsafeBufferPointer<UInt8>, limit: Int, to ids: inout [Int32], scratch: inout TokenizerScratch) -> Int? {
        let first = ids.count
        // One character more than a word may have, so that a longer one is still seen to be longer.
        let capacity = (model.maxCharactersPerWord + 2) * 4
        if scratch.word.count < capacity { scratch.word = [UInt8](repeating: 0, count: capacity) }
        let unknowns: Int? = scratch.word.withUnsafeMutableBufferPointer { word in
            kinds.withUnsafeBufferPointer { kinds in
                lowered.withUnsafeBufferPointer { lowered in
                    scan(text, limit + first, word.baseAddress!, kinds.baseAddress!, lowered.baseAddress!, &ids)
                }
            }
        }
        if unknowns == nil { ids.removeSubrange(first...) }
        return unknowns
    }

    private struct Word {
        var length = 0
        var characters = 0
        var hash = Vocabulary.seed
    }

    @inline(__always)
    private func scan(
        _ text: UnsafeBufferPointer<UInt8>, _ limit: Int, _ buffer: UnsafeMutablePointer<UInt8>,
        _ kinds: UnsafePointer<UInt8>, _ lowered: UnsafePointer<UInt8>, _ ids: inout [Int32]
    ) -> Int? {
        var word = Word()
        var unknowns = 0
        let longest = model.maxCharactersPerWord
        var i = 0
        while i < text.count {
            let byte = text[i]
            let kind = kinds[Int(byte)]
            if kind == Kind.word {
                if word.characters <= longest {
                    let lower = lowered[Int(byte)]
                    buffer[word.length] = lower
                    word.length &+= 1
                    word.hash = Vocabulary.carry(word.hash, lower)
                }
                word.characters &+= 1
                i &+= 1
                continue
            }
            if kind == Kind.other {
                if added.firstBytes[Int(byte)], added.match(in: text, at: i) != nil { return nil }
                let (scalar, length) = UTF8Scalars.decode(text, at: i)
                i &+= length
                guard append(scalar, buffer, &word, &unknowns, &ids) else { return nil }
            } else {
                i &+= 1
                if kind == Kind.removed { continue }
                endWord(buffer, &word, &unknowns, &ids)
                if kind == Kind.punctuation {
                    buffer[0] = byte
                    word = Word(length: 1, characters: 1, hash: Vocabulary.carry(Vocabulary.seed, byte))
                    endWord(buffer, &word, &unknowns, &ids)
                }
            }
            if ids.count > limit { return unknowns }
        }
        endWord(buffer, &word, &unknowns, &ids)
        return unknowns
    }

    /// A character outside the plain run, with all that normalization may make of it. False if the general way is needed.
    @inline(never)
    private func append(
        _ scalar: UInt32, _ buffer: UnsafeMutablePointer<UInt8>, _ word: inout Word, _ unknowns: inout Int,
        _ ids: inout [Int32]
    ) -> Bool {
        if normalizer.cleansText, BertNormalizer.isRemoved(scalar) { return true }
        let separate = normalizer.separatesIdeographs && isBertIdeograph(scalar)
        if separate { endWord(buffer, &word, &unknowns, &ids) }
        var ok = true
        func add(_ part: UInt32) {
            let flags = ScalarProperties(part).flags
            if flags.contains(.whitespace) {
                endWord(buffer, &word, &unknowns, &ids)
                return
            }
            let punctuation = flags.contains(.punctuation)
            if punctuation { endWord(buffer, &word, &unknowns, &ids) }
            if word.characters <= model.maxCharactersPerWord {
                let length = UTF8Scalars.length(part)
                func put(_ byte: UInt32) {
                    let byte = UInt8(truncatingIfNeeded: byte)
                    buffer[word.length] = byte
                    word.length &+= 1
                    word.hash = Vocabulary.carry(word.hash, byte)
                }
                switch length {
                case 1: put(part)
                case 2:
                    put(0xC0 | part >> 6)
                    put(0x80 | part & 0x3F)
                case 3:
                    put(0xE0 | part >> 12)
                    put(0x80 | part >> 6 & 0x3F)
                    put(0x80 | part & 0x3F)
                default:
                    put(0xF0 | part >> 18)
                    put(0x80 | part >> 12 & 0x3F)
                    put(0x80 | part >> 6 & 0x3F)
                    put(0x80 | part & 0x3F)
                }
            }
            word.characters &+= 1
            if punctuation { endWord(buffer, &word, &unknowns, &ids) }
        }
        func lower(_ part: UInt32) {
            guard normalizer.lowercases else { return add(part) }
            add(lowercaseMapping(part))
            if part == 0x130 { add(0x307) }
        }
        if normalizer.stripsAccents {
            UnicodeNormalization.decompose(scalar, compatible: false, .huggingFace) { part, _ in
                if part < 0x300 { return lower(part) }
                let properties = ScalarProperties(part)
                if properties.flags.contains(.nonspacingMark) { return }
                // What stays and has a combining class may have to change places with another.
                if properties.combiningClass != 0 { ok = false }
                lower(part)
            }
        } else {
            lower(scalar)
        }
        if separate { endWord(buffer, &word, &unknowns, &ids) }
        return ok
    }

    @inline(__always)
    private func endWord(_ buffer: UnsafeMutablePointer<UInt8>, _ word: inout Word, _ unknowns: inout Int, _ ids: inout [Int32]) {
        guard word.characters > 0 else { return }
        if word.characters <= model.maxCharactersPerWord {
            // Most words are in the vocabulary as they are.
            let id = model.vocabulary.id(hash: word.hash, head: UnsafeBufferPointer(start: nil, count: 0), buffer, word.length)
            if id >= 0 { ids.append(id) } else { appendPieces(buffer, word.length, &unknowns, &ids) }
        } else {
            ids.append(model.unknownID)
            unknowns &+= 1
        }
        word = Word()
    }

    @inline(never)
    private func appendPieces(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ unknowns: inout Int, _ ids: inout [Int32]) {
        let before = ids.count
        var start = 0
        while start < count {
            let (id, length) = model.longestPiece(bytes + start, count - start, continuing: start > 0)
            if id < 0 {
                ids.removeSubrange(before...)
                ids.append(model.unknownID)
                unknowns &+= 1
                return
            }
            ids.append(id)
            start += length
        }
    }
}
