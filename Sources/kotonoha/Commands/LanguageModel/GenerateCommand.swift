import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Training

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Generate text with a trained network, or score given texts.",
        discussion: """
            Prints one output per source; with --outputs, --score or --json also the
            log-probability, separated by tabs. With --target every output is shown next to
            its target, with differing characters in red on a terminal, and the scores go
            to standard error.

            A causal language model (GPT-2, GPT-NeoX, Llama, Mistral, Qwen, Gemma; `train
            lm`) continues each source, by up to 64 tokens or --max-length.
            """)

    @Argument(help: "Folder of a model that `train seq2seq` wrote, or a causal language model.") var model: String
    @Argument(help: "The sources: one per line, or a table with --source-column; - is standard input.") var input: String

    @Option(help: "Column of the sources, by name or number from 1.") var sourceColumn = "1"
    @Option(help: "Column of outputs to score instead of generating, by name or number.") var score: String?
    @Option(help: "Column of the correct outputs, by name or number: reports exact matches and error rates.") var target: String?
    @Option(help: "Unit of error rates: characters or words.") var unit: SymbolUnit = .characters
    @Option(help: "Column with a prefix that each output must start with.") var prefixColumn: String?

    @Option(in: .beam, help: "Beam size; greedy decoding by default.") var beam: Int?
    @Option(in: Bounds(0...100), help: "α of the beam's length penalty ((5 + length) / 6)^α.") var lengthPenalty = 0.6
    @Flag(help: "Sample tokens by their probability.") var sample = false
    @Option(in: Bounds(above: 0, through: 1e6), help: "Sampling temperature.") var temperature = 1.0
    @Option(in: .vocabulary, help: "Sample only from the k most probable tokens.") var topK: Int?
    @Option(in: Bounds(above: 0, through: 1), help: "Sample from the smallest set of tokens with at least this total probability.")
    var topP: Double?
    @Option(in: .beam, help: "Number of outputs per source, best first.") var outputs = 1
    @Option(in: .tokens, help: "Maximum output length in tokens.") var maxLength: Int?
    @Option(in: .seed, help: "Seed of sampling.") var seed: UInt64 = 0
    @Option(
        help: ArgumentHelp(
            "The attention of every layer and head for the first source: a picture (.svg, .pdf, .png) or a page (.html).", valueName: "file"
        ))
    var attention: String?
    @Flag(help: "Characters outside the vocabulary become [UNK] instead of an error.") var keepUnknown = false
    @Option(help: PrecisionChoice.help) var precision: PrecisionChoice?
    @Option(in: .batch, help: "Sources processed together by one thread.") var batchSize = 128
    @Option(in: .threads, help: "Number of threads; results do not depend on it.") var threads = Parallel.availableThreads
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Items, with --target") var itemReport: ItemReportOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    var decoding: DecodingOptions {
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
        try refuse([("--length-penalty", beam == nil && lengthPenalty != 0.6)], "belongs to --beam")
        try refuse([("--temperature", !sample && temperature != 1)], "belongs to --sample")
        if score != nil {
            try refuse(
                [
                    ("--beam", beam != nil), ("--sample", sample), ("--outputs", outputs != 1), ("--prefix-column", prefixColumn != nil),
                    ("--max-length", maxLength != nil),
                ],
                "is for generating; --score scores given outputs")
        }
        if score != nil && target != nil { throw ValidationError("--score and --target exclude each other") }
        if target != nil && outputs > 1 { throw ValidationError("--target compares one output of each source; --outputs has \(outputs)") }
        if target == nil && (itemReport.html != nil || itemReport.items != nil) {
            throw ValidationError("--html and --items need --target")
        }
        do { try decoding.validate() } catch let error as DecodingOptionError { throw ValidationError(error.message) }
    }

    func run() throws {
        try writing.check(inputs: [model, input], files: [attention, itemReport.html, itemReport.items])
        precision?.note(isQuiet: report.quiet)
        if let directory = causalFolder() { return try continueTexts(directory) }
        let model = try Seq2SeqModel(directory: self.model, precision: precision?.resolved ?? .f32)
        let rows = try TextTable(
            path: input, options: table.options(isQuiet: report.quiet),
            wanted: [sourceColumn] + [score, target, prefixColumn].compactMap { $0 })
        if let target { return try measure(model, rows, target: target) }
        let source = try rows.index(of: sourceColumn), scored = try score.map(rows.index), prefix = try prefixColumn.map(rows.index)
        let progress = ProgressLine(unit: "sources", isQuiet: report.quiet)
        var cells: [String] = [], done = 0, isAtEnd = false, drawn: (source: [Int32], output: [Int32])?
        while !isAtEnd {
            var sources: [(text: String, ids: [Int32])] = [], others: [[Int32]] = []
            while sources.count < 4 * batchSize * threads {
                guard let line = try rows.next(into: &cells) else {
                    isAtEnd = true
                    break
                }
                sources.append((cells[source], try model.ids(of: cells[source], keepsUnknown: keepUnknown, file: rows.name, line: line)))
                if let column = scored ?? prefix {
                    let isOpen = scored == nil && cells[column].isEmpty
                    others.append(isOpen ? [] : try model.ids(of: cells[column], keepsUnknown: keepUnknown, file: rows.name, line: line))
                }
            }
            if sources.isEmpty { break }
            if scored != nil {
                if done == 0 { drawn = (sources[0].ids, others[0]) }
                for (pair, tokens) in zip(
                    zip(sources, others), scoreOutputs(model, sources.map(\.ids), others, batchSize: batchSize, threads: threads))
                {
                    try emitScore(pair.0.text, model.text(of: pair.1), tokens)
                }
            } else {
                let results = try generateFreely(
                    model, sources.map(\.ids), options: decoding, prefixes: others, batchSize: batchSize, threads: threads,
                    firstSource: done)
                for (source, outputs) in zip(sources, results) { try emit(source.text, outputs, model) }
                if done == 0, let first = results.first?.first { drawn = (sources[0].ids, first.ids) }
            }
            done += sources.count
            progress.update(done: done, fraction: rows.fractionRead)
        }
        progress.finish()
        if let attention, let drawn {
            try drawAttention(model, source: drawn.source, output: drawn.output, to: attention, provenance: made(rows))
        }
    }

    private func made(_ rows: TextTable) throws -> Provenance {
        var record = provenance(seed: seed)
        record.model = .init(path: model, sha256: try ModelDirectory.sha256(of: URL(fileURLWithPath: model, isDirectory: true)))
        record.inputs = [.init(path: input, sha256: try rows.sha256())]
        return record
    }

    private func emit(_ source: String, _ outputs: [GeneratedSequence], _ model: Seq2SeqModel) throws {
        if report.json {
            try Console.print(
                JSON.object([
                    ("source", .string(source)),
                    (
                        "outputs",
                        .array(
                            outputs.map {
                                .object([
                                    ("text", .string(model.text(of: $0.ids))), ("log_probability", .number($0.logProbability)),
                                    ("score", .number($0.score)),
                                    ("finished", .bool($0.isFinished)),
                                ])
                            })
                    ),
                ]).serialized())
        } else if outputs.count == 1 && self.outputs == 1 {
            try Console.print(model.text(of: outputs[0].ids))
        } else {
            for output in outputs {
                try Console.print("\(source)\t\(model.text(of: output.ids))\t\(Console.fixed(output.logProbability, 4))")
            }
        }
    }

    /// Writes for every source and compares with its target.
    private func measure(_ model: Seq2SeqModel, _ rows: TextTable, target: String) throws {
        let source = try rows.index(of: sourceColumn), right = try rows.index(of: target), prefix = try prefixColumn.map(rows.index)
        var items: [Seq2SeqItem] = [], examples: [Seq2SeqExample] = [], prefixes: [[Int32]] = [], cells: [String] = []
        while let line = try rows.next(into: &cells) {
            func ids(_ column: Int) throws -> [Int32] {
                try model.ids(of: cells[column], keepsUnknown: keepUnknown, file: rows.name, line: line)
            }
            items.append(
                Seq2SeqItem(
                    source: cells[source], target: cells[right], line: line,
                    others: cells.indices.filter { $0 != source && $0 != right }.map { cells[$0] }))
            examples.append(Seq2SeqExample(source: try ids(source), target: try ids(right)))
            if let prefix { prefixes.append(cells[prefix].isEmpty ? [] : try ids(prefix)) }
        }
        guard !items.isEmpty else { throw DataError(.badData, "the file has no sources", file: rows.name) }
        let evaluation = try FreeRunningEvaluation(
            model, items: items, examples: examples, unit: unit, options: decoding, prefixes: prefixes,
            batchSize: batchSize, threads: threads)
        if report.json {
            try Console.print(
                JSON.object(
                    evaluation.measures + [
                        (
                            "items",
                            .array(
                                evaluation.items.map { item in
                                    .object([
                                        ("line", .integer(item.item.line)), ("source", .string(item.item.source)),
                                        ("target", .string(item.item.target)),
                                        ("output", .string(item.output)), ("exact", .bool(item.isExact)),
                                        ("differences", .integer(item.comparison.distance)),
                                        ("log_probability", .number(item.logProbability)),
                                    ])
                                })
                        )
                    ]
                ).serialized())
        } else {
            let isColoured = itemReport.isColoured(Console.outputIsTerminal)
            for item in evaluation.items {
                let texts =
                    [item.item.source, item.item.target].map { isColoured ? $0.escapedForTerminal : $0 } + [
                        isColoured ? item.comparison.coloured : item.output
                    ]
                try Console.print((texts + ["\(item.comparison.distance)"]).joined(separator: "\t"), isStyled: isColoured)
            }
        }
        if !report.quiet { Console.say(evaluation.summary) }
        try itemReport.write(
            evaluation, title: "kotonoha generate", carried: otherSeq2SeqColumns(rows, sourceColumn: sourceColumn, targetColumn: target),
            provenance: made(rows))
        if let attention, let first = examples.first, let written = evaluation.items.first {
            try drawAttention(model, source: first.source, output: written.ids, to: attention, provenance: made(rows))
        }
    }

    private func emitScore(_ source: String, _ output: String, _ tokens: [Double]) throws {
        let total = tokens.reduce(0, +)
        if report.json {
            try Console.print(
                JSON.object([
                    ("source", .string(source)), ("output", .string(output)), ("log_probability", .number(total)),
                    ("token_log_probabilities", .array(tokens.map(JSON.number))),
                ]).serialized())
        } else {
            try Console.print("\(source)\t\(output)\t\(Console.fixed(total, 4))")
        }
    }
}
