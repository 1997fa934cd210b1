import FileFormats

/// The model of a `tokenizer.json`: its vocabulary, scores and merges.
extension TokenizerJSON {
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
