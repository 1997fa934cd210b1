import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors
import VectorStore

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Embed the sentences of a file.",
        discussion: """
            Reads text (one sentence per line), TSV, CSV, spreadsheets, JSON lines and COCO
            or STAIR caption files, in UTF-8 or a Japanese encoding, and writes a vector
            file. Other columns are kept. --resume continues an interrupted run.
            """)

    @Argument(help: "The file with the sentences; - is standard input.")
    var input: String

    @Option(name: .shortAndLong, help: "The vector file to write.")
    var output: String

    @OptionGroup(title: "Input") var table: TableArguments

    @Option(help: "Column of the sentences, by name or number from 1.")
    var column: String?

    @Option(help: "Column of the groups (image, scene, speaker …).")
    var groupColumn: String?

    @Option(help: "Column of the ids.")
    var idColumn: String?

    @Option(help: "A file with one group per line, in the order of the rows.")
    var groupFile: String?

    @Option(
        help: ArgumentHelp(
            "Split long texts into rows: sentences, or parts of at most N tokens. The columns document and part give the origin of a row; "
                + "NAME.documents.h5 has the mean vector of each text.", valueName: "sentences|n"))
    var split: String?

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: "Storage of vectors: float32, float16, int8 or binary.")
    var store: VectorStorage = .float32

    @Option(help: "Codes stored next to the vectors for faster search: int8 (the same results) or binary.")
    var codes: VectorCodes?

    @Flag(help: "Resume an interrupted run of the same command.")
    var resume = false

    @Flag(help: "Add the rows to an existing vector file.")
    var append = false

    @OptionGroup(title: "Words in context") var words: TokenArguments
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireVectors(output, words.tokens ? "word vectors are written" : "vectors are written")
        if codes != nil && (store != .float32 || words.tokens) {
            throw ValidationError(
                "--codes needs sentence vectors stored as float32; leave out --codes or "
                    + "\(words.tokens ? "--tokens" : "--store")")
        }
        if let split {
            guard TextSplit(split) != nil else {
                throw ValidationError("--split expects sentences, or a number of tokens from 8, not '\(split)'")
            }
            if append {
                throw ValidationError("--split and --append exclude each other: a document's mean needs all of its parts in one run")
            }
        }
        if words.word != nil {
            try refuse(
                [
                    ("--split", split != nil), ("--resume", resume), ("--append", append), ("--group-file", groupFile != nil),
                    ("--max-length", model.maxLength != nil),
                    ("--normalize", model.normalize), ("--truncate-dim", model.truncateDim != nil), ("--prompt", model.prompt != nil),
                    ("--prompt-name", model.promptName != nil),
                ], "is for sentence vectors and cannot be combined with --word")
        }
        guard words.tokens else {
            return try refuse(
                [("--group-file", groupFile != nil && groupColumn != nil)],
                "cannot be combined with --group-column: both "
                    + "give the groups")
        }
        let given = [
            ("--column", column != nil), ("--group-column", groupColumn != nil), ("--id-column", idColumn != nil),
            ("--group-file", groupFile != nil),
            ("--split", split != nil), ("--resume", resume), ("--append", append), ("--max-length", model.maxLength != nil),
            ("--normalize", model.normalize),
            ("--truncate-dim", model.truncateDim != nil), ("--prompt", model.prompt != nil), ("--prompt-name", model.promptName != nil),
        ]
        if let first = given.first(where: \.1) { throw ValidationError("\(first.0) is for sentences and cannot be combined with --tokens") }
    }

    func run() throws {
        try writing.check(inputs: [input, groupFile, model.inputFolder], files: [output], continuing: append || resume ? [output] : [])
        if let word = words.word {
            return try words.runTargets(
                word, input: input, output: output, table: table.options(isQuiet: report.quiet),
                columns: CaptionColumns(text: column, group: groupColumn, id: idColumn), store: store, model: model, report: report)
        }
        if words.tokens { return try words.run(input: input, output: output, store: store, model: model, report: report) }
        var run = EmbeddingRun(input: input, output: output, createdBy: "kotonoha \(KotonohaProgram.version)")
        run.table = try table.options(isQuiet: report.quiet)
        run.columns = CaptionColumns(text: column, group: groupColumn, id: idColumn, groupFile: groupFile)
        run.storage = store
        run.codes = codes
        run.split = split.flatMap(TextSplit.init)
        run.resumes = resume
        run.appends = append
        run.insists = writing.force
        run.provenance = Provenance(arguments: Provenance.decisive(CommandLine.arguments), version: KotonohaProgram.version)
        run.provenance?.kernels = processorKernels
        if EmbeddingPartial.exists(for: output) && !resume && !report.quiet {
            Console.say("note: starting over; an unfinished run exists, which --resume would have continued")
        }
        func fit(_ batch: ([String]) throws -> Void) throws {
            guard input != "-" else {
                throw DataError(.usage, "idf and sif weights need two passes over the text, and standard input can be read only once")
            }
            let source = try CaptionSource(path: input, options: table.options(isQuiet: true), columns: run.columns)
            while true {
                let rows = try source.next(batch: 8192)
                if rows.isEmpty { return }
                try batch(rows.map(\.text))
            }
        }
        // Text that is piped in is interactive work, for which a running server saves the start-up; a file is worth a process of its own.
        let encoder =
            input == "-"
            ? try model.interactiveEncoder(isQuiet: report.quiet, fittingTo: fit)
            : try model.textEncoder(isQuiet: report.quiet, fittingTo: fit)
        let progress = ProgressLine(unit: "sentences", isQuiet: report.quiet)
        let summary: EmbeddingRun.Summary
        do {
            summary = try run.run(
                with: encoder,
                progress: { progress.update(done: $0.rows, fraction: $0.fraction) },
                isCancelled: { Interruption.isRequested })
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        ModelOptions.report(summary.counts, maxLength: encoder.maxLength, isOfWords: model.isWordFile, isQuiet: report.quiet)
        if report.json { return try Console.print(json(summary, encoder).serialized(.pretty)) }
        if report.quiet { return }
        if summary.isAlreadyThere {
            return Console.say(
                append
                    ? "\(output): already there: the file has the rows of this input, made with the same settings; "
                        + "nothing was added (--force adds them again)"
                    : "\(output): complete; nothing was left to do")
        }
        func names(_ columns: [String]) -> String { columns.map { "'\($0)'" }.joined(separator: ", ") }
        if !summary.addedColumns.isEmpty {
            Console.say("note: the earlier rows have no \(names(summary.addedColumns)); the cells are empty there")
        }
        if !summary.missingColumns.isEmpty {
            Console.say("note: the new rows have no \(names(summary.missingColumns)); the cells are empty there")
        }
        if summary.encodingIsGuess, let encoding = summary.encoding {
            Console.say("read as \(encoding.rawValue), detected from the content (--encoding overrides it)")
        }
        if summary.resumedRows > 0 { Console.say("resumed after \(Console.counted(summary.resumedRows, "row"))") }
        if summary.emptyRows > 0 {
            Console.say("\(Console.counted(summary.emptyRows, "empty row")) kept in place and marked as not valid")
        }
        let computed = summary.rows - summary.resumedRows
        let rate = summary.seconds > 0 ? ", \(Console.grouped(Int(Double(computed) / summary.seconds))) per second" : ""
        if let file = summary.documentFile { Console.say("\(file): the means of \(Console.counted(summary.documents, "document"))") }
        Console.say(
            "\(output): \(Console.counted(summary.earlierRows + summary.rows, "row")) × \(encoder.dimension), "
                + "unknown tokens \(Console.fixed(summary.counts.unknownShare * 100, 2)) %\(rate)")
    }

    private func json(_ summary: EmbeddingRun.Summary, _ encoder: any TextEncoder) -> JSON {
        .object([
            ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("model", .string(encoder.name)),
            ("rows", .integer(summary.earlierRows + summary.rows)), ("already_there", .bool(summary.isAlreadyThere)),
            ("dimension", .integer(encoder.dimension)), ("empty_rows", .integer(summary.emptyRows)),
            ("resumed_rows", .integer(summary.resumedRows)), ("format", .string(summary.format.rawValue)),
            ("encoding", summary.encoding.map { .string($0.rawValue) } ?? .null), ("text_column", .string(summary.textColumn)),
            ("tokens", .integer(summary.counts.tokens)), ("unknown_share", .number(summary.counts.unknownShare)),
            ("truncated", .integer(summary.counts.truncated)), ("seconds", .number(summary.seconds)),
        ])
    }
}

extension VectorStorage: ExpressibleByArgument {}
extension VectorCodes: ExpressibleByArgument {}
