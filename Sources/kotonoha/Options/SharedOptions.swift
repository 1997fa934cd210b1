import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers
import WordVectors

/// Options of every command that embeds text.
struct ModelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The model: a folder or a name.", valueName: "dir|name"))
    var model: String?

    @Option(help: PrecisionChoice.help)
    var precision: PrecisionChoice?

    @Option(in: .tokens, help: "Tokens processed together by one thread.")
    var batchTokens = 1024

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(in: .tokens, help: "Maximum sentence length in tokens; longer ones are truncated and counted. By default the model's limit.")
    var maxLength: Int?

    @Flag(help: "Scale the vectors to length 1, even if the model does not.")
    var normalize = false

    @Option(in: .dimension, help: "Keep only the first components of each vector (Matryoshka models).")
    var truncateDim: Int?

    @Option(help: "Text to put before every sentence.")
    var prompt: String?

    @Option(help: "Name of one of the model's own prompts.")
    var promptName: String?

    @Option(
        help: ArgumentHelp(
            "MeCab dictionary, for models whose tokenizer needs one (by default KOTONOHA_MECAB_DIC, or else Debian's).", valueName: "dir"))
    var dictionary: String?

    @Option(help: "With a file of word vectors as the model, how to weight the words of a text: mean, idf or sif.")
    var pooling: WordTextEncoder.Pooling?

    @Option(help: "With a file of word vectors as the model, split Japanese text with MeCab into surface or base forms.")
    var mecab: JapaneseWords.Form?

    func validate() throws {
        if prompt != nil && promptName != nil { throw ValidationError("--prompt and --prompt-name exclude each other") }
    }

    var encoderOptions: SentenceEncoder.Options {
        var options = SentenceEncoder.Options()
        options.precision = precision?.resolved ?? .f32
        options.maxLength = maxLength
        options.normalizes = normalize
        options.truncatedDimension = truncateDim
        options.prompt = prompt
        options.promptName = promptName
        options.batchTokens = batchTokens
        options.threads = threads
        options.dictionary = dictionary
        return options
    }

    /// The model's folder, for the check that no output lies in it; errors in the model are reported when it is opened.
    var inputFolder: String? { model.flatMap { try? ModelLocation.folder(for: $0).path } }

    /// The same for queries to a vector file, whose own settings apply where none are given.
    var overrides: SentenceEncoder.Overrides {
        var overrides = SentenceEncoder.Overrides()
        overrides.model = model
        overrides.precision = precision?.resolved
        (overrides.maxLength, overrides.prompt, overrides.promptName) = (maxLength, prompt, promptName)
        (overrides.truncatedDimension, overrides.normalizes) = (truncateDim, normalize)
        (overrides.batchTokens, overrides.threads, overrides.dictionary) = (batchTokens, threads, dictionary)
        return overrides
    }

    /// Opens the model given here, or `fallback`, and prints notes about it.
    func encoder(orElse fallback: String? = nil, isQuiet: Bool) throws -> SentenceEncoder {
        precision?.note(isQuiet: isQuiet)
        let encoder = try SentenceEncoder(model: model ?? fallback, options: encoderOptions)
        if !isQuiet {
            if model == nil && fallback == nil { Console.say("model: \(encoder.directory.name) (the default; --model selects another)") }
            if encoder.directory.assumesMeanPooling {
                Console.say("note: the model's folder has no modules.json, so its token vectors are averaged (mean pooling)")
            }
        }
        return encoder
    }

    /// Warns where the vectors cannot be trusted.
    static func report(_ counts: SentenceEncoder.Counts, maxLength: Int, isOfWords: Bool = false, isQuiet: Bool) {
        guard !isQuiet else { return }
        if counts.truncated > 0 {
            Console.say(
                "note: \(Console.grouped(counts.truncated)) of \(Console.grouped(counts.sentences)) sentences "
                    + "\(counts.truncated == 1 ? "was" : "were") longer than \(maxLength) tokens and truncated (--max-length)")
        }
        guard counts.unknownShare > 0.05 else { return }
        let percent = Console.fixed(counts.unknownShare * 100, 1)
        Console.say(
            isOfWords
                ? "warning: \(percent) % of all words are out of vocabulary; if the word vectors were trained with --mecab, add the same "
                    + "option here"
                : "warning: \(percent) % of all tokens are unknown to this model; its vectors mean little for such text. "
                    + "Use a model for the text's language (--model)")
    }
}

