import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Training

/// Experiment 3: phonological slips of the tongue.
struct Terao: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "terao", abstract: "Experiment 3: intended to produced forms of phonological slips.",
        discussion: "Needs a file of slips with `phon` and `errphon` (see docs/experiments/terao.md).")

    enum Part: String, CaseIterable, ExpressibleByArgument { case same, unseen }

    @Argument(help: "The slips (JSON).") var data: String
    @Option(help: "same (trained and tested on the same items), unseen (cross-validated).") var parts: [Part] = Part.allCases
    @Option(name: .shortAndLong, help: "Folder of the results.") var output = "."
    @Option(help: "Seeds, as 0-9 or 3,5.") var seeds: SeedList = SeedList(seeds: [0])
    @Option(help: "Folds; items with the same intended form stay together.") var folds = 10
    @Option(help: "Epochs over the slips.") var epochs = 40
    @Option(help: "Pseudo-words to learn repetition from, before the slips.") var pseudoWords = 3000
    @Option(help: "Samples of each unseen item.") var samples = 20
    @Option(help: "Threads.") var threads = Parallel.availableThreads

    private static let networks: [(name: String, architecture: Seq2SeqConfiguration.Architecture, rate: Double)] = {
        var gru = Seq2SeqConfiguration.Recurrent()
        gru.cell = .gru
        gru.attention = .additive
        return [("GRU 64, additive attention", .recurrent(gru), 3e-3), ("Transformer 64", Recipe.transformer(64), 2e-3)]
    }()

    func run() throws {
        try makeFolder(output)
        let slips = try PhonologicalSlip.read(data)
        var table = ItemTable(columns: ["item", "condition", "seed", "measure", "value"]), summary = SeedSummary()
        for seed in seeds.seeds {
            for network in Self.networks {
                if parts.contains(.same) { try same(slips, network, seed, &table, &summary) }
                if parts.contains(.unseen) { try unseen(slips, network, seed, &table, &summary) }
            }
        }
        try table.write(to: output, name: "terao-items")
        try summary.finish(in: output, name: "terao-runs")
    }

    private typealias Network = (name: String, architecture: Seq2SeqConfiguration.Architecture, rate: Double)

    private func makeTask(_ slips: [PhonologicalSlip], _ network: Network, _ seed: UInt64) throws -> KanaTask {
        let items = slips.map {
            Seq2SeqItem(source: $0.intended.joined(separator: " "), target: $0.produced.joined(separator: " "), line: $0.number)
        }
        return try KanaTask(items: items, network.architecture, unit: .words, seed: seed)
    }

    private func train(
        _ task: KanaTask, _ examples: [Seq2SeqExample], _ network: Network, epochs: Int, seed: UInt64, frozen: Set<ParameterGroup> = []
    ) throws {
        let recipe = Recipe(
            name: network.name, architecture: network.architecture, learningRate: network.rate, batchSize: 16, epochs: epochs)
        var options = recipe.options(seed: seed, threads: threads)
        options.frozen = frozen
        let trainer = try Seq2SeqTrainer(task.model.network, examples: examples, options: options)
        for _ in 1...epochs { _ = try trainer.runEpoch(learningRate: recipe.schedule(stepsInEpoch: recipe.steps(examples.count))) }
    }

    /// As published: trained and tested on the same items, all of the network or its decoder alone.
    private func same(
        _ slips: [PhonologicalSlip], _ network: Network, _ seed: UInt64, _ table: inout ItemTable, _ summary: inout SeedSummary
    ) throws {
        for (condition, frozen) in [("all parameters", []), ("decoder only", [ParameterGroup.encoder, .embeddings])]
            as [(String, Set<ParameterGroup>)]
        {
            let task = try makeTask(slips, network, seed)
            try train(task, task.examples, network, epochs: 3 * epochs, seed: seed, frozen: frozen)
            let evaluation = try FreeRunningEvaluation(
                task.model, items: task.items, examples: task.examples, unit: .words, threads: threads)
            report("same items, \(network.name), \(condition), seed \(seed): \(evaluation.exactMatches) of \(slips.count) free-running")
            for item in evaluation.items {
                table.add(item.item.line, "same: \(network.name), \(condition)", seed, "exact", item.isExact ? 1 : 0)
            }
            summary.add("same: \(network.name), \(condition)", "exact", seed: seed, Double(evaluation.exactMatches))
        }
    }

    /// Cross-validated. Repetition comes first, from pseudo-words of the training folds' phonemes: a network that cannot repeat cannot slip.
    private func unseen(
        _ slips: [PhonologicalSlip], _ network: Network, _ seed: UInt64, _ table: inout ItemTable, _ summary: inout SeedSummary
    ) throws {
        var random = RandomSource(seed: seed)
        let forms = Array(Set(slips.map { $0.intended.joined(separator: " ") })).sorted()
        let order = random.permutation(forms.count)
        let foldOf = Dictionary(uniqueKeysWithValues: order.enumerated().map { (forms[$1], $0 % folds) })
        var exact = 0, repeated = 0, attestedTypes: [SlipType: Int] = [:], sampledTypes: [SlipType: Int] = [:]
        var wins: [String: (wins: Int, count: Int, difference: Double)] = [:]
        for fold in 0..<folds {
            let test = slips.indices.filter { foldOf[slips[$0].intended.joined(separator: " ")] == fold }
            let training = slips.indices.filter { foldOf[slips[$0].intended.joined(separator: " ")] != fold }
            let task = try makeTask(slips, network, seed)
            let words = pseudoWordExamples(task.model, training.map { slips[$0].intended }, &random)
            try train(task, words, network, epochs: 8, seed: seed)
            try train(task, training.map { task.examples[$0] }, network, epochs: epochs, seed: seed + 1)
            let sources = test.map { task.examples[$0].source }
            let evaluation = try FreeRunningEvaluation(
                task.model, items: test.map { task.items[$0] }, examples: test.map { task.examples[$0] }, unit: .words, threads: threads)
            exact += evaluation.exactMatches
            repeated += evaluation.items.count { $0.output == $0.item.source }
            for (item, index) in zip(evaluation.items, test) {
                table.add(slips[index].number, "unseen: \(network.name)", seed, "exact", item.isExact ? 1 : 0)
            }

            var options = DecodingOptions()
            options.method = .sampling(temperature: 1, topK: nil, topP: nil)
            options.outputs = samples
            options.seed = seed
            for (index, outputs) in zip(test, try generateFreely(task.model, sources, options: options, threads: threads)) {
                attestedTypes[SlipType(intended: slips[index].intended, produced: slips[index].produced), default: 0] += 1
                for output in outputs {
                    sampledTypes[SlipType(intended: slips[index].intended, produced: task.model.tokens(of: output.ids)), default: 0] += 1
                }
            }
            for index in test {
                let slip = slips[index]
                var foils: [(String, [String])] = []
                if let possible = otherExchange(slip, &random) { foils.append(("possible foil (another exchange)", possible)) }
                foils.append(("impossible foil (phonemes shuffled)", shuffled(slip.intended, &random)))
                if let listed = slip.impossible { foils.append(("impossible foil (as listed)", listed)) }
                for (kind, foil) in foils where foil != slip.produced && foil != slip.intended {
                    let targets = try [slip.produced, foil].map { try task.model.ids(of: $0.joined(separator: " "), keepsUnknown: true) }
                    let scores = scoreOutputs(task.model, [task.examples[index].source, task.examples[index].source], targets, threads: 1)
                        .map { $0.reduce(0, +) }
                    wins[kind, default: (0, 0, 0)].wins += scores[0] > scores[1] ? 1 : 0
                    wins[kind, default: (0, 0, 0)].count += 1
                    wins[kind, default: (0, 0, 0)].difference += scores[0] - scores[1]
                    table.add(slip.number, "unseen: \(network.name)", seed, "log p attested - " + kind, scores[0] - scores[1])
                }
            }
        }
        report(
            "\nunseen items, \(network.name), seed \(seed), \(folds) folds: exact \(exact) of \(slips.count), plain repetitions \(repeated)"
        )
        let condition = "unseen: \(network.name)"
        summary.add(condition, "exact", seed: seed, Double(exact))
        summary.add(condition, "plain repetitions", seed: seed, Double(repeated))
        for (kind, result) in wins.sorted(by: { $0.key < $1.key }) {
            summary.add(condition, "% more probable than \(kind)", seed: seed, 100 * Double(result.wins) / Double(result.count))
            summary.add(condition, "log p attested - " + kind, seed: seed, result.difference / Double(result.count))
            let share = Share(result.wins, of: result.count)
            report(
                String(
                    format: "  attested slip more probable than \(kind): %d of %d (%.0f–%.0f %%), mean difference of log p %.2f",
                    result.wins, result.count,
                    100 * share.interval.lowerBound, 100 * share.interval.upperBound, result.difference / Double(result.count)))
        }
        report("  type: attested %  sampled % (95 % intervals)")
        for type in SlipType.allCases {
            summary.add(
                condition, "% of samples: \(type.rawValue)", seed: seed,
                100 * Double(sampledTypes[type] ?? 0) / Double(slips.count * samples))
            let a = Share(attestedTypes[type] ?? 0, of: slips.count), b = Share(sampledTypes[type] ?? 0, of: slips.count * samples)
            report(
                String(
                    format: "  \(type.rawValue): %.1f (%.1f–%.1f)  %.1f (%.1f–%.1f)", 100 * a.value, 100 * a.interval.lowerBound,
                    100 * a.interval.upperBound,
                    100 * b.value, 100 * b.interval.lowerBound, 100 * b.interval.upperBound))
        }
    }

    /// Pseudo-words: morae drawn by how they follow each other in the given words.
    private func pseudoWordExamples(_ model: Seq2SeqModel, _ words: [[String]], _ random: inout RandomSource) -> [Seq2SeqExample] {
        var next: [Mora?: [Mora?]] = [:]
        for word in words {
            let cut: [Mora?] = [nil] + morae(word).map { $0 } + [nil]
            for (a, b) in zip(cut, cut.dropFirst()) { next[a, default: []].append(b) }
        }
        let unknown = model.tokenizer.unknownID ?? 3
        var examples: [Seq2SeqExample] = []
        while examples.count < pseudoWords {
            var word: [Mora] = [], last: Mora?
            while word.count < 10, let choices = next[last], let mora = choices[random.below(choices.count)] {
                word.append(mora)
                last = mora
            }
            let ids = word.flatMap(\.phonemes).map { model.tokenizer.id(for: $0) ?? unknown }
            if ids.count > 2, ids.count < model.configuration.maximumLength { examples.append(Seq2SeqExample(source: ids, target: ids)) }
        }
        return examples
    }

    /// Another exchange of two onsets of the same word: possible, but not what was said.
    private func otherExchange(_ slip: PhonologicalSlip, _ random: inout RandomSource) -> [String]? {
        let word = morae(slip.intended)
        let pairs = word.indices.flatMap { i in word.indices.filter { $0 > i }.map { (i, $0) } }
            .filter { !word[$0.0].onset.isEmpty && !word[$0.1].onset.isEmpty && word[$0.0].onset != word[$0.1].onset }
        for place in random.permutation(pairs.count) {
            var changed = word
            (changed[pairs[place].0].onset, changed[pairs[place].1].onset) = (word[pairs[place].1].onset, word[pairs[place].0].onset)
            let form = changed.flatMap(\.phonemes)
            if form != slip.produced { return form }
        }
        return nil
    }

    /// The phonemes in an order that breaks the language's syllables.
    private func shuffled(_ phonemes: [String], _ random: inout RandomSource) -> [String] {
        random.permutation(phonemes.count).map { phonemes[$0] }
    }
}
