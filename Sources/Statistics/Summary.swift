import FileFormats

// Sums over deviations from the mean (two passes), all in Double.

/// Arithmetic mean; NaN for no values.
package func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// Sample variance, divided by n − 1; NaN for fewer than two values.
package func variance(_ values: [Double]) -> Double {
    guard values.count > 1 else { return .nan }
    let middle = mean(values)
    return values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(values.count - 1)
}

/// Sample standard deviation, divided by n − 1; NaN for fewer than two values.
package func standardDeviation(_ values: [Double]) -> Double { variance(values).squareRoot() }

/// The quantile at share `q` in [0, 1] of values in ascending order, linear between neighbours (numpy's default, R's type 7).
///
/// - Precondition: `sorted` is not empty.
package func quantile(_ q: Double, ofSorted sorted: [Double]) -> Double {
    let place = max(0, min(1, q)) * Double(sorted.count - 1), below = Int(place)
    let above = min(sorted.count - 1, below + 1)
    // Equal neighbours may be infinite, whose difference is not a number.
    return sorted[below] == sorted[above] ? sorted[below] : sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
}

/// Ranks from 1; equal values share the average of theirs.
///
/// - Complexity: O(n log n).
@inlinable package func averageRanks<Value: Comparable>(_ x: [Value]) -> [Double] {
    let order = x.indices.sorted { x[$0] < x[$1] }
    var ranks = [Double](repeating: 0, count: x.count), start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count && x[order[end]] == x[order[start]] { end += 1 }
        for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
        start = end
    }
    return ranks
}

/// Sizes of the groups of equal values, groups of one included.
func tieSizes(_ values: [Double]) -> [Int] {
    let sorted = values.sorted()
    var sizes: [Int] = []
    for (i, value) in sorted.enumerated() {
        if i > 0, value == sorted[i - 1] { sizes[sizes.count - 1] += 1 } else { sizes.append(1) }
    }
    return sizes
}

/// - Throws: `DataError` naming the first value that is NaN or infinite.
func requireFinite(_ values: [Double], _ name: String) throws {
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
        throw DataError(.badData, "value \(bad + 1) of the \(name) is \(values[bad]); leave it out")
    }
}

/// - Throws: `DataError` unless the level lies between 0 and 1.
func requireLevel(_ level: Double) throws {
    guard level > 0, level < 1 else { throw DataError(.usage, "expected a confidence level between 0 and 1, not \(level)") }
}
