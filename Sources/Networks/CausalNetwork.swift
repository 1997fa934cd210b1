import Autograd
import Tensors

/// A causal decoder stack with the head that predicts the next token.
package final class CausalNetwork<Scalar: TensorScalar>: Module {
    /// The stack of layers below the head.
    package let decoder: Decoder<Scalar>
    /// `(vocabulary, hiddenSize)`; the same parameter as the token table if the head is tied.
    package let head: Linear<Scalar>

    /// - Parameter precision: what products compute in when there is no tape.
    package init(_ configuration: DecoderConfiguration, precision: Precision = .f32) {
        decoder = Decoder(configuration, precision: precision)
        head =
            configuration.tiedHead
            ? Linear(sharing: decoder.words, bias: nil, precision: precision)
            : Linear(
                inputs: configuration.hiddenSize, outputs: configuration.vocabularySize, bias: configuration.headBias, precision: precision)
    }

    /// The network's shape.
    package var configuration: DecoderConfiguration { decoder.configuration }
    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { decoder.parameters + (configuration.tiedHead ? [] : head.parameters) }

    /// Random weights from a seed.
    package func initialize(seed: UInt64) {
        decoder.initialize(seed: seed)
        guard !configuration.tiedHead else { return }
        var random = RandomSource(seed: seed).split(1 << 32)
        head.weight.fill { 0.02 * random.normal() }
    }

    /// Keys of the head alone, which have no prefix; none if it is tied.
    package var headEntries: [CheckpointEntry<Scalar>] {
        guard !configuration.tiedHead, let key = decoder.family.headKey else { return [] }
        var keys = CheckpointKeys<Scalar>()
        keys.add(key, head)
        return keys.entries
    }

    /// Scores of the next token, `(states, vocabulary)`, from hidden states.
    package func logits(_ states: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        let scores = head(states, on: tape)
        guard let cap = configuration.logitCap else { return scores }
        return scaled(activated(scaled(scores, by: Scalar(1 / cap), on: tape), .tanh, on: tape), by: Scalar(cap), on: tape)
    }
}

// MARK: Writing

extension CausalNetwork {
    /// Continues texts, each token read back from what the network itself wrote.
    ///
    /// - Parameters:
    ///   - prompts: their beginnings, begin mark included; none is empty or longer than the network's positions.
    ///   - ends: tokens that end a continuation; they do not belong to it.
    ///   - firstSource: number of the first prompt in the whole input, which samples depend on.
    /// - Returns: for each prompt, `options.outputs` continuations, best first.
    /// - Throws: `DecodingOptionError`.
    package func generate(
        _ prompts: [[Int32]], options: DecodingOptions = DecodingOptions(), ends: Set<Int32>, firstSource: Int = 0
    ) throws -> [[GeneratedSequence]] {
        try options.validate()
        precondition(prompts.allSatisfy { !$0.isEmpty && $0.count <= configuration.positions })
        let writer = TokenWriter<Scalar>(
            begin: { CausalSession(decoder: self.decoder, cache: self.decoder.read(PackedBatch(prompts.map { $0.dropLast() })).cache) },
            firstTokens: prompts.map { $0[$0.count - 1] }, ends: ends,
            limits: prompts.map { min(options.maximumLength ?? .max, configuration.positions - $0.count) },
            scores: { self.logits(Variable($0), on: nil).value }, mostProbable: mostProbable)
        return writer.write(options, prefixes: [], firstSource: firstSource)
    }

    /// For each state the most probable token, and log p of it or, where `wanted` names a token, of that.
    private func mostProbable(_ states: Tensor<Scalar>, wanted: [Int32]) -> (classes: [Int32], logProbabilities: [Double]) {
        guard configuration.logitCap != nil else {
            return Autograd.mostProbable(states, weight: head.weight, bias: head.bias, wanted: wanted, precision: head.precision)
        }
        let scores = logits(Variable(states), on: nil).value
        let best = (0..<scores.rows).map { Int32(Scalar.indexOfLargest(scores.view[$0])) }
        return (best, Scalar.tokenScores(scores.view, targets: zip(best, wanted).map { $1 < 0 ? $0 : $1 }).logProbabilities)
    }
}

/// Texts that a causal network is writing.
private struct CausalSession<Scalar: TensorScalar>: DecodingSession {
    let decoder: Decoder<Scalar>
    var cache: DecoderCache<Scalar>

    var hypotheses: Int { cache.lengths.count }
    mutating func advance(_ tokens: [Int32]) -> Tensor<Scalar> { decoder.advance(tokens, &cache) }
    mutating func select(_ rows: [Int]) { cache.select(rows) }
}

extension CausalNetwork where Scalar == Float {
    /// Fills stack and head from a checkpoint.
    /// - Throws: `DataError` that names a tensor that is missing or does not fit.
    package func load(from archive: some WeightArchive) throws {
        try Networks.load(decoder.checkpointEntries, from: archive, prefixes: decoder.checkpointPrefixes)
        if !headEntries.isEmpty { try Networks.load(headEntries, from: archive) }
    }
}
