import ArgumentParser
import Figures
import FileFormats
import Foundation
import Simulation
import Tensors

struct DrawOverfittingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overfitting", abstract: "Polynomials fitted to a noisy sine: overfitting, bias and variance, regularization.",
        discussion:
            "Polynomials are fitted to --sampled of --points noisy points of a sine on 0 … 6π. --table writes the numbers of all panels.")

    @Option(name: .shortAndLong, help: "The picture: .svg, .pdf or .png.") var output: String
    @Option(help: "Number of points on the interval.") var points = 100
    @Option(help: "Number of points to fit; the others are held out.") var sampled = 10
    @Option(help: "Standard deviation of the noise.") var noise = 0.3
    @Option(help: "Highest degree.") var degree = 12
    @Option(help: "Degree of the polynomial fitted with increasing penalty λ.") var pathDegree = 9
    @Option(help: "Number of data sets for bias and variance.") var repetitions = 500
    @Option(help: "All numbers, as .tsv, .csv or .xlsx.") var table: String?
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @Option(help: "Width of the picture, such as 85mm, 3.5in or 400pt.") var width = "180mm"
    @Option(help: "Language of the picture: en or ja.") var language: FigureLanguage = SessionLanguage.files.figures
    @Option(help: "Seed of noise and sample.") var seed: UInt64 = 0
    @Option(in: .threads, help: "Number of threads; results do not depend on it.") var threads = Parallel.availableThreads
    @OptionGroup(title: "Output") var writing: OutputOptions

    func validate() throws {
        try OutputName.require(output, OutputName.figures, "a picture is written")
        try OutputName.requireTable(table)
        guard (10...10_000).contains(points), (2..<points).contains(sampled) else {
            throw ValidationError("--points must be 10 to 10000, --sampled 2 to --points − 1")
        }
        guard (1...20).contains(degree), (1...20).contains(pathDegree), (2...100_000).contains(repetitions), (0...100).contains(noise)
        else {
            throw ValidationError("--degree and --path-degree are 1 to 20, --repetitions 2 to 100000, --noise 0 to 100")
        }
    }

    func run() throws {
        try writing.check(inputs: [], files: [output, table])
        var study = Overfitting()
        (study.points, study.sampled, study.noise, study.degrees, study.pathDegree) = (
            points, sampled, noise, Array(1...degree), pathDegree
        )
        (study.repetitions, study.seed, study.threads) = (repetitions, seed, threads)
        let data = study.data(), byDegree = try study.degrees.map { try study.decomposition(degree: $0) }
        let path = try study.penalties.map { penalty in
            (
                penalty, try study.fit(data, degree: pathDegree, penalty: penalty),
                try study.decomposition(degree: pathDegree, penalty: penalty)
            )
        }
        let says = language.says
        func chart(_ title: String, _ x: String, _ y: String) throws -> LineChart.Options {
            var o = LineChart.Options()
            o.page.width = FigureGrid.columnWidth(of: try Length(parsing: width), columns: 2)
            o.page.language = language
            (o.title, o.xTitle, o.yTitle) = (title, x, y)
            return o
        }
        var fits = try chart(says("Fits to \(sampled) of \(points) points", "\(points) 点中 \(sampled) 点への当てはめ"), "x", "y")
        fits.yRange = -2.5...2.5
        let fine = (0...400).map { Double($0) / 400 * Overfitting.end }
        var curves = [LineChart.Series(says("sine", "正弦"), x: fine, y: fine.map(Overfitting.truth), isDashed: true)]
        for d in [1, 3, 6, 9, 12] where d <= degree {
            let polynomial = try study.fit(data, degree: d)
            curves.append(LineChart.Series(says("degree \(d)", "\(d) 次"), x: fine, y: fine.map { polynomial($0) }))
        }
        curves.append(
            LineChart.Series(
                says("fitted points", "当てはめた点"), x: data.fitted.map { data.x[$0] }, y: data.fitted.map { data.y[$0] }, hasLine: false))
        let x = study.degrees.map(Double.init)
        var errors = try chart(
            says("Error by degree (median of \(repetitions) samples)", "次数と誤差(\(repetitions) 標本の中央値)"), says("degree", "次数"),
            says("root mean squared error", "平均二乗誤差の平方根"))
        errors.hasLogarithmicY = true
        // What is interpolated exactly has an error of rounding only.
        errors.yRange = 0.01...max(10, byDegree.map(\.heldOutError).filter(\.isFinite).max() ?? 10)
        var parts = try chart(says("Squared bias and variance", "バイアスの二乗と分散"), says("degree", "次数"), says("mean over x", "x についての平均"))
        parts.hasLogarithmicY = true
        var penalized = try chart(
            says("Penalty, degree \(pathDegree): error", "正則化(\(pathDegree) 次):誤差"), "λ", says("root mean squared error", "平均二乗誤差の平方根"))
        (penalized.hasLogarithmicX, penalized.hasLogarithmicY) = (true, true)
        var biased = try chart(says("Penalty: squared bias and variance", "正則化:バイアスの二乗と分散"), "λ", says("mean over x", "x についての平均"))
        (biased.hasLogarithmicX, biased.hasLogarithmicY) = (true, true)
        var coefficients = try chart(says("Penalty: coefficients", "正則化:係数"), "λ", says("coefficient of scaled x", "係数(x は −1〜1)"))
        coefficients.hasLogarithmicX = true
        let lambda = path.map(\.0)
        let figure = try FigureGrid(
            [
                LineChart(curves, options: fits),
                LineChart(
                    [
                        .init(says("fitted points", "当てはめた点"), x: x, y: byDegree.map(\.fittedError), hasMarkers: true),
                        .init(says("held out", "残りの点"), x: x, y: byDegree.map(\.heldOutError), hasMarkers: true),
                    ], options: errors),
                LineChart(
                    [
                        .init(says("squared bias", "バイアスの二乗"), x: x, y: byDegree.map(\.squaredBias), hasMarkers: true),
                        .init(says("variance", "分散"), x: x, y: byDegree.map(\.variance), hasMarkers: true),
                    ], options: parts),
                LineChart(
                    [
                        .init(says("fitted points", "当てはめた点"), x: lambda, y: path.map(\.2.fittedError)),
                        .init(says("held out", "残りの点"), x: lambda, y: path.map(\.2.heldOutError)),
                    ], options: penalized),
                LineChart(
                    [
                        .init(says("squared bias", "バイアスの二乗"), x: lambda, y: path.map(\.2.squaredBias)),
                        .init(says("variance", "分散"), x: lambda, y: path.map(\.2.variance)),
                    ], options: biased),
                LineChart(
                    (1...pathDegree).map { k in .init(says("power \(k)", "\(k) 次の項"), x: lambda, y: path.map { $0.1.coefficients[k] }) },
                    options: coefficients),
            ], columns: 2, title: says("Overfitting", "過学習"),
            page: {
                var p = PageStyle()
                p.language = language
                return p
            }())
        try figure.write(to: URL(fileURLWithPath: output))
        var record = provenance(seed: seed)
        record.settings = [
            (key: "noise", value: .number(noise)), (key: "sampled", value: .integer(sampled)),
            (key: "repetitions", value: .integer(repetitions)),
        ]
        try record.write(beside: output)
        if let table {
            let header = ["degree", "penalty", "squared_bias", "variance", "fitted_rmse", "held_out_rmse"]
            try ResultTable(header.map { TableColumn($0) }, tableOutput).write(to: table, provenance: record) { write in
                for d in byDegree + path.map(\.2) {
                    try write(
                        [.integer(d.degree)] + [d.penalty, d.squaredBias, d.variance, d.fittedError, d.heldOutError].map { .number($0) })
                }
            }
        }
    }
}
