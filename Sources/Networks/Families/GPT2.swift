import FileFormats

/// GPT-2 (Radford et al. 2019) and the Japanese models of its kind: learned positions, layer norms before the sublayers.
enum GPT2: DecoderFamily {
    static let modelTypes = ["gpt2"]
    static let prefixes = ["transformer.", ""]
    static let headKey: String? = "lm_head"

    static func configuration(_ reader: ConfigurationReader) throws -> DecoderConfiguration {
        let size = try reader.integer("n_embd", "hidden_size", default: 768, in: 1...65536)
        let heads = try reader.integer("n_head", "num_attention_heads", default: 12, in: 1...1024)
        guard size % heads == 0 else { throw reader.fail("n_embd \(size) is not divisible by n_head \(heads)") }
        var configuration = DecoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", default: 50257, in: 1...10_000_000), hiddenSize: size,
            layers: try reader.integer("n_layer", "num_hidden_layers", default: 12, in: 1...1024), attentionHeads: heads,
            intermediateSize: try reader.integer("n_inner", default: 4 * size, in: 1...1_048_576),
            positions: try reader.integer("n_positions", "n_ctx", "max_position_embeddings", default: 1024, in: 1...1_048_576))
        for (key, wanted) in [
            ("scale_attn_weights", JSON.bool(true)), ("scale_attn_by_inverse_layer_idx", .bool(false)),
            ("add_cross_attention", .bool(false)),
        ] {
            try reader.require(key, is: wanted)
        }
        configuration.activation = try reader.activation("activation_function", default: .geluTanh)
        configuration.dropout = try reader.number("resid_pdrop", default: 0.1, in: 0..<1)
        configuration.gatedFeedForward = false
        configuration.hasPositionTable = true
        configuration.tiedHead = try reader.bool("tie_word_embeddings", default: true)
        configuration.norm = .layer
        configuration.normEpsilon = try reader.number("layer_norm_epsilon", default: 1e-5, in: 0..<1)
        configuration.attentionBias = true
        configuration.attentionOutputBias = true
        configuration.feedForwardBias = true
        configuration.beginID = try reader.tokenIDs("bos_token_id").first
        configuration.endIDs = try reader.tokenIDs("eos_token_id")
        try reader.check(configuration)
        return configuration
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of decoder: Decoder<S>) {
        keys.add("wte.weight", decoder.words)
        keys.add("wpe.weight", decoder.positions)
        for (index, block) in decoder.blocks.enumerated() {
            let prefix = "h.\(index)."
            keys.add(prefix + "ln_1", block.attentionNorm)
            // Matrices lie (inputs, outputs) in the file.
            keys.add(prefix + "attn.c_attn", block.attention.projection, layout: .transposed)
            keys.add(prefix + "attn.c_proj", block.attention.output, layout: .transposed)
            keys.add(prefix + "ln_2", block.feedForwardNorm)
            keys.add(prefix + "mlp.c_fc", block.feedForward.up, layout: .transposed)
            keys.add(prefix + "mlp.c_proj", block.feedForward.down, layout: .transposed)
        }
        keys.add("ln_f", decoder.finalNorm)
    }
}
