import Foundation

/// WEAVER++: naming while words are heard or seen, by spreading activation and a selection that competition delays.
///
/// Roelofs (1992), Cognition 42, 107–142; Levelt, Roelofs & Meyer (1999), Behavioral and Brain Sciences 22, 1–75. Time runs in steps of 25
/// ms. The picture activates its concept from the first step, and again as much from the second, when the concept has been chosen for
/// naming; from the third step on, the lemma may be selected: while it leads every competitor by the critical difference, the chance per
/// step is Luce's ratio.
public struct WeaverModel: Sendable {
    /// The distractor word beside the picture.
    public enum Distractor: String, Sendable, CaseIterable {
        case none = "control", related, unrelated
        /// The target's word in the other language.
        case translation
    }

    /// Milliseconds of a step.
    package var step = 25.0
    /// Per millisecond: concept to concept, concept to lemma, decay, external input.
    package var conceptRate = 0.0101, lemmaRate = 0.0074, decay = 0.0240, input = 0.1965
    /// Lead in activation that selects a lemma.
    package var criticalDifference = 1.6
    /// Duration of a distractor in milliseconds.
    package var distractorDuration = 100.0
    /// Milliseconds after which the simulation ends.
    package var limit = 1000.0
    /// Input per step to concepts of the category that have been named before (continuous naming).
    package var conceptualBias = 2.5

    /// The published parameters.
    public init() {}

    /// Mean latency of lemma selection in milliseconds.
    ///
    /// Two categories of three concepts each; every concept has a lemma in either language. The language of naming is the weaker one (half
    /// the rate), distractors are words of the other, and only lemmas of the language of naming compete.
    ///
    /// - Parameter soa: milliseconds from the picture to the distractor; a distractor that comes first is active before the picture.
    public func pictureWordLatency(_ distractor: Distractor, soa: Double = 0) throws -> Double {
        let (target, relative, stranger) = (2, 1, 5)
        var network = Network()
        let concepts = network.addBank("concepts", units: (0..<6).map { "concept \($0 + 1)" })
        let lemmas = network.addBank("lemmas", units: (0..<6).map { "lemma \($0 + 1)" })
        let others = network.addBank("lemmas of the other language", units: (0..<6).map { "other lemma \($0 + 1)" })
        network.addLink(from: concepts, to: concepts, weights: Self.within(categories: [0..<3, 3..<6]), parameter: "concept")
        network.addLink(from: concepts, to: lemmas, weights: Self.identity(6, 0.5), parameter: "lemma", isSymmetric: true)
        network.addLink(from: concepts, to: others, weights: Self.identity(6), parameter: "lemma", isSymmetric: true)
        // Steps whose beginning lies within the distractor.
        let first = Int((soa / step).rounded(.up)), last = Int(((soa + distractorDuration) / step).rounded(.up)), onset = max(0, -first)
        var events = naming(concepts[target], from: onset)
        let heard: Int? =
            switch distractor {
            case .none: nil
            case .related: others[relative]
            case .unrelated: others[stranger]
            case .translation: others[target]
            }
        if let heard { events.append(.init(steps: first + onset..<last + onset, .input([heard], input * step))) }
        return try latency(network, events, target: lemmas[target], competitors: [1, 4, 5].map { lemmas[$0] }, onset: onset)
    }

    /// Mean latency in milliseconds when `named` members of the category have been named before; each of them keeps a conceptual bias.
    ///
    /// One category of six concepts, concept links at half the rate.
    package func continuousNamingLatency(named: Int) throws -> Double {
        var network = Network()
        let concepts = network.addBank("concepts", units: (0..<6).map { "concept \($0 + 1)" }),
            lemmas = network.addBank("lemmas", units: (0..<6).map { "lemma \($0 + 1)" })
        network.addLink(
            from: concepts, to: concepts, weights: Self.within(categories: [0..<6]).map { $0.map { $0 * 0.5 } }, parameter: "concept")
        network.addLink(from: concepts, to: lemmas, weights: Self.identity(6), parameter: "lemma", isSymmetric: true)
        var events = naming(concepts[0])
        if named > 0 { events.append(.init(steps: 0..<steps, .input((1...min(named, 5)).map { concepts[$0] }, conceptualBias))) }
        return try latency(network, events, target: lemmas[0], competitors: (1...4).map { lemmas[$0] }, choices: Array(lemmas.units))
    }

    private var steps: Int { Int(limit / step) }

    private func naming(_ concept: Int, from onset: Int = 0) -> [TrialProtocol.Event] {
        [onset, onset + 1].map { .init(steps: $0..<onset + max(steps, 1), .input([concept], input * step)) }
    }

    private func latency(
        _ network: Network, _ events: [TrialProtocol.Event], target: Int, competitors: [Int], choices: [Int]? = nil, onset: Int = 0
    ) throws -> Double {
        let hazard = TrialProtocol.Hazard(
            target: target, competitors: competitors, choices: choices ?? [target] + competitors, criticalDifference: criticalDifference,
            firstStep: onset + 2, limit: onset + steps)
        let simulator = try Simulator(
            network: network, dynamics: .spreading(decay: decay * step), trial: TrialProtocol(events, stop: .hazard(hazard)),
            parameters: ["concept": conceptRate * step, "lemma": lemmaRate * step])
        return simulator.selectionProbabilities().enumerated().reduce(0) { $0 + $1.element * Double($1.offset - onset) * step }
    }

    /// Every unit of a category to every other one.
    private static func within(categories: [Range<Int>]) -> [[Double]] {
        let count = categories.map(\.upperBound).max() ?? 0
        return (0..<count).map { i in (0..<count).map { j in i != j && categories.contains { $0.contains(i) && $0.contains(j) } ? 1 : 0 } }
    }

    private static func identity(_ count: Int, _ value: Double = 1) -> [[Double]] {
        (0..<count).map { i in (0..<count).map { $0 == i ? value : 0 } }
    }
}
