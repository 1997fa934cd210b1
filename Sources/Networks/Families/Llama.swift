import FileFormats

/// Llama (Touvron et al. 2023), Mistral (Jiang et al. 2023), Qwen 2 and Qwen 3 (Yang et al. 2024, 2025): root-mean-square norms, rotary
/// positions, SwiGLU, shared keys and values; Qwen 2 has biases before the attention, Qwen 3 norms of queries and keys.
enum Llama: DecoderFamily {
    static let modelTypes = ["llama", "mistral", "qwen2", "qwen3"]
    static let prefixes = ["model.", ""]
    static let headKey: String? = "lm_head"

    static func configuration(_ reader: ConfigurationReader) throws -> DecoderConfiguration {
        let type = try reader.string("model_type") ?? "llama"
        let size = try reader.integer("hidden_size", in: 1...65536), heads = try reader.integer("num_attention_heads", in: 1...1024)
        guard size % heads == 0 || reader.value(["head_dim"]) != nil || type == "qwen3" else {
            throw reader.fail("hidden_size \(size) is not divisible by num_attention_heads \(heads)")
        }
        let groups = type == "mistral" ? min(8, heads) : heads
        var configuration = DecoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", in: 1...10_000_000), hiddenSize: size,
            layers: try reader.integer("num_hidden_layers", in: 1...1024), attentionHeads: heads,
            keyValueHeads: try reader.integer("num_key_value_heads", default: groups, in: 1...heads),
            headSize: try reader.integer("head_dim", default: type == "qwen3" ? 128 : size / heads, in: 1...4096),
            intermediateSize: try reader.integer("intermediate_size", in: 1...1_048_576),
            positions: try reader.integer("max_position_embeddings", default: 2048, in: 1...1_048_576_000))
        configuration.activation = try reader.activation("hidden_act", default: .silu)
        configuration.normEpsilon = try reader.number("rms_norm_eps", default: 1e-6, in: 0..<1)
        configuration.tiedHead = try reader.bool("tie_word_embeddings", default: false)
        configuration.rotary = try reader.rotary(headSize: configuration.headSize, positions: configuration.positions, base: 10000)
        switch type {
        case "llama":
            configuration.attentionBias = try reader.bool("attention_bias", default: false)
            configuration.attentionOutputBias = configuration.attentionBias
            configuration.feedForwardBias = try reader.bool("mlp_bias", default: false)
        case "mistral":
            // Absent it means 4096, null means none.
            let isGiven = reader.json["sliding_window"] != nil
            if reader.value(["sliding_window"]) != nil || !isGiven {
                let window = try reader.integer("sliding_window", default: 4096, in: 1...1_048_576_000)
                configuration.localWindow = window - 1
                configuration.isLocal = [Bool](repeating: true, count: configuration.layers)
            }
        default:
            configuration.queryKeyNorm = type == "qwen3"
            configuration.attentionBias = type == "qwen2" ? true : try reader.bool("attention_bias", default: false)
            configuration.attentionOutputBias = type == "qwen3" && configuration.attentionBias
            let slides = try reader.bool("use_sliding_window", default: false) && reader.value(["sliding_window"]) != nil
            let first = try reader.integer("max_window_layers", default: 28, in: 0...1024)
            let local = try reader.localLayers(count: configuration.layers) { slides && $0 >= first }
            if local.contains(true) {
                configuration.localWindow = try reader.integer("sliding_window", default: 4096, in: 1...1_048_576_000) - 1
                configuration.isLocal = local
            }
        }
        configuration.beginID = try reader.tokenIDs("bos_token_id").first
        configuration.endIDs = try reader.tokenIDs("eos_token_id")
        try reader.check(configuration)
        return configuration
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of decoder: Decoder<S>) {
        keys.add("embed_tokens.weight", decoder.words)
        for (index, block) in decoder.blocks.enumerated() {
            let prefix = "layers.\(index)."
            keys.add(prefix + "input_layernorm", block.attentionNorm)
            attentionKeys(&keys, prefix, block, of: decoder)
            keys.add(prefix + "post_attention_layernorm", block.feedForwardNorm)
            feedForwardKeys(&keys, prefix, block)
        }
        keys.add("norm", decoder.finalNorm)
    }

    static func attentionKeys<S>(_ keys: inout CheckpointKeys<S>, _ prefix: String, _ block: DecoderBlock<S>, of decoder: Decoder<S>) {
        let c = decoder.configuration, attention = prefix + "self_attn."
        keys.add(attention + "q_norm", block.attention.queryNorm)
        keys.add(attention + "k_norm", block.attention.keyNorm)
        let sizes = [c.attentionHeads, c.keyValueHeads, c.keyValueHeads].map { $0 * c.headSize }
        keys.add(zip(["q_proj", "k_proj", "v_proj"], sizes).map { (attention + $0, $1) }, stackedIn: block.attention.projection)
        keys.add(attention + "o_proj", block.attention.output)
    }

    static func feedForwardKeys<S>(_ keys: inout CheckpointKeys<S>, _ prefix: String, _ block: DecoderBlock<S>) {
        keys.add([prefix + "mlp.gate_proj", prefix + "mlp.up_proj"], stackedIn: block.feedForward.up)
        keys.add(prefix + "mlp.down_proj", block.feedForward.down)
    }
}
