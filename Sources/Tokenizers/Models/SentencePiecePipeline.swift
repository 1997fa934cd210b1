import FileFormats
import Foundation

extension Tokenizer {
    /// The tokenizer that a SentencePiece `.model` file describes, ids as in the file and no special tokens added.
    ///
    /// The frame of special tokens is not in such a file; in a model directory, `tokenizer_config.json` gives it by the tokenizer's class.
    package convenience init(sentencePieceModel url: URL) throws {
        try self.init(sentencePiece: url, configuration: TokenizerConfiguration())
    }

    convenience init(sentencePiece url: URL, configuration: TokenizerConfiguration) throws {
        let file = url.lastPathComponent
        var source = try SentencePieceModel(url)
        guard let unknown = source.pieces.firstIndex(where: { $0.type == .unknown }) else {
            throw DataError(.badData, "the SentencePiece model has no unknown piece", file: file)
        }
        var names = configuration.names
        names.unknown = source.pieces[unknown].text
        let normalizer = try SentencePieceNormalizer(source, file: file)
        var unknownID = unknown
        // fairseq put its own special tokens in front and shifted what follows by one.
        let isShifted = configuration.className == "XLMRoberta" && source.kind == .unigram
        if isShifted {
            let special = ["<s>", "<pad>", "</s>", "<unk>"].map {
                SentencePieceModel.Piece(text: $0, score: 0, type: $0 == "<unk>" ? .unknown : .control)
            }
            source.pieces = special + source.pieces.dropFirst(3) + [SentencePieceModel.Piece(text: "<mask>", score: 0, type: .control)]
            unknownID = 3
        }
        let model: TokenModel
        switch source.kind {
        case .bytePair: model = .sentencePieceBytePair(try SentencePieceBytePair(source, unknownID: unknownID, file: file))
        default:
            let normal = source.pieces.filter { $0.type == .normal }.map(\.score)
            let pieces = source.pieces.map { piece in
                // A user-defined symbol outweighs any way to cut it up, the longer the more (sentencepiece 0.2.3; older releases differ by what
                // is rounded).
                let score =
                    piece.type == .userDefined
                    ? Double(Float(0.1 * Double(piece.text.utf8.count - 1))) : Double(piece.score)
                return Unigram.Piece(token: piece.text, score: score, isFound: piece.type == .normal || piece.type == .userDefined)
            }
            model = .unigram(
                try Unigram(
                    pieces, unknownID: unknownID, bytes: source.usesBytes, lowest: Double(normal.min() ?? 0),
                    singlePrecision: true, file: file))
        }
        let vocabulary = model.vocabulary
        func special(_ name: String?, _ fallback: String) throws -> PostProcessor.SpecialToken {
            let name = name ?? fallback
            guard let id = vocabulary.id(of: name) else {
                throw DataError(.badData, "the special token \(name) is not in the vocabulary", file: file)
            }
            return PostProcessor.SpecialToken(token: name, id: id)
        }
        func template(_ single: [PostProcessor.SpecialToken?], _ pair: [PostProcessor.SpecialToken?], secondType: Int32) -> PostProcessor {
            var specials: [String: TemplateProcessing.Special] = [:]
            func pieces(_ tokens: [PostProcessor.SpecialToken?]) -> [TemplateProcessing.Piece] {
                var isSecond = false
                return tokens.map { token in
                    guard let token else {
                        defer { isSecond = true }
                        return .sequence(second: isSecond, typeID: isSecond ? secondType : 0)
                    }
                    specials[token.token] = TemplateProcessing.Special(ids: [token.id], tokens: [token.token])
                    return .special(name: token.token, typeID: 0)
                }
            }
            let (one, two) = (pieces(single), pieces(pair))
            return .template(TemplateProcessing(single: one, pair: two, specials: specials))
        }
        var frame: PostProcessor?
        var framing: [String] = []
        switch configuration.className {
        case "XLMRoberta", "Camembert", "BigBird", "MBart":
            let (cls, sep) = (try special(names.cls, "<s>"), try special(names.sep, "</s>"))
            frame = .roberta(cls: cls, sep: sep, trimsOffsets: false, addsPrefixSpace: false)
            framing = [cls.token, sep.token, names.pad ?? "<pad>", names.mask ?? "<mask>"]
        case "Albert", "DebertaV2", "Reformer":
            let (cls, sep) = (try special(names.cls, "[CLS]"), try special(names.sep, "[SEP]"))
            frame = .bert(cls: cls, sep: sep)
            framing = [cls.token, sep.token, names.pad ?? "[PAD]", names.mask ?? "[MASK]"]
        case "T5":
            let end = try special(names.sep, "</s>")
            frame = template([nil, end], [nil, end, nil, end], secondType: 0)
            framing = [end.token, names.pad ?? "<pad>"]
        case "Llama":
            let begin = try special(names.cls, "<s>")
            frame = template([begin, nil], [begin, nil, begin, nil], secondType: 0)
            framing = [begin.token, "</s>"]
        default: break
        }
        self.init(
            added: configuration.className.isEmpty ? [] : configuration.addedTokens(framing, vocabulary),
            normalizer: .sentencePiece(normalizer), preTokenizer: nil, model: model, postProcessor: frame,
            decoder: .sequence([.byteFallback, .metaspace(replacement: "▁", dropsFirst: normalizer.addsDummyPrefix)]), names: names,
            truncationSide: configuration.truncationSide)
    }
}

