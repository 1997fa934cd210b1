import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Tensors
import VectorStore

struct MineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mine", abstract: "The most similar pairs of sentences in a vector file.",
        discussion: """
            Beside the pairs stands how similar pairs drawn at random are: what counts as similar differs from model to model.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(help: "How many pairs.")
    var top = 100

    @Option(help: "Only pairs with at least this cosine, or above a share of random pairs, as q99 or q99.9.")
    var threshold: String?

    @Flag(help: "Leave out pairs of the very same sentence.")
    var excludeIdentical = false

    @Flag(help: "Only pairs of different groups.")
    var betweenGroups = false

    @Option(help: "Seed of the random pairs.")
    var seed: UInt64 = 0

    @Option(help: "Workers; the result does not depend on it.")
    var threads = Parallel.availableThreads

    @Option(name: .shortAndLong, help: "Where the table goes (.tsv, .csv or .xlsx); standard output if not given.")
    var output: String?

    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if top < 1 { throw ValidationError("--top should be at least 1, not \(top)") }
        if threads < 1 { throw ValidationError("--threads should be at least 1, not \(threads)") }
    }

    func run() throws {
        let file = try VectorFile(path: vectors)
        let valid = try file.valid(), texts = try file.texts(), groups = try file.groups()
        let x = Tensor(try file.readEmbeddings(), shape: [file.count, file.dimension])
        let random = try RandomPairCosines(of: x, valid: valid, seed: seed, threads: threads)
        var filter = PairFilter()
        if let threshold { filter.threshold = Float(try random.threshold(named: threshold)) }
        if excludeIdentical { filter.identityClasses = PairFilter.classes(of: texts) }
        if betweenGroups {
            guard let groups else { throw DataError(.usage, "the file has no groups, which --between-groups asks for; embed with --group-column", file: vectors) }
            filter.groups = PairFilter.classes(of: groups)
        }
        let pairs = try CosineSearch(corpus: x, valid: valid, threads: threads).minePairs(top: top, filter: filter)

        let quantiles = [0.5, 0.9, 0.99, 0.999].map { ($0, random.quantile($0)) }
        if report.json {
            return try emit(JSON.object([
                ("random_pairs", .object([("count", .integer(random.count)), ("mean", .number(random.mean)), ("deviation", .number(random.deviation))]
                                         + quantiles.map { ("q\(Self.percent($0.0))", .number($0.1)) })),
                ("pairs", .array(pairs.map { pair in
                    .object([("cosine", .number(Double(pair.cosine))), ("row1", .integer(pair.first)), ("row2", .integer(pair.second))]
                            + (groups.map { [("group1", .string($0[pair.first])), ("group2", .string($0[pair.second]))] } ?? [])
                            + [("text1", .string(texts[pair.first])), ("text2", .string(texts[pair.second]))])
                })),
            ]).serialized(.pretty) + "\n")
        }
        if !report.quiet {
            Console.say("random pairs: mean cosine \(Console.fixed(random.mean, 3)), deviation \(Console.fixed(random.deviation, 3)); "
                        + quantiles.map { "\(Self.percent($0.0)) % below \(Console.fixed($0.1, 3))" }.joined(separator: ", "))
            if pairs.isEmpty { Console.say("no pair passes") }
        }
        let header = ["cosine", "row1", "row2"] + (groups == nil ? [] : ["group1", "group2"]) + ["text1", "text2"]
        func cells(_ pair: SimilarPair) -> [String] {
            [Console.fixed(Double(pair.cosine), 6), String(pair.first), String(pair.second)]
                + (groups.map { [$0[pair.first], $0[pair.second]] } ?? []) + [texts[pair.first], texts[pair.second]]
        }
        if let output {
            try ResultTable(header: header, numeric: ["cosine", "row1", "row2"]).write(to: output, provenance: provenance(seed: seed)) { append in
                for pair in pairs { try append(cells(pair)) }
            }
        } else {
            let lines = [header] + pairs.map(cells)
            try emit(lines.map { $0.map { $0.replacing(/[\t\r\n]/, with: " ") }.joined(separator: "\t") }.joined(separator: "\n") + "\n")
        }
    }

    private static func percent(_ share: Double) -> String {
        let percent = share * 100
        return percent == percent.rounded() ? String(Int(percent)) : Console.fixed(percent, 1)
    }

    private func emit(_ text: String) throws {
        if let output { try AtomicFile.write(to: output) { try $0.write(text) } } else { FileHandle.standardOutput.write(Data(text.utf8)) }
    }
}
