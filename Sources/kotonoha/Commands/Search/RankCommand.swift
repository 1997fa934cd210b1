import Analysis
import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import Reporting
import SentenceEmbedding
import Tensors
import VectorStore

struct RankCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rank", abstract: "Find the sentences of a vector file most similar to a query.",
        discussion: """
            kotonoha rank vectors.h5 "two dogs play in snow"
            kotonoha rank vectors.h5 --queries questions.txt --top 5 -o ranking.tsv

            Queries are embedded with the model that made the file; its hash is checked.
            Put -- before a query that begins with -.

            In a file of word vectors, a query is a word of the file, or a word for which
            --model has a vector:
            kotonoha nearest words.h5 犬
            kotonoha rank words.h5 --plus king,woman --minus man
            """,
        aliases: ["nearest"])

    @Argument(help: "The vector file.")
    var vectors: String

    @Argument(help: "Queries.")
    var queries: [String] = []

    @Option(name: .customLong("queries"), help: "A file of queries, one per line (or a table with a text column).")
    var queryFile: String?

    @Option(help: "Column of --queries, by name or number from 1.")
    var column: String?

    @Option(help: "A vector file whose rows are the queries.")
    var queryVectors: String?

    @OptionGroup(title: "Sums and differences") var arithmetic: ArithmeticOptions

    @Option(in: .results, help: "Number of results per query.")
    var top = 10

    @OptionGroup var filter: RowFilter

    @Option(help: ArgumentHelp("Only results with at least this cosine, or this quantile of random pairs.", valueName: "cosine|q99"))
    var threshold: String?

    @Option(
        in: .share,
        help: "From 0 to 1: how much results should differ from each other (maximal marginal relevance); 0 ranks by cosine alone.")
    var diversity = 0.0

    @Option(
        help: ArgumentHelp(
            "Search short codes of the vectors first (embed --codes, vectors select --codes): int8 gives the same results and is used automatically if "
                + "the file has it; binary may miss some."))
    var codes: VectorCodes?

    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl or .json); standard output by default.")
    var output: String?

    @OptionGroup(title: "Input of --queries") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        let sources = (queries.isEmpty ? 0 : 1) + (queryFile == nil ? 0 : 1) + (queryVectors == nil ? 0 : 1) + (arithmetic.isGiven ? 1 : 0)
        if sources != 1 {
            throw ValidationError(
                "give queries on the command line, or by --queries, --query-vectors, or --plus and --minus; "
                    + "expected exactly one of these, found \(sources)")
        }
        try OutputName.requireTable(output)
        if queries.contains(where: { $0.allSatisfy(\.isWhitespace) }) { throw ValidationError("a query is empty") }
        if arithmetic.isGiven {
            try refuse([("--threshold", threshold != nil), ("--diversity", diversity > 0)], "is for queries, not for --plus and --minus")
        }
        if queryFile == nil && column != nil { throw ValidationError("--column names a column of --queries") }
        if queryVectors != nil {
            try refuse(
                [
                    ("--model", model.model != nil), ("--prompt", model.prompt != nil), ("--prompt-name", model.promptName != nil),
                    ("--max-length", model.maxLength != nil),
                    ("--normalize", model.normalize), ("--truncate-dim", model.truncateDim != nil),
                ], "is for queries that are embedded; those of --query-vectors are vectors already")
        }
    }

    func run() throws {
        try writing.check(inputs: [vectors, queryFile, queryVectors, model.inputFolder], files: [output])
        let file = try VectorFile(path: vectors)
        let passes = try filter.passes(file), valid = zip(try file.valid(), passes).map { $0 && $1 }
        guard valid.contains(true) else {
            throw DataError(.badData, "no row with a vector passes --where \(filter.where.joined(separator: " --where "))", file: vectors)
        }
        var search = try CosineSearch(corpus: file, valid: valid, threads: model.threads)
        let least = try threshold.map { text -> Double in
            // A quantile needs the vectors, a cosine does not.
            if let cosine = Double(text), (-1...1).contains(cosine) { return cosine }
            return try RandomPairCosines(of: file, valid: valid, threads: model.threads).threshold(named: text)
        }
        search.codes = try codes.map { try RowCodes($0, of: file) } ?? (file.codeKinds.contains(.int8) ? RowCodes(.int8, of: file) : nil)
        if file.storage == .binary && !report.quiet {
            Console.say("note: the file stores only the signs of components; cosines are with the signs, and lower than with full vectors")
        }
        let progress = ProgressLine(unit: "queries", isQuiet: report.quiet)
        let begin = ContinuousClock.now
        var found: NeighborTable
        let names: [String]
        if let queryVectors {
            let other = try VectorFile(path: queryVectors)
            guard other.metadata.modelSHA256 == file.metadata.modelSHA256 else {
                throw DataError(
                    .badData,
                    "its vectors come from another model (\(other.metadata.model)) than those of \(vectors) (\(file.metadata.model)); "
                        + "vectors of two models cannot be compared", file: queryVectors)
            }
            names = try other.texts()
            found = try search.search(other, top: candidates, queryValid: other.valid())
        } else if arithmetic.isGiven {
            let (name, answers) = try arithmetic.search(file, top: top, valid: valid, threads: model.threads)
            (names, found) = ([name], answers)
        } else if asksWords(file) {
            names = try queryTexts()
            found = try searchWords(file, search, names)
        } else {
            names = try queryTexts()
            let encoder = try model.queryEncoder(for: file, isQuiet: report.quiet)
            let (encoded, counts) = try encoder.encodeCounting(names)
            ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
            found = try search.search(encoded, top: candidates)
        }
        if let least { found = found.atLeast(least) }
        if diversity > 0 {
            found = try MaximalMarginalRelevance(diversity: diversity).choose(found, top: top) {
                try file.readEmbeddings(rows: $0..<$0 + 1)
            }
        }
        progress.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        if !report.quiet && queryVectors != nil {
            Console.say(
                "\(Console.counted(names.count, "query", "queries")) against \(Console.counted(file.count, "vector")) in \(Console.fixed(seconds, 2)) s, "
                    + "reading included")
        }
        let measure = arithmetic.isGiven && arithmetic.method == .mul ? "score" : "cosine"
        try Ranking(file: file, queries: names, found: found, measure: measure, style: tableOutput).write(to: output, asJSON: report.json) {
            try record(file, queries: names.count)
        }
    }

    /// Answers among which diversity chooses: ten times as many as are wanted, at least 100.
    var candidates: Int { diversity > 0 ? max(100, top.multipliedReportingOverflow(by: 10).overflow ? top : 10 * top) : top }

    private func queryTexts() throws -> [String] {
        guard let queryFile else { return queries }
        let source = try CaptionSource(
            path: queryFile, options: table.options(isQuiet: report.quiet), columns: CaptionColumns(text: column))
        var texts: [String] = []
        while true {
            let rows = try source.next(batch: 4096)
            if rows.isEmpty {
                guard !texts.isEmpty else { throw DataError(.badData, "no queries found", file: queryFile) }
                return texts
            }
            if let empty = rows.first(where: { $0.text.allSatisfy(\.isWhitespace) }) {
                throw DataError(.badData, "this query is empty; fill it in or remove the row", file: source.table.name, line: empty.line)
            }
            texts += rows.map(\.text)
        }
    }

    /// How the ranking was made.
    private func record(_ file: VectorFile, queries: Int) throws -> Provenance {
        var record = provenance()
        record.model = file.metadata.modelSource
        record.inputs = try [vectors, queryFile, queryVectors].compactMap(\.self).map { try .init(hashing: $0) }
        record.settings = [
            ("method", .string("cosine ranking")), ("queries", .integer(queries)), ("top", .integer(top)),
            ("where", .array(filter.where.map(JSON.string))),
            ("threshold", threshold.map(JSON.string) ?? .null), ("diversity", .number(diversity)),
            ("codes", codes.map { .string($0.rawValue) } ?? .null), ("vectors", try file.description),
        ]
        if arithmetic.isGiven {
            record.settings += [("scoring", .string(arithmetic.method.rawValue)), ("query", .string(arithmetic.name))]
        }
        return record
    }
}

