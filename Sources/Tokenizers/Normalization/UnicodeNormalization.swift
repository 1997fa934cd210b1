import CUnicodeTables

/// Unicode normalization forms (Unicode Standard Annex 15) over the tables of one of the two reference programs, with the
/// record of where each scalar came from that offsets need.
enum UnicodeNormalization {
    enum Form: Sendable {
        case nfd, nfkd, nfc, nfkc
        var isCompatible: Bool { self == .nfkd || self == .nfkc }
        var composes: Bool { self == .nfc || self == .nfkc }
    }

    /// Whose tables: an older release of the standard leaves newer scalars alone.
    enum Source: Sendable {
        case huggingFace, python
    }

    private static let hangulBase: UInt32 = 0xAC00
    private static let hangulCount: UInt32 = 11172

    @inline(__always)
    static func combiningClass(_ scalar: UInt32, _ source: Source) -> UInt8 {
        if scalar < 0x300 { return 0 }
        let properties = ScalarProperties(scalar)
        return source == .huggingFace ? properties.combiningClass : properties.pythonCombiningClass
    }

    /// Calls `body` with the full decomposition of `scalar`, and whether each part is its first.
    @inline(__always)
    static func decompose(_ scalar: UInt32, compatible: Bool, _ source: Source, _ body: (UInt32, Bool) -> Void) {
        if scalar < 0xA0 || scalar >= 0x110000 {
            body(scalar, true)
            return
        }
        let syllable = scalar &- hangulBase
        if syllable < hangulCount {
            body(0x1100 + syllable / 588, true)
            body(0x1161 + syllable % 588 / 28, false)
            if syllable % 28 != 0 { body(0x11A7 + syllable % 28, false) }
            return
        }
        let mapping = kn_mapping(scalar).pointee
        let length = Int(compatible ? mapping.compatibleLength : mapping.canonicalLength)
        guard length > 0 else {
            body(scalar, true)
            return
        }
        if source == .huggingFace {
            let flags = ScalarProperties(scalar).flags
            if flags.contains(compatible ? .compatibleUnknown : .canonicalUnknown) {
                body(scalar, true)
                return
            }
        }
        let parts = kn_pool(UInt32(compatible ? mapping.compatible : mapping.canonical))!
        for i in 0..<length { body(parts[i], i == 0) }
    }

    /// The primary composite of two scalars.
    static func compose(_ first: UInt32, _ second: UInt32, _ source: Source) -> UInt32? {
        if first &- 0x1100 < 19, second &- 0x1161 < 21 {
            return hangulBase + ((first - 0x1100) * 21 + (second - 0x1161)) * 28
        }
        if first &- hangulBase < hangulCount, (first - hangulBase) % 28 == 0, second &- 0x11A8 < 27 {
            return first + (second - 0x11A7)
        }
        let composed = kn_compose(first, second)
        guard composed != 0 else { return nil }
        if source == .huggingFace, ScalarProperties(composed).flags.contains(.canonicalUnknown) { return nil }
        return composed
    }

    /// The normal form of the scalars that `text` holds, as edits of it.
    static func edits(of text: NormalizedText, form: Form, source: Source) -> Edits {
        var edits = Edits()
        edits.scalars.reserveCapacity(text.bytes.count)
        edits.changes.reserveCapacity(text.bytes.count)
        var pendingFrom = 0  // where the run of scalars with a combining class above 0 begins
        text.forEachScalar { scalar in
            decompose(scalar, compatible: form.isCompatible, source) { part, isFirst in
                edits.append(part, isFirst ? 0 : 1)
                if combiningClass(part, source) == 0 {
                    reorder(&edits, from: pendingFrom, to: edits.scalars.count - 1, source)
                    pendingFrom = edits.scalars.count
                }
            }
        }
        reorder(&edits, from: pendingFrom, to: edits.scalars.count, source)
        return form.composes ? composed(edits, source) : edits
    }

    /// Stable sort by combining class. Runs are short in text; a hostile run of thousands is sorted by merging.
    private static func reorder(_ edits: inout Edits, from: Int, to: Int, _ source: Source) {
        guard to - from > 1 else { return }
        let order = (from..<to).sorted {
            let a = combiningClass(edits.scalars[$0], source)
            let b = combiningClass(edits.scalars[$1], source)
            return a != b ? a < b : $0 < $1
        }
        let scalars = order.map { edits.scalars[$0] }
        let changes = order.map { edits.changes[$0] }
        edits.scalars.replaceSubrange(from..<to, with: scalars)
        edits.changes.replaceSubrange(from..<to, with: changes)
    }

    /// Canonical composition. A mark that is taken into its base removes one scalar, which the base's change records.
    private static func composed(_ edits: Edits, _ source: Source) -> Edits {
        var result = Edits()
        result.scalars.reserveCapacity(edits.scalars.count)
        result.changes.reserveCapacity(edits.scalars.count)
        var starter: Int?  // position of the last starter in `result`
        var lastClass: UInt8?
        for (scalar, change) in zip(edits.scalars, edits.changes) {
            let scalarClass = combiningClass(scalar, source)
            if let starter, lastClass.map({ $0 < scalarClass }) ?? true,
                let composite = compose(result.scalars[starter], scalar, source)
            {
                result.scalars[starter] = composite
                result.changes[starter] += change - 1
                continue
            }
            if scalarClass == 0 {
                starter = result.scalars.count
                lastClass = nil
            } else if starter != nil {
                lastClass = scalarClass
            }
            result.append(scalar, Int(change))
        }
        return result
    }

    /// Text in a normal form by Python's tables.
    static func python(_ bytes: [UInt8], form: Form) -> [UInt8] {
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes }
        return bytes.withUnsafeBufferPointer { buffer in
            let edits = edits(of: NormalizedText(buffer, tracksOffsets: false), form: form, source: .python)
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            for scalar in edits.scalars { UTF8Scalars.append(scalar, to: &result) }
            return result
        }
    }
}

extension NormalizedText {
    mutating func normalize(_ form: UnicodeNormalization.Form) {
        if isASCII { return }
        apply(UnicodeNormalization.edits(of: self, form: form, source: .huggingFace))
    }
}
