import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

/// Events that a run reports to its observer.
public enum TrainingEvent: Sendable {
    /// The tables are read: task by task, rows, sentences cut at the maximum length, rows left out.
    case read(name: String, rows: Int, truncated: Int, skipped: Int)
    case teaching(name: String, done: Int, of: Int)
    case resumed(step: Int, file: String)
    /// Mean losses of the tasks in this step.
    case step(Int, losses: [(name: String, loss: Double)], learningRate: Double, gradientNorm: Double, sentences: Int)
    case evaluated(step: Int, figures: [(name: String, value: Double)], mean: Double, isBest: Bool)
    case saved(step: Int, file: String)
    case stoppedEarly(step: Int, bestStep: Int)
}

/// Trains a sentence encoder as a configuration says.
///
/// Every random choice is a function of the seed and of the step, gradients are summed in a fixed order, and a checkpoint holds everything
/// else: a run that was killed and resumed ends with the same bits as one that was not, with any number of threads.
public final class SentenceTrainer {
    /// What is trained, and how.
    package let configuration: SentenceTrainingConfiguration
    /// The model's tokenizer.
    package let tokenizer: Tokenizer
    /// The network; its weights change with every step.
    package let encoder: Encoder<Float>
    /// Number of worker threads; results do not depend on it.
    package let threads: Int
    /// Steps taken.
    public internal(set) var step = 0
    package internal(set) var history = EvaluationHistory()

    let poolingMode: PoolingMode
    var tasks: [LoadedTask] = []
    var development: [DevSet] = []
    let head: PretrainingHead?
    let parameters: [Parameter<Float>]
    let parameterNames: [String]
    let optimizer: Optimizer<Float>
    let gradients: ShardedGradients<Float>
    var averages: [Tensor<Float>]
    let schedule: LearningRateSchedule
    let masking: TokenMasking?
    /// Other processes that train the same model; nil for none.
    let peers: (any TrainingPeers)?
    /// What a model that was pre-trained on masked words, and on nothing else, keeps of it; nil for others, whose aim the vectors are.
    package var finishedHeads: PretrainedHeads? {
        guard let head, configuration.encoder.modelType == "bert", configuration.tasks.allSatisfy(\.objective.isLanguage) else {
            return nil
        }
        let predictsNext = configuration.tasks.contains(where: \.predictsNextSentence)
        return PretrainedHeads(
            architecture: configuration.encoder.isCausal ? "BertLMHeadModel" : predictsNext ? "BertForPreTraining" : "BertForMaskedLM",
            entries: head.guessEntries + (predictsNext ? head.relationEntries : []))
    }
    /// Whether this process writes what all of them have.
    var isFirst: Bool { peers?.rank ?? 0 == 0 }

    /// A task with its rows, its place in them, and its teacher.
    struct LoadedTask {
        let task: TrainingTask
        var table: SentenceTable
        var sampler: RowSampler
        /// What each column shall meet: one for all of them, or one a column; empty without a teacher.
        var teachers: [TeacherVectors] = []
        /// From the student's vectors to the teacher's, where their sizes differ.
        var projection: Linear<Float>?
    }

