import FileFormats
import Foundation
import Statistics
import Tensors

extension Contrast {
    /// What the cosines of rows say about two conditions.
    package struct Similarity: Sendable {
        /// Mean cosine of different items within the first, within the second, and across the two.
        package let withinFirst: Double, withinSecond: Double, between: Double
        /// Mean cosine of an item's two sentences; nil if unpaired.
        package let sameItem: Double?
        /// Percentile bootstrap intervals of the three means, by item; nil if a mean is undefined in too many resamples.
        package let intervals: (first: ClosedRange<Double>?, second: ClosedRange<Double>?, between: ClosedRange<Double>?)
        /// Mean within less between: do the conditions differ at all?
        package let separation: Result
        /// Within first less within second: is one more homogeneous?
        package let homogeneity: Result
    }

    /// Similarity within and between conditions. Permutation and bootstrap are by item (by row if unpaired), never by pair: pairs share
    /// rows.
    ///
    /// - Parameters:
    ///   - cosines: similarities (n, n) of all rows.
    ///   - a, b: rows of the two conditions; if paired, row k of both belongs to item k.
    /// - Throws: `DataError` for fewer than three sentences in a condition.
    /// - Complexity: O(items²) a resample.
    package func similarity(_ name: String, _ cosines: Tensor<Double>, _ a: [Int], _ b: [Int], paired: Bool) throws -> Similarity {
        guard min(a.count, b.count) >= 3 else {
            throw DataError(
                .badData, "similarity within conditions needs at least three sentences in each; there are \(a.count) and \(b.count)")
        }
        let table = CosineTable(cosines, a, b),
            means = table.means(Array(0..<a.count + b.count), split: a.count, pairedCount: paired ? a.count : nil)
        let (separation, homogeneity) = paired ? try pairedSimilarity(name, table) : try unpairedSimilarity(name, table)
        return Similarity(
            withinFirst: means.first, withinSecond: means.second, between: means.between,
            sameItem: paired ? mean(a.indices.map { table[$0, a.count + $0] }) : nil, intervals: try intervals(table, paired: paired),
            separation: separation, homogeneity: homogeneity)
    }

    private func intervals(
        _ table: CosineTable, paired: Bool
    ) throws -> (first: ClosedRange<Double>?, second: ClosedRange<Double>?, between: ClosedRange<Double>?) {
        let n = table.first,
            percentile = Bootstrap(.percentile, level: level, resamples: min(resamples, 2000), seed: seed, threads: threads)
        let units = paired ? Bootstrap.Units.groups((0..<2 * n).map { $0 % n }) : .strata((0..<n + table.second).map { $0 < n })
        func interval(_ value: @escaping @Sendable (CosineTable.Means) -> Double) -> ClosedRange<Double>? {
            (try? percentile.estimate(units) { value(table.means($0, split: n, pairedCount: paired ? n : nil)) })?.interval
        }
        return (interval(\.first), interval(\.second), interval(\.between))
    }

    private func pairedSimilarity(_ name: String, _ table: CosineTable) throws -> (Result, Result) {
        let n = table.first
        // What two items i ≠ j add to each contrast; exchanging an item's conditions changes signs and places.
        @Sendable func separation(_ i: Int, _ j: Int) -> Double {
            (table[i, j] + table[n + i, n + j] - table[i, n + j] - table[n + i, j]) / 2
        }
        @Sendable func homogeneity(_ i: Int, _ j: Int, _ si: Double, _ sj: Double) -> Double {
            si == sj ? si * (table[i, j] - table[n + i, n + j]) : si * (table[i, n + j] - table[n + i, j])
        }
        func make(
            _ what: String, _ term: @escaping @Sendable (Int, Int) -> Double,
            _ signed: @escaping @Sendable (Int, Int, Double, Double) -> Double
        ) throws -> Result {
            let estimate = try bootstrap.estimate(.items(n)) { rows in
                var sum = 0.0, count = 0.0
                for p in 0..<rows.count {
                    for q in 0..<p where rows[p] != rows[q] {
                        sum += term(rows[p], rows[q])
                        count += 1
                    }
                }
                return count > 0 ? sum / count : .nan
            }
            let test = try permutation.signs(n) { signs in
                var sum = 0.0
                for p in 0..<n { for q in 0..<p { sum += signed(p, q, signs[p], signs[q]) } }
                return sum / Double(n * (n - 1) / 2)
            }
            let scores = (0..<n).map { i in mean((0..<n).filter { $0 != i }.map { term(i, $0) }) }
            return Result(
                name: "\(name): \(what)", isPaired: true, first: nil, second: nil, difference: tested(estimate, test),
                deviation: standardDeviation(scores),
                rank: nil, effect: effect(try? EffectSize.dz(scores, level: level)), delta: nil)
        }
        return (
            try make("within − between", separation) { i, j, si, sj in si * sj * separation(i, j) },
            try make("within first − within second", { homogeneity($0, $1, 1, 1) }, homogeneity)
        )
    }

