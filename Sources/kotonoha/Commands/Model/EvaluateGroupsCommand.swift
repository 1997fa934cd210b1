import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

struct EvaluateGroupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "Groups, such as captions of one scene: how often the nearest sentence is in the same group.",
        discussion: """
            kotonoha embed Datasets/captions.tsv -o vectors.h5 --column text --group-column scene
            kotonoha evaluate groups vectors.h5 --by language

            --by evaluates within and between the values of another column.
            """)

    @Argument(help: "A vector file with groups.")
    var vectors: String

    @Option(help: "A column of the vector file, such as language.")
    var by: String?

    @Option(help: "Column of the groups, such as a category; by default the file's groups.")
    var group: String?

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup var out: EvaluationOutput
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let file = try VectorFile(path: vectors), valid = try file.valid()
        guard let groups = try group.map({ try file.column(file.layout.requiredColumn(named: $0, file: vectors)) }) ?? file.groups() else {
            throw DataError(.badData, "the file has no groups; embed with --group-column, or cluster first", file: vectors)
        }
        // A row without a group belongs to none.
        let grouped = zip(valid, groups).map { $0 && !$1.isEmpty }
        let ungrouped = valid.count { $0 } - grouped.count { $0 }
        if ungrouped > 0 && !report.quiet {
            Console.say(
                "note: \(Console.counted(ungrouped, "row has", "rows have")) no group and \(ungrouped == 1 ? "is" : "are") left out")
        }
        let x = file
        var results: [(from: String, to: String, result: GroupEvaluation)] = []
        if let by {
            let values = try file.column(file.layout.requiredColumn(named: by, file: vectors))
            let kinds = Set(zip(values, grouped).filter(\.1).map(\.0)).sorted()
            guard kinds.count <= 20 else {
                throw DataError(.usage, "column '\(by)' has \(kinds.count) different values; expected at most 20", file: vectors)
            }
            for from in kinds {
                for to in kinds {
                    func rows(_ kind: String) -> [Bool] { zip(values, grouped).map { $0 == kind && $1 } }
                    // By the groups themselves, no sentence of one has a partner in another.
                    guard GroupEvaluation.canAsk(groups: groups, from: rows(from), to: rows(to)) else { continue }
                    results.append(
                        (from, to, try GroupEvaluation(vectors: x, groups: groups, from: rows(from), to: rows(to), threads: threads)))
                }
            }
            guard !results.isEmpty else { throw DataError(.badData, "no group has two sentences", file: vectors) }
        } else {
            results.append(("all", "all", try GroupEvaluation(vectors: x, groups: groups, from: grouped, to: grouped, threads: threads)))
        }
        try out.write(
            ["from", "to", "sentences", "nearest_of_same_group", "r_precision", "silhouette"],
            results.map {
                [
                    .text($0.from), .text($0.to), .integer($0.result.queries), .number($0.result.nearest), .number($0.result.precision),
                    Cell($0.result.silhouette),
                ]
            }
        ) {
            var record = provenance()
            record.model = file.metadata.modelSource
            record.inputs = [try .init(hashing: vectors)]
            record.settings = [
                ("method", .string("group evaluation")), ("by", by.map(JSON.string) ?? .null), ("vectors", try file.description),
            ]
            if by == nil, let all = results.first?.result {
                record.settings += [
                    ("sentences", .integer(all.queries)), ("nearest_of_same_group", .number(all.nearest)),
                    ("r_precision", .number(all.precision)), ("silhouette", all.silhouette.map { .number($0) } ?? .null),
                ]
            }
            return record
        }
        if report.json {
            return try Console.print(
                JSON.object([
                    ("file", .string(URL(fileURLWithPath: vectors).lastPathComponent)), ("model", .string(file.metadata.model)),
                    (
                        "results",
                        .array(
                            results.map { row in
                                .object([
                                    ("from", .string(row.from)), ("to", .string(row.to)), ("sentences", .integer(row.result.queries)),
                                    ("nearest_of_same_group", .number(row.result.nearest)), ("r_precision", .number(row.result.precision)),
                                    ("silhouette", row.result.silhouette.map { .number($0) } ?? .null),
                                ])
                            })
                    ),
                ]).serialized(.pretty))
        }
        for (from, to, result) in results {
            try Console.print(
                "\(from) → \(to)\t\(result.queries) sentences\tnearest in the same group \(Console.fixed(result.nearest, 4))"
                    + "\tR-precision \(Console.fixed(result.precision, 4))"
                    + (result.silhouette.map { "\tsilhouette \(Console.fixed($0, 4))" } ?? ""))
        }
    }
}
