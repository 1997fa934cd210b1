import FileFormats
import Foundation
import Tensors

/// Items of a forced choice: which option goes with the cue? As in the Pyramids and Palm Trees Test (Howard & Patterson 1992), synonym
/// tests, or without a cue, which option is the odd one out.
package struct ChoiceItems: Sendable {
    package struct Item: Sendable, Equatable {
        /// Nil for odd-one-out items.
        package var cue: String?
        package var options: [String]
        /// Index of the right option; nil if the table does not say.
        package var answer: Int?
        /// What the table says of people: their option, or the share of them who chose rightly.
        package var people: People?
        /// Line, spreadsheet row or record, from 1.
        package var line: Int
    }
    package enum People: Sendable, Equatable {
        case option(Int)
        case shareCorrect(Double)
    }

    package var items: [Item]
    package var hasAnswers: Bool { items.contains { $0.answer != nil } }

    static let cueNames = ["cue", "target", "word", "probe", "手がかり", "刺激", "ターゲット", "標的"]
    static let answerNames = ["answer", "correct", "key", "正答", "正解", "答え"]
    private static let optionNames = ["option", "choice", "選択肢", "distractor"]
    /// `option1`, `Choice B`, `選択肢_3`: names that no item holds, so that a first row with one of them is a header.
    private static let markedOptionNames: [String] = {
        var names: [String] = []
        for name in optionNames {
            for mark in "123456789ABCDEabcde" {
                for between in ["", " ", "_"] { names += ["\(name)\(between)\(mark)", "\(name.capitalized)\(between)\(mark)"] }
            }
        }
        return names
    }()

    /// - Parameters:
    ///   - cue, options, answer: columns by name or number. Nil finds them: by usual names (cue, option1 …, answer), an answer being an
    ///     option's text or its number; without a column for the cue the items are odd-one-out items only if `isOddOneOut`.
    ///   - people: a column with people's choice, or the share who chose rightly, in 0 … 1 or percent.
    /// - Throws: `DataError` with the line where an item has fewer than two options, or an answer is none of them.
    package init(
        path: String, options table: TableOptions = TableOptions(), cue: String? = nil, options: [String]? = nil, answer: String? = nil,
        people: String? = nil,
        isOddOneOut: Bool = false
    ) throws {
        let source = try TextTable(
            path: path, options: table, wanted: [cue, answer, people].compactMap(\.self) + (options ?? Self.markedOptionNames))
        func named(_ names: [String]) -> Int? { source.columns.firstIndex { names.contains($0.lowercased()) } }
        let answerPlace = try answer.map(source.index) ?? named(Self.answerNames), peoplePlace = try people.map(source.index)
        let cuePlace = isOddOneOut ? nil : try cue.map(source.index) ?? named(Self.cueNames)
        let optionPlaces: [Int]
        if let options {
            optionPlaces = try options.map(source.index)
        } else {
            let named = source.columns.indices.filter {
                let name = source.columns[$0].lowercased()
                return Self.optionNames.contains { name.hasPrefix($0) }
            }
            optionPlaces = named.isEmpty && source.hasHeader == false ? source.columns.indices.filter { $0 != cuePlace && $0 != 0 } : named
        }
        guard optionPlaces.count >= 2 else {
            throw DataError(
                .usage,
                "which columns contain the options? Name them with \(Setting.options), such as \(Setting.options) "
                    + "option1,option2; the columns are \(source.columns.joined(separator: ", "))", file: path)
        }
        guard isOddOneOut || cuePlace != nil || !source.hasHeader else {
            throw DataError(
                .usage,
                "which column contains the cue? Name it with \(Setting.cue), or add \(Setting.oddOneOut); the columns "
                    + "are \(source.columns.joined(separator: ", "))", file: path)
        }
        let cueColumn = isOddOneOut ? nil : cuePlace ?? 0
        var items: [Item] = [], cells: [String] = []
        while let line = try source.next(into: &cells) {
            let filled = optionPlaces.map { cells[$0].trimmingCharacters(in: .whitespaces) }
            let texts = filled.filter { !$0.isEmpty }, cueText = cueColumn.map { cells[$0].trimmingCharacters(in: .whitespaces) }
            if texts.isEmpty, cueText?.isEmpty ?? true { continue }
            func fail(_ message: String) -> DataError { DataError(.badData, message, file: path, line: line) }
            guard texts.count >= (isOddOneOut ? 3 : 2) else {
                throw fail("\(texts.count) options; an item needs \(isOddOneOut ? "three" : "two")")
            }
            if cueText?.isEmpty == true { throw fail("the cue is empty") }
            if let twice = texts.first(where: { text in texts.count { $0 == text } > 1 }) {
                throw fail("the option \"\(twice)\" occurs twice")
            }
            /// An option's text, or its number.
            func index(_ cell: String) throws -> Int? {
                let text = cell.trimmingCharacters(in: .whitespaces)
                if text.isEmpty { return nil }
                if let index = texts.firstIndex(of: text) { return index }
                if let number = Int(text), (1...texts.count).contains(number) { return number - 1 }
                throw fail(
                    "the answer \"\(text.prefix(40))\" is neither one of the options (\(texts.joined(separator: ", "))) nor the "
                        + "number of one")
            }
            var item = Item(cue: cueText, options: texts, answer: try answerPlace.flatMap { try index(cells[$0]) }, line: line)
            if let peoplePlace {
                let text = cells[peoplePlace].trimmingCharacters(in: .whitespaces)
                if let index = texts.firstIndex(of: text) {
                    item.people = .option(index)
                } else if let number = Double(text.hasSuffix("%") ? String(text.dropLast()) : text), number.isFinite {
                    let share = text.hasSuffix("%") || number > 1 ? number / 100 : number
                    guard (0...1).contains(share) else {
                        throw fail("the proportion of people \(text) is neither in 0 … 1 nor in 0 … 100 %")
                    }
                    item.people = .shareCorrect(share)
                } else if !text.isEmpty {
                    throw fail("people's choice \"\(text.prefix(40))\" is neither an option nor a proportion")
                }
            }
            items.append(item)
        }
        guard !items.isEmpty else { throw DataError(.badData, "no items found", file: path) }
        self.items = items
    }
}

