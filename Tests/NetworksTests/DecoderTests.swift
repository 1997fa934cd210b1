import Autograd
import FileFormats
import Foundation
import Networks
import Tensors
import Testing

/// A tiny model that tools/golden/decoders.py made, and what the reference computes with it.
struct GoldenDecoder {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/decoders").path
    static let causal = [
        "gpt2", "gpt_neox", "gpt_neox-sequential", "llama", "llama-linear", "llama-yarn", "mistral", "qwen2", "qwen3", "gemma", "gemma2",
        "gemma3",
    ]
    static let names = causal + ["gemma3-bidirectional", "t5", "t5-gated", "mt5"]

    let configuration: DecoderConfiguration
    let archive: FixtureArchive
    let expected: FixtureArchive
    let batch: PackedBatch
    /// After the embeddings and after each layer, `(tokens, hiddenSize)`.
    let hiddenStates: [Tensor<Float>]

    init(_ name: String) throws {
        let folder = Self.folder + "/" + name
        configuration = try DecoderConfiguration(json: JSON(contentsOf: folder + "/config.json"), file: "config.json")
        archive = try FixtureArchive(folder + "/model.safetensors")
        expected = try FixtureArchive(folder + "/expected.safetensors")
        let ids = try expected.integers("ids").map(Int32.init), offsets = try expected.integers("offsets")
        batch = PackedBatch(zip(offsets, offsets.dropFirst()).map { Array(ids[$0..<$1]) })
        let layers = expected.names.filter { $0.hasPrefix("hidden.") }.count
        let archive = expected
        hiddenStates = try (0..<layers).map { try archive.tensor("hidden.\($0)") }
    }

    func decoder() throws -> Decoder<Float> {
        let decoder = Decoder<Float>(configuration)
        try load(decoder.checkpointEntries, from: archive, prefixes: decoder.checkpointPrefixes)
        return decoder
    }

    func network(_ precision: Precision = .f32) throws -> CausalNetwork<Float> {
        let network = CausalNetwork<Float>(configuration, precision: precision)
        try network.load(from: archive)
        return network
    }
}

