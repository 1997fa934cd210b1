import FileFormats
import Foundation
import Statistics
import Tensors

/// Multidimensional scaling: points whose distances are as the dissimilarities.
public struct MDS: Sendable {
    /// The algorithm, and what it makes of the dissimilarities.
    public enum Method: String, Sendable, CaseIterable {
        /// Eigenvectors of the double-centred matrix (Torgerson 1952).
        case classical
        /// SMACOF on the dissimilarities themselves (de Leeuw 1977).
        case metric
        /// SMACOF on monotone transforms of them (Kruskal 1964).
        case nonmetric
    }

    /// The algorithm.
    package var method: Method
    /// Dimensions of the map.
    package var dimensions: Int
    /// Iterations of SMACOF after which it stops in any case.
    package var maximumIterations: Int
    /// The fall in stress, as a share of the squared distances, below which SMACOF stops.
    package var tolerance: Double
    /// Random starts of SMACOF next to the classical solution.
    package var starts: Int
    /// Seed of the random starts.
    package var seed: UInt64

    /// Classical scaling to two dimensions, unless stated otherwise.
    public init(
        _ method: Method = .classical, dimensions: Int = 2, maximumIterations: Int = 300, tolerance: Double = 1e-6, starts: Int = 0,
        seed: UInt64 = 0
    ) {
        self.method = method
        self.dimensions = dimensions
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.starts = starts
        self.seed = seed
    }

    /// A map of the conditions, and how well it fits.
    public struct Fit: Sendable {
        /// (n, dimensions), centred.
        public let coordinates: Tensor<Double>
        /// All eigenvalues of the double-centred matrix, descending; negative ones say that no space of any dimension fits.
        package let eigenvalues: [Double]
        /// Kruskal's stress-1: √(Σ(distance − disparity)²/Σ distance²).
        public let stress: Double
        /// What the distances were fitted to, in the order of `RDM.values`.
        package let disparities: [Double]
        /// Distances in the map, in the same order.
        package let distances: [Double]
        package let iterations: Int
        /// The random start that was best, nil for the classical solution.
        package let start: Int?
    }

    /// - Throws: `DataError` if a dissimilarity is missing or negative, or there are fewer conditions than dimensions need.
    /// - Complexity: O(n³) once, O(n²) an iteration (n² log n if nonmetric).
    public func fit(_ rdm: RDM) throws -> Fit {
        let n = rdm.count
        guard dimensions >= 1, dimensions < n else {
            throw DataError(.usage, "\(n) conditions need 1 to \(n - 1) dimensions, not \(dimensions)")
        }
        if let bad = rdm.values.firstIndex(where: { $0.isNaN || $0 < 0 }) {
            let (i, j) = rdm.pair(bad)
            throw DataError(
                .badData,
                "the dissimilarity of '\(rdm.labels[i])' and '\(rdm.labels[j])' is \(rdm.values[bad].isNaN ? "missing" : "negative (\(rdm.values[bad]))"); "
                    + "multidimensional scaling needs all of them, from 0")
        }
        guard rdm.values.contains(where: { $0 > 0 }) else { throw DataError(.badData, "all dissimilarities are 0, so no map can be made") }
        let (classical, eigenvalues) = try Self.classical(rdm, dimensions)
        if method == .classical {
            let distances = Self.distances(classical)
            return Fit(
                coordinates: classical, eigenvalues: eigenvalues, stress: Self.stress(distances, rdm.values), disparities: rdm.values,
                distances: distances, iterations: 0, start: nil)
        }
        var best = smacof(rdm.values, from: classical), chosen: Int?
        let source = RandomSource(seed: seed), scale = mean(rdm.values)
        for start in 0..<max(0, starts) {
            var random = source.split(UInt64(start))
            let begin = Tensor((0..<n * dimensions).map { _ in random.normal() * scale }, shape: [n, dimensions])
            let fit = smacof(rdm.values, from: begin)
            if fit.stress < best.stress { (best, chosen) = (fit, start) }
        }
        return Fit(
            coordinates: best.x, eigenvalues: eigenvalues, stress: best.stress, disparities: best.disparities,
            distances: Self.distances(best.x), iterations: best.iterations, start: chosen)
    }

    private static func classical(_ rdm: RDM, _ dimensions: Int) throws -> (Tensor<Double>, [Double]) {
        let n = rdm.count
        var b = rdm.matrix
        b.withUnsafeMutableElements { e in
            for i in 0..<n * n { e[i] *= -0.5 * e[i] }
            let means = (0..<n).map { i in (0..<n).reduce(0.0) { $0 + e[i * n + $1] } / Double(n) }, middle = mean(means)
            for i in 0..<n { for j in 0..<n { e[i * n + j] += middle - means[i] - means[j] } }
        }
        let (values, vectors) = try symmetricEigenvectors(b, count: n)
        var x = Tensor<Double>(repeating: 0, shape: [n, dimensions])
        for k in 0..<dimensions {
            // Signs are free: the largest component is positive, so that every run draws the same map.
            let vector = (0..<n).map { vectors[k, $0] }
            let largest = vector.max { abs($0) < abs($1) } ?? 1
            for i in 0..<n { x[i, k] = vector[i] * (largest < 0 ? -1 : 1) * max(0, values[k]).squareRoot() }
        }
        return (x, values)
    }

