import FileFormats

/// DeBERTa v2 and v3 (He et al. 2021): attention in which content and relative positions meet in terms of their own.
enum DeBERTa: EncoderFamily {
    static let modelTypes = ["deberta-v2"]
    static let prefixes = ["", "deberta."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = "deberta-v2"
        configuration.layerNormEpsilon = try reader.number("layer_norm_eps", default: 1e-7, in: 0..<1)
        configuration.segments = try reader.integer("type_vocab_size", default: 0, in: 0...1024)
        configuration.hasPositionTable = try reader.bool("position_biased_input", default: true)
        configuration.embeddingSize = try reader.integer("embedding_size", default: configuration.hiddenSize, in: 1...65536)
        if configuration.embeddingSize != configuration.hiddenSize { configuration.embeddingProjection = .beforeNormWithoutBias }
        guard try reader.bool("relative_attention", default: false) else {
            throw reader.fail("'relative_attention' of this model is false; expected true")
        }

        let kinds = try attentionKinds(reader)
        let maximum = try reader.integer("max_relative_positions", default: -1, in: -1...1_048_576)
        let distance = maximum < 1 ? configuration.positions : maximum
        let buckets = try reader.integer("position_buckets", default: -1, in: -1...1_048_576)
        guard buckets < 1 || buckets >= 4 && distance > buckets / 2 + 1 else {
            throw reader.fail("'position_buckets' \(buckets) does not fit distances up to \(distance)")
        }
        configuration.disentangled = .init(
            contentToPosition: kinds.contains("c2p"), positionToContent: kinds.contains("p2c"), span: buckets > 0 ? buckets : distance,
            buckets: buckets > 0, maximumDistance: distance, sharesProjections: try reader.bool("share_att_key", default: false),
            normalizesPositions: (try reader.string("norm_rel_ebd") ?? "none").lowercased().contains("layer_norm"),
            convolution: try convolution(reader))
        return configuration
    }

    private static func attentionKinds(_ reader: ConfigurationReader) throws -> [String] {
        guard let (key, value) = reader.value(["pos_att_type"]) else { return [] }
        let kinds =
            value.string?.lowercased().split(separator: "|").map { $0.filter { $0 != " " } } ?? value.array?.compactMap(\.string) ?? []
        guard kinds.allSatisfy({ $0 == "c2p" || $0 == "p2c" }) else {
            throw reader.fail("'\(key)' contains \(kinds.joined(separator: ", ")); expected c2p and p2c")
        }
        return kinds
    }

    private static func convolution(_ reader: ConfigurationReader) throws -> EncoderConfiguration.Disentangled.Convolution? {
        let width = try reader.integer("conv_kernel_size", default: 0, in: 0...255)
        guard width > 0 else { return nil }
        guard width % 2 == 1 else { throw reader.fail("'conv_kernel_size' \(width) is even; the output would not fit the tokens") }
        try reader.require("conv_groups", is: .integer(1))
        return .init(width: width, activation: try reader.activation("conv_act", default: .tanh))
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(
            dense: "pooler.dense", activation: try reader.activation("pooler_hidden_act", default: .gelu), encoderPrefix: "deberta.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        var head = try MaskedHead.bert(reader, epsilon: 1e-7)
        head.olderNames = ("lm_predictions.lm_head.dense", "lm_predictions.lm_head.LayerNorm", "lm_predictions.lm_head.bias")
        return head
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        BERT.embeddingKeys(&keys, of: encoder)
        keys.add("embeddings.embed_proj", encoder.embeddingProjection)
        if let positions = encoder.relativePositions {
            keys.add("encoder.rel_embeddings.weight", positions.table)
            keys.add("encoder.LayerNorm", positions.norm)
        }
        if let convolution = encoder.convolution {
            keys.add("encoder.conv.conv", convolution: convolution.linear, width: convolution.width)
            keys.add("encoder.conv.LayerNorm", convolution.norm)
        }
        for (index, layer) in encoder.layers.enumerated() {
            let prefix = "encoder.layer.\(index)."
            let attention = prefix + "attention.self."
            keys.add([attention + "query_proj", attention + "key_proj", attention + "value_proj"], stackedIn: layer.attention.projection)
            keys.add(attention + "pos_key_proj", layer.attention.positionTerms?.keyProjection)
            keys.add(attention + "pos_query_proj", layer.attention.positionTerms?.queryProjection)
            keys.add(prefix + "attention.output.dense", layer.attention.output)
            keys.add(prefix + "attention.output.LayerNorm", layer.attentionNorm)
            BERT.feedForwardKeys(&keys, prefix, layer)
        }
    }
}
