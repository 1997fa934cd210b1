import FileFormats
import Foundation

/// What an ids-only encoding did.
package struct TokenCounts: Sendable, Equatable {
    /// Ids appended, special tokens included.
    package var tokens = 0
    /// How many of them stand for text that the vocabulary does not have.
    package var unknowns = 0
    /// Whether the text was longer than the maximum length allows.
    package var isTruncated = false

    package init(tokens: Int = 0, unknowns: Int = 0, isTruncated: Bool = false) {
        self.tokens = tokens
        self.unknowns = unknowns
        self.isTruncated = isTruncated
    }
}

/// Working memory of one thread for the ids-only path, kept from text to text.
package struct TokenizerScratch {
    var word: [UInt8] = []
    var text = PreTokenizedText()
    var tokens: [ModelToken] = []
    var model = ModelScratch()
    var lattice: MeCabLattice?
    /// Whose words the cache holds.
    var owner: Tokenizer?

    package init() {}
}

/// Turns text into the ids that a model was trained with, exactly as Hugging Face tokenizers does.
///
/// The steps are those of a `tokenizer.json`: a normalizer rewrites the text, a pre-tokenizer splits it into words, a model splits
/// words into tokens, a post-processor adds special tokens. A tokenizer is immutable; any number of threads may use it.
public final class Tokenizer: Sendable {
    let added: AddedTokens
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: TokenModel
    let postProcessor: PostProcessor?
    let decoder: Decoder?
    private let fastPath: BertFastPath?
    /// Ids before and after a single sequence, where the post-processor does no more than that.
    private let frame: (before: [Int32], after: [Int32])?

    /// The number of different tokens, added ones included.
    public let vocabularySize: Int
    /// One more than the highest id; larger than `vocabularySize` where the ids have holes.
    package let idBound: Int
    /// The token that stands for text outside the vocabulary; nil if the model can spell everything.
    package let unknownID: Int32?
    /// The padding token (`[PAD]`); nil if the tokenizer has none.
    package let padID: Int32?
    /// The mask token (`[MASK]`); nil if the tokenizer has none.
    package let maskID: Int32?
    /// The token that begins a sequence (`[CLS]`, `<s>`).
    package let clsID: Int32?
    /// The token that ends a sequence (`[SEP]`, `</s>`).
    package let sepID: Int32?
    /// The end at which texts are cut; `truncation_side` of tokenizer_config.json.
    package let truncationSide: TruncationSide

    /// The names of special tokens, where a file next to the tokenizer gives them.
    struct SpecialNames {
        var unknown, pad, mask, cls, sep: String?
    }

    init(
        added tokens: [AddedToken], normalizer: Normalizer?, preTokenizer: PreTokenizer?, model: TokenModel, postProcessor: PostProcessor?,
        decoder: Decoder?, names: SpecialNames = SpecialNames(), truncationSide: TruncationSide = .right
    ) {
        let added = AddedTokens(Self.reconciled(tokens, model.vocabulary), normalizer: normalizer)
        self.added = added
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.postProcessor = postProcessor
        self.decoder = decoder
        self.truncationSide = truncationSide
        fastPath = BertFastPath(normalizer: normalizer, preTokenizer: preTokenizer, model: model, added: added)
        frame = Self.frame(postProcessor)
        let vocabulary = model.vocabulary
        vocabularySize = vocabulary.count + added.tokens.count { vocabulary.id(of: $0.content) == nil }
        idBound = max(vocabulary.idBound, (added.tokens.map { Int($0.id) }.max() ?? -1) + 1)
        func id(_ names: [String?]) -> Int32? {
            for case let name? in names { if let id = added.id(of: name) ?? vocabulary.id(of: name) { return id } }
            return nil
        }
        unknownID = model.unknownID >= 0 ? model.unknownID : id([names.unknown])
        padID = id([names.pad, "[PAD]", "<pad>"])
        maskID = id([names.mask, "[MASK]", "<mask>"])
        clsID = id([names.cls, "[CLS]", "<s>"])
        sepID = id([names.sep, "[SEP]", "</s>"])
    }

