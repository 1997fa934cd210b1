import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// A network that writes, its tokenizer, and the directory that holds both: `config.json`, `model.safetensors`, `tokenizer.json`.
package final class Seq2SeqModel: Sendable {
    package let network: any Seq2SeqNetwork<Float>
    package let tokenizer: Tokenizer
    /// The content of `tokenizer.json`, to be written again.
    package let tokenizerJSON: JSON

    package var configuration: Seq2SeqConfiguration { network.configuration }

    package init(network: any Seq2SeqNetwork<Float>, tokenizerJSON: JSON) throws {
        self.network = network
        self.tokenizerJSON = tokenizerJSON
        tokenizer = try Tokenizer(json: tokenizerJSON, file: "tokenizer.json")
        guard tokenizer.idBound <= network.configuration.vocabularySize else {
            throw DataError(
                .badData,
                "the tokenizer has ids up to \(tokenizer.idBound - 1), the network a vocabulary of \(network.configuration.vocabularySize)")
        }
    }

    /// - Parameter precision: what the network computes in.
    /// - Throws: `DataError` that names the missing or damaged file, key or tensor.
    package convenience init(directory: String, precision: Precision = .f32) throws {
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        let configFile = folder.appendingPathComponent("config.json").path
        guard FileManager.default.fileExists(atPath: configFile) else {
            throw DataError(.noInput, "no config.json found; expected a folder written by `train seq2seq`", file: directory)
        }
        let configuration = try Seq2SeqConfiguration(json: JSON(contentsOf: configFile, spellsOutNaN: true), file: configFile)
        let network = try makeSeq2SeqNetwork(configuration, seed: nil, precision: precision)
        let archive = SafetensorsArchive(try SafetensorsFile(path: folder.appendingPathComponent("model.safetensors").path))
        try load(network.checkpointEntries, from: archive)
        try self.init(network: network, tokenizerJSON: JSON(contentsOf: folder.appendingPathComponent("tokenizer.json").path))
    }

    /// A configuration with the vocabulary size and the marks of a tokenizer.
    ///
    /// - Throws: `DataError` if the tokenizer has no begin or end mark.
    package static func fitted(_ configuration: Seq2SeqConfiguration, to tokenizerJSON: JSON) throws -> Seq2SeqConfiguration {
        let tokenizer = try Tokenizer(json: tokenizerJSON, file: "tokenizer.json")
        func id(_ names: [String], _ what: String) throws -> Int32 {
            for name in names { if let id = tokenizer.id(for: name) { return id } }
            throw DataError(
                .badData, "the tokenizer has no \(what) mark; expected one of \(names.joined(separator: ", "))", file: "tokenizer.json")
        }
        var fitted = configuration
        fitted.vocabularySize = tokenizer.idBound
        fitted.beginID = try id(["[BOS]", "<s>", "[CLS]"], "begin")
        fitted.endID = try id(["[EOS]", "</s>", "[SEP]"], "end")
        return fitted
    }

    /// Writes the three files into a folder, which appears, or takes an older model's place, when it is complete.
    package func save(to directory: String) throws {
        var writer = SafetensorsWriter()
        for entry in network.checkpointEntries {
            writer.add(entry.key, shape: entry.shape, values: entry.stored.elements)
        }
        try AtomicFolder.write(to: directory, isOwn: ModelDirectory.isModelFile) { folder in
            try writer.write(to: folder + "/model.safetensors")
            try AtomicFile.write(to: folder + "/tokenizer.json") { try $0.write(tokenizerJSON.serialized(.pretty) + "\n") }
            try AtomicFile.write(to: folder + "/config.json") { try $0.write(configuration.json.serialized(.pretty) + "\n") }
        }
    }

    /// Token ids of a text, without begin and end marks.
    ///
    /// - Parameters:
    ///   - keepsUnknown: a character outside the vocabulary becomes `[UNK]` instead of an error.
    ///   - file, line: for the error.
    /// - Throws: `DataError` for an empty text, one longer than the positions, or one with a character outside the vocabulary.
    package func ids(of text: String, keepsUnknown: Bool = false, file: String? = nil, line: Int? = nil) throws -> [Int32] {
        let encoding = try tokenizer.encode(text)
        let special = encoding.specialTokensMask
        let kept = encoding.ids.indices.filter { special.isEmpty || special[$0] == 0 || encoding.ids[$0] == tokenizer.unknownID }
        let ids = kept.map { encoding.ids[$0] }
        guard !ids.isEmpty else {
            throw DataError(.badData, "the text is empty; every line needs a source and, if scored, a target", file: file, line: line)
        }
        if !keepsUnknown, let unknown = tokenizer.unknownID, let place = kept.first(where: { encoding.ids[$0] == unknown }) {
            let range = encoding.offsets[place]
            let found = String(decoding: Array(text.utf8)[range], as: UTF8.self)
            throw DataError(
                .badData,
                "'\(found)' is not in the model's vocabulary; keep such characters as [UNK] with \(Setting.keepUnknown), or train with them",
                file: file, line: line)
        }
        let longest = configuration.maximumLength - 1
        guard ids.count <= longest else {
            throw DataError(
                .badData, "the text has \(ids.count) tokens, but the model has positions for \(longest)", file: file, line: line)
        }
        return ids
    }

    package func text(of ids: [Int32]) -> String { tokenizer.decode(ids) }

    /// The tokens themselves, for tables that compare outputs with targets.
    package func tokens(of ids: [Int32]) -> [String] { ids.map { tokenizer.token(for: $0) ?? "?" } }
}

