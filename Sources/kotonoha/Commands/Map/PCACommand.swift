import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

struct PCACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pca", abstract: "Principal components of a vector file.",
        discussion: """
            Writes pca.h5: components, mean, explained variance and the coordinates of
            every row. Vectors are read in blocks, so files of any length fit. Signs are
            chosen so that the largest entry of each component is positive.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "The file to write.")
    var output: String

    @Option(help: "Number of components, or the proportion of variance to explain, such as 0.95.")
    var components = "50"

    @Option(help: "auto, covariance, full or randomized.")
    var method = "auto"

    @Flag(help: "Scale the coordinates to unit variance.")
    var whiten = false

    @Option(help: "Use the components of this pca.h5 instead of fitting new ones.")
    var from: String?

    @Option(help: "The scree plot: .svg, .pdf or .png.")
    var scree: String?

    @Option(in: .seed, help: "Seed of the randomized method.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup(title: "Picture of the first two components") var figures: FigureOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireVectors(output, "principal components are written")
        try OutputName.require(scree, OutputName.figures, "a picture is written")
        guard from != nil else { return }
        try refuse(
            [("--components", components != "50"), ("--method", method != "auto"), ("--whiten", whiten)],
            "cannot be combined with "
                + "--from, whose components are used unchanged")
    }

    func run() throws {
        try writing.check(inputs: [vectors, from], files: [output, scree] + figures.files)
        let file = try VectorFile(path: vectors), valid = try file.valid()
        try figures.check(file)
        let model: PCAModel
        if let from {
            model = try PCAModel(path: from)
            guard model.mean.count == file.dimension else {
                throw DataError(
                    .badData,
                    "its components have dimension \(model.mean.count), but the vectors of \(vectors) have "
                        + "\(file.dimension)", file: from)
            }
        } else {
            model = try pca(for: file, valid).fit(file, valid: valid)
        }
        let kept = valid.indices.filter { valid[$0] }
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = try [vectors, from].compactMap(\.self).map { try .init(hashing: $0) }
        record.settings = [
            ("method", .string("PCA")), ("solver", .string(model.solver.rawValue)), ("components", .integer(model.count)),
            ("whiten", .bool(model.whiten)),
            ("explained", .number(model.explainedVarianceRatio.reduce(0, +))),
            ("explained_variance_ratio", .array(model.explainedVarianceRatio.map { .number($0) })), ("vectors", try file.description),
        ]
        // Pictures need two coordinates of each row; the rest goes to the file as it comes.
        var points: [(x: Double, y: Double)] = []
        let drawn = figures.isWanted && model.count >= 2
        try model.write(
            to: output, rows: kept,
            attributes: [
                ("source", .string(URL(fileURLWithPath: vectors).lastPathComponent)),
                ("source_sha256", .string(try SHA256.hex(ofFile: vectors))),
                ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)),
                ("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(record.json().serialized())),
            ]
        ) { append in
            try model.transform(file, threads: threads) { range, part in
                let width = part.columns, elements = part.elements
                let some = range.filter { valid[$0] }.map { $0 - range.lowerBound }
                try append(
                    some.count == range.count
                        ? part : Tensor(some.flatMap { elements[$0 * width..<($0 + 1) * width] }, shape: [some.count, width]))
                if drawn { points += some.map { (Double(elements[$0 * width]), Double(elements[$0 * width + 1])) } }
            }
        }
        if figures.isWanted {
            guard model.count >= 2 else { throw DataError(.usage, "a map needs two components; --components asks for \(model.count)") }
            var rows = try MapRows(file, name: vectors)
            rows.points = points
            let ratio = model.explainedVarianceRatio
            try figures.draw(
                rows, caption: figures.words == .japanese ? "主成分分析、n = \(rows.rows.count)" : "PCA, n = \(rows.rows.count)",
                axes: .measured(
                    x: figures.words.principalComponent(1, explainedVarianceRatio: ratio[0]),
                    y: figures.words.principalComponent(2, explainedVarianceRatio: ratio[1])),
                provenance: record)
        }
        if let scree { try drawScree(model, to: scree, record) }
        try say(model, rows: kept.count)
    }

    private func pca(for file: VectorFile, _ valid: [Bool]) throws -> PCA {
        let wanted: PCA.Components
        if let count = Int(components) {
            // The default should not fail on a small file; a number that was asked for should.
            let limit = min(file.dimension, valid.count { $0 })
            wanted = .count(components == "50" ? max(1, min(50, limit)) : count)
        } else if components == "all" {
            wanted = .all
        } else if let share = Double(components) {
            wanted = .explaining(share)
        } else {
            throw DataError(.usage, "--components expects a number, a proportion such as 0.95, or all; not '\(components)'")
        }
        guard let solver = PCA.Solver(rawValue: method == "auto" ? PCA.Solver.automatic.rawValue : method) else {
            throw DataError(.usage, "--method is auto, covariance, full or randomized, not '\(method)'")
        }
        return PCA(components: wanted, solver: solver, whiten: whiten, seed: seed, threads: threads)
    }

    private func drawScree(_ model: PCAModel, to path: String, _ record: Provenance) throws {
        var options = LineChart.Options()
        options.page.language = figures.words
        let chart = try LineChart.scree(explainedVarianceRatio: model.explainedVarianceRatio, options: options)
        try chart.write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }

    private func say(_ model: PCAModel, rows: Int) throws {
        let total = model.explainedVarianceRatio.reduce(0, +)
        if report.json {
            return try Console.print(
                JSON.object([
                    ("rows", .integer(rows)), ("components", .integer(model.count)), ("solver", .string(model.solver.rawValue)),
                    ("explained_variance", .array(model.explainedVariance.map { .number($0) })),
                    ("explained_variance_ratio", .array(model.explainedVarianceRatio.map { .number($0) })), ("explained", .number(total)),
                    ("reconstruction_error", .number(max(0, model.totalVariance * (1 - total)))),
                ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        let first = model.explainedVarianceRatio.prefix(5).map { Console.fixed($0 * 100, 1) }.joined(separator: ", ")
        Console.say(
            "\(output): \(Console.counted(rows, "row")), \(Console.counted(model.count, "component")) (\(model.solver.rawValue)) \(model.count == 1 ? "explains" : "explain") \(Console.fixed(total * 100, 1)) % of the variance; "
                + "the first ones \(first) %; mean squared error of the reconstruction \(String(format: "%.3g", max(0, model.totalVariance * (1 - total))))"
        )
    }
}