    /// The reference gives an added token the id that the model's vocabulary has for it, or the next free one, whatever the file says.
    private static func reconciled(_ tokens: [AddedToken], _ vocabulary: Vocabulary) -> [AddedToken] {
        var result: [AddedToken] = []
        var ids: [[UInt8]: Int32] = [:]
        var next = Int32(truncatingIfNeeded: vocabulary.count)
        for token in tokens where !token.content.isEmpty {
            var token = token
            let key = Array(token.content.utf8)
            if let id = ids[key] ?? vocabulary.id(of: token.content) {
                token.id = id
            } else {
                token.id = next
                next = next &+ 1
            }
            if ids[key] != nil { result.removeAll { $0.content.utf8.elementsEqual(key) } }
            ids[key] = token.id
            result.append(token)
        }
        return result
    }

    private static func frame(_ postProcessor: PostProcessor?) -> (before: [Int32], after: [Int32])? {
        guard let postProcessor else { return ([], []) }
        var probe = Encoding()
        probe.append(id: -1, token: "", offsets: 0..<0)
        let parts = postProcessor.process([probe], addsSpecialTokens: true, texts: [[]])
        let ids = parts.flatMap(\.ids)
        guard ids.count(where: { $0 == -1 }) == 1, let place = ids.firstIndex(of: -1) else { return nil }
        return (Array(ids[..<place]), Array(ids[(place + 1)...]))
    }

    /// The token with `id`; nil for an id that the vocabulary does not have.
    public func token(for id: Int32) -> String? { added.token(id: id)?.content ?? model.vocabulary.token(id) }

    /// The id of `token`, nil if the vocabulary does not have it.
    public func id(for token: String) -> Int32? { added.id(of: token) ?? model.vocabulary.id(of: token) }

    /// The tokens that are looked for in the text itself.
    package var addedTokens: [AddedToken] { added.tokens }

    /// Checks that a network has a vector for every id. Added tokens beyond its vocabulary are let through, as some models have one for
    /// non-text input; callers check for their ids.
    ///
    /// - Parameter model: how errors call the model.
    /// - Throws: `DataError` if the vocabulary itself is larger.
    package func check(vocabularySize: Int, of model: String) throws {
        guard idBound > vocabularySize else { return }
        let beyond = (vocabularySize..<idBound).filter {
            added.token(id: Int32($0)) == nil && self.model.vocabulary.token(Int32($0)) != nil
        }
        guard let highest = beyond.last else { return }
        throw DataError(
            .badData, "the tokenizer gives ids up to \(highest), but the model's vocabulary has \(vocabularySize) entries", file: model)
    }

    /// The number of special tokens that `encode` adds.
    package func addedTokenCount(isPair: Bool = false) -> Int { postProcessor?.addedTokens(isPair: isPair) ?? 0 }

    // MARK: Encoding

    /// Encodes a text or a pair of texts.
    ///
    /// - Parameters:
    ///   - maxLength: the most tokens that the result may have, special tokens included; nil for no limit. What `tokenizer.json` says of
    ///     truncation and padding is ignored.
    ///   - stride: tokens that successive windows of `overflow` share.
    /// - Throws: `DataError` (`usage`) where the maximum length leaves no room or does not fit the stride.
    public func encode(
        _ text: String, pair: String? = nil, maxLength: Int? = nil, strategy: TruncationStrategy = .longestFirst,
        stride: Int = 0, addSpecialTokens: Bool = true
    ) throws -> Encoding {
        let texts = ([text] + (pair.map { [$0] } ?? [])).map { Array($0.utf8) }
        var scratch = TokenizerScratch()
        var first = encodeSequence(texts[0], sequence: 0, scratch: &scratch)
        var second = texts.count > 1 ? encodeSequence(texts[1], sequence: 1, scratch: &scratch) : nil
        if let maxLength {
            let special = addSpecialTokens ? addedTokenCount(isPair: pair != nil) : 0
            guard maxLength >= special, stride >= 0 else {
                throw DataError(.usage, "a maximum length of \(maxLength) tokens leaves no room in addition to \(special) special tokens")
            }
            try Truncation(room: maxLength - special, strategy: strategy, stride: stride, side: truncationSide).truncate(&first, &second)
        }
        var parts = second.map { [first, $0] } ?? [first]
        if let postProcessor {
            for i in parts.indices { parts[i].setTypeID(Int32(i)) }
            parts = postProcessor.process(parts, addsSpecialTokens: addSpecialTokens, texts: texts)
        }
        var result = parts.first ?? Encoding()
        for part in parts.dropFirst() { result.merge(part) }
        return result
    }

