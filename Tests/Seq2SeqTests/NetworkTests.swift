import Autograd
import FileFormats
import Networks
import Tensors
import Testing

@Suite struct NetworkTests {
    private func compare<N: Seq2SeqNetwork>(_ network: N, _ golden: GoldenNetwork, tolerance: Double) {
        let tape = Tape<N.Scalar>()
        let states = network.states(source: PackedBatch(golden.source), decoderInput: PackedBatch(golden.input), on: tape)
        let logits = network.output(states, on: tape)
        #expect(relativeError(logits.value.elements, golden.logits) < tolerance)
        let (loss, seed) = lossAndSeed(logits.value, golden.targets)
        #expect(abs(loss - golden.loss) < tolerance * 10)
        #expect(abs(lossAndSeed(logits.value, golden.targets, smoothing: 0.1).0 - golden.smoothedLoss) < tolerance * 10)
        tape.backward(from: logits, seed: seed)
        for entry in network.checkpointEntries {
            var gradient = tape.gradient(of: entry.parameter)
            if let rows = entry.rows { gradient = gradient.rows(rows) }
            let error = relativeError(gradient.elements, golden.gradients[entry.key] ?? [])
            #expect(error < tolerance, "gradient of \(entry.key)")
        }
    }

    @Test(arguments: GoldenNetwork.names) func agreesWithPyTorchInDouble(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        compare(try golden.network(Double.self), golden, tolerance: 1e-10)
    }

    @Test(arguments: GoldenNetwork.names) func agreesWithPyTorchInFloat(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        compare(try golden.network(Float.self), golden, tolerance: 5e-5)
    }

    @Test(arguments: GoldenNetwork.names) func gradientsAreFiniteDifferences(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        check(try golden.network(Double.self), golden)
    }

    private func check<N: Seq2SeqNetwork<Double>>(_ network: N, _ golden: GoldenNetwork) {
        func loss(_ tape: Tape<Double>?) -> (Double, Variable<Double>, Tensor<Double>) {
            let states = network.states(source: PackedBatch(golden.source), decoderInput: PackedBatch(golden.input), on: tape)
            let logits = network.output(states, on: tape)
            let (loss, seed) = lossAndSeed(logits.value, golden.targets)
            return (loss, logits, seed)
        }
        let tape = Tape<Double>()
        let (_, logits, seed) = loss(tape)
        tape.backward(from: logits, seed: seed)
        var random = RandomSource(seed: 1)
        for parameter in network.parameters where parameter.isTrainable {
            let gradient = tape.gradient(of: parameter)
            for _ in 0..<3 {
                let index = random.below(parameter.value.count), step = 1e-6, before = parameter.value[index]
                parameter.set(index, before + step)
                let above = loss(nil).0
                parameter.set(index, before - step)
                let below = loss(nil).0
                parameter.set(index, before)
                #expect(abs((above - below) / (2 * step) - gradient[index]) < 1e-7)
            }
        }
    }

    @Test(.tags(.sameBits), arguments: GoldenNetwork.names) func batchEqualsItsMembers(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        compareMembers(try golden.network(Float.self), golden)
    }

    private func compareMembers<N: Seq2SeqNetwork<Float>>(_ network: N, _ golden: GoldenNetwork) {
        let together = network.states(source: PackedBatch(golden.source), decoderInput: PackedBatch(golden.input), on: nil).value
        let offsets = PackedBatch(golden.input).offsets
        for s in golden.source.indices {
            let alone = network.states(source: PackedBatch([golden.source[s]]), decoderInput: PackedBatch([golden.input[s]]), on: nil).value
            #expect(alone.hasSameBits(as: together.rows(Int(offsets[s])..<Int(offsets[s + 1]))))
        }
    }

    @Test func sinusoids() {
        // Column 0 is sin p; column 1 cos p; the last pair turns slowest.
        let table: Tensor<Double> = sinusoidalPositions(100, size: 20)
        #expect(abs(table[3, 0] - 0.1411200080598672) < 1e-15)
        #expect(abs(table[3, 1] - -0.9899924966004454) < 1e-15)
        #expect(table[0, 18] == 0 && table[0, 19] == 1)
    }

    @Test func configurationSurvivesItsFile() throws {
        for name in GoldenNetwork.names {
            let configuration = try GoldenNetwork(name).configuration
            #expect(try Seq2SeqConfiguration(json: configuration.json, file: "config.json") == configuration)
        }
    }

    @Test func configurationErrorsNameTheKey() throws {
        func message(_ change: (inout [(key: String, value: JSON)]) -> Void) throws -> String {
            var members = try GoldenNetwork("lstm-concat").configuration.json.object ?? []
            change(&members)
            do {
                _ = try Seq2SeqConfiguration(json: .object(members), file: "config.json")
                return ""
            } catch let error as DataError { return error.description }
        }
        #expect(try message { $0.removeAll { $0.key == "vocab_size" } }.contains("'vocab_size' is missing"))
        #expect(try message { $0.append(("attention", .string("magic"))) }.contains("'attention' should be one of none, additive"))
        #expect(try message { $0.append(("model_type", .string("bert"))) }.contains("expected a model with a decoder"))
        #expect(try message { $0.append(("eos_token_id", .integer(13))) }.contains("outside the vocabulary"))
        #expect(try message { $0.append(("hidden_size", .integer(-1))) }.contains("'hidden_size'"))
        #expect(
            try message { $0 += [("attention", .string("none")), ("input_feeding", .bool(true))] }.contains(
                "input_feeding needs an attention"))
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
