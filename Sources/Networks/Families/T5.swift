import FileFormats

/// The encoder of T5 (Raffel et al. 2020), as Sentence-T5, GTR and mT5 use it: a bias for buckets of distances in place of positions,
/// root-mean-square norms, scores without a scale.
enum T5: DecoderFamily {
    static let modelTypes = ["t5", "mt5"]
    static let prefixes = [""]
    static let headKey: String? = nil

    static func configuration(_ reader: ConfigurationReader) throws -> DecoderConfiguration {
        var configuration = DecoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", in: 1...10_000_000), hiddenSize: try reader.integer("d_model", in: 1...65536),
            layers: try reader.integer("num_layers", in: 1...1024), attentionHeads: try reader.integer("num_heads", in: 1...1024),
            headSize: try reader.integer("d_kv", default: 64, in: 1...4096),
            intermediateSize: try reader.integer("d_ff", in: 1...1_048_576),
            // Distances have buckets whatever the length; 512 is what the models were trained on.
            positions: try reader.integer("n_positions", default: 512, in: 1...1_048_576))
        let projection = try reader.string("feed_forward_proj") ?? (reader.string("model_type") == "mt5" ? "gated-gelu" : "relu")
        switch projection {
        case "relu": (configuration.gatedFeedForward, configuration.activation) = (false, .relu)
        case "gelu": (configuration.gatedFeedForward, configuration.activation) = (false, .gelu)
        // The reference takes the approximation here.
        case "gated-gelu": (configuration.gatedFeedForward, configuration.activation) = (true, .geluTanh)
        case "gated-silu": (configuration.gatedFeedForward, configuration.activation) = (true, .silu)
        default: throw reader.fail("feed_forward_proj '\(projection)' is not supported; expected relu, gelu, gated-gelu or gated-silu")
        }
        configuration.dropout = try reader.number("dropout_rate", default: 0.1, in: 0..<1)
        configuration.normEpsilon = try reader.number("layer_norm_epsilon", default: 1e-6, in: 0..<1)
        configuration.attentionScale = 1
        configuration.isCausal = false
        let buckets = try reader.integer("relative_attention_num_buckets", default: 32, in: 4...65536)
        let farthest = try reader.integer("relative_attention_max_distance", default: 128, in: 2...1_048_576)
        guard buckets % 4 == 0, farthest > buckets / 4 else {
            throw reader.fail(
                "relative_attention_num_buckets \(buckets) must be divisible by 4, and relative_attention_max_distance "
                    + "\(farthest) must exceed a quarter of it")
        }
        configuration.relativeBias = .init(buckets: buckets, maximumDistance: farthest, rows: buckets)
        configuration.endIDs = try reader.tokenIDs("eos_token_id")
        try reader.check(configuration)
        return configuration
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of decoder: Decoder<S>) {
        keys.add("shared.weight", decoder.words, olderKeys: ["encoder.embed_tokens.weight", "embed_tokens.weight"])
        let blocks = "encoder.block."
        keys.add(blocks + "0.layer.0.SelfAttention.relative_attention_bias.weight", decoder.relativeBiasTable)
        for (index, block) in decoder.blocks.enumerated() {
            let prefix = blocks + "\(index).layer."
            let attention = prefix + "0.SelfAttention.", feedForward = prefix + "1.DenseReluDense."
            keys.add(prefix + "0.layer_norm", block.attentionNorm)
            keys.add(["q", "k", "v"].map { attention + $0 }, stackedIn: block.attention.projection)
            keys.add(attention + "o", block.attention.output)
            keys.add(prefix + "1.layer_norm", block.feedForwardNorm)
            if block.feedForward.isGated {
                keys.add([feedForward + "wi_0", feedForward + "wi_1"], stackedIn: block.feedForward.up)
            } else {
                keys.add(feedForward + "wi", block.feedForward.up)
            }
            keys.add(feedForward + "wo", block.feedForward.down)
        }
        keys.add("encoder.final_layer_norm", decoder.finalNorm)
    }
}