    private func unpairedSimilarity(_ name: String, _ table: CosineTable) throws -> (Result, Result) {
        let first = table.first, second = table.second, units = Bootstrap.Units.strata((0..<first + second).map { $0 < first })
        let inFirst = table.scores(own: 0..<first, other: first..<first + second),
            inSecond = table.scores(own: first..<first + second, other: 0..<first)
        @Sendable func separation(_ m: CosineTable.Means) -> Double { (m.first + m.second) / 2 - m.between }
        @Sendable func homogeneity(_ m: CosineTable.Means) -> Double { m.first - m.second }

        let gains = inFirst.gain + inSecond.gain
        let apart = tested(
            try bootstrap.estimate(units) { separation(table.means($0, split: first)) },
            try permutation.groups(first, second) { separation(table.means($0, split: first, isRelabelled: true)) })
        let even = tested(
            try bootstrap.estimate(units) { homogeneity(table.means($0, split: first)) },
            try permutation.groups(first, second) { homogeneity(table.means($0, split: first, isRelabelled: true)) })
        return (
            Result(
                name: "\(name): within − between", isPaired: false, first: nil, second: nil, difference: apart,
                deviation: standardDeviation(gains),
                rank: nil, effect: effect(try? EffectSize.dz(gains, level: level)), delta: nil),
            Result(
                name: "\(name): within first − within second", isPaired: false, first: Summary(inFirst.within),
                second: Summary(inSecond.within), difference: even, deviation: nil,
                rank: nil, effect: effect(try? EffectSize.d(inFirst.within, inSecond.within, level: level)),
                delta: effect(try EffectSize.cliffsDelta(inFirst.within, inSecond.within, level: level)))
        )
    }

    /// An effect size of items' mean cosines, without its interval. Two items share the cosine between them, so their scores depend on one
    /// another; intervals and rank tests take them for independent and come out too narrow and too small. (On 48 items in two conditions
    /// Wilcoxon's test gave p = 9e-7 where permuting the items gives .004.) The bootstrap and the permutation test know about it, and stand
    /// beside.
    private func effect(_ size: Estimate?) -> Estimate? {
        size.map { Estimate($0.value, n: $0.n) }
    }

    /// Association of each row with two sets of attribute rows: mean cosine to the first minus mean cosine to the second (Caliskan et al.
    /// 2017).
    package static func association(_ cosines: Tensor<Double>, rows: [Int], toward first: [Int], _ second: [Int]) -> [Double] {
        rows.map { row in
            mean(first.filter { $0 != row }.map { cosines[row, $0] }) - mean(second.filter { $0 != row }.map { cosines[row, $0] })
        }
    }
}

/// The cosines of the rows of two conditions, the first condition's rows at 0 ..< first.
private struct CosineTable: Sendable {
    let first: Int, second: Int
    private let values: [Double]
    private let width: Int

    struct Means { var first: Double, second: Double, between: Double }

