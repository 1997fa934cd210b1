import FileFormats
import Foundation
import Tensors

/// How a structural probe is trained. The values of `reference` are those of the public reference implementation.
public struct ProbeTraining: Sendable, Equatable {
    /// What is done about the different size of the components of word vectors.
    package enum Scaling: String, Sendable, CaseIterable {
        /// Nothing, as in the reference implementation.
        case none
        /// One factor for all components, so that untrained predictions are as large as the tree's distances.
        case uniform
        /// Every component divided by its standard deviation, then one factor.
        case standardized
        /// Principal components, each divided by its standard deviation: syntax that lies in directions of small variance is
        /// then as near to the start as any other.
        case whitened
    }

    /// What the probe predicts.
    package var kind: ProbeKind
    /// Rows of B.
    package var rank: Int
    /// Seed of the initialization and of the order of sentences.
    package var seed: UInt64 = 0
    /// What is done about components of different size.
    package var scaling = Scaling.none
    /// Sentences in a batch.
    package var batch = 20
    /// Learning rate of Adam at the start.
    package var learningRate = 0.001
    /// Epochs after which training ends in any case.
    package var maximumEpochs = 40
    /// The learning rate is multiplied by this after an epoch whose dev loss is no better than the best by a ten-thousandth part …
    package var plateauFactor = 0.1
    /// … for more than this many epochs.
    package var plateauPatience = 0
    /// Training ends after this many epochs without a dev loss better by 0.0001.
    package var stopPatience = 5
    /// B begins uniform between − and + this.
    package var initialRange = 0.05

    /// The settings of the reference implementation.
    package init(kind: ProbeKind, rank: Int) { (self.kind, self.rank) = (kind, rank) }

    /// The settings of the reference implementation.
    public static func reference(_ kind: ProbeKind, rank: Int) -> ProbeTraining { ProbeTraining(kind: kind, rank: rank) }

    /// Settings that do not depend on the scale of the vectors: the components are standardized, and the learning rate falls only
    /// after two epochs without progress. Chosen by dev loss (docs/experiments/probes.md).
    public static func improved(_ kind: ProbeKind, rank: Int) -> ProbeTraining {
        var training = ProbeTraining(kind: kind, rank: rank)
        training.scaling = .standardized
        training.plateauPatience = 1
        return training
    }
}

/// A trained probe and how its training went.
public struct TrainedProbe: Sendable {
    /// The losses of one epoch.
    package struct Epoch: Sendable, Equatable {
        /// Mean losses over sentences.
        package var trainLoss: Double
        package var devLoss: Double
        /// The learning rate of this epoch.
        package var learningRate: Double
    }

    /// As it was after the best epoch.
    public var probe: StructuralProbe
    package var epochs: [Epoch]
    /// From 0.
    package var bestEpoch: Int
    /// The dev loss of the best epoch.
    package var devLoss: Double { epochs[bestEpoch].devLoss }
}

