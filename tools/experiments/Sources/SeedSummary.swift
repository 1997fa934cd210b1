import Foundation

/// Figures of runs that differ in their seed alone: means with intervals over the seeds.
///
/// A seed decides the initial weights, the order of the examples and, where a task draws data, the data; the interval says how a result
/// varies with all of these, not how it would with other items (for that, see the item tables).
struct SeedSummary {
    private var order: [String] = []
    private var values: [String: [(seed: UInt64, value: Double)]] = [:]
    private var names: [String: (condition: String, measure: String)] = [:]

    mutating func add(_ condition: String, _ measure: String, seed: UInt64, _ value: Double) {
        let key = condition + "\u{0}" + measure
        if values[key] == nil { order.append(key) }
        names[key] = (condition, measure)
        values[key, default: []].append((seed, value))
    }

    /// Mean and 95 % interval by Student's t; nil with fewer than two values.
    static func interval(_ values: [Double]) -> (mean: Double, halfWidth: Double)? {
        guard values.count > 1 else { return nil }
        let n = Double(values.count), mean = values.reduce(0, +) / n
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
        return (mean, studentQuantile(degrees: values.count - 1) * (variance / n).squareRoot())
    }

    /// The 0.975 quantile of Student's t, by the expansion of Cornish and Fisher about the normal's from three degrees on (Hill 1970), exact
    /// below.
    static func studentQuantile(degrees: Int) -> Double {
        let z = 1.959963984540054, v = Double(degrees)
        switch degrees {
        case ...1: return 12.706204736174698
        case 2: return 4.302652729749464
        default:
            let z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z
            return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z)
                / (384 * v * v * v)
                + (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v)
        }
    }

    /// The table over seeds on standard output, where there are several, and every run's figures as NAME.csv and NAME.xlsx.
    func finish(in folder: String, name: String) throws {
        var table = ItemTable(columns: ["condition", "measure", "seed", "value"])
        var isFirst = true
        for key in order {
            guard let (condition, measure) = names[key], let runs = values[key] else { continue }
            for run in runs { table.add(condition, measure, run.seed, run.value) }
            let all = runs.map(\.value)
            guard let (mean, half) = Self.interval(all) else { continue }
            if isFirst { report("\nOver seeds: condition, measure: mean (95 % interval of the mean), lowest–highest, seeds") }
            isFirst = false
            report(
                String(
                    format: "\(condition), \(measure): %.4g (%.4g–%.4g), %.4g–%.4g, %d", mean, mean - half, mean + half, all.min() ?? mean,
                    all.max() ?? mean, all.count))
        }
        if !table.rows.isEmpty { try table.write(to: folder, name: name) }
    }
}
