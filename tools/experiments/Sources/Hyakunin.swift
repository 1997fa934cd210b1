import ArgumentParser
import Figures
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Training

/// A poem of the hundred: its upper and lower verses in one of the two spellings.
struct Poem: Sendable {
    let number: Int
    let upper: String
    let lower: String
}

enum Spelling: String, CaseIterable, ExpressibleByArgument {
    /// Historical kana.
    case kana
    /// As read aloud.
    case reading

    func poems(_ path: String) throws -> [Poem] {
        let table = try TextTable(path: path, wanted: ["number"])
        let columns = try ["number", "kami1_", "kami2_", "kami3_", "shimo1_", "shimo2_"].map {
            try table.index(of: $0.hasSuffix("_") ? $0 + rawValue : $0)
        }
        var poems: [Poem] = [], cells: [String] = []
        while let line = try table.next(into: &cells) {
            guard let number = Int(cells[columns[0]]) else {
                throw DataError(.badData, "expected the poem's number, found '\(cells[columns[0]])'", file: table.name, line: line)
            }
            let verses = columns.dropFirst().map { cells[$0] }
            guard verses.allSatisfy({ !$0.isEmpty }) else { throw DataError(.badData, "a verse is empty", file: table.name, line: line) }
            poems.append(Poem(number: number, upper: verses[0...2].joined(), lower: verses[3...4].joined()))
        }
        return poems
    }
}

/// The theoretical limit of recall: how many poems their first k kana decide (決まり字), and what the best guess can reach beyond that.
func decidedPoems(_ poems: [Poem], firstKana k: Int) -> (decided: Int, expected: Double) {
    var groups: [String: Int] = [:]
    for poem in poems { groups[String(poem.upper.prefix(k)), default: 0] += 1 }
    // Of poems that begin alike one can be guessed right.
    return (groups.values.count { $0 == 1 }, Double(groups.count))
}

