import FileFormats
import Foundation
import Testing

/// Files written by PyPI's gguf (tools/golden/gguf_golden.py).
@Suite struct GGUFTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    private func values(_ file: GGUFFile, _ name: String) throws -> [Float] {
        var values = [Float](repeating: 0, count: file[name]?.shape.reduce(1, *) ?? 0)
        try values.withUnsafeMutableBufferPointer { try file.read(name, into: $0) }
        return values
    }

    @Test(
        "Every kind of tensor has the values that gguf itself reads",
        arguments: ["f32", "f16", "bf16", "q8", "q4", "blk.0.attn_norm.weight"])
    func kinds(name: String) throws {
        let file = try GGUFFile(path: Self.fixtures.appending(path: "kinds.gguf").path)
        let expected = try SafetensorsFile(path: Self.fixtures.appending(path: "kinds.gguf.safetensors").path)
        #expect(file.names == expected.names)
        #expect(file[name]?.shape == expected[name]?.shape)
        let found = try values(file, name)
        #expect(try found == expected.floats(name))
        #expect(Set(found).count > 2)
    }

    @Test func theDescriptionIsRead() throws {
        let file = try GGUFFile(path: Self.fixtures.appending(path: "kinds.gguf").path)
        #expect(file.architecture == "gemma3")
        #expect(
            file.metadata["answer"] == .integer(42) && file.metadata["yes"] == .bool(true) && file.metadata["greeting"] == .string("こんにちは"))
        #expect(
            file.metadata["third"] == .number(Double(Float(1) / 3)) && file.metadata["words"] == .list(count: 3)
                && file.metadata["numbers"] == .list(count: 3))
    }

    @Test func anotherKindIsNamedAndRefused() throws {
        do {
            _ = try GGUFFile(path: Self.fixtures.appending(path: "other.gguf").path)
            Issue.record("no error")
        } catch { #expect("\(error)".contains("Q5_0") && "\(error)".contains("blk.0.ffn_up.weight")) }
    }

    /// Cut at every length, and with every byte of the header changed: refused or read, never a trap.
    @Test func damagedFiles() throws {
        let whole = try Data(contentsOf: Self.fixtures.appending(path: "kinds.gguf"))
        let path = FileManager.default.temporaryDirectory.appending(path: "damaged-\(UUID().uuidString).gguf")
        defer { try? FileManager.default.removeItem(at: path) }
        func read(_ data: Data) throws -> Bool {
            try data.write(to: path)
            do {
                let file = try GGUFFile(path: path.path)
                for name in file.names where (file[name]?.shape.reduce(1, *) ?? 0) < 1 << 20 { _ = try values(file, name) }
                return true
            } catch is DataError { return false }
        }
        #expect(try read(whole))
        for length in 0..<whole.count - 64 { #expect(try !read(whole.prefix(length))) }
        for place in 0..<300 {
            for value in [0, 0x7F, 0xFF] as [UInt8] {
                var changed = whole
                changed[place] = value
                _ = try read(changed)
            }
        }
    }
}
