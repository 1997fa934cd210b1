/// Records of a text, TSV or CSV file.
final class DelimitedSource: RecordSource {
    private let reader: LineReader
    private var parser: DelimitedParser
    private let width: Int
    private let isPlain: Bool

    init(reader: LineReader, dialect: DelimitedDialect, width: Int) {
        self.reader = reader
        self.width = width
        parser = DelimitedParser(dialect: dialect, file: reader.input.name)
        isPlain = dialect == .lines
    }

    var fractionRead: Double? { reader.input.fractionRead }
    var place: TablePlace? { reader.place }

    /// Passes over a record, however many cells it has.
    func skip() throws {
        while let line = try reader.next(), try !parser.take(line) {}
    }

    func next(into cells: inout [String]) throws -> Int? {
        if isPlain {
            guard let line = try reader.next() else { return nil }
            cells.removeAll(keepingCapacity: true)
            cells.append(String(decoding: line.bytes, as: UTF8.self))
            return line.number
        }
        while let line = try reader.next() {
            guard try parser.take(line) else { continue }
            cells = parser.cells
            if cells.count != width {
                // A line with nothing on it is a row with nothing in it.
                guard cells == [""] else {
                    throw DataError(
                        .badData, "this row has \(cells.count) \(cells.count == 1 ? "cell" : "cells"), the first row has \(width)",
                        file: reader.input.name, line: parser.line)
                }
                cells = Array(repeating: "", count: width)
            }
            return parser.line
        }
        try parser.finish()
        return nil
    }
}

extension LineReader {
    /// Where the next line begins in the file, nil if its bytes are not those of the file.
    var place: TablePlace? { input.encoding == .utf8 ? TablePlace(byte: input.skip + position, line: number + 1) : nil }
}

extension TextInput {
    var fractionRead: Double? { byteCount.map { $0 == 0 ? 1 : min(1, Double(bytesRead) / Double($0)) } }
}

/// Records of a JSON-lines file. Empty lines are rows of empty cells.
final class JSONLinesSource: RecordSource {
    private let reader: LineReader
    private let places: [String: Int]
    private let parser = JSONParser()

    init(reader: LineReader, places: [String: Int]) {
        self.reader = reader
        self.places = places
    }

    var fractionRead: Double? { reader.input.fractionRead }
    var place: TablePlace? { reader.place }

    func next(into cells: inout [String]) throws -> Int? {
        guard let line = try reader.next() else { return nil }
        cells = Array(repeating: "", count: places.count)
        if line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return line.number }
        let json = try parser.parse(line.bytes, file: reader.input.name, line: line.number)
        guard let object = json.object else {
            throw DataError(.badData, "expected a JSON object on this line", file: reader.input.name, line: line.number)
        }
        for (key, value) in object {
            // Keys that first appear far into the file have no column; the columns must be before the first row is handed out.
            if let place = places[key] { cells[place] = try value.cell(file: reader.input.name, line: line.number) }
        }
        return line.number
    }
}

/// Records that are held in memory because their format is read as a whole.
final class HeldSource: RecordSource {
    private let rows: [(Int, [String])]
    private var index = 0

    init(rows: [(Int, [String])]) { self.rows = rows }

    var fractionRead: Double? { rows.isEmpty ? 1 : Double(index) / Double(rows.count) }

    func next(into cells: inout [String]) throws -> Int? {
        guard index < rows.count else { return nil }
        defer { index += 1 }
        cells = rows[index].1
        return rows[index].0
    }
}
