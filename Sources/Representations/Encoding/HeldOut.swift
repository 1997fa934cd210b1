import FileFormats
import Foundation
import Statistics
import Tensors

/// Predictions of held-out rows beside what was measured.
struct HeldOut: Sendable {
    /// (rows, voxels) without intercept; NaN if a voxel was not used in a row's fold.
    let predicted: Tensor<Float>
    let measured: Tensor<Float>
    /// Means of the training rows (folds, voxels).
    let means: Tensor<Float>
    /// Rows of each fold.
    let folds: [[Int]]

    private var voxels: Int { measured.columns }

    struct Scores: Sendable { var r: [Double], rSquared: [Double], split: [[Double]] }

    func scores(parts: [Tensor<Float>], threads: Int) -> Scores {
        let v = voxels
        let found = Parallel.map(v, threads: threads) { k, _ -> (Double, Double, [Double]) in
            var p: [Double] = [], m: [Double] = [], residual = 0.0, total = 0.0, shares = [Double](repeating: 0, count: parts.count)
            for (fold, rows) in folds.enumerated() {
                let middle = Double(means[fold, k])
                for row in rows where !predicted[row, k].isNaN {
                    let guess = Double(predicted[row, k]), value = Double(measured[row, k]) - middle
                    p.append(guess + middle)
                    m.append(value + middle)
                    residual += (value - guess) * (value - guess)
                    total += value * value
                    for band in parts.indices {
                        let own = Double(parts[band][row, k])
                        shares[band] += own * (2 * value - guess)
                    }
                }
            }
            let r = p.count > 2 ? (try? Correlation.pearson(p, m)) ?? .nan : .nan
            return (r, total > 0 ? 1 - residual / total : .nan, shares.map { total > 0 ? $0 / total : .nan })
        }
        return Scores(r: found.map(\.0), rSquared: found.map(\.1), split: parts.isEmpty ? [] : found.map(\.2))
    }

    /// One-sided p of r: predicted rows are matched with measured rows of the same fold in another order; whole groups move where all have
    /// one size.
    func permutedP(_ r: [Double], permutations: Int, groups: [Int]?, seed: UInt64, threads: Int) -> [Double] {
        let n = measured.rows, v = voxels, source = RandomSource(seed: seed ^ 0x656e_636f)
        var fold = [Int](repeating: 0, count: n)
        for (place, rows) in folds.enumerated() { for row in rows { fold[row] = place } }
        // Rows in which a voxel was not used are in no sum. The training means go with the rows' fold, which permutation leaves.
        func standardized(_ value: (Int, Int) -> Double) -> [Double] {
            var z = [Double](repeating: 0, count: n * v)
            for k in 0..<v {
                let used = (0..<n).filter { !predicted[$0, k].isNaN }
                guard !used.isEmpty else { continue }
                let values = used.map { value($0, k) }, middle = mean(values)
                let length = values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }.squareRoot()
                for (row, value) in zip(used, values) { z[row * v + k] = length > 0 ? (value - middle) / length : 0 }
            }
            return z
        }
        let p = standardized { Double(predicted[$0, $1]) + Double(means[fold[$0], $1]) }, m = standardized { Double(measured[$0, $1]) }
        let blocks = Parallel.chunks(permutations, size: 8)
        let counts = Parallel.map(blocks.count, threads: threads) { block, _ -> [Int] in
            var counts = [Int](repeating: 0, count: v)
            for number in blocks[block] {
                let order = order(source.split(UInt64(number)), groups)
                var sums = [Double](repeating: 0, count: v)
                p.withUnsafeBufferPointer { p in
                    m.withUnsafeBufferPointer { m in
                        for row in 0..<n {
                            let a = row * v, b = order[row] * v
                            for k in 0..<v { sums[k] += p[a + k] * m[b + k] }
                        }
                    }
                }
                for k in 0..<v where !(sums[k] < r[k] - 1e-12) { counts[k] += 1 }
            }
            return counts
        }
        return (0..<v).map { k in r[k].isNaN ? .nan : Double(1 + counts.reduce(0) { $0 + $1[k] }) / Double(permutations + 1) }
    }

    private func order(_ source: RandomSource, _ groups: [Int]?) -> [Int] {
        var random = source, order = Array(0..<measured.rows)
        for rows in folds {
            var members: [Int: [Int]] = [:]
            for row in rows { members[groups?[row] ?? row, default: []].append(row) }
            let keys = members.keys.sorted()
            if groups != nil, Set(members.values.map(\.count)).count == 1 {
                for (to, from) in random.permutation(keys.count).enumerated() {
                    for (a, b) in zip(members[keys[to]] ?? [], members[keys[from]] ?? []) { order[a] = b }
                }
            } else {
                for (to, from) in random.permutation(rows.count).enumerated() { order[rows[to]] = rows[from] }
            }
        }
        return order
    }
}
