import Autograd
import Foundation
import Tensors

/// A Transformer that reads a source and writes a target (Vaswani et al. 2017), post- or pre-norm, over packed batches.
package final class EncoderDecoder<Scalar: TensorScalar>: Seq2SeqNetwork {
    /// The network's shape.
    package let configuration: Seq2SeqConfiguration
    /// The part of the configuration for this architecture.
    package let shape: Seq2SeqConfiguration.Transformer
    /// The source's token table, `(vocabulary, embeddingSize)`.
    package let sourceWords: Parameter<Scalar>
    /// The very same parameter as `sourceWords` where embeddings are shared.
    package let targetWords: Parameter<Scalar>
    /// Learned, or the sinusoids, which no training changes.
    package let sourcePositions: Parameter<Scalar>
    /// The target's position table, `(maximumLength, hiddenSize)`.
    package let targetPositions: Parameter<Scalar>
    /// The layers that read the source.
    package let encoderLayers: [EncoderLayer<Scalar>]
    /// The layers that write the target.
    package let decoderLayers: [DecoderLayer<Scalar>]
    /// The norm after the encoder's last layer; nil if there is none.
    package let encoderNorm: LayerNorm<Scalar>?
    /// The norm after the decoder's last layer; nil if there is none.
    package let decoderNorm: LayerNorm<Scalar>?
    /// From decoder states to scores of the vocabulary.
    package let output: Linear<Scalar>

    /// - Parameter precision: what every product computes in when there is no tape.
    /// - Precondition: `configuration` describes a Transformer and is valid.
    package init(_ configuration: Seq2SeqConfiguration, precision: Precision = .f32) {
        guard case .transformer(let shape) = configuration.architecture else {
            preconditionFailure("not the configuration of a Transformer")
        }
        self.configuration = configuration
        self.shape = shape
        let size = shape.hiddenSize, vocabulary = configuration.vocabularySize
        var layer = EncoderConfiguration(
            vocabularySize: vocabulary, hiddenSize: size, layers: shape.encoderLayers,
            attentionHeads: shape.attentionHeads, intermediateSize: shape.intermediateSize)
        layer.activation = shape.activation
        layer.normPlacement = shape.normPlacement
        layer.dropout = configuration.dropout
        layer.layerNormEpsilon = 1e-5
        sourceWords = Parameter(Tensor(shape: [vocabulary, size]))
        targetWords = configuration.sharedEmbeddings ? sourceWords : Parameter(Tensor(shape: [vocabulary, size]))
        let table =
            shape.positions == .sinusoidal
            ? sinusoidalPositions(configuration.maximumLength, size: size) : Tensor<Scalar>(shape: [configuration.maximumLength, size])
        sourcePositions = Parameter(table, isTrainable: shape.positions == .learned)
        targetPositions = shape.positions == .sinusoidal ? sourcePositions : Parameter(table)
        encoderLayers = (0..<shape.encoderLayers).map { _ in EncoderLayer(layer, precision: precision) }
        decoderLayers = (0..<shape.decoderLayers).map { _ in DecoderLayer(layer, precision: precision) }
        encoderNorm = shape.finalNorm ? LayerNorm(size: size, epsilon: layer.layerNormEpsilon) : nil
        decoderNorm = shape.finalNorm ? LayerNorm(size: size, epsilon: layer.layerNormEpsilon) : nil
        let bias = Parameter(Tensor<Scalar>(shape: [vocabulary]))
        output = Linear(
            sharing: configuration.tiedOutput ? targetWords : Parameter(Tensor(shape: [vocabulary, size])), bias: bias,
            precision: precision)
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { embeddingParameters + encoderParameters + decoderParameters + outputParameters }

    private var embeddingParameters: [Parameter<Scalar>] {
        [sourceWords] + (configuration.sharedEmbeddings ? [] : [targetWords])
            + (shape.positions == .learned ? [sourcePositions, targetPositions] : [])
    }
    private var encoderParameters: [Parameter<Scalar>] { encoderLayers.flatMap(\.parameters) + (encoderNorm?.parameters ?? []) }
    private var decoderParameters: [Parameter<Scalar>] { decoderLayers.flatMap(\.parameters) + (decoderNorm?.parameters ?? []) }
    private var outputParameters: [Parameter<Scalar>] {
        configuration.tiedOutput ? output.bias.map { [$0] } ?? [] : output.parameters
    }

    /// The groups that a parameter belongs to.
    package func groups(of parameter: Parameter<Scalar>) -> Set<ParameterGroup> {
        func holds(_ parameters: [Parameter<Scalar>]) -> Bool { parameters.contains { $0 === parameter } }
        var groups: Set<ParameterGroup> = []
        if holds(embeddingParameters) { groups.insert(.embeddings) }
        if holds(encoderParameters) { groups.insert(.encoder) }
        if holds(decoderParameters) { groups.insert(.decoder) }
        if holds(output.parameters) { groups.formUnion([.output, .decoder]) }
        if holds(
            encoderLayers.flatMap(\.attention.parameters) + decoderLayers.flatMap { $0.attention.parameters + $0.crossAttention.parameters }
        ) {
            groups.insert(.attention)
        }
        return groups
    }

    /// Glorot-uniform matrices, embeddings of variance 1/hiddenSize, biases zero, scales one.
    package func initialize(seed: UInt64) {
        for (index, parameter) in parameters.enumerated() where parameter.shape.count == 2 {
            var random = RandomSource(seed: seed).split(UInt64(index))
            let isTable = embeddingParameters.contains { $0 === parameter }
            let deviation = 1 / Double(shape.hiddenSize).squareRoot()
            let limit = (6 / Double(parameter.value.rows + parameter.value.columns)).squareRoot()
            parameter.fill { isTable ? deviation * random.normal() : limit * (2 * random.uniform() - 1) }
        }
    }

    // MARK: All positions at once

    private func embed(
        _ ids: [Int32], positions: [Int32], _ words: Parameter<Scalar>, _ table: Parameter<Scalar>, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        guard shape.scaledEmbeddings else {
            return dropout(embeddingSum([(ids, words), (positions, table)], on: tape), rate: configuration.dropout, on: tape)
        }
        let scale = Scalar(shape.hiddenSize).squareRoot()
        let embedded = sum(
            scaled(embedding(ids, table: words, on: tape), by: scale, on: tape), embedding(positions, table: table, on: tape), on: tape)
        return dropout(embedded, rate: configuration.dropout, on: tape)
    }

    /// Encoder states, `(source tokens, hiddenSize)`.
    package func encode(
        _ source: PackedBatch, eachLayer: ((Int, Variable<Scalar>) -> Void)? = nil, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        var x = embed(source.ids, positions: source.positions(), sourceWords, sourcePositions, on: tape)
        for (index, layer) in encoderLayers.enumerated() {
            eachLayer?(index, x)
            x = layer(x, offsets: source.offsets, on: tape)
        }
        return encoderNorm?(x, on: tape) ?? x
    }

    /// Decoder states, `(decoder input tokens, readoutSize)`: state t has seen the source and inputs 0 … t.
    ///
    /// - Precondition: as many sources as decoder inputs, none empty, ids in the vocabulary, lengths within `maximumLength`.
    package func states(source: PackedBatch, decoderInput: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        precondition(source.sequences == decoderInput.sequences)
        let memory = encode(source, on: tape)
        return decode(decoderInput, memory: memory, memoryOffsets: source.offsets, eachLayer: nil, on: tape)
    }

    private func decode(
        _ input: PackedBatch, memory: Variable<Scalar>, memoryOffsets: [Int64],
        eachLayer: ((_ layer: Int, _ selfInput: Variable<Scalar>?, _ crossInput: Variable<Scalar>?, _ memory: Variable<Scalar>) -> Void)?,
        on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        var x = embed(input.ids, positions: input.positions(), targetWords, targetPositions, on: tape)
        for (index, layer) in decoderLayers.enumerated() {
            let keyValues = layer.crossAttention.keyValue(memory, on: tape)
            x = layer.run(x, on: tape) { states in
                eachLayer?(index, states, nil, keyValues)
                return layer.attention(states, offsets: input.offsets, mask: .causal, on: tape)
            } crossAttend: { states in
                eachLayer?(index, nil, states, keyValues)
                return layer.crossAttention(states, offsets: input.offsets, memory: keyValues, memoryOffsets: memoryOffsets, on: tape)
            }
        }
        return decoderNorm?(x, on: tape) ?? x
    }

    /// Where the network looks while it reads `source` and writes from `decoderInput`, as far as it has attention.
    package func attentionMaps(source: [Int32], decoderInput: [Int32]) -> [AttentionMap<Scalar>] {
        var maps: [AttentionMap<Scalar>] = []
        func add(_ place: AttentionMap<Scalar>.Place, _ layer: Int, _ weights: Tensor<Scalar>) {
            let (heads, queries, keys) = (weights.shape[0], weights.shape[1], weights.shape[2])
            let flat = weights.reshaped([heads * queries, keys])
            for head in 0..<heads {
                maps.append(AttentionMap(place: place, layer: layer, head: head, weights: flat.rows(head * queries..<(head + 1) * queries)))
            }
        }
        let sources = PackedBatch([source])
        let memory = encode(
            sources,
            eachLayer: { index, x in
                let layer = self.encoderLayers[index]
                add(.encoder, index, layer.attention.weights(self.shape.normPlacement == .pre ? layer.attentionNorm?(x, on: nil) ?? x : x))
            }, on: nil)
        _ = decode(
            PackedBatch([decoderInput]), memory: memory, memoryOffsets: sources.offsets,
            eachLayer: { index, own, cross, keyValues in
                let layer = self.decoderLayers[index]
                if let own { add(.decoder, index, layer.attention.weights(own, mask: .causal)) }
                if let cross { add(.cross, index, layer.crossAttention.weights(cross, memory: keyValues)) }
            }, on: nil)
        return maps
    }

    // MARK: Token after token

    /// Reads the sources; the session starts with one hypothesis for each.
    package func beginDecoding(_ source: PackedBatch) -> any DecodingSession<Scalar> { Session(self, source) }

    private struct Session: DecodingSession {
        let network: EncoderDecoder
        let memoryOffsets: [Int64]
        /// Of each layer.
        let memory: [Variable<Scalar>]
        var caches: [KeyValueCache<Scalar>]
        var sources: HypothesisSources
        var position: Int32 = 0

        init(_ network: EncoderDecoder, _ source: PackedBatch) {
            self.network = network
            let states = network.encode(source, on: nil)
            memory = network.decoderLayers.map { $0.crossAttention.keyValue(states, on: nil) }
            memoryOffsets = source.offsets
            sources = HypothesisSources(sources: source.sequences)
            caches = network.decoderLayers.map { _ in KeyValueCache(hypotheses: source.sequences, size: network.shape.hiddenSize) }
        }

        var hypotheses: Int { sources.count }

        mutating func advance(_ tokens: [Int32]) -> Tensor<Scalar> {
            precondition(tokens.count == hypotheses && Int(position) < network.configuration.maximumLength)
            let positions = [Int32](repeating: position, count: tokens.count)
            var x = network.embed(tokens, positions: positions, network.targetWords, network.targetPositions, on: nil)
            let (memory, memoryOffsets, sources) = (memory, memoryOffsets, sources.source)
            for (index, layer) in network.decoderLayers.enumerated() {
                x = layer.run(x, on: nil) { states in
                    let fused = layer.attention.projection(states, on: nil)
                    return layer.attention.output(Variable(caches[index].attend(fused.value, heads: layer.attention.heads)), on: nil)
                } crossAttend: { states in
                    layer.crossAttention.step(states, sources: sources, memory: memory[index], memoryOffsets: memoryOffsets)
                }
            }
            position += 1
            return (network.decoderNorm?(x, on: nil) ?? x).value
        }

        mutating func select(_ rows: [Int]) {
            sources.select(rows)
            for index in caches.indices { caches[index].select(rows) }
        }
    }

    // MARK: Checkpoint

    /// Keys after the custom of Hugging Face's encoder–decoder models (BART, Marian).
    package var checkpointEntries: [CheckpointEntry<Scalar>] {
        var keys = CheckpointKeys<Scalar>()
        func addAttention(_ key: String, _ attention: SelfAttention<Scalar>) {
            keys.add(["q_proj", "k_proj", "v_proj"].map { key + $0 }, stackedIn: attention.projection)
            keys.add(key + "out_proj", attention.output)
        }
        if configuration.sharedEmbeddings {
            keys.add("shared.weight", sourceWords)
        } else {
            keys.add("encoder.embed_tokens.weight", sourceWords)
            keys.add("decoder.embed_tokens.weight", targetWords)
        }
        if shape.positions == .learned {
            keys.add("encoder.embed_positions.weight", sourcePositions)
            keys.add("decoder.embed_positions.weight", targetPositions)
        }
        for (index, layer) in encoderLayers.enumerated() {
            let prefix = "encoder.layers.\(index)."
            addAttention(prefix + "self_attn.", layer.attention)
            keys.add(prefix + "self_attn_layer_norm", layer.attentionNorm)
            keys.add(prefix + "fc1", layer.feedForward.up)
            keys.add(prefix + "fc2", layer.feedForward.down)
            keys.add(prefix + "final_layer_norm", layer.feedForwardNorm)
        }
        keys.add("encoder.layer_norm", encoderNorm)
        for (index, layer) in decoderLayers.enumerated() {
            let prefix = "decoder.layers.\(index)."
            addAttention(prefix + "self_attn.", layer.attention)
            keys.add(prefix + "self_attn_layer_norm", layer.attentionNorm)
            keys.add(prefix + "encoder_attn.q_proj", layer.crossAttention.query)
            keys.add([prefix + "encoder_attn.k_proj", prefix + "encoder_attn.v_proj"], stackedIn: layer.crossAttention.keyValue)
            keys.add(prefix + "encoder_attn.out_proj", layer.crossAttention.output)
            keys.add(prefix + "encoder_attn_layer_norm", layer.crossAttentionNorm)
            keys.add(prefix + "fc1", layer.feedForward.up)
            keys.add(prefix + "fc2", layer.feedForward.down)
            keys.add(prefix + "final_layer_norm", layer.feedForwardNorm)
        }
        keys.add("decoder.layer_norm", decoderNorm)
        if !configuration.tiedOutput { keys.add("lm_head.weight", output.weight) }
        keys.add("lm_head.bias", output.bias)
        return keys.entries
    }
}

/// The position table of Vaswani et al. 2017, `(count, size)`: column 2i of row p is sin(p / 10000^(2i/size)), column 2i + 1 its cosine.
package func sinusoidalPositions<S: TensorScalar>(_ count: Int, size: Int) -> Tensor<S> {
    Tensor(
        (0..<count).flatMap { p in
            (0..<size).map { c in
                let angle = Double(p) / pow(10_000, Double(c / 2 * 2) / Double(size))
                return S(c % 2 == 0 ? sin(angle) : cos(angle))
            }
        }, shape: [count, size])
}
