import Analysis
import ArgumentParser
import FileFormats
import Figures
import Foundation
import Statistics
import Tensors

struct MDSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mds", abstract: "Multidimensional scaling: a map whose distances are as the dissimilarities.",
        discussion: """
            kotonoha mds model.rdm.h5 -o mds.csv --figure mds.pdf --method nonmetric

            Classical scaling (Torgerson) is the start of the metric and nonmetric forms (SMACOF); --starts adds random ones. Stress-1 says how much of
            the distances is not the dissimilarities; --shepard draws one against the other.
            """)

    @Argument(help: "A dissimilarity matrix, vector file or table.")
    var input: String

    @Option(name: .shortAndLong, help: "The table of coordinates (.tsv, .csv, .xlsx, .jsonl, .json).")
    var output: String

    @Option(help: "classical, metric or nonmetric.")
    var method = MDS.Method.classical

    @Flag(help: "The same as --method nonmetric.")
    var nonmetric = false

    @Option(help: "Dimensions of the map.")
    var dimensions = 2

    @Option(help: "Random starts beside the classical solution.")
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

    func validate() throws { try OutputName.requireTable(output) }

    func run() throws {
        try writing.check(inputs: [DissimilarityOptions.path(input)], files: [output, shepard] + picture.figure)
        let rdm = try matrix.matrix(input), kind = nonmetric ? .nonmetric : method
        let fit = try MDS(kind, dimensions: dimensions, starts: starts, seed: seed).fit(rdm)
        let r = try? Correlation.pearson(fit.distances, rdm.values)
        let positive = fit.eigenvalues.filter { $0 > 0 }.reduce(0, +)
        var record = provenance(seed: seed)
        record.inputs = [try .init(hashing: DissimilarityOptions.path(input))]
        record.settings = [("method", .string("MDS")), ("form", .string(kind.rawValue)), ("dimensions", .integer(dimensions)), ("conditions", .integer(rdm.count)),
                           ("metric", .string(rdm.metric)), ("stress_1", .number(fit.stress)), ("iterations", .integer(fit.iterations)), ("starts", .integer(starts)),
                           ("eigenvalues", .array(fit.eigenvalues.prefix(10).map { .number($0) }))]
        try ResultTable(["label"] + (0..<dimensions).map { TableColumn("x\($0 + 1)", decimals: 6) }, table).write(to: output, provenance: record) { append in
            for i in 0..<rdm.count { try append([.text(rdm.labels[i])] + (0..<dimensions).map { .number(fit.coordinates[i, $0]) }) }
        }
        for path in picture.figure { try draw(rdm, fit, kind, to: path, record) }
        if let shepard { try drawShepard(rdm, fit, to: shepard, record) }
        if report.json {
            return try Console.print(JSON.object([
                ("form", .string(kind.rawValue)), ("conditions", .integer(rdm.count)), ("dimensions", .integer(dimensions)), ("stress_1", .number(fit.stress)),
                ("distance_pearson", r.map(JSON.number) ?? .null), ("iterations", .integer(fit.iterations)), ("eigenvalues", .array(fit.eigenvalues.map { .number($0) })),
            ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        Console.say("\(output): \(kind.rawValue) scaling of \(rdm.count) conditions in \(dimensions) dimensions, stress-1 \(Console.fixed(fit.stress, 4))"
                    + (r.map { ", distances correlate with dissimilarities at \(Console.fixed($0, 4))" } ?? "")
                    + "; eigenvalues \(fit.eigenvalues.prefix(4).map { Console.fixed($0, 4) }.joined(separator: ", ")), the first \(dimensions) "
                    + "\(Console.fixed(100 * fit.eigenvalues.prefix(dimensions).reduce(0, +) / positive, 1)) % of the positive ones")
        if starts > 0 { Console.say(fit.start.map { "random start \($0 + 1) was better than the classical solution" } ?? "no random start was better than the classical solution") }
    }

    private func draw(_ rdm: RDM, _ fit: MDS.Fit, _ kind: MDS.Method, to path: String, _ record: Provenance) throws {
        guard dimensions >= 2 else { throw DataError(.usage, "a map needs two dimensions; --dimensions asks for \(dimensions)") }
        var options = ScatterMap.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        let form = picture.isJapanese ? ["classical": "古典的", "metric": "計量", "nonmetric": "非計量"][kind.rawValue] ?? "" : kind.rawValue
        options.caption = picture.isJapanese ? "\(form)MDS、n = \(rdm.count)、ストレス1 = \(Console.fixed(fit.stress, 3))" : "\(form) MDS, n = \(rdm.count), stress-1 = \(Console.fixed(fit.stress, 3))"
        if rdm.count <= 200 { options.labels = .points(rdm.labels) }
        let map = try ScatterMap(points: (0..<rdm.count).map { (fit.coordinates[$0, 0], fit.coordinates[$0, 1]) }, groups: nil, options: options)
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
        let chart = try LineChart([
            .init(picture.isJapanese ? "距離" : "distances", x: rdm.values, y: fit.distances, hasLine: false),
            .init(picture.isJapanese ? "ディスパリティ" : "disparities", x: order.map { rdm.values[$0] }, y: order.map { fit.disparities[$0] }),
        ], options: options)
        try chart.write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }
}

extension MDS.Method: ExpressibleByArgument {}
