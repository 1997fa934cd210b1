import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tensors

/// Weights over the run: averages, the best ones, checkpoints.
extension SentenceTrainer {
    func updateAverages() {
        guard !averages.isEmpty else { return }
        // Early on the average follows quickly, or it would remember the random beginning.
        let decay = Float(min(configuration.averaging, Double(1 + step) / Double(10 + step)))
        let values = parameters.map(\.value)
        let stretches = values.indices.flatMap { index in
            Parallel.chunks(values[index].count, size: 1 << 15).map { Stretch(tensor: index, rows: $0) }
        }
        Parallel.forEachStretch(stretches, of: &averages, threads: threads) { index, average in
            let stretch = stretches[index]
            Float.scale(&average, by: decay)
            Float.add(1 - decay, times: values[stretch.tensor].view(of: stretch), to: &average)
        }
    }

    /// Runs `body` with the weights that count: the averaged ones, if there are such.
    func withFinalWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard !averages.isEmpty else { return try body() }
        let own = parameters.map(\.value)
        for (parameter, average) in zip(parameters, averages) { parameter.assign(average) }
        defer { for (parameter, value) in zip(parameters, own) { parameter.assign(value) } }
        return try body()
    }

    // MARK: The best weights

    private static let bestName = "best.safetensors"

    func saveBest(_ folder: URL) throws {
        var writer = SafetensorsWriter(metadata: [("format", "kotonoha/weights"), ("step", String(step))])
        withFinalWeights {
            for (name, parameter) in zip(parameterNames, parameters) {
                let value = parameter.value
                writer.add(name, shape: value.shape) { emit in
                    try value.withUnsafeElements { try emit(UnsafeBufferPointer(start: $0, count: value.count)) }
                }
            }
        }
        try writer.write(to: folder.appendingPathComponent(Self.bestName).path)
    }

    /// Puts the weights that count into the encoder: the best ones by the dev files, else the last ones.
    public func takeFinalWeights(from folder: URL) throws {
        let path = folder.appendingPathComponent(Self.bestName).path
        if !development.isEmpty, FileManager.default.fileExists(atPath: path) {
            let archive = SafetensorsArchive(try SafetensorsFile(path: path))
            for (name, parameter) in zip(parameterNames, parameters) {
                guard archive.shape(of: name) == parameter.shape else {
                    throw DataError(.badData, "tensor '\(name)' is missing or of another shape", file: path)
                }
                parameter.assign(try archive.tensor(name))
            }
        } else if !averages.isEmpty {
            for (parameter, average) in zip(parameters, averages) { parameter.assign(average) }
        }
        try measurePopulation()
    }

    /// Means and variances for batch norms that have none yet: those of the tasks' first sentences, over shards as in training
    /// (Ioffe and Szegedy 2015, algorithm 2).
    private func measurePopulation() throws {
        let norms = encoder.batchNorms.filter { !$0.isMeasured }
        guard !norms.isEmpty else { return }
        let measured = norms.flatMap(\.statistics), wanted = Set(measured.map(ObjectIdentifier.init))
        let others = Set(encoder.parameters.map(ObjectIdentifier.init)).subtracting(wanted)
        let sums = ShardedGradients(
            measured, frozen: others, lanes: configuration.lanes, precision: configuration.precision, threads: threads)
        let sentences = tasks.flatMap { loaded in
            (0..<min(loaded.table.rows, Self.populationRows)).flatMap { row in
                (0..<loaded.table.columns).map { Array(loaded.table.sentence(row: row, column: $0)) }
            }
        }
        let encoder = encoder
        for part in Parallel.chunks(sentences.count, size: Self.populationRows / 16) {
            let chosen = sentences[part]
            let sharding = Sharding(lengths: chosen.map(\.count), shardTokens: configuration.shardTokens) {
                chosen[part.lowerBound + $0][...]
            }
            try sums.add(shards: sharding.batches.count, seed: 0) {
                encoder(sharding.batches[$0], on: $1)
            } loss: { outputs in
                outputs.map { $0.map { Tensor(shape: $0.shape) } }
            }
        }
        let tokens = Float(sentences.reduce(0) { $0 + $1.count })
        for (parameter, sum) in zip(measured, sums.gradients) {
            guard var population = sum else { continue }
            Float.scale(&population.target, by: 1 / tokens)
            parameter.assign(population)
        }
    }

    /// Rows of each task that stand for its population.
    private static var populationRows: Int { 4096 }

    // MARK: Checkpoints

    func checkpoint() -> Checkpoint {
        var tensors = zip(parameterNames, parameters).map { ("parameter.\($0)", $1.value) }
        tensors += optimizer.state.map { ("optimizer.\($0.name)", $0.tensor) }
        tensors += averages.enumerated().map { ("average.\(parameterNames[$0])", $1) }
        let numbers = history.numbers.map { $0.isNaN ? JSON.null : .number($0) }
        return Checkpoint(
            step: step,
            state: .object([
                ("fingerprint", .string(configuration.fingerprint)), ("optimizer_steps", .integer(optimizer.steps)),
                ("positions", .array(tasks.map { .integer($0.sampler.position) })), ("history", .array(numbers)),
            ]), tensors: tensors.map { (name: $0.0, tensor: $0.1) })
    }

    func restore(_ stored: StoredCheckpoint) throws {
        guard stored.state["fingerprint"]?.string == configuration.fingerprint else {
            throw DataError(
                .badData,
                "this checkpoint belongs to another configuration; use another folder for the run, or remove the "
                    + "checkpoint", file: stored.path)
        }
        guard let positions = stored.state["positions"]?.array?.compactMap(\.int), positions.count == tasks.count,
            positions.allSatisfy({ $0 >= 0 }),
            let steps = stored.state["optimizer_steps"]?.int, steps >= 0,
            let numbers = stored.state["history"]?.array, let history = EvaluationHistory(numbers: numbers.map { $0.double ?? .nan })
        else {
            throw DataError(.badData, "the checkpoint's state is incomplete", file: stored.path)
        }
        let values = try zip(parameterNames, parameters).map { try stored.tensor("parameter.\($0)", shape: $1.shape) }
        let restoredAverages =
            try averages.isEmpty ? [] : zip(parameterNames, parameters).map { try stored.tensor("average.\($0)", shape: $1.shape) }
        var shapes: [String: [Int]] = [:]
        for (name, tensor) in optimizer.state { shapes[name] = tensor.shape }
        try optimizer.restore(steps: steps) { name in try shapes[name].map { try stored.tensor("optimizer.\(name)", shape: $0) } }
        for (parameter, value) in zip(parameters, values) { parameter.assign(value) }
        averages = restoredAverages
        for (index, position) in positions.enumerated() {
            let sampler = tasks[index].sampler
            tasks[index].sampler = sampler.moved(to: position)
        }
        self.history = history
        step = stored.step
    }
}
