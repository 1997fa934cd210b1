import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

/// Representational similarity analysis: which model's dissimilarities agree with those of subjects (Kriegeskorte et al. 2008; Nili et al.
/// 2014; Schütt et al. 2023).
public struct RSA: Sendable {
    /// What the bootstrap draws.
    public enum Resampled: String, Sendable, CaseIterable { case conditions, subjects, both }

    /// The measure of agreement between two matrices.
    package var comparison: RDMComparison
    /// Permutations of conditions for p-values.
    package var permutations: Int
    /// What the bootstrap draws.
    package var bootstrap: Resampled
    /// Resamples of the bootstrap.
    package var resamples: Int
    /// Confidence level of the intervals, in (0, 1).
    package var level: Double
    /// Seed of the random numbers; it fixes the result.
    package var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// Spearman's ρ, with 10,000 permutations and 1,000 resamples of conditions, unless stated otherwise.
    public init(
        _ comparison: RDMComparison = .spearman, permutations: Int = 10_000, bootstrap: Resampled = .conditions, resamples: Int = 1000,
        level: Double = 0.95,
        seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) {
        self.comparison = comparison
        self.permutations = permutations
        self.bootstrap = bootstrap
        self.resamples = resamples
        self.level = level
        self.seed = seed
        self.threads = threads
    }

    /// How well one model agrees with the subjects.
    public struct ModelResult: Sendable {
        /// The model's name.
        public let name: String
        /// Mean agreement over subjects; p by permuting conditions, one-sided (greater), interval by the bootstrap.
        public let estimate: Estimate
        /// Agreement with each subject.
        package let bySubject: [Double]
        /// p adjusted over the models (Benjamini & Hochberg 1995).
        public let adjustedP: Double
        /// Mean partial correlation over subjects given all other models; nil for other measures and where the others explain the model.
        package let partial: Double?
    }

    /// Two models compared.
    public struct Difference: Sendable {
        /// Names of the two models.
        public let first: String, second: String
        /// First less second, with the bootstrap's interval and two-sided p.
        public let estimate: Estimate
        /// p adjusted over the pairs of models.
        public let adjustedP: Double
    }

    /// Models, their differences and the noise ceiling.
    public struct Result: Sendable {
        /// One result per model, in the order given.
        public let models: [ModelResult]
        /// One result per pair of models.
        public let differences: [Difference]
        /// Nil for a single subject.
        public let ceiling: (lower: Double, upper: Double)?
        /// Number of conditions.
        package let conditions: Int
        /// Number of subjects.
        package let subjects: Int
        /// Pairs that are missing in the matrix with most gaps; comparisons leave them out.
        package let missing: Int
    }

    /// - Parameters:
    ///   - models, subjects: matrices of the same conditions; they are brought into the order of the first model.
    /// - Throws: `DataError` for other conditions in one of them, fewer than three conditions, or a constant matrix.
    public func callAsFunction(models: [(name: String, rdm: RDM)], subjects: [(name: String, rdm: RDM)]) throws -> Result {
        guard let first = models.first?.rdm, !subjects.isEmpty else {
            throw DataError(.usage, "RSA compares at least one model with at least one subject's matrix")
        }
        let n = first.count
        guard n >= 3 else { throw DataError(.badData, "RSA needs at least three conditions; there are \(n)") }
        guard permutations > 0, resamples >= 0, level > 0, level < 1 else {
            throw DataError(
                .usage,
                "RSA needs at least one permutation, resamples from 0 and a level between 0 and 1, not \(permutations), \(resamples) and \(level)"
            )
        }
        let x = try models.map { try $0.rdm.aligned(to: first.labels, "the model \($0.name)").values }
        let y = try subjects.map { try $0.rdm.aligned(to: first.labels, "\($0.name)").values }
        let prepared = PreparedMatrices(x, y, n, comparison, threads: threads)
        let bySubject = try agreements(x, models.map(\.name), y, subjects.map(\.name), n, prepared)
        let observed = bySubject.map { mean($0) }
        let p = permutedP(x, [y], n, observed.map { [$0] }, prepared).map { $0[0] }
        let drawn = resamples > 0 ? resampledMeans(x, y, n) : []
        let adjusted = MultipleComparisons.benjaminiHochberg.adjusted(p)
        let partials = partialCorrelations(x, y, prepared)
        let results = models.indices.map { m in
            ModelResult(
                name: models[m].name,
                estimate: Estimate(
                    observed[m], interval: interval(drawn.map { $0[m] }), level: level, p: p[m], n: n,
                    method: .init(
                        interval: resamples > 0 ? .bootstrap(.percentile, resamples: resamples) : nil,
                        test: .permutation(count: permutations, isExact: false))),
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
                Difference(
                    first: models[pairs[k].0].name, second: models[pairs[k].1].name,
                    estimate: Estimate(
                        differences[k].value, interval: interval(differences[k].drawn), level: level,
                        p: differenceP[k].isNaN ? nil : differenceP[k], n: n,
                        method: resamples > 0
                            ? .init(interval: .bootstrap(.percentile, resamples: resamples), test: .bootstrap(resamples: resamples))
                            : .init()),
                    adjustedP: adjustedDifferences[k])
            },
            ceiling: y.count > 1 ? try comparison.noiseCeiling(y, conditions: n, threads: threads) : nil, conditions: n, subjects: y.count,
            missing: (x + y).map { $0.count(where: \.isNaN) }.max() ?? 0)
    }

