import FileFormats
import Glibc
import Tensors

/// How strongly points belong to each other's neighbourhoods: UMAP's weighted graph (McInnes, Healy & Melville 2018, section 3), symmetric,
/// without loops.
package struct FuzzyGraph: Sendable {
    /// Points.
    package let count: Int
    /// Edges of point i are `offsets[i] ..< offsets[i + 1]`, ordered by column.
    package let offsets: [Int]
    package let columns: [Int32]
    /// In (0, 1].
    package let weights: [Float]

    /// The graph of a table of nearest neighbours, each row without the point itself, ascending by Euclidean distance.
    ///
    /// A directed edge has the weight exp(−(d − ρ) / σ): ρ is the distance to the nearest neighbour that is not a copy, and σ makes the
    /// weights of a row sum to log₂(neighbours + 1). Both directions are joined by the probabilistic sum w + w′ − w w′. Time and memory
    /// grow with rows × neighbours.
    package init(_ table: NeighborTable, threads: Int = Parallel.availableThreads) {
        let n = table.queries, k = table.top
        let directed = Self.memberships(table, threads: threads).weights
        var starts = [Int](repeating: 0, count: n + 1)
        for i in 0..<n { starts[i + 1] = k }
        for row in table.rows { starts[Int(row) + 1] += 1 }
        for i in 0..<n { starts[i + 1] += starts[i] }
        // Each row gets its own edges first, then those that lead to it.
        var columns = [Int32](repeating: 0, count: 2 * n * k), out = [Float](repeating: 0, count: 2 * n * k), into = out
        var next = starts
        for i in 0..<n {
            for e in i * k..<(i + 1) * k {
                (columns[next[i]], out[next[i]]) = (table.rows[e], directed[e])
                next[i] += 1
            }
        }
        for i in 0..<n {
            for e in i * k..<(i + 1) * k {
                let j = Int(table.rows[e])
                (columns[next[j]], into[next[j]]) = (Int32(i), directed[e])
                next[j] += 1
            }
        }
        let (found, outgoing, incoming, ends) = (columns, out, into, starts)
        let pieces = Parallel.chunks(n, size: 1024)
        let rows = Parallel.map(pieces.count, threads: threads) { piece, _ in
            pieces[piece].map { i in
                let order = (ends[i]..<ends[i + 1]).sorted { found[$0] < found[$1] }
                var merged: [(column: Int32, weight: Float)] = []
                var place = 0
                while place < order.count {
                    let column = found[order[place]]
                    var (a, b): (Float, Float) = (0, 0)
                    while place < order.count, found[order[place]] == column {
                        (a, b) = (a + outgoing[order[place]], b + incoming[order[place]])
                        place += 1
                    }
                    if a + b > 0 { merged.append((column, a + b - a * b)) }
                }
                return merged
            }
        }.flatMap(\.self)
        self.init(rows: rows)
    }

    private init(rows: [[(column: Int32, weight: Float)]]) {
        count = rows.count
        var offsets = [0]
        offsets.reserveCapacity(rows.count + 1)
        for row in rows { offsets.append(offsets[offsets.count - 1] + row.count) }
        self.offsets = offsets
        columns = rows.flatMap { $0.map(\.column) }
        weights = rows.flatMap { $0.map(\.weight) }
    }

    /// Each neighbour's directed weight, with ρ and σ of each row; the row's distances ascend.
    package static func memberships(_ table: NeighborTable, threads: Int) -> (weights: [Float], rho: [Float], sigma: [Float]) {
        let n = table.queries, k = table.top, target = log2(Double(k + 1))
        // The point itself counts among the distances of a mean, as in the reference.
        let overall = table.scores.reduce(0.0) { $0 + Double($1) } / Double(max(1, n * (k + 1)))
        let pieces = Parallel.chunks(n, size: 512)
        let rows = Parallel.map(pieces.count, threads: threads) { piece, _ in
            pieces[piece].map { i in
                let distances = table.scores[i * k..<(i + 1) * k].map(Double.init)
                let rho = distances.first { $0 > 0 } ?? 0
                var low = 0.0, high = Double.infinity, sigma = 1.0
                for _ in 0..<64 {
                    let sum = distances.reduce(0) { $0 + ($1 > rho ? exp(-($1 - rho) / sigma) : 1) }
                    if abs(sum - target) < 1e-5 { break }
                    if sum > target {
                        high = sigma
                        sigma = (low + high) / 2
                    } else {
                        low = sigma
                        sigma = high.isFinite ? (low + high) / 2 : sigma * 2
                    }
                }
                let mean = rho > 0 ? distances.reduce(0, +) / Double(k + 1) : overall
                sigma = max(sigma, 1e-3 * mean)
                let weights = distances.map { $0 <= rho || sigma == 0 ? 1 : Float(exp(-($0 - rho) / sigma)) }
                return (weights: weights, rho: Float(rho), sigma: Float(sigma))
            }
        }.flatMap(\.self)
        return (rows.flatMap(\.weights), rows.map(\.rho), rows.map(\.sigma))
    }

    /// The graph with edges between different classes weakened, so that the map keeps classes apart (the reference's supervised form).
    ///
    /// An edge between two classes is multiplied by exp(−5), one with a point of unknown class by exp(−1); every row is then scaled so that
    /// its strongest edge is 1, and both directions are joined again.
    ///
    /// - Parameter classes: one number per point, negative for unknown.
    package func separating(_ classes: [Int32]) throws -> FuzzyGraph {
        guard classes.count == count else { throw DataError(.badData, "\(classes.count) classes were given for \(count) points") }
        var scaled = weights
        for i in 0..<count {
            var largest: Float = 0
            for e in offsets[i]..<offsets[i + 1] {
                let other = classes[Int(columns[e])]
                if classes[i] < 0 || other < 0 { scaled[e] *= exp(-1) } else if classes[i] != other { scaled[e] *= exp(-5) }
                largest = max(largest, scaled[e])
            }
            if largest > 0 { for e in offsets[i]..<offsets[i + 1] { scaled[e] /= largest } }
        }
        let rows = (0..<count).map { i in
            (offsets[i]..<offsets[i + 1]).map { e in
                let back = scaled[reverse(of: e, from: i)]
                return (column: columns[e], weight: scaled[e] + back - scaled[e] * back)
            }
        }
        return FuzzyGraph(rows: rows)
    }

    /// The place of the edge that leads back: the pattern is symmetric.
    private func reverse(of edge: Int, from i: Int) -> Int {
        let j = Int(columns[edge])
        var low = offsets[j], high = offsets[j + 1]
        while low < high {
            let middle = (low + high) / 2
            if columns[middle] < Int32(i) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
