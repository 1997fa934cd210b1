import FileFormats
import Networks

/// A source, what should be written for it, and where they come from.
package struct Seq2SeqItem: Sendable, Equatable {
    package var source: String
    package var target: String
    /// Its line (row, record) in the file, from 1.
    package var line: Int
    /// The cells of the file's other columns.
    package var others: [String]

    package init(source: String, target: String, line: Int, others: [String] = []) {
        self.source = source
        self.target = target
        self.line = line
        self.others = others
    }
}

/// Token ids of an item, without begin and end marks.
package struct Seq2SeqExample: Sendable, Equatable {
    package var source: [Int32]
    package var target: [Int32]

    package init(source: [Int32], target: [Int32]) {
        self.source = source
        self.target = target
    }
}

/// Reads sources and targets from two columns of a table (TSV, CSV, spreadsheet, JSON lines).
///
/// - Parameters:
///   - sourceColumn, targetColumn: names or numbers from 1.
///   - removesSpaces: removes spaces from both, for languages written without spaces.
/// - Throws: `DataError` with the line where a column is missing or a cell is empty.
package func readSeq2SeqItems(
    _ path: String, sourceColumn: String = "1", targetColumn: String = "2", options: TableOptions = TableOptions(),
    removesSpaces: Bool = false
) throws -> [Seq2SeqItem] {
    try readSeq2SeqItems(
        TextTable(path: path, options: options, wanted: [sourceColumn, targetColumn]), sourceColumn: sourceColumn,
        targetColumn: targetColumn, removesSpaces: removesSpaces)
}

/// The names of the columns that travel along in `Seq2SeqItem.others`.
package func otherSeq2SeqColumns(_ table: TextTable, sourceColumn: String, targetColumn: String) throws -> [String] {
    let taken = try [sourceColumn, targetColumn].map(table.index(of:))
    return table.columns.indices.filter { !taken.contains($0) }.map { table.columns[$0] }
}

/// Reads sources and targets from two columns of a table that is open, whose hash is then that of the bytes that were read.
package func readSeq2SeqItems(
    _ table: TextTable, sourceColumn: String = "1", targetColumn: String = "2", removesSpaces: Bool = false
) throws -> [Seq2SeqItem] {
    let source = try table.index(of: sourceColumn), target = try table.index(of: targetColumn)
    var items: [Seq2SeqItem] = [], cells: [String] = []
    while let line = try table.next(into: &cells) {
        func cell(_ index: Int, _ name: String) throws -> String {
            let text = removesSpaces ? String(cells[index].unicodeScalars.filter { $0 != " " }.map(Character.init)) : cells[index]
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw DataError(.badData, "the \(name) is empty; fill it in or remove the line", file: table.name, line: line)
            }
            return text
        }
        if cells.allSatisfy(\.isEmpty) { continue }
        items.append(
            Seq2SeqItem(
                source: try cell(source, "source"), target: try cell(target, "target"), line: line,
                others: cells.indices.filter { $0 != source && $0 != target }.map { cells[$0] }))
    }
    guard !items.isEmpty else { throw DataError(.badData, "no pairs found", file: table.name) }
    return items
}

extension Seq2SeqModel {
    /// Token ids of items.
    ///
    /// - Throws: `DataError` that names the line.
    package func examples(of items: [Seq2SeqItem], keepsUnknown: Bool = false, file: String? = nil) throws -> [Seq2SeqExample] {
        try items.map { item in
            Seq2SeqExample(
                source: try ids(of: item.source, keepsUnknown: keepsUnknown, file: file, line: item.line),
                target: try ids(of: item.target, keepsUnknown: keepsUnknown, file: file, line: item.line))
        }
    }
}
