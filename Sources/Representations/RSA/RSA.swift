import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

/// Representational similarity analysis: which model's dissimilarities agree with those of subjects (Kriegeskorte et al. 2008; Nili et al.
/// 2014; Schütt et al. 2023).
public struct RSA: Sendable {
    public enum Resampled: String, Sendable, CaseIterable { case conditions, subjects, both }

    public var comparison: RDMComparison
    /// Permutations of conditions for p-values.
    public var permutations: Int
    public var bootstrap: Resampled
    public var resamples: Int
    public var level: Double
    public var seed: UInt64
    public var threads: Int

    public init(_ comparison: RDMComparison = .spearman, permutations: Int = 10_000, bootstrap: Resampled = .conditions, resamples: Int = 1000, level: Double = 0.95,
                seed: UInt64 = 0, threads: Int = Parallel.availableThreads) {
        self.comparison = comparison
        self.permutations = permutations
        self.bootstrap = bootstrap
        self.resamples = resamples
        self.level = level
        self.seed = seed
        self.threads = threads
    }

    public struct ModelResult: Sendable {
        public let name: String
        /// Mean agreement over subjects; p by permuting conditions, one-sided (greater), interval by the bootstrap.
        public let estimate: Estimate
        /// Agreement with each subject.
        public let bySubject: [Double]
        /// p adjusted over the models (Benjamini & Hochberg 1995).
        public let adjustedP: Double
        /// Mean partial correlation over subjects given all other models; nil for other measures and where the others explain the model.
        public let partial: Double?
    }

    public struct Difference: Sendable {
        public let first: String, second: String
        /// First less second, with the bootstrap's interval and two-sided p.
        public let estimate: Estimate
        public let adjustedP: Double
    }

    public struct Result: Sendable {
        public let models: [ModelResult]
        public let differences: [Difference]
        /// Nil for a single subject.
        public let ceiling: (lower: Double, upper: Double)?
        public let conditions: Int
        public let subjects: Int
    }

    /// - Parameters:
    ///   - models, subjects: matrices of the same conditions; they are brought into the order of the first model.
    /// - Throws: `DataError` for other conditions in one of them, fewer than three conditions, or a constant matrix.
    public func callAsFunction(models: [(name: String, rdm: RDM)], subjects: [(name: String, rdm: RDM)]) throws -> Result {
        guard let first = models.first?.rdm, !subjects.isEmpty else { throw DataError(.usage, "RSA compares at least one model with at least one subject's matrix") }
        let n = first.count
        guard n >= 3 else { throw DataError(.badData, "RSA needs at least three conditions; there are \(n)") }
        guard permutations > 0, resamples > 0, level > 0, level < 1 else {
            throw DataError(.usage, "RSA needs at least one permutation and resample and a level between 0 and 1, not \(permutations), \(resamples) and \(level)")
        }
        let x = try models.map { try $0.rdm.aligned(to: first.labels, "the model \($0.name)").values }
        let y = try subjects.map { try $0.rdm.aligned(to: first.labels, "\($0.name)").values }
        let bySubject = try zip(x, models).map { values, model in
            try zip(y, subjects).map { measured, subject in
                do { return try comparison(values, measured, conditions: n) } catch let error as DataError {
                    throw DataError(error.kind, "\(model.name) against \(subject.name): \(error.message)")
                }
            }
        }
        let observed = bySubject.map { mean($0) }
        let p = try permuted(x, y, n, observed)
        let drawn = resampledMeans(x, y, n)
        let adjusted = MultipleComparisons.benjaminiHochberg.adjusted(p)
        let partials = partialCorrelations(x, y)
        let results = models.indices.map { m in
            ModelResult(name: models[m].name, estimate: Estimate(observed[m], interval: interval(drawn.map { $0[m] }), level: level, p: p[m], n: n,
                        method: .init(interval: .bootstrap(.percentile, resamples: resamples), test: .permutation(count: permutations, isExact: false))),
                        bySubject: bySubject[m], adjustedP: adjusted[m], partial: partials?[m])
        }
        var pairs: [(Int, Int)] = []
        for i in models.indices { for j in models.indices where j > i { pairs.append((i, j)) } }
        let differences = pairs.map { i, j in (value: observed[i] - observed[j], drawn: drawn.map { $0[i] - $0[j] }.filter { !$0.isNaN }) }
        let differenceP = differences.map { $0.drawn.isEmpty ? .nan : Bootstrap.pValue($0.drawn) }
        let adjustedDifferences = MultipleComparisons.benjaminiHochberg.adjusted(differenceP)
        return Result(
            models: results,
            differences: pairs.indices.map { k in
                Difference(first: models[pairs[k].0].name, second: models[pairs[k].1].name,
                           estimate: Estimate(differences[k].value, interval: interval(differences[k].drawn), level: level, p: differenceP[k].isNaN ? nil : differenceP[k], n: n,
                                              method: .init(interval: .bootstrap(.percentile, resamples: resamples), test: .bootstrap(resamples: resamples))),
                           adjustedP: adjustedDifferences[k])
            },
            ceiling: y.count > 1 ? try comparison.noiseCeiling(y, conditions: n) : nil, conditions: n, subjects: y.count)
    }

