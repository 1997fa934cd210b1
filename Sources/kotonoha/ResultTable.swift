import FileFormats
import Foundation

/// A result as a table of cells, written in the format that the file's name asks for, with its provenance beside it.
struct ResultTable {
    let header: [String]
    /// Columns whose cells are numbers in a spreadsheet.
    var numeric: Set<String> = []
    /// Begin CSV with a byte-order mark, which Excel needs to see UTF-8.
    var byteOrderMark = false

    /// - Parameter rows: gets a function that takes one row of cells at a time.
    func write(to output: String, provenance: Provenance, _ rows: ((([String]) throws -> Void)) throws -> Void) throws {
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "csv":
            try AtomicFile.write(to: output) { file in
                func line(_ cells: [String]) -> String {
                    cells.map { $0.contains(where: { "\",\r\n".contains($0) }) ? "\"" + $0.replacing("\"", with: "\"\"") + "\"" : $0 }.joined(separator: ",") + "\r\n"
                }
                if byteOrderMark { try file.write("\u{FEFF}") }
                try file.write(line(header))
                try rows { try file.write(line($0)) }
            }
        case "tsv", "txt":
            try AtomicFile.write(to: output) { file in
                func line(_ cells: [String]) -> String { cells.map { $0.replacing(/[\t\r\n]/, with: " ") }.joined(separator: "\t") + "\n" }
                try file.write(line(header))
                try rows { try file.write(line($0)) }
            }
        default:
            throw DataError(.usage, "a table is written as .tsv, .csv or .xlsx; the name of the output ends with none of them", file: output)
        }
        try provenance.write(beside: output)
    }
}
