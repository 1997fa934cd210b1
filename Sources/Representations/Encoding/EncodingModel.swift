import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

/// Ridge regression from features to measurements, scored on rows that were not learned from: an encoding model (Naselaris et al. 2011).
public struct EncodingModel: Sendable {
    public var penalties: [Double]
    public var folds: Int
    /// Features scaled to mean 0 and standard deviation 1 over the training rows of each fold.
    public var standardizes: Bool
    public var permutations: Int
    public var seed: UInt64
    public var threads: Int

    public init(penalties: [Double] = EncodingModel.grid(1e-2, 1e5, 15), folds: Int = 5, standardizes: Bool = true, permutations: Int = 0, seed: UInt64 = 0,
                threads: Int = Parallel.availableThreads) {
        self.penalties = penalties
        self.folds = folds
        self.standardizes = standardizes
        self.permutations = permutations
        self.seed = seed
        self.threads = threads
    }

    /// `count` penalties from `low` to `high`, equally spaced in their logarithm.
    public static func grid(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
        count == 1 ? [low] : (0..<count).map { low * pow(high / low, Double($0) / Double(count - 1)) }
    }

    public struct Scores: Sendable {
        /// Pearson's r of predicted and measured values over all held-out rows, one a measurement; NaN where constant.
        public let r: [Double]
        /// 1 − residual / variance around the training means; negative where the mean predicts better.
        public let rSquared: [Double]
        /// The penalty chosen by inner folds, one a measurement and outer fold (measurements, folds).
        public let penalties: [[Double]]
        /// Measurements whose penalty was at the lower or upper edge of the grid in most folds.
        public let atLowerEdge: Int, atUpperEdge: Int
        /// One-sided p of r by permuting rows within folds (groups stay together), adjusted (Benjamini & Hochberg); nil without permutations.
        public let p: [Double]?
        public let adjustedP: [Double]?
    }

    /// - Parameters:
    ///   - features: (n, d), measurements: (n, v), finite.
    ///   - groups: the group of each row, as the run; groups are never split between folds. Each row is one where nil.
    public func callAsFunction(features x: Tensor<Float>, measurements y: Tensor<Float>, groups: [Int]? = nil) throws -> Scores {
        let n = x.rows, v = y.columns
        guard n == y.rows else { throw DataError(.badData, "\(n) rows of features and \(y.rows) of measurements do not pair") }
        guard x.isFinite, y.isFinite else { throw DataError(.badData, "features or measurements hold NaN or infinity; leave those columns out") }
        guard !penalties.isEmpty, penalties.allSatisfy({ $0 >= 0 && $0.isFinite }) else { throw DataError(.usage, "ridge penalties are numbers from 0") }
        let outer = try folding(rows: Array(0..<n), groups: groups)
        var predicted = Tensor<Float>(repeating: 0, shape: [n, v]), baseline = predicted, chosen = [[Double]](repeating: [], count: v)
        for test in outer {
            let isTest = Set(test), train = (0..<n).filter { !isTest.contains($0) }
            let best = try penalties.count == 1 ? [Int](repeating: 0, count: v) : bestPenalties(x, y, train, groups)
            let (part, new) = prepared(x, train, test)
            let ridge = try Ridge(part), target = try ridge.target(rows(y, train)), projected = try ridge.projected(new)
            // Measurements that share a penalty are predicted together.
            for (place, penalty) in penalties.enumerated() {
                let members = best.indices.filter { best[$0] == place }
                guard !members.isEmpty else { continue }
                let values = try ridge.predictions(projected, Ridge.Target(projected: columns(target.projected, members), means: members.map { target.means[$0] }), penalty: penalty)
                for (i, row) in test.enumerated() { for (k, voxel) in members.enumerated() { predicted[row, voxel] = values[i, k] } }
            }
            for row in test { for voxel in 0..<v { baseline[row, voxel] = Float(target.means[voxel]) } }
            for voxel in 0..<v { chosen[voxel].append(penalties[best[voxel]]) }
        }
        let low = penalties.min() ?? 0, high = penalties.max() ?? 0
        func edge(_ value: Double) -> Int { penalties.count < 2 ? 0 : chosen.count { 2 * $0.count { $0 == value } > $0.count } }
        let scores = score(predicted, baseline, y)
        let p = permutations > 0 ? permutationP(predicted, y, outer, groups, scores.r) : nil
        return Scores(r: scores.r, rSquared: scores.rSquared, penalties: chosen, atLowerEdge: edge(low), atUpperEdge: edge(high), p: p,
                      adjustedP: p.map(MultipleComparisons.benjaminiHochberg.adjusted))
    }

    /// Test rows of each fold: groups in a random order, dealt to the fold with the fewest rows.
    func folding(rows: [Int], groups: [Int]?) throws -> [[Int]] { try Folds(rows: rows, count: folds, groups: groups, seed: seed).tests }

