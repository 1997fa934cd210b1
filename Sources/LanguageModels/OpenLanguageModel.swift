import FileFormats
import ModelFolders
import Networks
import Tensors

/// Opens a model that gives words probabilities, whatever its kind.
///
/// - Parameters:
///   - model: a folder, or a name to look for (`ModelLocation`).
///   - dictionary: a MeCab dictionary, for tokenizers that want one.
/// - Throws: `DataError` that says what the model can do instead where it has no language-model head.
public func openLanguageModel(_ model: String, precision: Precision = .f32, dictionary: String? = nil) throws -> any LanguageModel {
    let directory = try ModelDirectory(folder: ModelLocation.folder(for: model))
    guard !directory.isStatic else {
        throw DataError(
            .usage,
            "this model is a table of token vectors and gives no probabilities; use it with embed, similarity or "
                + "rank", file: directory.name)
    }
    if DecoderConfiguration.describes(directory.configuration) {
        return try CausalLanguageModel(directory: directory, precision: precision, dictionary: dictionary)
    }
    return try MaskedLanguageModel(directory: directory, precision: precision, dictionary: dictionary)
}
