import Autograd
import FileFormats
import LanguageModels
import Networks
import Synchronization
import Tensors

/// How a seq2seq network learns.
package struct Seq2SeqTrainingOptions: Sendable {
    /// What the decoder reads while it learns.
    package enum DecoderInput: String, Sendable, CaseIterable {
        /// The begin mark and then the target: position t has seen the target up to t − 1 and must say t.
        case shifted
        /// The target itself, as it is: position t has seen what it must say. Learns to copy, and writes nothing sensible when it runs
        /// freely; there to show what comes of it.
        case unshifted
    }

    /// λ ‖P θ‖² for the parameters of one group: what is added to the loss.
    package struct Penalty: Sendable, Equatable {
        package enum Target: String, Sendable, CaseIterable { case zero, pretrained }
        package var group: ParameterGroup
        package var lambda: Double
        /// θ is held toward 0, or toward the weights before this training.
        package var target: Target

        package init(group: ParameterGroup, lambda: Double, target: Target) {
            self.group = group
            self.lambda = lambda
            self.target = target
        }
    }

    package var optimizer = OptimizerConfiguration(.adam, learningRate: 1e-3)
    /// Examples in a step.
    package var batchSize = 32
    package var decoderInput = DecoderInput.shifted
    package var labelSmoothing = 0.0
    /// Probability that a token of the decoder's input is the network's own guess instead of the truth (Bengio et al. 2015). Guesses are
    /// those of one pass over the true input (Mihaylova & Martins 2019), so that all positions are still computed at once.
    package var sampledInput = 0.0
    /// Gradients longer than this are scaled down to it; 0 for never.
    package var clipping = 0.0
    package var frozen: Set<ParameterGroup> = []
    package var penalties: [Penalty] = []
    package var precision = Precision.f32
    package var seed: UInt64 = 0
    /// Results do not depend on it.
    package var threads = Parallel.availableThreads
    /// Examples that one tape takes; a batch is cut by this, whatever the number of threads.
    package var shardSize = 32

    package init() {}
}

/// What one epoch did. The share of correct tokens is teacher-forced: each position was given the true ones before it.
package struct Seq2SeqEpoch: Sendable {
    package let epoch: Int
    package let steps: Int
    /// Cross-entropy a token, with label smoothing where that is on.
    package let loss: Double
    package let teacherForcedTokenAccuracy: Double
    package let learningRate: Double
}

