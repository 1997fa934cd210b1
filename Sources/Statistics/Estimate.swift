/// A figure with what is known about it: its confidence interval, the p-value of a test, and how both were arrived at.
///
/// Tables, JSON and the Results paragraph are written from this value, so that each of them says the same.
public struct Estimate: Sendable, Equatable {
    /// The point estimate, computed from the whole sample.
    public var value: Double
    /// The confidence interval at `level`; nil if none was asked for or none exists.
    public var interval: ClosedRange<Double>?
    /// Confidence level of `interval`, in (0, 1).
    public var level: Double
    /// p-value of the test against `method.test`'s null hypothesis, in [0, 1].
    public var p: Double?
    /// Units that the estimate rests on: items, pairs or groups, whatever was resampled.
    public var n: Int
    /// How interval and p-value were computed.
    public var method: Method

    /// A figure; `n` is the number of units that it rests on.
    package init(
        _ value: Double, interval: ClosedRange<Double>? = nil, level: Double = 0.95, p: Double? = nil, n: Int, method: Method = Method()
    ) {
        self.value = value
        self.interval = interval
        self.level = level
        self.p = p
        self.n = n
        self.method = method
    }

    /// How the interval and the p-value were computed.
    public struct Method: Sendable, Equatable, CustomStringConvertible {
        /// The procedure behind the interval; nil if there is none.
        package var interval: IntervalMethod?
        /// The procedure behind the p-value; nil if there is none.
        package var test: TestMethod?

        /// A method with an interval, a test, both or neither.
        package init(interval: IntervalMethod? = nil, test: TestMethod? = nil) {
            self.interval = interval
            self.test = test
        }

        /// For a table's column: “BCa bootstrap (10,000); permutation test (exact)”.
        public var description: String { [interval?.description, test?.description].compactMap { $0 }.joined(separator: "; ") }
    }
}

/// A procedure that gives a confidence interval.
package enum IntervalMethod: Sendable, Equatable, CustomStringConvertible {
    case bootstrap(Bootstrap.Kind, resamples: Int)
    case fisher, clopperPearson, wilson, studentT, noncentralT, normal

    /// The name in a table: “BCa bootstrap (10000)”.
    package var description: String {
        switch self {
        case .bootstrap(.percentile, let resamples): "percentile bootstrap (\(resamples))"
        case .bootstrap(.bca, let resamples): "BCa bootstrap (\(resamples))"
        case .fisher: "Fisher's z"
        case .clopperPearson: "Clopper–Pearson"
        case .wilson: "Wilson"
        case .studentT: "t distribution"
        case .noncentralT: "noncentral t distribution"
        case .normal: "normal approximation"
        }
    }
}

/// A procedure that gives a p-value.
package enum TestMethod: Sendable, Equatable, CustomStringConvertible {
    /// Every rearrangement was visited, or this many were drawn.
    case permutation(count: Int, isExact: Bool)
    case bootstrap(resamples: Int)
    case exact(Name), asymptotic(Name)

    /// The tests that are known by a name.
    package enum Name: String, Sendable {
        case pearson = "Pearson's r", spearman = "Spearman's ρ", kendall = "Kendall's τ"
        case binomial = "binomial test", mcNemar = "McNemar's test"
        case wilcoxon = "Wilcoxon signed-rank test", mannWhitney = "Mann–Whitney U test"
        case tTest = "t test", welch = "Welch's t test", fTest = "F test", wald = "Wald test", likelihoodRatio = "likelihood-ratio test"
    }

    /// The name in a table: “permutation test (exact, 252)”.
    package var description: String {
        switch self {
        case .permutation(let count, let isExact): "permutation test (\(isExact ? "exact, " : "")\(count))"
        case .bootstrap(let resamples): "bootstrap (\(resamples))"
        case .exact(let name): "\(name.rawValue) (exact)"
        case .asymptotic(let name): name.rawValue
        }
    }
}

/// Which values of a statistic count against the null hypothesis.
public enum Alternative: String, Sendable, CaseIterable {
    case twoSided = "two-sided", less, greater
}
