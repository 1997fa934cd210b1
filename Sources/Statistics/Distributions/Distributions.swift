import Foundation

// Cumulative probabilities, upper tails and quantiles of the distributions that tests need. `upper` keeps the digits of small p-values,
// which 1 − cumulative loses. Agreement with scipy.stats is tested to 1e-12.

/// The standard normal distribution.
package enum Normal {
    package static func density(_ z: Double) -> Double { exp(-z * z / 2) / (2 * Double.pi).squareRoot() }
    /// P(Z ≤ z).
    package static func cumulative(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }
    /// P(Z > z).
    package static func upper(_ z: Double) -> Double { 0.5 * erfc(z / 2.0.squareRoot()) }
    /// P(|Z| ≥ |z|).
    package static func twoSided(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }

    /// The z below which the variable lies with probability p: bisection to a bracket, then Newton on erfc.
    package static func quantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p.isNaN ? .nan : p <= 0 ? -.infinity : .infinity }
        // The half below ½ is the one where p keeps its digits.
        return p < 0.5 ? -upperQuantile(p) : p == 0.5 ? 0 : upperQuantile(1 - p)
    }

    /// The z above which the variable lies with probability p ≤ ½.
    private static func upperQuantile(_ p: Double) -> Double {
        var low = 0.0, high = 40.0
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if 0.5 * erfc(middle / 2.0.squareRoot()) > p { low = middle } else { high = middle }
        }
        var z = (low + high) / 2
        for _ in 0..<2 {
            let density = density(z)
            if density > 0 { z += (0.5 * erfc(z / 2.0.squareRoot()) - p) / density }
        }
        return z
    }
}

/// The beta distribution on [0, 1].
package struct Beta: Sendable, Equatable {
    package let a: Double, b: Double
    package init(_ a: Double, _ b: Double) { (self.a, self.b) = (a, b) }
    package func cumulative(_ x: Double) -> Double { regularizedBeta(x, a, b) }
    package func upper(_ x: Double) -> Double { regularizedBetaUpper(x, a, b) }

    package func quantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p.isNaN ? .nan : p <= 0 ? 0 : 1 }
        // Solved from the end that is nearer, so that neither 0 nor 1 swallows the digits.
        if cumulative(0.5) >= p { return invert(p, low: 0, high: 0.5) { regularizedBeta($0, a, b) } }
        if p > 0.5 { return 1 - invert(1 - p, low: 0, high: 0.5) { regularizedBeta($0, b, a) } }
        return 1 - invert(-p, low: 0, high: 0.5) { -regularizedBetaUpper($0, b, a) }
    }
}

/// Student's t distribution; degrees of freedom need not be whole.
package struct StudentT: Sendable, Equatable {
    package let freedom: Double
    package init(freedom: Double) { self.freedom = freedom }

    /// P(T ≤ t).
    package func cumulative(_ t: Double) -> Double { upper(-t) }
    /// P(T > t).
    package func upper(_ t: Double) -> Double { t >= 0 ? twoSided(t) / 2 : 1 - twoSided(t) / 2 }

    /// P(|T| ≥ |t|) = I(ν/(ν + t²); ν/2, ½).
    package func twoSided(_ t: Double) -> Double {
        guard t.isFinite else { return t.isNaN ? .nan : 0 }
        let squared = t * t
        return regularizedBeta(freedom / (freedom + squared), freedom / 2, 0.5, complement: squared / (freedom + squared))
    }

    package func quantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p.isNaN ? .nan : p <= 0 ? -.infinity : .infinity }
        if p < 0.5 { return -positiveQuantile(p) }
        return p == 0.5 ? 0 : positiveQuantile(1 - p)
    }

    /// The t > 0 with upper tail p < ½.
    private func positiveQuantile(_ p: Double) -> Double {
        var high = 1.0
        while upper(high) > p, high < 1e300 { high *= 4 }
        return invert(-p, low: 0, high: high) { -upper($0) }
    }
}