/// What vectors choose.
package struct ForcedChoice: Sendable {
    package struct Outcome: Sendable {
        /// The cosine of each option with the cue; for odd-one-out items its mean cosine with the other options. Nil without a vector.
        package var scores: [Double?]
        /// The option chosen; nil if a vector is missing or two are equally good.
        package var choice: Int?
        /// By how much the right option beats the best other one, below zero where it loses; nil without an answer.
        package var margin: Double?
        /// Nil if the item has no answer or could not be judged.
        package var isCorrect: Bool?
        /// Texts that have no vector.
        package var missing: [String]
    }
    package let outcomes: [Outcome]

    /// - Parameters:
    ///   - pair: gives the cosine of two texts, nil if one has no vector.
    package init(_ items: ChoiceItems, cosine pair: (String, String) throws -> Double?, hasVector: (String) throws -> Bool) rethrows {
        outcomes = try items.items.map { item in
            let missing = try ([item.cue].compactMap(\.self) + item.options).filter { try !hasVector($0) }
            var scores: [Double?] = []
            for (index, option) in item.options.enumerated() {
                if let cue = item.cue {
                    scores.append(try pair(cue, option))
                } else {
                    let others = try item.options.indices.filter { $0 != index }.map { try pair(option, item.options[$0]) }
                    scores.append(others.contains { $0 == nil } ? nil : others.reduce(0) { $0 + ($1 ?? 0) } / Double(others.count))
                }
            }
            guard missing.isEmpty, !scores.contains(where: { $0 == nil }) else {
                return Outcome(scores: scores, choice: nil, margin: nil, isCorrect: nil, missing: missing)
            }
            // The odd one is the least similar.
            let values = scores.compactMap(\.self).map { item.cue == nil ? -$0 : $0 }, best = values.max() ?? 0
            let winners = values.indices.filter { values[$0] == best }
            let choice = winners.count == 1 ? winners[0] : nil
            let margin = item.answer.map { answer in values[answer] - (values.indices.filter { $0 != answer }.map { values[$0] }.max() ?? 0)
            }
            return Outcome(scores: scores, choice: choice, margin: margin, isCorrect: item.answer.map { $0 == choice }, missing: [])
        }
    }

    /// Probability of at least `successes` right answers by guessing among each item's options (Poisson's binomial distribution), exactly.
    package static func guessing(atLeast successes: Int, options: [Int]) -> Double {
        var distribution = [1.0]
        for count in options {
            let p = 1 / Double(count)
            var next = [Double](repeating: 0, count: distribution.count + 1)
            for (k, mass) in distribution.enumerated() {
                next[k] += mass * (1 - p)
                next[k + 1] += mass * p
            }
            distribution = next
        }
        return min(1, distribution.dropFirst(max(0, successes)).reduce(0, +))
    }
}
