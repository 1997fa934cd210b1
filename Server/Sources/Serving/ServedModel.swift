import Foundation
import Kotonoha
import Synchronization

/// A sentence encoder with one prompt, as the queue computes with it.
final class EncoderEngine: BatchEngine {
    let encoder: SentenceEncoder
    var width: Int { encoder.dimension }

    init(_ encoder: SentenceEncoder) { self.encoder = encoder }

    func compute(_ batch: PackedBatch) throws -> Tensor<Float> {
        let rows = encoder.vectors(of: batch)
        guard rows.isFinite else {
            throw DataError(
                .badData, "a vector came out as NaN or infinity; the model's weights are damaged or overflow in this precision",
                file: encoder.directory.name)
        }
        return rows
    }
}

/// A reranker, as the queue computes with it: one number for a pair.
final class RerankerEngine: BatchEngine {
    let encoder: CrossEncoder
    var width: Int { 1 }

    init(_ encoder: CrossEncoder) { self.encoder = encoder }

    func compute(_ batch: PackedBatch) throws -> Tensor<Float> {
        let logits = encoder.logits(of: batch)
        guard logits.isFinite else {
            throw DataError(
                .badData, "a score came out as NaN or infinity; the model's weights are damaged or overflow in this precision",
                file: encoder.directory.name)
        }
        return logits
    }
}

/// A model that turns texts into vectors, with all of its prompts over one set of weights.
public final class ServedEncoder: Sendable {
    /// What requests call it.
    public let id: String
    public let encoder: SentenceEncoder
    /// The hash of the model's files.
    public let sha256: String
    private let engines: Mutex<[String: EncoderEngine]>
    private let standard: EncoderEngine

    public init(_ encoder: SentenceEncoder) throws {
        (id, self.encoder, sha256) = (encoder.directory.name, encoder, try encoder.directory.sha256())
        standard = EncoderEngine(encoder)
        engines = Mutex([encoder.prompt: standard])
    }

    /// The engine of a prompt of the model by its name; nil for the prompt that the server was started with.
    /// - Throws: `APIError` 400 that lists the names.
    func engine(promptName name: String?) throws -> EncoderEngine {
        guard let name else { return standard }
        guard let prompt = encoder.directory.prompts[name] else {
            let known = encoder.directory.prompts.keys.sorted()
            throw APIError(
                .notFound,
                "model '\(id)' has no prompt '\(name)'; " + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"),
                parameter: "prompt_name", code: "prompt_not_found")
        }
        return try engine(prompt: prompt)
    }

    func engine(prompt: String) throws -> EncoderEngine {
        try engines.withLock { engines in
            if let known = engines[prompt] { return known }
            let made = EncoderEngine(try SentenceEncoder(sharing: encoder, prompt: prompt))
            // The model's own prompts and those of opened files are few; a client cannot add to them.
            engines[prompt] = made
            return made
        }
    }

    /// Everything that decides a vector: weights and tokenizer, precision and the processor's instructions, and the settings of the server.
    var fingerprint: String {
        let facts = [
            sha256, encoder.precisionName, processorKernels, encoder.poolingName, String(encoder.maxLength), String(encoder.dimension),
            encoder.isNormalized ? "normalized" : "", encoder.prompt,
        ]
        return String(SHA256.hex(of: facts.joined(separator: "\n")).prefix(16))
    }
}

public final class ServedReranker: Sendable {
    public let id: String
    public let encoder: CrossEncoder
    public let sha256: String
    let engine: RerankerEngine

    public init(_ encoder: CrossEncoder) throws {
        (id, self.encoder, sha256) = (encoder.directory.name, encoder, try encoder.directory.sha256())
        engine = RerankerEngine(encoder)
    }
}

/// The models and vector files that a server answers with.
public struct Holdings: Sendable {
    public var encoders: [ServedEncoder]
    public var rerankers: [ServedReranker]
    public var indexes: [VectorIndex]

    public init(encoders: [ServedEncoder], rerankers: [ServedReranker] = [], indexes: [VectorIndex] = []) {
        (self.encoders, self.rerankers, self.indexes) = (encoders, rerankers, indexes)
    }

    /// Opens models, rerankers by their configuration, and vector files with the models that made them.
    ///
    /// - Parameter note: told what a user should know.
    /// - Throws: `DataError` where a model or a file cannot be opened.
    public static func open(
        models: [String], vectors: [String], options: SentenceEncoder.Options, note: (String) -> Void = { _ in }
    ) throws -> Holdings {
        var encoders: [ServedEncoder] = [], rerankers: [ServedReranker] = []
        for name in models {
            let folder = try ModelLocation.folder(for: name)
            if try ModelDescription(folder: folder, name: folder.lastPathComponent).kind == "reranker" {
                rerankers.append(try ServedReranker(CrossEncoder(model: folder.path, options: options)))
            } else {
                encoders.append(try ServedEncoder(SentenceEncoder(model: folder.path, options: options)))
            }
        }
        var indexes: [VectorIndex] = []
        for path in vectors {
            let file = try VectorFile(path: path)
            var own: ServedEncoder?
            do {
                own = try encoder(for: file, among: &encoders)
            } catch let error as DataError {
                note("\(error); \(path) can be searched by vector and by row, not by text")
            }
            indexes.append(try VectorIndex(file, encoder: own))
        }
        let names = encoders.map(\.id) + rerankers.map(\.id)
        for (place, name) in names.enumerated() where names[..<place].contains(name) {
            throw DataError(.usage, "two models are called '\(name)'; requests could not tell them apart", file: name)
        }
        return Holdings(encoders: encoders, rerankers: rerankers, indexes: indexes)
    }

    /// Opens one vector file with the model that made it, or with the folder of that model.
    public static func open(_ file: VectorFile, model: String?, note: (String) -> Void) throws -> Holdings {
        var encoders: [ServedEncoder] = []
        do {
            var overrides = SentenceEncoder.Overrides()
            overrides.model = model
            encoders = [try ServedEncoder(SentenceEncoder(for: file, overriding: overrides))]
        } catch let error as DataError where model == nil {
            note("\(error); search by meaning is off")
        }
        return Holdings(encoders: encoders, indexes: [try VectorIndex(file, encoder: encoders.first)])
    }

    /// The encoder that made a file: a loaded one with the file's settings, or one that is loaded now. A prompt is not a reason to load again.
    private static func encoder(for file: VectorFile, among encoders: inout [ServedEncoder]) throws -> ServedEncoder {
        let metadata = file.metadata
        if let known = encoders.first(where: {
            $0.sha256 == metadata.modelSHA256 && $0.encoder.precisionName == metadata.precision
                && $0.encoder.maxLength == metadata.maxLength
                && $0.encoder.dimension == file.dimension
        }) {
            return known
        }
        let made = try ServedEncoder(SentenceEncoder(for: file))
        if !encoders.contains(where: { $0.id == made.id }) { encoders.append(made) }
        return made
    }
}
