import FileFormats

/// What one person said to the pictures of a naming test.
package struct NamingResponses: Sendable {
    package var name: String
    /// Responses by category in the order of `NamingModel.Category`; not whole where the table gave proportions.
    package var counts: [Double]
    /// No response, or one of none of the categories.
    package var omissions: Double
    /// Published parameter values by name, as `sp_s`, where the table has them.
    package var published: [String: Double] = [:]

    package init(_ name: String, counts: [Double], omissions: Double = 0) {
        (self.name, self.counts, self.omissions) = (name, counts, omissions)
    }

    /// Responses that fall into one of the categories.
    package var classified: Double { counts.reduce(0, +) }
    /// Shares of the classified responses.
    package var proportions: [Double] { counts.map { $0 / classified } }
    /// Shares of all pictures, omissions included.
    package var rawProportions: [Double] { counts.map { $0 / (classified + omissions) } }
}

/// Reads a table of naming responses.
///
/// Wide: one row per person, one column per category, counts or proportions of all pictures. Long: one row per response (or one per person
/// and category with a column `count`), the category in a column. English and Japanese names.
package struct NamingTable: Sendable {
    package var patients: [NamingResponses] = []
    /// Whether the cells were proportions of `items` pictures.
    package private(set) var isProportions = false

    private static let categoryNames: [NamingModel.Category: [String]] = [
        .correct: ["correct", "正答", "正反応", "正解"],
        .semantic: ["semantic", "semantic error", "意味性錯語", "意味性錯誤", "意味"],
        .formal: ["formal", "formal error", "形式性錯語", "形式", "音韻性錯語(実在語)"],
        .nonword: ["nonword", "non-word", "neologism", "非語", "新造語", "非単語"],
        .mixed: ["mixed", "mixed error", "混合性錯語", "混合"],
        .unrelated: ["unrelated", "unrelated error", "無関連錯語", "無関連"],
    ]
    private static let omissionNames = ["other", "omission", "omissions", "no response", "無反応", "無回答", "その他"]
    private static let personNames = ["patient", "participant", "subject", "id", "name", "患者", "参加者", "対象者", "氏名"]
    private static let responseNames = ["category", "response", "code", "反応", "分類", "カテゴリー", "カテゴリ"]
    private static let countNames = ["count", "n", "個数", "度数"]
    private static let publishedNames = ["sp_s", "sp_p", "wd_weight", "wd_decay"]

    private static func category(named name: String) -> NamingModel.Category? {
        NamingModel.Category.allCases.first { categoryNames[$0]?.contains(folded(name)) == true }
    }
    private static func folded(_ name: String) -> String { name.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    private static var knownCategories: String {
        NamingModel.Category.allCases.map { "\($0.name) (\($0.japaneseName))" }.joined(separator: ", ") + ", other (無反応)"
    }

    /// - Parameter items: pictures in the test, where the table has proportions.
    /// - Throws: `DataError` with the line for a column that is missing, a cell that is neither a proportion nor a count, an unknown
    ///   category, a person without responses, or one who comes twice.
    package init(path: String, options: TableOptions = TableOptions(), items: Double) throws {
        let table = try TextTable(path: path, options: options, wanted: Self.categoryNames.values.joined() + Self.responseNames)
        func column(_ names: [String]) -> Int? { table.columns.firstIndex { names.contains(Self.folded($0)) } }
        var rows: [(line: Int, cells: [String])] = [], cells: [String] = []
        while let line = try table.next(into: &cells) {
            // Rows without anything in them, as spreadsheets have below their tables.
            if cells.contains(where: { !$0.isEmpty }) { rows.append((line, cells)) }
        }
        let person = column(Self.personNames),
            wide = NamingModel.Category.allCases.map { category in column(Self.categoryNames[category] ?? []) }
        if let response = column(Self.responseNames), wide.allSatisfy({ $0 == nil }) {
            try readLong(rows, person: person, response: response, count: column(Self.countNames), file: table.name)
        } else {
            for (category, place) in zip(NamingModel.Category.allCases, wide) where place == nil {
                throw DataError(
                    .badData,
                    "no column \(category.name) (\(category.japaneseName)); the columns are "
                        + "\(table.columns.joined(separator: ", "))", file: table.name)
            }
            try readWide(
                rows, person: person, categories: wide.compactMap { $0 }, omissions: column(Self.omissionNames),
                published: Self.publishedNames.compactMap { name in table.columns.firstIndex(of: name).map { (name, $0) } }, items: items,
                file: table.name)
        }
        guard !patients.isEmpty else { throw DataError(.badData, "the table has no responses", file: table.name) }
    }

    private mutating func readWide(
        _ rows: [(line: Int, cells: [String])], person: Int?, categories: [Int], omissions: Int?, published: [(String, Int)], items: Double,
        file: String
    ) throws {
        func number(_ text: String, _ line: Int) throws -> Double {
            guard let value = Double(text), value.isFinite else {
                throw DataError(.badData, "'\(text)' is not a number; expected a count or a proportion", file: file, line: line)
            }
            guard value >= 0 else {
                throw DataError(.badData, "\(text) is negative; expected a count or a proportion", file: file, line: line)
            }
            return value
        }
        var read: [(line: Int, name: String, counts: [Double], omissions: Double, published: [String: Double])] = []
        for (k, row) in rows.enumerated() {
            var own: [String: Double] = [:]
            for (name, place) in published { if let value = Double(row.cells[place]) { own[name] = value } }
            read.append(
                (
                    row.line, person.map { row.cells[$0] } ?? String(k + 1), try categories.map { try number(row.cells[$0], row.line) },
                    try omissions.map { row.cells[$0].isEmpty ? 0 : try number(row.cells[$0], row.line) } ?? 0, own
                ))
        }
        // One kind for the whole table: 1 alone may be either.
        isProportions =
            read.contains { ($0.counts + [$0.omissions]).contains { $0 != $0.rounded() } }
            || read.allSatisfy { $0.counts.reduce($0.omissions, +) <= 1 }
        for row in read {
            if isProportions {
                if let bad = (row.counts + [row.omissions]).first(where: { $0 > 1 }) {
                    throw DataError(
                        .badData, "\(bad) is above 1 in a table of proportions; write proportions (0 to 1) or whole counts everywhere",
                        file: file, line: row.line)
                }
                let sum = row.counts.reduce(row.omissions, +)
                // Seven proportions rounded to two places are off by .035 at most.
                guard sum <= 1.0351 else {
                    throw DataError(.badData, "the proportions of \(row.name) sum to \(sum), more than 1", file: file, line: row.line)
                }
            }
            let scale = isProportions ? items : 1
            var responses = NamingResponses(row.name, counts: row.counts.map { $0 * scale }, omissions: row.omissions * scale)
            responses.published = row.published
            try append(responses, file: file, line: row.line)
        }
    }

    private mutating func readLong(_ rows: [(line: Int, cells: [String])], person: Int?, response: Int, count: Int?, file: String) throws {
        var order: [String] = [], found: [String: (responses: NamingResponses, line: Int)] = [:]
        for row in rows {
            let name = person.map { row.cells[$0] } ?? "1", label = row.cells[response]
            var amount = 1.0
            if let count {
                guard let value = Double(row.cells[count]), value.isFinite, value == value.rounded(), value >= 0 else {
                    throw DataError(
                        .badData, "'\(row.cells[count])' is not a count; expected a whole number, at least 0", file: file, line: row.line)
                }
                amount = value
            }
            var entry =
                found[name] ?? (NamingResponses(name, counts: [Double](repeating: 0, count: NamingModel.Category.allCases.count)), row.line)
            if let category = Self.category(named: label) {
                entry.responses.counts[category.rawValue] += amount
            } else if Self.omissionNames.contains(Self.folded(label)) {
                entry.responses.omissions += amount
            } else {
                throw DataError(
                    .badData,
                    "unknown category '\(label)'; the categories are "
                        + "\(Self.knownCategories)", file: file, line: row.line)
            }
            if found[name] == nil { order.append(name) }
            found[name] = entry
        }
        for name in order { if let entry = found[name] { try append(entry.responses, file: file, line: entry.line) } }
    }

    private mutating func append(_ responses: NamingResponses, file: String, line: Int) throws {
        guard responses.classified > 0 else {
            throw DataError(.badData, "\(responses.name) has no responses in any category", file: file, line: line)
        }
        guard !patients.contains(where: { $0.name == responses.name }) else {
            throw DataError(.badData, "\(responses.name) occurs in two rows; expected one row per person", file: file, line: line)
        }
        patients.append(responses)
    }
}