/// Search results as a person or a program reads them.
private struct Ranking {
    let file: VectorFile
    let queries: [String]
    let found: NeighborTable
    /// What the numbers are: cosines, or scores of 3CosMul.
    let measure: String
    let style: TableOutputOptions

    func write(to output: String?, asJSON: Bool, record: () throws -> Provenance) throws {
        let carried = CarriedColumns(file), rows = try carried.lookUp(Set(found.rows.filter { $0 >= 0 }.map(Int.init)))
        if let output {
            let table = ResultTable(["query", "rank", TableColumn(measure, decimals: 6), "row"] + carried.tableColumns(), style)
            try table.write(to: output, provenance: record()) { append in
                for (query, text) in queries.enumerated() {
                    for (rank, hit) in found[query].enumerated() {
                        try append(
                            [.text(text), .integer(rank + 1), .number(Double(hit.score)), .integer(hit.row)] + (rows[hit.row] ?? []).cells)
                    }
                }
            }
        }
        if asJSON { return try Console.print(json(rows).serialized(.pretty)) }
        if output == nil { try list(carried, rows) }
    }

    /// For reading: score, row, ids, groups and text, then the other columns.
    private func list(_ carried: CarriedColumns, _ rows: [Int: [String]]) throws {
        var text = ""
        for (query, name) in queries.enumerated() {
            if queries.count > 1 { text += (query > 0 ? "\n" : "") + "# " + name.onOneLine + "\n" }
            for hit in found[query] {
                text +=
                    ([Console.fixed(Double(hit.score), 4), String(hit.row)] + (rows[hit.row] ?? []).map(\.onOneLine)).joined(
                        separator: "\t") + "\n"
            }
        }
        var bytes = text
        try bytes.withUTF8 { try Console.write(UnsafeRawBufferPointer($0)) }
    }

    private func json(_ rows: [Int: [String]]) -> JSON {
        let columns = file.layout.columns
        return .array(
            queries.enumerated().map { query, name in
                .object([
                    ("query", .string(name)),
                    (
                        "results",
                        .array(
                            found[query].map { hit in
                                .object(
                                    [(measure, .number(Double(hit.score))), ("row", .integer(hit.row))]
                                        + zip(columns, rows[hit.row] ?? []).map { ($0.name, .string($1)) })
                            })
                    ),
                ])
            })
    }
}