struct Hyakunin: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hyakunin", abstract: "Experiment 1: from the upper to the lower verses of a hundred poems.",
        discussion: "Writes hyakunin-items.csv and prints the tables of docs/experiments/hyakunin.md.")

    enum Part: String, CaseIterable, ExpressibleByArgument { case lecture, fastest, recall, search }

    @Argument(help: "Parts to run: lecture (the set-up with the unshifted target beside the shifted one), fastest, recall, search.")
    var parts: [Part] = [.lecture, .fastest, .recall]
    @Option(help: "The poems.") var data = "Datasets/hyakunin-isshu.tsv"
    @Option(name: .shortAndLong, help: "Folder of the results.") var output = "."
    @Option(help: "Seeds, as 0-9 or 3,5.") var seeds: SeedList = SeedList(seeds: [0])
    @Option(help: "Epochs of the lecture's set-up.") var lectureEpochs = 6
    @Option(help: "Epochs of the shifted counterpart with the lecture's settings.") var shiftedEpochs = 120
    @Option(help: "search: transformer, lstm or gru instead of the list of candidates.") var network: String?
    @Option(parsing: .upToNextOption, help: "search: hidden sizes.") var hidden: [Int] = [32]
    @Option(help: "search: size of a recurrent network's embeddings; half the hidden size if not given.") var embedding: Int?
    @Option(help: "search: heads of a Transformer.") var heads = 4
    @Option(help: "search: size of a Transformer's feed-forward middle.") var feedForward: Int?
    @Option(parsing: .upToNextOption, help: "search: learning rates.") var learningRate: [Double] = [1e-2]
    @Option(parsing: .upToNextOption, help: "search: batch sizes.") var batchSize: [Int] = [20]
    @Option(help: "search: most epochs.") var epochs = 150
    @Flag(help: "search: the output layer shares the embedding table.") var tied = false
    @Option(help: "Threads.") var threads = Parallel.availableThreads

    func run() throws {
        try makeFolder(output)
        let poems = try Spelling.kana.poems(data)
        var table = ItemTable(columns: ["item", "condition", "seed", "value"]), summary = SeedSummary()
        for part in parts {
            switch part {
            case .lecture: for seed in seeds.seeds { try lecture(poems, seed: seed, &table) }
            case .fastest: for seed in seeds.seeds { try fastest(poems, seed: seed, &table, &summary) }
            case .recall: for seed in seeds.seeds { try recall(seed: seed, &table) }
            case .search: try search(poems, &summary)
            }
        }
        if !table.rows.isEmpty { try table.write(to: output, name: "hyakunin-items") }
        try summary.finish(in: output, name: "hyakunin-runs")
    }

    /// 1 layer, 32 units, 4 heads, feed-forward 32, length 22, Adam 1e-3 (0.9, 0.98), batch 1.
    private func lecture(_ poems: [Poem], seed: UInt64, _ table: inout ItemTable) throws {
        var shape = Seq2SeqConfiguration.Transformer()
        shape.hiddenSize = 32
        shape.intermediateSize = 32
        shape.finalNorm = true
        var options = Seq2SeqTrainingOptions()
        options.optimizer.beta2 = 0.98
        options.batchSize = 1
        options.seed = seed
        options.threads = threads
        for input in Seq2SeqTrainingOptions.DecoderInput.allCases {
            let isUnshifted = input == .unshifted
            report(
                "\n\(isUnshifted ? "Unshifted target (the decoder is given the character that it must say)" : "Shifted target"), seed \(seed)"
            )
            report("epoch  loss   as logged: poems whose every character is right with the given input   free-running: poems right")
            options.decoderInput = input
            let task = try KanaTask(poems, .transformer(shape), seed: seed)
            let trainer = try Seq2SeqTrainer(task.model.network, examples: task.examples, options: options)
            let epochs = isUnshifted ? lectureEpochs : shiftedEpochs
            for epoch in 1...epochs {
                let result = try trainer.runEpoch()
                guard isUnshifted || epoch <= 6 || epoch % 10 == 0 else { continue }
                let free = try task.evaluate(threads: threads)
                report(String(format: "%5d  %.3f  %d  %d", epoch, result.loss, task.givenInputMatches(input), free.exactMatches))
                if epoch == epochs {
                    for item in free.items { table.add(item.item.line, "lecture-\(input.rawValue)", seed, item.isExact ? 1 : 0) }
                }
            }
        }
    }

    private func fastest(_ poems: [Poem], seed: UInt64, _ table: inout ItemTable, _ summary: inout SeedSummary) throws {
        for recipe in Recipe.winners {
            let result = try recipe.run(poems, seed: seed, threads: threads)
            report("\(recipe.name), seed \(seed): \(result.description)")
            summary.add(result, of: recipe, seed: seed)
            for item in result.evaluation.items { table.add(item.item.line, recipe.name, seed, item.isExact ? 1 : 0) }
        }
    }

    private func search(_ poems: [Poem], _ summary: inout SeedSummary) throws {
        var candidates = Recipe.candidates
        if let network {
            candidates = hidden.flatMap { size in
                learningRate.flatMap { rate in
                    batchSize.map { batch in
                        let architecture =
                            network == "transformer"
                            ? Recipe.transformer(size, heads: heads, feedForward: feedForward)
                            : Recipe.recurrent(
                                network == "lstm" ? .lstm : .gru, size, embedding: tied ? size : embedding ?? max(4, size / 2))
                        return Recipe(
                            name: "\(network)-\(size), rate \(rate), batch \(batch)", architecture: architecture, tied: tied,
                            learningRate: rate,
                            batchSize: batch, epochs: epochs)
                    }
                }
            }
        }
        for recipe in candidates {
            for seed in seeds.seeds {
                let result = try recipe.run(poems, seed: seed, threads: threads)
                report("\(recipe.name), seed \(seed): \(result.description)")
                summary.add(result, of: recipe, seed: seed)
            }
        }
    }

    /// Trained on beginnings of every length, asked with the first k kana.
    private func recall(seed: UInt64, _ table: inout ItemTable) throws {
        for spelling in Spelling.allCases {
            let poems = try spelling.poems(data)
            let recipe = Recipe.recall
            let items = poems.flatMap { poem in
                (1...poem.upper.count).map { Seq2SeqItem(source: String(poem.upper.prefix($0)), target: poem.lower, line: poem.number) }
            }
            let task = try KanaTask(items: items, recipe.architecture, seed: seed)
            let begin = processorTime()
            let trainer = try Seq2SeqTrainer(
                task.model.network, examples: task.examples, options: recipe.options(seed: seed, threads: threads))
            for _ in 1...recipe.epochs { _ = try trainer.runEpoch(learningRate: recipe.schedule(stepsInEpoch: recipe.steps(items.count))) }
            let trained = processorTime() - begin
            let evaluation = try task.evaluate(threads: threads)
            report(
                String(
                    format:
                        "\nRecall of the lower verses from the first k kana, \(spelling.rawValue), seed \(seed) (trained in %.1f s of processor time)",
                    trained))
            report("k  decided by k kana  best guess  network")
            var decided: [Double] = [], best: [Double] = [], recalled: [Double] = []
            for k in 1...(poems.map(\.upper.count).max() ?? 1) {
                // A shorter poem asked with all of its kana.
                let asked = poems.map { min(k, $0.upper.count) }
                let limit = decidedPoems(poems, firstKana: k)
                var right = 0
                for (poem, length) in zip(poems, asked) {
                    let isExact = evaluation.items.contains { $0.item.line == poem.number && $0.item.source.count == length && $0.isExact }
                    right += isExact ? 1 : 0
                    table.add(poem.number, "recall-\(spelling.rawValue)-k\(k)", seed, isExact ? 1 : 0)
                }
                report("\(k)  \(limit.decided)  \(Int(limit.expected))  \(right)")
                decided.append(Double(limit.decided))
                best.append(limit.expected)
                recalled.append(Double(right))
            }
            if seed == seeds.seeds[0] { try drawRecall(spelling, decided, best, recalled) }
        }
    }
}

