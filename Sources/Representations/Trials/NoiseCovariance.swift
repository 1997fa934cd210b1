import FileFormats
import Foundation
import Tensors

/// The covariance of channels within conditions, shrunk so that it can be inverted; as rsatoolbox's `cov_from_residuals`.
package struct NoiseCovariance: Sendable {
    package enum Shrinkage: String, Sendable, CaseIterable {
        /// Toward the variances alone (Schäfer & Strimmer 2005).
        case diagonal
        /// Toward a multiple of the identity (Ledoit & Wolf 2004).
        case identity
        /// None.
        case none
    }

    /// (channels, channels).
    package let matrix: Tensor<Double>
    /// Weight of the target, in [0, 1].
    package let shrinkage: Double

    /// - Parameters:
    ///   - residuals: (observations, channels), with each condition's mean subtracted.
    ///   - freedom: degrees of freedom: observations less conditions.
    /// - Throws: `DataError` without freedom, or for a channel that never varies.
    package init(residuals x: Tensor<Double>, freedom: Int, _ kind: Shrinkage = .diagonal) throws {
        let n = x.rows, d = x.columns
        guard freedom >= 1 else {
            throw DataError(
                .badData, "the noise covariance needs more trials than conditions: repeat conditions, or use a distance without noise")
        }
        let sums = matrixProduct(x, transposed: true, x)
        var squares = x
        for i in 0..<squares.count { squares[i] *= squares[i] }
        let fourth = matrixProduct(squares, transposed: true, squares)
        if let flat = (0..<d).first(where: { !(sums[$0, $0] > 0) }) {
            throw DataError(.badData, "channel \(flat) never varies within conditions, so its noise is zero; leave it out")
        }
        var s = Tensor<Double>(repeating: 0, shape: [d, d])
        switch kind {
        case .none:
            for i in 0..<d * d { s[i] = sums[i] / Double(freedom) }
            shrinkage = 0
        case .diagonal:
            var above = 0.0, below = 0.0
            let f = Double(freedom), m = Double(n - 1)
            for i in 0..<d {
                for j in 0..<d {
                    s[i, j] = sums[i, j] / f
                    guard i != j else { continue }
                    let vi = sums[i, i] / f, vj = sums[j, j] / f
                    let r = sums[i, j] / (vi * vj).squareRoot() / m, r2 = fourth[i, j] / vi / vj / m
                    above += Double(n) / (f * f) * (r2 - r * r)
                    below += r * r
                }
            }
            let weight = below > 0 ? min(1, max(0, above / below)) : 1
            for i in 0..<d { for j in 0..<d where i != j { s[i, j] *= 1 - weight } }
            shrinkage = weight
        case .identity:
            let count = Double(n)
            var trace = 0.0, b2 = 0.0, d2 = 0.0
            for i in 0..<d { trace += sums[i, i] / count }
            let middle = trace / Double(d)
            for i in 0..<d {
                for j in 0..<d {
                    let value = sums[i, j] / count, away = value - (i == j ? middle : 0)
                    b2 += fourth[i, j] / count - value * value
                    d2 += away * away
                }
            }
            let weight = d2 > 0 ? min(d2, b2 / count) / d2 : 1
            for i in 0..<d {
                for j in 0..<d { s[i, j] = ((i == j ? weight * middle : 0) + (1 - weight) * sums[i, j] / count) * count / Double(freedom) }
            }
            shrinkage = weight
        }
        matrix = s
    }

    /// Residuals of trials from the means of their conditions (trials, channels), and their degrees of freedom.
    static func residuals(_ x: Tensor<Double>, _ members: [[Int]]) -> (Tensor<Double>, freedom: Int) {
        let d = x.columns, used = members.filter { !$0.isEmpty }
        var rows: [Double] = []
        for trials in used {
            let means = (0..<d).map { k in trials.reduce(0.0) { $0 + x[$1, k] } / Double(trials.count) }
            for trial in trials { for k in 0..<d { rows.append(x[trial, k] - means[k]) } }
        }
        let count = used.reduce(0) { $0 + $1.count }
        return (Tensor(rows, shape: [count, d]), count - used.count)
    }

    /// W (channels, channels) with W·Wᵀ the inverse of the matrix: x·W has channels of unit noise.
    ///
    /// - Throws: `DataError` if the matrix cannot be inverted.
    package static func whitening(_ matrix: Tensor<Double>) throws -> Tensor<Double> {
        let d = matrix.rows, (values, vectors) = try symmetricEigenvectors(matrix, count: d)
        guard let largest = values.first, largest > 0, let smallest = values.last, smallest > largest * 1e-14 else {
            throw DataError(
                .badData, "the noise covariance of \(d) channels cannot be inverted; shrink it, or give more trials than channels")
        }
        var w = Tensor<Double>(repeating: 0, shape: [d, d])
        for k in 0..<d {
            let scale = 1 / values[k].squareRoot()
            for i in 0..<d { w[i, k] = vectors[k, i] * scale }
        }
        return w
    }
}
