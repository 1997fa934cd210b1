import Analysis
import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors

struct EvaluateRetrievalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrieval", abstract: "Translations or paraphrases: how often a sentence's partner is the nearest of all.",
        discussion: """
            kotonoha evaluate retrieval pairs.tsv --columns ja,en

            Each row holds two sentences that belong together. Every sentence of one column looks for its partner among all of the other.
            """)

    @Argument(help: "The file with pairs.")
    var input: String

    @Option(help: ArgumentHelp("The columns, by name or number.", valueName: "first,second"))
    var columns: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let source = try SentencePairSource(path: input, options: table.options(), columns: columns?.split(separator: ",").map(String.init))
        let encoder = try model.textEncoder(isQuiet: report.quiet) { batch in
            for pair in try SentencePairSource(path: input, options: table.options(), columns: columns?.split(separator: ",").map(String.init)).all() { try batch([pair.first, pair.second]) }
        }
        var first: [String] = [], second: [String] = [], left = 0
        while true {
            let batch = try source.next(batch: 8192)
            if batch.isEmpty { break }
            for pair in batch {
                if pair.first.isEmpty || pair.second.isEmpty {
                    left += 1
                } else {
                    first.append(pair.first)
                    second.append(pair.second)
                }
            }
        }
        let a = try encoder.encode(first), b = try encoder.encode(second)
        let there = try RetrievalEvaluation(queries: a, partners: b, threads: model.threads)
        let back = try RetrievalEvaluation(queries: b, partners: a, threads: model.threads)
        if report.json {
            func json(_ result: RetrievalEvaluation) -> JSON {
                .object([("top1", .number(result.first)), ("top10", .number(result.firstTen)), ("mean_reciprocal_rank", .number(result.meanReciprocalRank))])
            }
            return Console.print(JSON.object([
                ("file", .string(URL(fileURLWithPath: input).lastPathComponent)), ("model", .string(encoder.name)), ("pairs", .integer(first.count)),
                ("pairs_left_out", .integer(left)), ("first_to_second", json(there)), ("second_to_first", json(back)),
            ]).serialized(.pretty))
        }
        Console.print("pairs\t\(first.count)")
        for (name, result) in [("first → second", there), ("second → first", back)] {
            Console.print("\(name)\ttop 1 \(Console.fixed(result.first, 4))\ttop 10 \(Console.fixed(result.firstTen, 4))\tmean reciprocal rank \(Console.fixed(result.meanReciprocalRank, 4))")
        }
        if left > 0 && !report.quiet { Console.say("\(left) pairs have an empty sentence and were left out") }
    }
}