    /// The words of a text, before the model sees them.
    private func preTokenize(_ bytes: UnsafeBufferPointer<UInt8>, tracksOffsets: Bool, scratch: inout TokenizerScratch) {
        if scratch.owner !== self {
            scratch.model.cache.reset()
            scratch.owner = self
        }
        scratch.text.reset(tracksOffsets: tracksOffsets)
        let whole = NormalizedText(bytes, tracksOffsets: tracksOffsets)
        var needsOffsets = false
        for (range, id) in added.parts(of: bytes, added.raw) where !range.isEmpty {
            var piece = range.count == bytes.count ? whole : whole.slice(range)
            if id >= 0 {
                scratch.text.append(piece, addedToken: id)
                continue
            }
            normalizer?.normalize(&piece)
            if piece.needsOffsets, !tracksOffsets { needsOffsets = true }
            if added.normalized.isEmpty {
                scratch.text.append(piece)
                continue
            }
            let parts = piece.bytes.withUnsafeBufferPointer { added.parts(of: $0, added.normalized) }
            for (range, id) in parts { scratch.text.append(piece.slice(range), addedToken: id) }
        }
        if needsOffsets || (!tracksOffsets && dependsOnPlace && added.tokens.isEmpty == false) {
            return preTokenize(bytes, tracksOffsets: true, scratch: &scratch)
        }
        preTokenizer?.split(&scratch.text, lattice: &scratch.lattice)
    }

    /// Whether the pre-tokenizer asks where in the text a word stands.
    private var dependsOnPlace: Bool {
        func asks(_ preTokenizer: PreTokenizer) -> Bool {
            switch preTokenizer {
            case .metaspace(let metaspace): metaspace.prependScheme == .first
            case .sequence(let steps): steps.contains(where: asks)
            default: false
            }
        }
        return preTokenizer.map(asks) ?? false
    }

    private func encodeSequence(_ bytes: [UInt8], sequence: UInt8, scratch: inout TokenizerScratch) -> Encoding {
        var encoding = Encoding()
        bytes.withUnsafeBufferPointer { preTokenize($0, tracksOffsets: true, scratch: &scratch) }
        let text = scratch.text
        text.bytes.withUnsafeBufferPointer { buffer in
            for (number, word) in text.words.enumerated() {
                let wordBytes = UnsafeBufferPointer(rebasing: buffer[word.range])
                scratch.tokens.removeAll(keepingCapacity: true)
                if word.addedToken >= 0 {
                    scratch.tokens.append(ModelToken(id: word.addedToken, start: 0, end: wordBytes.count, isSurface: true))
                } else {
                    model.appendTokens(of: wordBytes, to: &scratch.tokens, scratch: &scratch.model)
                }
                for token in scratch.tokens {
                    let surface = token.isSurface ? String(decoding: wordBytes[Int(token.start)..<Int(token.end)], as: UTF8.self) : nil
                    encoding.append(
                        id: token.id, typeID: Int32(sequence), token: surface ?? model.vocabulary.token(token.id) ?? "",
                        offsets: text.originalRange(word, Int(token.start), Int(token.end)),
                        word: Int32(truncatingIfNeeded: number), sequence: sequence)
                }
            }
        }
        return encoding
    }

    /// How many tokens the model makes of a word taken as it stands, neither normalized nor split at punctuation: so the scripts that first
    /// published BERT's word vectors cut text that was words already.
    package func tokenCount(ofWholeWord word: String) -> Int {
        var scratch = TokenizerScratch()
        let bytes = Array(word.utf8)
        bytes.withUnsafeBufferPointer { model.appendTokens(of: $0, to: &scratch.tokens, scratch: &scratch.model) }
        return scratch.tokens.count
    }

