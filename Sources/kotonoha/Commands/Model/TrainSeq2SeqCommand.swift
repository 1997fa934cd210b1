import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Training

struct TrainSeq2SeqCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seq2seq", abstract: "Train a network that turns one text into another.",
        discussion: """
            INPUT has a source and a target in every row. Without --from a new network is
            created as set by the options or --config, with a vocabulary of the characters
            (--unit characters) or words (--unit words) that occur, or with the given
            --tokenizer. Accuracy is measured free-running: the network reads its own
            output back.
            """)

    @Argument(help: "TSV, CSV, spreadsheet or JSON lines with the pairs; - is standard input.")
    var input: String

    @Option(name: .shortAndLong, help: "Folder of the model: config.json, model.safetensors, tokenizer.json.")
    var output: String

    @Option(help: "Column of the sources, by name or number from 1.") var sourceColumn = "1"
    @Option(help: "Column of the targets.") var targetColumn = "2"
    @Option(help: "Pairs to evaluate on, with the same columns; by default the training pairs.") var dev: String?
    @Flag(help: "Remove spaces from both columns (Japanese text that is split into words).") var removeSpaces = false

    @Option(help: "A model to continue from.") var from: String?
    @Option(help: "config.json of a new network; its vocabulary size is set by the tokenizer.") var config: String?
    @Option(help: "tokenizer.json of a new network.") var tokenizer: String?
    @Option(help: "Unit of a new vocabulary: characters or words.") var unit: SymbolUnit = .characters
    @Flag(help: "Characters outside the vocabulary become [UNK] instead of an error.") var keepUnknown = false

    @OptionGroup(title: "Shape of a new network") var shape: Seq2SeqShapeOptions
    @OptionGroup(title: "Training") var training: Seq2SeqTrainingArguments
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    @OptionGroup(title: "Items") var itemReport: ItemReportOptions
    @Option(in: Bounds(0...1_000_000_000), help: "Number of wrong outputs to show at the end.") var show = 10

    func validate() throws {
        if from != nil && (config != nil || tokenizer != nil) {
            throw ValidationError("--from has its own configuration and tokenizer; leave out --config and --tokenizer")
        }
        if from != nil || config != nil {
            try refuse(shape.given, "is for a new network; \(from == nil ? "--config" : "--from") brings its own shape")
        }
    }

    func run() throws {
        try writing.check(inputs: [input, dev, from, config, tokenizer], files: [itemReport.html, itemReport.items], folders: [output])
        var sources: [Provenance.Source] = [], carried: [String] = []
        func read(_ path: String) throws -> [Seq2SeqItem] {
            let rows = try TextTable(path: path, options: table.options(isQuiet: report.quiet), wanted: [sourceColumn, targetColumn])
            let items = try readSeq2SeqItems(rows, sourceColumn: sourceColumn, targetColumn: targetColumn, removesSpaces: removeSpaces)
            carried = try otherSeq2SeqColumns(rows, sourceColumn: sourceColumn, targetColumn: targetColumn)
            sources.append(.init(path: path, sha256: try rows.sha256()))
            return items
        }
        let items = try read(input), devItems = try dev.map(read)
        let model = try from.map { try Seq2SeqModel(directory: $0) } ?? newModel(items)
        let examples = try model.examples(of: items, keepsUnknown: keepUnknown, file: input)
        let measured = try devItems.map { ($0, try model.examples(of: $0, keepsUnknown: keepUnknown, file: dev)) } ?? (items, examples)
        let trainer = try Seq2SeqTrainer(model.network, examples: examples, options: try training.options())
        if !report.quiet {
            Console.say(
                "\(Console.counted(items.count, "pair")), \(Console.counted(model.network.parameterCount, "parameter")), vocabulary \(Console.grouped(model.configuration.vocabularySize))"
            )
        }
        let progress = ProgressLine(unit: "steps", isQuiet: report.quiet)
        let stepsInEpoch = (examples.count + training.batchSize - 1) / training.batchSize, total = stepsInEpoch * training.epochs
        var last: FreeRunningEvaluation?
        for epoch in 1...training.epochs {
            let result = try trainer.runEpoch(learningRate: training.schedule(totalSteps: total)) { step, loss in
                progress.update(done: step, fraction: Double(step) / Double(total), note: "loss \(Console.fixed(loss, 3))")
            }
            let isLast = epoch == training.epochs || Interruption.isRequested
            if isLast || epoch % training.evaluateEvery == 0 {
                let evaluation = try FreeRunningEvaluation(
                    model, items: measured.0, examples: measured.1, unit: unit, threads: training.threads)
                last = evaluation
                progress.finish()
                try say(result, evaluation)
                if evaluation.exactMatch >= training.until { break }
            }
            if isLast { break }
        }
        progress.finish()
        try model.save(to: output)
        if let last {
            var record = provenance(seed: training.seed)
            record.inputs = sources
            try itemReport.write(last, title: "kotonoha train seq2seq", carried: carried, provenance: record)
            showDifferences(last)
        }
        if Interruption.isRequested {
            throw DataError(.interrupted, "stopped after \(trainer.epochs) epochs; the model so far is in \(output)")
        }
    }

    private func newModel(_ items: [Seq2SeqItem]) throws -> Seq2SeqModel {
        let json =
            try tokenizer.map { try JSON(contentsOf: $0) } ?? makeSymbolTokenizer(items.flatMap { [$0.source, $0.target] }, unit: unit)
        var configuration =
            try config.map { try Seq2SeqConfiguration(json: JSON(contentsOf: $0, spellsOutNaN: true), file: $0) } ?? shape.configuration()
        configuration = try Seq2SeqModel.fitted(configuration, to: json)
        return try Seq2SeqModel(network: makeSeq2SeqNetwork(configuration, seed: training.seed), tokenizerJSON: json)
    }

    private func say(_ epoch: Seq2SeqEpoch, _ evaluation: FreeRunningEvaluation) throws {
        if report.json {
            try Console.print(
                JSON.object(
                    [
                        ("epoch", .integer(epoch.epoch)), ("loss", .number(epoch.loss)),
                        ("teacher_forced_token_accuracy", .number(epoch.teacherForcedTokenAccuracy)),
                    ] + evaluation.measures
                ).serialized())
        } else if !report.quiet {
            Console.say(
                "epoch \(epoch.epoch): loss \(Console.fixed(epoch.loss, 4)), teacher-forced tokens \(Console.fixed(100 * epoch.teacherForcedTokenAccuracy, 1)) %; "
                    + evaluation.summary)
        }
    }

    private func showDifferences(_ evaluation: FreeRunningEvaluation) {
        let wrong = evaluation.items.filter { !$0.isExact }
        guard !report.quiet, show > 0, !wrong.isEmpty else { return }
        let isColoured = itemReport.isColoured(Console.errorIsTerminal)
        Console.say("line  source  target  output")
        for item in wrong.prefix(show) {
            let texts =
                [item.item.source, item.item.target].map { isColoured ? $0.escapedForTerminal : $0 } + [
                    isColoured ? item.comparison.coloured : item.output
                ]
            Console.say((["\(item.item.line)"] + texts).joined(separator: "  "), isStyled: isColoured)
        }
        if wrong.count > show { Console.say("… and \(wrong.count - show) more; see --show, --html and --items") }
    }
}

