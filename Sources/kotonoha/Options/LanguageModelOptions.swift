import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import ModelFolders
import SentenceEmbedding
import Tensors
import Tokenizers

/// Options of commands that ask a language model how probable something is.
struct LanguageModelOptions: ParsableArguments {
    @Option(help: PrecisionChoice.help)
    var precision: PrecisionChoice?

    @Option(in: .tokens, help: "Tokens processed together by one thread.")
    var batchTokens = 1024

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(
        help: ArgumentHelp(
            "MeCab dictionary for Japanese words and for tokenizers that need one (by default KOTONOHA_MECAB_DIC, or else Debian's).",
            valueName: "dir"))
    var dictionary: String?

    /// Opens the model and prints notes about it.
    func open(_ model: String, isQuiet: Bool) throws -> any LanguageModel {
        precision?.note(isQuiet: isQuiet)
        return try openLanguageModel(model, precision: precision?.resolved ?? .f32, dictionary: dictionary)
    }

    /// The model's folder, for the check that no output lies in it; errors in the model are reported when it is opened.
    static func folder(_ model: String) -> String? { try? ModelLocation.folder(for: model).path }
}

/// How masked models and long texts are scored.
struct ScoringOptions: ParsableArguments {
    @Option(help: "Masked models: original masks each token alone, within-word-l2r also masks the rest of its word.")
    var pll = PseudoLikelihood.original

    @Option(in: .tokens, help: ArgumentHelp("Read texts longer than the model's limit in windows N tokens apart.", valueName: "n"))
    var stride: Int?

    func options(_ model: LanguageModelOptions, corrects: Bool = true) -> SurprisalOptions {
        var options = SurprisalOptions()
        (options.pseudoLikelihood, options.stride, options.correctsLeadingSpaces) = (pll, stride, corrects)
        (options.batchTokens, options.threads) = (model.batchTokens, model.threads)
        return options
    }
}

extension PseudoLikelihood: ExpressibleByArgument {}
extension SurprisalBase: ExpressibleByArgument {}
extension SurprisalUnit: ExpressibleByArgument {}
extension WordCutter.Rule: ExpressibleByArgument {}

/// The input of a command that takes a sentence on the command line or a table of them.
struct TextsOrTable {
    struct Row {
        var text: String
        /// The cells of `carried`.
        var carried: [String]
        var line: Int
    }

    /// Nil if the text was on the command line.
    let file: String?
    let source: CaptionSource?
    private let text: String

    /// - Parameter input: a file, `-` for standard input, or the text itself. What ends as a table's name does is meant as one.
    init(_ input: String, column: String?, table: TableArguments, isQuiet: Bool) throws {
        let endings = ["tsv", "csv", "txt", "xlsx", "jsonl", "json", "tab"]
        let isFile =
            input == "-" || FileManager.default.fileExists(atPath: input)
            || (!input.contains(where: \.isWhitespace) && endings.contains(URL(fileURLWithPath: input).pathExtension.lowercased()))
        file = isFile ? input : nil
        text = input
        source =
            isFile ? try CaptionSource(path: input, options: table.options(isQuiet: isQuiet), columns: CaptionColumns(text: column)) : nil
        if !isFile, column != nil { throw DataError(.usage, "--column is for tables, but no such file exists", file: input) }
    }

    /// The columns that travel along.
    var carried: [String] { source?.carriedColumns ?? [] }

    /// Calls `body` with portions of the rows that hold text.
    /// - Returns: how many rows were empty.
    func forEachPortion(of size: Int, _ body: ([Row]) throws -> Void) throws -> Int {
        guard let source else {
            try body([Row(text: text, carried: [], line: 1)])
            return 0
        }
        var empty = 0
        while true {
            let rows = try source.next(batch: size)
            if rows.isEmpty { return empty }
            let filled = rows.filter { $0.text.contains { !$0.isWhitespace } }
            empty += rows.count - filled.count
            if !filled.isEmpty { try body(filled.map { Row(text: $0.text, carried: $0.carried, line: $0.line) }) }
        }
    }

    /// The inputs for a record, when the rows are done.
    func inputs() throws -> [Provenance.Source] {
        try source.map { [Provenance.Source(path: $0.table.name, sha256: try $0.table.sha256())] } ?? []
    }
}
