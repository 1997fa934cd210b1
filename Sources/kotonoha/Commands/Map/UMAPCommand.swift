import Analysis
import ArgumentParser
import FileFormats
import Figures
import Foundation
import Reporting
import Tensors
import VectorStore

struct UMAPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umap", abstract: "Make a UMAP map of a vector file.",
        discussion: """
            kotonoha umap vectors.h5 -o map.csv --figure map.svg --html map.html

            Distances are Euclidean between vectors scaled to unit length. As with t-SNE,
            only proximity is meaningful: not the axes, the sizes of clusters, or the gaps
            between them. --by COLUMN separates the values of a column (supervised; such a
            map is not evidence that they differ).

            kotonoha umap new.h5 --onto map.h5 -o placed.csv

            places new sentences on an existing map, which does not change.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "The map to write: .csv, .tsv, .xlsx, .jsonl, .json or .h5.")
    var output: String

    @Option(in: Bounds(2...1000), help: "Size of a neighbourhood, including the point itself.")
    var neighbors = 15

    @Option(in: Bounds(0...1000), help: "Minimum distance between points on the map.")
    var minimumDistance = 0.1

    @Option(in: Bounds(above: 0, through: 1000), help: "Scale of the map.")
    var spread = 1.0

    @Option(in: .dimension, help: "Reduce to this many principal components first.")
    var pca: Int?

    @Flag(help: "Do not scale vectors to length 1.")
    var rawLengths = false

    @Option(in: Bounds(1...2), help: "1 or 2.")
    var dimensions = 2

    @Option(in: .iterations, help: "Epochs; by default 500 for up to 10,000 points, 200 for more.")
    var epochs: Int?

    @Option(in: Bounds(above: 0, through: 1000), help: "Initial learning rate.")
    var learningRate = 1.0

    @Option(in: Bounds(0...1000), help: "Negative samples per edge.")
    var negative = 5

    @Option(help: "pca or random.")
    var initialization = "pca"

    @Option(help: "Separate the values of this column (supervised); empty cells are unlabelled.")
    var by: String?

    @Option(in: .seed, help: "Seed; the map does not depend on the number of threads.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads.")
    var threads = Parallel.availableThreads

    @Option(help: ArgumentHelp("Place the vectors on this map instead of making a new one.", valueName: "map.h5"))
    var onto: String?

    @Option(help: ArgumentHelp("The vector file of the --onto map; by default it is looked for next to the map.", valueName: "file"))
    var reference: String?

    @Flag(name: .customLong("report"), help: "Report how faithful the map is: neighbourhoods, distances, groups.")
    var measures = false

    @OptionGroup(title: "Pictures") var figures: FigureOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(output, OutputName.tables + OutputName.vectors, "a map is written")
        if onto != nil && (measures || pca != nil || by != nil) {
            throw ValidationError("--onto cannot be combined with --report, --pca or --by")
        }
        if reference != nil && onto == nil { throw ValidationError("--reference needs --onto") }
        if initialization != "pca" && initialization != "random" { throw ValidationError("--initialization is pca or random, not '\(initialization)'") }
    }

    func run() throws {
        try writing.check(inputs: [vectors, onto, reference], files: [output] + figures.files)
        if let onto { return try place(onto: onto) }
        let file = try VectorFile(path: vectors)
        var rows = try MapRows(file, name: vectors), run = settings
        let classes = try by.map { PairFilter.classes(of: try values(of: $0, file, rows.rows)) }
        var x = try rows.matrix()
        if let pca {
            // Components are coordinates, not directions: their lengths count from here on.
            if run.normalizesVectors { x = normalizedRows(x, threads: threads) }
            run.normalizesVectors = false
            x = try PCA(components: .count(pca), seed: seed, threads: threads).fit(x).transform(x, threads: threads)
        }
        let line = ProgressLine(unit: "epochs", isQuiet: report.quiet), begin = ContinuousClock.now, total = run.epochs(points: x.rows)
        let map = try run.fit(x, classes: classes) { epoch in
            line.update(done: epoch, fraction: Double(epoch) / Double(max(1, total)))
            if Interruption.isRequested { throw DataError(.interrupted, "stopped after \(epoch) epochs; nothing was written") }
        }
        line.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1), y = map.coordinates
        rows.place(y)
        let preprocessing = (rawLengths ? "Euclidean" : "Euclidean on L2-normalized vectors") + (pca.map { ", \($0) principal components" } ?? "")
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try Provenance.Source(hashing: vectors)]
        record.settings = [
            ("method", .string("UMAP")), ("neighbors", .integer(neighbors)), ("minimum_distance", .number(minimumDistance)), ("spread", .number(spread)),
            ("a", .number(map.curve.a)), ("b", .number(map.curve.b)), ("preprocessing", .string(preprocessing)), ("epochs", .integer(map.epochs)),
            ("learning_rate", .number(learningRate)), ("negative_samples", .integer(negative)), ("initialization", .string(initialization)),
            ("supervised_by", by.map(JSON.string) ?? .null), ("points", .integer(y.rows)), ("vectors", try file.description),
        ]
        let near = figures.isWanted && y.rows <= 50_000 && figures.html != nil ? try nearest(run.prepared(x)) : nil
        let quality = measures ? try MapQuality(of: y, vectors: run.prepared(x), groups: rows.groups.map(PairFilter.classes(of:)),
                                                neighbors: max(1, min(15, (y.rows - 1) / 2)), seed: seed, threads: threads) : nil
        try write(y, rows, record, attributes: [
            ("source", .string(URL(fileURLWithPath: vectors).lastPathComponent)), ("source_sha256", .string(record.inputs[0].sha256)),
            ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)), ("preprocessing", .string(preprocessing)),
            ("principal_components", .int(pca ?? 0)), ("neighbors", .int(neighbors)), ("minimum_distance", .double(minimumDistance)),
            ("spread", .double(spread)), ("epochs", .int(map.epochs)), ("seed", .int(Int(truncatingIfNeeded: seed))),
        ], method: "UMAP")
        if figures.isWanted {
            try figures.draw(rows, caption: "UMAP, \(neighbors) neighbours, \(preprocessing), n = \(y.rows)", axes: .none, neighbours: near, provenance: record)
        }
        if report.json {
            try Console.print(JSON.object([
                ("points", .integer(y.rows)), ("neighbors", .integer(neighbors)), ("minimum_distance", .number(minimumDistance)), ("epochs", .integer(map.epochs)),
                ("preprocessing", .string(preprocessing)), ("seed", .integer(Int(truncatingIfNeeded: seed))), ("seconds", .number(seconds)),
            ] + (quality.map { [("quality", $0.json)] } ?? [])).serialized(.pretty))
        } else {
            if !report.quiet {
                Console.say("\(output): \(Console.counted(y.rows, "point")), \(preprocessing), \(neighbors) neighbours, minimum distance \(minimumDistance), "
                            + "\(map.epochs) epochs, seed \(seed), \(Console.fixed(seconds, 1)) s")
            }
            if let quality { try Console.print(quality.lines) }
        }
    }

    private var settings: UMAP {
        var settings = UMAP()
        (settings.neighbors, settings.minimumDistance, settings.spread, settings.dimensions) = (neighbors, minimumDistance, spread, dimensions)
        settings.normalizesVectors = !rawLengths
        settings.initialization = initialization == "pca" ? .pca : .random
        (settings.epochs, settings.learningRate, settings.negativeSamples, settings.seed, settings.threads) = (epochs, learningRate, negative, seed, threads)
        return settings
    }

    /// The column's cells of the drawn rows; empty ones are unknown.
    private func values(of name: String, _ file: VectorFile, _ rows: [Int]) throws -> [String] {
        guard let column = file.layout.column(named: name) else {
            throw DataError(.usage, "--by '\(name)' is not a column; the columns are \(file.layout.columns.map(\.name).joined(separator: ", "))", file: vectors)
        }
        let values = try file.column(column)
        return rows.map { values[$0] }
    }

    private func nearest(_ x: Tensor<Float>) throws -> [[Int]] {
        let table = try NearestNeighbors.euclidean(x, count: min(10, x.rows - 1), threads: threads)
        return (0..<table.queries).map { table[$0].map(\.row) }
    }

    private func write(_ y: Tensor<Float>, _ rows: MapRows, _ record: Provenance, attributes: [(String, HDF5Attribute)], method: String) throws {
        guard OutputName.vectors.contains(URL(fileURLWithPath: output).pathExtension.lowercased()) else {
            return try rows.write(to: output, withoutText: figures.withoutText, tableOutput, provenance: record)
        }
        let made: [(String, HDF5Attribute)] = [("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(record.json().serialized()))]
        try MapFile.write(y, rows: rows.rows, method: method, to: output, attributes: attributes + made)
    }

    private func place(onto path: String) throws {
        let map = try MapFile(path: path), file = try VectorFile(path: vectors)
        guard map.method == "UMAP" else { throw DataError(.badData, "this map was made by \(map.method); place vectors on it with the command that made it", file: path) }
        let reference = try MapReference(map, path: path, named: reference, placing: file, threads: threads)
        var run = settings, rows = try MapRows(file, name: vectors)
        run.normalizesVectors = map.normalizesVectors && map.principalComponents == nil
        (run.neighbors, run.minimumDistance, run.spread) = (map.neighbors ?? neighbors, map.minimumDistance ?? minimumDistance, map.spread ?? spread)
        (run.dimensions, run.seed) = (map.coordinates.columns, map.seed)
        var y = Tensor<Float>(uninitialized: [rows.rows.count, map.coordinates.columns])
        for part in Parallel.chunks(rows.rows.count, size: MapReference.placedAtOnce) {
            let new = try reference.prepared(file, Array(rows.rows[part]))
            Float.copy(try run.transform(new, reference: reference.vectors, map: map.coordinates, epochs: epochs ?? 100).view, into: &y[rows: part])
        }
        rows.place(y)
        var record = provenance(seed: map.seed)
        record.inputs = [try .init(hashing: vectors), try .init(hashing: path), try .init(hashing: reference.source)]
        record.model = file.metadata.modelSource
        record.settings = [("method", .string("UMAP, placed on an existing map")), ("points", .integer(y.rows)), ("vectors", try file.description)]
        try write(y, rows, record, attributes: [
            ("source", .string(URL(fileURLWithPath: vectors).lastPathComponent)), ("source_sha256", .string(record.inputs[0].sha256)),
            ("map_sha256", .string(record.inputs[1].sha256)), ("preprocessing", .string(map.normalizesVectors ? "L2-normalized" : "none")),
            ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)),
        ], method: "UMAP, placed on an existing map")
        if figures.isWanted {
            try figures.draw(rows, caption: "placed on \(URL(fileURLWithPath: path).lastPathComponent), n = \(y.rows)", axes: .none, provenance: record)
        }
        if report.json {
            try Console.print(JSON.object([("points", .integer(y.rows))]).serialized(.pretty))
        } else if !report.quiet {
            Console.say("\(output): \(Console.counted(y.rows, "point")) placed on \(Console.grouped(map.rows.count)) of \(path)")
        }
    }
}
