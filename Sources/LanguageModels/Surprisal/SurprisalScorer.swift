import FileFormats
import Foundation
import Networks
import Synchronization
import Tensors
import Tokenizers

/// Scores texts by a language model: −ln p of tokens, words and regions.
///
/// A causal model predicts each token from those before it, the first one from the model's begin token. A masked model gives
/// pseudo-log-likelihoods: every token is hidden in a copy of the text of its own. The numbers do not depend on batches or threads.
public struct SurprisalScorer: Sendable {
    /// The model that scores.
    package let model: any LanguageModel
    /// How texts are scored.
    package let options: SurprisalOptions
    /// Tokens that begin with a space, by whose probability words are corrected; empty if the vocabulary marks no spaces.
    private let spaceTokens: [Int32]

    /// Cuts texts into words.
    package let cutter: WordCutter

    /// A scorer of a model's texts.
    public init(model: any LanguageModel, options: SurprisalOptions = SurprisalOptions()) {
        self.init(model: model, options: options, cutter: WordCutter())
    }

    /// A scorer of a model's texts. `cutter` finds the words where they are asked for.
    package init(model: any LanguageModel, options: SurprisalOptions = SurprisalOptions(), cutter: WordCutter) {
        self.model = model
        self.options = options
        self.cutter = cutter
        spaceTokens = model.kind == .causal && options.correctsLeadingSpaces ? Self.spaceTokens(of: model.tokenizer) : []
    }

    /// Whether words are corrected for leading spaces.
    package var corrects: Bool { !spaceTokens.isEmpty }

    /// A text to be scored as a whole. Its words are looked for only where hiding the rest of a word needs them.
    public func units(of text: String) throws -> TextUnits {
        model.kind == .masked && options.pseudoLikelihood == .withinWordLeftToRight
            ? try cutter.cut(text) : TextUnits(text: text, words: [])
    }

    /// Tokens whose spelling begins with the mark of a space: Ġ of byte-level vocabularies, ▁ of SentencePiece.
    static func spaceTokens(of tokenizer: Tokenizer) -> [Int32] {
        for mark in ["\u{120}", "\u{2581}"] {
            let tokens = (0..<Int32(tokenizer.idBound)).filter {
                tokenizer.token(for: $0)?.unicodeScalars.first == mark.unicodeScalars.first
            }
            if !tokens.isEmpty { return tokens }
        }
        return []
    }

    /// Scores texts.
    ///
    /// - Parameter name: what errors call a text, as a line.
    /// - Throws: `DataError` for a text without a token, or longer than the model reads without a stride.
    public func score(_ texts: [TextUnits], unit: SurprisalUnit, name: (Int) -> Int?, file: String?) throws -> [TextScore] {
        let needsSpaces = corrects && (unit == .word || unit == .region)
        let plans = try texts.enumerated().map { try plan($1, line: name($0), file: file) }
        var found = plans.map { [TokenOutcome?](repeating: nil, count: $0.encoding.count) }
        let sequences = plans.enumerated().flatMap { text, plan in plan.sequences.map { (text, $0) } }
        // Logits of all rows lie in memory where spaces are summed over; the batch is the smaller for a large vocabulary.
        let budget = needsSpaces ? max(1, min(options.batchTokens, (1 << 25) / max(model.vocabularySize, 1))) : options.batchTokens
        let work = PackedBatch.grouped(lengths: sequences.map { $0.1.ids.count }, budget: budget)
        let done = Mutex([(text: Int, token: Int, outcome: TokenOutcome)]())
        Parallel.forEach(work.count, threads: options.threads) { index, _ in
            let outcomes = outcomes(of: work[index].map { sequences[$0] }, needsSpaces: needsSpaces)
            done.withLock { $0 += outcomes }
        }
        for result in done.withLock({ $0 }) { found[result.text][result.token] = result.outcome }
        return zip(texts, plans).enumerated().map { index, pair in
            aggregate(pair.0, pair.1, found[index], unit: unit)
        }
    }

    // MARK: What is computed

    /// What is known of one token.
    private struct TokenOutcome: Sendable {
        var score: TokenScore
        /// ln of the probability that a space begins here, before and after the token.
        var spaceBefore: Double?
        var spaceAfter: Double?
    }

    /// One sequence that the network reads, and which tokens are scored from it.
    private struct Sequence: Sendable {
        var ids: [Int32]
        var typeIDs: [Int32]?
        var queries: [Query]
    }

    private struct Query: Sendable {
        /// Row of the sequence that predicts.
        var row: Int
        /// Row at which the token itself stands; it tells whether a space follows.
        var own: Int
        /// The token's place in its text.
        var token: Int
        var target: Int32
    }

