import Analysis
import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding

struct SimilarityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "similarity", abstract: "How similar two sentences are: the cosine of their vectors.",
        discussion: """
            kotonoha similarity "two dogs play in snow" "dogs run outside in winter"
            kotonoha similarity --pairs pairs.tsv -o scores.tsv

            Cosines lie between -1 and 1. What is high depends on the model: compare within one model only.
            """)

    @Argument(help: "Two sentences.")
    var sentences: [String] = []

    @Option(help: "A file with a pair of sentences in each row.")
    var pairs: String?

    @Option(help: ArgumentHelp("The two columns of --pairs, by name or number.", valueName: "first,second"))
    var columns: String?

    @Option(name: .shortAndLong, help: "Where the scores of --pairs go; standard output if not given.")
    var output: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if pairs == nil && sentences.count != 2 {
            throw ValidationError("two sentences are compared, not \(sentences.count); a file of pairs is given by --pairs")
        }
        if pairs != nil && !sentences.isEmpty { throw ValidationError("give either two sentences or --pairs, not both") }
    }

    func run() throws {
        let encoder = try model.textEncoder(isQuiet: report.quiet) { batch in
            guard let pairs else { return try batch(sentences) }
            for pair in try SentencePairSource(path: pairs, options: table.options(), columns: columns?.split(separator: ",").map(String.init)).all() { try batch([pair.first, pair.second]) }
        }
        guard let pairs else {
            let (cosines, counts) = try PairSimilarity(encoder: encoder).cosines([sentences[0]], [sentences[1]])
            ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
            if report.json {
                Console.print(JSON.object([
                    ("cosine", cosines[0].map { .number($0) } ?? .null), ("model", .string(encoder.name)),
                ]).serialized())
            } else {
                Console.print(cosines[0].map { Console.fixed($0, 4) } ?? "NA")
            }
            return
        }
        try scoreFile(pairs, encoder)
    }

    private func scoreFile(_ path: String, _ encoder: any TextEncoder) throws {
        let source = try SentencePairSource(path: path, options: table.options(), columns: columns?.split(separator: ",").map(String.init))
        let similarity = PairSimilarity(encoder: encoder)
        let progress = ProgressLine(unit: "pairs", isQuiet: report.quiet)
        var counts = SentenceEncoder.Counts(), done = 0
        var lines: [[String]] = []
        while true {
            let batch = try source.next(batch: 4096)
            if batch.isEmpty { break }
            let (cosines, found) = try similarity.cosines(batch.map(\.first), batch.map(\.second))
            counts += found
            done += batch.count
            for (pair, cosine) in zip(batch, cosines) {
                lines.append([cosine.map { Console.fixed($0, 6) } ?? "NA", pair.first, pair.second])
            }
            progress.update(done: done, fraction: source.table.fractionRead)
        }
        progress.finish()
        ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
        if report.json {
            let rows = lines.map { JSON.object([("cosine", Double($0[0]).map { .number($0) } ?? .null), ("first", .string($0[1])), ("second", .string($0[2]))]) }
            return try emit(JSON.array(rows).serialized(.pretty) + "\n")
        }
        let text = lines.map { $0.map { $0.replacing(/[\t\r\n]/, with: " ") }.joined(separator: "\t") }.joined(separator: "\n")
        try emit("cosine\tfirst\tsecond\n" + text + (text.isEmpty ? "" : "\n"))
        if let output { try provenance().write(beside: output) }
    }

    private func emit(_ text: String) throws {
        if let output { try AtomicFile.write(to: output) { try $0.write(text) } } else { FileHandle.standardOutput.write(Data(text.utf8)) }
    }
}
