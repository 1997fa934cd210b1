/// Rows of CSV or TSV as bytes.
struct DelimitedRows {
    private let delimiter: UInt8
    private let hasQuotes: Bool
    private let isSafe: Bool

    /// - Parameters:
    ///   - dialect: `.csv` puts cells that need it in quotation marks; `.tsv` has no such means and turns tabs and line ends in cells into
    ///     spaces.
    ///   - isSafe: an apostrophe is before texts that a spreadsheet would run as a formula.
    init(dialect: DelimitedDialect, isSafe: Bool = false) {
        delimiter = dialect.delimiter ?? UInt8(ascii: "\t")
        hasQuotes = dialect.hasQuotes
        self.isSafe = isSafe
    }

    /// Appends a row; cells that are not text (numbers) are never formulas.
    func append(_ cells: [(text: String, isText: Bool)], to line: inout [UInt8]) {
        if hasQuotes, cells.count == 1, cells[0].text.isEmpty {
            // A lone empty cell must not look like an empty line.
            line += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
        } else {
            for (index, cell) in cells.enumerated() {
                if index > 0 { line.append(delimiter) }
                append(isSafe && cell.isText && Self.isFormula(cell.text) ? "'" + cell.text : cell.text, to: &line)
            }
        }
        line.append(0x0A)
    }

    /// What Excel, LibreOffice and Google Sheets take for a formula, in half and full width.
    private static func isFormula(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        return ["=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}"].contains(first)
    }

    private func append(_ cell: String, to line: inout [UInt8]) {
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

/// Writes lines of cells with tabs between them and no header, as TensorBoard's projector wants them; complete or not at all.
package final class ProjectorWriter {
    private let file: AtomicFile
    private let rows = DelimitedRows(dialect: .tsv)
    private var line: [UInt8] = []

    package init(path: String) throws { file = try AtomicFile(path: path) }

    /// Writes a row. The projector drops blank lines, which would shift all that follow, so cells that are blank become a dash.
    package func write(_ cells: [String]) throws {
        line.removeAll(keepingCapacity: true)
        rows.append(
            cells.map { ($0.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D } ? "-" : $0, false) }, to: &line)
        try file.write(line)
    }

    /// Puts the file in its place.
    package func finish() throws { try file.commit() }
}
