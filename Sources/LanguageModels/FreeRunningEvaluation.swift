import FileFormats
import Foundation
import Networks
import Tensors

/// How well a network writes when it runs freely: each token read back from its own output, nothing of the target shown to it.
package struct FreeRunningEvaluation: Sendable {
    package struct Item: Sendable {
        package let item: Seq2SeqItem
        package let output: String
        /// Its tokens, without marks.
        package let ids: [Int32]
        package let comparison: SequenceComparison
        package let isExact: Bool
        /// Positions where output and target have the same token, end marks included, and the longer one's length.
        package let tokensRight: Int
        package let tokens: Int
        /// log p of what was written.
        package let logProbability: Double
        package let isFinished: Bool
    }

    package let items: [Item]

    /// The share of outputs that equal their target.
    package var exactMatch: Double { items.isEmpty ? 0 : Double(exactMatches) / Double(items.count) }
    package var exactMatches: Int { items.reduce(0) { $0 + ($1.isExact ? 1 : 0) } }
    /// Substitutions, insertions and deletions per unit of the targets.
    package var characterErrorRate: Double {
        let units = items.reduce(0) { $0 + $1.comparison.targetLength }
        return units == 0 ? 0 : Double(items.reduce(0) { $0 + $1.comparison.distance }) / Double(units)
    }
    /// Tokens that are where the target has them.
    package var tokenAccuracy: Double {
        let tokens = items.reduce(0) { $0 + $1.tokens }
        return tokens == 0 ? 0 : Double(items.reduce(0) { $0 + $1.tokensRight }) / Double(tokens)
    }

    /// Generates for every item and compares.
    ///
    /// - Parameters:
    ///   - unit: what error rates count.
    ///   - prefixes: what each output must begin with; empty for none.
    ///   - batchSize: sources decoded together; the result does not depend on it.
    package init(
        _ model: Seq2SeqModel, items: [Seq2SeqItem], examples: [Seq2SeqExample], unit: SymbolUnit = .characters,
        options: DecodingOptions = DecodingOptions(), prefixes: [[Int32]] = [], batchSize: Int = 128,
        threads: Int = Parallel.availableThreads
    ) throws {
        precondition(items.count == examples.count)
        let outputs = try generateFreely(
            model, examples.map(\.source), options: options, prefixes: prefixes, batchSize: batchSize, threads: threads)
        self.items = zip(zip(items, examples), outputs).map { pair, outputs in
            let (item, example) = pair, written = outputs[0]
            let end = model.configuration.endID
            let target = example.target + [end], output = written.ids + (written.isFinished ? [end] : [])
            let text = model.text(of: written.ids)
            func units(_ ids: [Int32], _ text: String) -> [String] {
                unit == .words ? model.tokens(of: ids) : text.map(String.init)
            }
            return Item(
                item: item, output: text, ids: written.ids,
                comparison: SequenceComparison(
                    target: units(example.target, model.text(of: example.target)), output: units(written.ids, text)),
                isExact: target == output, tokensRight: zip(target, output).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) },
                tokens: max(target.count, output.count), logProbability: written.logProbability, isFinished: written.isFinished)
        }
    }
}

/// Outputs for many sources, in batches on several threads, in the sources' order. `firstSource` is the first one's number in the whole
/// input, which samples depend on.
package func generateFreely(
    _ model: Seq2SeqModel, _ sources: [[Int32]], options: DecodingOptions = DecodingOptions(), prefixes: [[Int32]] = [],
    batchSize: Int = 128,
    threads: Int = Parallel.availableThreads, firstSource: Int = 0
) throws -> [[GeneratedSequence]] {
    // Sources of like lengths end at like times; the longest come first, so that no thread begins them when the others are done.
    let order = sources.indices.sorted { (-sources[$0].count, $0) < (-sources[$1].count, $1) }
    // Products take 64 rows at once: smaller batches would only be filled up.
    let batches = Parallel.chunks(sources.count, size: min(batchSize, max(64, (sources.count + threads - 1) / threads)))
    // Samples depend on a source's own number, so those cannot be regrouped.
    let isRegrouped = if case .sampling = options.method { false } else { true }
    let results = try Parallel.map(batches.count, threads: threads) { index, _ in
        let numbers = isRegrouped ? Array(order[batches[index]]) : Array(batches[index])
        return try model.network.generate(
            PackedBatch(numbers.map { sources[$0] }), options: options,
            prefixes: prefixes.isEmpty ? [] : numbers.map { prefixes[$0] }, firstSource: firstSource + numbers[0])
    }
    guard results.allSatisfy({ $0.allSatisfy { $0.allSatisfy { !$0.logProbability.isNaN } } }) else {
        throw DataError(.badData, "a probability is NaN; the model's weights are damaged or overflow in this precision")
    }
    var outputs = [[GeneratedSequence]](repeating: [], count: sources.count)
    for (index, batch) in batches.enumerated() {
        for (place, result) in zip(batch, results[index]) { outputs[isRegrouped ? order[place] : place] = result }
    }
    return outputs
}

/// log p of every token of given outputs, end mark included, for many sources.
package func scoreOutputs(
    _ model: Seq2SeqModel, _ sources: [[Int32]], _ outputs: [[Int32]], batchSize: Int = 128, threads: Int = Parallel.availableThreads
) -> [[Double]] {
    let batches = Parallel.chunks(sources.count, size: batchSize)
    return Parallel.map(batches.count, threads: threads) { index, _ in
        model.network.score(PackedBatch(sources[batches[index]]), targets: Array(outputs[batches[index]]))
    }.flatMap { $0 }
}

extension FreeRunningEvaluation.Item {
    /// What `cells` holds.
    package static let columns: [TableColumn] = [
        "line", "source", "target", "output", "exact", "differences", "target_length", "log_probability",
    ]

    /// A row of a table of items, without the columns that travel along (`item.others`).
    package var cells: [Cell] {
        [
            .integer(item.line), .text(item.source), .text(item.target), .text(output), .integer(isExact ? 1 : 0),
            .integer(comparison.distance),
            .integer(comparison.targetLength), .number(logProbability),
        ]
    }
}
