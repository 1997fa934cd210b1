import CKernels
import FileFormats
import Foundation
import Tensors

// How likely two points are neighbours in the space of the vectors (van der Maaten & Hinton 2008, section 2). Over all pairs for few
// points; over nearest neighbours for many (van der Maaten 2014). Everything is computed in Double and stored as Float.

/// The symmetric matrix P of t-SNE: p_ij = (p_j|i + p_i|j) / 2n, which sums to 1.
package struct Affinities: Sendable {
    /// Between which points affinities are taken.
    package enum Pairs: String, Sendable, CaseIterable {
        /// `all` below `allPairsLimit` points, else `nearest`.
        case automatic
        /// Every pair, as t-SNE was published in 2008 (scikit-learn's `method="exact"`).
        case all
        /// Each point and its 3 · perplexity nearest others; the others' affinity counts as 0 (scikit-learn's default, openTSNE).
        case nearest

        /// What stands for `automatic`.
        func resolved(points: Int) -> Pairs { self != .automatic ? self : points < Affinities.allPairsLimit ? .all : .nearest }
    }

    /// Points from which `automatic` keeps near neighbours only: all pairs would take most of the time from there on.
    package static let allPairsLimit = 5000
    /// Most points whose pairs are all kept: a matrix of 1.6 GB.
    package static let mostPoints = 20_000

    /// Points.
    package let count: Int
    /// `all` or `nearest`.
    package let pairs: Pairs
    /// Others that each point has a conditional distribution over: all, or 3 · perplexity.
    package let neighbors: Int
    /// The perplexities that were asked for; several are averaged.
    package let perplexities: [Double]
    /// exp of the entropy of p_·|i for the largest perplexity that was asked for: mean over the points. Below the wish where the
    /// search could not meet it, as among many copies of one vector above.
    package let realizedPerplexity: Double
    /// For `nearest`, entries of row i are offsets[i] ..< offsets[i + 1]; for `all` both are empty and `values` is (count, count).
    package let offsets: [Int64]
    package let columns: [Int32]
    package let values: [Float]

    /// The largest perplexity that `count` points allow: a third of the others.
    package static func largestPerplexity(points count: Int) -> Double { Double(max(0, count - 1)) / 3 }

    /// 30, or for fewer than 91 points the largest whole number that they allow.
    package static func usualPerplexity(points count: Int) -> Double { max(1, min(30, largestPerplexity(points: count).rounded(.down))) }

    /// Affinities of the rows of `x` by Euclidean distance.
    ///
    /// - Parameter perplexities: one, or several whose conditional distributions are averaged (multiscale; Kobak & Berens 2019).
    /// - Throws: `DataError` for fewer points than 3 · perplexity + 1, a perplexity below 1, NaN or infinity, `all` for more than
    ///   `mostPoints`.
    package init(_ x: Tensor<Float>, perplexities: [Double], pairs: Pairs = .automatic, threads: Int = Parallel.availableThreads) throws {
        let largest = try Self.check(perplexities, points: x.rows)
        guard pairs.resolved(points: x.rows) == .all else {
            let table = try NearestNeighbors.euclidean(x, count: Self.neighborCount(largest, points: x.rows), threads: threads)
            try self.init(table, perplexities: perplexities, threads: threads)
            return
        }
        guard x.rows <= Self.mostPoints else {
            throw DataError(.usage, "affinities over all pairs are possible for at most \(Self.mostPoints) points; there are \(x.rows)")
        }
        try x.checkShape("the vectors")
        try checkFinite(x)
        var values = squaredDistances(x, threads: threads)
        let realized = conditionalOverAll(&values, points: x.rows, perplexities: perplexities, largest: largest, threads: threads)
        symmetrize(&values, points: x.rows, threads: threads)
        self.init(
            count: x.rows, pairs: .all, neighbors: x.rows - 1, perplexities: perplexities, realizedPerplexity: realized, offsets: [],
            columns: [],
            values: values)
    }

    private init(
        count: Int, pairs: Pairs, neighbors: Int, perplexities: [Double], realizedPerplexity: Double, offsets: [Int64], columns: [Int32],
        values: [Float]
    ) {
        (self.count, self.pairs, self.neighbors) = (count, pairs, neighbors)
        (self.perplexities, self.realizedPerplexity) = (perplexities, realizedPerplexity)
        (self.offsets, self.columns, self.values) = (offsets, columns, values)
    }

    /// Neighbours that a perplexity needs.
    static func neighborCount(_ perplexity: Double, points: Int) -> Int { max(1, min(points - 1, Int((3 * perplexity).rounded(.down)))) }

    /// Without the ".0" of a whole number.
    private static func plain(_ number: Double) -> String { Int(exactly: number).map { "\($0)" } ?? "\(number)" }

    @discardableResult
    static func check(_ perplexities: [Double], points: Int) throws -> Double {
        guard let largest = perplexities.max(), perplexities.allSatisfy({ $0.isFinite && $0 >= 1 }) else {
            throw DataError(
                .usage, "the perplexity must be a number of at least 1, not \(perplexities.map { "\($0)" }.joined(separator: ", "))")
        }
        let limit = largestPerplexity(points: points)
        guard largest <= limit else {
            let advice = limit >= 1 ? "use at most \(plain((limit * 100).rounded(.down) / 100))" : "a map needs at least 4 points"
            throw DataError(
                .usage,
                "perplexity \(plain(largest)) needs at least \(Int((3 * largest).rounded(.up)) + 1) points, found \(points); \(advice)")
        }
        return largest
    }

    /// Affinities from each point's nearest others with their Euclidean distances.
    init(_ table: NeighborTable, perplexities: [Double], threads: Int) throws {
        let n = table.queries, k = table.top
        var columns = table.rows, values = table.scores
        let largest = perplexities.max() ?? 1
        let perplexity = conditional(
            &columns, &values, rows: n, neighbors: k, perplexities: perplexities, largest: largest, sorted: true, threads: threads)
        let joint = Self.symmetric(columns, values, rows: n, neighbors: k, threads: threads)
        self.init(
            count: n, pairs: .nearest, neighbors: k, perplexities: perplexities, realizedPerplexity: perplexity, offsets: joint.0,
            columns: joint.1,
            values: joint.2)
    }

    /// (p_j|i + p_i|j) / 2n from rows sorted by column.
    private static func symmetric(
        _ columns: [Int32], _ values: [Float], rows n: Int, neighbors k: Int, threads: Int
    ) -> ([Int64], [Int32], [Float]) {
        var incoming = [Int32](repeating: 0, count: n)
        let pieces = Parallel.chunks(n, size: 1024)
        // The position of each edge's reverse in its own row (−1 if absent) is found twice rather than stored: it would be as large as P.
        @Sendable func reverse(_ columns: UnsafePointer<Int32>, _ i: Int, _ j: Int) -> Int? {
            var low = j * k, high = (j + 1) * k
            while low < high {
                let middle = (low + high) / 2
                if columns[middle] < Int32(i) { low = middle + 1 } else { high = middle }
            }
            return low < (j + 1) * k && columns[low] == Int32(i) ? low : nil
        }
        return columns.withUnsafeBufferPointer { columnBuffer in
            values.withUnsafeBufferPointer { valueBuffer in
                guard let from = columnBuffer.baseAddress, let p = valueBuffer.baseAddress else { return ([0], [], []) }
                for i in 0..<n {
                    for e in i * k..<(i + 1) * k where reverse(from, i, Int(from[e])) == nil { incoming[Int(from[e])] += 1 }
                }
                var offsets = [Int64](repeating: 0, count: n + 1)
                for i in 0..<n { offsets[i + 1] = offsets[i] + Int64(k) + Int64(incoming[i]) }
                var cursor = (0..<n).map { offsets[$0] + Int64(k) }
                let total = Int(offsets[n])
                var outColumns = [Int32](repeating: 0, count: total), outValues = [Float](repeating: 0, count: total)
                let scale = 0.5 / Double(n)
                outColumns.withUnsafeMutableBufferPointer { columnsOut in
                    outValues.withUnsafeMutableBufferPointer { valuesOut in
                        guard let toColumn = columnsOut.baseAddress, let toValue = valuesOut.baseAddress else { return }
                        let shared = (Shared(from), Shared(p), Shared(toColumn), Shared(toValue))
                        let starts = offsets
                        Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                            let columns = UnsafePointer(shared.0.pointer), p = shared.1.pointer
                            for i in pieces[piece] {
                                for e in i * k..<(i + 1) * k {
                                    let to = Int(starts[i]) + e - i * k
                                    let back = reverse(columns, i, Int(columns[e])).map { Double(p[$0]) } ?? 0
                                    shared.2.pointer[to] = columns[e]
                                    shared.3.pointer[to] = Float((Double(p[e]) + back) * scale)
                                }
                            }
                        }
                        for i in 0..<n {
                            for e in i * k..<(i + 1) * k {
                                let j = Int(from[e])
                                guard reverse(from, i, j) == nil else { continue }
                                toColumn[Int(cursor[j])] = Int32(i)
                                toValue[Int(cursor[j])] = Float(Double(p[e]) * scale)
                                cursor[j] += 1
                            }
                        }
                    }
                }
                return (offsets, outColumns, outValues)
            }
        }
    }

    /// Σ p log p, in Double over rows in order.
    func negativeEntropy(threads: Int) -> Double {
        let pieces = Parallel.chunks(values.count, size: 1 << 16)
        var sums = [Double](repeating: 0, count: pieces.count)
        values.withUnsafeBufferPointer { values in
            sums.withUnsafeMutableBufferPointer { sums in
                guard let p = values.baseAddress, let out = sums.baseAddress else { return }
                let from = Shared(p), to = Shared(out)
                Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                    var total = 0.0
                    for e in pieces[piece] where from.pointer[e] > 0 { total += Double(from.pointer[e]) * log(Double(from.pointer[e])) }
                    to.pointer[piece] = total
                }
            }
        }
        return sums.reduce(0, +)
    }
}

