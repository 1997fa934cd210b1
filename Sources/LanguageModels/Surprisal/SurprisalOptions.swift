import Tensors

/// What a surprisal is summed over.
public enum SurprisalUnit: String, Sendable, CaseIterable {
    case token, word, region
    /// The whole text.
    case text
}

/// How a masked model, which sees both sides, scores a token.
public enum PseudoLikelihood: String, Sendable, CaseIterable {
    /// Each token is hidden alone (Salazar et al. 2020).
    case original
    /// The later tokens of the token's word are hidden with it, so that a word's own end does not give it away (Kauf & Ivanova 2023).
    case withinWordLeftToRight = "within-word-l2r"
}

/// The logarithm that surprisals are told in.
package enum SurprisalBase: String, Sendable, CaseIterable {
    /// Bits.
    case two = "2"
    /// Nats.
    case e

    /// Nats in one unit.
    package var nats: Double { self == .two ? 0.693147180559945309417 : 1 }
    package var unitName: String { self == .two ? "bits" : "nats" }
}

/// How texts are scored.
public struct SurprisalOptions: Sendable, Equatable {
    /// What a masked model sees of the word it scores.
    public var pseudoLikelihood = PseudoLikelihood.original
    /// Texts longer than the model reads are read in windows this many tokens apart; nil makes them errors.
    package var stride: Int?
    /// Corrects a causal model's words for tokens that carry the space before them (Pimentel & Meister 2024; Oh & Schuler 2024).
    package var correctsLeadingSpaces = true
    /// Tokens processed together by one thread.
    package var batchTokens = 1024
    /// Number of worker threads; results do not depend on it.
    public var threads = Parallel.availableThreads

    /// Texts that fit the model, corrected for leading spaces.
    public init() {}
}

/// How expected one unit of a text was. Logarithms are natural.
public struct UnitScore: Sendable, Equatable {
    /// Range of UTF-8 in the text.
    package var range: Range<Int>
    /// The unit as it is in the text, or the token's own spelling where its place is part of a character.
    public var text: String
    /// Tokens that count to it.
    package var tokens: Int
    /// ln p of the unit in its context, corrected for leading spaces where that applies; nil if no token counts to it, or one of them has
    /// no context (the first token of a model without a begin token).
    public var logProbability: Double?
    /// The plain sum over its tokens.
    package var uncorrected: Double?
    /// Of the distribution over the unit's first token, in nats.
    package var entropy: Double?
    /// Of the unit's first token among all tokens, 1 for the most probable.
    package var rank: Int?
    /// The region in which it begins, from 0; nil without marks.
    package var region: Int?
}

/// A text's units, and what was met on the way.
public struct TextScore: Sendable, Equatable {
    /// The units, in order.
    public var units: [UnitScore]
    /// Tokens that stand for text.
    package var tokens = 0
    /// Tokens that the vocabulary did not have.
    package var unknownTokens = 0
    /// Tokens that reach into the unit after theirs, which is without them.
    package var crossingTokens = 0
    /// Stretches in which the text was read.
    package var windows = 1

    /// ln p of the whole text and the tokens it is summed over; nil if no token has a score.
    public var total: (logProbability: Double, tokens: Int)? {
        let known = units.compactMap { unit in unit.logProbability.map { ($0, unit.tokens) } }
        guard !known.isEmpty else { return nil }
        return (known.reduce(0) { $0 + $1.0 }, known.reduce(0) { $0 + $1.1 })
    }
}
