import FileFormats
import Foundation
import Networks
import Tensors

/// One training objective: what it reads and which loss it takes of it.
package struct TrainingTask: Sendable, Equatable {
    package enum Objective: String, Sendable, CaseIterable {
        /// Translations or paraphrases (and hard negatives): in-batch negatives.
        case contrastive = "infonce"
        /// Scored pairs, their order.
        case cosent
        /// Scored pairs, their cosine.
        case cosine
        /// Vectors of a teacher for the first column, to be met by all columns.
        case distillation
        /// A teacher's similarities within the batch.
        case similarityDistillation = "similarity-distillation"
        /// Anchor, positive, negative.
        case triplet
        /// Masked words, and whether a second sentence follows the first.
        case maskedLanguage = "mlm"
        /// The next token of an encoder that sees only those before it.
        case nextToken = "clm"

        /// Guesses tokens, and has no sentence vectors.
        var isLanguage: Bool { self == .maskedLanguage || self == .nextToken }
    }

    package var name: String
    package var objective: Objective
    /// Tables of sentences, or of one sentence per row for masked language.
    package var files: [String]
    /// Columns of sentences by name or number: anchor, positive, negatives ….
    package var columns: [String]
    /// Column of people's scores, and what range they lie in.
    package var scoreColumn: String?
    package var scoreRange: ClosedRange<Double> = 0...1
    /// Multiplies the loss.
    package var weight = 1.0
    /// Rows in a step.
    package var batchSize = 64
    /// Rows that a run uses at most; 0 for all.
    package var limit = 0
    /// 1 / temperature of softmax over cosines.
    package var scale = 20.0
    package var isSymmetric = true
    package var margin = 0.5
    package var distance = TripletDistance.cosine
    /// Prefixes of the vectors that the loss is taken of as well.
    package var matryoshka: [Int] = []
    /// A model folder or name.
    package var teacher: String?
    /// In place of a model: vector files with the sentences and the teacher's vectors for them.
    package var teacherFiles: [String] = []
    /// Take off the mean of each of these files.
    package var centersTeacher = false
    /// Whose vectors the columns shall meet.
    package var teacherView = TeacherView.column(0)
    /// Of distillation: the weight of the teacher's vectors themselves.
    package var regressionWeight = 1.0
    /// Rows with the same value in this column are not used as negatives for each other.
    package var groupColumn: String?
    /// Of distillation: weights of in-batch negatives and of similarity distillation over the first two columns, on the very vectors that
    /// are distilled, so that they cost next to nothing.
    package var contrastiveWeight = 0.0
    package var similarityWeight = 0.0
    /// Share of tokens to be guessed.
    package var maskingRate = 0.15
    package var masksWholeWords = false
    package var predictsNextSentence = false
    /// Probability that a sentence loses each of its words (an augmentation); only with contrastive tasks and distillation.
    package var wordDropout = 0.0

    package init(name: String, objective: Objective, files: [String], columns: [String]) {
        self.name = name
        self.objective = objective
        self.files = files
        self.columns = columns
    }
}

/// Which of a teacher's vectors a row's sentences shall meet.
package enum TeacherView: Sendable, Equatable {
    /// All of them that of one column, from 0.
    case column(Int)
    /// Each its own.
    case own
    /// All of them the mean over the columns, at length 1: what a sentence and its translation have in common.
    case mean
}

/// What a new encoder's norms are over.
enum NormKind: String, CaseIterable {
    case layer, batch
}

/// Which tokens a new encoder attends to.
enum AttentionDirection: String, CaseIterable {
    case bidirectional, causal
}

/// What is measured on a dev file while training goes on.
package struct DevTask: Sendable, Equatable {
    package enum Measure: String, Sendable, CaseIterable {
        /// Spearman's ρ of cosines with people's scores.
        case similarity = "sts"
        /// Share of sentences whose translation is the nearest of all, both directions averaged.
        case retrieval
    }

    package var name: String
    package var measure: Measure
    package var file: String
    package var columns: [String]
    package var scoreColumn: String?
    /// Share in the figure by which the best weights are chosen.
    package var weight = 1.0
}