/// Turns distances into conditional probabilities p_j|i in place; returns the mean of exp(entropy) for the largest perplexity.
///
/// - Parameter sorted: also sorts each row by column.
func conditional(
    _ columns: inout [Int32], _ values: inout [Float], rows n: Int, neighbors k: Int, perplexities: [Double], largest: Double, sorted: Bool,
    threads: Int
) -> Double {
    let pieces = Parallel.chunks(n, size: 256)
    var realized = [Double](repeating: 0, count: max(1, pieces.count))
    columns.withUnsafeMutableBufferPointer { columns in
        values.withUnsafeMutableBufferPointer { values in
            realized.withUnsafeMutableBufferPointer { realized in
                guard let c = columns.baseAddress, let v = values.baseAddress, let r = realized.baseAddress else { return }
                let column = Shared(c), value = Shared(v), sums = Shared(r)
                Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                    var row = GaussianRow(neighbors: k)
                    var order = [Int](0..<k), kept: [(Int32, Float)] = []
                    for i in pieces[piece] {
                        let distances = value.pointer + i * k
                        row.load { Double(distances[$0]) * Double(distances[$0]) }
                        sums.pointer[piece] += row.fit(perplexities, largest: largest)
                        for j in 0..<k { distances[j] = Float(row.mixed[j]) }
                        guard sorted else { continue }
                        order.sort { column.pointer[i * k + $0] < column.pointer[i * k + $1] }
                        kept.removeAll(keepingCapacity: true)
                        for j in order { kept.append((column.pointer[i * k + j], distances[j])) }
                        for j in 0..<k { (column.pointer[i * k + j], distances[j]) = kept[j] }
                    }
                }
            }
        }
    }
    return realized.reduce(0, +) / Double(max(1, n))
}