    private func interval(_ values: [Double]) -> ClosedRange<Double>? {
        let usable = values.filter { !$0.isNaN }.sorted()
        return usable.count * 2 >= resamples ? Bootstrap.percentileInterval(ofSorted: usable, level: level) : nil
    }

    // MARK: Permutation

    /// The order of conditions of the models is drawn again; cells are never moved by themselves.
    private func permuted(_ x: [[Double]], _ y: [[Double]], _ n: Int, _ observed: [Double]) throws -> [Double] {
        let source = RandomSource(seed: seed)
        let isComplete = (x + y).allSatisfy { !$0.contains(where: \.isNaN) }
        // Linear measures: the mean over subjects is one product with the mean of prepared subjects, τ-a aside.
        if isComplete, comparison != .tauA {
            let models = x.map { prepared($0, n) }, subjects = y.map { prepared($0, n) }
            let width = subjects[0].count
            var target = [Double](repeating: 0, count: width)
            for subject in subjects { for i in 0..<width { target[i] += subject[i] / Double(subjects.count) } }
            let average = target
            return models.indices.map { m in
                let model = models[m]
                let null = Self.values(permutations, threads: threads) { number in
                    var random = source.split(UInt64(number))
                    return Self.product(model, average, random.permutation(n), n)
                }
                return PermutationTest.pValue(Self.product(model, average, Array(0..<n), n), null: null, counting: 1, .greater)
            }
        }
        return x.indices.map { m in
            let model = x[m]
            let null = Self.values(permutations, threads: threads) { number in
                var random = source.split(UInt64(number))
                let moved = Self.reordered(model, random.permutation(n), n)
                return mean(y.map { (try? comparison(moved, $0, conditions: n)) ?? .nan })
            }
            return PermutationTest.pValue(observed[m], null: null, counting: 1, .greater)
        }
    }

    /// A vector whose scalar product with another's is the agreement; conditions may be permuted in it. The diagonal stands behind the pairs.
    private func prepared(_ values: [Double], _ n: Int) -> [Double] {
        func unit(_ v: [Double]) -> [Double] {
            let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length > 0 ? v.map { $0 / length } : v
        }
        func centred(_ v: [Double]) -> [Double] {
            let middle = mean(v)
            return v.map { $0 - middle }
        }
        switch comparison {
        case .pearson: return unit(centred(values))
        case .spearman, .tauA: return unit(centred(averageRanks(values)))
        case .rhoA:
            let count = Double(values.count), scale = (12 / (count * (count * count - 1))).squareRoot()
            return centred(averageRanks(values)).map { $0 * scale }
        case .cosine: return unit(values)
        case .covarianceWeighted: return unit(RDMComparison.whitened(values, n))
        }
    }

