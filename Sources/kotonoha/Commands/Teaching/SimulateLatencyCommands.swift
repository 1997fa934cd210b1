import ArgumentParser
import Figures
import FileFormats
import Foundation
import Simulation
import Statistics
import Tensors

struct SimulateWeaverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weaver",
        abstract: "WEAVER++ (Roelofs 1992; Levelt, Roelofs & Meyer 1999): picture–word interference and continuous naming.",
        discussion: """
            Mean latencies of lemma selection: bilingual picture–word interference over
            --soa, and continuous naming of one category. --compare takes a table of
            measured effects (columns task, condition and one per SOA in milliseconds,
            effects in ms) and plots its picture naming next to the model.
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Onset of the distractor after the picture in milliseconds, such as -400:400:100.", valueName: "from:to:by"))
    var soa = "-400:400:100"
    @Option(help: "Minimum lead over every competitor.") var criticalDifference = 1.6
    @Option(help: "Conceptual bias of what was named before, per step.") var bias = 2.5
    @Option(help: "Duration of a distractor in milliseconds.") var distractorDuration = 100.0
    @Option(help: ArgumentHelp("Measured effects to plot next to the model.", valueName: "file")) var compare: String?
    @OptionGroup(title: "Output") var options: SimulationOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard criticalDifference >= 0, criticalDifference <= 100, bias >= 0, bias <= 1000, distractorDuration >= 25,
            distractorDuration <= 2000
        else {
            throw ValidationError("--critical-difference is 0 to 100, --bias 0 to 1000, --distractor-duration 25 to 2000")
        }
        _ = try asynchronies()
    }

    private func asynchronies() throws -> [Double] {
        let parts = soa.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 3, let from = parts[0], let to = parts[1], let by = parts[2], by > 0, from <= to, (to - from) / by <= 1000,
            abs(from) <= 5000, abs(to) <= 5000
        else {
            throw ValidationError("--soa '\(soa)' should look like -400:400:100")
        }
        return Array(stride(from: from, through: to + by * 1e-9, by: by))
    }

    func run() throws {
        try options.check(inputs: [compare])
        var model = WeaverModel()
        (model.criticalDifference, model.conceptualBias, model.distractorDuration) = (criticalDifference, bias, distractorDuration)
        var rows: [[JSON]] = []
        let soas = try asynchronies(), control = try model.pictureWordLatency(.none)
        let conditions: [(WeaverModel.Distractor, String, String)] = [
            (.unrelated, "incongruent", "無関連"), (.related, "category congruent", "同じカテゴリー"), (.translation, "concept congruent", "同じ概念"),
        ]
        rows.append([.string("bilingual picture-word"), .string("control"), .null, .number(control), .number(0)])
        var effects: [[Double]] = []
        for (distractor, _, _) in conditions {
            effects.append(try soas.map { try model.pictureWordLatency(distractor, soa: $0) - control })
            for (soa, effect) in zip(soas, effects[effects.count - 1]) {
                rows.append([
                    .string("bilingual picture-word"), .string(distractor.rawValue), .number(soa), .number(control + effect),
                    .number(effect),
                ])
            }
        }
        let series = try (0..<5).map { try model.continuousNamingLatency(named: $0) }
        for (k, latency) in series.enumerated() {
            rows.append([.string("continuous naming"), .string("position \(k + 1)"), .null, .number(latency), .number(latency - series[0])])
        }
        let measured = try compare.map(Self.measured) ?? [:]
        try options.report(
            ["simulation", "condition", "soa_ms", "latency_ms", "effect_ms"], rows, report: report,
            provenance: options.provenance(
                inputs: compare.map { [$0] } ?? [],
                settings: [("simulation", .string("weaver")), ("critical_difference", .number(criticalDifference))])
        ) {
            var left = LineChart.Options(), right = LineChart.Options()
            left.page = try options.page(columns: 2)
            right.page = left.page
            left.title = options.says("Picture–word interference", "絵–語干渉")
            left.caption = options.says("Concept congruent in the model: the translation.", "モデルの「同じ概念」は翻訳語。")
            left.xTitle = options.says("distractor after picture (ms)", "妨害語の遅れ (ms)")
            left.yTitle = options.says("effect (ms)", "効果 (ms)")
            right.title = options.says("Continuous naming", "連続呼称")
            right.xTitle = options.says("position within the category", "カテゴリー内の位置")
            right.yTitle = options.says("lemma selection (ms)", "レンマ選択 (ms)")
            var curves = conditions.indices.map { k -> LineChart.Series in
                var s = LineChart.Series(options.says("\(conditions[k].1), model", "\(conditions[k].2)(モデル)"), x: soas, y: effects[k])
                s.styleNumber = k
                return s
            }
            for (k, condition) in conditions.enumerated() {
                guard let points = measured[condition.1] else { continue }
                var s = LineChart.Series(
                    options.says("\(condition.1), measured", "\(condition.2)(実測)"), x: points.map(\.0), y: points.map(\.1),
                    hasMarkers: true, isDashed: true)
                s.styleNumber = k
                curves.append(s)
            }
            return try FigureGrid(
                [
                    LineChart(curves, options: left),
                    LineChart([.init("", x: (1...5).map(Double.init), y: series, hasMarkers: true)], options: right),
                ], columns: 2,
                title: "WEAVER++", page: options.page())
        }
    }

    /// Effects of picture naming by condition, as (SOA, ms).
    private static func measured(_ path: String) throws -> [String: [(Double, Double)]] {
        let table = try TextTable(path: path, wanted: ["task", "condition"]), task = try table.index(of: "task"),
            condition = try table.index(of: "condition")
        let soas = table.columns.enumerated().compactMap { k, name in Double(name).map { (k, $0) } }
        guard !soas.isEmpty else { throw DataError(.badData, "no column name is an SOA in milliseconds", file: path) }
        var result: [String: [(Double, Double)]] = [:], cells: [String] = []
        while let line = try table.next(into: &cells) {
            guard cells[task] == "picture naming" else { continue }
            result[cells[condition]] = try soas.map { place, soa in
                guard let value = Double(cells[place]) else {
                    throw DataError(.badData, "'\(cells[place])' is not a number", file: path, line: line)
                }
                return (soa, value)
            }
        }
        return result
    }
}

struct SimulateCumulativeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cumulative", abstract: "Cumulative semantic interference (after Howard, Nickels, Coltheart & Cole-Virtue 2006).",
        discussion: """
            kotonoha simulate cumulative latencies.tsv --column human_ms

            fits lateral inhibition, strengthening and the line from cycles to milliseconds
            to mean latencies, one row per position. With four constants, five means say
            little about each. Without a table, series are simulated at --inhibition and
            --strengthening.
            """)

    @Argument(help: "A table of mean latencies, one row per position within the category.") var input: String?
    @Option(help: "The column of latencies in milliseconds.") var column: String?
    @Option(help: "Inhibition between words, per cycle.") var inhibition = 0.006
    @Option(help: "Increase of the link from meaning to word with each naming, relative to its initial weight.") var strengthening = 0.47
    @Option(help: "Positions to simulate.") var positions = 5
    @Option(help: "Lags: numbers of pictures of other categories between members of a category, such as 2,4,6,8.") var lags = "2,4,6,8"
    @OptionGroup(title: "Input") var reading: TableArguments
    @OptionGroup(title: "Output") var options: SimulationOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    private var lagNumbers: [Int]? {
        let numbers = lags.split(separator: ",").map { Int($0) }
        return numbers.contains { $0 == nil || $0! < 0 || $0! > 20 } ? nil : numbers.compactMap { $0 }
    }

    func validate() throws {
        guard (0...0.02).contains(inhibition), (0...10).contains(strengthening), (2...20).contains(positions) else {
            throw ValidationError("--inhibition is 0 to 0.02, --strengthening 0 to 10, --positions 2 to 20")
        }
        guard lagNumbers != nil else { throw ValidationError("--lags '\(lags)' should look like 2,4,6,8, each at most 20") }
    }

    func run() throws {
        try options.check(inputs: [input])
        var model = CumulativeNamingModel(inhibition: inhibition, strengthening: strengthening), fit: CumulativeNamingModel.Fit?,
            human: [Double] = []
        if let input {
            let table = try TextTable(path: input, options: reading.options(), wanted: column.map { [$0] } ?? [])
            let place = try table.index(of: column ?? table.columns.last ?? "1")
            var cells: [String] = []
            while let line = try table.next(into: &cells) {
                guard let value = Double(cells[place]) else {
                    throw DataError(.badData, "'\(cells[place])' is not a number of milliseconds", file: input, line: line)
                }
                human.append(value)
            }
            let found = try CumulativeNamingModel.fit(latencies: human)
            (fit, model) = (found, found.model)
        }
        let count = human.isEmpty ? positions : human.count, cycles = try fit?.cycles ?? model.cycles(positions: count)
        var rows: [[JSON]] = cycles.indices.map { k in
            [
                .string("direct"), .integer(k + 1), cycles[k].isFinite ? .number(cycles[k]) : .null,
                fit.map { .number($0.predicted[k]) } ?? .null, human.isEmpty ? .null : .number(human[k]),
            ]
        }
        // The effect does not wear off: pictures of other categories in between change nothing.
        for lag in lagNumbers ?? [] {
            var categories: [Int] = [], members: [Int] = []
            for position in 0..<count {
                members.append(categories.count)
                categories.append(0)
                if position < count - 1 { for _ in 0..<lag { categories.append(categories.count) } }
            }
            let all = try model.cycles(categories)
            for (k, member) in members.enumerated() {
                rows.append([
                    .string("lag \(lag)"), .integer(k + 1), all[member].isFinite ? .number(all[member]) : .null,
                    fit.map { .number($0.intercept + $0.slope * all[member]) } ?? .null, .null,
                ])
            }
        }
        var settings: [(String, JSON)] = [
            ("simulation", .string("cumulative")), ("inhibition", .number(model.inhibition)),
            ("strengthening", .number(model.strengthening)),
        ]
        var further: [(key: String, value: JSON)] = []
        if let fit {
            settings += [("rmse_ms", .number(fit.rmse)), ("intercept_ms", .number(fit.intercept)), ("ms_per_cycle", .number(fit.slope))]
            further = settings.dropFirst().map { (key: $0.0, value: $0.1) }
            if !report.json && !report.quiet {
                let bounds = fit.parameters.parameters.map { p in
                    "\(p.name) \(SimulationOptions.digits(p.value)) [\(p.low.map(SimulationOptions.digits) ?? "no bound"), \(p.high.map(SimulationOptions.digits) ?? "no bound")]"
                }
                Console.say(
                    "fitted: \(bounds.joined(separator: ", ")); ms = \(Console.fixed(fit.intercept, 0)) + \(Console.fixed(fit.slope, 2)) × cycles; RMSE \(Console.fixed(fit.rmse, 2)) ms with four constants"
                )
            }
        }
        try options.report(
            ["series", "position", "cycles", "predicted_ms", "observed_ms"], rows, report: report,
            provenance: options.provenance(inputs: input.map { [$0] } ?? [], settings: settings), further: further
        ) {
            var chart = LineChart.Options()
            chart.page = try options.page()
            chart.title = options.says("Cumulative semantic interference", "累積的意味干渉")
            chart.xTitle = options.says("position within the category", "カテゴリー内の位置")
            chart.yTitle = fit == nil ? options.says("cycles", "サイクル") : options.says("latency (ms)", "反応時間 (ms)")
            let x = (1...count).map(Double.init)
            var series = [LineChart.Series(options.says("model", "モデル"), x: x, y: fit?.predicted ?? cycles)]
            if !human.isEmpty {
                series.append(LineChart.Series(options.says("observed", "実測"), x: x, y: human, hasMarkers: true, hasLine: false))
            }
            if fit != nil {
                chart.caption = options.says("Inhibition, strengthening and the line to milliseconds are fitted.", "抑制・強化・ミリ秒への直線は当てはめた値。")
            }
            return try LineChart(series, options: chart)
        }
    }
}

struct SimulateERPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erp", abstract: "The N400 repetition effect in a small reading network (after Laszlo & Armstrong 2014).",
        discussion: """
            kotonoha simulate erp captions.tsv --column text -o erp.tsv --figure erp.pdf

            Words, pseudowords, acronyms and illegal strings of three letters are made from
            the text, which should be in Latin script. A network learns to read words and
            acronyms; the activation of its semantic units in the envelope of an alpha
            function is the potential. Sizes and time constants are the project's own.
            """)

    @Argument(help: "A text, or a table with --column; - is standard input.") var input: String
    @Option(help: "The column of texts.") var column: String?
    @Option(help: "Number of strings of each kind.") var strings = 40
    @Option(help: "Epochs of training.") var epochs = 300
    @Option(help: "Number of networks, each with its own initial weights, pseudowords and illegal strings; intervals are over networks.")
    var networks = 8
    @Option(help: "Proportion of its resource that a unit at full output uses per second.") var depletion = 1.0
    @Option(help: "Milliseconds from first to second presentation.") var repetition = 2000.0
    @OptionGroup(title: "Input") var reading: TableArguments
    @OptionGroup(title: "Output") var options: SimulationOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard (5...500).contains(strings), (1...10_000).contains(epochs), (1...1000).contains(networks), (0...100).contains(depletion),
            (1000...100_000).contains(repetition)
        else {
            throw ValidationError(
                "--strings is 5 to 500, --epochs 1 to 10000, --networks 1 to 1000, --depletion 0 to 100, --repetition 1000 to 100000")
        }
    }

    func run() throws {
        try options.check(inputs: [input])
        let table = try TextTable(path: input, options: reading.options(), wanted: column.map { [$0] } ?? [])
        let place = try table.index(of: column ?? (table.columns.count == 1 ? "1" : "text"))
        var texts: [String] = [], cells: [String] = []
        while try table.next(into: &cells) != nil { texts.append(cells[place]) }
        let corpus = texts, (strings, epochs, depletion, repetition, seed) = (strings, epochs, depletion, repetition, options.seed)
        let runs = try Parallel.map(networks, threads: options.threads) { k, _ -> (conditions: [ERPModel.Condition], loss: Double) in
            let own = seed &+ UInt64(k), lexicon = try ERPLexicon(texts: corpus, count: strings, seed: own)
            var network = ReadingNetwork(seed: own)
            network.train(lexicon.trained, epochs: epochs, seed: own)
            var model = ERPModel(network: network)
            (model.depletion, model.onsetAsynchrony) = (depletion, repetition)
            return (conditions: model.simulate(lexicon), loss: network.losses.last ?? .nan)
        }
        let model = ERPModel(network: ReadingNetwork(seed: seed)), conditions = ERPModel.average(runs.map(\.conditions)),
            orders = ERPModel.orders(conditions)
        var rows: [[JSON]] = []
        for c in conditions {
            for (presentation, curve) in [("first", c.first), ("repeated", c.second)] {
                for (t, value) in curve.enumerated() {
                    rows.append([
                        .string(c.kind.rawValue), .string(presentation), .string("ms"), .number(Double(t) * model.step), .number(value),
                    ])
                }
                for bin in model.spectrum(curve) {
                    rows.append([
                        .string(c.kind.rawValue), .string(presentation), .string("Hz"), .number(bin.hertz), .number(bin.amplitude),
                    ])
                }
            }
            if !report.json && !report.quiet {
                Console.say(
                    "\(c.kind.rawValue): \(c.strings) strings, peak \(Console.fixed(mean(c.firstPeaks), 3)), repeated \(Console.fixed(mean(c.secondPeaks), 3)) (means of \(networks) networks)"
                )
            }
        }
        if !report.json && !report.quiet {
            for order in orders {
                let interval =
                    order.test?.estimate.interval.map { " [\(Console.fixed($0.lowerBound, 4)), \(Console.fixed($0.upperBound, 4))]" } ?? ""
                Console.say("\(order.name): \(order.outcome), difference \(Console.fixed(mean(order.differences), 4))\(interval)")
            }
        }
        let further: [(key: String, value: JSON)] = [
            (
                "conditions",
                .array(
                    conditions.map { c in
                        .object([
                            ("kind", .string(c.kind.rawValue)), ("strings", .integer(c.strings)),
                            ("first_peak", .number(mean(c.firstPeaks))), ("repeated_peak", .number(mean(c.secondPeaks))),
                        ])
                    })
            ),
            (
                "orders",
                .array(
                    orders.map { order in
                        let interval = order.test?.estimate.interval
                        return .object([
                            ("order", .string(order.name)), ("outcome", .string(order.outcome)),
                            ("difference", .number(mean(order.differences))),
                            ("interval_95", interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
                        ])
                    })
            ),
        ]
        try options.report(
            ["kind", "presentation", "unit", "place", "value"], options.output == nil && !report.json ? [] : rows, report: report,
            provenance: options.provenance(
                inputs: [input],
                settings: [
                    ("simulation", .string("erp")), ("epochs", .integer(epochs)), ("networks", .integer(networks)),
                    ("loss", .number(mean(runs.map(\.loss)))),
                ] + further.map { ($0.key, $0.value) }), further: further
        ) {
            let names: [ERPLexicon.Kind: (String, String)] = [
                .word: ("words", "単語"), .pseudoword: ("pseudowords", "擬似語"), .acronym: ("acronyms", "頭字語"),
                .illegal: ("illegal strings", "非単語列"),
            ]
            func series(_ c: ERPModel.Average, _ k: Int, isFirst: Bool, _ points: [(Double, Double)]) -> LineChart.Series {
                let name = names[c.kind] ?? ("", "")
                var s = LineChart.Series(
                    options.says(name.0 + (isFirst ? "" : ", repeated"), name.1 + (isFirst ? "" : "(反復)")), x: points.map(\.0),
                    y: points.map(\.1), isDashed: !isFirst)
                s.styleNumber = k
                return s
            }
            var time = LineChart.Options(), frequency = LineChart.Options()
            time.page = try options.page(columns: 2)
            frequency.page = time.page
            (time.title, frequency.title) = (options.says("Time", "時間領域"), options.says("Frequency", "周波数領域"))
            time.xTitle = options.says("time (ms)", "時間 (ms)")
            time.yTitle = options.says("mean semantic potential", "意味層の平均電位")
            frequency.xTitle = options.says("frequency (Hz)", "周波数 (Hz)")
            frequency.yTitle = options.says("amplitude", "振幅")
            frequency.xRange = 0...10
            var a: [LineChart.Series] = [], b: [LineChart.Series] = []
            for (k, c) in conditions.enumerated() {
                for (isFirst, curve) in [(true, c.first), (false, c.second)] {
                    a.append(series(c, k, isFirst: isFirst, curve.enumerated().map { (Double($0) * model.step, $1) }))
                    b.append(series(c, k, isFirst: isFirst, model.spectrum(curve, limit: 10).dropFirst().map { ($0.hertz, $0.amplitude) }))
                }
            }
            return try FigureGrid(
                [LineChart(a, options: time), LineChart(b, options: frequency)], columns: 2,
                title: options.says("Semantic potentials, first and repeated presentation", "意味層の電位:初回と反復"), page: options.page())
        }
    }
}
