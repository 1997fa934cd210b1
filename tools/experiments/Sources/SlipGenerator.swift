import Foundation
import LanguageModels
import Tensors
import Training

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
/// Horizontal slips concern two content words of one sentence. Syntax: they are of one class, verbs and adjectives in one form, and the same
/// particle after both makes a pair likelier, as slips keep to the category (Garrett 1975). Phonology: likeness of their phonemes and equal
/// length make it likelier (Dell & Reich 1981), and so does nearness. Pairs are drawn by that likeness. Vertical slips put one of a content
/// word's nearest neighbours into its place (`WordNeighbours`).
final class SlipGenerator {
    private let analysis: WordAnalysis
    private let neighbours: [String: [String]]

    /// - Parameter neighbours: what vertical slips draw from.
    init(analysis: WordAnalysis, neighbours: WordNeighbours) {
        self.analysis = analysis
        self.neighbours = neighbours.nearest
    }

    /// The words of a sentence that is written without spaces.
    func words(of sentence: String) -> Words { analysis.words(of: sentence).map(\.surface) }

    /// exp of a sum of what speaks for an exchange of two words of one class.
    private func likeness(_ sentence: Words, _ i: Int, _ j: Int) -> Double {
        let a = analysis.word(sentence[i]).sounds, b = analysis.word(sentence[j]).sounds
        let sameFrame = i + 1 < j && j + 1 < sentence.count && sentence[i + 1] == sentence[j + 1]
        let longest = max(a.count, b.count, 1)
        let alike = a.isEmpty || b.isEmpty ? 0 : 1 - Double(SequenceComparison(target: a, output: b).distance) / Double(longest)
        return exp((sameFrame ? 1 : 0) + 2 * alike - 0.2 * Double(abs(a.count - b.count)) - 0.1 * Double(j - i))
    }

    func slip(in sentence: Words, kind: SentenceSlip.Kind, _ random: inout RandomSource) -> SentenceSlip? {
        kind.isHorizontal ? horizontal(sentence, kind, &random) : vertical(sentence, &random)
    }

    private func horizontal(_ sentence: Words, _ kind: SentenceSlip.Kind, _ random: inout RandomSource) -> SentenceSlip? {
        let places = sentence.indices.filter { analysis.word(sentence[$0]).category != nil }
        var pairs: [(Int, Int, Double)] = []
        for i in places {
            for j in places
            where j > i && sentence[i] != sentence[j] && analysis.word(sentence[i]).category == analysis.word(sentence[j]).category {
                pairs.append((i, j, likeness(sentence, i, j)))
            }
        }
        guard !pairs.isEmpty else { return nil }
        var left = random.uniform() * pairs.reduce(0) { $0 + $1.2 }
        let (i, j, _) =
            pairs.first {
                left -= $0.2
                return left < 0
            } ?? pairs[pairs.count - 1]
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
    func impossibleFoil(for slip: SentenceSlip, _ random: inout RandomSource) -> Words? {
        let content = slip.intended.indices.filter { analysis.word(slip.intended[$0]).category != nil }
        let others = slip.intended.indices.filter { analysis.word(slip.intended[$0]).category == nil }
        guard !content.isEmpty, !others.isEmpty else { return nil }
        var produced = slip.intended
        produced.swapAt(content[random.below(content.count)], others[random.below(others.count)])
        return produced
    }
}