extension ProbeTraining {
    /// Trains a probe on vectors (words, dimension) of the corpus's words. Runs on the calling thread; the same settings and seed
    /// give the same bits.
    /// - Parameter report: called after every epoch; false ends the training.
    /// - Throws: `DataError` if the rank is above the dimension, vectors and words differ in number, a vector is not finite, or the
    ///   loss overflows.
    package func train(
        _ corpus: ProbeCorpus, _ vectors: Tensor<Float>, dev: ProbeCorpus, _ devVectors: Tensor<Float>,
        report: (_ epoch: Int, _ result: TrainedProbe.Epoch) -> Bool = { _, _ in true }
    ) throws -> TrainedProbe {
        try check(corpus, vectors)
        try check(dev, devVectors)
        guard vectors.columns == devVectors.columns else {
            throw DataError(
                .badData,
                "vectors of \(dev.file) have \(devVectors.columns) components, those of \(corpus.file) \(vectors.columns): they come from different encoders"
            )
        }
        let whitening = scaling == .whitened ? try whitening(of: vectors, corpus) : nil
        let vectors = whitening.map { matrixProduct(vectors, $0) } ?? vectors
        let devVectors = whitening.map { matrixProduct(devVectors, $0) } ?? devVectors
        let objective = ProbeObjective(kind: kind, corpus: corpus, vectors: vectors)
        let devObjective = ProbeObjective(kind: kind, corpus: dev, vectors: devVectors)
        let devBatches = Parallel.chunks(dev.sentences.count, size: 40)
        let dimension = vectors.columns, size = dimension * rank
        let scales = self.scales(corpus, vectors)
        let random = RandomSource(seed: seed)

        // B = scales ∘ parameters: training the parameters is training B on rescaled vectors.
        var start = random.split(0)
        var parameters = Tensor((0..<size).map { _ in Float((2 * start.uniform() - 1) * initialRange) }, shape: [dimension, rank])
        var scaled = parameters
        var gradient = Tensor<Float>(shape: [dimension, rank]), first = gradient, second = gradient
        func rescale(_ tensor: inout Tensor<Float>) {
            guard let scales else { return }
            tensor.withUnsafeMutableElements { for row in 0..<dimension { Float.scale($0 + row * rank, by: scales[row], count: rank) } }
        }

        var rate = learningRate
        var steps = 0
        var epochs: [TrainedProbe.Epoch] = []
        var best = (loss: Double.infinity, epoch: 0, projection: scaled)
        // The schedule and the stop judge by thresholds of their own, as in the reference implementation.
        var plateau = (loss: Double.infinity, badEpochs: 0)
        for epoch in 0..<maximumEpochs {
            var order = random.split(UInt64(epoch) + 1)
            let sentences = order.permutation(corpus.sentences.count)
            var trainLoss = 0.0
            for range in Parallel.chunks(sentences.count, size: batch) {
                scaled = parameters
                rescale(&scaled)
                trainLoss += scaled.withUnsafeElements { b in
                    gradient.withUnsafeMutableElements { objective.loss(sentences[range], projection: b, rank: rank, gradient: $0) }
                }
                rescale(&gradient)
                steps += 1
                Float.stepAdam(&parameters.target, gradient.view, &first.target, &second.target, adamStep(steps, rate))
            }
            scaled = parameters
            rescale(&scaled)
            let devLoss =
                scaled.withUnsafeElements { b in
                    devBatches.reduce(0) { $0 + devObjective.loss($1, projection: b, rank: rank, gradient: nil) }
                } / Double(dev.sentences.count)
            guard trainLoss.isFinite, devLoss.isFinite else {
                throw DataError(
                    .badData,
                    "the \(kind.rawValue) probe's loss overflows in epoch \(epoch + 1); rescale the vectors or "
                        + "lower the learning rate", file: corpus.file)
            }
            epochs.append(.init(trainLoss: trainLoss / Double(corpus.sentences.count), devLoss: devLoss, learningRate: rate))
            if devLoss < plateau.loss * (1 - 1e-4) { plateau = (devLoss, 0) } else { plateau.badEpochs += 1 }
            if plateau.badEpochs > plateauPatience {
                rate *= plateauFactor
                plateau.badEpochs = 0
            }
            if devLoss < best.loss - 1e-4 { best = (devLoss, epoch, scaled) }
            let goesOn = report(epoch, epochs[epoch])
            if !goesOn || epoch - best.epoch >= stopPatience { break }
        }
        let projection = whitening.map { matrixProduct($0, best.projection) } ?? best.projection
        return TrainedProbe(probe: StructuralProbe(kind: kind, projection: projection), epochs: epochs, bestEpoch: best.epoch)
    }

    private func check(_ corpus: ProbeCorpus, _ vectors: Tensor<Float>) throws {
        guard rank >= 1, rank <= vectors.columns else {
            throw DataError(.usage, "the rank \(rank) is not between 1 and \(vectors.columns), the dimension of the vectors")
        }
        guard vectors.rows == corpus.wordCount else {
            throw DataError(.badData, "\(vectors.rows) vectors for \(corpus.wordCount) words", file: corpus.file)
        }
        guard !vectors.isFinite else { return }
        let bad =
            vectors.withUnsafeElements { v in
                (0..<vectors.rows).first { !Float.allFinite(v + $0 * vectors.columns, count: vectors.columns) }
            } ?? 0
        let sentence = (corpus.offsets.firstIndex { $0 > bad } ?? 1) - 1
        throw DataError(
            .badData,
            "sentence \(corpus.sentences[sentence].id): the vector of word \(bad - corpus.offsets[sentence] + 1) "
                + "has a component that is not finite", file: corpus.file)
    }

