import FileFormats
import Foundation

extension Tokenizer {
    /// The tokenizer of a model directory in Hugging Face's layout. What the files say decides: a `tokenizer_config.json` that wants
    /// Japanese words by MeCab, else `tokenizer.json`, else `vocab.txt`, else `vocab.json` with `merges.txt`, else a SentencePiece model.
    ///
    /// - Parameter dictionary: the folder of MeCab's dictionary, for models that need one; nil takes `KOTONOHA_MECAB_DIC`, else, for models
    ///   that want the IPA dictionary, Debian's.
    /// - Throws: `DataError`; `noInput` where the directory has none of the files, naming those it looked for.
    public convenience init(directory: URL, dictionary: URL? = nil) throws {
        let configuration = try TokenizerConfiguration(directory: directory)
        func existing(_ name: String) -> URL? {
            let url = directory.appendingPathComponent(name)
            return FileManager.default.fileExists(atPath: url.path) ? url : nil
        }
        if configuration.className == "BertJapanese" || configuration.json["word_tokenizer_type"]?.string != nil {
            try self.init(japanese: directory, configuration: configuration, dictionary: dictionary)
        } else if let json = existing("tokenizer.json") {
            try self.init(tokenizerJSON: json, configuration: configuration)
        } else if let list = existing("vocab.txt") {
            try self.init(vocabularyList: list, configuration: configuration)
        } else if let vocabulary = existing("vocab.json"), let merges = existing("merges.txt") {
            try self.init(vocabulary: vocabulary, merges: merges, configuration: configuration)
        } else if let model = Self.sentencePieceNames.lazy.compactMap(existing).first {
            try self.init(sentencePiece: model, configuration: configuration)
        } else {
            throw DataError(
                .noInput,
                "no tokenizer here: looked for tokenizer.json, vocab.txt, vocab.json with merges.txt, "
                    + Self.sentencePieceNames.joined(separator: ", "), file: directory.path)
        }
    }

    private static let sentencePieceNames = [
        "sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model", "sentencepiece.model",
    ]

    /// The tokenizer that a `tokenizer.json` describes.
    public convenience init(tokenizerJSON url: URL) throws {
        try self.init(tokenizerJSON: url, configuration: TokenizerConfiguration())
    }

    convenience init(tokenizerJSON url: URL, configuration: TokenizerConfiguration) throws {
        let mapped = try MappedFile(path: url.path)
        let json = try mapped.withUnsafeBytes { try JSON(parsing: $0, file: url.lastPathComponent) }
        try mapped.requireWhole()
        try self.init(json: json, file: url.lastPathComponent, configuration: configuration)
    }

    /// The tokenizer that the value of a `tokenizer.json` describes. `file` only goes into errors.
    package convenience init(json: JSON, file: String? = nil) throws {
        try self.init(json: json, file: file, configuration: TokenizerConfiguration())
    }

    convenience init(json root: JSON, file: String?, configuration: TokenizerConfiguration) throws {
        let reader = TokenizerJSON(file: file)
        try reader.checkVersion(root)
        guard let model = try reader.part(root, "model", { node, _ in try reader.model(node) }) else {
            throw reader.error("\"model\" is missing")
        }
        self.init(
            added: try reader.addedTokens(root), normalizer: try reader.part(root, "normalizer", reader.normalizer),
            preTokenizer: try reader.part(root, "pre_tokenizer", reader.preTokenizer), model: model,
            postProcessor: try reader.part(root, "post_processor", reader.postProcessor),
            decoder: try reader.part(root, "decoder", reader.decoder), names: configuration.names,
            truncationSide: configuration.truncationSide)
    }

    /// A byte-level tokenizer of the GPT-2 line from `vocab.json` and `merges.txt`; RoBERTa's frame where its tokens are there.
    convenience init(vocabulary url: URL, merges mergesURL: URL, configuration: TokenizerConfiguration) throws {
        let file = url.lastPathComponent
        let json = try readFile(url).withUnsafeBytes { try JSON(parsing: $0, file: file) }
        let vocabulary = try Vocabulary(
            try (json.object ?? []).map { token, value in
                guard let id = value.int else {
                    throw DataError(.badData, "the id of \(token.debugDescription) is not a whole number", file: file)
                }
                return (token: token, id: id)
            }, file: file)
        let reader = TokenizerJSON(file: mergesURL.lastPathComponent)
        let lines = String(decoding: try readFile(mergesURL), as: UTF8.self).split(separator: "\n")
        let merges = try lines.enumerated().filter { !$1.isEmpty && !String($1).hasBytePrefix("#version") }
            .map { try reader.mergeLine(String($1), $0 + 1) }
        let model = try BytePairEncoding(vocabulary: vocabulary, merges: merges, options: .init(), file: file)
        let addsPrefix = configuration.json["add_prefix_space"]?.bool ?? false
        var names = configuration.names
        var frame: PostProcessor = .byteLevel(trimsOffsets: true, addsPrefixSpace: addsPrefix)
        if let cls = vocabulary.id(of: names.cls ?? "<s>"), let sep = vocabulary.id(of: names.sep ?? "</s>"), cls != sep {
            let clsName = names.cls ?? "<s>", sepName = names.sep ?? "</s>"
            frame = .roberta(
                cls: .init(token: clsName, id: cls), sep: .init(token: sepName, id: sep), trimsOffsets: true, addsPrefixSpace: addsPrefix)
            names.unknown = names.unknown ?? "<unk>"
        }
        let special = [
            names.cls ?? "<s>", names.pad ?? "<pad>", names.sep ?? "</s>", names.unknown ?? "<|endoftext|>", names.mask ?? "<mask>",
        ]
        var added = configuration.addedTokens(special, vocabulary)
        // The mask takes the space before it, as RoBERTa's tokenizer class has it.
        for i in added.indices where added[i].content == names.mask ?? "<mask>" { added[i].stripsLeft = true }
        self.init(
            added: added, normalizer: nil, preTokenizer: .byteLevel(ByteLevelSplit(addsPrefixSpace: addsPrefix, usesPattern: true)),
            model: .bytePair(model), postProcessor: frame, decoder: .byteLevel, names: names, truncationSide: configuration.truncationSide)
    }

