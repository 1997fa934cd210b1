import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// Writes a sentence encoder as a folder that sentence-transformers loads.
public struct SentenceModelWriter {
    /// Precision of the stored weights.
    package var storage = SafetensorsWriter.Precision.bf16
    /// Pooling of the model, as `mean` or `cls`.
    package var pooling = "mean"
    /// The longest text in tokens, special ones included; longer ones are cut.
    package var maxLength: Int
    /// A folder with tokenizer files, or a tokenizer.json.
    package var tokenizerPath: String
    /// Files put into the folder besides: name and text (a model card).
    package var extras: [(name: String, text: String)] = []

    /// A writer of models whose tokenizer lies at `tokenizerPath`.
    package init(maxLength: Int, tokenizerPath: String) {
        self.maxLength = maxLength
        self.tokenizerPath = tokenizerPath
    }

    /// A writer of what a configuration trains.
    public init(_ configuration: SentenceTrainingConfiguration) {
        self.init(maxLength: configuration.maxLength, tokenizerPath: configuration.tokenizer)
        (storage, pooling) = (configuration.storage, configuration.pooling)
    }

    /// Writes what was trained; after pre-training alone with the heads, so that the folder is a masked language model too.
    ///
    /// - Throws: `DataError` if it cannot be created, or if there is something else of that name.
    public func write(_ trainer: SentenceTrainer, to folder: URL) throws {
        try write(trainer.encoder, heads: trainer.finishedHeads, tokenizer: trainer.tokenizer, to: folder)
    }

    /// Writes the folder; it appears when it is complete, in the place of an older model of that name.
    ///
    /// - Throws: `DataError` if it cannot be created, or if there is something else of that name.
    package func write(_ encoder: Encoder<Float>, tokenizer: Tokenizer, to folder: URL) throws {
        try write(encoder, heads: nil, tokenizer: tokenizer, to: folder)
    }

    private func write(_ encoder: Encoder<Float>, heads: PretrainedHeads?, tokenizer: Tokenizer, to folder: URL) throws {
        do {
            try AtomicFolder.write(
                to: folder.path, isOwn: { name in ModelDirectory.isModelFile(name) || extras.contains { $0.name == name } }
            ) {
                try writeFiles(encoder, heads, tokenizer, to: URL(fileURLWithPath: $0, isDirectory: true))
            }
        } catch let error as DataError {
            throw error
        } catch {
            throw DataError(.cannotCreate, "the model cannot be written: \(error.localizedDescription)", file: folder.path)
        }
    }

    private func writeFiles(_ encoder: Encoder<Float>, _ heads: PretrainedHeads?, _ tokenizer: Tokenizer, to folder: URL) throws {
        func put(_ name: String, _ json: JSON) throws {
            try AtomicFile.write(to: folder.appendingPathComponent(name).path) { try $0.write(json.serialized(.pretty) + "\n") }
        }
        var configuration = encoder.configuration.json.object ?? []
        // Loaded into 32 bits, however narrow the file.
        configuration.removeAll { ["dtype", "torch_dtype", "pad_token_id"].contains($0.key) }
        // What was trained on may have had heads that this has not.
        let before = encoder.configuration.json["architectures"]?.array?.first?.string ?? ""
        let bare = ["ForMaskedLM", "ForPreTraining", "LMHeadModel"].first(where: before.hasSuffix).map {
            before.dropLast($0.count) + "Model"
        }
        if let architecture = heads?.architecture ?? bare.map(String.init) {
            configuration.removeAll { $0.key == "architectures" }
            configuration.insert(("architectures", .array([.string(architecture)])), at: 0)
        }
        configuration.append(("torch_dtype", .string("float32")))
        if let pad = tokenizer.padID { configuration.append(("pad_token_id", .integer(Int(pad)))) }
        try put("config.json", .object(configuration))
        try put(
            "modules.json",
            .array([
                SentenceModules.module(0, "", "Transformer"), SentenceModules.module(1, "1_Pooling", "Pooling"),
                SentenceModules.module(2, "2_Normalize", "Normalize"),
            ]))
        try put("sentence_bert_config.json", .object([("max_seq_length", .integer(maxLength)), ("do_lower_case", .bool(false))]))
        try put(
            "config_sentence_transformers.json",
            .object([
                ("__version__", .object([("kotonoha", .string("0.1.0"))])), ("prompts", .object([])), ("default_prompt_name", .null),
                ("similarity_fn_name", .string("cosine")),
            ]))
        for name in ["1_Pooling", "2_Normalize"] {
            try FileManager.default.createDirectory(at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        try put("1_Pooling/config.json", SentenceModules.pooling(pooling, size: encoder.configuration.hiddenSize))
        var writer = SafetensorsWriter()
        func add(_ entries: [CheckpointEntry<Float>], prefix: String = "") {
            for entry in entries {
                let value = entry.stored
                writer.add(prefix + entry.key, shape: entry.shape, precision: storage) { emit in
                    try value.withUnsafeElements { try emit(UnsafeBufferPointer(start: $0, count: value.count)) }
                }
            }
        }
        add(encoder.checkpointEntries, prefix: heads == nil ? "" : "bert.")
        if let heads { add(heads.entries) }
        try writer.write(to: folder.appendingPathComponent("model.safetensors").path)
        try TokenizerFiles.copy(from: tokenizerPath, tokenizer, maxLength: maxLength, to: folder)
        for (name, text) in extras { try AtomicFile.write(to: folder.appendingPathComponent(name).path) { try $0.write(text) } }
    }
}

/// The heads of a model that was pre-trained, as transformers names them.
package struct PretrainedHeads {
    package let architecture: String
    package let entries: [CheckpointEntry<Float>]
}

/// What sentence-transformers reads of the parts of its models.
enum SentenceModules {
    /// A line of `modules.json`.
    static func module(_ index: Int, _ path: String, _ type: String) -> JSON {
        .object([
            ("idx", .integer(index)), ("name", .string(String(index))), ("path", .string(path)),
            ("type", .string("sentence_transformers.models.\(type)")),
        ])
    }

    /// `config.json` of a pooling layer.
    ///
    /// - Parameter pooling: the name of a `PoolingMode`.
    static func pooling(_ pooling: String, size: Int) -> JSON {
        func mode(_ key: String, _ name: String) -> (key: String, value: JSON) { (key, .bool(pooling == name)) }
        return .object([
            ("word_embedding_dimension", .integer(size)), mode("pooling_mode_cls_token", "cls"), mode("pooling_mode_mean_tokens", "mean"),
            mode("pooling_mode_max_tokens", "max"), mode("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
            mode("pooling_mode_weightedmean_tokens", "weightedmean"), mode("pooling_mode_lasttoken", "lasttoken"),
            ("include_prompt", .bool(true)),
        ])
    }

    /// `config.json` of a linear layer.
    static func dense(inputs: Int, outputs: Int) -> JSON {
        .object([
            ("in_features", .integer(inputs)), ("out_features", .integer(outputs)), ("bias", .bool(true)),
            ("activation_function", .string("torch.nn.modules.linear.Identity")),
        ])
    }
}
