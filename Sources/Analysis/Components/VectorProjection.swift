import FileFormats
import Tensors

/// The part of vectors that lies in the span of some others, or what is left without it.
///
/// An orthogonal projection onto the span of vectors o leaves every inner product x·o as it is: (P x)·o = x·(P o) = x·o. With options of a
/// forced choice it changes the map of the words, never the order of their inner products with the options.
package struct VectorProjection: Sendable {
    /// Orthonormal rows that span the subspace, shape (rank, dimension).
    package let basis: Tensor<Double>
    package var rank: Int { basis.rows }
    package var dimension: Int { basis.columns }

    /// - Parameter vectors: what spans the subspace, shape (count, dimension). Vectors that others span add nothing.
    /// - Throws: `DataError` if all of them are zero.
    /// - Complexity: O(count² · dimension).
    package init(onto vectors: Tensor<Float>) throws {
        let d = vectors.columns
        var rows: [[Double]] = []
        for i in 0..<vectors.rows {
            var row = (0..<d).map { Double(vectors[i, $0]) }
            let length = Self.length(row)
            guard length.isFinite else { throw notFinite(row: i, of: "the vectors projected onto") }
            // Twice, so that rounding leaves nothing of the earlier ones (Giraud, Langou & Rozložník 2005).
            for _ in 0..<2 {
                for other in rows {
                    let along = Self.dot(row, other)
                    for k in 0..<d { row[k] -= along * other[k] }
                }
            }
            let rest = Self.length(row)
            if rest > 1e-6 * length, length > 0 { rows.append(row.map { $0 / rest }) }
        }
        guard !rows.isEmpty else { throw DataError(.badData, "the vectors to project onto are all zero") }
        basis = Tensor(rows.flatMap(\.self), shape: [rows.count, d])
    }

    /// Projects rows, shape (rows, dimension) to the same shape; with `complement`, their components in the subspace are removed.
    package func callAsFunction(_ x: Tensor<Float>, complement: Bool = false) -> Tensor<Float> {
        precondition(x.columns == dimension)
        var result = Tensor<Float>(uninitialized: x.shape)
        let d = dimension, rank = rank, rows = x.rows
        basis.withUnsafeElements { basis in
            x.withUnsafeElements { x in
                result.withUnsafeMutableElements { y in
                    for row in 0..<rows { Self.project(x + row * d, basis, rank, d, complement, into: y + row * d) }
                }
            }
        }
        return result
    }

    private static func project(
        _ x: UnsafePointer<Float>, _ basis: UnsafePointer<Double>, _ rank: Int, _ d: Int, _ complement: Bool,
        into y: UnsafeMutablePointer<Float>
    ) {
        var sum = [Double](repeating: 0, count: d)
        for k in 0..<rank {
            let direction = basis + k * d
            var along = 0.0
            for i in 0..<d { along += Double(x[i]) * direction[i] }
            for i in 0..<d { sum[i] += along * direction[i] }
        }
        for i in 0..<d { y[i] = Float(complement ? Double(x[i]) - sum[i] : sum[i]) }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for i in a.indices { sum += a[i] * b[i] }
        return sum
    }
    private static func length(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
}

/// A scale between two poles, as 小 and 大: where words lie on the line from one to the other (Grand, Blank, Pereira & Fedorenko 2022).
package struct SemanticAxis: Sendable {
    /// From the mean of the one pole's unit vectors to the other's, of unit length.
    package let direction: [Double]
    /// The middle between the two poles, in the space of unit vectors.
    package let middle: [Double]

    /// - Throws: `DataError` if a pole is empty or the two coincide.
    package init(from low: [[Float]], to high: [[Float]]) throws {
        guard let d = low.first?.count, !high.isEmpty else { throw DataError(.usage, "an axis needs a word at each end") }
        func mean(_ words: [[Float]]) throws -> [Double] {
            var sum = [Double](repeating: 0, count: d)
            for word in words {
                let length = word.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
                guard length > 0, length.isFinite else { throw DataError(.badData, "a pole of the axis has a zero vector") }
                for i in 0..<d { sum[i] += Double(word[i]) / length / Double(words.count) }
            }
            return sum
        }
        let a = try mean(low), b = try mean(high)
        let difference = zip(a, b).map { $1 - $0 }, length = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 1e-9 else { throw DataError(.badData, "the two poles of the axis have the same vector") }
        direction = difference.map { $0 / length }
        middle = zip(a, b).map { ($0 + $1) / 2 }
    }

    /// The place of a vector, scaled to unit length, on the axis: 0 in the middle between the poles, higher towards the second; nil for
    /// zeros.
    package func coordinate(of vector: some Collection<Float>) -> Double? {
        let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard length > 0 else { return nil }
        var sum = 0.0
        for (i, value) in vector.enumerated() { sum += (Double(value) / length - middle[i]) * direction[i] }
        return sum
    }
}
