import FileFormats
import Foundation
import Tensors

// Correlation of two series, as scipy.stats and rsatoolbox compute it, all in Double. Sums run over deviations from the mean (two passes).

/// A measure of how closely two series go together.
public enum Correlation: String, Sendable, CaseIterable {
    /// Pearson's r: linear.
    case pearson
    /// Spearman's ρ: Pearson's r of the ranks, ties sharing their average rank.
    case spearman
    /// Kendall's τ-b: pairs in the same order less pairs in opposite order, corrected for ties (Kendall 1945; Knight 1966).
    case kendall
    /// Kendall's τ-a: the same difference over all pairs, ties counting as neither; the measure of RSA where models predict ties (Nili et
    /// al. 2014).
    case tauA = "tau-a"
    /// ρ-a: the expectation of Spearman's ρ when ties are broken at random, a fast neighbour of τ-a (Schütt et al. 2023).
    case rhoA = "rho-a"

    /// The coefficient in [−1, 1].
    ///
    /// τ-a and ρ-a of a constant series are 0; the others are undefined there.
    ///
    /// - Throws: `DataError` when the series differ in length, have fewer than two values, hold NaN or infinity, or when one is
    ///   constant and the measure undefined.
    /// - Complexity: O(n) for Pearson, else O(n log n).
    public func callAsFunction(_ x: [Double], _ y: [Double]) throws -> Double {
        try Self.check(x, y)
        switch self {
        case .pearson: return try Self.pearson(x, y)
        case .spearman: return try Self.pearson(averageRanks(x), averageRanks(y))
        case .kendall:
            let counts = PairCounts(x, y)
            guard counts.xTied < counts.total, counts.yTied < counts.total else { throw Self.constant() }
            return max(
                -1,
                min(
                    1,
                    counts.difference / Double(counts.total - counts.xTied).squareRoot() / Double(counts.total - counts.yTied).squareRoot())
            )
        case .tauA:
            let counts = PairCounts(x, y)
            return counts.difference / Double(counts.total)
        case .rhoA: return Self.rhoA(averageRanks(x), averageRanks(y))
        }
    }

    private static func check(_ x: [Double], _ y: [Double]) throws {
        guard x.count == y.count else {
            throw DataError(.badData, "a correlation needs two series of equal length; they have \(x.count) and \(y.count) values")
        }
        guard x.count >= 2 else {
            throw DataError(.badData, "a correlation needs at least two pairs of values; there \(x.count == 1 ? "is 1" : "are none")")
        }
        for (name, series) in [("first", x), ("second", y)] {
            if let bad = series.firstIndex(where: { !$0.isFinite }) {
                throw DataError(.badData, "value \(bad + 1) of the \(name) series is \(series[bad]); leave that pair out")
            }
        }
    }

    private static func constant() -> DataError { DataError(.badData, "all values of a series are equal, so its correlation is undefined") }

    /// - Parameter scale: size of the series before adjustment, relative to which a residue of rounding errors counts as constant.
    static func pearson(_ x: [Double], _ y: [Double], scale: (Double, Double) = (0, 0)) throws -> Double {
        let n = Double(x.count), meanX = x.reduce(0, +) / n, meanY = y.reduce(0, +) / n
        // Scaled by the largest deviation, so that squares neither overflow nor vanish.
        var largestX = 0.0, largestY = 0.0
        for i in 0..<x.count {
            largestX = max(largestX, abs(x[i] - meanX))
            largestY = max(largestY, abs(y[i] - meanY))
        }
        guard largestX > 1e-13 * max(abs(meanX), scale.0), largestY > 1e-13 * max(abs(meanY), scale.1), largestX.isFinite, largestY.isFinite
        else { throw constant() }
        var xx = 0.0, yy = 0.0, xy = 0.0
        for i in 0..<x.count {
            let a = (x[i] - meanX) / largestX, b = (y[i] - meanY) / largestY
            xx += a * a
            yy += b * b
            xy += a * b
        }
        return max(-1, min(1, xy / (xx.squareRoot() * yy.squareRoot())))
    }

    private static func rhoA(_ x: [Double], _ y: [Double]) -> Double {
        let n = Double(x.count), middle = (n + 1) / 2
        var sum = 0.0
        for i in 0..<x.count { sum += (x[i] - middle) * (y[i] - middle) }
        return 12 * sum / (n * (n * n - 1))
    }

    // MARK: Intervals

    /// Confidence interval by Fisher's transformation: z = artanh r is nearly normal.
    ///
    /// Its variance is 1/(n − 3) for Pearson's r (scipy's `confidence_interval`), (1 + r²/2)/(n − 3) for Spearman's ρ and ρ-a (Bonett &
    /// Wright 2000) and 0.437/(n − 4) for Kendall's τ (Fieller, Hartley & Pearson 1957).
    ///
    /// - Returns: [−1, 1] when there are too few values to say anything.
    package func fisherInterval(_ r: Double, count: Int, level: Double = 0.95) -> ClosedRange<Double> {
        let variance: Double =
            switch self {
            case .pearson: 1 / Double(count - 3)
            case .spearman, .rhoA: (1 + r * r / 2) / Double(count - 3)
            case .kendall, .tauA: 0.437 / Double(count - 4)
            }
        guard count > (self == .kendall || self == .tauA ? 4 : 3), level > 0 && level < 1, r.isFinite else { return -1...1 }
        guard abs(r) < 1 else { return r...r }
        let half = Normal.quantile(0.5 + level / 2) * variance.squareRoot(), z = atanh(r)
        return tanh(z - half)...tanh(z + half)
    }

