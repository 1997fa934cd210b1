import FileFormats
import Foundation
import TestTools
import Testing
import VectorStore

@Suite struct LayerFileTests {
    let scratch = Scratch()

    private func values(_ sentence: Int, _ tokens: Int) -> [Float] { (0..<3 * tokens * 8).map { Float(($0 * 7 + sentence) % 64) / 32 - 1 } }

    @Test(arguments: [VectorStorage.float32, .float16])
    func readsBackWhatItWrote(storage: VectorStorage) throws {
        func write(_ name: String) throws -> String {
            let writer = try LayerFileWriter(
                path: scratch.path(name), layers: [0, 1, 2], dimension: 8, metadata: metadata, storage: storage)
            for sentence in 0..<12 {
                try values(sentence, sentence + 1).withUnsafeBufferPointer {
                    try writer.append(sentence: "文 \(sentence)", words: sentence + 1, vectors: $0)
                }
            }
            try writer.finish()
            return scratch.path(name)
        }
        let path = try write("l.h5")
        let file = try LayerFile(path: path)
        #expect(file.sentenceCount == 12 && file.layers == [0, 1, 2] && file.dimension == 8)
        #expect(try file.sentences()?[7] == "文 7")
        #expect(file.metadata == metadata)
        let loaded = try file.load(layers: [2], words: Array(1...12), name: { "\($0)" })[0]
        #expect(Array(loaded.elements[80..<120]) == Array(values(4, 5)[80...]))
        Thread.sleep(forTimeInterval: 1.1)
        #expect(try bytes(of: try write("m.h5")) == bytes(of: path))
    }
}

extension LayerFileTests {
    /// What is widened here must be what libhdf5 itself converts, subnormals, infinities and compressed chunks included.
    @Test(arguments: [true, false]) func halvesAreThoseOfLibhdf5(isCompressed: Bool) throws {
        let path = scratch.path("half.h5")
        let values: [Float] = [0, -0.0, 1, -1.5, 65504, 6.1035156e-05, 5.9604645e-08, -3.0517578e-05, 0.333251953125, 1024.5, -2047, 0.1]
        let writer = try LayerFileWriter(
            path: path, layers: [0, 1], dimension: 3, metadata: metadata, storage: .float16, isCompressed: isCompressed)
        try values.withUnsafeBufferPointer { try writer.append(sentence: "a b", words: 2, vectors: $0) }
        try writer.finish()
        let dataset = try HDF5Container(path: path).required("0")
        let converted = try dataset.read(Double.self)
        #expect(try dataset.read(Float.self).map(Double.init) == converted)
        #expect(try dataset.read(Float.self, rows: 1..<2).map(Double.init) == Array(converted[6...]))
        #expect(converted[..<4] == [0, 0, 1, -1.5] && converted[6] == 5.9604644775390625e-08)
        #expect(
            try LayerFile(path: path).load(layers: [1], words: [2], name: { "\($0)" })[0].elements.map(Double.init)
                == Array(converted[6...]))
    }
}

/// Other readers and writers of HDF5.
@Suite(.enabled(if: TestTool.h5py.isExpected && TestTool.h5dump.isExpected, "needs python3-h5py and hdf5-tools; tools/test installs them"))
struct PeerTests {
    let scratch = Scratch()

    private func run(_ tool: TestTool, _ arguments: [String]) throws -> String {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: try tool.required())
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self)
    }

    @Test(arguments: VectorStorage.allCases)
    func h5pyAndH5dumpReadVectors(storage: VectorStorage) throws {
        let path = scratch.path("v.h5")
        let writer = try VectorFileWriter(path: path, layout: layout, metadata: metadata, storage: storage)
        try writer.append(block(0..<700))
        try writer.finish()
        let dump = try run(.h5dump, ["-H", path])
        #expect(dump.contains("DATASET \"embeddings\""))
        let script = """
            import h5py, json, numpy as np, sys
            f = h5py.File(sys.argv[1])
            e = f["embeddings"][()]
            print(json.dumps([list(e.shape), str(e.dtype), f["texts"].asstr()[5], f["columns/条件"].asstr()[3], f["columns/a%2Fb"].asstr()[3], f.attrs["format"],
                int(f.attrs["format_version"]), f.attrs["model"], int(f["valid"][:].sum()), float(e[699].astype("f8").sum()), f["groups"].asstr()[699]]))
            """
        let json = try JSON(parsing: try run(.h5py, ["-c", script, path]))
        let types: [VectorStorage: String] = [.float32: "float32", .float16: "float16", .int8: "int8", .binary: "uint8"]
        #expect(json.array?[0] == .array([.integer(700), .integer(storage == .binary ? 2 : 12)]))
        #expect(json.array?[1].string == types[storage])
        #expect(json.array?[2].string == block(5..<6).texts[0] && json.array?[3].string == "条件 3" && json.array?[4].string == "a/b 3")
        #expect(json.array?[5].string == "kotonoha/vectors" && json.array?[6].int == 1 && json.array?[7].string == "mini")
        #expect(json.array?[8].int == 600 && json.array?[10].string == "g139")
        if storage == .float32 || storage == .float16 {
            #expect(json.array?[9].double == Double(block(699..<700).embeddings.reduce(0, +)))
        }
    }

    @Test func readsFilesOfH5py() throws {
        let path = scratch.path("p.h5")
        let script = """
            import h5py, numpy as np, sys, json
            with h5py.File(sys.argv[1], "w", libver=("earliest", "v110")) as f:
                f["x"] = np.arange(6, dtype=">f4").reshape(2, 3)
                f["fixed"] = np.array([b"ab", b"cde"])
                f["words"] = ["犬", ""]
                f["ints"] = np.array([1, -2], dtype="i2")
                f.attrs["name"] = "あ"
                f.attrs["count"] = 3
                f.create_dataset("0", data=np.arange(24, dtype="f4").reshape(2, 3, 4), compression="gzip")
                f.create_dataset("sentence_to_index", data=json.dumps({"a b c": "0"}), dtype=h5py.string_dtype())
            """
        _ = try run(.h5py, ["-c", script, path])
        let file = try HDF5Container(path: path)
        #expect(try file.read("/x", as: Float.self).values == [0, 1, 2, 3, 4, 5])
        #expect(try file.required("/fixed").strings() == ["ab", "cde"])
        #expect(try file.required("/words").strings() == ["犬", ""])
        #expect(try file.read("/ints", as: Int.self).values == [1, -2])
        #expect(try file.attribute("name")?.string == "あ" && file.attribute("count")?.int == 3)
        let layers = try LayerFile(path: path)
        #expect(try layers.load(layers: [1], words: [3], name: { "\($0)" })[0].elements == (12..<24).map { Float($0) })
        #expect(try layers.sentences() == [0: "a b c"])
    }
}
