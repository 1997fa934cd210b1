import ArgumentParser
import FileFormats
import VectorStore

/// `--where COLUMN=VALUE`: rows of a vector file by the values of its columns.
struct RowFilter: ParsableArguments {
    @Option(help: ArgumentHelp("Use only rows whose column has this value; several filters are combined (and).", valueName: "COLUMN=VALUE"))
    var `where`: [String] = []

    var isGiven: Bool { !self.where.isEmpty }

    func validate() throws {
        for filter in self.where where !filter.contains("=") { throw ValidationError("--where expects COLUMN=VALUE, not '\(filter)'") }
    }

    /// Whether each row of the file passes.
    /// - Throws: `DataError` if a column or value does not occur.
    func passes(_ file: VectorFile) throws -> [Bool] {
        var passes = [Bool](repeating: true, count: file.count)
        for filter in self.where {
            let equals = filter.firstIndex(of: "=") ?? filter.endIndex
            let name = String(filter[..<equals]), value = String(filter[filter.index(after: equals)...])
            let factor = Factor(name: name, values: try file.column(file.layout.requiredColumn(named: name, file: file.path)))
            let chosen = Set(try factor.rows(of: value))
            for row in passes.indices where !chosen.contains(row) { passes[row] = false }
        }
        return passes
    }
}
