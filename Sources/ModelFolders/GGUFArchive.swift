import FileFormats
import Networks
import Tensors

/// A GGUF file under the names that Hugging Face's checkpoints use, for Llama, Mistral, Qwen and Gemma.
///
/// llama.cpp's converter changes some tensors, which is undone here: it reorders the rows of Llama's queries and keys (pairs of rotary
/// positions are side by side there), and adds the 1 that Gemma's checkpoints leave out of their norms' scales.
package struct GGUFArchive: WeightArchive {
    private let file: GGUFFile
    /// From the names here to the file's.
    private let places: [String: String]
    private let architecture: String

    private static let parts: [String: String] = [
        "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    ]
    package static let architectures = ["llama", "qwen2", "qwen3", "gemma2", "gemma3"]

    /// - Throws: `DataError` for an architecture that is not read, with the list of those that are.
    package init(_ file: GGUFFile) throws {
        self.file = file
        architecture = file.architecture ?? ""
        guard Self.architectures.contains(architecture) else {
            throw DataError(
                .badData,
                "GGUF of architecture '\(architecture)' is not supported; expected one of \(Self.architectures.joined(separator: ", "))",
                file: file.path)
        }
        var parts = Self.parts
        if architecture.hasPrefix("gemma") {
            parts["ffn_norm"] = "pre_feedforward_layernorm"
            parts["post_attention_norm"] = "post_attention_layernorm"
            parts["post_ffw_norm"] = "post_feedforward_layernorm"
        } else {
            parts["ffn_norm"] = "post_attention_layernorm"
        }
        var places: [String: String] = [:]
        for name in file.names {
            let pieces = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if name == "token_embd.weight" { places["model.embed_tokens.weight"] = name }
            if name == "output_norm.weight" { places["model.norm.weight"] = name }
            if name == "output.weight" { places["lm_head.weight"] = name }
            if pieces.count == 4, pieces[0] == "blk", Int(pieces[1]) != nil, let part = parts[pieces[2]] {
                places["model.layers.\(pieces[1]).\(part).\(pieces[3])"] = name
            }
        }
        self.places = places
    }

    package var fileName: String { file.path }
    package var names: [String] { places.keys.sorted() }
    package func shape(of name: String) -> [Int]? { places[name].flatMap { file[$0]?.shape } }

    package func tensor(_ name: String) throws -> Tensor<Float> {
        guard let place = places[name], let entry = file[place] else { throw DataError(.badData, "no tensor '\(name)'", file: fileName) }
        try MemoryBudget.require(entry.shape.reduce(1, *) * MemoryLayout<Float>.stride, for: "tensor \(name)", file: fileName)
        let tensor = try Tensor<Float>(filling: entry.shape) { try file.read(place, into: $0) }
        if architecture == "llama",
            place.hasSuffix("attn_q.weight") || place.hasSuffix("attn_k.weight") || place.hasSuffix("attn_q.bias")
                || place.hasSuffix("attn_k.bias")
        {
            return try unpaired(tensor, heads: heads(place.contains("attn_q") ? "head_count" : "head_count_kv"))
        }
        if architecture.hasPrefix("gemma"), name.hasSuffix("norm.weight") {
            return Tensor(tensor.elements.map { $0 - 1 }, shape: tensor.shape)
        }
        return tensor
    }

    private func heads(_ key: String) throws -> Int {
        guard case .integer(let count)? = file.metadata["llama.attention.\(key)"] ?? file.metadata["llama.attention.head_count"], count > 0
        else {
            throw DataError(.badData, "'llama.attention.\(key)' is missing; the row order of the queries depends on it", file: fileName)
        }
        return count
    }

    /// Rows 2 i and 2 i + 1 of each head become rows i and i + half.
    private func unpaired(_ tensor: Tensor<Float>, heads: Int) throws -> Tensor<Float> {
        let rows = tensor.shape[0]
        guard rows % (2 * heads) == 0 else {
            throw DataError(.badData, "\(rows) rows do not divide into \(heads) heads of pairs", file: fileName)
        }
        let half = rows / heads / 2
        return tensor.selecting(
            (0..<rows).map { row in
                let head = row / (2 * half), place = row % (2 * half)
                return head * 2 * half + place % half * 2 + place / half
            })
    }
}
