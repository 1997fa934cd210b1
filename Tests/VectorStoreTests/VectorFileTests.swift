import FileFormats
import Foundation
import Testing
import VectorStore

/// A folder that is gone with the test.
final class Scratch {
    let folder: String

    init() {
        folder = NSTemporaryDirectory() + "/vectors-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }
    var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }
}

func bytes(of path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

/// The error that `body` throws.
func failure(_ body: () throws -> Void) throws -> DataError {
    do { try body() } catch let error as DataError { return error }
    throw DataError(.badData, "nothing was thrown")
}

let metadata = VectorMetadata(
    model: "mini", modelSHA256: "ab12", pooling: "mean", isNormalized: true, precision: "f32", maxLength: 256, prompt: "", createdBy: "kotonoha 1",
    source: "captions.txt", sourceSHA256: "cd34", provenance: "{}")
let layout = VectorLayout(dimension: 12, hasGroups: true, hasIDs: true, columnNames: ["条件", "a/b", "freq"])

/// Rows with awkward texts; the same for the same range.
func block(_ rows: Range<Int>, layout: VectorLayout = layout) -> VectorBlock {
    VectorBlock(
        texts: rows.map { $0 % 7 == 0 ? "" : $0 % 5 == 0 ? "👩‍👩‍👧 か\u{3099} \(String(repeating: "長", count: $0 % 300))" : "row \($0)" },
        groups: layout.hasGroups ? rows.map { "g\($0 / 5)" } : [], ids: layout.hasIDs ? rows.map { "id-\($0)" } : [],
        columns: layout.columnNames.map { name in rows.map { "\(name) \($0)" } }, valid: rows.map { $0 % 7 != 0 },
        embeddings: rows.flatMap { row in (0 ..< layout.dimension).map { Float((row * 31 + $0 * 17) % 101 - 50) / 64 } })
}

@Suite struct VectorFileTests {
    let scratch = Scratch()

    private func write(_ name: String, rows: Int, steps: Int, storage: VectorStorage = .float32, layout: VectorLayout = layout) throws -> String {
        let writer = try VectorFileWriter(path: scratch.path(name), layout: layout, metadata: metadata, storage: storage)
        for start in stride(from: 0, to: rows, by: steps) { try writer.append(block(start ..< min(start + steps, rows), layout: layout)) }
        try writer.finish()
        return scratch.path(name)
    }

    @Test func readsBackWhatItWrote() throws {
        let file = try VectorFile(path: try write("v.h5", rows: 9000, steps: 1000))
        #expect(file.count == 9000 && file.layout == layout && file.metadata == metadata && file.storage == .float32)
        let whole = block(0 ..< 9000)
        #expect(try file.block(rows: 0 ..< 9000) == whole)
        #expect(try file.block(rows: 4090 ..< 5003) == block(4090 ..< 5003))
        #expect(try file.column("a/b", rows: 3 ..< 4) == ["a/b 3"])
        #expect(try file.column("none") == nil)
        #expect(try file.texts(rows: 5 ..< 5) == [])
        #expect(scratch.contents == ["v.h5"])
    }

    @Test func equalRowsGiveEqualBytes() throws {
        let one = try bytes(of: try write("a.h5", rows: 5000, steps: 5000))
        #expect(try bytes(of: try write("b.h5", rows: 5000, steps: 7)) == one)
        Thread.sleep(forTimeInterval: 1.1)
        #expect(try bytes(of: try write("c.h5", rows: 5000, steps: 4999)) == one)
    }

    @Test func smallFilesAreSmall() throws {
        let path = try write("s.h5", rows: 2, steps: 1, layout: VectorLayout(dimension: 384))
        #expect(try bytes(of: path).count < 40_000)
        #expect(try VectorFile(path: path).count == 2)
        let empty = try VectorFile(path: try write("e.h5", rows: 0, steps: 1))
        #expect(try empty.count == 0 && empty.texts() == [] && empty.readEmbeddings() == [])
    }

    @Test(arguments: VectorStorage.allCases)
    func storesOtherPrecisions(storage: VectorStorage) throws {
        let narrow = VectorLayout(dimension: 13)
        let file = try VectorFile(path: try write("v.h5", rows: 300, steps: 64, storage: storage, layout: narrow))
        #expect(file.dimension == 13 && file.storage == storage)
        let expected = block(0 ..< 300, layout: narrow).embeddings
        let found = try file.readEmbeddings()
        for (value, original) in zip(found, expected) {
            switch storage {
            case .float32, .float16: #expect(value == original)
            case .int8: #expect(abs(value - original) <= 0.5 * 50 / 64 / 127 + 1e-6)
            case .binary: #expect(value == (original > 0 ? 1 : -1))
            }
        }
        #expect(try file.readEmbeddings(rows: 7 ..< 9) == Array(found[(7 * 13) ..< (9 * 13)]))
    }

    @Test func refusesNumbersThatAreNone() throws {
        let writer = try VectorFileWriter(path: scratch.path("n.h5"), layout: VectorLayout(dimension: 2), metadata: metadata)
        try writer.append(VectorBlock(texts: ["a"], valid: [true], embeddings: [0, 1]))
        let error = try failure { try writer.append(VectorBlock(texts: ["b", "c"], valid: [true, true], embeddings: [0, 1, .nan, 0])) }
        #expect(error.message.contains("row 2 (rows count from 0)"), "\(error)")
    }

    @Test func refusesWhatIsNotOurs() throws {
        #expect(try failure { _ = try VectorFile(path: scratch.path("none.h5")) }.kind == .noInput)
        let text = scratch.path("t.h5")
        try Data("hello".utf8).write(to: URL(fileURLWithPath: text))
        #expect(try failure { _ = try VectorFile(path: text) }.message.contains("no HDF5"))
        let other = scratch.path("o.h5")
        try HDF5Container.create(path: other) { try $0.write("/x", shape: [2], values: [1.0, 2.0]) }
        #expect(try failure { _ = try VectorFile(path: other) }.message.contains("kotonoha/vectors"))
        let whole = try bytes(of: try write("v.h5", rows: 500, steps: 100))
        for share in [0.02, 0.3, 0.9, 0.999] {
            let cut = scratch.path("cut.h5")
            try whole.prefix(Int(Double(whole.count) * share)).write(to: URL(fileURLWithPath: cut))
            let error = try failure { _ = try VectorFile(path: cut) }
            #expect(error.kind == .badData && error.file == cut)
        }
        #expect(try failure { _ = try VectorFileWriter(path: scratch.path("no/v.h5"), layout: layout, metadata: metadata) }.kind == .cannotCreate)
    }

    @Test func containersHoldNamedArrays() throws {
        let path = scratch.path("p.h5")
        try HDF5Container.create(path: path) { file in
            try file.write("/components", shape: [2, 3], values: [1, 2, 3, 4, 5, 6] as [Float])
            try file.write("/mean", shape: [3], values: [0.5, 1.5, 2.5])
            try file.write("/ranks", shape: [2], values: [7, -8])
            try file.write("/deep/er/names", strings: ["あ", ""])
            try file.write("/single", shape: [], values: [2.5])
            try file.set("k", .int(3))
            try file.set("note", .string("言の葉"))
            try file.set("kl", .double(0.25))
        }
        let file = try HDF5Container(path: path)
        let components = try file.read("/components", as: Float.self)
        #expect(components.shape == [2, 3] && components.values == [1, 2, 3, 4, 5, 6])
        #expect(try file.read("/components", as: Double.self).values == [1, 2, 3, 4, 5, 6])
        #expect(try file.read("/ranks", as: Int.self).values == [7, -8])
        #expect(try file.read("/single", as: Double.self).values == [2.5])
        #expect(try file.required("/deep/er/names").strings() == ["あ", ""])
        #expect(try file.attribute("k")?.int == 3 && file.attribute("note")?.string == "言の葉" && file.attribute("kl")?.double == 0.25)
        #expect(try file.attribute("none") == nil && file.dataset("/none/x") == nil)
        #expect(try file.datasetNames() == ["components", "mean", "ranks", "single"])
        #expect(try failure { _ = try file.read("/deep/er/names", as: Float.self) }.message.contains("numbers"))
        #expect(try failure { _ = try file.required("/nope") }.message.contains("/nope"))
    }
}
