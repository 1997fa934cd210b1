import Foundation

/// What Kendall's τ counts in two series: pairs in the same and in opposite order, and ties (Knight 1966).
///
/// - Complexity: O(n log n).
struct PairCounts {
    let count: Int
    /// Pairs, n(n − 1)/2.
    let total: Int
    /// Pairs tied in the first series, in the second, in both.
    let xTied: Int, yTied: Int, bothTied: Int
    /// Pairs in opposite order.
    let discordant: Int
    private let xSizes: [Int], ySizes: [Int]

    /// Concordant less discordant pairs.
    var difference: Double { Double(total - xTied - yTied + bothTied - 2 * discordant) }

    init(_ x: [Double], _ y: [Double]) {
        let n = x.count
        let order = (0..<n).sorted { (x[$0], y[$0]) < (x[$1], y[$1]) }
        var both = 0, run = 1
        for i in stride(from: 1, to: n, by: 1) {
            if x[order[i]] == x[order[i - 1]] && y[order[i]] == y[order[i - 1]] {
                run += 1
            } else {
                both += run * (run - 1) / 2
                run = 1
            }
        }
        bothTied = both + run * (run - 1) / 2
        var values = order.map { y[$0] }
        discordant = Self.sortCountingSwaps(&values)
        xSizes = tieSizes(x)
        ySizes = tieSizes(y)
        xTied = xSizes.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
        yTied = ySizes.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
        count = n
        total = n * (n - 1) / 2
    }

    /// Two-sided p-value of independence.
    func pValue() -> (p: Double, isExact: Bool) {
        let n = Double(count)
        let fewer = min(discordant, total - discordant)
        if xTied == 0, yTied == 0, count <= 33 || fewer <= 1 && count <= 170 { return (Self.exact(count, fewer), true) }
        func sum(_ sizes: [Int], _ term: (Double) -> Double) -> Double { sizes.reduce(0) { $0 + term(Double($1)) } }
        let triples = (sum(xSizes) { $0 * ($0 - 1) * ($0 - 2) }, sum(ySizes) { $0 * ($0 - 1) * ($0 - 2) })
        let weighted = (sum(xSizes) { $0 * ($0 - 1) * (2 * $0 + 5) }, sum(ySizes) { $0 * ($0 - 1) * (2 * $0 + 5) })
        let m = n * (n - 1)
        let variance =
            (m * (2 * n + 5) - weighted.0 - weighted.1) / 18 + 2 * Double(xTied) * Double(yTied) / m
            + (count > 2 ? triples.0 * triples.1 / (9 * m * (n - 2)) : 0)
        return (variance > 0 ? Normal.twoSided(difference / variance.squareRoot()) : 1, false)
    }

    /// Permutations of n with at most `fewer` inversions, over all, doubled (Kendall 1970).
    private static func exact(_ n: Int, _ fewer: Int) -> Double {
        if n == 2 || 4 * fewer == n * (n - 1) { return 1 }
        // Shares instead of counts: share of permutations of size k with j inversions.
        var shares = [Double](repeating: 0, count: fewer + 1)
        shares[0] = 1
        for size in stride(from: 2, through: n, by: 1) {
            var sums = shares
            for j in stride(from: 1, through: fewer, by: 1) { sums[j] += sums[j - 1] }
            for j in 0...fewer { shares[j] = (sums[j] - (j >= size ? sums[j - size] : 0)) / Double(size) }
        }
        return min(1, 2 * shares.reduce(0, +))
    }

    /// Merge sort; returns the number of pairs that were out of order.
    private static func sortCountingSwaps(_ values: inout [Double]) -> Int {
        let n = values.count
        var buffer = values, swaps = 0, width = 1
        while width < n {
            for start in stride(from: 0, to: n, by: 2 * width) {
                let middle = min(start + width, n), end = min(start + 2 * width, n)
                var left = start, right = middle
                for to in start..<end {
                    if left < middle && (right >= end || values[left] <= values[right]) {
                        buffer[to] = values[left]
                        left += 1
                    } else {
                        buffer[to] = values[right]
                        right += 1
                        swaps += middle - left
                    }
                }
            }
            swap(&values, &buffer)
            width *= 2
        }
        return swaps
    }
}
