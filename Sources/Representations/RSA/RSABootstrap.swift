import FileFormats
import Foundation
import Statistics
import Tensors

extension RSA {
    /// Mean agreement of each model in each resample. A condition drawn twice makes a pair with itself, whose zero is left out.
    func resampledMeans(_ x: [[Double]], _ y: [[Double]], _ n: Int) -> [[Double]] {
        let source = RandomSource(seed: seed ^ 0x5253_4120), models = x.count
        // Without condition resampling the agreements are fixed; only subjects are drawn.
        let fixed = bootstrap == .subjects ? x.map { model in y.map { (try? comparison(model, $0, conditions: n)) ?? .nan } } : []
        let weighted = bootstrap == .subjects ? nil : WeightedComparison(x, y, n, comparison, threads: threads)
        let flat = Self.rows(resamples, width: models, threads: threads) { sample in
            var random = source.split(UInt64(sample))
            let subjects = bootstrap == .conditions ? Array(y.indices) : y.map { _ in random.below(y.count) }
            if bootstrap == .subjects { return fixed.map { agreements in mean(subjects.map { agreements[$0] }) } }
            let drawn = (0..<n).map { _ in random.below(n) }.sorted()
            if let weighted { return weighted.means(drawn: drawn, subjects: subjects) }
            // cov-weighted needs a complete matrix: it is taken over the distinct conditions.
            let conditions =
                comparison == .covarianceWeighted
                ? drawn.enumerated().filter { $0.offset == 0 || drawn[$0.offset - 1] != $0.element }.map(\.element) : drawn
            func part(_ values: [Double]) -> [Double] {
                var part: [Double] = []
                for (place, i) in conditions.enumerated() {
                    for j in conditions[(place + 1)...] where i != j { part.append(values[i * (2 * n - i - 1) / 2 + j - i - 1]) }
                }
                return part
            }
            var parts: [Int: [Double]] = [:]
            for subject in Set(subjects) { parts[subject] = part(y[subject]) }
            return x.map { model in
                let own = part(model)
                return mean(subjects.map { (try? comparison(own, parts[$0] ?? [], conditions: conditions.count)) ?? .nan })
            }
        }
        return (0..<resamples).map { Array(flat[$0 * models..<($0 + 1) * models]) }
    }
}

/// Agreement of matrices in a bootstrap sample of conditions without writing the sample out: a pair of conditions that were drawn a and b
/// times is in it a·b times, so sums are weighted, and ranks are counted off the ranks of the whole matrix.
struct WeightedComparison: Sendable {
    private let comparison: RDMComparison
    private let n: Int
    private let models: [Series], subjects: [Series]

    private struct Series: Sendable {
        let values: [Double]
        /// The place of each value among the different values; empty unless ranks are compared.
        let codes: [Int32]
        let levels: Int
    }

    /// Nil if pairs are missing, and for τ-a and cov-weighted.
    init?(_ models: [[Double]], _ subjects: [[Double]], _ n: Int, _ comparison: RDMComparison, threads: Int) {
        let all = models + subjects
        guard comparison != .tauA, comparison != .covarianceWeighted, !all.contains(where: { $0.contains(where: \.isNaN) }) else {
            return nil
        }
        let ranked = comparison == .spearman || comparison == .rhoA
        let series = Parallel.map(all.count, threads: threads) { item, _ -> Series in
            guard ranked else { return Series(values: all[item], codes: [], levels: 0) }
            // Average ranks are halves of whole numbers.
            let doubled = ranks(all[item]).map { Int(2 * $0) }
            var place = [Int32](repeating: 0, count: (doubled.max() ?? 0) + 1), levels: Int32 = 0
            for rank in doubled { place[rank] = 1 }
            for rank in place.indices where place[rank] > 0 {
                place[rank] = levels
                levels += 1
            }
            return Series(values: [], codes: doubled.map { place[$0] }, levels: Int(levels))
        }
        (self.comparison, self.n) = (comparison, n)
        (self.models, self.subjects) = (Array(series[..<models.count]), Array(series[models.count...]))
    }

    /// - Parameters:
    ///   - drawn: conditions of the sample, ascending, repeats included.
    ///   - chosen: subjects of the sample.
    func means(drawn: [Int], subjects chosen: [Int]) -> [Double] {
        var times = [Double](repeating: 0, count: n)
        for condition in drawn { times[condition] += 1 }
        let distinct = times.indices.filter { times[$0] > 0 }
        var pairs: [Int32] = [], weights: [Double] = [], total = 0.0
        pairs.reserveCapacity(distinct.count * distinct.count / 2)
        weights.reserveCapacity(distinct.count * distinct.count / 2)
        for (place, i) in distinct.enumerated() {
            let row = i * (2 * n - i - 1) / 2 - i - 1
            for j in distinct[(place + 1)...] {
                pairs.append(Int32(row + j))
                weights.append(times[i] * times[j])
                total += times[i] * times[j]
            }
        }
        let own = models.map { centred($0, pairs, weights, total) }
        var sums = [Double](repeating: 0, count: models.count), repeats: [Int: Double] = [:]
        for subject in chosen { repeats[subject, default: 0] += 1 }
        for subject in repeats.keys.sorted() {
            let (values, size) = centred(subjects[subject], pairs, weights, total)
            for m in models.indices {
                var product = 0.0
                for k in values.indices { product += weights[k] * own[m].values[k] * values[k] }
                let agreement =
                    comparison == .rhoA
                    ? 12 * product / (total * (total * total - 1)) : own[m].size > 0 && size > 0 ? product / (own[m].size * size) : .nan
                sums[m] += agreement * (repeats[subject] ?? 0)
            }
        }
        return sums.map { $0 / Double(chosen.count) }
    }

    /// Values (or ranks within the sample) less their mean, and the root of their weighted squares.
    private func centred(_ series: Series, _ pairs: [Int32], _ weights: [Double], _ total: Double) -> (values: [Double], size: Double) {
        var values = [Double](repeating: 0, count: pairs.count)
        if series.codes.isEmpty {
            for k in pairs.indices { values[k] = series.values[Int(pairs[k])] }
        } else {
            var counts = [Double](repeating: 0, count: series.levels), before = 0.0
            for k in pairs.indices { counts[Int(series.codes[Int(pairs[k])])] += weights[k] }
            for level in counts.indices {
                let count = counts[level]
                counts[level] = before + (count + 1) / 2
                before += count
            }
            for k in pairs.indices { values[k] = counts[Int(series.codes[Int(pairs[k])])] }
        }
        if comparison != .cosine {
            var sum = 0.0
            for k in values.indices { sum += weights[k] * values[k] }
            let middle = sum / total
            for k in values.indices { values[k] -= middle }
        }
        var squares = 0.0
        for k in values.indices { squares += weights[k] * values[k] * values[k] }
        return (values, squares.squareRoot())
    }
}
