import FileFormats
import Foundation
import Statistics

/// Pairs of sentences of which a language model should find one more probable: BLiMP (Warstadt et al. 2020), JBLiMP (Someya & Oseki 2023),
/// and whatever has two columns of sentences.
package struct MinimalPairs: Sendable {
    /// Two sentences and their categories.
    package struct Pair: Sendable, Equatable {
        /// The acceptable sentence.
        package var good: String
        /// The unacceptable sentence.
        package var bad: String
        /// Line, spreadsheet row or record, from 1.
        package var line: Int
        /// One value for each of `categoryNames`; empty if the table has none.
        package var categories: [String]
        /// The other columns' cells.
        package var others: [String]
    }

    /// The pairs, in the table's order.
    package let pairs: [Pair]
    package let categoryNames: [String]
    package let otherNames: [String]
    /// The columns of the two sentences.
    package let columns: (good: String, bad: String)

    /// Names of published sets: acceptable and unacceptable sentence.
    private static let known = [
        ("sentence_good", "sentence_bad"), ("good_sentence", "bad_sentence"), ("good", "bad"), ("grammatical", "ungrammatical"),
        ("acceptable", "unacceptable"), ("正文", "非文"), ("容認可能", "容認不可能"),
    ]
    /// What published sets call their categories, from fine to coarse.
    private static let categories = [
        "uid", "paradigm", "phenomenon", "linguistics_term", "term", "type", "field", "category", "カテゴリー", "現象", "種類",
    ]

    /// Names of columns of sentences, by which a first row is known as a header.
    package static let knownColumns = known.flatMap { [$0.0, $0.1] }

    /// The columns of a table that a published set uses, in its own spelling; nil if there are none.
    package static func columns(in names: [String]) -> (good: String, bad: String)? {
        func find(_ name: String) -> String? { names.first { $0.lowercased() == name } }
        for (good, bad) in known { if let good = find(good), let bad = find(bad) { return (good, bad) } }
        return nil
    }

    /// - Parameters:
    ///   - good, bad: columns by name or number; nil finds those of published sets.
    ///   - by: columns of categories; nil takes those that published sets have.
    /// - Throws: `DataError` that names the line of a pair without a sentence, or the columns where none is known.
    package init(_ table: Table, good: String? = nil, bad: String? = nil, by: [String]? = nil) throws {
        guard let found = Self.columns(in: table.columnNames) ?? (good != nil && bad != nil ? ("", "") : nil) else {
            throw DataError(
                .usage,
                "which columns contain the acceptable and the unacceptable sentences? Name them with \(Setting.good) "
                    + "and \(Setting.bad); the columns are "
                    + table.columnNames.joined(separator: ", "), file: table.name)
        }
        let first = try table.column(good ?? found.good), second = try table.column(bad ?? found.bad)
        guard first.name != second.name else {
            throw DataError(.usage, "\(Setting.good) and \(Setting.bad) name the same column, \(first.name)", file: table.name)
        }
        columns = (first.name, second.name)
        let byColumns =
            try by?.map { try table.column($0) }
            ?? Self.categories.compactMap { name in
                table.columns.first { $0.name.lowercased() == name && $0.name != first.name && $0.name != second.name }
            }
        categoryNames = byColumns.map(\.name)
        let others = table.columns.filter { $0.name != first.name && $0.name != second.name && !byColumns.map(\.name).contains($0.name) }
        otherNames = others.map(\.name)
        pairs = try (0..<table.rowCount).compactMap { row in
            let good = first.texts[row].trimmingCharacters(in: .whitespaces), bad = second.texts[row].trimmingCharacters(in: .whitespaces)
            if good.isEmpty, bad.isEmpty { return nil }
            guard !good.isEmpty, !bad.isEmpty else {
                throw DataError(
                    .badData, "the column \(good.isEmpty ? first.name : second.name) is empty here; a pair needs both sentences",
                    file: table.name, line: table.lines[row])
            }
            guard good != bad else {
                throw DataError(.badData, "both sentences of the pair are \"\(good.prefix(60))\"", file: table.name, line: table.lines[row])
            }
            return Pair(
                good: good, bad: bad, line: table.lines[row], categories: byColumns.map { $0.texts[row] },
                others: others.map { $0.texts[row] })
        }
        guard !pairs.isEmpty else { throw DataError(.badData, "no pairs found", file: table.name) }
    }

    /// A model's result for one pair. Ties count as errors.
    package struct Outcome: Sendable, Equatable {
        /// ln p of the sentences.
        package var good: Double
        /// ln p of the unacceptable sentence.
        package var bad: Double
        package var goodTokens: Int
        package var badTokens: Int

        package init(good: Double, bad: Double, goodTokens: Int, badTokens: Int) {
            (self.good, self.bad, self.goodTokens, self.badTokens) = (good, bad, goodTokens, badTokens)
        }

        /// Whether the acceptable sentence is more probable.
        package var isCorrectBySum: Bool { good > bad }
        /// ln p per token of the acceptable sentence.
        package var goodMean: Double { good / Double(goodTokens) }
        /// ln p per token of the unacceptable sentence.
        package var badMean: Double { bad / Double(badTokens) }
        /// Whether the acceptable sentence is more probable per token.
        package var isCorrectByMean: Bool { goodMean > badMean }
        package var isTie: Bool { good == bad }
    }

    /// How often the acceptable sentence wins in one category.
    package struct Accuracy: Sendable {
        /// The column of the category and its value; nil for all pairs.
        package var by: String?
        /// The category's value.
        package var value: String
        /// Number of pairs.
        package var pairs: Int
        /// Share of pairs that are right by the sum of log-probabilities, in [0, 1].
        package var bySum: Estimate
        /// Share of pairs that are right by the mean log-probability per token, in [0, 1].
        package var byMean: Estimate
        package var ties: Int
    }

    /// Accuracy of all pairs and of each value of each category column, with Wilson's intervals. That of all pairs is a bootstrap over the
    /// values of the first category if there are at least ten: pairs from one template are not independent.
    package func accuracies(_ outcomes: [Outcome], resamples: Int, seed: UInt64, threads: Int) throws -> [Accuracy] {
        func accuracy(_ by: String?, _ value: String, _ rows: [Int]) throws -> Accuracy {
            try Accuracy(
                by: by, value: value, pairs: rows.count,
                bySum: Proportion(rows.count { outcomes[$0].isCorrectBySum }, of: rows.count).wilson(),
                byMean: Proportion(rows.count { outcomes[$0].isCorrectByMean }, of: rows.count).wilson(),
                ties: rows.count { outcomes[$0].isTie })
        }
        var all = try accuracy(nil, "all", Array(pairs.indices))
        if let first = categoryNames.first {
            let factor = Factor(name: first, values: pairs.map { $0.categories[0] })
            if factor.levels.count >= 10, !factor.codes.contains(where: { $0 == nil }) {
                let bootstrap = Bootstrap(.percentile, resamples: resamples, seed: seed, threads: threads)
                let units = Bootstrap.Units.groups(factor.codes.compactMap(\.self))
                all.bySum = try bootstrap.estimate(units) { rows in Double(rows.count { outcomes[$0].isCorrectBySum }) / Double(rows.count)
                }
                all.byMean = try bootstrap.estimate(units) { rows in
                    Double(rows.count { outcomes[$0].isCorrectByMean }) / Double(rows.count)
                }
            }
        }
        var result = [all]
        for (place, name) in categoryNames.enumerated() {
            let factor = Factor(name: name, values: pairs.map { $0.categories[place] })
            for level in factor.levels { result.append(try accuracy(name, level, factor.rows(of: level))) }
        }
        return result
    }

    /// Scores all sentences by a language model, each different sentence once.
    package func outcomes(of scorer: SurprisalScorer, file: String?) throws -> [Outcome] {
        var places: [String: Int] = [:], texts: [String] = [], lines: [Int] = []
        for pair in pairs {
            for text in [pair.good, pair.bad] where places[text] == nil {
                places[text] = texts.count
                texts.append(text)
                lines.append(pair.line)
            }
        }
        // One unit, the whole text; its own words matter to within-word masking only.
        let scores = try scorer.score(texts.map { try scorer.units(of: $0) }, unit: .text, name: { lines[$0] }, file: file)
        func total(_ text: String, _ line: Int) throws -> (logProbability: Double, tokens: Int) {
            guard let place = places[text], let total = scores[place].total else {
                throw DataError(
                    .badData, "\"\(text.prefix(40))\" has no token with a context, so it has no probability", file: file, line: line)
            }
            return total
        }
        return try pairs.map { pair in
            let good = try total(pair.good, pair.line), bad = try total(pair.bad, pair.line)
            return Outcome(good: good.logProbability, bad: bad.logProbability, goodTokens: good.tokens, badTokens: bad.tokens)
        }
    }
}
