import FileFormats
import Foundation
import Tensors

/// A representational dissimilarity matrix: how different each pair of conditions is (Kriegeskorte et al. 2008). Symmetric with a zero
/// diagonal, so only the upper triangle is kept, row after row, as scipy's `pdist` orders it.
public struct RDM: Sendable, Equatable {
    /// Names of the conditions, all different.
    public let labels: [String]
    /// Dissimilarities of pairs (0, 1), (0, 2), …, (n − 2, n − 1); NaN if one is missing.
    public let values: [Double]
    /// What was measured, as `cosine` (1 − cosine), or empty if nobody knows.
    package let metric: String

    /// Conditions.
    public var count: Int { labels.count }

    /// - Throws: `DataError` if labels repeat, the number of pairs does not fit, or a value is infinite.
    public init(labels: [String], values: [Double], metric: String = "") throws {
        let n = labels.count
        guard n >= 2 else {
            throw DataError(.badData, "a dissimilarity matrix needs at least two conditions; there \(n == 1 ? "is 1" : "are none")")
        }
        guard values.count == n * (n - 1) / 2 else {
            throw DataError(.badData, "\(n) conditions have \(n * (n - 1) / 2) pairs, not \(values.count)")
        }
        var seen: Set<String> = []
        for label in labels where !seen.insert(label).inserted {
            throw DataError(.badData, "the condition '\(label)' occurs twice; labels of a dissimilarity matrix must be unique")
        }
        self.labels = labels
        self.values = values
        self.metric = metric
        if let bad = values.firstIndex(where: { $0.isInfinite }) {
            let (i, j) = pair(bad)
            throw DataError(.badData, "the dissimilarity of '\(labels[i])' and '\(labels[j])' is infinite")
        }
    }

    /// From a full matrix (n, n).
    ///
    /// - Throws: `DataError` if it is not square, not symmetric within 10⁻⁶ of its largest value, or its diagonal is not zero.
    package init(labels: [String]? = nil, matrix: Tensor<Double>, metric: String = "") throws {
        let n = matrix.rows
        guard matrix.shape == [n, n] else {
            throw DataError(.badData, "expected a square dissimilarity matrix, found shape \(matrix.shape)")
        }
        let names = labels ?? (0..<n).map(String.init)
        guard names.count == n else { throw DataError(.badData, "\(names.count) labels do not name \(n) conditions") }
        let elements = matrix.elements, scale = elements.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
        var values: [Double] = []
        values.reserveCapacity(n * (n - 1) / 2)
        for i in 0..<n {
            guard abs(elements[i * n + i]) <= 1e-6 * scale || elements[i * n + i].isNaN else {
                throw DataError(
                    .badData,
                    "the dissimilarity of '\(names[i])' to itself is \(elements[i * n + i]), not 0; is this a matrix of similarities?")
            }
            for j in i + 1..<max(n, i + 1) {
                let (a, b) = (elements[i * n + j], elements[j * n + i])
                guard abs(a - b) <= 1e-6 * scale || a.isNaN && b.isNaN else {
                    throw DataError(
                        .badData,
                        "the matrix is not symmetric: '\(names[i])' to '\(names[j])' is \(a), but the reverse is "
                            + "\(b)")
                }
                values.append(a == b ? a : (a + b) / 2)
            }
        }
        try self.init(labels: names, values: values, metric: metric)
    }

    /// Index of the pair i < j among n conditions.
    static func index(_ i: Int, _ j: Int, of n: Int) -> Int { i * (2 * n - i - 1) / 2 + j - i - 1 }

    /// The dissimilarity of two conditions.
    public subscript(i: Int, j: Int) -> Double { i == j ? 0 : values[Self.index(min(i, j), max(i, j), of: count)] }

    /// The conditions of a pair.
    package func pair(_ index: Int) -> (Int, Int) {
        var i = 0, left = index
        while left >= count - 1 - i {
            left -= count - 1 - i
            i += 1
        }
        return (i, i + 1 + left)
    }

    /// The square symmetric matrix, `(count, count)`, zeros on the diagonal.
    public var matrix: Tensor<Double> {
        var result = Tensor<Double>(repeating: 0, shape: [count, count]), next = 0
        let n = count
        result.withUnsafeMutableElements { e in
            for i in 0..<n {
                for j in i + 1..<max(n, i + 1) {
                    e[i * n + j] = values[next]
                    e[j * n + i] = values[next]
                    next += 1
                }
            }
        }
        return result
    }

    /// These conditions alone, in this order.
    package func selecting(_ rows: [Int]) throws -> RDM {
        var chosen: [Double] = []
        for (place, i) in rows.enumerated() { for j in rows[(place + 1)...] { chosen.append(self[i, j]) } }
        return try RDM(labels: rows.map { labels[$0] }, values: chosen, metric: metric)
    }

