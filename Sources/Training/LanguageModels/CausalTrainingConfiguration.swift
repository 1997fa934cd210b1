import FileFormats
import Foundation
import Networks
import Tensors

/// Everything about the training of a causal language model, as a JSON file states it. Paths are relative to that file.
package struct CausalTrainingConfiguration: Sendable {
    /// A `tokenizer.json`, or a folder that holds one.
    package var tokenizer: String
    /// Tables of documents, one a row, or plain texts, one a line.
    package var files: [String]
    package var column: String
    /// Documents at most; 0 for all.
    package var limit = 0
    /// Held-out documents that the best weights are chosen by; empty for none.
    package var development: [String] = []
    /// Of Llama's kind; the vocabulary size comes from the tokenizer.
    package var decoder: DecoderConfiguration
    package var steps: Int
    /// Blocks of `decoder.positions` tokens in a step.
    package var batchSize = 16
    package var seed: UInt64 = 0
    package var optimizer = OptimizerConfiguration(.adamw, learningRate: 1e-3)
    package var schedule = LearningRateSchedule.Shape.cosine
    /// A share of the steps where below 1, else steps.
    package var warmup = 0.05
    /// Gradients longer than this are scaled down to it; 0 for never.
    package var clipping = 1.0
    package var precision = Precision.f32
    /// Blocks of a shard, and sums kept apart: they decide the bits, threads do not.
    package var shardBlocks = 2
    package var lanes = 8
    package var evaluationInterval = 500
    package var checkpointMinutes = 10.0
    package var checkpointInterval = 0
    /// How the final weights are stored.
    package var storage = SafetensorsWriter.Precision.bf16
    /// Of the JSON, so that a checkpoint knows whose it is.
    package private(set) var fingerprint = ""

    /// All files that a run reads.
    package var inputs: [String] { [tokenizer] + files + development }
    package var warmupSteps: Int { warmup < 1 ? Int((warmup * Double(steps)).rounded()) : Int(warmup) }

    /// - Parameter steps, seed: instead of the file's own.
    /// - Throws: `DataError` that names the key, what was expected and what was found.
    package init(file path: String, steps: Int? = nil, seed: UInt64? = nil) throws {
        try self.init(json: JSON(contentsOf: path, spellsOutNaN: true), file: path)
        if let steps { self.steps = steps }
        if let seed { self.seed = seed }
        if steps != nil || seed != nil { fingerprint += ":\(self.steps):\(self.seed)" }
    }

    package init(json: JSON, file: String) throws {
        let base = URL(fileURLWithPath: file).deletingLastPathComponent()
        let reader = ConfigurationObject(json, path: "", file: file)
        try reader.allow([
            "tokenizer", "files", "column", "limit", "development", "model", "steps", "batch_size", "seed", "optimizer", "schedule",
            "warmup",
            "clip", "precision", "shard_blocks", "lanes", "evaluate_every", "checkpoint_minutes", "checkpoint_every", "storage", "comment",
        ])
        func located(_ path: String) -> String { path.hasPrefix("/") ? path : base.appendingPathComponent(path).standardizedFileURL.path }
        tokenizer = located(try reader.text("tokenizer"))
        files = try reader.texts("files").map(located)
        guard !files.isEmpty else { throw reader.fail("'files' is empty: there is nothing to learn") }
        column = try reader.optionalText("column") ?? "1"
        limit = try reader.integer("limit", Bounds(0...2_147_483_647), default: 0)
        if json["development"] != nil { development = try reader.texts("development").map(located) }

        let model = try reader.object("model")
        try model.allow([
            "hidden_size", "layers", "heads", "key_value_heads", "intermediate_size", "context", "dropout", "tied", "rope_theta",
        ])
        let size = try model.integer("hidden_size", .dimension), heads = try model.integer("heads", .heads)
        guard size % heads == 0, size / heads % 2 == 0 else {
            throw model.fail("hidden_size \(size) should divide by heads \(heads) into heads of an even size")
        }
        let shared = try model.integer("key_value_heads", .heads, default: heads)
        guard heads % shared == 0 else { throw model.fail("heads \(heads) is not divisible by key_value_heads \(shared)") }
        decoder = DecoderConfiguration(
            vocabularySize: 1, hiddenSize: size, layers: try model.integer("layers", .layers), attentionHeads: heads, keyValueHeads: shared,
            intermediateSize: try model.integer("intermediate_size", .intermediate),
            positions: try model.integer("context", Bounds(2...65536), default: 256))
        decoder.dropout = try model.number("dropout", Bounds(0...0.9), default: 0)
        decoder.tiedHead = try model.flag("tied", default: true)
        decoder.rotary = RotaryPositions(base: try model.number("rope_theta", Bounds(1...1e12), default: 10_000), turned: size / heads)

        steps = try reader.integer("steps", .steps)
        batchSize = try reader.integer("batch_size", .batch, default: batchSize)
        seed = UInt64(try reader.integer("seed", Bounds(0...Int.max), default: 0))
        schedule = try reader.choice("schedule", LearningRateSchedule.Shape.self, default: schedule)
        guard schedule != .plateau else {
            throw reader.fail("'schedule' is constant, linear, cosine or one-cycle; plateau belongs to sentence encoders")
        }
        warmup = try reader.number("warmup", Bounds(0...1e9), default: warmup)
        clipping = try reader.number("clip", .clip, default: clipping)
        precision = try reader.choice("precision", Precision.self, default: precision)
        guard precision != .int8 else { throw reader.fail("'precision' is f32 or bf16; int8 is for inference") }
        shardBlocks = try reader.integer("shard_blocks", .batch, default: shardBlocks)
        lanes = try reader.integer("lanes", Bounds(1...256), default: lanes)
        evaluationInterval = try reader.integer("evaluate_every", .steps, default: evaluationInterval)
        checkpointMinutes = try reader.number("checkpoint_minutes", Bounds(0...1e6), default: checkpointMinutes)
        checkpointInterval = try reader.integer("checkpoint_every", Bounds(0...1_000_000_000), default: checkpointInterval)
        switch try reader.optionalText("storage") ?? "bf16" {
        case "bf16": storage = .bf16
        case "f16": storage = .f16
        case "f32": storage = .f32
        case let other: throw reader.fail("'storage' is f32, f16 or bf16, not '\(other)'")
        }
        if let settings = try reader.optionalObject("optimizer") {
            try settings.allow(["name", "learning_rate", "beta1", "beta2", "epsilon", "weight_decay"])
            optimizer = OptimizerConfiguration(
                try settings.choice("name", OptimizerConfiguration.Method.self, default: .adamw),
                learningRate: try settings.number("learning_rate", Bounds(0...1e6), default: 1e-3))
            optimizer.beta1 = try settings.number("beta1", Bounds(0...0.999999), default: optimizer.beta1)
            optimizer.beta2 = try settings.number("beta2", Bounds(0...0.9999999), default: optimizer.beta2)
            optimizer.epsilon = try settings.number("epsilon", Bounds(0...1), default: optimizer.epsilon)
            optimizer.weightDecay = try settings.number("weight_decay", Bounds(0...1000), default: optimizer.weightDecay)
        }
        fingerprint = SHA256.hex(of: json.serialized(.sortedKeys))
    }
}
