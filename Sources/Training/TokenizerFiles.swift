import FileFormats
import Foundation
import Tokenizers

/// The tokenizer's part of a model's folder.
enum TokenizerFiles {
    /// Copies the files of a tokenizer into a model's folder, and says what its special tokens are where they do not.
    ///
    /// - Parameter path: a folder with tokenizer files, or a tokenizer.json.
    static func copy(from path: String, _ tokenizer: Tokenizer, maxLength: Int, to folder: URL) throws {
        let manager = FileManager.default, source = URL(fileURLWithPath: path)
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: source.path, isDirectory: &isFolder) else {
            throw DataError(.noInput, "the tokenizer has been removed", file: path)
        }
        if isFolder.boolValue {
            for name in [
                "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt",
                "added_tokens.json",
                "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
            ] {
                let file = source.appendingPathComponent(name)
                if manager.fileExists(atPath: file.path) {
                    try manager.copyItem(at: file.resolvingSymlinksInPath(), to: folder.appendingPathComponent(name))
                }
            }
        } else {
            try manager.copyItem(at: source, to: folder.appendingPathComponent("tokenizer.json"))
        }
        guard !manager.fileExists(atPath: folder.appendingPathComponent("tokenizer_config.json").path) else { return }
        var settings: [(key: String, value: JSON)] = [
            ("tokenizer_class", .string("PreTrainedTokenizerFast")), ("model_max_length", .integer(maxLength)),
        ]
        for (key, id) in [
            ("cls_token", tokenizer.clsID), ("sep_token", tokenizer.sepID), ("pad_token", tokenizer.padID),
            ("mask_token", tokenizer.maskID), ("unk_token", tokenizer.unknownID),
        ] {
            if let token = id.flatMap(tokenizer.token(for:)) { settings.append((key, .string(token))) }
        }
        try AtomicFile.write(to: folder.appendingPathComponent("tokenizer_config.json").path) {
            try $0.write(JSON.object(settings).serialized(.pretty) + "\n")
        }
    }
}
