/// ALBERT (Lan et al. 2020): layers that share their weights, and embeddings of a smaller size.
enum ALBERT: EncoderFamily {
    static let modelTypes = ["albert"]
    static let prefixes = ["", "albert."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = "albert"
        configuration.activation = try reader.activation("hidden_act", default: .geluTanh)
        configuration.dropout = try reader.number("hidden_dropout_prob", default: 0, in: 0..<1)
        configuration.embeddingSize = try reader.integer("embedding_size", default: 128, in: 1...65536)
        configuration.embeddingProjection = .afterNorm
        let groups = try reader.integer("num_hidden_groups", default: 1, in: 1...configuration.layers)
        let inner = try reader.integer("inner_group_num", default: 1, in: 1...64)
        // Each step of the network runs all layers of its group.
        configuration.sharedLayers = (0..<configuration.layers).flatMap { step in
            let group = Int(Double(step) / (Double(configuration.layers) / Double(groups)))
            return (0..<inner).map { group * inner + $0 }
        }
        configuration.layersPerGroup = inner
        configuration.layers = configuration.sharedLayers.count
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(dense: "albert.pooler", encoderPrefix: "albert.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        MaskedHead(
            dense: "predictions.dense", norm: "predictions.LayerNorm", output: "predictions.decoder", bias: "predictions.bias",
            activation: try reader.activation("hidden_act", default: .geluTanh),
            epsilon: try reader.number("layer_norm_eps", default: 1e-12, in: 0..<1))
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        BERT.embeddingKeys(&keys, of: encoder)
        keys.add("encoder.embedding_hidden_mapping_in", encoder.embeddingProjection)
        let inner = encoder.configuration.layersPerGroup
        for (index, layer) in encoder.distinctLayers.enumerated() {
            let prefix = "encoder.albert_layer_groups.\(index / inner).albert_layers.\(index % inner)."
            let attention = prefix + "attention."
            keys.add([attention + "query", attention + "key", attention + "value"], stackedIn: layer.attention.projection)
            keys.add(attention + "dense", layer.attention.output)
            keys.add(attention + "LayerNorm", layer.attentionNorm)
            keys.add(prefix + "ffn", layer.feedForward.up)
            keys.add(prefix + "ffn_output", layer.feedForward.down)
            keys.add(prefix + "full_layer_layer_norm", layer.feedForwardNorm)
        }
    }
}
