import ArgumentParser
import Figures
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Tokenizers
import Training

/// Experiment 4: slips of the tongue in sentences.
struct SentenceSlips: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentence-slips", abstract: "Experiment 4: repetition of sentences, then slips in them.",
        discussion: "Needs a corpus with one sentence a line, words separated by spaces (see docs/experiments/sentence-slips.md).")

    @Argument(help: "Sentences to learn from.") var corpus: String
    @Argument(help: "Sentences to test repetition on.") var unseen: String
    @Option(help: "Attested and constructed slips.") var slips = "Datasets/speech-errors.tsv"
    @Option(name: .shortAndLong, help: "Folder of the results; the repeating networks go to repetition-SEED in it.") var output = "."
    @Option(help: "Seeds, as 0-9 or 3,5.") var seeds: SeedList = SeedList(seeds: [0])
    @Option(help: "A folder with repetition-SEED from an earlier run; repetition is then not learned again.") var from: String?
    @Option(help: "Pieces in the vocabulary.") var vocabulary = 8000
    @Option(help: "Size of the hidden states.") var hiddenSize = 384
    @Option(help: "Epochs of repetition.") var epochs = 8
    @Option(help: "Use this many sentences of the corpus; 0 for all.") var sentences = 0
    @Option(help: "Stop repetition after so many minutes; 0 for never.") var minutes = 0.0
    @Option(help: "Epochs over the slips.") var slipEpochs = 4
    @Option(help: "Slips of each kind to learn from.") var slipsOfEachKind = 2000
    @Option(parsing: .upToNextOption, help: "λ of the penalty that holds the attention at its pre-trained weights.") var lambda: [Double] =
        [0, 1e-3, 1e-1]
    @Option(help: "MeCab dictionary (IPA, UTF-8) that knows the words' classes and readings.") var dictionary =
        "/var/lib/mecab/dic/ipadic-utf8"
    @Option(
        help:
            "Where vertical slips find their words: embedding (a sentence-embedding model's vectors of words) or cooccurrence (in the corpus)."
    )
    var neighbours = NeighbourSpace.embedding
    @Option(help: "Model of the embedding space; the default model if not given.") var model: String?
    @Option(help: "f32 or bf16.") var precision = "f32"
    @Option(help: "Threads.") var threads = Parallel.availableThreads

    func run() throws {
        try makeFolder(output)
        guard let precision = Precision(rawValue: precision), precision != .int8 else {
            throw ValidationError("--precision is f32 or bf16")
        }
        var sentences = try read(corpus)
        if self.sentences > 0 { sentences = Array(sentences.prefix(self.sentences)) }
        let held = try read(unseen)
        let analysis = try WordAnalysis(dictionary: dictionary)
        let near = try WordNeighbours(sentences, space: neighbours, model: model, analysis: analysis, threads: threads)
        let generator = SlipGenerator(analysis: analysis, neighbours: near)
        var summary = SeedSummary()
        var table = ItemTable(columns: ["item", "condition", "seed", "measure", "value"])
        for seed in seeds.seeds {
            let model =
                try from.map { try Seq2SeqModel(directory: Self.folder(in: $0, seed)) }
                ?? repetition(sentences, held, seed: seed, precision, &table, &summary)
            if from != nil { try measureRepetition(model, sentences, held, seed: seed, &table, &summary) }
            for lambda in lambda { try slip(model, generator, sentences, held, lambda: lambda, seed: seed, precision, &table, &summary) }
        }
        try table.write(to: output, name: "sentence-slips-items")
        try summary.finish(in: output, name: "sentence-slips-runs")
    }

    private static func folder(in parent: String, _ seed: UInt64) -> String {
        URL(fileURLWithPath: parent, isDirectory: true).appendingPathComponent("repetition-\(seed)").path
    }

    private func read(_ path: String) throws -> [Words] {
        var options = TableOptions()
        options.format = .txt
        let lines = try TextTable(path: path, options: options)
        var result: [Words] = [], cells: [String] = []
        while try lines.next(into: &cells) != nil {
            let words = cells[0].split(separator: " ").map(String.init)
            if !words.isEmpty { result.append(words) }
        }
        guard !result.isEmpty else { throw DataError(.badData, "the file holds no sentences", file: lines.name) }
        return result
    }

    /// A unigram model (Kudo 2018) whose pieces are the corpus's most frequent words and all its characters, with their relative frequencies.
    private func makeTokenizer(_ sentences: [Words]) -> JSON {
        var words: [String: Int] = [:], characters: [String: Int] = [:]
        for sentence in sentences {
            for word in sentence {
                words[word, default: 0] += 1
                for scalar in word.unicodeScalars { characters[String(scalar), default: 0] += 1 }
            }
        }
        let special = ["[PAD]", "[BOS]", "[EOS]", "[UNK]"]
        let total = Double(words.values.reduce(0, +))
        let kept = words.filter { $0.key.unicodeScalars.count > 1 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .prefix(max(0, vocabulary - special.count - characters.count))
        var pieces: [(String, Double)] = special.map { ($0, 0) }
        pieces += kept.map { ($0.key, log(Double($0.value) / total)) }
        // A character that is not a word by itself counts as rarer than the rarest one.
        pieces += characters.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            ($0.key, log((Double(words[$0.key] ?? 0) + 0.1) / total))
        }
        return .object([
            ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
            (
                "added_tokens",
                .array(
                    special.enumerated().map { id, token in
                        .object([
                            ("id", .integer(id)), ("content", .string(token)), ("single_word", .bool(false)), ("lstrip", .bool(false)),
                            ("rstrip", .bool(false)), ("normalized", .bool(false)), ("special", .bool(true)),
                        ])
                    })
            ),
            ("normalizer", .null), ("pre_tokenizer", .null), ("post_processor", .null), ("decoder", .object([("type", .string("Fuse"))])),
            (
                "model",
                .object([
                    ("type", .string("Unigram")), ("unk_id", .integer(3)), ("byte_fallback", .bool(false)),
                    ("vocab", .array(pieces.map { .array([.string($0.0), .number($0.1)]) })),
                ])
            ),
        ])
    }

    private func items(_ sentences: [Words]) -> [Seq2SeqItem] {
        sentences.enumerated().map { Seq2SeqItem(source: $1.joined(), target: $1.joined(), line: $0 + 1) }
    }

    private func repetition(
        _ sentences: [Words], _ held: [Words], seed: UInt64, _ precision: Precision, _ table: inout ItemTable, _ summary: inout SeedSummary
    ) throws -> Seq2SeqModel {
        var shape = Seq2SeqConfiguration.Transformer()
        shape.hiddenSize = hiddenSize
        shape.intermediateSize = hiddenSize
        (shape.encoderLayers, shape.decoderLayers) = (2, 2)
        shape.normPlacement = .pre
        shape.finalNorm = true
        let tokenizer = makeTokenizer(sentences)
        var configuration = try Seq2SeqModel.fitted(Seq2SeqConfiguration(.transformer(shape), vocabularySize: 4), to: tokenizer)
        configuration.maximumLength = 128
        configuration.tiedOutput = true
        let model = try Seq2SeqModel(network: try makeSeq2SeqNetwork(configuration, seed: seed), tokenizerJSON: tokenizer)
        let seen = Set(sentences.map { $0.joined() })
        let test = items(held.filter { !seen.contains($0.joined()) })
        let testExamples = try model.examples(of: test, keepsUnknown: true, file: unseen)
        let examples = try model.examples(of: items(sentences), keepsUnknown: true, file: corpus)
        let tokens = examples.reduce(0) { $0 + $1.source.count }
        report(
            "Repetition, seed \(seed): \(sentences.count) sentences, \(tokens) tokens, vocabulary \(configuration.vocabularySize), \(model.network.parameterCount) parameters; \(test.count) unseen sentences"
        )
        var options = Seq2SeqTrainingOptions()
        options.optimizer = .init(.adam, learningRate: 1e-3)
        options.optimizer.beta2 = 0.98
        options.batchSize = 128
        options.shardSize = 16
        options.clipping = 1
        options.precision = precision
        options.seed = seed
        options.threads = threads
        let trainer = try Seq2SeqTrainer(model.network, examples: examples, options: options)
        let recipe = Recipe(
            name: "", architecture: configuration.architecture, learningRate: 1e-3, batchSize: 128, epochs: epochs, warmUp: 200)
        let begin = ContinuousClock.now, processor = processorTime()
        var losses: [Double] = [], sums = (loss: 0.0, steps: 0)
        report("epoch  loss  teacher-forced tokens %  free-running on unseen: exact %  character error rate %  minutes  processor minutes")
        for _ in 1...epochs {
            let epoch = try trainer.runEpoch(learningRate: recipe.schedule(stepsInEpoch: recipe.steps(examples.count))) { _, loss in
                sums = (sums.loss + loss, sums.steps + 1)
                if sums.steps == 10 {
                    losses.append(sums.loss / 10)
                    sums = (0, 0)
                }
            }
            try model.save(to: Self.folder(in: output, seed))
            try drawLosses(losses, seed: seed)
            let evaluation = try FreeRunningEvaluation(model, items: test, examples: testExamples, threads: threads)
            let spent = (ContinuousClock.now - begin) / .seconds(60)
            report(
                String(
                    format: "%d  %.4f  %.2f  %.1f  %.2f  %.1f  %.1f", epoch.epoch, epoch.loss, 100 * epoch.teacherForcedTokenAccuracy,
                    100 * evaluation.exactMatch,
                    100 * evaluation.characterErrorRate, spent, (processorTime() - processor) / 60))
            if epoch.epoch == epochs || (minutes > 0 && spent > minutes) {
                for item in evaluation.items {
                    table.add(item.item.line, "repetition of unseen sentences", seed, "exact", item.isExact ? 1 : 0)
                }
                Self.add(evaluation, seed, to: &summary)
                break
            }
        }
        return model
    }

    /// A repeating network from an earlier run, measured again.
    private func measureRepetition(
        _ model: Seq2SeqModel, _ sentences: [Words], _ held: [Words], seed: UInt64, _ table: inout ItemTable, _ summary: inout SeedSummary
    ) throws {
        let seen = Set(sentences.map { $0.joined() }), test = items(held.filter { !seen.contains($0.joined()) })
        let evaluation = try FreeRunningEvaluation(
            model, items: test, examples: try model.examples(of: test, keepsUnknown: true, file: unseen), threads: threads)
        let interval = Share(evaluation.exactMatches, of: test.count).interval
        report(
            String(
                format:
                    "Repetition, seed \(seed): free-running %d of %d unseen sentences exact (%.1f–%.1f %%), character error rate %.2f %%",
                evaluation.exactMatches,
                test.count, 100 * interval.lowerBound, 100 * interval.upperBound, 100 * evaluation.characterErrorRate))
        for item in evaluation.items { table.add(item.item.line, "repetition of unseen sentences", seed, "exact", item.isExact ? 1 : 0) }
        Self.add(evaluation, seed, to: &summary)
    }

    private static func add(_ repetition: FreeRunningEvaluation, _ seed: UInt64, to summary: inout SeedSummary) {
        summary.add("repetition of unseen sentences", "exact %", seed: seed, 100 * repetition.exactMatch)
        summary.add("repetition of unseen sentences", "character error rate %", seed: seed, 100 * repetition.characterErrorRate)
    }

    private func drawLosses(_ losses: [Double], seed: UInt64) throws {
        guard losses.count > 1 else { return }
        var options = LineChart.Options()
        options.title = "Repetition: loss of training, seed \(seed)"
        options.xTitle = "step"
        options.yTitle = "cross-entropy a token"
        try LineChart([LineChart.Series("", x: losses.indices.map { Double(10 * $0 + 5) }, y: losses)], options: options)
            .write(to: URL(fileURLWithPath: output, isDirectory: true).appendingPathComponent("repetition-\(seed)-loss.svg"))
    }

    private func slip(
        _ base: Seq2SeqModel, _ generator: SlipGenerator, _ sentences: [Words], _ held: [Words], lambda: Double, seed: UInt64,
        _ precision: Precision, _ table: inout ItemTable,
        _ summary: inout SeedSummary
    ) throws {
        let network = try makeSeq2SeqNetwork(base.configuration, seed: nil)
        network.take(from: base.network)
        let model = try Seq2SeqModel(network: network, tokenizerJSON: base.tokenizerJSON)
        var random = RandomSource(seed: seed)
        func make(_ sentences: [Words], _ count: Int) -> [SentenceSlip] {
            let order = random.permutation(sentences.count)
            return SentenceSlip.Kind.allCases.flatMap { kind in
                var found: [SentenceSlip] = []
                for index in order where found.count < count {
                    if let slip = generator.slip(in: sentences[index], kind: kind, &random) { found.append(slip) }
                }
                return found
            }
        }
        let training = make(sentences, slipsOfEachKind), test = make(held, 100)
        func pair(_ slip: SentenceSlip, line: Int) -> Seq2SeqItem {
            Seq2SeqItem(source: slip.intended.joined(), target: slip.produced.joined(), line: line)
        }
        let trainingItems = training.enumerated().map { pair($1, line: $0 + 1) }
        var options = Seq2SeqTrainingOptions()
        options.optimizer = .init(.adam, learningRate: 2e-4)
        options.batchSize = 64
        options.shardSize = 16
        options.clipping = 1
        options.precision = precision
        options.seed = seed
        options.threads = threads
        options.penalties = [.init(group: .attention, lambda: lambda, target: .pretrained)]
        let trainer = try Seq2SeqTrainer(network, examples: try model.examples(of: trainingItems, keepsUnknown: true), options: options)
        for _ in 1...slipEpochs { _ = try trainer.runEpoch() }

        report("\nSlips, seed \(seed), λ \(lambda) (attention held at its pre-trained weights)")
        report(
            "generated, held-out: kind, free-running exact of n, something else, plain repetition; attested more probable than another slip, than an impossible one"
        )
        for kind in SentenceSlip.Kind.allCases {
            let slips = test.filter { $0.kind == kind }
            let items = slips.enumerated().map { pair($1, line: $0 + 1) }
            try judge(
                model, items, kind.rawValue, "λ \(lambda)", seed,
                foils: slips.map { [generator.foil(for: $0, &random), generator.impossibleFoil(for: $0, &random)] }, &table, &summary)
        }
        report("attested and constructed (Datasets/speech-errors.tsv): level and status")
        let real = try TextTable(path: self.slips, wanted: ["intended"])
        let columns = try ["intended", "produced", "level", "status"].map(real.index)
        var cells: [String] = [], groups: [String: [Seq2SeqItem]] = [:]
        while let line = try real.next(into: &cells) {
            groups[cells[columns[2]] + ", " + cells[columns[3]], default: []].append(
                Seq2SeqItem(source: cells[columns[0]], target: cells[columns[1]], line: line))
        }
        for (name, items) in groups.sorted(by: { $0.key < $1.key }) {
            // Their words are what MeCab makes of them; foils are of the same level.
            let foils = items.map { item -> [Words?] in
                let words = generator.words(of: item.source)
                let kind = item.target.count == item.source.count ? SentenceSlip.Kind.exchange : .anticipation
                let slip = SentenceSlip(
                    kind: name.hasPrefix("vertical") ? .substitution : kind, intended: words, produced: [item.target], places: (0, 0))
                return [generator.foil(for: slip, &random), generator.impossibleFoil(for: slip, &random)]
            }
            try judge(model, items, name, "λ \(lambda)", seed, foils: foils, &table, &summary)
        }
    }

    private func judge(
        _ model: Seq2SeqModel, _ items: [Seq2SeqItem], _ name: String, _ condition: String, _ seed: UInt64, foils: [[Words?]],
        _ table: inout ItemTable,
        _ summary: inout SeedSummary
    ) throws {
        let examples = try model.examples(of: items, keepsUnknown: true)
        let evaluation = try FreeRunningEvaluation(model, items: items, examples: examples, threads: threads)
        let repeated = evaluation.items.count { $0.output == $0.item.source }
        let share = Share(evaluation.exactMatches, of: items.count)
        var line = String(
            format: "\(name)  %d of %d (%.0f–%.0f %%)  other %d  repeated %d", evaluation.exactMatches, items.count,
            100 * share.interval.lowerBound,
            100 * share.interval.upperBound, items.count - evaluation.exactMatches - repeated, repeated)
        for item in evaluation.items { table.add(item.item.line, "\(name), \(condition)", seed, "exact", item.isExact ? 1 : 0) }
        let run = "\(name), \(condition)"
        summary.add(run, "exact %", seed: seed, 100 * evaluation.exactMatch)
        summary.add(run, "plain repetition %", seed: seed, 100 * Double(repeated) / Double(items.count))
        for which in 0..<2 where !foils.isEmpty {
            let pairs = items.indices.compactMap { i in foils[i][which].map { (i, $0) } }
            let wrong = try pairs.map { try model.ids(of: $0.1.joined(), keepsUnknown: true) }
            let sources = pairs.map { examples[$0.0].source }
            let attested = scoreOutputs(model, sources, pairs.map { examples[$0.0].target }, threads: threads).map { $0.reduce(0, +) }
            let other = scoreOutputs(model, sources, wrong, threads: threads).map { $0.reduce(0, +) }
            let wins = zip(attested, other).reduce(0) { $0 + ($1.0 > $1.1 ? 1 : 0) }
            let interval = Share(wins, of: pairs.count).interval
            if !pairs.isEmpty {
                summary.add(
                    run, "% more probable than \(which == 0 ? "a possible" : "an impossible") foil", seed: seed,
                    100 * Double(wins) / Double(pairs.count))
            }
            line += String(format: "  %d of %d (%.0f–%.0f %%)", wins, pairs.count, 100 * interval.lowerBound, 100 * interval.upperBound)
            for (pair, difference) in zip(pairs, zip(attested, other).map { $0.0 - $0.1 }) {
                table.add(
                    items[pair.0].line, "\(name), \(condition)", seed, which == 0 ? "log p - possible foil" : "log p - impossible foil",
                    difference)
            }
        }
        report(line)
    }
}
