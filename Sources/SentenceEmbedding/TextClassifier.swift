import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// Gives texts, or pairs of texts, labels: a folder of transformers' `…ForSequenceClassification`, or sentence vectors with a linear layer
/// of logits behind them, as `train classifier --freeze all` writes it.
public final class TextClassifier: Sendable {
    /// What the logits mean.
    package enum Task: String, Sendable {
        case classification = "single_label_classification", multilabel = "multi_label_classification", regression
    }

    package let directory: ModelDirectory
    /// One label per text, any number of labels, or a number.
    package let task: Task
    /// Names in the order of the logits.
    public let labels: [String]
    /// By which logits are divided before they become probabilities; nil if the model was not calibrated.
    package let temperature: Double?
    package var maxLength: Int {
        switch network {
        case .sequences(let scorer): scorer.maxLength
        case .vectors(let encoder): encoder.maxLength
        }
    }
    private let network: Network

    private enum Network: Sendable {
        case sequences(SequenceScorer)
        /// Its vectors are logits.
        case vectors(SentenceEncoder)
    }

    /// A classifier that was fine-tuned as a whole and computes in full precision, for what looks inside: its network and tokenizer.
    package var fullPrecision: (network: SequenceClassifier<Float>, tokenizer: Tokenizer)? {
        guard case .sequences(let scorer) = network, scorer.options.precision == .f32 else { return nil }
        return (scorer.network, scorer.tokenizer)
    }

    /// - Throws: `DataError` if the folder holds no classifier.
    public init(model: String, options: SentenceEncoder.Options = SentenceEncoder.Options()) throws {
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: model))
        self.directory = directory
        let json = directory.configuration, file = directory.transformerFolder.appendingPathComponent("config.json").path
        let names = (json["id2label"]?.object ?? []).compactMap { key, value in
            Int(key).flatMap { place in value.string.map { (place, $0) } }
        }.sorted { $0.0 < $1.0 }
        let architecture = json["architectures"]?.array?.first?.string ?? ""
        let count: Int
        if architecture.hasSuffix("ForSequenceClassification") {
            let scorer = try SequenceScorer(directory, options: options)
            network = .sequences(scorer)
            count = scorer.network.labels
        } else if case .dense(_, _, let outputs, _, .identity)? = directory.steps.last, outputs == names.count {
            network = .vectors(try SentenceEncoder(directory: directory, options: options))
            count = outputs
        } else {
            throw DataError(
                .usage,
                "this model is not a classifier: its architecture is '\(architecture)', expected one ending in "
                    + "ForSequenceClassification, "
                    + "or sentence vectors with a linear layer of named labels; `kotonoha train classifier` makes either", file: file)
        }
        labels = names.count == count ? names.map(\.1) : (0..<count).map { "LABEL_\($0)" }
        task = json["problem_type"]?.string.flatMap(Task.init(rawValue:)) ?? (count == 1 ? .regression : .classification)
        temperature = json["kotonoha"]?["temperature"]?.double.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }

    /// Logits (texts, labels), and how many texts or pairs were cut at the maximum length.
    ///
    /// - Parameter seconds: second texts of pairs.
    /// - Throws: `DataError` if a logit came out as NaN or infinity, or a model of single texts is given pairs.
    public func logits(_ texts: [String], _ seconds: [String]? = nil) throws -> (logits: Tensor<Double>, truncated: Int) {
        switch network {
        case .sequences(let scorer): return try scorer.logits(texts, seconds)
        case .vectors(let encoder):
            guard seconds == nil else {
                throw DataError(.usage, "this classifier was trained on single texts and cannot take pairs", file: directory.name)
            }
            let (values, counts) = try encoder.encodeCounting(texts)
            return (values.converted(to: Double.self), counts.truncated)
        }
    }
}
