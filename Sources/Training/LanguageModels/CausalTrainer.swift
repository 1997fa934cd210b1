import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// Trains a causal language model as a configuration says.
///
/// As with sentence encoders, every random choice is a function of the seed and of the step, gradients are summed in a fixed order, and a
/// checkpoint holds everything else: a run that was killed and resumed ends with the same bits as one that was not.
package final class CausalTrainer {
    package let configuration: CausalTrainingConfiguration
    package let tokenizer: Tokenizer
    package let network: CausalNetwork<Float>
    package let threads: Int
    package private(set) var step = 0
    package private(set) var history = EvaluationHistory()
    package let documents: PackedDocuments
    package let development: PackedDocuments?

    private let parameters: [Parameter<Float>]
    private let parameterNames: [String]
    private let optimizer: Optimizer<Float>
    private let gradients: ShardedGradients<Float>
    private let schedule: LearningRateSchedule
    private let tokenizerJSON: JSON
    private let beginID: Int32?
    private let endID: Int32?
    /// The documents of the pass that the run is in.
    private var stream: (epoch: Int, documents: DocumentStream)?

    /// Reads tokenizer and documents.
    ///
    /// - Throws: `DataError` that names the file, line or key that does not fit.
    package init(
        _ configuration: CausalTrainingConfiguration, threads: Int = Parallel.availableThreads, watch: (TrainingEvent) -> Void = { _ in }
    ) throws {
        var configuration = configuration
        self.threads = threads
        guard configuration.precision.isFast else {
            throw DataError(
                .usage,
                "this processor has no \(configuration.precision.rawValue) instructions (oneDNN found \(processorKernels)); set precision f32"
            )
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: configuration.tokenizer, isDirectory: &isFolder) else {
            throw DataError(.noInput, "the tokenizer does not exist", file: configuration.tokenizer)
        }
        tokenizerJSON = try JSON(contentsOf: isFolder.boolValue ? configuration.tokenizer + "/tokenizer.json" : configuration.tokenizer)
        let tokenizer = try Tokenizer(json: tokenizerJSON, file: "tokenizer.json")
        self.tokenizer = tokenizer
        func mark(_ known: Int32?, _ others: [String]) -> Int32? { known ?? others.lazy.compactMap { tokenizer.id(for: $0) }.first }
        beginID = mark(tokenizer.clsID, ["<|endoftext|>", "[BOS]"])
        endID = mark(tokenizer.sepID, ["<|endoftext|>", "[EOS]"])
        configuration.decoder.vocabularySize = tokenizer.idBound
        configuration.decoder.beginID = beginID
        configuration.decoder.endIDs = [endID].compactMap(\.self)
        self.configuration = configuration
        let begin = beginID, end = endID
        func read(_ files: [String], _ name: String, limit: Int) throws -> PackedDocuments {
            let found = try PackedDocuments(
                files: files, column: configuration.column, tokenizer: tokenizer, begin: begin, end: end,
                context: configuration.decoder.positions, limit: limit)
            watch(.read(name: name, rows: found.count, truncated: 0, skipped: 0))
            return found
        }
        documents = try read(configuration.files, "documents", limit: configuration.limit)
        development = configuration.development.isEmpty ? nil : try read(configuration.development, "held-out documents", limit: 0)

        network = CausalNetwork(configuration.decoder)
        network.initialize(seed: configuration.seed)
        parameters = network.parameters
        parameterNames = parameters.indices.map { "network.\($0)" }
        optimizer = Optimizer(configuration.optimizer, parameters: parameters)
        gradients = ShardedGradients(parameters, lanes: configuration.lanes, precision: configuration.precision, threads: threads)
        schedule = LearningRateSchedule(configuration.schedule, warmupSteps: configuration.warmupSteps, totalSteps: configuration.steps)
    }

    // MARK: A step

    /// The batches of a step, a shard each.
    private func shards(ofStep step: Int) -> [PackedBatch] {
        let first = step * configuration.batchSize, blocks = documents.blocks
        var shards: [PackedBatch] = []
        for (place, number) in (first..<first + configuration.batchSize).enumerated() {
            let epoch = number / blocks
            if stream?.epoch != epoch {
                stream = (epoch, documents.stream(RandomSource(seed: configuration.seed).split(1000).split(UInt64(epoch))))
            }
            if place % configuration.shardBlocks == 0 { shards.append(PackedBatch()) }
            stream?.documents.append(block: number % blocks, to: &shards[shards.count - 1])
        }
        return shards
    }

    /// One step.
    ///
    /// - Returns: the mean loss of a token in nats, and what the step did.
    /// - Throws: `DataError` if the loss or its gradient is NaN.
    package func takeStep() throws -> (loss: Double, learningRate: Double, gradientNorm: Double, tokens: Int) {
        gradients.clear()
        let shards = shards(ofStep: step), targets = shards.map(\.following)
        let predicted = targets.reduce(0) { $0 + $1.count { $0 >= 0 } }, network = network
        var loss = 0.0
        var random = RandomSource(seed: configuration.seed).split(UInt64(step))
        try gradients.add(shards: shards.count, seed: random.next()) { shard, tape in
            guard shards[shard].tokens > 0 else { return nil }
            let states = network.decoder(shards[shard], on: tape)
            return linearCrossEntropy(
                states, weight: network.head.weight, bias: network.head.bias, targets: targets[shard], divisor: Float(max(1, predicted)),
                on: tape
            ).loss
        } loss: { outputs in
            loss = outputs.reduce(0) { $0 + Double($1?[0] ?? 0) }
            return outputs.map { output in output.map { _ in Tensor([1], shape: [1]) } }
        }
        let norm = gradients.norm()
        guard loss.isFinite, norm.isFinite else {
            throw DataError(
                .badData,
                "training diverged in step \(step + 1): loss \(loss), gradient norm \(norm); lower the learning rate or clip gradients")
        }
        let rate = configuration.optimizer.learningRate * schedule.factor(step: step)
        let clip = configuration.clipping > 0 && norm > configuration.clipping ? configuration.clipping / norm : 1
        optimizer.step(gradients.gradients, learningRate: rate, gradientScale: clip, threads: threads)
        step += 1
        return (loss, rate, norm, shards.reduce(0) { $0 + $1.tokens })
    }

    /// The mean loss of a held-out token in nats, each document from its begin mark on; nil without held-out documents.
    package func evaluate() -> Double? {
        guard let development else { return nil }
        let batches = development.pieces(budget: 2048), network = network
        let found = Parallel.map(batches.count, threads: threads) { index, _ -> (sum: Double, count: Int) in
            let targets = batches[index].following, count = targets.count { $0 >= 0 }
            let loss = linearCrossEntropy(
                network.decoder(batches[index], on: nil), weight: network.head.weight, bias: network.head.bias, targets: targets,
                divisor: 1, on: nil
            ).loss
            return (Double(loss.value[0]), count)
        }
        return found.reduce(0) { $0 + $1.sum } / Double(max(1, found.reduce(0) { $0 + $1.count }))
    }

    // MARK: The run

    /// Trains to the end, or until `shouldStop` says so.
    ///
    /// - Parameters:
    ///   - folder: of checkpoints, best weights and log; made where it does not exist. A run goes on from the newest checkpoint in it.
    ///   - shouldStop: asked after every step; a checkpoint is written before the run ends with an error of kind `interrupted`.
    /// - Throws: `DataError` if training diverges, a checkpoint is of another configuration, the disk is full.
    package func run(in folder: URL, shouldStop: () -> Bool = { false }, watch: (TrainingEvent) -> Void = { _ in }) throws {
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw DataError(.cannotCreate, "the run's folder cannot be made: \(error.localizedDescription)", file: folder.path)
        }
        if let stored = try Checkpoint.newest(in: folder) {
            try restore(stored)
            watch(.resumed(step: step, file: stored.path))
        }
        let log = try TrainingLog(folder.appendingPathComponent("log.jsonl"), keepingSteps: step)
        var lastSave = ContinuousClock.now, lastFile = ""
        func save() throws {
            lastFile = try checkpoint().write(to: folder)
            try log.flush()
            lastSave = .now
            watch(.saved(step: step, file: lastFile))
        }
        while step < configuration.steps {
            let result = try takeStep()
            watch(
                .step(
                    step, losses: [("loss", result.loss)], learningRate: result.learningRate, gradientNorm: result.gradientNorm,
                    sentences: result.tokens))
            try log.add(
                step: step,
                [
                    ("losses", .object([("loss", .number(result.loss))])), ("learning_rate", .number(result.learningRate)),
                    ("gradient_norm", .number(result.gradientNorm)),
                ])
            if step % configuration.evaluationInterval == 0 || step == configuration.steps, let loss = evaluate() {
                let isBest = history.add(-loss, step: step)
                if isBest { try saveBest(folder) }
                let figures = [("held-out loss", loss), ("perplexity", exp(loss))]
                try log.add(step: step, [("evaluation", .object(figures.map { ($0, .number($1)) })), ("best", .bool(isBest))])
                watch(.evaluated(step: step, figures: figures, mean: loss, isBest: isBest))
            }
            let isDue =
                configuration.checkpointMinutes > 0 && ContinuousClock.now - lastSave > .seconds(60 * configuration.checkpointMinutes)
            if isDue || configuration.checkpointInterval > 0 && step % configuration.checkpointInterval == 0 || step == configuration.steps
            {
                try save()
            }
            if shouldStop(), step < configuration.steps {
                try save()
                throw DataError(.interrupted, "stopped after step \(step); the same command resumes from \(lastFile)")
            }
        }
        try log.flush()
    }

    // MARK: Weights

    private static let bestName = "best.safetensors"

    private func saveBest(_ folder: URL) throws {
        var writer = SafetensorsWriter(metadata: [("format", "kotonoha/weights"), ("step", String(step))])
        for (name, parameter) in zip(parameterNames, parameters) {
            writer.add(name, shape: parameter.shape, values: parameter.value.elements)
        }
        try writer.write(to: folder.appendingPathComponent(Self.bestName).path)
    }

    /// Puts the best weights by the held-out documents into the network, if there are such.
    package func takeFinalWeights(from folder: URL) throws {
        let path = folder.appendingPathComponent(Self.bestName).path
        guard development != nil, FileManager.default.fileExists(atPath: path) else { return }
        let archive = SafetensorsArchive(try SafetensorsFile(path: path))
        for (name, parameter) in zip(parameterNames, parameters) {
            guard archive.shape(of: name) == parameter.shape else {
                throw DataError(.badData, "tensor '\(name)' is missing or of another shape", file: path)
            }
            parameter.assign(try archive.tensor(name))
        }
    }

    private func checkpoint() -> Checkpoint {
        var tensors = zip(parameterNames, parameters).map { (name: "parameter.\($0)", tensor: $1.value) }
        tensors += optimizer.state.map { (name: "optimizer.\($0.name)", tensor: $0.tensor) }
        return Checkpoint(
            step: step,
            state: .object([
                ("fingerprint", .string(configuration.fingerprint)), ("optimizer_steps", .integer(optimizer.steps)),
                ("history", .array(history.numbers.map { $0.isNaN ? .null : .number($0) })),
            ]), tensors: tensors)
    }

    private func restore(_ stored: StoredCheckpoint) throws {
        guard stored.state["fingerprint"]?.string == configuration.fingerprint else {
            throw DataError(
                .badData,
                "this checkpoint belongs to another configuration; use another folder for the run, or remove the "
                    + "checkpoint", file: stored.path)
        }
        guard let steps = stored.state["optimizer_steps"]?.int, steps >= 0, let numbers = stored.state["history"]?.array,
            let history = EvaluationHistory(numbers: numbers.map { $0.double ?? .nan })
        else {
            throw DataError(.badData, "the checkpoint's state is incomplete", file: stored.path)
        }
        let values = try zip(parameterNames, parameters).map { try stored.tensor("parameter.\($0)", shape: $1.shape) }
        let shapes = Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor.shape) })
        try optimizer.restore(steps: steps) { name in try shapes[name].map { try stored.tensor("optimizer.\(name)", shape: $0) } }
        for (parameter, value) in zip(parameters, values) { parameter.assign(value) }
        self.history = history
        step = stored.step
    }

    // MARK: The model

    /// Writes the model as a folder that transformers loads as LlamaForCausalLM; it appears when it is complete.
    ///
    /// - Throws: `DataError` if it cannot be created, or if there is something else of that name.
    package func write(to path: String) throws {
        try AtomicFolder.write(to: path, isOwn: ModelDirectory.isModelFile) { folder in
            func put(_ name: String, _ json: JSON) throws {
                try AtomicFile.write(to: folder + "/" + name) { try $0.write(json.serialized(.pretty) + "\n") }
            }
            try put("config.json", .object((network.configuration.json.object ?? []) + [("torch_dtype", .string("float32"))]))
            try put("tokenizer.json", framed())
            var settings: [(key: String, value: JSON)] = [
                ("tokenizer_class", .string("PreTrainedTokenizerFast")), ("model_max_length", .integer(network.configuration.positions)),
            ]
            for (key, id) in [
                ("bos_token", beginID), ("eos_token", endID), ("pad_token", tokenizer.padID), ("unk_token", tokenizer.unknownID),
            ] {
                if let token = id.flatMap(tokenizer.token(for:)) { settings.append((key, .string(token))) }
            }
            try put("tokenizer_config.json", .object(settings))
            var writer = SafetensorsWriter()
            let prefix = network.decoder.checkpointPrefixes[0]
            for (name, entry) in network.decoder.checkpointEntries.map({ (prefix + $0.key, $0) })
                + network.headEntries.map({ ($0.key, $0) })
            {
                let value = entry.stored
                writer.add(name, shape: entry.shape, precision: configuration.storage) { emit in
                    try value.withUnsafeElements { try emit(UnsafeBufferPointer(start: $0, count: value.count)) }
                }
            }
            try writer.write(to: folder + "/model.safetensors")
        }
    }

    /// The tokenizer, which puts the begin mark alone around a text: an end mark would end what is to be continued.
    private func framed() -> JSON {
        var frame: [JSON] = [], specials: [(key: String, value: JSON)] = []
        if let beginID, let token = tokenizer.token(for: beginID) {
            frame.append(.object([("SpecialToken", .object([("id", .string(token)), ("type_id", .integer(0))]))]))
            specials.append(
                (token, .object([("id", .string(token)), ("ids", .array([.integer(Int(beginID))])), ("tokens", .array([.string(token)]))])))
        }
        func sequence(_ name: String) -> JSON { .object([("Sequence", .object([("id", .string(name)), ("type_id", .integer(0))]))]) }
        let processor = JSON.object([
            ("type", .string("TemplateProcessing")), ("single", .array(frame + [sequence("A")])),
            ("pair", .array(frame + [sequence("A"), sequence("B")])),
            ("special_tokens", .object(specials)),
        ])
        var members = (tokenizerJSON.object ?? []).filter { $0.key != "post_processor" }
        members.append(("post_processor", processor))
        return .object(members)
    }
}
