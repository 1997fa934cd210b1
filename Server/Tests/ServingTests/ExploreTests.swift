import Foundation
import Kotonoha
import Testing

@testable import Serving

/// What the page of a map asks for, on a map of 3,000 texts.
@Suite struct ExploreTests {
    private static let folder = FileManager.default.temporaryDirectory.appendingPathComponent("explore-\(UUID().uuidString.prefix(8))")
    private static let texts = TestModels.sentences(2997) + ["ＡＢＣ ﾊﾟﾘ の街角", "<script>alert(1)</script>", "=1+1, \"quoted\""]
    static let map = Result { try made() }

    private static func kotonoha(_ arguments: [String]) throws {
        let command = Process()
        command.executableURL = TestModels.root.appendingPathComponent(".build/release/kotonoha")
        command.arguments = arguments + ["--quiet"]
        try command.run()
        command.waitUntilExit()
        #expect(command.terminationStatus == 0, "\(arguments)")
    }

    private static func made() throws -> ExploreMap {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let lines = texts.enumerated().map {
            JSON.object([("text", .string($1)), ("kind", .string("kind \($0 % 7)")), ("length", .string(String($1.utf8.count)))])
                .serialized()
        }
        let table = folder.appendingPathComponent("t.jsonl").path, file = folder.appendingPathComponent("v.h5").path
        try (lines.joined(separator: "\n") + "\n").write(toFile: table, atomically: true, encoding: .utf8)
        try kotonoha(["embed", table, "-o", file, "--column", "text", "--group-column", "kind", "--model", TestModels.small])
        return try ExploreMap.open(file, vectors: nil, title: "a <b>", threads: 2) { try VectorIndex($0, encoder: nil) }
    }

    private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        let gzip = Process(), input = Pipe(), output = Pipe()
        gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
        gzip.arguments = ["-dc"]
        (gzip.standardInput, gzip.standardOutput) = (input, output)
        try gzip.run()
        Thread.detachNewThread {
            input.fileHandleForWriting.write(Data(bytes))
            try? input.fileHandleForWriting.close()
        }
        return [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    }

    /// The planes of bytes give back every position, to a 65,536th of the extent, and every row.
    @Test func thePointsComeBack() throws {
        let map = try Self.map.get(), planes = try inflated(map.blob), count = map.rows.count
        #expect(count == Self.texts.count && planes.count == 8 * count)
        var code: UInt32 = 0
        for place in 0..<count {
            func number(_ first: Int) -> UInt32 { (0..<4).reduce(0) { $0 << 8 | UInt32(planes[(first + $1) * count + place]) } }
            code = code &+ number(0)
            var (x, y): (UInt32, UInt32) = (0, 0)
            for bit in 0..<16 {
                x |= (code >> UInt32(2 * bit) & 1) << UInt32(bit)
                y |= (code >> UInt32(2 * bit + 1) & 1) << UInt32(bit)
            }
            #expect(number(4) == UInt32(map.rows[place]))
            let shareX = (map.positions[place].x - map.points.extent.left) / map.points.extent.width,
                shareY = 1 - (map.positions[place].y - map.points.extent.low) / map.points.extent.height
            #expect(abs(Double(x) / 65_535 - shareX) <= 0.51 / 65_535 && abs(Double(y) / 65_535 - shareY) <= 0.51 / 65_535)
        }
        #expect(Set(map.rows) == Set(0..<count))
    }

    @Test(arguments: ["snow", "犬", "abc パリ", "ＳＮＯＷ 犬", "<script>", "nowhere-at-all", "kind 3", "12 "])
    func searchFindsPartsOfWords(_ words: String) throws {
        let map = try Self.map.get(), marks = map.texts().find(words, threads: 2)
        let wanted = FoldedTexts.fold(words).split(whereSeparator: \.isWhitespace)
        for place in map.rows.indices {
            let row = map.rows[place], text = FoldedTexts.fold(Self.texts[row] + "\nkind \(row % 7)\n")
            #expect((marks[place >> 3] >> UInt8(place & 7) & 1 == 1) == wanted.allSatisfy { text.contains($0) }, "\(Self.texts[row])")
        }
    }

    @Test func neighboursAreTheNearestByVector() throws {
        let map = try Self.map.get()
        for place in [0, 77, map.rows.count - 1] {
            let found = try map.neighbours(of: place, top: 10).array!.map { map.rows[$0.array![0].int!] }, row = map.rows[place]
            let expected = try CosineSearch(corpus: map.index.vectors, valid: map.index.valid, threads: 1).search(
                map.index.vector(ofRow: row), top: 11)[0].map(\.row).filter { $0 != row }
            #expect(found == Array(expected.prefix(10)))
        }
    }

    @Test(arguments: [TableOutputFormat.csv, .tsv, .xlsx])
    func exportedRowsAreTheSelection(_ format: TableOutputFormat) throws {
        let map = try Self.map.get(), places = map.rows.indices.filter { $0 % 3 == 1 || map.rows[$0] >= 2997 }
        let path = Self.folder.appendingPathComponent("selection.\(format.rawValue)").path
        try Data(try map.export(places, format: format, label: nil)).write(to: URL(fileURLWithPath: path))
        let table = try Table(path: path), rows = places.map { map.rows[$0] }.sorted()
        #expect(try table.column("row").texts == rows.map(String.init))
        #expect(try table.column("text").texts == rows.map { Self.texts[$0] })
    }

    /// A labelled selection becomes a column, and all other columns stay as they are.
    @Test func aLabelBecomesAColumn() throws {
        let map = try Self.map.get(), places = [3, 30, 300], file = Self.folder.appendingPathComponent("v.h5").path
        let table = Self.folder.appendingPathComponent("labels.csv").path, made = Self.folder.appendingPathComponent("labelled.h5").path
        try Data(try map.export(places, format: .csv, label: ("selection", "near"))).write(to: URL(fileURLWithPath: table))
        try Self.kotonoha(["vectors", "label", file, table, "-o", made, "--force"])
        let labelled = try VectorFile(path: made), rows = Set(places.map { map.rows[$0] })
        #expect(
            try labelled.column(labelled.layout.requiredColumn(named: "selection", file: made)).enumerated().allSatisfy {
                ($1 == "near") == rows.contains($0)
            })
        #expect(
            try labelled.column(labelled.layout.requiredColumn(named: "length", file: made)) == Self.texts.map { String($0.utf8.count) })
    }
}
