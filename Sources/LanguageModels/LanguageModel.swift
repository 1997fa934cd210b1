import FileFormats
import Networks
import Tensors
import Tokenizers

/// Which context a language model predicts a token from.
public enum LanguageModelKind: String, Sendable, CaseIterable {
    /// From the tokens before it (GPT-2, Llama).
    case causal
    /// From the tokens on both sides of a mask (BERT).
    case masked
}

/// How expected a token was.
public struct TokenScore: Sendable, Equatable {
    /// ln p(token | context), summed in Double.
    public var logProbability: Double
    /// Of the distribution that the token was drawn from, in nats.
    public var entropy: Double
    /// 1 for the most probable token; the number of tokens with a higher logit, plus 1.
    public var rank: Int

    package init(logProbability: Double, entropy: Double, rank: Int) {
        self.logProbability = logProbability
        self.entropy = entropy
        self.rank = rank
    }
}

/// A model that gives tokens probabilities in their context.
///
/// A sequence's numbers are the same to the last bit in any batch. A call computes on the calling thread, so that workers take whole
/// batches. Sequences hold their special tokens already; none is longer than `contextLength`, and ids lie in the vocabulary.
public protocol LanguageModel: Sendable {
    /// What outputs call it.
    var name: String { get }
    var kind: LanguageModelKind { get }
    var tokenizer: Tokenizer { get }
    /// Columns of the logits, at least the tokenizer's `idBound`.
    var vocabularySize: Int { get }
    /// The longest sequence in tokens, special ones included.
    var contextLength: Int { get }
    /// The token put before a text, so that its first token has a context: the tokenizer's own, or the end-of-text token where the
    /// family uses it for both (GPT-2). nil if absent; a causal model then does not score the first token.
    var beginID: Int32? { get }
    /// Ends a text, and generation with it.
    var endIDs: [Int32] { get }
    /// Stands for a hidden token; nil for causal models.
    var maskID: Int32? { get }
    /// As `f32`, `bf16`.
    var precisionName: String { get }

    /// A hash of everything that decides the numbers, the settings of a run aside.
    func identity() throws -> String

    /// Scores before any softmax at chosen rows of the batch, `(rows.count, vocabularySize)`.
    ///
    /// - Parameter rows: of the packed batch. A causal model's row predicts the token that follows it; a masked model's row predicts what
    ///   is at the row itself.
    func logits(of batch: PackedBatch, at rows: [Int]) -> Tensor<Float>

    /// How expected `targets[i]` is at `rows[i]`, rows as of `logits(of:at:)`. The logits of all rows are never held at once.
    func scores(of batch: PackedBatch, at rows: [Int], targets: [Int32]) -> [TokenScore]
}

extension LanguageModel {
    /// For a causal model: the score of every token of the batch given those before it in its sequence; nil for each sequence's first.
    package func scores(of batch: PackedBatch) -> [TokenScore?] {
        let starts = Set(batch.offsets.map { Int($0) })
        let predicted = (0..<batch.tokens).filter { !starts.contains($0) }
        let found = scores(of: batch, at: predicted.map { $0 - 1 }, targets: predicted.map { batch.ids[$0] })
        var all = [TokenScore?](repeating: nil, count: batch.tokens)
        for (row, score) in zip(predicted, found) { all[row] = score }
        return all
    }
}
