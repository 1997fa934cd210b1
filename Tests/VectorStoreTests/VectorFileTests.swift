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
    model: "mini", modelSHA256: "ab12", pooling: "mean", isNormalized: true, precision: "f32", maxLength: 256, prompt: "",
    createdBy: "kotonoha 1",
    source: "captions.txt", sourceSHA256: "cd34", provenance: "{}")
let layout = VectorLayout(dimension: 12, hasGroups: true, hasIDs: true, columnNames: ["条件", "a/b", "freq"])

/// Rows with awkward texts; the same for the same range.
func block(_ rows: Range<Int>, layout: VectorLayout = layout) -> VectorBlock {
    VectorBlock(
        texts: rows.map { $0 % 7 == 0 ? "" : $0 % 5 == 0 ? "👩‍👩‍👧 か\u{3099} \(String(repeating: "長", count: $0 % 300))" : "row \($0)" },
        groups: layout.hasGroups ? rows.map { "g\($0 / 5)" } : [], ids: layout.hasIDs ? rows.map { "id-\($0)" } : [],
        columns: layout.columnNames.map { name in rows.map { "\(name) \($0)" } }, valid: rows.map { $0 % 7 != 0 },
        embeddings: rows.flatMap { row in (0..<layout.dimension).map { Float((row * 31 + $0 * 17) % 101 - 50) / 64 } })
}

@Suite struct VectorFileTests {
    let scratch = Scratch()

    private func write(
        _ name: String, rows: Int, steps: Int, storage: VectorStorage = .float32, layout: VectorLayout = layout
    ) throws -> String {
        let writer = try VectorFileWriter(path: scratch.path(name), layout: layout, metadata: metadata, storage: storage)
        for start in stride(from: 0, to: rows, by: steps) { try writer.append(block(start..<min(start + steps, rows), layout: layout)) }
        try writer.finish()
        return scratch.path(name)
    }

    @Test func readsBackWhatItWrote() throws {
        let file = try VectorFile(path: try write("v.h5", rows: 9000, steps: 1000))
        #expect(file.count == 9000 && file.layout == layout && file.metadata == metadata && file.storage == .float32)
        let whole = block(0..<9000)
        #expect(try file.block(rows: 0..<9000) == whole)
        #expect(try file.block(rows: 4090..<5003) == block(4090..<5003))
        #expect(try file.column("a/b", rows: 3..<4) == ["a/b 3"])
        #expect(try file.column("none") == nil)
        #expect(try file.texts(rows: 5..<5) == [])
        #expect(scratch.contents == ["v.h5"])
    }

    @Test func equalRowsGiveEqualBytes() throws {
        let one = try bytes(of: try write("a.h5", rows: 5000, steps: 5000))
        #expect(try bytes(of: try write("b.h5", rows: 5000, steps: 7)) == one)
        Thread.sleep(forTimeInterval: 1.1)
        #expect(try bytes(of: try write("c.h5", rows: 5000, steps: 4999)) == one)
    }

