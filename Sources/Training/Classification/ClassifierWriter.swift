import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// Writes classifiers as folders that other programs load.
package struct ClassifierWriter {
    package let base: PretrainedBase
    package let task: ClassificationTask
    package let labels: [String]
    /// What logits are divided by to be calibrated; nil for nothing known.
    package var temperature: Double?
    /// SHA-256 of the tables that were learned from.
    package var learnedFrom: [String]
    /// Put before every text, where the model does not say so itself.
    package var prompt = ""
    /// Whether vectors are scaled to length 1 beyond what the model does.
    package var normalizes = false

    package init(base: PretrainedBase, task: ClassificationTask, labels: [String], temperature: Double? = nil, learnedFrom: [String] = []) {
        (self.base, self.task, self.labels, self.temperature, self.learnedFrom) = (base, task, labels, temperature, learnedFrom)
    }

    private var remarks: [(key: String, value: JSON)] {
        [("task", .string(task.rawValue)), ("learned_from", .array(learnedFrom.map(JSON.string)))]
            + (temperature.map { [("temperature", .number($0))] } ?? [])
    }

    /// A fine-tuned network: as transformers' `…ForSequenceClassification`, or, where its head is the output layer alone, as a folder of
    /// sentence-transformers whose last module is that layer, so that `encode` gives logits: no class of transformers has such a head.
    ///
    /// - Throws: `DataError` if the folder cannot be created.
    package func write(_ network: SequenceClassifier<Float>, to folder: URL) throws {
        try inFolder(folder) { target in
            if let pooling = network.linearPooling {
                try put(
                    "modules.json",
                    .array([
                        SentenceModules.module(0, "", "Transformer"), SentenceModules.module(1, "1_Pooling", "Pooling"),
                        SentenceModules.module(2, "2_Dense", "Dense"),
                    ]), in: target)
                for name in ["1_Pooling", "2_Dense"] {
                    try FileManager.default.createDirectory(at: target.appendingPathComponent(name), withIntermediateDirectories: true)
                }
                try put("1_Pooling/config.json", SentenceModules.pooling(pooling.rawValue, size: network.output.inputs), in: target)
                let output = network.output, biases = output.bias?.value.elements ?? [Float](repeating: 0, count: output.outputs)
                try writeDense(output.weight.value.elements, biases, to: target.appendingPathComponent("2_Dense"))
            }
            let isLinear = network.linearPooling != nil
            try put("config.json", base.configuration(task: task, labels: labels, architecture: !isLinear, remarks: remarks), in: target)
            var writer = SafetensorsWriter(metadata: [("format", "pt")])
            for entry in isLinear ? network.encoder.checkpointEntries : network.checkpointEntries {
                let value = entry.stored
                writer.add(entry.key, shape: entry.shape) { emit in
                    try value.withUnsafeElements { try emit(UnsafeBufferPointer(start: $0, count: value.count)) }
                }
            }
            try writer.write(to: target.appendingPathComponent("model.safetensors").path)
            try put(
                "sentence_bert_config.json", .object([("max_seq_length", .integer(base.maxLength)), ("do_lower_case", .bool(false))]),
                in: target)
            try TokenizerFiles.copy(from: base.directory.transformerFolder.path, base.tokenizer, maxLength: base.maxLength, to: target)
        }
    }

    /// A linear layer of logits as a module of sentence-transformers.
    ///
    /// - Parameters:
    ///   - weights: (labels, d), row by row.
    ///   - folder: the module's, which exists.
    private func writeDense(_ weights: [Float], _ biases: [Float], to folder: URL) throws {
        let inputs = weights.count / max(1, biases.count)
        try put("config.json", SentenceModules.dense(inputs: inputs, outputs: biases.count), in: folder)
        var writer = SafetensorsWriter(metadata: [("format", "pt")])
        writer.add("linear.weight", shape: [biases.count, inputs], values: weights)
        writer.add("linear.bias", shape: [biases.count], values: biases)
        try writer.write(to: folder.appendingPathComponent("model.safetensors").path)
    }

    /// Sentence vectors and a linear layer of logits behind them, as a folder of sentence-transformers: `encode` gives logits.
    /// - Throws: `DataError` if the folder cannot be created.
    package func write(_ head: FrozenMethod.Head, to folder: URL) throws {
        let directory = base.directory, manager = FileManager.default
        try inFolder(folder) { target in
            for name in try manager.contentsOfDirectory(atPath: directory.folder.path)
            where ModelDirectory.isModelFile(name) && !["config.json", "modules.json"].contains(name) {
                try manager.copyItem(
                    at: directory.folder.appendingPathComponent(name).resolvingSymlinksInPath(), to: target.appendingPathComponent(name))
            }
            var modules = try JSON.optional(directory.folder.appendingPathComponent("modules.json"))?.array ?? []
            if modules.isEmpty {
                modules = [SentenceModules.module(0, "", "Transformer"), SentenceModules.module(1, "1_Pooling", "Pooling")]
                try manager.createDirectory(at: target.appendingPathComponent("1_Pooling"), withIntermediateDirectories: true)
                try put(
                    "1_Pooling/config.json",
                    .object([("word_embedding_dimension", .integer(head.weights.columns)), ("pooling_mode_mean_tokens", .bool(true))]),
                    in: target)
            }
            if normalizes, !directory.steps.contains(.normalize) {
                let name = "\(modules.count)_Normalize"
                try manager.createDirectory(at: target.appendingPathComponent(name), withIntermediateDirectories: true)
                modules.append(SentenceModules.module(modules.count, name, "Normalize"))
            }
            let name = "\(modules.count)_Dense", inner = target.appendingPathComponent(name)
            try manager.createDirectory(at: inner, withIntermediateDirectories: true)
            modules.append(SentenceModules.module(modules.count, name, "Dense"))
            try put("modules.json", .array(modules), in: target)
            let configuration =
                directory.transformerFolder.path == directory.folder.path
                ? "config.json" : String(directory.transformerFolder.path.dropFirst(directory.folder.path.count + 1)) + "/config.json"
            try put(configuration, base.configuration(task: task, labels: labels, architecture: false, remarks: remarks), in: target)
            if !prompt.isEmpty {
                try put(
                    "config_sentence_transformers.json",
                    .object([("prompts", .object([("classifier", .string(prompt))])), ("default_prompt_name", .string("classifier"))]),
                    in: target)
            }
            try writeDense(head.weights.elements.map(Float.init), head.biases.map(Float.init), to: inner)
        }
    }

    private func put(_ name: String, _ json: JSON, in folder: URL) throws {
        try AtomicFile.write(to: folder.appendingPathComponent(name).path) { try $0.write(json.serialized(.pretty) + "\n") }
    }

    private func inFolder(_ folder: URL, _ body: (URL) throws -> Void) throws {
        do {
            try AtomicFolder.write(to: folder.path, isOwn: { ModelDirectory.isModelFile($0) || $0.hasSuffix(".provenance.json") }) {
                try body(URL(fileURLWithPath: $0, isDirectory: true))
            }
        } catch let error as DataError { throw error } catch {
            throw DataError(.cannotCreate, "the model cannot be written: \(error.localizedDescription)", file: folder.path)
        }
    }
}

extension JSON {
    /// A file's value, nil if there is no such file.
    fileprivate static func optional(_ file: URL) throws -> JSON? {
        FileManager.default.fileExists(atPath: file.path) ? try JSON(contentsOf: file.path) : nil
    }
}
