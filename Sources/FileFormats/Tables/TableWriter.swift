/// The formats in which a table of results is written.
public enum TableOutputFormat: String, Sendable, CaseIterable {
    case tsv, csv, xlsx
    /// One JSON object a line.
    case jsonl
    /// An array of JSON objects.
    case json

    /// The format given by a file's name.
    /// - Throws: `DataError` of kind `usage` if it ends with none of them.
    package init(path: String) throws {
        // Devices and pipes have no ending.
        if path.hasPrefix("/dev/") {
            self = .tsv
            return
        }
        let name = SystemError.name(of: path).lowercased()
        let ending = name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last.map(String.init) ?? ""
        switch ending {
        case "txt", "tab": self = .tsv
        case "ndjson": self = .jsonl
        default:
            guard let format = TableOutputFormat(rawValue: ending) else {
                throw DataError(.usage, "expected an output name ending in .tsv, .csv, .xlsx, .jsonl or .json", file: path)
            }
            self = format
        }
    }
}

/// A column of a table that is written.
public struct TableColumn: Sendable, ExpressibleByStringLiteral {
    /// The name in the header.
    package var name: String
    /// Digits after the point in TSV and CSV, and shown in a spreadsheet, which keeps the whole number; all digits where nil.
    package var decimals: Int?
    /// The column comes from the user's own table: its texts are written as they stand, and those that are plainly numbers are numbers in
    /// spreadsheets and JSON.
    package var isCarried: Bool

    /// A column with a name, rounded to `decimals` digits after the point if given.
    public init(_ name: String, decimals: Int? = nil, isCarried: Bool = false) {
        (self.name, self.decimals, self.isCarried) = (name, decimals, isCarried)
    }
    /// A column whose numbers are written in full.
    public init(stringLiteral name: String) { self.init(name) }
    /// Names of which none repeats another: `text`, `text_2`.
    package static func unique(_ names: [String]) -> [String] { HeaderDetection.columnNames(names) }
    /// A column that travels along from the input.
    public static func carried(_ name: String) -> TableColumn { TableColumn(name, isCarried: true) }
}

/// What the writer of a table minds next to the format.
public struct TableWriterOptions: Sendable {
    /// Begins CSV and TSV with a byte-order mark, by which Excel knows UTF-8.
    public var hasByteOrderMark = false
    /// Puts an apostrophe before texts that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, tab, line end at the beginning) in
    /// CSV and TSV.
    public var isSafeCSV = false

    /// No byte-order mark, texts as they are.
    public init() {}
}

/// Writes a table as TSV, CSV, spreadsheet, JSON lines or JSON, row by row; a file appears when `finish` returns, its provenance next to
/// it.
public final class TableWriter {
    /// As written: repeated names get a suffix (`text`, `text_2`).
    package let columns: [TableColumn]
    /// Rows written.
    package private(set) var count = 0

    private enum Sink {
        case delimited(DelimitedRows, (UnsafeRawBufferPointer) throws -> Void)
        case objects(isArray: Bool, (UnsafeRawBufferPointer) throws -> Void)
        case spreadsheet(SpreadsheetWriter)
    }
    private let sink: Sink
    private let file: AtomicFile?
    private let path: String?
    private var buffer: [UInt8] = []

    /// Opens a file in the format given by its name.
    /// - Throws: `DataError` if the name has no table format or the file cannot be created.
    public convenience init(path: String, columns: [TableColumn], options: TableWriterOptions = TableWriterOptions()) throws {
        let format = try TableOutputFormat(path: path)
        let columns = Self.unique(columns)
        if format == .xlsx {
            self.init(columns, .spreadsheet(try SpreadsheetWriter(path: path, columns: columns)), path: path)
        } else {
            let file = try AtomicFile(path: path)
            self.init(columns, Self.sink(format, options) { try file.write($0) }, file: file, path: path)
        }
        try begin(options)
    }

    /// Writes text to a stream such as standard output; a spreadsheet needs a file.
    public convenience init(
        stream: @escaping (UnsafeRawBufferPointer) throws -> Void, format: TableOutputFormat = .tsv, columns: [TableColumn],
        options: TableWriterOptions = TableWriterOptions()
    ) throws {
        guard format != .xlsx else { throw DataError(.usage, "a spreadsheet is written to a file, not to standard output") }
        self.init(Self.unique(columns), Self.sink(format, options, stream))
        try begin(options)
    }

