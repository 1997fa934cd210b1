import FileFormats

/// Rows of two conditions, and which rows of them belong to one item.
package struct ConditionPairs: Sendable, Equatable {
    /// Rows of the two conditions; if paired, in the order of `items`.
    package let first: [Int], second: [Int]
    /// Items with a row in both conditions; empty if unpaired.
    package let items: [String]
    /// Items that are in one of the two conditions only and were left out.
    package let incomplete: [String]
    /// Whether the conditions share items.
    package var isPaired: Bool { !items.isEmpty }

    /// - Parameters:
    ///   - conditions: the condition of each row.
    ///   - items: the item of each row, where the contrast is by item.
    ///   - valid: rows that take part.
    /// - Throws: `DataError` for a condition that does not occur, or an item that stands twice in one condition.
    package init(conditions: Factor, between names: (String, String), items: [String]? = nil, valid: [Bool]? = nil) throws {
        guard names.0 != names.1 else { throw DataError(.usage, "a contrast needs two different conditions, not '\(names.0)' twice") }
        let a = try conditions.rows(of: names.0).filter { valid?[$0] != false },
            b = try conditions.rows(of: names.1).filter { valid?[$0] != false }
        guard let items else {
            (first, second, self.items, incomplete) = (a, b, [], [])
            return
        }
        func places(_ rows: [Int], _ condition: String) throws -> [String: Int] {
            var places: [String: Int] = [:]
            for row in rows where !items[row].isEmpty {
                if let other = places[items[row]] {
                    throw DataError(
                        .badData,
                        "the item '\(items[row])' occurs twice in condition '\(condition)' (rows \(other) and "
                            + "\(row), from 0); expected once per condition for a paired contrast")
                }
                places[items[row]] = row
            }
            return places
        }
        let inA = try places(a, names.0), inB = try places(b, names.1)
        let shared = a.map { items[$0] }.filter { inA[$0] != nil && inB[$0] != nil }
        guard !shared.isEmpty else {
            throw DataError(
                .badData,
                "no item occurs in both '\(names.0)' and '\(names.1)'; leave out \(Setting.item) for an unpaired "
                    + "contrast")
        }
        self.items = shared
        first = shared.compactMap { inA[$0] }
        second = shared.compactMap { inB[$0] }
        incomplete = Set(inA.keys).symmetricDifference(inB.keys).sorted()
    }
}