/// SentencePiece's own normalization: the character map by longest match, spaces made visible, runs of them closed up.
struct SentencePieceNormalizer: Sendable {
    private static let visibleSpace: UInt32 = 0x2581

    let map: PrecompiledCharacterMap
    let userDefined: AddedTokens.Matcher
    let addsDummyPrefix: Bool
    let removesExtraSpaces: Bool
    let escapesSpaces: Bool
    let whitespaceIsSuffix: Bool

    init(_ model: SentencePieceModel, file: String) throws {
        map = try PrecompiledCharacterMap(model.characterMap, file: file)
        userDefined = AddedTokens.Matcher(model.pieces.filter { $0.type == .userDefined }.map { (Array($0.text.utf8), 0) })
        addsDummyPrefix = model.addsDummyPrefix
        removesExtraSpaces = model.removesExtraSpaces
        escapesSpaces = model.escapesSpaces
        whitespaceIsSuffix = model.whitespaceIsSuffix
    }

    func normalize(_ text: inout NormalizedText) {
        let old = text
        let space = escapesSpaces ? Self.visibleSpace : 0x20
        var bytes: [UInt8] = []
        var sources: [Int] = []  // the old byte that each new byte stands for
        bytes.reserveCapacity(old.bytes.count + 3)
        func add(_ scalar: UInt32, _ source: Int) {
            let before = bytes.count
            UTF8Scalars.append(scalar, to: &bytes)
            if old.tracksOffsets { for _ in before..<bytes.count { sources.append(source) } }
        }
        old.bytes.withUnsafeBufferPointer { input in
            var i = 0
            var piece: [UInt32] = []
            /// Reads what is at the front of the input into `piece` and returns how far it reaches.
            func prefix() -> Int {
                piece.removeAll(keepingCapacity: true)
                func take(_ bytes: UnsafeBufferPointer<UInt8>) {
                    var k = 0
                    while k < bytes.count {
                        let (scalar, length) = UTF8Scalars.decode(bytes, at: k)
                        piece.append(scalar)
                        k += length
                    }
                }
                if userDefined.firstBytes[Int(input[i])], let (length, _) = userDefined.match(in: input, at: i) {
                    take(UnsafeBufferPointer(rebasing: input[i..<i + length]))
                    return length
                }
                if let (length, new) = map.longestMatch(in: input, from: i) {
                    new.withUnsafeBufferPointer(take)
                    return length
                }
                let (scalar, length) = UTF8Scalars.decode(input, at: i)
                piece.append(scalar)
                return length
            }
            if removesExtraSpaces {
                while i < input.count {
                    let length = prefix()
                    guard piece == [0x20] else { break }
                    i += length
                }
            }
            guard i < input.count else { return }
            if addsDummyPrefix, !whitespaceIsSuffix { add(space, i) }
            var afterSpace = removesExtraSpaces
            while i < input.count {
                let length = prefix()
                var kept = piece[...]
                if afterSpace { kept = kept.drop { $0 == 0x20 } }
                for scalar in kept { add(scalar == 0x20 ? space : scalar, i) }
                if let last = kept.last { afterSpace = last == 0x20 }
                i += length
                if !removesExtraSpaces { afterSpace = false }
            }
            if removesExtraSpaces {
                var symbol: [UInt8] = []
                UTF8Scalars.append(space, to: &symbol)
                while bytes.count >= symbol.count, bytes[(bytes.count - symbol.count)...].elementsEqual(symbol) {
                    bytes.removeLast(symbol.count)
                    if old.tracksOffsets { sources.removeLast(symbol.count) }
                }
            }
            if addsDummyPrefix, whitespaceIsSuffix { add(space, max(input.count - 1, 0)) }
        }
        text.replaceAll(bytes, sources: sources)
    }
}