    private init(_ columns: [TableColumn], _ sink: Sink, file: AtomicFile? = nil, path: String? = nil) {
        (self.columns, self.sink, self.file, self.path) = (columns, sink, file, path)
    }

    /// Writes a row: one cell for each column.
    public func write(_ cells: [Cell]) throws {
        precondition(cells.count == columns.count, "a row has one cell for each column")
        count += 1
        switch sink {
        case .spreadsheet(let writer): try writer.write(zip(cells, columns).map { $1.isCarried ? Self.typed($0) : $0 })
        case .delimited(let rows, let put):
            rows.append(
                zip(cells, columns).map { ($0.plainText(decimals: $1.decimals), $0.isText && !($1.isCarried && $0.isPlainNumber)) },
                to: &buffer)
            try flush(put, above: 1 << 16)
        case .objects(let isArray, let put):
            if isArray { buffer += count == 1 ? Array("\n ".utf8) : Array(",\n ".utf8) }
            JSON.object(zip(cells, columns).map { ($1.name, ($1.isCarried ? Self.typed($0) : $0).json) }).write(to: &buffer)
            if !isArray { buffer.append(0x0A) }
            try flush(put, above: 1 << 16)
        }
    }

    /// Writes what is left and puts the file in its place.
    /// - Throws: `DataError` if the file cannot be written.
    public func finish() throws { try finish(provenance: nil) }

    /// Writes what is left, puts the file in its place and the provenance next to it; a spreadsheet has it on the sheet `parameters` too.
    package func finish(provenance: Provenance?) throws {
        switch sink {
        case .spreadsheet(let writer):
            let facts = provenance?.json(date: Provenance.now()).object ?? []
            try writer.finish(parameters: facts.map { ($0.key, .text($0.value.string ?? $0.value.serialized())) })
        case .delimited(_, let put): try flush(put, above: 0)
        case .objects(let isArray, let put):
            if isArray { buffer += Array((count == 0 ? "]\n" : "\n]\n").utf8) }
            try flush(put, above: 0)
        }
        try file?.commit()
        if let path, let provenance { try provenance.write(beside: path) }
    }

    // MARK: Parts

    private static func sink(
        _ format: TableOutputFormat, _ options: TableWriterOptions, _ put: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) -> Sink {
        switch format {
        case .csv: .delimited(DelimitedRows(dialect: .csv, isSafe: options.isSafeCSV), put)
        case .jsonl: .objects(isArray: false, put)
        case .json: .objects(isArray: true, put)
        case .tsv, .xlsx: .delimited(DelimitedRows(dialect: .tsv, isSafe: options.isSafeCSV), put)
        }
    }

    private func begin(_ options: TableWriterOptions) throws {
        switch sink {
        case .spreadsheet: break
        case .delimited(let rows, _):
            if options.hasByteOrderMark { buffer += [0xEF, 0xBB, 0xBF] }
            rows.append(columns.map { ($0.name, true) }, to: &buffer)
        case .objects(let isArray, _): if isArray { buffer.append(UInt8(ascii: "[")) }
        }
    }

    private func flush(_ put: (UnsafeRawBufferPointer) throws -> Void, above size: Int) throws {
        guard buffer.count > size else { return }
        try buffer.withUnsafeBytes(put)
        buffer.removeAll(keepingCapacity: true)
    }

    /// A text of the user's that is plainly a number, as one.
    private static func typed(_ cell: Cell) -> Cell {
        if case .text(let text) = cell { text.isEmpty ? .missing : PlainNumber.harmless(text) ?? cell } else { cell }
    }

    private static func unique(_ columns: [TableColumn]) -> [TableColumn] {
        zip(columns, HeaderDetection.columnNames(columns.map(\.name))).map { column, name in
            var column = column
            column.name = name
            return column
        }
    }
}

extension Cell {
    fileprivate var isText: Bool { if case .text = self { true } else { false } }
    fileprivate var isPlainNumber: Bool { if case .text(let text) = self { PlainNumber.value(of: text) != nil } else { false } }
}
