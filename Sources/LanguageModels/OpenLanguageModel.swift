import FileFormats
import ModelFolders
import Networks
import Tensors

/// Opens a language model of whichever kind the folder holds.
///
/// - Parameters:
///   - model: a folder, or a name to look for (`ModelLocation`).
///   - dictionary: a MeCab dictionary, for models whose tokenizer wants one.
/// - Throws: `DataError` that names the file, key or tensor that does not fit.
public func openLanguageModel(_ model: String, precision: Precision = .f32, dictionary: String? = nil) throws -> any LanguageModel {
    let directory = try ModelDirectory(folder: ModelLocation.folder(for: model))
    return try CausalLanguageModel(directory: directory, precision: precision, dictionary: dictionary)
}
