import Autograd
import FileFormats
import Foundation
import Networks
import Tensors

/// What a model's folder says about itself: the layout of sentence-transformers (`modules.json` and a folder a module), that of
/// model2vec, or a bare `config.json` with weights.
public struct ModelDirectory: Sendable {
    /// One step after the encoder.
    package enum Step: Sendable, Equatable {
        /// Several modes are computed side by side and concatenated.
        case pooling(modes: [PoolingMode], includesPrompt: Bool)
        /// A linear layer on the pooled vector, its weights in `folder`.
        case dense(folder: URL, inputs: Int, outputs: Int, hasBias: Bool, activation: Activation)
        case normalize
    }

    /// The folder itself.
    public let folder: URL
    /// The folder's own name; for a snapshot of the Hugging Face cache, the repository's.
    public let name: String
    /// Where `config.json`, weights and tokenizer lie: mostly the folder itself.
    package let transformerFolder: URL
    /// `config.json`; an empty object for a table of token vectors, which needs none.
    package let configuration: JSON
    /// A sentence is the mean of fixed vectors of its tokens (StaticEmbedding, model2vec); there is no Transformer.
    package let isStatic: Bool
    /// The steps after the encoder, in order.
    package let steps: [Step]
    /// `max_seq_length` of `sentence_bert_config.json`, else `model_max_length` of `tokenizer_config.json`; nil if neither says.
    package let maxLength: Int?
    /// Text is lowercased before the tokenizer.
    package let lowercases: Bool
    /// Prompts by name, put before a sentence.
    public let prompts: [String: String]
    package let defaultPromptName: String?
    /// True if no module list was found, so that mean pooling is an assumption worth telling the user.
    package let assumesMeanPooling: Bool

    /// - Throws: `DataError` that says which file it looked for, or what in it does not fit.
    public init(folder: URL) throws {
        self.folder = folder
        name = Self.name(of: folder)
        let modules = try Self.optionalJSON(folder.appendingPathComponent("modules.json"))
        var transformerFolder = folder
        var steps: [Step] = [], isStatic = false
        if let modules {
            let file = folder.appendingPathComponent("modules.json").path
            guard let list = modules.array, !list.isEmpty else { throw DataError(.badData, "expected a list of modules", file: file) }
            for (index, module) in list.enumerated() {
                guard let type = module["type"]?.string, let path = module["path"]?.string, !path.hasPrefix("/"),
                    !path.split(separator: "/").contains("..")
                else {
                    throw DataError(.badData, "module \(index) needs a 'type' and a 'path' inside the folder", file: file)
                }
                let part = path.isEmpty ? folder : folder.appendingPathComponent(path)
                // Both "sentence_transformers.models.Pooling" and "sentence_transformers.sentence_transformer.modules.Pooling" are in use.
                let kind = type.hasPrefix("sentence_transformers.") ? String(type.split(separator: ".").last ?? "") : type
                guard ["Transformer", "StaticEmbedding"].contains(kind) == (index == 0) || !Self.knownModules.contains(kind) else {
                    throw DataError(
                        .badData, "module \(index) is '\(type)', but a Transformer or a StaticEmbedding comes first, and only first",
                        file: file)
                }
                switch kind {
                case "Transformer": transformerFolder = part
                case "StaticEmbedding":
                    transformerFolder = part
                    isStatic = true
                case "Pooling": steps.append(try Self.pooling(part))
                case "Dense": steps.append(try Self.dense(part))
                case "Normalize": steps.append(.normalize)
                case "Dropout": break  // nothing to do at inference
                default:
                    throw DataError(
                        .badData, "module '\(type)' is not supported; expected one of \(Self.knownModules.joined(separator: ", "))",
                        file: file)
                }
            }
        }
        let configurationFile = transformerFolder.appendingPathComponent("config.json")
        let configuration = try Self.optionalJSON(configurationFile)
        guard configuration != nil || isStatic else {
            throw DataError(
                .noInput,
                "this folder is not a model: it has no \(configurationFile.lastPathComponent)"
                    + (modules == nil ? ", and no modules.json" : ""), file: transformerFolder.path)
        }
        if modules == nil, configuration?["model_type"]?.string == "model2vec" {
            isStatic = true
            if configuration?["normalize"]?.bool == true { steps.append(.normalize) }
        }
        self.configuration = configuration ?? .object([])
        self.isStatic = isStatic
        assumesMeanPooling = !isStatic && !steps.contains { if case .pooling = $0 { true } else { false } }
        if assumesMeanPooling { steps.insert(.pooling(modes: [.mean], includesPrompt: true), at: 0) }
        self.transformerFolder = transformerFolder
        self.steps = steps

        let sentence = try Self.optionalJSON(transformerFolder.appendingPathComponent("sentence_bert_config.json"))
        let tokenizer = try Self.optionalJSON(transformerFolder.appendingPathComponent("tokenizer_config.json"))
        // Hugging Face writes 10^30 for "no limit".
        let limit = [sentence?["max_seq_length"], tokenizer?["model_max_length"]].lazy.compactMap { $0?.double }.first {
            $0 >= 1 && $0 < 1e9
        }
        maxLength = limit.map { Int($0) }
        lowercases = sentence?["do_lower_case"]?.bool ?? false
        let extra = try Self.optionalJSON(folder.appendingPathComponent("config_sentence_transformers.json"))
        prompts = Dictionary(
            (extra?["prompts"]?.object ?? []).compactMap { key, value in value.string.map { (key, $0) } },
            uniquingKeysWith: { _, last in last })
        defaultPromptName = extra?["default_prompt_name"]?.string
    }

