import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

struct MineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mine", abstract: "Find the most similar pairs of sentences in a vector file.",
        discussion: """
            The similarity of random pairs is reported too, because what counts as similar
            differs between models.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(in: .results, help: "Number of pairs.")
    var top = 100

    @Option(help: "Only pairs with at least this cosine, or above this quantile of random pairs (q99, q99.9).")
    var threshold: String?

    @Flag(help: "Leave out pairs of identical sentences.")
    var excludeIdentical = false

    @Flag(help: "Only pairs of different groups.")
    var betweenGroups = false

    @Option(in: .seed, help: "Seed of the random pairs.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl or .json); standard output by default.")
    var output: String?

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.requireTable(output) }

    func run() throws {
        try writing.check(inputs: [vectors], files: [output])
        let file = try VectorFile(path: vectors)
        let valid = try file.valid(), texts = try file.texts(), groups = try file.groups()
        let random = try RandomPairCosines(of: file, valid: valid, seed: seed, threads: threads)
        var filter = PairFilter()
        if let threshold { filter.threshold = Float(try random.threshold(named: threshold)) }
        if excludeIdentical { filter.identityClasses = PairFilter.classes(of: texts) }
        if betweenGroups {
            guard let groups else {
                throw DataError(.usage, "--between-groups needs groups, and the file has none; embed with --group-column", file: vectors)
            }
            filter.groups = PairFilter.classes(of: groups)
        }
        let pairs = try CosineSearch(corpus: file, valid: valid, threads: threads).minePairs(top: top, filter: filter)

        let quantiles = [0.5, 0.9, 0.99, 0.999].map { ($0, random.quantile($0)) }
        if !report.quiet {
            Console.say(
                "random pairs: mean cosine \(Console.fixed(random.mean, 3)), deviation \(Console.fixed(random.deviation, 3)); "
                    + quantiles.map { "\(Self.percent($0.0)) % below \(Console.fixed($0.1, 3))" }.joined(separator: ", "))
            if pairs.isEmpty { Console.say("no pairs found") }
        }
        let carried = CarriedColumns(file), rows = try carried.lookUp(Set(pairs.flatMap { [$0.first, $0.second] }))
        func cells(_ row: Int) -> [String] { rows[row] ?? [] }
        if output != nil || !report.json {
            // Both rows of a pair side by side, column by column.
            let sides = carried.columns.flatMap { [TableColumn.carried($0.name + "1"), .carried($0.name + "2")] }
            let table = ResultTable([TableColumn("cosine", decimals: 6), "row1", "row2"] + sides, tableOutput)
            try table.write(to: output, provenance: record(file, pairs.count, filter, random)) { append in
                for pair in pairs {
                    try append(
                        [.number(Double(pair.cosine)), .integer(pair.first), .integer(pair.second)]
                            + zip(cells(pair.first), cells(pair.second)).flatMap { [.text($0), .text($1)] })
                }
            }
        }
        guard report.json else { return }
        try Console.print(
            JSON.object([
                (
                    "random_pairs",
                    .object(
                        [("count", .integer(random.count)), ("mean", .number(random.mean)), ("deviation", .number(random.deviation))]
                            + quantiles.map { ("q\(Self.percent($0.0))", .number($0.1)) })
                ),
                (
                    "pairs",
                    .array(
                        pairs.map { pair in
                            .object(
                                [("cosine", .number(Double(pair.cosine))), ("row1", .integer(pair.first)), ("row2", .integer(pair.second))]
                                    + zip(carried.names, zip(cells(pair.first), cells(pair.second))).flatMap {
                                        [($0 + "1", .string($1.0)), ($0 + "2", .string($1.1))]
                                    })
                        })
                ),
            ]).serialized(.pretty))
    }

    /// How the pairs were found.
    private func record(_ file: VectorFile, _ pairs: Int, _ filter: PairFilter, _ random: RandomPairCosines) throws -> Provenance {
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try .init(hashing: vectors)]
        record.settings = [
            ("method", .string("pair mining")), ("pairs", .integer(pairs)), ("top", .integer(top)),
            ("threshold", threshold == nil ? .null : .number(Double(filter.threshold))), ("identical_left_out", .bool(excludeIdentical)),
            ("between_groups", .bool(betweenGroups)), ("random_pairs", .integer(random.count)), ("random_mean", .number(random.mean)),
            ("random_q99", .number(random.quantile(0.99))), ("vectors", try file.description),
        ]
        return record
    }

    private static func percent(_ share: Double) -> String {
        let percent = share * 100
        return percent == percent.rounded() ? String(Int(percent)) : Console.fixed(percent, 1)
    }
}
