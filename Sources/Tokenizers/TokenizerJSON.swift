import FileFormats

/// Reads the parts of a `tokenizer.json` of Hugging Face tokenizers. What it does not know it names, with what it does know.
struct TokenizerJSON {
    let file: String?

    func error(_ message: String) -> DataError { DataError(.badData, message, file: file) }

    // MARK: Fields

    /// A part of the file and the path that names it in errors.
    struct Node {
        let json: JSON
        let path: String
        let reader: TokenizerJSON

        func has(_ key: String) -> Bool { json[key].map { !$0.isNull } ?? false }

        func child(_ key: String) throws -> Node {
            guard let value = json[key], !value.isNull else { throw reader.error("\(path): \"\(key)\" is missing") }
            return Node(json: value, path: "\(path).\(key)", reader: reader)
        }

        func optional(_ key: String) -> Node? { has(key) ? json[key].map { Node(json: $0, path: "\(path).\(key)", reader: reader) } : nil }

        func string(_ key: String, default value: String? = nil) throws -> String {
            if let value, !has(key) { return value }
            guard let string = try child(key).json.string else { throw reader.error("\(path).\(key) should be a string") }
            return string
        }

        func bool(_ key: String, default value: Bool? = nil) throws -> Bool {
            if let value, !has(key) { return value }
            guard let bool = try child(key).json.bool else { throw reader.error("\(path).\(key) should be true or false") }
            return bool
        }

        func int(_ key: String, default value: Int? = nil) throws -> Int {
            if let value, !has(key) { return value }
            guard let int = try child(key).json.int else { throw reader.error("\(path).\(key) should be a whole number") }
            return int
        }

        func count(_ key: String, default value: Int? = nil) throws -> Int {
            let int = try int(key, default: value)
            guard int >= 0 else { throw reader.error("\(path).\(key) is \(int); it cannot be negative") }
            return int
        }

        func tokenID(_ key: String) throws -> Int32 {
            let int = try int(key)
            guard int >= 0, let id = Int32(exactly: int) else { throw reader.error("\(path).\(key) is \(int), which is not a token id") }
            return id
        }

        func scalar(_ key: String, default value: Unicode.Scalar? = nil) throws -> Unicode.Scalar {
            if let value, !has(key) { return value }
            let string = try string(key)
            guard let scalar = string.unicodeScalars.first, string.unicodeScalars.count == 1 else {
                throw reader.error("\(path).\(key) should be one character, not \(string.debugDescription)")
            }
            return scalar
        }

        func elements(_ key: String) throws -> [Node] {
            guard let array = try child(key).json.array else { throw reader.error("\(path).\(key) should be a list") }
            return array.enumerated().map { Node(json: $1, path: "\(path).\(key)[\($0)]", reader: reader) }
        }

        /// One of a few names; `known` are those that are supported.
        func type(_ kind: String, _ known: [String]) throws -> String {
            guard let type = json["type"]?.string else {
                throw reader.error("\(path) has no \"type\"; supported \(kind)s: \(known.joined(separator: ", "))")
            }
            guard known.contains(type) else {
                throw reader.error(
                    "the \(kind) \"\(type)\" (\(path)) is not supported; supported \(kind)s: \(known.joined(separator: ", "))")
            }
            return type
        }