    // MARK: Parts

    private static let knownModules = ["Transformer", "StaticEmbedding", "Pooling", "Dense", "Normalize", "Dropout"]

    private static func pooling(_ folder: URL) throws -> Step {
        let file = folder.appendingPathComponent("config.json")
        let json = try requiredJSON(file)
        var modes: [PoolingMode] = []
        if let mode = json["pooling_mode"] {
            // The newer schema: one name or several.
            for name in mode.array ?? [mode] {
                guard let known = name.string.flatMap(PoolingMode.init(rawValue:)) else {
                    throw DataError(
                        .badData,
                        "pooling_mode \(name.string.map { "'\($0)'" } ?? "that is not a string") is not supported; "
                            + "expected one of "
                            + PoolingMode.allCases.map(\.rawValue).joined(separator: ", "), file: file.path)
                }
                modes.append(known)
            }
        } else {
            let switches: [(String, PoolingMode)] = [
                ("pooling_mode_cls_token", .cls), ("pooling_mode_max_tokens", .max), ("pooling_mode_mean_tokens", .mean),
                ("pooling_mode_mean_sqrt_len_tokens", .meanSquareRootLength), ("pooling_mode_weightedmean_tokens", .weightedMean),
                ("pooling_mode_lasttoken", .lastToken),
            ]
            modes = switches.filter { json[$0.0]?.bool == true }.map(\.1)
        }
        guard !modes.isEmpty else { throw DataError(.badData, "no pooling mode is enabled", file: file.path) }
        return .pooling(modes: modes, includesPrompt: json["include_prompt"]?.bool ?? true)
    }

    private static func dense(_ folder: URL) throws -> Step {
        let file = folder.appendingPathComponent("config.json")
        let json = try requiredJSON(file)
        guard let inputs = json["in_features"]?.int, let outputs = json["out_features"]?.int, (1...1_000_000).contains(inputs),
            (1...1_000_000).contains(outputs)
        else {
            throw DataError(.badData, "a dense layer needs 'in_features' and 'out_features'", file: file.path)
        }
        let name = json["activation_function"]?.string ?? "torch.nn.modules.activation.Tanh"
        let activations: [(String, Activation)] = [
            ("Identity", .identity), ("Tanh", .tanh), ("ReLU", .relu), ("GELU", .gelu), ("Sigmoid", .sigmoid), ("SiLU", .silu),
        ]
        guard let activation = activations.first(where: { $0.0 == name.split(separator: ".").last.map(String.init) })?.1 else {
            throw DataError(
                .badData, "activation '\(name)' is not supported; expected one of \(activations.map(\.0).joined(separator: ", "))",
                file: file.path)
        }
        return .dense(folder: folder, inputs: inputs, outputs: outputs, hasBias: json["bias"]?.bool ?? true, activation: activation)
    }

    /// As `mean`, `cls+mean`.
    package var poolingName: String {
        for case .pooling(let modes, _) in steps { return modes.map(\.rawValue).joined(separator: "+") }
        return "mean"
    }

    /// The prompt of that name, or the model's default one.
    package func prompt(named name: String?) throws -> String {
        guard let name = name ?? defaultPromptName else { return "" }
        guard let prompt = prompts[name] else {
            let known = prompts.keys.sorted()
            throw DataError(
                .usage, "the model has no prompt '\(name)'; " + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"),
                file: folder.path)
        }
        return prompt
    }

    // MARK: Weights