    /// Confidence interval by the percentile bootstrap: the pairs are drawn again with replacement, `resamples` times (Efron 1979).
    ///
    /// Resamples in which a series is constant are left out. Each resample has its own random stream, so the interval does not depend
    /// on the number of threads.
    package func bootstrapInterval(
        _ x: [Double], _ y: [Double], level: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 0,
        threads: Int = Parallel.availableThreads
    ) throws -> ClosedRange<Double> {
        try Self.check(x, y)
        let bootstrap = Bootstrap(level: level, resamples: resamples, seed: seed, threads: threads)
        try bootstrap.check()
        let usable = bootstrap.distribution(.items(x.count)) { rows in
            (try? self(rows.map { x[$0] }, rows.map { y[$0] })) ?? .nan
        }.filter { !$0.isNaN }.sorted()
        guard !usable.isEmpty else { throw Self.constant() }
        return Bootstrap.percentileInterval(ofSorted: usable, level: level)
    }

    // MARK: Tests

    /// Two-sided p-value of Pearson's r or Spearman's ρ: t = r √((n − 2)/(1 − r²)) with n − 2 degrees of freedom, as scipy; nil for the
    /// other measures and for fewer than three pairs.
    ///
    /// - Parameter covariates: variables held constant, for a partial correlation: n − 2 − k degrees of freedom.
    package func pValue(_ r: Double, count: Int, covariates: Int = 0) -> Double? {
        guard self == .pearson || self == .spearman, count - covariates >= 3, r.isFinite else { return nil }
        guard abs(r) < 1 else { return 0 }
        let freedom = Double(count - covariates - 2)
        // P(|T| > t) = I(ν/(ν + t²); ν/2, 1/2), and ν/(ν + t²) = 1 − r².
        return regularizedBeta(1 - r * r, freedom / 2, 0.5, complement: r * r)
    }

    /// The coefficient with Fisher's interval and a p-value: t for Pearson and Spearman; for Kendall's τ the exact distribution of
    /// discordant pairs up to 33 values without ties, else its normal approximation (both as scipy.stats.kendalltau); none for ρ-a.
    public func estimate(_ x: [Double], _ y: [Double], level: Double = 0.95) throws -> Estimate {
        try requireLevel(level)
        let r = try self(x, y)
        var result = Estimate(
            r, interval: fisherInterval(r, count: x.count, level: level), level: level, n: x.count, method: .init(interval: .fisher))
        switch self {
        case .pearson, .spearman:
            result.p = pValue(r, count: x.count)
            result.method.test = result.p == nil ? nil : .asymptotic(self == .pearson ? .pearson : .spearman)
        case .kendall, .tauA:
            let test = PairCounts(x, y).pValue()
            result.p = test.p
            result.method.test = test.isExact ? .exact(.kendall) : .asymptotic(.kendall)
        case .rhoA: break
        }
        return result
    }

    // MARK: Partial correlation

    /// The correlation of what covariates leave over of two series: residuals of ordinary least squares (of the ranks for Spearman).
    ///
    /// - Parameters:
    ///   - covariates: series as long as x and y, at least one.
    /// - Throws: `DataError` if the covariates depend on one another or explain a series completely.
    public func partial(_ x: [Double], _ y: [Double], given covariates: [[Double]], level: Double = 0.95) throws -> Estimate {
        guard self == .pearson || self == .spearman else {
            throw DataError(.usage, "partial correlation is defined here for pearson and spearman, not \(rawValue)")
        }
        try requireLevel(level)
        try Self.check(x, y)
        for covariate in covariates { try Self.check(x, covariate) }
        func prepared(_ series: [Double]) -> [Double] { self == .spearman ? averageRanks(series) : series }
        let design = try LeastSquares.Design(columns: covariates.map(prepared))
        let r = try Self.pearson(
            try design.residuals(prepared(x)), try design.residuals(prepared(y)), scale: (spread(prepared(x)), spread(prepared(y))))
        let count = x.count - covariates.count, p = pValue(r, count: x.count, covariates: covariates.count)
        return Estimate(
            r, interval: fisherInterval(r, count: count, level: level), level: level, p: p, n: x.count,
            method: .init(interval: .fisher, test: p == nil ? nil : .asymptotic(self == .pearson ? .pearson : .spearman)))
    }
}

private func spread(_ values: [Double]) -> Double {
    let middle = mean(values)
    return values.reduce(0) { max($0, abs($1 - middle)) }
}
