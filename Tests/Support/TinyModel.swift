import FileFormats
import Foundation
import Networks
import Tensors
import TestTools

/// A model's folder with random weights, made on the spot: everything that a real one has, in a few kilobytes.
public struct TinyModel {
    public let folder: URL

    public static let words: [String] = {
        let letters = (UInt8(ascii: "a")...UInt8(ascii: "z")).map { String(UnicodeScalar($0)) }
        let whole = ["two", "dogs", "play", "in", "the", "snow", "cat", ".", ",", "1", "2"]
        return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + letters.map { "##" + $0 } + whole
    }()

    /// - Parameter files: written into the folder last, so that a test can replace any of them; nil leaves one out.
    public init(seed: UInt64 = 1, _ files: [String: String?] = [:]) throws {
        folder = try TestFolder.make("model")
        var configuration = EncoderConfiguration(
            vocabularySize: Self.words.count, hiddenSize: 24, layers: 2, attentionHeads: 3, intermediateSize: 40, positions: 64)
        configuration.dropout = 0
        let encoder = Encoder<Float>(configuration)
        encoder.initialize(seed: seed)
        // Larger than usual, so that sentences differ clearly.
        for parameter in encoder.parameters where parameter.shape.count == 2 {
            var value = parameter.value
            Float.scale(&value.target, by: 8)
            parameter.assign(value)
        }
        try write("config.json", configuration.json.serialized(.pretty))
        try write("vocab.txt", Self.words.joined(separator: "\n") + "\n")
        try write("tokenizer_config.json", #"{"tokenizer_class": "BertTokenizer", "do_lower_case": true}"#)
        try write("sentence_bert_config.json", #"{"max_seq_length": 32, "do_lower_case": false}"#)
        try write(
            "modules.json",
            #"""
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
             {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
            """#)
        try write(
            "1_Pooling/config.json", #"{"word_embedding_dimension": 24, "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}"#
        )
        var writer = SafetensorsWriter()
        for entry in encoder.checkpointEntries {
            writer.add(entry.key, shape: entry.shape, values: entry.stored.elements)
        }
        try writer.write(to: folder.appendingPathComponent("model.safetensors").path)
        for (name, text) in files {
            if let text { try write(name, text) } else { try? FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }
        }
    }

    public func write(_ name: String, _ text: String) throws {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}
