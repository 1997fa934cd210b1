import FileFormats
import Foundation

/// Wilcoxon's signed-rank test of paired differences (1945). Zero differences are left out.
public struct Wilcoxon: Sendable, Equatable {
    /// Sums of the ranks of positive and of negative differences; R prints the first as V, SciPy the smaller of the two.
    package let positive: Double, negative: Double
    /// The p-value, in [0, 1].
    public let p: Double
    /// Differences that are not zero.
    package let n: Int
    /// Whether p comes from the exact distribution rather than the normal approximation.
    package let isExact: Bool
    /// Matched-pairs rank-biserial correlation: (W⁺ − W⁻)/(W⁺ + W⁻) (Kerby 2014).
    public let rankBiserial: Double
    /// How tables name the test.
    package var method: TestMethod { isExact ? .exact(.wilcoxon) : .asymptotic(.wilcoxon) }

    /// The exact distribution, ties included, up to `exactLimit` nonzero differences; beyond, the normal approximation with correction for
    /// ties and, if wanted, for continuity (R's default).
    public init(_ differences: [Double], _ alternative: Alternative = .twoSided, exactLimit: Int = 50, continuity: Bool = true) throws {
        try requireFinite(differences, "differences")
        let kept = differences.filter { $0 != 0 }
        guard !kept.isEmpty else {
            throw DataError(
                .badData,
                differences.isEmpty
                    ? "Wilcoxon's test needs differences; there are none"
                    : "all \(differences.count) differences are zero, so Wilcoxon's test is undefined")
        }
        let sizes = kept.map(abs), ranks = averageRanks(sizes)
        n = kept.count
        positive = kept.indices.reduce(0) { $0 + (kept[$1] > 0 ? ranks[$1] : 0) }
        negative = kept.indices.reduce(0) { $0 + (kept[$1] < 0 ? ranks[$1] : 0) }
        rankBiserial = (positive - negative) / (positive + negative)
        isExact = n <= exactLimit
        if isExact {
            let tails = SubsetSums.tails(ranks, at: positive)
            p =
                switch alternative {
                case .less: tails.lower
                case .greater: tails.upper
                case .twoSided: min(1, 2 * min(tails.lower, tails.upper))
                }
        } else {
            let count = Double(n), ties = tieSizes(sizes).reduce(0.0) { $0 + Double($1 * $1 * $1 - $1) }
            let spread = ((count * (count + 1) * (2 * count + 1) - ties / 2) / 24).squareRoot()
            p = normalTail(positive - count * (count + 1) / 4, spread, alternative, continuity: continuity)
        }
    }
}

/// The U test of Mann & Whitney (1947): is a value of the first sample larger than one of the second, or smaller?
public struct MannWhitney: Sendable, Equatable {
    /// Pairs in which the first sample's value is larger, ties counting a half: R's W, SciPy's U₁.
    public let u: Double
    /// The p-value, in [0, 1].
    public let p: Double
    /// Whether p comes from the exact distribution rather than the normal approximation.
    package let isExact: Bool
    /// How tables name the test.
    package var method: TestMethod { isExact ? .exact(.mannWhitney) : .asymptotic(.mannWhitney) }

    /// The exact distribution without ties where the samples have at most `exactLimit` values each (R's rule), else the normal
    /// approximation with correction for ties and, if wanted, for continuity (both R's and SciPy's default).
    public init(_ a: [Double], _ b: [Double], _ alternative: Alternative = .twoSided, exactLimit: Int = 49, continuity: Bool = true) throws
    {
        guard !a.isEmpty, !b.isEmpty else {
            throw DataError(.badData, "the Mann–Whitney test needs values in both samples; there are \(a.count) and \(b.count)")
        }
        try requireFinite(a, "first sample")
        try requireFinite(b, "second sample")
        let pooled = a + b, ranks = averageRanks(pooled), m = Double(a.count), n = Double(b.count)
        u = ranks[..<a.count].reduce(0, +) - m * (m + 1) / 2
        let ties = tieSizes(pooled)
        isExact = max(a.count, b.count) <= exactLimit && !ties.contains { $0 > 1 }
        if isExact {
            let tails = Self.exactTails(u, a.count, b.count)
            p =
                switch alternative {
                case .less: tails.lower
                case .greater: tails.upper
                case .twoSided: min(1, 2 * min(tails.lower, tails.upper))
                }
        } else {
            let all = m + n, tied = ties.reduce(0.0) { $0 + Double($1) * (Double($1) * Double($1) - 1) }
            p = normalTail(
                u - m * n / 2, (m * n / 12 * (all + 1 - tied / (all * (all - 1)))).squareRoot(), alternative, continuity: continuity)
        }
    }

    /// P(U ≤ u) and P(U ≥ u) under the null hypothesis, by the recursion over the largest value, in shares.
    private static func exactTails(_ u: Double, _ m: Int, _ n: Int) -> (lower: Double, upper: Double) {
        // shares[j][k]: distribution of U for i values of a and j of b, U = k; built up over i.
        var previous = (0...n).map { _ in [1.0] }
        for i in stride(from: 1, through: m, by: 1) {
            var current: [[Double]] = [[1]]
            for j in stride(from: 1, through: n, by: 1) {
                var row = [Double](repeating: 0, count: i * j + 1)
                let withA = Double(i) / Double(i + j), withB = Double(j) / Double(i + j)
                // The largest is of a: it exceeds all j values of b.
                for (k, share) in previous[j].enumerated() { row[k + j] += withA * share }
                for (k, share) in current[j - 1].enumerated() { row[k] += withB * share }
                current.append(row)
            }
            previous = current
        }
        let shares = previous[n], place = Int(u.rounded())
        return (min(1, shares[...place].reduce(0, +)), min(1, shares[place...].reversed().reduce(0, +)))
    }
}

/// Tail of a normal statistic, moved half a step towards its mean if wanted.
private func normalTail(_ difference: Double, _ spread: Double, _ alternative: Alternative, continuity: Bool) -> Double {
    guard spread > 0 else { return 1 }
    let step = continuity ? 0.5 : 0
    switch alternative {
    case .less: return Normal.cumulative((difference + step) / spread)
    case .greater: return Normal.upper((difference - step) / spread)
    case .twoSided: return difference == 0 ? 1 : min(1, 2 * Normal.upper((abs(difference) - step) / spread))
    }
}

/// The distribution of the sum of a random subset of ranks, each in with probability ½.
enum SubsetSums {
    /// - Complexity: O(n · Σ ranks).
    static func tails(_ ranks: [Double], at value: Double) -> (lower: Double, upper: Double) {
        // Average ranks are halves, so doubled they are whole.
        let doubled = ranks.map { Int((2 * $0).rounded()) }, total = doubled.reduce(0, +)
        var shares = [Double](repeating: 0, count: total + 1), reached = 0
        shares[0] = 1
        for rank in doubled {
            reached += rank
            for sum in stride(from: reached, through: 0, by: -1) {
                shares[sum] = shares[sum] / 2 + (sum >= rank ? shares[sum - rank] / 2 : 0)
            }
        }
        let place = Int((2 * value).rounded())
        return (min(1, shares[...place].reduce(0, +)), min(1, shares[place...].reversed().reduce(0, +)))
    }
}
