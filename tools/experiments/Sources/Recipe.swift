import Foundation
import LanguageModels
import Networks
import Tensors
import Training

/// Seconds that all threads of this program have computed: what a busy machine does not change.
func processorTime() -> Double {
    var usage = rusage()
    getrusage(0, &usage)  // 0: this process
    return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
}

/// A network and how it is trained until it writes all its targets.
struct Recipe: Sendable {
    var name: String
    var architecture: Seq2SeqConfiguration.Architecture
    var tied = false
    var learningRate: Double
    var batchSize: Int
    var epochs: Int
    var warmUp = 20

    struct Result {
        var parameters: Int
        var epochs: Int
        var seconds: Double
        var processorSeconds: Double
        var evaluation: FreeRunningEvaluation
        var description: String {
            String(
                format: "%d of %d free-running, %d parameters, %d epochs, %.2f s (%.2f s of processor time)", evaluation.exactMatches,
                evaluation.items.count, parameters, epochs, seconds, processorSeconds)
        }
    }

    func options(seed: UInt64, threads: Int) -> Seq2SeqTrainingOptions {
        var options = Seq2SeqTrainingOptions()
        options.optimizer = .init(.adam, learningRate: learningRate)
        options.optimizer.beta2 = 0.98
        options.batchSize = batchSize
        options.clipping = 1
        options.seed = seed
        options.threads = threads
        // Two shards a batch: what two cores can share.
        options.shardSize = max(8, (batchSize + 1) / 2)
        return options
    }

    func steps(_ items: Int) -> Int { (items + batchSize - 1) / batchSize }

    /// Linear warm-up, then half a cosine down to a twentieth.
    func schedule(stepsInEpoch: Int) -> (Int) -> Double {
        let total = Double(epochs * stepsInEpoch), warmUp = Double(warmUp), rate = learningRate
        return { step in
            let t = Double(step) + 1
            if t < warmUp { return rate * t / warmUp }
            return rate * (0.05 + 0.95 * 0.5 * (1 + cos(.pi * min(1, (t - warmUp) / max(1, total - warmUp)))))
        }
    }

    /// Trains until every item is written free-running; looks whenever the given-input matches say that it may be so.
    func run(_ poems: [Poem], seed: UInt64, threads: Int) throws -> Result {
        let task = try KanaTask(poems, architecture, tied: tied, seed: seed)
        let begin = ContinuousClock.now, processor = processorTime()
        let trainer = try Seq2SeqTrainer(task.model.network, examples: task.examples, options: options(seed: seed, threads: threads))
        let schedule = schedule(stepsInEpoch: steps(poems.count))
        var evaluation: FreeRunningEvaluation?
        for _ in 1...epochs {
            let epoch = try trainer.runEpoch(learningRate: schedule)
            // A free-running look costs about an epoch; before nearly all tokens are right it cannot succeed.
            if epoch.teacherForcedTokenAccuracy > 0.995 {
                evaluation = try task.evaluate(threads: threads)
                if evaluation?.exactMatch == 1 { break }
            }
        }
        let final = try evaluation ?? task.evaluate(threads: threads)
        return Result(
            parameters: task.model.network.parameterCount, epochs: trainer.epochs, seconds: (ContinuousClock.now - begin) / .seconds(1),
            processorSeconds: processorTime() - processor, evaluation: final)
    }

    // MARK: The recipes

    static func transformer(
        _ size: Int, heads: Int = 4, feedForward: Int? = nil, layers: (Int, Int) = (1, 1)
    ) -> Seq2SeqConfiguration.Architecture {
        var shape = Seq2SeqConfiguration.Transformer()
        shape.hiddenSize = size
        shape.attentionHeads = heads
        shape.intermediateSize = feedForward ?? 2 * size
        (shape.encoderLayers, shape.decoderLayers) = layers
        shape.normPlacement = .pre
        shape.finalNorm = true
        return .transformer(shape)
    }

    static func recurrent(
        _ cell: RecurrentCellName, _ size: Int, embedding: Int? = nil, attention: Seq2SeqConfiguration.Recurrent.Attention = .none
    )
        -> Seq2SeqConfiguration.Architecture
    {
        var shape = Seq2SeqConfiguration.Recurrent()
        shape.cell = cell == .lstm ? .lstm : .gru
        shape.hiddenSize = size
        shape.embeddingSize = embedding ?? size
        shape.attention = attention
        return .recurrent(shape)
    }
    enum RecurrentCellName { case lstm, gru }

    static let candidates: [Recipe] = [
        Recipe(name: "transformer-32", architecture: transformer(32), learningRate: 1e-2, batchSize: 20, epochs: 120),
        Recipe(name: "transformer-64", architecture: transformer(64), learningRate: 5e-3, batchSize: 20, epochs: 80),
        Recipe(name: "gru-32", architecture: recurrent(.gru, 32, embedding: 16), learningRate: 2e-2, batchSize: 20, epochs: 120),
        Recipe(name: "gru-64", architecture: recurrent(.gru, 64, embedding: 32), learningRate: 1e-2, batchSize: 20, epochs: 80),
        Recipe(name: "gru-128", architecture: recurrent(.gru, 128, embedding: 32), learningRate: 7e-3, batchSize: 20, epochs: 60),
        Recipe(name: "lstm-64", architecture: recurrent(.lstm, 64, embedding: 32), learningRate: 1e-2, batchSize: 20, epochs: 80),
        Recipe(
            name: "gru-64-dot", architecture: recurrent(.gru, 64, embedding: 32, attention: .dot), learningRate: 1e-2, batchSize: 20,
            epochs: 80),
    ]
    /// Found by `search`: the fastest, and the smallest that reached all hundred with every seed tried.
    static let winners = [
        Recipe(name: "gru-32", architecture: recurrent(.gru, 32, embedding: 12), learningRate: 2.5e-2, batchSize: 20, epochs: 160),
        Recipe(name: "gru-28", architecture: recurrent(.gru, 28, embedding: 12), learningRate: 2.5e-2, batchSize: 20, epochs: 160),
    ]
    static let recall = Recipe(
        name: "recall", architecture: recurrent(.gru, 128, embedding: 32), learningRate: 7e-3, batchSize: 100, epochs: 30)
}