    /// BERT's tokenizer from a list of tokens, one a line; `tokenizer_config.json` says the rest.
    convenience init(vocabularyList url: URL, configuration: TokenizerConfiguration) throws {
        let vocabulary = try Vocabulary(list: url)
        let file = url.lastPathComponent
        let names = configuration.names
        let unknown = names.unknown ?? "[UNK]"
        let model = try WordPiece(vocabulary: vocabulary, unknownToken: unknown, prefix: "##", maxCharactersPerWord: 100, file: file)
        let lowercases = configuration.json["do_lower_case"]?.bool ?? true
        let normalizer = BertNormalizer(
            cleansText: true, separatesIdeographs: configuration.json["tokenize_chinese_chars"]?.bool ?? true,
            stripsAccents: configuration.json["strip_accents"]?.bool ?? lowercases, lowercases: lowercases)
        func special(_ name: String) throws -> PostProcessor.SpecialToken {
            guard let id = vocabulary.id(of: name) else {
                throw DataError(.badData, "the special token \(name) is not in the vocabulary", file: file)
            }
            return PostProcessor.SpecialToken(token: name, id: id)
        }
        let cls = try special(names.cls ?? "[CLS]")
        let sep = try special(names.sep ?? "[SEP]")
        let added = configuration.addedTokens([unknown, sep.token, names.pad ?? "[PAD]", cls.token, names.mask ?? "[MASK]"], vocabulary)
        // MPNet's list of words goes with RoBERTa's way of framing.
        let frame: PostProcessor =
            configuration.className == "MPNet"
            ? .roberta(cls: cls, sep: sep, trimsOffsets: false, addsPrefixSpace: false) : .bert(cls: cls, sep: sep)
        self.init(
            added: added, normalizer: .bert(normalizer), preTokenizer: .bert, model: .wordPiece(model), postProcessor: frame,
            decoder: .wordPiece(prefix: "##", cleansUp: true), names: names,
            truncationSide: configuration.truncationSide)
    }
}

/// What the files next to the vocabulary say: `tokenizer_config.json` and `special_tokens_map.json`.
struct TokenizerConfiguration {
    /// `tokenizer_config.json`, or an empty object.
    var json = JSON.object([])
    var names = Tokenizer.SpecialNames()
    var truncationSide = TruncationSide.right
    /// `tokenizer_class` without "Tokenizer": `Bert`, `XLMRoberta`; empty if it is not given.
    var className = ""

    init() {}

    /// The special tokens among `names` that the vocabulary has, and what `added_tokens_decoder` adds to them.
    func addedTokens(_ names: [String], _ vocabulary: Vocabulary) -> [AddedToken] {
        var tokens: [AddedToken] = []
        for (key, value) in json["added_tokens_decoder"]?.object ?? [] {
            guard let id = Int32(key), id >= 0, let content = value["content"]?.string, !content.isEmpty else { continue }
            var token = AddedToken(id: id, content: content, isSpecial: value["special"]?.bool ?? false)
            token.isNormalized = value["normalized"]?.bool ?? false
            token.isSingleWord = value["single_word"]?.bool ?? false
            token.stripsLeft = value["lstrip"]?.bool ?? false
            token.stripsRight = value["rstrip"]?.bool ?? false
            tokens.append(token)
        }
        tokens.sort { $0.id < $1.id }
        for name in names where !tokens.contains(where: { $0.content == name }) {
            if let id = vocabulary.id(of: name) { tokens.append(AddedToken(id: id, content: name, isSpecial: true)) }
        }
        return tokens
    }

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
        className = (json["tokenizer_class"]?.string ?? "").replacing("TokenizerFast", by: "").replacing("Tokenizer", by: "")
        names = Tokenizer.SpecialNames(
            unknown: name("unk_token"), pad: name("pad_token"), mask: name("mask_token"),
            cls: name("cls_token") ?? name("bos_token"), sep: name("sep_token") ?? name("eos_token"))
        if json["truncation_side"]?.string == "left" { truncationSide = .left }
    }
}

/// A whole file.
func readFile(_ url: URL) throws -> Data {
    do {
        return try Data(contentsOf: url)
    } catch {
        throw DataError(.noInput, "cannot be read: \(error.localizedDescription)", file: url.path)
    }
}

extension Vocabulary {
    /// A `vocab.txt`: one token per line, the line number (from 0) is the id.
    init(list url: URL) throws {
        let data = try readFile(url)
        let bytes = [UInt8](data)
        guard bytes.withUnsafeBufferPointer({ UTF8Scalars.isValid($0) }) else {
            throw DataError(.badData, "the list of tokens is not UTF-8", file: url.lastPathComponent)
        }
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        try self.init(
            lines.enumerated().map { number, line in
                (token: String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self), id: number)
            }, file: url.lastPathComponent)
    }
}
