import Autograd
import FileFormats
import Networks
import Tensors
import Testing

@Suite struct FamilyTests {
    /// Largest difference, measured in units of the tensor's own size where that is above 1.
    func distance(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Double {
        guard a.shape == b.shape else { return .infinity }
        let size = max(1, (b.squaredNorm / Double(max(1, b.count))).squareRoot())
        return zip(a.elements, b.elements).map { Double(abs($0 - $1)) }.max().map { $0 / size } ?? 0
    }

    @Test("Every layer agrees with the reference", arguments: GoldenModel.names)
    func everyLayer(name: String) throws {
        let model = try GoldenModel(name)
        let states = try model.encoder().allLayers(model.batch)
        #expect(states.count == model.hiddenStates.count)
        for (layer, (state, expected)) in zip(states, model.hiddenStates).enumerated() {
            let distance = distance(state, expected)
            #expect(distance <= 1e-5, "layer \(layer) is off by \(distance)")
        }
    }

    @Test(
        "A batch equals its members alone, to the bit", .tags(.sameBits), arguments: GoldenModel.names,
        [Precision.f32, .bf16].filter(\.isFast))
    func batchEqualsMembers(name: String, precision: Precision) throws {
        let model = try GoldenModel(name), encoder = try model.encoder().computing(in: precision)
        let together = encoder(model.batch, on: nil).value
        for sequence in 0..<model.batch.sequences {
            let rows = Int(model.batch.offsets[sequence])..<Int(model.batch.offsets[sequence + 1])
            #expect(encoder(model.alone(sequence), on: nil).value.hasSameBits(as: together.rows(rows)), "sequence \(sequence)")
        }
    }

    @Test("With a tape the values are the same", arguments: GoldenModel.names)
    func sameValuesOnTape(name: String) throws {
        let model = try GoldenModel(name)
        var configuration = model.configuration
        configuration.dropout = 0
        let encoder = Encoder<Float>(configuration)
        try load(encoder.checkpointEntries, from: model.archive, prefixes: encoder.checkpointPrefixes)
        let plain = encoder(model.batch, on: nil).value, recorded = encoder(model.batch, on: Tape()).value
        #expect(distance(recorded, plain) <= 1e-6)
    }

    @Test("The configuration survives being written and read", arguments: GoldenModel.names)
    func configurationRoundTrip(name: String) throws {
        let configuration = try GoldenModel(name).configuration
        #expect(try EncoderConfiguration(json: configuration.json, file: "config.json") == configuration)
    }

    @Test("Distances fall into the reference's buckets")
    func buckets() throws {
        let tables = try JSON(contentsOf: GoldenModel.folder + "/buckets.json")
        func table(_ name: String) -> [Int] { tables[name]?.array?.compactMap(\.int) ?? [] }
        let distances = table("distances")
        #expect(distances.count == 1201)
        let relative = EncoderConfiguration.RelativeBias(buckets: 32, maximumDistance: 128, rows: 32)
        #expect(distances.map(relative.bucket) == table("mpnet"))
        func deberta(_ span: Int, _ maximum: Int) -> EncoderConfiguration.Disentangled {
            .init(
                contentToPosition: true, positionToContent: true, span: span, buckets: true, maximumDistance: maximum,
                sharesProjections: true, normalizesPositions: true)
        }
        #expect(distances.map(deberta(256, 512).bucket) == table("deberta 256 512"))
        #expect(distances.map(deberta(8, 48).bucket) == table("deberta 8 48"))
    }

    @Test("RoBERTa does not count padding that stands in the text")
    func paddingInText() {
        let batch = PackedBatch([[5, 1, 7, 8], [1, 5]])
        #expect(batch.positions(from: 2, paddingID: 1) == [2, 1, 3, 4, 1, 2])
        #expect(batch.positions(from: 2) == [2, 3, 4, 5, 2, 3])
    }

    @Test("Static embeddings in both layouts", arguments: ["static-st", "static-model2vec"])
    func staticEmbeddings(name: String) throws {
        let folder = GoldenModel.folder + "/" + name
        let network = try StaticEmbedding<Float>(from: FixtureArchive(folder + "/model.safetensors"))
        let expected = try FixtureArchive(folder + "/expected.safetensors")
        let ids = try expected.integers("ids").map(Int32.init), offsets = try expected.integers("offsets")
        let batch = PackedBatch(zip(offsets, offsets.dropFirst()).map { Array(ids[$0..<$1]) })
        #expect(try distance(network(batch, on: nil).value, expected.tensor("vectors")) <= 1e-6)
    }
}

@Suite struct FamilyErrorTests {
    func json(_ text: String) throws -> JSON {
        var text = text
        return try text.withUTF8 { try JSON(parsing: UnsafeRawBufferPointer($0)) }
    }

