import Autograd
import FileFormats

/// ModernBERT (Warner et al. 2024): rotary positions, most layers with a window, gated feed-forward layers, norms before the
/// sublayers, no biases.
enum ModernBERT: EncoderFamily {
    static let modelTypes = ["modernbert"]
    static let prefixes = ["", "model."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = try reader.common()
        configuration.modelType = "modernbert"
        configuration.activation = try reader.activation("hidden_activation", default: .gelu)
        configuration.dropout = try reader.number("mlp_dropout", default: 0, in: 0..<1)
        configuration.hasPositionTable = false
        configuration.segments = 0
        configuration.layerNormEpsilon = try reader.number("norm_eps", default: 1e-5, in: 0..<1)
        configuration.normPlacement = .pre
        configuration.normBias = try reader.bool("norm_bias", default: false)
        configuration.firstAttentionNorm = false
        configuration.attentionBias = try reader.bool("attention_bias", default: false)
        configuration.feedForwardUpBias = try reader.bool("mlp_bias", default: false)
        configuration.feedForwardDownBias = configuration.feedForwardUpBias
        configuration.gatedFeedForward = true
        // The file gives the whole width of the window.
        configuration.localWindow = try reader.integer("local_attention", default: 128, in: 1...1_048_576) / 2
        configuration.isLocal = try localLayers(reader, count: configuration.layers)
        configuration.rotary = .init(
            base: try theta(reader, "full_attention", older: "global_rope_theta", default: 160_000),
            localBase: try theta(reader, "sliding_attention", older: "local_rope_theta", default: 10_000))
        try reader.check(configuration)
        return configuration
    }

    private static func localLayers(_ reader: ConfigurationReader, count: Int) throws -> [Bool] {
        guard let (_, value) = reader.value(["layer_types"]) else {
            let every = try reader.integer("global_attn_every_n_layers", default: 3, in: 1...1024)
            return (0..<count).map { $0 % every != 0 }
        }
        let types = value.array?.compactMap(\.string) ?? []
        guard types.count == count, types.allSatisfy({ $0 == "full_attention" || $0 == "sliding_attention" }) else {
            throw reader.fail("'layer_types' should name full_attention or sliding_attention for each of the \(count) layers")
        }
        return types.map { $0 == "sliding_attention" }
    }

    private static func theta(_ reader: ConfigurationReader, _ kind: String, older: String, default fallback: Double) throws -> Double {
        guard let parameters = reader.json["rope_parameters"]?[kind], !parameters.isNull else {
            try reader.requirePlainRotary(reader.json["rope_scaling"])
            return try reader.number(older, default: fallback, in: 1..<1e12)
        }
        try reader.requirePlainRotary(parameters)
        return try ConfigurationReader(json: parameters, file: reader.file).number("rope_theta", default: fallback, in: 1..<1e12)
    }

    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? {
        let pooling = try reader.string("classifier_pooling") ?? "cls"
        guard let mode = ["cls": PoolingMode.cls, "mean": .mean][pooling] else {
            throw reader.fail("classifier_pooling '\(pooling)' is not supported; expected cls or mean")
        }
        return ClassificationHead(
            pooling: mode, dense: "head.dense", denseBias: try reader.bool("classifier_bias", default: false),
            activation: try reader.activation("classifier_activation", default: .gelu), norm: "head.norm", encoderPrefix: "model.")
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        MaskedHead(
            dense: "head.dense", norm: "head.norm", output: "decoder",
            activation: try reader.activation("classifier_activation", default: .gelu),
            epsilon: try reader.number("norm_eps", default: 1e-5, in: 0..<1), denseBias: try reader.bool("classifier_bias", default: false),
            normBias: try reader.bool("norm_bias", default: false), outputBias: try reader.bool("decoder_bias", default: true))
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        keys.add("embeddings.tok_embeddings.weight", encoder.words)
        keys.add("embeddings.norm", encoder.embeddingNorm)
        for (index, layer) in encoder.layers.enumerated() {
            let prefix = "layers.\(index)."
            keys.add(prefix + "attn_norm", layer.attentionNorm)
            keys.add(prefix + "attn.Wqkv", layer.attention.projection)
            keys.add(prefix + "attn.Wo", layer.attention.output)
            keys.add(prefix + "mlp_norm", layer.feedForwardNorm)
            keys.add(prefix + "mlp.Wi", layer.feedForward.up)
            keys.add(prefix + "mlp.Wo", layer.feedForward.down)
        }
        keys.add("final_norm", encoder.finalNorm)
    }
}

extension ConfigurationReader {
    /// Refuses rotary positions that are stretched by a rule of their own.
    func requirePlainRotary(_ parameters: JSON?) throws {
        let type = parameters?["rope_type"]?.string ?? parameters?["type"]?.string ?? "default"
        guard type == "default" else { throw fail("rope_type '\(type)' is not supported; expected default") }
    }
}
