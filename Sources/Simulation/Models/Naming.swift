import Foundation
import Tensors

/// Word retrieval in picture naming by spreading activation in two steps.
///
/// Dell, Schwartz, Martin, Saffran & Gagnon (1997), Psychological Review 104, 801–838: one connection weight and a decay rate
/// (`weightDecay`). Foygel & Dell (2000), Journal of Memory and Language 43, 182–216: weights of the semantic–lexical and of the
/// lexical–phonological connections (`semanticPhonological`).
///
/// Features, words and phonemes excite each other in both directions. The features of the target get a jolt; after eight steps the most
/// active word is set to 100; after eight more the most active onset, vowel and coda are the response. A six-word lexicon stands for the
/// neighbourhood of a word of the Philadelphia Naming Test: the target CAT, a semantic (DOG), a formal (MAT) and two unrelated neighbours
/// (LOG, FOG), and HAT, in whose place every tenth trial has RAT, which is both similar and related.
public struct NamingModel: Sendable {
    /// The versions of the model that are compared.
    public enum Variant: String, Sendable, CaseIterable {
        /// Semantic and phonological weights s and p, decay .6.
        case semanticPhonological = "sp"
        /// One weight and a decay rate.
        case weightDecay = "wd"

        /// Names of the free parameters, in their order.
        package var parameterNames: [String] { self == .semanticPhonological ? ["s", "p"] : ["weight", "decay"] }

        /// The published values for people without aphasia.
        package var controlValues: [Double] { self == .semanticPhonological ? [0.0698, 0.1] : [0.1, 0.5] }
    }

    /// Kinds of responses.
    public enum Category: Int, Sendable, CaseIterable {
        case correct, semantic, formal, nonword, mixed, unrelated

        /// The English name.
        package var name: String { "\(self)" }
        package var japaneseName: String {
            switch self {
            case .correct: "正答"
            case .semantic: "意味性錯語"
            case .formal: "形式性錯語"
            case .nonword: "非語"
            case .mixed: "混合性錯語"
            case .unrelated: "無関連錯語"
            }
        }
    }

    /// Share of trials whose lexicon has a word that is related and similar.
    package static let mixedShare = 0.1
    static let steps = 8, jolt = 10.0, boost = 100.0, sd = 0.01, relativeSD = 0.16

    /// The version.
    package let variant: Variant
    /// How many of its ten semantic features each related word shares with the target: one word, three features.
    package var sharedFeatures = [3]

    /// A model of one version.
    public init(_ variant: Variant) { self.variant = variant }

    /// Proportions of responses by category, in the order of `Category`.
    ///
    /// - Parameters:
    ///   - values: in the order of `variant.parameterNames`; weights at least 0, decay in 0 ... 1.
    ///   - trials: as many simulated pictures; the last tenth of them with the mixed neighbour.
    /// - Throws: `DataError` for values that are not finite.
    public func counts(_ values: [Double], trials: Int, seed: UInt64, threads: Int = Parallel.availableThreads) throws -> [Int] {
        let (parameters, decay) = parameters(values)
        let mixed = Int((Double(trials) * Self.mixedShare).rounded())
        var counts = [Int](repeating: 0, count: Category.allCases.count)
        for (hasMixed, trials) in [(false, trials - mixed), (true, mixed)] where trials > 0 {
            let lexicon = Lexicon(hasMixedNeighbour: hasMixed, sharedFeatures: sharedFeatures)
            let trial = TrialProtocol(
                [
                    .init(at: 0, .add((0..<10).map { lexicon.semantic[$0] }, Self.jolt)),
                    .init(at: Self.steps, .boostWinner(lexicon.words, to: Self.boost)),
                ], stop: .steps(2 * Self.steps))
            let simulator = try Simulator(
                network: lexicon.network, dynamics: .spreading(decay: decay, sd: Self.sd, relativeSD: Self.relativeSD), trial: trial,
                parameters: parameters)
            let found = simulator.counts(
                trials: trials, seed: seed, stream: hasMixed ? 1 : 0, categories: counts.count, threads: threads, classify: lexicon.category
            )
            for i in counts.indices { counts[i] += found[i] }
        }
        return counts
    }

    /// Weights of the links, and the decay.
    func parameters(_ values: [Double]) -> (weights: [String: Double], decay: Double) {
        variant == .semanticPhonological ? (["s": values[0], "p": values[1]], 0.6) : (["s": values[0], "p": values[0]], values[1])
    }

    /// The network of one trial, and what its phonemes spell.
    package struct Lexicon: Sendable {
        package private(set) var network = Network()
        let semantic: Network.Bank, words: Network.Bank, phonemes: Network.Bank
        private let categories: [Category]
        /// Places of onset, vowel and coda of each word among the phonemes.
        private let forms: [[Int]]
        /// Onsets, vowels and codas among the phonemes.
        static let slots = [0..<6, 6..<8, 8..<10]

        package init(hasMixedNeighbour: Bool, sharedFeatures: [Int]) {
            let related = sharedFeatures.count
            // Ten features a word; those shared with the target are its last ones.
            var features = [Array(0..<10)], next = 10
            func word(sharing shared: Int) -> [Int] {
                defer { next += 10 - shared }
                return Array(10 - shared..<10) + Array(next..<next + 10 - shared)
            }
            features += sharedFeatures.map { word(sharing: $0) }
            features.append(word(sharing: 0))
            features.append(word(sharing: hasMixedNeighbour ? sharedFeatures.max() ?? 0 : 0))
            features += [word(sharing: 0), word(sharing: 0)]
            let names =
                ["CAT"] + (related == 1 ? ["DOG"] : (0..<related).map { "DOG\($0 + 1)" }) + [
                    "MAT", hasMixedNeighbour ? "RAT" : "HAT", "LOG", "FOG",
                ]
            categories =
                [.correct] + [Category](repeating: .semantic, count: related) + [
                    .formal, hasMixedNeighbour ? .mixed : .formal, .unrelated, .unrelated,
                ]
            // Related words beyond the first share DOG's form, so that phonology is that of the published lexicon.
            forms = [[0, 6, 8]] + [[Int]](repeating: [1, 7, 9], count: related) + [[2, 6, 8], [3, 6, 8], [4, 7, 9], [5, 7, 9]]
            semantic = network.addBank("semantic features", units: (0..<next).map { "feature \($0 + 1)" })
            words = network.addBank("words", units: names)
            phonemes = network.addBank("phonemes", units: ["k", "d", "m", hasMixedNeighbour ? "r" : "h", "l", "f", "æ", "ɒ", "t", "g"])
            let meaning = features.map { own in (0..<next).map { own.contains($0) ? 1.0 : 0 } }
            let spelling = (0..<10).map { phoneme in forms.map { $0.contains(phoneme) ? 1.0 : 0 } }
            network.addLink(from: semantic, to: words, weights: meaning, parameter: "s", isSymmetric: true)
            network.addLink(from: words, to: phonemes, weights: spelling, parameter: "p", isSymmetric: true)
        }

        /// The category of what the most active onset, vowel and coda spell.
        @Sendable func category(_ a: Activations) -> Int {
            func winner(_ slot: Range<Int>) -> Int { a.winner(phonemes[slot.lowerBound]..<phonemes[slot.upperBound - 1] + 1) - phonemes[0] }
            return category(spelling: Self.slots.map(winner)).rawValue
        }

        /// The category of an onset, a vowel and a coda, by their places among the phonemes.
        func category(spelling response: [Int]) -> Category { forms.firstIndex(of: response).map { categories[$0] } ?? .nonword }
    }
}
