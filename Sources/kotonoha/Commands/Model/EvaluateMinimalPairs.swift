import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import Statistics
import Tokenizers

/// Options of `evaluate choice` for a language model and pairs of sentences.
struct MinimalPairOptions: ParsableArguments {
    @Option(help: "Column of the acceptable sentences; recognized for BLiMP and JBLiMP.") var good: String?
    @Option(help: "Column of the unacceptable sentences.") var bad: String?
    @Option(help: ArgumentHelp("Columns of categories; recognized for BLiMP and JBLiMP.", valueName: "a,b,…")) var by: String?
    @Option(
        help: ArgumentHelp(
            "A table with a row per category (published or human accuracies) to show next to the results; may be given several times.",
            valueName: "file"))
    var beside: [String] = []
    @Option(help: ArgumentHelp("A table of the accuracies.", valueName: "file")) var categories: String?
    @Option(in: .samples, help: "Bootstrap samples of the interval over all categories.") var resamples = 2000
    @Option(in: .seed, help: "Seed of the bootstrap.") var seed: UInt64 = 0
    @OptionGroup var scoring: ScoringOptions

    func validate() throws {
        try OutputName.requireTable(categories)
        if (good == nil) != (bad == nil) { throw ValidationError("--good and --bad go together: the two sentences of a pair") }
    }

    /// Options that only pairs have, for refusing them elsewhere.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("--by", by != nil), ("--beside", !beside.isEmpty), ("--categories", categories != nil), ("--pll", scoring.pll != .original),
            ("--stride", scoring.stride != nil),
        ]
    }
}

/// One run of `evaluate choice` over minimal pairs.
struct MinimalPairEvaluation {
    let input: String
    let table: Table
    let options: MinimalPairOptions
    let model: ModelOptions
    let output: String?
    let tableOutput: TableOutputOptions
    let report: ReportOptions

    /// Further columns of one category, from `--beside`.
    private struct Beside {
        var names: [String] = []
        /// By category in lower case.
        var values: [String: [Cell]] = [:]
    }

