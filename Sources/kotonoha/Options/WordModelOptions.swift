import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors
import Tokenizers
import WordVectors

extension ModelOptions {
    /// Whether the model is a file of word vectors: models of sentences are folders.
    var isWordFile: Bool { model.map(Self.isFile) ?? false }

    static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    /// The word vectors given as the model.
    func wordEncoder(isQuiet: Bool) throws -> WordTextEncoder {
        guard let model else { throw DataError(.usage, "--model should name a file of word vectors") }
        let unfit = [
            ("--precision", precision != nil), ("--max-length", maxLength != nil), ("--truncate-dim", truncateDim != nil),
            ("--prompt", prompt != nil), ("--prompt-name", promptName != nil),
        ]
        if let first = unfit.first(where: \.1) {
            throw DataError(.usage, "\(first.0) is for sentence models and cannot be combined with word vectors")
        }
        var options = WordTextEncoder.Options()
        options.pooling = pooling ?? .mean
        if let mecab { options.words = .mecab(try JapaneseWords(form: mecab, dictionary: dictionary)) }
        options.normalizes = normalize
        options.threads = threads
        let encoder = try WordTextEncoder(path: model, options: options)
        if !isQuiet { for sentence in encoder.table.remarks.sentences { Console.say("note: \(sentence)") } }
        return encoder
    }

    /// The model, whichever kind it is, fitted to the texts of `pass` where its pooling asks for that.
    func textEncoder(
        orElse fallback: String? = nil, isQuiet: Bool, fittingTo pass: (_ batch: ([String]) throws -> Void) throws -> Void
    ) throws -> any TextEncoder {
        if isWordFile { return try wordEncoder(isQuiet: isQuiet).fitted(to: pass) }
        if let given = [("--pooling", pooling != nil), ("--mecab", mecab != nil)].first(where: \.1) {
            throw DataError(.usage, "\(given.0) needs a file of word vectors as --model")
        }
        return try encoder(orElse: fallback, isQuiet: isQuiet)
    }
}

extension WordTextEncoder.Pooling: ExpressibleByArgument {}