        func choice<T: RawRepresentable & CaseIterable>(_ key: String, default value: T? = nil) throws -> T where T.RawValue == String {
            if let value, !has(key) { return value }
            let string = try string(key)
            // Behaviors are spelled in CamelCase in files and in snake_case by Python programs.
            let folded = string.lowercased().filter { $0 != "_" }
            guard let choice = T.allCases.first(where: { $0.rawValue.lowercased() == folded }) else {
                throw reader.error(
                    "\(path).\(key) is \(string.debugDescription); it should be one of "
                        + T.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return choice
        }
    }

    func node(_ json: JSON, _ path: String) -> Node { Node(json: json, path: path, reader: self) }

    /// Components nest; a hostile file may nest them to the end of the stack.
    private static let deepest = 32

    private func descend(_ node: Node, _ depth: Int) throws {
        guard depth < Self.deepest else { throw error("\(node.path): components are nested more than \(Self.deepest) deep") }
    }

    // MARK: Whole file

    /// `nil` for a part that the file leaves out.
    func part<T>(_ root: JSON, _ key: String, _ read: (Node, Int) throws -> T) throws -> T? {
        guard let json = root[key], !json.isNull else { return nil }
        return try read(node(json, key), 0)
    }

    func checkVersion(_ root: JSON) throws {
        guard root.object != nil else { throw error("expected a JSON object as tokenizer.json") }
        guard let version = root["version"], !version.isNull else { return }
        guard version.string == "1.0" else {
            let found = version.string.map(\.debugDescription) ?? "of another kind"
            throw error("the tokenizer.json's version is \(found); version \"1.0\" is supported")
        }
    }

    func addedTokens(_ root: JSON) throws -> [AddedToken] {
        guard root["added_tokens"].map({ !$0.isNull }) ?? false else { return [] }
        return try node(root, "tokenizer").elements("added_tokens").map { node in
            var token = AddedToken(
                id: try node.tokenID("id"), content: try node.string("content"),
                isSpecial: try node.bool("special", default: false))
            token.isNormalized = try node.bool("normalized", default: !token.isSpecial)
            token.isSingleWord = try node.bool("single_word", default: false)
            token.stripsLeft = try node.bool("lstrip", default: false)
            token.stripsRight = try node.bool("rstrip", default: false)
            return token
        }
    }

    // MARK: Normalizers

    private static let normalizers = [
        "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Precompiled",
        "Prepend", "Replace", "Sequence", "Strip", "StripAccents",
    ]

    func normalizer(_ node: Node, _ depth: Int) throws -> Normalizer {
        try descend(node, depth)
        switch try node.type("normalizer", Self.normalizers) {
        case "BertNormalizer":
            let lowercases = try node.bool("lowercase", default: true)
            return .bert(
                BertNormalizer(
                    cleansText: try node.bool("clean_text", default: true),
                    separatesIdeographs: try node.bool("handle_chinese_chars", default: true),
                    stripsAccents: try node.bool("strip_accents", default: lowercases), lowercases: lowercases))
        case "NFC": return .form(.nfc)
        case "NFD": return .form(.nfd)
        case "NFKC": return .form(.nfkc)
        case "NFKD": return .form(.nfkd)
        case "Lowercase": return .lowercase
        case "Strip": return .strip(left: try node.bool("strip_left", default: true), right: try node.bool("strip_right", default: true))
        case "StripAccents": return .stripAccents
        case "Prepend": return .prepend(try node.string("prepend").unicodeScalars.map(\.value))
        case "Replace": return .replace(try pattern(try node.child("pattern")), Array(try node.string("content").utf8))
        case "Precompiled":
            return .precompiled(try PrecompiledCharacterMap(base64: try node.string("precompiled_charsmap", default: ""), file: file))
        case "Nmt": return .nmt
        case "ByteLevel": return .byteLevel
        default: return .sequence(try node.elements("normalizers").map { try normalizer($0, depth + 1) })
        }
    }

    func pattern(_ node: Node) throws -> TextPattern {
        if let literal = node.json["String"]?.string { return .literal(Array(literal.utf8)) }
        if let expression = node.json["Regex"]?.string {
            do {
                return .expression(try RegularExpression(expression))
            } catch let error as DataError {
                throw self.error("\(node.path): \(error.message)")
            }
        }
        throw error("\(node.path) should be {\"String\": …} or {\"Regex\": …}")
    }

    // MARK: Pre-tokenizers

    private static let preTokenizers = [
        "BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "FixedLength", "Metaspace",
        "Punctuation", "Sequence", "Split", "UnicodeScripts", "Whitespace", "WhitespaceSplit",
    ]

    func preTokenizer(_ node: Node, _ depth: Int) throws -> PreTokenizer {
        try descend(node, depth)
        switch try node.type("pre-tokenizer", Self.preTokenizers) {
        case "BertPreTokenizer": return .bert
        case "ByteLevel":
            return .byteLevel(
                ByteLevelSplit(
                    addsPrefixSpace: try node.bool("add_prefix_space", default: true),
                    usesPattern: try node.bool("use_regex", default: true)))
        case "CharDelimiterSplit": return .delimiter(try node.scalar("delimiter").value)
        case "Digits": return .digits(individual: try node.bool("individual_digits", default: false))
        case "FixedLength":
            let length = try node.int("length", default: 5)
            guard length > 0 else { throw error("\(node.path).length is \(length); it must be positive") }
            return .fixedLength(length)
        case "Metaspace": return .metaspace(try metaspace(node))
        case "Punctuation": return .punctuation(try node.choice("behavior", default: SplitBehavior.isolated))
        case "Split":
            return .split(
                try pattern(try node.child("pattern")), try node.choice("behavior"),
                inverted: try node.bool("invert", default: false))
        case "UnicodeScripts": return .unicodeScripts
        case "Whitespace": return .whitespace
        case "WhitespaceSplit": return .whitespaceSplit
        default: return .sequence(try node.elements("pretokenizers").map { try preTokenizer($0, depth + 1) })
        }
    }

    private func metaspace(_ node: Node) throws -> Metaspace {
        // Files from before the prepend scheme say only whether a space is added.
        let addsPrefix = try node.bool("add_prefix_space", default: true)
        let scheme: Metaspace.PrependScheme = try node.choice("prepend_scheme", default: addsPrefix ? .always : .never)
        return Metaspace(
            replacement: Array(String(try node.scalar("replacement", default: "▁")).utf8), prependScheme: scheme,
            splits: try node.bool("split", default: true))
    }

    // MARK: Post-processors

    private static let postProcessors = ["BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"]

    func postProcessor(_ node: Node, _ depth: Int) throws -> PostProcessor {
        try descend(node, depth)
        switch try node.type("post-processor", Self.postProcessors) {
        case "BertProcessing": return .bert(cls: try special(node, "cls"), sep: try special(node, "sep"))
        case "RobertaProcessing":
            return .roberta(
                cls: try special(node, "cls"), sep: try special(node, "sep"),
                trimsOffsets: try node.bool("trim_offsets", default: true),
                addsPrefixSpace: try node.bool("add_prefix_space", default: true))
        case "ByteLevel":
            return .byteLevel(
                trimsOffsets: try node.bool("trim_offsets", default: true),
                addsPrefixSpace: try node.bool("add_prefix_space", default: true))
        case "TemplateProcessing": return .template(try template(node))
        default: return .sequence(try node.elements("processors").map { try postProcessor($0, depth + 1) })
        }
    }

    private func special(_ node: Node, _ key: String) throws -> PostProcessor.SpecialToken {
        guard let pair = node.json[key]?.array, pair.count == 2, let token = pair[0].string,
            let id = pair[1].int.flatMap({ Int32(exactly: $0) }),
            id >= 0
        else {
            throw error("\(node.path).\(key) should be a token and its id")
        }
        return PostProcessor.SpecialToken(token: token, id: id)
    }

    private func template(_ node: Node) throws -> TemplateProcessing {
        var specials: [String: TemplateProcessing.Special] = [:]
        for (name, value) in node.json["special_tokens"]?.object ?? [] {
            let special = self.node(value, "\(node.path).special_tokens.\(name)")
            let ids = try special.elements("ids").map { element in
                guard let id = element.json.int.flatMap({ Int32(exactly: $0) }), id >= 0 else {
                    throw error("\(element.path) is not a token id")
                }
                return id
            }
            let tokens = try special.elements("tokens").map { element in
                guard let token = element.json.string else { throw error("\(element.path) should be a string") }
                return token
            }
            guard ids.count == tokens.count else { throw error("\(special.path) has \(ids.count) ids and \(tokens.count) tokens") }
            specials[name] = TemplateProcessing.Special(ids: ids, tokens: tokens)
        }
        func pieces(_ key: String) throws -> [TemplateProcessing.Piece] {
            try node.elements(key).map { element in
                func typeID(_ node: Node) throws -> Int32 {
                    guard let id = Int32(exactly: try node.count("type_id", default: 0)) else {
                        throw error("\(node.path).type_id is too large")
                    }
                    return id
                }
                if let sequence = element.optional("Sequence") {
                    let id = try sequence.string("id")
                    guard id == "A" || id == "B" else { throw error("\(sequence.path).id is \(id.debugDescription); it should be A or B") }
                    return .sequence(second: id == "B", typeID: try typeID(sequence))
                }
                let special = try element.child("SpecialToken")
                let name = try special.string("id")
                guard specials[name] != nil else { throw error("\(special.path): \(name.debugDescription) is not among special_tokens") }
                return .special(name: name, typeID: try typeID(special))
            }
        }
        return TemplateProcessing(single: try pieces("single"), pair: try pieces("pair"), specials: specials)
    }

    // MARK: Decoders

    private static let decoders = [
        "BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Replace", "Sequence", "Strip",
        "WordPiece",
    ]

    func decoder(_ node: Node, _ depth: Int) throws -> Decoder {
        try descend(node, depth)
        switch try node.type("decoder", Self.decoders) {
        case "BPEDecoder": return .bpe(suffix: try node.string("suffix", default: "</w>"))
        case "ByteFallback": return .byteFallback
        case "ByteLevel": return .byteLevel
        case "CTC":
            return .ctc(
                pad: try node.string("pad_token", default: "<pad>"), delimiter: try node.string("word_delimiter_token", default: "|"),
                cleansUp: try node.bool("cleanup", default: true))
        case "Fuse": return .fuse
        case "Metaspace":
            let metaspace = try metaspace(node)
            return .metaspace(replacement: try node.scalar("replacement", default: "▁"), dropsFirst: metaspace.prependScheme != .never)
        case "Replace": return .replace(try pattern(try node.child("pattern")), try node.string("content"))
        case "Strip":
            return .strip(
                try node.scalar("content", default: " "), start: try node.count("start", default: 0),
                stop: try node.count("stop", default: 0))
        case "WordPiece":
            return .wordPiece(prefix: try node.string("prefix", default: "##"), cleansUp: try node.bool("cleanup", default: true))
        default: return .sequence(try node.elements("decoders").map { try decoder($0, depth + 1) })
        }
    }

    // MARK: Models

    private static let models = ["BPE", "Unigram", "WordLevel", "WordPiece"]

    func model(_ node: Node) throws -> TokenModel {
        switch try modelType(node) {
        case "WordPiece":
            return .wordPiece(
                try WordPiece(
                    vocabulary: try vocabulary(node), unknownToken: try node.string("unk_token", default: "[UNK]"),
                    prefix: try node.string("continuing_subword_prefix", default: "##"),
                    maxCharactersPerWord: try node.count("max_input_chars_per_word", default: 100), file: file))
        case "Unigram": return .unigram(try unigram(node))
        case "BPE": return .bytePair(try bytePair(node))
        default:
            let vocabulary = try vocabulary(node)
            let unknown = try node.string("unk_token", default: "<unk>")
            return .wordLevel(WordLevel(vocabulary: vocabulary, unknownID: vocabulary.id(of: unknown) ?? -1))
        }
    }

    private func unigram(_ node: Node) throws -> Unigram {
        guard let list = try node.child("vocab").json.array else { throw error("\(node.path).vocab should be a list of pieces and scores") }
        let pieces = try list.enumerated().map { number, entry in
            guard let pair = entry.array, pair.count == 2, let token = pair[0].string, let score = pair[1].double, score.isFinite else {
                throw error("\(node.path).vocab[\(number)] should be a piece and its log probability")
            }
            return Unigram.Piece(token: token, score: score)
        }
        return try Unigram(
            pieces, unknownID: node.has("unk_id") ? try node.count("unk_id") : nil,
            bytes: try node.bool("byte_fallback", default: false), reading: Self.referenceReading, file: file)
    }

    /// The number that the reference reads where the file has the shortest spelling of `value`. Its JSON reader takes the digits as a whole
    /// number and divides by a power of ten, which may be off by the last bit, and near ties between segmentations turn on that bit.
    @Sendable private static func referenceReading(of value: Double) -> Double {
        var digits: UInt64 = 0
        var exponent = 0
        var isFraction = false
        var text = value.magnitude.description
        text.withUTF8 { text in
            for (place, byte) in text.enumerated() {
                switch byte {
                case UInt8(ascii: "."): isFraction = true
                case UInt8(ascii: "e"):
                    exponent += Int(String(decoding: text[(place + 1)...], as: UTF8.self)) ?? 0
                    return
                default:
                    digits = digits &* 10 &+ UInt64(byte &- 48)
                    if isFraction { exponent -= 1 }
                }
            }
        }
        guard exponent.magnitude <= 308 else { return value }
        let power = powersOfTen[Int(exponent.magnitude)]
        let magnitude = exponent >= 0 ? Double(digits) * power : Double(digits) / power
        return value.sign == .minus ? -magnitude : magnitude
    }

    /// 10⁰ … 10³⁰⁸, each the nearest Double.
    private static let powersOfTen: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }

    private func bytePair(_ node: Node) throws -> BytePairEncoding {
        var options = BytePairEncoding.Options()
        if node.has("unk_token") { options.unknownToken = try node.string("unk_token") }
        options.continuingPrefix = try node.string("continuing_subword_prefix", default: "")
        options.endOfWordSuffix = try node.string("end_of_word_suffix", default: "")
        options.fusesUnknown = try node.bool("fuse_unk", default: false)
        options.bytes = try node.bool("byte_fallback", default: false)
        options.ignoresMerges = try node.bool("ignore_merges", default: false)
        guard let list = try node.child("merges").json.array else { throw error("\(node.path).merges should be a list") }
        var merges: [(String, String)] = []
        merges.reserveCapacity(list.count)
        for (number, entry) in list.enumerated() {
            if let pair = entry.array, pair.count == 2, let left = pair[0].string, let right = pair[1].string {
                merges.append((left, right))
            } else if let line = entry.string {
                if line.hasBytePrefix("#version") { continue }
                merges.append(try mergeLine(line, number + 1))
            } else {
                throw error("\(node.path).merges[\(number)] should be a pair of tokens")
            }
        }
        return try BytePairEncoding(vocabulary: try vocabulary(node), merges: merges, options: options, file: file)
    }

    /// `left right`, the form of `merges.txt` and of early files.
    func mergeLine(_ line: String, _ number: Int) throws -> (String, String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw error("merge \(number) should be two tokens and a space between them, not \(line.debugDescription)")
        }
        return (String(parts[0]), String(parts[1]))
    }

    /// Files of early releases do not name the model's type; its fields tell it.
    private func modelType(_ node: Node) throws -> String {
        if node.has("type") { return try node.type("model", Self.models) }
        if node.has("merges") { return "BPE" }
        if node.json["vocab"]?.array != nil { return "Unigram" }
        return node.has("continuing_subword_prefix") || node.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel"
    }

    private func vocabulary(_ node: Node) throws -> Vocabulary {
        guard let members = try node.child("vocab").json.object else {
            throw error("\(node.path).vocab should be an object of tokens and ids")
        }
        return try Vocabulary(
            try members.map { token, value in
                guard let id = value.int else {
                    throw error("\(node.path).vocab: the id of \(token.debugDescription) is not a whole number")
                }
                return (token: token, id: id)
            }, file: file)
    }
}