/// Everything about a training run, as a JSON file states it. Paths are relative to that file.
public struct SentenceTrainingConfiguration: Sendable {
    /// Where a tokenizer lies: a folder or a tokenizer.json.
    package var tokenizer: String
    /// The network to begin with: a configuration with random weights, or a model's folder to go on from.
    package var encoder: EncoderConfiguration
    package var initialModel: String?
    /// The longest text in tokens, special ones included; longer ones are cut.
    package var maxLength = 64
    /// How token vectors become a sentence vector, as `mean` or `cls`.
    package var pooling = "mean"
    package var tasks: [TrainingTask] = []
    package var development: [DevTask] = []
    /// Steps of the optimizer.
    public var steps = 1000
    /// Seed of the random numbers; it fixes the result.
    package var seed: UInt64 = 0
    package var optimizer = OptimizerConfiguration(.adamw, learningRate: 5e-4)
    package var schedule = LearningRateSchedule.Shape.cosine
    /// A share of the steps where below 1, else steps.
    package var warmup = 0.05
    /// Gradients longer than this are scaled down to it; 0 for never.
    package var clipping = 1.0
    /// Batches whose gradients make one step.
    package var accumulation = 1
    /// What matrix products compute in.
    package var precision = Precision.f32
    /// Tokens of a shard, and sums kept apart: they decide the bits, threads do not.
    package var shardTokens = 1024
    /// Sums of gradients that are kept apart; they decide the bits, threads do not.
    public var lanes = 8
    /// Decay of the averaged weights that are evaluated and written; 0 for none.
    package var averaging = 0.0
    package var evaluationInterval = 500
    /// Evaluations without a new best one before training stops; 0 for never.
    package var patience = 0
    /// Evaluations without a new best one before a plateau schedule lowers the rate.
    package var plateauPatience = 3
    package var checkpointMinutes = 10.0
    package var checkpointInterval = 0
    /// How the final weights are stored.
    package var storage = SafetensorsWriter.Precision.bf16
    /// Rows with an empty sentence are left out and counted instead of stopping the run.
    package var skipsEmpty = false
    /// Of the JSON, so that a checkpoint knows whose it is.
    package private(set) var fingerprint = ""

    /// All files and folders that a run reads.
    public var inputs: [String] {
        [tokenizer] + [initialModel].compactMap(\.self) + tasks.flatMap { $0.files + [$0.teacher].compactMap(\.self) + $0.teacherFiles }
            + development.map(\.file)
    }

    package var warmupSteps: Int { warmup < 1 ? Int((warmup * Double(steps)).rounded()) : Int(warmup) }

    /// Reads a configuration file.
    ///
    /// - Parameters:
    ///   - steps, seed, learningRate: instead of the file's own.
    /// - Throws: `DataError` that names the key, what was expected and what was found.
    public init(file path: String, steps: Int? = nil, seed: UInt64? = nil, learningRate: Double? = nil) throws {
        try self.init(json: JSON(contentsOf: path, spellsOutNaN: true), file: path)
        if let steps { self.steps = steps }
        if let seed { self.seed = seed }
        if let learningRate { optimizer.learningRate = learningRate }
        if steps != nil || seed != nil || learningRate != nil { fingerprint += ":\(self.steps):\(self.seed):\(optimizer.learningRate)" }
    }

