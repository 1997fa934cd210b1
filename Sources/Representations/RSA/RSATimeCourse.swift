import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

extension RSA {
    /// Agreement of models with data over time.
    package struct TimeCourse: Sendable {
        package struct Model: Sendable {
            package let name: String
            /// Mean agreement over subjects at each time; p by permuting conditions, one-sided; intervals by drawing subjects, from three
            /// on.
            package let estimates: [Estimate]
            /// p adjusted over times (Benjamini & Hochberg 1995).
            package let adjustedP: [Double]
        }

        package let times: [Double]
        package let models: [Model]
        /// First less second at each time, with p by drawing subjects (three or more), adjusted over times.
        package let differences: [(first: String, second: String, estimates: [Estimate], adjustedP: [Double])]
        /// Nil for a single subject.
        package let ceiling: [(lower: Double, upper: Double)]?
        package let conditions: Int
        package let subjects: Int
    }

    /// Compares models with each subject's matrices over time.
    ///
    /// - Throws: `DataError` for other conditions or times in one of them, fewer than three conditions, or a constant matrix.
    /// - Complexity: permutations · models · pairs · times.
    package func timeCourse(models: [(name: String, rdm: RDM)], subjects: [(name: String, series: RDMSeries)]) throws -> TimeCourse {
        guard let first = models.first?.rdm, let times = subjects.first?.series.times else {
            throw DataError(.usage, "RSA compares at least one model with at least one subject")
        }
        let n = first.count
        guard n >= 3 else { throw DataError(.badData, "RSA needs at least three conditions; there are \(n)") }
        for subject in subjects where subject.series.times != times {
            let other = subject.series.times
            throw DataError(
                .badData,
                "\(subject.name) has \(other.count) times from \(other[0]) to \(other[other.count - 1]), \(subjects[0].name) has \(times.count) from \(times[0]) to \(times[times.count - 1])"
            )
        }
        let x = try models.map { try $0.rdm.aligned(to: first.labels, "the model \($0.name)").values }
        // (times, subjects)
        let y = try times.indices.map { time in try subjects.map { try $0.series.rdm(time).aligned(to: first.labels, $0.name).values } }
        let names = subjects.map(\.name), modelNames = models.map(\.name)
        let values = try times.indices.map { time -> [[Double]] in
            do { return try agreements(x, modelNames, y[time], names, n, nil) } catch let error as DataError {
                throw DataError(error.kind, "time \(times[time]): \(error.message)")
            }
        }
        let observed = models.indices.map { m in times.indices.map { mean(values[$0][m]) } }
        let p = permutedP(x, y, n, observed, nil)
        let source = RandomSource(seed: seed ^ 0x5253_4121), count = subjects.count
        // A handful of subjects is what time courses have; fewer than three say nothing about their spread.
        let draws =
            count >= 3
            ? (0..<resamples).map { sample -> [Int] in
                var random = source.split(UInt64(sample))
                return (0..<count).map { _ in random.below(count) }
            } : []
        func drawn(_ perSubject: [Double]) -> [Double] { draws.map { draw in draw.reduce(0.0) { $0 + perSubject[$1] } / Double(count) } }
        let interval = draws.isEmpty ? nil : IntervalMethod.bootstrap(.percentile, resamples: resamples)
        let results = models.indices.map { m in
            TimeCourse.Model(
                name: modelNames[m],
                estimates: times.indices.map { time in
                    Estimate(
                        observed[m][time], interval: draws.isEmpty ? nil : self.interval(drawn(values[time][m])), level: level,
                        p: p[m][time], n: n,
                        method: .init(interval: interval, test: .permutation(count: permutations, isExact: false)))
                }, adjustedP: MultipleComparisons.benjaminiHochberg.adjusted(p[m]))
        }
        var differences: [(String, String, [Estimate], [Double])] = []
        for i in models.indices {
            for j in models.indices where j > i {
                let estimates = times.indices.map { time -> Estimate in
                    let perSubject = zip(values[time][i], values[time][j]).map { $0 - $1 }, resampled = drawn(perSubject)
                    return Estimate(
                        mean(perSubject), interval: draws.isEmpty ? nil : self.interval(resampled), level: level,
                        p: draws.isEmpty ? nil : Bootstrap.pValue(resampled), n: count,
                        method: draws.isEmpty ? .init() : .init(interval: interval, test: .bootstrap(resamples: resamples)))
                }
                differences.append(
                    (
                        modelNames[i], modelNames[j], estimates,
                        MultipleComparisons.benjaminiHochberg.adjusted(estimates.map { $0.p ?? .nan })
                    ))
            }
        }
        let ceiling =
            count > 1
            ? try Parallel.map(times.count, threads: threads) { time, _ in try comparison.noiseCeiling(y[time], conditions: n, threads: 1) }
            : nil
        return TimeCourse(times: times, models: results, differences: differences, ceiling: ceiling, conditions: n, subjects: count)
    }
}
