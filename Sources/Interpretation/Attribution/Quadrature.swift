import Foundation

/// Gauss–Legendre quadrature on 0 … 1: exact for polynomials up to degree 2n − 1.
struct Quadrature {
    let nodes: [Double]
    let weights: [Double]

    /// - Parameter count: nodes, at least 1.
    /// - Complexity: O(count²).
    init(_ count: Int) {
        var nodes: [Double] = [], weights: [Double] = []
        for i in 0..<count {
            // Newton's method on the Legendre polynomial, from a classical first guess.
            var x = cos(Double.pi * (Double(i) + 0.75) / (Double(count) + 0.5)), slope = 1.0
            for _ in 0..<100 {
                var (p, before) = (x, 1.0)
                for k in stride(from: 2, through: count, by: 1) {
                    (p, before) = ((Double(2 * k - 1) * x * p - Double(k - 1) * before) / Double(k), p)
                }
                slope = Double(count) * (x * p - before) / (x * x - 1)
                let step = p / slope
                x -= step
                if abs(step) < 1e-15 { break }
            }
            nodes.append((1 + x) / 2)
            weights.append(1 / ((1 - x * x) * slope * slope))
        }
        (self.nodes, self.weights) = (nodes, weights)
    }
}