    private struct Plan {
        var encoding: Encoding
        var sequences: [Sequence]
        var windows: Int
    }

    private func outcomes(
        of sequences: [(text: Int, sequence: Sequence)], needsSpaces: Bool
    ) -> [(text: Int, token: Int, outcome: TokenOutcome)] {
        var batch = PackedBatch(), places: [(text: Int, token: Int, row: Int, own: Int, target: Int32)] = []
        for (text, sequence) in sequences {
            let start = batch.tokens
            for query in sequence.queries {
                places.append((text, query.token, start + query.row, start + query.own, query.target))
            }
            batch.append(sequence.ids, typeIDs: sequence.typeIDs)
        }
        guard needsSpaces else {
            let scores = model.scores(of: batch, at: places.map(\.row), targets: places.map(\.target))
            return zip(places, scores).map { ($0.text, $0.token, TokenOutcome(score: $1)) }
        }
        // Of a causal model: the row of a token tells whether a space follows it.
        let rows = Array(Set(places.flatMap { [$0.row, $0.own] })).sorted()
        let logits = model.logits(of: batch, at: rows), index = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        var targets = [Int32](repeating: 0, count: rows.count)
        for place in places { targets[index[place.row] ?? 0] = place.target }
        let found = Float.tokenScores(logits.view, targets: targets)
        let spaces = logits.logMasses(of: spaceTokens, targets: targets, logProbabilities: found.logProbabilities)
        return places.map { place in
            let row = index[place.row] ?? 0, own = index[place.own] ?? 0
            let score = TokenScore(logProbability: found.logProbabilities[row], entropy: found.entropies[row], rank: found.ranks[row])
            return (place.text, place.token, TokenOutcome(score: score, spaceBefore: spaces[row], spaceAfter: spaces[own]))
        }
    }

    // MARK: Plans

    private func plan(_ text: TextUnits, line: Int?, file: String?) throws -> Plan {
        let encoding = try model.tokenizer.encode(text.text, addSpecialTokens: model.kind == .masked)
        let content = encoding.specialTokensMask.indices.filter { encoding.specialTokensMask[$0] == 0 }
        guard !content.isEmpty else {
            throw DataError(
                .badData,
                text.text.isEmpty
                    ? "the text is empty"
                    : "the tokenizer finds no tokens in "
                        + "\"\(text.text.prefix(40))\"", file: file, line: line)
        }
        let special = model.kind == .masked ? encoding.count - content.count : model.beginID == nil ? 0 : 1
        let room = model.contextLength - special
        guard content.count <= room || (options.stride != nil && room > 1) else {
            throw DataError(
                .usage,
                "the text has \(content.count) tokens, but \(model.name) reads \(max(room, 0)); \(Setting.stride) N "
                    + "reads it in windows N tokens apart, "
                    + "as \(Setting.stride) \(max(1, room / 2))", file: file, line: line)
        }
        // The first token of a later window has no context there, so windows of a causal model overlap.
        let step = max(1, min(options.stride ?? room, model.kind == .causal ? room - 1 : room))
        var starts = [0]
        while starts[starts.count - 1] + room < content.count { starts.append(starts[starts.count - 1] + step) }
        let windows = starts.map { $0..<min($0 + room, content.count) }
        let sequences = model.kind == .causal ? causal(encoding, windows) : masked(text, encoding, content, windows)
        return Plan(encoding: encoding, sequences: sequences, windows: windows.count)
    }

    /// Windows of a text; a token is scored in the first window that holds it. The begin token is before the text's own beginning alone.
    private func causal(_ encoding: Encoding, _ windows: [Range<Int>]) -> [Sequence] {
        var done = 0
        return windows.map { window in
            let begin = window.lowerBound == 0 ? [model.beginID].compactMap(\.self) : []
            let queries = (max(done, window.lowerBound)..<window.upperBound).compactMap { token -> Query? in
                let own = token - window.lowerBound + begin.count
                return own == 0 ? nil : Query(row: own - 1, own: own, token: token, target: encoding.ids[token])
            }
            done = window.upperBound
            return Sequence(ids: begin + encoding.ids[window], queries: queries)
        }
    }

