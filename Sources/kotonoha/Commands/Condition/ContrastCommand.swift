import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Statistics
import Tensors
import VectorStore

struct ContrastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contrast",
        abstract: "Test whether two conditions differ, in the similarity of their sentences or in a numeric column.",
        discussion: """
            kotonoha contrast vectors.h5 --by condition --between A,B --item item -o pairs.csv --figure c.pdf
            kotonoha contrast scores.csv --by condition --between A,B --item item --value surprisal

            With --item the same items occur in both conditions and the contrast is paired
            by item; without it the conditions are independent samples. Bootstrap and
            permutation are by item, never by pair. By-item results do not generalize over
            subjects.

            --toward C:D compares how much closer rows are to the rows of condition C than
            to those of D (as in WEAT).
            """)

    @Argument(help: "A vector file, or a table with --value.")
    var input: String

    @Option(help: "The column of conditions.")
    var by: String

    @Option(help: ArgumentHelp("Two conditions; may be given several times.", valueName: "A,B"))
    var between: [String]

    @Option(help: "The column of items; rows of one item are paired across conditions.")
    var item: String?

    @Option(help: "The numeric column of a table to compare.")
    var value: String?

    @Option(help: ArgumentHelp("Attribute conditions of the same column.", valueName: "C:D"))
    var toward: String?

    @Option(help: "Permutations, if not all are enumerated.")
    var permutations = 10_000

    @Option(help: "Bootstrap resamples.")
    var resamples = 10_000

    @Option(in: .seed, help: "Seed of permutations and resamples.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(
        name: .shortAndLong,
        help: "The long table for R: pairs of rows with their cosines, or the values (.tsv, .csv, .xlsx, .jsonl, .json).")
    var output: String?

    @OptionGroup(title: "Picture") var picture: PictureOptions
    @OptionGroup(title: "Input") var tableInput: TableArguments
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        if permutations < 1 || resamples < 1 { throw ValidationError("--permutations and --resamples should be at least 1") }
        if between.isEmpty { throw ValidationError("--between expects two conditions: --between A,B") }
        for pair in between where pair.split(separator: ",").count != 2 {
            throw ValidationError("--between expects two conditions separated by a comma, not '\(pair)'")
        }
        if let toward, toward.split(separator: ":").count != 2 {
            throw ValidationError("--toward expects two conditions separated by a colon, not '\(toward)'")
        }
    }

    func run() throws {
        try writing.check(inputs: [input], files: [output] + picture.figure)
        let contrast = Contrast(resamples: resamples, permutations: permutations, seed: seed, threads: threads)
        let isVectors = ["h5", "hdf5", "kset"].contains(URL(fileURLWithPath: input).pathExtension.lowercased())
        let run = try isVectors && value == nil ? contrastVectors(contrast) : contrastValues(contrast, isVectors: isVectors)
        let adjusted = run.adjusted()
        var record = provenance(seed: seed)
        record.inputs = [try .init(hashing: input)]
        record.settings =
            [
                ("method", .string("contrast")), ("by", .string(by)), ("item", item.map(JSON.string) ?? .null),
                ("value", value.map(JSON.string) ?? .null),
                ("toward", toward.map(JSON.string) ?? .null),
                ("resamples", .integer(resamples)), ("permutations", .integer(permutations)),
                (
                    "contrasts",
                    .array(run.results.indices.map { Self.json(run.results[$0], holm: adjusted.holm[$0], fdr: adjusted.fdr[$0]) })
                ), ("notes", .array(run.notes.map(JSON.string))),
            ] + (run.vectors.map { [("vectors", $0)] } ?? [])
        if let output {
            try ResultTable(run.columns, tableOutput).write(to: output, provenance: record) { append in
                for row in run.rows { try append(row) }
            }
        }
        for path in picture.figure {
            guard let categories = run.categories else { continue }
            var options = CategoryPlot.Options()
            options.page.width = try Length(parsing: picture.width)
            options.page.language = picture.isJapanese ? .japanese : .english
            options.title = picture.title
            options.yTitle = run.measure(picture.isJapanese)
            options.connects = run.isPaired && categories.count == 2
            try CategoryPlot(categories, options: options).write(to: URL(fileURLWithPath: path))
            try record.write(beside: path)
        }
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        for (k, result) in run.results.enumerated() {
            try Console.print(Self.line(result, holm: run.results.count > 1 ? adjusted.holm[k] : nil))
        }
        if !report.quiet { for note in run.notes { Console.say("note: " + note) } }
    }

    private var pairs: [(String, String)] {
        between.map { pair in
            let parts = pair.split(separator: ",").map(String.init)
            return (parts[0], parts[1])
        }
    }

    // MARK: Numbers of a table

    private func contrastValues(_ contrast: Contrast, isVectors: Bool) throws -> ContrastRun {
        guard let value else {
            throw DataError(.usage, "to contrast a table, name one of its numeric columns: --value COLUMN", file: input)
        }
        let table: Table
        if isVectors {
            let file = try VectorFile(path: input)
            table = Table(name: input, columns: try file.layout.columns.map { ($0.name, try file.column($0)) })
        } else {
            table = try Table(path: input, options: tableInput.options(), wanted: [by, value] + (item.map { [$0] } ?? []))
        }
        let factor = try table.column(by).factor(), numbers = try table.column(value).optionalNumbers(),
            items = try item.map { try table.column($0).texts }
        var run = ContrastRun(measureName: value)
        let valid = numbers.map { $0 != nil }, missing = valid.count { !$0 }
        if missing > 0 { run.notes.append("\(missing) rows without a number in '\(value)' were left out") }
        for (a, b) in pairs {
            // Several rows of one item in a condition are averaged: the item is the unit.
            let (first, second, note) = try values(factor, numbers, items, a, b)
            if let note { run.notes.append(note) }
            let name = "\(value): \(a) − \(b)"
            run.add(
                try items == nil ? contrast.unpaired(name, first, second) : contrast.paired(name, first, second), (a, first), (b, second))
        }
        run.columns = table.columnNames.map(TableColumn.carried)
        run.rows = (0..<table.rowCount).map { table.texts(row: $0).cells }
        return run
    }

    private func values(
        _ factor: Factor, _ numbers: [Double?], _ items: [String]?, _ a: String, _ b: String
    ) throws -> ([Double], [Double], String?) {
        guard a != b else { throw DataError(.usage, "a contrast needs two different conditions, not '\(a)' twice") }
        func rows(_ level: String) throws -> [Int] { try factor.rows(of: level).filter { numbers[$0] != nil } }
        guard let items else { return (try rows(a).compactMap { numbers[$0] }, try rows(b).compactMap { numbers[$0] }, nil) }
        func means(_ level: String) throws -> [String: Double] {
            var sums: [String: (Double, Int)] = [:]
            for row in try rows(level) where !items[row].isEmpty {
                sums[items[row], default: (0, 0)].0 += numbers[row] ?? 0
                sums[items[row], default: (0, 0)].1 += 1
            }
            return sums.mapValues { $0.0 / Double($0.1) }
        }
        let inA = try means(a), inB = try means(b)
        let cells = Dictionary(grouping: try (rows(a) + rows(b)).filter { !items[$0].isEmpty }) { [items[$0], factor[$0] ?? ""] }.filter {
            $0.value.count > 1
        }
        let repeated =
            cells.isEmpty
            ? nil
            : "\(cells.count) item–condition cells have several rows, which were averaged: "
                + cells.keys.sorted { $0.lexicographicallyPrecedes($1) }.prefix(5).map {
                    "\($0[0]) in \($0[1]) (\(cells[$0]?.count ?? 0) rows)"
                }.joined(separator: ", ") + (cells.count > 5 ? ", …" : "")
        let shared = Factor(name: "", values: items).levels.filter { inA[$0] != nil && inB[$0] != nil }
        let incomplete = Set(inA.keys).symmetricDifference(inB.keys).sorted()
        guard !shared.isEmpty else {
            throw DataError(.badData, "no item occurs in both '\(a)' and '\(b)'; leave out --item for an unpaired contrast", file: input)
        }
        let notes = [Self.note(incomplete, a, b), repeated].compactMap { $0 }
        return (shared.compactMap { inA[$0] }, shared.compactMap { inB[$0] }, notes.isEmpty ? nil : notes.joined(separator: "; "))
    }

    private static func note(_ incomplete: [String], _ a: String, _ b: String) -> String? {
        incomplete.isEmpty
            ? nil
            : "\(incomplete.count) items occur in only one of '\(a)' and '\(b)' and were left out: \(incomplete.prefix(5).joined(separator: ", "))\(incomplete.count > 5 ? ", …" : "")"
    }

    // MARK: Cosines of vectors

    private func contrastVectors(_ contrast: Contrast) throws -> ContrastRun {
        let file = try VectorFile(path: input), valid = try file.valid()
        func texts(_ column: String) throws -> [String] { try file.column(file.layout.requiredColumn(named: column, file: input)) }
        let factor = Factor(name: by, values: try texts(by)), items = try item.map(texts)
        let chosen = Set(pairs.flatMap { [$0.0, $0.1] } + (toward?.split(separator: ":").map(String.init) ?? []))
        for level in chosen { _ = try factor.index(of: level) }
        let rows = valid.indices.filter { valid[$0] && chosen.contains(factor[$0] ?? "") }
        guard rows.count <= 20_000 else {
            throw DataError(.usage, "\(rows.count) rows make too many pairs; select at most 20,000 with vectors select", file: input)
        }
        let x = try file.vectors(rows: rows).converted(to: Double.self)
        let place = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let raw = try cosineMatrix(x), centred = try cosineMatrix(x, centred: true)

        var run = ContrastRun(measureName: toward == nil ? "cosine" : "association")
        run.vectors = try file.description
        let carried = CarriedColumns(file), cells = try carried.read()
        run.columns =
            [
                .init("item"), .init("item2"), .init("condition"), .init("condition2"), .init("row"), .init("row2"),
                TableColumn("cosine", decimals: 6), TableColumn("centred_cosine", decimals: 6),
                .init("length"), .init("length2"), TableColumn("overlap", decimals: 4),
            ] + carried.tableColumns(suffix: "1") + carried.tableColumns(suffix: "2")
        let sentences = try file.texts(), pieces = rows.map { Set(Self.bigrams(sentences[$0])) }
        let (overlap, lengths) = Self.covariates(pieces, rows.map { Double(sentences[$0].count) })
        for (a, b) in pairs {
            let found = try ConditionPairs(conditions: factor, between: (a, b), items: items, valid: valid)
            if let note = Self.note(found.incomplete, a, b) { run.notes.append(note) }
            let first = found.first.compactMap { place[$0] }, second = found.second.compactMap { place[$0] }
            if let toward {
                let attributes = toward.split(separator: ":").map(String.init)
                let c = try factor.rows(of: attributes[0]).compactMap { place[$0] },
                    e = try factor.rows(of: attributes[1]).compactMap { place[$0] }
                for (label, cosines) in [("cosine", raw), ("centred cosine", centred)] {
                    let u = Contrast.association(cosines, rows: first, toward: c, e),
                        v = Contrast.association(cosines, rows: second, toward: c, e)
                    let name = "\(label) to \(attributes[0]) rather than \(attributes[1]): \(a) − \(b)"
                    run.add(
                        try found.isPaired ? contrast.paired(name, u, v) : contrast.unpaired(name, u, v), label == "cosine" ? (a, u) : nil,
                        label == "cosine" ? (b, v) : nil)
                }
            } else {
                // Words and length that sentences share make them similar whatever they mean: tested as well, and regressed out.
                var tables = [("cosine", raw), ("centred cosine", centred)]
                if let rest = adjusted(raw, rows: first + second, for: [overlap, lengths]) {
                    tables.append(("cosine without overlap and length", rest))
                }
                if Set(first + second).count == (first + second).count, Self.varies(overlap, first + second) {
                    tables.append(("overlap", overlap))
                }
                for (label, cosines) in tables {
                    let s = try contrast.similarity("\(label), \(a) and \(b)", cosines, first, second, paired: found.isPaired)
                    run.add(s.separation, nil, nil)
                    run.add(s.homogeneity, nil, nil)
                    if label == "cosine" {
                        func within(_ own: [Int]) -> [Double] { own.map { i in mean(own.filter { $0 != i }.map { raw[i, $0] }) } }
                        run.categories =
                            (run.categories ?? []) + [
                                .init(a, points: within(first), mean: s.withinFirst, interval: s.intervals.first),
                                .init(b, points: within(second), mean: s.withinSecond, interval: s.intervals.second),
                                .init(
                                    "\(a)–\(b)", points: first.map { i in mean(second.filter { $0 != i }.map { raw[i, $0] }) },
                                    mean: s.between, interval: s.intervals.between),
                            ]
                        run.isPaired = found.isPaired
                    }
                    run.notes.append(
                        "\(label): within \(a) \(Console.fixed(s.withinFirst, 4)), within \(b) \(Console.fixed(s.withinSecond, 4)), between \(Console.fixed(s.between, 4))"
                            + (s.sameItem.map { ", the two sentences of an item \(Console.fixed($0, 4))" } ?? ""))
                }
            }
            let characters = (found.first.map { Double(sentences[$0].count) }, found.second.map { Double(sentences[$0].count) })
            let length =
                try found.isPaired
                ? contrast.paired("length in characters: \(a) − \(b)", characters.0, characters.1)
                : contrast.unpaired("length in characters: \(a) − \(b)", characters.0, characters.1)
            run.add(length, nil, nil)
            let both = found.first + found.second
            for (p, i) in both.enumerated() {
                for j in both[(p + 1)...] {
                    guard let u = place[i], let v = place[j] else { continue }
                    run.rows.append(
                        [
                            Cell(items?[i]), Cell(items?[j]), Cell(factor[i]), Cell(factor[j]), .integer(i), .integer(j),
                            .number(raw[u, v]), .number(centred[u, v]),
                            .integer(sentences[i].count), .integer(sentences[j].count), .number(overlap[u, v]),
                        ] + cells.map { .text($0[i]) } + cells.map { .text($0[j]) })
                }
            }
        }
        run.notes.append("tests are by item and do not generalize over subjects or models")
        return run
    }

    /// What pairs of sentences share of their words or pairs of characters (Jaccard), and how much they differ in length: (rows, rows) each.
    private static func covariates(_ pieces: [Set<String>], _ lengths: [Double]) -> (overlap: Tensor<Double>, lengths: Tensor<Double>) {
        let n = pieces.count
        var overlap = Tensor<Double>(repeating: 0, shape: [n, n]), difference = overlap
        for i in 0..<n {
            for j in i + 1..<max(n, i + 1) {
                let shared = pieces[i].intersection(pieces[j]).count, union = pieces[i].count + pieces[j].count - shared
                overlap[i, j] = union == 0 ? 0 : Double(shared) / Double(union)
                difference[i, j] = abs(lengths[i] - lengths[j])
                (overlap[j, i], difference[j, i]) = (overlap[i, j], difference[i, j])
            }
        }
        return (overlap, difference)
    }

    private static func varies(_ table: Tensor<Double>, _ rows: [Int]) -> Bool {
        guard rows.count > 1 else { return false }
        let first = table[rows[0], rows[1]]
        return rows.contains { i in rows.contains { $0 != i && table[i, $0] != first } }
    }

    /// Words where the sentence has spaces, else pairs of characters.
    private static func bigrams(_ text: String) -> [String] {
        let words = text.split { $0.isWhitespace }.map { $0.lowercased() }
        if words.count > 1 { return words }
        let characters = Array(text)
        return characters.count < 2 ? [text] : (1..<characters.count).map { String(characters[($0 - 1)...$0]) }
    }
}
