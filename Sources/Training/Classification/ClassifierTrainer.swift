import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Statistics
import Tensors
import Tokenizers

/// Fine-tunes an encoder and a head on labelled texts, or one encoder and several heads, each on texts of its own: what the tasks have in
/// common is learned from the rows of all of them (multi-task learning; Liu et al. 2019, MT-DNN).
///
/// A step takes a batch of one task and moves the encoder and that task's head; the other heads stand still. In each epoch every task has
/// all its batches, in a random order of the batches of all tasks, as in MT-DNN: tasks are drawn in proportion to their rows, and an
/// epoch means for each what it means alone. Where that lets a large table drown a small one, the small one's weight is for that.
///
/// As with all training here, every random choice is a function of the seed and of the step, gradients are summed in a fixed order, and a
/// checkpoint holds everything else: a run that was killed and resumed ends with the same bits, with any number of threads.
package final class ClassifierTrainer {
    package let settings: FineTuning
    package let tasks: [ClassifierTask]
    /// One per task, all with the same encoder.
    package let networks: [SequenceClassifier<Float>]
    /// That of the first task.
    package var network: SequenceClassifier<Float> { networks[0] }
    package private(set) var step = 0
    package private(set) var history = EvaluationHistory()
    package let steps: Int

    private let threads: Int
    /// The encoder's, then those of each task's head.
    private let parameters: [Parameter<Float>]
    private let parts: [Range<Int>]
    /// One for each part, so that a head's moments and steps are those of its own batches.
    private let optimizers: [Optimizer<Float>]
    private let gradients: ShardedGradients<Float>
    private let schedule: LearningRateSchedule
    private var order: TaskOrder
    private var samplers: [RowSampler]
    private let losses: [ClassifierLoss]
    /// Pretrained values of parameters of the encoder.
    private let pretrained: [(index: Int, value: Tensor<Float>)]
    /// Weights of the best epoch.
    private var best: [Tensor<Float>] = []
    private let fingerprint: String

    /// One task.
    ///
    /// - Parameters:
    ///   - encodings: of all rows of `data`, as `base.encode` gives them.
    ///   - train, heldOut: rows that are learned from, and rows by which the epoch is chosen (none if it is not).
    /// - Throws: `DataError` if the model does not fit, or `freeze` names more layers than it has.
    package convenience init(
        _ settings: FineTuning, base: PretrainedBase, data: LabelledTexts, encodings: [Encoding], train: [Int], heldOut: [Int], threads: Int
    ) throws {
        let task = ClassifierTask(name: "", data: data, encodings: encodings, train: train, heldOut: heldOut, head: settings.head)
        try self.init(settings, base: base, tasks: [task], threads: threads)
    }

    /// - Parameter tasks: at least one; the order counts, as random choices depend on it.
    /// - Throws: `DataError` if the model does not fit, or `freeze` names more layers than it has.
    package init(_ settings: FineTuning, base: PretrainedBase, tasks: [ClassifierTask], threads: Int) throws {
        precondition(!tasks.isEmpty && tasks.allSatisfy { !$0.train.isEmpty && $0.encodings.count == $0.data.count })
        guard settings.precision.isFast else {
            throw DataError(
                .usage,
                "this processor has no \(settings.precision.rawValue) instructions (oneDNN found \(processorKernels)); f32 works everywhere"
            )
        }
        (self.settings, self.tasks, self.threads) = (settings, tasks, threads)
        let random = RandomSource(seed: settings.seed)
        var networks: [SequenceClassifier<Float>] = []
        for (index, task) in tasks.enumerated() {
            // Of the first task, and so of one alone, the seed itself.
            var own = random.split(5).split(UInt64(index))
            networks.append(
                try base.network(
                    task: task.data.task, labels: task.data.labels, head: task.head, dropout: settings.dropout,
                    seed: index == 0 ? settings.seed : own.next(),
                    sharing: networks.first?.encoder))
        }
        self.networks = networks
        let encoder = networks[0].encoder, layers = encoder.distinctLayers
        let groups = [encoder.parameters] + networks.map(\.headParameters), all = groups.flatMap(\.self)
        parameters = all
        var ends = [0]
        for group in groups { ends.append((ends.last ?? 0) + group.count) }
        let parts = zip(ends, ends.dropFirst()).map { $0..<$1 }
        self.parts = parts
        // The layer of each parameter, embeddings 0, the heads above all.
        var depths: [ObjectIdentifier: Int] = [:]
        for parameter in encoder.parameters { depths[ObjectIdentifier(parameter)] = 0 }
        for (index, layer) in layers.enumerated() { for parameter in layer.parameters { depths[ObjectIdentifier(parameter)] = index + 1 } }
        for parameter in encoder.finalNorm?.parameters ?? [] { depths[ObjectIdentifier(parameter)] = layers.count }
        let depth = all.map { depths[ObjectIdentifier($0)] ?? layers.count + 1 }
        let lowest: Int
        switch settings.freeze {
        case .none: lowest = 0
        case .embeddings: lowest = 1
        case .layers(let count):
            guard count <= layers.count else {
                throw DataError(.usage, "\(Setting.freeze) \(count) is more than the model's \(layers.count) layers")
            }
            lowest = count + 1
        case .all: lowest = layers.count + 1
        }
        let frozen = Set(zip(all, depth).filter { $0.1 < lowest }.map { ObjectIdentifier($0.0) })
        var method = OptimizerConfiguration(.adamw, learningRate: settings.learningRate)
        method.weightDecay = settings.weightDecay
        optimizers = parts.map { part in
            let optimizer = Optimizer(method, parameters: Array(all[part]))
            optimizer.rateScales = depth[part].map { $0 < lowest ? 0 : power(settings.layerDecay, layers.count + 1 - $0) }
            return optimizer
        }
        gradients = ShardedGradients(all, frozen: frozen, lanes: settings.lanes, precision: settings.precision, threads: threads)
        samplers = tasks.enumerated().map { index, task in
            let own = index == 0 ? random.split(1) : random.split(6).split(UInt64(index))
            return RowSampler(rows: task.train.count, batchSize: settings.batchSize, random: own)
        }
        order = TaskOrder(batches: samplers.map(\.batchesPerEpoch), random: random.split(4))
        steps = settings.epochs * order.batchesPerEpoch
        schedule = LearningRateSchedule(.linear, warmupSteps: Int((settings.warmup * Double(steps)).rounded()), totalSteps: steps)
        losses = tasks.map { ClassifierLoss($0.data, train: $0.train, isBalanced: settings.isBalanced) }
        let pulled = parts[0].filter { depth[$0] >= lowest && depth[$0] <= layers.count }
        pretrained = settings.pull > 0 ? pulled.map { (index: $0, value: all[$0].value) } : []
        let identity = [settings.description, try base.directory.sha256()] + tasks.flatMap(\.identity)
        fingerprint = SHA256.hex(of: identity.joined(separator: "\n"))
    }

    /// Training rows, and those of them that are held out for choosing the epoch and for calibration: whole groups; none if neither is
    /// wanted.
    ///
    /// - Throws: `DataError` if a class would have no rows to learn from.
    package static func parts(of rows: [Int], _ data: LabelledTexts, _ settings: FineTuning) throws -> (train: [Int], heldOut: [Int]) {
        guard settings.stopsEarly || settings.calibrates else { return (rows, []) }
        return try held(settings.heldOutShare, of: rows, data, seed: settings.seed &+ 0x51, for: "early stopping or calibration")
    }

    /// Training rows, and a share of them that is held out to score a task on: whole groups.
    ///
    /// - Throws: `DataError` if a class would have no rows to learn from, or there are fewer rows or groups than parts.
    package static func development(
        of rows: [Int], _ data: LabelledTexts, _ settings: FineTuning
    ) throws -> (train: [Int], development: [Int]) {
        try held(settings.heldOutShare, of: rows, data, seed: settings.seed &+ 0xDE, for: "development")
    }

    private static func held(
        _ share: Double, of rows: [Int], _ data: LabelledTexts, seed: UInt64, for purpose: String
    ) throws -> ([Int], [Int]) {
        let folds = try Folds(
            rows: rows, count: max(2, Int((1 / max(share, 0.01)).rounded())), groups: data.groups,
            strata: data.task == .classification ? data.codes : nil, seed: seed)
        let rest = folds.training(0, of: rows)
        if data.task == .classification, Set(rest.map { data.codes[$0] }).count < Set(rows.map { data.codes[$0] }).count {
            throw DataError(
                .badData, "holding rows out for \(purpose) leaves a class without rows to learn from; it has too few rows or groups")
        }
        return (rest, folds.tests[0])
    }

    /// The temperature of a task's logits, found on its held-out rows; nil if none is wanted or there are no classes.
    package func temperature(task index: Int = 0) throws -> Double? {
        let task = tasks[index]
        guard settings.calibrates, task.data.task == .classification, !task.heldOut.isEmpty else { return nil }
        return Calibration.temperature(logits: try scores(task.heldOut, task: index), labels: task.heldOut.map { task.data.codes[$0] })
    }

    // MARK: A step

    /// One step: a batch of one task.
    /// - Throws: `DataError` if the loss or its gradient is not a number.
    private func takeStep() throws -> (task: Int, loss: Double, learningRate: Double, gradientNorm: Double) {
        gradients.clear()
        let index = order.task(at: step), task = tasks[index], network = networks[index], loss = losses[index], encodings = task.encodings
        let rows = samplers[index].next().map { task.train[$0] }, lengths = rows.map { encodings[$0].count }
        let sharding = Sharding(lengths: lengths, shardTokens: settings.shardTokens, wanted: FineTuning.shards) {
            encodings[rows[$0]].ids[...]
        }
        let configuration = network.encoder.configuration
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
                    for k in scores.indices { slopes[place, k] = Float(task.weight * found.slopes[k] / weight) }
                }
                return slopes
            }
        }
        let norm = gradients.norm()
        guard sum.isFinite, norm.isFinite else {
            throw DataError(
                .badData, "training diverged in step \(step + 1): loss \(sum), gradient norm \(norm); lower \(Setting.learningRate)")
        }
        let rate = settings.learningRate * schedule.factor(step: step)
        let clip = settings.clipping > 0 && norm > settings.clipping ? settings.clipping / norm : 1
        let found = gradients.gradients
        for part in [0, index + 1] {
            optimizers[part].step(Array(found[parts[part]]), learningRate: rate, gradientScale: clip, threads: threads)
        }
        for (index, value) in pretrained {
            let share = Float(min(1, rate * optimizers[0].rateScales[index] * settings.pull))
            var own = parameters[index].take()
            Float.scale(&own.target, by: 1 - share)
            Float.add(share, times: value.view, to: &own.target)
            parameters[index].giveBack(own)
        }
        step += 1
        return (index, sum, rate, norm)
    }

    // MARK: The run

    /// Trains to the end, then puts the weights that count into `networks`.
    ///
    /// - Parameters:
    ///   - folder: of checkpoints and log; nil keeps none.
    ///   - shouldStop: asked after every step; a checkpoint is written before the run ends with an error of kind `interrupted`.
    package func run(
        in folder: URL? = nil, checkpointMinutes: Double = 5, shouldStop: () -> Bool = { false }, watch: (TrainingEvent) -> Void = { _ in }
    ) throws {
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
            let found = try takeStep(), name = tasks[found.task].name.isEmpty ? "loss" : tasks[found.task].name
            watch(
                .step(
                    step, losses: [(name: name, loss: found.loss)], learningRate: found.learningRate, gradientNorm: found.gradientNorm,
                    sentences: samplers[found.task].batchSize))
            try log?.add(
                step: step,
                [
                    ("losses", .object([(name, .number(found.loss))])), ("learning_rate", .number(found.learningRate)),
                    ("gradient_norm", .number(found.gradientNorm)),
                ])
            if step % order.batchesPerEpoch == 0, settings.stopsEarly, tasks.contains(where: { !$0.heldOut.isEmpty }) {
                let figures = try tasks.enumerated().filter { !$1.heldOut.isEmpty }.map { index, task in
                    (name: task.name.isEmpty ? "held-out" : task.name, value: try figure(task.heldOut, task: index))
                }
                let value = mean(figures.map(\.value)), isBest = history.add(value, step: step)
                if isBest { best = parameters.map(\.value) }
                try log?.add(step: step, [("evaluation", .object(figures.map { ($0.name, .number($0.value)) })), ("best", .bool(isBest))])
                watch(.evaluated(step: step, figures: figures, mean: value, isBest: isBest))
            }
            if folder != nil, step < steps, ContinuousClock.now - lastSave > .seconds(60 * checkpointMinutes) { _ = try save() }
            if step < steps, shouldStop() {
                let file = try save()
                throw DataError(
                    .interrupted,
                    folder == nil ? "stopped after step \(step)" : "stopped after step \(step); the same command resumes from \(file)")
            }
        }
        if folder != nil { _ = try save() }
        try log?.flush()
        if !best.isEmpty { for (parameter, value) in zip(parameters, best) { parameter.assign(value) } }
        for (network, loss) in zip(networks, losses) { loss.foldScale(into: network.output) }
    }

    /// The main measure on some rows: higher is better. Where predictions are constant and it is undefined, the lowest value.
    private func figure(_ rows: [Int], task index: Int) throws -> Double {
        let data = tasks[index].data
        let value = Outcome(data, rows, try scores(rows, task: index)).value(ClassifierScores.main(data.task), Array(rows.indices))
        return value.isFinite ? value : -1
    }

    /// Logits of rows of a task (rows, labels), or predicted numbers, after training.
    package func scores(_ rows: [Int], task index: Int = 0) throws -> Tensor<Double> {
        try EncodedSequences.logits(rows.map { tasks[index].encodings[$0] }, networks[index], batchTokens: 1024, threads: threads)
    }

    /// The same, divided by the temperature where one is wanted.
    package func calibratedScores(_ rows: [Int], task index: Int = 0) throws -> Tensor<Double> {
        var scores = try scores(rows, task: index)
        if let temperature = try temperature(task: index) {
            let count = scores.count
            scores.withUnsafeMutableElements { e in for i in 0..<count { e[i] /= temperature } }
        }
        return scores
    }

    // MARK: Checkpoints

    private func checkpoint() -> Checkpoint {
        var tensors = parameters.enumerated().map { (name: "parameter.\($0)", tensor: $1.value) }
        for (part, optimizer) in optimizers.enumerated() {
            tensors += optimizer.state.map { (name: "optimizer.\(part).\($0.name)", tensor: $0.tensor) }
        }
        tensors += best.enumerated().map { (name: "best.\($0)", tensor: $1) }
        return Checkpoint(
            step: step,
            state: .object([
                ("fingerprint", .string(fingerprint)), ("optimizer_steps", .array(optimizers.map { .integer($0.steps) })),
                ("has_best", .bool(!best.isEmpty)),
                ("history", .array(history.numbers.map { $0.isNaN ? .null : .number($0) })),
            ]), tensors: tensors)
    }

    private func restore(_ stored: StoredCheckpoint) throws {
        guard stored.state["fingerprint"]?.string == fingerprint else {
            throw DataError(
                .badData,
                "this checkpoint belongs to other data, another model or other settings; use another folder with \(Setting.run), or start over with \(Setting.fresh)",
                file: stored.path)
        }
        guard let counts = stored.state["optimizer_steps"]?.array?.compactMap(\.int), counts.count == optimizers.count,
            counts.allSatisfy({ $0 >= 0 }), (0...steps).contains(stored.step),
            let numbers = stored.state["history"]?.array, let history = EvaluationHistory(numbers: numbers.map { $0.double ?? .nan })
        else {
            throw DataError(.badData, "the checkpoint's state is incomplete", file: stored.path)
        }
        let values = try parameters.enumerated().map { try stored.tensor("parameter.\($0)", shape: $1.shape) }
        let kept =
            try stored.state["has_best"]?.bool == true
            ? parameters.enumerated().map { try stored.tensor("best.\($0)", shape: $1.shape) } : []
        for (part, optimizer) in optimizers.enumerated() {
            let shapes = Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor.shape) })
            try optimizer.restore(steps: counts[part]) { name in
                try shapes[name].map { try stored.tensor("optimizer.\(part).\(name)", shape: $0) }
            }
        }
        for (parameter, value) in zip(parameters, values) { parameter.assign(value) }
        best = kept
        step = stored.step
        // What each task has had follows from the step alone.
        samplers = zip(samplers, order.positions(at: step)).map { $0.moved(to: $1) }
        self.history = history
    }
}
