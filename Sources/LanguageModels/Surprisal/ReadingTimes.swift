import FileFormats
import Foundation
import Statistics
import Tensors

/// Reading times and how expected the words were: what surprisal adds to a baseline (Smith & Levy 2013; Goodkind & Bicknell 2018).
///
/// The baseline is a regression on word length and whatever else is named; the full model adds the surprisal of the word and of the words
/// before it. Reported are the gain in log-likelihood, in the sample and in cross-validation over groups, and partial correlations.
package struct ReadingTimes: Sendable {
    /// What the columns of a table of words mean.
    package struct Columns: Sendable {
        package var time: String
        package var surprisal = "surprisal"
        /// Texts or stories: words before a text's first are none, and groups are not split between folds. Nil finds the column.
        package var group: String?
        /// Length of each word; nil takes `length`, else counts the characters of the words.
        package var length: String?
        package var word: String?
        /// Further predictors of the baseline, as log frequency.
        package var baseline: [String] = []
        /// Words before that count.
        package var lag = 1

        package init(time: String) { self.time = time }
    }

    package let time: [Double]
    /// Names and values: surprisal, then that of the words before.
    package let surprisals: [(name: String, values: [Double])]
    /// Length first, then what else was named.
    package let baseline: [(name: String, values: [Double])]
    package let groups: [Int]
    package let groupName: String?
    package let groupCount: Int
    /// Rows without a time, a surprisal or enough words before.
    package let leftOut: Int

    static let groupNames = ["row", "story", "text", "item", "sentence_id", "文番号", "物語"]
    static let wordNames = ["word", "region", "token", "単語", "語"]

    /// - Throws: `DataError` that names the column or line that does not fit.
    package init(_ table: Table, columns: Columns) throws {
        func found(_ asked: String?, _ names: [String]) throws -> Table.Column? {
            if let asked { return try table.column(asked) }
            return try names.first { name in table.columnNames.contains { $0.lowercased() == name } }.map { name in
                try table.column(table.columnNames.first { $0.lowercased() == name } ?? name)
            }
        }
        let times = try table.column(columns.time).optionalNumbers(), surprisal = try table.column(columns.surprisal)
        let values = try surprisal.optionalNumbers(), group = try found(columns.group, Self.groupNames)
        let length: (name: String, values: [Double?])
        if let column = try found(columns.length, columns.word == nil ? ["length"] : []) {
            length = (column.name, try column.optionalNumbers())
        } else if let column = try found(columns.word, Self.wordNames) {
            length = ("length", column.texts.map { $0.isEmpty ? nil : Double($0.count) })
        } else {
            throw DataError(
                .usage,
                "which column contains the words, or their lengths? Name it with \(Setting.word) or "
                    + "\(Setting.length); the columns are "
                    + table.columnNames.joined(separator: ", "), file: table.name)
        }
        let more = try columns.baseline.map { name in (name: try table.column(name).name, values: try table.column(name).optionalNumbers())
        }
        let factor = group.map { Factor(name: $0.name, values: $0.texts) }
        if let factor, let row = factor.codes.firstIndex(where: { $0 == nil }) {
            throw DataError(
                .badData,
                "the column \(factor.name) is empty here; it should say which text the word belongs "
                    + "to", file: table.name, line: table.lines[row])
        }
        let codes = factor?.codes.compactMap(\.self) ?? [Int](repeating: 0, count: table.rowCount)
        let base = [length] + more
        let used = (0..<table.rowCount).filter { row in
            guard times[row] != nil, base.allSatisfy({ $0.values[row] != nil }) else { return false }
            return (0...columns.lag).allSatisfy { back in row >= back && codes[row - back] == codes[row] && values[row - back] != nil }
        }
        guard used.count > columns.lag + base.count + 2 else {
            throw DataError(
                .badData,
                "only \(used.count) words have a time, a surprisal and \(columns.lag) words before them; at least \(columns.lag + base.count + 3) are needed",
                file: table.name)
        }
        time = used.compactMap { times[$0] }
        surprisals = (0...columns.lag).map { back in
            (back == 0 ? surprisal.name : "\(surprisal.name)_prev\(back)", used.compactMap { values[$0 - back] })
        }
        baseline = base.map { column in (column.name, used.compactMap { column.values[$0] }) }
        groups = used.map { codes[$0] }
        groupName = group?.name
        groupCount = Set(groups).count
        leftOut = table.rowCount - used.count
    }

    package struct Result: Sendable {
        /// Of the full model.
        package var full: LeastSquares
        package var baseline: LeastSquares
        /// Difference in log-likelihood in the sample, with the likelihood-ratio test.
        package var gain: Estimate
        package var gainFreedom: Int
        /// Held-out gain per word, with an interval over groups or folds.
        package var heldOut: Estimate
        package var folds: Int
        /// Whether each fold leaves out one group.
        package var isByGroup: Bool
        /// Correlations of the time with every predictor.
        package var correlations: [(name: String, estimate: Estimate)]
        /// Of each surprisal with the time, given the baseline.
        package var partials: [(name: String, estimate: Estimate)]
    }

    /// - Parameters:
    ///   - folds: groups are distributed over this many folds; nil leaves out one group at a time if there are 2 to 20 of them, else takes
    ///     10 folds.
    ///   - resamples, seed: of the bootstrap and the dealing.
    /// - Throws: `DataError` if a predictor is a combination of others or there are fewer groups than folds.
    package func analyse(
        folds: Int? = nil, resamples: Int = 10_000, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) throws -> Result {
        let base = baseline.map(\.values), all = base + surprisals.map(\.values), baseNames = baseline.map(\.name)
        let small = try LeastSquares(time, on: base, names: baseNames),
            full = try LeastSquares(time, on: all, names: baseNames + surprisals.map(\.name))
        let difference = full.logLikelihood - small.logLikelihood, freedom = surprisals.count
        let gain = Estimate(
            difference, p: ChiSquare(freedom: Double(freedom)).upper(max(0, 2 * difference)), n: time.count,
            method: .init(test: .asymptotic(.likelihoodRatio)))
        let (assignment, count, isByGroup) = try self.folds(folds, seed: seed)
        var gains = [Double](repeating: 0, count: time.count)
        for fold in 0..<count {
            let training = assignment.indices.filter { assignment[$0] != fold }, held = assignment.indices.filter { assignment[$0] == fold }
            let smaller = try density(base, training, held), larger = try density(all, training, held)
            for (place, row) in held.enumerated() { gains[row] = larger[place] - smaller[place] }
        }
        let values = gains
        let heldOut = try Bootstrap(.percentile, resamples: resamples, seed: seed, threads: threads)
            .estimate(.groups(assignment)) { rows in rows.reduce(0) { $0 + values[$1] } / Double(rows.count) }
        let correlations = try (surprisals + baseline).map { (name: $0.name, estimate: try Correlation.pearson.estimate($0.values, time)) }
        let partials = try surprisals.map { (name: $0.name, estimate: try Correlation.pearson.partial($0.values, time, given: base)) }
        return Result(
            full: full, baseline: small, gain: gain, gainFreedom: freedom, heldOut: heldOut, folds: count, isByGroup: isByGroup,
            correlations: correlations, partials: partials)
    }

    /// The fold of each row.
    private func folds(_ asked: Int?, seed: UInt64) throws -> ([Int], Int, Bool) {
        if asked == nil, (2...20).contains(groupCount) {
            let order = Array(Set(groups)).sorted(), places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
            return (groups.map { places[$0] ?? 0 }, order.count, true)
        }
        let count = asked ?? 10
        var random = RandomSource(seed: seed)
        // A single text is cut by rows, in stretches, since neighbouring words share a predictor.
        guard groupCount > 1 else {
            let size = (time.count + count - 1) / count
            guard time.count >= 2 * count else { throw DataError(.usage, "\(time.count) words are not enough for \(count) folds") }
            return (time.indices.map { $0 / size }, (time.count - 1) / size + 1, false)
        }
        guard groupCount >= count else {
            throw DataError(
                .usage,
                "\(Setting.folds) \(count) exceeds the \(groupCount) groups of the column \(groupName ?? ""); groups "
                    + "are never split")
        }
        let order = Array(Set(groups)).sorted(), shuffled = random.permutation(order.count)
        var places: [Int: Int] = [:]
        for (place, index) in shuffled.enumerated() { places[order[index]] = place % count }
        return (groups.map { places[$0] ?? 0 }, count, false)
    }

    /// ln of the normal density of held-out times under a regression fitted to the others, with their maximum-likelihood variance.
    private func density(_ predictors: [[Double]], _ training: [Int], _ held: [Int]) throws -> [Double] {
        let fitted = try LeastSquares.Design(columns: predictors.map { column in training.map { column[$0] } }).solve(
            training.map { time[$0] })
        let variance = fitted.residuals.reduce(0) { $0 + $1 * $1 } / Double(training.count)
        return held.map { row in
            let predicted = predictors.indices.reduce(fitted.coefficients[0]) { $0 + fitted.coefficients[$1 + 1] * predictors[$1][row] }
            let error = time[row] - predicted
            return -0.5 * (log(2 * Double.pi * variance) + error * error / variance)
        }
    }
}
