import ArgumentParser
import FileFormats
import Foundation
import LanguageModels

struct FillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill", abstract: "Fill masked words with a masked language model.",
        discussion: """
            kotonoha fill MODEL "朝ご飯に[MASK]を食べた。" --top 5
            kotonoha fill MODEL items.xlsx --column 文 -o guesses.csv

            [MASK], <mask> and ＿＿ all stand for the model's mask token. Several masks in
            one text are filled independently. The table has one row per guess; other
            columns are kept.
            """)

    @Argument(help: "The model: a folder or a name.") var model: String
    @Argument(help: "A text with [MASK] in it, or a table of them; - is standard input.") var input: String

    @Option(in: .results, help: "Number of guesses per mask, most probable first.") var top = 10
    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl, .json); standard output by default.") var output:
        String?
    @Option(help: "Column of the texts, by name or number from 1.") var column: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var options: LanguageModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.requireTable(output) }

    func run() throws {
        try writing.check(inputs: [input, LanguageModelOptions.folder(model)], files: [output])
        let texts = try TextsOrTable(input, column: column, table: table, isQuiet: report.quiet)
        let language = try options.open(model, isQuiet: report.quiet), fill = try Fill(model: language)
        var count = 0, holes = 0, guesses: [JSON] = []
        let columns: [TableColumn] = [
            "row", "hole", "rank", "guess", TableColumn("probability", decimals: 6), TableColumn("entropy", decimals: 4), "text",
        ]
        func rows(_ append: ([Cell]) throws -> Void) throws {
            let empty = try texts.forEachPortion(of: 256) { rows in
                let found = try fill.holes(
                    in: rows.map(\.text), top: top, batchTokens: options.batchTokens, threads: options.threads, name: { rows[$0].line },
                    file: texts.file)
                for (row, rowHoles) in zip(rows, found) {
                    count += 1
                    let bytes = Array(fill.prepared(row.text).utf8)
                    for (number, hole) in rowHoles.enumerated() {
                        holes += 1
                        for (rank, guess) in hole.candidates.enumerated() {
                            // The text with this guess in its hole; other holes stay open.
                            let filled =
                                String(decoding: bytes[..<hole.range.lowerBound], as: UTF8.self) + guess.text
                                + String(decoding: bytes[hole.range.upperBound...], as: UTF8.self)
                            if report.json && output == nil {
                                guesses.append(
                                    .object([
                                        ("row", .integer(row.line)), ("hole", .integer(number + 1)), ("rank", .integer(rank + 1)),
                                        ("guess", .string(guess.text)),
                                        ("token", .string(guess.token)), ("probability", .number(guess.probability)),
                                        ("text", .string(filled)),
                                    ]))
                            } else {
                                try append(
                                    [
                                        .integer(row.line), .integer(number + 1), .integer(rank + 1), .text(guess.text),
                                        .number(guess.probability),
                                        .number(hole.entropy / SurprisalBase.two.nats), .text(filled),
                                    ] + row.carried.cells)
                            }
                        }
                    }
                }
            }
            guard count > 0 else { throw DataError(.badData, "no texts found", file: texts.file) }
            if empty > 0, !report.quiet { Console.say("note: \(Console.counted(empty, "row")) without text left out") }
        }
        if report.json && output == nil {
            try rows { _ in }
            return try Console.print(JSON.array(guesses).serialized(.pretty))
        }
        func record() throws -> Provenance {
            var record = provenance()
            record.model = .init(path: language.name, sha256: try language.identity())
            record.inputs = try texts.inputs()
            record.settings = [
                ("method", .string("fill")), ("texts", .integer(count)), ("holes", .integer(holes)), ("top", .integer(top)),
                ("precision", .string(language.precisionName)),
            ]
            return record
        }
        try ResultTable(columns + texts.carried.map(TableColumn.carried), tableOutput).write(to: output, provenance: record(), rows)
        if report.json {
            try Console.print(
                JSON.object([
                    ("model", .string(language.name)), ("texts", .integer(count)), ("holes", .integer(holes)), ("top", .integer(top)),
                ]).serialized(.pretty))
        }
    }
}
