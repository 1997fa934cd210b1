import FileFormats

/// GPT-NeoX (Black et al. 2022), which Pythia and several Japanese models share: rotary positions on a part of each head, sublayers side
/// by side.
enum GPTNeoX: DecoderFamily {
    static let modelTypes = ["gpt_neox"]
    static let prefixes = ["gpt_neox.", ""]
    static let headKey: String? = "embed_out"

    static func configuration(_ reader: ConfigurationReader) throws -> DecoderConfiguration {
        let size = try reader.integer("hidden_size", in: 1...65536), heads = try reader.integer("num_attention_heads", in: 1...1024)
        guard size % heads == 0 else { throw reader.fail("hidden_size \(size) is not divisible by num_attention_heads \(heads)") }
        var configuration = DecoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", in: 1...10_000_000), hiddenSize: size,
            layers: try reader.integer("num_hidden_layers", in: 1...1024), attentionHeads: heads,
            intermediateSize: try reader.integer("intermediate_size", in: 1...1_048_576),
            positions: try reader.integer("max_position_embeddings", default: 2048, in: 1...1_048_576))
        configuration.activation = try reader.activation("hidden_act", default: .gelu)
        configuration.dropout = try reader.number("hidden_dropout", default: 0, in: 0..<1)
        configuration.gatedFeedForward = false
        configuration.tiedHead = try reader.bool("tie_word_embeddings", default: false)
        configuration.norm = .layer
        configuration.normEpsilon = try reader.number("layer_norm_eps", default: 1e-5, in: 0..<1)
        configuration.joining = try reader.bool("use_parallel_residual", default: true) ? .parallel : .sequential
        configuration.attentionBias = try reader.bool("attention_bias", default: true)
        configuration.attentionOutputBias = configuration.attentionBias
        configuration.feedForwardBias = true
        configuration.rotary = try reader.rotary(
            headSize: configuration.headSize, positions: configuration.positions, older: "rotary_emb_base", base: 10000,
            fraction: reader.number("rotary_pct", default: 0.25, in: 0..<1.000001))
        configuration.beginID = try reader.tokenIDs("bos_token_id").first
        configuration.endIDs = try reader.tokenIDs("eos_token_id")
        try reader.check(configuration)
        return configuration
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of decoder: Decoder<S>) {
        let heads = decoder.configuration.attentionHeads
        keys.add("embed_in.weight", decoder.words)
        for (index, block) in decoder.blocks.enumerated() {
            let prefix = "layers.\(index)."
            keys.add(prefix + "input_layernorm", block.attentionNorm)
            keys.add(prefix + "post_attention_layernorm", block.feedForwardNorm)
            keys.add(prefix + "attention.query_key_value", block.attention.projection, layout: .headByHead(heads))
            keys.add(prefix + "attention.dense", block.attention.output)
            keys.add(prefix + "mlp.dense_h_to_4h", block.feedForward.up)
            keys.add(prefix + "mlp.dense_4h_to_h", block.feedForward.down)
        }
        keys.add("final_layer_norm", decoder.finalNorm)
    }
}
