import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Interpretation
import ModelFolders
import SentenceEmbedding
import Tensors
import Tokenizers
import VectorStore

struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Structural probes: find the dependency tree in word vectors.",
        discussion: """
            A probe is a linear map under which distances between word vectors approximate
            distances in the dependency tree (Hewitt & Manning 2019). Make word vectors
            first:

              kotonoha embed train.conllu -o train.h5 --tokens
              kotonoha embed dev.conllu -o dev.h5 --tokens
              kotonoha probe sweep --train train.h5 train.conllu --dev dev.h5 dev.conllu -o layers.tsv --figure layers.svg
            """,
        subcommands: [
            ProbeTrainCommand.self, ProbeEvaluateCommand.self, ProbeParseCommand.self, ProbeCompareCommand.self, ProbeSweepCommand.self,
        ])
}

/// Options of commands that read treebanks with their vectors.
struct ProbeDataOptions: ParsableArguments {
    @Option(
        help: "Punctuation left out of trees, by tag set: upos, penn, unidic or none. By default the one that fits the treebank's tags.")
    var punctuation: PunctuationRule?

    @Option(
        help: ArgumentHelp(
            "The model whose word pieces the vectors belong to, for files of other programs with one vector per piece.",
            valueName: "dir|name"))
    var pieceModel: String?

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    /// Opens a layer file and its treebank, given as two arguments of an option.
    func open(_ pair: [String], option: String) throws -> ProbeInput {
        guard pair.count == 2 else { throw ValidationError("\(option) takes two files: the word vectors and their treebank") }
        return try ProbeInput(vectors: pair[0], treebank: pair[1], options: self)
    }
}

extension PunctuationRule: ExpressibleByArgument {}
extension ProbeKind: ExpressibleByArgument {}

/// A treebank and the vectors of its words.
struct ProbeInput {
    let file: LayerFile
    let treebank: Treebank
    let corpus: ProbeCorpus
    private let pieces: PieceAlignment?

    init(vectors: String, treebank path: String, options: ProbeDataOptions) throws {
        treebank = try Treebank(path: path)
        corpus = try ProbeCorpus(treebank, punctuation: options.punctuation)
        file = try LayerFile(path: vectors)
        let (treebank, file) = (treebank, file)
        pieces = try options.pieceModel.map { model in
            let tokenizer = try Tokenizer(directory: ModelDirectory(folder: ModelLocation.folder(for: model)).transformerFolder)
            return try PieceAlignment(treebank, tokenizer: tokenizer) { $0 < file.sentenceCount ? try file.tokenCount($0) : 0 }
        }
    }

    /// The layers' vectors, each (words, dimension).
    func vectors(_ layers: [Int]) throws -> [Tensor<Float>] {
        let sentences = treebank.sentences
        return try file.load(
            layers: layers, words: sentences.map(\.words.count), name: treebank.name,
            pieces: pieces.map { pieces in { pieces.sentences[$0] } })
    }

    /// What went in, for the provenance: the treebank's hash is of the bytes that were read.
    func sources() throws -> [Provenance.Source] {
        [try .init(hashing: file.path), .init(path: treebank.file, sha256: treebank.sha256)]
    }

    /// Note about the words excluded from trees.
    var note: String {
        "\(URL(fileURLWithPath: treebank.file).lastPathComponent): \(Console.grouped(corpus.sentences.count)) sentences, \(Console.grouped(corpus.wordCount)) words; "
            + "left out as punctuation: \(Console.grouped(corpus.punctuationCount)) (\(corpus.punctuation.summary))"
    }
}

/// Measures as lines of text and as JSON.
struct ProbeReport {
    let evaluation: ProbeEvaluation
    var measures: [ProbeMeasure] { ProbeMeasure.allCases.filter { evaluation.has($0) } }

    var lines: String {
        (["measure\tvalue\tlow\thigh"]
            + measures.map { measure in
                let interval = evaluation.interval(measure)
                return [
                    measure.rawValue, Console.fixed(evaluation.value(measure), 4), interval.map { Console.fixed($0.lowerBound, 4) } ?? "",
                    interval.map { Console.fixed($0.upperBound, 4) } ?? "",
                ].joined(separator: "\t")
            }).joined(separator: "\n")
    }

    var json: JSON {
        .object(
            measures.map { measure in
                var members: [(key: String, value: JSON)] = [("value", .number(evaluation.value(measure)))]
                if let interval = evaluation.interval(measure) {
                    members += [("low", .number(interval.lowerBound)), ("high", .number(interval.upperBound))]
                }
                return (measure.rawValue, .object(members))
            })
    }

