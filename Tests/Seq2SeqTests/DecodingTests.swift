import Autograd
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Testing
import Training

@Suite struct DecodingTests {
    /// Token after token by session equals all positions at once.
    @Test(arguments: GoldenNetwork.names) func cacheEqualsRecomputation(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        step(try golden.network(Float.self), golden, tolerance: 2e-6)
        step(try golden.network(Double.self), golden, tolerance: 1e-14)
    }

    private func step<N: Seq2SeqNetwork>(_ network: N, _ golden: GoldenNetwork, tolerance: Double) {
        let inputs: [[Int32]] = [[1, 5, 6, 3], [1, 7, 8, 9], [1, 4, 4, 2]]
        let packed = PackedBatch(inputs)
        let all = network.states(source: PackedBatch(golden.source), decoderInput: packed, on: nil).value
        var session = network.beginDecoding(PackedBatch(golden.source))
        for t in 0..<4 {
            let states = session.advance(inputs.map { $0[t] })
            for s in inputs.indices {
                let row = all.rows(4 * s + t..<4 * s + t + 1).elements.map { Double($0) }
                #expect(relativeError(states.rows(s..<s + 1).elements, row) < tolerance)
            }
            // Twice the second hypothesis and back again, then the same order: nothing may change.
            session.select([0, 1, 1, 2])
            session.select([0, 2, 3])
        }
    }

    /// What an exhaustive search over all outputs up to a length finds, by scores.
    private func exhaustive<N: Seq2SeqNetwork<Double>>(
        _ network: N, source: [Int32], length: Int, penalty: Double
    ) -> [(ids: [Int32], logProbability: Double, score: Double)] {
        let words = (0..<Int32(network.configuration.vocabularySize)).filter { $0 != network.configuration.endID }
        var outputs: [[Int32]] = [[]], last = outputs
        for _ in 0..<length {
            last = last.flatMap { ids in words.map { ids + [$0] } }
            outputs += last
        }
        let scores = network.score(PackedBatch(outputs.map { _ in source }), targets: outputs)
        return zip(outputs, scores).map { ids, tokens in
            let total = tokens.reduce(0, +)
            return (ids, total, total / pow((5 + Double(ids.count + 1)) / 6, penalty))
        }.sorted { $0.score > $1.score }
    }

    @Test(arguments: ["transformer-post", "gru-bahdanau"], [0.0, 1.0]) func wideBeamIsExhaustive(_ name: String, penalty: Double) throws {
        let golden = try GoldenNetwork(name)
        let network = try golden.network(Double.self)
        beam(network, golden, penalty)
    }

