import Analysis
import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors

struct EvaluateRetrievalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrieval", abstract: "Translations or paraphrases: how often a sentence's partner is its nearest neighbour.",
        discussion: """
            kotonoha evaluate retrieval pairs.tsv --columns ja,en

            Each row has two matching sentences. Every sentence of one column is a query
            against all sentences of the other. A sentence that occurs in several rows is
            one query, and each of its partners is correct. With --group-column (for
            example captions of one picture), every sentence of the group is correct.
            """)

    @Argument(help: "The file with pairs.")
    var input: String

    @Option(help: ArgumentHelp("The columns, by name or number.", valueName: "first,second"))
    var columns: String?

    @Option(help: "Column of the groups (image, scene …): every sentence of the group counts as correct.")
    var groupColumn: String?

    @OptionGroup var out: EvaluationOutput
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let source = try SentencePairSource(
            path: input, options: table.options(isQuiet: report.quiet), columns: columns?.split(separator: ",").map(String.init),
            group: groupColumn, wantsScores: false)
        let encoder = try model.textEncoder(isQuiet: report.quiet) { batch in
            let pairs = try SentencePairSource(
                path: input, options: table.options(isQuiet: true), columns: columns?.split(separator: ",").map(String.init))
            for pair in try pairs.all() { try batch([pair.first, pair.second]) }
        }
        var first: [String] = [], second: [String] = [], groups: [String] = [], left = 0
        while true {
            let batch = try source.next(batch: 8192)
            if batch.isEmpty { break }
            for pair in batch {
                if pair.first.isEmpty || pair.second.isEmpty {
                    left += 1
                } else {
                    first.append(pair.first)
                    second.append(pair.second)
                    if let group = pair.group { groups.append(group) }
                }
            }
        }
        let partners = PartnerTable(
            first: PairFilter.classes(of: first), second: PairFilter.classes(of: second),
            groups: groupColumn == nil ? nil : PairFilter.classes(of: groups))
        let a = try encoder.encode(partners.first.map { first[$0] }), b = try encoder.encode(partners.second.map { second[$0] })
        let there = try RetrievalEvaluation(queries: a, candidates: b, answers: partners.answersOfFirst, threads: model.threads)
        let back = try RetrievalEvaluation(queries: b, candidates: a, answers: partners.answersOfSecond, threads: model.threads)
        let right = groupColumn != nil ? "any of the group" : partners.hasSeveralPartners ? "any partner" : "the partner"
        try out.write(
            ["direction", "queries", "candidates", "top1", "top10", "mean_reciprocal_rank"],
            [("first_to_second", there, back), ("second_to_first", back, there)].map { name, result, other in
                [
                    .text(name), .integer(result.queries), .integer(other.queries), .number(result.first), .number(result.firstTen),
                    .number(result.meanReciprocalRank),
                ]
            }
        ) {
            var record = try encoder.record(provenance(), inputs: [source.table.provenanceSource])
            record.settings = [
                ("method", .string("retrieval")), ("pairs", .integer(first.count)), ("pairs_left_out", .integer(left)),
                ("right_answer", .string(right)),
                ("first_sentences", .integer(there.queries)), ("second_sentences", .integer(back.queries)),
                ("first_to_second_top1", .number(there.first)),
                ("second_to_first_top1", .number(back.first)), ("encoder", try encoder.description),
            ]
            return record
        }
        if report.json {
            func json(_ result: RetrievalEvaluation) -> JSON {
                .object([
                    ("queries", .integer(result.queries)), ("top1", .number(result.first)), ("top10", .number(result.firstTen)),
                    ("mean_reciprocal_rank", .number(result.meanReciprocalRank)),
                ])
            }
            return try Console.print(
                JSON.object([
                    ("file", .string(URL(fileURLWithPath: input).lastPathComponent)), ("model", .string(encoder.name)),
                    ("pairs", .integer(first.count)),
                    ("pairs_left_out", .integer(left)), ("right_answer", .string(right)), ("first_to_second", json(there)),
                    ("second_to_first", json(back)),
                ]).serialized(.pretty))
        }
        try Console.print("pairs\t\(first.count)")
        for (name, result) in [("first → second", there), ("second → first", back)] {
            try Console.print(
                "\(name)\ttop 1 \(Console.fixed(result.first, 4))\ttop 10 \(Console.fixed(result.firstTen, 4))\tmean reciprocal rank \(Console.fixed(result.meanReciprocalRank, 4))"
            )
        }
        guard !report.quiet else { return }
        if groupColumn != nil || partners.hasSeveralPartners {
            Console.say(
                "\(Console.grouped(there.queries)) different first and \(Console.grouped(back.queries)) different second sentences; "
                    + (groupColumn != nil
                        ? "any sentence of the group counts as right"
                        : "where a sentence has several partners, any of them counts as right"))
        }
        if left > 0 {
            Console.say(
                left == 1 ? "1 pair has an empty sentence and was left out" : "\(left) pairs have an empty sentence and were left out")
        }
    }
}
