import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Statistics
import Tensors
import Tokenizers

/// Fine-tunes an encoder and a head on labelled texts.
///
/// As with all training here, every random choice is a function of the seed and of the step, gradients are summed in a fixed order, and a
/// checkpoint holds everything else: a run that was killed and resumed ends with the same bits, with any number of threads.
package final class ClassifierTrainer {
    package let settings: FineTuning
    package let network: SequenceClassifier<Float>
    package private(set) var step = 0
    package private(set) var history = EvaluationHistory()
    package let steps: Int

    private let data: LabelledTexts
    private let encodings: [Encoding]
    private let train: [Int]
    private let heldOut: [Int]
    private let threads: Int
    private let parameters: [Parameter<Float>]
    private let optimizer: Optimizer<Float>
    private let gradients: ShardedGradients<Float>
    private let schedule: LearningRateSchedule
    private var sampler: RowSampler
    private let loss: ClassifierLoss
    private let pretrained: [(index: Int, value: Tensor<Float>)]
    /// Weights of the best epoch.
    private var best: [Tensor<Float>] = []
    private let fingerprint: String

    /// - Parameters:
    ///   - encodings: of all rows of `data`, as `base.encode` gives them.
    ///   - train, heldOut: rows that are learned from, and rows by which the epoch is chosen (none if it is not).
    /// - Throws: `DataError` if the model does not fit, or `freeze` names more layers than it has.
    package init(_ settings: FineTuning, base: PretrainedBase, data: LabelledTexts, encodings: [Encoding], train: [Int], heldOut: [Int], threads: Int) throws {
        guard settings.precision.isFast else {
            throw DataError(.usage, "this processor has no \(settings.precision.rawValue) instructions (oneDNN found \(processorKernels)); f32 works everywhere")
        }
        (self.settings, self.data, self.encodings, self.train, self.heldOut, self.threads) = (settings, data, encodings, train, heldOut, threads)
        network = try base.network(task: data.task, labels: data.labels, dropout: settings.dropout, seed: settings.seed)
        let encoder = network.encoder, layers = encoder.distinctLayers
        let all = network.parameters
        parameters = all
        // The layer of each parameter, embeddings 0, the head above all.
        var depths: [ObjectIdentifier: Int] = [:]
        for parameter in encoder.parameters { depths[ObjectIdentifier(parameter)] = 0 }
        for (index, layer) in layers.enumerated() { for parameter in layer.parameters { depths[ObjectIdentifier(parameter)] = index + 1 } }
        for parameter in encoder.finalNorm?.parameters ?? [] { depths[ObjectIdentifier(parameter)] = layers.count }
        let depth = parameters.map { depths[ObjectIdentifier($0)] ?? layers.count + 1 }
        let lowest: Int
        switch settings.freeze {
        case .none: lowest = 0
        case .embeddings: lowest = 1
        case .layers(let count):
            guard count <= layers.count else { throw DataError(.usage, "\(Setting.freeze) \(count) is more than the model's \(layers.count) layers") }
            lowest = count + 1
        case .all: lowest = layers.count + 1
        }
        let frozen = Set(zip(parameters, depth).filter { $0.1 < lowest }.map { ObjectIdentifier($0.0) })
        var method = OptimizerConfiguration(.adamw, learningRate: settings.learningRate)
        method.weightDecay = settings.weightDecay
        optimizer = Optimizer(method, parameters: parameters)
        optimizer.rateScales = depth.map { $0 < lowest ? 0 : power(settings.layerDecay, layers.count + 1 - $0) }
        gradients = ShardedGradients(parameters, frozen: frozen, lanes: settings.lanes, precision: settings.precision, threads: threads)
        sampler = RowSampler(rows: train.count, batchSize: settings.batchSize, random: RandomSource(seed: settings.seed).split(1))
        steps = settings.epochs * sampler.batchesPerEpoch
        schedule = LearningRateSchedule(.linear, warmupSteps: Int((settings.warmup * Double(steps)).rounded()), totalSteps: steps)
        loss = ClassifierLoss(data, train: train, isBalanced: settings.isBalanced)
        let pulled = depth.indices.filter { depth[$0] >= lowest && depth[$0] <= layers.count }
        pretrained = settings.pull > 0 ? pulled.map { (index: $0, value: all[$0].value) } : []
        let identity = [settings.description, try base.directory.sha256(), data.sha256.joined(separator: ","), data.labels.joined(separator: "\u{1}"), "\(train)", "\(heldOut)"]
        fingerprint = SHA256.hex(of: identity.joined(separator: "\n"))
    }

    /// Training rows, and those of them that are held out for choosing the epoch and for calibration: whole groups; none if neither is
    /// wanted.
    ///
    /// - Throws: `DataError` if a class would have no rows to learn from.
    package static func parts(of rows: [Int], _ data: LabelledTexts, _ settings: FineTuning) throws -> (train: [Int], heldOut: [Int]) {
        guard settings.stopsEarly || settings.calibrates else { return (rows, []) }
        let folds = try Folds(rows: rows, count: max(2, Int((1 / max(settings.heldOutShare, 0.01)).rounded())), groups: data.groups,
                              strata: data.task == .classification ? data.codes : nil, seed: settings.seed &+ 0x51)
        let rest = folds.training(0, of: rows)
        if data.task == .classification, Set(rest.map { data.codes[$0] }).count < Set(rows.map { data.codes[$0] }).count {
            throw DataError(.badData, "holding rows out for early stopping or calibration leaves a class without rows to learn from; it has too few rows or groups")
        }
        return (rest, folds.tests[0])
    }

    /// The temperature of the logits, found on the held-out rows; nil if none is wanted or there are no classes.
    package func temperature() throws -> Double? {
        guard settings.calibrates, data.task == .classification, !heldOut.isEmpty else { return nil }
        return Calibration.temperature(logits: try scores(heldOut), labels: heldOut.map { data.codes[$0] })
    }

    // MARK: A step

    /// One step.
    /// - Throws: `DataError` if the loss or its gradient is not a number.
    private func takeStep() throws -> (loss: Double, learningRate: Double, gradientNorm: Double) {
        gradients.clear()
        let rows = sampler.next().map { train[$0] }, lengths = rows.map { encodings[$0].count }
        let sharding = Sharding(lengths: lengths, shardTokens: settings.shardTokens) { encodings[rows[$0]].ids[...] }
        let configuration = network.encoder.configuration, network = network
        let batches = sharding.members.map { members in
            var batch = PackedBatch()
            for member in members { EncodedSequences.append(encodings[rows[member]], to: &batch, configuration) }
            return batch
        }
        var drawn = RandomSource(seed: settings.seed).split(2).split(UInt64(step)), sum = 0.0
        let weight = rows.reduce(0) { $0 + loss.weight($1) }
        try gradients.add(shards: batches.count, seed: drawn.next()) { shard, tape in
            network(batches[shard], on: tape)
        } loss: { outputs in
            zip(sharding.members, outputs).map { members, output in
                guard let output else { return nil }
                var slopes = Tensor<Float>(uninitialized: output.shape)
                for (place, member) in members.enumerated() {
                    let scores = (0..<output.columns).map { Double(output[place, $0]) }
                    let found = loss(rows[member], scores)
                    sum += found.loss / weight
                    for k in scores.indices { slopes[place, k] = Float(found.slopes[k] / weight) }
                }
                return slopes
            }
        }
        let norm = gradients.norm()
        guard sum.isFinite, norm.isFinite else {
            throw DataError(.badData, "training diverged in step \(step + 1): loss \(sum), gradient norm \(norm); lower \(Setting.learningRate)")
        }
        let rate = settings.learningRate * schedule.factor(step: step)
        let clip = settings.clipping > 0 && norm > settings.clipping ? settings.clipping / norm : 1
        optimizer.step(gradients.gradients, learningRate: rate, gradientScale: clip, threads: threads)
        for (index, value) in pretrained {
            let share = Float(min(1, rate * optimizer.rateScales[index] * settings.pull))
            var own = parameters[index].take()
            Float.scale(&own.target, by: 1 - share)
            Float.add(share, times: value.view, to: &own.target)
            parameters[index].giveBack(own)
        }
        step += 1
        return (sum, rate, norm)
    }

    // MARK: The run

    /// Trains to the end, then puts the weights that count into `network`.
    ///
    /// - Parameters:
    ///   - folder: of checkpoints and log; nil keeps none.
    ///   - shouldStop: asked after every step; a checkpoint is written before the run ends with an error of kind `interrupted`.
    package func run(in folder: URL? = nil, checkpointMinutes: Double = 5, shouldStop: () -> Bool = { false }, watch: (TrainingEvent) -> Void = { _ in }) throws {
        if let folder {
            do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
                throw DataError(.cannotCreate, "the run's folder cannot be made: \(error.localizedDescription)", file: folder.path)
            }
            if let stored = try Checkpoint.newest(in: folder) {
                try restore(stored)
                watch(.resumed(step: step, file: stored.path))
            }
        }
        let log = try folder.map { try TrainingLog($0.appendingPathComponent("log.jsonl"), keepingSteps: step) }
        var lastSave = ContinuousClock.now
        func save() throws -> String {
            guard let folder else { return "" }
            let file = try checkpoint().write(to: folder)
            try log?.flush()
            lastSave = .now
            watch(.saved(step: step, file: file))
            return file
        }
        while step < steps {
            let found = try takeStep()
            watch(.step(step, losses: [(name: "loss", loss: found.loss)], learningRate: found.learningRate, gradientNorm: found.gradientNorm, sentences: sampler.batchSize))
            try log?.add(step: step, [("losses", .object([("loss", .number(found.loss))])), ("learning_rate", .number(found.learningRate)), ("gradient_norm", .number(found.gradientNorm))])
            let isEpoch = step % sampler.batchesPerEpoch == 0
            if isEpoch, settings.stopsEarly, !heldOut.isEmpty {
                let value = try figure(heldOut), isBest = history.add(value, step: step)
                if isBest { best = parameters.map(\.value) }
                try log?.add(step: step, [("evaluation", .object([("held-out", .number(value))])), ("best", .bool(isBest))])
                watch(.evaluated(step: step, figures: [(name: "held-out", value: value)], mean: value, isBest: isBest))
            }
            if folder != nil, step < steps, ContinuousClock.now - lastSave > .seconds(60 * checkpointMinutes) { _ = try save() }
            if step < steps, shouldStop() {
                let file = try save()
                throw DataError(.interrupted, folder == nil ? "stopped after step \(step)" : "stopped after step \(step); the same command resumes from \(file)")
            }
        }
        if folder != nil { _ = try save() }
        try log?.flush()
        if !best.isEmpty { for (parameter, value) in zip(parameters, best) { parameter.assign(value) } }
        loss.foldScale(into: network.output)
    }

    /// The main measure on some rows: higher is better. Where predictions are constant and it is undefined, the lowest value.
    private func figure(_ rows: [Int]) throws -> Double {
        let value = Outcome(data, rows, try scores(rows)).value(ClassifierScores.main(data.task), Array(rows.indices))
        return value.isFinite ? value : -1
    }

    /// Logits of rows (rows, labels), or predicted numbers, after training.
    package func scores(_ rows: [Int]) throws -> Tensor<Double> {
        try EncodedSequences.logits(rows.map { encodings[$0] }, network, batchTokens: 1024, threads: threads)
    }

    // MARK: Checkpoints

    private func checkpoint() -> Checkpoint {
        var tensors = parameters.enumerated().map { (name: "parameter.\($0)", tensor: $1.value) }
        tensors += optimizer.state.map { (name: "optimizer.\($0.name)", tensor: $0.tensor) }
        tensors += best.enumerated().map { (name: "best.\($0)", tensor: $1) }
        return Checkpoint(step: step, state: .object([
            ("fingerprint", .string(fingerprint)), ("optimizer_steps", .integer(optimizer.steps)), ("position", .integer(sampler.position)), ("has_best", .bool(!best.isEmpty)),
            ("history", .array(history.numbers.map { $0.isNaN ? .null : .number($0) })),
        ]), tensors: tensors)
    }

    private func restore(_ stored: StoredCheckpoint) throws {
        guard stored.state["fingerprint"]?.string == fingerprint else {
            throw DataError(.badData, "this checkpoint belongs to other data, another model or other settings; use another folder with \(Setting.run), or start over with \(Setting.fresh)", file: stored.path)
        }
        guard let position = stored.state["position"]?.int, position >= 0, let count = stored.state["optimizer_steps"]?.int, count >= 0,
              let numbers = stored.state["history"]?.array, let history = EvaluationHistory(numbers: numbers.map { $0.double ?? .nan }) else {
            throw DataError(.badData, "the checkpoint's state is incomplete", file: stored.path)
        }
        let values = try parameters.enumerated().map { try stored.tensor("parameter.\($0)", shape: $1.shape) }
        let kept = try stored.state["has_best"]?.bool == true ? parameters.enumerated().map { try stored.tensor("best.\($0)", shape: $1.shape) } : []
        let shapes = Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor.shape) })
        try optimizer.restore(steps: count) { name in try shapes[name].map { try stored.tensor("optimizer.\(name)", shape: $0) } }
        for (parameter, value) in zip(parameters, values) { parameter.assign(value) }
        best = kept
        sampler = sampler.moved(to: position)
        self.history = history
        step = stored.step
    }
}