    /// One factor for each component, nil if nothing is rescaled.
    private func scales(_ corpus: ProbeCorpus, _ vectors: Tensor<Float>) -> [Float]? {
        guard scaling != .none else { return nil }
        let dimension = vectors.columns, rows = max(vectors.rows, 1)
        var sums = [Double](repeating: 0, count: dimension), squares = sums
        vectors.withUnsafeElements { v in
            for row in 0..<vectors.rows {
                for column in 0..<dimension {
                    let value = Double(v[row * dimension + column])
                    sums[column] += value
                    squares[column] += value * value
                }
            }
        }
        // What the probe squares: differences of two words, or the words themselves.
        let power = (0..<dimension).map { column in
            let mean = sums[column] / Double(rows), square = squares[column] / Double(rows)
            return kind == .distance ? 2 * max(square - mean * mean, 0) : square
        }
        let floor = max((power.max() ?? 0) * 1e-6, Double.leastNormalMagnitude)
        let factors = scaling == .standardized ? power.map { 1 / max($0, floor).squareRoot() } : [Double](repeating: 1, count: dimension)
        // Untrained predictions have this size on average: every entry of B has the variance initialRange² / 3.
        let size = Double(rank) * initialRange * initialRange / 3 * zip(power, factors).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }
        let gold = kind == .distance ? corpus.distances : corpus.depths
        let target = gold.reduce(0) { $0 + Double($1) } / Double(max(gold.count, 1))
        let common = size > 0 && target > 0 ? (target / size).squareRoot() : 1
        return factors.map { Float($0 * common) }
    }
}

extension ProbeTraining {
    /// Columns that turn vectors (as rows) into uncorrelated components of variance 1. Directions of next to no variance stay small: they
    /// hold rounding errors.
    fileprivate func whitening(of vectors: Tensor<Float>, _ corpus: ProbeCorpus) throws -> Tensor<Float> {
        let dimension = vectors.columns, rows = vectors.rows
        var mean = [Double](repeating: 0, count: dimension)
        if kind == .distance {
            // Differences of words know no mean; depths are measured from the origin.
            vectors.withUnsafeElements { v in
                for row in 0..<rows { for column in 0..<dimension { mean[column] += Double(v[row * dimension + column]) } }
            }
            mean = mean.map { $0 / Double(max(rows, 1)) }
        }
        var gram = Tensor<Double>(shape: [dimension, dimension])
        for range in Parallel.chunks(rows, size: 1024) {
            var block = Tensor<Double>(uninitialized: [range.count, dimension])
            vectors.withUnsafeElements { v in
                block.withUnsafeMutableElements { b in
                    for row in range {
                        for column in 0..<dimension {
                            b[(row - range.lowerBound) * dimension + column] = Double(v[row * dimension + column]) - mean[column]
                        }
                    }
                }
            }
            block.withUnsafeElements { b in
                gram.withUnsafeMutableElements { Double.addGram(b, rows: range.count, columns: dimension, to: $0) }
            }
        }
        gram.withUnsafeMutableElements { Double.scale($0, by: 1 / Double(max(rows, 1)), count: dimension * dimension) }
        let (values, directions) = try symmetricEigenvectors(gram, count: dimension)
        let floor = max((values.max() ?? 0) * 1e-5, Double.leastNormalMagnitude)
        var result = Tensor<Float>(uninitialized: [dimension, dimension])
        result.withUnsafeMutableElements { to in
            for (component, value) in values.enumerated() {
                let factor = 1 / max(value, floor).squareRoot()
                for row in 0..<dimension { to[row * dimension + component] = Float(directions[component, row] * factor) }
            }
        }
        return result
    }
}

/// Adam with the constants of torch.optim.
private func adamStep(_ number: Int, _ rate: Double) -> OptimizerStep {
    var step = OptimizerStep()
    (step.learningRate, step.momentum, step.beta2, step.epsilon) = (rate, 0.9, 0.999, 1e-8)
    step.corrections = (1 - pow(0.9, Double(number)), 1 - pow(0.999, Double(number)))
    return step
}
