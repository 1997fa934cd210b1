/// Extended grapheme clusters (Unicode Standard Annex 29), by the generated tables.
enum GraphemeClusters {
    private enum Break {
        static let cr: UInt8 = 1, lf: UInt8 = 2, control: UInt8 = 3, extend: UInt8 = 4, zwj: UInt8 = 5, regionalIndicator: UInt8 = 6
        static let prepend: UInt8 = 7, spacingMark: UInt8 = 8, l: UInt8 = 9, v: UInt8 = 10, t: UInt8 = 11, lv: UInt8 = 12, lvt: UInt8 = 13
    }

    /// Where the cluster that begins at `start` ends.
    static func end(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var (scalar, length) = UTF8Scalars.decode(text, at: start)
        var properties = ScalarProperties(scalar)
        var previous = properties.clusterBreak
        var indicators = previous == Break.regionalIndicator ? 1 : 0
        var pictograph = properties.flags.contains(.pictographic)  // pictograph, then only extending characters
        var joinsPictograph = false  // … and a joiner last
        var consonant = properties.conjunctBreak == 1  // consonant, then only extending and linking characters
        var linked = false  // … a linker among them
        var i = start + length
        while i < text.count {
            (scalar, length) = UTF8Scalars.decode(text, at: i)
            properties = ScalarProperties(scalar)
            let next = properties.clusterBreak
            let joins: Bool
            if previous == Break.cr {
                joins = next == Break.lf
            } else if previous == Break.lf || previous == Break.control || next == Break.cr || next == Break.lf || next == Break.control {
                joins = false
            } else if next == Break.extend || next == Break.zwj || next == Break.spacingMark || previous == Break.prepend {
                joins = true
            } else if previous == Break.l {
                joins = next == Break.l || next == Break.v || next == Break.lv || next == Break.lvt
            } else if previous == Break.lv || previous == Break.v {
                joins = next == Break.v || next == Break.t
            } else if previous == Break.lvt || previous == Break.t {
                joins = next == Break.t
            } else if properties.conjunctBreak == 1, consonant, linked {
                joins = true
            } else if joinsPictograph, properties.flags.contains(.pictographic) {
                joins = true
            } else {
                joins = previous == Break.regionalIndicator && next == Break.regionalIndicator && indicators % 2 == 1
            }
            guard joins else { return i }
            indicators = next == Break.regionalIndicator ? indicators + 1 : 0
            joinsPictograph = pictograph && next == Break.zwj
            pictograph = properties.flags.contains(.pictographic) || (pictograph && next == Break.extend)
            switch properties.conjunctBreak {
            case 1: (consonant, linked) = (true, false)
            case 2: linked = consonant
            case 3: break
            default: (consonant, linked) = (false, false)
            }
            previous = next
            i += length
        }
        return i
    }
}