    /// Index of the penalty with the smallest squared error over inner folds, one a measurement.
    private func bestPenalties(_ x: Tensor<Float>, _ y: Tensor<Float>, _ train: [Int], _ groups: [Int]?) throws -> [Int] {
        let v = y.columns
        var errors = [[Double]](repeating: [Double](repeating: 0, count: v), count: penalties.count)
        for test in try folding(rows: train, groups: groups) {
            let isTest = Set(test), inner = train.filter { !isTest.contains($0) }
            let (part, new) = prepared(x, inner, test)
            let ridge = try Ridge(part), target = try ridge.target(rows(y, inner)), projected = try ridge.projected(new), measured = rows(y, test)
            let table = try ScoreTable(rows: penalties.count, columns: v, threads: threads) { place in
                let values = try ridge.predictions(projected, target, penalty: penalties[place])
                var sums = [Double](repeating: 0, count: v)
                values.withUnsafeElements { p in
                    measured.withUnsafeElements { m in
                        for row in 0..<test.count { for k in 0..<v { sums[k] += Double((p[row * v + k] - m[row * v + k]) * (p[row * v + k] - m[row * v + k])) } }
                    }
                }
                return sums
            }
            for place in penalties.indices { for k in 0..<v { errors[place][k] += table.values[place * v + k] } }
        }
        return (0..<v).map { k in penalties.indices.min { (errors[$0][k], $0) < (errors[$1][k], $1) } ?? 0 }
    }

    private func prepared(_ x: Tensor<Float>, _ train: [Int], _ test: [Int]) -> (Tensor<Float>, Tensor<Float>) {
        var part = rows(x, train).converted(to: Double.self), new = rows(x, test).converted(to: Double.self)
        if standardizes { Standardization(part).apply(to: &part, &new) }
        return (part.converted(to: Float.self), new.converted(to: Float.self))
    }

    private func rows(_ x: Tensor<Float>, _ chosen: [Int]) -> Tensor<Float> {
        let d = x.columns
        var part = Tensor<Float>(uninitialized: [chosen.count, d])
        x.withUnsafeElements { from in
            part.withUnsafeMutableElements { to in for (place, row) in chosen.enumerated() { (to + place * d).update(from: from + row * d, count: d) } }
        }
        return part
    }

    private func columns(_ x: Tensor<Float>, _ chosen: [Int]) -> Tensor<Float> {
        if chosen.count == x.columns { return x }
        let d = x.columns, count = x.rows
        var part = Tensor<Float>(uninitialized: [count, chosen.count])
        x.withUnsafeElements { from in
            part.withUnsafeMutableElements { to in
                for row in 0..<count { for (place, column) in chosen.enumerated() { to[row * chosen.count + place] = from[row * d + column] } }
            }
        }
        return part
    }

    private func score(_ predicted: Tensor<Float>, _ baseline: Tensor<Float>, _ y: Tensor<Float>) -> (r: [Double], rSquared: [Double]) {
        let n = y.rows, v = y.columns
        var r = [Double](repeating: .nan, count: v), squared = r
        for k in 0..<v {
            let p = (0..<n).map { Double(predicted[$0, k]) }, m = (0..<n).map { Double(y[$0, k]) }
            r[k] = (try? Correlation.pearson(p, m)) ?? .nan
            var residual = 0.0, total = 0.0
            for row in 0..<n {
                residual += (m[row] - p[row]) * (m[row] - p[row])
                total += (m[row] - Double(baseline[row, k])) * (m[row] - Double(baseline[row, k]))
            }
            squared[k] = total > 0 ? 1 - residual / total : .nan
        }
        return (r, squared)
    }

    /// Predicted rows are matched with measured rows of the same fold in another order; whole groups move where all have one size.
    private func permutationP(_ predicted: Tensor<Float>, _ y: Tensor<Float>, _ outer: [[Int]], _ groups: [Int]?, _ r: [Double]) -> [Double] {
        let n = y.rows, v = y.columns, source = RandomSource(seed: seed ^ 0x656e_636f)
        func standardized(_ x: Tensor<Float>) -> [Double] {
            var z = x.elements.map(Double.init)
            for k in 0..<v {
                let middle = (0..<n).reduce(0.0) { $0 + z[$1 * v + k] } / Double(n)
                var squares = 0.0
                for row in 0..<n {
                    z[row * v + k] -= middle
                    squares += z[row * v + k] * z[row * v + k]
                }
                let length = squares.squareRoot()
                for row in 0..<n { z[row * v + k] = length > 0 ? z[row * v + k] / length : .nan }
            }
            return z
        }
        let p = standardized(predicted), m = standardized(y)
        var counts = [Int](repeating: 1, count: v)
        for number in 0..<permutations {
            var random = source.split(UInt64(number)), order = Array(0..<n)
            for fold in outer {
                var members: [Int: [Int]] = [:]
                for row in fold { members[groups?[row] ?? row, default: []].append(row) }
                let keys = members.keys.sorted()
                if groups != nil, Set(members.values.map(\.count)).count == 1 {
                    let shuffled = random.permutation(keys.count)
                    for (to, from) in shuffled.enumerated() { for (a, b) in zip(members[keys[to]] ?? [], members[keys[from]] ?? []) { order[a] = b } }
                } else {
                    let shuffled = random.permutation(fold.count)
                    for (to, from) in shuffled.enumerated() { order[fold[to]] = fold[from] }
                }
            }
            var sums = [Double](repeating: 0, count: v)
            for row in 0..<n { for k in 0..<v { sums[k] += p[row * v + k] * m[order[row] * v + k] } }
            for k in 0..<v where !(sums[k] < r[k] - 1e-14) { counts[k] += 1 }
        }
        return (0..<v).map { r[$0].isNaN ? .nan : Double(counts[$0]) / Double(permutations + 1) }
    }
}
