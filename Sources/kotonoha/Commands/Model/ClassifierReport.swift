import ArgumentParser
import Figures
import FileFormats
import Foundation
import Statistics
import Tensors
import Training

/// Pictures of an evaluated classifier, and how its intervals are found.
struct ClassifierFigureOptions: ParsableArguments {
    @Option(in: .samples, help: "Bootstrap resamples, of rows or of groups.")
    var resamples = 2000

    @Option(in: .seed, help: "Seed of folds, training and bootstrap.")
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("The confusion matrix: .svg, .pdf or .png.", valueName: "file"))
    var figure: String?

    @Option(help: ArgumentHelp("The calibration curve: .svg, .pdf or .png.", valueName: "file"))
    var calibrationFigure: String?

    @Option(help: "Language of pictures: en or ja.")
    var language = SessionLanguage.files.rawValue

    func validate() throws {
        if FigureLanguage(rawValue: language) == nil { throw ValidationError("--language is en or ja, not '\(language)'") }
        for file in [figure, calibrationFigure] { try OutputName.require(file, OutputName.figures, "a picture is written") }
    }

    var files: [String?] { [figure, calibrationFigure] }
    func bootstrap(threads: Int) -> Bootstrap { Bootstrap(.percentile, resamples: resamples, seed: seed, threads: threads) }
}

/// Classifiers measured on the same rows: figures as lines, JSON and record; predictions as a table; pictures.
struct ClassifierReport {
    let data: LabelledTexts
    /// Rows that were predicted, ascending.
    let rows: [Int]
    /// Scores (rows, labels) of each seed, the classifier of interest last.
    let methods: [(name: String, runs: [Tensor<Double>])]
    let leakage: LeakageCheck
    let scores: [ClassifierScores]
    let comparisons: [ClassifierScores.Comparison]

    init(
        data: LabelledTexts, rows: [Int], methods: [(name: String, runs: [Tensor<Double>])], leakage: LeakageCheck, bootstrap: Bootstrap
    ) throws {
        (self.data, self.rows, self.methods, self.leakage) = (data, rows, methods, leakage)
        scores = try methods.map { try ClassifierScores(name: $0.name, runs: $0.runs, data: data, rows: rows, bootstrap: bootstrap) }
        comparisons =
            try methods.last.map { last in
                try methods.dropLast().map { try ClassifierScores.compare(last, $0, data: data, rows: rows, bootstrap: bootstrap) }
            } ?? []
    }

    private func interval(_ estimate: Estimate) -> JSON {
        estimate.interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null
    }
    private func number(_ value: Double) -> JSON { value.isFinite ? .number(value) : .null }

    // MARK: The record

    /// What the record and `--json` say of the figures.
    var facts: [(key: String, value: JSON)] {
        [
            ("task", .string(data.task.rawValue)), ("rows", .integer(rows.count)),
            ("groups", data.groups.map { groups in .integer(Set(rows.map { groups[$0] }).count) } ?? .null),
            ("labels", .array(data.labels.map(JSON.string))), ("rows_without_label", .integer(data.unlabelled.count)),
            ("pairs", .bool(data.seconds != nil)),
            ("measure", .string(ClassifierScores.main(data.task))),
            (
                "classifiers",
                .array(
                    scores.map { score in
                        var members: [(key: String, value: JSON)] = [("name", .string(score.name))]
                        members += score.measures.map { measure in
                            var values = [("value", number(measure.estimate.value)), ("interval_95", interval(measure.estimate))]
                            if let deviation = measure.seedDeviation {
                                values += [("seed_sd", number(deviation)), ("seed_values", .array(measure.seedValues.map(number)))]
                            }
                            return (measure.name, .object(values))
                        }
                        if let calibration = score.calibration {
                            members.append(("expected_calibration_error", .number(calibration.expectedError)))
                        }
                        if let matrix = score.confusion {
                            members.append(
                                (
                                    "confusion",
                                    .array((0..<matrix.classes).map { t in .array((0..<matrix.classes).map { .integer(matrix[t, $0]) }) })
                                ))
                        }
                        return .object(members)
                    })
            ),
            (
                "comparisons",
                .array(
                    comparisons.map { comparison in
                        .object([
                            ("first", .string(comparison.first)), ("second", .string(comparison.second)),
                            ("difference", number(comparison.difference.value)),
                            ("interval_95", interval(comparison.difference)),
                            ("p_bootstrap", comparison.difference.p.map(JSON.number) ?? .null),
                            ("only_first_right", comparison.mcNemar.map { .integer($0.firstOnly) } ?? .null),
                            ("only_second_right", comparison.mcNemar.map { .integer($0.secondOnly) } ?? .null),
                            ("p_mcnemar", comparison.mcNemar.map { .number($0.exact) } ?? .null),
                        ])
                    })
            ),
            (
                "leakage",
                .object([
                    ("identical_texts", .integer(leakage.identical.count)),
                    ("nearly_identical_texts", .integer(leakage.nearlyIdentical.count)),
                    ("shared_groups", .integer(leakage.sharedGroups.count)),
                ])
            ),
        ]
    }