    func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test("An unknown architecture is named, with the list of the known ones")
    func unknown() throws {
        let type = message { _ = try EncoderConfiguration(json: json(#"{"model_type": "longformer"}"#), file: "config.json") }
        #expect(type.contains("'longformer'") && type.contains("modernbert") && type.contains("config.json"))
        let architecture = message {
            _ = try EncoderConfiguration(json: json(#"{"architectures": ["T5EncoderModel"]}"#), file: "config.json")
        }
        #expect(architecture.contains("T5EncoderModel") && architecture.contains("xlm-roberta"))
    }

    @Test(
        "Without model_type the architecture's name decides",
        arguments: [
            ("XLMRobertaForMaskedLM", 4), ("RobertaModel", 4), ("BertModel", 0), ("MPNetForMaskedLM", 2),
        ])
    func architectures(name: String, firstPosition: Int) throws {
        let text =
            #"{"architectures": ["\#(name)"], "vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "pad_token_id": 3}"#
        #expect(try EncoderConfiguration(json: json(text), file: "config.json").firstPosition == firstPosition)
    }

    @Test(
        "Settings that are not supported are refused by name",
        arguments: [
            ("modernbert", "rope_parameters", #"{"full_attention": {"rope_type": "yarn"}}"#, "yarn"),
            ("nomic_bert", "rotary_emb_interleaved", "true", "rotary_emb_interleaved"),
            ("bert", "position_embedding_type", #""relative_key""#, "position_embedding_type"),
            ("bert", "hidden_act", #""mish""#, "mish"),
            ("deberta-v3", "pos_att_type", #"["c2p", "p2p"]"#, "p2p"),
            ("deberta-v3", "relative_attention", "false", "relative_attention"),
            ("bert", "num_attention_heads", "5", "num_attention_heads 5"),
        ])
    func refusals(model: String, key: String, value: String, named: String) throws {
        let whole = try JSON(contentsOf: GoldenModel.folder + "/\(model)/config.json")
        let changed = JSON.object((whole.object ?? []).filter { $0.key != key } + [(key, try json(value))])
        #expect(message { _ = try EncoderConfiguration(json: changed, file: "config.json") }.contains(named))
    }

    @Test("A configuration that contradicts the tensors is refused, and the tensor named", arguments: GoldenModel.names)
    func contradiction(name: String) throws {
        let model = try GoldenModel(name)
        var wider = model.configuration
        wider.intermediateSize += 1
        let encoder = Encoder<Float>(wider)
        let text = message { try load(encoder.checkpointEntries, from: model.archive, prefixes: encoder.checkpointPrefixes) }
        #expect(text.contains("has shape") && text.contains("configuration expects"))
        var longer = model.configuration
        longer.layers += 1
        longer.isLocal += longer.isLocal.isEmpty ? [] : [true]
        longer.sharedLayers += longer.sharedLayers.isEmpty ? [] : [(longer.sharedLayers.max() ?? 0) + 1]
        let deeper = Encoder<Float>(longer)
        #expect(
            message { try load(deeper.checkpointEntries, from: model.archive, prefixes: deeper.checkpointPrefixes) }.contains("is missing"))
    }
}

@Suite struct SequenceClassifierTests {
    @Test(
        "Logits agree with the reference",
        arguments: [
            "bert", "roberta", "xlm-roberta", "distilbert", "mpnet", "albert", "electra", "deberta-v2",
            "luke", "modernbert",
        ])
    func logits(name: String) throws {
        let folder = GoldenModel.folder + "/../classifiers/" + name
        let network = try SequenceClassifier<Float>(json: JSON(contentsOf: folder + "/config.json"), file: "config.json")
        let archive = try FixtureArchive(folder + "/model.safetensors")
        try network.load(from: archive)
        // What would be saved is what transformers saved, LUKE's layers for entities aside.
        let entries = network.checkpointEntries
        let others = archive.names.filter { name in !["entity", "2e_query", "e2w_query"].contains { name.contains($0) } }
        #expect(Set(entries.map(\.key)) == Set(others))
        for entry in entries where archive.shape(of: entry.key) != nil {
            #expect(try entry.stored.elements == archive.tensor(entry.key).elements, "\(entry.key)")
        }
        let expected = try FixtureArchive(folder + "/expected.safetensors")
        let ids = try expected.integers("ids").map(Int32.init), types = try expected.integers("types").map(Int32.init)
        let offsets = try expected.integers("offsets")
        var batch = PackedBatch()
        for (first, end) in zip(offsets, offsets.dropFirst()) { batch.append(ids[first..<end], typeIDs: Array(types[first..<end])) }
        let found = network(batch, on: nil).value, logits = try expected.tensor("logits")
        #expect(found.shape == logits.shape)
        #expect(zip(found.elements, logits.elements).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
    }

    @Test("A family without such a head is refused with the list of those that have one")
    func nomic() throws {
        let json = try JSON(contentsOf: GoldenModel.folder + "/nomic_bert/config.json")
        #expect(throws: DataError.self) { _ = try SequenceClassifier<Float>(json: json, file: "config.json") }
    }
}

@Suite struct QuantizedTests {
    func cosines(_ a: Tensor<Float>, _ b: Tensor<Float>) -> [Double] {
        (0..<a.rows).map { row in
            let (x, y) = (a.rows(row..<row + 1), b.rows(row..<row + 1))
            let dot = zip(x.elements, y.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            return dot / (x.squaredNorm * y.squaredNorm).squareRoot()
        }
    }

    /// Random weights of a size at which oneDNN takes its usual kernels.
    func encoder(gated: Bool) -> Encoder<Float> {
        var configuration = EncoderConfiguration(
            vocabularySize: 200, hiddenSize: 128, layers: 3, attentionHeads: 4, intermediateSize: 320, positions: 128)
        configuration.gatedFeedForward = gated
        let encoder = Encoder<Float>(configuration)
        encoder.initialize(seed: 9)
        for parameter in encoder.parameters where parameter.shape.count == 2 {
            var value = parameter.value
            Float.scale(&value.target, by: 4)
            parameter.assign(value)
        }
        return encoder
    }

    func batch() -> PackedBatch {
        var random = RandomSource(seed: 4)
        return PackedBatch([3, 70, 1, 12, 128, 33].map { length in (0..<length).map { _ in Int32(random.next() % 200) } })
    }

    // Without its instructions oneDNN's int8 sums saturate, which is why nothing computes in int8 there.
    @Test(
        "int8 and bf16 stay close to f32", .enabled(if: Precision.int8.isFast, "no int8 instructions"),
        arguments: [(Precision.int8, 0.998), (.bf16, 0.9999)], [false, true])
    func closeness(precision: (Precision, Double), gated: Bool) {
        let encoder = encoder(gated: gated), batch = batch()
        let exact = encoder(batch, on: nil).value
        let found = cosines(encoder.computing(in: precision.0)(batch, on: nil).value, exact)
        #expect((found.min() ?? 0) >= precision.1, "\(found.min() ?? 0)")
        #expect((found.max() ?? 1) < 1, "the precision made no difference at all")
    }

    @Test("In int8 too a batch equals its members alone, to the bit", .tags(.sameBits), arguments: [false, true])
    func quantizedBatchEqualsMembers(gated: Bool) {
        let encoder = encoder(gated: gated).computing(in: .int8), batch = batch()
        let together = encoder(batch, on: nil).value
        for s in 0..<batch.sequences {
            let rows = Int(batch.offsets[s])..<Int(batch.offsets[s + 1])
            #expect(encoder(PackedBatch([Array(batch.ids[rows])]), on: nil).value.hasSameBits(as: together.rows(rows)))
        }
    }

    @Test("A product in int8 is what its integers say", .enabled(if: Precision.int8.isFast, "no int8 instructions"))
    func product() {
        // Weights and inputs that the integers hold exactly: steps of 1 with a range of 127 on both sides.
        let inputs = 40, outputs = 24, rows = 70
        var random = RandomSource(seed: 2)
        func number() -> Float { Float(Int(random.next() % 255) - 127) }
        var weight = (0..<inputs * outputs).map { _ in number() }, x = (0..<rows * inputs).map { _ in number() }
        for o in 0..<outputs { weight[o * inputs] = 127 }
        for r in 0..<rows { (x[r * inputs], x[r * inputs + 1]) = (127, -127) }
        let bias = (0..<outputs).map { _ in number() }
        let packed = Float.pack(Tensor(weight, shape: [outputs, inputs]).view, precision: .int8)
        var y = Tensor<Float>(uninitialized: [rows, outputs])
        Float.multiply(
            Tensor(x, shape: [rows, inputs]).view, by: packed, plus: Tensor(bias, shape: [outputs]).view, activation: .identity,
            into: &y.target)
        for r in 0..<rows {
            for o in 0..<outputs {
                let exact = (0..<inputs).reduce(Double(bias[o])) { $0 + Double(x[r * inputs + $1]) * Double(weight[o * inputs + $1]) }
                #expect(abs(Double(y[r * outputs + o]) - exact) <= 1e-6 * max(1, abs(exact)) + 0.2, "row \(r), output \(o)")
            }
        }
    }
}
