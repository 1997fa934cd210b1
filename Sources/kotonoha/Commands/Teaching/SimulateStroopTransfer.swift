import Figures
import FileFormats
import Foundation
import Statistics
import Training

/// The Stroop effect as transfer of learning in a text encoder: `--account transfer`.
extension SimulateStroopCommand {
    /// What the networks have learned: the account, and what is left of the effect without each of its two parts.
    private enum History: String, CaseIterable {
        case transfer, blackInk = "transfer, words in black", random = "no transfer"
    }

    /// Interference and facilitation of one task, by network.
    private struct Contrast {
        var history: History, task: StroopTransfer.Task, name: String
        var values: [Double]
        var test: TTest?
    }

    func simulateTransfer() throws {
        var model = StroopTransfer()
        model.frequency = train ?? model.frequency
        var rows: [[JSON]] = [], contrasts: [Contrast] = [],
            means: [(history: History, results: [(task: StroopTransfer.Task, mean: [Double], band: (low: [Double], high: [Double]))])] = []
        for history in History.allCases {
            (model.transfers, model.readsAnyInk) = (history != .random, history != .blackInk)
            let all = try model.experiment(networks: networks, seed: options.seed, threads: options.threads)
            var panel: [(task: StroopTransfer.Task, mean: [Double], band: (low: [Double], high: [Double]))] = []
            for task in StroopTransfer.Task.allCases {
                func values(_ condition: StroopTransfer.Condition) -> [Double] {
                    all.compactMap { network in network.first { $0.task == task && $0.condition == condition }?.surprisal }
                }
                var curve: (mean: [Double], low: [Double], high: [Double]) = ([], [], [])
                for condition in StroopTransfer.Condition.allCases {
                    let own = values(condition), estimate = try? TTest(own).estimate, middle = mean(own)
                    let errors = all.compactMap { network in network.first { $0.task == task && $0.condition == condition }?.errors }
                    curve.mean.append(middle)
                    curve.low.append(estimate?.interval?.lowerBound ?? middle)
                    curve.high.append(estimate?.interval?.upperBound ?? middle)
                    rows.append([
                        .string(history.rawValue), .string(task.rawValue), .string(condition.rawValue), .number(middle),
                        .number(curve.low[curve.low.count - 1]),
                        .number(curve.high[curve.high.count - 1]), .number(mean(errors)),
                    ])
                }
                panel.append((task, curve.mean, (curve.low, curve.high)))
                let control = values(.control), conflict = values(.conflict), congruent = values(.congruent)
                for (name, differences) in [
                    ("interference", zip(conflict, control).map(-)), ("facilitation", zip(control, congruent).map(-)),
                ] {
                    contrasts.append(Contrast(history: history, task: task, name: name, values: differences, test: try? TTest(differences)))
                }
            }
            means.append((history, panel))
        }
        if !report.json && !report.quiet {
            for c in contrasts {
                let interval =
                    c.test?.estimate.interval.map { " [\(Console.fixed($0.lowerBound, 3)), \(Console.fixed($0.upperBound, 3))]" } ?? ""
                Console.say("\(c.history.rawValue): \(c.task.rawValue): \(c.name) \(Console.fixed(mean(c.values), 3)) nats\(interval)")
            }
        }
        let further: [(key: String, value: JSON)] = [
            (
                "contrasts",
                .array(
                    contrasts.map { c in
                        let interval = c.test?.estimate.interval
                        return .object([
                            ("history", .string(c.history.rawValue)), ("task", .string(c.task.rawValue)), ("contrast", .string(c.name)),
                            ("nats", .number(mean(c.values))),
                            ("interval_95", interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
                            ("p", (c.test?.estimate.p).map(JSON.number) ?? .null),
                        ])
                    })
            )
        ]
        let settings: [(String, JSON)] =
            [
                ("simulation", .string("stroop transfer")), ("frequency", .number(model.frequency)), ("networks", .integer(networks)),
                ("reading_steps", .integer(model.readingSteps)), ("joint_steps", .integer(model.jointSteps)),
            ] + further.map { ($0.key, $0.value) }
        try options.report(
            ["history", "task", "condition", "surprisal", "low", "high", "errors"], rows, report: report,
            provenance: options.provenance(settings: settings), further: further
        ) {
            // One scale for all panels: what is compared is their difference.
            let top = means.flatMap { $0.results.flatMap(\.band.high) }.max() ?? 1
            let panels = try means.map { panel -> LineChart in
                var chart = LineChart.Options()
                chart.page = try options.page(columns: 3)
                chart.title =
                    switch panel.history {
                    case .transfer: options.says("transfer", "転移あり")
                    case .blackInk: options.says("words in black", "黒い語のみ音読")
                    case .random: options.says("no transfer", "転移なし")
                    }
                chart.xNames = StroopTransfer.Condition.allCases.enumerated().map { (Double($0), name($1)) }
                chart.xRange = -0.3...2.3
                chart.yRange = 0...max(top * 1.05, 0.01)
                chart.yTitle = options.says("surprisal (nats)", "正答のサプライザル (nats)")
                return try LineChart(
                    panel.results.enumerated().map { k, own in
                        var series = LineChart.Series(
                            own.task == .wordReading ? options.says("word reading", "語の音読") : options.says("colour naming", "色の呼称"),
                            y: own.mean, band: own.band, hasMarkers: true)
                        series.styleNumber = k
                        return series
                    }, options: chart)
            }
            return try FigureGrid(
                panels, columns: 3,
                title: options.says("Stroop effect of a text encoder, \(networks) networks", "テキストエンコーダーのストループ効果(\(networks) 個)"),
                page: options.page())
        }
    }

    private func name(_ condition: StroopTransfer.Condition) -> String {
        switch condition {
        case .control: options.says("control", "統制")
        case .conflict: options.says("conflict", "不一致")
        case .congruent: options.says("congruent", "一致")
        }
    }
}
