import FileFormats
import Foundation

/// What vocabularies are learnt from: stretches of text within which pieces may lie, each once, with the number of times it occurs.
///
/// A stretch ends where a word ends, where the script changes (kana and kanji count as one), between figures and other characters, and
/// at characters too rare to be in the vocabulary.
struct TrainingUnits {
    /// Characters as numbers into `alphabet`, one stretch after the other.
    private(set) var symbols: [UInt32] = []
    /// Stretch k is `symbols[starts[k]..<starts[k + 1]]`.
    private(set) var starts: [Int] = [0]
    private(set) var counts: [Int] = []
    /// Whether a stretch begins its word (for WordPiece, whose pieces inside a word look different).
    private(set) var beginsWord: [Bool] = []
    /// The single characters that are tokens, the most frequent first.
    private(set) var alphabet: [UInt32] = []

    var count: Int { counts.count }
    var isEmpty: Bool { counts.isEmpty }
    static let visibleSpace: UInt32 = 0x2581
    private static let visibleSpaceBytes: [UInt8] = [0xE2, 0x96, 0x81]
    /// Longer stretches are cut: likelihoods of longer ones would leave the range of floating-point numbers.
    private static let longest = 32

    init(
        _ texts: some Sequence<String>, pipeline: VocabularyTrainer.Pipeline, kind: VocabularyTrainer.Kind,
        options: VocabularyTrainer.Options
    ) throws {
        var words: [[UInt8]: Int] = [:]
        var text = PreTokenizedText()
        let mecab = try options.dictionary.map {
            MeCabWords(
                model: try MeCabModel(dictionary: $0), lowercases: false, neverLowercased: [],
                splitsAtSpace: false)
        }
        var lattice: MeCabLattice?
        for string in texts {
            var string = string
            string.withUTF8 { bytes in
                text.reset(tracksOffsets: false)
                var normalized = NormalizedText(bytes, tracksOffsets: false)
                pipeline.normalizer.normalize(&normalized)
                text.append(normalized)
                pipeline.preTokenizer.split(&text, lattice: &lattice)
                if let mecab, kind != .byteLevelBytePair { mecab.split(&text, lattice: &lattice) }
                // MeCab takes the visible space for a word; it belongs to the one that it begins.
                var space: Int?
                for word in text.words {
                    let start = space ?? word.start
                    space = nil
                    if mecab != nil, word.end < text.bytes.count, text.bytes[word.range].elementsEqual(Self.visibleSpaceBytes) {
                        space = start
                        continue
                    }
                    words[Array(text.bytes[start..<word.end]), default: 0] += 1
                }
            }
        }
        // A dictionary's order changes from run to run; the words' own does not.
        let sorted = words.sorted { $0.key.lexicographicallyPrecedes($1.key) }

        var frequency: [UInt32: Int] = [:]
        for (word, count) in sorted { Self.forEachScalar(word) { frequency[$0, default: 0] += count } }
        if kind == .byteLevelBytePair {
            alphabet = (0..<256).map { ByteLevelAlphabet.scalar(UInt8($0)) }.sorted()
        } else {
            let ranked = frequency.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
            let wanted = Double(ranked.reduce(0) { $0 + $1.value }) * options.characterCoverage
            var covered = 0.0
            for (scalar, count) in ranked {
                if covered >= wanted { break }
                alphabet.append(scalar)
                covered += Double(count)
            }
        }
        let number = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0)) })

        var units: [Unit: Int] = [:]
        for (word, count) in sorted {
            var unit = Unit(symbols: [], beginsWord: true)
            var last: UInt32?
            func end(_ unit: inout Unit) {
                if !unit.symbols.isEmpty { units[unit, default: 0] += count }
                unit = Unit(symbols: [], beginsWord: false)
            }
            Self.forEachScalar(word) { scalar in
                guard let symbol = number[scalar] else {
                    end(&unit)
                    last = nil
                    return
                }
                if let previous = last, kind != .byteLevelBytePair, !Self.join(previous, scalar) || unit.symbols.count >= Self.longest {
                    end(&unit)
                }
                unit.symbols.append(symbol)
                last = scalar
            }
            end(&unit)
        }
        for (unit, count) in units.sorted(by: { a, b in
            a.key.beginsWord != b.key.beginsWord ? a.key.beginsWord : a.key.symbols.lexicographicallyPrecedes(b.key.symbols)
        }) {
            symbols += unit.symbols
            starts.append(symbols.count)
            counts.append(count)
            beginsWord.append(unit.beginsWord)
        }
    }

    private struct Unit: Hashable {
        var symbols: [UInt32]
        var beginsWord: Bool
    }

    private static func forEachScalar(_ bytes: [UInt8], _ body: (UInt32) -> Void) {
        bytes.withUnsafeBufferPointer { buffer in
            var i = 0
            while i < buffer.count {
                let (scalar, length) = UTF8Scalars.decode(buffer, at: i)
                body(scalar)
                i += length
            }
        }
    }

    /// Whether a piece may hold these two neighbours.
    private static func join(_ a: UInt32, _ b: UInt32) -> Bool {
        if b == visibleSpace { return false }
        if a == visibleSpace { return true }
        let (p, q) = (ScalarProperties(a), ScalarProperties(b))
        if p.flags.contains(.numeric) != q.flags.contains(.numeric) { return false }
        // Marks and the prolonged sound mark go with what they follow.
        if q.flags.contains(.combiningMark) || b == 0x30FC { return true }
        return p.script == q.script || p.script == 0 || q.script == 0
    }

    func spelling(_ symbols: some Sequence<UInt32>) -> String {
        var result = String.UnicodeScalarView()
        for symbol in symbols { if let scalar = Unicode.Scalar(alphabet[Int(symbol)]) { result.append(scalar) } }
        return String(result)
    }
}
