import FileFormats
import Foundation
import Tensors

/// Maps of the same points brought onto one another by shift, rotation, reflection and, if wished, scale (Schönemann 1966; Gower 1975).
package enum Procrustes {
    /// One map brought onto a target.
    package struct Fit: Sendable {
        /// (n, d).
        package let coordinates: Tensor<Double>
        /// Squared distances that remain, over those of the centred target: 0 is the same map, 1 nothing in common (scipy's disparity).
        package let disparity: Double
    }

    /// - Parameters:
    ///   - x: (n, d), moved; target: (n, d), stays.
    /// - Throws: `DataError` if shapes differ or a map is a single point.
    package static func fit(_ x: Tensor<Double>, to target: Tensor<Double>, scales: Bool = true) throws -> Fit {
        guard x.shape == target.shape, x.rows >= 2 else {
            throw DataError(.badData, "maps of shape \(x.shape) and \(target.shape) cannot be aligned")
        }
        let (a, _) = centred(x), (b, middle) = centred(target), n = x.rows, d = x.columns
        let sizeA = a.squaredNorm, sizeB = b.squaredNorm
        guard sizeA > 0, sizeB > 0 else { throw DataError(.badData, "a map whose points all coincide cannot be aligned") }
        let parts = try singularValues(matrixProduct(a, transposed: true, b)), rotation = matrixProduct(parts.u, parts.v)
        let trace = parts.s.reduce(0, +), scale = scales ? trace / sizeA : 1
        var moved = matrixProduct(a, rotation)
        for i in 0..<n { for k in 0..<d { moved[i, k] = moved[i, k] * scale + middle[k] } }
        let remains = scales ? sizeB - trace * trace / sizeA : sizeA + sizeB - 2 * trace
        return Fit(coordinates: moved, disparity: max(0, remains / sizeB))
    }

    /// Several maps brought onto their common mean, which is found by turns (generalized Procrustes analysis). Sizes are equal afterwards.
    ///
    /// - Returns: the maps in one frame, their mean, and each map's disparity from the mean.
    package static func align(
        _ maps: [Tensor<Double>], maximumIterations: Int = 100, tolerance: Double = 1e-12
    ) throws -> (maps: [Tensor<Double>], mean: Tensor<Double>, disparities: [Double]) {
        guard let first = maps.first else { throw DataError(.usage, "no maps to align") }
        var aligned = try maps.map { map -> Tensor<Double> in
            guard map.shape == first.shape else {
                throw DataError(.badData, "maps of shape \(first.shape) and \(map.shape) cannot be aligned")
            }
            return try unit(map)
        }
        var mean = aligned[0], former = Double.infinity
        for _ in 0..<maximumIterations {
            // Rotated but not rescaled: with scale free, all maps would shrink.
            aligned = try aligned.map { try fit($0, to: mean, scales: false).coordinates }
            var next = Tensor<Double>(repeating: 0, shape: first.shape)
            for map in aligned { for i in 0..<next.count { next[i] += map[i] / Double(maps.count) } }
            mean = try unit(next)
            let loss = aligned.reduce(0.0) { sum, map in
                sum + (0..<map.count).reduce(0.0) { $0 + (map[$1] - mean[$1]) * (map[$1] - mean[$1]) }
            }
            if former - loss <= tolerance * max(loss, 1e-300) { break }
            former = loss
        }
        return (aligned, mean, try aligned.map { try fit($0, to: mean).disparity })
    }

    private static func centred(_ x: Tensor<Double>) -> (Tensor<Double>, [Double]) {
        let n = x.rows, d = x.columns
        let means = (0..<d).map { k in (0..<n).reduce(0.0) { $0 + x[$1, k] } / Double(n) }
        var result = x
        for i in 0..<n { for k in 0..<d { result[i, k] -= means[k] } }
        return (result, means)
    }

    private static func unit(_ x: Tensor<Double>) throws -> Tensor<Double> {
        var (result, _) = centred(x)
        let size = result.squaredNorm.squareRoot()
        guard size > 0 else { throw DataError(.badData, "a map whose points all coincide cannot be aligned") }
        for i in 0..<result.count { result[i] /= size }
        return result
    }
}
