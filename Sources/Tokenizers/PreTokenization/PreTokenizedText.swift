/// What happens to the matches at which a text is split.
enum SplitBehavior: String, Sendable, CaseIterable {
    case removed, isolated, mergedWithPrevious, mergedWithNext, contiguous
}

/// Normalized text divided into the words that the model sees: one buffer of bytes, with the words as ranges of it.
struct PreTokenizedText {
    struct Word {
        /// Bytes of the buffer.
        var start: Int
        var end: Int
        /// The part of the original text that the word stands for.
        var originalStart: Int
        var originalEnd: Int
        /// The added token that this is, −1 where the model decides.
        var addedToken: Int32 = -1
        var range: Range<Int> { start..<end }
    }

    var bytes: [UInt8] = []
    /// One for each byte where offsets are wanted, otherwise empty.
    var alignments: [Alignment] = []
    var words: [Word] = []
    var tracksOffsets = false
    private var matches: [PatternMatch] = []
    private var pieces: [Word] = []

    mutating func reset(tracksOffsets: Bool) {
        bytes.removeAll(keepingCapacity: true)
        alignments.removeAll(keepingCapacity: true)
        words.removeAll(keepingCapacity: true)
        self.tracksOffsets = tracksOffsets
    }

    /// Adds normalized text as one word; nothing where it is empty.
    mutating func append(_ text: NormalizedText, addedToken: Int32 = -1) {
        guard !text.bytes.isEmpty else { return }
        let start = bytes.count
        bytes.append(contentsOf: text.bytes)
        if tracksOffsets { alignments.append(contentsOf: text.alignments) }
        words.append(
            Word(
                start: start, end: bytes.count, originalStart: text.originalStart, originalEnd: text.originalEnd,
                addedToken: addedToken))
    }

    /// A word's part as a word of its own.
    @inline(__always)
    private func part(_ word: Word, _ start: Int, _ end: Int) -> Word {
        guard tracksOffsets, end > start else {
            return Word(start: word.start + start, end: word.start + end, originalStart: word.originalStart, originalEnd: word.originalEnd)
        }
        return Word(
            start: word.start + start, end: word.start + end, originalStart: Int(alignments[word.start + start].start),
            originalEnd: Int(alignments[word.start + end - 1].end))
    }

    /// Splits every word at the matches of a pattern; `inverted` takes what lies between the matches for the matches.
    mutating func split(_ pattern: TextPattern, _ behavior: SplitBehavior, inverted: Bool = false) {
        pieces.removeAll(keepingCapacity: true)
        for word in words {
            if word.addedToken >= 0 {
                pieces.append(word)
                continue
            }
            matches.removeAll(keepingCapacity: true)
            bytes.withUnsafeBufferPointer { buffer in
                pattern.appendMatches(in: UnsafeBufferPointer(rebasing: buffer[word.range]), to: &matches)
            }
            if inverted { for i in matches.indices { matches[i].isMatch.toggle() } }
            let from = pieces.count
            var previous = false
            func add(_ match: PatternMatch) { pieces.append(part(word, match.start, match.end)) }
            func extend(_ match: PatternMatch) {
                pieces[pieces.count - 1] = part(word, pieces[pieces.count - 1].start - word.start, match.end)
            }
            switch behavior {
            case .isolated: for match in matches { add(match) }
            case .removed: for match in matches where !match.isMatch { add(match) }
            case .contiguous:
                for match in matches {
                    if match.isMatch == previous, pieces.count > from { extend(match) } else { add(match) }
                    previous = match.isMatch
                }
            case .mergedWithPrevious:
                for match in matches {
                    if match.isMatch, !previous, pieces.count > from { extend(match) } else { add(match) }
                    previous = match.isMatch
                }
            case .mergedWithNext:
                // From the end, as the reference does it: a match joins what was added last, which is what follows it.
                for match in matches.reversed() {
                    if match.isMatch, !previous, pieces.count > from {
                        let next = pieces[pieces.count - 1]
                        pieces[pieces.count - 1] = part(word, match.start, next.end - word.start)
                    } else {
                        add(match)
                    }
                    previous = match.isMatch
                }
                pieces[from...].reverse()
            }
        }
        pieces.removeAll { $0.start == $0.end }
        swap(&words, &pieces)
    }

    /// Splits every word into the parts that `scan` reports in order; what lies between them is left out.
    mutating func split(isolating scan: (UnsafeBufferPointer<UInt8>, (Int, Int) -> Void) -> Void) {
        pieces.removeAll(keepingCapacity: true)
        for word in words {
            if word.addedToken >= 0 {
                pieces.append(word)
                continue
            }
            matches.removeAll(keepingCapacity: true)
            bytes.withUnsafeBufferPointer { buffer in
                scan(UnsafeBufferPointer(rebasing: buffer[word.range])) { start, end in
                    if end > start { matches.append(PatternMatch(start: start, end: end, isMatch: true)) }
                }
            }
            for match in matches { pieces.append(part(word, match.start, match.end)) }
        }
        swap(&words, &pieces)
    }

    /// Rewrites every word: `rewrite` gets its bytes and appends the new ones, giving for each new byte the old byte of the word
    /// it stands for, or −1 for what stands for nothing.
    mutating func rewrite(_ rewrite: (UnsafeBufferPointer<UInt8>, Word, inout [UInt8], inout [Int32]) -> Void) {
        var newBytes: [UInt8] = []
        newBytes.reserveCapacity(bytes.count * 2)
        var newAlignments: [Alignment] = []
        var sources: [Int32] = []
        bytes.withUnsafeBufferPointer { buffer in
            for i in words.indices {
                let word = words[i]
                let start = newBytes.count
                if word.addedToken >= 0 {
                    newBytes.append(contentsOf: buffer[word.range])
                    if tracksOffsets { newAlignments.append(contentsOf: alignments[word.range]) }
                } else {
                    sources.removeAll(keepingCapacity: true)
                    rewrite(UnsafeBufferPointer(rebasing: buffer[word.range]), word, &newBytes, &sources)
                    if tracksOffsets {
                        for source in sources {
                            newAlignments.append(
                                source >= 0
                                    ? alignments[word.start + Int(source)]
                                    : Alignment(word.originalStart, word.originalStart))
                        }
                    }
                }
                words[i].start = start
                words[i].end = newBytes.count
            }
        }
        bytes = newBytes
        alignments = newAlignments
    }

    /// The bytes of the original text that bytes `start..<end` of a word stand for.
    func originalRange(_ word: Word, _ start: Int, _ end: Int) -> Range<Int> {
        if start >= end { return word.originalStart + start..<max(word.originalStart + end, word.originalStart + start) }
        let low = word.start + start
        let high = word.start + end
        guard high <= alignments.count else { return start..<end }
        let from = Int(alignments[low].start)
        return from..<max(from, Int(alignments[high - 1].end))
    }
}
