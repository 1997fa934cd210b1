import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tensors
import Testing

/// Tiny embedders on decoders and on T5's encoder, made by tools/golden/decoder_embedders.py, against sentence-transformers.
@Suite struct DecoderEmbedderTests {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    static let names = ["qwen3", "embeddinggemma", "sgpt", "sentence-t5", "sarashina", "instructor"]

    /// The model's folder with its tokenizer, and what is expected of it.
    private func model(_ name: String) throws -> (folder: URL, expected: JSON) {
        let fixture = Self.tests.appending(path: "SentenceEmbeddingTests/Fixtures/decoders/\(name)")
        let expected = try JSON(contentsOf: fixture.appending(path: "expected.json").path)
        let folder = FileManager.default.temporaryDirectory.appending(path: "embedder-\(UUID().uuidString)/\(name)")
        try FileManager.default.createDirectory(at: folder.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: fixture, to: folder)
        let tokenizer = try #require(expected["tokenizer"]?.string)
        try FileManager.default.copyItem(
            at: Self.tests.appending(path: "TokenizersTests/Fixtures/\(tokenizer).tokenizer.json"),
            to: folder.appending(path: "tokenizer.json"))
        return (folder, expected)
    }

    @Test("Vectors agree with the reference, with every prompt", arguments: names)
    func vectors(name: String) throws {
        let (folder, expected) = try model(name)
        defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
        let texts = (expected["texts"]?.array ?? []).compactMap(\.string), vectors = expected["vectors"]?.object ?? []
        #expect(texts.count == 6 && !vectors.isEmpty)
        for (prompt, rows) in vectors {
            var options = SentenceEncoder.Options()
            if prompt.isEmpty { options.prompt = "" } else { options.promptName = prompt }
            let encoder = try SentenceEncoder(directory: ModelDirectory(folder: folder), options: options)
            let found = try encoder.encode(texts)
            for (row, expected) in (rows.array ?? []).enumerated() {
                let expected = (expected.array ?? []).compactMap(\.double)
                #expect(expected.count == encoder.dimension)
                let scale = max(1, expected.map(abs).max() ?? 1)
                for (c, value) in expected.enumerated() {
                    #expect(abs(Double(found[row, c]) - value) <= 3e-5 * scale, "prompt '\(prompt)', text \(row), component \(c)")
                }
            }
        }
        // Prompts change something.
        if vectors.count > 1 { #expect(vectors[0].value != vectors[1].value) }
    }

    @Test("A text alone has the vector it has in company, to the bit", .tags(.sameBits), arguments: names)
    func sameBits(name: String) throws {
        let (folder, expected) = try model(name)
        defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
        let texts = (expected["texts"]?.array ?? []).compactMap(\.string)
        let encoder = try SentenceEncoder(directory: ModelDirectory(folder: folder))
        let together = try encoder.encode(texts)
        for (row, text) in texts.enumerated() { #expect(try encoder.encode([text]).hasSameBits(as: together.rows(row..<row + 1))) }
    }
}
