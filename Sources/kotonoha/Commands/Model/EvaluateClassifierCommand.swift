import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Statistics
import Tensors
import Training

struct EvaluateClassifierCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classifier", abstract: "Evaluate a classifier on labelled texts: accuracy, Matthews correlation, F1, calibration.",
        discussion: """
            kotonoha evaluate classifier my-classifier test.xlsx --column 文 --label 評価 --train ratings.xlsx -o predictions.xlsx --figure confusion.pdf
            kotonoha evaluate classifier model-a test.tsv --column sentence --label label --against model-b

            --train gives the training table: baselines are then reported too, and texts or
            groups in both tables are counted. --against compares two classifiers on the
            same rows, by McNemar's exact test and a paired bootstrap.
            """)

    @Argument(help: "The classifier: a folder or a name.")
    var classifier: String

    @Argument(help: "A table of texts and labels.")
    var input: String

    @Option(help: ArgumentHelp("The training table, for baselines and leakage.", valueName: "file"))
    var train: String?

    @Option(help: ArgumentHelp("Another classifier to compare with.", valueName: "dir|name"))
    var against: String?

    @Flag(help: "Divide logits by the temperature that `train classifier --calibrate` found.")
    var calibrated = false

    @Option(name: .shortAndLong, help: "A table of every row's prediction (.tsv, .csv, .xlsx, .jsonl).")
    var output: String?

    @OptionGroup(title: "Labels") var labelled: LabelledTableOptions
    @OptionGroup(title: "Figures") var figures: ClassifierFigureOptions
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Computation") var computation: ClassifierComputation
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        _ = try labelled.columns()
        try OutputName.requireTable(output)
    }

    func run() throws {
        try writing.check(
            inputs: [input, train, computation.folder(of: classifier)] + [against.flatMap { computation.folder(of: $0) }],
            files: [output] + figures.files)
        let model = try computation.open(classifier, isQuiet: report.quiet)
        let temperature = try computation.temperature(of: model, isWanted: calibrated), task = ClassificationTask(model.task)
        let known = task == .regression ? nil : model.labels
        let tested = try labelled.read(input, table, task: task, known: known, needsVariety: false, isQuiet: report.quiet)
        let data =
            try train.map {
                try tested.appending(labelled.read($0, table, task: task, known: known, needsVariety: false, isQuiet: report.quiet))
            } ?? tested
        let rows = Array(0..<tested.count), learned = Array(tested.count..<data.count)

        func scores(_ model: TextClassifier) throws -> Tensor<Double> {
            let (logits, truncated) = try model.logits(tested.texts, tested.seconds)
            computation.report(truncated, of: tested.count, model, isQuiet: report.quiet)
            return logits
        }
        var methods: [(name: String, runs: [Tensor<Double>])] = []
        if !learned.isEmpty {
            for method in [MajorityMethod(), CharacterMethod()] as [any ClassificationMethod] {
                methods.append((method.name, [try method.scores(data, train: learned, test: rows)]))
            }
        }
        var other: TextClassifier?
        if let against {
            let second = try computation.open(against, isQuiet: report.quiet)
            guard ClassificationTask(second.task) == task, task == .regression || Set(second.labels) == Set(model.labels) else {
                throw DataError(
                    .usage,
                    "the two classifiers have different labels: \(model.labels.joined(separator: ", ")) and \(second.labels.joined(separator: ", "))",
                    file: against)
            }
            let found = try scores(second)
            // The other's labels in this one's order.
            var ordered = found
            for (k, label) in model.labels.enumerated() where task != .regression {
                let place = second.labels.firstIndex(of: label) ?? k
                for row in rows { ordered[row, k] = found[row, place] }
            }
            methods.append((second.directory.name == model.directory.name ? against : second.directory.name, [ordered]))
            other = second
        }
        var own = try scores(model)
        if let temperature { own.withUnsafeMutableElements { e in for i in 0..<rows.count * model.labels.count { e[i] /= temperature } } }
        methods.append((model.directory.name, [own]))
        let leakage = LeakageCheck(data, splits: learned.isEmpty ? [] : [(learned, rows)])
        let result = try ClassifierReport(
            data: data, rows: rows, methods: methods, leakage: leakage, bootstrap: figures.bootstrap(threads: computation.threads))
        var record = provenance(seed: figures.seed)
        record.model = .init(path: model.directory.name, sha256: try model.directory.sha256())
        record.inputs = zip(data.fileNames, data.sha256).map { Provenance.Source(path: $0, sha256: $1) }
        record.settings = [
            ("method", .string("classifier evaluation")), ("design", .string("trained classifier")),
            ("training_rows", learned.isEmpty ? .null : .integer(learned.count)),
            ("resamples", .integer(figures.resamples)), ("calibrated", .bool(calibrated)), ("classifier", .string(model.directory.name)),
            ("against", other.map { .string($0.directory.name) } ?? .null),
        ]
        record.settings += result.facts
        if let output { try result.write(to: output, tableOutput, folds: nil, provenance: record) }
        try result.draw(figures, provenance: record)
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        try result.say(isQuiet: report.quiet)
    }
}