    // MARK: Lines

    private func cell(_ measure: ClassifierScores.Measure) -> String {
        let deviation = measure.estimate.value.isFinite ? measure.seedDeviation : nil
        return cell(measure.estimate) + (deviation.map { " ± \(Console.fixed($0, 3))" } ?? "")
    }

    private func cell(_ estimate: Estimate) -> String {
        guard estimate.value.isFinite else { return "–" }
        var text = Console.fixed(estimate.value, 4)
        if let range = estimate.interval { text += " [\(Console.fixed(range.lowerBound, 3)), \(Console.fixed(range.upperBound, 3))]" }
        return text
    }

    /// Figures for standard output, then, for the person, what should be known about them.
    func say(isQuiet: Bool) throws {
        let shared = scores.first?.measures.map(\.name).filter { !$0.hasPrefix("f1:") } ?? []
        try Console.print((["classifier"] + shared).joined(separator: "\t"))
        for score in scores {
            try Console.print(
                ([score.name]
                    + shared.map { name in score.measures.first { $0.name == name }.map { cell($0) } ?? "" }).joined(
                        separator: "\t"))
        }
        if let last = scores.last, data.task != .regression {
            let supports = rows.reduce(into: [Int](repeating: 0, count: data.labels.count)) { counts, row in
                if data.task == .classification {
                    counts[data.codes[row]] += 1
                } else {
                    for k in counts.indices where data.sets[row][k] { counts[k] += 1 }
                }
            }
            for (k, label) in data.labels.enumerated() {
                guard let measure = last.measures.first(where: { $0.name == "f1:" + label }) else { continue }
                try Console.print("F1 of \(label)\t\(cell(measure))\t\(Console.counted(supports[k], "row"))")
            }
            if let calibration = last.calibration {
                try Console.print("expected calibration error\t\(Console.fixed(calibration.expectedError, 4))")
            }
        }
        for comparison in comparisons {
            let p = comparison.difference.p.map { $0 < 0.001 ? ", p < .001" : ", p = \(Console.fixed($0, 3))" } ?? ""
            var line =
                "\(comparison.first) − \(comparison.second)\t\(ClassifierScores.main(data.task)) \(cell(comparison.difference))\(p)"
            if let test = comparison.mcNemar {
                line +=
                    "\tMcNemar: \(test.firstOnly) : \(test.secondOnly), exact p \(test.exact < 0.001 ? "< .001" : "= " + Console.fixed(test.exact, 3))"
            }
            try Console.print(line)
        }
        guard !isQuiet else { return }
        if !leakage.identical.isEmpty || !leakage.nearlyIdentical.isEmpty {
            Console.say(
                "warning: \(leakage.identical.count) test rows have a text that is also in the training rows, "
                    + "\(leakage.nearlyIdentical.count) more a nearly identical one "
                    + "(\(lines(leakage.identical + leakage.nearlyIdentical))); remove them, or let --group-column keep such rows together")
        }
        if !leakage.sharedGroups.isEmpty {
            Console.say(
                "warning: \(leakage.sharedGroups.count) groups are in both training and test rows "
                    + "(\(leakage.sharedGroups.prefix(5).joined(separator: ", "))\(leakage.sharedGroups.count > 5 ? ", …" : ""))")
        }
    }

    private func lines(_ rows: [Int]) -> String {
        "line\(rows.count == 1 ? "" : "s") \(rows.sorted().prefix(8).map { String(data.lines[$0]) }.joined(separator: ", "))\(rows.count > 8 ? ", …" : "")"
    }

    // MARK: Files

    /// One line per predicted row: text, label, prediction and probabilities of the last classifier's first run.
    func write(to output: String, _ options: TableOutputOptions, folds: [Int]?, provenance: Provenance) throws {
        guard let (name, runs) = methods.last, let first = runs.first else { return }
        var columns: [TableColumn] =
            (data.fileNames.count > 1 ? ["file"] : []) + ["line", "text"] + (data.seconds == nil ? [] : ["text2"])
            + (data.groups == nil ? [] : ["group"])
        columns += ["label", "prediction"] + (data.task == .regression ? [] : ["correct"]) + (folds == nil ? [] : ["fold"])
        if data.task != .regression { columns += data.labels.map { TableColumn("p:" + $0, decimals: 6) } }
        let predictions = LabelPredictions(first, task: data.task, labels: data.labels, temperature: 1)
        var record = provenance
        record.settings.append(("predictions_of", .string(name)))
        try ResultTable(columns, options).write(to: output, provenance: record) { append in
            for (i, row) in rows.enumerated() {
                var cells: [Cell] = data.fileNames.count > 1 ? [.text(SystemName.last(of: data.fileNames[data.files[row]]))] : []
                cells += [.integer(data.lines[row]), .text(data.texts[row])]
                if let seconds = data.seconds { cells.append(.text(seconds[row])) }
                if let groups = data.groups { cells.append(.text(data.groupNames[groups[row]])) }
                cells += [data.task == .regression ? .number(data.numbers[row]) : .text(data.label(row)), predictions.cell(i)]
                if data.task != .regression { cells.append(.boolean(predictions.text(i) == data.label(row))) }
                if let folds { cells.append(.integer(folds[i] + 1)) }
                if data.task != .regression { cells += predictions.probabilities(i).map(Cell.number) }
                try append(cells)
            }
        }
    }

