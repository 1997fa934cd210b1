import FileFormats
import Foundation

/// Student's t tests: of one mean, of paired differences, of two independent means.
public struct TTest: Sendable, Equatable {
    /// The mean, or difference of means, with its t interval and p-value.
    public let estimate: Estimate
    /// The t statistic.
    public let t: Double
    /// Degrees of freedom; not whole for Welch's test.
    public let freedom: Double

    private init(
        _ value: Double, error: Double, freedom: Double, n: Int, _ alternative: Alternative, level: Double, _ name: TestMethod.Name
    ) throws {
        try requireLevel(level)
        guard error > 0 else { throw DataError(.badData, "all values are equal, so t is undefined") }
        let distribution = StudentT(freedom: freedom), reach = distribution.quantile(0.5 + level / 2) * error
        t = value / error
        self.freedom = freedom
        let p =
            switch alternative {
            case .twoSided: distribution.twoSided(t)
            case .less: distribution.cumulative(t)
            case .greater: distribution.upper(t)
            }
        estimate = Estimate(
            value, interval: (value - reach)...(value + reach), level: level, p: p, n: n,
            method: .init(interval: .studentT, test: .asymptotic(name)))
    }

    /// The mean of one sample, or of paired differences, against `null`; the estimate is the mean less `null`.
    public init(_ values: [Double], against null: Double = 0, _ alternative: Alternative = .twoSided, level: Double = 0.95) throws {
        guard values.count >= 2 else {
            throw DataError(.badData, "a t test needs at least two values; there \(values.count == 1 ? "is 1" : "are none")")
        }
        try requireFinite(values, "sample")
        let n = Double(values.count)
        try self.init(
            mean(values) - null, error: Self.spread(values) / n.squareRoot(), freedom: n - 1, n: values.count, alternative, level: level,
            .tTest)
    }

    /// The difference of two independent means, a − b: Welch's test, or Student's with one common variance.
    public init(
        _ a: [Double], _ b: [Double], equalVariances: Bool = false, _ alternative: Alternative = .twoSided, level: Double = 0.95
    ) throws {
        guard min(a.count, b.count) >= 2 else {
            throw DataError(.badData, "a t test needs at least two values in each sample; there are \(a.count) and \(b.count)")
        }
        try requireFinite(a, "first sample")
        try requireFinite(b, "second sample")
        let m = Double(a.count), n = Double(b.count), va = Self.spread(a) * Self.spread(a), vb = Self.spread(b) * Self.spread(b)
        let difference = mean(a) - mean(b)
        if equalVariances {
            let pooled = ((m - 1) * va + (n - 1) * vb) / (m + n - 2)
            try self.init(
                difference, error: (pooled * (1 / m + 1 / n)).squareRoot(), freedom: m + n - 2, n: a.count + b.count, alternative,
                level: level, .tTest)
        } else {
            let x = va / m, y = vb / n
            try self.init(
                difference, error: (x + y).squareRoot(), freedom: (x + y) * (x + y) / (x * x / (m - 1) + y * y / (n - 1)),
                n: a.count + b.count,
                alternative, level: level, .welch)
        }
    }

    /// The standard deviation, 0 where only rounding of equal values is left.
    private static func spread(_ values: [Double]) -> Double {
        let deviation = standardDeviation(values)
        return deviation > 1e-15 * abs(mean(values)) ? deviation : 0
    }
}
