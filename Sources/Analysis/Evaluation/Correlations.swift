import FileFormats
import Foundation
import Tensors

// Correlation of two series, as scipy.stats computes it, all in Double. Sums run over deviations from the mean (two passes).

/// A measure of how closely two series go together.
public enum Correlation: String, Sendable, CaseIterable {
    /// Pearson's r: linear.
    case pearson
    /// Spearman's ρ: Pearson's r of the ranks, ties sharing their average rank.
    case spearman
    /// Kendall's τ-b: pairs in the same order less pairs in opposite order, corrected for ties (Kendall 1945; Knight 1966).
    case kendall

    /// The coefficient in [−1, 1].
    ///
    /// - Throws: `DataError` when the series differ in length, have fewer than two values, hold NaN or infinity, or when one is
    ///   constant (its correlation is undefined).
    public func callAsFunction(_ x: [Double], _ y: [Double]) throws -> Double {
        try Self.check(x, y)
        switch self {
        case .pearson: return try Self.pearson(x, y)
        case .spearman: return try Self.pearson(averageRanks(x), averageRanks(y))
        case .kendall: return try Self.kendall(x, y)
        }
    }

    private static func check(_ x: [Double], _ y: [Double]) throws {
        guard x.count == y.count else { throw DataError(.badData, "a correlation needs two series of one length; they have \(x.count) and \(y.count) values") }
        guard x.count >= 2 else { throw DataError(.badData, "a correlation needs at least two pairs of values; there \(x.count == 1 ? "is 1" : "are none")") }
        for (name, series) in [("first", x), ("second", y)] {
            if let bad = series.firstIndex(where: { !$0.isFinite }) {
                throw DataError(.badData, "value \(bad + 1) of the \(name) series is \(series[bad]); leave that pair out")
            }
        }
    }

    private static func constant() -> DataError { DataError(.badData, "a series whose values are all equal has no correlation with anything") }

    private static func pearson(_ x: [Double], _ y: [Double]) throws -> Double {
        let n = Double(x.count), meanX = x.reduce(0, +) / n, meanY = y.reduce(0, +) / n
        // Scaled by the largest deviation, so that squares neither overflow nor vanish.
        var largestX = 0.0, largestY = 0.0
        for i in 0..<x.count {
            largestX = max(largestX, abs(x[i] - meanX))
            largestY = max(largestY, abs(y[i] - meanY))
        }
        guard largestX > 1e-13 * abs(meanX), largestY > 1e-13 * abs(meanY), largestX.isFinite, largestY.isFinite else { throw constant() }
        var xx = 0.0, yy = 0.0, xy = 0.0
        for i in 0..<x.count {
            let a = (x[i] - meanX) / largestX, b = (y[i] - meanY) / largestY
            xx += a * a
            yy += b * b
            xy += a * b
        }
        return max(-1, min(1, xy / (xx.squareRoot() * yy.squareRoot())))
    }

    private static func kendall(_ x: [Double], _ y: [Double]) throws -> Double {
        let n = x.count
        let order = (0..<n).sorted { (x[$0], y[$0]) < (x[$1], y[$1]) }
        var bothTied = 0, xTied = 0, runX = 1, runBoth = 1
        for i in 1..<n {
            let sameX = x[order[i]] == x[order[i - 1]]
            if sameX { runX += 1 } else { xTied += runX * (runX - 1) / 2; runX = 1 }
            if sameX && y[order[i]] == y[order[i - 1]] { runBoth += 1 } else { bothTied += runBoth * (runBoth - 1) / 2; runBoth = 1 }
        }
        xTied += runX * (runX - 1) / 2
        bothTied += runBoth * (runBoth - 1) / 2
        var values = order.map { y[$0] }
        let swaps = sortCountingSwaps(&values)
        var yTied = 0, runY = 1
        for i in 1..<n {
            if values[i] == values[i - 1] { runY += 1 } else { yTied += runY * (runY - 1) / 2; runY = 1 }
        }
        yTied += runY * (runY - 1) / 2
        let total = n * (n - 1) / 2
        guard xTied < total, yTied < total else { throw constant() }
        let difference = Double(total - xTied - yTied + bothTied - 2 * swaps)
        return max(-1, min(1, difference / Double(total - xTied).squareRoot() / Double(total - yTied).squareRoot()))
    }

    /// Merge sort; returns the number of pairs that were out of order.
    private static func sortCountingSwaps(_ values: inout [Double]) -> Int {
        let n = values.count
        var buffer = values, swaps = 0, width = 1
        while width < n {
            for start in stride(from: 0, to: n, by: 2 * width) {
                let middle = min(start + width, n), end = min(start + 2 * width, n)
                var left = start, right = middle
                for to in start..<end {
                    if left < middle && (right >= end || values[left] <= values[right]) {
                        buffer[to] = values[left]
                        left += 1
                    } else {
                        buffer[to] = values[right]
                        right += 1
                        swaps += middle - left
                    }
                }
            }
            swap(&values, &buffer)
            width *= 2
        }
        return swaps
    }

    // MARK: Intervals

