import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tokenizers
import VectorStore

/// Options of `embed TREEBANK.conllu --tokens` and of `embed TABLE --word COLUMN`.
struct TokenArguments: ParsableArguments {
    @Flag(help: "Read a treebank (CoNLL-U) and write word vectors from several layers, for probe.")
    var tokens = false

    @Option(help: ArgumentHelp("Column with a word of each sentence: write the vector of that word in context.", valueName: "column"))
    var word: String?

    @Option(help: "With --word, which of several occurrences to use: all, first, or only (several are an error).")
    var occurrences = TargetWordRun.Occurrences.all

    @Flag(help: "With --word, also match parts of longer words.")
    var inside = false

    @Option(
        help: ArgumentHelp(
            "Layers for --tokens: all, or numbers separated by commas; 0 is the embeddings. For --word: average these layers; by default the last.",
            valueName: "all|i,j"))
    var layers = "all"

    @Option(help: "How to combine the pieces of a word: mean, first or last.")
    var pieces = PieceMerging.mean

    @Option(help: "What the encoder reads: written (the sentence unchanged) or spaced (its words separated by spaces).")
    var text = WordText.written

    @Option(in: .seed, help: ArgumentHelp("Use a network of the same architecture with random weights, as a control.", valueName: "seed"))
    var untrainedSeed: UInt64?

    @Flag(inversion: .prefixedNo, help: "Compress the layers.")
    var compress = true

    func validate() throws {
        if tokens && word != nil {
            throw ValidationError("--tokens and --word exclude each other: all words of a treebank, or one word per sentence")
        }
        if word == nil { try refuse([("--occurrences", occurrences != .all), ("--inside", inside)], "belongs to --word") }
        guard !tokens else { return }
        let shared = word == nil ? [("--layers", layers != "all"), ("--pieces", pieces != .mean)] : []
        let given = shared + [("--text", text != .written), ("--untrained-seed", untrainedSeed != nil), ("--no-compress", !compress)]
        if let first = given.first(where: \.1) { throw ValidationError("\(first.0) is for treebanks; it needs --tokens") }
    }

    /// Nil if none were named.
    private func chosenLayers() throws -> [Int]? {
        guard layers != "all" else { return nil }
        return try layers.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let layer = Int(part), layer >= 0 else {
                throw ValidationError("--layers expects all, or numbers separated by commas, not '\(layers)'")
            }
            return layer
        }
    }

    /// `embed TABLE --word COLUMN`.
    func runTargets(
        _ word: String, input: String, output: String, table: TableOptions, columns: CaptionColumns, store: VectorStorage,
        model: ModelOptions, report: ReportOptions
    ) throws {
        var run = TargetWordRun(input: input, output: output, word: word, createdBy: "kotonoha \(KotonohaProgram.version)")
        (run.table, run.columns, run.layers, run.merging) = (table, columns, try chosenLayers(), pieces)
        (run.occurrences, run.takesInside, run.storage) = (occurrences, inside, store)
        run.cutter = WordCutter(.auto, dictionary: model.dictionary)
        run.provenance = provenance()
        let summary = try run.run(with: model.encoder(isQuiet: report.quiet), isCancelled: { Interruption.isRequested })
        if report.json {
            return try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("sentences", .integer(summary.sentences)),
                    ("rows", .integer(summary.rows)),
                    ("pieces", .integer(summary.pieces)), ("layers", .array(summary.layers.map(JSON.integer))),
                ]).serialized(.pretty))
        }
        if !report.quiet {
            Console.say(
                "\(output): \(Console.counted(summary.rows, "word")) in \(Console.counted(summary.sentences, "sentence")), layer \(summary.layers.map(String.init).joined(separator: ", "))"
            )
        }
    }

    func run(input: String, output: String, store: VectorStorage, model: ModelOptions, report: ReportOptions) throws {
        guard store == .float32 || store == .float16 else { throw ValidationError("word vectors are stored as float32 or float16") }
        let treebank = try Treebank(path: input)
        var run = TokenVectorRun(treebank: treebank, output: output, createdBy: "kotonoha \(KotonohaProgram.version)")
        run.layers = try chosenLayers()
        (run.merging, run.text, run.storage, run.isCompressed, run.untrainedSeed) = (pieces, text, store, compress, untrainedSeed)
        let encoder = try model.encoder(isQuiet: report.quiet)
        var record = provenance(seed: untrainedSeed)
        record.model = Provenance.Source(path: encoder.directory.name, sha256: try encoder.directory.sha256())
        record.inputs = [Provenance.Source(path: input, sha256: treebank.sha256)]
        record.settings = [
            ("layers", .string(layers)), ("pieces", .string(pieces.rawValue)), ("text", .string(text.rawValue)),
            ("storage", .string(store.rawValue)),
            ("precision", .string(encoder.options.precision.rawValue)),
        ]
        run.provenance = record.json().serialized()
        let progress = ProgressLine(unit: "sentences", isQuiet: report.quiet)
        let summary: TokenVectorRun.Summary
        do {
            summary = try run.run(
                with: encoder, progress: { progress.update(done: $0, fraction: $1) }, isCancelled: { Interruption.isRequested })
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        if report.json {
            return try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("model", .string(encoder.directory.name)),
                    ("sentences", .integer(summary.sentences)), ("words", .integer(summary.words)), ("pieces", .integer(summary.pieces)),
                    ("crossing_pieces", .integer(summary.crossingPieces)), ("bare_words", .integer(summary.bareWords)),
                    ("shared_words", .integer(summary.sharedWords)),
                    ("rebuilt_texts", .integer(summary.rebuiltTexts)), ("windowed_sentences", .integer(summary.windowedSentences)),
                    ("seconds", .number(summary.seconds)),
                ]).serialized(.pretty))
        }
        if report.quiet { return }
        func note(_ count: Int, _ text: String) { if count > 0 { Console.say("note: \(Console.grouped(count)) \(text)") } }
        note(
            summary.crossingPieces,
            "of \(Console.grouped(summary.pieces)) word pieces cross a word boundary; each of those words gets its share")
        note(
            summary.bareWords,
            "words have no piece of their own (the tokenizer drops their characters) and use the vector of the "
                + "adjacent piece")
        note(summary.sharedWords, "words share a written token and have the same vector")
        note(summary.rebuiltTexts, "sentences have no text that matches their words; their words were joined instead")
        note(summary.windowedSentences, "sentences are longer than the encoder reads and were read in overlapping windows")
        Console.say(
            "\(output): \(Console.counted(summary.sentences, "sentence")), \(Console.counted(summary.words, "word")), "
                + "\(Console.grouped(Int(Double(summary.sentences) / max(summary.seconds, 1e-9)))) sentences per second")
    }
}

extension TargetWordRun.Occurrences: ExpressibleByArgument {}
extension PieceMerging: ExpressibleByArgument {}
extension WordText: ExpressibleByArgument {}
