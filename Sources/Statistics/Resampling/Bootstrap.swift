import FileFormats
import Foundation
import Tensors

/// The bootstrap (Efron 1979): the sample is drawn again with replacement, and the statistic's spread over the draws gives an interval.
///
/// Each resample has its own random stream, so results do not depend on the number of threads.
public struct Bootstrap: Sendable, Equatable {
    /// How the resampled statistics become an interval.
    public enum Kind: String, Sendable, CaseIterable {
        /// Quantiles of the resampled statistic.
        case percentile
        /// Bias-corrected and accelerated (Efron 1987), as `scipy.stats.bootstrap`.
        case bca
    }

    /// The kind of interval.
    package var kind: Kind
    /// Confidence level in (0, 1).
    package var level: Double
    /// Number of resamples.
    package var resamples: Int
    /// Seed of the random numbers; it fixes the result.
    package var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// A bootstrap; `level` is the confidence level, in (0, 1).
    public init(
        _ kind: Kind = .percentile, level: Double = 0.95, resamples: Int = 10_000, seed: UInt64 = 0,
        threads: Int = Parallel.availableThreads
    ) {
        self.kind = kind
        self.level = level
        self.resamples = resamples
        self.seed = seed
        self.threads = threads
    }

    /// What is drawn: single rows, or whole groups of rows, within strata.
    public struct Units: Sendable, Equatable {
        /// Rows of each unit.
        package let rows: [[Int]]
        /// Units of each stratum; each stratum is drawn to its own size.
        package let strata: [[Int]]

        /// Each of `count` rows by itself.
        public static func items(_ count: Int) -> Units { Units(rows: (0..<count).map { [$0] }, strata: [Array(0..<count)]) }

        /// Rows of one group are drawn together, for example all sentences of one item.
        ///
        /// - Parameter groups: the group of each row; any values, equal where rows belong together.
        public static func groups<Group: Hashable>(_ groups: [Group]) -> Units {
            let rows = membersByFirstAppearance(groups)
            return Units(rows: rows, strata: [Array(0..<rows.count)])
        }

        /// Rows are drawn within their stratum, as two independent samples are.
        ///
        /// - Parameter strata: the stratum of each row.
        package static func strata<Stratum: Hashable>(_ strata: [Stratum]) -> Units {
            Units(rows: strata.indices.map { [$0] }, strata: membersByFirstAppearance(strata))
        }

        private static func membersByFirstAppearance<Key: Hashable>(_ keys: [Key]) -> [[Int]] {
            var places: [Key: Int] = [:], members: [[Int]] = []
            for (row, key) in keys.enumerated() {
                if let place = places[key] {
                    members[place].append(row)
                } else {
                    places[key] = members.count
                    members.append([row])
                }
            }
            return members
        }

        func draw(_ random: inout RandomSource) -> [Int] {
            var drawn: [Int] = []
            for stratum in strata {
                for _ in stratum { drawn += rows[stratum[random.below(stratum.count)]] }
            }
            return drawn
        }

        /// All rows but those of one unit.
        func leaving(_ unit: Int) -> [Int] { strata.joined().filter { $0 != unit }.flatMap { rows[$0] } }
    }

    /// The statistic of every resample, in order; NaN if it was undefined.
    ///
    /// - Parameter statistic: from the chosen rows, of which one may be there several times.
    /// - Complexity: `resamples` evaluations, on `threads` cores.
    package func distribution(_ units: Units, _ statistic: @Sendable (_ rows: [Int]) -> Double) -> [Double] {
        let source = RandomSource(seed: seed)
        return parallelValues(resamples, threads: threads) { sample in
            var random = source.split(UInt64(sample))
            return statistic(units.draw(&random))
        }
    }

    /// The statistic of the whole sample with its interval.
    ///
    /// Resamples in which the statistic is NaN are left out; `DataError` if fewer than half are left, or the sample has no value.
    public func estimate(_ units: Units, _ statistic: @Sendable (_ rows: [Int]) -> Double) throws -> Estimate {
        let value = statistic(units.strata.joined().flatMap { units.rows[$0] })
        let interval = try interval(units, value: value, statistic)
        return Estimate(
            value, interval: interval, level: level, n: units.rows.count, method: .init(interval: .bootstrap(kind, resamples: resamples)))
    }

