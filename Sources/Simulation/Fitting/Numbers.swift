import Foundation

// What the models need of statistics, until the room Statistics is there to be asked.

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// With n − 1.
func variance(_ values: [Double]) -> Double {
    let middle = mean(values)
    return values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(values.count - 1)
}

/// A line by least squares.
public struct Line: Sendable {
    public let intercept: Double, slope: Double
    public let residuals: [Double]
    /// Share of the variance of y that the line explains.
    public let rSquared: Double

    public init(_ y: [Double], on x: [Double]) {
        let mx = mean(x), my = mean(y)
        let slope = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) } / x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
        self.slope = slope
        intercept = my - slope * mx
        residuals = zip(x, y).map { $1 - my - slope * ($0 - mx) }
        rSquared = 1 - residuals.reduce(0) { $0 + $1 * $1 } / y.reduce(0) { $0 + ($1 - my) * ($1 - my) }
    }
}

/// The χ² distribution.
enum ChiSquare {
    /// P(χ² > x): the series of the lower incomplete gamma function, or the continued fraction of the upper one (Lentz).
    static func upper(_ x: Double, freedom: Double) -> Double {
        guard x > 0 else { return 1 }
        let a = freedom / 2, z = x / 2, front = exp(a * log(z) - z - lgamma(a))
        if z < a + 1 {
            var term = 1 / a, sum = term, k = a
            while abs(term) > abs(sum) * 1e-16 { k += 1; term *= z / k; sum += term }
            return 1 - front * sum
        }
        var b = z + 1 - a, c = 1e300, d = 1 / b, h = d
        for i in 1...10_000 {
            let n = -Double(i) * (Double(i) - a)
            b += 2
            d = 1 / (n * d + b)
            c = b + n / c
            h *= d * c
            if abs(d * c - 1) < 1e-15 { break }
        }
        return front * h
    }

    /// The value that χ² exceeds with probability `p`.
    static func critical(_ p: Double, freedom: Double) -> Double {
        var (low, high) = (0.0, freedom + 10)
        while upper(high, freedom: freedom) > p { high *= 2 }
        for _ in 0..<200 where high - low > 1e-12 * high {
            let middle = (low + high) / 2
            if upper(middle, freedom: freedom) > p { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
