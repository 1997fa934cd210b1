/// A column of categories: its levels in the order in which they first appear, and the level of each row.
public struct Factor: Sendable, Equatable {
    /// The column's name.
    public var name: String
    /// Different values, in order of appearance.
    public var levels: [String]
    /// The index of each row's level; nil if the cell is empty.
    public var codes: [Int?]

    /// - Parameter values: one value per row; nil and empty texts have no level.
    public init(name: String, values: some Sequence<String?>) {
        self.name = name
        levels = []
        codes = []
        var places: [String: Int] = [:]
        for value in values {
            guard let value, !value.isEmpty else {
                codes.append(nil)
                continue
            }
            if let place = places[value] {
                codes.append(place)
            } else {
                places[value] = levels.count
                codes.append(levels.count)
                levels.append(value)
            }
        }
    }

    /// The value of a row, nil if it is missing.
    package subscript(row: Int) -> String? { codes[row].map { levels[$0] } }

    /// Rows of each level.
    package var counts: [Int] {
        var counts = Array(repeating: 0, count: levels.count)
        for case let code? in codes { counts[code] += 1 }
        return counts
    }

    /// The rows of a level, ascending.
    /// - Throws: `DataError` of kind `usage` that lists the levels if there is no such level.
    public func rows(of level: String) throws -> [Int] {
        let place = try index(of: level)
        return codes.indices.filter { codes[$0] == place }
    }

    /// The index of a level.
    /// - Throws: `DataError` of kind `usage` that lists the levels if there is no such level.
    package func index(of level: String) throws -> Int {
        if let place = levels.firstIndex(of: level) { return place }
        let shown = levels.prefix(20).joined(separator: ", ") + (levels.count > 20 ? ", … (\(levels.count) in all)" : "")
        throw DataError(
            .usage, "the column \(name) has no value '\(level)'; " + (levels.isEmpty ? "it is empty" : "its values are: \(shown)"))
    }
}