    /// Agreement of each model with each subject.
    func agreements(
        _ x: [[Double]], _ models: [String], _ y: [[Double]], _ subjects: [String], _ n: Int, _ prepared: PreparedMatrices?
    ) throws -> [[Double]] {
        try x.indices.map { m in
            try Parallel.map(y.count, threads: threads) { s, _ in
                if let prepared, prepared.isDefined(model: m, subject: s) { return prepared.agreement(model: m, subject: s) }
                do { return try comparison(x[m], y[s], conditions: n) } catch let error as DataError {
                    throw DataError(error.kind, "\(models[m]) against \(subjects[s]): \(error.message)")
                }
            }
        }
    }

    func interval(_ values: [Double]) -> ClosedRange<Double>? {
        let usable = values.filter { !$0.isNaN }.sorted()
        return !usable.isEmpty && usable.count * 2 >= resamples ? Bootstrap.percentileInterval(ofSorted: usable, level: level) : nil
    }

    // MARK: Partial correlation

    private func partialCorrelations(_ x: [[Double]], _ y: [[Double]], _ prepared: PreparedMatrices?) -> [Double?]? {
        guard x.count > 1, comparison == .pearson || comparison == .spearman else { return nil }
        if let prepared, prepared.models.allSatisfy({ !$0.isEmpty }), prepared.subjects.allSatisfy({ !$0.isEmpty }) {
            return partials(prepared)
        }
        let kind: Correlation = comparison == .pearson ? .pearson : .spearman
        return x.indices.map { m in
            let others = x.indices.filter { $0 != m }.map { x[$0] }
            let values = y.compactMap { try? kind.partial(x[m], $0, given: others).value }
            return values.count == y.count ? mean(values) : nil
        }
    }

    /// From the correlations of all matrices with one another: −P/√(P·P) of their inverse.
    private func partials(_ prepared: PreparedMatrices) -> [Double?] {
        let m = prepared.models.count
        let models = (0..<m).map { i in (0..<m).map { i == $0 ? 1 : PreparedMatrices.dot(prepared.models[i], prepared.models[$0]) } }
        let values = Parallel.map(prepared.subjects.count, threads: threads) { s, _ -> [Double]? in
            let own = (0..<m).map { prepared.agreement(model: $0, subject: s) }
            guard let inverse = Self.inverse((0..<m).map { models[$0] + [own[$0]] } + [own + [1]]) else { return nil }
            return (0..<m).map { -inverse[$0][m] / (inverse[$0][$0] * inverse[m][m]).squareRoot() }
        }
        return (0..<m).map { model in values.contains { $0 == nil } ? nil : mean(values.compactMap { $0?[model] }) }
    }

    /// By elimination; nil if the matrix is singular, as when the others explain a model.
    private static func inverse(_ matrix: [[Double]]) -> [[Double]]? {
        let n = matrix.count
        var a = matrix, b = (0..<n).map { i in (0..<n).map { i == $0 ? 1.0 : 0 } }
        for k in 0..<n {
            guard let pivot = (k..<n).max(by: { abs(a[$0][k]) < abs(a[$1][k]) }), abs(a[pivot][k]) > 1e-10 else { return nil }
            a.swapAt(k, pivot)
            b.swapAt(k, pivot)
            let scale = a[k][k]
            for j in 0..<n { (a[k][j], b[k][j]) = (a[k][j] / scale, b[k][j] / scale) }
            for i in 0..<n where i != k && a[i][k] != 0 {
                let factor = a[i][k]
                for j in 0..<n { (a[i][j], b[i][j]) = (a[i][j] - factor * a[k][j], b[i][j] - factor * b[k][j]) }
            }
        }
        return b
    }

    // MARK: Work on several cores

    static func values(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Double) -> [Double] {
        rows(count, width: 1, threads: threads) { [body($0)] }
    }

    /// `width` values of each item, in order.
    static func rows(_ count: Int, width: Int, threads: Int, _ body: @Sendable (Int) -> [Double]) -> [Double] {
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
