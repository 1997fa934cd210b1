/// RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020) and the word half of LUKE (Yamada et al. 2020): BERT whose
/// positions count from the padding id + 1.
enum RoBERTa: EncoderFamily {
    static let modelTypes = ["roberta", "xlm-roberta", "camembert", "luke"]
    static let prefixes = ["", "roberta.", "luke."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = try reader.string("model_type") ?? "roberta"
        configuration.paddingID = Int32(try reader.integer("pad_token_id", default: 1, in: 0...(configuration.vocabularySize - 1)))
        configuration.firstPosition = Int(configuration.paddingID) + 1
        configuration.isCausal = try reader.causality()
        try reader.check(configuration)
        return configuration
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        // LUKE has BERT's kind of head.
        try reader.string("model_type") == "luke"
            ? ClassificationHead(dense: "luke.pooler.dense", encoderPrefix: "luke.")
            : ClassificationHead(dense: "classifier.dense", output: "classifier.out_proj", encoderPrefix: "roberta.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        var head = try MaskedHead.roberta(reader)
        head.prefersOwnOutput = try reader.string("model_type") == "luke"
        return head
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) { BERT.keys(&keys, of: encoder) }
}
