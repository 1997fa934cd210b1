import FileFormats
import Foundation

/// The table behind a map, `map.csv`: row, x, y, group, text and whatever other columns the input has.
public struct MapTable: Sendable {
    /// Coordinates `(n, 2)`.
    public var points: [(x: Double, y: Double)]
    /// The row of each point in its file, from 1.
    public var rows: [Int]
    public var groups: [String]?
    public var texts: [String]?
    /// Further columns, written after `text`.
    public var columns: [(name: String, values: [String])]
    /// Starts the file with a byte-order mark, by which Excel knows UTF-8.
    public var hasByteOrderMark = false

    /// - Parameter rows: 1, 2, 3 … where nil.
    /// - Throws: `DataError` where a list has another length than the points.
    public init(
        points: [(x: Double, y: Double)], rows: [Int]? = nil, groups: [String]? = nil, texts: [String]? = nil,
        columns: [(name: String, values: [String])] = []
    ) throws {
        func check(_ count: Int?, _ what: String) throws {
            guard let count, count != points.count else { return }
            throw DataError(.usage, "\(points.count) points but \(count) \(what)")
        }
        try check(rows?.count, "row numbers")
        try check(groups?.count, "groups")
        try check(texts?.count, "texts")
        for column in columns { try check(column.values.count, "values of the column \(column.name)") }
        self.points = points
        self.rows = rows ?? Array(1...max(points.count, 1)).prefix(points.count).map { $0 }
        self.groups = groups
        self.texts = texts
        self.columns = columns
    }

    /// The header of the table.
    public var names: [String] {
        ["row", "x", "y"] + (groups == nil ? [] : ["group"]) + (texts == nil ? [] : ["text"]) + columns.map(\.name)
    }

    /// The cells of one point; coordinates as the shortest text that reads back as the same float32.
    public func cells(_ index: Int) -> [String] {
        var cells = [String(rows[index]), Self.text(points[index].x), Self.text(points[index].y)]
        if let groups { cells.append(groups[index]) }
        if let texts { cells.append(texts[index]) }
        for column in columns { cells.append(column.values[index]) }
        return cells
    }

    /// Writes the table as CSV (RFC 4180, LF). The file appears when it is complete.
    public func write(to file: URL) throws {
        try AtomicFile.write(to: file.relativePath) { output in
            if hasByteOrderMark { try output.write([0xEF, 0xBB, 0xBF]) }
            try output.write(Self.line(names))
            for i in points.indices { try output.write(Self.line(cells(i))) }
        }
    }

    private static func text(_ value: Double) -> String { "\(Float(value))" }

    private static func line(_ cells: [String]) -> String {
        cells.map { cell in
            let needsQuotes = cell.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
            return needsQuotes ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
        }.joined(separator: ",") + "\n"
    }
}
