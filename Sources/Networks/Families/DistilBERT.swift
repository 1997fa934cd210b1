/// DistilBERT (Sanh et al. 2019): BERT without segments, under names of its own.
enum DistilBERT: EncoderFamily {
    static let modelTypes = ["distilbert"]
    static let prefixes = ["", "distilbert."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = EncoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", default: 30522, in: 1...10_000_000),
            hiddenSize: try reader.integer("dim", default: 768, in: 1...65536),
            layers: try reader.integer("n_layers", default: 6, in: 1...1024),
            attentionHeads: try reader.integer("n_heads", default: 12, in: 1...1024),
            intermediateSize: try reader.integer("hidden_dim", default: 3072, in: 1...1_048_576),
            positions: try reader.integer("max_position_embeddings", default: 512, in: 1...1_048_576))
        configuration.modelType = "distilbert"
        configuration.activation = try reader.activation("activation", default: .gelu)
        configuration.dropout = try reader.number("dropout", default: 0.1, in: 0..<1)
        configuration.segments = 0
        configuration.paddingID = Int32(try reader.integer("pad_token_id", default: 0, in: 0...(configuration.vocabularySize - 1)))
        try reader.check(configuration)
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(dense: "pre_classifier", activation: .relu, encoderPrefix: "distilbert.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        MaskedHead(
            dense: "vocab_transform", norm: "vocab_layer_norm", output: "vocab_projector",
            activation: try reader.activation("activation", default: .gelu), epsilon: 1e-12)
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        BERT.embeddingKeys(&keys, of: encoder)
        for (index, layer) in encoder.layers.enumerated() {
            let prefix = "transformer.layer.\(index)."
            let attention = prefix + "attention."
            keys.add([attention + "q_lin", attention + "k_lin", attention + "v_lin"], stackedIn: layer.attention.projection)
            keys.add(attention + "out_lin", layer.attention.output)
            keys.add(prefix + "sa_layer_norm", layer.attentionNorm)
            keys.add(prefix + "ffn.lin1", layer.feedForward.up)
            keys.add(prefix + "ffn.lin2", layer.feedForward.down)
            keys.add(prefix + "output_layer_norm", layer.feedForwardNorm)
        }
    }
}
