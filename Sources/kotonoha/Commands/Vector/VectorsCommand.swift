import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Tensors
import VectorStore

struct VectorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors", abstract: "Make new vector files from old ones: select rows, add columns, project.",
        subcommands: [VectorsSelectCommand.self, VectorsLabelCommand.self, VectorsProjectCommand.self])
}

struct VectorsSelectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select", abstract: "Select rows of a vector file, or add codes for faster search.",
        discussion: """
            kotonoha vectors select all.h5 -o nouns.h5 --where pos=noun --distinct q99.9 --dropped dropped.csv
            kotonoha vectors select all.h5 -o coded.h5 --codes int8

            kotonoha vectors select corpus.kset -o sample.h5 --sample 1000000

            --distinct drops near-duplicates: rows whose cosine to an earlier kept row
            reaches a value, or a quantile of random pairs.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "The vector file to write.")
    var output: String

    @OptionGroup var filter: RowFilter

    @Option(help: ArgumentHelp("A table with a column 'row' (from 0): keep only these rows, in its order.", valueName: "table"))
    var rows: String?

    @Option(
        help: ArgumentHelp(
            "Drop rows this similar to an earlier one: a cosine, or a quantile of random pairs (q99).", valueName: "cosine|q99"))
    var distinct: String?

    @Option(help: ArgumentHelp("A table of the rows dropped by --distinct, each with the row it duplicates.", valueName: "table"))
    var dropped: String?

    @Option(in: .rows, help: "Draw this many rows at random, keeping their order.")
    var sample: Int?

    @Flag(
        help:
            "With --distinct, compare only rows that are close in sorted lists of signatures: for large files; a few near-duplicates are missed."
    )
    var approximate = false

    @Option(help: "Codes stored next to the vectors for faster search: int8 (the same results) or binary. By default those of the file.")
    var codes: VectorCodes?

    @Option(in: .seed, help: "Seed of the random pairs, the sample and the signatures.")
    var seed: UInt64 = 0

    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireVectors(output, "vectors are written")
        if approximate && distinct == nil { throw ValidationError("--approximate needs --distinct") }
        if !filter.isGiven && rows == nil && distinct == nil && sample == nil && codes == nil {
            throw ValidationError("nothing to do: give --where, --rows, --sample, --distinct or --codes")
        }
        if dropped != nil && distinct == nil { throw ValidationError("--dropped needs --distinct") }
    }

    func run() throws {
        try writing.check(inputs: [vectors, rows], files: [output, dropped])
        let file = try VectorFile(path: vectors), valid = try file.valid()
        var kept = try rows.map { try listed($0, file) } ?? Array(0..<file.count)
        let passes = try filter.passes(file)
        kept = kept.filter { passes[$0] }
        var record = provenance(seed: seed)
        record.inputs = [try .init(hashing: vectors)]
        record.settings = [
            ("method", .string("selection")), ("where", .array(filter.where.map(JSON.string))), ("vectors", try file.description),
        ]
        if let sample, sample < kept.count {
            var random = RandomSource(seed: seed).split(0x5A4D)
            kept = random.permutation(kept.count).prefix(sample).map { kept[$0] }.sorted()
            record.settings.append(("sample", .integer(sample)))
        }
        var repeated: [NearDuplicates.Repeat] = []
        if let distinct {
            let least = try RandomPairCosines(of: file, valid: valid, seed: seed).threshold(named: distinct)
            let rows = kept.filter { valid[$0] }
            if approximate {
                (kept, repeated) = try SortedDuplicates(cosine: least, seed: seed).drop(rows, of: file)
                record.settings.append(("candidates", .string("neighbours in sorted signatures")))
            } else {
                let x = try file.vectors()
                (kept, repeated) = try NearDuplicates.drop(rows, of: x, cosine: least)
            }
            record.settings += [("distinct", .number(least)), ("dropped", .integer(repeated.count))]
        }
        guard !kept.isEmpty else { throw DataError(.badData, "no rows are left; nothing was written", file: vectors) }
        record.settings.append(("rows", .integer(kept.count)))
        var metadata = file.metadata
        metadata.provenance = record.json().serialized()
        let writer = try VectorFileWriter(
            path: output, layout: file.layout, metadata: metadata, storage: file.storage, rows: kept.count,
            codes: codes ?? file.codeKinds.first)
        // Rows are read in runs, so that a selection in order reads the file once.
        var start = 0
        while start < kept.count {
            var end = start + 1
            while end < kept.count, kept[end] == kept[end - 1] + 1, end - start < 4096 { end += 1 }
            try writer.append(try file.block(rows: kept[start]..<kept[end - 1] + 1))
            start = end
        }
        try writer.finish()
        if let dropped {
            func text(_ row: Int) throws -> String { try file.texts(rows: row..<row + 1)[0] }
            try ResultTable(["row", "kept_row", TableColumn("cosine", decimals: 6), "text", "kept_text"], table).write(
                to: dropped, provenance: record
            ) { append in
                for r in repeated {
                    try append([.integer(r.row), .integer(r.of), .number(r.cosine), .text(text(r.row)), .text(text(r.of))])
                }
            }
        }
        if report.json {
            return try Console.print(
                JSON.object([("rows", .integer(kept.count)), ("of", .integer(file.count)), ("near_duplicates", .integer(repeated.count))])
                    .serialized(.pretty))
        }
        if !report.quiet {
            Console.say(
                "\(output): \(Console.grouped(kept.count)) of \(Console.grouped(file.count)) rows"
                    + (distinct == nil ? "" : "; \(Console.grouped(repeated.count)) near-duplicates dropped"))
        }
    }

    private func listed(_ path: String, _ file: VectorFile) throws -> [Int] {
        let table = try Table(path: path, wanted: ["row"])
        return try table.column("row").numbers().enumerated().map { place, value in
            guard let row = Int(exactly: value), row >= 0, row < file.count else {
                throw DataError(
                    .badData,
                    "row \(value) is not one of the \(file.count) rows, numbered "
                        + "from 0", file: path, line: table.lines[place])
            }
            return row
        }
    }
}

struct VectorsLabelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Add columns to a vector file, joined from a table by row or id.",
        discussion: """
            kotonoha vectors label vectors.h5 picked.csv -o labelled.h5

            TABLE has a column 'row' (from 0), or --key names a column that both files
            have. Its other columns are added; existing columns of the same name are
            replaced. Rows that are not in the table get empty cells.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Argument(help: "The table of labels.")
    var labels: String

    @Option(name: .shortAndLong, help: "The vector file to write.")
    var output: String

    @Option(help: "The column to join by; by default 'row'.")
    var key: String?

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.requireVectors(output, "vectors are written") }

    func run() throws {
        try writing.check(inputs: [vectors, labels], files: [output])
        let file = try VectorFile(path: vectors), table = try Table(path: labels, wanted: [key ?? "row"])
        let keyColumn = try table.column(key ?? "row")
        var rowOf: [String: Int] = [:]
        for (place, value) in keyColumn.texts.enumerated() {
            guard rowOf.updateValue(place, forKey: value) == nil else {
                throw DataError(.badData, "'\(value)' occurs twice in the column \(keyColumn.name)", file: labels, line: table.lines[place])
            }
        }
        let own = try key.map { try file.column(file.layout.requiredColumn(named: $0, file: vectors)) } ?? (0..<file.count).map(String.init)
        let places = own.map { rowOf[$0] }, matched = places.count { $0 != nil }, unknown = Set(rowOf.keys).subtracting(own)
        guard matched > 0 else {
            throw DataError(.badData, "no row of the table matches a row of the vector file by '\(keyColumn.name)'", file: labels)
        }
        guard unknown.isEmpty else {
            throw DataError(
                .badData,
                "\(Console.counted(unknown.count, "row is", "rows are")) not in the vector file: \(unknown.sorted().prefix(5).joined(separator: ", "))",
                file: labels)
        }
        let added = table.columns.filter { $0.name != keyColumn.name }
        guard !added.isEmpty else { throw DataError(.badData, "it has no column other than '\(keyColumn.name)'", file: labels) }
        let reserved = file.layout.columns.filter { if case .other = $0.role { false } else { true } }.map(\.name)
        if let taken = added.first(where: { reserved.contains($0.name) }) {
            throw DataError(
                .usage,
                "'\(taken.name)' is already the name of the vector file's texts, groups or ids; rename the table's "
                    + "column", file: labels)
        }
        var layout = file.layout, metadata = file.metadata
        let names = layout.columnNames
        layout.columnNames = names.filter { name in !added.contains { $0.name == name } } + added.map(\.name)
        var record = provenance()
        record.inputs = [try .init(hashing: vectors), try .init(hashing: labels)]
        record.settings = [
            ("method", .string("labels")), ("columns", .array(added.map { .string($0.name) })), ("matched", .integer(matched)),
            ("vectors", try file.description),
        ]
        metadata.provenance = record.json().serialized()
        let writer = try VectorFileWriter(
            path: output, layout: layout, metadata: metadata, storage: file.storage, rows: file.count, codes: file.codeKinds.first)
        for range in Parallel.chunks(file.count, size: 4096) {
            var block = try file.block(rows: range)
            block.columns =
                names.indices.filter { i in !added.contains { $0.name == names[i] } }.map { block.columns[$0] }
                + added.map { column in range.map { places[$0].map { column.texts[$0] } ?? "" } }
            try writer.append(block)
        }
        try writer.finish()
        if report.json {
            return try Console.print(
                JSON.object([
                    ("rows", .integer(file.count)), ("labelled", .integer(matched)), ("columns", .array(added.map { .string($0.name) })),
                ]).serialized(.pretty))
        }
        if !report.quiet {
            Console.say(
                "\(output): \(added.map(\.name).joined(separator: ", ")) for \(Console.grouped(matched)) of \(Console.grouped(file.count)) rows"
            )
        }
    }
}
