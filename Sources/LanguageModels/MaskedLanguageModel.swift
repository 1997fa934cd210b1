import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// An encoder that guesses masked words (BERT, RoBERTa, DeBERTa, ModernBERT …) with its tokenizer, from a Hugging Face folder.
package final class MaskedLanguageModel: LanguageModel {
    package let directory: ModelDirectory
    /// The model's tokenizer.
    package let tokenizer: Tokenizer
    package let encoder: Encoder<Float>
    package let head: MaskedLanguageHead<Float>
    private let precision: Precision

    /// - Parameters:
    ///   - precision: what matrix products compute in.
    ///   - dictionary: a MeCab dictionary, for tokenizers that want one.
    /// - Throws: `DataError` that names the file, key or tensor that does not fit; of kind `usage` where the checkpoint has no head that
    ///   guesses words, with what the model can do instead.
    package init(directory: ModelDirectory, precision: Precision = .f32, dictionary: String? = nil) throws {
        self.directory = directory
        self.precision = precision
        let file = directory.transformerFolder.appendingPathComponent("config.json").path
        let archive = try ModelDirectory.weights(in: directory.transformerFolder)
        guard try MaskedLanguageHead<Float>.isThere(json: directory.configuration, file: file, names: archive.names) else {
            throw DataError(.usage, Self.withoutHead(directory.configuration), file: directory.name)
        }
        tokenizer = try Tokenizer(directory: directory.transformerFolder, dictionary: dictionary.map { URL(fileURLWithPath: $0) })
        let configuration = try EncoderConfiguration(json: directory.configuration, file: file)
        guard tokenizer.idBound <= configuration.vocabularySize else {
            throw DataError(
                .badData,
                "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the model's vocabulary has \(configuration.vocabularySize) entries",
                file: directory.folder.path)
        }
        guard tokenizer.maskID != nil else {
            throw DataError(
                .usage,
                "the tokenizer of this model has no mask token ([MASK], <mask>), so words cannot be "
                    + "masked", file: directory.name)
        }
        guard !configuration.isCausal else {
            throw DataError(
                .usage,
                "this encoder attends only to earlier tokens (is_decoder), so it cannot score masked words; use it with embed, train encoder "
                    + "or train classifier", file: directory.name)
        }
        encoder = Encoder(configuration, precision: precision)
        try load(encoder.checkpointEntries, from: archive, prefixes: encoder.checkpointPrefixes)
        head = try MaskedLanguageHead(
            json: directory.configuration, file: file, encoder: encoder, names: archive.names, precision: precision)
        try head.load(from: archive)
    }

    static func withoutHead(_ configuration: JSON) -> String {
        let architecture = configuration["architectures"]?.array?.first?.string ?? ""
        let instead =
            architecture.hasSuffix("ForSequenceClassification")
            ? "it scores whole texts; use it with rerank, classify or explain"
            : "use it with embed, similarity, rank, attention or explain"
        return "this model has no language-model head and cannot give probabilities of words; \(instead). "
            + "Architectures ending in ForMaskedLM or ForCausalLM have the head"
    }

    /// The model's name, as outputs give it.
    package var name: String { directory.name }
    /// Causal or masked.
    package var kind: LanguageModelKind { .masked }
    /// Columns of the logits.
    package var vocabularySize: Int { encoder.configuration.vocabularySize }
    /// The longest sequence in tokens, special ones included.
    package var contextLength: Int { encoder.configuration.longestSequence }
    /// The token put before a text; nil if there is none.
    package var beginID: Int32? { tokenizer.clsID }
    /// Tokens that end a text.
    package var endIDs: [Int32] { [tokenizer.sepID].compactMap(\.self) }
    /// The token that stands for a hidden one.
    package var maskID: Int32? { tokenizer.maskID }
    /// As `f32`, `bf16`.
    package var precisionName: String { precision.rawValue }
    /// A hash of everything that decides the numbers, the settings of a run aside.
    package func identity() throws -> String { try directory.sha256() }

    /// Scores before any softmax at rows of the packed batch, `(rows.count, vocabularySize)`.
    package func logits(of batch: PackedBatch, at rows: [Int]) -> Tensor<Float> {
        head(gatherRows(encoder(batch, on: nil), rows, on: nil), on: nil).value
    }

    /// How expected `targets[i]` is at `rows[i]` itself, one score per row.
    package func scores(of batch: PackedBatch, at rows: [Int], targets: [Int32]) -> [TokenScore] {
        let states = head.transformed(gatherRows(encoder(batch, on: nil), rows, on: nil), on: nil).value
        return tokenScores(states, targets: targets) { head.output($0, on: nil) }
    }
}
