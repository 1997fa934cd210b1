import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

/// SetFit (Tunstall et al. 2022), for a handful of labelled texts: the sentence encoder first learns that texts of one class are alike and
/// texts of different classes are not, then a linear model is fitted on its vectors.
package struct SetFitMethod: ClassificationMethod {
    package let name: String
    /// Pairs of either kind that each text is in.
    package var pairs = 20
    package var batchSize = 16
    package var learningRate = 2e-5
    package var seed: UInt64
    package var threads: Int
    private let base: PretrainedBase
    private let encodings: [Encoding]
    private let shouldStop: @Sendable () -> Bool
    private let watch: @Sendable (TrainingEvent) -> Void

    /// - Parameter encodings: of all rows of the table.
    /// - Throws: `DataError` for a model whose vectors are not a pooled last layer, and for pairs of texts.
    package init(
        name: String, base: PretrainedBase, data: LabelledTexts, encodings: [Encoding], seed: UInt64, threads: Int,
        shouldStop: @escaping @Sendable () -> Bool = { false }, watch: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
    ) throws {
        guard data.task == .classification, data.seconds == nil else {
            throw DataError(.usage, "\(Setting.setfit) is for classes of single texts")
        }
        _ = try base.pooling(for: "\(Setting.setfit)")
        (self.name, self.base, self.encodings, self.seed, self.threads, self.shouldStop, self.watch) = (
            name, base, encodings, seed, threads, shouldStop, watch
        )
    }

    package func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double> {
        let encoder = try tuned(data, train: train)
        return try FrozenMethod(name: name, first: vectors(encoder), seed: seed, threads: threads).scores(data, train: train, test: test)
    }

    /// The tuned encoder and a head on its vectors of all rows, written as a folder of sentence-transformers.
    package func save(_ data: LabelledTexts, to folder: URL) throws {
        let rows = Array(0..<data.count), encoder = try tuned(data, train: rows)
        let head = try FrozenMethod(name: name, first: vectors(encoder), seed: seed, threads: threads).fit(data, train: rows)
        let temporary = FileManager.default.temporaryDirectory.appendingPathComponent("kotonoha-setfit-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: temporary) }
        var writer = SentenceModelWriter(maxLength: base.maxLength, tokenizerPath: base.directory.transformerFolder.path)
        writer.storage = .f32
        writer.pooling = try base.pooling(for: "\(Setting.setfit)").rawValue
        try writer.write(encoder, tokenizer: base.tokenizer, to: temporary)
        let own = try PretrainedBase(model: temporary.path, maxLength: base.maxLength)
        try ClassifierWriter(base: own, task: .classification, labels: data.labels, learnedFrom: data.sha256).write(head, to: folder)
    }

    /// Vectors of all rows, of length 1.
    private func vectors(_ encoder: Encoder<Float>) throws -> Tensor<Float> {
        let mode = try base.pooling(for: "\(Setting.setfit)"), size = encoder.configuration.hiddenSize,
            work = PackedBatch.grouped(lengths: encodings.map(\.count), budget: 1024)
        let found = Parallel.map(work.count, threads: threads) { index, _ in
            let batch = PackedBatch(work[index].map { encodings[$0].ids })
            return normalizedRows(pooled(encoder(batch, on: nil), offsets: batch.offsets, mode: mode, on: nil), on: nil).value
        }
        var result = Tensor<Float>(uninitialized: [encodings.count, size])
        for (rows, part) in zip(work, found) {
            for (place, row) in rows.enumerated() { Float.copy(part.view[place], into: &result[rows: row..<row + 1]) }
        }
        return result
    }

    /// The encoder after the contrastive step.
    private func tuned(_ data: LabelledTexts, train: [Int]) throws -> Encoder<Float> {
        let encoder = Encoder<Float>(base.configuration), mode = try base.pooling(for: "\(Setting.setfit)"),
            size = base.configuration.hiddenSize
        try load(
            encoder.checkpointEntries, from: ModelDirectory.weights(in: base.directory.transformerFolder),
            prefixes: encoder.checkpointPrefixes)
        let parameters = encoder.parameters,
            optimizer = Optimizer(OptimizerConfiguration(.adamw, learningRate: learningRate), parameters: parameters)
        let gradients = ShardedGradients(parameters, threads: threads)
        var members = [[Int]](repeating: [], count: data.labels.count)
        for row in train { members[data.codes[row]].append(row) }
        guard members.count(where: { !$0.isEmpty }) > 1 else {
            throw DataError(.badData, "\(Setting.setfit) needs texts of two classes to tell apart")
        }
        let steps = max(1, (2 * pairs * train.count + batchSize - 1) / batchSize)
        let schedule = LearningRateSchedule(.linear, warmupSteps: steps / 10, totalSteps: steps)
        for step in 0..<steps {
            if shouldStop() { throw DataError(.interrupted, "stopped after step \(step) of the contrastive step") }
            var random = RandomSource(seed: seed).split(3).split(UInt64(step)), firsts: [Int] = [], seconds: [Int] = [],
                labels: [Double] = []
            for pair in 0..<batchSize {
                let row = train[random.below(train.count)], own = members[data.codes[row]], isAlike = pair % 2 == 0
                let others = isAlike ? own : train.filter { data.codes[$0] != data.codes[row] }
                firsts.append(row)
                seconds.append(others[random.below(others.count)])
                labels.append(isAlike ? 1 : 0)
            }
            let joint = (firsts + seconds).map { encodings[$0].ids }
            let sharding = Sharding(lengths: joint.map(\.count), shardTokens: 1024, wanted: FineTuning.shards) { joint[$0][...] }
            var loss = 0.0
            gradients.clear()
            let places = joint.count, pairLabels = labels
            try gradients.add(shards: sharding.batches.count, seed: random.next()) { shard, tape in
                let batch = sharding.batches[shard]
                return pooled(encoder(batch, on: tape), offsets: batch.offsets, mode: mode, on: tape)
            } loss: { outputs in
                var vectors = Tensor<Float>(uninitialized: [places, size])
                for case (let own, let output?) in zip(sharding.members, outputs) {
                    for (i, place) in own.enumerated() { Float.copy(output.view[i], into: &vectors[rows: place..<place + 1]) }
                }
                let tape = Tape<Float>(), leaf = tape.input(vectors)
                let value = cosineRegressionLoss(
                    first: rows(leaf, 0..<pairLabels.count, on: tape), second: rows(leaf, pairLabels.count..<places, on: tape),
                    labels: pairLabels, on: tape)
                tape.backward(from: value)
                loss = Double(value.value[0])
                let slopes = tape.gradient(of: leaf)
                return sharding.members.map { own in
                    var part = Tensor<Float>(uninitialized: [own.count, size])
                    Float.gatherRows(slopes.view, own.map(Int32.init), into: &part.target)
                    return part
                }
            }
            let norm = gradients.norm(), rate = learningRate * schedule.factor(step: step)
            guard loss.isFinite, norm.isFinite else {
                throw DataError(.badData, "the contrastive step diverged in step \(step + 1); lower \(Setting.learningRate)")
            }
            optimizer.step(gradients.gradients, learningRate: rate, gradientScale: norm > 1 ? 1 / norm : 1, threads: threads)
            watch(.step(step + 1, losses: [(name: "loss", loss: loss)], learningRate: rate, gradientNorm: norm, sentences: places))
        }
        return encoder
    }
}
