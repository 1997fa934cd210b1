import Analysis
import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding

struct SimilarityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "similarity", abstract: "Compute the similarity of two sentences: the cosine of their vectors.",
        discussion: """
            kotonoha similarity "two dogs play in snow" "dogs run outside in winter"
            kotonoha similarity --pairs pairs.tsv -o scores.tsv

            Cosines lie between -1 and 1. What counts as high depends on the model: compare
            only within one model.
            """)

    @Argument(help: "Two sentences.")
    var sentences: [String] = []

    @Option(help: "A file with one pair of sentences per row.")
    var pairs: String?

    @Option(help: ArgumentHelp("The two columns of --pairs, by name or number.", valueName: "first,second"))
    var columns: String?

    @Option(name: .shortAndLong, help: "The table of scores for --pairs (.tsv, .csv, .xlsx, .jsonl or .json); standard output by default.")
    var output: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        if output != nil && pairs == nil {
            throw ValidationError("-o is for the scores of --pairs; the cosine of two sentences goes to standard output")
        }
        if pairs == nil && sentences.count != 2 {
            throw ValidationError("expected two sentences, found \(sentences.count); give a file of pairs with --pairs")
        }
        if pairs != nil && !sentences.isEmpty { throw ValidationError("give either two sentences or --pairs, not both") }
        if pairs == nil { try refuse([("--columns", columns != nil), ("--output", output != nil)], "belongs to --pairs") }
    }

    func run() throws {
        try writing.check(inputs: [pairs, model.inputFolder], files: [output])
        let encoder = try model.interactiveEncoder(isQuiet: report.quiet) { batch in
            guard let pairs else { return try batch(sentences) }
            let source = try SentencePairSource(
                path: pairs, options: table.options(isQuiet: true), columns: columns?.split(separator: ",").map(String.init),
                wantsScores: false)
            for pair in try source.all() { try batch([pair.first, pair.second]) }
        }
        guard let pairs else {
            let (cosines, counts) = try PairSimilarity(encoder: encoder).cosines([sentences[0]], [sentences[1]])
            ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
            if report.json {
                try Console.print(
                    JSON.object([
                        ("cosine", cosines[0].map { .number($0) } ?? .null), ("model", .string(encoder.name)),
                    ]).serialized())
            } else {
                try Console.print(cosines[0].map { Console.fixed($0, 4) } ?? "NA")
            }
            return
        }
        try scoreFile(pairs, encoder)
    }

    private func scoreFile(_ path: String, _ encoder: any TextEncoder) throws {
        let source = try SentencePairSource(
            path: path, options: table.options(isQuiet: report.quiet), columns: columns?.split(separator: ",").map(String.init),
            wantsScores: false)
        let similarity = PairSimilarity(encoder: encoder)
        let progress = ProgressLine(unit: "pairs", isQuiet: report.quiet)
        var counts = SentenceEncoder.Counts(), done = 0
        var scored: [(pair: SentencePair, cosine: Double?)] = []
        while true {
            let batch = try source.next(batch: 4096)
            if batch.isEmpty { break }
            let (cosines, found) = try similarity.cosines(batch.map(\.first), batch.map(\.second))
            counts += found
            done += batch.count
            scored += zip(batch, cosines).map { ($0, $1) }
            progress.update(done: done, fraction: source.table.fractionRead)
        }
        progress.finish()
        ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
        if output != nil || !report.json {
            let columns =
                [TableColumn("cosine", decimals: 6), .carried("first"), .carried("second")] + source.otherColumns.map(TableColumn.carried)
            try ResultTable(columns, tableOutput).write(to: output, provenance: made(source, encoder, scored.map(\.cosine))) { append in
                for (pair, cosine) in scored { try append([Cell(cosine), .text(pair.first), .text(pair.second)] + pair.others.cells) }
            }
        }
        guard report.json else { return }
        try Console.print(
            JSON.array(
                scored.map { pair, cosine in
                    .object(
                        [("cosine", cosine.map { .number($0) } ?? .null), ("first", .string(pair.first)), ("second", .string(pair.second))]
                            + zip(source.otherColumns, pair.others).map { ($0, .string($1)) })
                }
            ).serialized(.pretty))
    }

    private func made(_ source: SentencePairSource, _ encoder: any TextEncoder, _ cosines: [Double?]) throws -> Provenance {
        var record = try encoder.record(provenance(), inputs: [source.table.provenanceSource])
        record.settings = [
            ("method", .string("pair cosines")), ("pairs", .integer(cosines.count)),
            ("pairs_without_cosine", .integer(cosines.count { $0 == nil })),
            ("encoder", try encoder.description),
        ]
        return record
    }
}