    private static func product(_ a: [Double], _ b: [Double], _ order: [Int], _ n: Int) -> Double {
        var sum = 0.0
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var pair = 0
                for i in 0..<n {
                    let from = order[i]
                    for j in i + 1..<max(n, i + 1) {
                        let to = order[j], low = min(from, to), high = max(from, to)
                        sum += a[low * (2 * n - low - 1) / 2 + high - low - 1] * b[pair]
                        pair += 1
                    }
                }
                if a.count > pair { for i in 0..<n { sum += a[pair + order[i]] * b[pair + i] } }
            }
        }
        return sum
    }

    private static func reordered(_ values: [Double], _ order: [Int], _ n: Int) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(values.count)
        for i in 0..<n {
            for j in i + 1..<max(n, i + 1) {
                let low = min(order[i], order[j]), high = max(order[i], order[j])
                result.append(low == high ? .nan : values[low * (2 * n - low - 1) / 2 + high - low - 1])
            }
        }
        return result
    }

    // MARK: Bootstrap

    /// Mean agreement of each model in each resample. A condition drawn twice makes a pair with itself, whose zero is left out.
    private func resampledMeans(_ x: [[Double]], _ y: [[Double]], _ n: Int) -> [[Double]] {
        let source = RandomSource(seed: seed ^ 0x5253_4120)
        var result = [[Double]](repeating: [], count: resamples)
        // Without condition resampling the agreements are fixed; only subjects are drawn.
        let fixed = bootstrap == .subjects ? x.map { model in y.map { (try? comparison(model, $0, conditions: n)) ?? .nan } } : []
        let models = x.count
        let flat = Self.rows(resamples, width: models, threads: threads) { sample in
            var random = source.split(UInt64(sample))
            let subjects = bootstrap == .conditions ? Array(y.indices) : y.map { _ in random.below(y.count) }
            if bootstrap == .subjects { return fixed.map { agreements in mean(subjects.map { agreements[$0] }) } }
            let drawn = (0..<n).map { _ in random.below(n) }.sorted()
            // cov-weighted needs a complete matrix: it is taken over the distinct conditions.
            let conditions = comparison == .covarianceWeighted ? drawn.enumerated().filter { $0.offset == 0 || drawn[$0.offset - 1] != $0.element }.map(\.element) : drawn
            func part(_ values: [Double]) -> [Double] {
                var part: [Double] = []
                for (place, i) in conditions.enumerated() { for j in conditions[(place + 1)...] where i != j { part.append(values[i * (2 * n - i - 1) / 2 + j - i - 1]) } }
                return part
            }
            var parts: [Int: [Double]] = [:]
            for subject in Set(subjects) { parts[subject] = part(y[subject]) }
            return x.map { model in
                let own = part(model)
                return mean(subjects.map { (try? comparison(own, parts[$0] ?? [], conditions: conditions.count)) ?? .nan })
            }
        }
        for sample in 0..<resamples { result[sample] = Array(flat[sample * models..<(sample + 1) * models]) }
        return result
    }

    // MARK: Partial correlation

    private func partialCorrelations(_ x: [[Double]], _ y: [[Double]]) -> [Double?]? {
        guard x.count > 1, comparison == .pearson || comparison == .spearman else { return nil }
        let kind: Correlation = comparison == .pearson ? .pearson : .spearman
        return x.indices.map { m in
            let others = x.indices.filter { $0 != m }.map { x[$0] }
            let values = y.compactMap { try? kind.partial(x[m], $0, given: others).value }
            return values.count == y.count ? mean(values) : nil
        }
    }

    // MARK: Work on several cores

    static func values(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Double) -> [Double] { rows(count, width: 1, threads: threads) { [body($0)] } }

    /// `width` values of each item, in order.
    private static func rows(_ count: Int, width: Int, threads: Int, _ body: @Sendable (Int) -> [Double]) -> [Double] {
        [Double](unsafeUninitializedCapacity: count * width) { buffer, initialized in
            if let base = buffer.baseAddress {
                let out = Shared(base)
                Parallel.forEach(count, threads: threads) { item, _ in
                    for (k, value) in body(item).enumerated() { (out.pointer + item * width + k).initialize(to: value) }
                }
            }
            initialized = count * width
        }
    }
}
