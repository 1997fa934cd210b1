/// Writes CSV or TSV, complete or not at all.
public final class DelimitedWriter {
    private let file: AtomicFile
    private let delimiter: UInt8
    private let hasQuotes: Bool
    private let blankRow: String?
    private var line: [UInt8] = []

    /// Opens the output.
    /// - Parameters:
    ///   - dialect: `.csv` puts cells that need it in quotation marks; `.tsv` has no such means and turns tabs and line ends in cells into spaces.
    ///   - hasMark: begins with a byte-order mark, by which Excel knows UTF-8.
    ///   - blankRow: what stands for a row whose cells are all empty, where readers (TensorBoard's projector) drop empty lines.
    public init(path: String, dialect: DelimitedDialect = .csv, hasMark: Bool = false, blankRow: String? = nil) throws {
        file = try AtomicFile(path: path)
        delimiter = dialect.delimiter ?? UInt8(ascii: "\t")
        hasQuotes = dialect.hasQuotes
        self.blankRow = blankRow
        if hasMark { try file.write([0xEF, 0xBB, 0xBF]) }
    }

    /// Writes a row.
    public func write(_ cells: [String]) throws {
        line.removeAll(keepingCapacity: true)
        if let blankRow, cells.allSatisfy({ $0.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D } }) {
            append(blankRow)
        } else if hasQuotes, cells == [""] {
            // A lone empty cell must not look like an empty line.
            line += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
        } else {
            for (index, cell) in cells.enumerated() {
                if index > 0 { line.append(delimiter) }
                append(cell)
            }
        }
        line.append(0x0A)
        try file.write(line)
    }
    public func write(_ cells: [TableCell]) throws { try write(cells.map(\.plainText)) }

    /// Puts the file in its place.
    public func finish() throws { try file.commit() }

    private func append(_ cell: String) {
        if hasQuotes {
            let quote = UInt8(ascii: "\"")
            guard cell.utf8.contains(where: { $0 == delimiter || $0 == quote || $0 == 0x0A || $0 == 0x0D }) else {
                line.append(contentsOf: cell.utf8)
                return
            }
            line.append(quote)
            for byte in cell.utf8 {
                if byte == quote { line.append(quote) }
                line.append(byte)
            }
            line.append(quote)
        } else {
            for byte in cell.utf8 { line.append(byte == delimiter || byte == 0x0A || byte == 0x0D ? 0x20 : byte) }
        }
    }
}

/// Writes vectors in the text format of word2vec (`.vec`): the number of vectors and of components, then a key and its components a line.
public final class WordVectorWriter {
    private let file: AtomicFile
    private let count: Int
    private let dimension: Int
    private var written = 0

    /// Opens the output for `count` vectors.
    public init(path: String, count: Int, dimension: Int) throws {
        file = try AtomicFile(path: path)
        (self.count, self.dimension) = (count, dimension)
        try file.write("\(count) \(dimension)\n")
    }

    /// Writes a vector. White space in a key, which ends it in this format, becomes `_`; an empty key becomes the row's number.
    public func write(_ key: String, _ vector: some Collection<Float>) throws {
        precondition(vector.count == dimension && written < count, "the vectors are not as announced")
        written += 1
        var line = key.isEmpty ? String(written) : String(String.UnicodeScalarView(key.unicodeScalars.map { $0.properties.isWhitespace ? "_" : $0 }))
        for value in vector { line += " \(value)" }
        try file.write(line + "\n")
    }

    /// Puts the file in its place.
    public func finish() throws {
        precondition(written == count, "fewer vectors than announced")
        try file.commit()
    }
}
