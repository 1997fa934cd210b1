import FileFormats
import Foundation

/// Learns a vocabulary from text and gives it as a complete `tokenizer.json`, which this library and Hugging Face tokenizers read alike.
///
/// The result depends on nothing but texts, kind, size and options: ties are settled by order, and all sums run in one order.
public enum VocabularyTrainer {
    /// The algorithm, which is also that of the tokenizer.
    public enum Kind: String, Sendable, CaseIterable {
        /// The unigram language model (Kudo 2018).
        case unigram
        /// Byte-pair encoding over characters (Sennrich et al. 2016).
        case bytePair
        /// Byte-pair encoding over bytes, words by GPT-2's pattern: nothing is ever unknown.
        case byteLevelBytePair
        /// WordPiece: pieces found by merging, the longest piece taken first.
        case wordPiece
        /// Characters alone.
        case characters
    }

    /// How text falls into words before pieces are sought.
    public enum Words: String, Sendable, CaseIterable {
        /// At spaces; a visible space begins each word (SentencePiece's way). Scripts without spaces are cut by the vocabulary alone.
        case spaces
        /// The same, but no space is visible before Japanese script, which writes without spaces: a word is then one token at the beginning
        /// of a sentence and within it.
        case japanese
        /// At spaces and around punctuation (BERT's way).
        case bert
    }

    /// How texts are normalized and pieces found.
    public struct Options: Sendable {
        /// Compatibility forms are made equal (NFKC), as Japanese text wants it.
        package var normalizesCompatibility = true
        /// Lowercases texts before pieces are sought, and in the tokenizer.
        public var lowercases = false
        /// nil: `bert` for WordPiece, `spaces` for the others. Byte-level vocabularies have words of their own.
        public var words: Words?
        /// A folder with a MeCab dictionary: no piece crosses the border of its words. Only learning looks at them; text is later cut by
        /// the vocabulary alone, so that the result needs no dictionary.
        package var dictionary: URL?
        /// Padding, unknown, beginning, end and mask, in this order, with ids from 0.
        package var specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        /// The share of all characters that single-character tokens cover; the rest is unknown.
        package var characterCoverage = 0.9995
        /// The longest piece, in characters.
        package var longestPiece = 16
        /// A pair is merged only if it occurs so often.
        package var smallestCount = 2
        /// Pieces that the unigram model starts from, as a multiple of the vocabulary's size.
        package var seedFactor = 12
        /// The share of pieces that survives each round of the unigram model.
        package var shrinkingFactor = 0.75

        /// NFKC, case kept, BERT's five special tokens.
        public init() {}
    }

