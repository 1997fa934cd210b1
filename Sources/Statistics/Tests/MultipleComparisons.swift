import FileFormats

/// Adjustment of p-values of several tests. Adjusted values are compared with the level itself; NaN stays NaN and counts as no test.
public enum MultipleComparisons: String, Sendable, CaseIterable {
    /// Holm's step-down method (1979): controls the probability of any false rejection.
    case holm
    /// Benjamini & Hochberg (1995): controls the false discovery rate for independent or positively dependent tests.
    case benjaminiHochberg = "fdr"
    /// Benjamini & Yekutieli (2001): the false discovery rate under any dependence.
    case benjaminiYekutieli = "fdr-by"
    case bonferroni

    /// Adjusted p-values in the order given, as statsmodels' `multipletests` and R's `p.adjust`.
    public func adjusted(_ p: [Double]) -> [Double] {
        let order = p.indices.filter { !p[$0].isNaN }.sorted { (p[$0], $0) < (p[$1], $1) }, m = Double(order.count)
        var result = p
        switch self {
        case .bonferroni:
            for i in order { result[i] = min(1, m * p[i]) }
        case .holm:
            var largest = 0.0
            for (place, i) in order.enumerated() {
                largest = max(largest, (m - Double(place)) * p[i])
                result[i] = min(1, largest)
            }
        case .benjaminiHochberg, .benjaminiYekutieli:
            let factor = self == .benjaminiHochberg ? 1 : stride(from: 1, through: order.count, by: 1).reduce(0) { $0 + 1 / Double($1) }
            var smallest = 1.0
            for (place, i) in order.enumerated().reversed() {
                smallest = min(smallest, factor * m / Double(place + 1) * p[i])
                result[i] = smallest
            }
        }
        return result
    }
}
