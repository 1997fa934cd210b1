import ArgumentParser
import FileFormats
import Foundation

/// How a command writes its table.
struct TableOutputOptions: ParsableArguments {
    @Flag(help: "Begin CSV with a byte-order mark, for Excel.")
    var bom = false

    @Flag(name: .customLong("safe-csv"), help: "In CSV and TSV, put ' before texts that a spreadsheet would run as a formula (= + - @).")
    var safeCSV = false

    @Option(in: Bounds(0...17), help: "Decimals in TSV and CSV; by default what suits the column.")
    var decimals: Int?

    var writerOptions: TableWriterOptions {
        var options = TableWriterOptions()
        options.hasByteOrderMark = bom
        options.isSafeCSV = safeCSV
        return options
    }
}

/// A result as a table, written by the one writer: in the format that the file's name asks for with its provenance next to it, or as TSV
/// to standard output.
struct ResultTable {
    let columns: [TableColumn]
    var options = TableWriterOptions()

    /// - Parameter decimals: overrules those of the columns that have some.
    init(_ columns: [TableColumn], _ output: TableOutputOptions? = nil) {
        self.columns = columns.map { column in
            var column = column
            if column.decimals != nil, let decimals = output?.decimals { column.decimals = decimals }
            return column
        }
        options = output?.writerOptions ?? TableWriterOptions()
    }

    /// - Parameters:
    ///   - output: a file; nil and `-` are standard output.
    ///   - rows: gets a function that takes one row of cells at a time.
    func write(
        to output: String?, provenance: @autoclosure () throws -> Provenance, _ rows: (([Cell]) throws -> Void) throws -> Void
    ) throws {
        if let output, output != "-" {
            let writer = try TableWriter(path: output, columns: columns, options: options)
            try rows(writer.write)
            try writer.finish(provenance: provenance())
        } else {
            let writer = try TableWriter(stream: Console.write, columns: columns, options: options)
            try rows(writer.write)
            try writer.finish()
        }
    }
}

extension Console {
    /// Writes whole lines to standard output.
    static func write(_ bytes: UnsafeRawBufferPointer) throws {
        try outputIsTerminal ? write(String(decoding: bytes, as: UTF8.self)) : StandardStreams.write(bytes)
    }
}