/// SentencePiece's byte-pair encoding: symbols merge where the vocabulary has what they spell together, highest score first.
struct SentencePieceBytePair: Sendable {
    let vocabulary: Vocabulary
    let unknownID: Int32
    private let scores: [Float]
    /// Which pieces may come out of merging (not control, unknown, byte pieces).
    private let isFound: [Bool]
    private let isUnused: [Bool]
    private let userDefined: AddedTokens.Matcher
    private let byteIDs: [Int32]

    init(_ model: SentencePieceModel, unknownID: Int, file: String) throws {
        vocabulary = try Vocabulary(model.pieces.enumerated().map { (token: $1.text, id: $0) }, file: file)
        self.unknownID = Int32(truncatingIfNeeded: unknownID)
        scores = model.pieces.map(\.score)
        isFound = model.pieces.map { $0.type == .normal || $0.type == .userDefined || $0.type == .unused }
        isUnused = model.pieces.map { $0.type == .unused }
        userDefined = AddedTokens.Matcher(model.pieces.filter { $0.type == .userDefined }.map { (Array($0.text.utf8), 0) })
        byteIDs = model.usesBytes ? ByteFallback.ids(vocabulary) : []
    }

    /// Order-preserving: the higher the score, the lower the rank.
    private func rank(_ score: Float) -> Int64 {
        let bits = Int64(Int32(bitPattern: score.bitPattern))
        return bits >= 0 ? -bits : bits & 0x7FFF_FFFF
    }

    private func id(_ word: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Int32? {
        let id = vocabulary.id(of: UnsafeBufferPointer(rebasing: word[start..<end]))
        return id >= 0 && isFound[Int(id)] ? id : nil
    }

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken], scratch: inout ModelScratch) {
        scratch.symbols.removeAll(keepingCapacity: true)
        var i = 0
        while i < word.count {
            let found = userDefined.firstBytes[Int(word[i])] ? userDefined.match(in: word, at: i) : nil
            let length = found?.length ?? UTF8Scalars.decode(word, at: i).length
            scratch.symbols.append(.init(id: -1, length: length, start: i, isFrozen: found != nil))
            i += length
        }
        // An unused piece may come out of a merge and is taken apart again, the way it was made.
        var made: [Int32: [Int32: Int32]] = [:]  // start, length → length of the left part
        let hasUnused = isUnused.contains(true)
        SymbolMerging.merge(&scratch.symbols, &scratch.queue) { a, b in
            guard let id = id(word, Int(a.start), Int(b.start + b.length)) else { return nil }
            if hasUnused, isUnused[Int(id)] { made[a.start, default: [:]][a.length + b.length] = a.length }
            return (rank(scores[Int(id)]), id)
        }
        for symbol in scratch.symbols where symbol.length > 0 {
            emit(word, Int(symbol.start), Int(symbol.length), made, &tokens, depth: 0)
        }
    }

    private func emit(
        _ word: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int, _ made: [Int32: [Int32: Int32]],
        _ tokens: inout [ModelToken], depth: Int
    ) {
        let id = id(word, start, start + length)
        if let id, isUnused[Int(id)], depth < 256, let left = made[Int32(start)]?[Int32(length)].map(Int.init), left > 0, left < length {
            emit(word, start, left, made, &tokens, depth: depth + 1)
            emit(word, start + left, length - left, made, &tokens, depth: depth + 1)
            return
        }
        if let id {
            tokens.append(ModelToken(id: id, start: start, end: start + length, isSurface: true))
            return
        }
        let token = ModelToken(id: unknownID, start: start, end: start + length, isSurface: true)
        let piece = UnsafeBufferPointer(rebasing: word[start..<start + length])
        if ByteFallback.append(piece, byteIDs, whole: token, to: &tokens) { return }
        // Neighbouring unknown pieces are one.
        if let last = tokens.last, last.id == unknownID, Int(last.end) == start {
            tokens[tokens.count - 1].end = token.end
        } else {
            tokens.append(token)
        }
    }
}
