import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

struct TSNECommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tsne", abstract: "Make a t-SNE map of a vector file, on which similar sentences stay close.",
        discussion: """
            kotonoha tsne vectors.h5 -o map.csv --figure map.svg --html map.html

            Distances are Euclidean between vectors scaled to unit length, at full
            dimension; --pca N reduces them first. On a map only proximity is meaningful:
            not the axes, the sizes of clusters, or the distances between distant clusters.

            kotonoha tsne new.h5 --onto map.h5 -o placed.csv

            places new sentences on an existing map, which does not change.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "The map to write: .csv, .tsv, .xlsx, .jsonl, .json or .h5.")
    var output: String

    @Option(
        help:
            "Effective number of neighbours; several (30,300) are averaged. By default 30, or a third of the other points if there are fewer than 90."
    )
    var perplexity: String?

    @Option(help: "Pairs with affinities: all, nearest (3 × perplexity neighbours), or auto (all below 5,000 points).")
    var affinities = "auto"

    @Option(in: .iterations, help: "Iterations after early exaggeration.")
    var iterations = 500

    @Option(
        in: Bounds(above: 0, through: 1e6),
        help: "Factor on the attraction in the first iterations. By default 12, halved until the map does not collapse.")
    var earlyExaggeration: Double?

    @Option(in: .iterations, help: "Iterations of early exaggeration.")
    var earlyIterations = 250

    @Option(in: Bounds(above: 0, through: 1e6), help: "Factor on the attraction afterwards; above 1 tightens clusters.")
    var exaggeration = 1.0

    @Option(in: Bounds(above: 0, through: 1e12), help: "Learning rate; points / exaggeration by default.")
    var learningRate: Double?

    @Option(in: Bounds(0.1...100), help: "Degrees of freedom of the map's kernel; values below 1 give finer clusters.")
    var degreesOfFreedom = 1.0

    @Option(help: "auto, exact, barnes-hut or fft.")
    var method = "auto"

    @Flag(help: "Continue a run that was stopped, from OUTPUT.partial.")
    var resume = false

    @OptionGroup var map: PointMapOptions
    @OptionGroup(title: "Pictures") var figures: FigureOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(output, OutputName.tables + OutputName.vectors, "a map is written")
        if map.onto != nil && resume { throw ValidationError("--onto cannot be combined with --resume") }
    }

    func run() throws {
        try writing.check(inputs: [vectors, map.onto, map.reference], files: [output] + figures.files)
        if let onto = map.onto { return try place(onto: onto) }
        let file = try VectorFile(path: vectors)
        try figures.check(file)
        var run = try settings(), input = try map.input(file, named: vectors)
        run.normalizesVectors = input.normalizes
        let x = input.x
        if perplexity == nil, x.rows < 91, x.rows > 3, !report.quiet {
            Console.say(
                "note: perplexity \(Self.plain(run.perplexities(points: x.rows))) instead of the usual 30, because there are only "
                    + "\(x.rows) points (--perplexity sets another)")
        }
        let partial = PartialMap(output: output, key: "\(try SHA256.hex(ofFile: vectors)) pca=\(map.pca ?? 0)")
        try partial.check()
        let checkpoint = resume ? try partial.read() : nil
        let line = ProgressLine(unit: "iterations", isQuiet: report.quiet), begin = ContinuousClock.now
        let made = try run.fit(x, from: checkpoint) { progress in
            line.update(
                done: progress.iteration, fraction: Double(progress.iteration) / Double(max(1, progress.total)),
                note:
                    "KL \(Console.fixed(progress.kullbackLeiblerDivergence, 3)), gradient \(String(format: "%.1e", progress.gradientNorm))")
            if Interruption.isRequested {
                try partial.write(progress.makeCheckpoint())
                throw DataError(.interrupted, "stopped after \(progress.iteration) iterations; the same command with --resume continues")
            }
            if line.seconds > 10 { try partial.writeNowAndThen(progress) }
        }
        line.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let y = made.coordinates, seed = map.seed, preprocessing = input.preprocessing
        input.rows.place(y)
        let early = made.settings.earlyExaggeration ?? 1, perplexity = Self.plain(made.settings.perplexities)
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try Provenance.Source(hashing: vectors)]
        record.settings = [
            ("method", .string("t-SNE")), ("gradient", .string(run.method(points: y.rows).rawValue)), ("perplexity", .string(perplexity)),
            ("affinities", .string(made.pairs.rawValue)), ("affinity_neighbors", .integer(made.neighbors)),
            ("preprocessing", .string(preprocessing)), ("iterations", .integer(made.iterations)),
            ("kullback_leibler_divergence", .number(made.kullbackLeiblerDivergence)),
            ("kullback_leibler_divergence_over_all_pairs", made.divergenceOverAllPairs.map(JSON.number) ?? .null),
            ("realized_perplexity", .number(made.realizedPerplexity)),
            ("early_exaggeration", .number(early)), ("early_iterations", .integer(run.earlyIterations)),
            ("exaggeration", .number(run.exaggeration)),
            ("learning_rate", run.learningRate.map(JSON.number) ?? .string("points / exaggeration")),
            ("degrees_of_freedom", .number(run.degreesOfFreedom)), ("initialization", .string(map.initialization)),
            ("points", .integer(y.rows)), ("vectors", try file.description),
        ]
        let quality = try map.quality(of: y, input)
        if OutputName.isVectors(output) {
            try made.write(to: output, rows: input.rows.rows, attributes: input.attributes(record, components: map.pca))
        } else {
            try input.rows.write(to: output, withoutText: figures.withoutText, tableOutput, provenance: record)
        }
        partial.remove()
        if figures.isWanted {
            let caption =
                "t-SNE, perplexity \(perplexity), \(preprocessing), n = \(y.rows), KL \(Console.fixed(made.kullbackLeiblerDivergence, 2))"
            try figures.draw(
                input.rows, caption: caption, axes: .none, neighbours: try map.nearest(input, for: figures), provenance: record)
        }
        if report.json {
            try Console.print(
                JSON.object(
                    [
                        ("points", .integer(y.rows)), ("kl", .number(made.kullbackLeiblerDivergence)),
                        ("kl_affinities", .string(made.affinities)),
                        ("kl_over_all_pairs", made.divergenceOverAllPairs.map(JSON.number) ?? .null),
                        ("kl_is_exact", .bool(made.isExact && made.pairs == .all)),
                        ("iterations", .integer(made.iterations)), ("early_exaggeration", .number(early)),
                        ("method", .string(run.method(points: y.rows).rawValue)),
                        ("preprocessing", .string(preprocessing)), ("perplexity", .string(perplexity)),
                        ("realized_perplexity", .number(made.realizedPerplexity)),
                        ("seed", .integer(Int(truncatingIfNeeded: seed))), ("seconds", .number(seconds)),
                    ] + (quality.map { [("quality", $0.json)] } ?? [])
                ).serialized(.pretty))
        } else if !report.quiet {
            if let halved = made.halvedExaggeration(asked: earlyExaggeration) { Console.say("note: " + halved) }
            Console.say(
                "\(output): \(Console.counted(y.rows, "point")), \(preprocessing), perplexity \(perplexity), affinities \(made.affinities), "
                    + "\(run.method(points: y.rows).rawValue) gradient, \(made.iterations) iterations, "
                    + "seed \(seed): KL divergence \(made.divergences), \(Console.fixed(seconds, 1)) s")
        }
        if let quality, !report.json {
            let overAll = made.pairs == .all ? nil : made.divergenceOverAllPairs
            try Console.print(
                "KL divergence \(made.affinities)\t\(Console.fixed(made.kullbackLeiblerDivergence, 4))\n"
                    + (overAll.map { "KL divergence over all pairs\t\(Console.fixed($0, 4))\n" } ?? "")
                    + "realized perplexity\t\(Console.fixed(made.realizedPerplexity, 2))\n" + quality.lines)
        }
    }

    /// 30, or 12.5, or 30,300.
    private static func plain(_ numbers: [Double]) -> String {
        numbers.map { $0 == $0.rounded() && abs($0) < 1e9 ? String(Int($0)) : "\($0)" }.joined(separator: ",")
    }

    func settings() throws -> TSNE {
        var settings = TSNE()
        settings.perplexities = try (perplexity ?? "").split(separator: ",").map { part in
            guard let value = Double(part) else {
                throw DataError(.usage, "--perplexity '\(perplexity ?? "")' is neither a number nor a list of numbers separated by commas")
            }
            return value
        }
        let methods: [String: TSNE.Gradient] = ["auto": .automatic, "exact": .exact, "barnes-hut": .barnesHut, "fft": .interpolation]
        guard let gradient = methods[method] else { throw DataError(.usage, "--method is auto, exact, barnes-hut or fft, not '\(method)'") }
        guard let pairs = affinities == "auto" ? .automatic : Affinities.Pairs(rawValue: affinities), affinities != "automatic" else {
            throw DataError(.usage, "--affinities is auto, all or nearest, not '\(affinities)'")
        }
        settings.gradient = gradient
        settings.pairs = pairs
        settings.initialization = map.initialization == "pca" ? .pca : .random
        settings.dimensions = map.dimensions
        settings.normalizesVectors = !map.rawLengths
        settings.iterations = iterations
        settings.earlyExaggeration = earlyExaggeration
        settings.earlyIterations = earlyIterations
        settings.exaggeration = exaggeration
        settings.learningRate = learningRate
        settings.degreesOfFreedom = degreesOfFreedom
        settings.seed = map.seed
        settings.threads = map.threads
        return settings
    }

    /// New sentences on a map that stays as it is.
    private func place(onto path: String) throws {
        var placing = try MapPlacement(vectors, onto: path, of: "t-SNE", map), run = TSNE(), divergence = 0.0
        let old = placing.map
        (run.normalizesVectors, run.degreesOfFreedom, run.threads) = (placing.normalizes, old.degreesOfFreedom, map.threads)
        let y = try placing.place { new, reference in
            let placed = try run.transform(new, reference: reference, map: old.coordinates)
            divergence += placed.meanDivergence * Double(new.rows)
            return placed.coordinates
        }
        divergence /= Double(max(1, y.rows))
        try placing.write(
            y, to: output, provenance(seed: old.seed), settings: [("mean_divergence", .number(divergence))], tableOutput, figures)
        if report.json {
            try Console.print(JSON.object([("points", .integer(y.rows)), ("mean_divergence", .number(divergence))]).serialized(.pretty))
        } else if !report.quiet {
            Console.say(placing.summary(output) + "; mean divergence of their neighbourhoods \(Console.fixed(divergence, 3))")
        }
    }
}