    func run() throws {
        let pairs = try MinimalPairs(
            table, good: options.good, bad: options.bad,
            by: options.by?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
        guard let name = model.model else {
            throw DataError(
                .usage,
                "pairs of sentences (\(pairs.columns.good), \(pairs.columns.bad)) need a language model; name one "
                    + "with --model", file: input)
        }
        model.precision?.note(isQuiet: report.quiet)
        let language = try openLanguageModel(name, precision: model.precision?.resolved ?? .f32, dictionary: model.dictionary)
        var scoring = SurprisalOptions()
        (scoring.pseudoLikelihood, scoring.stride) = (options.scoring.pll, options.scoring.stride)
        (scoring.batchTokens, scoring.threads) = (model.batchTokens, model.threads)
        let scorer = SurprisalScorer(model: language, options: scoring, cutter: WordCutter(.auto, dictionary: model.dictionary))
        let outcomes = try pairs.outcomes(of: scorer, file: input)
        let accuracies = try pairs.accuracies(outcomes, resamples: options.resamples, seed: options.seed, threads: model.threads)
        let beside = try options.beside.map { try Self.beside($0, accuracies.map(\.value)) }

        var record = provenance(seed: options.seed)
        record.model = .init(path: language.name, sha256: try language.identity())
        record.inputs = [.init(path: input, sha256: table.sha256)] + (try options.beside.map { try .init(hashing: $0) })
        record.settings = [
            ("method", .string("minimal pairs")), ("kind", .string(language.kind.rawValue)), ("pairs", .integer(pairs.pairs.count)),
            ("categories", .integer(accuracies.count - 1)), ("by", .array(pairs.categoryNames.map(JSON.string))),
            ("accuracy", .number(accuracies[0].bySum.value)),
            ("pll", language.kind == .masked ? .string(options.scoring.pll.rawValue) : .null),
            ("interval", .string(accuracies[0].bySum.method.description)),
            ("precision", .string(language.precisionName)),
        ]
        if let output { try write(pairs, outcomes, to: output, record) }
        let columns = Self.columns + beside.flatMap { $0.names.map { TableColumn($0, decimals: 4) } }
        func rows(_ append: ([Cell]) throws -> Void) throws {
            for one in accuracies {
                try append(
                    Self.cells(one)
                        + beside.flatMap { beside in
                            beside.values[one.value.lowercased()] ?? [Cell](repeating: .missing, count: beside.names.count)
                        })
            }
        }
        if let file = options.categories { try ResultTable(columns, tableOutput).write(to: file, provenance: record, rows) }
        if report.json { return try Console.print(json(language, pairs, accuracies).serialized(.pretty)) }
        try ResultTable(columns, tableOutput).write(to: nil, provenance: record, rows)
        if accuracies[0].ties > 0, !report.quiet { Console.say("note: \(Console.counted(accuracies[0].ties, "tie")) counted as errors") }
    }

    private static let columns: [TableColumn] = [
        "by", "category", "pairs", TableColumn("accuracy", decimals: 4), TableColumn("low", decimals: 4), TableColumn("high", decimals: 4),
        TableColumn("accuracy_per_token", decimals: 4), TableColumn("low_per_token", decimals: 4),
        TableColumn("high_per_token", decimals: 4), "ties", "interval",
    ]

    private static func cells(_ one: MinimalPairs.Accuracy) -> [Cell] {
        [
            Cell(one.by), .text(one.value), .integer(one.pairs), .number(one.bySum.value), Cell(one.bySum.interval?.lowerBound),
            Cell(one.bySum.interval?.upperBound),
            .number(one.byMean.value), Cell(one.byMean.interval?.lowerBound), Cell(one.byMean.interval?.upperBound), .integer(one.ties),
            .text(one.bySum.method.description),
        ]
    }

    /// Numbers of a table whose rows are categories: its key is the column that shares most different values with them.
    private static func beside(_ file: String, _ categories: [String]) throws -> Beside {
        let table = try Table(path: file), wanted = Set(categories.map { $0.lowercased() })
        let shared = table.columns.map { column in Set(column.texts.map { $0.lowercased() }).intersection(wanted).count }
        guard let most = shared.max(), most > 0, let key = shared.firstIndex(of: most) else {
            throw DataError(
                .badData,
                "none of its columns names a category of the pairs "
                    + "(\(categories.dropFirst().prefix(3).joined(separator: ", ")) …); its columns are "
                    + table.columnNames.joined(separator: ", "), file: file)
        }
        let numbers = table.columns.indices.filter { $0 != key && [.integer, .number].contains(table.columns[$0].kind) }.map {
            table.columns[$0]
        }
        let columns = numbers.map(\.cells)
        var result = Beside(names: numbers.map(\.name))
        for (row, category) in table.columns[key].texts.enumerated() { result.values[category.lowercased()] = columns.map { $0[row] } }
        // "overall" is what published tables call all pairs.
        if let overall = result.values["overall"], result.values["all"] == nil { result.values["all"] = overall }
        return result
    }

    private func write(_ pairs: MinimalPairs, _ outcomes: [MinimalPairs.Outcome], to output: String, _ record: Provenance) throws {
        func number(_ name: String) -> TableColumn { TableColumn(name, decimals: 6) }
        let columns: [TableColumn] = [
            "line", "good", "bad", number("logprob_good"), number("logprob_bad"), "tokens_good", "tokens_bad", number("margin"), "correct",
            number("margin_per_token"), "correct_per_token",
        ]
        let carried = (pairs.categoryNames + pairs.otherNames).map(TableColumn.carried)
        try ResultTable(columns + carried, tableOutput).write(to: output, provenance: record) { append in
            for (pair, outcome) in zip(pairs.pairs, outcomes) {
                try append(
                    [
                        .integer(pair.line), .text(pair.good), .text(pair.bad), .number(outcome.good), .number(outcome.bad),
                        .integer(outcome.goodTokens),
                        .integer(outcome.badTokens), .number(outcome.good - outcome.bad), .boolean(outcome.isCorrectBySum),
                        .number(outcome.goodMean - outcome.badMean), .boolean(outcome.isCorrectByMean),
                    ] + (pair.categories + pair.others).cells)
            }
        }
    }

    private func json(_ language: any LanguageModel, _ pairs: MinimalPairs, _ accuracies: [MinimalPairs.Accuracy]) -> JSON {
        func interval(_ estimate: Estimate) -> JSON {
            estimate.interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null
        }
        return .object([
            ("file", .string(URL(fileURLWithPath: input).lastPathComponent)), ("model", .string(language.name)),
            ("kind", .string(language.kind.rawValue)),
            ("pairs", .integer(pairs.pairs.count)),
            (
                "accuracies",
                .array(
                    accuracies.map { one in
                        .object([
                            ("by", one.by.map(JSON.string) ?? .null), ("category", .string(one.value)), ("pairs", .integer(one.pairs)),
                            ("accuracy", .number(one.bySum.value)), ("accuracy_95", interval(one.bySum)),
                            ("accuracy_per_token", .number(one.byMean.value)),
                            ("accuracy_per_token_95", interval(one.byMean)), ("ties", .integer(one.ties)),
                            ("interval", .string(one.bySum.method.description)),
                        ])
                    })
            ),
        ])
    }
}
