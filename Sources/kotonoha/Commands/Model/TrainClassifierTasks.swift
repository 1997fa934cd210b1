import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import Statistics
import Tensors
import Training

// Several tasks on one encoder (--tasks).

extension TrainClassifierCommand {
    /// The table of scores in the output folder.
    private static let scoreTable = "scores.tsv"

    /// What --tasks leaves no room for.
    func validateTasks() throws {
        if let input { throw ValidationError("--tasks names its own tables; remove '\(input)'") }
        try refuse(
            [
                ("--column", labelled.column != nil), ("--label", labelled.label != nil), ("--second-column", labelled.secondColumn != nil),
                ("--group-column", labelled.groupColumn != nil), ("--task", task != .classification),
            ],
            "cannot be combined with --tasks; its file sets this for each task")
        try refuse(
            [("--folds", folds != nil), ("--test", !test.isEmpty)],
            "cannot be combined with --tasks, which scores each task on development rows; cross-validate one task at a time")
        try refuse(
            [("--setfit", setfit), ("--freeze all", freeze == "all")], "cannot be combined with --tasks, which fine-tunes one encoder")
        if output == nil { throw ValidationError("--tasks needs -o FOLDER; each task's model is written there") }
    }

    /// A task with its rows, and those of them that it is scored on.
    private struct Loaded {
        let entry: ClassifierTaskFile.Entry
        let data: LabelledTexts
        /// Rows that are not scored on.
        let learned: [Int]
        let development: [Int]
    }

    private func load(_ entry: ClassifierTaskFile.Entry, _ settings: FineTuning) throws -> Loaded {
        try entry.naming {
            func read(_ path: String, known: [String]? = nil, needsVariety: Bool = true) throws -> LabelledTexts {
                try labelled.read(
                    path, table, columns: entry.columns, task: entry.task, known: known, needsVariety: needsVariety, isQuiet: report.quiet)
            }
            let own = try read(entry.table), rows = Array(0..<own.count)
            guard let development = entry.development else {
                let parts = try ClassifierTrainer.development(of: rows, own, settings)
                return Loaded(entry: entry, data: own, learned: parts.train, development: parts.development)
            }
            let all = try own.appending(read(development, known: own.task == .regression ? nil : own.labels, needsVariety: false))
            return Loaded(entry: entry, data: all, learned: rows, development: Array(own.count..<all.count))
        }
    }

