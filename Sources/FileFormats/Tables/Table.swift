/// A table in memory: named columns of equal length. For tables that people make; texts by the million are streamed (`TextTable`).
public struct Table: Sendable {
    /// What errors call the input.
    package let name: String
    /// Names of the columns, in order.
    public let columnNames: [String]
    /// Whether the input names its columns; their names are `1`, `2` … otherwise.
    package let hasHeader: Bool
    /// The line (spreadsheet row, record) of each row in the input, from 1.
    package let lines: [Int]
    /// SHA-256 of the bytes that were read; empty if the table was not read from a file.
    package let sha256: String
    private let values: [[String]]

    /// Number of rows, the header not counted.
    public var rowCount: Int { lines.count }

    /// Reads a table in any supported format; `-` is standard input.
    /// - Parameter wanted: columns that will be asked for: a first row that holds one of these names is a header.
    /// - Throws: `DataError` with the line where the input is missing, not text, or breaks.
    public init(path: String, options: TableOptions = TableOptions(), wanted: [String] = []) throws {
        try self.init(TextTable(path: path, options: options, wanted: wanted))
    }

    /// Reads all rows that a stream still has.
    package init(_ source: TextTable) throws {
        var values: [[String]] = Array(repeating: [], count: source.columns.count)
        var lines: [Int] = [], cells: [String] = []
        while let line = try source.next(into: &cells) {
            lines.append(line)
            for index in values.indices { values[index].append(cells[index]) }
        }
        (name, columnNames, hasHeader, self.lines, self.values) = (source.name, source.columns, source.hasHeader, lines, values)
        sha256 = try source.sha256()
    }

    /// A table of columns that are there already, as those of a vector file.
    package init(name: String, columns: [(name: String, values: [String])]) {
        let rows = columns.first?.values.count ?? 0
        precondition(columns.allSatisfy { $0.values.count == rows }, "columns of a table have equal length")
        self.name = name
        (columnNames, values, hasHeader) = (columns.map(\.name), columns.map(\.values), true)
        (lines, sha256) = (rows == 0 ? [] : Array(1...rows), "")
    }

    /// The index of a column by its name or its number from 1.
    /// - Throws: `DataError` of kind `usage` that lists the columns.
    package func index(of column: String) throws -> Int {
        try ColumnLookup(file: name, columns: columnNames, hasHeader: hasHeader).index(of: column)
    }

    /// A column by its name or its number from 1.
    /// - Throws: `DataError` of kind `usage` that lists the columns.
    public func column(_ name: String) throws -> Column { column(at: try index(of: name)) }
    /// The column at an index from 0.
    package func column(at index: Int) -> Column { Column(name: columnNames[index], texts: values[index], file: name, lines: lines) }
    /// All columns, in order.
    package var columns: [Column] { columnNames.indices.map(column(at:)) }

    /// The texts of a row, in the order of `columnNames`.
    package func texts(row: Int) -> [String] { values.map { $0[row] } }

    /// A column: its cells as they were written, and what they are.
    public struct Column: Sendable {
        /// What the filled cells of a column are.
        package enum Kind: Sendable { case text, integer, number, boolean, empty }

        /// The column's name.
        package let name: String
        /// As written.
        public let texts: [String]
        let file: String
        let lines: [Int]

        /// What all filled cells are. Whole numbers that begin with a zero (`007`) are names and make a column of text.
        ///
        /// - Complexity: O(rows).
        package var kind: Kind {
            var kind = Kind.empty
            for text in texts where !text.isEmpty {
                guard let found = Self.kind(of: text) else { continue }
                switch (kind, found) {
                case (.empty, _): kind = found
                case (.integer, .number), (.number, .integer): kind = .number
                case _ where kind == found: break
                default: return .text
                }
            }
            return kind
        }

        /// Nil for a mark of a missing number, which may be in columns of numbers and of texts.
        private static func kind(of text: String) -> Kind? {
            if PlainNumber.value(of: text) != nil {
                if let whole = Int(text) { return String(whole) == text ? .integer : .text }
                return text.utf8.first == 0x30 && text.utf8.dropFirst().first.map { $0 >= 0x30 && $0 <= 0x39 } == true ? .text : .number
            }
            if PlainNumber.missingMarks.contains(text) { return nil }
            return ["true", "false"].contains(text.lowercased()) ? .boolean : .text
        }

        /// The cells with their values, `missing` where they are empty.
        package var cells: [Cell] {
            switch kind {
            case .integer: texts.map { Int($0).map(Cell.integer) ?? .missing }
            case .number: texts.map { Cell(PlainNumber.value(of: $0)) }
            case .boolean: texts.map { PlainNumber.missingMarks.contains($0) ? .missing : .boolean($0.lowercased() == "true") }
            case .text, .empty: texts.map { $0.isEmpty ? .missing : .text($0) }
            }
        }

        /// The column as numbers, nil if a cell is empty or says so (`NA`).
        /// - Throws: `DataError` with the line of a cell that is neither.
        package func optionalNumbers() throws -> [Double?] {
            try texts.enumerated().map { row, text in
                if let number = PlainNumber.value(of: text) { return number }
                if PlainNumber.missingMarks.contains(text.trimmingSpaces) { return nil }
                throw DataError(.badData, "\"\(text.prefix(40))\" in the column \(name) is not a number", file: file, line: lines[row])
            }
        }

        /// The column as numbers.
        /// - Throws: `DataError` with the line of a cell that is none.
        public func numbers() throws -> [Double] {
            try optionalNumbers().enumerated().map { row, number in
                guard let number else {
                    throw DataError(.badData, "a number is missing in the column \(name)", file: file, line: lines[row])
                }
                return number
            }
        }

        /// The column as categories.
        public func factor() -> Factor { Factor(name: name, values: texts) }
    }
}

extension StringProtocol {
    /// Without spaces at both ends.
    var trimmingSpaces: String {
        let trimmed = drop { $0 == " " || $0 == "\u{3000}" }
        return String(trimmed.reversed().drop { $0 == " " || $0 == "\u{3000}" }.reversed())
    }
}

/// Finds columns by name or number, and lists them in errors.
struct ColumnLookup {
    let file: String
    let columns: [String]
    let hasHeader: Bool

    func index(of column: String) throws -> Int {
        if let index = columns.firstIndex(of: column) { return index }
        if let number = Int(column), number >= 1, number <= columns.count { return number - 1 }
        let list = columns.enumerated().map { hasHeader ? "\($0 + 1) \($1)" : $1 }.joined(separator: ", ")
        let what =
            hasHeader ? "its columns are" : "no row names its columns (\(Setting.header), if the first one does), so they have numbers only"
        throw DataError(.usage, "no column \(column); \(what): \(list)", file: file)
    }
}
