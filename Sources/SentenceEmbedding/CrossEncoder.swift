import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// Judges pairs of texts read together, as rerankers do: slower than comparing vectors, and more exact (Nogueira & Cho 2019).
public final class CrossEncoder: Sendable {
    /// The model's folder.
    public let directory: ModelDirectory
    /// The model's tokenizer.
    package var tokenizer: Tokenizer { sequences.tokenizer }
    /// The longest pair in tokens; longer ones are cut, the longer text first.
    public var maxLength: Int { sequences.maxLength }
    /// Numbers that training has set.
    package var parameterCount: Int { sequences.network.parameters.reduce(0) { $0 + $1.value.count } }
    package var configuration: EncoderConfiguration { sequences.network.encoder.configuration }
    let sequences: SequenceScorer
    let isSigmoid: Bool

    /// - Parameters:
    ///   - model: a folder, or a name to look for (`ModelLocation`).
    ///   - options: precision, threads, batch size and maximum length count.
    /// - Throws: `DataError` if the folder holds no reranker: a sequence classifier with one label.
    public init(model: String, options: SentenceEncoder.Options = SentenceEncoder.Options()) throws {
        directory = try ModelDirectory(folder: ModelLocation.folder(for: model))
        let json = directory.configuration, file = directory.transformerFolder.appendingPathComponent("config.json").path
        let architecture = json["architectures"]?.array?.first?.string ?? ""
        guard architecture.hasSuffix("ForSequenceClassification") else {
            throw DataError(
                .usage,
                "this model is not a reranker: its architecture is '\(architecture)', expected one ending in "
                    + "ForSequenceClassification; "
                    + "sentence encoders compare texts with rank and similarity", file: file)
        }
        sequences = try SequenceScorer(directory, options: options)
        guard sequences.network.labels == 1 else {
            throw DataError(.usage, "this classifier has \(sequences.network.labels) labels; a reranker has one", file: file)
        }
        // sentence-transformers puts a sigmoid behind a single label unless the model says otherwise.
        let activation = json["sentence_transformers"]?["activation_fn"]?.string ?? json["sbert_ce_default_activation_function"]?.string
        isSigmoid = activation.map { $0.hasSuffix("Sigmoid") } ?? true
    }

    /// The score of each pair: in 0 ... 1 where the model ends in a sigmoid, else any number; higher is better.
    ///
    /// - Returns: the scores, and how many pairs were cut at the maximum length.
    /// - Throws: `DataError` if a score came out as NaN or infinity.
    public func scores(_ pairs: [(String, String)]) throws -> (scores: [Double], truncated: Int) {
        let found = try sequences.logits(pairs.map(\.0), pairs.map(\.1))
        return (pairs.indices.map { score(logit: found.logits[$0, 0]) }, found.truncated)
    }
}
