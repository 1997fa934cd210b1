import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Tensors
import VectorStore

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Export vectors for other programs.",
        discussion: """
            The output's name determines the format: .npy (NumPy), .vec (word2vec text,
            keyed by id or row), .tsv (TensorBoard projector: vectors, and
            NAME.metadata.tsv), .csv, .xlsx and .jsonl (texts and vectors), .copy
            (PostgreSQL COPY, vectors for pgvector), .hdf5 (ANN-benchmarks: train, test,
            neighbors, distances).

            kotonoha export corpus.kset -o v.npy --per-shard        v-00000.npy, v-00001.npy …, for faiss
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "The file to write: .npy, .vec, .tsv, .csv, .xlsx, .jsonl, .copy or .hdf5.")
    var output: String

    @Flag(help: "Leave out the sentences.")
    var withoutText = false

    @Flag(help: "For a set: one .npy or .copy file per shard, NAME-00000, NAME-00001 …")
    var perShard = false

    @Option(in: .rows, help: "Number of rows to hold out as queries in an ANN-benchmarks file, drawn at random; by default 1000.")
    var queries: Int?

    @Option(in: .rows, help: "Neighbours per query in an ANN-benchmarks file; by default 100.")
    var neighbours: Int?

    @Option(in: .seed, help: "Seed of the queries; by default 0.")
    var seed: UInt64?

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(output, ["npy", "vec", "tsv", "csv", "xlsx", "jsonl", "copy", "hdf5"], "vectors are exported")
        let kind = URL(fileURLWithPath: output).pathExtension.lowercased()
        if kind != "hdf5" {
            try refuse(
                [("--queries", queries != nil), ("--neighbours", neighbours != nil), ("--seed", seed != nil)],
                "is for an ANN-benchmarks file, whose name ends in .hdf5")
        }
        try refuse([("--per-shard", perShard && kind != "npy" && kind != "copy")], "is for outputs that end in .npy or .copy")
        try refuse([("--bom", tableOutput.bom && kind != "csv")], "is for an output that ends in .csv")
        try refuse(
            [("--without-text", withoutText && ["npy", "vec", "hdf5"].contains(kind))],
            "is for .tsv, .csv, .xlsx and .copy; the other formats contain no text")
    }

    func run() throws {
        try writing.check(
            inputs: [vectors], files: [output] + (URL(fileURLWithPath: output).pathExtension.lowercased() == "tsv" ? [metadataPath] : []))
        let file = try VectorFile(path: vectors)
        if perShard {
            guard let set = file.set else { throw DataError(.usage, "--per-shard needs a set, and this is a single file", file: vectors) }
            let names = set.index.shards.indices.map { shardName($0, of: set.index.shards.count) }
            try writing.check(inputs: [vectors], files: names)
            for (shard, name) in names.enumerated() {
                if name.hasSuffix(".copy") {
                    try writeCopy(try set.part(shard), set.rows(of: shard).lowerBound, to: name)
                } else {
                    try writeNPY(try set.part(shard), to: name)
                }
            }
            if !report.quiet {
                Console.say(
                    "\(names[0]) …: \(Console.counted(file.count, "row")) × \(file.dimension) in \(Console.counted(names.count, "file"))")
            }
            return
        }
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "npy": try writeNPY(file, to: output)
        case "copy": try writeCopy(file, 0, to: output)
        case "vec": try writeWordVectors(file)
        case "tsv": try writeProjector(file)
        case "csv", "xlsx", "jsonl": try writeTable(file)
        case "hdf5": try ANNBenchmark(queries: queries ?? 1000, neighbours: neighbours ?? 100, seed: seed ?? 0).write(file, to: output)
        default:
            throw DataError(
                .usage, "the name should end with .npy, .vec, .tsv, .csv, .xlsx, .jsonl, .copy or .hdf5, so that the format is known",
                file: output)
        }
        if !report.quiet { Console.say("\(output): \(Console.counted(file.count, "row")) × \(file.dimension)") }
    }

    /// Calls `body` with blocks of rows, so that any file fits in memory.
    private func eachBlock(_ file: VectorFile, _ body: (Range<Int>, VectorBlock) throws -> Void) throws {
        for rows in Parallel.chunks(file.count, size: 4096) { try body(rows, file.block(rows: rows)) }
    }

    /// `v.npy` → `v-00007.npy`, so that names sort as rows do.
    private func shardName(_ shard: Int, of count: Int) -> String {
        let url = URL(fileURLWithPath: output), width = max(5, String(count - 1).count), digits = String(shard)
        let folder = output.contains("/") ? url.deletingLastPathComponent().path + "/" : ""
        return folder + url.deletingPathExtension().lastPathComponent + "-" + String(repeating: "0", count: width - digits.count) + digits
            + "." + url.pathExtension
    }

    /// PostgreSQL's COPY in text form: row, the columns, and the vector as pgvector reads it, `[0.1,0.2]`; a row without a vector has `\\N` (null).
    private func writeCopy(_ file: VectorFile, _ first: Int, to output: String) throws {
        let carried = CarriedColumns(file, withoutText: withoutText)
        func escaped(_ text: String) -> String {
            text.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
        }
        try AtomicFile.write(to: output) { target in
            try eachBlock(file) { rows, block in
                for (i, row) in rows.enumerated() {
                    let vector = block.embeddings[i * file.dimension..<(i + 1) * file.dimension].map { String($0) }.joined(separator: ",")
                    let cells =
                        [String(first + row)] + carried.columns.map { escaped(block.cell($0.role, row: i)) } + [
                            block.valid[i] ? "[\(vector)]" : "\\N"
                        ]
                    try target.write(cells.joined(separator: "\t") + "\n")
                }
            }
        }
        guard !report.quiet, first == 0 else { return }
        func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
        let columns =
            ["row bigint PRIMARY KEY"] + carried.columns.map { "\(quoted($0.name)) text" } + ["embedding vector(\(file.dimension))"]
        Console.say(
            "CREATE TABLE sentences (\(columns.joined(separator: ", ")));\n\\copy sentences FROM '\(URL(fileURLWithPath: output).lastPathComponent)'"
        )
    }

    private func writeNPY(_ file: VectorFile, to output: String) throws {
        let writer = try NPYWriter(path: output, shape: [file.count, file.dimension])
        try eachBlock(file) { _, block in try writer.append(block.embeddings) }
        try writer.finish()
    }

    /// Keys must be single words, so ids stand for the sentences; without ids, row numbers.
    private func writeWordVectors(_ file: VectorFile) throws {
        let valid = try file.valid()
        let writer = try WordVectorWriter(path: output, count: valid.count { $0 }, dimension: file.dimension)
        try eachBlock(file) { rows, block in
            for (i, row) in rows.enumerated() where block.valid[i] {
                try writer.write(
                    file.layout.hasIDs ? block.ids[i] : String(row), block.embeddings[i * file.dimension..<(i + 1) * file.dimension])
            }
        }
        try writer.finish()
        if writer.renamed > 0, !report.quiet {
            Console.say(
                "note: \(Console.counted(writer.renamed, "key")) repeated an earlier one and got a number (dog_2), because this "
                    + "format has one vector per word")
        }
    }

    /// Labels for the projector, next to its vectors.
    private var metadataPath: String { URL(fileURLWithPath: output).deletingPathExtension().path + ".metadata.tsv" }

    /// The projector wants vectors and metadata line by line; a blank line would shift all that follow, so empty texts become a dash.
    private func writeProjector(_ file: VectorFile) throws {
        let vectorLines = try ProjectorWriter(path: output), metadataLines = try ProjectorWriter(path: metadataPath)
        let carried = projected(file)
        // A single column has no header, says the projector.
        let header = carried.isEmpty ? ["row"] : carried.map(\.name)
        if header.count > 1 { try metadataLines.write(header) }
        try eachBlock(file) { rows, block in
            for (i, row) in rows.enumerated() where block.valid[i] {
                try vectorLines.write(block.embeddings[i * file.dimension..<(i + 1) * file.dimension].map { String($0) })
                try metadataLines.write(carried.isEmpty ? [String(row)] : carried.map { block.cell($0.role, row: i) })
            }
        }
        try metadataLines.finish()
        try vectorLines.finish()
    }

    /// The text first, which the projector shows beside a point.
    private func projected(_ file: VectorFile) -> [VectorLayout.Column] {
        let columns = file.layout.columns
        return (withoutText ? [] : columns.filter { $0.role == .text }) + columns.filter { $0.role != .text }
    }

    private func writeTable(_ file: VectorFile) throws {
        let carried = CarriedColumns(file, withoutText: withoutText)
        let columns = ["row"] + carried.tableColumns() + (0..<file.dimension).map { TableColumn("v\($0)") }
        try ResultTable(columns, tableOutput).write(to: output, provenance: provenance()) { append in
            try eachBlock(file) { rows, block in
                for (i, row) in rows.enumerated() {
                    // An empty row has no vector; its cells stay empty.
                    let vector = block.embeddings[i * file.dimension..<(i + 1) * file.dimension].map {
                        block.valid[i] ? Cell.single($0) : .missing
                    }
                    try append([.integer(row)] + carried.columns.map { .text(block.cell($0.role, row: i)) } + vector)
                }
            }
        }
    }
}
