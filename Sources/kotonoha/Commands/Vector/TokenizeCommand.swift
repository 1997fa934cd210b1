import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tokenizers

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Show how a model cuts sentences into tokens, one line a sentence.")

    @Argument(help: "The file with the sentences; - is standard input.")
    var input: String

    @Option(help: ArgumentHelp("The model: a folder, or a name to look for.", valueName: "dir|name"))
    var model: String?

    @Option(help: ArgumentHelp("MeCab dictionary, for models whose tokenizer wants one.", valueName: "dir"))
    var dictionary: String?

    @Flag(help: "Print ids instead of tokens.")
    var ids = false

    @Option(in: .tokens, help: "Cut at so many tokens, special ones included; nothing is cut if not given.")
    var maxLength: Int?

    @Option(help: "Column of the sentences, by name or number from 1.")
    var column: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let folder = try model.map(ModelLocation.folder) ?? ModelLocation.defaultFolder()
        let tokenizer = try Tokenizer(directory: ModelDirectory(folder: folder).transformerFolder, dictionary: dictionary.map { URL(fileURLWithPath: $0) })
        let source = try CaptionSource(path: input, options: table.options(isQuiet: report.quiet), columns: CaptionColumns(text: column))
        var scratch = TokenizerScratch(), counts = TokenCounts()
        while true {
            let rows = try source.next(batch: 4096)
            if rows.isEmpty { break }
            var text = ""
            for row in rows {
                var sentence = row.text, found: [Int32] = []
                let part = sentence.withUTF8 { tokenizer.appendIDs(of: $0, maxLength: maxLength, to: &found, scratch: &scratch) }
                counts.tokens += part.tokens
                counts.unknowns += part.unknowns
                let pieces = ids ? found.map(String.init) : found.map { tokenizer.token(for: $0) ?? "\($0)" }
                text += (report.json ? JSON.array(pieces.map { ids ? .integer(Int($0) ?? 0) : .string($0) }).serialized() : pieces.joined(separator: " ")) + "\n"
            }
            try Console.write(text)
        }
        if !report.quiet && counts.tokens > 0 {
            Console.say("\(Console.counted(counts.tokens, "token")), \(Console.grouped(counts.unknowns)) of them unknown to the model")
        }
    }
}
