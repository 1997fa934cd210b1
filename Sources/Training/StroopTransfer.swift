import Autograd
import FileFormats
import Foundation
import Networks
import Tensors

/// The Stroop effect as transfer of learning, in a text encoder with two heads.
///
/// A stimulus is a short text: a begin mark, a word (a colour's name or XXXX) and the ink as a token of its own (a colour or black). One
/// small Transformer (Devlin et al. 2019) reads it for both tasks. Reading is learned first, with the head that names words; the head that
/// names inks begins as a copy of it, since the responses are the same spoken words, and both then learn together, words `frequency` times
/// as often. Words are read in any ink, as people read them; inks are named of XXXX alone. What is measured is the surprisal of the right
/// response: naming the ink of a word has never been learned.
///
/// There are no weights of the paper's, no task units and no time here: conflict can come only of what reading left in the encoder and in
/// the head.
package struct StroopTransfer: Sendable {
    package enum Task: String, Sendable, CaseIterable { case wordReading = "word reading", colourNaming = "colour naming" }
    package enum Condition: String, Sendable, CaseIterable { case control, conflict, congruent }

    /// How many times as often words are read as inks are named.
    package var frequency = 10.0
    /// Whether naming begins with what reading has learned; else its head begins at random.
    package var transfers = true
    /// Whether words are read in any ink, black or coloured; else in black alone, as in Cohen, Dunbar & McClelland (1990).
    package var readsAnyInk = true
    /// Steps of reading alone, and of both tasks; a step is a batch of `batchSize` stimuli.
    package var readingSteps = 100, jointSteps = 300, batchSize = 16
    package var learningRate = 3e-3
    package var colours = 4, hiddenSize = 32

    package init() {}

    /// Surprisal −ln p (nats) of the right response and share of wrong ones, over all stimuli of a task and a condition.
    package struct Result: Sendable, Equatable {
        package var task: Task, condition: Condition
        package var surprisal: Double, errors: Double
    }

    // MARK: Stimuli

    /// Tokens: 0 begins, then the words, XXXX, the inks, black.
    private func stimulus(word: Int?, ink: Int?) -> [Int32] { [0, Int32(1 + (word ?? colours)), Int32(2 + colours + (ink ?? colours))] }

    private func stimuli(_ task: Task, _ condition: Condition) -> [(ids: [Int32], response: Int)] {
        (0..<colours).flatMap { right -> [(ids: [Int32], response: Int)] in
            let others: [Int?] =
                switch condition {
                case .control: [nil]
                case .congruent: [right]
                case .conflict: (0..<colours).filter { $0 != right }
                }
            return others.map { (task == .wordReading ? stimulus(word: right, ink: $0) : stimulus(word: $0, ink: right), right) }
        }
    }

    // MARK: One network

    private struct Learner {
        let encoder: Encoder<Float>, heads: [Linear<Float>]
        var parameters: [Parameter<Float>] { encoder.parameters + heads.flatMap(\.parameters) }

        func logits(_ batch: PackedBatch, _ task: Task, on tape: Tape<Float>?) -> Variable<Float> {
            heads[task == .wordReading ? 0 : 1](pooled(encoder(batch, on: tape), offsets: batch.offsets, mode: .cls, on: tape), on: tape)
        }
    }

    /// Trains one network and asks it everything; the same seed gives the same bits.
    ///
    /// - Throws: `DataError` where the training diverges.
    package func results(seed: UInt64) throws -> [Result] {
        var configuration = EncoderConfiguration(
            vocabularySize: 3 + 2 * colours, hiddenSize: hiddenSize, layers: 2, attentionHeads: 4, intermediateSize: 2 * hiddenSize,
            positions: 3)
        (configuration.segments, configuration.dropout) = (0, 0)
        let learner = Learner(encoder: Encoder(configuration), heads: (0..<2).map { _ in Linear(inputs: hiddenSize, outputs: colours) })
        learner.encoder.initialize(seed: seed)
        for (k, head) in learner.heads.enumerated() {
            var random = RandomSource(seed: seed).split(UInt64(1000 + k))
            head.weight.fill { 0.02 * random.normal() }
        }
        let parameters = learner.parameters,
            optimizer = Optimizer(OptimizerConfiguration(.adam, learningRate: learningRate), parameters: parameters)
        var random = RandomSource(seed: seed).split(2000)
        for step in 0..<readingSteps + jointSteps {
            if step == readingSteps, transfers {
                for (own, source) in zip(learner.heads[1].parameters, learner.heads[0].parameters) { own.assign(source.value) }
            }
            let readingShare = step < readingSteps ? 1 : frequency / (frequency + 1), tape = Tape<Float>()
            let drawn = (0..<batchSize).map { _ in
                (
                    task: random.uniform() < readingShare ? Task.wordReading : .colourNaming, colour: random.below(colours),
                    ink: random.below(colours + 1)
                )
            }
            for task in Task.allCases {
                let own = drawn.filter { $0.task == task }
                guard !own.isEmpty else { continue }
                let ids = own.map {
                    task == .colourNaming
                        ? stimulus(word: nil, ink: $0.colour)
                        : stimulus(word: $0.colour, ink: readsAnyInk && $0.ink < colours ? $0.ink : nil)
                }
                let losses = crossEntropy(learner.logits(PackedBatch(ids), task, on: tape), targets: own.map { Int32($0.colour) }, on: tape)
                guard losses.value.elements.allSatisfy(\.isFinite) else {
                    throw DataError(.badData, "training diverged in step \(step + 1)")
                }
                tape.backward(from: losses, seed: Tensor(repeating: 1 / Float(batchSize), shape: [own.count]))
            }
            // A head rests while its task is not asked for.
            let gradients =
                learner.encoder.parameters.map { Optional(tape.gradient(of: $0)) }
                + zip(learner.heads, Task.allCases).flatMap { head, task in
                    head.parameters.map { parameter in drawn.contains { $0.task == task } ? tape.gradient(of: parameter) : nil }
                }
            optimizer.step(gradients, learningRate: learningRate, threads: 1)
        }
        return Task.allCases.flatMap { task in
            Condition.allCases.map { condition in
                let all = stimuli(task, condition), logits = learner.logits(PackedBatch(all.map(\.ids)), task, on: nil).value
                var surprisal = 0.0, wrong = 0
                for (row, stimulus) in all.enumerated() {
                    let scores = (0..<colours).map { Double(logits[row, $0]) }, highest = scores.max() ?? 0
                    surprisal += log(scores.reduce(0) { $0 + exp($1 - highest) }) + highest - scores[stimulus.response]
                    if scores.indices.contains(where: { $0 != stimulus.response && scores[$0] >= scores[stimulus.response] }) { wrong += 1 }
                }
                return Result(
                    task: task, condition: condition, surprisal: surprisal / Double(all.count), errors: Double(wrong) / Double(all.count))
            }
        }
    }

    /// Networks of their own seeds, as participants of an experiment: the results of each.
    package func experiment(networks: Int, seed: UInt64, threads: Int = Parallel.availableThreads) throws -> [[Result]] {
        try Parallel.map(networks, threads: threads) { network, _ in
            var random = RandomSource(seed: seed).split(UInt64(network))
            return try results(seed: random.next())
        }
    }
}