    /// With the number of rows known: the same bytes however they come, nothing in chunks, and the vectors where they lie.
    @Test func filesOfAKnownNumberOfRowsAreMapped() throws {
        func made(_ name: String, steps: Int) throws -> String {
            let writer = try VectorFileWriter(path: scratch.path(name), layout: layout, metadata: metadata, rows: 9000, codes: .int8)
            for start in stride(from: 0, to: 9000, by: steps) { try writer.append(block(start..<min(start + steps, 9000))) }
            try writer.finish()
            return scratch.path(name)
        }
        let path = try made("m.h5", steps: 1000), file = try VectorFile(path: path),
            chunked = try VectorFile(path: try write("c.h5", rows: 9000, steps: 1000))
        #expect(try bytes(of: made("n.h5", steps: 77)) == bytes(of: path))
        #expect(file.isMapped && !chunked.isMapped && file.codeKinds == [.int8] && chunked.codeKinds.isEmpty)
        let whole = block(0..<9000)
        #expect(try file.block(rows: 0..<9000) == whole && chunked.block(rows: 0..<9000) == whole)
        #expect(try file.vectors().elements == whole.embeddings && chunked.vectors().elements == whole.embeddings)
        let some = [8999, 0, 1, 2, 4097, 4097]
        #expect(try file.vectors(rows: some).elements == chunked.vectors(rows: some).elements)
        let norms = try #require(try file.statedNorms())
        #expect(try chunked.statedNorms() == norms)
        for (row, norm) in norms.enumerated() {
            let squares = whole.embeddings[(row * 12)..<(row + 1) * 12].reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(Double(norm) - squares.squareRoot()) < 1e-6 * max(1, squares))
        }
    }

    @Test func announcedRowsMustCome() throws {
        for rows in [2, 4] {
            let writer = try VectorFileWriter(
                path: scratch.path("a.h5"), layout: VectorLayout(dimension: 2), metadata: metadata, rows: rows)
            let error = try failure {
                try writer.append(VectorBlock(texts: ["a", "b", "c"], valid: [true, true, true], embeddings: [0, 1, 2, 3, 4, 5]))
                try writer.finish()
            }
            #expect(error.kind == .inputOutput && error.message.contains("announced"), "\(error)")
        }
        #expect(scratch.contents == [])
    }

    /// What lies behind the end of a file that another process cuts short is an error, not the end of this one.
    @Test func aFileThatShrinksWhileItIsMappedIsAnError() throws {
        let wide = VectorLayout(dimension: 256), path = scratch.path("s.h5")
        let writer = try VectorFileWriter(path: path, layout: wide, metadata: metadata, rows: 3000)
        try writer.append(block(0..<3000, layout: wide))
        try writer.finish()
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: HDF5ValidationTests.program.executable)
        (process.arguments, process.standardOutput) = (["shrink", path], pipe)
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        #expect(said.hasPrefix("mapped\n") && said.contains("truncated") && said.hasSuffix("goes on\n"), "\(said)")
    }

    /// What may be mapped is what the validating child reported; a stretch that does not end within the file is damage.
    @Test func theChildSaysWhatMayBeMapped() throws {
        let path = scratch.path("r.h5")
        let writer = try VectorFileWriter(path: path, layout: VectorLayout(dimension: 256), metadata: metadata, rows: 3000, codes: .int8)
        try writer.append(block(0..<3000, layout: VectorLayout(dimension: 256)))
        try writer.finish()
        let reported = try HDF5Validation.mappable(path, by: HDF5ValidationTests.program)
        let sizes = reported.map(\.count).sorted()
        // Embeddings, codes, three arrays of one float a row, one byte a row.
        #expect(sizes == [3000, 12_000, 12_000, 12_000, 768_000, 3_072_000])
        let vectors = try #require(reported.first { $0.count == 3_072_000 }), data = try bytes(of: path)
        #expect(
            data[vectors.lowerBound..<vectors.lowerBound + 8].elementsEqual(
                block(0..<1, layout: VectorLayout(dimension: 256)).embeddings[..<2].withUnsafeBytes { Array($0) }))
        #expect(vectors.lowerBound % 64 == 0)
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
        let expected = block(0..<300, layout: narrow).embeddings
        let found = try file.readEmbeddings()
        for (value, original) in zip(found, expected) {
            switch storage {
            case .float32, .float16: #expect(value == original)
            case .int8: #expect(abs(value - original) <= 0.5 * 50 / 64 / 127 + 1e-6)
            case .binary: #expect(value == (original > 0 ? 1 : -1))
            }
        }
        #expect(try file.readEmbeddings(rows: 7..<9) == Array(found[(7 * 13)..<(9 * 13)]))
    }

    @Test func refusesNumbersThatAreNone() throws {
        let writer = try VectorFileWriter(path: scratch.path("n.h5"), layout: VectorLayout(dimension: 2), metadata: metadata)
        try writer.append(VectorBlock(texts: ["a"], valid: [true], embeddings: [0, 1]))
        let error = try failure { try writer.append(VectorBlock(texts: ["b", "c"], valid: [true, true], embeddings: [0, 1, .nan, 0])) }
        #expect(error.message.contains("row 2 (rows are numbered from 0)"), "\(error)")
    }

    @Test func refusesWhatIsNotOurs() throws {
        #expect(try failure { _ = try VectorFile(path: scratch.path("none.h5")) }.kind == .noInput)
        let text = scratch.path("t.h5")
        try Data("hello".utf8).write(to: URL(fileURLWithPath: text))
        #expect(try failure { _ = try VectorFile(path: text) }.message.contains("not an HDF5"))
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
        #expect(
            try failure { _ = try VectorFileWriter(path: scratch.path("no/v.h5"), layout: layout, metadata: metadata) }.kind
                == .cannotCreate)
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
