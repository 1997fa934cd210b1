import Foundation
import Tensors

/// A sentence as words.
typealias Words = [String]

/// A sentence, and the same with a slip in it.
struct SentenceSlip: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        // Horizontal: the wrong word comes from the same sentence.
        case exchange, anticipation, perseveration
        // Vertical: a word like the intended one takes its place.
        case substitution

        var isHorizontal: Bool { self != .substitution }
    }

    let kind: Kind
    let intended: Words
    let produced: Words
    /// Places of the words that the slip concerns: where something wrong was said, and where it came from (the same place for a substitution).
    let places: (Int, Int)
}

/// Makes slips of both kinds in sentences of a corpus.
///
/// Horizontal slips concern two content words of one sentence that are alike in syntax (the same kind of writing, and the same particle after
/// them, as slips keep to the category) and in sound (length, shared characters): pairs are drawn by that likeness. Vertical slips put a near
/// neighbour of a content word into its place: nearest by the cosine of positive pointwise mutual information over two words on either side
/// (Levy, Goldberg & Dagan 2015), among words of the same kind of writing.
struct SlipGenerator: Sendable {
    private let neighbours: [String: [String]]

    init(corpus: [Words], vocabulary: Int = 4000, neighbours count: Int = 5) {
        neighbours = Self.neighbours(corpus, vocabulary: vocabulary, count: count)
    }

    /// Kinds of writing, as far as they tell content words from particles and endings.
    static func script(_ word: String) -> Character? {
        guard let first = word.unicodeScalars.first else { return nil }
        switch first.value {
        case 0x4E00...0x9FFF, 0x3005: return "漢"
        case 0x30A1...0x30FA: return word.count > 1 ? "カ" : nil
        default: return nil
        }
    }

    func slip(in sentence: Words, kind: SentenceSlip.Kind, _ random: inout RandomSource) -> SentenceSlip? {
        kind.isHorizontal ? horizontal(sentence, kind, &random) : vertical(sentence, &random)
    }

    private func horizontal(_ sentence: Words, _ kind: SentenceSlip.Kind, _ random: inout RandomSource) -> SentenceSlip? {
        let places = sentence.indices.filter { Self.script(sentence[$0]) != nil }
        var pairs: [(Int, Int, Double)] = []
        for i in places {
            for j in places where j > i && sentence[i] != sentence[j] && Self.script(sentence[i]) == Self.script(sentence[j]) {
                let sameFrame = i + 1 < j && j + 1 < sentence.count && sentence[i + 1] == sentence[j + 1]
                let shared = Set(sentence[i]).intersection(sentence[j]).count
                let lengths = abs(sentence[i].count - sentence[j].count)
                pairs.append((i, j, exp((sameFrame ? 1 : 0) + 0.7 * Double(shared) - 0.7 * Double(lengths) - 0.1 * Double(j - i))))
            }
        }
        guard !pairs.isEmpty else { return nil }
        var left = random.uniform() * pairs.reduce(0) { $0 + $1.2 }
        let (i, j, _) = pairs.first { left -= $0.2; return left < 0 } ?? pairs[pairs.count - 1]
        var produced = sentence
        switch kind {
        case .exchange: produced.swapAt(i, j)
        case .anticipation: produced[i] = sentence[j]
        default: produced[j] = sentence[i]
        }
        return SentenceSlip(kind: kind, intended: sentence, produced: produced, places: kind == .perseveration ? (j, i) : (i, j))
    }

    private func vertical(_ sentence: Words, _ random: inout RandomSource) -> SentenceSlip? {
        let places = sentence.indices.filter { neighbours[sentence[$0]]?.isEmpty == false }
        guard !places.isEmpty else { return nil }
        let place = places[random.below(places.count)]
        guard let near = neighbours[sentence[place]] else { return nil }
        var produced = sentence
        produced[place] = near[random.below(near.count)]
        guard produced != sentence else { return nil }
        return SentenceSlip(kind: .substitution, intended: sentence, produced: produced, places: (place, place))
    }

    /// Another slip of the same kind that was not made: a foil. Nil where the sentence allows none.
    func foil(for slip: SentenceSlip, _ random: inout RandomSource) -> Words? {
        for _ in 0..<20 {
            if let other = self.slip(in: slip.intended, kind: slip.kind, &random), other.produced != slip.produced { return other.produced }
        }
        return nil
    }

    /// A sentence that no slip gives: two words of different kinds, a content word and a particle, have changed places.
    static func impossibleFoil(for slip: SentenceSlip, _ random: inout RandomSource) -> Words? {
        let content = slip.intended.indices.filter { script(slip.intended[$0]) != nil }
        let others = slip.intended.indices.filter { script(slip.intended[$0]) == nil }
        guard !content.isEmpty, !others.isEmpty else { return nil }
        var produced = slip.intended
        produced.swapAt(content[random.below(content.count)], others[random.below(others.count)])
        return produced
    }

    private static func neighbours(_ corpus: [Words], vocabulary: Int, count wanted: Int) -> [String: [String]] {
        var counts: [String: Int] = [:]
        for sentence in corpus { for word in sentence { counts[word, default: 0] += 1 } }
        let words = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(vocabulary).filter { $0.value >= 5 }.map(\.key)
        let number = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
        var together = [[Int: Double]](repeating: [:], count: words.count)
        var totals = [Double](repeating: 0, count: words.count), total = 0.0
        for sentence in corpus {
            let ids = sentence.map { number[$0] }
            for i in ids.indices {
                guard let a = ids[i] else { continue }
                for j in max(0, i - 2)..<min(ids.count, i + 3) where j != i {
                    guard let b = ids[j] else { continue }
                    together[a][b, default: 0] += 1
                    totals[a] += 1
                    total += 1
                }
            }
        }
        // Contexts are smoothed with exponent 0.75, as the paper advises.
        let smoothed = totals.map { pow($0, 0.75) }, smoothedTotal = smoothed.reduce(0, +)
        var columns = [[(word: Int, value: Double)]](repeating: [], count: words.count)
        var rows = [[(context: Int, value: Double)]](repeating: [], count: words.count)
        for a in words.indices where script(words[a]) != nil {
            var weights: [(Int, Double)] = []
            for (b, n) in together[a].sorted(by: { $0.key < $1.key }) where n > 1 {
                let information = log(n / totals[a] / (smoothed[b] / smoothedTotal))
                if information > 0 { weights.append((b, information)) }
            }
            let norm = weights.reduce(0) { $0 + $1.1 * $1.1 }.squareRoot()
            for (b, value) in weights where norm > 0 {
                rows[a].append((b, value / norm))
                columns[b].append((a, value / norm))
            }
        }
        var result: [String: [String]] = [:]
        for a in words.indices where !rows[a].isEmpty {
            var cosines: [Int: Double] = [:]
            for (context, value) in rows[a] { for (b, other) in columns[context] where b != a { cosines[b, default: 0] += value * other } }
            result[words[a]] = cosines.filter { script(words[$0.key]) == script(words[a]) }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .prefix(wanted).map { words[$0.key] }
        }
        return result
    }
}