    /// The same conditions in another's order.
    ///
    /// - Throws: `DataError` that names conditions of one that the other lacks.
    package func aligned(to order: [String], _ name: String = "this matrix") throws -> RDM {
        if labels == order { return self }
        let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        let missing = order.filter { places[$0] == nil }, extra = Set(labels).subtracting(order).sorted()
        guard missing.isEmpty, extra.isEmpty else {
            func list(_ names: [String]) -> String {
                names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", … (\(names.count))" : "")
            }
            throw DataError(
                .badData,
                "\(name) has different conditions from the first:" + (missing.isEmpty ? "" : " it lacks \(list(missing));")
                    + (extra.isEmpty ? "" : " only it has \(list(extra));") + " matrices are matched by label")
        }
        return try selecting(order.compactMap { places[$0] })
    }
}

/// How dissimilar two vectors are.
public enum DistanceMetric: String, Sendable, CaseIterable {
    /// 1 − cosine.
    case cosine
    /// 1 − Pearson's correlation across components.
    case correlation
    case euclidean
    case squaredEuclidean = "sqeuclidean"

    /// Whether 1 − distance is a similarity.
    package var hasSimilarity: Bool { self == .cosine || self == .correlation }
}

extension RDM {
    /// Dissimilarities of the rows of x (n, d), products in Double.
    ///
    /// - Throws: `DataError` naming a row that is zero (cosine) or constant (correlation), which has no direction.
    /// - Complexity: O(n² d).
    public init(_ x: Tensor<Double>, labels: [String]? = nil, metric: DistanceMetric = .cosine) throws {
        let n = x.rows, d = x.columns
        let names = labels ?? (0..<n).map(String.init)
        guard names.count == n else { throw DataError(.badData, "\(names.count) labels do not name \(n) conditions") }
        guard x.isFinite else { throw DataError(.badData, "the vectors contain NaN or infinity") }
        var rows = x
        var fault: Int?
        rows.withUnsafeMutableElements { e in
            for row in 0..<n {
                let v = e + row * d
                if metric == .correlation {
                    var sum = 0.0
                    for k in 0..<d { sum += v[k] }
                    let middle = sum / Double(d)
                    for k in 0..<d { v[k] -= middle }
                }
                guard metric.hasSimilarity else { continue }
                var squares = 0.0, largest = 0.0
                for k in 0..<d { largest = max(largest, abs(v[k])) }
                let original = metric == .correlation ? largest > 1e-13 * abs(x[row, 0]) : largest > 0
                guard original else {
                    fault = fault ?? row
                    continue
                }
                for k in 0..<d { squares += (v[k] / largest) * (v[k] / largest) }
                let length = largest * squares.squareRoot()
                for k in 0..<d { v[k] /= length }
            }
        }
        if let fault {
            throw DataError(
                .badData,
                "the vector of '\(names[fault])' is \(metric == .cosine ? "zero" : "constant"), so it has no \(metric.rawValue) distance to the others"
            )
        }
        let products = matrixProduct(rows, transposed: false, rows, transposed: true)
        var values: [Double] = []
        values.reserveCapacity(n * max(0, n - 1) / 2)
        rows.withUnsafeElements { e in
            products.withUnsafeElements { g in
                for i in 0..<n {
                    for j in i + 1..<max(n, i + 1) {
                        switch metric {
                        case .cosine, .correlation: values.append(max(0, 1 - g[i * n + j]))
                        case .euclidean, .squaredEuclidean:
                            // Differences first: ‖a‖² + ‖b‖² − 2ab loses the digits of near neighbours.
                            var sum = 0.0
                            for k in 0..<d { sum += (e[i * d + k] - e[j * d + k]) * (e[i * d + k] - e[j * d + k]) }
                            values.append(metric == .euclidean ? sum.squareRoot() : sum)
                        }
                    }
                }
            }
        }
        try self.init(labels: names, values: values, metric: metric.rawValue)
    }
}

/// Means of rows that share a level.
///
/// - Parameter codes: the level of each row, nil for rows that take no part.
/// - Returns: (levels, d) in Double; levels without rows are NaN.
package func conditionMeans(_ x: Tensor<Float>, codes: [Int?], levels: Int) -> Tensor<Double> {
    let d = x.columns
    var sums = Tensor<Double>(repeating: 0, shape: [levels, d]), counts = [Double](repeating: 0, count: levels)
    x.withUnsafeElements { from in
        sums.withUnsafeMutableElements { to in
            for (row, code) in codes.enumerated() {
                guard let code else { continue }
                counts[code] += 1
                for k in 0..<d { to[code * d + k] += Double(from[row * d + k]) }
            }
            for level in 0..<levels { for k in 0..<d { to[level * d + k] /= counts[level] } }
        }
    }
    return sums
}
