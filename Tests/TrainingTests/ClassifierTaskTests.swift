import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import TestSupport
import TestTools
import Testing
import Training

/// Heads of classifiers, and several of them on one encoder.
@Suite struct ClassifierTaskTests {
    /// What may stand at each place of a text.
    private static let places = ["snow", "the"], animals = ["dogs", "cat"]
    private let base: PretrainedBase

    init() throws { base = try PretrainedBase(model: TinyModel().folder.path) }

    /// Every text has a place and an animal; a task asks for either. The texts with one of the four verbs are not learned
    /// from, with `heldOut` those with another choose the epoch.
    private func task(
        _ name: String, rows: Int, head: FineTuning.Head = .mlp, weight: Double = 1, heldOut: Bool = false
    ) throws -> ClassifierTask {
        var texts: [String] = [], labels: [String] = []
        for row in 0..<rows {
            let place = Self.places[row % 2], animal = Self.animals[row / 2 % 2], verb = ["play", "in", "two", "1"][row / 4 % 4],
                end = [".", ",", "2"][row / 16 % 3]
            texts.append(name == "place" ? "\(place) \(verb) \(animal) \(end)" : "\(animal) \(end) \(place) \(verb)")
            labels.append(name == "place" ? place : animal)
        }
        let data = try LabelledTexts(
            Table(name: name, columns: [("text", texts), ("label", labels)]), columns: .init(text: "text", label: "label"),
            task: .classification)
        let train = (0..<rows).filter { $0 / 4 % 4 != 3 }
        return ClassifierTask(
            name: name, data: data, encodings: try base.encode(data, threads: 1).encodings,
            train: train.filter { !heldOut || $0 / 4 % 4 != 2 },
            heldOut: heldOut ? train.filter { $0 / 4 % 4 == 2 } : [], head: head, weight: weight)
    }

    private func accuracy(_ trainer: ClassifierTrainer, _ index: Int) throws -> Double {
        let data = trainer.tasks[index].data, rows = (0..<data.count).filter { $0 / 4 % 4 == 3 },
            scores = try trainer.scores(rows, task: index)
        return Double(rows.enumerated().count { i, row in scores[i, data.codes[row]] == (0..<scores.columns).map { scores[i, $0] }.max() })
            / Double(rows.count)
    }

    private var settings: FineTuning {
        var settings = FineTuning()
        (settings.epochs, settings.batchSize, settings.learningRate) = (20, 6, 3e-3)
        return settings
    }

