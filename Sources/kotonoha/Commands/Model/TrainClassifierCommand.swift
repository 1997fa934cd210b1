import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Statistics
import Tensors
import Tokenizers
import Training

struct TrainClassifierCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classifier", abstract: "Train a classifier on labelled texts, or estimate its accuracy by cross-validation.",
        discussion: """
            kotonoha train classifier ratings.xlsx --column 文 --label 評価 --folds 5 --group-column 話者 --freeze all -o predictions.xlsx
            kotonoha train classifier ratings.xlsx --column 文 --label 評価 --freeze all -o my-classifier
            kotonoha train classifier train.tsv --test dev.tsv --column sentence --label label --model all-MiniLM-L6-v2 --seeds 5
            kotonoha train classifier --tasks tasks.json --model all-MiniLM-L6-v2 -o tasks

            With --folds (or --test) no model is saved: accuracy, Matthews correlation and
            F1 (or correlations) are reported with bootstrap intervals over rows, or over
            groups with --group-column, next to a majority baseline, character n-grams and
            frozen embeddings; -o is then a table of predictions. --freeze all fits
            logistic or ridge regression on the model's vectors, its penalty chosen in
            inner folds; otherwise the encoder is fine-tuned. Epoch, penalty and
            temperature are always chosen within the training rows. --tasks fine-tunes one
            encoder on several tables at once, each with a head of its own.
            """)

    @Argument(help: "A table of texts and labels.")
    var input: String?

    @Option(
        name: .shortAndLong, help: "The classifier's folder; with --folds or --test a table of predictions (.tsv, .csv, .xlsx, .jsonl).")
    var output: String?

    @Option(in: Bounds(2...100), help: "Number of folds for cross-validation.")
    var folds: Int?

    @Option(help: ArgumentHelp("A test table, instead of folds; may be given several times.", valueName: "file"))
    var test: [String] = []

    @Option(help: "classification, regression (numbers) or multilabel (labels separated by ; or |).")
    var task = ClassificationTask.classification

    @Flag(help: "Stratify folds by class.")
    var stratify = false

    @Option(help: ArgumentHelp("What to freeze: none, embeddings, a number of lower layers, or all.", valueName: "embeddings|N|all"))
    var freeze = "none"

    @Option(help: "Layers trained on top of the encoder: mlp (a dense layer, then the output layer) or linear (the output layer alone).")
    var head = FineTuning.Head.mlp

    @Option(
        help: ArgumentHelp(
            "Train several tasks on one shared encoder, listed in this JSON file; -o is then a folder with one model per task.",
            valueName: "file"))
    var tasks: String?

    @Flag(
        help: "For few examples: train the encoder on pairs of the same and of different classes, then fit a linear model on its vectors.")
    var setfit = false

    @Option(help: ArgumentHelp("balanced gives all classes equal weight.", valueName: "balanced|none"))
    var classWeights = ClassWeights.none

    @Flag(help: "Fit a temperature for the probabilities on held-out training rows.")
    var calibrate = false

    @Option(in: Bounds(1...100), help: "Number of seeds to train with and average over; with --folds or --test.")
    var seeds = 1

    @Option(in: .epochs, help: "Epochs.")
    var epochs = 3

    @Option(in: .batch, help: "Rows per step.")
    var batchSize = 32

    @Option(in: .learningRate, help: "Peak learning rate; by default 2e-5, or 1e-4 if the model's hidden size is below 512.")
    var learningRate: Double?

    @Option(in: Bounds(above: 0, through: 1), help: "Each layer's learning rate relative to the layer above it.")
    var layerDecay = 1.0

    @Option(in: Bounds(0...1000), help: "Weight decay of AdamW.")
    var weightDecay = 0.01

    @Option(in: .share, help: "Proportion of steps used for warm-up.")
    var warmup = 0.06

    @Option(in: .dropout, help: "Dropout; by default the model's.")
    var dropout: Double?

    @Option(help: ArgumentHelp("Penalty that pulls the weights toward the pretrained ones.", valueName: "weights=0.01@pretrained"))
    var penalty: String?

    @Flag(help: "Keep the epoch with the best score on a held-out tenth of the training rows.")
    var earlyStopping = false

    @Option(name: .customLong("run"), help: ArgumentHelp("Folder of checkpoints and log; by default OUTPUT.run.", valueName: "dir"))
    var runFolder: String?

    @Flag(help: "Start over, ignoring checkpoints.")
    var fresh = false

    @OptionGroup(title: "Labels") var labelled: LabelledTableOptions
    @OptionGroup(title: "Figures") var figures: ClassifierFigureOptions
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    enum ClassWeights: String, CaseIterable, ExpressibleByArgument { case balanced, none }

    private var measures: Bool { folds != nil || !test.isEmpty }
    var isFrozen: Bool { freeze == "all" }

    func validate() throws {
        if tasks != nil {
            try validateTasks()
        } else {
            if input == nil { throw ValidationError("Missing expected argument '<input>'") }
            _ = try labelled.columns()
        }
        guard FineTuning.Freeze(freeze) != nil else {
            throw ValidationError("--freeze must be none, embeddings, all or a number of layers from 1, not '\(freeze)'")
        }
        if folds != nil && !test.isEmpty { throw ValidationError("--folds and --test exclude each other") }
        if !measures && output == nil { throw ValidationError("give -o MODEL to save a classifier, or --folds or --test to evaluate one") }
        if measures { try OutputName.requireTable(output) }
        if !measures {
            try refuse(
                [
                    ("--seeds", seeds > 1), ("--figure", figures.figure != nil), ("--calibration-figure", figures.calibrationFigure != nil),
                    ("--stratify", stratify),
                ],
                "is for --folds or --test")
        }
        if measures {
            try refuse([("--run", runFolder != nil), ("--fresh", fresh)], "is for -o MODEL; with --folds and --test nothing is saved")
        }
        if isFrozen {
            try refuse(
                [
                    ("--head", head != .mlp), ("--penalty", penalty != nil), ("--early-stopping", earlyStopping),
                    ("--layer-decay", layerDecay != 1), ("--dropout", dropout != nil),
                    ("--run", runFolder != nil), ("--epochs", epochs != 3), ("--batch-size", batchSize != 32),
                    ("--learning-rate", learningRate != nil), ("--weight-decay", weightDecay != 0.01),
                    ("--warmup", warmup != 0.06), ("--seeds", seeds > 1),
                ],
                "is for fine-tuning and cannot be combined with --freeze all, whose penalty is chosen in inner folds")
        }
        if setfit {
            try refuse(
                [
                    ("--freeze", freeze != "none"), ("--head", head != .mlp), ("--penalty", penalty != nil),
                    ("--early-stopping", earlyStopping), ("--layer-decay", layerDecay != 1), ("--dropout", dropout != nil),
                    ("--class-weights", classWeights == .balanced), ("--calibrate", calibrate), ("--run", runFolder != nil),
                    ("--second-column", labelled.secondColumn != nil),
                ],
                "cannot be combined with --setfit")
            if task != .classification { throw ValidationError("--setfit needs --task classification") }
        }
        if head == .linear, labelled.secondColumn != nil, !measures {
            throw ValidationError(
                "a linear head on pairs cannot be saved in a format that other programs load; take --head mlp, or evaluate it with --folds")
        }
        if calibrate, task != .classification { throw ValidationError("--calibrate needs --task classification") }
        if classWeights == .balanced, task != .classification {
            throw ValidationError("--class-weights balanced needs --task classification")
        }
        _ = try pull()
    }

    /// The strength of `--penalty weights=0.01@pretrained`.
    private func pull() throws -> Double {
        guard let penalty else { return 0 }
        let parts = penalty.split(separator: "@", omittingEmptySubsequences: false),
            sides = parts[0].split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == "pretrained", sides.count == 2, sides[0] == "weights", let value = Double(sides[1]), value >= 0,
            value.isFinite
        else {
            throw ValidationError("--penalty is weights=STRENGTH@pretrained, as weights=0.01@pretrained, not '\(penalty)'")
        }
        return value
    }

    func settings(for base: PretrainedBase) throws -> FineTuning {
        var settings = FineTuning()
        settings.head = head
        settings.freeze = FineTuning.Freeze(freeze) ?? .none
        (settings.epochs, settings.batchSize, settings.learningRate, settings.layerDecay) = (
            epochs, batchSize, learningRate ?? base.usualLearningRate, layerDecay
        )
        (settings.weightDecay, settings.warmup, settings.dropout, settings.pull) = (weightDecay, warmup, dropout, try pull())
        (settings.stopsEarly, settings.calibrates, settings.isBalanced) = (earlyStopping, calibrate, classWeights == .balanced)
        settings.seed = figures.seed
        settings.maxLength = model.maxLength
        settings.precision = model.encoderOptions.precision
        return settings
    }

    func run() throws {
        if let tasks, let output { return try trainTasks(tasks, to: output) }
        guard let input else { return }
        let run = runFolder ?? (output.map { $0 + ".run" })
        try writing.check(
            inputs: [input, model.inputFolder] + test, files: (measures ? [output] : []) + figures.files,
            folders: measures ? [] : [output] + (isFrozen || setfit ? [] : [run]), continuing: [run].compactMap(\.self))
        var data = try labelled.read(input, table, task: task, isQuiet: report.quiet)
        let trained = Array(0..<data.count)
        for path in test {
            let more = try labelled.read(
                path, table, task: task, known: data.task == .regression ? nil : data.labels, needsVariety: false, isQuiet: report.quiet)
            data = try data.appending(more)
        }
        if measures { try measure(data, trained) } else if let output { try save(data, to: output, run: run ?? output + ".run") }
    }

    // MARK: Methods

    func frozen(_ data: LabelledTexts) throws -> (method: FrozenMethod, encoder: any TextEncoder) {
        let encoder = try model.textEncoder(isQuiet: report.quiet) { try $0(data.texts + (data.seconds ?? [])) }
        var places: [String: Int] = [:], distinct: [String] = []
        for text in data.texts + (data.seconds ?? []) where places[text] == nil {
            places[text] = distinct.count
            distinct.append(text)
        }
        let (vectors, counts) = try encoder.encodeCounting(distinct)
        if !model.isWordFile { ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet) }
        func rows(_ texts: [String]) -> Tensor<Float> {
            var result = Tensor<Float>(uninitialized: [texts.count, encoder.dimension])
            Float.gatherRows(vectors.view, texts.map { Int32(places[$0] ?? 0) }, into: &result.target)
            return result
        }
        var method = FrozenMethod(
            name: "frozen \(encoder.name)", first: rows(data.texts), second: data.seconds.map(rows), isBalanced: classWeights == .balanced,
            seed: figures.seed, threads: model.threads)
        method.calibrates = calibrate
        return (method, encoder)
    }

    func base() throws -> PretrainedBase {
        try PretrainedBase(model: model.model, maxLength: model.maxLength, dictionary: model.dictionary)
    }

    /// Token ids of all rows; reports how many were truncated.
    func encodings(_ data: LabelledTexts, _ base: PretrainedBase) throws -> [Encoding] {
        let (encodings, truncated) = try base.encode(data, threads: model.threads)
        if truncated > 0 && !report.quiet {
            Console.say(
                "note: \(Console.grouped(truncated)) of \(Console.grouped(data.count)) texts were longer than \(base.maxLength) "
                    + "tokens and were truncated (--max-length)")
        }
        return encodings
    }

    func contrastive(
        _ data: LabelledTexts, _ base: PretrainedBase, _ encodings: [Encoding], seed: UInt64, _ view: StepLine
    ) throws -> SetFitMethod {
        var method = try SetFitMethod(
            name: "SetFit \(base.directory.name)", base: base, data: data, encodings: encodings, seed: seed, threads: model.threads,
            shouldStop: { Interruption.isRequested }, watch: { view.show($0) })
        if let learningRate { method.learningRate = learningRate }
        return method
    }

    /// What the record says of fine-tuning.
    func tuning(_ settings: FineTuning) -> [(key: String, value: JSON)] {
        [
            ("freeze", .string(freeze)), ("head", .string(head.rawValue)), ("epochs", .integer(epochs)),
            ("batch_size", .integer(batchSize)), ("learning_rate", .number(settings.learningRate)), ("layer_decay", .number(layerDecay)),
            ("weight_decay", .number(weightDecay)), ("warmup", .number(warmup)), ("early_stopping", .bool(earlyStopping)),
            ("penalty", penalty.map(JSON.string) ?? .null),
        ]
    }

    // MARK: Saving

    private func save(_ data: LabelledTexts, to output: String, run: String) throws {
        let base = try base(), rows = Array(0..<data.count), folder = URL(fileURLWithPath: output)
        var writer = ClassifierWriter(base: base, task: data.task, labels: data.labels, learnedFrom: data.sha256)
        var facts: [(key: String, value: JSON)] = [
            ("output", .string(SystemName.last(of: output))), ("rows", .integer(data.count)),
            ("labels", .array(data.labels.map(JSON.string))),
        ]
        if setfit {
            let view = StepLine(isQuiet: report.quiet)
            view.begin("contrastive step")
            try contrastive(data, base, encodings(data, base), seed: figures.seed, view).save(data, to: folder)
            view.end()
        } else if isFrozen {
            guard data.seconds == nil else {
                throw DataError(
                    .usage,
                    "a classifier of pairs on frozen vectors cannot be saved in a format that other programs load; "
                        + "evaluate it with --folds, or leave out --freeze all to encode pairs together")
            }
            guard !model.isWordFile, model.truncateDim == nil else {
                throw DataError(.usage, "a classifier can only be saved with an unmodified sentence model; evaluate others with --folds")
            }
            let (method, encoder) = try frozen(data)
            let head = try method.fit(data, train: rows)
            (writer.prompt, writer.normalizes) = (encoder.prompt, model.normalize)
            writer.temperature = try method.temperature(data, train: rows, head)
            try writer.write(head, to: folder)
            facts.append(("penalty", .number(head.penalty)))
            if head.isAtEdge && !report.quiet { Console.say("note: the chosen penalty is the weakest or strongest of those tried") }
        } else {
            let settings = try settings(for: base), runFolder = URL(fileURLWithPath: run), encodings = try encodings(data, base)
            let parts = try ClassifierTrainer.parts(of: rows, data, settings)
            let trainer = try ClassifierTrainer(
                settings, base: base, data: data, encodings: encodings, train: parts.train, heldOut: parts.heldOut, threads: model.threads)
            if fresh { try Checkpoint.removeAll(in: runFolder) }
            let view = StepLine(isQuiet: report.quiet)
            view.begin("fine-tuning", steps: trainer.steps)
            try trainer.run(in: runFolder, shouldStop: { Interruption.isRequested }, watch: { view.show($0) })
            view.end()
            writer.temperature = try trainer.temperature()
            try writer.write(trainer.network, to: folder)
            facts +=
                [
                    ("steps", .integer(trainer.step)),
                    ("best_step", trainer.history.best == nil ? .null : .integer(trainer.history.bestStep)),
                    ("held_out", trainer.history.best.map(JSON.number) ?? .null),
                ] + tuning(settings)
        }
        facts.append(("temperature", writer.temperature.map(JSON.number) ?? .null))
        if report.json { return try Console.print(JSON.object(facts).serialized(.pretty)) }
        if !report.quiet {
            Console.say(
                "\(output): \(Console.counted(data.count, "row")), labels \(data.labels.prefix(8).joined(separator: ", "))\(data.labels.count > 8 ? ", …" : "")"
                    + (writer.temperature.map { ", temperature \(Console.fixed($0, 3))" } ?? ""))
        }
    }
}
