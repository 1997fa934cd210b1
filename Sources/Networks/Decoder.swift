import Autograd
import Tensors

/// A stack of decoder blocks (Radford et al. 2019, and what came of it) over packed batches. With a tape it trains; without one it infers,
/// by the same code. `configuration` determines which parts it has.
package final class Decoder<Scalar: TensorScalar>: LayeredNetwork {
    /// The network's shape.
    package let configuration: DecoderConfiguration
    /// The token table, `(vocabulary, embeddingSize)`.
    package let words: Parameter<Scalar>
    /// Absent where positions act in attention alone.
    package let positions: Parameter<Scalar>?
    /// `(buckets, heads)`, of T5.
    package let relativeBiasTable: Parameter<Scalar>?
    /// The layers.
    package let blocks: [DecoderBlock<Scalar>]
    /// The norm after the last layer.
    package let finalNorm: DecoderNorm<Scalar>
    private let angles = RotaryCache<Scalar>()

    /// Zeros, to be filled by a checkpoint or by `initialize`.
    ///
    /// - Parameter precision: what the blocks' products compute in when there is no tape.
    package init(_ configuration: DecoderConfiguration, precision: Precision = .f32) {
        self.configuration = configuration
        let size = configuration.hiddenSize
        words = Parameter(Tensor(shape: [configuration.vocabularySize, size]))
        positions = configuration.hasPositionTable ? Parameter(Tensor(shape: [configuration.positions, size])) : nil
        relativeBiasTable = configuration.relativeBias.map { Parameter(Tensor(shape: [$0.rows, configuration.attentionHeads])) }
        blocks = (0..<configuration.layers).map { _ in DecoderBlock(configuration, precision: precision) }
        finalNorm = DecoderNorm(configuration)
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        [words, positions, relativeBiasTable].compactMap(\.self) + blocks.flatMap(\.parameters) + finalNorm.parameters
    }

    /// Components of a hidden state.
    package var hiddenSize: Int { configuration.hiddenSize }
    /// Layers above the embeddings.
    package var layerCount: Int { configuration.layers }
    /// Attention heads of a layer.
    package var attentionHeads: Int { configuration.attentionHeads }
    /// Most tokens of a sequence.
    package var longestSequence: Int { configuration.positions }
    /// Number of token ids.
    package var vocabularySize: Int { configuration.vocabularySize }
    /// Whether a token's state depends on the tokens before it alone.
    package var isCausal: Bool { configuration.isCausal }
    /// Whether tokens of a first and of a second text get segment embeddings of their own.
    package var hasSegments: Bool { false }

    /// Random weights as GPT-2's: normal with deviation 0.02 for matrices and tables, those that end a residual branch smaller by
    /// √(2 × layers); zeros for biases, ones for scales.
    package func initialize(seed: UInt64) {
        let ends = Set(blocks.flatMap { [$0.attention.output.weight, $0.feedForward.down.weight] }.map(ObjectIdentifier.init))
        let shrunk = 0.02 / Double(2 * configuration.layers).squareRoot()
        for (index, parameter) in parameters.enumerated() where parameter.shape.count == 2 {
            var random = RandomSource(seed: seed).split(UInt64(index))
            let deviation = ends.contains(ObjectIdentifier(parameter)) ? shrunk : 0.02
            parameter.fill { deviation * random.normal() }
        }
    }

    /// A network of the same shape with random weights.
    package func untrained(seed: UInt64) -> any LayeredNetwork<Scalar> {
        let network = Decoder(configuration)
        network.initialize(seed: seed)
        return network
    }

    /// A stack of the same values that computes in another precision.
    package func computing(in precision: Precision) -> Decoder {
        let other = Decoder(configuration, precision: precision)
        other.take(from: self)
        return other
    }

    /// Hidden states after the final norm, `(tokens, hiddenSize)`, from embeddings.
    package func callAsFunction(
        _ embeddings: Variable<Scalar>, offsets: [Int64], eachLayer: ((Int, Variable<Scalar>) -> Void)? = nil, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        let lengths = zip(offsets, offsets.dropFirst()).map { Int($1 - $0) }, longest = lengths.max() ?? 0,
            bias = bias(longest: longest, on: tape)
        return run(embeddings, places: lengths.flatMap { 0..<Int32($0) }, longest: longest, eachLayer: eachLayer, on: tape) {
            index, x, rotary in
            let attention = blocks[index].attention
            return attention.attend(
                attention.fused(x, rotary: rotary, on: tape), offsets: offsets, mask: configuration.mask(ofLayer: index),
                bias: bias, on: tape)
        }
    }

    /// What the first block gets, `(tokens, hiddenSize)`: words, and positions where the family learns them.
    package func embeddings(of batch: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        embeddings(batch.ids, places: batch.positions(), on: tape)
    }

    private func embeddings(_ ids: [Int32], places: [Int32], on tape: Tape<Scalar>?) -> Variable<Scalar> {
        var x = embeddingSum([(ids, words)] + (positions.map { [(places, $0)] } ?? []), on: tape)
        if configuration.embeddingScale != 1 { x = scaled(x, by: Scalar(configuration.embeddingScale), on: tape) }
        return dropout(x, rate: configuration.dropout, on: tape)
    }

    private func bias(longest: Int, on tape: Tape<Scalar>?) -> Variable<Scalar>? {
        relativeBiasTable.flatMap { table in
            configuration.relativeBias.map { relativeBias(table: table, length: longest, bucket: $0.bucket, on: tape) }
        }
    }

    /// All blocks, whatever their attention looks at.
    ///
    /// - Parameters:
    ///   - places: of each token in its sequence.
    ///   - longest: more than every place.
    ///   - attend: the attention of a layer, given its normalized input and how places turn queries and keys.
    private func run(
        _ embeddings: Variable<Scalar>, places: [Int32], longest: Int, eachLayer: ((Int, Variable<Scalar>) -> Void)?,
        on tape: Tape<Scalar>?,
        attend: (_ layer: Int, _ x: Variable<Scalar>, _ rotary: (positions: [Int32], angles: RotaryAngles<Scalar>)?) -> Variable<Scalar>
    ) -> Variable<Scalar> {
        var x = embeddings
        eachLayer?(0, x)
        for (index, block) in blocks.enumerated() {
            let rotary = configuration.rotary(ofLayer: index).map { (places, angles.angles($0, positions: longest)) }
            x = block(x, on: tape) { attend(index, $0, rotary) }
            if index == blocks.count - 1 { x = finalNorm(x, on: tape) }
            eachLayer?(index + 1, x)
        }
        return x
    }

    // MARK: Token by token

    /// Reads the beginnings of texts, and keeps their keys and values for what follows.
    ///
    /// - Returns: the cache, and the hidden state of each sequence's last token, `(sequences, hiddenSize)`.
    /// - Precondition: the stack is causal, and no sequence is empty.
    package func begin(_ batch: PackedBatch) -> (cache: DecoderCache<Scalar>, states: Tensor<Scalar>) {
        precondition((0..<batch.sequences).allSatisfy { batch.length($0) > 0 })
        let (cache, states) = read(batch)
        return (cache, gatherRows(states, batch.offsets.dropFirst().map { Int($0) - 1 }, on: nil).value)
    }

    /// The same where sequences may be empty; the states are those of all tokens.
    func read(_ batch: PackedBatch) -> (cache: DecoderCache<Scalar>, states: Variable<Scalar>) {
        precondition(configuration.isCausal)
        var cache = DecoderCache<Scalar>(
            layers: configuration.layers, size: configuration.keyValueHeads * configuration.headSize,
            lengths: (0..<batch.sequences).map(batch.length))
        guard batch.tokens > 0 else { return (cache, Variable(Tensor(shape: [0, hiddenSize]))) }
        let states = run(embeddings(of: batch, on: nil), places: batch.positions(), longest: batch.longest, eachLayer: nil, on: nil) {
            index, x, rotary in
            let attention = blocks[index].attention, fused = attention.fused(x, rotary: rotary, on: nil)
            cache.keep(fused.value, offsets: batch.offsets, layer: index)
            return attention.attend(fused, offsets: batch.offsets, mask: configuration.mask(ofLayer: index), bias: nil, on: nil)
        }
        return (cache, states)
    }

    /// Reads one more token of each sequence of the cache.
    ///
    /// - Returns: their hidden states, `(sequences, hiddenSize)`. A row does not depend on the others.
    package func advance(_ ids: [Int32], _ cache: inout DecoderCache<Scalar>) -> Tensor<Scalar> {
        precondition(ids.count == cache.lengths.count)
        cache.makeRoom()
        let places = cache.lengths.map(Int32.init), longest = (cache.lengths.max() ?? 0) + 1
        let states = run(embeddings(ids, places: places, on: nil), places: places, longest: longest, eachLayer: nil, on: nil) {
            index, x, rotary in
            let attention = blocks[index].attention
            return attention.attend(
                attention.fused(x, rotary: rotary, on: nil).value, cache: &cache, layer: index,
                mask: configuration.mask(ofLayer: index))
        }
        cache.grow()
        return states.value
    }

    // MARK: Looking inside

    /// How much each token of one sequence looks at each other one, for every layer `(heads, tokens, tokens)`; rows sum to 1.
    ///
    /// - Precondition: the batch holds one sequence.
    package func attentionWeights(of batch: PackedBatch) -> [Tensor<Scalar>] {
        precondition(batch.sequences == 1, "attention is looked at one sequence at a time")
        let bias = bias(longest: batch.tokens, on: nil)
        var weights: [Tensor<Scalar>] = []
        _ = run(embeddings(of: batch, on: nil), places: batch.positions(), longest: batch.tokens, eachLayer: nil, on: nil) {
            index, x, rotary in
            let attention = blocks[index].attention, fused = attention.fused(x, rotary: rotary, on: nil),
                mask = configuration.mask(ofLayer: index)
            weights.append(attention.weights(fused, mask: mask, bias: bias?.value))
            return attention.attend(fused, offsets: batch.offsets, mask: mask, bias: bias, on: nil)
        }
        return weights
    }

    // MARK: Checkpoints

    /// Every parameter with its checkpoint keys.
    package var checkpointEntries: [CheckpointEntry<Scalar>] {
        var keys = CheckpointKeys<Scalar>()
        family.keys(&keys, of: self)
        return keys.entries
    }

    /// What may be before every key.
    package var checkpointPrefixes: [String] { family.prefixes }

    var family: any DecoderFamily.Type { decoderFamily(configuration.modelType) ?? Llama.self }
}