    init(_ cosines: Tensor<Double>, _ a: [Int], _ b: [Int]) {
        let rows = a + b
        (first, second, width) = (a.count, b.count, rows.count)
        values = rows.flatMap { i in rows.map { cosines[i, $0] } }
    }

    subscript(i: Int, j: Int) -> Double { values[i * width + j] }

    /// Mean cosines within both conditions and between them, of chosen rows; a row drawn twice makes no pair with itself.
    ///
    /// - Parameters:
    ///   - split: rows below this place in the list, or if not relabelled in the table, are of the first condition.
    ///   - pairedCount: items whose own two sentences make no pair between.
    func means(_ chosen: [Int], split: Int, isRelabelled: Bool = false, pairedCount: Int? = nil) -> Means {
        var sums = (0.0, 0.0, 0.0), counts = (0.0, 0.0, 0.0)
        for p in chosen.indices {
            for q in 0..<p where chosen[p] != chosen[q] {
                if let pairedCount, abs(chosen[p] - chosen[q]) == pairedCount { continue }
                let value = self[chosen[p], chosen[q]]
                switch isRelabelled ? (p < split, q < split) : (chosen[p] < split, chosen[q] < split) {
                case (true, true):
                    sums.0 += value
                    counts.0 += 1
                case (false, false):
                    sums.1 += value
                    counts.1 += 1
                default:
                    sums.2 += value
                    counts.2 += 1
                }
            }
        }
        return Means(first: sums.0 / counts.0, second: sums.1 / counts.1, between: sums.2 / counts.2)
    }

    /// For each row its mean cosine to the other rows of its condition, and that less its mean cosine to the other condition.
    func scores(own: Range<Int>, other: Range<Int>) -> (within: [Double], gain: [Double]) {
        let within = own.map { i in mean(own.filter { $0 != i }.map { self[i, $0] }) }
        return (within, zip(own, within).map { i, value in value - mean(other.map { self[i, $0] }) })
    }
}

/// A table of similarities without what two covariates explain of it: residuals of least squares over the pairs of chosen rows, plus their
/// mean.
///
/// - Parameters:
///   - covariates: (n, n) each, symmetric.
/// - Returns: nil if the covariates are constant or depend on one another.
package func adjusted(_ similarities: Tensor<Double>, rows: [Int], for covariates: [Tensor<Double>]) -> Tensor<Double>? {
    var pairs: [(Int, Int)] = []
    for (place, i) in rows.enumerated() { for j in rows[(place + 1)...] { pairs.append((i, j)) } }
    let y = pairs.map { similarities[$0.0, $0.1] }, columns = covariates.map { table in pairs.map { table[$0.0, $0.1] } }
    guard let fit = try? LeastSquares(y, on: columns) else { return nil }
    var result = similarities
    let middle = mean(y)
    for (pair, value) in zip(pairs, fit.residuals) {
        result[pair.0, pair.1] = value + middle
        result[pair.1, pair.0] = value + middle
    }
    return result
}

/// Cosines of all pairs of rows (n, n), in Double; of rows from which their mean was taken first if `centred`.
///
/// - Throws: `DataError` naming a row that is zero.
package func cosineMatrix(_ x: Tensor<Double>, centred: Bool = false) throws -> Tensor<Double> {
    var rows = x
    let n = x.rows, d = x.columns
    var zero: Int?
    rows.withUnsafeMutableElements { e in
        if centred {
            for k in 0..<d {
                var sum = 0.0
                for row in 0..<n { sum += e[row * d + k] }
                for row in 0..<n { e[row * d + k] -= sum / Double(n) }
            }
        }
        for row in 0..<n {
            var squares = 0.0
            for k in 0..<d { squares += e[row * d + k] * e[row * d + k] }
            if !(squares > 0) { zero = zero ?? row }
            let length = squares.squareRoot()
            for k in 0..<d { e[row * d + k] /= length }
        }
    }
    if let zero {
        throw DataError(.badData, "the vector of row \(zero) is zero\(centred ? " after the mean is subtracted" : ""), so it has no cosine")
    }
    return matrixProduct(rows, transposed: false, rows, transposed: true)
}
