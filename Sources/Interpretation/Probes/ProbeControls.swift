import FileFormats
import Tensors

// Controls: what a score is worth is seen only beside what a predictor without syntax reaches.

/// Predictors that know no syntax.
public enum ProbeBaseline: String, Sendable, CaseIterable {
    /// Every word depends on the one before it: distance = how far apart words stand, depth = how far from the beginning.
    case adjacentWords = "adjacent words"
    /// As before from right to left, where the sentence's head comes last, as in Japanese.
    case adjacentWordsBackward = "adjacent words, root last"

    package func predict(_ sentence: ProbeCorpus.Sentence) -> ProbePrediction {
        // Punctuation is left out of the tree, so words count as neighbours across it.
        var places: [Float] = []
        let scored = Set(sentence.scored)
        var place: Float = 0
        for word in 0..<sentence.count {
            if scored.contains(word) { place += 1 }
            places.append(scored.contains(word) ? place : place + 0.5)
        }
        let distances = places.flatMap { a in places.map { abs(a - $0) } }
        return ProbePrediction(distances: distances, depths: self == .adjacentWords ? places : places.map { -$0 })
    }
}

/// The control task of Hewitt & Liang ("Designing and Interpreting Probes with Control Tasks", EMNLP 2019) for trees: structure that
/// word types fix at random, so that a probe can find it only by learning the types by heart.
///
/// Every type draws one of three behaviours: it depends on the sentence's first word, on its last word, or on the word before. (The paper's
/// third behaviour, a word that depends on itself, is not an edge of a tree.) The first word is the root, the last depends on the first.
/// Selectivity is the real score minus the score here.
package struct ControlTask: Sendable {
    private let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// The treebank with the control's trees in place of its own. Train and dev of one control share the seed.
    package func corpus(_ original: ProbeCorpus) -> ProbeCorpus {
        let sentences = original.sentences.map { sentence in
            var sentence = sentence
            let last = sentence.count - 1
            let heads = sentence.forms.enumerated().map { place, form in
                if place == 0 { return -1 }
                if place == last { return 0 }
                return switch behaviour(form) {
                case 0: 0
                case 1: last
                default: place - 1
                }
            }
            // The heads make a tree: "the word before" leads to the first word or to one that hangs on the first or the last.
            if let tree = DependencyTree(heads: heads) { sentence.tree = tree }
            sentence.relations = heads.map { $0 < 0 ? "root" : "control" }
            sentence.bunsetsu = nil
            return sentence
        }
        return ProbeCorpus(file: original.file, punctuation: original.punctuation, sentences: sentences)
    }

    private func behaviour(_ form: String) -> Int {
        // FNV-1a names the type's stream of random numbers; Swift's own hash differs from run to run.
        let name = form.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        var stream = RandomSource(seed: seed).split(name)
        return stream.below(3)
    }
}
