import Analysis
import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tensors
import VectorStore

struct RankCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rank", abstract: "The sentences of a vector file that are most similar to a query.",
        discussion: """
            kotonoha rank vectors.h5 "two dogs play in snow"
            kotonoha rank vectors.h5 --queries questions.txt --top 5 -o ranking.tsv

            Queries are embedded by the model that made the file; its hash is checked. A query that begins with - follows --.

            In a file of words a query is a word of the file, or a word that --model has a vector for:
            kotonoha nearest words.h5 犬
            kotonoha rank words.h5 --plus king,woman --minus man
            """,
        aliases: ["nearest"])

    @Argument(help: "The vector file.")
    var vectors: String

    @Argument(help: "Sentences to look for.")
    var queries: [String] = []

    @Option(name: .customLong("queries"), help: "A file of queries, one a line (or a table with a text column).")
    var queryFile: String?

    @Option(help: "A vector file whose rows are the queries.")
    var queryVectors: String?

    @OptionGroup(title: "Sums and differences") var arithmetic: ArithmeticOptions

    @Option(help: "How many sentences for each query.")
    var top = 10

    @Option(name: .shortAndLong, help: "Where the table goes (.tsv, .csv or .xlsx); standard output if not given.")
    var output: String?

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        let sources = (queries.isEmpty ? 0 : 1) + (queryFile == nil ? 0 : 1) + (queryVectors == nil ? 0 : 1) + (arithmetic.isGiven ? 1 : 0)
        if sources != 1 { throw ValidationError("queries come from the command line, from --queries, from --query-vectors or from --plus and --minus; \(sources) of these are given") }
        if top < 1 { throw ValidationError("--top should be at least 1, not \(top)") }
    }

    func run() throws {
        let file = try VectorFile(path: vectors)
        let search = try CosineSearch(corpus: file, valid: file.valid(), threads: model.threads)
        if file.storage == .binary && !report.quiet {
            Console.say("note: the file holds signs of components only; a cosine is that of the query with the signs, and lower than with the whole vectors")
        }
        let progress = ProgressLine(unit: "queries", isQuiet: report.quiet)
        let begin = ContinuousClock.now
        let found: NeighborTable, names: [String]
        if let queryVectors {
            let other = try VectorFile(path: queryVectors)
            guard other.metadata.modelSHA256 == file.metadata.modelSHA256 else {
                throw DataError(.badData, "its vectors come from another model (\(other.metadata.model)) than those of \(vectors) (\(file.metadata.model)); "
                                + "vectors of two models cannot be compared", file: queryVectors)
            }
            names = try other.texts()
            found = try search.search(other, top: top, queryValid: other.valid())
        } else if arithmetic.isGiven {
            let (name, answers) = try arithmetic.search(file, top: top, threads: model.threads)
            (names, found) = ([name], answers)
        } else if asksWords(file) {
            names = try queryTexts()
            found = try searchWords(file, search, names)
        } else {
            names = try queryTexts()
            let encoder = try fileEncoder(file)
            var counts = SentenceEncoder.Counts()
            var encoded = Tensor<Float>(uninitialized: [names.count, encoder.dimension])
            let size = encoded.count
            try encoded.withUnsafeMutableElements { counts = try encoder.encode(names, into: UnsafeMutableBufferPointer(start: $0, count: size)) }
            ModelOptions.report(counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
            found = try search.search(encoded, top: top)
        }
        progress.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        if !report.quiet && queryVectors != nil {
            Console.say("\(Console.grouped(names.count)) queries against \(Console.grouped(file.count)) vectors in \(Console.fixed(seconds, 2)) s, "
                        + "reading included")
        }
        try Ranking(file: file, queries: names, found: found, measure: arithmetic.isGiven && arithmetic.method == .mul ? "score" : "cosine").write(to: output, asJSON: report.json)
    }

    private func queryTexts() throws -> [String] {
        guard let queryFile else { return queries }
        let source = try CaptionSource(path: queryFile)
        var texts: [String] = []
        while true {
            let rows = try source.next(batch: 4096)
            if rows.isEmpty { return texts }
            texts += rows.map(\.text)
        }
    }

    /// The model that made the file, with the file's own settings where none are given.
    private func fileEncoder(_ file: VectorFile) throws -> SentenceEncoder {
        var model = model
        model.precision = model.precision ?? Precision(rawValue: file.metadata.precision)
        model.maxLength = model.maxLength ?? file.metadata.maxLength
        if model.prompt == nil && model.promptName == nil { model.prompt = file.metadata.prompt }
        let folder = try model.model ?? ModelLocation.folder(for: file.metadata.model).path
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: folder))
        guard try directory.sha256() == file.metadata.modelSHA256 else {
            throw DataError(.badData, "the vectors were made by '\(file.metadata.model)', but the model at hand under that name has other contents; "
                            + "embed the sentences again, or give the right folder by --model", file: vectors)
        }
        var encoder = try SentenceEncoder(directory: directory, options: model.encoderOptions)
        if encoder.dimension > file.dimension && model.truncateDim == nil {
            model.truncateDim = file.dimension
            encoder = try SentenceEncoder(directory: directory, options: model.encoderOptions)
        }
        return encoder
    }
}

