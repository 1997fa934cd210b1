/// Semantic neighbours of real words for the naming model, from vectors.
///
/// A neighbour shares features with its target in proportion to how far their cosine lies above that of two random words: 10 · (cos − c₀) /
/// (1 − c₀), rounded, at most nine, with c₀ the mean cosine of all pairs. The convention is ours; it gives the published network's three
/// features of ten at 30 % of the way from chance to identity.
package struct NamingNeighbours: Sendable {
    package struct Word: Sendable {
        /// Rows of the neighbours, nearest first, and the features of ten that each shares with the target.
        package var neighbours: [(row: Int, shared: Int)]
    }

    /// One per row.
    package var words: [Word]
    /// c₀.
    package var meanCosine: Double

    /// - Parameters:
    ///   - vectors: one per word, all of one length, none zero.
    ///   - limit: neighbours per word, at most; those that would not share a feature are left out.
    /// - Complexity: O(words² · dimensions).
    package init(_ vectors: [[Float]], limit: Int) {
        let norms = vectors.map { $0.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
        func cosine(_ a: Int, _ b: Int) -> Double {
            var sum = 0.0
            for k in vectors[a].indices { sum += Double(vectors[a][k]) * Double(vectors[b][k]) }
            return sum / (norms[a] * norms[b])
        }
        let count = vectors.count
        var cosines = [[Double]](repeating: [Double](repeating: 1, count: count), count: count), total = 0.0
        for a in 0..<count {
            for b in 0..<a {
                let value = cosine(a, b)
                (cosines[a][b], cosines[b][a]) = (value, value)
                total += value
            }
        }
        let middle = count > 1 ? total / Double(count * (count - 1) / 2) : 0
        meanCosine = middle
        words = (0..<count).map { target in
            let others = (0..<count).filter { $0 != target }.map { row in
                (
                    row: row, shared: min(9, Int((10 * (cosines[target][row] - middle) / max(1 - middle, 1e-9)).rounded())),
                    cosine: cosines[target][row]
                )
            }
            return Word(
                neighbours: others.filter { $0.shared > 0 }.sorted { ($1.cosine, $0.row) < ($0.cosine, $1.row) }.prefix(limit).map {
                    ($0.row, $0.shared)
                })
        }
    }
}