    @Test func tasksShareAnEncoderAndAreLearned() throws {
        let tasks = [try task("place", rows: 96), try task("animal", rows: 32, head: .linear)]
        let trainer = try ClassifierTrainer(settings, base: base, tasks: tasks, threads: 2)
        // 72 and 24 rows in batches of 6.
        #expect(trainer.steps == 20 * (12 + 4))
        var drawn: [String] = []
        try trainer.run(watch: { if case .step(_, let losses, _, _, _) = $0 { drawn += losses.map(\.name) } })
        let epochs = (0..<20).map { (epoch: Int) -> [String] in Array(drawn[16 * epoch..<16 * (epoch + 1)]) }
        for epoch in epochs { #expect(epoch.count { $0 == "place" } == 12) }
        #expect(Set(epochs).count > 10)
        // The texts that were not learned from have either class half of the time.
        for index in 0..<2 { #expect(try accuracy(trainer, index) > 0.8, "\(tasks[index].name)") }
        #expect(trainer.networks[0].encoder === trainer.networks[1].encoder)

        let folder = try TestFolder.make("tasks")
        for (task, network) in zip(tasks, trainer.networks) {
            try ClassifierWriter(base: base, task: .classification, labels: task.data.labels).write(
                network, to: folder.appendingPathComponent(task.name))
        }
        let whole = try ModelDirectory.weights(in: folder.appendingPathComponent("place")),
            bare = try ModelDirectory.weights(in: folder.appendingPathComponent("animal"))
        let before = try ModelDirectory.weights(in: base.directory.folder)
        #expect(bare.names.count > 30 && whole.names.count == bare.names.count + 4)
        for name in bare.names { #expect(try bare.tensor(name).hasSameBits(as: whole.tensor("bert." + name)), "\(name)") }
        #expect(
            try !bare.tensor("encoder.layer.0.output.dense.weight").hasSameBits(as: before.tensor("encoder.layer.0.output.dense.weight")))
        // Either folder alone gives the logits of the run.
        for (index, task) in tasks.enumerated() {
            let again = try TextClassifier(model: folder.appendingPathComponent(task.name).path), rows = Array(0..<task.data.count)
            #expect(again.labels == task.data.labels && again.task == .classification)
            let own = try trainer.scores(rows, task: index), read = try again.logits(task.data.texts).logits
            for i in 0..<own.count { #expect(abs(own[i] - read[i]) < 1e-5 * max(1, abs(own[i])), "\(task.name) \(i)") }
        }
        let configuration = try JSON(contentsOf: folder.appendingPathComponent("place/config.json").path)
        #expect(configuration["architectures"]?.array?.first?.string == "BertForSequenceClassification")
        #expect(
            try JSON(contentsOf: folder.appendingPathComponent("animal/modules.json").path).array?.map {
                $0["type"]?.string?.split(separator: ".").last
            } == ["Transformer", "Pooling", "Dense"])
    }

    @Test(.tags(.sameBits)) func tasksAreResumedToTheSameBits() throws {
        var settings = settings
        (settings.epochs, settings.dropout, settings.stopsEarly, settings.layerDecay, settings.pull) = (3, 0.1, true, 0.8, 5)
        func trainer(_ threads: Int, weight: Double = 0.5) throws -> ClassifierTrainer {
            let tasks = [
                try task("place", rows: 96, heldOut: true), try task("animal", rows: 32, head: .linear, weight: weight, heldOut: true),
            ]
            return try ClassifierTrainer(settings, base: base, tasks: tasks, threads: threads)
        }
        let whole = try trainer(1)
        try whole.run()
        // 48 and 16 rows in batches of 6, three times.
        #expect(whole.steps == 3 * (8 + 2) && whole.history.best != nil)
        let folder = try TestFolder.make("run")
        for stop in [1, 12, 23] {
            let part = try trainer(3)
            #expect(throws: DataError.self) { try part.run(in: folder, shouldStop: { part.step == stop }) }
            #expect(part.step == stop)
        }
        let rest = try trainer(2)
        try rest.run(in: folder)
        for (one, other) in zip(whole.networks, rest.networks) {
            for (a, b) in zip(one.parameters, other.parameters) { #expect(a.value.hasSameBits(as: b.value)) }
        }
        #expect(throws: DataError.self) { try trainer(1, weight: 1).run(in: folder) }
    }

    /// A step moves the encoder and one head, and the weight of a task scales its gradient but not its loss.
    @Test func otherHeadsStandStillAndWeightsScaleGradients() throws {
        func first(weight: Double) throws -> (name: String, loss: Double, norm: Double, moved: [Bool]) {
            let tasks = [try task("place", rows: 96, weight: weight), try task("animal", rows: 32, weight: weight)]
            var settings = settings
            settings.warmup = 0
            let trainer = try ClassifierTrainer(settings, base: base, tasks: tasks, threads: 1),
                fresh = try ClassifierTrainer(settings, base: base, tasks: tasks, threads: 1)
            var found = (name: "", loss: 0.0, norm: 0.0)
            #expect(throws: DataError.self) {
                try trainer.run(
                    shouldStop: { true },
                    watch: { if case .step(_, let losses, _, let norm, _) = $0 { found = (losses[0].name, losses[0].loss, norm) } })
            }
            func moved(_ parameters: (ClassifierTrainer) -> [Parameter<Float>]) -> Bool {
                zip(parameters(trainer), parameters(fresh)).contains { !$0.value.hasSameBits(as: $1.value) }
            }
            return (
                found.name, found.loss, found.norm,
                [moved { $0.network.encoder.parameters }, moved { $0.networks[0].headParameters }, moved { $0.networks[1].headParameters }]
            )
        }
        let one = try first(weight: 1), half = try first(weight: 0.5)
        #expect(one.moved == [true, one.name == "place", one.name == "animal"])
        #expect(half.name == one.name && half.loss == one.loss && abs(half.norm / one.norm - 0.5) < 1e-5, "\(half) \(one)")
    }

    @Test func fileOfTasksIsReadWithCare() throws {
        let folder = try TestFolder.make("file")
        func write(_ name: String, _ text: String) throws -> String {
            let file = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: file)
            return file.path
        }
        _ = try write("a.tsv", "text\tlabel\nx\ty\n")
        let path = folder.appendingPathComponent("tasks.json").path
        let good =
            #"{"name": "a", "table": "a.tsv", "columns": ["text", 2], "label": "label", "task": "regression", "group": "g", "weight": 0.5, "development": "a.tsv"}"#
        let file = try ClassifierTaskFile(
            path: write(
                "tasks.json",
                #"{"comment": "two", "tasks": [\#(good), {"name": "b c", "table": "a.tsv", "columns": "1", "label": "label", "head": "linear"}]}"#
            ))
        let table = folder.appendingPathComponent("a.tsv").standardizedFileURL.path
        let pair = file.tasks[0], plain = file.tasks[1]
        #expect(
            pair.name == "a" && pair.table == table && pair.development == table && pair.text == "text" && pair.second == "2"
                && pair.label == "label" && pair.group == "g")
        #expect(pair.task == .regression && pair.weight == 0.5 && pair.head == .mlp)
        #expect(plain.name == "b c" && plain.development == nil && plain.text == "1" && plain.second == nil && plain.group == nil)
        #expect(plain.task == .classification && plain.weight == 1 && plain.head == .linear)
        #expect(file.inputs == [path, table, table, table])

        // The list alone.
        #expect(try ClassifierTaskFile(path: write("tasks.json", "[\(good)]")).tasks == [pair])

        func refused(_ tasks: String, _ words: String..., head: FineTuning.Head = .mlp, kind: DataError.Kind = .badData) throws {
            do {
                _ = try ClassifierTaskFile(path: write("tasks.json", tasks), head: head)
                Issue.record("\(tasks) was accepted")
            } catch let error as DataError {
                #expect(error.kind == kind && error.file == path, "\(error)")
                for word in words { #expect(error.message.contains(word), "\(error)") }
            }
        }
        func one(_ more: String, name: String = "a") -> String {
            #"{"tasks": [{"name": "\#(name)", "table": "a.tsv", "columns": "text", "label": "label"\#(more)}]}"#
        }
        try refused(one(#", "colums": "x""#), "task 'a'", "'colums' is not known here", "known are name, table")
        try refused(one(#", "task": "ranking""#), "task 'a'", "'task' is one of classification, regression, multilabel, not 'ranking'")
        try refused(one(#", "head": "deep""#), "task 'a'", "'head' is one of mlp, linear, not 'deep'")
        try refused(one(#", "weight": 0"#), "task 'a'", "'weight' should be")
        try refused(
            one(#", "development": "none.tsv""#), "task 'a'", "'development' names", "none.tsv", "relative to this file", kind: .noInput)
        try refused(one("", name: "../a"), "name of a folder")
        try refused(#"{"tasks": [\#(good), \#(good)]}"#, "task 'a'", "two tasks have this name")
        try refused(
            #"{"tasks": [{"name": "p", "table": "a.tsv", "columns": ["text", "label"], "label": "label", "head": "linear"}]}"#, "task 'p'",
            "a linear head on pairs")
        try refused(
            #"[{"name": "p", "table": "a.tsv", "columns": ["text", "label"], "label": "label"}]"#, "task 'p'", "a linear head on pairs",
            head: .linear, kind: .usage)
        try refused(
            #"{"tasks": [{"name": "p", "table": "a.tsv", "columns": ["a", "b", "c"], "label": "label"}]}"#, "task 'p'", "not 3 columns")
        try refused(#"{"tasks": [{"table": "a.tsv"}]}"#, "tasks[0]", "'name' is missing")
        try refused(#"{"tasks": []}"#, "nothing to learn")
        try refused("[]", "nothing to learn")
        try refused("[1]", "'tasks' should be a list of objects")
        try refused(#"{"task": []}"#, "'task' is not known here")
    }
}