    /// Appends the ids of one text, special tokens included, and nothing else: no strings, no offsets.
    ///
    /// - Parameters:
    ///   - utf8: the text; bytes that are not UTF-8 count as U+FFFD.
    ///   - maxLength: the most ids appended, special tokens included; nil for no limit. Where it is smaller than the number of special
    ///     tokens, only those are appended that fit.
    ///   - addsSpecialTokens: whether the post-processor adds its own, as to every encoder's input.
    ///   - scratch: one for each thread.
    @discardableResult
    package func appendIDs(
        of utf8: UnsafeBufferPointer<UInt8>, maxLength: Int? = nil, addsSpecialTokens: Bool = true, to ids: inout [Int32],
        scratch: inout TokenizerScratch
    ) -> TokenCounts {
        guard UTF8Scalars.isValid(utf8) else {
            let repaired = Array(String(decoding: utf8, as: UTF8.self).utf8)
            return repaired.withUnsafeBufferPointer {
                appendIDs(of: $0, maxLength: maxLength, addsSpecialTokens: addsSpecialTokens, to: &ids, scratch: &scratch)
            }
        }
        let first = ids.count
        let before = addsSpecialTokens ? frame?.before ?? [] : []
        let after = addsSpecialTokens ? frame?.after ?? [] : []
        let limit = maxLength.map { max($0 - before.count - after.count, 0) } ?? (Int.max - first - 1)
        guard frame != nil || !addsSpecialTokens else { return appendUnusualIDs(of: utf8, maxLength: maxLength, to: &ids) }
        ids.append(contentsOf: before)
        let start = ids.count
        var unknowns = 0
        if truncationSide == .right, let fastPath,
            let count = fastPath.appendIDs(of: utf8, limit: min(limit, Int.max - start - 1), to: &ids, scratch: &scratch)
        {
            unknowns = count
        } else {
            appendModelIDs(of: utf8, to: &ids, scratch: &scratch)
            if model.unknownID >= 0 { unknowns = ids[start...].count { $0 == model.unknownID } }
        }
        var counts = TokenCounts(unknowns: unknowns)
        let excess = ids.count - start - limit
        if excess > 0 {
            counts.isTruncated = true
            let cut = truncationSide == .right ? ids.count - excess..<ids.count : start..<start + excess
            if model.unknownID >= 0 { counts.unknowns -= ids[cut].count { $0 == model.unknownID } }
            ids.removeSubrange(cut)
        }
        ids.append(contentsOf: after)
        if let maxLength, ids.count - first > maxLength { ids.removeSubrange((first + max(maxLength, 0))...) }
        counts.tokens = ids.count - first
        return counts
    }

    private func appendModelIDs(of utf8: UnsafeBufferPointer<UInt8>, to ids: inout [Int32], scratch: inout TokenizerScratch) {
        preTokenize(utf8, tracksOffsets: false, scratch: &scratch)
        let bytes = scratch.text.bytes
        bytes.withUnsafeBufferPointer { buffer in
            for word in scratch.text.words {
                if word.addedToken >= 0 {
                    ids.append(word.addedToken)
                    continue
                }
                scratch.tokens.removeAll(keepingCapacity: true)
                model.appendTokens(of: UnsafeBufferPointer(rebasing: buffer[word.range]), to: &scratch.tokens, scratch: &scratch.model)
                for token in scratch.tokens { ids.append(token.id) }
            }
        }
    }

    /// For a post-processor that repeats the sequence or leaves it out.
    private func appendUnusualIDs(of utf8: UnsafeBufferPointer<UInt8>, maxLength: Int?, to ids: inout [Int32]) -> TokenCounts {
        let text = String(decoding: utf8, as: UTF8.self)
        let whole = (try? encode(text)) ?? Encoding()
        let kept = maxLength.map { max($0, 0) } ?? whole.count
        let encoding = kept < whole.count ? (try? encode(text, maxLength: kept)) ?? Encoding() : whole
        ids.append(contentsOf: encoding.ids)
        let unknowns =
            model.unknownID < 0
            ? 0
            : zip(encoding.ids, encoding.specialTokensMask).count { $0 == model.unknownID && $1 == 0 }
        return TokenCounts(tokens: encoding.count, unknowns: unknowns, isTruncated: kept < whole.count)
    }

    // MARK: Decoding

    /// The text that ids stand for, as far as the tokenizer can be run backwards. Ids beyond the vocabulary are left out.
    public func decode(_ ids: [Int32], skipSpecialTokens: Bool = true) -> String {
        var tokens: [String] = []
        for id in ids {
            guard let token = added.form(id: id) ?? model.vocabulary.token(id) else { continue }
            if !skipSpecialTokens || !added.isSpecial(token) { tokens.append(token) }
        }
        guard let decoder else { return tokens.joined(separator: " ") }
        return decoder.decode(tokens).joined()
    }
}
