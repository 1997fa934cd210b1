import FileFormats
import Foundation
import Testing

@Suite struct TorchCheckpointTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/torch").path

    func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test("Every tensor equals the safetensors of the same state", arguments: ["state.bin", "nested.bin", "protocol4.bin"])
    func equalsSafetensors(name: String) throws {
        let checkpoint = try TorchCheckpoint(path: Self.folder + "/" + name)
        let expected = try SafetensorsFile(path: Self.folder + "/expected.safetensors")
        #expect(checkpoint.names == expected.names)
        for name in expected.names {
            #expect(checkpoint[name]?.shape == expected[name]?.shape, "\(name)")
            #expect(checkpoint[name]?.dtype == expected[name]?.dtype, "\(name)")
            let wanted = try expected.withBytes(of: name) { Array($0) }
            #expect(try checkpoint.withBytes(of: name) { Array($0) } == wanted, "\(name)")
        }
        #expect(try checkpoint.integers("ids") == Array(0..<7))
        #expect(try checkpoint.floats("scalar") == [2.5])
    }

    @Test("Several checkpoints under one index are read as one")
    func shards() throws {
        let scratch = Scratch()
        for name in ["state.bin", "protocol4.bin", "hostile.bin"] {
            try FileManager.default.copyItem(atPath: Self.folder + "/" + name, toPath: scratch.path(name))
        }
        let index = try scratch.write(
            #"{"weight_map": {"f32": "state.bin", "transposed": "protocol4.bin"}}"#, "pytorch_model.bin.index.json")
        let shards = try ShardedTensors(index: index), expected = try SafetensorsFile(path: Self.folder + "/expected.safetensors")
        #expect(shards.names == ["f32", "transposed"])
        #expect(!shards.isMapped)
        for name in shards.names { #expect(try shards.floats(name) == expected.floats(name)) }
        let hostile = try scratch.write(#"{"weight_map": {"f32": "state.bin", "weight": "hostile.bin"}}"#, "hostile.json")
        #expect(message { _ = try ShardedTensors(index: hostile) }.contains("system"))
    }

    @Test("What would run something is refused by name")
    func hostile() {
        let text = message { _ = try TorchCheckpoint(path: Self.folder + "/hostile.bin") }
        #expect(text.contains("posix.system") && text.contains("not allowed"))
    }

    @Test("The format before PyTorch 1.6 is refused with what to do")
    func legacy() {
        #expect(message { _ = try TorchCheckpoint(path: Self.folder + "/legacy.bin") }.contains("before PyTorch 1.6"))
    }

    @Test("A file that is not a checkpoint is named as such")
    func other() {
        #expect(message { _ = try TorchCheckpoint(path: Self.folder + "/expected.safetensors") }.contains("not a PyTorch checkpoint"))
        #expect(message { _ = try TorchCheckpoint(path: Self.folder + "/missing.bin") }.contains("no such file"))
    }

    // MARK: Hand-written pickles

    func tensors(_ pickle: [UInt8]) throws -> [String] {
        try pickle.withUnsafeBytes { try TorchPickle.tensors($0, path: "p").map { "\($0.name) \($0.view.shape)" } }
    }

    /// {"w": a tensor of the given sizes and strides in a storage of 6 floats}.
    func pickle(shape: [Int32], strides: [Int32], offset: Int32 = 0) -> [UInt8] {
        func int(_ value: Int32) -> [UInt8] { [UInt8(ascii: "J")] + withUnsafeBytes(of: value.littleEndian, Array.init) }
        func text(_ text: String) -> [UInt8] { [UInt8(ascii: "X"), UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) }
        func tuple(_ values: [Int32]) -> [UInt8] { Array("(".utf8) + values.flatMap(int) + Array("t".utf8) }
        var bytes: [UInt8] = [0x80, 2] + Array("}".utf8) + text("w") + Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
        bytes += text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text("0") + text("cpu") + int(6) + Array("tQ".utf8)
        bytes += int(offset) + tuple(shape) + tuple(strides) + [0x89] + Array("}tRs.".utf8)
        return bytes
    }

    @Test("Tensors that reach beyond their storage are refused")
    func reach() throws {
        #expect(try tensors(pickle(shape: [2, 3], strides: [3, 1])) == ["w [2, 3]"])
        #expect(try tensors(pickle(shape: [3, 2], strides: [1, 3])) == ["w [3, 2]"])
        for (shape, strides, offset) in [
            ([2, 3], [4, 1], 0), ([6], [1], 1), ([7], [0], 0), ([2, 3], [3, 1], -1), ([2, -3], [3, 1], 0),
            ([65536, 65536, 65536, 65536], [0, 0, 0, 0], 0), ([Int32.max], [Int32.max], 0),
        ] as [([Int32], [Int32], Int32)] {
            #expect(
                message { _ = try tensors(pickle(shape: shape, strides: strides, offset: offset)) }.contains("pickle"),
                "\(shape) \(strides) \(offset)")
        }
    }

    @Test("Neither cycles nor endless nesting hurt")
    func nesting() {
        var deep: [UInt8] = [0x80, 2] + Array("]q\u{0}".utf8)
        for _ in 0..<300_000 { deep += Array("]q\u{1}a".utf8) + [UInt8(ascii: "h"), 1] }
        #expect(message { _ = try tensors(deep + Array(".".utf8)) }.contains("no dictionary"))
        #expect(message { _ = try tensors([0x80, 2] + Array("]q\u{0}h\u{0}a.".utf8)) }.contains("no dictionary"))
        #expect(message { _ = try tensors([UInt8](repeating: UInt8(ascii: "("), count: 500_000)) }.contains("truncated"))
    }

    @Test("Tens of thousands of damaged pickles and files give errors, never a trap")
    func fuzz() throws {
        var random = SystemRandomNumberGenerator()
        let good = pickle(shape: [2, 3], strides: [3, 1])
        for _ in 0..<40_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(place...)
                case 2: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 9)], at: place)
                default: bytes.insert(Array("(0129.]}aebsutRQNhq".utf8).randomElement(using: &random)!, at: place)
                }
                if bytes.isEmpty { bytes = [0x80] }
            }
            _ = try? tensors(bytes)
        }
        let whole = try Array(Data(contentsOf: URL(fileURLWithPath: Self.folder + "/state.bin")))
        let path = FileManager.default.temporaryDirectory.appending(path: "kotonoha-torch-\(UUID().uuidString).bin").path
        defer { unlink(path) }
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            if let checkpoint = try? TorchCheckpoint(path: path) {
                for name in checkpoint.names { _ = try? checkpoint.withBytes(of: name) { $0.count } }
            }
        }
    }
}