@Suite struct DecoderTests {
    func distance(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Double {
        guard a.shape == b.shape else { return .infinity }
        let size = max(1, (b.squaredNorm / Double(max(1, b.count))).squareRoot())
        return zip(a.elements, b.elements).map { Double(abs($0 - $1)) }.max().map { $0 / size } ?? 0
    }

    /// The smallest cosine of two matrices' rows.
    func cosine(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Double {
        (0..<a.rows).map { row in
            let (x, y) = (a.rows(row..<row + 1), b.rows(row..<row + 1))
            let dot = zip(x.elements, y.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            return dot / (x.squaredNorm * y.squaredNorm).squareRoot()
        }.min() ?? 0
    }

    @Test("Every layer agrees with the reference", arguments: GoldenDecoder.names)
    func everyLayer(name: String) throws {
        let model = try GoldenDecoder(name), decoder = try model.decoder()
        var states: [Tensor<Float>] = []
        _ = decoder(model.batch, eachLayer: { _, x in states.append(x.value) }, on: nil)
        #expect(states.count == model.hiddenStates.count)
        for (layer, (state, expected)) in zip(states, model.hiddenStates).enumerated() {
            #expect(distance(state, expected) <= 2e-5, "layer \(layer) is off by \(distance(state, expected))")
            #expect(cosine(state, expected) >= 0.999999, "layer \(layer)")
        }
    }

    @Test("The next token's scores agree with the reference", arguments: GoldenDecoder.causal)
    func logits(name: String) throws {
        let model = try GoldenDecoder(name), network = try model.network()
        let found = network.logits(network.decoder(model.batch, on: nil), on: nil).value
        let expected = try model.expected.tensor("logits")
        #expect(found.shape == expected.shape)
        #expect(zip(found.elements, expected.elements).allSatisfy { abs($0 - $1) <= 1e-4 })
    }

    @Test("Token by token with the cache: what the reference's greedy decoding writes", arguments: GoldenDecoder.causal)
    func written(name: String) throws {
        let model = try GoldenDecoder(name), network = try model.network()
        let expected = try model.expected.integers("written"), steps = expected.count / model.batch.sequences
        var (cache, states) = network.decoder.begin(model.batch)
        var found = [[Int]](repeating: [], count: model.batch.sequences)
        for step in 0..<steps {
            let logits = network.logits(Variable(states), on: nil).value
            let chosen = (0..<logits.rows).map { row in
                let values = logits.rows(row..<row + 1).elements
                return values.indices.max { values[$0] < values[$1] } ?? 0
            }
            for (s, token) in chosen.enumerated() { found[s].append(token) }
            if step + 1 < steps { states = network.decoder.advance(chosen.map(Int32.init), &cache) }
        }
        #expect(found.flatMap(\.self) == expected)
    }

    @Test("A token more in the cache gives the states of the whole sequence", arguments: GoldenDecoder.causal)
    func cacheEqualsWhole(name: String) throws {
        let model = try GoldenDecoder(name), decoder = try model.decoder(), whole = decoder(model.batch, on: nil).value
        // Each sequence's beginning, then the rest token by token; sequences end at different places.
        let begun = (0..<model.batch.sequences).map { max(1, model.batch.length($0) - 9) }
        var (cache, states) = decoder.begin(PackedBatch((0..<model.batch.sequences).map { Array(model.batch[$0].prefix(begun[$0])) }))
        var running = Array(0..<model.batch.sequences), read = begun
        while true {
            for (row, s) in running.enumerated() {
                let place = Int(model.batch.offsets[s]) + read[s] - 1
                #expect(distance(states.rows(row..<row + 1), whole.rows(place..<place + 1)) <= 2e-5)
            }
            let kept = running.indices.filter { read[running[$0]] < model.batch.length(running[$0]) }
            if kept.isEmpty { break }
            cache.select(kept)
            running = kept.map { running[$0] }
            states = decoder.advance(running.map { s in model.batch[s][model.batch[s].startIndex + read[s]] }, &cache)
            for s in running { read[s] += 1 }
        }
    }

    @Test(
        "A batch equals its members alone, to the bit", .tags(.sameBits), arguments: GoldenDecoder.names,
        [Precision.f32, .bf16, .int8].filter(\.isFast))
    func batchEqualsMembers(name: String, precision: Precision) throws {
        let model = try GoldenDecoder(name), decoder = try model.decoder().computing(in: precision)
        let together = decoder(model.batch, on: nil).value
        for s in 0..<model.batch.sequences {
            let rows = Int(model.batch.offsets[s])..<Int(model.batch.offsets[s + 1])
            #expect(decoder(PackedBatch([Array(model.batch[s])]), on: nil).value.hasSameBits(as: together.rows(rows)), "sequence \(s)")
        }
    }

    @Test(
        "Stepping in company or alone gives the same bits", .tags(.sameBits), arguments: GoldenDecoder.causal,
        [Precision.f32, .bf16, .int8].filter(\.isFast))
    func stepsAlone(name: String, precision: Precision) throws {
        let model = try GoldenDecoder(name), decoder = try model.decoder().computing(in: precision)
        func steps(_ batch: PackedBatch) -> [Tensor<Float>] {
            var (cache, states) = decoder.begin(batch), all = [states]
            for token in 20..<30 as Range<Int32> {
                states = decoder.advance([Int32](repeating: token, count: batch.sequences), &cache)
                all.append(states)
            }
            return all
        }
        let together = steps(model.batch)
        for s in 0..<model.batch.sequences {
            for (a, b) in zip(steps(PackedBatch([Array(model.batch[s])])), together) { #expect(a.hasSameBits(as: b.rows(s..<s + 1))) }
        }
    }

    @Test("bf16 and int8 stay near f32", .enabled(if: Precision.int8.isFast, "no int8 instructions"))
    func closeness() throws {
        var configuration = DecoderConfiguration(
            vocabularySize: 200, hiddenSize: 128, layers: 3, attentionHeads: 8, keyValueHeads: 2, headSize: 32,
            intermediateSize: 320, positions: 256)
        configuration.rotary = RotaryPositions(base: 10_000, turned: 32)
        configuration.queryKeyNorm = true
        let decoder = Decoder<Float>(configuration)
        decoder.initialize(seed: 9)
        for parameter in decoder.parameters where parameter.shape.count == 2 {
            var random = RandomSource(seed: UInt64(parameter.shape[0]))
            var values = parameter.value
            for i in 0..<values.count { values[i] += Float(0.06 * random.normal()) }
            try load([CheckpointEntry(key: "w", parameter: parameter)], from: OneTensor(values))
        }
        var random = RandomSource(seed: 4)
        let batch = PackedBatch([3, 70, 1, 12, 200, 33].map { length in (0..<length).map { _ in Int32(random.next() % 200) } })
        let exact = decoder(batch, on: nil).value
        for (precision, least) in [(Precision.bf16, 0.9999), (.int8, 0.998)] {
            let found = decoder.computing(in: precision)(batch, on: nil).value
            #expect(cosine(found, exact) >= least, "\(precision): \(cosine(found, exact))")
            #expect(!found.hasSameBits(as: exact), "\(precision) made no difference at all")
        }
    }

    @Test("With a tape the values are the same", arguments: GoldenDecoder.names)
    func sameValuesOnTape(name: String) throws {
        let model = try GoldenDecoder(name)
        var configuration = model.configuration
        configuration.dropout = 0
        let decoder = Decoder<Float>(configuration)
        try load(decoder.checkpointEntries, from: model.archive, prefixes: decoder.checkpointPrefixes)
        #expect(distance(decoder(model.batch, on: Tape()).value, decoder(model.batch, on: nil).value) <= 1e-6)
    }

    @Test("What is written equals what was read", arguments: GoldenDecoder.names)
    func storedEqualsRead(name: String) throws {
        let model = try GoldenDecoder(name), decoder = try model.decoder()
        for entry in decoder.checkpointEntries {
            let names = (decoder.checkpointPrefixes.flatMap { prefix in ([entry.key] + entry.olderKeys).map { prefix + $0 } }).filter(
                model.archive.names.contains)
            let found = try model.archive.tensor(#require(names.first))
            #expect(entry.stored == found, "\(entry.key)")
        }
    }

    @Test("Attention weights are probabilities, and lead to the same states", arguments: GoldenDecoder.names)
    func weights(name: String) throws {
        let model = try GoldenDecoder(name), decoder = try model.decoder(), ids = Array(model.batch[3])
        let weights = decoder.attentionWeights(of: PackedBatch([ids]))
        #expect(weights.count == model.configuration.layers)
        for (layer, weights) in weights.enumerated() {
            #expect(weights.shape == [model.configuration.attentionHeads, ids.count, ids.count])
            let mask = model.configuration.mask(ofLayer: layer)
            for h in 0..<weights.shape[0] {
                for i in ids.indices {
                    let row = (0..<ids.count).map { weights[(h * ids.count + i) * ids.count + $0] }
                    #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                    for j in ids.indices {
                        let isSeen =
                            switch mask {
                            case .none: true
                            case .causal: j <= i
                            case .causalWindow(let before): j <= i && j >= i - before
                            case .window(let reach): abs(i - j) <= reach
                            }
                        if !isSeen { #expect(row[j] == 0) }
                    }
                }
            }
        }
    }
}

/// An archive of one tensor.
private struct OneTensor: WeightArchive {
    let value: Tensor<Float>
    init(_ value: Tensor<Float>) { self.value = value }
    var fileName: String { "memory" }
    var names: [String] { ["w"] }
    func shape(of name: String) -> [Int]? { value.shape }
    func tensor(_ name: String) -> Tensor<Float> { value }
}

@Suite struct DecoderConfigurationTests {
    private func json(_ text: String) throws -> JSON {
        var text = text
        return try text.withUTF8 { try JSON(parsing: UnsafeRawBufferPointer($0)) }
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test(
        "Configurations of older releases mean the same",
        arguments: [
            (
                "llama",
                #"{"rope_theta": 500.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 40}}"#
            ),
            ("llama-linear", #"{"rope_theta": 300.0, "rope_scaling": {"type": "linear", "factor": 4.0}}"#),
            ("gpt_neox", #"{"rotary_emb_base": 10000, "rotary_pct": 0.4}"#),
            ("gemma3", #"{"rope_theta": 1000.0, "rope_local_base_freq": 100.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}"#),
            ("qwen2", #"{"rope_theta": 10000.0, "use_sliding_window": true, "max_window_layers": 1, "layer_types": null}"#),
            ("gemma2", #"{"rope_theta": 10000.0, "layer_types": null}"#),
        ])
    func olderKeys(name: String, changes: String) throws {
        let newer = try GoldenDecoder(name).configuration
        let whole = try JSON(contentsOf: GoldenDecoder.folder + "/\(name)/config.json"), changed = try json(changes).object ?? []
        let older = JSON.object(
            (whole.object ?? []).filter { field in field.key != "rope_parameters" && !changed.contains { $0.key == field.key } } + changed)
        #expect(try DecoderConfiguration(json: older, file: "config.json") == newer)
    }

    @Test("The configuration survives being written and read")
    func roundTrip() throws {
        var configuration = DecoderConfiguration(
            vocabularySize: 90, hiddenSize: 24, layers: 2, attentionHeads: 4, keyValueHeads: 2, intermediateSize: 40)
        configuration.rotary = RotaryPositions(base: 10_000, turned: 6)
        (configuration.beginID, configuration.endIDs, configuration.tiedHead) = (1, [2], true)
        #expect(try DecoderConfiguration(json: configuration.json, file: "config.json") == configuration)
    }

    @Test(
        "What is not supported is refused by name",
        arguments: [
            ("llama", "rope_parameters", #"{"rope_type": "longrope", "rope_theta": 10}"#, "longrope"),
            ("llama", "num_key_value_heads", "4", "num_key_value_heads 4"),
            ("llama", "hidden_act", #""mish""#, "mish"),
            ("llama", "bos_token_id", "96", "token id 96"),
            ("gpt2", "scale_attn_by_inverse_layer_idx", "true", "scale_attn_by_inverse_layer_idx"),
            ("qwen2", "layer_types", #"["full_attention"]"#, "layer_types"),
            ("t5", "feed_forward_proj", #""gated-relu6""#, "gated-relu6"),
            ("t5", "relative_attention_max_distance", "3", "relative_attention_max_distance"),
            ("llama", "head_dim", "1", "cannot be paired"),
        ])
    func refusals(model: String, key: String, value: String, named: String) throws {
        let whole = try JSON(contentsOf: GoldenDecoder.folder + "/\(model)/config.json")
        let changed = JSON.object((whole.object ?? []).filter { $0.key != key } + [(key, try json(value))])
        #expect(message { _ = try DecoderConfiguration(json: changed, file: "config.json") }.contains(named))
    }

    @Test("An unknown architecture is named, with the lists of the known ones")
    func unknown() throws {
        let found = message { _ = try makeLayeredNetwork(json: json(#"{"model_type": "mamba"}"#), file: "config.json") }
        #expect(found.contains("'mamba'") && found.contains("qwen3") && found.contains("modernbert"))
    }

    @Test("A configuration that contradicts the tensors is refused, and the tensor named", arguments: GoldenDecoder.names)
    func contradiction(name: String) throws {
        let model = try GoldenDecoder(name)
        var wider = model.configuration
        wider.intermediateSize += 1
        let decoder = Decoder<Float>(wider)
        let text = message { try load(decoder.checkpointEntries, from: model.archive, prefixes: decoder.checkpointPrefixes) }
        #expect(text.contains("has shape") && text.contains("configuration expects"))
    }
}
