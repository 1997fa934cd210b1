import FileFormats
import Foundation
import Tensors

/// Polynomials fitted to a few noisy points of a sine: how error falls on the points that were fitted and rises on the others.
///
/// x is scaled to −1 ... 1 and the equations are solved by Householder QR, since the normal equations of raw powers lose all digits at
/// these degrees. With λ > 0, √λ times the identity is stacked below the design (ridge; the intercept is free). With more coefficients than
/// points and λ = 0 it is the solution of least norm.
package struct Overfitting: Sendable {
    /// Points on the interval 0 ... 6π, how many of them are fitted, and the standard deviation of the noise.
    package var points = 100, sampled = 10, noise = 0.3
    package var degrees = Array(1...12)
    /// The degree whose λ path is drawn.
    package var pathDegree = 9
    package var penalties = (0...40).map { pow(10, -8 + Double($0) / 4) }
    /// Data sets from which bias and variance are computed.
    package var repetitions = 500
    package var seed: UInt64 = 0
    package var threads = Parallel.availableThreads

    package init() {}

    package static let end = 6 * Double.pi
    package static func truth(_ x: Double) -> Double { sin(x) }

    package struct DataSet: Sendable {
        /// All x in order, their noisy values, and which of them are fitted.
        package var x: [Double], y: [Double]
        package var fitted: [Int]
        package var heldOut: [Int] {
            let inside = Set(fitted)
            return x.indices.filter { !inside.contains($0) }
        }
    }

    /// Data set `repetition`, 0 the one that is drawn.
    package func data(_ repetition: Int = 0) -> DataSet {
        var random = RandomSource(seed: seed).split(UInt64(repetition))
        let x = (0..<points).map { Double($0) / Double(points - 1) * Self.end }
        let y = x.map { Self.truth($0) + noise * random.normal() }
        return DataSet(x: x, y: y, fitted: Array(random.permutation(points).prefix(sampled)).sorted())
    }

    package struct Polynomial: Sendable {
        /// Of powers 0, 1, … of x / 3π − 1.
        package var coefficients: [Double]
        package func callAsFunction(_ x: Double) -> Double {
            let z = x / (Overfitting.end / 2) - 1
            return coefficients.reversed().reduce(0) { $0 * z + $1 }
        }
    }

    package func fit(_ data: DataSet, degree: Int, penalty: Double = 0) throws -> Polynomial {
        var rows = data.fitted.map { i -> [Double] in
            let z = data.x[i] / (Self.end / 2) - 1
            var power = 1.0
            return (0...degree).map { _ in
                defer { power *= z }
                return power
            }
        }
        var y = data.fitted.map { data.y[$0] }
        if penalty > 0 {
            for k in 1...max(degree, 1) where degree > 0 {
                rows.append((0...degree).map { $0 == k ? penalty.squareRoot() : 0 })
                y.append(0)
            }
        }
        return Polynomial(coefficients: try Self.leastSquares(rows, y))
    }

    /// Root mean squared error on the points that were fitted and on the others.
    package func errors(_ polynomial: Polynomial, _ data: DataSet) -> (fitted: Double, heldOut: Double) {
        func error(_ places: [Int]) -> Double {
            (places.reduce(0) { $0 + pow(polynomial(data.x[$1]) - data.y[$1], 2) } / Double(max(places.count, 1))).squareRoot()
        }
        return (error(data.fitted), error(data.heldOut))
    }

    /// Over `repetitions` data sets, averaged over all x: squared bias, variance and the two errors' means of squares.
    package struct Decomposition: Sendable {
        package var degree: Int, penalty: Double
        /// Squares: (mean prediction − truth)², variance of predictions around their mean.
        package var squaredBias: Double, variance: Double
        /// Medians over the data sets of the root mean squared errors: means belong to a few that went wild.
        package var fittedError: Double, heldOutError: Double
    }

    package func decomposition(degree: Int, penalty: Double = 0) throws -> Decomposition {
        let x = data().x
        var predictions = [[Double]](repeating: [], count: repetitions),
            errors = [(fitted: Double, heldOut: Double)](repeating: (0, 0), count: repetitions)
        try predictions.withUnsafeMutableBufferPointer { p in
            try errors.withUnsafeMutableBufferPointer { e in
                let (sharedP, sharedE) = (p.baseAddress.map { Shared($0) }, e.baseAddress.map { Shared($0) })
                try Parallel.forEach(repetitions, threads: threads) { repetition, _ in
                    let data = data(repetition), polynomial = try fit(data, degree: degree, penalty: penalty)
                    sharedP?.pointer[repetition] = x.map { polynomial($0) }
                    sharedE?.pointer[repetition] = self.errors(polynomial, data)
                }
            }
        }
        var bias = 0.0, spread = 0.0
        for i in x.indices {
            let mean = predictions.reduce(0) { $0 + $1[i] } / Double(repetitions)
            bias += pow(mean - Self.truth(x[i]), 2) / Double(x.count)
            spread += predictions.reduce(0) { $0 + pow($1[i] - mean, 2) } / Double(repetitions) / Double(x.count)
        }
        func median(_ values: [Double]) -> Double {
            let sorted = values.sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        return Decomposition(
            degree: degree, penalty: penalty, squaredBias: bias, variance: spread,
            fittedError: median(errors.map(\.fitted)), heldOutError: median(errors.map(\.heldOut)))
    }

    /// The solution of least squares, of least norm if there are fewer rows than columns.
    ///
    /// - Throws: `DataError` if columns (or rows) depend linearly on each other.
    package static func leastSquares(_ rows: [[Double]], _ y: [Double]) throws -> [Double] {
        let (m, n) = (rows.count, rows.first?.count ?? 0), isWide = m < n
        // Columns of the matrix (or of its transpose, where it is wide) are reflected one after another onto the axes.
        var a = isWide ? rows : (0..<n).map { j in rows.map { $0[j] } }
        let (length, count) = isWide ? (n, m) : (m, n)
        var reflectors: [[Double]] = []
        func reflect(_ v: [Double], _ x: inout [Double], from k: Int) {
            let projection = 2 * (k..<length).reduce(0) { $0 + v[$1] * x[$1] }
            for i in k..<length { x[i] -= projection * v[i] }
        }
        let size = (a.joined().map(abs).max() ?? 0)
        for k in 0..<count {
            var v = a[k]
            for i in 0..<k { v[i] = 0 }
            let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > size * 1e-14 else {
                throw DataError(.badData, "the points do not determine a polynomial of degree \(n - 1); choose a lower degree or a penalty")
            }
            v[k] += v[k] < 0 ? -norm : norm
            let scale = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for i in v.indices { v[i] /= scale }
            for j in k..<count { reflect(v, &a[j], from: k) }
            reflectors.append(v)
        }
        // a[j][i] is now R's element in row i, column j.
        if isWide {
            // aᵀ = Q R and a x = y: Rᵀ z = y, x = Q z.
            var z = [Double](repeating: 0, count: length)
            for i in 0..<count { z[i] = (y[i] - (0..<i).reduce(0) { $0 + a[i][$1] * z[$1] }) / a[i][i] }
            for k in (0..<count).reversed() { reflect(reflectors[k], &z, from: k) }
            return z
        }
        var right = y, x = [Double](repeating: 0, count: n)
        for k in 0..<count { reflect(reflectors[k], &right, from: k) }
        for i in (0..<n).reversed() { x[i] = (right[i] - (i + 1..<n).reduce(0) { $0 + a[$1][i] * x[$1] }) / a[i][i] }
        return x
    }
}
