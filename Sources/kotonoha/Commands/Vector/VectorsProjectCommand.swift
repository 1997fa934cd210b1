import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Tensors
import VectorStore

struct VectorsProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Project vectors onto the span of some rows, or onto an axis between two poles.",
        discussion: """
            kotonoha vectors project words.h5 --onto 海,池,滝 -o projected.h5
            kotonoha vectors project words.h5 --onto 海,池,滝 --complement -o without.h5
            kotonoha vectors project words.h5 --axis 小さい:大きい -o size.tsv

            --onto projects every vector onto the span of those rows (--complement: onto
            its complement). This leaves all inner products with those rows unchanged, and
            so their order of similarity to any word; it changes the map, not the choice.
            --axis gives each row its position between two poles (which may have several
            rows: 小,低:大,高), assuming unit vectors.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "For --onto a vector file; for --axis a table (.tsv, .csv or .xlsx), standard output if not given.")
    var output: String?

    @Option(help: ArgumentHelp("Texts or ids of rows.", valueName: "a,b,c"))
    var onto: String?

    @Flag(help: "Remove the subspace instead.")
    var complement = false

    @Option(help: ArgumentHelp("The poles.", valueName: "a:b"))
    var axis: String?

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard (onto == nil) != (axis == nil) else { throw ValidationError("give either --onto or --axis") }
        if onto != nil && output == nil { throw ValidationError("--onto writes a vector file; name it with -o") }
        if complement && onto == nil { throw ValidationError("--complement needs --onto") }
        if let axis, axis.split(separator: ":").count != 2 {
            throw ValidationError("--axis expects two poles separated by a colon, such as 小:大, not '\(axis)'")
        }
    }

    func run() throws {
        try writing.check(inputs: [vectors], files: [output])
        let file = try VectorFile(path: vectors)
        let rows = try RowLookup(file)
        if let onto { try project(file, onto: rows.indices(of: onto)) }
        if let axis {
            let poles = axis.split(separator: ":").map(String.init)
            try place(file, low: rows.indices(of: poles[0]), high: rows.indices(of: poles[1]))
        }
    }

    private func vector(_ file: VectorFile, _ row: Int) throws -> [Float] { try file.readEmbeddings(rows: row..<row + 1) }

    private func project(_ file: VectorFile, onto rows: [Int]) throws {
        guard let output else { return }
        let options = try Tensor(rows.flatMap { try vector(file, $0) }, shape: [rows.count, file.dimension])
        let projection = try VectorProjection(onto: options)
        var metadata = file.metadata
        var record = provenance()
        record.inputs = [try .init(hashing: vectors)]
        record.settings = [
            ("method", .string("projection")), ("projection", .string(complement ? "complement" : "span")),
            ("onto", .array(try rows.map { .string(try file.texts(rows: $0..<$0 + 1)[0]) })), ("rank", .integer(projection.rank)),
        ]
        metadata.isNormalized = false
        metadata.createdBy = "kotonoha \(KotonohaProgram.version)"
        metadata.provenance = record.json().serialized()
        // Vectors of a subspace are not to be compared with those of the model.
        metadata.modelSHA256 = SHA256.hex(of: metadata.modelSHA256 + record.json().serialized())
        let writer = try VectorFileWriter(path: output, layout: file.layout, metadata: metadata, storage: .float32, rows: file.count)
        for range in Parallel.chunks(file.count, size: 4096) {
            var block = try file.block(rows: range)
            block.embeddings = projection(Tensor(block.embeddings, shape: [range.count, file.dimension]), complement: complement).elements
            try writer.append(block)
        }
        try writer.finish()
        if report.json {
            try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("rows", .integer(file.count)),
                    ("rank", .integer(projection.rank)), ("complement", .bool(complement)),
                ]).serialized(.pretty))
        } else if !report.quiet {
            Console.say(
                "\(output): \(Console.grouped(file.count)) rows, \(complement ? "without" : "within") the span of \(rows.count) (rank \(projection.rank))"
            )
        }
    }

    private func place(_ file: VectorFile, low: [Int], high: [Int]) throws {
        let scale = try SemanticAxis(from: low.map { try vector(file, $0) }, to: high.map { try vector(file, $0) })
        var places: [(row: Int, text: String, coordinate: Double?)] = []
        let valid = try file.valid()
        for range in Parallel.chunks(file.count, size: 4096) {
            let values = try file.readEmbeddings(rows: range), texts = try file.texts(rows: range)
            for (i, row) in range.enumerated() where valid[row] {
                places.append((row, texts[i], scale.coordinate(of: values[i * file.dimension..<(i + 1) * file.dimension])))
            }
        }
        places.sort { ($0.coordinate ?? -.infinity, $1.row) < ($1.coordinate ?? -.infinity, $0.row) }
        if report.json {
            try Console.print(
                JSON.array(
                    places.map {
                        .object([
                            ("row", .integer($0.row)), ("text", .string($0.text)),
                            ("coordinate", $0.coordinate.map { .number($0) } ?? .null),
                        ])
                    }
                ).serialized(.pretty))
        } else if output == nil {
            for place in places {
                try Console.print("\(place.coordinate.map { Console.fixed($0, 4) } ?? "NA")\t\(place.row)\t\(place.text.onOneLine)")
            }
        }
        guard let output else { return }
        var record = provenance()
        record.inputs = [try .init(hashing: vectors)]
        func poles(_ rows: [Int]) throws -> JSON { .array(try rows.map { .string(try file.texts(rows: $0..<$0 + 1)[0]) }) }
        record.settings = [
            ("method", .string("semantic axis")), ("low", try poles(low)), ("high", try poles(high)), ("vectors", try file.description),
        ]
        let carried = CarriedColumns(file), cells = try carried.lookUp(Set(places.map(\.row)))
        try ResultTable(["row", TableColumn("coordinate", decimals: 6)] + carried.tableColumns(), tableOutput).write(
            to: output, provenance: record
        ) { append in
            for place in places { try append([.integer(place.row), Cell(place.coordinate)] + (cells[place.row] ?? []).cells) }
        }
    }
}

/// Rows of a vector file by their texts, or by their ids where no text is alike.
struct RowLookup {
    private let path: String
    private var texts: [String: Int] = [:]
    private var ids: [String: Int] = [:]

    init(_ file: VectorFile) throws {
        path = file.path
        let valid = try file.valid()
        for (row, text) in try file.texts().enumerated().reversed() where valid[row] { texts[text] = row }
        for (row, id) in (try file.ids() ?? []).enumerated().reversed() where valid[row] { ids[id] = row }
    }

    subscript(name: String) -> Int? { texts[name] ?? ids[name] }

    /// Rows of names with commas between them; a name that holds commas itself is found as a whole.
    /// - Throws: `DataError` that lists the names that no row has.
    func indices(of list: String) throws -> [Int] {
        if let whole = self[list] { return [whole] }
        let names = list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let missing = names.filter { self[$0] == nil }
        guard missing.isEmpty, !names.isEmpty else {
            throw DataError(.usage, "no row has the text or id \(missing.map { "\"\($0)\"" }.joined(separator: ", "))", file: path)
        }
        return names.compactMap { self[$0] }
    }
}
