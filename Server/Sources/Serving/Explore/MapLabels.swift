import Foundation
import Kotonoha

/// Names for the hills of a map, for a view from far away: hills are the catchments of the peaks of a smoothed density, their words those with the
/// highest c-TF-IDF (Grootendorst 2022), where a hill is a class.
///
/// Function words need no list: a word counts only where it is twice as frequent as among all words of its writing on the map (less where a hill has so
/// many of these words that none can be).
struct MapLabels: Sendable {
    struct Label: Sendable, Equatable {
        /// The peak, as shares of the map's extent, y downward.
        var x: Double, y: Double
        /// Points of the hill.
        var size: Int
        /// At most three, best first.
        var words: [String]
    }

    /// Texts whose words are counted, spread evenly; more would change little.
    private static let mostTexts = 60_000
    private static let mostLabels = 60

    /// - Parameters:
    ///   - shares: places of the points, as shares of the extent.
    ///   - aspect: width / height of the extent.
    ///   - text: of each point, UTF-8.
    static func find(
        shares: [(x: Double, y: Double)], aspect: Double, text: @escaping @Sendable (Int) -> ArraySlice<UInt8>, threads: Int
    ) -> [Label] {
        let hills = Hills(shares, aspect: aspect), least = Hills.least(of: shares.count)
        let chosen = hills.sizes.indices.filter { hills.sizes[$0] >= least }.sorted { (hills.sizes[$1], $0) < (hills.sizes[$0], $1) }
            .prefix(mostLabels)
        guard chosen.count > 1 else { return [] }
        let step = max(1, (shares.count + mostTexts - 1) / mostTexts), sample = Array(stride(from: 0, to: shares.count, by: step))
        let splitter = WordSplitter(), pieces = Parallel.chunks(sample.count, size: 1024)
        let counted = Parallel.map(pieces.count, threads: threads) { piece, _ -> [(hill: Int, words: [WordSplitter.Word])] in
            var scratch = JapaneseWords.Scratch()
            return pieces[piece].map { (hills.ofPoint[sample[$0]], splitter.words(of: text(sample[$0]), scratch: &scratch)) }
        }
        var counts = WordCounts(classes: hills.sizes.count)
        for (hill, words) in counted.joined() { counts.add(words, to: hill) }
        return chosen.compactMap { hill in
            let words = counts.best(of: hill, most: 3)
            return words.isEmpty ? nil : Label(x: hills.peaks[hill].x, y: hills.peaks[hill].y, size: hills.sizes[hill], words: words)
        }
    }
}

/// Words of classes.
struct WordCounts {
    private var ofClass: [[WordSplitter.Word: Int]]
    private var ofWord: [WordSplitter.Word: Int] = [:]
    /// Words of each writing, per class and in all.
    private var sums: [[Int]]
    private var total = [Int](repeating: 0, count: 2)
    private var texts: [Int]

    init(classes: Int) {
        ofClass = Array(repeating: [:], count: classes)
        sums = Array(repeating: [0, 0], count: classes)
        texts = Array(repeating: 0, count: classes)
    }

    /// A text's words, each counted once.
    mutating func add(_ words: [WordSplitter.Word], to place: Int) {
        texts[place] += 1
        for word in Set(words) {
            ofClass[place][word, default: 0] += 1
            ofWord[word, default: 0] += 1
            sums[place][word.writing] += 1
            total[word.writing] += 1
        }
    }

    /// The words of a class with the highest c-TF-IDF, tf · log(1 + A / f) with A words per class on average; none that is part of a better one.
    func best(of place: Int, most: Int) -> [String] {
        let average = Double(total[0] + total[1]) / Double(max(1, ofClass.count)), own = Double(sums[place][0] + sums[place][1])
        let least = max(3, texts[place] / 50)
        let scored = ofClass[place].compactMap { word, count -> (score: Double, text: String)? in
            let all = Double(ofWord[word] ?? count), writing = word.writing
            let most = Double(total[writing]) / Double(sums[place][writing]), wanted = min(2, 1 + (most - 1) / 2)
            guard count >= least, Double(count) / all * most >= wanted else { return nil }
            return (Double(count) / own * log(1 + average / all), word.text)
        }.sorted { $0.score != $1.score ? $0.score > $1.score : $0.text < $1.text }
        var found: [String] = []
        for (_, text) in scored where !found.contains(where: { $0.contains(text) || text.contains($0) }) {
            found.append(text)
            if found.count == most { break }
        }
        return found
    }
}

/// Cuts texts into words to count: Japanese by MeCab in dictionary forms, others at what is neither letter nor digit.
struct WordSplitter: Sendable {
    struct Word: Hashable, Sendable {
        var text: String
        /// 1 for words with kana or han, else 0.
        var writing: Int
    }

    private let mecab = try? JapaneseWords(form: .base)

    func words(of bytes: ArraySlice<UInt8>, scratch: inout JapaneseWords.Scratch) -> [Word] {
        let isASCII = bytes.allSatisfy { $0 < 0x80 }
        guard !isASCII else { return Self.runs(String(decoding: bytes, as: UTF8.self)) }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.unicodeScalars.contains(where: Self.isJapanese) else { return Self.runs(text) }
        var words: [Word] = []
        guard let mecab else { return Self.scriptRuns(text) }
        Array(bytes).withUnsafeBytes {
            mecab.forEachWord(in: $0, scratch: &scratch) { words += Self.kept(String(decoding: $0, as: UTF8.self)) }
        }
        return words
    }

    private static func isJapanese(_ scalar: Unicode.Scalar) -> Bool {
        (0x3041...0x30FF).contains(scalar.value) || (0x3400...0x9FFF).contains(scalar.value) || scalar.value == 0x3005
    }
    private static func isHiragana(_ scalar: Unicode.Scalar) -> Bool { (0x3041...0x309F).contains(scalar.value) }

    private static func kept(_ word: String) -> [Word] {
        guard word.unicodeScalars.contains(where: isJapanese) else { return runs(word) }
        // Short words of hiragana alone are particles and auxiliaries.
        if word.unicodeScalars.allSatisfy(isHiragana), word.unicodeScalars.count < 3 { return [] }
        return [Word(text: word, writing: 1)]
    }

    private static func runs(_ text: String) -> [Word] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }
            .filter { $0.unicodeScalars.count > 2 && $0.contains(where: \.isLetter) }.map { Word(text: String($0), writing: 0) }
    }

    /// Without a dictionary: runs of han or of katakana of two letters and more.
    private static func scriptRuns(_ text: String) -> [Word] {
        text.split { character in
            guard let scalar = character.unicodeScalars.first else { return true }
            return !isJapanese(scalar) || isHiragana(scalar)
        }.filter { $0.count > 1 }.map { Word(text: String($0), writing: 1) }
    }
}
