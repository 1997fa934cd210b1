import FileFormats
import Foundation
import Testing

/// Memory is bounded in proportion to the input, and what is too much is refused before it is asked for.
@Suite struct MemoryTests {
    let scratch = Scratch()

    private func readAll(_ path: String, _ format: TableFormat) throws {
        var options = TableOptions()
        options.format = format
        let source = try CaptionSource(path: path, options: options)
        while try !source.next(batch: 1000).isEmpty {}
    }

    @Test func whatDoesNotFitIsRefusedWithTheWordMemory() throws {
        try MemoryBudget.require(1 << 20, for: "a megabyte")
        let error = try failure { try MemoryBudget.require(1 << 50, for: "a petabyte", file: "x") }
        #expect(error.kind == .memory && error.kind.rawValue == 71 && error.file == "x")
        #expect(
            error.message.contains("not enough memory for a petabyte") && error.message.contains("MB are left")
                && error.message.contains("ulimit"), "\(error)")
        #expect(try #require(MemoryBudget.available()) > 1 << 20)
    }

    @Test func aLineWithoutEndIsNoText() throws {
        let path = scratch.path("long.txt")
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let block = Data(repeating: UInt8(ascii: "a"), count: 1 << 20)
        for _ in 0..<70 { try file.write(contentsOf: block) }
        try file.close()
        let error = try failure { try readAll(path, .txt) }
        #expect(error.kind == .badData && error.line == 1 && error.message.contains("longer than 64 MB"), "\(error)")
    }

    /// A few kilobytes that would become gigabytes of empty cells.
    @Test func cellsFarApartAreRefused() throws {
        func write(rows: Int) throws -> String {
            let path = scratch.path("far-\(rows).xlsx")
            let writer = try SpreadsheetWriter(path: path, columns: ["text"])
            let gap = [Cell](repeating: .missing, count: 16_382)
            for row in 0..<rows { try writer.write([Cell.text("a \(row)")] + gap + [Cell.text("far")]) }
            try writer.finish(parameters: [])
            return path
        }
        let error = try failure { try readAll(try write(rows: 300), .xlsx) }
        #expect(error.kind == .badData && error.message.contains("too far apart"), "\(error)")
        // A few stray cells are what people have.
        try readAll(try write(rows: 20), .xlsx)
    }
}