    private func beam<N: Seq2SeqNetwork<Double>>(_ network: N, _ golden: GoldenNetwork, _ penalty: Double) {
        for source in golden.source {
            let best = exhaustive(network, source: source, length: 2, penalty: penalty)
            var options = DecodingOptions()
            options.method = .beam(width: 170, lengthPenalty: penalty)
            options.outputs = 5
            options.maximumLength = 2
            let found = (try? network.generate(PackedBatch([source]), options: options))?[0] ?? []
            #expect(found.map(\.ids) == best.prefix(5).map { $0.ids })
            for (a, b) in zip(found, best) { #expect(abs(a.score - b.score) < 1e-9 && abs(a.logProbability - b.logProbability) < 1e-9) }
        }
    }

    @Test(arguments: GoldenNetwork.names) func greedyIsABeamOfOneAndScoresItself(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        try greedy(try golden.network(Float.self), golden)
    }

    private func greedy<N: Seq2SeqNetwork<Float>>(_ network: N, _ golden: GoldenNetwork) throws {
        let batch = PackedBatch(golden.source)
        let outputs = try network.generate(batch).map { $0[0] }
        for s in golden.source.indices {
            #expect(try network.generate(PackedBatch([golden.source[s]]))[0][0] == outputs[s])
            guard outputs[s].isFinished else { continue }
            let total = network.score(PackedBatch([golden.source[s]]), targets: [outputs[s].ids])[0].reduce(0, +)
            #expect(abs(total - outputs[s].logProbability) < 1e-4)
        }
        // A beam of one stops at the first end mark, as greedy decoding does.
        var options = DecodingOptions()
        options.method = .beam(width: 1, lengthPenalty: 0)
        let beam = try network.generate(batch, options: options).map { $0[0] }
        for (a, b) in zip(beam, outputs) where b.isFinished && a.ids == b.ids { #expect(abs(a.logProbability - b.logProbability) < 1e-4) }
        for (a, b) in zip(beam, outputs) { #expect(a.logProbability >= b.logProbability - 1e-4) }
    }

    @Test func samplesFollowTheDistributionAndTheSeed() throws {
        let golden = try GoldenNetwork("gru-dot")
        try sample(try golden.network(Float.self), golden)
    }

    private func sample<N: Seq2SeqNetwork<Float>>(_ network: N, _ golden: GoldenNetwork) throws {
        var options = DecodingOptions()
        options.method = .sampling(temperature: 1, topK: nil, topP: nil)
        options.outputs = 4000
        options.maximumLength = 1
        options.seed = 3
        let batch = PackedBatch([golden.source[0]])
        let outputs = try network.generate(batch, options: options)[0]
        #expect(try network.generate(batch, options: options)[0] == outputs)
        options.seed = 4
        #expect(try network.generate(batch, options: options)[0] != outputs)
        // The first token, against its probability: within four standard errors.
        let first = network.output(Variable(network.states(source: batch, decoderInput: PackedBatch([[1]]), on: nil).value), on: nil).value
        let weights = first.elements.map { exp(Double($0)) }, total = weights.reduce(0, +)
        for token in 0..<13 where token != 2 {
            let p = weights[token] / total, share = Double(outputs.filter { $0.ids.first == Int32(token) }.count) / 4000
            #expect(abs(share - p) < 4 * (p * (1 - p) / 4000).squareRoot() + 1e-3)
        }
        // Samples of a source do not depend on what else is in the batch.
        options.outputs = 3
        let together = try network.generate(PackedBatch(golden.source), options: options)
        for s in golden.source.indices {
            #expect(try network.generate(PackedBatch([golden.source[s]]), options: options, firstSource: s)[0] == together[s])
        }
        // One token, or little mass, leaves the most probable token only.
        let greedy = try network.generate(batch)[0][0].ids.first
        for method in [
            DecodingOptions.Method.sampling(temperature: 1, topK: 1, topP: nil), .sampling(temperature: 1, topK: nil, topP: 1e-6),
        ] {
            options.method = method
            options.outputs = 5
            for output in try network.generate(batch, options: options)[0] { #expect(output.ids.first == greedy) }
        }
    }

    @Test(arguments: GoldenNetwork.names) func prefixIsForced(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        try prefix(try golden.network(Float.self), golden)
    }

    private func prefix<N: Seq2SeqNetwork<Float>>(_ network: N, _ golden: GoldenNetwork) throws {
        let prefixes: [[Int32]] = [[9, 10], [], [4]]
        for method in [DecodingOptions.Method.greedy, .beam(width: 3, lengthPenalty: 0.6), .sampling(temperature: 2, topK: 5, topP: 0.9)] {
            var options = DecodingOptions()
            options.method = method
            let outputs = try network.generate(PackedBatch(golden.source), options: options, prefixes: prefixes)
            for (output, prefix) in zip(outputs, prefixes) { #expect(output[0].ids.starts(with: prefix)) }
        }
    }

    @Test func optionsThatMakeNoSense() {
        func fails(_ method: DecodingOptions.Method, outputs: Int = 1) -> Bool {
            var options = DecodingOptions()
            options.method = method
            options.outputs = outputs
            do {
                try options.validate()
                return false
            } catch { return true }
        }
        #expect(fails(.greedy, outputs: 2))
        #expect(fails(.beam(width: 0, lengthPenalty: 0)))
        #expect(fails(.beam(width: 2, lengthPenalty: 0), outputs: 3))
        #expect(fails(.sampling(temperature: 0, topK: nil, topP: nil)))
        #expect(fails(.sampling(temperature: 1, topK: 0, topP: nil)))
        #expect(fails(.sampling(temperature: 1, topK: nil, topP: 1.5)))
        #expect(!fails(.sampling(temperature: 0.7, topK: 10, topP: 0.9), outputs: 7))
    }

    /// Rows sum to one; a decoder sees nothing ahead of it.
    @Test(arguments: GoldenNetwork.names) func attentionMaps(_ name: String) throws {
        let golden = try GoldenNetwork(name)
        maps(try golden.network(Float.self), golden)
    }

    private func maps<N: Seq2SeqNetwork<Float>>(_ network: N, _ golden: GoldenNetwork) {
        let maps = network.attentionMaps(source: golden.source[0], decoderInput: golden.input[0])
        if case .transformer = network.configuration.architecture { #expect(Set(maps.map(\.place)) == [.encoder, .decoder, .cross]) }
        for map in maps {
            for q in 0..<map.weights.rows {
                let row = map.weights.rows(q..<q + 1).elements
                #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                if map.place == .decoder { #expect(row.dropFirst(q + 1).allSatisfy { $0 == 0 }) }
            }
        }
    }

    /// Outputs and their log-probabilities, to the bit, in any batch and with any number of threads, in both precisions.
    @Test(.tags(.sameBits), arguments: [Precision.f32, .bf16].filter(\.isFast)) func outputsDoNotDependOnBatchesOrThreads(
        _ precision: Precision
    ) throws {
        var shape = Seq2SeqConfiguration.Transformer()
        (shape.hiddenSize, shape.intermediateSize, shape.attentionHeads) = (32, 48, 4)
        let vocabulary = makeSymbolTokenizer((0..<700).compactMap { UnicodeScalar(0x4E00 + $0).map { String($0) } }, unit: .characters)
        var configuration = try Seq2SeqModel.fitted(Seq2SeqConfiguration(.transformer(shape), vocabularySize: 4), to: vocabulary)
        configuration.maximumLength = 24
        let model = try Seq2SeqModel(network: makeSeq2SeqNetwork(configuration, seed: 5, precision: precision), tokenizerJSON: vocabulary)
        var random = RandomSource(seed: 6)
        let sources = (0..<150).map { _ in (0..<1 + random.below(20)).map { _ in Int32(4 + random.below(700)) } }
        let all = try generateFreely(model, sources, batchSize: 128, threads: 2)
        func bits(_ outputs: [[GeneratedSequence]]) -> [[UInt64]] {
            outputs.map { $0.flatMap { [$0.logProbability.bitPattern, $0.score.bitPattern] } }
        }
        let others = try generateFreely(model, sources, batchSize: 7, threads: 1)
        #expect(others == all && bits(others) == bits(all))
        let some = try generateFreely(model, Array(sources[40..<47]), threads: 3)
        #expect(some == Array(all[40..<47]) && bits(some) == bits(Array(all[40..<47])))
    }

    /// Every product of a Transformer is done in the precision that is asked for, and the outputs stay near.
    @Test(.enabled(if: Precision.bf16.isFast, "this processor has no bfloat16 products")) func precisionReachesEveryLayer() throws {
        let golden = try GoldenNetwork("transformer-post")
        let network = try golden.network(Float.self)
        let batch = PackedBatch(golden.source), input = PackedBatch(golden.input)
        let exact = network.states(source: batch, decoderInput: input, on: nil).value
        let rounded = network.computing(in: .bf16).states(source: batch, decoderInput: input, on: nil).value
        #expect(rounded != exact)
        #expect(relativeError(rounded.elements, exact.elements.map(Double.init)) < 0.05)
        #expect(network.computing(in: .f32).states(source: batch, decoderInput: input, on: nil).value.hasSameBits(as: exact))
    }
}
