import FileFormats
import Foundation
import Tensors

/// Permutation tests: how often a rearrangement that the null hypothesis allows gives a statistic as extreme as the one observed.
///
/// Every rearrangement is visited if there are no more than `exactLimit`; else `permutations` are drawn and the observed one is counted
/// among them, p = (b + 1)/(m + 1) (Phipson & Smyth 2010). A two-sided p is twice the smaller of the one-sided ones, at most 1, as
/// `scipy.stats.permutation_test`. Each draw has its own random stream: threads change nothing.
public struct PermutationTest: Sendable, Equatable {
    /// Rearrangements drawn if there are more than `exactLimit`.
    package var permutations: Int
    /// Rearrangements up to which all are visited.
    package var exactLimit: Int
    /// The alternative hypothesis.
    package var alternative: Alternative
    /// Seed of the random numbers; it fixes the result.
    package var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// A two-sided test with up to 100,000 rearrangements visited or 10,000 drawn, unless stated otherwise.
    public init(
        permutations: Int = 10_000, exactLimit: Int = 100_000, alternative: Alternative = .twoSided, seed: UInt64 = 0,
        threads: Int = Parallel.availableThreads
    ) {
        self.permutations = permutations
        self.exactLimit = exactLimit
        self.alternative = alternative
        self.seed = seed
        self.threads = threads
    }

    /// The result of one test.
    public struct Result: Sendable, Equatable {
        /// The observed statistic.
        public let statistic: Double
        /// The p-value, in (0, 1].
        public let p: Double
        /// Rearrangements compared with the observed one.
        public let count: Int
        /// Whether every rearrangement was visited.
        public let isExact: Bool
        /// How tables name the test.
        package var method: TestMethod { .permutation(count: count, isExact: isExact) }
    }

    /// Under the null hypothesis each of `count` differences is as likely to have the opposite sign: paired conditions, by item.
    ///
    /// - Parameter statistic: from one sign (1 or −1) per unit.
    package func signs(_ count: Int, _ statistic: @Sendable (_ signs: [Double]) -> Double) throws -> Result {
        try require(count, 1, "paired differences")
        return try run(
            exactly: count < 62 ? 1 << count : nil, of: count,
            arrangement: { number in (0..<count).map { number >> $0 & 1 == 1 ? -1 : 1 } },
            drawn: { random in (0..<count).map { _ in random.next() >> 63 == 1 ? -1 : 1 } }, observed: [Double](repeating: 1, count: count),
            statistic)
    }

    /// The mean of paired differences against zero.
    public func mean(ofDifferences differences: [Double]) throws -> Result {
        try requireFinite(differences, "differences")
        let n = Double(differences.count)
        return try signs(differences.count) { signs in
            var sum = 0.0
            for i in 0..<signs.count { sum += signs[i] * differences[i] }
            return sum / n
        }
    }

    /// Under the null hypothesis any `first` of `first + second` units could have been the first sample: independent groups.
    ///
    /// - Parameter statistic: from unit numbers, of which the leading `first` are the first sample.
    package func groups(_ first: Int, _ second: Int, _ statistic: @Sendable (_ units: [Int]) -> Double) throws -> Result {
        try require(min(first, second), 1, "values in each sample")
        let n = first + second
        return try run(
            exactly: Self.binomial(n, first), of: n, arrangement: { Self.combination(Int($0), of: n, choosing: first) },
            drawn: { $0.permutation(n) }, observed: Array(0..<n), statistic)
    }

    /// The difference of the means of two independent samples.
    public func differenceOfMeans(_ a: [Double], _ b: [Double]) throws -> Result {
        try requireFinite(a, "first sample")
        try requireFinite(b, "second sample")
        let pooled = a + b, first = a.count, n = pooled.count
        return try groups(first, b.count) { units in
            var sums = (0.0, 0.0)
            for i in 0..<first { sums.0 += pooled[units[i]] }
            for i in first..<n { sums.1 += pooled[units[i]] }
            return sums.0 / Double(first) - sums.1 / Double(n - first)
        }
    }

