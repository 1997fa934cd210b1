import FileFormats
import Foundation
import Statistics
import Tensors

/// How well predictions meet the labels of rows that were not learned from, with intervals.
package struct ClassifierScores: Sendable {
    package let name: String
    package let measures: [Measure]
    /// Of the first run.
    package let confusion: ConfusionMatrix?
    package let calibration: Calibration?

    /// A measure, its mean over seeds, and its value with each of them where there were several.
    package struct Measure: Sendable {
        package let name: String
        package let estimate: Estimate
        package let seedValues: [Double]
        package var seedDeviation: Double? { seedValues.count > 1 ? standardDeviation(seedValues) : nil }
    }

    /// The measure by which classifiers are compared.
    package static func main(_ task: ClassificationTask) -> String {
        switch task {
        case .classification: "matthews"
        case .regression: "spearman"
        case .multilabel: "micro_f1"
        }
    }

    /// - Parameters:
    ///   - runs: scores (rows, labels) of each seed, rows as `rows` lists them.
    ///   - rows: rows of the table that were predicted.
    ///   - bootstrap: intervals over rows, or over groups where the table has them.
    package init(name: String, runs: [Tensor<Double>], data: LabelledTexts, rows: [Int], bootstrap: Bootstrap) throws {
        self.name = name
        let units = Self.units(data, rows)
        measures = try Self.names(data).map { measure in
            let outcomes = runs.map { Outcome(data, rows, $0) }
            let values = outcomes.map { $0.value(measure, Array(rows.indices)) }
            @Sendable func joint(_ chosen: [Int]) -> Double {
                outcomes.reduce(0) { $0 + $1.value(measure, chosen) } / Double(outcomes.count)
            }
            let value = mean(values)
            let estimate = try value.isFinite ? Self.estimate(value, units, bootstrap, joint) : Estimate(value, n: units.rows.count)
            return Measure(name: measure, estimate: estimate, seedValues: runs.count > 1 ? values : [])
        }
        guard data.task == .classification, let first = runs.first else {
            (confusion, calibration) = (nil, nil)
            return
        }
        let outcome = Outcome(data, rows, first)
        confusion = ConfusionMatrix(truth: rows.map { data.codes[$0] }, predicted: outcome.predicted, classes: data.labels.count)
        calibration = Calibration(confidences: outcome.confidences, isRight: zip(rows, outcome.predicted).map { data.codes[$0] == $1 })
    }

    /// Without an interval where the measure is undefined in most resamples, as that of few rows may be.
    private static func estimate(
        _ value: Double, _ units: Bootstrap.Units, _ bootstrap: Bootstrap, _ measure: @Sendable ([Int]) -> Double
    ) throws -> Estimate {
        do { return try bootstrap.estimate(units, measure) } catch let error as DataError where error.kind == .badData {
            return Estimate(value, n: units.rows.count)
        }
    }

    /// A measure by name.
    package subscript(name: String) -> Estimate? { measures.first { $0.name == name }?.estimate }

    static func units(_ data: LabelledTexts, _ rows: [Int]) -> Bootstrap.Units {
        data.groups.map { groups in .groups(rows.map { groups[$0] }) } ?? .items(rows.count)
    }

    /// Measures of a task, in the order of tables.
    static func names(_ data: LabelledTexts) -> [String] {
        switch data.task {
        case .regression: ["pearson", "spearman", "rmse"]
        case .classification: ["accuracy", "matthews", "macro_f1", "weighted_f1"] + data.labels.map { "f1:" + $0 }
        case .multilabel: ["micro_f1", "macro_f1", "exact"] + data.labels.map { "f1:" + $0 }
        }
    }

    /// The difference of two classifiers on the same rows.
    package struct Comparison: Sendable {
        package let first: String, second: String
        /// First less second of the main measure, paired bootstrap over rows or groups.
        package let difference: Estimate
        /// Exact p of McNemar's test on first runs, and how many rows only one of them has right; nil for numbers.
        package let mcNemar: McNemar?
    }

    package static func compare(
        _ first: (name: String, runs: [Tensor<Double>]), _ second: (name: String, runs: [Tensor<Double>]), data: LabelledTexts, rows: [Int],
        bootstrap: Bootstrap
    ) throws -> Comparison {
        let measure = main(data.task), units = units(data, rows)
        let a = first.runs.map { Outcome(data, rows, $0) }, b = second.runs.map { Outcome(data, rows, $0) }
        @Sendable func difference(_ chosen: [Int]) -> Double {
            func average(_ outcomes: [Outcome]) -> Double { outcomes.reduce(0) { $0 + $1.value(measure, chosen) } / Double(outcomes.count) }
            return average(a) - average(b)
        }
        let value = difference(Array(rows.indices))
        var estimate = Estimate(value, n: units.rows.count)
        if value.isFinite {
            let values = bootstrap.distribution(units, difference).filter { !$0.isNaN }
            if values.count * 2 >= bootstrap.resamples {
                estimate.interval = Bootstrap.percentileInterval(ofSorted: values.sorted(), level: bootstrap.level)
                estimate.p = Bootstrap.pValue(values)
                estimate.method = .init(
                    interval: .bootstrap(.percentile, resamples: bootstrap.resamples), test: .bootstrap(resamples: bootstrap.resamples))
            }
        }
        guard data.task != .regression, let one = a.first, let two = b.first else {
            return Comparison(first: first.name, second: second.name, difference: estimate, mcNemar: nil)
        }
        return Comparison(first: first.name, second: second.name, difference: estimate, mcNemar: try McNemar(one.isRight, two.isRight))
    }
}

