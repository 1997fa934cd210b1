import Glibc

/// How a text table is written: what separates cells, and whether quotation marks enclose them.
package struct DelimitedDialect: Sendable, Equatable {
    /// Nil if a whole line is one cell.
    package var delimiter: UInt8?
    /// True if a cell that begins with `"` runs to the next lone `"`, over line ends and delimiters; `""` is a `"` in it (RFC 4180).
    package var hasQuotes: Bool

    package static let lines = DelimitedDialect(delimiter: nil, hasQuotes: false)
    package static let csv = DelimitedDialect(delimiter: UInt8(ascii: ","), hasQuotes: true)
    /// Tabs between cells and nothing else special, as corpora are distributed.
    package static let tsv = DelimitedDialect(delimiter: UInt8(ascii: "\t"), hasQuotes: false)

    package init(delimiter: UInt8?, hasQuotes: Bool) {
        self.delimiter = delimiter
        self.hasQuotes = hasQuotes
    }
}

/// Puts lines together to records. Lines go in one by one; a record may need several.
struct DelimitedParser {
    let dialect: DelimitedDialect
    let file: String
    /// The cells of the last complete record.
    private(set) var cells: [String] = []
    /// Which of them was in quotation marks; needed only to judge a dialect.
    private(set) var quotedCells: [Int] = []
    /// The line on which the record began.
    private(set) var line = 0

    private var open: [UInt8] = []
    private var isOpen = false
    private var openedLine = 0

    private static let quote = UInt8(ascii: "\"")
    /// A longer cell means an unclosed quotation mark.
    static let maximumCell = 1 << 26

    init(dialect: DelimitedDialect, file: String) {
        self.dialect = dialect
        self.file = file
    }

    /// Takes a line. True if the record is complete.
    mutating func take(_ line: LineReader.Line) throws -> Bool {
        let bytes = line.bytes
        var index = 0
        if isOpen {
            guard try readQuoted(line, &index) else { return false }
            if index == bytes.count { return true }
            index += 1
        } else {
            cells.removeAll(keepingCapacity: true)
            quotedCells.removeAll(keepingCapacity: true)
            self.line = line.number
        }
        guard let delimiter = dialect.delimiter, let base = bytes.baseAddress else {
            if dialect.hasQuotes, dialect.delimiter == nil, bytes.first == Self.quote {
                begin(line)
                index = 1
                return try readQuoted(line, &index)
            }
            cells.append(String(decoding: bytes, as: UTF8.self))
            return true
        }
        while true {
            if dialect.hasQuotes, index < bytes.count, bytes[index] == Self.quote {
                begin(line)
                index += 1
                guard try readQuoted(line, &index) else { return false }
            } else {
                let end =
                    index < bytes.count
                    ? memchr(base + index, Int32(delimiter), bytes.count - index).map { UnsafeRawPointer($0) - base } : nil
                cells.append(String(decoding: UnsafeRawBufferPointer(rebasing: bytes[index..<(end ?? bytes.count)]), as: UTF8.self))
                index = end ?? bytes.count
            }
            if index == bytes.count { return true }
            index += 1
        }
    }

    /// Nothing more comes.
    func finish() throws {
        guard isOpen else { return }
        throw DataError(.badData, "a quotation mark on this line is never closed", file: file, line: openedLine)
    }

    private mutating func begin(_ line: LineReader.Line) {
        isOpen = true
        openedLine = line.number
        quotedCells.append(cells.count)
        open.removeAll(keepingCapacity: true)
    }

    /// Reads on in a quoted cell. False if it continues on the next line.
    private mutating func readQuoted(_ line: LineReader.Line, _ index: inout Int) throws -> Bool {
        let bytes = line.bytes
        while index < bytes.count {
            let mark = bytes[index...].firstIndex(of: Self.quote) ?? bytes.count
            open.append(contentsOf: bytes[index..<mark])
            index = mark + 1
            if mark == bytes.count { break }
            if index < bytes.count, bytes[index] == Self.quote {
                open.append(Self.quote)
                index += 1
                continue
            }
            guard index == bytes.count || bytes[index] == dialect.delimiter else {
                throw DataError(
                    .badData,
                    "text follows the closing quotation mark of cell \(cells.count + 1); a quotation mark inside a "
                        + "cell must be doubled",
                    file: file, line: line.number)
            }
            isOpen = false
            cells.append(String(decoding: open, as: UTF8.self))
            return true
        }
        open.append(contentsOf: line.hasCarriageReturn ? [0x0D, 0x0A] : [0x0A])
        guard open.count <= Self.maximumCell else {
            throw DataError(
                .badData,
                "a quotation mark on this line is not closed within \(Self.maximumCell) "
                    + "bytes", file: file, line: openedLine)
        }
        return false
    }
}
