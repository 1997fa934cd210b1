import Autograd
import Networks
import Tensors
import Testing

/// Whole encoders in Double against finite differences, so that every operation that only some family uses is checked where it is used.
@Suite struct EncoderGradientTests {
    /// Random weights that leave no part of the network near zero.
    func encoder(_ name: String) throws -> (Encoder<Double>, PackedBatch) {
        let model = try GoldenModel(name)
        var configuration = model.configuration
        configuration.dropout = 0
        let single = Encoder<Float>(configuration), double = Encoder<Double>(configuration)
        try load(single.checkpointEntries, from: model.archive, prefixes: single.checkpointPrefixes)
        for (from, to) in zip(single.parameters, double.parameters) { to.assign(from.value.converted(to: Double.self)) }
        var batch = PackedBatch()
        for (ids, types) in [([7, 9, 30, 8, 12, 51, 60], [0, 0, 0, 0, 0, 0, 0]), ([5, 6, 7], [0, 0, 0])] as [([Int32], [Int32])] {
            batch.append(ids, typeIDs: types)
        }
        return (double, batch)
    }

    @Test(
        "Gradients agree with finite differences",
        arguments: [
            "bert", "mpnet", "albert-inner", "deberta-v3", "deberta-v2", "deberta-v2-own",
            "modernbert", "nomic_bert",
        ])
    func gradients(name: String) throws {
        let (encoder, batch) = try encoder(name)
        check(encoder, batch)
    }

    @Test(
        "Gradients of decoders agree with finite differences",
        arguments: [
            "gpt2", "gpt_neox", "llama-linear", "llama-yarn", "qwen3", "gemma2", "gemma3",
            "gemma3-bidirectional", "t5-gated",
        ])
    func decoderGradients(name: String) throws {
        let model = try GoldenDecoder(name)
        var configuration = model.configuration
        configuration.dropout = 0
        let single = try model.decoder(), decoder = Decoder<Double>(configuration)
        for (from, to) in zip(single.parameters, decoder.parameters) { to.assign(from.value.converted(to: Double.self)) }
        check(decoder, PackedBatch([[7, 9, 30, 8, 12, 51, 60, 7, 5, 9, 14], [5, 6, 7]]))
    }

    private func check(_ encoder: some LayeredNetwork<Double>, _ batch: PackedBatch) {
        let size = encoder.hiddenSize
        var random = RandomSource(seed: 3)
        let weights = Tensor((0..<batch.tokens * size).map { _ in random.normal() }, shape: [batch.tokens, size])
        func loss() -> Double {
            let states = encoder(batch, on: nil).value
            return zip(states.elements, weights.elements).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let tape = Tape<Double>()
        tape.backward(from: encoder(batch, on: tape), seed: weights)
        let step = 1e-5
        for (index, parameter) in encoder.parameters.enumerated() {
            let gradient = tape.gradient(of: parameter)
            // The largest elements: most of a table belongs to tokens and distances that do not occur.
            let scale = gradient.elements.map(abs).max() ?? 0
            let places = (0..<parameter.value.count).filter { abs(gradient[$0]) > 0.3 * scale }
            for place in [places.first, places.last, places.isEmpty ? nil : places[places.count / 2]].compactMap(\.self) {
                let value = parameter.value[place]
                parameter.set(place, value + step)
                let above = loss()
                parameter.set(place, value - step)
                let below = loss()
                parameter.set(place, value)
                let difference = (above - below) / (2 * step)
                #expect(
                    abs(difference - gradient[place]) <= 1e-5 * max(1, scale), "parameter \(index) \(parameter.shape), element \(place)")
            }
        }
    }
}

extension Parameter {
    /// One element changed, as an optimizer changes all of them.
    func set(_ index: Int, _ number: Scalar) {
        var value = take()
        value[index] = number
        giveBack(value)
    }
}
