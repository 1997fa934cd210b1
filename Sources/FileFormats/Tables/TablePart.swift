/// A place between two rows of a table in a file.
package struct TablePlace: Sendable, Equatable {
    package var byte: Int
    /// The line that begins there, from 1.
    package var line: Int
}

/// How a table in UTF-8 is read, as detected from the whole of it: what a reader of a range of its rows has to know.
package struct TableReading: Sendable, Equatable {
    package var format: TableFormat
    package var dialect: DelimitedDialect
    package var columns: [String]
    package var hasHeader: Bool
    package var isLossy: Bool
    /// The columns of texts, groups and ids.
    package var text: Int
    package var group: Int?
    package var id: Int?
}

/// Consecutive rows of a table in a file.
package struct TablePart: Sendable, Equatable {
    package var bytes: Range<Int>
    /// The number of the line that begins there, from 1.
    package var firstLine: Int
    package var reading: TableReading

    package init(bytes: Range<Int>, firstLine: Int, reading: TableReading) {
        (self.bytes, self.firstLine, self.reading) = (bytes, firstLine, reading)
    }
}

extension TableOpening {
    /// Opens a range of rows; nothing is detected, everything is known.
    static func open(path: String, part: TablePart) throws -> TableOpening {
        let stream = try ByteStream(path: path, stretch: part.bytes), reading = part.reading
        let head = try stream.head(ByteStream.blockSize)
        let input = try TextInput(stream, head: head, encoding: .utf8, isLossy: reading.isLossy)
        let reader = LineReader(input: input, isLossy: reading.isLossy, firstLine: part.firstLine)
        let places = Dictionary(reading.columns.enumerated().map { ($1, $0) }) { first, _ in first }
        let source: any RecordSource =
            reading.format == .jsonl
            ? JSONLinesSource(reader: reader, places: places)
            : DelimitedSource(reader: reader, dialect: reading.dialect, width: reading.columns.count)
        return TableOpening(
            name: path, format: reading.format, encoding: .utf8, columns: reading.columns, hasHeader: reading.hasHeader, sample: [],
            source: source, stream: stream, dialect: reading.dialect)
    }
}

extension TableReading {
    package var json: JSON {
        .object([
            ("format", .string(format.rawValue)), ("delimiter", dialect.delimiter.map { .integer(Int($0)) } ?? .null),
            ("quotes", .bool(dialect.hasQuotes)),
            ("columns", .array(columns.map(JSON.string))), ("header", .bool(hasHeader)), ("lossy", .bool(isLossy)),
            ("text", .integer(text)),
            ("group", group.map(JSON.integer) ?? .null), ("id", id.map(JSON.integer) ?? .null),
        ])
    }

    /// Nil if the object does not describe a table.
    package init?(json: JSON) {
        guard let format = json["format"]?.string.flatMap(TableFormat.init), let columns = json["columns"]?.array?.compactMap(\.string),
            !columns.isEmpty,
            let quotes = json["quotes"]?.bool, let header = json["header"]?.bool, let lossy = json["lossy"]?.bool,
            let text = json["text"]?.int
        else { return nil }
        let delimiter = json["delimiter"]?.int.flatMap { UInt8(exactly: $0) }
        self.init(
            format: format, dialect: DelimitedDialect(delimiter: delimiter, hasQuotes: quotes), columns: columns, hasHeader: header,
            isLossy: lossy,
            text: text, group: json["group"]?.int, id: json["id"]?.int)
        for column in [text, group, id] { if let column, !columns.indices.contains(column) { return nil } }
    }
}
