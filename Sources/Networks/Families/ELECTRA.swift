/// ELECTRA (Clark et al. 2020): BERT whose embeddings may be of a smaller size.
enum ELECTRA: EncoderFamily {
    static let modelTypes = ["electra"]
    static let prefixes = ["", "electra."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = "electra"
        configuration.embeddingSize = try reader.integer("embedding_size", default: 128, in: 1...65536)
        if configuration.embeddingSize != configuration.hiddenSize { configuration.embeddingProjection = .afterNorm }
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(dense: "classifier.dense", activation: .gelu, output: "classifier.out_proj", encoderPrefix: "electra.")
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        BERT.keys(&keys, of: encoder)
        keys.add("embeddings_project", encoder.embeddingProjection)
    }
}