/// What the texts of a small vocabulary are made of.
package enum SymbolUnit: String, Sendable, CaseIterable {
    /// Every Unicode scalar is a token.
    case characters
    /// Spaces separate tokens, as in phoneme strings.
    case words
}

/// A `tokenizer.json` (Hugging Face `WordLevel`) of the symbols that occur in texts, most frequent first; `[PAD]`, `[BOS]`, `[EOS]`,
/// `[UNK]` are ids 0 to 3.
package func makeSymbolTokenizer(_ texts: some Sequence<String>, unit: SymbolUnit) -> JSON {
    var counts: [String: Int] = [:]
    for text in texts {
        switch unit {
        case .characters: for scalar in text.unicodeScalars { counts[String(scalar), default: 0] += 1 }
        case .words: for word in text.split(separator: " ") { counts[String(word), default: 0] += 1 }
        }
    }
    let special = ["[PAD]", "[BOS]", "[EOS]", "[UNK]"]
    let symbols = counts.filter { !special.contains($0.key) }
        .sorted { a, b in
            a.value != b.value ? a.value > b.value : a.key.unicodeScalars.lexicographicallyPrecedes(b.key.unicodeScalars)
        }.map(\.key)
    let split: JSON =
        switch unit {
        case .characters:
            .object([
                ("type", .string("Split")), ("pattern", .object([("Regex", .string("[\\s\\S]"))])), ("behavior", .string("Isolated")),
                ("invert", .bool(false)),
            ])
        case .words: .object([("type", .string("WhitespaceSplit"))])
        }
    // Without a decoder tokens are joined with spaces, as words want it.
    let decoder: JSON = unit == .characters ? .object([("type", .string("Fuse"))]) : .null
    return .object([
        ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
        (
            "added_tokens",
            .array(
                special.enumerated().map { id, token in
                    .object([
                        ("id", .integer(id)), ("content", .string(token)), ("single_word", .bool(false)), ("lstrip", .bool(false)),
                        ("rstrip", .bool(false)), ("normalized", .bool(false)), ("special", .bool(true)),
                    ])
                })
        ),
        ("normalizer", .null), ("pre_tokenizer", split), ("post_processor", .null), ("decoder", decoder),
        (
            "model",
            .object([
                ("type", .string("WordLevel")), ("vocab", .object((special + symbols).enumerated().map { ($1, .integer($0)) })),
                ("unk_token", .string("[UNK]")),
            ])
        ),
    ])
}
