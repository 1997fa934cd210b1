import Autograd
import Tensors

/// One recurrent layer in one direction, parameters as PyTorch names them.
package final class RecurrentLayer<Scalar: TensorScalar>: Module {
    /// LSTM, GRU or a plain recurrent cell.
    package let cell: RecurrentCell
    /// W and b, `(gates × hiddenSize, inputs)`.
    package let input: Linear<Scalar>
    /// U and b′, `(gates × hiddenSize, hiddenSize)`.
    package let recurrence: Linear<Scalar>

    /// A layer with zero weights.
    package init(cell: RecurrentCell, inputs: Int, hiddenSize: Int) {
        self.cell = cell
        input = Linear(inputs: inputs, outputs: cell.gates * hiddenSize)
        recurrence = Linear(inputs: hiddenSize, outputs: cell.gates * hiddenSize)
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { input.parameters + recurrence.parameters }
    /// Components of a hidden state.
    package var hiddenSize: Int { recurrence.inputs }

    /// States after each token, `(tokens, stateParts × hiddenSize)`.
    package func callAsFunction(
        _ x: Variable<Scalar>, offsets: [Int64], initial: Variable<Scalar>?, reversed: Bool = false, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        recurrent(
            input(x, on: tape), cell: cell, offsets: offsets, initial: initial, weight: recurrence.weight, bias: recurrence.bias,
            reversed: reversed, on: tape)
    }

    /// The outputs among the states.
    package func outputs(_ states: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        cell.stateParts == 1 ? states : columns(states, 0..<hiddenSize, on: tape)
    }
}

/// A recurrent network that reads a source and writes a target: plain (Sutskever et al. 2014), or with the attention of Bahdanau et al.
/// 2014 or Luong et al. 2015.
///
/// With attention, what the output layer reads is tanh(W [context; state]) (Luong's attentional vector) for every kind, so that the kinds
/// differ in how they score and nothing else. A bidirectional encoder's last states are taken to the decoder's size by a linear layer.
package final class RecurrentSeq2Seq<Scalar: TensorScalar>: Seq2SeqNetwork {
    /// The network's shape.
    package let configuration: Seq2SeqConfiguration
    /// The part of the configuration for this architecture.
    package let shape: Seq2SeqConfiguration.Recurrent
    /// The source's token table, `(vocabulary, embeddingSize)`.
    package let sourceWords: Parameter<Scalar>
    /// The target's token table, `(vocabulary, embeddingSize)`.
    package let targetWords: Parameter<Scalar>
    /// The layers that read the source.
    package let encoderLayers: [RecurrentLayer<Scalar>]
    /// The other direction, one for each of `encoderLayers`; empty in a unidirectional encoder.
    package let backwardLayers: [RecurrentLayer<Scalar>]
    /// From both directions' last states of a layer to the decoder's first state; one for each part of the state and layer.
    package let bridges: [Linear<Scalar>]
    /// The layers that write the target.
    package let decoderLayers: [RecurrentLayer<Scalar>]
    /// Keys from encoder states (general, concat, additive).
    package let keyProjection: Linear<Scalar>?
    /// Queries from decoder states (concat, additive).
    package let queryProjection: Linear<Scalar>?
    /// v, `(1, hiddenSize)` (concat, additive).
    package let scoreVector: Parameter<Scalar>?
    /// From state and context to the attentional output; nil without that step.
    package let combination: Linear<Scalar>?
    /// From decoder states to scores of the vocabulary.
    package let output: Linear<Scalar>

    /// - Parameter precision: what the output layer computes in when there is no tape: with a large vocabulary nearly all of the work.
    /// - Precondition: `configuration` describes a recurrent network and is valid.
    package init(_ configuration: Seq2SeqConfiguration, precision: Precision = .f32) {
        guard case .recurrent(let shape) = configuration.architecture else {
            preconditionFailure("not the configuration of a recurrent network")
        }
        self.configuration = configuration
        self.shape = shape
        let size = shape.hiddenSize, vocabulary = configuration.vocabularySize
        let memorySize = shape.bidirectional ? 2 * size : size
        func stack(_ first: Int, _ next: Int) -> [RecurrentLayer<Scalar>] {
            (0..<shape.layers).map { RecurrentLayer(cell: shape.cell, inputs: $0 == 0 ? first : next, hiddenSize: size) }
        }
        sourceWords = Parameter(Tensor(shape: [vocabulary, shape.embeddingSize]))
        targetWords = configuration.sharedEmbeddings ? sourceWords : Parameter(Tensor(shape: [vocabulary, shape.embeddingSize]))
        encoderLayers = stack(shape.embeddingSize, memorySize)
        backwardLayers = shape.bidirectional ? stack(shape.embeddingSize, memorySize) : []
        bridges =
            shape.bidirectional ? (0..<shape.layers * shape.cell.stateParts).map { _ in Linear(inputs: memorySize, outputs: size) } : []
        let fed = shape.attention == .additive ? memorySize : shape.inputFeeding ? size : 0
        decoderLayers = stack(shape.embeddingSize + fed, size)
        let scores = shape.attention == .additive || shape.attention == .concat
        keyProjection = scores || shape.attention == .general ? Linear(inputs: memorySize, outputs: size, bias: false) : nil
        queryProjection = scores ? Linear(inputs: size, outputs: size) : nil
        scoreVector = scores ? Parameter(Tensor(shape: [1, size])) : nil
        combination = shape.attention == .none ? nil : Linear(inputs: memorySize + size, outputs: size)
        output = Linear(
            sharing: configuration.tiedOutput ? targetWords : Parameter(Tensor(shape: [vocabulary, size])),
            bias: Parameter(Tensor(shape: [vocabulary])), precision: precision)
    }

    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] {
        embeddingParameters + encoderParameters + decoderLayers.flatMap(\.parameters) + attentionParameters
            + (configuration.tiedOutput ? [output.bias].compactMap { $0 } : output.parameters)
    }
    private var embeddingParameters: [Parameter<Scalar>] { [sourceWords] + (configuration.sharedEmbeddings ? [] : [targetWords]) }
    private var encoderParameters: [Parameter<Scalar>] {
        encoderLayers.flatMap(\.parameters) + backwardLayers.flatMap(\.parameters) + bridges.flatMap(\.parameters)
    }
    private var attentionParameters: [Parameter<Scalar>] {
        (keyProjection?.parameters ?? []) + (queryProjection?.parameters ?? []) + (scoreVector.map { [$0] } ?? [])
            + (combination?.parameters ?? [])
    }

    /// The groups that a parameter belongs to.
    package func groups(of parameter: Parameter<Scalar>) -> Set<ParameterGroup> {
        func holds(_ parameters: [Parameter<Scalar>]) -> Bool { parameters.contains { $0 === parameter } }
        var groups: Set<ParameterGroup> = []
        if holds(embeddingParameters) { groups.insert(.embeddings) }
        if holds(encoderParameters) { groups.insert(.encoder) }
        if holds(decoderLayers.flatMap(\.parameters)) { groups.insert(.decoder) }
        if holds((encoderLayers + backwardLayers + decoderLayers).flatMap(\.recurrence.parameters)) { groups.insert(.recurrence) }
        if holds(attentionParameters) { groups.formUnion([.attention, .decoder]) }
        if holds(output.parameters) { groups.formUnion([.output, .decoder]) }
        return groups
    }

    /// Uniform in ±1/√hiddenSize, as PyTorch's recurrent layers; embeddings normal with deviation 1.
    package func initialize(seed: UInt64) {
        let limit = 1 / Double(shape.hiddenSize).squareRoot()
        for (index, parameter) in parameters.enumerated() {
            var random = RandomSource(seed: seed).split(UInt64(index))
            // A tied table is an output layer as well, and must not begin with scores of size √hiddenSize.
            let isTable = embeddingParameters.contains { $0 === parameter } && !(configuration.tiedOutput && parameter === targetWords)
            parameter.fill { isTable ? random.normal() : limit * (2 * random.uniform() - 1) }
        }
    }

    // MARK: Encoder

    /// What the decoder keeps of the sources.
    private struct Memory: Sendable {
        /// Encoder outputs, `(source tokens, memorySize)`, and the keys made from them.
        var values: Variable<Scalar>
        var keys: Variable<Scalar>
        var offsets: [Int64]
    }

    /// What the decoder keeps of each hypothesis: a state for each layer, and what it is fed next to the last token.
    private struct DecoderState: Sendable {
        var layers: [Variable<Scalar>]
        var fed: Variable<Scalar>?
    }

    private func encode(_ source: PackedBatch, on tape: Tape<Scalar>?) -> (Memory, DecoderState) {
        var x = dropout(embedding(source.ids, table: sourceWords, on: tape), rate: configuration.dropout, on: tape)
        var initial: [Variable<Scalar>] = []
        let last = source.offsets.dropFirst().map { Int($0) - 1 }, first = source.offsets.dropLast().map(Int.init)
        let size = shape.hiddenSize
        for (index, layer) in encoderLayers.enumerated() {
            let states = layer(x, offsets: source.offsets, initial: nil, on: tape)
            let final = gatherRows(states, last, on: tape)
            if shape.bidirectional {
                let other = backwardLayers[index]
                let back = other(x, offsets: source.offsets, initial: nil, reversed: true, on: tape)
                let start = gatherRows(back, first, on: tape)
                x = concatenatedColumns([layer.outputs(states, on: tape), other.outputs(back, on: tape)], on: tape)
                let parts = (0..<shape.cell.stateParts).map { part in
                    let both = concatenatedColumns(
                        [
                            columns(final, part * size..<(part + 1) * size, on: tape),
                            columns(start, part * size..<(part + 1) * size, on: tape),
                        ], on: tape)
                    return bridges[index * shape.cell.stateParts + part](both, on: tape)
                }
                initial.append(concatenatedColumns(parts, on: tape))
            } else {
                x = layer.outputs(states, on: tape)
                initial.append(final)
            }
            if index < encoderLayers.count - 1 { x = dropout(x, rate: configuration.dropout, on: tape) }
        }
        let keys = shape.attention == .none ? x : keyProjection?(x, on: tape) ?? x
        let fed =
            shape.inputFeeding && shape.attention != .additive
            ? Variable<Scalar>(Tensor(shape: [source.sequences, size])) : nil
        return (Memory(values: x, keys: keys, offsets: source.offsets), DecoderState(layers: initial, fed: fed))
    }

    // MARK: Decoder

    private func look(
        from states: Variable<Scalar>, offsets: [Int64], _ memory: Memory, on tape: Tape<Scalar>?
    ) -> Alignment<Scalar> {
        align(
            queries: queryProjection?(states, on: tape) ?? states, keys: memory.keys, values: memory.values, additive: scoreVector,
            queryOffsets: offsets, keyOffsets: memory.offsets, on: tape)
    }

    private func combine(_ context: Variable<Scalar>, _ state: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        guard let combination else { return state }
        return combination(concatenatedColumns([context, state], on: tape), activation: .tanh, on: tape)
    }

    /// One token for each hypothesis.
    ///
    /// - Parameter queryOffsets: which hypotheses belong to which source of the memory.
    /// - Returns: decoder states `(hypotheses, readoutSize)` and attention weights.
    private func step(
        _ tokens: [Int32], _ state: inout DecoderState, _ memory: Memory, queryOffsets: [Int64], on tape: Tape<Scalar>?
    ) -> (Variable<Scalar>, Tensor<Scalar>?) {
        let offsets = (0...tokens.count).map(Int64.init)
        let top = decoderLayers.count - 1
        var x = dropout(embedding(tokens, table: targetWords, on: tape), rate: configuration.dropout, on: tape)
        var alignment: Alignment<Scalar>?
        if shape.attention == .additive {
            alignment = look(from: decoderLayers[top].outputs(state.layers[top], on: tape), offsets: queryOffsets, memory, on: tape)
        }
        if let fed = alignment?.context ?? state.fed { x = concatenatedColumns([x, fed], on: tape) }
        for (index, layer) in decoderLayers.enumerated() {
            if index > 0 { x = dropout(x, rate: configuration.dropout, on: tape) }
            state.layers[index] = layer(x, offsets: offsets, initial: state.layers[index], on: tape)
            x = layer.outputs(state.layers[index], on: tape)
        }
        if shape.attention != .none, shape.attention != .additive { alignment = look(from: x, offsets: queryOffsets, memory, on: tape) }
        let readout = alignment.map { combine($0.context, x, on: tape) } ?? x
        if shape.inputFeeding, shape.attention != .additive { state.fed = readout }
        return (readout, alignment?.weights)
    }

    /// Whether a step needs what attention found in the step before.
    private var isStepwise: Bool { shape.attention == .additive || shape.inputFeeding }

    /// Decoder states, `(decoder input tokens, readoutSize)`: state t has seen the source and inputs 0 … t.
    ///
    /// - Precondition: as many sources as decoder inputs, none empty, ids in the vocabulary, lengths within `maximumLength`.
    package func states(source: PackedBatch, decoderInput: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        states(source: source, decoderInput: decoderInput, eachStep: nil, on: tape)
    }

    private func states(
        source: PackedBatch, decoderInput: PackedBatch, eachStep: ((Tensor<Scalar>) -> Void)?, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        precondition(source.sequences == decoderInput.sequences)
        if !isStepwise {
            let (memory, initial) = encode(source, on: tape)
            var x = dropout(embedding(decoderInput.ids, table: targetWords, on: tape), rate: configuration.dropout, on: tape)
            for (index, layer) in decoderLayers.enumerated() {
                if index > 0 { x = dropout(x, rate: configuration.dropout, on: tape) }
                x = layer.outputs(layer(x, offsets: decoderInput.offsets, initial: initial.layers[index], on: tape), on: tape)
            }
            if shape.attention == .none { return x }
            let alignment = look(from: x, offsets: decoderInput.offsets, memory, on: tape)
            eachStep?(alignment.weights)
            return combine(alignment.context, x, on: tape)
        }
        // Longest targets first: the sequences still running are then always the first rows.
        let order = (0..<source.sequences).sorted { (-decoderInput.length($0), $0) < (-decoderInput.length($1), $1) }
        let (memory, initial) = encode(PackedBatch(order.map { Array(source[$0]) }), on: tape)
        var state = initial, running = order.count
        var parts: [Variable<Scalar>] = [], rows = [Int](repeating: 0, count: decoderInput.tokens), filled = 0
        for t in 0..<decoderInput.longest {
            let still = order.prefix { decoderInput.length($0) > t }
            if still.count < running {
                let kept = Array(0..<still.count)
                state.layers = state.layers.map { gatherRows($0, kept, on: tape) }
                state.fed = state.fed.map { gatherRows($0, kept, on: tape) }
                running = still.count
            }
            var remembered = memory
            remembered.offsets = Array(memory.offsets[0...running])
            let tokens = still.map { decoderInput.ids[Int(decoderInput.offsets[$0]) + t] }
            let (readout, weights) = step(tokens, &state, remembered, queryOffsets: (0...running).map(Int64.init), on: tape)
            if let weights { eachStep?(weights) }
            parts.append(readout)
            for (row, sequence) in still.enumerated() { rows[Int(decoderInput.offsets[sequence]) + t] = filled + row }
            filled += running
        }
        return gatherRows(concatenatedRows(parts, on: tape), rows, on: tape)
    }

    /// Where the network looks while it reads `source` and writes from `decoderInput`, as far as it has attention.
    package func attentionMaps(source: [Int32], decoderInput: [Int32]) -> [AttentionMap<Scalar>] {
        guard shape.attention != .none else { return [] }
        var weights: [Scalar] = []
        _ = states(source: PackedBatch([source]), decoderInput: PackedBatch([decoderInput]), eachStep: { weights += $0.elements }, on: nil)
        return [
            AttentionMap(
                place: .cross, layer: shape.layers - 1, head: 0, weights: Tensor(weights, shape: [decoderInput.count, source.count]))
        ]
    }

    // MARK: Token after token

    /// Reads the sources; the session starts with one hypothesis for each.
    package func beginDecoding(_ source: PackedBatch) -> any DecodingSession<Scalar> { Session(self, source) }

    private struct Session: DecodingSession {
        let network: RecurrentSeq2Seq
        let memory: Memory
        var state: DecoderState
        var sources: HypothesisSources

        init(_ network: RecurrentSeq2Seq, _ source: PackedBatch) {
            self.network = network
            (memory, state) = network.encode(source, on: nil)
            sources = HypothesisSources(sources: source.sequences)
        }

        var hypotheses: Int { sources.count }

        mutating func advance(_ tokens: [Int32]) -> Tensor<Scalar> {
            precondition(tokens.count == hypotheses)
            return network.step(tokens, &state, memory, queryOffsets: sources.offsets, on: nil).0.value
        }

        mutating func select(_ rows: [Int]) {
            if rows.elementsEqual(0..<hypotheses) { return }
            sources.select(rows)
            state.layers = state.layers.map { gatherRows($0, rows, on: nil) }
            state.fed = state.fed.map { gatherRows($0, rows, on: nil) }
        }
    }

    // MARK: Checkpoint

    /// Every parameter with its checkpoint keys.
    package var checkpointEntries: [CheckpointEntry<Scalar>] {
        var entries: [CheckpointEntry<Scalar>] = []
        func add(_ key: String, _ parameter: Parameter<Scalar>?) {
            if let parameter { entries.append(CheckpointEntry(key: key, parameter: parameter, rows: nil)) }
        }
        func add(_ key: String, _ linear: Linear<Scalar>?) {
            add(key + ".weight", linear?.weight)
            add(key + ".bias", linear?.bias)
        }
        func add(_ side: String, _ layers: [RecurrentLayer<Scalar>], suffix: String = "") {
            for (index, layer) in layers.enumerated() {
                add("\(side).rnn.weight_ih_l\(index)\(suffix)", layer.input.weight)
                add("\(side).rnn.weight_hh_l\(index)\(suffix)", layer.recurrence.weight)
                add("\(side).rnn.bias_ih_l\(index)\(suffix)", layer.input.bias)
                add("\(side).rnn.bias_hh_l\(index)\(suffix)", layer.recurrence.bias)
            }
        }
        if configuration.sharedEmbeddings {
            add("shared.weight", sourceWords)
        } else {
            add("encoder.embed_tokens.weight", sourceWords)
            add("decoder.embed_tokens.weight", targetWords)
        }
        add("encoder", encoderLayers)
        add("encoder", backwardLayers, suffix: "_reverse")
        for (index, bridge) in bridges.enumerated() { add("bridge.\(index)", bridge) }
        add("decoder", decoderLayers)
        add("attention.key", keyProjection)
        add("attention.query", queryProjection)
        add("attention.score.weight", scoreVector)
        add("attention.combination", combination)
        if !configuration.tiedOutput { add("lm_head.weight", output.weight) }
        add("lm_head.bias", output.bias)
        return entries
    }
}