/// Search results as a person or a program reads them.
private struct Ranking {
    let file: VectorFile
    let queries: [String]
    let found: NeighborTable
    /// What the numbers are: cosines, or scores of 3CosMul.
    let measure: String

    func write(to output: String?, asJSON: Bool) throws {
        let rows = try lookUp()
        if asJSON { return try emit(json(rows).serialized(.pretty) + "\n", to: output) }
        if let output {
            var header = ["query", "rank", measure, "row"]
            if file.layout.hasIDs { header.append("id") }
            if file.layout.hasGroups { header.append("group") }
            try ResultTable(header: header + ["text"], numeric: ["rank", measure, "row"]).write(to: output, provenance: provenance()) { append in
                for (query, text) in queries.enumerated() {
                    for (rank, hit) in found[query].enumerated() {
                        var cells = [text, String(rank + 1), Console.fixed(Double(hit.score), 6), String(hit.row)]
                        if file.layout.hasIDs { cells.append(rows[hit.row]?.id ?? "") }
                        if file.layout.hasGroups { cells.append(rows[hit.row]?.group ?? "") }
                        try append(cells + [rows[hit.row]?.text ?? ""])
                    }
                }
            }
            return
        }
        var text = ""
        for (query, name) in queries.enumerated() {
            if queries.count > 1 { text += (query > 0 ? "\n" : "") + "# " + name + "\n" }
            for hit in found[query] {
                let row = rows[hit.row]
                text += [Console.fixed(Double(hit.score), 4), String(hit.row)].joined(separator: "\t")
                if file.layout.hasIDs { text += "\t" + (row?.id ?? "") }
                if file.layout.hasGroups { text += "\t" + (row?.group ?? "") }
                text += "\t" + (row?.text ?? "").replacing(/[\t\r\n]/, with: " ") + "\n"
            }
        }
        try emit(text, to: nil)
    }

    /// Texts of the rows that were found: all at once where there are many, one by one where there are few.
    private func lookUp() throws -> [Int: (text: String, group: String, id: String)] {
        let wanted = Set(found.rows.filter { $0 >= 0 }.map(Int.init))
        var result: [Int: (text: String, group: String, id: String)] = [:]
        func take(_ range: Range<Int>) throws {
            let texts = try file.texts(rows: range), groups = try file.groups(rows: range), ids = try file.ids(rows: range)
            for (i, row) in range.enumerated() where wanted.contains(row) { result[row] = (texts[i], groups?[i] ?? "", ids?[i] ?? "") }
        }
        if wanted.count < 200 {
            for row in wanted { try take(row..<row + 1) }
        } else {
            for range in Parallel.chunks(file.count, size: 65_536) { try take(range) }
        }
        return result
    }

    private func json(_ rows: [Int: (text: String, group: String, id: String)]) -> JSON {
        .array(queries.enumerated().map { query, name in
            .object([("query", .string(name)), ("results", .array(found[query].map { hit in
                var members: [(key: String, value: JSON)] = [(measure, .number(Double(hit.score))), ("row", .integer(hit.row))]
                if file.layout.hasIDs { members.append(("id", .string(rows[hit.row]?.id ?? ""))) }
                if file.layout.hasGroups { members.append(("group", .string(rows[hit.row]?.group ?? ""))) }
                members.append(("text", .string(rows[hit.row]?.text ?? "")))
                return .object(members)
            }))])
        })
    }

    private func emit(_ text: String, to output: String?) throws {
        if let output { try AtomicFile.write(to: output) { try $0.write(text) } } else { FileHandle.standardOutput.write(Data(text.utf8)) }
    }
}
