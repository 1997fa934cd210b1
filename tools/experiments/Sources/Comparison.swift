import ArgumentParser
import Figures
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Training

/// Experiment 2: the same tasks for recurrent networks and Transformers.
struct Comparison: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "comparison", abstract: "Experiment 2: Transformer against recurrent networks on the poems, and string reversal.")

    enum Part: String, CaseIterable, ExpressibleByArgument { case poems, reversal }

    @Argument(help: "poems, reversal.") var parts: [Part] = Part.allCases
    @Option(help: "The poems.") var data = "Datasets/hyakunin-isshu.tsv"
    @Option(name: .shortAndLong, help: "Folder of the results.") var output = "."
    @Option(help: "Seeds, as 0-9 or 3,5.") var seeds: SeedList = SeedList(seeds: [0])
    @Option(help: "Most epochs over the poems.") var epochs = 100
    @Option(help: "Epochs over the strings.") var reversalEpochs = 15
    @Option(help: "Threads.") var threads = Parallel.availableThreads

    private static let networks: [(name: String, architecture: Seq2SeqConfiguration.Architecture, rate: Double)] = {
        func lstm(_ layers: Int, _ attention: Seq2SeqConfiguration.Recurrent.Attention) -> Seq2SeqConfiguration.Architecture {
            var shape = Seq2SeqConfiguration.Recurrent()
            shape.layers = layers
            shape.attention = attention
            return .recurrent(shape)
        }
        return [
            ("LSTM 2 × 64, no attention", lstm(2, .none), 7e-3), ("LSTM 2 × 64, additive", lstm(2, .additive), 7e-3),
            ("LSTM 2 × 64, dot", lstm(2, .dot), 7e-3), ("LSTM 2 × 64, general", lstm(2, .general), 7e-3),
            ("Transformer 2 + 2 × 64", Recipe.transformer(64, layers: (2, 2)), 3e-3),
        ]
    }()

    func run() throws {
        try makeFolder(output)
        var table = ItemTable(columns: ["item", "condition", "seed", "value"]), summary = SeedSummary()
        for part in parts {
            switch part {
            case .poems:
                report(
                    "Poems: network, parameters, seed, epochs, seconds of processor time, free-running poems right, character error rate %")
                let poems = try Spelling.kana.poems(data)
                for seed in seeds.seeds {
                    for network in Self.networks {
                        let recipe = Recipe(
                            name: network.name, architecture: network.architecture, learningRate: network.rate, batchSize: 20,
                            epochs: epochs)
                        let result = try recipe.run(poems, seed: seed, threads: threads)
                        report(
                            String(
                                format: "\(network.name)  %d  \(seed)  %d  %.1f  %d  %.1f", result.parameters, result.epochs,
                                result.processorSeconds,
                                result.evaluation.exactMatches, 100 * result.evaluation.characterErrorRate))
                        let condition = "poems: " + network.name
                        for item in result.evaluation.items { table.add(item.item.line, condition, seed, item.isExact ? 1 : 0) }
                        summary.add(condition, "epochs", seed: seed, Double(result.epochs))
                        summary.add(condition, "seconds of processor time", seed: seed, result.processorSeconds)
                        summary.add(condition, "poems right", seed: seed, Double(result.evaluation.exactMatches))
                    }
                }
            case .reversal: for seed in seeds.seeds { try reversal(seed, &table, &summary) }
            }
        }
        try table.write(to: output, name: "comparison-items")
        try summary.finish(in: output, name: "comparison-runs")
    }

    /// Strings of 5 to 14 letters and the same backward; 3,000 to learn, 300 others to test.
    private func reversal(_ seed: UInt64, _ table: inout ItemTable, _ summary: inout SeedSummary) throws {
        var random = RandomSource(seed: seed)
        var known: Set<String> = [], items: [Seq2SeqItem] = []
        while items.count < 3300 {
            let letters = (0..<5 + random.below(10)).map { _ in Character(UnicodeScalar(UInt8(97 + random.below(26)))) }
            guard known.insert(String(letters)).inserted else { continue }
            items.append(Seq2SeqItem(source: String(letters), target: String(letters.reversed()), line: items.count + 1))
        }
        report(
            "\nReversal of strings: network, parameters, seed, seconds of processor time, free-running test strings right (of 300, 95 % interval), mean weight on the mirrored letter"
        )
        for network in Self.networks {
            let task = try KanaTask(items: items, network.architecture, seed: seed)
            let recipe = Recipe(
                name: network.name, architecture: network.architecture, learningRate: network.rate, batchSize: 50, epochs: reversalEpochs)
            let begin = processorTime()
            let trainer = try Seq2SeqTrainer(
                task.model.network, examples: Array(task.examples[..<3000]), options: recipe.options(seed: seed, threads: threads))
            for _ in 1...reversalEpochs { _ = try trainer.runEpoch(learningRate: recipe.schedule(stepsInEpoch: recipe.steps(3000))) }
            let seconds = processorTime() - begin
            let evaluation = try FreeRunningEvaluation(
                task.model, items: Array(items[3000...]), examples: Array(task.examples[3000...]), threads: threads)
            let share = Share(evaluation.exactMatches, of: 300)
            let mirrored = mirroredWeight(task.model, Array(task.examples[3000...].prefix(50)))
            report(
                String(
                    format: "\(network.name)  %d  \(seed)  %.1f  %d (%.1f–%.1f %%)  %@", task.model.network.parameterCount, seconds,
                    evaluation.exactMatches,
                    100 * share.interval.lowerBound, 100 * share.interval.upperBound, mirrored.map { String(format: "%.2f", $0) } ?? "–"))
            let condition = "reversal: " + network.name
            for item in evaluation.items { table.add(item.item.line, condition, seed, item.isExact ? 1 : 0) }
            summary.add(condition, "seconds of processor time", seed: seed, seconds)
            summary.add(condition, "strings right", seed: seed, Double(evaluation.exactMatches))
            if let mirrored { summary.add(condition, "weight on the mirrored letter", seed: seed, mirrored) }
            if seed == seeds.seeds[0] { try picture(task, network.name) }
        }
    }

    /// Mean over output letters of the attention weight on the letter's place in the source, for the head where it is largest.
    private func mirroredWeight(_ model: Seq2SeqModel, _ examples: [Seq2SeqExample]) -> Double? {
        var sums: [String: (total: Double, count: Int)] = [:]
        for example in examples {
            let input = [model.configuration.beginID] + example.target.dropLast()
            for map in model.network.attentionMaps(source: example.source, decoderInput: input) where map.place == .cross {
                for t in 0..<example.target.count {
                    sums["\(map.layer) \(map.head)", default: (0, 0)].total += Double(map.weights[t, example.source.count - 1 - t])
                    sums["\(map.layer) \(map.head)", default: (0, 0)].count += 1
                }
            }
        }
        return sums.values.map { $0.total / Double($0.count) }.max()
    }

    private func picture(_ task: KanaTask, _ name: String) throws {
        let example = task.examples[3000], model = task.model
        let maps = model.network.attentionMaps(source: example.source, decoderInput: [model.configuration.beginID] + example.target).filter
        { $0.place == .cross }
        guard let map = maps.max(by: { mirror($0, example) < mirror($1, example) }) else { return }
        let values = (0..<map.weights.rows).map { map.weights.rows($0..<$0 + 1).elements.map(Double.init) }
        var options = Heatmap.Options()
        options.title = name
        options.rowTitle = "output"
        options.columnTitle = "source"
        options.range = 0...1
        let file = "reversal-" + name.lowercased().filter { $0.isLetter || $0.isNumber } + ".svg"
        try Heatmap(
            values, rowLabels: model.tokens(of: example.target) + ["end"], columnLabels: model.tokens(of: example.source), options: options
        )
        .write(to: URL(fileURLWithPath: output, isDirectory: true).appendingPathComponent(file))
    }

    private func mirror(_ map: AttentionMap<Float>, _ example: Seq2SeqExample) -> Float {
        (0..<example.target.count).reduce(0) { $0 + map.weights[$1, example.source.count - 1 - $1] }
    }
}
