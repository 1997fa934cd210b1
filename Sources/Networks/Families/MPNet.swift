import Foundation

/// MPNet (Song et al. 2020): learned positions and, next to them, a bias for each bucket of distances.
enum MPNet: EncoderFamily {
    static let modelTypes = ["mpnet"]
    static let prefixes = ["", "mpnet."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = "mpnet"
        configuration.segments = 0
        // The reference has 1 written into its code, whatever pad_token_id says; the same with 32 buckets.
        configuration.paddingID = 1
        configuration.firstPosition = 2
        let rows = try reader.integer("relative_attention_num_buckets", default: 32, in: 32...65536)
        configuration.relativeBias = .init(buckets: 32, maximumDistance: 128, rows: rows)
        try reader.check(configuration)
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        ClassificationHead(dense: "classifier.dense", output: "classifier.out_proj", encoderPrefix: "mpnet.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? { try .roberta(reader) }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        BERT.embeddingKeys(&keys, of: encoder)
        keys.add("encoder.relative_attention_bias.weight", encoder.relativeBiasTable)
        for (index, layer) in encoder.layers.enumerated() {
            let prefix = "encoder.layer.\(index)."
            let attention = prefix + "attention.attn."
            keys.add([attention + "q", attention + "k", attention + "v"], stackedIn: layer.attention.projection)
            keys.add(attention + "o", layer.attention.output)
            keys.add(prefix + "attention.LayerNorm", layer.attentionNorm)
            BERT.feedForwardKeys(&keys, prefix, layer)
        }
    }
}

extension EncoderConfiguration.RelativeBias {
    /// The table's row for a distance key − query: half of the buckets for each direction, of these half for a distance each and the
    /// others logarithmically wider, the last one for all that is `maximumDistance` or more away.
    package func bucket(_ distance: Int) -> Int {
        let perDirection = buckets / 2, exact = perDirection / 2
        let direction = distance > 0 ? perDirection : 0, n = abs(distance)
        if n < exact { return direction + n }
        // In 32 bits, as the reference: on the border of two buckets the rounding decides.
        let far = logf(Float(n) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact))) * Float(perDirection - exact)
        return direction + min(exact + Int(far), perDirection - 1)
    }
}
