/// One text to embed, with what belongs to it.
package struct CaptionRow: Sendable, Equatable {
    package var text: String
    /// What several texts share: an image, a scene, a speaker.
    package var group: String?
    package var id: String?
    /// The other columns' cells, in the order of `CaptionSource.otherColumns`.
    package var others: [String]
    /// The line, spreadsheet row or record of the input, from 1.
    package var line: Int

    /// Id, group and the other columns' cells, in the order of `CaptionSource.carriedColumns`.
    package var carried: [String] { [id, group].compactMap(\.self) + others }
}

/// Which columns of a table mean what, by name or by number from 1. What is nil is detected from the names and the content.
package struct CaptionColumns: Sendable {
    package var text: String?
    package var group: String?
    package var id: String?
    /// A file with one group per line, in the order of the rows.
    package var groupFile: String?

    package init(text: String? = nil, group: String? = nil, id: String? = nil, groupFile: String? = nil) {
        self.text = text
        self.group = group
        self.id = id
        self.groupFile = groupFile
    }
}

/// The texts of an input, a batch at a time, so that a million captions need no more memory than a thousand. Empty texts are rows too.
package final class CaptionSource {
    package let table: TextTable
    /// The columns that are neither text, group nor id.
    package let otherColumns: [String]
    /// Whether rows have groups, whether they have ids.
    package let hasGroups: Bool
    package let hasIDs: Bool
    /// The column of the texts.
    package var textColumn: String { table.columns[text] }
    /// The names that the input gives to its columns of texts, groups and ids; nil if it names none.
    package var textName: String? { table.hasHeader ? table.columns[text] : nil }
    package var groupName: String? { table.hasHeader ? group.map { table.columns[$0] } : nil }
    package var idName: String? { table.hasHeader ? id.map { table.columns[$0] } : nil }

    /// All columns next to the texts, as tables of results carry them along.
    package var carriedColumns: [String] {
        (hasIDs ? [idName ?? "id"] : []) + (hasGroups ? [groupName ?? "group"] : []) + otherColumns
    }

    private let text: Int
    private let group: Int?
    private let id: Int?
    private let others: [Int]
    private let groups: TextTable?
    private let groupFile: String?
    private var cells: [String] = []
    private var groupCells: [String] = []
    private var rowCount = 0

    /// Opens the input, `-` for standard input.
    /// - Throws: `DataError` if it cannot be read, a column is missing (its columns are listed) or nothing says which one holds the texts.
    package init(path: String, options: TableOptions = TableOptions(), columns: CaptionColumns = CaptionColumns()) throws {
        let wanted = [columns.text, columns.group, columns.id].compactMap { $0 }
        table = try TextTable(path: path, options: options, wanted: wanted)
        text = try Self.textColumn(of: table, asked: columns.text)
        var group = try columns.group.map(table.index(of:)) ?? table.roles.group ?? table.column(named: HeaderDetection.groupNames)
        var id = try columns.id.map(table.index(of:)) ?? table.roles.id ?? table.column(named: HeaderDetection.idNames)
        // A column has one meaning; requested meanings have priority.
        if group == text, columns.group == nil { group = nil }
        if id == text, columns.id == nil { id = nil }
        if columns.groupFile != nil {
            guard columns.group == nil else { throw DataError(.usage, "give groups by a column or by a group file, not both") }
            group = nil
        }
        (self.group, self.id) = (group, id)
        let taken = [text, group, id]
        others = table.columns.indices.filter { !taken.contains($0) }
        otherColumns = others.map { [table] in table.columns[$0] }
        groupFile = columns.groupFile
        var groupOptions = TableOptions()
        groupOptions.format = .txt
        groups = try columns.groupFile.map { try TextTable(path: $0, options: groupOptions) }
        hasGroups = group != nil || groups != nil
        hasIDs = id != nil
    }

    /// Opens a stretch of an input's rows.
    /// - Throws: `DataError` if the file is missing or shorter.
    package init(path: String, part: TablePart) throws {
        table = TextTable(try TableOpening.open(path: path, part: part))
        let reading = part.reading, taken = [reading.text, reading.group, reading.id]
        (text, group, id) = (reading.text, reading.group, reading.id)
        others = reading.columns.indices.filter { !taken.contains($0) }
        otherColumns = others.map { reading.columns[$0] }
        (hasGroups, hasIDs) = (reading.group != nil, reading.id != nil)
        (groups, groupFile) = (nil, nil)
    }

    /// How a stretch of the rows is to be read; nil if the rows do not lie in the file one after the other as UTF-8 (spreadsheets, JSON as
    /// a whole, other encodings) or their groups come from another file.
    package func reading(isLossy: Bool) -> TableReading? {
        guard table.place != nil, groups == nil else { return nil }
        return TableReading(
            format: table.format, dialect: table.dialect ?? .lines, columns: table.columns, hasHeader: table.hasHeader, isLossy: isLossy,
            text: text, group: group, id: id)
    }

    /// The next rows, at most `count`; none at the end.
    /// - Throws: `DataError` with the line where the input breaks, or where the group file has fewer or more lines than there are rows.
    package func next(batch count: Int) throws -> [CaptionRow] {
        var rows: [CaptionRow] = []
        while rows.count < count {
            guard let line = try table.next(into: &cells) else {
                if let groups, let groupFile, try groups.next(into: &groupCells) != nil {
                    throw DataError(.badData, "this file has more lines than there are rows (\(rowCount))", file: groupFile)
                }
                break
            }
            rowCount += 1
            var row = CaptionRow(text: cells[text], group: group.map { cells[$0] }, id: id.map { cells[$0] }, others: [], line: line)
            if !others.isEmpty { row.others = others.map { cells[$0] } }
            if let groups, let groupFile {
                guard try groups.next(into: &groupCells) != nil else {
                    throw DataError(.badData, "this file has only \(rowCount - 1) lines, but there are more rows", file: groupFile)
                }
                row.group = groupCells[0]
            }
            rows.append(row)
        }
        return rows
    }

    private static func textColumn(of table: TextTable, asked: String?) throws -> Int {
        if let asked { return try table.index(of: asked) }
        if let text = table.roles.text ?? table.column(named: HeaderDetection.textNames) { return text }
        if table.columns.count == 1 { return 0 }
        let texts = table.columns.indices.filter { !table.isNumeric($0) }
        if texts.count == 1 { return texts[0] }
        throw table.ambiguous("which column contains the texts? Name one with \(Setting.column)")
    }
}

extension TextTable {
    /// The first column that has one of these names, in upper or lower case.
    func column(named names: [String]) -> Int? {
        guard hasHeader else { return nil }
        for name in names {
            if let index = columns.firstIndex(where: { $0.lowercased() == name }) { return index }
        }
        return nil
    }

    /// An error that shows the columns with a cell of each.
    func ambiguous(_ question: String) -> DataError {
        let list = columns.indices.map { index -> String in
            let example = sample.first { index < $0.count && !$0[index].isEmpty }?[index].prefix(20) ?? ""
            return hasHeader ? "\(columns[index]) (\(example))" : "\(index + 1) (\(example))"
        }
        return DataError(.usage, "\(question): \(list.joined(separator: ", "))", file: name)
    }
}
