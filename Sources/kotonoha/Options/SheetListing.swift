import FileFormats
import Glibc

/// `--list-sheets`, answered before the command line is parsed: who does not know the sheets yet need not invent an output or a column.
enum SheetListing {
    /// The sheets of the first spreadsheet on the command line, one per line; nil if not requested.
    static func answer(to arguments: [String]) throws -> String? {
        guard arguments.contains("--list-sheets"), !arguments.contains("--help"), !arguments.contains("-h") else { return nil }
        let files = arguments.dropFirst().filter { !$0.hasPrefix("-") && access($0, R_OK) == 0 }
        guard
            let file = files.first(where: { ($0.lowercased() as String).hasSuffix(".xlsx") || $0.lowercased().hasSuffix(".xlsm") })
                ?? files.dropFirst().first ?? files.first
        else {
            throw DataError(.usage, "--list-sheets needs a spreadsheet (.xlsx)")
        }
        return try Spreadsheet.sheets(path: file).enumerated().map { "\($0 + 1)\t\($1.name)\($1.isHidden ? "\thidden" : "")" }.joined(
            separator: "\n")
    }
}
