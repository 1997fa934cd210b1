import FileFormats
import Foundation

/// Counts of two outcomes: intervals and tests.
package struct Proportion: Sendable, Equatable {
    package let successes: Int, trials: Int

    /// - Throws: `DataError` unless 0 ≤ successes ≤ trials and there is a trial.
    package init(_ successes: Int, of trials: Int) throws {
        guard trials > 0, successes >= 0, successes <= trials else {
            throw DataError(
                .badData, "\(successes) of \(trials) is not a proportion; expected 0 ≤ successes ≤ trials and at least one trial")
        }
        (self.successes, self.trials) = (successes, trials)
    }

    package var value: Double { Double(successes) / Double(trials) }

    /// The exact interval of Clopper & Pearson (1934): conservative, never narrower than its level.
    package func clopperPearson(level: Double = 0.95) throws -> Estimate {
        try requireLevel(level)
        let k = Double(successes), n = Double(trials), tail = (1 - level) / 2
        let low = successes == 0 ? 0 : Beta(k, n - k + 1).quantile(tail)
        let high = successes == trials ? 1 : Beta(k + 1, n - k).quantile(1 - tail)
        return Estimate(value, interval: low...high, level: level, n: trials, method: .init(interval: .clopperPearson))
    }

    /// The score interval of Wilson (1927).
    package func wilson(level: Double = 0.95) throws -> Estimate {
        try requireLevel(level)
        let n = Double(trials), z = Normal.quantile(0.5 + level / 2), p = value
        let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return Estimate(
            p, interval: (successes == 0 ? 0 : max(0, middle - half))...(successes == trials ? 1 : min(1, middle + half)), level: level,
            n: trials,
            method: .init(interval: .wilson))
    }

    /// The exact binomial test against a chance level, with the Clopper–Pearson interval.
    ///
    /// Two-sided, it sums the outcomes that are at most as probable as the observed one (as R's binom.test and scipy.stats.binomtest).
    package func test(against chance: Double = 0.5, _ alternative: Alternative = .twoSided, level: Double = 0.95) throws -> Estimate {
        guard chance >= 0, chance <= 1 else { throw DataError(.usage, "expected a chance level between 0 and 1, not \(chance)") }
        var result = try clopperPearson(level: level)
        let binomial = Binomial(trials: trials, p: chance)
        switch alternative {
        case .less: result.p = binomial.cumulative(successes)
        case .greater: result.p = binomial.upper(successes - 1)
        case .twoSided: result.p = twoSided(binomial)
        }
        result.method.test = .exact(.binomial)
        return result
    }

    private func twoSided(_ binomial: Binomial) -> Double {
        let limit = binomial.mass(successes) * (1 + 1e-7), expected = binomial.p * Double(trials)
        if Double(successes) == expected { return 1 }
        // The probabilities fall away from the mode, so the other tail's first outcome is found by bisection.
        if Double(successes) < expected {
            var low = Int(expected.rounded(.up)), high = trials + 1
            while low < high {
                let middle = (low + high) / 2
                if binomial.mass(middle) <= limit { high = middle } else { low = middle + 1 }
            }
            return min(1, binomial.cumulative(successes) + binomial.upper(low - 1))
        }
        var low = -1, high = Int(expected.rounded(.down))
        while low < high {
            let middle = low + (high - low + 1) / 2
            if binomial.mass(middle) <= limit { low = middle } else { high = middle - 1 }
        }
        return min(1, binomial.upper(successes - 1) + binomial.cumulative(low))
    }
}

/// McNemar's test: do two classifiers, or one under two conditions, succeed equally often on the same items?
///
/// Only the items on which they disagree tell; `firstOnly` and `secondOnly` count them (McNemar 1947).
package struct McNemar: Sendable, Equatable {
    package let firstOnly: Int, secondOnly: Int

    package init(firstOnly: Int, secondOnly: Int) throws {
        guard firstOnly >= 0, secondOnly >= 0 else {
            throw DataError(.usage, "counts of items cannot be negative: \(firstOnly), \(secondOnly)")
        }
        (self.firstOnly, self.secondOnly) = (firstOnly, secondOnly)
    }

    /// Counts from outcomes on the same items.
    package init(_ first: [Bool], _ second: [Bool]) throws {
        guard first.count == second.count else {
            throw DataError(.badData, "McNemar's test pairs outcomes by item; there are \(first.count) and \(second.count)")
        }
        try self.init(firstOnly: zip(first, second).count { $0 && !$1 }, secondOnly: zip(first, second).count { !$0 && $1 })
    }

    /// Two-sided exact p: the binomial test of the disagreements against ½; 1 without disagreements.
    package var exact: Double {
        let n = firstOnly + secondOnly
        return n == 0 ? 1 : min(1, 2 * Binomial(trials: n, p: 0.5).cumulative(min(firstOnly, secondOnly)))
    }

    /// χ² with one degree of freedom, with Edwards' continuity correction if wanted; (0, 1) without disagreements.
    package func chiSquare(corrected: Bool = true) -> (statistic: Double, p: Double) {
        let n = Double(firstOnly + secondOnly)
        guard n > 0 else { return (0, 1) }
        let difference = abs(Double(firstOnly - secondOnly)) - (corrected ? 1 : 0), statistic = difference * difference / n
        return (statistic, ChiSquare(freedom: 1).upper(statistic))
    }
}
