import Simulation
import Testing

/// How far category probabilities from the moments are from those of the simulation (the table in docs/simulations.md).
@Suite struct NamingMomentsTests {
    /// Largest bias of a category that is allowed; at no connections the activations are normal and only sampling is left.
    static let points: [(variant: NamingModel.Variant, values: [Double], bias: Double)] = [
        (.semanticPhonological, [0, 0], 0.012), (.semanticPhonological, [0.0698, 0.1], 0.034),
        (.semanticPhonological, [0.0247, 0.0184], 0.027),
        (.semanticPhonological, [0.0165, 0.0346], 0.03), (.weightDecay, [0.1, 0.5], 0.037), (.weightDecay, [0.1, 0.86], 0.024),
    ]

    @Test(arguments: points.indices)
    func biasIsThatOfTheTable(_ index: Int) throws {
        let (variant, values, limit) = Self.points[index], model = NamingModel(variant), trials = 40_000
        let simulated = try model.counts(values, trials: trials, seed: 3).map { Double($0) / Double(trials) },
            found = try model.momentProportions(values, seed: 3)
        #expect(abs(found.reduce(0, +) - 1) < 1e-9)
        for (a, b) in zip(found, simulated) { #expect(abs(a - b) < limit, "\(values): \(found) against \(simulated)") }
        // With connections the approximation makes too many errors.
        if index > 0 { #expect(found[0] < simulated[0] - 0.004, "\(found[0]) \(simulated[0])") }
    }

    @Test func sameSeedSameProportions() throws {
        let model = NamingModel(.semanticPhonological)
        #expect(
            try model.momentProportions([0.02, 0.02], draws: 1001, seed: 1) == model.momentProportions([0.02, 0.02], draws: 1001, seed: 1))
        #expect(throws: (any Error).self) { try model.momentProportions([.nan, 0.02]) }
    }
}
