import FileFormats
import Foundation
import Tensors

/// How alike the repetitions of a measurement are, voxel by voxel.
public struct Reliability: Sendable {
    /// Repetitions (repeats, items, voxels).
    package let repeats: [Tensor<Float>]

    /// - Throws: `DataError` for fewer than two repetitions, or shapes that differ.
    package init(_ repeats: [Tensor<Float>]) throws {
        guard repeats.count >= 2, let first = repeats.first else {
            throw DataError(.badData, "reliability needs at least two repetitions of the measurements; there are \(repeats.count)")
        }
        guard repeats.allSatisfy({ $0.shape == first.shape }) else {
            throw DataError(.badData, "repetitions differ in shape: \(repeats.map { "\($0.shape)" }.joined(separator: ", "))")
        }
        guard repeats.allSatisfy(\.isFinite) else { throw DataError(.badData, "repetitions contain NaN or infinity") }
        self.repeats = repeats
    }

    /// The mean correlation of two repetitions over these items, one a voxel: the stability of Mitchell et al. (2008). NaN if a repetition
    /// is constant.
    ///
    /// - Complexity: O(repeats · items · voxels): the pairwise correlations of standardized rows sum to what their sum's square says.
    package func stability(items: [Int]) -> [Double] {
        let v = repeats[0].columns, n = items.count, count = Double(repeats.count)
        var sums = [Double](repeating: 0, count: n * v), isConstant = [Bool](repeating: false, count: v)
        for x in repeats {
            x.withUnsafeElements { e in
                var means = [Double](repeating: 0, count: v), squares = means
                for item in items { for k in 0..<v { means[k] += Double(e[item * v + k]) } }
                for k in 0..<v { means[k] /= Double(n) }
                for item in items {
                    for k in 0..<v { squares[k] += (Double(e[item * v + k]) - means[k]) * (Double(e[item * v + k]) - means[k]) }
                }
                for k in 0..<v {
                    let length = squares[k].squareRoot()
                    if !(length > 1e-6 * abs(means[k]) * Double(n).squareRoot()) { isConstant[k] = true }
                    squares[k] = length > 0 ? 1 / length : 0
                }
                for (place, item) in items.enumerated() {
                    for k in 0..<v { sums[place * v + k] += (Double(e[item * v + k]) - means[k]) * squares[k] }
                }
            }
        }
        var result = [Double](repeating: 0, count: v)
        for place in 0..<n { for k in 0..<v { result[k] += sums[place * v + k] * sums[place * v + k] } }
        return result.indices.map { isConstant[$0] ? .nan : (result[$0] - count) / (count * (count - 1)) }
    }

    /// The `count` most stable voxels over these items, in their order; ties go to the first.
    package func stable(_ count: Int, items: [Int]) -> [Int] {
        let values = stability(items: items)
        return Array(values.indices.filter { !values[$0].isNaN }.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(count)).sorted()
    }

    /// The correlation with the mean of all repetitions that a perfect model would reach: the root of their reliability, which is Spearman
    /// and Brown's formula applied to `stability`. 0 where repetitions do not agree.
    package func ceiling() -> [Double] {
        let count = Double(repeats.count)
        return stability(items: Array(0..<repeats[0].rows)).map {
            $0.isNaN ? .nan : $0 > 0 ? (count * $0 / (1 + (count - 1) * $0)).squareRoot() : 0
        }
    }

    /// (items, voxels).
    package var mean: Tensor<Float> {
        var result = Tensor<Float>(repeating: 0, shape: repeats[0].shape)
        for x in repeats { for i in 0..<result.count { result[i] += x[i] / Float(repeats.count) } }
        return result
    }
}
