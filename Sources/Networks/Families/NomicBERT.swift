import FileFormats
import Tensors

/// Nomic BERT (Nussbaum et al. 2024): rotary positions and SwiGLU in an otherwise classical BERT without biases.
///
/// Its configuration comes under GPT-2's names (the model's own code) or under BERT's (transformers).
enum NomicBERT: EncoderFamily {
    static let modelTypes = ["nomic_bert"]
    static let prefixes = ["", "bert.", "nomic_bert."]

    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration {
        var configuration = EncoderConfiguration(
            vocabularySize: try reader.integer("vocab_size", default: 30528, in: 1...10_000_000),
            hiddenSize: try reader.integer("hidden_size", "n_embd", default: 768, in: 1...65536),
            layers: try reader.integer("num_hidden_layers", "n_layer", default: 12, in: 1...1024),
            attentionHeads: try reader.integer("num_attention_heads", "n_head", default: 12, in: 1...1024),
            intermediateSize: try reader.integer("intermediate_size", "n_inner", default: 3072, in: 1...1_048_576),
            positions: try reader.integer("max_position_embeddings", "n_positions", default: 2048, in: 1...1_048_576))
        configuration.modelType = "nomic_bert"
        configuration.segments = try reader.integer("type_vocab_size", default: 2, in: 0...1024)
        configuration.dropout = try reader.number("hidden_dropout_prob", "resid_pdrop", default: 0, in: 0..<1)
        configuration.layerNormEpsilon = try reader.number("layer_norm_eps", "layer_norm_epsilon", default: 1e-12, in: 0..<1)
        configuration.paddingID = Int32(try reader.integer("pad_token_id", default: 0, in: 0...(configuration.vocabularySize - 1)))
        configuration.hasPositionTable = false
        configuration.gatedFeedForward = true
        configuration.activation = try activation(reader)
        configuration.attentionBias = try reader.bool("qkv_proj_bias", default: false)
        configuration.feedForwardUpBias = try reader.bool("mlp_fc1_bias", default: false)
        configuration.feedForwardDownBias = try reader.bool("mlp_fc2_bias", default: false)
        for (key, wanted) in [
            ("prenorm", JSON.bool(false)), ("rotary_emb_fraction", .integer(1)), ("rotary_emb_interleaved", .bool(false)),
            ("parallel_block", .bool(false)), ("use_rms_norm", .bool(false)), ("causal", .bool(false)),
        ] {
            try reader.require(key, is: wanted)
        }
        if let parameters = reader.json["rope_parameters"], !parameters.isNull {
            try reader.requirePlainRotary(parameters)
            let base = try ConfigurationReader(json: parameters, file: reader.file).number("rope_theta", default: 1000, in: 1..<1e12)
            configuration.rotary = .init(base: base, localBase: base)
        } else {
            let base = try reader.number("rotary_emb_base", default: 1000, in: 1..<1e12)
            configuration.rotary = .init(base: base, localBase: base)
        }
        try reader.check(configuration)
        return configuration
    }

    /// GPT-2's names have the gate in the name of the activation.
    private static func activation(_ reader: ConfigurationReader) throws -> Activation {
        guard let name = try reader.string("activation_function") else { return try reader.activation("hidden_act", default: .silu) }
        switch name {
        case "swiglu": return .silu
        case "geglu": return .gelu
        case "glu": return .sigmoid
        default: throw reader.fail("activation_function '\(name)' is not supported; expected swiglu, geglu or glu")
        }
    }

    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? {
        MaskedHead(
            dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.layer_norm", output: "cls.predictions.decoder",
            bias: "cls.predictions.bias", activation: try activation(reader),
            epsilon: try reader.number("layer_norm_eps", "layer_norm_epsilon", default: 1e-12, in: 0..<1))
    }

    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>) {
        keys.add("embeddings.word_embeddings.weight", encoder.words)
        keys.add("embeddings.token_type_embeddings.weight", encoder.segments)
        keys.add("emb_ln", encoder.embeddingNorm)
        for (index, layer) in encoder.layers.enumerated() {
            let prefix = "encoder.layers.\(index)."
            keys.add(prefix + "attn.Wqkv", layer.attention.projection)
            keys.add(prefix + "attn.out_proj", layer.attention.output)
            keys.add(prefix + "norm1", layer.attentionNorm)
            // fc12 is the half that goes through the activation.
            keys.add([prefix + "mlp.fc12", prefix + "mlp.fc11"], stackedIn: layer.feedForward.up)
            keys.add(prefix + "mlp.fc2", layer.feedForward.down)
            keys.add(prefix + "norm2", layer.feedForwardNorm)
        }
    }
}