    /// Under the null hypothesis any unit of one series could stand beside any of the other: correlations, labels of conditions.
    ///
    /// - Parameter statistic: from an order of 0 ..< count.
    package func orders(_ count: Int, _ statistic: @Sendable (_ order: [Int]) -> Double) throws -> Result {
        try require(count, 2, "units")
        return try run(
            exactly: Self.factorial(count), of: count, arrangement: { Self.order(Int($0), of: count) },
            drawn: { $0.permutation(count) }, observed: Array(0..<count), statistic)
    }

    // MARK: One road for all three

    private func run<Arrangement: Sendable>(
        exactly all: Int?, of units: Int, arrangement: @Sendable (UInt64) -> [Arrangement],
        drawn: @Sendable (inout RandomSource) -> [Arrangement],
        observed: [Arrangement], _ statistic: @Sendable ([Arrangement]) -> Double
    ) throws -> Result {
        guard permutations > 0 else { throw DataError(.usage, "a permutation test needs at least one permutation, not \(permutations)") }
        let value = statistic(observed)
        guard !value.isNaN else { throw DataError(.badData, "the statistic of the whole sample is undefined, so it cannot be tested") }
        if let all, all <= exactLimit {
            let null = parallelValues(all, threads: threads) { statistic(arrangement(UInt64($0))) }
            return Result(statistic: value, p: Self.pValue(value, null: null, counting: 0, alternative), count: all, isExact: true)
        }
        let source = RandomSource(seed: seed)
        let null = parallelValues(permutations, threads: threads) { number in
            var random = source.split(UInt64(number))
            return statistic(drawn(&random))
        }
        return Result(statistic: value, p: Self.pValue(value, null: null, counting: 1, alternative), count: permutations, isExact: false)
    }

    /// The share of a null distribution at least as extreme as `value`; rounding errors of 10⁻¹⁴ count as equal. NaN counts as extreme.
    ///
    /// - Parameter counting: 1 where the observed arrangement is not among `null` and is added to both counts.
    package static func pValue(_ value: Double, null: [Double], counting: Int = 1, _ alternative: Alternative = .twoSided) -> Double {
        let slack = 1e-14 * max(abs(value), null.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 })
        func share(_ count: Int) -> Double { Double(count + counting) / Double(null.count + counting) }
        let greater = share(null.count { !($0 < value - slack) }), less = share(null.count { !($0 > value + slack) })
        switch alternative {
        case .greater: return greater
        case .less: return less
        case .twoSided: return min(1, 2 * min(greater, less))
        }
    }

    private func require(_ count: Int, _ least: Int, _ what: String) throws {
        guard count >= least else {
            throw DataError(.badData, "a permutation test needs at least \(least) \(what); there \(count == 1 ? "is 1" : "are \(count)")")
        }
    }

    // MARK: Numbered arrangements

    /// n over k, or nil if it exceeds an Int.
    static func binomial(_ n: Int, _ k: Int) -> Int? {
        var result = 1
        for i in 0..<min(k, n - k) {
            let (product, overflow) = result.multipliedReportingOverflow(by: n - i)
            guard !overflow else { return nil }
            result = product / (i + 1)
        }
        return result
    }

    static func factorial(_ n: Int) -> Int? { n <= 20 ? (1...max(1, n)).reduce(1, *) : nil }

    /// Combination `number` in lexicographic order, the chosen first, then the rest.
    private static func combination(_ number: Int, of n: Int, choosing k: Int) -> [Int] {
        var left = number, chosen: [Int] = [], rest: [Int] = []
        for unit in 0..<n {
            let open = k - chosen.count
            let with = open > 0 ? binomial(n - unit - 1, open - 1) ?? 0 : 0
            if open > 0, left < with {
                chosen.append(unit)
            } else {
                rest.append(unit)
                left -= with
            }
        }
        return chosen + rest
    }

    /// Permutation `number` by its factorial digits.
    private static func order(_ number: Int, of n: Int) -> [Int] {
        var left = number, open = Array(0..<n), result: [Int] = []
        for size in stride(from: n, to: 0, by: -1) {
            result.append(open.remove(at: left % size))
            left /= size
        }
        return result
    }
}
