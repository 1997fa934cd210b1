import ArgumentParser
import FileFormats
import Foundation
import Tensors
import Tokenizers
import WordVectors

struct TrainWordsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "words", abstract: "Train word vectors: word2vec's skip-gram and CBOW, fastText's character n-grams.",
        discussion: """
            kotonoha train words wiki.txt -o words.h5
            kotonoha train words 青空.txt --mecab base -o words.h5
            kotonoha train words wiki.txt --minimum-n 3 --maximum-n 6 -o words.bin

            TEXT has one sentence or paragraph per line and may be gzipped; words are
            separated by spaces, or split by --mecab or --tokenizer. The output's name
            determines the format: .h5 for the other commands, .vec for word2vec text, .bin
            for a fastText model (word2vec binary with --binary word2vec). Only .bin keeps
            the n-grams, which give vectors to out-of-vocabulary words. The vectors depend
            on the seed, not on the number of threads. --hogwild allows races between
            threads, as other programs do.
            """)

    @Argument(help: "Texts; - is standard input.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The file to write: .h5, .vec or .bin.")
    var output: String

    @Option(help: "skip-gram or cbow.") var architecture: WordTrainingOptions.Architecture = .skipGram
    @Option(help: "ns (negative sampling) or hs (hierarchical softmax).") var loss: WordTrainingOptions.Loss = .negativeSampling
    @Option(help: "Dimension of the vectors.") var dimension = 100
    @Option(help: "Maximum window size in words on either side; drawn for each word between 1 and this.") var window = 5
    @Option(help: "Negative samples per positive example.") var negative = 5
    @Option(help: "Exponent of the counts in negative sampling.") var exponent = 0.75
    @Option(help: "Minimum count of a word; rarer words are left out.") var minimumCount = 5
    @Option(help: "Keep only this many words, the most frequent ones.") var maximumVocabulary: Int?
    @Option(help: "Threshold for subsampling frequent words; 0 keeps all.") var subsample = 1e-3
    @Option(help: "Shortest character n-gram.") var minimumN = 0
    @Option(help: "Longest character n-gram; 0 for none.") var maximumN = 0
    @Option(help: "Number of hash buckets for n-grams.") var buckets = 2_000_000
    @Option(help: "Epochs.") var epochs = 5
    @Option(help: "Initial learning rate; by default 0.025, with cbow or n-grams 0.05.") var learningRate: Double?
    @Option(help: "Seed.") var seed: UInt64 = 0
    @Option(help: "Number of threads; results do not depend on it, except with --hogwild.") var threads = Parallel.availableThreads
    @Flag(help: "Let threads update the same vectors without synchronization: faster, but not reproducible.") var hogwild = false

    @Option(help: "Split Japanese text with MeCab, into surface or base forms.") var mecab: JapaneseWords.Form?
    @Option(help: ArgumentHelp("A MeCab dictionary.", valueName: "dir")) var dictionary: String?
    @Option(help: ArgumentHelp("Split text with a model's tokenizer: a folder with tokenizer.json.", valueName: "dir")) var tokenizer:
        String?
    @Option(help: "Read tables, using this column (name or number); by default every line is text.") var column: String?

    @Option(help: "What .bin means: fasttext or word2vec.") var binary = BinaryKind.fasttext
    @Flag(help: "Resume an interrupted run of the same command.") var resume = false
    @Option(help: ArgumentHelp("Seconds between checkpoints; they take at most a twentieth of the time.", valueName: "seconds"))
    var checkpoint = 60.0

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    enum BinaryKind: String, CaseIterable, ExpressibleByArgument { case fasttext, word2vec }

    private var kind: String { URL(fileURLWithPath: output).pathExtension.lowercased() }

    func validate() throws {
        guard ["h5", "vec", "bin"].contains(kind) else {
            throw ValidationError("word vectors are written as .h5, .vec or .bin, not '\(output)'")
        }
        if threads < 1 { throw ValidationError("--threads should be at least 1, not \(threads)") }
        if minimumCount < 1 { throw ValidationError("--minimum-count should be at least 1, not \(minimumCount)") }
        if let maximumVocabulary, maximumVocabulary < 2 {
            throw ValidationError("--maximum-vocabulary should be at least 2, not \(maximumVocabulary)")
        }
        if mecab != nil && tokenizer != nil { throw ValidationError("--mecab and --tokenizer exclude each other") }
        if !(checkpoint >= 0) { throw ValidationError("--checkpoint should be at least 0 seconds, not \(checkpoint)") }
        if resume && inputs.contains("-") {
            throw ValidationError("standard input cannot be read again, so a run from it cannot be resumed")
        }
    }

    private func options() throws -> WordTrainingOptions {
        var options = WordTrainingOptions()
        (options.architecture, options.loss, options.dimension, options.window) = (architecture, loss, dimension, window)
        (options.negatives, options.exponent, options.subsample, options.epochs) = (negative, exponent, subsample, epochs)
        (options.learningRate, options.seed) = (learningRate, seed)
        options.subwords = Subwords(minimum: minimumN, maximum: maximumN, buckets: buckets)
        try options.check()
        return options
    }

    func run() throws {
        try writing.check(inputs: inputs + [tokenizer], files: [output], continuing: resume ? [output] : [])
        let options = try options()
        if WordCheckpoint.exists(for: output) && !resume && !report.quiet {
            Console.say("note: starting over; an unfinished run exists, which --resume would have continued")
        }
        let text = try readText()
        let vocabulary = text.vocabulary
        if !report.quiet {
            let coverage = Console.fixed(100 * Double(vocabulary.tokens) / Double(max(1, vocabulary.totalTokens)), 1)
            Console.say(
                "\(Console.grouped(vocabulary.totalTokens)) words in \(Console.grouped(text.sentences)) lines; "
                    + "\(Console.grouped(vocabulary.count)) distinct words occur at least \(minimumCount) times and cover \(coverage) % of the text"
            )
            if !options.subwords.isEmpty && kind != "bin" {
                Console.say("note: only .bin keeps the n-grams, which give vectors to out-of-vocabulary words")
            }
        }
        let trainer = try WordTrainer(text: text, options: options)
        if resume && WordCheckpoint.exists(for: output) { try WordCheckpoint.resume(trainer, for: output, isHogwild: hogwild) }
        let seconds = try train(trainer)
        try write(trainer)
        try WordCheckpoint.remove(for: output)
        let rate = Double(trainer.totalWords) / max(seconds, 1e-9)
        if report.json {
            try Console.print(
                JSON.object(
                    [
                        ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("words", .integer(vocabulary.count)),
                        ("tokens", .integer(vocabulary.tokens)),
                        ("total_tokens", .integer(vocabulary.totalTokens)), ("seconds", .number(seconds)),
                        ("words_a_second", .number(rate)),
                    ] + options.facts + [
                        ("seed", .integer(Int(clamping: seed))), ("hogwild", .bool(hogwild)), ("threads", .integer(threads)),
                    ]
                ).serialized(.pretty))
        } else if !report.quiet {
            Console.say("\(output): \(Console.grouped(vocabulary.count)) words × \(dimension), \(Console.grouped(Int(rate))) words/s")
        }
    }

    private func readText() throws -> TrainingText {
        var readOptions = TrainingText.Options()
        readOptions.minimumCount = minimumCount
        readOptions.maximumVocabulary = maximumVocabulary
        readOptions.folder = URL(fileURLWithPath: output).deletingLastPathComponent().path
        let split = try splitter()
        guard let column else {
            return try TrainingText(files: inputs, options: readOptions, split: split, isCancelled: { Interruption.isRequested })
        }
        return try TrainingText(options: readOptions, name: inputs.joined(separator: ", "), split: split) { line in
            for input in inputs {
                let table = try TextTable(path: input, wanted: [column]), place = try table.index(of: column)
                var cells: [String] = []
                while try table.next(into: &cells) != nil { try cells[place].withUTF8 { try line(UnsafeRawBufferPointer($0)) } }
            }
        }
    }

    private func splitter() throws -> TrainingText.Splitter {
        if let mecab {
            let words = try JapaneseWords(form: mecab, dictionary: dictionary)
            return { line, word in
                // Lines come one by one, on one thread.
                var scratch = JapaneseWords.Scratch()
                words.forEachWord(in: line, scratch: &scratch, word)
            }
        }
        if let tokenizer {
            let pieces = try Tokenizer(directory: URL(fileURLWithPath: tokenizer))
            return { line, word in
                for token in try pieces.encode(String(decoding: line, as: UTF8.self), addSpecialTokens: false).tokens {
                    var token = token
                    token.withUTF8 { word(UnsafeRawBufferPointer($0)) }
                }
            }
        }
        return TrainingText.spaces
    }

    /// Seconds spent on training.
    private func train(_ trainer: WordTrainer) throws -> Double {
        let progress = ProgressLine(unit: "words", isQuiet: report.quiet)
        let begin = ContinuousClock.now
        var saved = begin, saving = Duration.zero
        try trainer.train(
            threads: threads, isHogwild: hogwild, isCancelled: { Interruption.isRequested },
            checkpoint: {
                let now = ContinuousClock.now
                guard now - saved > max(.seconds(checkpoint), saving * 20) else { return }
                try WordCheckpoint.save(trainer, for: output, isHogwild: hogwild)
                saved = .now
                saving = saved - now
            },
            progress: {
                progress.update(
                    done: $0.words, fraction: Double($0.words) / Double(max(1, $0.totalWords)),
                    note: "rate \(Console.fixed($0.learningRate, 4)), loss \(Console.fixed($0.loss, 3))")
            })
        progress.finish()
        if !trainer.isFinished {
            try WordCheckpoint.save(trainer, for: output, isHogwild: hogwild)
            throw DataError(
                .interrupted,
                "stopped in epoch \(trainer.position.epoch + 1) of \(epochs); what is done is kept in \(WordCheckpoint.path(for: output)), "
                    + "and the same command with --resume continues from there")
        }
        return (ContinuousClock.now - begin) / .seconds(1)
    }

    private func write(_ trainer: WordTrainer) throws {
        var record = provenance(seed: seed)
        record.inputs = try inputs.filter { $0 != "-" }.map { try .init(hashing: $0) }
        record.settings =
            trainer.options.facts + [
                ("minimum_count", .integer(minimumCount)), ("words", .integer(trainer.text.vocabulary.count)),
                ("tokens", .integer(trainer.text.vocabulary.tokens)),
                ("segmentation", .string(mecab.map { "MeCab, \($0.rawValue) forms" } ?? (tokenizer == nil ? "spaces" : "tokenizer"))),
                ("hogwild", .bool(hogwild)),
            ]
        let name = URL(fileURLWithPath: output).lastPathComponent
        switch (kind, binary) {
        case ("h5", _):
            let facts = JSON.object(
                trainer.options.facts + [
                    ("seed", .string(String(seed))), ("text", .string(trainer.text.sha256)), ("hogwild", .bool(hogwild)),
                ]
            ).serialized()
            let first = record.inputs.first
            try WordFile.writeVectors(
                try trainer.table(name: name), to: output, model: trainer.options.name, modelSHA256: SHA256.hex(of: facts),
                createdBy: "kotonoha \(KotonohaProgram.version)",
                source: record.inputs.map(\.name).joined(separator: ", "),
                sourceSHA256: record.inputs.count == 1 ? first?.sha256 ?? "" : trainer.text.sha256,
                provenance: record.json().serialized(), isLossy: true)
        case ("bin", .fasttext): try trainer.model().write(to: output)
        default: try WordFile.write(try trainer.table(name: name), to: output, as: kind == "vec" ? .word2vecText : .word2vecBinary)
        }
        try record.write(beside: output)
    }
}

extension WordTrainingOptions.Architecture: ExpressibleByArgument {}
extension WordTrainingOptions.Loss: ExpressibleByArgument {}
extension JapaneseWords.Form: ExpressibleByArgument {}
