import Analysis
import FileFormats
import Foundation
import Tensors

/// Dissimilarities of conditions that were measured in several trials.
package struct TrialDistances: Sendable {
    package enum Measure: String, Sendable, CaseIterable {
        /// Of condition means; as `RDM`.
        case cosine, correlation, euclidean, sqeuclidean
        /// Squared Mahalanobis distance of condition means, divided by the channels.
        case mahalanobis
        /// The same, each fold's difference multiplied with that of the other folds: unbiased, so that it may be negative (Walther et al.
        /// 2016).
        case crossnobis
        /// Accuracy of a linear discriminant between two conditions on held-out folds, from 0 to 1.
        case decoding

        package var needsNoise: Bool { self == .mahalanobis || self == .crossnobis || self == .decoding }
        package var isCrossValidated: Bool { self == .crossnobis || self == .decoding }
    }

    package var measure: Measure
    package var shrinkage: NoiseCovariance.Shrinkage
    /// One noise covariance for all times, the mean of theirs (Guggenmos et al. 2018), rather than one per time.
    package var sharesNoise: Bool
    package var threads: Int

    package init(
        _ measure: Measure, shrinkage: NoiseCovariance.Shrinkage = .diagonal, sharesNoise: Bool = true,
        threads: Int = Parallel.availableThreads
    ) {
        (self.measure, self.shrinkage, self.sharesNoise, self.threads) = (measure, shrinkage, sharesNoise, threads)
    }

    /// One matrix per time.
    ///
    /// - Parameters:
    ///   - data: (times, trials, channels), finite.
    /// - Throws: `DataError` if trials do not fit, conditions are missing in a fold, or the noise cannot be estimated.
    /// - Complexity: O(times · (trials · channels² + conditions² · channels)); decoding adds conditions² · trials.
    package func callAsFunction(_ data: NumericArray, _ design: TrialDesign, times: [Double]) throws -> RDMSeries {
        guard data.shape.count == 3, data.shape[1] == design.count else {
            throw DataError(.badData, "expected an array (times, trials, channels) with \(design.count) trials, found shape \(data.shape)")
        }
        let (count, trials, channels) = (data.shape[0], data.shape[1], data.shape[2])
        guard times.count == count else { throw DataError(.badData, "\(times.count) times do not name \(count) matrices") }
        if let bad = data.values.firstIndex(where: { !$0.isFinite }) {
            throw DataError(
                .badData,
                "time \(bad / (trials * channels)), trial \(bad / channels % trials), channel \(bad % channels) is "
                    + "\(data.values[bad]) (all numbered from 0); fix or leave out that trial")
        }
        if measure.isCrossValidated { try design.requireComplete() }
        @Sendable func slice(_ time: Int) -> Tensor<Double> {
            Tensor(data.values[time * trials * channels..<(time + 1) * trials * channels], shape: [trials, channels])
        }
        // Cross-validated decoding estimates noise in its training folds alone.
        let splits = measure == .decoding ? design.folds.indices.map { fold in design.members { $0 != fold } } : [design.members()]
        var shared: [Tensor<Double>]?
        if measure.needsNoise, sharesNoise {
            shared = try splits.map { members in
                let all = try Parallel.map(count, threads: threads) { time, _ in
                    let (rest, freedom) = NoiseCovariance.residuals(slice(time), members)
                    return try NoiseCovariance(residuals: rest, freedom: freedom, shrinkage).matrix
                }
                var mean = Tensor<Double>(repeating: 0, shape: [channels, channels])
                for matrix in all { for i in 0..<mean.count { mean[i] += matrix[i] / Double(count) } }
                return try NoiseCovariance.whitening(mean)
            }
        }
        let common = shared
        let values = try Parallel.map(count, threads: threads) { time, _ -> [Double] in
            let x = slice(time)
            func whitened(_ split: Int) throws -> Tensor<Double> {
                if let common { return matrixProduct(x, common[split]) }
                let (rest, freedom) = NoiseCovariance.residuals(x, splits[split])
                return matrixProduct(x, try NoiseCovariance.whitening(NoiseCovariance(residuals: rest, freedom: freedom, shrinkage).matrix))
            }
            do {
                switch measure {
                case .cosine, .correlation, .euclidean, .sqeuclidean:
                    return try RDM(
                        Self.means(x, design.members()), labels: design.conditions,
                        metric: DistanceMetric(rawValue: measure.rawValue) ?? .cosine
                    ).values
                case .mahalanobis: return try Self.mahalanobis(whitened(0), design)
                case .crossnobis: return try Self.crossnobis(whitened(0), design)
                case .decoding: return try Self.decoding(design.folds.indices.map(whitened), design)
                }
            } catch let error as DataError {
                throw DataError(error.kind, count > 1 ? "time \(times[time]): \(error.message)" : error.message)
            }
        }
        return try RDMSeries(labels: design.conditions, times: times, values: values, metric: measure.rawValue)
    }

    /// Condition means (conditions, channels).
    static func means(_ x: Tensor<Double>, _ members: [[Int]]) -> Tensor<Double> {
        let d = x.columns
        var result = Tensor<Double>(repeating: 0, shape: [members.count, d])
        for (condition, trials) in members.enumerated() {
            for trial in trials { for k in 0..<d { result[condition, k] += x[trial, k] } }
            for k in 0..<d { result[condition, k] /= Double(trials.count) }
        }
        return result
    }

    private static func pairs(_ n: Int, _ body: (Int, Int) -> Double) -> [Double] {
        (0..<n).flatMap { i in (i + 1..<max(n, i + 1)).map { body(i, $0) } }
    }

    private static func mahalanobis(_ white: Tensor<Double>, _ design: TrialDesign) throws -> [Double] {
        let m = means(white, design.members()), d = m.columns
        return pairs(m.rows) { i, j in (0..<d).reduce(0.0) { $0 + (m[i, $1] - m[j, $1]) * (m[i, $1] - m[j, $1]) } / Double(d) }
    }

    private static func crossnobis(_ white: Tensor<Double>, _ design: TrialDesign) throws -> [Double] {
        let d = white.columns, n = design.conditions.count
        var sum = [Double](repeating: 0, count: n * (n - 1) / 2)
        for fold in design.folds.indices {
            let test = means(white, design.members { $0 == fold }), train = means(white, design.members { $0 != fold })
            for (pair, value) in pairs(
                n, { i, j in (0..<d).reduce(0.0) { $0 + (train[i, $1] - train[j, $1]) * (test[i, $1] - test[j, $1]) } / Double(d) }
            ).enumerated() {
                sum[pair] += value / Double(design.folds.count)
            }
        }
        return sum
    }

    /// Trials of the left-out fold go to the nearer mean of the other folds, in whitened channels: Fisher's discriminant. Ties count a
    /// half.
    private static func decoding(_ white: [Tensor<Double>], _ design: TrialDesign) throws -> [Double] {
        let n = design.conditions.count
        var right = [Double](repeating: 0, count: n * (n - 1) / 2), total = right
        for fold in design.folds.indices {
            let x = white[fold], centre = means(x, design.members { $0 != fold }), tests = design.members { $0 == fold }, d = x.columns
            // Distances of every left-out trial from every mean.
            func away(_ trial: Int, _ condition: Int) -> Double {
                (0..<d).reduce(0.0) { $0 + (x[trial, $1] - centre[condition, $1]) * (x[trial, $1] - centre[condition, $1]) }
            }
            let distances = tests.map { $0.map { trial in (0..<n).map { away(trial, $0) } } }
            var pair = 0
            for i in 0..<n {
                for j in i + 1..<max(n, i + 1) {
                    for (own, other) in [(i, j), (j, i)] {
                        for row in distances[own] {
                            right[pair] += row[own] < row[other] ? 1 : row[own] == row[other] ? 0.5 : 0
                            total[pair] += 1
                        }
                    }
                    pair += 1
                }
            }
        }
        return zip(right, total).map { $0 / $1 }
    }
}
