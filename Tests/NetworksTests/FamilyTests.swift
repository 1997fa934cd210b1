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

    @Test("A batch equals its members alone, to the bit", arguments: GoldenModel.names, [Precision.f32, .bf16])
    func batchEqualsMembers(name: String, precision: Precision) throws {
        guard precision.isFast else { return }
        let model = try GoldenModel(name), encoder = try model.encoder()
        encoder.setPrecision(precision)
        let together = encoder(model.batch, on: nil).value
        for sequence in 0..<model.batch.sequences {
            let rows = Int(model.batch.offsets[sequence])..<Int(model.batch.offsets[sequence + 1])
            #expect(encoder(model.alone(sequence), on: nil).value.elements == together.rows(rows).elements, "sequence \(sequence)")
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
            .init(contentToPosition: true, positionToContent: true, span: span, buckets: true, maximumDistance: maximum,
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
        let architecture = message { _ = try EncoderConfiguration(json: json(#"{"architectures": ["T5EncoderModel"]}"#), file: "config.json") }
        #expect(architecture.contains("T5EncoderModel") && architecture.contains("xlm-roberta"))
    }

    @Test("Without model_type the architecture's name decides", arguments: [
        ("XLMRobertaForMaskedLM", 4), ("RobertaModel", 4), ("BertModel", 0), ("MPNetForMaskedLM", 2),
    ])
    func architectures(name: String, firstPosition: Int) throws {
        let text = #"{"architectures": ["\#(name)"], "vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "pad_token_id": 3}"#
        #expect(try EncoderConfiguration(json: json(text), file: "config.json").firstPosition == firstPosition)
    }

    @Test("Settings that are not supported are refused by name", arguments: [
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
        #expect(text.contains("has shape") && text.contains("configuration wants"))
        var longer = model.configuration
        longer.layers += 1
        longer.isLocal += longer.isLocal.isEmpty ? [] : [true]
        longer.sharedLayers += longer.sharedLayers.isEmpty ? [] : [(longer.sharedLayers.max() ?? 0) + 1]
        let deeper = Encoder<Float>(longer)
        #expect(message { try load(deeper.checkpointEntries, from: model.archive, prefixes: deeper.checkpointPrefixes) }.contains("is missing"))
    }
}

@Suite struct SequenceClassifierTests {
    @Test("Logits agree with the reference", arguments: ["bert", "roberta", "xlm-roberta", "distilbert", "mpnet", "albert", "electra", "deberta-v2",
                                                        "luke", "modernbert"])
    func logits(name: String) throws {
        let folder = GoldenModel.folder + "/../classifiers/" + name
        let network = try SequenceClassifier<Float>(json: JSON(contentsOf: folder + "/config.json"), file: "config.json")
        try network.load(from: FixtureArchive(folder + "/model.safetensors"))
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
