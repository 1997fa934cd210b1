import FileFormats
import Foundation
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

/// Who looks at whom while an encoder or a decoder reads one sentence, or a pair of them.
package struct SentenceAttention: Sendable {
    /// The tokens as they are shown: as they are in the text, special ones by name.
    package let tokens: [String]
    /// Whether a token stands for no text.
    package let isSpecial: [Bool]
    /// 0 for the first sentence, 1 for the second; nil for special tokens.
    package let sentences: [Int?]
    /// For each layer `(heads, tokens, tokens)`; row i has the weights of token i on each token, and sums to 1.
    package let layers: [Tensor<Float>]

    package init(tokens: [String], isSpecial: [Bool], sentences: [Int?], layers: [Tensor<Float>]) {
        (self.tokens, self.isSpecial, self.sentences, self.layers) = (tokens, isSpecial, sentences, layers)
    }

    /// Reads a sentence, or two together.
    ///
    /// - Parameter untrainedSeed: take an encoder of the same shape with random weights.
    /// - Throws: `DataError` of kind `usage` for a table of token vectors, and for more tokens than the encoder reads.
    package init(_ model: SentenceEncoder, _ text: String, pair: String? = nil, untrainedSeed: UInt64? = nil) throws {
        let trained = try model.encoder, encoder = untrainedSeed.map { trained.untrained(seed: $0) } ?? trained
        let encoding = try model.tokenizer.encode(text, pair: pair)
        guard encoding.specialTokensMask.contains(0) else {
            throw DataError(.usage, "the tokenizer finds no tokens in \"\(text.prefix(40))\"")
        }
        let limit = encoder.longestSequence
        guard encoding.count <= limit else {
            throw DataError(.usage, "the text has \(encoding.count) tokens, but \(model.directory.name) reads \(limit)")
        }
        var batch = PackedBatch()
        batch.append(encoding.ids, typeIDs: encoder.hasSegments ? encoding.typeIDs : nil)
        self.init(
            tokens: encoding.shown(of: text, pair: pair), isSpecial: encoding.specialTokensMask.map { $0 == 1 },
            sentences: encoding.sequenceIDs.map { $0.map(Int.init) }, layers: encoder.attentionWeights(of: batch))
    }

    /// Heads in each layer.
    package var heads: Int { layers.first?.shape[0] ?? 0 }

    /// The weights of one head, a list for each token.
    package func weights(layer: Int, head: Int) -> [[Double]] {
        let n = tokens.count, flat = layers[layer].reshaped([heads * n, n])
        return (0..<n).map { row in flat.rows(head * n + row..<head * n + row + 1).elements.map(Double.init) }
    }

    /// The mean of a layer's heads.
    package func mean(layer: Int) -> [[Double]] {
        let n = tokens.count
        var sum = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
        for head in 0..<heads {
            for (i, row) in weights(layer: layer, head: head).enumerated() { for (j, weight) in row.enumerated() { sum[i][j] += weight } }
        }
        return sum.map { $0.map { $0 / Double(heads) } }
    }

    /// Attention rollout (Abnar & Zuidema 2020): how much each token of the input reaches each token of a layer's output, the heads' means
    /// multiplied from layer to layer, half of each step being the residual connection.
    ///
    /// - Returns: for each layer a list for each token; rows sum to 1.
    package func rollout() -> [[[Double]]] {
        let n = tokens.count
        var reached = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0 } }
        return layers.indices.map { layer in
            let step = mean(layer: layer).enumerated().map { i, row in
                row.enumerated().map { j, weight in 0.5 * weight + (i == j ? 0.5 : 0) }
            }
            reached = step.map { row in
                var sum = [Double](repeating: 0, count: n)
                for (k, weight) in row.enumerated() where weight != 0 { for j in 0..<n { sum[j] += weight * reached[k][j] } }
                return sum
            }
            return reached
        }
    }

    /// What a head does on this sentence (as Clark et al. 2019 describe heads), each figure a mean over the tokens that look.
    package struct HeadMeasures: Sendable, Equatable {
        /// From 0.
        package var layer: Int
        package var head: Int
        /// Of a row of weights, in bits: 0 where a token looks at one place alone, log₂ n where it looks everywhere alike.
        package var entropy: Double
        /// How many tokens away it looks, weighted.
        package var distance: Double
        /// Shares of the weight that go to the token itself, the one before, the one after, the first token, and special tokens.
        package var toSelf: Double
        package var toPrevious: Double
        package var toNext: Double
        package var toFirst: Double
        package var toSpecial: Double
    }

    package func measures() -> [HeadMeasures] {
        layers.indices.flatMap { layer in (0..<heads).map { measures(layer: layer, head: $0) } }
    }

    private func measures(layer: Int, head: Int) -> HeadMeasures {
        let rows = weights(layer: layer, head: head), n = Double(rows.count)
        var result = HeadMeasures(
            layer: layer, head: head, entropy: 0, distance: 0, toSelf: 0, toPrevious: 0, toNext: 0, toFirst: 0, toSpecial: 0)
        for (i, row) in rows.enumerated() {
            for (j, weight) in row.enumerated() where weight > 0 {
                result.entropy -= weight * log2(weight) / n
                result.distance += weight * Double(abs(i - j)) / n
                if isSpecial[j] { result.toSpecial += weight / n }
            }
            result.toSelf += row[i] / n
            result.toFirst += (row.first ?? 0) / n
            // The first token has none before it, the last none after.
            if i > 0 { result.toPrevious += row[i - 1] / max(1, n - 1) }
            if i + 1 < row.count { result.toNext += row[i + 1] / max(1, n - 1) }
        }
        return result
    }
}
