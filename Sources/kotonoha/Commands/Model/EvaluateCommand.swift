import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Interpretation
import SentenceEmbedding

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Evaluate a model: human similarity ratings, translations, groups, analogies, minimal pairs, reading times, labels.",
        subcommands: [
            STSCommand.self, EvaluateRetrievalCommand.self, EvaluateGroupsCommand.self, EvaluateAnalogiesCommand.self,
            EvaluateChoiceCommand.self,
            EvaluateReadingCommand.self, EvaluateClassifierCommand.self,
        ])
}

struct STSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sts", abstract: "Semantic textual similarity: correlation of cosines with human ratings.",
        discussion: """
            Reads JSTS, STS-B, JSICK, lists of word pairs (WordSim-353, SimLex-999) and any
            table with two columns of texts and one of scores. Prints Pearson's and
            Spearman's correlation with 95 % intervals (Fisher's z, and a seeded bootstrap
            over pairs); with a file of word vectors also how many pairs it covers.
            """)

    @Argument(help: "The file with pairs and scores.")
    var input: String

    @Option(help: ArgumentHelp("The columns, by name or number.", valueName: "first,second,score"))
    var columns: String?

    @Option(in: .seed, help: "Seed of the bootstrap.")
    var seed: UInt64 = 0

    @Option(in: .samples, help: "Bootstrap samples.")
    var samples = 1000

    @OptionGroup var out: EvaluationOutput

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let source = try SentencePairSource(
            path: input, options: table.optionsForPairs(in: input, isQuiet: report.quiet),
            columns: columns?.split(separator: ",").map(String.init))
        let encoder = try model.textEncoder(isQuiet: report.quiet) { batch in
            let pairs = try SentencePairSource(
                path: input, options: table.optionsForPairs(in: input, isQuiet: true),
                columns: columns?.split(separator: ",").map(String.init))
            for pair in try pairs.all() { try batch([pair.first, pair.second]) }
        }
        let similarity = PairSimilarity(encoder: encoder)
        var cosines: [Double] = [], scores: [Double] = [], unscored = 0, uncovered = 0, counts = SentenceEncoder.Counts()
        while true {
            let batch = try source.next(batch: 8192)
            if batch.isEmpty { break }
            let (found, part) = try similarity.cosines(batch.map(\.first), batch.map(\.second))
            counts += part
            for (pair, cosine) in zip(batch, found) {
                if let score = pair.score, let cosine {
                    cosines.append(cosine)
                    scores.append(score)
                } else if pair.score != nil, model.isWordFile {
                    uncovered += 1
                } else {
                    unscored += 1
                }
            }
        }
        if !model.isWordFile { ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet) }
        let covered = cosines.count, all = covered + uncovered
        guard covered > 1 else {
            throw DataError(.badData, "\(covered) of \(all) pairs have vectors on both sides; a correlation needs two", file: input)
        }
        let evaluation = try SimilarityEvaluation(similarities: cosines, scores: scores, samples: samples, seed: seed)
        try out.write(
            ["measure", "value", "fisher_low", "fisher_high", "bootstrap_low", "bootstrap_high", "pairs"],
            [("pearson", evaluation.pearson), ("spearman", evaluation.spearman)].map { name, result in
                [
                    .text(name), .number(result.value), .number(result.fisher.lowerBound), .number(result.fisher.upperBound),
                    .number(result.bootstrap.lowerBound), .number(result.bootstrap.upperBound), .integer(evaluation.pairs),
                ]
            }
        ) {
            var record = try encoder.record(provenance(seed: seed), inputs: [source.table.provenanceSource])
            record.settings = [
                ("method", .string("semantic textual similarity")), ("pairs", .integer(evaluation.pairs)),
                ("pairs_without_score", .integer(unscored)),
                ("pairs_without_vector", .integer(uncovered)),
                ("pearson", .number(evaluation.pearson.value)), ("spearman", .number(evaluation.spearman.value)),
                ("bootstrap_samples", .integer(samples)),
                ("encoder", try encoder.description),
            ]
            return record
        }
        if report.json {
            func interval(_ range: ClosedRange<Double>) -> JSON { .array([.number(range.lowerBound), .number(range.upperBound)]) }
            return try Console.print(
                JSON.object([
                    ("file", .string(URL(fileURLWithPath: input).lastPathComponent)), ("model", .string(encoder.name)),
                    ("pairs", .integer(evaluation.pairs)), ("pairs_without_score", .integer(unscored)),
                    ("pairs_without_vector", .integer(uncovered)), ("coverage", .number(Double(covered) / Double(max(1, all)))),
                    ("pearson", .number(evaluation.pearson.value)), ("pearson_fisher_95", interval(evaluation.pearson.fisher)),
                    ("pearson_bootstrap_95", interval(evaluation.pearson.bootstrap)),
                    ("spearman", .number(evaluation.spearman.value)), ("spearman_fisher_95", interval(evaluation.spearman.fisher)),
                    ("spearman_bootstrap_95", interval(evaluation.spearman.bootstrap)),
                    ("unknown_share", .number(counts.unknownShare)), ("seed", .integer(Int(seed))),
                ]).serialized(.pretty))
        }
        func line(_ name: String, _ result: SimilarityEvaluation.Measure) -> String {
            func range(_ range: ClosedRange<Double>) -> String {
                "\(Console.fixed(range.lowerBound, 4)) … \(Console.fixed(range.upperBound, 4))"
            }
            return
                "\(name)\t\(Console.fixed(result.value, 4))\tFisher 95 % \(range(result.fisher))\tbootstrap 95 % \(range(result.bootstrap))"
        }
        if model.isWordFile {
            try Console.print(
                "coverage\t\(Console.fixed(Double(covered) / Double(max(1, all)), 4))\t\(covered) of \(all) pairs have vectors for both words"
            )
        }
        try Console.print(
            "pairs\t\(evaluation.pairs)\n" + line("pearson", evaluation.pearson) + "\n" + line("spearman", evaluation.spearman))
        if unscored > 0 && !report.quiet {
            Console.say(
                unscored == 1
                    ? "1 pair has no score or an empty sentence and was left out"
                    : "\(unscored) pairs have no score or an empty sentence and were left out")
        }
    }
}

/// Where the figures of an evaluation go beside standard output.
struct EvaluationOutput: ParsableArguments {
    @Option(
        name: .shortAndLong, help: "Also write the results as a table (.tsv, .csv, .xlsx, .jsonl), with a provenance record next to it.")
    var output: String?

    func write(_ columns: [TableColumn], _ rows: [[Cell]], record: () throws -> Provenance) throws {
        guard let output else { return }
        try ResultTable(columns).write(to: output, provenance: record()) { append in for row in rows { try append(row) } }
    }
}
