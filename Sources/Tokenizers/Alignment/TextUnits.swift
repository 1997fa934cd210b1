import FileFormats
import Foundation
import Synchronization

/// A text and the stretches of it that somebody asks about: words, or regions that its author has marked.
public struct TextUnits: Sendable, Equatable {
    /// Without marks.
    package var text: String
    /// Words as ranges of UTF-8, in the order of the text.
    package var words: [Range<Int>]
    /// Regions between marks, without the spaces around them; empty if nothing was marked.
    package var regions: [Range<Int>]
    /// Whether the words are those between spaces; else MeCab found them.
    package var isSpaced: Bool

    package init(text: String, words: [Range<Int>], regions: [Range<Int>] = [], isSpaced: Bool = true) {
        (self.text, self.words, self.regions, self.isSpaced) = (text, words, regions, isSpaced)
    }

    /// For each token the unit that it counts to: the one that contains its first non-space character. Spaces belong to what follows,
    /// and what lies in no unit to the one before it.
    ///
    /// - Parameters:
    ///   - ranges: units in the order of the text.
    ///   - offsets: for each token its range in the text.
    /// - Returns: a place in `ranges`, nil for tokens that stand for no text; and how many tokens reach into the unit after theirs.
    package func owners(of offsets: [Range<Int>], isText: [Bool], among ranges: [Range<Int>]) -> (owners: [Int?], crossing: Int) {
        let bytes = Array(text.utf8)
        var crossing = 0
        let owners = zip(offsets, isText).map { range, isText -> Int? in
            guard isText, !ranges.isEmpty else { return nil }
            let place =
                range.first { bytes.indices.contains($0) && bytes[$0] != 0x20 && bytes[$0] != 0x09 && bytes[$0] != 0x0A }
                ?? range.upperBound
            // Units come in the order of the text: the first that ends behind the place.
            var low = 0, high = ranges.count
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].upperBound > place { high = middle } else { low = middle + 1 }
            }
            let unit = min(low, ranges.count - 1)
            if unit + 1 < ranges.count, ranges[unit + 1].lowerBound < range.upperBound { crossing += 1 }
            return unit
        }
        return (owners, crossing)
    }
}

/// Cuts texts into words: at spaces, or by MeCab where Japanese has none.
package final class WordCutter: Sendable {
    /// Where words end.
    package enum Rule: String, Sendable, CaseIterable {
        /// MeCab for texts with kana and without spaces, else spaces.
        case auto
        case spaces
        case mecab
    }

    package let rule: Rule
    private let dictionary: URL
    private let loaded = Mutex<MeCabModel?>(nil)

    /// - Parameter dictionary: a MeCab dictionary, opened with the first text that needs it; nil takes `KOTONOHA_MECAB_DIC`, else Debian's.
    package init(_ rule: Rule = .auto, dictionary: String? = nil) {
        self.rule = rule
        let named = dictionary ?? ProcessInfo.processInfo.environment["KOTONOHA_MECAB_DIC"].flatMap { $0.isEmpty ? nil : $0 }
        self.dictionary = URL(fileURLWithPath: named ?? MeCabModel.defaultDictionary)
    }

    /// - Parameter mark: what is between regions, as "/"; nil for texts without marks.
    /// - Throws: `DataError` if MeCab is needed and there is no such dictionary.
    package func cut(_ text: String, mark: String? = nil) throws -> TextUnits {
        var plain = text, regions: [Range<Int>] = []
        if let mark, !mark.isEmpty { (plain, regions) = Self.regions(text, mark: mark) }
        let usesMeCab =
            switch rule {
            case .auto: !plain.contains(where: \.isWhitespace) && plain.unicodeScalars.contains { (0x3041...0x30FF).contains($0.value) }
            case .spaces: false
            case .mecab: true
            }
        let words = usesMeCab ? try japanese(plain) : Self.spaced(plain)
        return TextUnits(text: plain, words: words, regions: regions, isSpaced: !usesMeCab)
    }

    private func japanese(_ text: String) throws -> [Range<Int>] {
        let model = try loaded.withLock { loaded in
            if let loaded { return loaded }
            let model = try MeCabModel(dictionary: dictionary)
            loaded = model
            return model
        }
        var ranges: [Range<Int>] = [], lattice: MeCabLattice?
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { model.forEachWord(in: $0, lattice: &lattice) { ranges.append($0..<$1) } }
        return ranges
    }

    private static func spaced(_ text: String) -> [Range<Int>] {
        text.split(whereSeparator: \.isWhitespace).map { part in
            let start = text.utf8.distance(from: text.startIndex, to: part.startIndex)
            return start..<start + part.utf8.count
        }
    }

    /// The text without its marks, and the stretches between them. Where spaces are on both sides of a mark, one remains.
    static func regions(_ text: String, mark: String) -> (text: String, regions: [Range<Int>]) {
        var plain = "", regions: [Range<Int>] = []
        for part in text.components(separatedBy: mark) {
            var part = Substring(part)
            if plain.isEmpty || plain.last?.isWhitespace == true { part = part.drop(while: \.isWhitespace) }
            let core = part.drop(while: \.isWhitespace)
            let trailing = core.reversed().prefix(while: \.isWhitespace).reversed()
            let length = core.utf8.count - trailing.reduce(0) { $0 + $1.utf8.count }
            let start = plain.utf8.count + part.utf8.count - core.utf8.count
            if length > 0 { regions.append(start..<start + length) }
            plain += part
        }
        return (plain, regions)
    }
}
