import Glibc

/// The curve 1 / (1 + a d^(2b)) that gives the intended proximity of two points on a map.
package struct UMAPCurve: Sendable, Equatable {
    package let a: Double
    package let b: Double

    package init(a: Double, b: Double) { (self.a, self.b) = (a, b) }

    /// The curve nearest by least squares, at 300 distances from 0 to 3 · spread, to one that is 1 up to `minimumDistance` and falls as
    /// exp(−(d − minimumDistance) / spread) beyond.
    ///
    /// By Levenberg–Marquardt from a = b = 1. For 0.1 and 1: a = 1.5769, b = 0.8951.
    package init(minimumDistance: Double, spread: Double) {
        let points = (0..<300).map { Double($0) * 3 * spread / 299 }
        let wanted = points.map { $0 < minimumDistance ? 1 : exp(-($0 - minimumDistance) / spread) }
        func residuals(_ a: Double, _ b: Double) -> Double {
            zip(points, wanted).reduce(0) { sum, pair in
                let r = 1 / (1 + a * pow(pair.0, 2 * b)) - pair.1
                return sum + r * r
            }
        }
        var (a, b, damping) = (1.0, 1.0, 1e-3)
        var error = residuals(a, b)
        for _ in 0..<500 {
            var (aa, ab, bb, ga, gb) = (0.0, 0.0, 0.0, 0.0, 0.0)
            for (d, y) in zip(points, wanted) where d > 0 {
                let power = pow(d, 2 * b), f = 1 / (1 + a * power), r = f - y
                let da = -f * f * power, db = -f * f * a * power * 2 * log(d)
                (aa, ab, bb) = (aa + da * da, ab + da * db, bb + db * db)
                (ga, gb) = (ga + da * r, gb + db * r)
            }
            let (p, q) = (aa * (1 + damping), bb * (1 + damping)), determinant = p * q - ab * ab
            guard determinant > 0 else { break }
            let (stepA, stepB) = ((-ga * q + gb * ab) / determinant, (-gb * p + ga * ab) / determinant)
            let next = residuals(a + stepA, b + stepB)
            if next.isFinite, next <= error, a + stepA > 0, b + stepB > 0 {
                (a, b, damping) = (a + stepA, b + stepB, damping / 3)
                let isDone = error - next <= 1e-15 * error
                error = next
                if isDone { break }
            } else {
                damping *= 4
                if damping > 1e12 { break }
            }
        }
        (self.a, self.b) = (a, b)
    }
}
