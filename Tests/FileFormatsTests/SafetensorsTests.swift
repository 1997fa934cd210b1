import FileFormats
import Foundation
import Testing

@Suite struct SafetensorsTests {
    let scratch = Scratch()

    private func file(_ header: String, data: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    }

    @Test func writesWhatItReads() throws {
        var writer = SafetensorsWriter()
        let values: [Float] = [0, -1.5, 3.25, 65504, 1e-7, 1024]
        writer.add("b.f32", shape: [2, 3], values: values)
        writer.add("a.f16", shape: [6], values: values, precision: .f16)
        writer.add("c.bf16", shape: [3, 2], values: values, precision: .bf16)
        writer.add("empty", shape: [0, 4], values: [])
        writer.add("scalar", shape: [], values: [7])
        let path = scratch.path("m.safetensors")
        try writer.write(to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["a.f16", "b.f32", "c.bf16", "empty", "scalar"])
        #expect(file.header.metadata.map(\.key) == ["format"])
        #expect(file["b.f32"]?.shape == [2, 3])
        #expect(try file.floats("b.f32") == values)
        #expect(try file.floats("a.f16") == values.map { Float(Float16($0)) })
        #expect(try file.floats("c.bf16") == values.map { HalfPrecision.float(bfloat16: HalfPrecision.bfloat16($0)) })
        #expect(try file.floats("scalar") == [7])
        #expect(try file.floats("empty") == [])
        let first = try bytes(of: path)
        try writer.write(to: path)
        #expect(try bytes(of: path) == first)
        #expect(try failure { _ = try file.floats("none") }.message.contains("none"))
    }

    /// The same file by the reference implementation, see tools/golden/file_formats.py.
    @Test func readsTheReferenceFile() throws {
        let path = fixture("reference.safetensors")
        let file = try SafetensorsFile(path: path)
        let expected = (0..<24).map { Float($0) / 8 - 1.25 }
        for name in ["f32", "f16", "bf16", "f64"] { #expect(try file.floats(name) == expected, "\(name)") }
        #expect(file["f32"]?.shape == [2, 3, 4])
        #expect(try file.integers("i64") == [-1, 0, 1 << 40])
        #expect(try failure { _ = try file.floats("i64") }.message.contains("I64"))
    }

    @Test(arguments: [
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "needs 8 bytes"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#, 6,
            "tensor b overlaps"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "gap"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8, "belong to no tensor"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 2, "truncated"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "twice"),
        (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "unknown dtype F31"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, 4, "larger than any file"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "non-negative integer"),
        (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "non-negative integer"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "increasing"),
        (#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[18446744073709551615,18446744073709551615]}}"#, 0, "integers"),
        (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "no dtype"),
        (#"{"a":[]}"#, 4, "no dtype"), ("[]", 0, "'{'"), (#"{"a":"#, 0, "JSON"),
    ])
    func believesNothing(header: String, data: Int, message: String) throws {
        let path = try scratch.write(file(header, data: data))
        let error = try failure { _ = try SafetensorsFile(path: path) }
        #expect(error.kind == .badData && error.file == path)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func refusesLyingLengths() throws {
        for stated in [UInt64(1_000_000), 100_000_001, .max, 1 << 63] {
            let path = try scratch.write(withUnsafeBytes(of: stated.littleEndian) { Array($0) } + Array("{}".utf8))
            #expect(try failure { _ = try SafetensorsFile(path: path) }.kind == .badData)
        }
        for count in 0..<8 {
            #expect(try failure { _ = try SafetensorsFile(path: try scratch.write([UInt8](repeating: 0, count: count))) }.kind == .badData)
        }
    }

    @Test func readsShards() throws {
        for (name, value) in [("one", Float(1)), ("two", 2)] {
            var writer = SafetensorsWriter()
            writer.add(name, shape: [1], values: [value])
            try writer.write(to: scratch.path(name + ".safetensors"))
        }
        let index = try scratch.write(#"{"weight_map": {"one": "one.safetensors", "two": "two.safetensors"}}"#, "index.json")
        let shards = try ShardedTensors(index: index)
        #expect(shards.names == ["one", "two"])
        #expect(try shards.floats("two") == [2])
        let wrong = try scratch.write(#"{"weight_map": {"three": "one.safetensors"}}"#, "wrong.json")
        #expect(try failure { _ = try ShardedTensors(index: wrong) }.message.contains("three"))
        let escape = try scratch.write(#"{"weight_map": {"one": "../one.safetensors"}}"#, "escape.json")
        #expect(try failure { _ = try ShardedTensors(index: escape) }.message.contains("file name"))
        let missing = try scratch.write(#"{"weight_map": {"one": "none.safetensors"}}"#, "missing.json")
        #expect(try failure { _ = try ShardedTensors(index: missing) }.kind == .noInput)
    }

    @Test func halvesAreTheProcessorsHalves() {
        for bits in UInt16.min ... .max {
            let value = HalfPrecision.float(float16: bits), reference = Float(Float16(bitPattern: bits))
            #expect(value.bitPattern == reference.bitPattern || (value.isNaN && reference.isNaN), "\(bits)")
            if !value.isNaN { #expect(HalfPrecision.float16(value) == bits, "\(bits)") }
        }
        var random = SeededRandom(state: 3)
        for _ in 0..<300_000 {
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            let half = HalfPrecision.float16(value), reference = Float16(value)
            #expect(half == reference.bitPattern || (value.isNaN && Float16(bitPattern: half).isNaN), "\(value)")
            let brain = HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(value))
            if value.isNaN {
                #expect(brain.isNaN)
            } else {
                // Nearest: neither neighbour of the 16-bit value is closer.
                let lower = Double(Float(bitPattern: value.bitPattern & 0xFFFF_0000))
                let upper = Float(bitPattern: (value.bitPattern & 0xFFFF_0000) &+ 0x1_0000)
                if upper.isFinite {
                    #expect(abs(Double(brain) - Double(value)) <= min(abs(lower - Double(value)), abs(Double(upper) - Double(value))))
                }
            }
        }
        #expect(HalfPrecision.bfloat16(Float(bitPattern: 0x3F80_8000)) == 0x3F80)
        #expect(HalfPrecision.bfloat16(Float(bitPattern: 0x3F81_8000)) == 0x3F82)
    }
}
