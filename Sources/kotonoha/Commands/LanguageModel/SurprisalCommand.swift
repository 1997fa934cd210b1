import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import Tokenizers

struct SurprisalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "surprisal", abstract: "Compute the surprisal (−log p) of words, tokens or regions with a language model.",
        discussion: """
            kotonoha surprisal MODEL items.xlsx --column 文 --unit word --lag 2 -o words.csv
            kotonoha surprisal MODEL "The dog / that barked / ran." --regions --unit region

            Causal models predict each token from the preceding ones, the first from the
            model's begin token. Masked models give pseudo-log-likelihoods: every token is
            masked in its own copy of the text (--pll). Words are separated by spaces, or
            by MeCab in Japanese; the table has one row per word, with the surprisal and
            length of preceding words, for regression of reading times (evaluate reading,
            or lme4).
            """)

    @Argument(help: "The model: a folder or a name.") var model: String
    @Argument(help: "A text, or a table of texts; - is standard input.") var input: String

    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl, .json); standard output by default.") var output:
        String?
    @Option(help: "Column of the texts, by name or number from 1.") var column: String?
    @Option(help: "Unit of a row: token, word, region or text.") var unit: SurprisalUnit?
    @Option(help: "Base of the logarithm: 2 for bits, e for nats.") var base = SurprisalBase.two
    @Flag(help: "The texts have marks between regions: \"The dog / that barked\".") var regions = false
    @Option(help: "The mark between regions.") var mark = "/"
    @Option(help: "How to split words: auto (MeCab for Japanese without spaces), spaces or mecab.") var words = WordCutter.Rule.auto
    @Option(in: Bounds(0...20), help: "Number of preceding units to add as columns: text, surprisal and length.") var lag = 1
    @Flag(help: "Sum the tokens of a causal model without correcting for the space attached to a word's first token.") var uncorrected =
        false

    @OptionGroup(title: "Scoring") var scoring: ScoringOptions
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var options: LanguageModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    private var chosen: SurprisalUnit { unit ?? (regions ? .region : .word) }

    func validate() throws {
        try OutputName.requireTable(output)
        if unit == .region && !regions {
            throw ValidationError("--unit region needs --regions, because the texts need marks (\(mark)) between regions")
        }
        if mark.isEmpty { throw ValidationError("--mark cannot be empty") }
        if report.json && output == nil {
            throw ValidationError("--json prints the totals; the table needs -o FILE (.jsonl and .json are among its formats)")
        }
    }

    /// What was met, over all texts.
    private struct Totals {
        var texts = 0, units = 0, tokens = 0, unknown = 0, crossing = 0, missing = 0, windowed = 0
        var nats = 0.0, scored = 0

        mutating func add(_ score: TextScore) {
            texts += 1
            units += score.units.count
            tokens += score.tokens
            unknown += score.unknownTokens
            crossing += score.crossingTokens
            missing += score.units.count { $0.logProbability == nil }
            windowed += score.windows > 1 ? 1 : 0
            for unit in score.units {
                guard let sum = unit.uncorrected else { continue }
                nats -= sum
                scored += unit.tokens
            }
        }
    }

    func run() throws {
        try writing.check(inputs: [input, LanguageModelOptions.folder(model)], files: [output])
        let texts = try TextsOrTable(input, column: column, table: table, isQuiet: report.quiet)
        let language = try options.open(model, isQuiet: report.quiet)
        let scorer = SurprisalScorer(
            model: language, options: scoring.options(options, corrects: !uncorrected),
            cutter: WordCutter(words, dictionary: options.dictionary))
        let isCorrected = scorer.corrects && (chosen == .word || chosen == .region)
        var totals = Totals(), empty = 0
        let progress = ProgressLine(unit: "texts", isQuiet: report.quiet)
        let layout =
            TableColumn.names(of: chosen, hasRegions: regions, isCorrected: isCorrected, lag: lag) + texts.carried.map(TableColumn.carried)
        try ResultTable(layout, tableOutput).write(to: output, provenance: record(language, texts, isCorrected, totals)) { append in
            empty = try texts.forEachPortion(of: 64) { rows in
                if Interruption.isRequested { throw DataError(.interrupted, "stopped after \(totals.texts) texts; nothing was written") }
                let units = try rows.map { try scorer.cutter.cut($0.text, mark: regions ? mark : nil) }
                for (row, score) in zip(rows, try scorer.score(units, unit: chosen, name: { rows[$0].line }, file: texts.file)) {
                    totals.add(score)
                    for cells in score.cells(
                        row: row.line, unit: chosen, base: base, hasRegions: regions, isCorrected: isCorrected, lag: lag)
                    {
                        try append(cells + row.carried.cells)
                    }
                }
                progress.update(done: totals.texts, fraction: texts.source?.table.fractionRead)
            }
            guard totals.texts > 0 else { throw DataError(.badData, "no texts found", file: texts.file) }
        }
        progress.finish()
        try say(language, totals, empty, isCorrected)
    }

    private func record(_ language: any LanguageModel, _ texts: TextsOrTable, _ isCorrected: Bool, _ totals: Totals) throws -> Provenance {
        var record = provenance()
        record.model = .init(path: language.name, sha256: try language.identity())
        record.inputs = try texts.inputs()
        record.settings = [
            ("method", .string("surprisal")), ("kind", .string(language.kind.rawValue)), ("unit", .string(chosen.rawValue)),
            ("base", .string(base.rawValue)),
            ("texts", .integer(totals.texts)), ("units", .integer(totals.units)), ("tokens", .integer(totals.tokens)),
            ("precision", .string(language.precisionName)),
            ("words", .string(words.rawValue)), ("corrected_for_spaces", .bool(isCorrected)),
            ("pll", language.kind == .masked ? .string(scoring.pll.rawValue) : .null),
            (
                "begin_token",
                language.kind == .causal ? language.beginID.flatMap(language.tokenizer.token).map(JSON.string) ?? .null : .null
            ),
            ("stride", scoring.stride.map(JSON.integer) ?? .null),
        ]
        return record
    }

    private func say(_ language: any LanguageModel, _ totals: Totals, _ empty: Int, _ isCorrected: Bool) throws {
        let mean = totals.scored == 0 ? Double.nan : totals.nats / Double(totals.scored), perplexity = exp(mean)
        if report.json {
            return try Console.print(
                JSON.object([
                    ("model", .string(language.name)), ("kind", .string(language.kind.rawValue)), ("unit", .string(chosen.rawValue)),
                    ("base", .string(base.rawValue)),
                    ("texts", .integer(totals.texts)), ("empty_rows", .integer(empty)), ("units", .integer(totals.units)),
                    ("units_without_surprisal", .integer(totals.missing)),
                    ("tokens", .integer(totals.tokens)), ("unknown_tokens", .integer(totals.unknown)),
                    ("crossing_tokens", .integer(totals.crossing)),
                    ("surprisal_per_token", mean.isFinite ? .number(mean / base.nats) : .null),
                    ("perplexity", perplexity.isFinite ? .number(perplexity) : .null),
                    ("corrected_for_spaces", .bool(isCorrected)),
                ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        let kind = language.kind == .masked ? "pseudo-perplexity" : "perplexity"
        Console.say(
            "\(Console.counted(totals.texts, "text")), \(Console.counted(totals.tokens, "token")), \(Console.counted(totals.units, chosen.rawValue)): "
                + "\(Console.fixed(mean / base.nats, 4)) \(base.unitName) per token, \(kind) \(Console.fixed(perplexity, 2))")
        func note(_ count: Int, _ text: String) { if count > 0 { Console.say("note: \(Console.grouped(count)) \(text)") } }
        if empty > 0 { Console.say("note: \(Console.counted(empty, "row")) without text left out") }
        note(totals.crossing, "tokens reach into the next \(chosen.rawValue); they count to the one in which they begin")
        note(
            totals.missing,
            "of \(Console.counted(totals.units, chosen.rawValue)) have no surprisal: no token begins in them, or the model has no begin token to predict a first token from"
        )
        note(totals.windowed, "texts are longer than the model reads and were read in windows (--stride)")
        if Double(totals.unknown) > 0.05 * Double(totals.tokens) {
            Console.say(
                "warning: \(Console.fixed(100 * Double(totals.unknown) / Double(totals.tokens), 1)) % of all tokens are unknown "
                    + "to this model; its probabilities mean little for such text")
        }
    }
}

extension TableColumn {
    /// The columns of a table of surprisals, before those that travel along.
    fileprivate static func names(of unit: SurprisalUnit, hasRegions: Bool, isCorrected: Bool, lag: Int) -> [TableColumn] {
        func number(_ name: String) -> TableColumn { TableColumn(name, decimals: 4) }
        if unit == .text { return ["row", "text", "tokens", number("surprisal"), number("surprisal_per_token"), number("perplexity")] }
        var columns: [TableColumn] = ["row", "position", TableColumn(unit.rawValue)]
        if hasRegions && unit != .region { columns.append("region") }
        columns += ["tokens", "length", number("surprisal")]
        if isCorrected { columns.append(number("surprisal_uncorrected")) }
        columns += [number("entropy"), "rank"]
        if lag > 0 {
            for back in 1...lag {
                columns += [
                    TableColumn("\(unit.rawValue)_prev\(back)"), number("surprisal_prev\(back)"), TableColumn("length_prev\(back)"),
                ]
            }
        }
        return columns
    }
}

extension TextScore {
    /// One row of cells for each unit.
    fileprivate func cells(row: Int, unit: SurprisalUnit, base: SurprisalBase, hasRegions: Bool, isCorrected: Bool, lag: Int) -> [[Cell]] {
        func told(_ nats: Double?) -> Cell { Cell(nats.map { $0 / base.nats }) }
        func surprisal(_ unit: UnitScore) -> Cell { told(unit.logProbability.map { -$0 }) }
        return units.enumerated().map { place, one in
            if unit == .text {
                let perToken = one.logProbability.map { -$0 / Double(one.tokens) }
                return [
                    .integer(row), .text(one.text), .integer(one.tokens), surprisal(one), told(perToken), Cell(perToken.map { exp($0) }),
                ]
            }
            var cells: [Cell] = [.integer(row), .integer(place + 1), .text(one.text)]
            if hasRegions && unit != .region { cells.append(one.region.map { .integer($0 + 1) } ?? .missing) }
            cells += [.integer(one.tokens), .integer(one.text.count), surprisal(one)]
            if isCorrected { cells.append(told(one.uncorrected.map { -$0 })) }
            cells += [told(one.entropy), one.rank.map(Cell.integer) ?? .missing]
            for back in 1..<lag + 1 {
                let before = place >= back ? units[place - back] : nil
                cells += [Cell(before?.text), before.map(surprisal) ?? .missing, before.map { .integer($0.text.count) } ?? .missing]
            }
            return cells
        }
    }
}
