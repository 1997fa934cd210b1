import ArgumentParser
import Figures
import FileFormats
import Foundation
import Simulation
import Statistics
import Tensors

struct SimulateStroopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stroop", abstract: "The Stroop effect from pathways of different strength (Cohen, Dunbar & McClelland 1990).",
        discussion: """
            Cycles of correct responses, with and without noise, and the line from cycles
            to the times of Stroop (1935). --soa presents the ignored stimulus earlier or
            later. τ, α, σ, the threshold and milliseconds per cycle are remembered from
            the paper; the weights are its figure 3.

            --account transfer tests another explanation: small text encoders (--networks)
            learn to read, and colour naming starts from what they have learned. For
            comparison, words are read in black only, or naming starts from random weights.
            Its figures are surprisals of the correct response (nats).
            """)

    enum Account: String, ExpressibleByArgument, CaseIterable { case pathways, transfer }

    @Option(help: "pathways: Cohen, Dunbar & McClelland's network. transfer: a text encoder with a head for each task.") var account =
        Account.pathways
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Onset of the ignored stimulus in milliseconds after the other one, such as -400:400:100.", valueName: "from:to:by")) var soa:
        String?
    @Option(help: "Activation of the task unit; 1 is full attention.") var taskDemand = 1.0
    @Option(help: ArgumentHelp("Weights as a table with the columns from, to, weight.", valueName: "file")) var weights: String?
    @Option(
        help: ArgumentHelp(
            "Train the weights, with word reading this many times as frequent as colour naming (in the paper, 10). "
                + "--account transfer always trains.", valueName: "frequency"))
    var train: Double?
    @Option(help: "Epochs of --train.") var epochs = 1000
    @Option(help: "Number of networks for --account transfer, each with its own initial weights.") var networks = 40
    @Option(help: "Trials of each condition, with noise.") var trials = 10_000
    @Option(help: "τ, the rate of the cascade.") var rate = 0.1
    @Option(help: "σ, the noise of the accumulators.") var noise = 0.1
    @Option(help: "Milliseconds per cycle, for --soa.") var millisecondsPerCycle = StroopModel.millisecondsPerCycle
    @OptionGroup(title: "Output") var options: SimulationOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard (10...10_000_000).contains(trials) else { throw ValidationError("--trials is 10 to 10000000") }
        guard (0...10).contains(taskDemand), rate > 0, rate <= 1, (0...10).contains(noise), millisecondsPerCycle > 0 else {
            throw ValidationError(
                "--task-demand and --noise are 0 to 10, --rate is above 0 and at most 1, --milliseconds-per-cycle above 0")
        }
        if weights != nil, train != nil { throw ValidationError("--weights and --train exclude each other") }
        if let train, !(train > 0 && train <= 1000) { throw ValidationError("--train is above 0 and at most 1000") }
        guard (1...100_000).contains(epochs) else { throw ValidationError("--epochs is 1 to 100000") }
        guard (2...10_000).contains(networks) else { throw ValidationError("--networks is 2 to 10000") }
        if account == .transfer, soa != nil || weights != nil || taskDemand != 1 || rate != 0.1 || noise != 0.1 || epochs != 1000 {
            throw ValidationError("--soa, --weights, --task-demand, --rate, --noise and --epochs apply only to --account pathways")
        }
        _ = try asynchronies()
    }

    private func asynchronies() throws -> [Double] {
        guard let soa else { return [0] }
        let parts = soa.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 3, let from = parts[0], let to = parts[1], let by = parts[2], by > 0, from <= to, (to - from) / by <= 1000,
            abs(from) <= 1e5, abs(to) <= 1e5
        else {
            throw ValidationError("--soa '\(soa)' should look like -400:400:100")
        }
        return Array(stride(from: from, through: to + by * 1e-9, by: by))
    }

    func run() throws {
        try options.check(inputs: [weights])
        if account == .transfer { return try simulateTransfer() }
        var model = StroopModel()
        (model.rate, model.sd, model.taskDemand) = (rate, noise, taskDemand)
        if let weights { model.weights = try .init(path: weights) }
        if let train { model.weights = StroopModel.trained(frequency: train, epochs: epochs, seed: options.seed) }
        let soas = try asynchronies(),
            cells = soas.flatMap { soa in
                StroopModel.Task.allCases.flatMap { task in StroopModel.Condition.allCases.map { (soa, task, $0) } }
            }
        var rows: [[JSON]] = [], results: [StroopModel.Result] = []
        for (soa, task, condition) in cells {
            let cycles = Int((soa / millisecondsPerCycle).rounded()), quiet = try model.cycles(task, condition, soa: cycles)
            let noisy = try model.simulate(task, condition, soa: cycles, trials: trials, seed: options.seed, threads: options.threads)
            results.append(noisy)
            rows.append([
                .number(soa), .string(task.rawValue), .string(condition.rawValue), quiet.cycles.map(JSON.integer) ?? .null,
                .string(quiet.isCorrect ? "yes" : "no"),
                noisy.mean.isFinite ? .number(noisy.mean) : .null, noisy.standardError.isFinite ? .number(noisy.standardError) : .null,
                .number(noisy.errors), .number(noisy.omissions),
            ])
        }
        var settings: [(String, JSON)] = [
            ("simulation", .string("stroop")), ("trials", .integer(trials)), ("task_demand", .number(taskDemand)), ("tau", .number(rate)),
            ("sigma", .number(noise)),
        ]
        if let train {
            settings += [
                ("train", .number(train)), ("epochs", .integer(epochs)), ("ink_weight", .number(model.weights.ink[0][0])),
                ("word_weight", .number(model.weights.word[0][0])),
            ]
        }
        var further: [(key: String, value: JSON)] = []
        let now = zip(cells, results).filter { $0.0.0 == 0 }.map(\.1)
        if let line = Self.line(now) {
            further = [
                ("milliseconds_at_zero", .number(line.intercept)), ("milliseconds_per_cycle", .number(line.slope)),
                ("r_squared", .number(line.rSquared)),
            ]
            if !report.json && !report.quiet {
                Console.say(
                    "Stroop (1935), four conditions: ms per item = \(Console.fixed(line.intercept, 0)) + \(Console.fixed(line.slope, 1)) × cycles, R² \(Console.fixed(line.rSquared, 3))"
                )
            }
        }
        try options.report(
            ["soa_ms", "task", "condition", "cycles", "correct", "mean_cycles", "standard_error", "errors", "omissions"], rows,
            report: report,
            provenance: options.provenance(inputs: weights.map { [$0] } ?? [], settings: settings), further: further
        ) {
            soas.count > 1 ? try curves(soas, results) : try points(now)
        }
    }

    /// Milliseconds per item of 1935 on cycles.
    private static func line(_ results: [StroopModel.Result]) -> (intercept: Double, slope: Double, rSquared: Double)? {
        let pairs = StroopModel.stroop1935.compactMap { row in
            results.first { $0.task == row.task && $0.condition == row.condition }.map { (row.seconds * 10, $0.mean) }
        }
        guard pairs.count == 4, let fit = try? LeastSquares(pairs.map(\.0), on: [pairs.map(\.1)]) else { return nil }
        return (fit.coefficients[0].value, fit.coefficients[1].value, fit.rSquared)
    }

    private func name(_ task: StroopModel.Task) -> String {
        task == .wordReading ? options.says("word reading", "語の音読") : options.says("colour naming", "色の呼称")
    }
    private func name(_ condition: StroopModel.Condition) -> String {
        switch condition {
        case .control: options.says("control", "統制")
        case .conflict: options.says("conflict", "不一致")
        case .congruent: options.says("congruent", "一致")
        }
    }

    /// Both tasks by condition: the model's cycles on Stroop's milliseconds.
    private func points(_ results: [StroopModel.Result]) throws -> any Figure {
        var chart = LineChart.Options()
        chart.page = try options.page()
        chart.title = options.says("Stroop effect: model and Stroop (1935)", "ストループ効果:モデルと Stroop (1935)")
        chart.xNames = StroopModel.Condition.allCases.enumerated().map { (Double($0), name($1)) }
        chart.xRange = -0.3...2.3
        let line = Self.line(results)
        chart.yTitle = line == nil ? options.says("cycles", "サイクル") : options.says("milliseconds per item", "1 項目あたりのミリ秒")
        chart.caption = options.says(
            "Cycles fitted to the times of 1935 by a line; bands are ± 2 standard errors.", "サイクルは直線で 1935 年の所要時間に合わせた。帯は標準誤差の 2 倍。")
        var series: [LineChart.Series] = []
        for (k, task) in StroopModel.Task.allCases.enumerated() {
            let own = StroopModel.Condition.allCases.map { c in results.first { $0.task == task && $0.condition == c } }
            let scale = { (x: Double) in line.map { $0.intercept + $0.slope * x } ?? x }
            var s = LineChart.Series(
                "\(name(task))" + options.says(", model", "(モデル)"), y: own.map { scale($0?.mean ?? .nan) },
                band: (
                    own.map { scale(($0?.mean ?? .nan) - 2 * ($0?.standardError ?? 0)) },
                    own.map { scale(($0?.mean ?? .nan) + 2 * ($0?.standardError ?? 0)) }
                ), hasMarkers: true)
            s.styleNumber = k
            series.append(s)
            if line != nil {
                var human = LineChart.Series(
                    "\(name(task)), Stroop (1935)",
                    y: StroopModel.Condition.allCases.map { c in
                        StroopModel.stroop1935.first { $0.task == task && $0.condition == c }.map { $0.seconds * 10 } ?? .nan
                    }, hasMarkers: true, isDashed: true)
                human.styleNumber = k
                series.append(human)
            }
        }
        return try LineChart(series, options: chart)
    }

    private func curves(_ soas: [Double], _ results: [StroopModel.Result]) throws -> any Figure {
        let panels = try StroopModel.Task.allCases.map { task -> LineChart in
            var chart = LineChart.Options()
            chart.page = try options.page(columns: 2)
            chart.title = name(task)
            chart.xTitle = options.says("ignored stimulus after (ms)", "無視する刺激の遅れ (ms)")
            chart.yTitle = options.says("cycles", "サイクル")
            let means = results.filter { $0.task == task && $0.mean.isFinite }.map(\.mean)
            if let low = means.min(), let high = means.max() { chart.yRange = max(0, low - 5)...high + 5 }
            return try LineChart(
                StroopModel.Condition.allCases.map { condition in
                    LineChart.Series(
                        name(condition), x: soas, y: results.filter { $0.task == task && $0.condition == condition }.map(\.mean),
                        hasMarkers: true)
                }, options: chart)
        }
        return try FigureGrid(
            panels, columns: 2, title: options.says("Stroop effect over stimulus onset asynchrony", "刺激提示時間差とストループ効果"), page: options.page()
        )
    }
}