    /// Mean of the values, each drawn by itself or with its group.
    public func meanEstimate(_ values: [Double], units: Units? = nil) throws -> Estimate {
        try estimate(units ?? .items(values.count)) { rows in rows.reduce(0) { $0 + values[$1] } / Double(rows.count) }
    }

    private func interval(_ units: Units, value: Double, _ statistic: @Sendable (_ rows: [Int]) -> Double) throws -> ClosedRange<Double> {
        try check()
        guard !value.isNaN else { throw DataError(.badData, "the statistic of the whole sample is undefined, so it has no interval") }
        let usable = distribution(units, statistic).filter { !$0.isNaN }.sorted()
        guard usable.count * 2 >= resamples else {
            throw DataError(
                .badData,
                "the statistic is undefined in \(resamples - usable.count) of \(resamples) bootstrap resamples; the sample (\(units.rows.count)) is too small for an interval"
            )
        }
        switch kind {
        case .percentile: return Self.percentileInterval(ofSorted: usable, level: level)
        case .bca:
            let left = parallelValues(units.rows.count, threads: threads) { statistic(units.leaving($0)) }
            return Self.acceleratedInterval(
                ofSorted: usable, value: value, jackknife: units.strata.map { $0.map { left[$0] } }, level: level)
        }
    }

    func check() throws {
        guard level > 0, level < 1, resamples > 0 else {
            throw DataError(.usage, "a bootstrap needs a level between 0 and 1 and at least one resample, not \(level) and \(resamples)")
        }
    }

    /// The quantiles at (1 ± level)/2 of resampled values in ascending order.
    package static func percentileInterval(ofSorted sorted: [Double], level: Double = 0.95) -> ClosedRange<Double> {
        ordered(quantile((1 - level) / 2, ofSorted: sorted), quantile((1 + level) / 2, ofSorted: sorted))
    }

    /// The BCa interval: quantiles moved by the bias z₀ and the acceleration, which the jackknife (one list per stratum) estimates.
    static func acceleratedInterval(ofSorted sorted: [Double], value: Double, jackknife: [[Double]], level: Double) -> ClosedRange<Double> {
        let below = sorted.count { $0 < value }, upTo = sorted.count { $0 <= value }
        let bias = Normal.quantile(Double(below + upTo) / Double(2 * sorted.count))
        // All resamples on one side of the value: the sample says nothing about the spread on the other.
        guard bias.isFinite else { return percentileInterval(ofSorted: sorted, level: level) }
        var cubes = 0.0, squares = 0.0
        for stratum in jackknife {
            let defined = stratum.filter { !$0.isNaN }, middle = mean(defined), n = Double(defined.count)
            for value in defined {
                let influence = (n - 1) * (middle - value) / n
                cubes += influence * influence * influence
                squares += influence * influence
            }
        }
        let acceleration = squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
        func share(_ q: Double) -> Double {
            let z = bias + Normal.quantile(q)
            return Normal.cumulative(bias + z / (1 - acceleration * z))
        }
        return ordered(quantile(share((1 - level) / 2), ofSorted: sorted), quantile(share((1 + level) / 2), ofSorted: sorted))
    }

    private static func ordered(_ a: Double, _ b: Double) -> ClosedRange<Double> { min(a, b)...max(a, b) }
}

extension Bootstrap {
    /// Two-sided p-value by inversion of the percentile interval: the share of resamples on the other side of `null`, doubled.
    package static func pValue(_ distribution: [Double], null: Double = 0) -> Double {
        let below = distribution.count { $0 <= null }, above = distribution.count { $0 >= null }
        return min(1, 2 * Double(min(below, above) + 1) / Double(distribution.count + 1))
    }
}

/// `body(0)`, `body(1)`, …, on several cores, in order.
func parallelValues(_ count: Int, threads: Int, _ body: @Sendable (_ index: Int) -> Double) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
        if let base = buffer.baseAddress {
            let out = Shared(base)
            Parallel.forEach(count, threads: threads) { index, _ in (out.pointer + index).initialize(to: body(index)) }
        }
        initialized = count
    }
}