    /// Recall by relation (the commonest first) and by distance in the sentence.
    var details: String {
        func line(_ name: String, _ tally: Tally) -> String {
            "\(name)\t\(Console.fixed(tally.share, 4))\t\(tally.correct)\t\(tally.total)"
        }
        let relations = evaluation.byRelation.sorted { ($1.value.total, $0.key) < ($0.value.total, $1.key) }
        let lengths = evaluation.byLength.sorted { $0.key < $1.key }
        return
            (["", "relation\trecall\tfound\tedges"] + relations.map { line($0.key, $0.value) }
            + ["", "words apart\trecall\tfound\tedges"] + lengths.map { line(String($0.key), $0.value) }).joined(separator: "\n")
    }
}

/// How probes are trained.
struct ProbeTrainingOptions: ParsableArguments {
    @Flag(help: "Use the settings of the public reference implementation, to reproduce published results.")
    var reference = false

    @Option(in: .batch, help: "Sentences in a batch.")
    var batch: Int?

    @Option(in: .learningRate, help: "Learning rate of Adam.")
    var learningRate: Double?

    @Option(in: .epochs, help: "Maximum number of epochs.")
    var epochs: Int?

    /// Settings for a kind and a rank.
    var training: @Sendable (ProbeKind, Int) -> ProbeTraining {
        let (reference, batch, learningRate, epochs) = (reference, batch, learningRate, epochs)
        return { kind, rank in
            var training = reference ? ProbeTraining.reference(kind, rank: rank) : .improved(kind, rank: rank)
            if let batch { training.batch = batch }
            if let learningRate { training.learningRate = learningRate }
            if let epochs { training.maximumEpochs = epochs }
            return training
        }
    }
}

struct ProbeTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "train", abstract: "Train a distance and a depth probe on one layer.")

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Word vectors and treebank to learn from.", valueName: "vectors treebank"))
    var train: [String]

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Word vectors and treebank that decide when to stop.", valueName: "vectors treebank"))
    var dev: [String]

    @Option(in: Bounds(0...1024), help: "The layer: 0 for the embeddings, then 1, 2, …")
    var layer: Int

    @Option(in: .dimension, help: "Rank of the map B; by default 128, or the dimension of the vectors if smaller.")
    var rank: Int?

    @Option(help: "distance or depth; both if not given.")
    var kind: ProbeKind?

    @Option(in: .seed, help: "Seed of the initialization and of the order of sentences.")
    var seed: UInt64 = 0

    @Option(name: .shortAndLong, help: "The probe's file (.safetensors).")
    var output: String

    @OptionGroup(title: "Training") var training: ProbeTrainingOptions
    @OptionGroup(title: "Data") var data: ProbeDataOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        try writing.check(inputs: train + dev, files: [output])
        let learned = try data.open(train, option: "--train"), held = try data.open(dev, option: "--dev")
        try held.file.requireSameEncoder(as: learned.file)
        if !report.quiet { for input in [learned, held] { Console.say(input.note) } }
        var sweep = ProbeSweep(layers: [layer], ranks: [rank ?? min(128, learned.file.dimension)], training: training.training)
        sweep.seeds = [seed]
        sweep.kinds = kind.map { [$0] } ?? ProbeKind.allCases
        let devSet = ProbeSweep.DataSet(corpus: held.corpus, vectors: try held.vectors([layer]))
        let results = try sweep.run(
            train: .init(corpus: learned.corpus, vectors: learned.vectors([layer])), dev: devSet, test: devSet, threads: data.threads,
            isCancelled: { Interruption.isRequested })
        let result = results[0]
        var provenance = provenance(seed: seed)
        provenance.inputs = try [learned, held].flatMap { try $0.sources() }
        provenance.settings = ProbeRecord.settings(of: sweep, train: learned, dev: held)
        let file = ProbeFile(
            layer: layer, distance: result.trained.first { $0.probe.kind == .distance }?.probe,
            depth: result.trained.first { $0.probe.kind == .depth }?.probe,
            model: learned.file.metadata?.model ?? "", modelSHA256: learned.file.metadata?.modelSHA256 ?? "",
            pieces: learned.file.pieces, text: learned.file.text, remarks: [("provenance", provenance.json().serialized())])
        try file.write(to: output)
        if !report.quiet {
            for trained in result.trained {
                Console.say(
                    "\(trained.probe.kind.rawValue): best of \(trained.epochs.count) epochs is \(trained.bestEpoch + 1), dev loss \(Console.fixed(trained.devLoss, 4))"
                )
            }
        }
        let scores = ProbeReport(evaluation: result.evaluation)
        try Console.print(report.json ? scores.json.serialized(.pretty) : scores.lines)
    }
}

