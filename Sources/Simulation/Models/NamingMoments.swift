import Foundation
import Tensors

extension NamingModel {
    /// Proportions of responses by category from the moments of the activations, without simulating a trial.
    ///
    /// Mean and covariance at the choice of the word and at that of the phonemes are exact (`Moments`). The proportions are an
    /// approximation in two ways: activations are taken to be normal, though noise in proportion to an activation makes their distribution
    /// skewed and heavy-tailed, and the choice of a word tells nothing about the other activations, though it does. Only the simulation
    /// decides.
    ///
    /// - Parameters:
    ///   - values: in the order of `variant.parameterNames`.
    ///   - draws: from the normal distribution of the words and of the phonemes; a proportion's error from them is at most .5 / √draws.
    /// - Throws: `DataError` for values that are not finite.
    package func momentProportions(_ values: [Double], draws: Int = 50_000, seed: UInt64 = 0) throws -> [Double] {
        let (parameters, decay) = parameters(values)
        var result = [Double](repeating: 0, count: Category.allCases.count)
        for (hasMixed, share) in [(false, 1 - Self.mixedShare), (true, Self.mixedShare)] {
            let lexicon = Lexicon(hasMixedNeighbour: hasMixed, sharedFeatures: sharedFeatures)
            let dynamics = Dynamics.spreading(decay: decay, sd: Self.sd, relativeSD: Self.relativeSD)
            var retrieval = try Moments(network: lexicon.network, dynamics: dynamics, parameters: parameters)
            for feature in 0..<10 { retrieval.add(Self.jolt, to: lexicon.semantic[feature]) }
            for _ in 0..<Self.steps { retrieval.advance() }
            var chosen = [Double](repeating: 0, count: lexicon.words.count)
            retrieval.normal(lexicon.words.units).draw(draws, seed: seed, stream: 0) {
                chosen[Self.largest($0, 0..<chosen.count)] += 1 / Double(draws)
            }
            for (word, chance) in chosen.enumerated() where chance > 0 {
                var encoding = retrieval
                encoding.set(Self.boost, unit: lexicon.words[word])
                for _ in 0..<Self.steps { encoding.advance() }
                encoding.normal(lexicon.phonemes.units).draw(draws, seed: seed, stream: UInt32(word + 1)) { a in
                    let response = Lexicon.slots.map { Self.largest(a, $0) }
                    result[lexicon.category(spelling: response).rawValue] += share * chance / Double(draws)
                }
            }
        }
        return result
    }

    private static func largest(_ a: [Double], _ places: Range<Int>) -> Int {
        var best = places.lowerBound
        for place in places where a[place] > a[best] { best = place }
        return best
    }
}

/// A normal distribution with the mean and the covariance of some units.
struct NormalActivations {
    let mean: [Double]
    /// The lower triangle L of the covariance L Lᵀ.
    private let root: [[Double]]

    init(mean: [Double], covariance: [[Double]]) {
        self.mean = mean
        var l = covariance.map { $0.map { _ in 0.0 } }
        for i in mean.indices {
            for j in 0...i {
                var sum = covariance[i][j]
                for k in 0..<j { sum -= l[i][k] * l[j][k] }
                // A unit without variance of its own follows the units before it.
                l[i][j] = i == j ? max(sum, 0).squareRoot() : l[j][j] > 1e-12 ? sum / l[j][j] : 0
            }
        }
        root = l
    }

    /// Calls `body` with each of `count` vectors.
    func draw(_ count: Int, seed: UInt64, stream: UInt32, _ body: ([Double]) -> Void) {
        let n = mean.count
        // The generator gives them by fours.
        var normals = [Double](repeating: 0, count: (count * n + 3) / 4 * 4), x = mean
        normals.withUnsafeMutableBufferPointer { CounterRandom(seed: seed).normals(into: $0, stream: stream, chunk: 0, step: 0) }
        for k in 0..<count {
            for i in 0..<n {
                var sum = mean[i]
                for j in 0...i { sum += root[i][j] * normals[k * n + j] }
                x[i] = sum
            }
            body(x)
        }
    }
}

extension Moments {
    /// The distribution of these units, as if it were normal.
    func normal(_ units: Range<Int>) -> NormalActivations {
        NormalActivations(mean: Array(mean[units]), covariance: units.map { Array(covariance[$0][units]) })
    }
}
