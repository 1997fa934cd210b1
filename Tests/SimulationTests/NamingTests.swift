import Foundation
import Testing
import Simulation
import Tensors

@Suite struct NamingModelTests {
    /// (variant, values, expected proportions in the order correct, semantic, formal, nonword, mixed, unrelated, half a printed unit)
    static let published: [(NamingModel.Variant, [Double], [Double], Double)] = [
        (.semanticPhonological, [0.0698, 0.1], [0.9732, 0.0118, 0.0011, 0.0000, 0.0139, 0.0000], 0.00005),
        (.weightDecay, [0.1, 0.5], [0.967, 0.021, 0.000, 0.001, 0.012, 0.000], 0.0005),
        (.weightDecay, [0.0057, 0.5], [0.701, 0.069, 0.059, 0.134, 0.008, 0.030], 0.0005),
        (.weightDecay, [0.1, 0.86], [0.740, 0.130, 0.030, 0.058, 0.039, 0.005], 0.0005),
        (.semanticPhonological, [0, 0], [0.042, 0.042, 0.080, 0.750, 0.004, 0.082], 0.0005),
    ]

    @Test(arguments: published.indices)
    func proportions(_ index: Int) throws {
        let (variant, values, expected, half) = Self.published[index], trials = 100_000
        let counts = try NamingModel(variant).counts(values, trials: trials, seed: 1)
        print(index, counts.map { Double($0) / Double(trials) })
        for (count, p) in zip(counts, expected) {
            let found = Double(count) / Double(trials), q = max(p, half)
            #expect(abs(found - p) < 3 * 2.0.squareRoot() * (q * (1 - q) / Double(trials)).squareRoot() + half)
        }
    }

    @Test func lexiconHasThePublishedSize() {
        #expect(NamingModel.Lexicon(hasMixedNeighbour: false, sharedFeatures: [3]).network.unitCount == 57 + 6 + 10)
        #expect(NamingModel.Lexicon(hasMixedNeighbour: true, sharedFeatures: [3]).network.unitCount == 54 + 6 + 10)
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
        let model = NamingModel(.semanticPhonological)
        let one = try model.counts([0.02, 0.02], trials: 3001, seed: 5, threads: 1)
        #expect(try model.counts([0.02, 0.02], trials: 3001, seed: 5, threads: 7) == one)
        #expect(try model.counts([0.02, 0.02], trials: 3001, seed: 6, threads: 7) != one)
    }
}
