import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Figures
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

    @Option(help: "Effective number of neighbours; several (30,300) are averaged. By default 30, or a third of the other points if there are fewer than 90.")
    var perplexity: String?

    @Option(help: "Pairs with affinities: all, nearest (3 × perplexity neighbours), or auto (all below 5,000 points).")
    var affinities = "auto"

    @Option(in: .dimension, help: "Reduce to this many principal components first.")
    var pca: Int?

    @Flag(help: "Do not scale vectors to length 1.")
    var rawLengths = false

    @Option(in: Bounds(1...2), help: "1 or 2.")
    var dimensions = 2

    @Option(in: .iterations, help: "Iterations after early exaggeration.")
    var iterations = 500

    @Option(in: Bounds(above: 0, through: 1e6),
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

    @Option(help: "pca or random.")
    var initialization = "pca"

    @Option(in: .seed, help: "Seed; the map does not depend on the number of threads.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads.")
    var threads = Parallel.availableThreads

    @Option(help: ArgumentHelp("Place the vectors on this map instead of making a new one.", valueName: "map.h5"))
    var onto: String?

    @Option(help: ArgumentHelp("The vector file of the --onto map; by default it is looked for next to the map.", valueName: "file"))
    var reference: String?

    @Flag(help: "Continue a run that was stopped, from OUTPUT.partial.")
    var resume = false

    @Flag(name: .customLong("report"), help: "Report how faithful the map is: neighbourhoods, distances, groups.")
    var measures = false

    @OptionGroup(title: "Pictures") var figures: FigureOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(output, OutputName.tables + OutputName.vectors, "a map is written")
        if onto != nil && (resume || measures || pca != nil) {
            throw ValidationError("--onto cannot be combined with --resume, --report or --pca")
        }
        if reference != nil && onto == nil { throw ValidationError("--reference needs --onto") }
    }

    func run() throws {
        try writing.check(inputs: [vectors, onto, reference], files: [output] + figures.files)
        if let onto { return try place(onto: onto) }
        let file = try VectorFile(path: vectors)
        var rows = try MapRows(file, name: vectors)
        try figures.check(file)
        var run = try settings()
        var x = try rows.matrix()
        if let pca {
            // Components are coordinates, not directions: their lengths count from here on.
            if run.normalizesVectors { x = normalizedRows(x, threads: threads) }
            run.normalizesVectors = false
            x = try PCA(components: .count(pca), seed: seed, threads: threads).fit(x).transform(x, threads: threads)
        }
        if perplexity == nil, x.rows < 91, x.rows > 3, !report.quiet {
            Console.say("note: perplexity \(Self.plain(run.perplexities(points: x.rows))) instead of the usual 30, because there are only "
                + "\(x.rows) points (--perplexity sets another)")
        }
        let partial = PartialMap(output: output, key: "\(try SHA256.hex(ofFile: vectors)) pca=\(pca ?? 0)")
        try partial.check()
        let checkpoint = resume ? try partial.read() : nil
        let line = ProgressLine(unit: "iterations", isQuiet: report.quiet), begin = ContinuousClock.now
        let map = try run.fit(x, from: checkpoint) { progress in
            line.update(done: progress.iteration, fraction: Double(progress.iteration) / Double(max(1, progress.total)),
                        note: "KL \(Console.fixed(progress.kullbackLeiblerDivergence, 3)), gradient \(String(format: "%.1e", progress.gradientNorm))")
            if Interruption.isRequested {
                try partial.write(progress.makeCheckpoint())
                throw DataError(.interrupted, "stopped after \(progress.iteration) iterations; the same command with --resume continues")
            }
            if line.seconds > 10 { try partial.writeNowAndThen(progress) }
        }
        line.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let y = map.coordinates
        rows.place(y)
        let preprocessing = (rawLengths ? "Euclidean" : "Euclidean on L2-normalized vectors") + (pca.map { ", \($0) principal components" } ?? "")
        let early = map.settings.earlyExaggeration ?? 1, perplexity = Self.plain(map.settings.perplexities)
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try Provenance.Source(hashing: vectors)]
        record.settings = [
            ("method", .string("t-SNE")), ("gradient", .string(run.method(points: y.rows).rawValue)), ("perplexity", .string(perplexity)),
            ("affinities", .string(map.pairs.rawValue)), ("affinity_neighbors", .integer(map.neighbors)),
            ("preprocessing", .string(preprocessing)), ("iterations", .integer(map.iterations)),
            ("kullback_leibler_divergence", .number(map.kullbackLeiblerDivergence)),
            ("kullback_leibler_divergence_over_all_pairs", map.divergenceOverAllPairs.map(JSON.number) ?? .null), ("realized_perplexity", .number(map.realizedPerplexity)),
            ("early_exaggeration", .number(early)), ("early_iterations", .integer(run.earlyIterations)), ("exaggeration", .number(run.exaggeration)),
            ("learning_rate", run.learningRate.map(JSON.number) ?? .string("points / exaggeration")),
            ("degrees_of_freedom", .number(run.degreesOfFreedom)), ("initialization", .string(initialization)),
            ("points", .integer(y.rows)), ("vectors", try file.description),
        ]
        let quality = measures ? try measure(map, x, rows, normalizes: run.normalizesVectors) : nil
        try write(map, rows, file, preprocessing, record)
        partial.remove()
        if figures.isWanted {
            let near = y.rows <= 50_000 && figures.html != nil ? try nearest(x) : nil
            let caption = "t-SNE, perplexity \(perplexity), \(preprocessing), n = \(y.rows), KL \(Console.fixed(map.kullbackLeiblerDivergence, 2))"
            try figures.draw(rows, caption: caption, axes: .none, neighbours: near, provenance: record)
        }
        if report.json {
            try Console.print(JSON.object([
                ("points", .integer(y.rows)), ("kl", .number(map.kullbackLeiblerDivergence)), ("kl_affinities", .string(map.affinities)),
                ("kl_over_all_pairs", map.divergenceOverAllPairs.map(JSON.number) ?? .null), ("kl_is_exact", .bool(map.isExact && map.pairs == .all)),
                ("iterations", .integer(map.iterations)), ("early_exaggeration", .number(early)), ("method", .string(run.method(points: y.rows).rawValue)),
                ("preprocessing", .string(preprocessing)), ("perplexity", .string(perplexity)), ("realized_perplexity", .number(map.realizedPerplexity)),
                ("seed", .integer(Int(truncatingIfNeeded: seed))), ("seconds", .number(seconds)),
            ] + (quality.map { [("quality", $0.json)] } ?? [])).serialized(.pretty))
        } else if !report.quiet {
            if let halved = map.halvedExaggeration(asked: earlyExaggeration) { Console.say("note: " + halved) }
            Console.say("\(output): \(Console.counted(y.rows, "point")), \(preprocessing), perplexity \(perplexity), affinities \(map.affinities), "
                        + "\(run.method(points: y.rows).rawValue) gradient, \(map.iterations) iterations, "
                        + "seed \(seed): KL divergence \(map.divergences), \(Console.fixed(seconds, 1)) s")
        }
        if let quality, !report.json {
            let overAll = map.pairs == .all ? nil : map.divergenceOverAllPairs
            try Console.print("KL divergence \(map.affinities)\t\(Console.fixed(map.kullbackLeiblerDivergence, 4))\n"
                              + (overAll.map { "KL divergence over all pairs\t\(Console.fixed($0, 4))\n" } ?? "")
                              + "realized perplexity\t\(Console.fixed(map.realizedPerplexity, 2))\n" + quality.lines)
        }
    }

    /// 30, or 12.5, or 30,300.
    private static func plain(_ numbers: [Double]) -> String {
        numbers.map { $0 == $0.rounded() && abs($0) < 1e9 ? String(Int($0)) : "\($0)" }.joined(separator: ",")
    }

    /// How faithful the map is, in the space that its distances come from.
    private func measure(_ map: TSNEMap, _ x: Tensor<Float>, _ rows: MapRows, normalizes: Bool) throws -> MapQuality {
        let vectors = normalizes ? normalizedRows(x, threads: threads) : x
        return try MapQuality(of: map.coordinates, vectors: vectors, groups: rows.groups.map(PairFilter.classes(of:)),
                              neighbors: max(1, min(15, (vectors.rows - 1) / 2)), seed: seed, threads: threads)
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
        guard initialization == "pca" || initialization == "random" else { throw DataError(.usage, "--initialization is pca or random, not '\(initialization)'") }
        guard let pairs = affinities == "auto" ? .automatic : Affinities.Pairs(rawValue: affinities), affinities != "automatic" else {
            throw DataError(.usage, "--affinities is auto, all or nearest, not '\(affinities)'")
        }
        settings.gradient = gradient
        settings.pairs = pairs
        settings.initialization = initialization == "pca" ? .pca : .random
        settings.dimensions = dimensions
        settings.normalizesVectors = !rawLengths
        settings.iterations = iterations
        settings.earlyExaggeration = earlyExaggeration
        settings.earlyIterations = earlyIterations
        settings.exaggeration = exaggeration
        settings.learningRate = learningRate
        settings.degreesOfFreedom = degreesOfFreedom
        settings.seed = seed
        settings.threads = threads
        return settings
    }

    /// The nearest points in the space of the vectors, not on the map; for the page.
    private func nearest(_ x: Tensor<Float>) throws -> [[Int]] {
        let count = min(10, x.rows - 1)
        let table = try NearestNeighbors.euclidean(rawLengths || pca != nil ? x : normalizedRows(x, threads: threads), count: count, threads: threads)
        return (0..<table.queries).map { table[$0].map { $0.row } }
    }

    private func write(_ map: TSNEMap, _ rows: MapRows, _ file: VectorFile, _ preprocessing: String, _ record: Provenance) throws {
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "h5", "hdf5":
            try map.write(to: output, rows: rows.rows, attributes: [
                ("source", .string(URL(fileURLWithPath: vectors).lastPathComponent)), ("source_sha256", .string(record.inputs.first?.sha256 ?? "")),
                ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)), ("preprocessing", .string(preprocessing)),
                ("principal_components", .int(pca ?? 0)), ("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(record.json().serialized())),
            ])
        default:
            try rows.write(to: output, withoutText: figures.withoutText, tableOutput, provenance: record)
        }
    }
}