    /// Learns a vocabulary.
    ///
    /// - Parameters:
    ///   - size: number of tokens, including special tokens. There are fewer if the text has fewer pieces.
    /// - Returns: the value of a `tokenizer.json`: NFKC, lower case if asked for, words, model, special tokens and their template.
    /// - Throws: `DataError` (`usage`) where the size does not hold the special tokens and the characters, or the options make no sense;
    ///   (`badData`) if there is no text.
    public static func train(texts: some Sequence<String>, kind: Kind, size: Int, options: Options = Options()) throws -> JSON {
        let special = options.specialTokens
        guard special.count == 5, Set(special).count == 5, !special.contains("") else {
            throw DataError(.usage, "expected five different special tokens: padding, unknown, beginning, end, mask")
        }
        guard (0...1).contains(options.characterCoverage), options.longestPiece >= 1, (0.1..<1).contains(options.shrinkingFactor),
            options.seedFactor >= 1, size < 1 << 24
        else {
            throw DataError(.usage, "vocabulary training: an option is out of its range")
        }
        let words = options.words ?? (kind == .wordPiece ? .bert : .spaces)
        let pipeline = try Pipeline(kind: kind, words: words, options: options)
        let units = try TrainingUnits(texts, pipeline: pipeline, kind: kind, options: options)
        guard !units.isEmpty else { throw DataError(.badData, "no text to learn a vocabulary from") }
        let room = size - special.count
        let characters = kind == .wordPiece ? units.alphabet.count * 2 : units.alphabet.count
        guard room >= characters else {
            throw DataError(
                .usage,
                "a vocabulary of \(size) tokens is too small for \(special.count) special tokens and \(characters) for single "
                    + "characters; take at least \(characters + special.count) or a smaller character coverage")
        }

        var model: [(String, JSON)]
        switch kind {
        case .unigram:
            let pieces = UnigramTraining.train(units, size: room, options: options)
            let vocabulary = special.map { ($0, 0.0) } + pieces
            model = [
                ("type", .string("Unigram")), ("unk_id", .integer(1)),
                ("vocab", .array(vocabulary.map { .array([.string($0.0), .number($0.1)]) })), ("byte_fallback", .bool(false)),
            ]
        case .wordPiece:
            let learnt = MergeTraining.train(units, size: room, continuingPrefix: "##", options: options)
            model = [
                ("type", .string("WordPiece")), ("unk_token", .string(special[1])), ("continuing_subword_prefix", .string("##")),
                ("max_input_chars_per_word", .integer(100)), ("vocab", object(special + learnt.tokens)),
            ]
        case .bytePair, .byteLevelBytePair, .characters:
            let learnt = MergeTraining.train(
                units, size: kind == .characters ? units.alphabet.count : room, continuingPrefix: "", options: options)
            let unknown: JSON = kind == .byteLevelBytePair ? .null : .string(special[1])
            model = [
                ("type", .string("BPE")), ("dropout", .null), ("unk_token", unknown), ("continuing_subword_prefix", .null),
                ("end_of_word_suffix", .null), ("fuse_unk", .bool(false)), ("byte_fallback", .bool(false)), ("ignore_merges", .bool(false)),
                ("vocab", object(special + learnt.tokens)),
                ("merges", .array(learnt.merges.map { .array([.string($0.0), .string($0.1)]) })),
            ]
        }
        return .object([
            (key: "version", value: .string("1.0")), (key: "truncation", value: .null), (key: "padding", value: .null),
            (key: "added_tokens", value: .array(special.enumerated().map(addedToken))), (key: "normalizer", value: pipeline.normalizerJSON),
            (key: "pre_tokenizer", value: pipeline.preTokenizerJSON), (key: "post_processor", value: template(special)),
            (key: "decoder", value: pipeline.decoderJSON), (key: "model", value: .object(model.map { (key: $0.0, value: $0.1) })),
        ])
    }

    private static func object(_ tokens: [String]) -> JSON {
        .object(tokens.enumerated().map { (key: $1, value: .integer($0)) })
    }

    private static func addedToken(_ id: Int, _ content: String) -> JSON {
        .object([
            (key: "id", value: .integer(id)), (key: "content", value: .string(content)), (key: "single_word", value: .bool(false)),
            (key: "lstrip", value: .bool(false)), (key: "rstrip", value: .bool(false)), (key: "normalized", value: .bool(false)),
            (key: "special", value: .bool(true)),
        ])
    }

    private static func template(_ special: [String]) -> JSON {
        func token(_ i: Int, _ type: Int) -> JSON {
            .object([
                (key: "SpecialToken", value: .object([(key: "id", value: .string(special[i])), (key: "type_id", value: .integer(type))]))
            ])
        }
        func sequence(_ name: String, _ type: Int) -> JSON {
            .object([(key: "Sequence", value: .object([(key: "id", value: .string(name)), (key: "type_id", value: .integer(type))]))])
        }
        func definition(_ i: Int) -> (key: String, value: JSON) {
            (
                key: special[i],
                value: .object([
                    (key: "id", value: .string(special[i])), (key: "ids", value: .array([.integer(i)])),
                    (key: "tokens", value: .array([.string(special[i])])),
                ])
            )
        }
        return .object([
            (key: "type", value: .string("TemplateProcessing")),
            (key: "single", value: .array([token(2, 0), sequence("A", 0), token(3, 0)])),
            (key: "pair", value: .array([token(2, 0), sequence("A", 0), token(3, 0), sequence("B", 1), token(3, 1)])),
            (key: "special_tokens", value: .object([definition(2), definition(3)])),
        ])
    }

