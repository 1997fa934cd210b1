import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding

struct RerankCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerank", abstract: "Rerank texts by reading each together with the query (cross-encoder).",
        discussion: """
            kotonoha rerank "two dogs play in snow" candidates.txt --model cross-encoder/ms-marco-MiniLM-L6-v2

            Prints score, row (from 0) and text, best first. Slower than rank, which
            compares vectors: use rank to find the candidates.
            """)

    @Argument(help: "The query.")
    var query: String

    @Argument(help: "A file of candidates; - is standard input.")
    var input: String

    @Option(help: "Column of the candidates, by name or number from 1.")
    var column: String?

    @Option(in: .results, help: "Number of results; by default all.")
    var top: Int?

    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl or .json); standard output by default.")
    var output: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        if query.allSatisfy(\.isWhitespace) { throw ValidationError("the query is empty") }
        if model.model == nil { throw ValidationError("--model should name a reranker; sentence-embedding models are not rerankers") }
    }

    func run() throws {
        try writing.check(inputs: [input, model.inputFolder], files: [output])
        model.precision?.note(isQuiet: report.quiet)
        let encoder = try CrossEncoder(model: model.model ?? "", options: model.encoderOptions)
        let source = try CaptionSource(path: input, options: table.options(isQuiet: report.quiet), columns: CaptionColumns(text: column))
        var texts: [(row: Int, text: String, others: [String])] = [], row = 0
        while case let rows = try source.next(batch: 4096), !rows.isEmpty {
            for caption in rows {
                if !caption.text.allSatisfy(\.isWhitespace) { texts.append((row, caption.text, caption.carried)) }
                row += 1
            }
        }
        guard !texts.isEmpty else { throw DataError(.badData, "the input has no texts", file: input) }
        let (scores, truncated) = try encoder.scores(texts.map { (query, $0.text) })
        if truncated > 0 && !report.quiet {
            Console.say(
                "note: \(Console.grouped(truncated)) of \(Console.grouped(texts.count)) texts \(truncated == 1 ? "was" : "were") "
                    + "longer than \(encoder.maxLength) tokens together with the query and truncated (--max-length)")
        }
        let order = texts.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(top ?? texts.count)
        if let output {
            let columns: [TableColumn] =
                ["rank", TableColumn("score", decimals: 6), "row", .carried(source.textName ?? "text")]
                + source.carriedColumns.map(TableColumn.carried)
            try ResultTable(columns, tableOutput).write(to: output, provenance: made(source, encoder)) { append in
                for (rank, index) in order.enumerated() {
                    try append(
                        [.integer(rank + 1), .number(scores[index]), .integer(texts[index].row), .text(texts[index].text)]
                            + texts[index].others.cells)
                }
            }
        }
        if report.json {
            return try Console.print(
                JSON.array(
                    order.map { index in
                        .object(
                            [("score", .number(scores[index])), ("row", .integer(texts[index].row)), ("text", .string(texts[index].text))]
                                + zip(source.carriedColumns, texts[index].others).map { ($0, .string($1)) })
                    }
                ).serialized(.pretty))
        }
        guard output == nil else { return }
        for index in order {
            let cells =
                [Console.fixed(scores[index], 4), String(texts[index].row), texts[index].text.onOneLine]
                + texts[index].others.map(\.onOneLine)
            try Console.print(cells.joined(separator: "\t"))
        }
    }

    private func made(_ source: CaptionSource, _ encoder: CrossEncoder) throws -> Provenance {
        var record = provenance()
        record.model = .init(path: encoder.directory.name, sha256: try encoder.directory.sha256())
        record.inputs = [.init(path: source.table.name, sha256: try source.table.sha256())]
        return record
    }
}