    /// Reads a configuration that is already parsed. `file` is what errors name; paths are relative to its folder.
    ///
    /// - Throws: `DataError` that names the key, what was expected and what was found.
    public init(json: JSON, file: String) throws {
        let base = URL(fileURLWithPath: file).deletingLastPathComponent()
        let reader = ConfigurationObject(json, path: "", file: file)
        try reader.allow([
            "tokenizer", "model", "max_length", "pooling", "tasks", "development", "steps", "seed", "optimizer", "schedule", "warmup",
            "clip", "accumulate", "precision", "shard_tokens", "lanes", "averaging", "evaluate_every", "patience", "plateau_patience",
            "checkpoint_minutes", "checkpoint_every", "storage", "skip_empty", "comment",
        ])
        func located(_ path: String) -> String { path.hasPrefix("/") ? path : base.appendingPathComponent(path).standardizedFileURL.path }
        tokenizer = located(try reader.text("tokenizer"))
        maxLength = try reader.integer("max_length", Bounds(3...8192), default: maxLength)
        let model = try reader.object("model")
        if let initial = try model.optionalText("from") {
            try model.allow(["from", "dropout"])
            initialModel = FileManager.default.fileExists(atPath: located(initial)) ? located(initial) : initial
            encoder = EncoderConfiguration(vocabularySize: 1, hiddenSize: 1, layers: 1, attentionHeads: 1, intermediateSize: 1)
        } else {
            try model.allow([
                "hidden_size", "layers", "heads", "intermediate_size", "positions", "dropout", "activation", "attention", "norm", "from",
            ])
            let size = try model.integer("hidden_size", .dimension), heads = try model.integer("heads", .heads)
            guard size % heads == 0 else { throw model.fail("hidden_size \(size) is not divisible by heads \(heads)") }
            encoder = EncoderConfiguration(
                vocabularySize: 1, hiddenSize: size, layers: try model.integer("layers", .layers), attentionHeads: heads,
                intermediateSize: try model.integer("intermediate_size", .intermediate),
                positions: try model.integer("positions", Bounds(1...65536), default: max(128, maxLength)))
            guard encoder.positions >= maxLength else {
                throw model.fail("positions \(encoder.positions) is less than max_length \(maxLength)")
            }
            encoder.activation = try model.choice("activation", Activation.self, default: .gelu)
            encoder.isCausal = try model.choice("attention", AttentionDirection.self, default: .bidirectional) == .causal
            encoder.normalizesBatches = try model.choice("norm", NormKind.self, default: .layer) == .batch
        }
        encoder.dropout = try model.number("dropout", Bounds(0...0.9), default: 0.1)

        pooling = try reader.optionalText("pooling") ?? pooling
        steps = try reader.integer("steps", .steps)
        seed = UInt64(try reader.integer("seed", Bounds(0...Int.max), default: 0))
        schedule = try reader.choice("schedule", LearningRateSchedule.Shape.self, default: schedule)
        warmup = try reader.number("warmup", Bounds(0...1e9), default: warmup)
        clipping = try reader.number("clip", .clip, default: clipping)
        accumulation = try reader.integer("accumulate", Bounds(1...4096), default: accumulation)
        precision = try reader.choice("precision", Precision.self, default: precision)
        guard precision != .int8 else { throw reader.fail("'precision' is f32 or bf16; int8 is for inference") }
        shardTokens = try reader.integer("shard_tokens", Bounds(1...1_000_000), default: shardTokens)
        lanes = try reader.integer("lanes", Bounds(1...256), default: lanes)
        averaging = try reader.number("averaging", Bounds(0...0.999999), default: averaging)
        evaluationInterval = try reader.integer("evaluate_every", .steps, default: evaluationInterval)
        patience = try reader.integer("patience", Bounds(0...1_000_000), default: patience)
        plateauPatience = try reader.integer("plateau_patience", Bounds(0...1_000_000), default: plateauPatience)
        checkpointMinutes = try reader.number("checkpoint_minutes", Bounds(0...1e6), default: checkpointMinutes)
        checkpointInterval = try reader.integer("checkpoint_every", Bounds(0...1_000_000_000), default: checkpointInterval)
        skipsEmpty = try reader.flag("skip_empty", default: false)
        switch try reader.optionalText("storage") ?? "bf16" {
        case "bf16": storage = .bf16
        case "f16": storage = .f16
        case "f32": storage = .f32
        case let other: throw reader.fail("'storage' is f32, f16 or bf16, not '\(other)'")
        }

        if let settings = try reader.optionalObject("optimizer") {
            try settings.allow(["name", "learning_rate", "momentum", "beta1", "beta2", "epsilon", "weight_decay"])
            optimizer = OptimizerConfiguration(
                try settings.choice("name", OptimizerConfiguration.Method.self, default: .adamw),
                learningRate: try settings.number("learning_rate", Bounds(0...1e6), default: 5e-4))
            optimizer.momentum = try settings.number("momentum", Bounds(0...1), default: optimizer.momentum)
            optimizer.beta1 = try settings.number("beta1", Bounds(0...0.999999), default: optimizer.beta1)
            optimizer.beta2 = try settings.number("beta2", Bounds(0...0.9999999), default: optimizer.beta2)
            optimizer.epsilon = try settings.number("epsilon", Bounds(0...1), default: optimizer.epsilon)
            optimizer.weightDecay = try settings.number("weight_decay", Bounds(0...1000), default: optimizer.weightDecay)
        }

        for (index, settings) in try reader.objects("tasks").enumerated() { tasks.append(try Self.task(settings, index, located)) }
        guard !tasks.isEmpty else { throw reader.fail("'tasks' is empty: there is nothing to learn") }
        for (index, settings) in try reader.objects("development").enumerated() {
            try settings.allow(["name", "measure", "file", "columns", "score", "weight"])
            var task = DevTask(
                name: try settings.optionalText("name") ?? "dev\(index + 1)",
                measure: try settings.choice("measure", DevTask.Measure.self, default: .similarity),
                file: located(try settings.text("file")), columns: try settings.texts("columns"))
            task.scoreColumn = try settings.optionalText("score")
            task.weight = try settings.number("weight", Bounds(0...1e6), default: 1)
            guard task.columns.count == 2 else {
                throw settings.fail("'columns' names two columns of sentences, not \(task.columns.count)")
            }
            guard task.measure == .retrieval || task.scoreColumn != nil else {
                throw settings.fail("measure sts needs a column of scores, 'score'")
            }
            development.append(task)
        }
        fingerprint = SHA256.hex(of: json.serialized(.sortedKeys))
    }

