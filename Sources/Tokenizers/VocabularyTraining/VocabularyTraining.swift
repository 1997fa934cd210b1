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
        public var normalizesCompatibility = true
        /// Lowercases texts before pieces are sought, and in the tokenizer.
        public var lowercases = false
        /// nil: `bert` for WordPiece, `spaces` for the others. Byte-level vocabularies have words of their own.
        public var words: Words?
        /// A folder with a MeCab dictionary: no piece crosses the border of its words. Only learning looks at them; text is later cut by
        /// the vocabulary alone, so that the result needs no dictionary.
        public var dictionary: URL?
        /// Padding, unknown, beginning, end and mask, in this order, with ids from 0.
        public var specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        /// The share of all characters that single-character tokens cover; the rest is unknown.
        public var characterCoverage = 0.9995
        /// The longest piece, in characters.
        public var longestPiece = 16
        /// A pair is merged only if it occurs so often.
        public var smallestCount = 2
        /// Pieces that the unigram model starts from, as a multiple of the vocabulary's size.
        public var seedFactor = 12
        /// The share of pieces that survives each round of the unigram model.
        public var shrinkingFactor = 0.75

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

/// What vocabularies are learnt from: stretches of text within which pieces may lie, each once, with the number of times it occurs.
///
/// A stretch ends where a word ends, where the script changes (kana and kanji count as one), between figures and other characters, and
/// at characters too rare to be in the vocabulary.
struct TrainingUnits {
    /// Characters as numbers into `alphabet`, one stretch after the other.
    private(set) var symbols: [UInt32] = []
    /// Stretch k is `symbols[starts[k]..<starts[k + 1]]`.
    private(set) var starts: [Int] = [0]
    private(set) var counts: [Int] = []
    /// Whether a stretch begins its word (for WordPiece, whose pieces inside a word look different).
    private(set) var beginsWord: [Bool] = []
    /// The single characters that are tokens, the most frequent first.
    private(set) var alphabet: [UInt32] = []

    var count: Int { counts.count }
    var isEmpty: Bool { counts.isEmpty }
    static let visibleSpace: UInt32 = 0x2581
    private static let visibleSpaceBytes: [UInt8] = [0xE2, 0x96, 0x81]
    /// Longer stretches are cut: likelihoods of longer ones would leave the range of floating-point numbers.
    private static let longest = 32

    init(
        _ texts: some Sequence<String>, pipeline: VocabularyTrainer.Pipeline, kind: VocabularyTrainer.Kind,
        options: VocabularyTrainer.Options
    ) throws {
        var words: [[UInt8]: Int] = [:]
        var text = PreTokenizedText()
        let mecab = try options.dictionary.map {
            MeCabWords(
                model: try MeCabModel(dictionary: $0), lowercases: false, neverLowercased: [],
                splitsAtSpace: false)
        }
        var lattice: MeCabLattice?
        for string in texts {
            var string = string
            string.withUTF8 { bytes in
                text.reset(tracksOffsets: false)
                var normalized = NormalizedText(bytes, tracksOffsets: false)
                pipeline.normalizer.normalize(&normalized)
                text.append(normalized)
                pipeline.preTokenizer.split(&text, lattice: &lattice)
                if let mecab, kind != .byteLevelBytePair { mecab.split(&text, lattice: &lattice) }
                // MeCab takes the visible space for a word; it belongs to the one that it begins.
                var space: Int?
                for word in text.words {
                    let start = space ?? word.start
                    space = nil
                    if mecab != nil, word.end < text.bytes.count, text.bytes[word.range].elementsEqual(Self.visibleSpaceBytes) {
                        space = start
                        continue
                    }
                    words[Array(text.bytes[start..<word.end]), default: 0] += 1
                }
            }
        }
        // A dictionary's order changes from run to run; the words' own does not.
        let sorted = words.sorted { $0.key.lexicographicallyPrecedes($1.key) }

        var frequency: [UInt32: Int] = [:]
        for (word, count) in sorted { Self.forEachScalar(word) { frequency[$0, default: 0] += count } }
        if kind == .byteLevelBytePair {
            alphabet = (0..<256).map { ByteLevelAlphabet.scalar(UInt8($0)) }.sorted()
        } else {
            let ranked = frequency.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
            let wanted = Double(ranked.reduce(0) { $0 + $1.value }) * options.characterCoverage
            var covered = 0.0
            for (scalar, count) in ranked {
                if covered >= wanted { break }
                alphabet.append(scalar)
                covered += Double(count)
            }
        }
        let number = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0)) })

        var units: [Unit: Int] = [:]
        for (word, count) in sorted {
            var unit = Unit(symbols: [], beginsWord: true)
            var last: UInt32?
            func end(_ unit: inout Unit) {
                if !unit.symbols.isEmpty { units[unit, default: 0] += count }
                unit = Unit(symbols: [], beginsWord: false)
            }
            Self.forEachScalar(word) { scalar in
                guard let symbol = number[scalar] else {
                    end(&unit)
                    last = nil
                    return
                }
                if let previous = last, kind != .byteLevelBytePair, !Self.join(previous, scalar) || unit.symbols.count >= Self.longest {
                    end(&unit)
                }
                unit.symbols.append(symbol)
                last = scalar
            }
            end(&unit)
        }
        for (unit, count) in units.sorted(by: { a, b in
            a.key.beginsWord != b.key.beginsWord ? a.key.beginsWord : a.key.symbols.lexicographicallyPrecedes(b.key.symbols)
        }) {
            symbols += unit.symbols
            starts.append(symbols.count)
            counts.append(count)
            beginsWord.append(unit.beginsWord)
        }
    }

    private struct Unit: Hashable {
        var symbols: [UInt32]
        var beginsWord: Bool
    }

    private static func forEachScalar(_ bytes: [UInt8], _ body: (UInt32) -> Void) {
        bytes.withUnsafeBufferPointer { buffer in
            var i = 0
            while i < buffer.count {
                let (scalar, length) = UTF8Scalars.decode(buffer, at: i)
                body(scalar)
                i += length
            }
        }
    }

    /// Whether a piece may hold these two neighbours.
    private static func join(_ a: UInt32, _ b: UInt32) -> Bool {
        if b == visibleSpace { return false }
        if a == visibleSpace { return true }
        let (p, q) = (ScalarProperties(a), ScalarProperties(b))
        if p.flags.contains(.numeric) != q.flags.contains(.numeric) { return false }
        // Marks and the prolonged sound mark go with what they follow.
        if q.flags.contains(.combiningMark) || b == 0x30FC { return true }
        return p.script == q.script || p.script == 0 || q.script == 0
    }

    func spelling(_ symbols: some Sequence<UInt32>) -> String {
        var result = String.UnicodeScalarView()
        for symbol in symbols { if let scalar = Unicode.Scalar(alphabet[Int(symbol)]) { result.append(scalar) } }
        return String(result)
    }
}