    func draw(_ options: ClassifierFigureOptions, provenance: Provenance) throws {
        let japanese = options.language == "ja"
        func page() -> PageStyle {
            var page = PageStyle()
            page.language = FigureLanguage(rawValue: options.language) ?? .english
            return page
        }
        guard let last = scores.last else { return }
        if let file = options.figure {
            guard let matrix = last.confusion else {
                throw DataError(.usage, "a confusion matrix needs classes; --task \(data.task.rawValue) has none")
            }
            var settings = Heatmap.Options()
            settings.page = page()
            settings.rowTitle = japanese ? "正解" : "true class"
            settings.columnTitle = japanese ? "予測" : "predicted class"
            settings.valueTitle = japanese ? "正解に対する割合" : "share of the true class"
            settings.digits = 2
            settings.range = 0...1
            settings.caption = japanese ? "\(last.name)、\(rows.count)件" : "\(last.name), \(rows.count) rows"
            let shares = (0..<matrix.classes).map { t in
                (0..<matrix.classes).map { Double(matrix[t, $0]) / Double(max(1, matrix.support(t))) }
            }
            let names = data.labels.enumerated().map { "\($1) (\(matrix.support($0)))" }
            try Heatmap(shares, rowLabels: names, columnLabels: data.labels, options: settings).write(to: URL(fileURLWithPath: file))
            try provenance.write(beside: file)
        }
        if let file = options.calibrationFigure {
            guard let calibration = last.calibration else {
                throw DataError(.usage, "a calibration curve needs classes; --task \(data.task.rawValue) has none")
            }
            let filled = calibration.bins.filter { $0.count > 0 }
            var settings = LineChart.Options()
            settings.page = page()
            settings.xTitle = japanese ? "確信度（最大の確率）" : "confidence (highest probability)"
            settings.yTitle = japanese ? "正答率" : "share predicted right"
            settings.yRange = 0...1
            let low = max(0, (filled.map(\.low).min() ?? 0))
            settings.xRange = low...1
            let error = Console.fixed(calibration.expectedError, 3)
            settings.caption = japanese ? "期待較正誤差 \(error)、\(rows.count)件" : "expected calibration error \(error), \(rows.count) rows"
            try LineChart(
                [
                    .init(japanese ? "完全な較正" : "perfect", x: [low, 1], y: [low, 1], isDashed: true),
                    .init(last.name, x: filled.map(\.confidence), y: filled.map(\.accuracy), hasMarkers: true),
                ], options: settings
            ).write(to: URL(fileURLWithPath: file))
            try provenance.write(beside: file)
        }
    }
}

/// Scores of a classifier as what a table says of them.
struct LabelPredictions {
    private let scores: Tensor<Double>
    private let shares: Tensor<Double>
    private let task: ClassificationTask
    private let labels: [String]

    /// - Parameter scores: (rows, labels), logits or predicted numbers.
    init(_ scores: Tensor<Double>, task: ClassificationTask, labels: [String], temperature: Double) {
        (self.scores, self.task, self.labels) = (scores, task, labels)
        var scaled = scores
        scaled.withUnsafeMutableElements { e in for i in 0..<scores.count { e[i] /= task == .regression ? 1 : temperature } }
        switch task {
        case .classification: shares = softmaxRows(scaled)
        case .multilabel:
            scaled.withUnsafeMutableElements { e in for i in 0..<scores.count { e[i] = 1 / (1 + exp(-e[i])) } }
            shares = scaled
        case .regression: shares = scaled
        }
    }

    func probabilities(_ row: Int) -> [Double] { (0..<shares.columns).map { shares[row, $0] } }

    func text(_ row: Int) -> String {
        switch task {
        case .classification: labels[(0..<scores.columns).max { (scores[row, $0], -$0) < (scores[row, $1], -$1) } ?? 0]
        case .multilabel: labels.indices.filter { scores[row, $0] > 0 }.map { labels[$0] }.joined(separator: ";")
        case .regression: "\(scores[row, 0])"
        }
    }

    func cell(_ row: Int) -> Cell { task == .regression ? .number(scores[row, 0]) : .text(text(row)) }
}

/// The last component of a path.
enum SystemName {
    static func last(of path: String) -> String { path == "-" ? "standard input" : URL(fileURLWithPath: path).lastPathComponent }
}
