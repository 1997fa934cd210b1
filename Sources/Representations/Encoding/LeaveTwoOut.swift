import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

/// Leave two out, as Mitchell et al. (2008): a model trained on all items but two predicts both, and succeeds where the right pairing of
/// predicted and measured patterns has the larger sum of cosines. All pairs are tried; ties count a half.
package struct LeaveTwoOut: Sendable {
    package var penalty: Double
    /// Features scaled to mean 0 and standard deviation 1 over the training items of each fold.
    package var standardizes: Bool
    /// Permutations of items for the p-value; 0 leaves it out. Pairs share items, so a binomial test over pairs would be wrong.
    package var permutations: Int
    /// Only this many measurements, those that repeat best over the training items of each pair (Mitchell et al. 2008).
    package var stable: Int?
    package var seed: UInt64
    package var threads: Int

    package init(
        penalty: Double = 1, standardizes: Bool = true, stable: Int? = nil, permutations: Int = 0, seed: UInt64 = 0,
        threads: Int = Parallel.availableThreads
    ) {
        self.penalty = penalty
        self.standardizes = standardizes
        self.permutations = permutations
        self.stable = stable
        self.seed = seed
        self.threads = threads
    }

    /// - Parameters:
    ///   - features: (items, d); measurements: (items, v).
    ///   - repeats: repetitions by which stable measurements are chosen.
    /// - Returns: the share of pairs in [0, 1]; n counts items, p is one-sided against chance.
    /// - Complexity: one decomposition of (items, d) a pair, shared by all permutations.
    package func callAsFunction(features: Tensor<Double>, measurements: Tensor<Double>, repeats: Reliability? = nil) throws -> Estimate {
        try run(features: features, measurements: measurements, repeats: repeats).estimate
    }

    /// The same with the shares that the permutations reached.
    package func run(
        features: Tensor<Double>, measurements: Tensor<Double>, repeats: Reliability? = nil
    ) throws -> (estimate: Estimate, null: [Double]) {
        let n = features.rows
        guard n == measurements.rows else {
            throw DataError(.badData, "\(n) rows of features and \(measurements.rows) of measurements do not match")
        }
        guard n >= 4 else { throw DataError(.badData, "leaving two out needs at least four items; there are \(n)") }
        guard features.isFinite, measurements.isFinite else {
            throw DataError(.badData, "features or measurements contain NaN or infinity; leave out those columns")
        }
        guard penalty >= 0, penalty.isFinite else { throw DataError(.usage, "a ridge penalty must be at least 0, not \(penalty)") }
        let source = RandomSource(seed: seed)
        let orders =
            [Array(0..<n)]
            + (0..<permutations).map { number in
                var random = source.split(UInt64(number))
                return random.permutation(n)
            }
        // A prediction is a weighted sum of training rows, so cosines need only products of measured rows.
        let pairs = (0..<n).flatMap { i in (i + 1..<n).map { (i, $0) } }
        let grams = try grams(measurements, repeats, pairs)
        @Sendable func gram(_ a: Int, _ b: Int) -> [Double] {
            grams.count == 1 ? grams[0] : grams[min(a, b) * (2 * n - min(a, b) - 1) / 2 + max(a, b) - min(a, b) - 1]
        }
        let scores = try ScoreTable(rows: pairs.count, columns: orders.count, threads: threads) { place in
            let (i, j) = pairs[place]
            let train = (0..<n).filter { $0 != i && $0 != j }
            let weights = try predictionWeights(features, train: train, test: [i, j])
            return orders.map { order in Self.score(weights, train, i, j, gram(order[i], order[j]), order, n) }
        }
        let shares = scores.columnMeans
        var result = Estimate(shares[0], n: n)
        if permutations > 0 {
            result.p = PermutationTest.pValue(shares[0], null: Array(shares.dropFirst()), counting: 1, .greater)
            result.method.test = .permutation(count: permutations, isExact: false)
        }
        return (result, Array(shares.dropFirst()))
    }

    /// Products of measured rows: one table, or where measurements are selected one for each pair of measured items that is left out. Which
    /// measurements are stable depends on the items that stay, and not on the features that a permutation matches them with.
    private func grams(_ y: Tensor<Double>, _ repeats: Reliability?, _ pairs: [(Int, Int)]) throws -> [[Double]] {
        guard let stable else { return [matrixProduct(y, transposed: false, y, transposed: true).elements] }
        guard let repeats else { throw DataError(.usage, "stable measurements need repetitions, and there are none") }
        guard repeats.repeats[0].shape == y.shape else {
            throw DataError(.badData, "repetitions of shape \(repeats.repeats[0].shape) do not fit measurements of shape \(y.shape)")
        }
        let n = y.rows
        try MemoryBudget.require(pairs.count * n * n * 8, for: "the products of \(n) items for each of \(pairs.count) pairs")
        return try Parallel.map(pairs.count, threads: threads) { place, _ in
            let (i, j) = pairs[place], voxels = repeats.stable(stable, items: (0..<n).filter { $0 != i && $0 != j })
            guard !voxels.isEmpty else { throw DataError(.badData, "no measurement is reliable; all are constant in some repetition") }
            var part = Tensor<Double>(uninitialized: [n, voxels.count])
            for row in 0..<n { for (k, voxel) in voxels.enumerated() { part[row, k] = y[row, voxel] } }
            return matrixProduct(part, transposed: false, part, transposed: true).elements
        }
    }

    /// The weights with which each training row enters the prediction of two test rows; they sum to 1 because of the intercept.
    private func predictionWeights(_ x: Tensor<Double>, train: [Int], test: [Int]) throws -> [[Double]] {
        var part = x.selecting(train), new = x.selecting(test)
        if standardizes { Standardization(part).apply(to: &part, &new) }
        let ridge = try Ridge(part), projected = try ridge.projected(new), shrinkage = ridge.shrinkage(penalty), r = shrinkage.count
        return (0..<test.count).map { row in
            let scaled = (0..<r).map { projected[row, $0] * shrinkage[$0] }
            return ridge.u.withUnsafeElements { u in
                train.indices.map { place in
                    var sum = 1 / Double(train.count)
                    for k in 0..<r { sum += u[place * r + k] * scaled[k] }
                    return sum
                }
            }
        }
    }

    private static func score(
        _ weights: [[Double]], _ train: [Int], _ i: Int, _ j: Int, _ gram: [Double], _ order: [Int], _ n: Int
    ) -> Double {
        // order[row] is the measured row that is at `row`.
        let a = order[i], b = order[j]
        var products = [0.0, 0.0, 0.0, 0.0]
        for (place, row) in train.enumerated() {
            let measured = order[row] * n
            products[0] += weights[0][place] * gram[measured + a]
            products[1] += weights[0][place] * gram[measured + b]
            products[2] += weights[1][place] * gram[measured + a]
            products[3] += weights[1][place] * gram[measured + b]
        }
        func length(_ w: [Double]) -> Double {
            var sum = 0.0
            for (p, row) in train.enumerated() {
                let measured = order[row] * n
                var inner = 0.0
                for (q, other) in train.enumerated() { inner += w[q] * gram[measured + order[other]] }
                sum += w[p] * inner
            }
            return sum.squareRoot()
        }
        let first = length(weights[0]), second = length(weights[1]), la = gram[a * n + a].squareRoot(), lb = gram[b * n + b].squareRoot()
        let right = products[0] / (first * la) + products[3] / (second * lb),
            wrong = products[1] / (first * lb) + products[2] / (second * la)
        return right.isNaN || wrong.isNaN || abs(right - wrong) <= 1e-12 ? 0.5 : right > wrong ? 1 : 0
    }

    /// The same test for two similarity matrices (Xu, Murphy & Fyshe 2016): for each pair of items their correlations with all other items.
    ///
    /// - Parameters:
    ///   - model, data: similarities (n, n), the diagonal unused.
    package static func agreement(model: Tensor<Double>, data: Tensor<Double>) throws -> Double {
        let n = model.rows
        guard model.shape == [n, n], data.shape == [n, n], n >= 5 else {
            throw DataError(.badData, "expected two square matrices of at least five items, not \(model.shape) and \(data.shape)")
        }
        var sum = 0.0
        for i in 0..<n {
            for j in i + 1..<n {
                let others = (0..<n).filter { $0 != i && $0 != j }
                func row(_ x: Tensor<Double>, _ k: Int) -> [Double] { others.map { x[k, $0] } }
                let mi = row(model, i), mj = row(model, j), di = row(data, i), dj = row(data, j)
                let right = try Correlation.pearson(mi, di) + Correlation.pearson(mj, dj),
                    wrong = try Correlation.pearson(mi, dj) + Correlation.pearson(mj, di)
                sum += abs(right - wrong) <= 1e-12 ? 0.5 : right > wrong ? 1 : 0
            }
        }
        return sum / Double(n * (n - 1) / 2)
    }
}

