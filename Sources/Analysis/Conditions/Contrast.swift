import FileFormats
import Foundation
import Statistics
import Tensors

/// Two conditions compared: by item where the same items are in both, else as independent samples.
///
/// By-item results generalize over items, not over the people or models that gave the values.
package struct Contrast: Sendable {
    /// Confidence level of the intervals, in (0, 1).
    package var level: Double
    /// Resamples of the bootstrap.
    package var resamples: Int
    /// Rearrangements drawn by the permutation test if there are too many to visit all.
    package var permutations: Int
    /// Seed of the random numbers; it fixes the result.
    package var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// Intervals at `level` by the BCa bootstrap, p-values by permutation.
    package init(
        level: Double = 0.95, resamples: Int = 10_000, permutations: Int = 10_000, seed: UInt64 = 0,
        threads: Int = Parallel.availableThreads
    ) {
        self.level = level
        self.resamples = resamples
        self.permutations = permutations
        self.seed = seed
        self.threads = threads
    }

    var bootstrap: Bootstrap { Bootstrap(.bca, level: level, resamples: resamples, seed: seed, threads: threads) }
    var permutation: PermutationTest { PermutationTest(permutations: permutations, seed: seed, threads: threads) }

    /// Mean, standard deviation and number of the values of one condition.
    package struct Summary: Sendable, Equatable {
        /// Mean, standard deviation (n − 1) and number of the values.
        package let mean: Double, deviation: Double, n: Int
        init(_ values: [Double]) { (mean, deviation, n) = (Statistics.mean(values), standardDeviation(values), values.count) }
    }

    /// One contrast: the difference, its interval and tests.
    package struct Result: Sendable {
        /// What was compared.
        package let name: String
        /// Whether the same items are in both conditions.
        package let isPaired: Bool
        /// Nil if the contrast is of pairs of rows.
        package let first: Summary?
        /// The second condition; nil if the contrast is of pairs of rows.
        package let second: Summary?
        /// First less second, with the BCa bootstrap's interval and the permutation test's p, both by item.
        package let difference: Estimate
        /// Standard deviation of the paired differences; nil if unpaired.
        package let deviation: Double?
        /// Wilcoxon's or Mann and Whitney's p; nil if all differences are zero, and for similarities, whose
        /// items depend on one another.
        package let rank: (p: Double, method: TestMethod)?
        /// d_z if paired, else d; nil without variance, without an interval for similarities.
        package let effect: Estimate?
        /// Cliff's δ; nil if paired.
        package let delta: Estimate?
    }

    /// Values of the same items in two conditions, in the same order.
    package func paired(_ name: String, _ a: [Double], _ b: [Double]) throws -> Result {
        guard a.count == b.count else { throw DataError(.badData, "\(a.count) and \(b.count) values do not pair") }
        guard a.count >= 2 else {
            throw DataError(
                .badData, "a paired contrast needs at least two items in both conditions; there \(a.count == 1 ? "is 1" : "are none")")
        }
        let differences = zip(a, b).map { $0 - $1 }
        let difference = try tested(bootstrap.meanEstimate(differences), permutation.mean(ofDifferences: differences))
        return Result(
            name: name, isPaired: true, first: Summary(a), second: Summary(b), difference: difference,
            deviation: standardDeviation(differences),
            rank: signedRank(differences), effect: try? EffectSize.dz(differences, level: level), delta: nil)
    }

    /// Two independent samples.
    package func unpaired(_ name: String, _ a: [Double], _ b: [Double]) throws -> Result {
        guard min(a.count, b.count) >= 2 else {
            throw DataError(.badData, "a contrast needs at least two values in each condition; there are \(a.count) and \(b.count)")
        }
        let pooled = a + b, first = a.count
        let estimate = try bootstrap.estimate(.strata(pooled.indices.map { $0 < first })) { rows in
            var sums = (0.0, 0.0), counts = (0.0, 0.0)
            for row in rows {
                if row < first {
                    sums.0 += pooled[row]
                    counts.0 += 1
                } else {
                    sums.1 += pooled[row]
                    counts.1 += 1
                }
            }
            return sums.0 / counts.0 - sums.1 / counts.1
        }
        let rank = try MannWhitney(a, b)
        return Result(
            name: name, isPaired: false, first: Summary(a), second: Summary(b),
            difference: tested(estimate, try permutation.differenceOfMeans(a, b)), deviation: nil,
            rank: (rank.p, rank.method), effect: try? EffectSize.d(a, b, level: level),
            delta: try EffectSize.cliffsDelta(a, b, level: level))
    }

    func tested(_ estimate: Estimate, _ test: PermutationTest.Result) -> Estimate {
        var estimate = estimate
        (estimate.p, estimate.method.test) = (test.p, test.method)
        return estimate
    }

    func signedRank(_ differences: [Double]) -> (p: Double, method: TestMethod)? { (try? Wilcoxon(differences)).map { ($0.p, $0.method) } }
}