    private static func distances(_ x: Tensor<Double>) -> [Double] {
        let n = x.rows, d = x.columns
        var result: [Double] = []
        result.reserveCapacity(n * (n - 1) / 2)
        x.withUnsafeElements { e in
            for i in 0..<n {
                for j in i + 1..<max(n, i + 1) {
                    var sum = 0.0
                    for k in 0..<d { sum += (e[i * d + k] - e[j * d + k]) * (e[i * d + k] - e[j * d + k]) }
                    result.append(sum.squareRoot())
                }
            }
        }
        return result
    }

    private static func stress(_ distances: [Double], _ disparities: [Double]) -> Double {
        var residual = 0.0, total = 0.0
        for i in distances.indices {
            residual += (distances[i] - disparities[i]) * (distances[i] - disparities[i])
            total += distances[i] * distances[i]
        }
        return total > 0 ? (residual / total).squareRoot() : 1
    }

    /// As scikit-learn's `smacof`: the first disparities of the nonmetric form are the dissimilarities, scaled; those of 0 are missing
    /// there.
    private func smacof(
        _ given: [Double], from start: Tensor<Double>
    ) -> (x: Tensor<Double>, stress: Double, disparities: [Double], iterations: Int) {
        let n = start.rows, d = start.columns, pairs = given.count
        let order = given.indices.filter { given[$0] > 0 }.sorted { (given[$0], $0) < (given[$1], $1) }
        var x = start, distances = Self.distances(x), disparities = given, old: Double?, iteration = 0
        while iteration < maximumIterations {
            if method == .nonmetric {
                var fitted = [Double](repeating: 0, count: pairs)
                if iteration == 0 {
                    fitted = given
                } else {
                    let monotone = IsotonicRegression.fit(order.map { distances[$0] }, tiedBy: order.map { given[$0] })
                    for (place, pair) in order.enumerated() { fitted[pair] = monotone[place] }
                }
                let squares = fitted.reduce(0) { $0 + $1 * $1 }
                let scale = squares > 0 ? (Double(pairs) / squares).squareRoot() : 1
                disparities = fitted.map { $0 * scale }
            }
            var next = Tensor<Double>(repeating: 0, shape: [n, d])
            x.withUnsafeElements { from in
                next.withUnsafeMutableElements { to in
                    var pair = 0
                    for i in 0..<n {
                        for j in i + 1..<max(n, i + 1) {
                            let ratio = disparities[pair] / (distances[pair] == 0 ? 1e-5 : distances[pair])
                            for k in 0..<d {
                                let step = ratio * (from[i * d + k] - from[j * d + k])
                                to[i * d + k] += step
                                to[j * d + k] -= step
                            }
                            pair += 1
                        }
                    }
                    for i in 0..<n * d { to[i] /= Double(n) }
                }
            }
            x = next
            distances = Self.distances(x)
            var stress = 0.0, total = 0.0
            for i in 0..<pairs {
                stress += (distances[i] - disparities[i]) * (distances[i] - disparities[i])
                total += distances[i] * distances[i]
            }
            iteration += 1
            if let old, (old - stress) / total < tolerance { break }
            old = stress
        }
        return (x, Self.stress(distances, disparities), disparities, iteration)
    }
}

/// Least-squares fit of a nondecreasing sequence: pool adjacent violators (Ayer et al. 1955).
enum IsotonicRegression {
    /// - Parameters:
    ///   - values: in the order of the predictor.
    ///   - tiedBy: the predictor; values with equal predictors get one fit.
    static func fit(_ values: [Double], tiedBy predictor: [Double]) -> [Double] {
        var blocks: [(sum: Double, count: Int)] = []
        var start = 0
        while start < values.count {
            var end = start, sum = 0.0
            while end < values.count, predictor[end] == predictor[start] {
                sum += values[end]
                end += 1
            }
            blocks.append((sum, end - start))
            while blocks.count > 1,
                blocks[blocks.count - 2].sum * Double(blocks[blocks.count - 1].count) >= blocks[blocks.count - 1].sum
                    * Double(blocks[blocks.count - 2].count)
            {
                let last = blocks.removeLast()
                blocks[blocks.count - 1].sum += last.sum
                blocks[blocks.count - 1].count += last.count
            }
            start = end
        }
        return blocks.flatMap { [Double](repeating: $0.sum / Double($0.count), count: $0.count) }
    }
}
