import FileFormats
import Foundation

extension Tokenizer {
    /// BertJapaneseTokenizer of transformers: NFKC by Python's tables, MeCab's words, then WordPiece or characters.
    ///
    /// - Parameter dictionary: the folder of MeCab's dictionary; nil takes `KOTONOHA_MECAB_DIC`, else Debian's IPA dictionary.
    convenience init(japanese directory: URL, configuration: TokenizerConfiguration, dictionary: URL?) throws {
        let file = "tokenizer_config.json"
        let json = configuration.json
        let list = directory.appendingPathComponent("vocab.txt")
        guard FileManager.default.fileExists(atPath: list.path) else {
            throw DataError(.noInput, "BertJapaneseTokenizer needs vocab.txt, which is missing", file: directory.path)
        }
        let vocabulary = try Vocabulary(list: list)
        let names = configuration.names
        let unknown = names.unknown ?? "[UNK]"
        guard let unknownID = vocabulary.id(of: unknown) else {
            throw DataError(.badData, "the unknown token \(unknown) is not in the vocabulary", file: "vocab.txt")
        }

        let subwords = json["subword_tokenizer_type"]?.string ?? "wordpiece"
        let splitsSubwords = json["do_subword_tokenize"]?.bool ?? true
        let model: TokenModel
        switch (splitsSubwords, subwords) {
        case (false, _): model = .wordLevel(WordLevel(vocabulary: vocabulary, unknownID: unknownID))
        case (true, "wordpiece"):
            model = .wordPiece(
                try WordPiece(
                    vocabulary: vocabulary, unknownToken: unknown, prefix: "##", maxCharactersPerWord: 100,
                    file: "vocab.txt"))
        case (true, "character"): model = .characters(CharacterSubwords(vocabulary: vocabulary, unknownID: unknownID))
        default:
            throw DataError(
                .badData, "subword_tokenizer_type \(subwords.debugDescription) is not supported; supported: wordpiece, character",
                file: file)
        }

        let options = json["mecab_kwargs"] ?? .object([])
        let normalizes = options["normalize_text"]?.bool ?? true
        let lowercases = json["do_lower_case"]?.bool ?? false
        let isWordPiece = splitsSubwords && subwords == "wordpiece"
        var preTokenizer: PreTokenizer?
        var normalizer: Normalizer?
        if json["do_word_tokenize"]?.bool ?? true {
            let words = json["word_tokenizer_type"]?.string ?? "basic"
            guard words == "mecab" else {
                throw DataError(.badData, "word_tokenizer_type \(words.debugDescription) is not supported; supported: mecab", file: file)
            }
            let mecab = try MeCabModel(dictionary: try Self.dictionary(options, given: dictionary))
            let kept = Set((json["never_split"]?.array ?? []).compactMap { $0.string.map { Array($0.utf8) } })
            preTokenizer = .mecab(MeCabWords(model: mecab, lowercases: lowercases, neverLowercased: kept, splitsAtSpace: isWordPiece))
            if normalizes { normalizer = .python(.nfkc) }
        } else if isWordPiece {
            preTokenizer = .split(.scalars { ScalarProperties($0).pythonFlags.contains(.space) }, .removed, inverted: false)
        }

        func id(_ name: String) throws -> PostProcessor.SpecialToken {
            guard let id = vocabulary.id(of: name) else {
                throw DataError(.badData, "the special token \(name) is not in the vocabulary", file: "vocab.txt")
            }
            return PostProcessor.SpecialToken(token: name, id: id)
        }
        let cls = try id(names.cls ?? "[CLS]")
        let sep = try id(names.sep ?? "[SEP]")
        let added = configuration.addedTokens([unknown, sep.token, names.pad ?? "[PAD]", cls.token, names.mask ?? "[MASK]"], vocabulary)
        self.init(
            added: added, normalizer: normalizer, preTokenizer: preTokenizer, model: model, postProcessor: .bert(cls: cls, sep: sep),
            decoder: .wordPiece(prefix: "##", cleansUp: false), names: names, truncationSide: configuration.truncationSide)
    }

    /// The dictionary that is given, or that the model means.
    private static func dictionary(_ options: JSON, given: URL?) throws -> URL {
        if let given { return given }
        if let path = ProcessInfo.processInfo.environment["KOTONOHA_MECAB_DIC"], !path.isEmpty { return URL(fileURLWithPath: path) }
        // The reference's default is unidic_lite; null means that the option names a folder.
        let name = options["mecab_dic"].map { $0.isNull ? nil : $0.string } ?? "unidic_lite"
        switch name {
        case "ipadic"?: return URL(fileURLWithPath: MeCabModel.defaultDictionary)
        case nil:
            let words = (options["mecab_option"]?.string ?? "").split(separator: " ").map { $0.filter { $0 != "\"" && $0 != "'" } }
            if let flag = words.firstIndex(of: "-d"), flag + 1 < words.count { return URL(fileURLWithPath: words[flag + 1]) }
            return URL(fileURLWithPath: MeCabModel.defaultDictionary)
        case let name?:
            let folder =
                name == "unidic_lite"
                ? "the folder unidic_lite/dicdir of the Python package unidic-lite"
                : name == "unidic" ? "the folder unidic/dicdir of the Python package unidic, once downloaded" : "its folder"
            throw DataError(
                .noInput,
                "this model needs the MeCab dictionary \(name): give its folder (\(folder)) with "
                    + "\(Setting.dictionary) or in KOTONOHA_MECAB_DIC", file: "tokenizer_config.json")
        }
    }
}
