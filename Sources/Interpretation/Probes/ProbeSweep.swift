import FileFormats
import Synchronization
import Tensors

/// Many probes on the same vectors: every layer, rank and seed, distance and depth together. The data lies in memory once; each
/// probe is trained wholly on one thread, so results do not depend on how many there are.
public struct ProbeSweep: Sendable {
    /// A treebank with the vectors of its words from several layers.
    public struct DataSet: Sendable {
        /// The trees and the words that are scored.
        public var corpus: ProbeCorpus
        /// One (words, dimension) for each layer of the sweep.
        package var vectors: [Tensor<Float>]
        /// A corpus with one tensor `(words, dimension)` for each layer of the sweep.
        public init(corpus: ProbeCorpus, vectors: [Tensor<Float>]) { (self.corpus, self.vectors) = (corpus, vectors) }
    }

    /// What is varied: one line of the result.
    public struct Setting: Sendable, Hashable {
        /// The layer's name, and its place in `DataSet.vectors`.
        public var layer: Int
        /// The layer's place in `DataSet.vectors`.
        package var place: Int
        /// Rank of the probe.
        public var rank: Int
        /// Seed of the initialization and of the order of sentences.
        package var seed: UInt64
        /// True for the control task in place of the treebank's trees.
        package var isControl: Bool
    }

    /// The probes of one setting, and their scores on the test set.
    public struct Result: Sendable {
        /// What was varied.
        public var setting: Setting
        /// One probe for each kind.
        public var trained: [TrainedProbe]
        /// Scores on the test set.
        public var evaluation: ProbeEvaluation
        /// Seconds that the training took on its thread.
        package var seconds: Double
    }

    /// Names of the layers, one for each tensor of the data sets.
    package var layers: [Int]
    /// Ranks of the probes.
    package var ranks: [Int]
    /// Seeds of the probes.
    public var seeds: [UInt64] = [0]
    /// Distance probes, depth probes or both.
    public var kinds: [ProbeKind] = ProbeKind.allCases
    /// Train on the control task as well, for selectivity.
    public var hasControls = false
    /// Makes the training's settings; rank and seed are set afterwards.
    package var training: @Sendable (ProbeKind, _ rank: Int) -> ProbeTraining

    /// A sweep over layers and ranks with seed 0; `training` makes the settings of a probe from its kind and rank.
    public init(layers: [Int], ranks: [Int], training: @escaping @Sendable (ProbeKind, Int) -> ProbeTraining) {
        (self.layers, self.ranks, self.training) = (layers, ranks, training)
    }

    /// All combinations of layer, rank and seed, with the control task if `hasControls`.
    package var settings: [Setting] {
        let controls = hasControls ? [false, true] : [false]
        return controls.flatMap { isControl in
            layers.enumerated().flatMap { place, layer in
                ranks.flatMap { rank in seeds.map { Setting(layer: layer, place: place, rank: rank, seed: $0, isControl: isControl) } }
            }
        }
    }

    /// Trains on `train`, stops by `dev`, scores on `test`.
    /// - Parameter report: called when a probe is trained, from any thread, with how many are done.
    /// - Returns: one result for each of `settings`, in their order.
    /// - Throws: `DataError` of the training; `interrupted` where `isCancelled` says so.
    public func run(
        train: DataSet, dev: DataSet, test: DataSet, threads: Int = Parallel.availableThreads,
        isCancelled: @escaping @Sendable () -> Bool = { false }, report: @escaping @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws -> [Result] {
        let settings = self.settings
        let control = ControlTask(seed: 0)
        let tasks = (hasControls ? [false, true] : [false]).map { isControl in
            isControl ? [train, dev, test].map { control.corpus($0.corpus) } : [train, dev, test].map(\.corpus)
        }
        // Large ranks first, so that no long probe is left for the end.
        let jobs = settings.indices.flatMap { index in kinds.map { (index: index, kind: $0) } }.enumerated()
            .sorted { (-settings[$0.element.index].rank, $0.offset) < (-settings[$1.element.index].rank, $1.offset) }.map(\.element)
        let results = Mutex([Int: [(TrainedProbe, Double)]]())
        try Parallel.forEach(jobs.count, threads: threads) { number, _ in
            let job = jobs[number], setting = settings[job.index], corpora = tasks[setting.isControl ? 1 : 0]
            var training = self.training(job.kind, setting.rank)
            (training.kind, training.rank, training.seed) = (job.kind, setting.rank, setting.seed)
            let begin = ContinuousClock.now
            let trained = try training.train(corpora[0], train.vectors[setting.place], dev: corpora[1], dev.vectors[setting.place]) {
                _, _ in !isCancelled()
            }
            if isCancelled() { throw DataError(.interrupted, "stopped; nothing was written") }
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            let done = results.withLock {
                $0[job.index, default: []].append((trained, seconds))
                return $0.values.reduce(0) { $0 + $1.count }
            }
            report(done, jobs.count)
        }
        let trained = results.withLock { $0 }
        return try settings.enumerated().map { index, setting in
            let probes = (trained[index] ?? []).sorted { ($0.0.probe.kind == .distance ? 0 : 1) < ($1.0.probe.kind == .distance ? 0 : 1) }
            let file = ProbeFile(
                layer: setting.layer, distance: probes.first { $0.0.probe.kind == .distance }?.0.probe,
                depth: probes.first { $0.0.probe.kind == .depth }?.0.probe)
            let corpus = tasks[setting.isControl ? 1 : 0][2]
            let evaluation = try Self.evaluate(file, corpus, test.vectors[setting.place], threads: threads)
            return Result(setting: setting, trained: probes.map(\.0), evaluation: evaluation, seconds: probes.reduce(0) { $0 + $1.1 })
        }
    }

    /// Scores a file's probes on vectors (words, dimension) of a corpus.
    package static func evaluate(
        _ probes: ProbeFile, _ corpus: ProbeCorpus, _ vectors: Tensor<Float>, threads: Int = Parallel.availableThreads
    ) throws -> ProbeEvaluation {
        let offsets = corpus.offsets
        return try ProbeEvaluation(corpus, threads: threads) { probes.predict(vectors.rows(offsets[$0]..<offsets[$0 + 1])) }
    }

    /// Scores random projections, which have learned nothing.
    package static func evaluateRandom(rank: Int, seed: UInt64, _ corpus: ProbeCorpus, _ vectors: Tensor<Float>) throws -> ProbeEvaluation {
        let file = ProbeFile(
            layer: 0, distance: .random(kind: .distance, dimension: vectors.columns, rank: rank, seed: seed),
            depth: .random(kind: .depth, dimension: vectors.columns, rank: rank, seed: seed))
        return try evaluate(file, corpus, vectors)
    }

    /// Scores a predictor without any syntax.
    public static func evaluate(_ baseline: ProbeBaseline, _ corpus: ProbeCorpus) throws -> ProbeEvaluation {
        try ProbeEvaluation(corpus) { baseline.predict(corpus.sentences[$0]) }
    }
}