/// Fisher's F distribution.
package struct FisherF: Sendable, Equatable {
    package let numerator: Double, denominator: Double
    package init(_ numerator: Double, _ denominator: Double) { (self.numerator, self.denominator) = (numerator, denominator) }

    package func cumulative(_ f: Double) -> Double {
        guard f > 0 else { return f.isNaN ? .nan : 0 }
        guard f.isFinite else { return 1 }
        let part = numerator * f
        return regularizedBeta(part / (part + denominator), numerator / 2, denominator / 2, complement: denominator / (part + denominator))
    }

    package func upper(_ f: Double) -> Double {
        guard f > 0 else { return f.isNaN ? .nan : 1 }
        guard f.isFinite else { return 0 }
        let part = numerator * f
        return regularizedBeta(denominator / (part + denominator), denominator / 2, numerator / 2, complement: part / (part + denominator))
    }

    package func quantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p.isNaN ? .nan : p <= 0 ? 0 : .infinity }
        var high = 1.0
        while cumulative(high) < p, high < 1e300 { high *= 4 }
        return p < 0.5 ? invert(p, low: 0, high: high, cumulative) : invert(p - 1, low: 0, high: high) { -upper($0) }
    }
}

/// The χ² distribution.
package struct ChiSquare: Sendable, Equatable {
    package let freedom: Double
    package init(freedom: Double) { self.freedom = freedom }
    package func cumulative(_ x: Double) -> Double { regularizedGamma(freedom / 2, x / 2).lower }
    package func upper(_ x: Double) -> Double { regularizedGamma(freedom / 2, x / 2).upper }

    package func quantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p.isNaN ? .nan : p <= 0 ? 0 : .infinity }
        var high = max(1, freedom)
        while cumulative(high) < p, high < 1e300 { high *= 4 }
        return p < 0.5 ? invert(p, low: 0, high: high, cumulative) : invert(p - 1, low: 0, high: high) { -upper($0) }
    }
}

/// The number of successes among `trials`, each with probability `p`.
package struct Binomial: Sendable, Equatable {
    package let trials: Int, p: Double
    package init(trials: Int, p: Double) { (self.trials, self.p) = (trials, p) }

    package func mass(_ k: Int) -> Double {
        guard k >= 0, k <= trials else { return 0 }
        if p <= 0 { return k == 0 ? 1 : 0 }
        if p >= 1 { return k == trials ? 1 : 0 }
        let n = Double(trials), x = Double(k)
        // C(n, k) = 1/((n + 1) B(k + 1, n − k + 1)).
        return exp(x * log(p) + (n - x) * log1p(-p) - logBeta(x + 1, n - x + 1)) / (n + 1)
    }

    /// P(X ≤ k).
    package func cumulative(_ k: Int) -> Double {
        guard k >= 0 else { return 0 }
        guard k < trials else { return 1 }
        return regularizedBetaUpper(p, Double(k + 1), Double(trials - k))
    }

    /// P(X > k).
    package func upper(_ k: Int) -> Double {
        guard k >= 0 else { return 1 }
        guard k < trials else { return 0 }
        return regularizedBeta(p, Double(k + 1), Double(trials - k))
    }
}

/// The noncentral t distribution: (Z + δ)/√(χ²/ν), by Lenth's series (AS 243, 1989).
package struct NoncentralT: Sendable, Equatable {
    package let freedom: Double, noncentrality: Double
    package init(freedom: Double, noncentrality: Double) { (self.freedom, self.noncentrality) = (freedom, noncentrality) }

    /// P(T ≤ t); accurate to about 1e-12 for |δ| up to 37, beyond which the normal approximation of Abramowitz & Stegun 26.7.10 is used.
    package func cumulative(_ t: Double) -> Double {
        if t < 0 { return 1 - NoncentralT(freedom: freedom, noncentrality: -noncentrality).cumulative(-t) }
        let delta = noncentrality
        if abs(delta) > 37 {
            let s = 1 / (4 * freedom)
            return Normal.cumulative((t * (1 - s) - delta) / (1 + 2 * t * t * s).squareRoot())
        }
        let x = t * t / (freedom + t * t), y = freedom / (freedom + t * t), half = delta * delta / 2
        var sum = 0.0
        if x > 0 {
            // Poisson weights from the middle outwards would save terms; at |δ| ≤ 37 the plain order needs at most about 1,200.
            var even = exp(-half), odd = delta * exp(-half) * (2 / Double.pi).squareRoot()
            var j = 0.0, weights = 0.0
            while j < 4000 {
                let a = even * regularizedBeta(x, j + 0.5, freedom / 2, complement: y),
                    b = odd * regularizedBeta(x, j + 1, freedom / 2, complement: y)
                sum += a + b
                weights += even
                if j > half, abs(a) + abs(b) < 1e-17 || weights > 1 - 1e-17 && abs(a) + abs(b) < 1e-15 { break }
                even *= half / (j + 1)
                odd *= half / (j + 1.5)
                j += 1
            }
        }
        return min(1, max(0, Normal.cumulative(-delta) + sum / 2))
    }
}