/// Predictions of one run next to the truth, ready to be counted again and again.
struct Outcome: Sendable {
    let task: ClassificationTask
    private let names: [String]
    private var labels: Int { names.count }
    private(set) var truth: [Int] = []
    private(set) var predicted: [Int] = []
    private(set) var confidences: [Double] = []
    private var numbers: [Double] = []
    private var guesses: [Double] = []
    private var sets: [[Bool]] = []
    private var found: [[Bool]] = []

    init(_ data: LabelledTexts, _ rows: [Int], _ scores: Tensor<Double>) {
        task = data.task
        names = data.labels
        switch data.task {
        case .regression:
            numbers = rows.map { data.numbers[$0] }
            guesses = rows.indices.map { scores[$0, 0] }
        case .classification:
            truth = rows.map { data.codes[$0] }
            let p = softmaxRows(scores)
            for i in rows.indices {
                let best = (0..<p.columns).max { (p[i, $0], -$0) < (p[i, $1], -$1) } ?? 0
                predicted.append(best)
                confidences.append(p[i, best])
            }
        case .multilabel:
            sets = rows.map { data.sets[$0] }
            found = rows.indices.map { i in (0..<scores.columns).map { scores[i, $0] > 0 } }
        }
    }

    /// Whether each row was predicted right, all its labels where it has several.
    var isRight: [Bool] { task == .multilabel ? zip(sets, found).map { $0 == $1 } : zip(truth, predicted).map { $0 == $1 } }

    /// A measure over some rows; NaN if it is undefined.
    func value(_ measure: String, _ rows: [Int]) -> Double {
        switch task {
        case .regression:
            let x = rows.map { guesses[$0] }, y = rows.map { numbers[$0] }
            switch measure {
            case "pearson": return (try? Correlation.pearson(x, y)) ?? .nan
            case "spearman": return (try? Correlation.spearman(x, y)) ?? .nan
            default: return (zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(rows.count)).squareRoot()
            }
        case .classification:
            var matrix = ConfusionMatrix(classes: labels)
            for row in rows { matrix.add(truth: truth[row], predicted: predicted[row]) }
            switch measure {
            case "accuracy": return matrix.accuracy
            case "matthews": return matrix.matthews
            case "macro_f1": return matrix.macroF1
            case "weighted_f1": return matrix.weightedF1
            default: return label(of: measure).map(matrix.f1) ?? .nan
            }
        case .multilabel:
            if measure == "exact" { return Double(rows.count { sets[$0] == found[$0] }) / Double(rows.count) }
            var both = [Int](repeating: 0, count: labels), either = both
            for row in rows {
                for k in 0..<labels {
                    if sets[row][k] && found[row][k] { both[k] += 1 }
                    either[k] += (sets[row][k] ? 1 : 0) + (found[row][k] ? 1 : 0)
                }
            }
            func f1(_ a: Int, _ b: Int) -> Double { b == 0 ? 0 : 2 * Double(a) / Double(b) }
            if measure == "micro_f1" { return f1(both.reduce(0, +), either.reduce(0, +)) }
            if let k = label(of: measure) { return f1(both[k], either[k]) }
            return (0..<labels).reduce(0) { $0 + f1(both[$1], either[$1]) } / Double(labels)
        }
    }
    /// The label of which a measure is F1.
    private func label(of measure: String) -> Int? { measure.hasPrefix("f1:") ? names.firstIndex(of: String(measure.dropFirst(3))) : nil }
}
