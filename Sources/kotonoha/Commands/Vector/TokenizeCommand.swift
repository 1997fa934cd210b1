import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tokenizers

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Show how a model tokenizes sentences, one line per sentence.")

    @Argument(help: "The file with the sentences; - is standard input.")
    var input: String

    @Option(help: ArgumentHelp("The model: a folder or a name.", valueName: "dir|name"))
    var model: String?

    @Option(help: ArgumentHelp("MeCab dictionary, for models whose tokenizer needs one.", valueName: "dir"))
    var dictionary: String?

    @Flag(help: "Print ids instead of tokens.")
    var ids = false

    @Option(in: .tokens, help: "Truncate to this many tokens, including special tokens; by default nothing is truncated.")
    var maxLength: Int?

    @Option(help: "Column of the sentences, by name or number from 1.")
    var column: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let folder = try model.map(ModelLocation.folder) ?? ModelLocation.defaultFolder()
        let tokenizer = try Tokenizer(
            directory: ModelDirectory(folder: folder).transformerFolder, dictionary: dictionary.map { URL(fileURLWithPath: $0) })
        let source = try CaptionSource(path: input, options: table.options(isQuiet: report.quiet), columns: CaptionColumns(text: column))
        var scratch = TokenizerScratch(), counts = TokenCounts()
        // Written as it comes: the tokens of a long text take many times the memory of the text.
        var output: [UInt8] = []
        func flush() throws {
            try Console.write(String(decoding: output, as: UTF8.self))
            output.removeAll(keepingCapacity: true)
        }
        while true {
            let rows = try source.next(batch: 4096)
            if rows.isEmpty { break }
            for row in rows {
                try MemoryBudget.require(32 * row.text.utf8.count, for: "the tokens of this text", file: input, line: row.line)
                var sentence = row.text, found: [Int32] = []
                let part = sentence.withUTF8 { tokenizer.appendIDs(of: $0, maxLength: maxLength, to: &found, scratch: &scratch) }
                counts.tokens += part.tokens
                counts.unknowns += part.unknowns
                if report.json { output.append(UInt8(ascii: "[")) }
                for (place, id) in found.enumerated() {
                    if place > 0 { output.append(UInt8(ascii: report.json ? "," : " ")) }
                    let piece = (ids ? nil : tokenizer.token(for: id)) ?? "\(id)"
                    if report.json, !ids { JSON.string(piece).write(to: &output) } else { output.append(contentsOf: piece.utf8) }
                    if output.count >= 1 << 18 { try flush() }
                }
                output.append(contentsOf: (report.json ? "]\n" : "\n").utf8)
            }
            try flush()
        }
        if !report.quiet && counts.tokens > 0 {
            Console.say("\(Console.counted(counts.tokens, "token")), \(Console.grouped(counts.unknowns)) of them unknown to the model")
        }
    }
}