/// Squared Euclidean distances of all pairs, (points, points).
private func squaredDistances(_ x: Tensor<Float>, threads: Int) -> [Float] {
    let n = x.rows, width = x.columns, pieces = Parallel.chunks(n, size: 16)
    return [Float](unsafeUninitializedCapacity: n * n) { buffer, filled in
        filled = n * n
        guard let base = buffer.baseAddress else { return }
        let out = Shared(base)
        x.withUnsafeElements { rows in
            let from = Shared(rows)
            Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                for i in pieces[piece] {
                    let row = UnsafePointer(from.pointer) + i * width
                    for j in 0..<n {
                        out.pointer[i * n + j] = Float(kt_squared_distance(row, UnsafePointer(from.pointer) + j * width, Int64(width)))
                    }
                }
            }
        }
    }
}

/// Turns squared distances of all pairs into conditional probabilities p_j|i in place, 0 on the diagonal; returns the mean of
/// exp(entropy) for the largest perplexity.
private func conditionalOverAll(_ values: inout [Float], points n: Int, perplexities: [Double], largest: Double, threads: Int) -> Double {
    let pieces = Parallel.chunks(n, size: 16)
    var realized = [Double](repeating: 0, count: max(1, pieces.count))
    values.withUnsafeMutableBufferPointer { values in
        realized.withUnsafeMutableBufferPointer { realized in
            guard let v = values.baseAddress, let r = realized.baseAddress else { return }
            let value = Shared(v), sums = Shared(r)
            Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                var row = GaussianRow(neighbors: n - 1)
                for i in pieces[piece] {
                    let line = value.pointer + i * n
                    row.load { Double(line[$0 < i ? $0 : $0 + 1]) }
                    sums.pointer[piece] += row.fit(perplexities, largest: largest)
                    for j in 0..<n - 1 { line[j < i ? j : j + 1] = Float(row.mixed[j]) }
                    line[i] = 0
                }
            }
        }
    }
    return realized.reduce(0, +) / Double(max(1, n))
}

