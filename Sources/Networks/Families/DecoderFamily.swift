import Autograd
import FileFormats
import Foundation
import Tensors

/// A family of decoder stacks: how its `config.json` reads, and where its checkpoints keep each parameter.
protocol DecoderFamily: Sendable {
    /// Values of `model_type` that mean this family.
    static var modelTypes: [String] { get }
    /// What may be before every key.
    static var prefixes: [String] { get }
    /// The language-model head's matrix where it is not the token table; nil for a family that has no such head here.
    static var headKey: String? { get }
    static func configuration(_ reader: ConfigurationReader) throws -> DecoderConfiguration
    static func keys<S>(_ keys: inout CheckpointKeys<S>, of decoder: Decoder<S>)
}

private let families: [any DecoderFamily.Type] = [GPT2.self, GPTNeoX.self, Llama.self, Gemma.self, T5.self]

/// Every `model_type` that a decoder stack can be made from.
package let supportedDecoderTypes: [String] = families.flatMap { $0.modelTypes }

func decoderFamily(_ modelType: String) -> (any DecoderFamily.Type)? { families.first { $0.modelTypes.contains(modelType) } }

extension ConfigurationReader {
    /// Token ids under a key: one, several or none.
    func tokenIDs(_ key: String) throws -> [Int32] {
        guard let (_, value) = value([key]) else { return [] }
        let ids = (value.array ?? [value]).map { $0.int.flatMap { Int32(exactly: $0) } }
        guard !ids.contains(where: { ($0 ?? -1) < 0 }) else { throw fail("'\(key)' should be a token id or several") }
        return ids.compactMap(\.self)
    }

    /// Which layers have a sliding window, by `layer_types` or else by a rule.
    func localLayers(count: Int, otherwise rule: (Int) -> Bool) throws -> [Bool] {
        guard let (_, value) = value(["layer_types"]) else { return (0..<count).map(rule) }
        let types = value.array?.compactMap(\.string) ?? []
        guard types.count == count, types.allSatisfy({ $0 == "full_attention" || $0 == "sliding_attention" }) else {
            throw fail("'layer_types' should name full_attention or sliding_attention for each of the \(count) layers")
        }
        return types.map { $0 == "sliding_attention" }
    }

    /// Rotary positions: `rope_parameters` of newer files (of one kind of layer where it names several), else `rope_theta` and
    /// `rope_scaling`.
    ///
    /// - Parameters:
    ///   - kind: `full_attention` or `sliding_attention`.
    ///   - older: key of θ in older files; `scales` says whether their `rope_scaling` counts for this kind of layer.
    func rotary(
        headSize: Int, positions: Int, kind: String = "full_attention", older: String = "rope_theta", base: Double,
        fraction: Double = 1, scales: Bool = true
    ) throws -> RotaryPositions {
        var parameters = json["rope_parameters"]
        if let own = parameters?[kind], !own.isNull { parameters = own }
        if parameters?.isNull ?? true { parameters = nil }
        let scaling = parameters ?? (scales ? json["rope_scaling"] : nil) ?? .object([])
        let own = try ConfigurationReader(json: scaling.isNull ? .object([]) : scaling, file: file)
        let theta = try own.number("rope_theta", default: number(older, default: base, in: 1..<1e12), in: 1..<1e12)
        let part = try own.number("partial_rotary_factor", default: fraction, in: 0..<1.000001)
        let turned = Int(Double(headSize) * part)
        guard turned >= 2, turned % 2 == 0 else {
            throw fail("rotary positions need pairs; \(turned) of a head's \(headSize) elements cannot be paired")
        }
        return RotaryPositions(base: theta, turned: turned, scaling: try own.scaling(positions: positions))
    }

    private func scaling(positions: Int) throws -> RotaryPositions.Scaling {
        let type = try string("rope_type") ?? string("type") ?? "default"
        func factor() throws -> Double {
            guard value(["factor"]) != nil else { throw fail("rope_type '\(type)' needs 'factor'") }
            return try number("factor", default: 1, in: 1..<1e6)
        }
        func original() throws -> Int { try integer("original_max_position_embeddings", default: positions, in: 1...1_048_576_000) }
        switch type {
        case "default": return .none
        case "linear": return .linear(factor: try factor())
        case "llama3":
            let low = try number("low_freq_factor", default: 1, in: 1e-6..<1e6),
                high = try number("high_freq_factor", default: 4, in: 1e-6..<1e6)
            guard high > low else { throw fail("'high_freq_factor' \(high) should be above 'low_freq_factor' \(low)") }
            return .llama3(factor: try factor(), lowFrequency: low, highFrequency: high, original: try original())
        case "yarn":
            for key in ["mscale", "mscale_all_dim"] { try require(key, is: .null) }
            let factor = try factor()
            return .yarn(
                factor: factor, fast: try number("beta_fast", default: 32, in: 1e-6..<1e6),
                slow: try number("beta_slow", default: 1, in: 1e-6..<1e6),
                original: try original(),
                magnitude: try number("attention_factor", default: factor <= 1 ? 1 : 0.1 * log(factor) + 1, in: 1e-6..<1e6),
                truncates: try bool("truncate", default: true))
        default: throw fail("rope_type '\(type)' is not supported; expected default, linear, llama3 or yarn")
        }
    }

    func check(_ configuration: DecoderConfiguration) throws {
        guard configuration.attentionHeads % configuration.keyValueHeads == 0 else {
            throw fail(
                "num_attention_heads \(configuration.attentionHeads) is not divisible by num_key_value_heads "
                    + "\(configuration.keyValueHeads)")
        }
        guard configuration.layers == configuration.isLocal.count || configuration.isLocal.isEmpty else {
            throw fail("layer_types has \(configuration.isLocal.count) layers, num_hidden_layers is \(configuration.layers)")
        }
        for id in configuration.endIDs + [configuration.beginID].compactMap(\.self) where Int(id) >= configuration.vocabularySize {
            throw fail("token id \(id) is outside the vocabulary of \(configuration.vocabularySize)")
        }
    }
}
