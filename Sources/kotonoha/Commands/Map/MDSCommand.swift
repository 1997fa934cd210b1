import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Statistics
import Tensors

struct MDSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mds", abstract: "Multidimensional scaling: a map whose distances match dissimilarities.",
        discussion: """
            kotonoha mds model.rdm.h5 -o mds.csv --figure mds.pdf --method nonmetric

            Classical scaling (Torgerson) initializes metric and nonmetric scaling
            (SMACOF); --starts adds random starts. Stress-1 measures how far distances
            deviate from dissimilarities; --shepard plots one against the other.

            kotonoha mds layer4.rdm.h5 layer12.rdm.h5 -o maps.csv --figure maps.pdf

            Several matrices of the same conditions give maps that are translated, rotated
            and scaled onto each other (Procrustes); a line joins the points of each
            condition, and the disparity is the part of a map that their mean does not
            explain.
            """)

    @Argument(help: "A dissimilarity matrix, vector file or table; several give aligned maps.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The table of coordinates (.tsv, .csv, .xlsx, .jsonl, .json).")
    var output: String

    @Option(help: "classical, metric or nonmetric.")
    var method = MDS.Method.classical

    @Flag(help: "The same as --method nonmetric.")
    var nonmetric = false

    @Option(help: "Dimensions of the map.")
    var dimensions = 2

    @Option(help: "Random starts in addition to the classical solution.")
    var starts = 0

    @Option(in: .seed, help: "Seed of random starts.")
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("The Shepard diagram: .svg, .pdf or .png.", valueName: "file"))
    var shepard: String?

    @OptionGroup(title: "Matrix") var matrix: DissimilarityOptions
    @OptionGroup(title: "Picture") var picture: PictureOptions
    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        if inputs.isEmpty { throw ValidationError("name at least one matrix") }
        if dimensions < 1 || starts < 0 { throw ValidationError("--dimensions should be at least 1 and --starts at least 0") }
    }

    func run() throws {
        try writing.check(inputs: inputs.map(DissimilarityOptions.path), files: [output, shepard] + picture.figure)
        let found = try inputs.flatMap(matrix.matrices)
        guard found.count == 1 else { return try runAligned(found) }
        let input = inputs[0], rdm = found[0].rdm, kind = nonmetric ? .nonmetric : method
        let fit = try MDS(kind, dimensions: dimensions, starts: starts, seed: seed).fit(rdm)
        let r = try? Correlation.pearson(fit.distances, rdm.values)
        let positive = fit.eigenvalues.filter { $0 > 0 }.reduce(0, +)
        var record = provenance(seed: seed)
        record.inputs = [try .init(hashing: DissimilarityOptions.path(input))]
        record.settings = [
            ("method", .string("MDS")), ("form", .string(kind.rawValue)), ("dimensions", .integer(dimensions)),
            ("conditions", .integer(rdm.count)),
            ("metric", .string(rdm.metric)), ("stress_1", .number(fit.stress)), ("iterations", .integer(fit.iterations)),
            ("starts", .integer(starts)),
            ("eigenvalues", .array(fit.eigenvalues.prefix(10).map { .number($0) })),
        ]
        try ResultTable(["label"] + (0..<dimensions).map { TableColumn("x\($0 + 1)", decimals: 6) }, table).write(
            to: output, provenance: record
        ) { append in
            for i in 0..<rdm.count { try append([.text(rdm.labels[i])] + (0..<dimensions).map { .number(fit.coordinates[i, $0]) }) }
        }
        for path in picture.figure { try draw(rdm, fit, kind, to: path, record) }
        if let shepard { try drawShepard(rdm, fit, to: shepard, record) }
        if report.json {
            return try Console.print(
                JSON.object([
                    ("form", .string(kind.rawValue)), ("conditions", .integer(rdm.count)), ("dimensions", .integer(dimensions)),
                    ("stress_1", .number(fit.stress)),
                    ("distance_pearson", r.map(JSON.number) ?? .null), ("iterations", .integer(fit.iterations)),
                    ("eigenvalues", .array(fit.eigenvalues.map { .number($0) })),
                ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        Console.say(
            "\(output): \(kind.rawValue) scaling of \(rdm.count) conditions in \(dimensions) dimensions, stress-1 \(Console.fixed(fit.stress, 4))"
                + (r.map { ", distances correlate with dissimilarities at \(Console.fixed($0, 4))" } ?? "")
                + "; eigenvalues \(fit.eigenvalues.prefix(4).map { Console.fixed($0, 4) }.joined(separator: ", ")), the first \(dimensions) "
                + "\(Console.fixed(100 * fit.eigenvalues.prefix(dimensions).reduce(0, +) / positive, 1)) % of the positive ones")
        if starts > 0 {
            Console.say(
                fit.start.map { "random start \($0 + 1) was better than the classical solution" }
                    ?? "no random start was better than the classical solution")
        }
    }

    /// One map per matrix, brought onto their mean.
    private func runAligned(_ found: [(name: String, rdm: RDM)]) throws {
        if shepard != nil { throw DataError(.usage, "--shepard draws one matrix; there are \(found.count)") }
        let kind = nonmetric ? MDS.Method.nonmetric : method, labels = found[0].rdm.labels
        let fits = try found.map { name, rdm in
            do { return try MDS(kind, dimensions: dimensions, starts: starts, seed: seed).fit(try rdm.aligned(to: labels, name)) } catch let
                error as DataError
            {
                throw DataError(error.kind, "\(name): \(error.message)", file: error.file)
            }
        }
        let aligned = try Procrustes.align(fits.map(\.coordinates))
        var record = provenance(seed: seed)
        record.inputs = try inputs.map { try .init(hashing: DissimilarityOptions.path($0)) }
        record.settings = [
            ("method", .string("MDS")), ("form", .string(kind.rawValue)), ("dimensions", .integer(dimensions)),
            ("conditions", .integer(labels.count)), ("starts", .integer(starts)),
            (
                "maps",
                .array(
                    found.indices.map {
                        .object([
                            ("name", .string(found[$0].name)), ("stress_1", .number(fits[$0].stress)),
                            ("disparity", .number(aligned.disparities[$0])),
                        ])
                    })
            ),
        ]
        try ResultTable(["map", "label"] + (0..<dimensions).map { TableColumn("x\($0 + 1)", decimals: 6) }, table).write(
            to: output, provenance: record
        ) { append in
            for (m, map) in (aligned.maps + [aligned.mean]).enumerated() {
                for i in labels.indices {
                    try append(
                        [.text(m < found.count ? found[m].name : "mean"), .text(labels[i])] + (0..<dimensions).map { .number(map[i, $0]) })
                }
            }
        }
        for path in picture.figure { try drawAligned(found.map(\.name), labels, aligned, kind, to: path, record) }
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        guard !report.quiet else { return }
        for m in found.indices {
            Console.say(
                "\(found[m].name): stress-1 \(Console.fixed(fits[m].stress, 4)), disparity from the mean map \(Console.fixed(aligned.disparities[m], 4))"
            )
        }
    }

    private func drawAligned(
        _ names: [String], _ labels: [String], _ aligned: (maps: [Tensor<Double>], mean: Tensor<Double>, disparities: [Double]),
        _ kind: MDS.Method, to path: String,
        _ record: Provenance
    ) throws {
        guard dimensions >= 2 else { throw DataError(.usage, "a map needs two dimensions; --dimensions asks for \(dimensions)") }
        var options = ScatterMap.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        options.caption =
            picture.isJapanese
            ? "\(Self.japanese(kind))MDS、プロクラステス法で重ねた\(names.count)枚の地図、n = \(labels.count)"
            : "\(kind.rawValue) MDS, \(names.count) maps aligned (Procrustes), n = \(labels.count)"
        let n = labels.count
        options.joined = (0..<n).map { i in names.indices.map { $0 * n + i } }
        // The first map names the conditions.
        if n <= 100 { options.labels = .points(names.indices.flatMap { m in labels.map { m == 0 ? $0 : "" } }) }
        let points = aligned.maps.flatMap { map in (0..<n).map { (x: map[$0, 0], y: map[$0, 1]) } }
        try ScatterMap(points: points, groups: names.flatMap { [String](repeating: $0, count: n) }, options: options).write(
            to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }

    private static func japanese(_ kind: MDS.Method) -> String {
        ["classical": "古典的", "metric": "計量", "nonmetric": "非計量"][kind.rawValue] ?? ""
    }

    private func draw(_ rdm: RDM, _ fit: MDS.Fit, _ kind: MDS.Method, to path: String, _ record: Provenance) throws {
        guard dimensions >= 2 else { throw DataError(.usage, "a map needs two dimensions; --dimensions asks for \(dimensions)") }
        var options = ScatterMap.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        let form = picture.isJapanese ? Self.japanese(kind) : kind.rawValue
        options.caption =
            picture.isJapanese
            ? "\(form)MDS、n = \(rdm.count)、ストレス1 = \(Console.fixed(fit.stress, 3))"
            : "\(form) MDS, n = \(rdm.count), stress-1 = \(Console.fixed(fit.stress, 3))"
        if rdm.count <= 200 { options.labels = .points(rdm.labels) }
        let map = try ScatterMap(
            points: (0..<rdm.count).map { (fit.coordinates[$0, 0], fit.coordinates[$0, 1]) }, groups: nil, options: options)
        try map.write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }

    private func drawShepard(_ rdm: RDM, _ fit: MDS.Fit, to path: String, _ record: Provenance) throws {
        var options = LineChart.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.xTitle = picture.isJapanese ? "非類似度" : "dissimilarity"
        options.yTitle = picture.isJapanese ? "地図上の距離" : "distance in the map"
        let order = rdm.values.indices.sorted { (rdm.values[$0], fit.disparities[$0]) < (rdm.values[$1], fit.disparities[$1]) }
        let chart = try LineChart(
            [
                .init(picture.isJapanese ? "距離" : "distances", x: rdm.values, y: fit.distances, hasLine: false),
                .init(
                    picture.isJapanese ? "ディスパリティ" : "disparities", x: order.map { rdm.values[$0] }, y: order.map { fit.disparities[$0] }),
            ], options: options)
        try chart.write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }
}

extension MDS.Method: ExpressibleByArgument {}