/// The error of one row and its derivative, in Double.
struct ClassifierLoss: Sendable {
    private let data: LabelledTexts
    private let classWeights: [Double]
    /// Numbers are learned in units of their deviation from their mean.
    private let center: Double, spread: Double

    init(_ data: LabelledTexts, train: [Int], isBalanced: Bool) {
        self.data = data
        if data.task == .classification, isBalanced {
            let counts = data.labels.indices.map { k in train.count { data.codes[$0] == k } }
            classWeights = counts.map { $0 == 0 ? 0 : Double(train.count) / (Double(counts.count) * Double($0)) }
        } else { classWeights = data.labels.map { _ in 1 } }
        let numbers = data.task == .regression ? train.map { data.numbers[$0] } : []
        center = numbers.isEmpty ? 0 : mean(numbers)
        let deviation = numbers.count > 1 ? standardDeviation(numbers) : 1
        spread = deviation > 0 && deviation.isFinite ? deviation : 1
    }

    /// What a row counts in the mean over a batch.
    func weight(_ row: Int) -> Double { data.task == .classification ? classWeights[data.codes[row]] : 1 }

    func callAsFunction(_ row: Int, _ scores: [Double]) -> (loss: Double, slopes: [Double]) {
        switch data.task {
        case .regression:
            let error = scores[0] - (data.numbers[row] - center) / spread
            return (error * error, [2 * error])
        case .classification:
            let label = data.codes[row], weight = classWeights[label], largest = scores.max() ?? 0
            let shares = scores.map { exp($0 - largest) }, total = shares.reduce(0, +)
            return (weight * (log(total) + largest - scores[label]), shares.indices.map { weight * (shares[$0] / total - ($0 == label ? 1 : 0)) })
        case .multilabel:
            let n = Double(scores.count)
            var sum = 0.0, slopes: [Double] = []
            for (k, z) in scores.enumerated() {
                let margin = data.sets[row][k] ? z : -z
                sum += (margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin))) / n
                slopes.append((1 / (1 + exp(-z)) - (data.sets[row][k] ? 1 : 0)) / n)
            }
            return (sum, slopes)
        }
    }

    /// Lets the last layer speak in the labels' own units.
    func foldScale(into output: Linear<Float>) {
        guard data.task == .regression, spread != 1 || center != 0 else { return }
        var weight = output.weight.take()
        Float.scale(&weight.target, by: Float(spread))
        output.weight.giveBack(weight)
        if let bias = output.bias { bias.assign(Tensor(bias.value.elements.map { Float(Double($0) * spread + center) }, shape: bias.shape)) }
    }
}