/// How an input table is read.
struct TableArguments: ParsableArguments {
    @Option(help: "auto, txt, tsv, csv, xlsx, jsonl, json or coco; auto detects it from the content.")
    var format = "auto"

    @Option(help: "auto, utf-8, cp932, euc-jp, utf-16, …")
    var encoding = "auto"

    @Option(help: "Sheet of a spreadsheet, by name or number.")
    var sheet: String?

    @Flag(help: "List the sheets of a spreadsheet and exit.")
    var listSheets = false

    @Flag(inversion: .prefixedNo, help: "Whether the first row contains column names; detected by default.")
    var header: Bool?

    @Option(
        help: ArgumentHelp(
            "The row with the column names, from 1; rows above it are skipped. 1-2 joins the names of two rows.", valueName: "n|n-m"))
    var headerRow: String?

    @Flag(help: "Replace invalid bytes with U+FFFD instead of stopping.")
    var lossy = false

    func validate() throws {
        _ = try headerRows()
        if headerRow != nil && header == false { throw ValidationError("--header-row and --no-header exclude each other") }
    }

    private func headerRows() throws -> ClosedRange<Int>? {
        guard let headerRow else { return nil }
        let ends = headerRow.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 1, last >= first, last <= 1000 else {
            throw ValidationError("--header-row expects a row from 1 to 1000, or two such as 1-2; not '\(headerRow)'")
        }
        return first...last
    }

    /// - Parameter isQuiet: keeps notes on how the table was understood to itself.
    func options(isQuiet: Bool = false) throws -> TableOptions {
        var options = TableOptions()
        if !isQuiet { options.note = { Console.say($0) } }
        options.headerRows = try headerRows()
        if format != "auto" {
            guard let known = TableFormat(rawValue: format) else {
                throw ValidationError(
                    "--format '\(format)' is unknown; expected auto, "
                        + "\(TableFormat.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            options.format = known
        }
        if encoding != "auto" {
            guard let known = TextEncoding(name: encoding) else {
                throw ValidationError(
                    "--encoding '\(encoding)' is unknown; expected auto, utf-8, cp932, euc-jp, iso-2022-jp, utf-16 or "
                        + "latin-1")
            }
            options.encoding = known
        }
        options.sheet = sheet
        options.hasHeader = header
        options.isLossy = lossy
        return options
    }

    /// The same for a list of pairs, which may begin with lines of `#`, the last of which names the columns, as those of WordSim-353 and SimLex-999 do.
    func optionsForPairs(in path: String, isQuiet: Bool = false) throws -> TableOptions {
        var options = try options(isQuiet: isQuiet)
        guard options.headerRows == nil, options.hasHeader == nil, options.format != .xlsx, path != "-",
            let beginning = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 4096)
        else { return options }
        let lines = beginning.split(separator: 0x0A, omittingEmptySubsequences: false),
            comments = lines.prefix { $0.first == UInt8(ascii: "#") }
        guard comments.count > 0, comments.count < lines.count, let names = comments.last else { return options }
        // A comment that names columns has as many cells as the first row, and no number among them.
        let cells = names.split(separator: 0x09), row = lines[comments.count].split(separator: 0x09)
        guard cells.count == row.count, cells.count > 1, !cells.contains(where: { Double(String(decoding: $0, as: UTF8.self)) != nil })
        else { return options }
        options.headerRows = comments.count...comments.count
        return options
    }
}

/// Options of every command that reports.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "No progress, no notes; errors only.")
    var quiet = false
}

/// How this run was made, for outputs.
func provenance(seed: UInt64? = nil) -> Provenance {
    var provenance = Provenance(arguments: CommandLine.arguments, version: KotonohaProgram.version)
    provenance.seed = seed
    provenance.kernels = processorKernels
    return provenance
}