extension Hyakunin {
    /// Recall against the number of kana heard, beside what the kana decide.
    private func drawRecall(_ spelling: Spelling, _ decided: [Double], _ best: [Double], _ recalled: [Double]) throws {
        let x = decided.indices.map { Double($0 + 1) }
        var options = LineChart.Options()
        options.title = spelling == .kana ? "Historical kana" : "As read aloud"
        options.xTitle = "first kana of the upper verses"
        options.yTitle = "poems of 100"
        options.yRange = 0...100
        let shown = min(x.count, 10)
        options.xRange = 0.5...Double(shown) + 0.5
        options.xNames = (1...shown).map { (Double($0), String($0)) }
        // The network's points over the line of the limit, which they would hide as a line.
        func series(_ name: String, _ y: [Double], hasLine: Bool = true, isDashed: Bool = false) -> LineChart.Series {
            LineChart.Series(name, x: Array(x[..<shown]), y: Array(y[..<shown]), hasLine: hasLine, isDashed: isDashed)
        }
        try LineChart(
            [
                series("limit: decided, or best guess", best), series("decided alone (決まり字)", decided, isDashed: true),
                series("network, free-running", recalled, hasLine: false),
            ],
            options: options
        )
        .write(to: URL(fileURLWithPath: output, isDirectory: true).appendingPathComponent("hyakunin-recall-\(spelling.rawValue).svg"))
    }
}

extension SeedSummary {
    mutating func add(_ result: Recipe.Result, of recipe: Recipe, seed: UInt64) {
        add(recipe.name, "poems right", seed: seed, Double(result.evaluation.exactMatches))
        add(recipe.name, "epochs", seed: seed, Double(result.epochs))
        add(recipe.name, "seconds", seed: seed, result.seconds)
        add(recipe.name, "seconds of processor time", seed: seed, result.processorSeconds)
    }
}

/// A network, its tokenizer and the pairs that it learns.
struct KanaTask {
    let items: [Seq2SeqItem]
    let examples: [Seq2SeqExample]
    let model: Seq2SeqModel

    init(_ poems: [Poem], _ architecture: Seq2SeqConfiguration.Architecture, tied: Bool = false, seed: UInt64) throws {
        try self.init(
            items: poems.map { Seq2SeqItem(source: $0.upper, target: $0.lower, line: $0.number) }, architecture, tied: tied, seed: seed)
    }

    init(
        items: [Seq2SeqItem], _ architecture: Seq2SeqConfiguration.Architecture, tied: Bool = false, unit: SymbolUnit = .characters,
        seed: UInt64
    ) throws {
        self.items = items
        let tokenizer = makeSymbolTokenizer(items.flatMap { [$0.source, $0.target] }, unit: unit)
        let size = (tokenizer["model"]?["vocab"]?.object ?? []).count
        var configuration = Seq2SeqConfiguration(architecture, vocabularySize: size)
        configuration.maximumLength = 1 + (items.flatMap { [$0.source.count, $0.target.count] }.max() ?? 0)
        configuration.tiedOutput = tied
        model = try Seq2SeqModel(network: try makeSeq2SeqNetwork(configuration, seed: seed), tokenizerJSON: tokenizer)
        examples = try model.examples(of: items)
    }

    func evaluate(threads: Int) throws -> FreeRunningEvaluation {
        try FreeRunningEvaluation(model, items: items, examples: examples, threads: threads)
    }

    /// Items all of whose tokens are the most probable ones when the decoder is given its training input: a log like the lecture's.
    func givenInputMatches(_ input: Seq2SeqTrainingOptions.DecoderInput) -> Int {
        teacherForcedMatches(model, examples, input: input)
    }
}
