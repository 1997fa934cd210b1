/// BERT (Devlin et al. 2019), with the layout of keys that most of its descendants kept; and the same with batch norms, which has a type of
/// its own, so that no other program takes it for BERT.
enum BERT: EncoderFamily {
    static let modelTypes = ["bert", batchNormType]
    static let batchNormType = "bert-batch-norm"
    static let prefixes = ["", "bert."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.isCausal = try reader.causality()
        if try reader.string("model_type") == batchNormType { configuration.normalizesBatches = true }
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(dense: "bert.pooler.dense", encoderPrefix: "bert.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? { try .bert(reader) }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        embeddingKeys(&keys, of: encoder)
        for (index, layer) in encoder.layers.enumerated() {
            let prefix = "encoder.layer.\(index)."
            let attention = prefix + "attention.self."
            keys.add([attention + "query", attention + "key", attention + "value"], stackedIn: layer.attention.projection)
            keys.add(prefix + "attention.output.dense", layer.attention.output)
            keys.add(prefix + "attention.output.LayerNorm", layer.attentionNorm)
            feedForwardKeys(&keys, prefix, layer)
        }
    }

    static func embeddingKeys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        keys.add("embeddings.word_embeddings.weight", encoder.words)
        keys.add("embeddings.position_embeddings.weight", encoder.positions)
        keys.add("embeddings.token_type_embeddings.weight", encoder.segments)
        keys.add("embeddings.LayerNorm", encoder.embeddingNorm)
    }

    static func feedForwardKeys<S>(_ keys: inout CheckpointKeys<S>, _ prefix: String, _ layer: EncoderLayer<S>) {
        keys.add(prefix + "intermediate.dense", layer.feedForward.up)
        keys.add(prefix + "output.dense", layer.feedForward.down)
        keys.add(prefix + "output.LayerNorm", layer.feedForwardNorm)
    }
}
