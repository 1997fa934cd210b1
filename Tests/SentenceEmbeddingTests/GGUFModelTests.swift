import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Testing

/// A model's folder whose weights are a GGUF file (tools/golden/gguf_golden.py).
@Suite struct GGUFModelTests {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    @Test func theSameNetworkAsFromSafetensors() throws {
        let golden = Self.tests.appending(path: "NetworksTests/Fixtures/decoders/llama-linear")
        let folder = FileManager.default.temporaryDirectory.appending(path: "gguf-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(
            at: Self.tests.appending(path: "SentenceEmbeddingTests/Fixtures/llama.gguf"), to: folder.appending(path: "model-f32.gguf"))
        let configuration = try DecoderConfiguration(
            json: JSON(contentsOf: golden.appending(path: "config.json").path), file: "config.json")
        let ours = CausalNetwork<Float>(configuration), theirs = CausalNetwork<Float>(configuration)
        try ours.load(from: ModelDirectory.weights(in: folder))
        try theirs.load(from: ModelDirectory.weights(in: golden))
        for (a, b) in zip(ours.parameters, theirs.parameters) { #expect(a.value == b.value) }
    }

    @Test func gemmasScalesLoseTheOneThatWasAdded() throws {
        let archive = try GGUFArchive(GGUFFile(path: Self.tests.appending(path: "FileFormatsTests/Fixtures/kinds.gguf").path))
        #expect(archive.names == ["model.layers.0.input_layernorm.weight"])
        #expect(try archive.tensor("model.layers.0.input_layernorm.weight").elements == [0.5, 0, -0.75])
    }
}
