import CKernels
import FileFormats
import Statistics
import Tensors

// How faithful a map is. Goals in order: the published definitions; sums in Double; for many points, the same seeded sample of them for
// every measure, so that maps of one set of vectors compare.

/// Measures of how well a map keeps the neighbourhoods and distances of the vectors.
package struct MapQuality: Sendable {
    /// Neighbours that the measures look at.
    package let neighbors: Int
    /// Points that were examined: all, or a seeded sample.
    package let examined: Int
    /// Whether a point's neighbours on the map are neighbours in truth: 1 when they are, penalized by their true rank (Venna & Kaski 2001;
    /// scikit-learn's `trustworthiness`).
    package let trustworthiness: Double
    /// Whether true neighbours stay neighbours on the map; the same formula with the two spaces exchanged.
    package let continuity: Double
    /// Mean share of a point's true nearest neighbours among those on the map.
    package let neighborPreservation: Double
    /// Spearman's ρ between true distances and distances on the map, over pairs drawn at random.
    package let distanceCorrelation: Double?
    /// Share of points whose group is the most frequent among their neighbours on the map; nil without groups.
    package let labelAccuracy: Double?

    /// - Parameters:
    ///   - vectors: (points, columns), as distances were taken between for the map (see `TSNE.prepared`).
    ///   - map: (points, dimensions).
    ///   - groups: one number per point, negative for none; see `PairFilter.classes(of:)`.
    ///   - neighbors: fewer than half the points.
    ///   - examined: at most this many points are examined.
    /// - Throws: `DataError` when shapes do not fit, or there are too few points.
    package init(
        of map: Tensor<Float>, vectors: Tensor<Float>, groups: [Int32]? = nil, neighbors: Int = 15, examined limit: Int = 2000,
        pairs: Int = 100_000, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) throws {
        let n = vectors.rows
        guard map.rows == n else { throw DataError(.badData, "the map has \(map.rows) points and there are \(n) vectors") }
        if let groups, groups.count != n { throw DataError(.badData, "\(groups.count) groups were given for \(n) points") }
        guard neighbors >= 1, 2 * neighbors < n else {
            throw DataError(.usage, "\(neighbors) neighbours need more than \(2 * neighbors) points; there are \(n)")
        }
        try checkFinite(vectors)
        try checkFinite(map, "the map")
        var random = RandomSource(seed: seed)
        let sample = n <= limit ? Array(0..<n) : Array(random.permutation(n)[..<max(1, limit)]).sorted()
        let k = neighbors
        var rows = [(trust: Double, continuity: Double, kept: Int, correct: Bool?)](repeating: (0, 0, 0, nil), count: sample.count)
        rows.withUnsafeMutableBufferPointer { buffer in
            vectors.withUnsafeElements { high in
                map.withUnsafeElements { low in
                    guard let base = buffer.baseAddress else { return }
                    let out = Shared(base), high = Shared(high), low = Shared(low), d = vectors.columns, dimensions = map.columns
                    Parallel.forEach(sample.count, threads: threads) { item, _ in
                        let i = sample[item]
                        let far = squaredDistances(high.pointer, from: i, count: n, width: d),
                            near = squaredDistances(low.pointer, from: i, count: n, width: dimensions)
                        let truth = nearest(far, to: i, count: k), shown = nearest(near, to: i, count: k)
                        out.pointer[item].trust = shown.reduce(0) { $0 + Double(max(0, rank(of: $1, in: far, from: i) - k)) }
                        out.pointer[item].continuity = truth.reduce(0) { $0 + Double(max(0, rank(of: $1, in: near, from: i) - k)) }
                        out.pointer[item].kept = Set(truth).intersection(shown).count
                        if let groups, groups[i] >= 0 { out.pointer[item].correct = majority(shown.map { groups[$0] }) == groups[i] }
                    }
                }
            }
        }
        let m = Double(sample.count), worst = m * Double(k) * Double(2 * n - 3 * k - 1)
        self.neighbors = k
        self.examined = sample.count
        trustworthiness = 1 - 2 / worst * rows.reduce(0) { $0 + $1.trust }
        continuity = 1 - 2 / worst * rows.reduce(0) { $0 + $1.continuity }
        neighborPreservation = Double(rows.reduce(0) { $0 + $1.kept }) / (m * Double(k))
        let judged = rows.compactMap(\.correct)
        labelAccuracy = judged.isEmpty ? nil : Double(judged.count(where: { $0 })) / Double(judged.count)
        distanceCorrelation = try? Self.distanceCorrelation(map, vectors, pairs: pairs, random: &random)
    }

    private static func distanceCorrelation(
        _ map: Tensor<Float>, _ vectors: Tensor<Float>, pairs: Int, random: inout RandomSource
    ) throws -> Double {
        let n = vectors.rows
        var drawn: [(Int, Int)] = []
        if n * (n - 1) / 2 <= pairs {
            for i in 0..<n { for j in 0..<i { drawn.append((i, j)) } }
        } else {
            for _ in 0..<pairs {
                let a = random.below(n), b = random.below(n - 1)
                drawn.append((a, b < a ? b : b + 1))
            }
        }
        func distances(_ x: Tensor<Float>) -> [Double] {
            let width = x.columns
            return x.withUnsafeElements { p in drawn.map { kt_squared_distance(p + $0.0 * width, p + $0.1 * width, Int64(width)) } }
        }
        return try Correlation.spearman(distances(vectors), distances(map))
    }
}