/// (p_j|i + p_i|j) / 2n in place.
private func symmetrize(_ values: inout [Float], points n: Int, threads: Int) {
    let pieces = Parallel.chunks(n, size: 16), scale = 0.5 / Double(max(1, n))
    values.withUnsafeMutableBufferPointer { values in
        guard let base = values.baseAddress else { return }
        let p = Shared(base)
        // Each pair belongs to the chunk of its lower point.
        Parallel.forEach(pieces.count, threads: threads) { piece, _ in
            for i in pieces[piece] {
                for j in i + 1..<n {
                    let joint = Float((Double(p.pointer[i * n + j]) + Double(p.pointer[j * n + i])) * scale)
                    (p.pointer[i * n + j], p.pointer[j * n + i]) = (joint, joint)
                }
            }
        }
    }
}

/// One row's Gaussian: p_j ∝ exp(−β d_j²), with β such that the entropy is log perplexity.
private struct GaussianRow {
    private var squared: [Double]
    private var p: [Double]
    /// p_j|i, averaged over the perplexities.
    private(set) var mixed: [Double]

    init(neighbors: Int) {
        squared = [Double](repeating: 0, count: neighbors)
        (p, mixed) = (squared, squared)
    }

    /// Squared distances, less the smallest: a common factor of all p that would only underflow.
    mutating func load(_ squaredDistance: (Int) -> Double) {
        var least = Double.infinity
        for j in squared.indices {
            squared[j] = squaredDistance(j)
            least = min(least, squared[j])
        }
        for j in squared.indices { squared[j] -= least }
    }

    /// Fills `mixed`; returns exp(entropy) for the perplexity `largest`.
    mutating func fit(_ perplexities: [Double], largest: Double) -> Double {
        var realized = 0.0
        for (index, perplexity) in perplexities.enumerated() {
            let entropy = fit(perplexity: min(perplexity, Double(squared.count)))
            if perplexity == largest { realized = exp(entropy) }
            for j in mixed.indices { mixed[j] = (index == 0 ? 0 : mixed[j]) + p[j] / Double(perplexities.count) }
        }
        return realized
    }

    /// Newton steps on log β, kept inside a bracket by bisection. Returns the entropy reached (nats).
    private mutating func fit(perplexity: Double) -> Double {
        let wanted = log(perplexity), k = squared.count
        var mean = 0.0
        for d in squared { mean += d }
        mean /= Double(k)
        // All at one distance: every β gives equal shares.
        guard mean > 0 else {
            for j in 0..<k { p[j] = 1 / Double(k) }
            return log(Double(k))
        }
        var beta = 1 / mean, low = 0.0, high = Double.infinity, entropy = 0.0
        for _ in 0..<100 {
            var sum = 0.0, first = 0.0, second = 0.0
            for j in 0..<k {
                let weight = exp(-beta * squared[j])
                p[j] = weight
                sum += weight
                first += weight * squared[j]
                second += weight * squared[j] * squared[j]
            }
            first /= sum
            second /= sum
            entropy = log(sum) + beta * first
            let scale = 1 / sum
            let difference = entropy - wanted
            if abs(difference) < 1e-9 || high - low < 1e-12 * beta {
                for j in 0..<k { p[j] *= scale }
                return entropy
            }
            if difference > 0 { low = beta } else { high = beta }
            // dH/d(log β) = −β² Var(d²)
            let slope = beta * beta * max(0, second - first * first)
            var next = slope > 0 ? beta * exp(max(-2, min(2, difference / slope))) : 0
            if !(next > low && next < high) { next = high.isFinite ? (low + high) / 2 : 2 * beta }
            // Copies of one vector: no β, however large, brings the entropy down.
            guard next.isFinite, next < 1e300 else { break }
            beta = next
        }
        var sum = 0.0
        for j in 0..<k { sum += p[j] }
        for j in 0..<k { p[j] /= sum }
        return entropy
    }
}
