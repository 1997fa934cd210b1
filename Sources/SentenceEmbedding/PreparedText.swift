import Autograd
import FileFormats
import Foundation
import Networks
import Tensors
import Tokenizers

/// A text or a pair of texts as the network sees it, for callers that pack batches of their own.
public struct PreparedText: Sendable, Equatable {
    /// Token ids, special ones included.
    public var ids: [Int32]
    /// Segment of each token; nil where the model has one segment only.
    public var typeIDs: [Int32]?
    /// Tokens that the vocabulary did not have.
    package var unknownTokens = 0
    /// Whether the text was cut at the maximum length.
    public var isTruncated = false

    /// A sequence of token ids, with segments if the model has more than one.
    public init(ids: [Int32], typeIDs: [Int32]? = nil) { (self.ids, self.typeIDs) = (ids, typeIDs) }
}

extension SentenceEncoder {
    /// The tokens of one sentence: prompt, tokenizer and maximum length as in `encode`.
    public func prepared(_ sentence: String) -> PreparedText {
        var scratch = TokenizerScratch(), prepared = PreparedText(ids: [])
        var text = prompt.isEmpty ? sentence : prompt + sentence
        if directory.lowercases { text = text.lowercased() }
        let counts = text.withUTF8 {
            tokenizer.appendIDs(of: $0, maxLength: maxLength, addsSpecialTokens: !directory.isStatic, to: &prepared.ids, scratch: &scratch)
        }
        (prepared.unknownTokens, prepared.isTruncated) = (counts.unknowns, counts.isTruncated)
        return prepared
    }

    /// The first components of a vector, scaled to length 1: what `truncatedDimension` and `normalizes` give, to the bit.
    /// - Precondition: `size` lies in `1...vector.count`.
    public static func truncated(_ vector: ArraySlice<Float>, to size: Int) -> [Float] {
        normalizedRows(Variable(Tensor(Array(vector.prefix(size)), shape: [1, size])), on: nil).value.elements
    }
}

extension CrossEncoder {
    /// The tokens of a pair, cut at the maximum length.
    public func prepared(_ first: String, _ second: String) throws -> PreparedText {
        let encoding = try tokenizer.encode(first, pair: second, maxLength: maxLength)
        var prepared = PreparedText(ids: encoding.ids, typeIDs: configuration.segments > 1 ? encoding.typeIDs : nil)
        prepared.isTruncated = !encoding.overflow.isEmpty
        return prepared
    }

    /// What the network says of each pair of a packed batch, before the sigmoid: `(pairs, 1)`.
    public func logits(of batch: PackedBatch) -> Tensor<Float> { sequences.network(batch, on: nil).value }

    /// The score that `scores` gives for what the network says.
    public func score(logit: Double) -> Double { isSigmoid ? 1 / (1 + exp(-logit)) : logit }
}