    /// The files of weights in a module's folder.
    /// - Throws: `DataError` that names the files it looked for.
    package static func weights(in folder: URL) throws -> any WeightArchive {
        if let path = ggufFile(in: folder) { return try GGUFArchive(GGUFFile(path: path)) }
        return SafetensorsArchive(try tensors(in: folder))
    }

    /// The one GGUF file of a folder without other weights; nil if there are none or several.
    private static func ggufFile(in folder: URL) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        guard !names.contains(where: { $0.hasSuffix(".safetensors") || isTorchCheckpoint($0) }) else { return nil }
        let found = names.filter { $0.hasSuffix(".gguf") }
        return found.count == 1 ? folder.appendingPathComponent(found[0]).path : nil
    }

    /// The tensors in a module's folder: safetensors in one file or several, else `pytorch_model.bin`, in one file or several.
    /// - Throws: `DataError` that names the files it looked for.
    package static func tensors(in folder: URL) throws -> any TensorSource {
        let manager = FileManager.default
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        if manager.fileExists(atPath: path("model.safetensors")) {
            return try SafetensorsFile(path: path("model.safetensors"))
        }
        if manager.fileExists(atPath: path("model.safetensors.index.json")) {
            return try ShardedTensors(index: path("model.safetensors.index.json"))
        }
        if manager.fileExists(atPath: path("pytorch_model.bin")) {
            return try TorchCheckpoint(path: path("pytorch_model.bin"))
        }
        if manager.fileExists(atPath: path("pytorch_model.bin.index.json")) {
            return try ShardedTensors(index: path("pytorch_model.bin.index.json"))
        }
        throw DataError(
            .noInput,
            "no weights: looked for model.safetensors, pytorch_model.bin, the index of either in several files "
                + "(model.safetensors.index.json, pytorch_model.bin.index.json), and one .gguf file", file: folder.path)
    }

    /// SHA-256 over a sorted list of the model's files (weights, tokenizer, configuration), each with its own SHA-256.
    public func sha256(afresh: Bool = false) throws -> String { try Self.sha256(of: folder, afresh: afresh) }

    /// The same of a folder that holds some other model, such as a generator.
    /// - Parameter afresh: every file is read, also where its hash is known for the state that it is in (`SHA256.keptHex`).
    package static func sha256(of folder: URL, afresh: Bool = false) throws -> String {
        let wanted: Set<String> = [
            "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "config.json", "tokenizer.json",
            "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt", "spiece.model",
            "sentencepiece.bpe.model",
            "tokenizer.model", "model.safetensors.index.json", "pytorch_model.bin.index.json",
        ]
        var files: [String] = []
        func collect(_ folder: URL, prefix: String) {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
                if wanted.contains(name) || name.hasSuffix(".safetensors") || name.hasSuffix(".gguf") || Self.isTorchCheckpoint(name) {
                    files.append(prefix + name)
                }
            }
        }
        collect(folder, prefix: "")
        let modules = try optionalJSON(folder.appendingPathComponent("modules.json"))
        for module in modules?.array ?? [] {
            if let path = module["path"]?.string, !path.isEmpty { collect(folder.appendingPathComponent(path), prefix: path + "/") }
        }
        files = Array(Set(files)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var manifest = ""
        for file in files {
            let path = folder.appendingPathComponent(file).path
            manifest += "\(file)\t\(try afresh ? SHA256.hex(ofFile: path) : SHA256.keptHex(ofFile: path))\n"
        }
        return SHA256.hex(of: manifest)
    }

    /// `pytorch_model.bin`, or one of several, as `pytorch_model-00001-of-00002.bin`.
    private static func isTorchCheckpoint(_ name: String) -> Bool { name.hasPrefix("pytorch_model") && name.hasSuffix(".bin") }

    private static func name(of folder: URL) -> String {
        let parts = folder.standardizedFileURL.pathComponents
        if let snapshots = parts.lastIndex(of: "snapshots"), snapshots > 0, parts[snapshots - 1].hasPrefix("models--") {
            return parts[snapshots - 1].dropFirst("models--".count).replacingOccurrences(of: "--", with: "/")
        }
        return parts.last ?? folder.path
    }

    private static func requiredJSON(_ file: URL) throws -> JSON {
        guard let json = try optionalJSON(file) else { throw DataError(.noInput, "this file of the model is missing", file: file.path) }
        return json
    }

    /// A JSON file of a model; nil if it does not exist.
    package static func optionalJSON(_ file: URL) throws -> JSON? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        let mapped = try MappedFile(path: file.path)
        return try mapped.withUnsafeBytes { try JSON(parsing: $0, file: file.path, spellsOutNaN: true) }
    }
}
