/// A stretch of the original text, as half-open UTF-8 byte positions.
struct Alignment: Equatable, Sendable {
    var start: Int32
    var end: Int32

    @inline(__always)
    init(_ start: Int, _ end: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
    }
}

/// A rewriting of text, scalar by scalar, that says where each new scalar comes from: the convention of Hugging Face
/// tokenizers, whose offsets are the definition of correct here.
///
/// The change of a scalar is 0 where it replaces the next old scalar, positive where it is added, and −k where it replaces
/// the next old scalar and the k after that disappear.
struct Edits {
    var scalars: [UInt32] = []
    var changes: [Int32] = []

    mutating func reset() {
        scalars.removeAll(keepingCapacity: true)
        changes.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    mutating func append(_ scalar: UInt32, _ change: Int = 0) {
        scalars.append(scalar)
        changes.append(Int32(truncatingIfNeeded: change))
    }
}

/// Text under normalization: its UTF-8 bytes now and, for every byte, where in the original text it came from.
struct NormalizedText {
    var bytes: [UInt8]
    /// One for each byte where offsets are wanted, otherwise empty. Positions count from the start of the whole original text.
    var alignments: [Alignment]
    /// The part of the original text that this is.
    var originalStart: Int
    var originalEnd: Int
    let tracksOffsets: Bool
    /// Set when a step meets the one case whose result depends on alignments although none are kept; the caller starts again.
    var needsOffsets = false

    init(_ original: UnsafeBufferPointer<UInt8>, tracksOffsets: Bool) {
        bytes = Array(original)
        alignments = []
        originalStart = 0
        originalEnd = original.count
        self.tracksOffsets = tracksOffsets
        guard tracksOffsets else { return }
        alignments.reserveCapacity(original.count)
        var i = 0
        while i < original.count {
            let length = UTF8Scalars.decode(original, at: i).length
            let alignment = Alignment(i, i + length)
            for _ in 0..<length { alignments.append(alignment) }
            i += length
        }
    }

    private init(bytes: [UInt8], alignments: [Alignment], originalStart: Int, originalEnd: Int, tracksOffsets: Bool) {
        self.bytes = bytes
        self.alignments = alignments
        self.originalStart = originalStart
        self.originalEnd = originalEnd
        self.tracksOffsets = tracksOffsets
    }

    /// The part whose normalized bytes are `range`, which lies on scalar boundaries.
    func slice(_ range: Range<Int>) -> NormalizedText {
        guard tracksOffsets else {
            return NormalizedText(
                bytes: Array(bytes[range]), alignments: [], originalStart: originalStart, originalEnd: originalEnd,
                tracksOffsets: false)
        }
        // The reference maps an empty range to the same numbers.
        let start = range.isEmpty ? originalStart + range.lowerBound : Int(alignments[range.lowerBound].start)
        let end = range.isEmpty ? start : Int(alignments[range.upperBound - 1].end)
        return NormalizedText(
            bytes: Array(bytes[range]), alignments: Array(alignments[range]), originalStart: start,
            originalEnd: end, tracksOffsets: true)
    }

    /// Rewrites the whole text, leaving out its first `skipped` scalars.
    mutating func apply(_ edits: Edits, skipping skipped: Int = 0) {
        var range = 0..<bytes.count
        if tracksOffsets, originalEnd > originalStart {
            // The reference asks for the bytes that stand for the whole original text: what was inserted before the first
            // of them stands for nothing and is left alone.
            let first = alignments.firstIndex { $0.start != $0.end }
            if alignments.isEmpty { return }
            range = (first ?? bytes.count)..<bytes.count
        } else if tracksOffsets {
            range = 0..<0
        }
        apply(edits, to: range, skipping: skipped)
    }

    /// Rewrites `range` of the normalized bytes.
    mutating func apply(_ edits: Edits, to range: Range<Int>, skipping skipped: Int = 0) {
        var newBytes: [UInt8] = []
        newBytes.reserveCapacity(bytes.count + edits.scalars.count)
        var newAlignments: [Alignment] = []
        if tracksOffsets { newAlignments.reserveCapacity(bytes.count + edits.scalars.count) }
        newBytes.append(contentsOf: bytes[..<range.lowerBound])
        if tracksOffsets { newAlignments.append(contentsOf: alignments[..<range.lowerBound]) }

        bytes.withUnsafeBufferPointer { old in
            if !tracksOffsets {
                for scalar in edits.scalars { UTF8Scalars.append(scalar, to: &newBytes) }
                return
            }
            var position = range.lowerBound
            func skip(_ count: Int) {
                var left = count
                while left > 0, position < range.upperBound {
                    position += UTF8Scalars.decode(old, at: position).length
                    left -= 1
                }
            }
            skip(skipped)
            for (scalar, change) in zip(edits.scalars, edits.changes) {
                let alignment: Alignment
                if change > 0 {
                    alignment =
                        position < 1 || alignments.isEmpty
                        ? Alignment(originalStart, originalStart) : alignments[min(position, alignments.count) - 1]
                } else {
                    alignment =
                        position < alignments.count
                        ? alignments[position] : alignments.last ?? Alignment(originalStart, originalStart)
                    skip(1 - Int(change))
                }
                let length = newBytes.count
                UTF8Scalars.append(scalar, to: &newBytes)
                for _ in length..<newBytes.count { newAlignments.append(alignment) }
            }
        }
        newBytes.append(contentsOf: bytes[range.upperBound...])
        if tracksOffsets { newAlignments.append(contentsOf: alignments[range.upperBound...]) }
        bytes = newBytes
        alignments = newAlignments
    }

