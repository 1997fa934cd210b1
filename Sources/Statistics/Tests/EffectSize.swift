import FileFormats
import Foundation

/// Effect sizes with confidence intervals.
public enum EffectSize {
    /// d_z: mean of paired differences over their standard deviation (Cohen 1988), with the exact interval by the noncentral t distribution
    /// (Steiger & Fouladi 1997): t = d_z √n.
    public static func dz(_ differences: [Double], level: Double = 0.95) throws -> Estimate {
        let test = try TTest(differences, level: level)
        let root = Double(differences.count).squareRoot()
        return Estimate(
            test.t / root, interval: try noncentralInterval(test, scale: 1 / root, level: level), level: level, p: nil,
            n: differences.count,
            method: .init(interval: .noncentralT))
    }

    /// Cohen's d of two independent samples: difference of means over the pooled standard deviation.
    ///
    /// - Parameter corrected: Hedges' g, without the bias of small samples; the exact factor Γ(ν/2)/(√(ν/2) Γ((ν − 1)/2)).
    public static func d(_ a: [Double], _ b: [Double], corrected: Bool = false, level: Double = 0.95) throws -> Estimate {
        let test = try TTest(a, b, equalVariances: true, level: level)
        var scale = (1 / Double(a.count) + 1 / Double(b.count)).squareRoot()
        if corrected { scale *= hedges(test.freedom) }
        return Estimate(
            test.t * scale, interval: try noncentralInterval(test, scale: scale, level: level), level: level, p: nil, n: a.count + b.count,
            method: .init(interval: .noncentralT))
    }

    static func hedges(_ freedom: Double) -> Double {
        exp(logGamma(freedom / 2) - logGamma((freedom - 1) / 2)) / (freedom / 2).squareRoot()
    }

    private static func noncentralInterval(_ test: TTest, scale: Double, level: Double) throws -> ClosedRange<Double> {
        let low = noncentrality(t: test.t, freedom: test.freedom, cumulative: (1 + level) / 2)
        let high = noncentrality(t: test.t, freedom: test.freedom, cumulative: (1 - level) / 2)
        return min(low * scale, high * scale)...max(low * scale, high * scale)
    }

    /// The noncentrality at which t has this cumulative probability, by bisection.
    static func noncentrality(t: Double, freedom: Double, cumulative: Double) -> Double {
        var reach = 1.0
        func value(_ delta: Double) -> Double { NoncentralT(freedom: freedom, noncentrality: delta).cumulative(t) }
        while value(t - reach) < cumulative, reach < 1e6 { reach *= 2 }
        var low = t - reach
        reach = 1
        while value(t + reach) > cumulative, reach < 1e6 { reach *= 2 }
        var high = t + reach
        for _ in 0..<200 {
            let middle = (low + high) / 2
            guard middle > low, middle < high, high - low > 1e-13 * max(1, abs(middle)) else { break }
            if value(middle) > cumulative { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// Cliff's δ: P(a > b) − P(a < b), from −1 to 1, with the asymmetric interval of Feng & Cliff (2004).
    ///
    /// - Complexity: O((m + n) log(m + n)).
    public static func cliffsDelta(_ a: [Double], _ b: [Double], level: Double = 0.95) throws -> Estimate {
        try requireLevel(level)
        guard !a.isEmpty, !b.isEmpty else {
            throw DataError(.badData, "Cliff's δ needs values in both samples; there are \(a.count) and \(b.count)")
        }
        try requireFinite(a, "first sample")
        try requireFinite(b, "second sample")
        let m = Double(a.count), n = Double(b.count)
        let rows = dominance(a, over: b), columns = dominance(b, over: a).map { -$0 }
        let delta = mean(rows)
        let estimate = Estimate(delta, level: level, n: a.count + b.count)
        guard a.count > 1, b.count > 1 else { return estimate }
        func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + ($1 - delta) * ($1 - delta) } }
        // Σ(d_ij − δ)² = Σ d_ij² − mnδ²; d_ij² is 1 but for ties.
        let sortedB = b.sorted()
        let untied = a.reduce(0.0) { $0 + n - Double(upperBound(sortedB, $1) - lowerBound(sortedB, $1)) }
        return interval(estimate, rows: squares(rows), columns: squares(columns), cells: untied - m * n * delta * delta, m: m, n: n)
    }

    private static func interval(_ estimate: Estimate, rows: Double, columns: Double, cells: Double, m: Double, n: Double) -> Estimate {
        let delta = estimate.value
        // Cliff 1996: s² = [(n − 1) s²_i. + (m − 1) s²_.j + s²_ij]/(mn), each s² with its own divisor.
        let variance = max(
            ((n - 1) * rows / (m - 1) + (m - 1) * columns / (n - 1) + cells / ((m - 1) * (n - 1))) / (m * n),
            (1 - delta * delta) / (m * n - 1))
        let z = Normal.quantile(0.5 + estimate.level / 2), s = variance.squareRoot()
        let below = 1 - delta * delta + z * z * variance
        var result = estimate
        if below <= 0 { return result }
        let centre = delta - delta * delta * delta,
            reach = z * s * ((1 - delta * delta) * (1 - delta * delta) + z * z * variance).squareRoot()
        let low = max(-1, (centre - reach) / below), high = min(1, (centre + reach) / below)
        result.interval = min(low, high)...max(low, high)
        result.method.interval = .normal
        return result
    }

    /// For each value of a: share of b below it less share above.
    private static func dominance(_ a: [Double], over b: [Double]) -> [Double] {
        let sorted = b.sorted(), n = Double(b.count)
        return a.map { (Double(lowerBound(sorted, $0)) - (n - Double(upperBound(sorted, $0)))) / n }
    }
}

/// Index of the first value not below `x`.
func lowerBound(_ sorted: [Double], _ x: Double) -> Int {
    var low = 0, high = sorted.count
    while low < high {
        let middle = (low + high) / 2
        if sorted[middle] < x { low = middle + 1 } else { high = middle }
    }
    return low
}

/// Index of the first value above `x`.
func upperBound(_ sorted: [Double], _ x: Double) -> Int {
    var low = 0, high = sorted.count
    while low < high {
        let middle = (low + high) / 2
        if sorted[middle] <= x { low = middle + 1 } else { high = middle }
    }
    return low
}
