/// The formats of a table of texts.
public enum TableFormat: String, Sendable, CaseIterable {
    /// One text a line.
    case txt
    case tsv, csv
    case xlsx
    /// One JSON object a line.
    case jsonl
    /// A JSON array of objects.
    case json
    /// The caption files of COCO and STAIR: `annotations` with `caption`, `image_id` and `id`.
    case coco
}

/// How a table is to be read. What is nil is detected from the content.
public struct TableOptions: Sendable {
    /// The file's format.
    public var format: TableFormat?
    /// The encoding of the text.
    public var encoding: TextEncoding?
    /// Invalid bytes become U+FFFD instead of an error.
    package var isLossy = false
    /// Whether the first record of a TSV, CSV or spreadsheet names the columns.
    public var hasHeader: Bool?
    /// The byte between two cells, such as that of `;`.
    package var delimiter: UInt8?
    /// A spreadsheet's sheet, by name or by number from 1. The first one otherwise.
    public var sheet: String?
    /// Rows that hold the names of the columns, from 1; what is above them is skipped. Names over several rows are joined by a space.
    package var headerRows: ClosedRange<Int>?
    /// Hears what the user should know about how the table was understood.
    package var note: (@Sendable (String) -> Void)?

    /// Everything is detected.
    public init() {}
}

/// Where records come from, whatever the format.
protocol RecordSource: AnyObject {
    /// Reads the next record into `cells`; its line or row number, nil at the end. Every record has one cell per column.
    func next(into cells: inout [String]) throws -> Int?
    /// The share of the input that was read, nil if nobody knows its length.
    var fractionRead: Double? { get }
    /// Where the next record begins in the file, nil if records do not lie in it one after the other.
    var place: TablePlace? { get }
}

extension RecordSource {
    var place: TablePlace? { nil }
}

/// Rows of named cells from a text file, TSV, CSV, spreadsheet, JSON or caption file, or standard input (`-`), streamed.
package final class TextTable {
    /// What errors call the input.
    package let name: String
    package let format: TableFormat
    /// The text's encoding, nil for a spreadsheet.
    package let encoding: TextEncoding?
    /// True if the encoding was judged from the content (cp932, EUC-JP, ISO-2022-JP), which is worth a word to the user.
    package let encodingIsGuess: Bool
    /// The columns' names; `1`, `2` … where the input names none.
    package let columns: [String]
    /// Whether the input names its columns.
    package let hasHeader: Bool
    /// Rows from the beginning of the input, by which columns may be judged. They are also among the rows that `next` returns.
    package let sample: [[String]]
    /// The columns that the format itself gives a meaning, as those of a caption file.
    let roles: (text: Int?, group: Int?, id: Int?)

    /// How cells are separated, nil if the format is not delimited text.
    let dialect: DelimitedDialect?

    private let source: any RecordSource
    private let stream: ByteStream

    /// Opens the input and finds out its format, encoding and columns.
    /// - Parameter wanted: columns that will be requested: a first row with one of these names is a header.
    /// - Throws: `DataError` with the line where the input is missing, not text, or breaks.
    package convenience init(path: String, options: TableOptions = TableOptions(), wanted: [String] = []) throws {
        self.init(try TableOpening.open(path: path, options: options, wanted: wanted))
    }

    init(_ opened: TableOpening) {
        (name, format, encoding, encodingIsGuess) = (opened.name, opened.format, opened.encoding, opened.encodingIsGuess)
        (columns, hasHeader, sample, roles, source) = (opened.columns, opened.hasHeader, opened.sample, opened.roles, opened.source)
        (stream, dialect) = (opened.stream, opened.dialect)
    }

    /// Where the next row begins in the file, nil if rows do not lie in it one after the other as UTF-8.
    package var place: TablePlace? { source.place }

    /// Reads the next row into `cells`, one cell per column. Its line (row, record) number, nil at the end.
    package func next(into cells: inout [String]) throws -> Int? { try source.next(into: &cells) }

    /// The share of the input that was read, nil if its length is unknown.
    package var fractionRead: Double? { source.fractionRead }

    /// SHA-256 of all bytes of the input, those that rows came from; what is left of them is read for it, so ask when the rows are done.
    package func sha256() throws -> String { try stream.sha256() }

    /// SHA-256 of an ordinary file before its rows are read, nil for a pipe or standard input, which are read once.
    package func sha256InAdvance() throws -> String? {
        guard stream.fileSize != nil else { return nil }
        var hash = SHA256()
        try stream.scan { hash.update($0) }
        return hash.finalizeHex()
    }

    /// The index of a column by its name or its number from 1.
    /// - Throws: `DataError` of kind `usage` that lists the columns.
    package func index(of column: String) throws -> Int {
        try ColumnLookup(file: name, columns: columns, hasHeader: hasHeader).index(of: column)
    }

    /// True if all of the sample's filled cells of a column are numbers, and some are filled.
    package func isNumeric(_ column: Int) -> Bool { Self.isNumeric(column, in: sample) }

    static func isNumeric(_ column: Int, in rows: some Sequence<[String]>) -> Bool {
        var hasNumbers = false
        for row in rows where column < row.count && !row[column].isEmpty {
            guard PlainNumber.value(of: row[column]) != nil else { return false }
            hasNumbers = true
        }
        return hasNumbers
    }
}

extension TextTable {
    /// The input for a record: its name, and the hash of what was read.
    package var provenanceSource: Provenance.Source { get throws { Provenance.Source(path: name, sha256: try sha256()) } }
}
