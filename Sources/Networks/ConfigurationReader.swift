import FileFormats
import Tensors

/// Values of a `config.json`, each checked, with errors that name the key.
struct ConfigurationReader {
    let json: JSON
    let file: String

    init(json: JSON, file: String) throws {
        self.json = json
        self.file = file
        guard json.object != nil else { throw fail("expected an object with the model's configuration") }
    }

    func fail(_ message: String) -> DataError { DataError(.badData, message, file: file) }

    /// The value under the first of `keys` that is there and not null.
    func value(_ keys: [String]) -> (key: String, value: JSON)? {
        for key in keys {
            if let value = json[key], !value.isNull { return (key, value) }
        }
        return nil
    }

    func integer(_ keys: String..., default fallback: Int? = nil, in range: ClosedRange<Int>) throws -> Int {
        let bounds = Bounds(range)
        guard let (key, value) = value(keys) else {
            if let fallback { return fallback }
            throw fail("'\(keys[0])' is missing; the network needs it")
        }
        guard let number = bounds.read(value) else { throw fail("'\(key)' should be \(bounds.expectation), not \(value.serialized())") }
        return number
    }

    func number(_ keys: String..., default fallback: Double, in range: Range<Double>) throws -> Double {
        let bounds = Bounds(range)
        guard let (key, value) = value(keys) else { return fallback }
        guard let number = bounds.read(value) else { throw fail("'\(key)' should be \(bounds.expectation), not \(value.serialized())") }
        return number
    }

    func bool(_ key: String, default fallback: Bool) throws -> Bool {
        guard let (_, value) = value([key]) else { return fallback }
        guard let bool = value.bool else { throw fail("'\(key)' should be true or false") }
        return bool
    }

    func string(_ key: String) throws -> String? {
        guard let (_, value) = value([key]) else { return nil }
        guard let string = value.string else { throw fail("'\(key)' should be a string") }
        return string
    }

    /// Refuses a setting that would change what the model computes.
    func require(_ key: String, is wanted: JSON) throws {
        guard let (_, value) = value([key]), value != wanted else { return }
        if let (a, b) = (value.double, wanted.double) as? (Double, Double), a == b { return }
        throw fail("'\(key)' of this model is not supported; expected \(Self.text(wanted))")
    }

    private static func text(_ value: JSON) -> String {
        switch value {
        case .bool(let b): "\(b)"
        case .integer(let i): "\(i)"
        case .number(let d): "\(d)"
        case .string(let s): "\"\(s)\""
        default: "null"
        }
    }

    // MARK: Activations

    /// Their names in configuration files; the first name of each is the one written.
    private static let activations: [(String, Activation)] = [
        ("gelu", .gelu), ("gelu_new", .geluTanh), ("gelu_pytorch_tanh", .geluTanh), ("gelu_fast", .geluTanh), ("relu", .relu),
        ("tanh", .tanh),
        ("silu", .silu), ("swish", .silu), ("sigmoid", .sigmoid), ("linear", .identity),
    ]

    static func name(of activation: Activation) -> String { activations.first { $0.1 == activation }?.0 ?? activation.rawValue }

    func activation(_ key: String, default fallback: Activation) throws -> Activation {
        guard let name = try string(key) else { return fallback }
        guard let known = Self.activations.first(where: { $0.0 == name }) else {
            throw fail("activation '\(name)' is not supported; expected one of \(Self.activations.map(\.0).joined(separator: ", "))")
        }
        return known.1
    }

    // MARK: What nearly all families have

    /// Sizes under the names that BERT gave them.
    func common() throws -> EncoderConfiguration {
        var configuration = EncoderConfiguration(
            vocabularySize: try integer("vocab_size", in: 1...10_000_000),
            hiddenSize: try integer("hidden_size", in: 1...65536),
            layers: try integer("num_hidden_layers", in: 1...1024),
            attentionHeads: try integer("num_attention_heads", in: 1...1024),
            intermediateSize: try integer("intermediate_size", in: 1...1_048_576),
            positions: try integer("max_position_embeddings", default: 512, in: 1...1_048_576))
        configuration.activation = try activation("hidden_act", default: .gelu)
        configuration.dropout = try number("hidden_dropout_prob", default: 0.1, in: 0..<1)
        configuration.layerNormEpsilon = try number("layer_norm_eps", default: 1e-12, in: 0..<1)
        configuration.segments = try integer("type_vocab_size", default: 2, in: 0...1024)
        configuration.paddingID = Int32(try integer("pad_token_id", default: 0, in: -1...(configuration.vocabularySize - 1)))
        try require("position_embedding_type", is: .string("absolute"))
        try check(configuration)
        return configuration
    }

    /// Whether tokens see only what is before them, of the families whose reference implementation has that choice.
    func causality() throws -> Bool {
        try require("add_cross_attention", is: .bool(false))
        return try bool("is_decoder", default: false)
    }

    func check(_ configuration: EncoderConfiguration) throws {
        guard configuration.hiddenSize % configuration.attentionHeads == 0 else {
            throw fail("hidden_size \(configuration.hiddenSize) is not divisible by num_attention_heads \(configuration.attentionHeads)")
        }
        guard configuration.longestSequence > 0 else {
            throw fail("\(configuration.positions) positions starting at \(configuration.firstPosition) leave no room for tokens")
        }
        if configuration.rotary != nil, configuration.hiddenSize / configuration.attentionHeads % 2 != 0 {
            throw fail("rotary positions need heads of an even size, not \(configuration.hiddenSize / configuration.attentionHeads)")
        }
    }
}