extension SymbolUnit: ExpressibleByArgument {}
extension ParameterGroup: ExpressibleByArgument {}

/// The shape of a new network.
struct Seq2SeqShapeOptions: ParsableArguments {
    @Option(help: "transformer, lstm or gru.") var network = "transformer"
    @Option(in: .dimension, help: "Size of the hidden states.") var hiddenSize = 64
    @Option(in: .layers, help: "Layers of the encoder and of the decoder.") var layers = 1
    @Option(in: .heads, help: "Heads of a Transformer's attention.") var heads = 4
    @Option(in: .intermediate, help: "Feed-forward size of a Transformer; by default twice the hidden size.") var feedForward: Int?
    @Option(help: "Layer norm placement of a Transformer: post or pre.") var norm: NormPlacement = .post
    @Option(help: "A Transformer's positions: sinusoidal or learned.") var positions: Positions = .sinusoidal
    @Option(in: .dimension, help: "Embedding size of a recurrent network; by default the hidden size.") var embeddingSize: Int?
    @Option(help: "Attention of a recurrent network: none, additive (Bahdanau), dot, general or concat (Luong).") var attention:
        RecurrentAttention = .none
    @Flag(help: "Make a recurrent encoder bidirectional.") var bidirectional = false
    @Flag(help: "Feed the attentional output into the next step (Luong).") var inputFeeding = false
    @Flag(help: "Tie the output layer to the embedding table.") var tied = false
    @Option(in: .dropout, help: "Dropout.") var dropout = 0.0
    @Option(in: .tokens, help: "Maximum length of source and target in tokens.") var maxLength = 256

