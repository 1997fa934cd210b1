import ArgumentParser
import FileFormats
import Foundation
import Maps
import Networks
import Tensors
import Training

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Let a trained network write, or score what others wrote.",
        discussion: "One line a source: the output. With --outputs, --score or --json the log-probability as well, separated by tabs.")

    @Argument(help: "Folder of a model that `train seq2seq` wrote.") var model: String
    @Argument(help: "The sources: one a line, or a table with --source-column; - is standard input.") var input: String

    @Option(help: "Column of the sources, by name or number from 1.") var sourceColumn = "1"
    @Option(help: "Column of outputs to score instead of generating, by name or number.") var score: String?
    @Option(help: "Column with the beginning that each output must have.") var prefixColumn: String?

    @Option(help: "Keep so many hypotheses (beam search) instead of the best token each time.") var beam: Int?
    @Option(help: "α of the beam's length penalty ((5 + length) / 6)^α.") var lengthPenalty = 0.6
    @Flag(help: "Draw tokens by their probability.") var sample = false
    @Option(help: "Temperature of drawing.") var temperature = 1.0
    @Option(help: "Draw from the k most probable tokens only.") var topK: Int?
    @Option(help: "Draw from the fewest tokens that hold this probability together.") var topP: Double?
    @Option(help: "Outputs of each source, best first.") var outputs = 1
    @Option(help: "Longest output in tokens.") var maxLength: Int?
    @Option(help: "Seed of drawing.") var seed: UInt64 = 0
    @Option(help: ArgumentHelp("A picture (SVG, PDF, PNG) of the attention of every layer and head for the first source.", valueName: "file"))
    var attention: String?
    @Flag(help: "Characters outside the vocabulary become [UNK] instead of an error.") var keepUnknown = false
    @Option(help: "What matrix products compute in: f32 or bf16.") var precision: Precision = .f32
    @Option(help: "Sources computed at once by one worker.") var batchSize = 128
    @Option(help: "Workers; the result does not depend on it.") var threads = Parallel.availableThreads
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Report") var report: ReportOptions

    private var decoding: DecodingOptions {
        var options = DecodingOptions()
        if let beam { options.method = .beam(width: beam, lengthPenalty: lengthPenalty) }
        if sample { options.method = .sampling(temperature: temperature, topK: topK, topP: topP) }
        options.outputs = outputs
        options.maximumLength = maxLength
        options.seed = seed
        return options
    }

    func validate() throws {
        if beam != nil && sample { throw ValidationError("--beam and --sample exclude each other") }
        if !sample && (topK != nil || topP != nil) { throw ValidationError("--top-k and --top-p need --sample") }
        if batchSize < 1 || threads < 1 { throw ValidationError("--batch-size and --threads are at least 1") }
        if precision == .int8 { throw ValidationError("--precision is f32 or bf16") }
        do { try decoding.validate() } catch let error as DecodingOptionError { throw ValidationError(error.message) }
    }

    func run() throws {
        let model = try Seq2SeqModel(directory: model)
        model.network.setPrecision(precision)
        let rows = try TextTable(path: input, options: table.options(), wanted: [sourceColumn] + [score, prefixColumn].compactMap { $0 })
        let source = try rows.index(of: sourceColumn), scored = try score.map(rows.index), prefix = try prefixColumn.map(rows.index)
        let progress = ProgressLine(unit: "sources", isQuiet: report.quiet)
        var cells: [String] = [], done = 0, isAtEnd = false
        while !isAtEnd {
            var sources: [(text: String, ids: [Int32])] = [], others: [[Int32]] = []
            while sources.count < batchSize * threads {
                guard let line = try rows.next(into: &cells) else { isAtEnd = true; break }
                sources.append((cells[source], try model.ids(of: cells[source], keepsUnknown: keepUnknown, file: rows.name, line: line)))
                if let column = scored ?? prefix {
                    let isOpen = scored == nil && cells[column].isEmpty
                    others.append(isOpen ? [] : try model.ids(of: cells[column], keepsUnknown: keepUnknown, file: rows.name, line: line))
                }
            }
            if sources.isEmpty { break }
            if scored != nil {
                for (pair, tokens) in zip(zip(sources, others), scoreOutputs(model, sources.map(\.ids), others, batchSize: batchSize, threads: threads)) {
                    emitScore(pair.0.text, model.text(of: pair.1), tokens)
                }
            } else {
                let results = try generateFreely(model, sources.map(\.ids), options: decoding, prefixes: others, batchSize: batchSize, threads: threads, firstSource: done)
                for (source, outputs) in zip(sources, results) { emit(source.text, outputs, model) }
                if done == 0, let attention, let first = results.first?.first {
                    try drawAttention(model, source: sources[0].ids, output: first.ids).write(to: URL(fileURLWithPath: attention))
                }
            }
            done += sources.count
            progress.update(done: done, fraction: rows.fractionRead)
        }
        progress.finish()
    }

    private func emit(_ source: String, _ outputs: [GeneratedSequence], _ model: Seq2SeqModel) {
        if report.json {
            Console.print(JSON.object([("source", .string(source)), ("outputs", .array(outputs.map {
                .object([("text", .string(model.text(of: $0.ids))), ("log_probability", .number($0.logProbability)), ("score", .number($0.score)),
                         ("finished", .bool($0.isFinished))])
            }))]).serialized())
        } else if outputs.count == 1 && self.outputs == 1 {
            Console.print(model.text(of: outputs[0].ids))
        } else {
            for output in outputs { Console.print("\(source)\t\(model.text(of: output.ids))\t\(Console.fixed(output.logProbability, 4))") }
        }
    }

    private func drawAttention(_ model: Seq2SeqModel, source: [Int32], output: [Int32]) throws -> FigureGrid {
        let maps = model.network.attentionMaps(source: source, decoderInput: [model.configuration.beginID] + output)
        guard !maps.isEmpty else { throw DataError(.usage, "this network has no attention to draw") }
        let read = model.tokens(of: source), written = model.tokens(of: output)
        let columns = min(4, maps.count)
        let figures = try maps.map { map in
            var options = Heatmap.Options()
            options.title = "\(map.place.rawValue) \(map.layer + 1), head \(map.head + 1)"
            options.range = 0...1
            options.hasColorBar = false
            options.page.width = FigureGrid.columnWidth(of: .millimetres(60 * Double(columns)), columns: columns)
            let values = (0..<map.weights.rows).map { map.weights.rows($0..<$0 + 1).elements.map(Double.init) }
            // The decoder reads the begin mark first; what row t writes is the token after that.
            let rows = map.place == .encoder ? read : written + ["end"]
            let keys = map.place == .decoder ? ["begin"] + written : read
            return try Heatmap(values, rowLabels: rows, columnLabels: keys, options: options)
        }
        return try FigureGrid(figures, columns: columns)
    }

    private func emitScore(_ source: String, _ output: String, _ tokens: [Double]) {
        let total = tokens.reduce(0, +)
        if report.json {
            Console.print(JSON.object([("source", .string(source)), ("output", .string(output)), ("log_probability", .number(total)),
                                       ("token_log_probabilities", .array(tokens.map(JSON.number)))]).serialized())
        } else {
            Console.print("\(source)\t\(output)\t\(Console.fixed(total, 4))")
        }
    }
}