struct ProbeEvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Score a probe on a treebank, next to baselines without syntax.")

    @Argument(help: "The probe's file.")
    var probe: String

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Word vectors and treebank to score.", valueName: "vectors treebank"))
    var test: [String]

    @Flag(help: "Also report recall by relation and by distance.")
    var details = false

    @OptionGroup(title: "Data") var data: ProbeDataOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let probes = try ProbeFile(path: probe), input = try data.open(test, option: "--test")
        try probes.require(of: input, path: probe)
        if !report.quiet { Console.say(input.note) }
        let vectors = try input.vectors([probes.layer])[0]
        let scores = ProbeReport(evaluation: try ProbeSweep.evaluate(probes, input.corpus, vectors, threads: data.threads))
        var rows = [("probe", scores)]
        for baseline in ProbeBaseline.allCases {
            rows.append((baseline.rawValue, ProbeReport(evaluation: try ProbeSweep.evaluate(baseline, input.corpus))))
        }
        let random = try ProbeSweep.evaluateRandom(rank: probes.probes.map(\.rank).max() ?? 1, seed: 0, input.corpus, vectors)
        rows.append(("random projection", ProbeReport(evaluation: random)))
        if report.json {
            return try Console.print(JSON.object(rows.map { ($0.0, $0.1.json) }).serialized(.pretty))
        }
        try Console.print(rows.map { "# \($0.0)\n\($0.1.lines)" }.joined(separator: "\n\n"))
        if details { try Console.print(scores.details) }
    }
}

extension ProbeFile {
    /// Checks that vectors come from this probe's encoder.
    func require(of input: ProbeInput, path: String) throws {
        try require(
            model: input.file.metadata?.model ?? "another model", modelSHA256: input.file.metadata?.modelSHA256 ?? "",
            dimension: input.file.dimension, of: input.file.path, path: path)
    }
}

struct ProbeCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare the probes of two encoders on one treebank.",
        discussion: "Differences are first minus second, with 95 % intervals and p-values of the paired bootstrap over sentences.")

    @Argument(help: "The first probe's file.")
    var first: String

    @Argument(help: "The second probe's file.")
    var second: String

    @Option(help: "Word vectors for the first probe.")
    var firstVectors: String

    @Option(help: "Word vectors for the second probe.")
    var secondVectors: String

    @Option(help: "The treebank of both.")
    var treebank: String

    @OptionGroup(title: "Data") var data: ProbeDataOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let evaluations = try [(first, firstVectors), (second, secondVectors)].map { probe, vectors in
            let probes = try ProbeFile(path: probe), input = try ProbeInput(vectors: vectors, treebank: treebank, options: data)
            try probes.require(of: input, path: probe)
            if !report.quiet {
                Console.say(
                    "\(URL(fileURLWithPath: probe).lastPathComponent): layer \(probes.layer) of \(input.file.summary)\n\(input.note)")
            }
            return try ProbeSweep.evaluate(probes, input.corpus, input.vectors([probes.layer])[0], threads: data.threads)
        }
        let differences = ProbeMeasure.allCases.compactMap { measure in
            evaluations[0].difference(measure, from: evaluations[1]).map { (measure, $0) }
        }
        if report.json {
            return try Console.print(
                JSON.object(
                    differences.map { measure, found in
                        (
                            measure.rawValue,
                            .object([
                                ("first", .number(evaluations[0].value(measure))), ("second", .number(evaluations[1].value(measure))),
                                ("difference", .number(found.value)),
                                ("low", .number(found.interval.lowerBound)), ("high", .number(found.interval.upperBound)),
                                ("p", .number(found.p)),
                            ])
                        )
                    }
                ).serialized(.pretty))
        }
        try Console.print(
            (["measure\tfirst\tsecond\tdifference\tlow\thigh\tp"]
                + differences.map { measure, found in
                    ([measure.rawValue]
                        + [
                            evaluations[0].value(measure), evaluations[1].value(measure), found.value, found.interval.lowerBound,
                            found.interval.upperBound,
                        ]
                        .map { Console.fixed($0, 4) } + [Console.fixed(found.p, 3)]).joined(separator: "\t")
                }).joined(separator: "\n"))
    }
}