    /// Trains what the file lists and writes a model for each task, and a table of all scores.
    func trainTasks(_ path: String, to output: String) throws {
        let file = try ClassifierTaskFile(path: path, head: head), run = runFolder ?? output + ".run", names = file.tasks.map(\.name)
        guard !names.contains(where: { $0.hasPrefix(Self.scoreTable) }) else {
            throw DataError(.badData, "a task cannot have the name \(Self.scoreTable), which is that of the table of scores", file: path)
        }
        try writing.check(
            inputs: file.inputs + [model.inputFolder].compactMap(\.self), files: [], folders: [output, run],
            models: names.map { output + "/" + $0 }, continuing: [run])
        let base = try base(), settings = try settings(for: base)
        let loaded = try file.tasks.map { try load($0, settings) }
        let tasks = try loaded.map { task -> ClassifierTask in
            try task.entry.naming {
                let parts = try ClassifierTrainer.parts(of: task.learned, task.data, settings)
                return ClassifierTask(
                    name: task.entry.name, data: task.data, encodings: try encodings(task.data, base), train: parts.train,
                    heldOut: parts.heldOut, head: task.entry.head, weight: task.entry.weight)
            }
        }
        let trainer = try ClassifierTrainer(settings, base: base, tasks: tasks, threads: model.threads)
        let folder = URL(fileURLWithPath: run)
        if fresh { try Checkpoint.removeAll(in: folder) }
        let view = StepLine(isQuiet: report.quiet)
        view.begin("fine-tuning", steps: trainer.steps)
        try trainer.run(in: folder, shouldStop: { Interruption.isRequested }, watch: { view.show($0) })
        view.end()
        let title = "multi-task \(base.directory.name)"
        let reports = try loaded.enumerated().map { index, task in try score(task, trainer, task: index, name: title) }
        let temperatures = try tasks.indices.map { index in try trainer.temperature(task: index) }
        let described = zip(zip(loaded, tasks), reports).map { pair, report in description(of: pair.0, pair.1, report) }
        var record = provenance(seed: figures.seed)
        record.model = Provenance.Source(path: base.directory.name, sha256: try base.directory.sha256())
        record.inputs = [Provenance.Source(path: file.path, sha256: file.sha256)]
        for task in loaded {
            for (name, hash) in zip(task.data.fileNames, task.data.sha256) {
                record.inputs.append(Provenance.Source(path: name, sha256: hash))
            }
        }
        record.settings = [("method", .string("multi-task training")), ("training", .string("fine-tuned"))]
        record.settings += tuning(settings)
        record.settings += [("calibrated", .bool(calibrate)), ("class_weights", .string(classWeights.rawValue))]
        record.settings += [("resamples", .integer(figures.resamples)), ("steps", .integer(trainer.step)), ("tasks", .array(described))]
        try AtomicFolder.write(to: output, isOwn: { names.contains($0) || $0.hasPrefix(Self.scoreTable) || ModelDirectory.isModelFile($0) })
        { temporary in
            let place = URL(fileURLWithPath: temporary, isDirectory: true)
            for (index, task) in tasks.enumerated() {
                var writer = ClassifierWriter(
                    base: base, task: task.data.task, labels: task.data.labels, learnedFrom: Array(task.data.sha256.prefix(1)))
                writer.temperature = temperatures[index]
                try writer.write(trainer.networks[index], to: place.appendingPathComponent(task.name))
            }
            try write(Array(zip(names, reports)), to: place.appendingPathComponent(Self.scoreTable).path, record)
        }
        if report.json {
            let place: [(key: String, value: JSON)] = [("output", .string(SystemName.last(of: output)))]
            return try Console.print(JSON.object(place + record.settings).serialized(.pretty))
        }
        for (index, result) in reports.enumerated() {
            try Console.print("task\t\(names[index])")
            try result.say(isQuiet: report.quiet)
        }
        if !report.quiet { Console.say("\(output): \(names.joined(separator: ", ")); scores in \(Self.scoreTable)") }
    }

    /// A task beside its baselines, on its development rows.
    private func score(_ loaded: Loaded, _ trainer: ClassifierTrainer, task index: Int, name: String) throws -> ClassifierReport {
        let data = loaded.data, rows = loaded.development
        var methods: [(name: String, runs: [Tensor<Double>])] = []
        for method in [MajorityMethod(), CharacterMethod()] as [any ClassificationMethod] {
            methods.append((method.name, [try method.scores(data, train: loaded.learned, test: rows)]))
        }
        methods.append((name, [try trainer.calibratedScores(rows, task: index)]))
        return try ClassifierReport(
            data: data, rows: rows, methods: methods, leakage: LeakageCheck(data, splits: [(loaded.learned, rows)]),
            bootstrap: figures.bootstrap(threads: model.threads))
    }

    /// What the record says of a task.
    private func description(of loaded: Loaded, _ task: ClassifierTask, _ report: ClassifierReport) -> JSON {
        var members: [(key: String, value: JSON)] = [("name", .string(task.name)), ("head", .string(task.head.rawValue))]
        members += [("weight", .number(task.weight)), ("training_rows", .integer(loaded.learned.count))]
        members.append(("development", .string(loaded.entry.development == nil ? "tenth" : "table")))
        return .object(members + report.facts)
    }

    /// One line per task, classifier and measure.
    private func write(_ reports: [(name: String, report: ClassifierReport)], to path: String, _ record: Provenance) throws {
        let columns: [TableColumn] = [
            "task", "classifier", "measure", TableColumn("value", decimals: 6), TableColumn("low", decimals: 6),
            TableColumn("high", decimals: 6), "rows",
        ]
        func cell(_ value: Double?) -> Cell {
            guard let value, value.isFinite else { return .missing }
            return .number(value)
        }
        try ResultTable(columns, tableOutput).write(to: path, provenance: record) { append in
            for (name, report) in reports {
                for score in report.scores {
                    for measure in score.measures {
                        let low = cell(measure.estimate.interval?.lowerBound), high = cell(measure.estimate.interval?.upperBound)
                        let names: [Cell] = [.text(name), .text(score.name), .text(measure.name)]
                        try append(names + [cell(measure.estimate.value), low, high, .integer(report.rows.count)])
                    }
                }
            }
        }
    }
}
