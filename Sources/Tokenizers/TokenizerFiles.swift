import FileFormats
import Foundation

extension Tokenizer {
    /// The tokenizer of a model directory in Hugging Face's layout: `tokenizer.json`, or `vocab.txt` alone.
    ///
    /// - Throws: `DataError`; `noInput` where the directory has none of the files, naming those it looked for.
    public convenience init(directory: URL) throws {
        let configuration = try TokenizerConfiguration(directory: directory)
        let json = directory.appendingPathComponent("tokenizer.json")
        if FileManager.default.fileExists(atPath: json.path) {
            try self.init(tokenizerJSON: json, configuration: configuration)
            return
        }
        let list = directory.appendingPathComponent("vocab.txt")
        if FileManager.default.fileExists(atPath: list.path) {
            try self.init(vocabularyList: list, configuration: configuration)
            return
        }
        throw DataError(.noInput, "no tokenizer here: looked for tokenizer.json and vocab.txt", file: directory.path)
    }

    /// The tokenizer that a `tokenizer.json` describes.
    public convenience init(tokenizerJSON url: URL) throws {
        try self.init(tokenizerJSON: url, configuration: TokenizerConfiguration())
    }

    convenience init(tokenizerJSON url: URL, configuration: TokenizerConfiguration) throws {
        let data = try readFile(url)
        let json = try data.withUnsafeBytes { try JSON(parsing: $0, file: url.lastPathComponent) }
        try self.init(json: json, file: url.lastPathComponent, configuration: configuration)
    }

    /// The tokenizer that the value of a `tokenizer.json` describes. `file` only goes into errors.
    public convenience init(json: JSON, file: String? = nil) throws {
        try self.init(json: json, file: file, configuration: TokenizerConfiguration())
    }

    convenience init(json root: JSON, file: String?, configuration: TokenizerConfiguration) throws {
        let reader = TokenizerJSON(file: file)
        try reader.checkVersion(root)
        guard let model = try reader.part(root, "model", { node, _ in try reader.model(node) }) else { throw reader.error("\"model\" is missing") }
        self.init(added: try reader.addedTokens(root), normalizer: try reader.part(root, "normalizer", reader.normalizer),
                  preTokenizer: try reader.part(root, "pre_tokenizer", reader.preTokenizer), model: model,
                  postProcessor: try reader.part(root, "post_processor", reader.postProcessor),
                  decoder: try reader.part(root, "decoder", reader.decoder), names: configuration.names,
                  truncationSide: configuration.truncationSide)
    }

    /// BERT's tokenizer from a list of tokens, one a line; `tokenizer_config.json` says the rest.
    convenience init(vocabularyList url: URL, configuration: TokenizerConfiguration) throws {
        let vocabulary = try Vocabulary(list: url)
        let file = url.lastPathComponent
        let names = configuration.names
        let unknown = names.unknown ?? "[UNK]"
        let model = try WordPiece(vocabulary: vocabulary, unknownToken: unknown, prefix: "##", maxCharactersPerWord: 100, file: file)
        let lowercases = configuration.json["do_lower_case"]?.bool ?? true
        let normalizer = BertNormalizer(cleansText: true, separatesIdeographs: configuration.json["tokenize_chinese_chars"]?.bool ?? true,
                                        stripsAccents: configuration.json["strip_accents"]?.bool ?? lowercases, lowercases: lowercases)
        func special(_ name: String) throws -> PostProcessor.SpecialToken {
            guard let id = vocabulary.id(of: name) else {
                throw DataError(.badData, "the special token \(name) is not in the vocabulary", file: file)
            }
            return PostProcessor.SpecialToken(token: name, id: id)
        }
        let cls = try special(names.cls ?? "[CLS]")
        let sep = try special(names.sep ?? "[SEP]")
        let added = [unknown, sep.token, names.pad ?? "[PAD]", cls.token, names.mask ?? "[MASK]"].compactMap { name in
            vocabulary.id(of: name).map { AddedToken(id: $0, content: name, isSpecial: true) }
        }
        self.init(added: added, normalizer: .bert(normalizer), preTokenizer: .bert, model: .wordPiece(model),
                  postProcessor: .bert(cls: cls, sep: sep), decoder: .wordPiece(prefix: "##", cleansUp: true), names: names,
                  truncationSide: configuration.truncationSide)
    }
}

/// What the files beside the vocabulary say: `tokenizer_config.json` and `special_tokens_map.json`.
struct TokenizerConfiguration {
    /// `tokenizer_config.json`, an empty object where there is none.
    var json = JSON.object([])
    var names = Tokenizer.SpecialNames()
    var truncationSide = TruncationSide.right

    init() {}

    init(directory: URL) throws {
        func read(_ name: String) throws -> JSON? {
            let url = directory.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: url.path) else { return nil }
            return try readFile(url).withUnsafeBytes { try JSON(parsing: $0, file: name) }
        }
        json = try read("tokenizer_config.json") ?? json
        let map = try read("special_tokens_map.json")
        // A token is given as a string or as an object with its content; the configuration counts more than the map.
        func name(_ key: String) -> String? {
            for source in [json, map] {
                if let value = source?[key], let name = value.string ?? value["content"]?.string { return name }
            }
            return nil
        }
        names = Tokenizer.SpecialNames(unknown: name("unk_token"), pad: name("pad_token"), mask: name("mask_token"),
                                       cls: name("cls_token") ?? name("bos_token"), sep: name("sep_token") ?? name("eos_token"))
        if json["truncation_side"]?.string == "left" { truncationSide = .left }
    }
}

/// A whole file, mapped where that is possible.
func readFile(_ url: URL) throws -> Data {
    do {
        return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
        throw DataError(.noInput, "cannot be read: \(error.localizedDescription)", file: url.path)
    }
}

extension Vocabulary {
    /// A `vocab.txt`: one token a line, the line number (from 0) is the id.
    init(list url: URL) throws {
        let data = try readFile(url)
        let bytes = [UInt8](data)
        guard bytes.withUnsafeBufferPointer({ UTF8Scalars.isValid($0) }) else {
            throw DataError(.badData, "the list of tokens is not UTF-8", file: url.lastPathComponent)
        }
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        try self.init(lines.enumerated().map { number, line in
            (token: String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self), id: number)
        }, file: url.lastPathComponent)
    }
}
