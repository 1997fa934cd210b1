import Analysis
import ArgumentParser
import Figures
import FileFormats
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

    @Option(in: .iterations, help: "Epochs; by default 500 for up to 10,000 points, 200 for more.")
    var epochs: Int?

    @Option(in: Bounds(above: 0, through: 1000), help: "Initial learning rate.")
    var learningRate = 1.0

    @Option(in: Bounds(0...1000), help: "Negative samples per edge.")
    var negative = 5

    @Option(help: "Separate the values of this column (supervised); empty cells are unlabelled.")
    var by: String?

    @OptionGroup var map: PointMapOptions
    @OptionGroup(title: "Pictures") var figures: FigureOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(output, OutputName.tables + OutputName.vectors, "a map is written")
        if map.onto != nil && by != nil { throw ValidationError("--onto cannot be combined with --by") }
    }

    func run() throws {
        try writing.check(inputs: [vectors, map.onto, map.reference], files: [output] + figures.files)
        if let onto = map.onto { return try place(onto: onto) }
        let file = try VectorFile(path: vectors)
        var input = try map.input(file, named: vectors), run = settings
        run.normalizesVectors = input.normalizes
        let classes = try by.map { PairFilter.classes(of: try values(of: $0, file, input.rows.rows)) }
        let x = input.x
        let line = ProgressLine(unit: "epochs", isQuiet: report.quiet), begin = ContinuousClock.now, total = run.epochs(points: x.rows)
        let made = try run.fit(x, classes: classes) { epoch in
            line.update(done: epoch, fraction: Double(epoch) / Double(max(1, total)))
            if Interruption.isRequested { throw DataError(.interrupted, "stopped after \(epoch) epochs; nothing was written") }
        }
        line.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1), y = made.coordinates
        input.rows.place(y)
        let preprocessing = input.preprocessing, seed = map.seed
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try Provenance.Source(hashing: vectors)]
        record.settings = [
            ("method", .string("UMAP")), ("neighbors", .integer(neighbors)), ("minimum_distance", .number(minimumDistance)),
            ("spread", .number(spread)),
            ("a", .number(made.curve.a)), ("b", .number(made.curve.b)), ("preprocessing", .string(preprocessing)),
            ("epochs", .integer(made.epochs)),
            ("learning_rate", .number(learningRate)), ("negative_samples", .integer(negative)),
            ("initialization", .string(map.initialization)),
            ("supervised_by", by.map(JSON.string) ?? .null), ("points", .integer(y.rows)), ("vectors", try file.description),
        ]
        let quality = try map.quality(of: y, input)
        if OutputName.isVectors(output) {
            try MapFile.write(
                y, rows: input.rows.rows, method: "UMAP", to: output,
                attributes: input.attributes(record, components: map.pca) + [
                    ("neighbors", .int(neighbors)), ("minimum_distance", .double(minimumDistance)), ("spread", .double(spread)),
                    ("epochs", .int(made.epochs)), ("seed", .int(Int(truncatingIfNeeded: seed))),
                ])
        } else {
            try input.rows.write(to: output, withoutText: figures.withoutText, tableOutput, provenance: record)
        }
        if figures.isWanted {
            let caption = "UMAP, \(neighbors) neighbours, \(preprocessing), n = \(y.rows)"
            try figures.draw(
                input.rows, caption: caption, axes: .none, neighbours: try map.nearest(input, for: figures), provenance: record)
        }
        if report.json {
            try Console.print(
                JSON.object(
                    [
                        ("points", .integer(y.rows)), ("neighbors", .integer(neighbors)), ("minimum_distance", .number(minimumDistance)),
                        ("epochs", .integer(made.epochs)),
                        ("preprocessing", .string(preprocessing)), ("seed", .integer(Int(truncatingIfNeeded: seed))),
                        ("seconds", .number(seconds)),
                    ] + (quality.map { [("quality", $0.json)] } ?? [])
                ).serialized(.pretty))
        } else {
            if !report.quiet {
                Console.say(
                    "\(output): \(Console.counted(y.rows, "point")), \(preprocessing), \(neighbors) neighbours, minimum distance \(minimumDistance), "
                        + "\(made.epochs) epochs, seed \(seed), \(Console.fixed(seconds, 1)) s")
            }
            if let quality { try Console.print(quality.lines) }
        }
    }

    private var settings: UMAP {
        var settings = UMAP()
        (settings.neighbors, settings.minimumDistance, settings.spread, settings.dimensions) = (
            neighbors, minimumDistance, spread, map.dimensions
        )
        settings.normalizesVectors = !map.rawLengths
        settings.initialization = map.initialization == "pca" ? .pca : .random
        (settings.epochs, settings.learningRate, settings.negativeSamples) = (epochs, learningRate, negative)
        (settings.seed, settings.threads) = (map.seed, map.threads)
        return settings
    }

    /// The column's cells of the drawn rows; empty ones are unknown.
    private func values(of name: String, _ file: VectorFile, _ rows: [Int]) throws -> [String] {
        guard let column = file.layout.column(named: name) else {
            throw DataError(
                .usage, "--by '\(name)' is not a column; the columns are \(file.layout.columns.map(\.name).joined(separator: ", "))",
                file: vectors)
        }
        let values = try file.column(column)
        return rows.map { values[$0] }
    }

    private func place(onto path: String) throws {
        var placing = try MapPlacement(vectors, onto: path, of: "UMAP", map), run = settings
        let old = placing.map
        run.normalizesVectors = placing.normalizes
        (run.neighbors, run.minimumDistance, run.spread) = (
            old.neighbors ?? neighbors, old.minimumDistance ?? minimumDistance, old.spread ?? spread
        )
        (run.dimensions, run.seed) = (old.coordinates.columns, old.seed)
        let y = try placing.place { try run.transform($0, reference: $1, map: old.coordinates, epochs: epochs ?? 100) }
        try placing.write(y, to: output, provenance(seed: old.seed), settings: [], tableOutput, figures)
        if report.json {
            try Console.print(JSON.object([("points", .integer(y.rows))]).serialized(.pretty))
        } else if !report.quiet {
            Console.say(placing.summary(output))
        }
    }
}
