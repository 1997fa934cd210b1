import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import TestSupport
import TestTools
import Testing

/// What a damaged or unusual model folder says to the user.
@Suite struct ModelDirectoryTests {
    /// The error of opening a model in which some files were replaced.
    private func failure(_ files: [String: String?]) throws -> DataError? {
        let model = try TinyModel(files)
        defer { try? FileManager.default.removeItem(at: model.folder) }
        do {
            _ = try SentenceEncoder(directory: ModelDirectory(folder: model.folder))
            return nil
        } catch let error as DataError {
            return error
        }
    }

    @Test func everyMissingFileIsNamed() throws {
        #expect(try failure(["config.json": nil])?.message.contains("config.json") == true)
        #expect(try failure(["model.safetensors": nil])?.message.contains("model.safetensors") == true)
        #expect(try failure(["vocab.txt": nil])?.description.contains("vocab.txt") == true)
        #expect(try failure(["1_Pooling/config.json": nil])?.description.contains("1_Pooling/config.json") == true)
        let bin = try failure(["model.safetensors": nil, "pytorch_model.bin": "x"])
        #expect(bin != nil)
    }

    @Test func unsupportedPartsAreNamed() throws {
        #expect(try failure(["1_Pooling/config.json": #"{"pooling_mode": "median"}"#])?.message.contains("median") == true)
        #expect(try failure(["1_Pooling/config.json": #"{"pooling_mode_mean_tokens": false}"#])?.message.contains("pooling") == true)
        #expect(
            try failure([
                "modules.json":
                    #"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "", "type": "sentence_transformers.models.CNN"}]"#
            ])?
            .message.contains("CNN") == true)
        #expect(
            try failure(["modules.json": #"[{"path": "../..", "type": "sentence_transformers.models.Transformer"}]"#])?.kind == .badData)
        #expect(try failure(["modules.json": "{"])?.kind == .badData)
        let config = try JSON(contentsOf: TinyModel().folder.appendingPathComponent("config.json").path)
        func changed(_ key: String, _ value: JSON) -> String {
            JSON.object((config.object ?? []).map { $0.key == key ? (key, value) : $0 }).serialized()
        }
        #expect(try failure(["config.json": changed("hidden_act", .string("snake"))])?.message.contains("snake") == true)
        #expect(try failure(["config.json": changed("model_type", .string("bloom"))])?.message.contains("bloom") == true)
        #expect(try failure(["config.json": changed("hidden_size", .integer(48))])?.message.contains("shape") == true)
        #expect(try failure(["config.json": changed("vocab_size", .integer(10))]) != nil)
        #expect(try failure(["config.json": changed("num_hidden_layers", .integer(3))])?.message.contains("encoder.layer.2") == true)
    }

    @Test func bareFolderMeansMeanPooling() throws {
        let model = try TinyModel(["modules.json": nil])
        let directory = try ModelDirectory(folder: model.folder)
        #expect(directory.assumesMeanPooling && directory.poolingName == "mean")
        #expect(directory.steps == [.pooling(modes: [.mean], includesPrompt: true)])
    }

    @Test func hashFollowsEveryFile() throws {
        let model = try TinyModel()
        let directory = try ModelDirectory(folder: model.folder)
        let before = try directory.sha256()
        let again = try directory.sha256()
        #expect(before.count == 64 && before == again)
        try model.write("README.md", "not a part of the model")
        #expect(try directory.sha256() == before)
        try model.write("sentence_bert_config.json", #"{"max_seq_length": 31}"#)
        #expect(try directory.sha256() != before)
    }

    @Test func namesAreLookedUpInTheHuggingFaceCache() throws {
        // As the hub's client lays it out: models--org--name/refs/main and snapshots/REVISION.
        let cache = try TestFolder.name("cache")
        let snapshot = cache.appendingPathComponent("models--some--tiny/snapshots/abc123")
        try FileManager.default.createDirectory(at: snapshot.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.moveItem(at: TinyModel().folder, to: snapshot)
        try FileManager.default.createDirectory(
            at: cache.appendingPathComponent("models--some--tiny/refs"), withIntermediateDirectories: true)
        try Data("abc123\n".utf8).write(to: cache.appendingPathComponent("models--some--tiny/refs/main"))
        setenv("HF_HUB_CACHE", cache.path, 1)
        defer { unsetenv("HF_HUB_CACHE") }
        let found = try ModelLocation.folder(for: "some/tiny")
        #expect(found.standardizedFileURL.path == snapshot.standardizedFileURL.path)
        #expect(try ModelDirectory(folder: found).name == "some/tiny")
        #expect(throws: DataError.self) { try ModelLocation.folder(for: "some/other") }
    }
}