private func squaredDistances(_ x: UnsafePointer<Float>, from i: Int, count n: Int, width: Int) -> [Double] {
    (0..<n).map { kt_squared_distance(x + i * width, x + $0 * width, Int64(width)) }
}

private func squaredDistances(_ x: UnsafeMutablePointer<Float>, from i: Int, count n: Int, width: Int) -> [Double] {
    squaredDistances(UnsafePointer(x), from: i, count: n, width: width)
}

/// The `count` points nearest to i, itself left out; of equal distances the lower number.
private func nearest(_ distances: [Double], to i: Int, count: Int) -> [Int] {
    var best: [(Double, Int)] = []
    best.reserveCapacity(count + 1)
    for j in distances.indices where j != i {
        if best.count == count, let last = best.last, distances[j] >= last.0 { continue }
        var place = best.count
        while place > 0 && best[place - 1].0 > distances[j] { place -= 1 }
        best.insert((distances[j], j), at: place)
        if best.count > count { best.removeLast() }
    }
    return best.map(\.1)
}

/// Place of j among the others by distance from i, from 1.
private func rank(of j: Int, in distances: [Double], from i: Int) -> Int {
    let mine = distances[j]
    var before = 0
    for other in distances.indices where other != i && (distances[other] < mine || (distances[other] == mine && other < j)) { before += 1 }
    return before + 1
}

/// The most frequent label, of equals the one that comes first.
private func majority(_ labels: [Int32]) -> Int32? {
    var counts: [Int32: Int] = [:]
    for label in labels where label >= 0 { counts[label, default: 0] += 1 }
    guard let most = counts.values.max() else { return nil }
    return labels.first { counts[$0] == most }
}

/// How alike two maps of the same points are.
package struct MapComparison: Sendable {
    /// Mean share of a point's nearest neighbours that the two maps have in common.
    package let neighborOverlap: Double
    /// Neighbours that were looked at.
    package let neighbors: Int
    /// Residual of the best rotation, reflection, scaling and shift of one map onto the other, as a share of its size: 0 for equal shapes,
    /// at most 1 (Procrustes disparity as in scipy).
    package let procrustesDisparity: Double
    /// The second map laid onto the first, (points, dimensions).
    package let aligned: Tensor<Float>

    /// - Throws: `DataError` when the maps differ in shape, hold NaN, or all points of one coincide.
    package init(_ a: Tensor<Float>, _ b: Tensor<Float>, neighbors: Int = 10, threads: Int = Parallel.availableThreads) throws {
        guard a.shape == b.shape, a.shape.count == 2 else {
            throw DataError(.badData, "the maps have shapes \(a.shape) and \(b.shape); both must show the same points")
        }
        let n = a.rows, d = a.columns
        guard neighbors >= 1, neighbors < n else {
            throw DataError(.usage, "\(neighbors) neighbours need at least \(neighbors + 1) points; there are \(n)")
        }
        let first = try NearestNeighbors.euclidean(a, count: neighbors, threads: threads),
            second = try NearestNeighbors.euclidean(b, count: neighbors, threads: threads)
        var common = 0
        for i in 0..<n {
            let mine = Set(first.rows[i * neighbors..<(i + 1) * neighbors])
            common += second.rows[i * neighbors..<(i + 1) * neighbors].count { mine.contains($0) }
        }
        self.neighbors = neighbors
        neighborOverlap = Double(common) / Double(n * neighbors)

        let meanA = columnMeans(a, threads: threads), meanB = columnMeans(b, threads: threads)
        func centered(_ x: Tensor<Float>, _ mean: [Double]) -> (Tensor<Double>, Double) {
            var c = x.converted(to: Double.self)
            c.withUnsafeMutableElements { p in for i in 0..<n { for j in 0..<d { p[i * d + j] -= mean[j] } } }
            return (c, c.squaredNorm)
        }
        let (ca, sa) = centered(a, meanA), (cb, sb) = centered(b, meanB)
        guard sa > 0, sb > 0 else { throw DataError(.badData, "all points of a map coincide, so maps cannot be compared") }
        // Singular values of AᵀB give the rotation and its fit (Gower 1975).
        let (u, s, v) = try singularValues(matrixProduct(ca, transposed: true, cb))
        let trace = s.reduce(0, +)
        procrustesDisparity = max(0, 1 - trace * trace / (sa * sb))
        let rotation = matrixProduct(v, transposed: true, u, transposed: true)
        let turned = matrixProduct(cb, rotation), scale = trace / sb
        var result = Tensor<Float>(uninitialized: [n, d])
        turned.withUnsafeElements { t in
            result.withUnsafeMutableElements { r in
                for i in 0..<n { for j in 0..<d { r[i * d + j] = Float(t[i * d + j] * scale + meanA[j]) } }
            }
        }
        aligned = result
    }
}