    /// Options that differ from their default.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("--network", network != "transformer"), ("--hidden-size", hiddenSize != 64), ("--layers", layers != 1),
            ("--heads", heads != 4), ("--feed-forward", feedForward != nil),
            ("--norm", norm != .post), ("--positions", positions != .sinusoidal), ("--embedding-size", embeddingSize != nil),
            ("--attention", attention != .none),
            ("--bidirectional", bidirectional), ("--input-feeding", inputFeeding), ("--tied", tied), ("--max-length", maxLength != 256),
        ]
    }

    func configuration() throws -> Seq2SeqConfiguration {
        let architecture: Seq2SeqConfiguration.Architecture
        switch network {
        case "transformer":
            var shape = Seq2SeqConfiguration.Transformer()
            shape.hiddenSize = hiddenSize
            (shape.encoderLayers, shape.decoderLayers) = (layers, layers)
            shape.attentionHeads = heads
            shape.intermediateSize = feedForward ?? 2 * hiddenSize
            shape.normPlacement = norm
            shape.finalNorm = norm == .pre
            shape.positions = positions
            architecture = .transformer(shape)
        case "lstm", "gru":
            var shape = Seq2SeqConfiguration.Recurrent()
            shape.cell = network == "lstm" ? .lstm : .gru
            shape.hiddenSize = hiddenSize
            shape.embeddingSize = embeddingSize ?? hiddenSize
            shape.layers = layers
            shape.attention = attention
            shape.bidirectional = bidirectional
            shape.inputFeeding = inputFeeding
            architecture = .recurrent(shape)
        default: throw ValidationError("--network '\(network)' is unknown; expected transformer, lstm or gru")
        }
        var configuration = Seq2SeqConfiguration(architecture, vocabularySize: 4)
        configuration.tiedOutput = tied
        configuration.dropout = dropout
        configuration.maximumLength = maxLength + 1
        return configuration
    }

    func validate() throws {
        if network == "transformer" && (attention != .none || bidirectional || inputFeeding) {
            throw ValidationError("--attention, --bidirectional and --input-feeding are for recurrent networks; add --network lstm or gru")
        }
        if network != "transformer" && (norm != .post || positions != .sinusoidal || feedForward != nil) {
            throw ValidationError("--norm, --positions and --feed-forward are for --network transformer")
        }
    }
}

typealias NormPlacement = EncoderConfiguration.NormPlacement
typealias Positions = Seq2SeqConfiguration.Transformer.Positions
typealias RecurrentAttention = Seq2SeqConfiguration.Recurrent.Attention
extension NormPlacement: ExpressibleByArgument {}
extension Positions: ExpressibleByArgument {}
extension RecurrentAttention: ExpressibleByArgument {}

