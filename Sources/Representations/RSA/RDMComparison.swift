import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

/// How closely two dissimilarity matrices agree, as rsatoolbox's `compare`.
public enum RDMComparison: String, Sendable, CaseIterable {
    case pearson, spearman
    case rhoA = "rho-a", tauA = "tau-a"
    case cosine
    /// Pearson's correlation with pairs weighted by the covariance that shared conditions give them (Diedrichsen et al. 2021).
    case covarianceWeighted = "cov-weighted"

    /// The agreement of two matrices over the pairs that both have, in [−1, 1].
    ///
    /// - Throws: `DataError` if they differ in size or one is constant.
    public func callAsFunction(_ a: [Double], _ b: [Double], conditions: Int) throws -> Double {
        guard a.count == b.count else { throw DataError(.badData, "two matrices of \(a.count) and \(b.count) pairs cannot be compared") }
        let kept = a.indices.filter { !a[$0].isNaN && !b[$0].isNaN }
        if kept.count < a.count {
            guard self != .covarianceWeighted else {
                throw DataError(.badData, "\(a.count - kept.count) pairs are missing; cov-weighted needs all of them")
            }
            return try complete(kept.map { a[$0] }, kept.map { b[$0] }, conditions)
        }
        return try complete(a, b, conditions)
    }

    private func complete(_ a: [Double], _ b: [Double], _ conditions: Int) throws -> Double {
        switch self {
        case .pearson: try Correlation.pearson(a, b)
        case .spearman: try Correlation.pearson(ranks(a), ranks(b))
        case .rhoA: try Correlation.rhoA(a, b)
        case .tauA: try Correlation.tauA(a, b)
        case .cosine: try Self.cosine(a, b)
        case .covarianceWeighted: try Self.cosine(Self.whitened(a, conditions), Self.whitened(b, conditions))
        }
    }

    private static func cosine(_ a: [Double], _ b: [Double]) throws -> Double {
        var aa = 0.0, bb = 0.0, ab = 0.0
        for i in a.indices {
            aa += a[i] * a[i]
            bb += b[i] * b[i]
            ab += a[i] * b[i]
        }
        guard aa > 0, bb > 0 else { throw DataError(.badData, "a matrix with all dissimilarities equal cannot be compared") }
        return max(-1, min(1, ab / (aa.squareRoot() * bb.squareRoot())))
    }

    /// The second moments that belong to mean-free dissimilarities: −½ of them, double-centred, pairs counted twice, the diagonal once.
    static func whitened(_ values: [Double], _ n: Int) -> [Double] {
        let middle = mean(values)
        var g = values.map { -0.5 * ($0 - middle) }, rows = [Double](repeating: 0, count: n)
        var pair = 0
        for i in 0..<n {
            for j in i + 1..<max(n, i + 1) {
                rows[i] += g[pair]
                rows[j] += g[pair]
                pair += 1
            }
        }
        for i in 0..<n { rows[i] /= Double(n) }
        let all = mean(rows)
        pair = 0
        for i in 0..<n {
            for j in i + 1..<max(n, i + 1) {
                g[pair] = (g[pair] - rows[i] - rows[j] + all) * 2.0.squareRoot()
                pair += 1
            }
        }
        return g + rows.map { all - 2 * $0 }
    }

    /// The matrix that agrees best with all of these on average, as rsatoolbox's `pool_rdm`; for τ-a that of ρ-a is used.
    package func pooled(_ matrices: [[Double]]) -> [Double] { Self.average(matrices.map(scaled)) }

    private static func average(_ scaled: [[Double]]) -> [Double] {
        scaled[0].indices.map { pair in
            var sum = 0.0, count = 0.0
            for values in scaled where !values[pair].isNaN {
                sum += values[pair]
                count += 1
            }
            return sum / count
        }
    }

    /// A subject's matrix in the units in which subjects are pooled.
    private func scaled(_ values: [Double]) -> [Double] {
        let defined = values.contains(where: \.isNaN) ? values.filter { !$0.isNaN } : values
        switch self {
        case .spearman, .rhoA, .tauA:
            let own = ranks(defined)
            if defined.count == values.count { return own }
            var next = 0
            return values.map { value in
                if value.isNaN { return .nan }
                next += 1
                return own[next - 1]
            }
        case .cosine:
            let size = (defined.reduce(0) { $0 + $1 * $1 } / Double(defined.count)).squareRoot()
            return values.map { $0 / size }
        case .pearson, .covarianceWeighted:
            let middle = mean(defined),
                size = (defined.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(defined.count)).squareRoot()
            return values.map { ($0 - middle) / size }
        }
    }

    /// Bounds of what the best model could reach given how subjects differ (Nili et al. 2014): each subject against the pooled others, and
    /// against all.
    ///
    /// - Throws: `DataError` for a single subject.
    package func noiseCeiling(
        _ subjects: [[Double]], conditions: Int, threads: Int = Parallel.availableThreads
    ) throws -> (lower: Double, upper: Double) {
        guard subjects.count >= 2 else { throw DataError(.badData, "a noise ceiling needs at least two subjects") }
        let parts = Parallel.map(subjects.count, threads: threads) { subject, _ in scaled(subjects[subject]) }, all = Self.average(parts)
        let bounds = try Parallel.map(subjects.count, threads: threads) { subject, _ in
            let others = Self.average(parts.indices.filter { $0 != subject }.map { parts[$0] })
            return (try self(others, subjects[subject], conditions: conditions), try self(all, subjects[subject], conditions: conditions))
        }
        return (mean(bounds.map(\.0)), mean(bounds.map(\.1)))
    }
}
