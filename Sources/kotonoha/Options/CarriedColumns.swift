import FileFormats
import Tensors
import VectorStore

/// The columns of a vector file that travel along into every table of results: ids, groups, texts and whatever else the input has, under
/// the input's names.
struct CarriedColumns {
    let file: VectorFile
    let columns: [VectorLayout.Column]

    init(_ file: VectorFile, withoutText: Bool = false) {
        self.file = file
        columns = file.layout.columns.filter { !withoutText || $0.role != .text }
    }

    /// The head of the table. `suffix` tells apart the two rows of a pair: `text1`, `text2`.
    func tableColumns(suffix: String = "") -> [TableColumn] { columns.map { .carried($0.name + suffix) } }

    var names: [String] { columns.map(\.name) }

    /// The cells of all rows, a list for each column.
    func read(rows: Range<Int>? = nil) throws -> [[String]] { try columns.map { try file.column($0, rows: rows) } }

    /// The cells of a few rows, by row: one by one where they are few, the whole file where they are many.
    func lookUp(_ wanted: Set<Int>) throws -> [Int: [String]] {
        var result: [Int: [String]] = [:]
        func take(_ range: Range<Int>) throws {
            let values = try read(rows: range)
            for (place, row) in range.enumerated() where wanted.contains(row) { result[row] = values.map { $0[place] } }
        }
        if wanted.count < 200 {
            for row in wanted.sorted() { try take(row..<row + 1) }
        } else {
            for range in Parallel.chunks(file.count, size: 65_536) { try take(range) }
        }
        return result
    }
}

extension [String] {
    /// Texts of the user's as cells.
    var cells: [Cell] { map(Cell.text) }
}

extension String {
    /// On one line, for listings with tabs between columns.
    var onOneLine: String { replacing(/[\t\r\n]/, with: " ") }
}