    /// Confidence interval by Fisher's transformation: z = artanh r is nearly normal.
    ///
    /// Its variance is 1/(n − 3) for Pearson's r (scipy's `confidence_interval`), (1 + r²/2)/(n − 3) for Spearman's ρ (Bonett &
    /// Wright 2000) and 0.437/(n − 4) for Kendall's τ (Fieller, Hartley & Pearson 1957).
    ///
    /// - Returns: [−1, 1] when there are too few values to say anything.
    public func fisherInterval(_ r: Double, count: Int, level: Double = 0.95) -> ClosedRange<Double> {
        let variance: Double = switch self {
        case .pearson: 1 / Double(count - 3)
        case .spearman: (1 + r * r / 2) / Double(count - 3)
        case .kendall: 0.437 / Double(count - 4)
        }
        guard count > (self == .kendall ? 4 : 3), level > 0 && level < 1, r.isFinite else { return -1...1 }
        guard abs(r) < 1 else { return r...r }
        let half = normalQuantile(0.5 + level / 2) * variance.squareRoot(), z = atanh(r)
        return tanh(z - half)...tanh(z + half)
    }

    /// Confidence interval by the percentile bootstrap: the pairs are drawn again with replacement, `resamples` times (Efron 1979).
    ///
    /// Resamples in which a series is constant are left out. Each resample has its own random stream, so the interval does not depend
    /// on the number of threads.
    public func bootstrapInterval(
        _ x: [Double], _ y: [Double], level: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) throws -> ClosedRange<Double> {
        try Self.check(x, y)
        guard level > 0, level < 1, resamples > 0 else {
            throw DataError(.usage, "a bootstrap needs a level between 0 and 1 and at least one resample, not \(level) and \(resamples)")
        }
        let source = RandomSource(seed: seed), n = x.count
        var values = [Double](repeating: .nan, count: resamples)
        values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = Shared(base)
            Parallel.forEach(resamples, threads: threads) { sample, _ in
                var random = source.split(UInt64(sample))
                var a = [Double](), b = [Double]()
                a.reserveCapacity(n)
                b.reserveCapacity(n)
                for _ in 0..<n {
                    let i = random.below(n)
                    a.append(x[i])
                    b.append(y[i])
                }
                if let r = try? self(a, b) { out.pointer[sample] = r }
            }
        }
        let usable = values.filter { !$0.isNaN }.sorted()
        guard let first = usable.first else { throw Self.constant() }
        func quantile(_ p: Double) -> Double {
            let place = p * Double(usable.count - 1), below = Int(place)
            return usable[below] + (usable[min(usable.count - 1, below + 1)] - usable[below]) * (place - Double(below))
        }
        let low = quantile((1 - level) / 2), high = quantile((1 + level) / 2)
        return low <= high ? low...high : first...first
    }

    /// Two-sided p-value of Pearson's r or Spearman's ρ: t = r √((n − 2)/(1 − r²)) with n − 2 degrees of freedom, as scipy; nil for
    /// Kendall's τ and for fewer than three pairs.
    public func pValue(_ r: Double, count: Int) -> Double? {
        guard self != .kendall, count >= 3, r.isFinite else { return nil }
        guard abs(r) < 1 else { return 0 }
        let freedom = Double(count - 2)
        // P(|T| > t) = I(ν/(ν + t²); ν/2, 1/2), and ν/(ν + t²) = 1 − r².
        return regularizedBeta(1 - r * r, freedom / 2, 0.5)
    }
}

/// Ranks from 1; equal values share the average of theirs.
public func averageRanks(_ x: [Double]) -> [Double] {
    let order = x.indices.sorted { x[$0] < x[$1] }
    var ranks = [Double](repeating: 0, count: x.count), start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count && x[order[end]] == x[order[start]] { end += 1 }
        for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
        start = end
    }
    return ranks
}

/// The z below which a standard normal variable lies with probability p: bisection to a bracket, then Newton on erfc.
func normalQuantile(_ p: Double) -> Double {
    guard p > 0, p < 1 else { return p <= 0 ? -.infinity : .infinity }
    if p < 0.5 { return -normalQuantile(1 - p) }
    var low = 0.0, high = 40.0
    for _ in 0..<60 {
        let middle = (low + high) / 2
        if 0.5 * erfc(middle / 2.0.squareRoot()) > 1 - p { low = middle } else { high = middle }
    }
    var z = (low + high) / 2
    for _ in 0..<2 {
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        if density > 0 { z += (0.5 * erfc(z / 2.0.squareRoot()) - (1 - p)) / density }
    }
    return z
}

/// The regularized incomplete beta function I(x; a, b), by its continued fraction (Lentz's method).
func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    let tiny = 1e-300
    var f = 1.0, c = 1.0, d = 0.0
    for i in 0...2000 {
        let m = Double(i / 2), term: Double
        if i == 0 { term = 1 }
        else if i % 2 == 0 { term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) }
        else { term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)) }
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        if abs(c) < tiny { c = tiny }
        f *= c * d
        if abs(1 - c * d) < 1e-16 { break }
    }
    return front * (f - 1)
}