    /// The steps before the model, as they run here and as they are written.
    struct Pipeline {
        let normalizer: Normalizer
        let preTokenizer: PreTokenizer
        let normalizerJSON: JSON
        let preTokenizerJSON: JSON
        let decoderJSON: JSON

        init(kind: Kind, words: Words, options: Options) throws {
            func step(_ type: String, _ fields: [(key: String, value: JSON)] = []) -> JSON {
                .object([(key: "type", value: .string(type))] + fields)
            }
            var steps: [(Normalizer, JSON)] = []
            if options.normalizesCompatibility { steps.append((.form(.nfkc), step("NFKC"))) }
            if options.lowercases { steps.append((.lowercase, step("Lowercase"))) }
            let visibleSpace = (key: "replacement", value: JSON.string("▁"))
            switch kind == .byteLevelBytePair ? nil : words {
            case nil:
                preTokenizer = .byteLevel(ByteLevelSplit(addsPrefixSpace: true, usesPattern: true))
                preTokenizerJSON = step(
                    "ByteLevel",
                    [
                        (key: "add_prefix_space", value: .bool(true)), (key: "trim_offsets", value: .bool(true)),
                        (key: "use_regex", value: .bool(true)),
                    ])
                decoderJSON = preTokenizerJSON
            case .spaces?, .japanese?:
                // All white space counts as one space, and none is at the ends.
                let space = TextPattern.scanner { text, found in Pipeline.scanSpaces(text, found) }
                steps.append(
                    (
                        .replace(space, [0x20]),
                        step(
                            "Replace",
                            [
                                (key: "pattern", value: .object([(key: "Regex", value: .string(#"\s+"#))])),
                                (key: "content", value: .string(" ")),
                            ])
                    ))
                steps.append(
                    (
                        .strip(left: true, right: true),
                        step(
                            "Strip",
                            [
                                (key: "strip_left", value: .bool(true)),
                                (key: "strip_right", value: .bool(true)),
                            ])
                    ))
                let metaspace = PreTokenizer.metaspace(Metaspace(replacement: Array("▁".utf8), prependScheme: .always, splits: true))
                decoderJSON = step(
                    "Metaspace", [visibleSpace, (key: "prepend_scheme", value: .string("always")), (key: "split", value: .bool(true))])
                if words == .japanese {
                    preTokenizer = .sequence([
                        metaspace, .split(.expression(try RegularExpression(Self.spaceBeforeJapanese)), .removed, inverted: false),
                    ])
                    preTokenizerJSON = step(
                        "Sequence",
                        [
                            (
                                key: "pretokenizers",
                                value: .array([
                                    decoderJSON,
                                    step(
                                        "Split",
                                        [
                                            (key: "pattern", value: .object([(key: "Regex", value: .string(Self.spaceBeforeJapanese))])),
                                            (key: "behavior", value: .string("Removed")), (key: "invert", value: .bool(false)),
                                        ]),
                                ])
                            )
                        ])
                } else {
                    preTokenizer = metaspace
                    preTokenizerJSON = decoderJSON
                }
            case .bert?:
                preTokenizer = .bert
                preTokenizerJSON = step("BertPreTokenizer")
                decoderJSON =
                    kind == .wordPiece
                    ? step("WordPiece", [(key: "prefix", value: .string("##")), (key: "cleanup", value: .bool(true))]) : .null
            }
            normalizer = .sequence(steps.map(\.0))
            normalizerJSON = steps.isEmpty ? .null : step("Sequence", [(key: "normalizers", value: .array(steps.map(\.1)))])
        }

        private static let spaceBeforeJapanese = #"▁(?=[\p{Han}\p{Hiragana}\p{Katakana}\x{3000}-\x{303F}ー])"#

        private static func scanSpaces(_ text: UnsafeBufferPointer<UInt8>, _ found: (Int, Int) -> Void) {
            var start: Int?
            var i = 0
            while i < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: i)
                if ScalarProperties(scalar).flags.contains(.patternSpace) {
                    start = start ?? i
                } else if let from = start {
                    found(from, i)
                    start = nil
                }
                i += length
            }
            if let from = start { found(from, text.count) }
        }
    }
}