    /// Puts new bytes in the place of all, each standing for what the old byte `sources` names stood for.
    mutating func replaceAll(_ newBytes: [UInt8], sources: [Int]) {
        if tracksOffsets { alignments = sources.map { alignments[$0] } }
        bytes = newBytes
    }

    /// Calls `body` for each scalar.
    @inline(__always)
    func forEachScalar(_ body: (UInt32) -> Void) {
        bytes.withUnsafeBufferPointer { buffer in
            var i = 0
            while i < buffer.count {
                let (scalar, length) = UTF8Scalars.decode(buffer, at: i)
                body(scalar)
                i += length
            }
        }
    }

    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// Keeps the scalars that `keep` accepts.
    mutating func filter(_ keep: (UInt32) -> Bool) {
        var edits = Edits()
        var removed = 0
        var removedAtStart = 0
        var last: UInt32?
        var removesAny = false
        forEachScalar { scalar in
            if keep(scalar) {
                if let last { edits.append(last, -removed) } else { removedAtStart = removed }
                last = scalar
                removed = 0
            } else {
                removed += 1
                removesAny = true
            }
        }
        guard removesAny else { return }
        if let last { edits.append(last, -removed) }
        apply(edits, skipping: removedAtStart)
    }

    /// Replaces each scalar by what `transform` makes of it.
    mutating func map(_ transform: (UInt32) -> UInt32) {
        var edits = Edits()
        var changes = false
        forEachScalar { scalar in
            let new = transform(scalar)
            if new != scalar { changes = true }
            edits.append(new)
        }
        if changes { apply(edits) }
    }

    mutating func lowercase() {
        if !tracksOffsets, isASCII {
            for i in bytes.indices where bytes[i] &- 65 < 26 { bytes[i] |= 32 }
            return
        }
        var edits = Edits()
        forEachScalar { scalar in
            edits.append(lowercaseMapping(scalar))
            if scalar == 0x130 { edits.append(0x307, 1) }
        }
        apply(edits)
    }

    /// Puts `prefix` in front, unless the text is empty.
    mutating func prepend(_ prefix: [UInt32]) {
        guard !bytes.isEmpty else { return }
        let (first, length) = bytes.withUnsafeBufferPointer { UTF8Scalars.decode($0, at: 0) }
        var edits = Edits()
        for (i, scalar) in prefix.enumerated() { edits.append(scalar, i == 0 ? 0 : 1) }
        edits.append(first, 1)
        apply(edits, to: 0..<length)
    }

    /// Removes white space at the ends.
    mutating func strip(left: Bool, right: Bool) {
        var lower = 0
        var upper = bytes.count
        var leading = 0
        bytes.withUnsafeBufferPointer { buffer in
            if left {
                while lower < upper {
                    let (scalar, length) = UTF8Scalars.decode(buffer, at: lower)
                    guard ScalarProperties(scalar).flags.contains(.whitespace) else { break }
                    lower += length
                    leading += 1
                }
            }
            if right {
                while upper > lower {
                    let (scalar, length) = UTF8Scalars.decodeBackward(buffer, before: upper)
                    guard ScalarProperties(scalar).flags.contains(.whitespace) else { break }
                    upper -= length
                }
            }
        }
        guard lower > 0 || upper < bytes.count else { return }
        var edits = Edits()
        bytes.withUnsafeBufferPointer { buffer in
            var i = lower
            while i < upper {
                let (scalar, length) = UTF8Scalars.decode(buffer, at: i)
                edits.append(scalar)
                i += length
            }
        }
        apply(edits, skipping: leading)
    }

    /// Replaces every match by `content`, whose scalars all stand for the last scalar of the match.
    mutating func replace(_ pattern: TextPattern, with content: [UInt8]) {
        var matches: [PatternMatch] = []
        bytes.withUnsafeBufferPointer { pattern.appendMatches(in: $0, to: &matches) }
        guard matches.contains(where: \.isMatch) else { return }
        var newBytes: [UInt8] = []
        var newAlignments: [Alignment] = []
        for match in matches {
            if !match.isMatch {
                newBytes.append(contentsOf: bytes[match.range])
                if tracksOffsets { newAlignments.append(contentsOf: alignments[match.range]) }
                continue
            }
            newBytes.append(contentsOf: content)
            if match.end == 0, !content.isEmpty { needsOffsets = true }
            guard tracksOffsets else { continue }
            let alignment = match.end > 0 ? alignments[match.end - 1] : Alignment(originalStart, originalStart)
            for _ in content { newAlignments.append(alignment) }
        }
        bytes = newBytes
        alignments = newAlignments
    }
}