/// How it learns.
struct Seq2SeqTrainingArguments: ParsableArguments {
    @Option(in: .epochs, help: "Epochs.") var epochs = 20
    @Option(in: .batch, help: "Pairs per step.") var batchSize = 32
    @Option(help: "sgd, momentum, nesterov, adagrad, adam, adamw or lamb.") var optimizer = "adam"
    @Option(in: .learningRate, help: "Learning rate.") var learningRate = 1e-3
    @Option(in: Bounds(0...1_000_000_000), help: "Warm-up steps of the learning rate.") var warmUp = 0
    @Option(help: "Schedule after warm-up: constant, linear or cosine.") var schedule = "constant"
    @Option(in: .clip, help: "Maximum gradient norm; 0 for no limit.") var clip = 1.0
    @Option(in: Bounds(0..<1), help: "Label smoothing.") var labelSmoothing = 0.0
    @Option(in: .share, help: "Scheduled sampling: the proportion of decoder inputs that are the network's own outputs.") var sampledInput =
        0.0
    @Option(
        help: ArgumentHelp(
            "Parameters to freeze: embeddings, encoder, decoder, attention, recurrence, output. May be repeated.", valueName: "group"))
    var freeze: [ParameterGroup] = []
    @Option(
        help: ArgumentHelp(
            "Add λ‖θ‖² of a group to the loss: GROUP=λ pulls toward zero, GROUP=λ@pretrained toward the weights of --from. May be repeated.",
            valueName: "group=λ"))
    var penalty: [String] = []
    @Option(help: "Precision of matrix products: f32 or bf16.") var trainingPrecision: Precision = .f32
    @Option(in: .epochs, help: "Epochs between evaluations.") var evaluateEvery = 1
    @Option(in: Bounds(0...2), help: "Stop when this proportion of outputs is exact.") var until = 1.1
    @Option(in: .seed, help: "Seed of weights and order.") var seed: UInt64 = 0
    @Option(in: .threads, help: "Number of threads; results do not depend on it.") var threads = Parallel.availableThreads

    func validate() throws {
        guard ["constant", "linear", "cosine"].contains(schedule) else { throw ValidationError("--schedule is constant, linear or cosine") }
        guard trainingPrecision != .int8 else { throw ValidationError("--training-precision is f32 or bf16") }
        _ = try options()
    }

    func options() throws -> Seq2SeqTrainingOptions {
        var options = Seq2SeqTrainingOptions()
        guard let method = OptimizerConfiguration.Method(rawValue: optimizer) else {
            throw ValidationError(
                "--optimizer '\(optimizer)' is unknown; expected one of "
                    + "\(OptimizerConfiguration.Method.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        options.optimizer = OptimizerConfiguration(method, learningRate: learningRate)
        options.batchSize = batchSize
        // At least four shards, so that several threads have work; fixed by the batch, so that the result does not depend on their number.
        options.shardSize = max(8, min(64, (batchSize + 3) / 4))
        options.labelSmoothing = labelSmoothing
        options.sampledInput = sampledInput
        options.clipping = clip
        options.frozen = Set(freeze)
        options.penalties = try penalty.map { text in
            let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
            let values = sides.count == 2 ? sides[1].split(separator: "@", maxSplits: 1).map(String.init) : []
            guard sides.count == 2, let group = ParameterGroup(rawValue: sides[0]), let lambda = values.first.flatMap(Double.init),
                lambda >= 0, lambda.isFinite,
                let target = values.count == 2 ? Seq2SeqTrainingOptions.Penalty.Target(rawValue: values[1]) : .zero
            else {
                throw ValidationError(
                    "--penalty '\(text)' should look like attention=0.01 or recurrence=0.1@pretrained; groups are \(ParameterGroup.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            return .init(group: group, lambda: lambda, target: target)
        }
        options.precision = trainingPrecision
        options.seed = seed
        options.threads = threads
        return options
    }

    func schedule(totalSteps: Int) -> (Int) -> Double {
        let rate = learningRate, warmUp = Double(warmUp), total = Double(totalSteps), kind = schedule
        return { step in
            let t = Double(step)
            if t < warmUp { return rate * (t + 1) / warmUp }
            let left = max(0, 1 - (t - warmUp) / max(1, total - warmUp))
            switch kind {
            case "linear": return rate * left
            case "cosine": return rate * 0.5 * (1 - cos(.pi * left))
            default: return rate
            }
        }
    }
}
