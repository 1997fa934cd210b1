import FileFormats

/// Gemma (2024), Gemma 2 (2024) and Gemma 3 (2025) of text, the last also without a causal mask (EmbeddingGemma): token vectors times
/// √hiddenSize, scales stored minus 1; from Gemma 2 on norms on both sides of the sublayers, and layers with a window.
enum Gemma: DecoderFamily {
    static let modelTypes = ["gemma", "gemma2", "gemma3_text", "gemma3"]
    static let prefixes = ["model.", "", "language_model.model.", "model.language_model."]
    static let headKey: String? = "lm_head"

    static func configuration(_ whole: ConfigurationReader) throws -> DecoderConfiguration {
        var reader = whole, type = try whole.string("model_type") ?? "gemma"
        if type == "gemma3" {
            // A model of pictures and text: the text's part.
            reader = try ConfigurationReader(json: whole.json["text_config"] ?? .object([]), file: whole.file)
            type = "gemma3_text"
        }
        let heads = try reader.integer("num_attention_heads", default: 8, in: 1...1024)
        var configuration = DecoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", default: type == "gemma3_text" ? 262_208 : 256_000, in: 1...10_000_000),
            hiddenSize: try reader.integer("hidden_size", default: 2304, in: 1...65536),
            layers: try reader.integer("num_hidden_layers", default: 26, in: 1...1024), attentionHeads: heads,
            keyValueHeads: try reader.integer("num_key_value_heads", default: min(4, heads), in: 1...heads),
            headSize: try reader.integer("head_dim", default: 256, in: 1...4096),
            intermediateSize: try reader.integer("intermediate_size", default: 9216, in: 1...1_048_576),
            positions: try reader.integer("max_position_embeddings", default: type == "gemma3_text" ? 131_072 : 8192, in: 1...1_048_576_000)
        )
        // Gemma 1's own key may say "gelu" and mean the approximation all the same.
        configuration.activation = type == "gemma" ? .geluTanh : try reader.activation("hidden_activation", default: .geluTanh)
        configuration.embeddingScale = Double(configuration.hiddenSize).squareRoot()
        configuration.tiedHead = try reader.bool("tie_word_embeddings", default: true)
        configuration.norm = .rootMeanSquarePlusOne
        configuration.normEpsilon = try reader.number("rms_norm_eps", default: 1e-6, in: 0..<1)
        configuration.attentionBias = try reader.bool("attention_bias", default: false)
        configuration.attentionOutputBias = configuration.attentionBias
        configuration.rotary = try reader.rotary(
            headSize: configuration.headSize, positions: configuration.positions,
            base: type == "gemma3_text" ? 1_000_000 : 10_000)
        if type != "gemma" {
            configuration.joining = .sandwiched
            configuration.attentionScale = 1 / (try reader.number("query_pre_attn_scalar", default: 256, in: 1e-6..<1e6)).squareRoot()
            let isSecond = type == "gemma2"
            configuration.attentionCap = try cap(reader, "attn_logit_softcapping", default: isSecond ? 50 : nil)
            configuration.logitCap = try cap(reader, "final_logit_softcapping", default: isSecond ? 30 : nil)
            configuration.isCausal = !(try reader.bool("use_bidirectional_attention", default: false))
            let period = isSecond ? 2 : try reader.integer("sliding_window_pattern", default: 6, in: 1...1024)
            configuration.isLocal = try reader.localLayers(count: configuration.layers) { ($0 + 1) % period != 0 }
            let window = try reader.integer("sliding_window", default: 4096, in: 1...1_048_576_000)
            configuration.localWindow = configuration.isCausal ? window - 1 : window / 2
            if !isSecond {
                configuration.queryKeyNorm = true
                configuration.localRotary = try reader.rotary(
                    headSize: configuration.headSize, positions: configuration.positions, kind: "sliding_attention",
                    older: "rope_local_base_freq", base: 10_000, scales: false)
            }
        }
        configuration.beginID = try (whole.tokenIDs("bos_token_id") + reader.tokenIDs("bos_token_id")).first ?? 2
        let ends = try whole.tokenIDs("eos_token_id")
        configuration.endIDs = ends.isEmpty ? try reader.tokenIDs("eos_token_id") : ends
        if configuration.endIDs.isEmpty { configuration.endIDs = [1] }
        try reader.check(configuration)
        return configuration
    }

    /// A cap that an older file leaves out has the family's default; null means none.
    private static func cap(_ reader: ConfigurationReader, _ key: String, default fallback: Double?) throws -> Double? {
        if let given = reader.json[key], given.isNull { return nil }
        guard let fallback = reader.value([key]) != nil ? 1 : fallback else { return nil }
        return try reader.number(key, default: fallback, in: 1e-3..<1e6)
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of decoder: Decoder<S>) {
        keys.add("embed_tokens.weight", decoder.words)
        for (index, block) in decoder.blocks.enumerated() {
            let prefix = "layers.\(index)."
            keys.add(prefix + "input_layernorm", block.attentionNorm)
            Llama.attentionKeys(&keys, prefix, block, of: decoder)
            let isSandwiched = block.attentionPostNorm != nil
            keys.add(prefix + "post_attention_layernorm", isSandwiched ? block.attentionPostNorm : block.feedForwardNorm)
            if isSandwiched {
                keys.add(prefix + "pre_feedforward_layernorm", block.feedForwardNorm)
                keys.add(prefix + "post_feedforward_layernorm", block.feedForwardPostNorm)
            }
            Llama.feedForwardKeys(&keys, prefix, block)
        }
        keys.add("norm", decoder.finalNorm)
    }
}