/// Column means and standard deviations (divided by n) of training rows, applied to others; constant columns become 0.
struct Standardization: Sendable {
    let means: [Double], scales: [Double]

    init(_ x: Tensor<Double>) {
        let rows = x.rows, columns = x.columns
        var middle = [Double](repeating: 0, count: columns), squares = middle
        x.withUnsafeElements { e in
            for row in 0..<rows { for c in 0..<columns { middle[c] += e[row * columns + c] } }
            for c in 0..<columns { middle[c] /= Double(rows) }
            for row in 0..<rows {
                for c in 0..<columns { squares[c] += (e[row * columns + c] - middle[c]) * (e[row * columns + c] - middle[c]) }
            }
        }
        means = middle
        scales = squares.indices.map { c in
            let deviation = (squares[c] / Double(rows)).squareRoot()
            return deviation > 1e-13 * abs(middle[c]) ? 1 / deviation : 0
        }
    }

    func apply(to a: inout Tensor<Double>, _ b: inout Tensor<Double>) {
        apply(&a)
        apply(&b)
    }

    func apply(_ x: inout Tensor<Double>) {
        let rows = x.rows, columns = x.columns
        x.withUnsafeMutableElements { e in
            for row in 0..<rows { for c in 0..<columns { e[row * columns + c] = (e[row * columns + c] - means[c]) * scales[c] } }
        }
    }
}

/// A table (rows, columns) whose rows are computed on several cores.
struct ScoreTable {
    let values: [Double], rows: Int, columns: Int

    init(rows: Int, columns: Int, threads: Int, _ body: @Sendable (Int) throws -> [Double]) throws {
        var values = [Double](repeating: 0, count: rows * columns)
        try values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = Shared(base)
            try Parallel.forEach(rows, threads: threads) { row, _ in
                for (k, value) in try body(row).enumerated() { out.pointer[row * columns + k] = value }
            }
        }
        (self.values, self.rows, self.columns) = (values, rows, columns)
    }

    var columnMeans: [Double] {
        (0..<columns).map { column in (0..<rows).reduce(0.0) { $0 + values[$1 * columns + column] } / Double(rows) }
    }
}
