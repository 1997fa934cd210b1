import FileFormats
import Tensors

/// Parts of rows that are predicted from the others in turn (cross-validation).
package struct Folds: Sendable, Equatable {
    /// Rows of each part, ascending.
    package let tests: [[Int]]
    package var count: Int { tests.count }

    /// Deals rows out at random: whole groups, to the part with the fewest rows, or, with strata, to the part that then has the classes in
    /// the most equal shares.
    ///
    /// - Parameters:
    ///   - rows: the rows to be dealt out.
    ///   - groups: the group of each row of the whole table; a group is never split. Every row is its own where nil.
    ///   - strata: the class of each row of the whole table.
    /// - Throws: `DataError` if there are fewer groups than parts.
    package init(rows: [Int], count: Int, groups: [Int]? = nil, strata: [Int]? = nil, seed: UInt64 = 0) throws {
        var members: [Int: [Int]] = [:]
        for row in rows { members[groups?[row] ?? row, default: []].append(row) }
        guard count >= 2, members.count >= count else {
            throw DataError(
                .badData,
                "\(count) folds need at least \(max(2, count)) \(groups == nil ? "rows" : "groups") and at least "
                    + "two folds; there are \(members.count)")
        }
        var random = RandomSource(seed: seed)
        let keys = members.keys.sorted()
        var order = random.permutation(keys.count).map { keys[$0] }
        var result = [[Int]](repeating: [], count: count)
        guard let strata else {
            for key in order {
                let place = result.indices.min { (result[$0].count, $0) < (result[$1].count, $1) } ?? 0
                result[place] += members[key] ?? []
            }
            tests = result.map { $0.sorted() }
            return
        }
        // Large groups first, while every part has room; of equal size in the random order.
        let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        order.sort { (-(members[$0]?.count ?? 0), places[$0] ?? 0) < (-(members[$1]?.count ?? 0), places[$1] ?? 0) }
        let classes = (rows.map { strata[$0] }.max() ?? 0) + 1
        var totals = [Double](repeating: 0, count: classes)
        for row in rows { totals[strata[row]] += 1 }
        var held = [[Double]](repeating: [Double](repeating: 0, count: classes), count: count)
        for key in order {
            var own = [Double](repeating: 0, count: classes)
            for row in members[key] ?? [] { own[strata[row]] += 1 }
            func cost(_ part: Int) -> Double {
                var sum = 0.0
                for k in 0..<classes where own[k] > 0 { sum += own[k] * (2 * held[part][k] + own[k]) / (totals[k] * totals[k]) }
                return sum
            }
            let costs = (0..<count).map(cost)
            let place = (0..<count).min { (costs[$0], result[$0].count, $0) < (costs[$1], result[$1].count, $1) } ?? 0
            result[place] += members[key] ?? []
            for k in 0..<classes { held[place][k] += own[k] }
        }
        tests = result.map { $0.sorted() }
    }

    /// All of `rows` but those of a part.
    package func training(_ part: Int, of rows: [Int]) -> [Int] {
        let test = Set(tests[part])
        return rows.filter { !test.contains($0) }
    }
}
