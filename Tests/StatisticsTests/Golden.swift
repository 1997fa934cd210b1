import Foundation
import Statistics

/// Values of SciPy, statsmodels and scikit-learn; see tools/golden/statistics.py.
struct Golden: Decodable {
    struct Continuous: Decodable {
        let name: String
        let parameters, x, cumulative, upper, shares, quantiles: [Double]
    }
    struct Counted: Decodable {
        let n: Int, p: Double, k: [Int]
        let mass, cumulative, upper: [Double]
    }
    struct Noncentral: Decodable { let freedom, delta, t, cumulative: Double }
    struct Distributions: Decodable {
        let continuous: [Continuous], binomial: [Counted], noncentral: [Noncentral]
    }
    struct Correlated: Decodable {
        let a: [Double], b: [Double]
        let pearson: Double, spearman: Double, kendall: Double, tauA: Double
        let pearsonP: Double, spearmanP: Double, kendallP: Double, low: Double, high: Double
    }
    struct Pair: Decodable { let a: [Double], b: [Double], value: Double }
    struct Correlations: Decodable { let pairs: [Correlated], rhoA: [Pair] }
    struct Partial: Decodable {
        let x, y: [Double], covariates: [[Double]]
        let pearson, pearsonP, spearman, spearmanP: Double
    }
    struct Resampled: Decodable { let statistic: String, kind: String, values: [Double], low, high: Double }
    struct TwoSamples: Decodable { let a, b: [Double], low, high: Double }
    struct Bootstraps: Decodable { let one: [Resampled], two: TwoSamples }
    struct Signs: Decodable { let values: [Double], p: [String: Double] }
    struct Permuted: Decodable { let a, b: [Double], p: [String: Double] }
    struct Permutations: Decodable { let signs: [Signs], groups: [Permuted], orders: [Permuted] }
    struct Intervals: Decodable { let k, n: Int, level: Double, exact, wilson: [Double] }
    struct BinomialTest: Decodable { let k, n: Int, chance: Double, p: [String: Double] }
    struct Disagreement: Decodable { let b, c: Int, exact: Double, corrected, plain: [Double]? }
    struct Proportions: Decodable { let intervals: [Intervals], tests: [BinomialTest], mcnemar: [Disagreement] }
    struct Adjusted: Decodable {
        let p, holm, fdr, fdrBY, bonferroni: [Double]
        private enum CodingKeys: String, CodingKey { case p, holm, fdr, fdrBY = "fdr-by", bonferroni }
    }
    struct OneSample: Decodable {
        let values: [Double], t: Double, interval: [Double], p, wilcoxon: [String: Double], uncorrected, positive: Double
        let dz: Double?, dzInterval: [Double]?
    }
    struct TwoSample: Decodable {
        let a, b: [Double], student, welch: [String: Double], welchFreedom: Double, welchInterval, studentInterval: [Double]
        let u: Double, mannWhitney: [String: Double], d: Double, dInterval: [Double], hedges: Double, cliff: [Double]
    }
    struct Located: Decodable { let one: [OneSample], two: [TwoSample] }
    struct Ordinary: Decodable {
        let intercept: Bool, coefficients, errors, t, p: [Double], intervals: [[Double]], rSquared, adjusted, f, fP, logLikelihood: Double,
            residuals: [Double]
    }
    struct RidgeFit: Decodable { let alpha: Double, intercept: Bool, coefficients, intercepts, predictions: [Double] }
    struct RidgeCase: Decodable { let x: [Double], rows: Int, y, new: [Double], fits: [RidgeFit] }
    struct Regressions: Decodable { let x: [[Double]], y: [Double], ols: [Ordinary], ridge: [RidgeCase] }
    struct ClassifierFit: Decodable { let labels: String, penalty: Double, intercept: Bool, weights, intercepts, probabilities: [Double] }
    struct Classifications: Decodable {
        let x: [Double], three, two: [Int], logit, errors: [Double], logLikelihood: Double, fits: [ClassifierFit]
        let multinomialLogLikelihood: Double, multinomialProbabilities: [Double]
    }

    let distributions: Distributions
    let correlations: Correlations
    let partial: Partial
    let bootstrap: Bootstraps
    let permutation: Permutations
    let proportions: Proportions
    let adjustments: [Adjusted]
    let located: Located
    let regressions: Regressions
    let classifications: Classifications

    static func load() throws -> Golden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/statistics.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
}

/// Difference as a share of the larger of the expected value and `floor`; equal infinities differ by nothing.
func deviation(_ found: Double, _ expected: Double, floor: Double = 1e-290) -> Double {
    if found == expected { return 0 }
    return abs(found - expected) / max(abs(expected), floor)
}

/// The largest such deviation of two lists.
func deviation(_ found: [Double], _ expected: [Double], floor: Double = 1e-290) -> Double {
    found.count == expected.count ? zip(found, expected).reduce(0) { max($0, deviation($1.0, $1.1, floor: floor)) } : .infinity
}

func bounds(_ estimate: Estimate) -> [Double] { estimate.interval.map { [$0.lowerBound, $0.upperBound] } ?? [] }
