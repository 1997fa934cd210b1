extension ModelDirectory {
    /// Whether a name in a model's folder belongs to the model, in any of the layouts that are written here or converted; what does not (a
    /// README, notes) stays when a new model takes the folder's place.
    package static func isModelFile(_ name: String) -> Bool {
        let known: Set = [
            "config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model",
            "sentencepiece.bpe.model", "spiece.model",
            "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json", "generation_config.json",
        ]
        if known.contains(name) || name.hasSuffix(".safetensors") || name.hasPrefix("pytorch_model-") { return true }
        // "1_Pooling", "2_Normalize", "3_Dense".
        guard let underscore = name.firstIndex(of: "_") else { return false }
        return !name[..<underscore].isEmpty && name[..<underscore].allSatisfy { ("0"..."9").contains($0) }
            && ["Pooling", "Normalize", "Dense", "LayerNorm", "Dropout", "StaticEmbedding", "WordEmbeddings"].contains(
                String(name[name.index(after: underscore)...]))
    }
}
