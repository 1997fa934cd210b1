/// ELECTRA (Clark et al. 2020): BERT whose embeddings may be of a smaller size.
enum ELECTRA: EncoderFamily {
    static let modelTypes = ["electra"]
    static let prefixes = ["", "electra."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = "electra"
        configuration.isCausal = try reader.causality()
        configuration.embeddingSize = try reader.integer("embedding_size", default: 128, in: 1...65536)
        if configuration.embeddingSize != configuration.hiddenSize { configuration.embeddingProjection = .afterNorm }
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(dense: "classifier.dense", activation: .gelu, output: "classifier.out_proj", encoderPrefix: "electra.")
    }

    /// Of a generator; discriminators have none.
    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        MaskedHead(
            dense: "generator_predictions.dense", norm: "generator_predictions.LayerNorm", output: "generator_lm_head", activation: .gelu,
            epsilon: try reader.number("layer_norm_eps", default: 1e-12, in: 0..<1))
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        BERT.keys(&keys, of: encoder)
        keys.add("embeddings_project", encoder.embeddingProjection)
    }
}
