import Autograd
import FileFormats
import Foundation
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

/// What a run tells whoever watches it.
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
    public let configuration: SentenceTrainingConfiguration
    public let tokenizer: Tokenizer
    public let encoder: Encoder<Float>
    public let threads: Int
    public private(set) var step = 0
    public private(set) var history = EvaluationHistory()

    private let poolingMode: PoolingMode
    private var tasks: [LoadedTask] = []
    private var development: [DevSet] = []
    private let head: MaskedLanguageHead?
    private let parameters: [Parameter<Float>]
    private let parameterNames: [String]
    private let optimizer: Optimizer<Float>
    private let gradients: ShardedGradients<Float>
    private var averages: [Tensor<Float>]
    private let schedule: LearningRateSchedule
    private let masking: TokenMasking?

    /// A task with its rows, its place in them, and its teacher.
    private struct LoadedTask {
        let task: TrainingTask
        var table: SentenceTable
        var sampler: RowSampler
        var teacher: TeacherVectors?
        /// From the student's vectors to the teacher's, where their sizes differ.
        var projection: Linear<Float>?
    }

    /// Reads tokenizer, tables and teachers.
    ///
    /// - Parameter cache: a folder that keeps the teachers' vectors, usually the run's own.
    /// - Throws: `DataError` that names the file and line, or the key, that does not fit.
    public init(
        _ configuration: SentenceTrainingConfiguration, cache: URL? = nil, threads: Int = Parallel.availableThreads, watch: (TrainingEvent) -> Void = { _ in }
    ) throws {
        var configuration = configuration
        self.threads = threads
        guard configuration.precision.isFast else {
            throw DataError(.usage, "this processor has no \(configuration.precision.rawValue) instructions (oneDNN found \(processorKernels)); set precision f32")
        }
        guard let mode = PoolingMode(rawValue: configuration.pooling) else {
            throw DataError(.badData, "pooling '\(configuration.pooling)' is not known; it is one of \(PoolingMode.allCases.map(\.rawValue).joined(separator: ", "))")
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
        if let initial = configuration.initialModel {
            let directory = try ModelDirectory(folder: ModelLocation.folder(for: initial))
            let file = directory.transformerFolder.appendingPathComponent("config.json").path
            let dropout = configuration.encoder.dropout
            var known = try EncoderConfiguration(json: directory.configuration, file: file)
            known.dropout = dropout
            guard tokenizer.idBound <= known.vocabularySize else {
                throw DataError(.badData, "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the model's vocabulary has \(known.vocabularySize) entries", file: file)
            }
            configuration.encoder = known
            encoder = Encoder(known)
            try load(encoder.checkpointEntries, from: ModelDirectory.weights(in: directory.transformerFolder), prefixes: encoder.checkpointPrefixes)
        } else {
            configuration.encoder.vocabularySize = tokenizer.idBound
            encoder = Encoder(configuration.encoder)
            encoder.initialize(seed: configuration.seed)
        }
        guard configuration.maxLength <= configuration.encoder.longestSequence else {
            throw DataError(.badData, "max_length \(configuration.maxLength) is more than the \(configuration.encoder.longestSequence) positions of the model")
        }
        self.encoder = encoder
        self.configuration = configuration

        let random = RandomSource(seed: configuration.seed)
        let wantsMasking = configuration.tasks.contains { $0.objective == .maskedLanguage }
        if wantsMasking {
            guard let maskID = tokenizer.maskID else { throw DataError(.badData, "masked language needs a [MASK] token; the tokenizer has none", file: configuration.tokenizer) }
            let special = [tokenizer.clsID, tokenizer.sepID, tokenizer.padID, tokenizer.maskID].compactMap(\.self)
            masking = TokenMasking(rate: 0.15, maskID: maskID, vocabularySize: tokenizer.idBound, specialIDs: Set(special))
            head = MaskedLanguageHead(configuration.encoder, seed: configuration.seed &+ 1)
        } else {
            masking = nil
            head = nil
        }

        var named: [(String, Parameter<Float>)] = encoder.parameters.enumerated().map { ("encoder.\($0)", $1) }
        if let head { named += head.parameters.enumerated().map { ("head.\($0)", $1) } }
        for (index, task) in configuration.tasks.enumerated() {
            let keepsText = task.teacher == nil ? nil : task.teacherColumn
            var table = try SentenceTable(files: task.files, columns: task.columns, score: task.scoreColumn, scoreRange: task.scoreColumn == nil ? nil : task.scoreRange,
                                          tokenizer: tokenizer, maxLength: configuration.maxLength, skipsEmpty: configuration.skipsEmpty,
                                          keepsTextOf: keepsText, keepsWords: task.masksWholeWords, limit: task.limit)
            watch(.read(name: task.name, rows: table.rows, truncated: table.truncated, skipped: table.empty))
            guard table.rows >= (task.objective == .maskedLanguage ? 1 : 2) else {
                throw DataError(.badData, "task \(task.name) has only \(table.rows) row; a batch compares several", file: task.files.first)
            }
            for dimension in task.matryoshka where dimension > configuration.encoder.hiddenSize {
                throw DataError(.badData, "task \(task.name): a prefix of \(dimension) is longer than the vectors (\(configuration.encoder.hiddenSize))")
            }
            var teacher: TeacherVectors?, projection: Linear<Float>?
            if let model = task.teacher {
                let texts = table.texts
                teacher = try TeacherVectors(model: model, texts: texts, cache: cache, threads: threads) { watch(.teaching(name: task.name, done: $0, of: texts.count)) }
                table.forgetTexts()
                if let size = teacher?.size, size != configuration.encoder.hiddenSize, task.objective == .distillation {
                    let linear = Linear<Float>(inputs: configuration.encoder.hiddenSize, outputs: size, bias: false)
                    var stream = random.split(0x7EAC_4E12 &+ UInt64(index))
                    let deviation = 1 / Double(configuration.encoder.hiddenSize).squareRoot()
                    linear.weight.value = Tensor((0..<linear.weight.value.count).map { _ in Float(deviation * stream.normal()) }, shape: linear.weight.shape)
                    projection = linear
                    named.append(("projection.\(index)", linear.weight))
                }
            }
            let rows = task.predictsNextSentence ? max(1, table.rows - 1) : table.rows
            tasks.append(LoadedTask(task: task, table: table, sampler: RowSampler(rows: rows, batchSize: task.batchSize, random: random.split(1000 + UInt64(index))),
                                    teacher: teacher, projection: projection))
        }
        for task in configuration.development {
            let set = try DevSet(task, tokenizer: tokenizer, maxLength: configuration.maxLength)
            watch(.read(name: task.name, rows: set.table.rows, truncated: set.table.truncated, skipped: set.table.empty))
            development.append(set)
        }
        parameters = named.map(\.1)
        parameterNames = named.map(\.0)
        optimizer = Optimizer(configuration.optimizer, parameters: parameters)
        gradients = ShardedGradients(parameters, lanes: configuration.lanes, precision: configuration.precision, threads: threads)
        averages = configuration.averaging > 0 ? parameters.map(\.value) : []
        schedule = LearningRateSchedule(configuration.schedule, warmupSteps: configuration.warmupSteps, totalSteps: configuration.steps)
    }

    // MARK: Steps

    /// One step.
    ///
    /// - Throws: `DataError` where the loss or its gradient is no number.
    public func takeStep() throws -> (losses: [(name: String, loss: Double)], learningRate: Double, gradientNorm: Double, sentences: Int) {
        gradients.clear()
        var losses = [Double](repeating: 0, count: tasks.count), sentences = 0
        for part in 0..<configuration.accumulation {
            let random = RandomSource(seed: configuration.seed).split(UInt64(step) &* UInt64(configuration.accumulation) &+ UInt64(part))
            sentences += try addSentenceTasks(random, &losses)
            for index in tasks.indices where tasks[index].task.objective == .maskedLanguage {
                sentences += try addMaskedTask(index, random, &losses)
            }
        }
        losses = losses.map { $0 / Double(configuration.accumulation) }
        let norm = gradients.norm() / Double(configuration.accumulation)
        guard losses.allSatisfy(\.isFinite), norm.isFinite else {
            let list = zip(tasks, losses).map { "\($0.task.name) \($1)" }.joined(separator: ", ")
            throw DataError(.badData, "training diverged in step \(step + 1): losses \(list), gradient norm \(norm); lower the learning rate or clip gradients")
        }
        let rate = configuration.optimizer.learningRate * schedule.factor(step: step, reductions: history.reductions)
        let clip = configuration.clipping > 0 && norm > configuration.clipping ? configuration.clipping / norm : 1
        optimizer.step(gradients.gradients, learningRate: rate, gradientScale: clip / Double(configuration.accumulation), threads: threads)
        step += 1
        updateAverages()
        return (zip(tasks, losses).map { ($0.task.name, $1) }, rate, norm, sentences)
    }

    /// Where a task's sentences lie in the joint batch: column by column, n each.
    private struct Part: Sendable {
        var index: Int
        var rows: [Int]
        var first: Int
        var columns: Int
        var count: Int { rows.count * columns }
    }

    private func addSentenceTasks(_ random: RandomSource, _ losses: inout [Double]) throws -> Int {
        var parts: [Part] = [], joint: [[Int32]] = []
        for index in tasks.indices where tasks[index].task.objective != .maskedLanguage {
            let rows = tasks[index].sampler.next(), table = tasks[index].table, dropping = tasks[index].task.wordDropout
            var stream = random.split(500 + UInt64(index))
            parts.append(Part(index: index, rows: rows, first: joint.count, columns: table.columns))
            for column in 0..<table.columns {
                for row in rows {
                    let ids = Array(table.sentence(row: row, column: column))
                    joint.append(dropping > 0 ? Self.dropped(ids, dropping, &stream) : ids)
                }
            }
        }
        guard !parts.isEmpty else { return 0 }
        let sharding = Sharding(lengths: joint.map(\.count), shardTokens: configuration.shardTokens) { joint[$0][...] }
        var drawn = random
        let size = configuration.encoder.hiddenSize, encoder = encoder, mode = poolingMode, threads = threads, loaded = tasks, sentences = joint
        var found = [Double](repeating: 0, count: parts.count)
        let precision = configuration.precision
        let projections = ProjectionGradients(count: parts.count)
        try gradients.add(shards: sharding.batches.count, seed: drawn.next()) { shard, tape in
            let batch = sharding.batches[shard]
            return pooled(encoder(batch, on: tape), offsets: batch.offsets, mode: mode, on: tape)
        } loss: { outputs in
            // Vectors in the batch's own order, each task's together.
            var vectors = Tensor<Float>(uninitialized: [sentences.count, size]), slopes = Tensor<Float>(shape: [sentences.count, size])
            vectors.withUnsafeMutableElements { to in
                for (members, output) in zip(sharding.members, outputs) {
                    output?.withUnsafeElements { from in
                        for (i, sentence) in members.enumerated() { (to + sentence * size).update(from: from + i * size, count: size) }
                    }
                }
            }
            let all = vectors
            slopes.withUnsafeMutableElements { pointer in
                let target = Shared(pointer)
                found.withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let found = Shared(base), parts = parts
                    Parallel.forEach(parts.count, threads: threads) { which, _ in
                        let part = parts[which], tape = Tape<Float>(precision: precision)
                        let leaf = tape.input(all.rows(part.first..<part.first + part.count))
                        let loss = Self.loss(loaded[part.index], part.rows, leaf, sentences[part.first..<part.first + part.count], on: tape)
                        found.pointer[which] = Double(loss.value[0])
                        tape.backward(from: scaled(loss, by: Float(loaded[part.index].task.weight), on: tape))
                        tape.gradient(of: leaf).withUnsafeElements { (target.pointer + part.first * size).update(from: $0, count: part.count * size) }
                        projections.stores[which] = tape.store
                    }
                }
            }
            return sharding.members.map { members in
                var seed = Tensor<Float>(uninitialized: [members.count, size])
                slopes.withUnsafeElements { from in
                    seed.withUnsafeMutableElements { Float.gatherRows(from, width: size, members.map(Int32.init), adding: false, into: $0) }
                }
                return seed
            }
        }
        gradients.add(projections.stores.compactMap(\.self))
        for (which, part) in parts.enumerated() { losses[part.index] += found[which] }
        return joint.count
    }

    /// Gradients of what a loss itself learns, one store a task; each is written by one thread.
    private final class ProjectionGradients: @unchecked Sendable {
        var stores: [GradientStore<Float>?]
        init(count: Int) { stores = Array(repeating: nil, count: count) }
    }

    /// Every token but the first and last falls out with the given probability; one always stays.
    private static func dropped(_ ids: [Int32], _ rate: Double, _ random: inout RandomSource) -> [Int32] {
        guard ids.count > 3 else { return ids }
        let kept = ids.indices.filter { $0 == 0 || $0 == ids.count - 1 || random.uniform() >= rate }
        return kept.count > 2 ? kept.map { ids[$0] } : ids
    }

    /// The loss of a task over its vectors, which lie column by column.
    private static func loss(_ loaded: LoadedTask, _ chosen: [Int], _ vectors: Variable<Float>, _ sentences: ArraySlice<[Int32]>, on tape: Tape<Float>) -> Variable<Float> {
        let task = loaded.task, n = chosen.count, scale = Float(task.scale)
        let columns = (0..<loaded.table.columns).map { rows(vectors, $0 * n..<($0 + 1) * n, on: tape) }
        let teacher = loaded.teacher?.rows(chosen) ?? Tensor(shape: [n, 1])
        func contrastive(_ columns: [Variable<Float>]) -> Variable<Float> {
            let negatives = columns.count > 2 ? concatenatedRows(Array(columns[2...]), on: tape) : nil
            return inBatchNegativesLoss(anchors: columns[0], positives: columns[1], negatives: negatives, scale: scale, symmetric: task.isSymmetric,
                                        confusable: confusable(sentences, n), on: tape)
        }
        func similarity(_ columns: [Variable<Float>]) -> Variable<Float> {
            let keys = columns.count > 1 ? columns[1] : columns[0]
            return similarityDistillationLoss(queries: columns[0], keys: keys, teacherQueries: teacher, teacherKeys: teacher, scale: scale, on: tape)
        }
        /// Over prefixes of the vectors as well, where the task says so.
        func nested(_ loss: ([Variable<Float>]) -> Variable<Float>) -> Variable<Float> {
            guard !task.matryoshka.isEmpty else { return loss(columns) }
            let whole = vectors.value.columns
            let dimensions = task.matryoshka.contains(whole) ? task.matryoshka : [whole] + task.matryoshka
            return matryoshkaLoss(columns, dimensions: dimensions, weights: dimensions.map { _ in 1 / Float(dimensions.count) }, on: tape, loss)
        }
        switch task.objective {
        case .contrastive: return nested(contrastive)
        case .cosent:
            let labels = chosen.map { loaded.table.scores[$0] }
            return nested { cosentLoss(first: $0[0], second: $0[1], labels: labels, scale: scale, on: tape) }
        case .cosine:
            let range = task.scoreRange
            let labels = chosen.map { (loaded.table.scores[$0] - range.lowerBound) / (range.upperBound - range.lowerBound) }
            return nested { cosineRegressionLoss(first: $0[0], second: $0[1], labels: labels, on: tape) }
        case .triplet:
            return nested { tripletLoss(anchors: $0[0], positives: $0[1], negatives: $0[2], distance: task.distance, margin: Float(task.margin), on: tape) }
        case .similarityDistillation: return nested(similarity)
        case .distillation:
            // Both of length 1, and per vector instead of per component: 2 − 2 cosine.
            var parts = columns.map { column in
                let student = normalizedRows(loaded.projection?(column, on: tape) ?? column, on: tape)
                return meanSquaredError(student, Variable(teacher), divisor: Float(n * columns.count), on: tape)
            }
            if task.contrastiveWeight > 0 { parts.append(scaled(nested(contrastive), by: Float(task.contrastiveWeight), on: tape)) }
            if task.similarityWeight > 0 { parts.append(scaled(nested(similarity), by: Float(task.similarityWeight), on: tape)) }
            return parts.dropFirst().reduce(parts[0]) { sum($0, $1, on: tape) }
        case .maskedLanguage: preconditionFailure("masked language has no sentence vectors")
        }
    }

    /// Pairs of rows whose sentences are the same: no negatives of each other.
    private static func confusable(_ sentences: ArraySlice<[Int32]>, _ n: Int) -> [(Int, Int)] {
        let anchors = Array(sentences.prefix(n)), positives = Array(sentences.dropFirst(n).prefix(n))
        var rowsOfAnchor: [[Int32]: [Int]] = [:], rowsOfPositive: [[Int32]: [Int]] = [:]
        for i in 0..<n {
            rowsOfAnchor[anchors[i], default: []].append(i)
            rowsOfPositive[positives[i], default: []].append(i)
        }
        var pairs = Set<Int>()
        for group in [rowsOfAnchor, rowsOfPositive] {
            for rows in group.values where rows.count > 1 {
                for i in rows { for j in rows where i != j { pairs.insert(i * n + j) } }
            }
        }
        return pairs.sorted().map { ($0 / n, $0 % n) }
    }

    // MARK: Masked language

    private func addMaskedTask(_ index: Int, _ random: RandomSource, _ losses: inout [Double]) throws -> Int {
        guard let head, var masking else { return 0 }
        masking.rate = tasks[index].task.maskingRate
        let rows = tasks[index].sampler.next(), loaded = tasks[index]
        var stream = random.split(700 + UInt64(index))
        struct Sequence { var ids: [Int32]; var types: [Int32]; var places: [Int]; var originals: [Int32]; var isRandom: Int32? }
        var sequences: [Sequence] = []
        for row in rows {
            for column in 0..<loaded.table.columns {
                var (ids, words) = loaded.table.sentenceWithWords(row: row, column: column)
                var types = [Int32](repeating: 0, count: ids.count), isRandom: Int32?
                if loaded.task.predictsNextSentence, loaded.table.rows > 1 {
                    let follows = stream.uniform() < 0.5
                    let next = follows ? row + 1 : stream.below(loaded.table.rows)
                    let (more, moreWords) = loaded.table.sentenceWithWords(row: min(next, loaded.table.rows - 1), column: column)
                    // Without its own [CLS], and within the length that the model takes.
                    let room = max(0, configuration.encoder.longestSequence - ids.count)
                    ids += more.dropFirst().prefix(room)
                    types += [Int32](repeating: 1, count: ids.count - types.count)
                    let shift = (words?.max() ?? 0) + 1
                    words = words.map { $0 + (moreWords ?? []).dropFirst().prefix(room).map { $0 < 0 ? $0 : $0 + shift } }
                    isRandom = follows ? 0 : 1
                }
                let (masked, places) = masking.mask(ids, words: words, random: &stream)
                sequences.append(Sequence(ids: masked, types: types, places: places, originals: places.map { ids[$0] }, isRandom: isRandom))
            }
        }
        let total = sequences.reduce(0) { $0 + $1.places.count }
        guard total > 0 else { return 0 }
        let sharding = Sharding(lengths: sequences.map(\.ids.count), shardTokens: configuration.shardTokens) { sequences[$0].ids[...] }
        let shards = sharding.members.map { members in
            var shard = MaskedBatch()
            for member in members {
                let sequence = sequences[member], first = shard.batch.tokens
                shard.batch.append(sequence.ids, typeIDs: sequence.isRandom == nil ? nil : sequence.types)
                shard.rows += sequence.places.map { first + $0 }
                shard.targets += sequence.originals
                if let isRandom = sequence.isRandom { shard.isRandomNext.append(isRandom) }
            }
            return shard
        }
        var drawn = stream
        let encoder = encoder, count = sequences.count, weight = Float(loaded.task.weight)
        var loss = 0.0
        try gradients.add(shards: shards.count, seed: drawn.next()) { shard, tape in
            head.loss(encoder(shards[shard].batch, on: tape), shards[shard], words: encoder.words, maskedInBatch: total, sequencesInBatch: count, on: tape)?.loss
        } loss: { outputs in
            loss = outputs.reduce(0) { $0 + Double($1?[0] ?? 0) }
            return outputs.map { output in output.map { _ in Tensor([weight], shape: [1]) } }
        }
        losses[index] += loss
        return count
    }

    // MARK: Averaged weights

    private func updateAverages() {
        guard !averages.isEmpty else { return }
        // Early on the average follows quickly, or it would remember the random beginning.
        let decay = Float(min(configuration.averaging, Double(1 + step) / Double(10 + step)))
        var work: [(average: Shared<Float>, value: Shared<Float>, count: Int)] = []
        for index in parameters.indices {
            let average = averages[index].withUnsafeMutableElements { $0 }, value = parameters[index].value.withUnsafeElements { $0 }
            for range in Parallel.chunks(parameters[index].value.count, size: 1 << 15) {
                work.append((Shared(average + range.lowerBound), Shared(value + range.lowerBound), range.count))
            }
        }
        let pieces = work
        Parallel.forEach(pieces.count, threads: threads) { index, _ in
            let piece = pieces[index]
            Float.scale(piece.average.pointer, by: decay, count: piece.count)
            Float.add(1 - decay, times: piece.value.pointer, count: piece.count, to: piece.average.pointer)
        }
    }

    /// Runs `body` with the weights that count: the averaged ones, where there are such.
    private func withFinalWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard !averages.isEmpty else { return try body() }
        let own = parameters.map(\.value)
        for (parameter, average) in zip(parameters, averages) { parameter.value = average }
        defer { for (parameter, value) in zip(parameters, own) { parameter.value = value } }
        return try body()
    }

    // MARK: Evaluation

    /// Vectors of length 1 for sentences, in their order.
    private func embed(_ store: TokenStore) -> Tensor<Float> {
        let size = configuration.encoder.hiddenSize
        let sharding = Sharding(lengths: (0..<store.count).map(store.length), shardTokens: 1024) { store[$0] }
        var vectors = Tensor<Float>(uninitialized: [store.count, size])
        vectors.withUnsafeMutableElements { pointer in
            let target = Shared(pointer), encoder = encoder, mode = poolingMode
            Parallel.forEach(sharding.batches.count, threads: threads) { shard, _ in
                let batch = sharding.batches[shard]
                let found = normalizedRows(pooled(encoder(batch, on: nil), offsets: batch.offsets, mode: mode, on: nil), on: nil).value
                found.withUnsafeElements { from in
                    for (i, sentence) in sharding.members[shard].enumerated() { (target.pointer + sentence * size).update(from: from + i * size, count: size) }
                }
            }
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
    ///   - resumes: go on from the newest checkpoint in the folder, where there is one.
    ///   - shouldStop: asked after every step; a checkpoint is written before the run ends with an error of kind `interrupted`.
    /// - Throws: `DataError` where training diverges (naming the last good checkpoint), a checkpoint is of another configuration, the disk is full.
    public func run(in folder: URL, resumes: Bool = true, shouldStop: () -> Bool = { false }, watch: (TrainingEvent) -> Void = { _ in }) throws {
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw DataError(.cannotCreate, "the run's folder cannot be made: \(error.localizedDescription)", file: folder.path)
        }
        if resumes, let stored = try Checkpoint.newest(in: folder) {
            try restore(stored)
            watch(.resumed(step: step, file: stored.path))
        }
        let log = try TrainingLog(folder.appendingPathComponent("log.jsonl"), keepingSteps: step)
        var lastSave = ContinuousClock.now, lastFile: String? = nil
        func save() throws {
            lastFile = try checkpoint().write(to: folder)
            try log.flush()
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
                error.message += known.flatMap { $0 }.map { ". The last good checkpoint is of step \($0.step): \($0.path)" } ?? ". There is no checkpoint yet"
                throw error
            }
            watch(.step(step, losses: result.losses, learningRate: result.learningRate, gradientNorm: result.gradientNorm, sentences: result.sentences))
            try log.add(step: step, [("losses", .object(result.losses.map { ($0.name, .number($0.loss)) })), ("learning_rate", .number(result.learningRate)),
                                     ("gradient_norm", .number(result.gradientNorm))])
            if step % configuration.evaluationInterval == 0 || step == configuration.steps, let found = try evaluate() {
                let isBest = history.add(found.mean, step: step, plateauPatience: configuration.schedule == .plateau ? configuration.plateauPatience : nil)
                if isBest { try saveBest(folder) }
                try log.add(step: step, [("evaluation", .object(found.figures.map { ($0.name, .number($0.value)) })), ("mean", .number(found.mean)), ("best", .bool(isBest))])
                watch(.evaluated(step: step, figures: found.figures, mean: found.mean, isBest: isBest))
            }
            let isDue = configuration.checkpointMinutes > 0 && ContinuousClock.now - lastSave > .seconds(60 * configuration.checkpointMinutes)
            if isDue || configuration.checkpointInterval > 0 && step % configuration.checkpointInterval == 0 || step == configuration.steps { try save() }
            if shouldStop(), step < configuration.steps {
                try save()
                throw DataError(.interrupted, "stopped after step \(step); the same command goes on from \(lastFile ?? "")")
            }
        }
        try log.flush()
    }

    private static let bestName = "best.safetensors"

    private func saveBest(_ folder: URL) throws {
        var writer = SafetensorsWriter(metadata: [("format", "kotonoha/weights"), ("step", String(step))])
        withFinalWeights {
            for (name, parameter) in zip(parameterNames, parameters) {
                let value = parameter.value
                writer.add(name, shape: value.shape) { emit in try value.withUnsafeElements { try emit(UnsafeBufferPointer(start: $0, count: value.count)) } }
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
                guard archive.shape(of: name) == parameter.shape else { throw DataError(.badData, "tensor '\(name)' is missing or of another shape", file: path) }
                parameter.value = try archive.tensor(name)
            }
        } else if !averages.isEmpty {
            for (parameter, average) in zip(parameters, averages) { parameter.value = average }
        }
    }

    // MARK: Checkpoints

    private func checkpoint() -> Checkpoint {
        var tensors = zip(parameterNames, parameters).map { ("parameter.\($0)", $1.value) }
        tensors += optimizer.state.map { ("optimizer.\($0.name)", $0.tensor) }
        tensors += averages.enumerated().map { ("average.\(parameterNames[$0])", $1) }
        let numbers = history.numbers.map { $0.isNaN ? JSON.null : .number($0) }
        return Checkpoint(step: step, state: .object([
            ("fingerprint", .string(configuration.fingerprint)), ("optimizer_steps", .integer(optimizer.steps)),
            ("positions", .array(tasks.map { .integer($0.sampler.position) })), ("history", .array(numbers)),
        ]), tensors: tensors.map { (name: $0.0, tensor: $0.1) })
    }

    private func restore(_ stored: StoredCheckpoint) throws {
        guard stored.state["fingerprint"]?.string == configuration.fingerprint else {
            throw DataError(.badData, "this checkpoint belongs to another configuration; give another folder for the run, or remove the checkpoint", file: stored.path)
        }
        guard let positions = stored.state["positions"]?.array?.compactMap(\.int), positions.count == tasks.count, positions.allSatisfy({ $0 >= 0 }),
              let steps = stored.state["optimizer_steps"]?.int, steps >= 0,
              let numbers = stored.state["history"]?.array, let history = EvaluationHistory(numbers: numbers.map { $0.double ?? .nan }) else {
            throw DataError(.badData, "the checkpoint's state is incomplete", file: stored.path)
        }
        let values = try zip(parameterNames, parameters).map { try stored.tensor("parameter.\($0)", shape: $1.shape) }
        let restoredAverages = try averages.isEmpty ? [] : zip(parameterNames, parameters).map { try stored.tensor("average.\($0)", shape: $1.shape) }
        var shapes: [String: [Int]] = [:]
        for (name, tensor) in optimizer.state { shapes[name] = tensor.shape }
        try optimizer.restore(steps: steps) { name in try shapes[name].map { try stored.tensor("optimizer.\(name)", shape: $0) } }
        for (parameter, value) in zip(parameters, values) { parameter.value = value }
        averages = restoredAverages
        for (index, position) in positions.enumerated() {
            let sampler = tasks[index].sampler
            tasks[index].sampler = sampler.moved(to: position)
        }
        self.history = history
        step = stored.step
    }
}
