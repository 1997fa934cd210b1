import ArgumentParser
import FileFormats
import Foundation
import Tokenizers

struct TrainVocabularyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vocabulary", abstract: "Learn a vocabulary from text: a tokenizer.json.",
        discussion: """
            kotonoha train vocabulary text.txt -o tokenizer.json --size 16000 --lowercase

            Hugging Face tokenizers reads the result and gives the same ids.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case unigram, bpe, byteBpe = "byte-bpe", wordpiece, characters

        var kind: VocabularyTrainer.Kind {
            switch self {
            case .unigram: .unigram
            case .bpe: .bytePair
            case .byteBpe: .byteLevelBytePair
            case .wordpiece: .wordPiece
            case .characters: .characters
            }
        }
    }

    @Argument(help: "Tables or texts with one sentence per row.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The tokenizer.json to write.")
    var output: String

    @Option(help: "unigram, bpe, byte-bpe, wordpiece or characters.")
    var kind = Kind.unigram

    @Option(in: .vocabulary, help: "Number of tokens, including special tokens.")
    var size = 16_000

    @Option(help: "Column of the text, by name or number; by default the first.")
    var column: String?

    @Flag(help: "Lower-case all text.")
    var lowercase = false

    @Option(in: Bounds(1...1000), help: "Maximum piece length in characters.")
    var longestPiece = 16

    @Option(in: Bounds(above: 0, through: 1), help: "Proportion of characters covered by tokens of their own; the rest is unknown.")
    var coverage = 0.9995

    @Option(
        help: "Words: spaces, japanese (spaces, except before Japanese script) or bert. By default bert for wordpiece, otherwise spaces.")
    var words: VocabularyTrainer.Words?

    @Option(
        help: ArgumentHelp("A MeCab dictionary: no piece crosses a word boundary. Tokenizing later does not need it.", valueName: "dir"))
    var dictionary: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.require(output, ["json"], "a tokenizer is written") }

    func run() throws {
        try writing.check(inputs: inputs, files: [output])
        var texts: [String] = []
        for input in inputs {
            let source = try TextTable(path: input, options: table.options(isQuiet: report.quiet), wanted: [column].compactMap(\.self))
            let place = try column.map(source.index(of:)) ?? 0
            var cells: [String] = []
            while try source.next(into: &cells) != nil { if place < cells.count { texts.append(cells[place]) } }
        }
        var options = VocabularyTrainer.Options()
        options.lowercases = lowercase
        options.longestPiece = longestPiece
        options.characterCoverage = coverage
        options.words = words
        options.dictionary = dictionary.map { URL(fileURLWithPath: $0) }
        let tokenizer = try VocabularyTrainer.train(texts: texts, kind: kind.kind, size: size, options: options)
        try AtomicFile.write(to: output) { try $0.write(tokenizer.serialized(.pretty) + "\n") }
        let learned = try Tokenizer(json: tokenizer, file: output).vocabularySize
        if report.json {
            try Console.print(
                JSON.object([("output", .string(output)), ("sentences", .integer(texts.count)), ("vocabulary", .integer(learned))])
                    .serialized())
        } else if !report.quiet {
            Console.say(
                "\(output): \(Console.counted(learned, "token")) out of \(Console.counted(texts.count, "sentence"))"
                    + (learned < size ? "; the text does not support \(Console.grouped(size))" : ""))
        }
    }
}

extension VocabularyTrainer.Words: ExpressibleByArgument {}