    private static func task(_ settings: ConfigurationObject, _ index: Int, _ located: (String) -> String) throws -> TrainingTask {
        try settings.allow([
            "name", "objective", "files", "columns", "score", "score_range", "weight", "batch_size", "limit", "scale", "symmetric",
            "margin", "distance", "matryoshka", "teacher", "teacher_vectors", "teacher_center", "teacher_column", "regression_weight",
            "infonce_weight", "similarity_weight", "masking_rate", "whole_words", "next_sentence", "word_dropout", "group",
        ])
        let objective = try settings.choice("objective", TrainingTask.Objective.self)
        var task = TrainingTask(
            name: try settings.optionalText("name") ?? "\(objective.rawValue)\(index + 1)", objective: objective,
            files: try settings.texts("files").map(located), columns: try settings.texts("columns"))
        guard !task.files.isEmpty else { throw settings.fail("'files' is empty") }
        task.scoreColumn = try settings.optionalText("score")
        if let range = settings.json["score_range"] {
            guard let ends = range.array?.compactMap(\.double), ends.count == 2, ends[0] < ends[1] else {
                throw settings.fail("'score_range' should be two numbers, the lower first")
            }
            task.scoreRange = ends[0]...ends[1]
        }
        task.weight = try settings.number("weight", Bounds(0...1e6), default: 1)
        task.batchSize = try settings.integer("batch_size", .batch, default: task.batchSize)
        task.limit = try settings.integer("limit", Bounds(0...2_147_483_647), default: 0)
        task.scale = try settings.number("scale", Bounds(0.001...1e6), default: task.scale)
        task.isSymmetric = try settings.flag("symmetric", default: true)
        task.margin = try settings.number("margin", Bounds(0...1e6), default: task.margin)
        task.distance = try settings.choice("distance", TripletDistance.self, default: task.distance)
        task.teacher = try settings.optionalText("teacher").map { FileManager.default.fileExists(atPath: located($0)) ? located($0) : $0 }
        if settings.json["teacher_vectors"] != nil { task.teacherFiles = try settings.texts("teacher_vectors").map(located) }
        guard task.teacher == nil || task.teacherFiles.isEmpty else {
            throw settings.fail("'teacher' and 'teacher_vectors' exclude each other")
        }
        task.centersTeacher = try settings.flag("teacher_center", default: false)
        switch settings.json["teacher_column"]?.string {
        case "own": task.teacherView = .own
        case "mean": task.teacherView = .mean
        case _?: throw settings.fail("'teacher_column' is a column's number from 0, own or mean")
        case nil: task.teacherView = .column(try settings.integer("teacher_column", Bounds(0...64), default: 0))
        }
        guard !task.teacherFiles.isEmpty || !task.centersTeacher && task.teacherView != .own && task.teacherView != .mean else {
            throw settings.fail("'teacher_center' and the teacher_column own or mean need 'teacher_vectors'")
        }
        task.regressionWeight = try settings.number("regression_weight", Bounds(0...1e6), default: 1)
        task.groupColumn = try settings.optionalText("group")
        task.contrastiveWeight = try settings.number("infonce_weight", Bounds(0...1e6), default: 0)
        task.similarityWeight = try settings.number("similarity_weight", Bounds(0...1e6), default: 0)
        guard task.contrastiveWeight == 0 && task.similarityWeight == 0 || objective == .distillation && task.columns.count >= 2 else {
            throw settings.fail("'infonce_weight' and 'similarity_weight' need distillation over at least two columns")
        }
        task.maskingRate = try settings.number("masking_rate", Bounds(0.001...0.9), default: task.maskingRate)
        task.masksWholeWords = try settings.flag("whole_words", default: false)
        task.predictsNextSentence = try settings.flag("next_sentence", default: false)
        task.wordDropout = try settings.number("word_dropout", Bounds(0...0.9), default: 0)
        if let list = settings.json["matryoshka"] {
            guard let dimensions = list.array?.compactMap(\.int), dimensions.count == list.array?.count, dimensions.allSatisfy({ $0 > 0 })
            else {
                throw settings.fail("'matryoshka' should be a list of vector lengths")
            }
            task.matryoshka = dimensions
        }
        let wanted: ClosedRange<Int> =
            switch objective {
            case .contrastive: 2...16
            case .cosent, .cosine: 2...2
            case .distillation: 1...16
            case .similarityDistillation: 1...2
            case .triplet: 3...3
            case .maskedLanguage, .nextToken: task.predictsNextSentence ? 1...2 : 1...16
            }
        guard wanted.contains(task.columns.count) else {
            throw settings.fail(
                "objective \(objective.rawValue) takes \(wanted.lowerBound == wanted.upperBound ? "\(wanted.lowerBound)" : "\(wanted.lowerBound) to \(wanted.upperBound)") columns, not \(task.columns.count)"
            )
        }
        switch objective {
        case .cosent, .cosine:
            guard task.scoreColumn != nil else { throw settings.fail("objective \(objective.rawValue) needs a column of scores, 'score'") }
        case .distillation, .similarityDistillation:
            guard task.teacher != nil || !task.teacherFiles.isEmpty else {
                throw settings.fail("objective \(objective.rawValue) needs a 'teacher' or 'teacher_vectors'")
            }
            guard objective != .distillation || task.regressionWeight + task.contrastiveWeight + task.similarityWeight > 0 else {
                throw settings.fail("distillation with all of its weights 0 learns nothing")
            }
            if case .column(let column) = task.teacherView, column >= task.columns.count {
                throw settings.fail("'teacher_column' \(column) is not among the \(task.columns.count) columns")
            }
        default: break
        }
        if !objective.isLanguage && task.batchSize < 2 {
            throw settings.fail("'batch_size' should be at least 2: sentences are compared within a batch")
        }
        return task
    }
}