/// Fine-tuning as a method that folds and seeds can repeat.
package struct FineTuningMethod: ClassificationMethod {
    package let name: String
    package let settings: FineTuning
    private let base: PretrainedBase
    private let encodings: [Encoding]
    private let threads: Int
    private let shouldStop: @Sendable () -> Bool
    private let watch: @Sendable (TrainingEvent) -> Void

    /// - Parameter encodings: of all rows of the table.
    package init(name: String, _ settings: FineTuning, base: PretrainedBase, encodings: [Encoding], threads: Int, shouldStop: @escaping @Sendable () -> Bool = { false },
                watch: @escaping @Sendable (TrainingEvent) -> Void = { _ in }) {
        (self.name, self.settings, self.base, self.encodings, self.threads, self.shouldStop, self.watch) = (name, settings, base, encodings, threads, shouldStop, watch)
    }

    package func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double> {
        let parts = try ClassifierTrainer.parts(of: train, data, settings)
        let trainer = try ClassifierTrainer(settings, base: base, data: data, encodings: encodings, train: parts.0, heldOut: parts.1, threads: threads)
        try trainer.run(shouldStop: shouldStop, watch: watch)
        var scores = try trainer.scores(test)
        if let temperature = try trainer.temperature() { scores.withUnsafeMutableElements { e in for i in 0..<test.count * data.labels.count { e[i] /= temperature } } }
        return scores
    }
}