    /// A copy of the text for each token, with the token hidden, and the rest of its word if requested. A token is scored in the
    /// window whose middle is nearest.
    private func masked(_ text: TextUnits, _ encoding: Encoding, _ content: [Int], _ windows: [Range<Int>]) -> [Sequence] {
        let mask = model.maskID ?? 0, head = content[0], tail = content[content.count - 1] + 1
        let words = groups(text, encoding)
        func distance(_ place: Int, from window: Range<Int>) -> Int { abs(window.lowerBound + window.upperBound - 1 - 2 * place) }
        return content.indices.map { place in
            let holds =
                windows.filter { $0.contains(place) }.min { distance(place, from: $0) < distance(place, from: $1) } ?? content.indices
            let chosen = Array(0..<head) + content[holds] + Array(tail..<encoding.count)
            var ids = chosen.map { encoding.ids[$0] }
            let row = head + place - holds.lowerBound
            ids[row] = mask
            if options.pseudoLikelihood == .withinWordLeftToRight, let word = words[content[place]] {
                for later in place + 1..<max(holds.upperBound, place + 1) where words[content[later]] == word {
                    ids[head + later - holds.lowerBound] = mask
                }
            }
            let types = chosen.map { encoding.typeIDs[$0] }
            return Sequence(
                ids: ids, typeIDs: types.contains { $0 != 0 } ? types : nil,
                queries: [Query(row: row, own: row, token: content[place], target: encoding.ids[content[place]])])
        }
    }

    /// Which word each token belongs to: the tokenizer's own where spaces separate words (so that punctuation stands apart), MeCab's in
    /// Japanese.
    private func groups(_ text: TextUnits, _ encoding: Encoding) -> [Int?] {
        guard !text.isSpaced else { return encoding.wordIDs.map { $0.map(Int.init) } }
        return text.owners(of: encoding.offsets, isText: encoding.specialTokensMask.map { $0 == 0 }, among: text.words).owners
    }

    // MARK: Units

    private func aggregate(_ text: TextUnits, _ plan: Plan, _ outcomes: [TokenOutcome?], unit: SurprisalUnit) -> TextScore {
        let encoding = plan.encoding, isText = encoding.specialTokensMask.map { $0 == 0 }
        var result = TextScore(units: [])
        result.windows = plan.windows
        result.tokens = isText.count { $0 }
        result.unknownTokens = encoding.ids.indices.count { isText[$0] && encoding.ids[$0] == model.tokenizer.unknownID }
        let bytes = Array(text.text.utf8)
        let regions = text.regions.isEmpty ? nil : text.owners(of: encoding.offsets, isText: isText, among: text.regions)
        func spelled(_ range: Range<Int>) -> String { String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self) }

        if unit == .token {
            let shown = encoding.shown(of: text.text)
            for token in encoding.ids.indices where isText[token] {
                let score = outcomes[token]?.score
                result.units.append(
                    UnitScore(
                        range: encoding.offsets[token], text: shown[token], tokens: 1, logProbability: score?.logProbability,
                        uncorrected: score?.logProbability, entropy: score?.entropy, rank: score?.rank, region: regions?.owners[token]))
            }
            return result
        }
        let ranges =
            switch unit {
            case .word: text.words
            case .region: text.regions.isEmpty ? [0..<bytes.count] : text.regions
            case .text, .token: [0..<bytes.count]
            }
        let (owners, crossing) = text.owners(of: encoding.offsets, isText: isText, among: ranges)
        result.crossingTokens = crossing
        var members = [[Int]](repeating: [], count: ranges.count)
        for (token, owner) in owners.enumerated() { if let owner { members[owner].append(token) } }
        let last = isText.lastIndex(of: true), first = isText.firstIndex(of: true), isSpace = Set(spaceTokens)
        for (place, range) in ranges.enumerated() {
            let tokens = members[place], known = tokens.compactMap { outcomes[$0] }
            var score = UnitScore(range: range, text: spelled(range), tokens: tokens.count)
            score.region = tokens.first.flatMap { regions?.owners[$0] }
            // A text's total passes over a first token without a context; a word or region with one has no surprisal.
            if let begin = tokens.first, !known.isEmpty, known.count == tokens.count || unit == .text {
                let sum = known.reduce(0) { $0 + $1.score.logProbability }
                score.uncorrected = sum
                score.entropy = outcomes[begin]?.score.entropy
                score.rank = outcomes[begin]?.score.rank
                score.logProbability = sum
                if unit == .text { score.tokens = known.count }
                if corrects, unit != .text, let end = tokens.last {
                    if begin != first, isSpace.contains(encoding.ids[begin]), let before = outcomes[begin]?.spaceBefore {
                        score.logProbability! -= before
                    }
                    let endsWord = end == last ? text.isSpaced : isSpace.contains(encoding.ids[end + 1])
                    if endsWord, let after = outcomes[end]?.spaceAfter { score.logProbability! += after }
                }
            }
            result.units.append(score)
        }
        return result
    }
}