    /// Reads tokenizer, tables and teachers.
    ///
    /// - Parameter cache: a folder that keeps the teachers' vectors, usually the run's own.
    /// - Parameter peers: other processes that train the same model from the same files; no more than the configuration has lanes.
    /// - Throws: `DataError` that names the file and line, or the key, that does not fit.
    public init(
        _ configuration: SentenceTrainingConfiguration, cache: URL? = nil, threads: Int = Parallel.availableThreads,
        peers: (any TrainingPeers)? = nil,
        watch: (TrainingEvent) -> Void = { _ in }
    ) throws {
        self.peers = peers
        guard peers?.count ?? 1 <= configuration.lanes else {
            throw DataError(
                .usage,
                "\(peers?.count ?? 1) processes cannot share \(configuration.lanes) lanes; start at most \(configuration.lanes), or set \"lanes\" higher, "
                    + "which changes the last bits of the model")
        }
        var configuration = configuration
        self.threads = threads
        guard configuration.precision.isFast else {
            throw DataError(
                .usage,
                "this processor has no \(configuration.precision.rawValue) instructions (oneDNN found \(processorKernels)); set precision f32"
            )
        }
        guard let mode = PoolingMode(rawValue: configuration.pooling) else {
            throw DataError(
                .badData,
                "pooling '\(configuration.pooling)' is unknown; expected one of "
                    + "\(PoolingMode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        poolingMode = mode
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: configuration.tokenizer, isDirectory: &isFolder) else {
            throw DataError(.noInput, "the tokenizer does not exist", file: configuration.tokenizer)
        }
        let url = URL(fileURLWithPath: configuration.tokenizer)
        let tokenizer = isFolder.boolValue ? try Tokenizer(directory: url) : try Tokenizer(tokenizerJSON: url)
        self.tokenizer = tokenizer

        let encoder: Encoder<Float>
        var archive: (any WeightArchive)?
        if let initial = configuration.initialModel {
            let directory = try ModelDirectory(folder: ModelLocation.folder(for: initial))
            let file = directory.transformerFolder.appendingPathComponent("config.json").path
            let dropout = configuration.encoder.dropout
            var known = try EncoderConfiguration(json: directory.configuration, file: file)
            known.dropout = dropout
            guard tokenizer.idBound <= known.vocabularySize else {
                throw DataError(
                    .badData,
                    "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the model's vocabulary has \(known.vocabularySize) entries",
                    file: file)
            }
            configuration.encoder = known
            encoder = Encoder(known)
            let weights = try ModelDirectory.weights(in: directory.transformerFolder)
            try load(encoder.checkpointEntries, from: weights, prefixes: encoder.checkpointPrefixes)
            archive = weights
        } else {
            configuration.encoder.vocabularySize = tokenizer.idBound
            encoder = Encoder(configuration.encoder)
            encoder.initialize(seed: configuration.seed)
            for norm in encoder.batchNorms { norm.forgetPopulation() }
        }
        guard configuration.maxLength <= configuration.encoder.longestSequence else {
            throw DataError(
                .badData,
                "max_length \(configuration.maxLength) exceeds the \(configuration.encoder.longestSequence) "
                    + "positions of the model")
        }
        self.encoder = encoder
        self.configuration = configuration

        let random = RandomSource(seed: configuration.seed)
        if let task = configuration.tasks.first(where: { $0.objective == .nextToken }), !configuration.encoder.isCausal {
            throw DataError(
                .badData,
                "task \(task.name): the next token can only be learnt by a model with \"attention\": \"causal\"; this one sees the token itself"
            )
        }
        if let task = configuration.tasks.first(where: \.predictsNextSentence), configuration.encoder.isCausal {
            throw DataError(
                .badData, "task \(task.name): next_sentence is read from the first token, which sees nothing else in a causal model")
        }
        if configuration.tasks.contains(where: { $0.objective == .maskedLanguage }) {
            guard let maskID = tokenizer.maskID else {
                throw DataError(.badData, "masked language needs a [MASK] token; the tokenizer has none", file: configuration.tokenizer)
            }
            let special = [tokenizer.clsID, tokenizer.sepID, tokenizer.padID, tokenizer.maskID].compactMap(\.self)
            masking = TokenMasking(rate: 0.15, maskID: maskID, vocabularySize: tokenizer.idBound, specialIDs: Set(special))
        } else {
            masking = nil
        }
        if configuration.tasks.contains(where: \.objective.isLanguage) {
            let own = PretrainingHead(configuration.encoder, words: encoder.words, seed: configuration.seed &+ 1)
            if let archive, configuration.encoder.modelType == "bert" { try own.load(from: archive) }
            head = own
        } else {
            head = nil
        }

        var named: [(String, Parameter<Float>)] = encoder.parameters.enumerated().map { ("encoder.\($0)", $1) }
        if let head { named += head.parameters.enumerated().map { ("head.\($0)", $1) } }
        var libraries: [String: TeacherLibrary] = [:]
        for (index, task) in configuration.tasks.enumerated() {
            let isTaught = task.teacher != nil || !task.teacherFiles.isEmpty
            let taught: Set<Int> = if case .column(let column) = task.teacherView { [column] } else { Set(task.columns.indices) }
            var table = try SentenceTable(
                files: task.files, columns: task.columns, score: task.scoreColumn,
                scoreRange: task.scoreColumn == nil ? nil : task.scoreRange,
                group: task.groupColumn, tokenizer: tokenizer, maxLength: configuration.maxLength, skipsEmpty: configuration.skipsEmpty,
                keepsTextOf: isTaught ? taught : [], keepsWords: task.masksWholeWords, limit: task.limit)
            watch(.read(name: task.name, rows: table.rows, truncated: table.truncated, skipped: table.empty))
            guard table.rows >= (task.objective.isLanguage ? 1 : 2) else {
                throw DataError(.badData, "task \(task.name) has only \(table.rows) row; a batch needs several", file: task.files.first)
            }
            for dimension in task.matryoshka where dimension > configuration.encoder.hiddenSize {
                throw DataError(
                    .badData, "task \(task.name): a prefix of \(dimension) is longer than the vectors (\(configuration.encoder.hiddenSize))"
                )
            }
            var teachers: [TeacherVectors] = [], projection: Linear<Float>?
            if let model = task.teacher {
                let texts = table.texts[taught.min() ?? 0]
                teachers = [
                    try TeacherVectors(model: model, texts: texts, cache: cache, threads: threads) {
                        watch(.teaching(name: task.name, done: $0, of: texts.count))
                    }
                ]
            } else if isTaught {
                let key = "\(task.centersTeacher):" + task.teacherFiles.joined(separator: "\n")
                let library = try libraries[key] ?? TeacherLibrary(files: task.teacherFiles, centers: task.centersTeacher)
                libraries[key] = library
                teachers = try taught.sorted().map {
                    try library.vectors(of: table.texts[$0], file: task.files[0], column: task.columns[$0])
                }
                if task.teacherView == .mean { teachers = [TeacherVectors.mean(of: teachers)] }
                watch(.teaching(name: task.name, done: table.rows, of: table.rows))
            }
            table.forgetTexts()
            if let size = teachers.first?.size, size != configuration.encoder.hiddenSize, task.objective == .distillation,
                task.regressionWeight > 0
            {
                let linear = Linear<Float>(inputs: configuration.encoder.hiddenSize, outputs: size, bias: false)
                var stream = random.split(0x7EAC_4E12 &+ UInt64(index))
                let deviation = 1 / Double(configuration.encoder.hiddenSize).squareRoot()
                linear.weight.fill { deviation * stream.normal() }
                projection = linear
                named.append(("projection.\(index)", linear.weight))
            }
            let rows = task.predictsNextSentence && table.columns == 1 ? max(1, table.rows - 1) : table.rows
            tasks.append(
                LoadedTask(
                    task: task, table: table,
                    sampler: RowSampler(rows: rows, batchSize: task.batchSize, random: random.split(1000 + UInt64(index))),
                    teachers: teachers, projection: projection))
        }
        for task in configuration.development {
            let set = try DevSet(task, tokenizer: tokenizer, maxLength: configuration.maxLength)
            watch(.read(name: task.name, rows: set.table.rows, truncated: set.table.truncated, skipped: set.table.empty))
            development.append(set)
        }
        parameters = named.map(\.1)
        parameterNames = named.map(\.0)
        optimizer = Optimizer(configuration.optimizer, parameters: parameters)
        gradients = ShardedGradients(
            parameters, frozen: Set(encoder.batchNorms.flatMap(\.statistics).map(ObjectIdentifier.init)),
            lanes: configuration.lanes, precision: configuration.precision, threads: threads, peers: peers)
        averages = configuration.averaging > 0 ? parameters.map(\.value) : []
        schedule = LearningRateSchedule(configuration.schedule, warmupSteps: configuration.warmupSteps, totalSteps: configuration.steps)
    }

    // MARK: Evaluation

    /// Vectors of length 1 for sentences, in their order.
    private func embed(_ store: TokenStore) throws -> Tensor<Float> {
        let size = configuration.encoder.hiddenSize
        let sharding = Sharding(lengths: (0..<store.count).map(store.length), shardTokens: 1024) { store[$0] }
        var vectors = Tensor<Float>(uninitialized: [store.count, size])
        let encoder = encoder, mode = poolingMode
        let ranks = peers?.count ?? 1, rank = peers?.rank ?? 0, own = sharding.batches.indices.filter { $0 % ranks == rank }
        var found = [Tensor<Float>?](repeating: nil, count: sharding.batches.count)
        for (shard, part) in zip(
            own,
            Parallel.map(own.count, threads: threads) { index, _ in
                let batch = sharding.batches[own[index]]
                return normalizedRows(pooled(encoder(batch, on: nil), offsets: batch.offsets, mode: mode, on: nil), on: nil).value
            })
        { found[shard] = part }
        if let peers { found = try peers.exchange(found) { $0 % ranks } }
        for case (let members, let part?) in zip(sharding.members, found) {
            for (i, sentence) in members.enumerated() { Float.copy(part.view[i], into: &vectors[rows: sentence..<sentence + 1]) }
        }
        return vectors
    }

    /// Figures of the dev files with the weights that count, and their weighted mean; nil without dev files.
    public func evaluate() throws -> (figures: [(name: String, value: Double)], mean: Double)? {
        guard !development.isEmpty else { return nil }
        return try withFinalWeights {
            let figures = try development.map { ($0.task.name, try $0.measure(embed)) }
            let weights = development.map(\.task.weight)
            let mean = zip(figures, weights).reduce(0) { $0 + $1.0.1 * $1.1 } / max(weights.reduce(0, +), 1e-12)
            return (figures, mean)
        }
    }

    // MARK: The run

    /// Trains to the end, or until `shouldStop` says so.
    ///
    /// - Parameters:
    ///   - folder: of checkpoints, best weights and log; made where it does not exist.
    ///   - resumes: go on from the newest checkpoint in the folder, if there is one.
    ///   - shouldStop: asked after every step; a checkpoint is written before the run ends with an error of kind `interrupted`.
    /// - Throws: `DataError` if training diverges (naming the last good checkpoint), a checkpoint is of another configuration, the disk is
    ///   full.
    public func run(
        in folder: URL, resumes: Bool = true, shouldStop: () -> Bool = { false }, watch: (TrainingEvent) -> Void = { _ in }
    ) throws {
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw DataError(.cannotCreate, "the run's folder cannot be made: \(error.localizedDescription)", file: folder.path)
        }
        if resumes, let stored = try agreedCheckpoint(in: folder) {
            try restore(stored)
            watch(.resumed(step: step, file: stored.path))
        }
        let log = isFirst ? try TrainingLog(folder.appendingPathComponent("log.jsonl"), keepingSteps: step) : nil
        var lastSave = ContinuousClock.now, lastFile: String? = nil
        func save() throws {
            guard isFirst else { return }
            lastFile = try checkpoint().write(to: folder)
            try log?.flush()
            lastSave = .now
            watch(.saved(step: step, file: lastFile ?? ""))
        }
        while step < configuration.steps {
            if configuration.patience > 0, history.sinceBest >= configuration.patience {
                watch(.stoppedEarly(step: step, bestStep: history.bestStep))
                break
            }
            let result: (losses: [(name: String, loss: Double)], learningRate: Double, gradientNorm: Double, sentences: Int)
            do { result = try takeStep() } catch var error as DataError {
                let known = try? Checkpoint.newest(in: folder)
                error.message +=
                    known.flatMap { $0 }.map { ". The last good checkpoint is of step \($0.step): \($0.path)" }
                    ?? ". No checkpoint was written yet"
                throw error
            }
            watch(
                .step(
                    step, losses: result.losses, learningRate: result.learningRate, gradientNorm: result.gradientNorm,
                    sentences: result.sentences))
            try log?.add(
                step: step,
                [
                    ("losses", .object(result.losses.map { ($0.name, .number($0.loss)) })), ("learning_rate", .number(result.learningRate)),
                    ("gradient_norm", .number(result.gradientNorm)),
                ])
            if step % configuration.evaluationInterval == 0 || step == configuration.steps, let found = try evaluate() {
                let isBest = history.add(
                    found.mean, step: step, plateauPatience: configuration.schedule == .plateau ? configuration.plateauPatience : nil)
                if isBest, isFirst { try saveBest(folder) }
                try log?.add(
                    step: step,
                    [
                        ("evaluation", .object(found.figures.map { ($0.name, .number($0.value)) })), ("mean", .number(found.mean)),
                        ("best", .bool(isBest)),
                    ])
                watch(.evaluated(step: step, figures: found.figures, mean: found.mean, isBest: isBest))
            }
            let isDue =
                configuration.checkpointMinutes > 0 && ContinuousClock.now - lastSave > .seconds(60 * configuration.checkpointMinutes)
            if isDue || configuration.checkpointInterval > 0 && step % configuration.checkpointInterval == 0 || step == configuration.steps
            {
                try save()
            }
            let stops = shouldStop()
            if try peers?.agree(stops ? 1 : 0) ?? (stops ? 1 : 0) != 0, step < configuration.steps {
                try save()
                throw DataError(.interrupted, "stopped after step \(step); the same command resumes from \(lastFile ?? "")")
            }
        }
        try log?.flush()
    }

    /// The newest checkpoint, which all processes read.
    private func agreedCheckpoint(in folder: URL) throws -> StoredCheckpoint? {
        let own = try Checkpoint.newest(in: folder)
        guard let peers else { return own }
        let step = try peers.agree(own?.step ?? -1)
        guard step == own?.step ?? -1 else {
            throw DataError(
                .noInput,
                "process \(peers.rank) finds the checkpoint of step \(own?.step ?? 0) where the first process finds that of step \(step); "
                    + "the run's folder should be on a disk that all processes share", file: folder.path)
        }
        return own
    }
}
