import Glibc

/// Two sentences and how similar people judged them.
package struct SentencePair: Sendable, Equatable {
    package var first: String
    package var second: String
    /// The score as given in the file, nil if absent.
    package var score: Double?
    /// The cell of the group column, nil if none was asked for.
    package var group: String?
    /// The other columns' cells, in the order of `SentencePairSource.otherColumns`.
    package var others: [String] = []
    /// The line, spreadsheet row or record of the input, from 1.
    package var line: Int
}

/// The sentence pairs of a similarity data set: JSTS (JSON lines), STS-B (CSV without header), JSICK (TSV), word pairs, and whatever else
/// has two columns of text and perhaps one of numbers.
package final class SentencePairSource {
    package let table: TextTable
    /// The columns in use: first, second, and score if there is one.
    package let columns: [String]

    /// The columns that are neither sentence; a column of scores is one of them.
    package let otherColumns: [String]

    private let others: [Int]
    private var places: (first: Int, second: Int, score: Int?)
    private let groupPlace: Int?
    private var cells: [String] = []

    /// Opens the input.
    /// - Parameters:
    ///   - columns: two or three columns (first, second, score) by name or by number from 1; nil finds them out: by their usual names,
    ///     else the first two columns of text and the first of numbers after them.
    ///   - group: the column of the groups, by name or number from 1.
    ///   - wantsScores: the pairs need a column of scores, so messages ask for it.
    /// - Throws: `DataError` if it cannot be read, a column is missing or nothing says which columns are meant.
    package init(
        path: String, options: TableOptions = TableOptions(), columns: [String]? = nil, group: String? = nil, wantsScores: Bool = true
    ) throws {
        table = try TextTable(path: path, options: options, wanted: (columns ?? []) + [group].compactMap(\.self))
        groupPlace = try group.map(table.index(of:))
        if let columns {
            guard columns.count == 2 || (wantsScores && columns.count == 3) else {
                let expected =
                    wantsScores
                    ? "two columns of sentences and perhaps one of scores were expected" : "two columns of sentences were expected"
                throw DataError(.usage, "\(expected), not \(columns.count) (\(columns.joined(separator: ", ")))")
            }
            let indices = try columns.map(table.index(of:))
            places = (indices[0], indices[1], indices.count == 3 ? indices[2] : nil)
        } else {
            places = try Self.places(in: table, wantsScores: wantsScores)
        }
        others = table.columns.indices.filter { [places] in $0 != places.first && $0 != places.second }
        otherColumns = others.map { [table] in table.columns[$0] }
        if !wantsScores { places.score = nil }
        self.columns = [places.first, places.second, places.score].compactMap { [table] in $0.map { table.columns[$0] } }
    }

    private static func places(in table: TextTable, wantsScores: Bool) throws -> (Int, Int, Int?) {
        if let first = table.column(named: HeaderDetection.firstNames), let second = table.column(named: HeaderDetection.secondNames) {
            let named = HeaderDetection.scoreNames.lazy.compactMap { table.column(named: [$0]) }.first { table.isNumeric($0) }
            return (first, second, named ?? table.columns.indices.first { $0 > second && table.isNumeric($0) })
        }
        let texts = table.columns.indices.filter { !table.isNumeric($0) }
        let numbers = table.columns.indices.filter { table.isNumeric($0) }
        guard texts.count == 2, let last = texts.last else {
            throw table.ambiguous(
                wantsScores
                    ? "which columns contain the two sentences and the score? Name them with \(Setting.columns) FIRST,SECOND,SCORE"
                    : "which two columns contain the sentences? Name them with \(Setting.columns) FIRST,SECOND")
        }
        return (texts[0], texts[1], numbers.first { $0 > last } ?? numbers.first)
    }

    /// The next pairs, at most `count`; none at the end.
    /// - Throws: `DataError` with the line if the input is malformed or a score is not a number.
    package func next(batch count: Int) throws -> [SentencePair] {
        var pairs: [SentencePair] = []
        while pairs.count < count, let line = try table.next(into: &cells) {
            var score: Double?
            if let place = places.score, !cells[place].isEmpty {
                guard let value = Double(cells[place]), value.isFinite else {
                    throw DataError(
                        .badData,
                        "the score \"\(cells[place].prefix(40))\" in column \(table.columns[place]) is not a "
                            + "number", file: table.name, line: line)
                }
                score = value
            }
            pairs.append(
                SentencePair(
                    first: cells[places.first], second: cells[places.second], score: score, group: groupPlace.map { cells[$0] },
                    others: others.map { cells[$0] }, line: line))
        }
        return pairs
    }

    /// All pairs.
    package func all() throws -> [SentencePair] {
        var pairs: [SentencePair] = []
        while true {
            let batch = try next(batch: 4096)
            if batch.isEmpty { return pairs }
            pairs += batch
        }
    }
}
