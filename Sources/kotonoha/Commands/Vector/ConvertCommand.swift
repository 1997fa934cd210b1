import ArgumentParser
import FileFormats
import Foundation
import Tensors
import VectorStore
import WordVectors

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Convert word vectors of other programs to vectors.h5 and back.",
        discussion: """
            kotonoha convert cc.ja.300.vec.gz -o words.h5 --limit 200000
            kotonoha convert words.h5 -o words.bin --binary word2vec

            Reads word2vec text and binary, GloVe text, fastText .vec and .bin (versions 11
            and 12), .npy with a word list, and vectors.h5; gzip is decompressed. The
            format is detected from the content. Writes .h5, .vec (word2vec text), .bin (a
            fastText model if the input is one, otherwise word2vec binary) and .npy with
            the words in NAME.vocab. Out-of-vocabulary words get vectors only from a
            fastText .bin, with --words.
            """)

    @Argument(help: "The file of word vectors.")
    var input: String

    @Option(name: .shortAndLong, help: "The file to write: .h5, .vec, .bin or .npy.")
    var output: String

    @Option(help: "Keep only the first N words of the file.")
    var limit: Int?

    @Option(help: "The words of an .npy file, one per line; by default NAME.vocab or NAME.txt.")
    var vocabulary: String?

    @Option(help: "Keep only these words, one per line; missing words are composed from n-grams if the file has them, otherwise listed.")
    var words: String?

    @Option(help: "What .bin means: fasttext or word2vec.")
    var binary: TrainWordsCommand.BinaryKind?

    @Flag(help: "Write words that are not UTF-8 to .h5, with U+FFFD for invalid bytes.")
    var lossy = false

    @Option(help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    private var kind: String { URL(fileURLWithPath: output).pathExtension.lowercased() }

    func validate() throws {
        guard ["h5", "vec", "bin", "npy"].contains(kind) else {
            throw ValidationError("word vectors are written as .h5, .vec, .bin or .npy, not '\(output)'")
        }
        if threads < 1 { throw ValidationError("--threads should be at least 1, not \(threads)") }
    }

    func run() throws {
        try writing.check(inputs: [input, vocabulary, words], files: [output])
        var table = try WordFile.read(input, vocabulary: vocabulary, limit: limit, threads: threads)
        var missing: [String] = []
        if let words { (table, missing) = try select(words, from: table) }
        let source = try Provenance.Source(hashing: input)
        var record = provenance()
        record.inputs = [source] + (try [vocabulary, words].compactMap(\.self).map { try .init(hashing: $0) })
        record.settings = [
            (
                "vectors",
                .object([
                    ("model", .string(table.name)), ("pooling", .string(WordFile.pooling)), ("rows", .integer(table.count)),
                    ("dimension", .integer(table.dimension)),
                ])
            )
        ]
        switch kind {
        case "h5":
            let isVectorFile = (try? VectorFile(path: input)) != nil
            let metadata = isVectorFile ? try VectorFile(path: input).metadata : nil
            try WordFile.writeVectors(
                table, to: output, model: metadata?.model ?? source.name, modelSHA256: metadata?.modelSHA256 ?? source.sha256,
                createdBy: "kotonoha \(KotonohaProgram.version)",
                source: source.name, sourceSHA256: source.sha256, provenance: record.json().serialized(), isLossy: lossy)
        case "vec": try WordFile.write(table, to: output, as: .word2vecText)
        case "npy": try writeArray(table)
        default:
            let isWhole = words == nil && limit == nil && table.subwords != nil
            switch binary ?? (isWhole ? .fasttext : .word2vec) {
            case .fasttext:
                if isWhole {
                    try FastTextModel(path: input).write(to: output)
                } else {
                    try WordFile.write(table, to: output, as: .fastText)
                }
            case .word2vec: try WordFile.write(table, to: output, as: .word2vecBinary)
            }
        }
        try record.write(beside: output)
        if report.json {
            return try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("words", .integer(table.count)),
                    ("dimension", .integer(table.dimension)),
                    ("left_out", .integer(table.remarks.leftOut)), ("duplicates", .integer(table.remarks.duplicates)),
                    ("broken_words", .integer(table.remarks.brokenWords)),
                    ("missing", .array(missing.map(JSON.string))),
                ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        for sentence in table.remarks.sentences { Console.say("note: \(sentence)") }
        if !missing.isEmpty {
            Console.say(
                "\(Console.counted(missing.count, "word has", "words have")) no vector: \(missing.prefix(20).joined(separator: ", "))\(missing.count > 20 ? ", …" : "")"
            )
        }
        if table.remarks.leftOut > 0 { Console.say("\(Console.grouped(table.remarks.leftOut)) further words left out") }
        Console.say("\(output): \(Console.grouped(table.count)) words × \(table.dimension)")
    }

    private func select(_ path: String, from table: WordTable) throws -> (WordTable, missing: [String]) {
        var options = TableOptions()
        options.format = .txt
        let list = try TextTable(path: path, options: options)
        var cells: [String] = [], kept = WordList(), values: [Float] = [], counts: [Int] = [], missing: [String] = []
        while try list.next(into: &cells) != nil {
            let word = cells[0].trimmingCharacters(in: .whitespaces)
            if word.isEmpty || kept.index(of: word) != nil { continue }
            guard let vector = table.vector(of: word) else {
                missing.append(word)
                continue
            }
            kept.insert(word)
            values += vector
            counts.append(table.words.index(of: word).flatMap { table.counts?[$0] } ?? 0)
        }
        guard kept.count > 0 else { throw DataError(.badData, "none of these words has a vector in \(table.name)", file: path) }
        return (
            WordTable(
                name: table.name, words: kept, counts: table.counts == nil ? nil : counts,
                vectors: Tensor(values, shape: [kept.count, table.dimension])), missing
        )
    }

    private func writeArray(_ table: WordTable) throws {
        if let bad = (0..<table.count).first(where: { table.words.bytes(of: $0).contains(0x0A) }) {
            throw DataError(.badData, "word \(bad + 1) contains a line break, but the word list has one word per line", file: output)
        }
        let writer = try NPYWriter(path: output, shape: [table.count, table.dimension])
        try table.vectors.withUnsafeElements { try writer.append(UnsafeBufferPointer(start: $0, count: table.vectors.count)) }
        try AtomicFile.write(to: URL(fileURLWithPath: output).deletingPathExtension().path + ".vocab") { file in
            for word in 0..<table.count { try file.write(Array(table.words.bytes(of: word)) + [0x0A]) }
        }
        try writer.finish()
    }
}
