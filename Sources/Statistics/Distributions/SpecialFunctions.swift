import Foundation

// The functions behind the distributions. Goals in order: relative accuracy near 1e-13 in both tails; no overflow for large parameters;
// the same on every machine with the same libm. Sources: Abramowitz & Stegun 6 and 26; DiDonato & Morris 1992 (correction of ln B).

/// ln Γ(x) for x > 0; unlike `lgamma` it does not write the global sign.
func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
}

/// ln Γ(x) − [(x − ½) ln x − x + ½ ln 2π], Stirling's remainder, for x ≥ 10.
private func stirlingRemainder(_ x: Double) -> Double {
    let t = 1 / (x * x)
    return (1 / 12.0 + t * (-1 / 360.0 + t * (1 / 1260.0 + t * (-1 / 1680.0 + t * (1 / 1188.0 + t * (-691 / 360_360.0 + t / 156)))))) / x
}

/// ln B(a, b). Differences of large logarithms of Γ are taken by Stirling's formula, where they cancel exactly.
func logBeta(_ a: Double, _ b: Double) -> Double {
    let small = min(a, b), large = max(a, b), sum = a + b
    if small >= 10 {
        return -0.5 * log(large) + 0.918_938_533_204_672_74 + stirlingRemainder(small) + stirlingRemainder(large) - stirlingRemainder(sum)
            + (small - 0.5) * log(small / sum) - large * log1p(small / large)
    }
    if large >= 10 {
        // ln Γ(large) − ln Γ(sum)
        let difference = stirlingRemainder(large) - stirlingRemainder(sum) - (large - 0.5) * log1p(small / large) - small * log(sum) + small
        return logGamma(small) + difference
    }
    return logGamma(small) + logGamma(large) - logGamma(sum)
}

/// The regularized incomplete beta function I(x; a, b), by its continued fraction (Lentz's method).
///
/// - Parameter complement: 1 − x, where it is known better than by subtraction.
func regularizedBeta(_ x: Double, _ a: Double, _ b: Double, complement: Double? = nil) -> Double {
    let y = complement ?? 1 - x
    guard x > 0 else { return 0 }
    guard y > 0 else { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - betaFraction(y, b, a, complement: x) }
    return betaFraction(x, a, b, complement: y)
}

/// 1 − I(x; a, b) = I(1 − x; b, a), small values of which keep their digits.
func regularizedBetaUpper(_ x: Double, _ a: Double, _ b: Double, complement: Double? = nil) -> Double {
    regularizedBeta(complement ?? 1 - x, b, a, complement: x)
}

private func betaFraction(_ x: Double, _ a: Double, _ b: Double, complement y: Double) -> Double {
    let logX = x < 0.5 ? log(x) : log1p(-y), logY = y < 0.5 ? log(y) : log1p(-x)
    let front = exp(a * logX + b * logY - logBeta(a, b)) / a
    let tiny = 1e-300
    var f = 1.0, c = 1.0, d = 0.0
    for i in 0...20_000 {
        let m = Double(i / 2), term: Double
        if i == 0 {
            term = 1
        } else if i % 2 == 0 {
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        } else {
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        }
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        if abs(c) < tiny { c = tiny }
        f *= c * d
        if abs(1 - c * d) < 4e-16 { break }
    }
    return front * (f - 1)
}

/// The regularized incomplete gamma functions P(a, x) and Q(a, x) = 1 − P: series below a + 1, continued fraction above.
func regularizedGamma(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
    guard x > 0 else { return (0, 1) }
    guard x.isFinite else { return (1, 0) }
    // x^a e^−x / Γ(a), without the difference of two large logarithms.
    let front: Double
    if a >= 10 {
        let relative = (x - a) / a
        let exponent = abs(relative) < 0.3 ? a * (log1p(relative) - relative) : a * log(x / a) - (x - a)
        front = exp(exponent - stirlingRemainder(a)) * (a / (2 * .pi)).squareRoot()
    } else {
        front = exp(a * log(x) - x - logGamma(a))
    }
    if x < a + 1 {
        var term = 1 / a, sum = term
        for i in 1...100_000 {
            term *= x / (a + Double(i))
            sum += term
            if term < sum * 1e-17 { break }
        }
        let lower = min(1, front * sum)
        return (lower, 1 - lower)
    }
    let tiny = 1e-300
    var b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d
    for i in 1...100_000 {
        let an = -Double(i) * (Double(i) - a)
        b += 2
        d = an * d + b
        if abs(d) < tiny { d = tiny }
        c = b + an / c
        if abs(c) < tiny { c = tiny }
        d = 1 / d
        h *= d * c
        if abs(d * c - 1) < 4e-16 { break }
    }
    let upper = min(1, front * h)
    return (1 - upper, upper)
}

/// The x in [low, high] at which an increasing function reaches `target`, by bisection that halves the exponent while the ends are far
/// apart, so that tiny solutions keep their digits.
func invert(_ target: Double, low: Double, high: Double, _ function: (Double) -> Double) -> Double {
    var low = low, high = high
    for _ in 0..<400 {
        let middle: Double
        if low > 0, high / low > 4 {
            middle = low.squareRoot() * high.squareRoot()
        } else if low == 0, high > 1e-290 {
            middle = high > 1e-3 ? high / 2 : max(1e-300, high * high.squareRoot())
        } else {
            middle = low + (high - low) / 2
        }
        guard middle > low, middle < high else { break }
        if function(middle) < target { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
}
