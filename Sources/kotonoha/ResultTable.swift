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
        let kind = URL(fileURLWithPath: output).pathExtension.lowercased()
        switch kind {
        case "xlsx":
            let writer = try SpreadsheetWriter(path: output, columns: header)
            let numbers = header.map(numeric.contains)
            try rows { cells in
                try writer.write(zip(cells, numbers).map { cell, isNumber in isNumber ? Double(cell).map { .number($0) } ?? .text(cell) : .text(cell) })
            }
            try writer.finish(parameters: (provenance.json(date: Provenance.now()).object ?? []).map { ($0.key, .text($0.value.string ?? $0.value.serialized())) })
        case "csv", "tsv", "txt":
            let writer = try DelimitedWriter(path: output, dialect: kind == "csv" ? .csv : .tsv, hasMark: byteOrderMark)
            try writer.write(header)
            try rows { try writer.write($0) }
            try writer.finish()
        default:
            throw DataError(.usage, "a table is written as .tsv, .csv or .xlsx; the name of the output ends with none of them", file: output)
        }
        try provenance.write(beside: output)
    }
}