/// Trains a network on pairs, epoch after epoch. Same seed, same weights, whatever the number of threads.
package final class Seq2SeqTrainer {
    package let network: any Seq2SeqNetwork<Float>
    package let examples: [Seq2SeqExample]
    package let options: Seq2SeqTrainingOptions
    package private(set) var epochs = 0
    private let optimizer: Optimizer<Float>
    private let gradients: ShardedGradients<Float>
    private let parameters: [Parameter<Float>]
    /// λ and what the parameter is held to (nil for zero), for each parameter that a penalty concerns.
    private var holds: [(index: Int, lambda: Double, target: Tensor<Float>?)] = []
    private var random: RandomSource

    /// - Throws: `DataError` if the options leave nothing to learn.
    package init(_ network: any Seq2SeqNetwork<Float>, examples: [Seq2SeqExample], options: Seq2SeqTrainingOptions) throws {
        guard !examples.isEmpty else { throw DataError(.usage, "no examples to learn from") }
        guard options.batchSize > 0, options.shardSize > 0 else { throw DataError(.usage, "a batch has at least one example") }
        guard options.precision.isFast else {
            throw DataError(
                .usage, "this processor has no \(options.precision.rawValue) instructions (oneDNN found \(processorKernels)); train in f32")
        }
        self.network = network
        self.examples = examples
        self.options = options
        parameters = network.parameters
        // The sinusoids belong to no list of parameters; everything else learns unless it is frozen.
        let frozen = Set(parameters.filter { !network.groups(of: $0).isDisjoint(with: options.frozen) }.map { ObjectIdentifier($0) })
        guard frozen.count < parameters.count else { throw DataError(.usage, "every parameter is frozen, so nothing can be trained") }
        for (index, parameter) in parameters.enumerated() where !frozen.contains(ObjectIdentifier(parameter)) {
            let groups = network.groups(of: parameter)
            for penalty in options.penalties where penalty.lambda != 0 && groups.contains(penalty.group) {
                holds.append((index, penalty.lambda, penalty.target == .zero ? nil : parameter.value))
            }
        }
        optimizer = Optimizer(options.optimizer, parameters: parameters)
        gradients = ShardedGradients(parameters, frozen: frozen, precision: options.precision, threads: options.threads)
        random = RandomSource(seed: options.seed)
    }

    /// One pass over all examples in a new order.
    ///
    /// - Parameters:
    ///   - learningRate: from the number of steps taken, from 0; the optimizer's own when nil.
    ///   - eachStep: called after every step with its loss.
    /// - Throws: `DataError` with the step if the loss is NaN.
    package func runEpoch(learningRate: ((Int) -> Double)? = nil, eachStep: ((Int, Double) -> Void)? = nil) throws -> Seq2SeqEpoch {
        let order = random.permutation(examples.count)
        var lossSum = 0.0, tokens = 0, correct = 0, steps = 0, rate = options.optimizer.learningRate
        for range in Parallel.chunks(examples.count, size: options.batchSize) {
            rate = learningRate?(optimizer.steps) ?? options.optimizer.learningRate
            let result = try step(range.map { examples[order[$0]] }, learningRate: rate)
            guard result.loss.isFinite else {
                throw DataError(
                    .badData,
                    "training diverged after \(optimizer.steps) steps: the loss is NaN; lower the learning rate "
                        + "(\(rate)) or clip gradients")
            }
            lossSum += result.loss * Double(result.tokens)
            tokens += result.tokens
            correct += result.correct
            steps += 1
            eachStep?(optimizer.steps, result.loss)
        }
        epochs += 1
        return Seq2SeqEpoch(
            epoch: epochs, steps: steps, loss: lossSum / Double(tokens),
            teacherForcedTokenAccuracy: Double(correct) / Double(tokens), learningRate: rate)
    }

    /// One step over a batch.
    package func step(_ batch: [Seq2SeqExample], learningRate: Double) throws -> (loss: Double, tokens: Int, correct: Int) {
        let network = network, options = options
        let begin = network.configuration.beginID, end = network.configuration.endID
        let marks = batch.map { example in
            options.decoderInput == .shifted ? [begin] + example.target : example.target + [end]
        }
        let targets = batch.map { $0.target + [end] }
        let total = targets.reduce(0) { $0 + $1.count }
        let shards = Parallel.chunks(batch.count, size: options.shardSize)
        let seed = random.next(), sampling = random.next()
        let correct = Atomic(0)
        var loss = 0.0
        try gradients.add(shards: shards.count, seed: seed) { shard, tape in
            let range = shards[shard]
            let source = PackedBatch(batch[range].map(\.source))
            var input = Array(marks[range])
            if options.sampledInput > 0, options.decoderInput == .shifted {
                input = Self.sampled(input, source, network, rate: options.sampledInput, RandomSource(seed: sampling).split(UInt64(shard)))
            }
            let states = network.states(source: source, decoderInput: PackedBatch(input), on: tape)
            let result = linearCrossEntropy(
                states, weight: network.output.weight, bias: network.output.bias, targets: targets[range].flatMap { $0 },
                smoothing: Float(options.labelSmoothing), divisor: Float(total), on: tape)
            correct.add(result.correct, ordering: .relaxed)
            return result.loss
        } loss: { losses in
            loss = losses.reduce(0) { $0 + Double($1?[0] ?? 0) }
            return losses.map { $0.map { Tensor(repeating: 1, shape: $0.shape) } }
        }
        var gradient = gradients.gradients
        for hold in holds { addPenalty(hold, to: &gradient[hold.index]) }
        var scale = 1.0
        if options.clipping > 0 {
            let norm = holds.isEmpty ? gradients.norm() : gradient.reduce(0) { $0 + ($1?.squaredNorm ?? 0) }.squareRoot()
            if norm > options.clipping { scale = options.clipping / norm }
        }
        gradients.clear()
        optimizer.step(gradient, learningRate: learningRate, gradientScale: scale, threads: options.threads)
        return (loss, total, correct.load(ordering: .relaxed))
    }

    /// The derivative of λ ‖θ − target‖².
    private func addPenalty(_ hold: (index: Int, lambda: Double, target: Tensor<Float>?), to gradient: inout Tensor<Float>?) {
        guard var sum = gradient else { return }
        let slope = Float(2 * hold.lambda)
        Float.add(slope, times: parameters[hold.index].value.view, to: &sum.target)
        if let target = hold.target { Float.add(-slope, times: target.view, to: &sum.target) }
        gradient = sum
    }

    /// The decoder's input with some tokens replaced by the network's guesses for them.
    private static func sampled(
        _ input: [[Int32]], _ source: PackedBatch, _ network: any Seq2SeqNetwork<Float>, rate: Double, _ stream: RandomSource
    ) -> [[Int32]] {
        var random = stream
        let packed = PackedBatch(input)
        let scores = network.output(network.states(source: source, decoderInput: packed, on: nil), on: nil).value
        return input.enumerated().map { s, tokens in
            tokens.enumerated().map { t, token in
                guard t > 0, random.uniform() < rate else { return token }
                return Int32(Float.indexOfLargest(scores.view[Int(packed.offsets[s]) + t - 1]))
            }
        }
    }
}
