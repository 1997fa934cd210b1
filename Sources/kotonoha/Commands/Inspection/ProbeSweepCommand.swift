import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Interpretation
import Synchronization
import Tensors
import VectorStore

struct ProbeSweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep", abstract: "Train probes on every layer, rank and seed at once, with controls.",
        discussion: """
            Prints one line per probe: scores with 95 % intervals, next to controls:
            baselines without syntax, random projections, the control task (--controls), an
            untrained encoder (--untrained, made by embed --tokens --untrained-seed).
            """)

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Word vectors and treebank to learn from.", valueName: "vectors treebank"))
    var train: [String]

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Word vectors and treebank that decide when to stop.", valueName: "vectors treebank"))
    var dev: [String]

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Word vectors and treebank to score; those of --dev if not given.", valueName: "vectors treebank"))
    var test: [String] = []

    @Option(help: ArgumentHelp("all, or numbers separated by commas.", valueName: "all|i,j"))
    var layers = "all"

    @Option(help: ArgumentHelp("Ranks of B, separated by commas; by default 128 or the dimension of the vectors.", valueName: "r,s"))
    var ranks: String?

    @Option(help: ArgumentHelp("Seeds, separated by commas.", valueName: "i,j"))
    var seeds = "0"

    @Option(help: "distance or depth; both if not given.")
    var kind: ProbeKind?

    @Flag(help: "Also train on the control task of Hewitt & Liang (2019); the real score minus the control's is the selectivity.")
    var controls = false

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Vectors of an untrained encoder for train, dev (and test).", valueName: "vectors"))
    var untrained: [String] = []

    @Option(name: .shortAndLong, help: "Table to write (.tsv, .csv or .xlsx); standard output by default.")
    var output: String?

    @Option(help: "Figure of the scores over layers, or over ranks if there is only one layer (.svg, .pdf or .png).")
    var figure: String?

    @OptionGroup(title: "Training") var training: ProbeTrainingOptions
    @OptionGroup(title: "Data") var data: ProbeDataOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    private static let header =
        ["vectors", "task", "layer", "rank", "seed"]
        + ProbeMeasure.allCases.flatMap { [$0.rawValue, "\($0.rawValue) low", "\($0.rawValue) high"] } + [
            "dev loss, distance", "dev loss, depth", "epochs", "seconds",
        ]

    func validate() throws {
        try OutputName.requireTable(output)
        try OutputName.require(figure, OutputName.figures, "a picture is written")
    }

    func run() throws {
        try writing.check(inputs: train + dev + test + untrained, files: [output, figure])
        guard untrained.isEmpty || untrained.count == (test.isEmpty ? 2 : 3) else {
            throw ValidationError("--untrained expects one vector file per treebank: train, dev\(test.isEmpty ? "" : ", test")")
        }
        let pairs = [(train, "--train"), (dev, "--dev")] + (test.isEmpty ? [] : [(test, "--test")])
        let inputs = try pairs.map { try data.open($0.0, option: $0.1) }
        for input in inputs.dropFirst() { try input.file.requireSameEncoder(as: inputs[0].file) }
        if !report.quiet { for input in inputs { Console.say(input.note) } }
        let chosen = layers == "all" ? inputs[0].file.layers : try Self.numbers(layers, "--layers")
        let wantedRanks = try ranks.map { try Self.numbers($0, "--ranks") } ?? [min(128, inputs[0].file.dimension)]
        if let wrong = wantedRanks.first(where: { $0 < 1 || $0 > inputs[0].file.dimension }) {
            throw DataError(.usage, "the rank \(wrong) is not between 1 and \(inputs[0].file.dimension), the dimension of the vectors")
        }
        var sweep = ProbeSweep(layers: chosen, ranks: wantedRanks, training: training.training)
        sweep.seeds = try Self.numbers(seeds, "--seeds").map { UInt64($0) }
        sweep.kinds = kind.map { [$0] } ?? ProbeKind.allCases
        sweep.hasControls = controls

        var rows = try rows(of: sweep, inputs, name: "trained encoder")
        rows.table += try baselines(inputs[inputs.count - 1])
        if !untrained.isEmpty {
            var sweep = sweep
            let others = try zip(pairs, untrained).map { pair, vectors in
                try ProbeInput(vectors: vectors, treebank: pair.0[1], options: data)
            }
            for other in others.dropFirst() { try other.file.requireSameEncoder(as: others[0].file) }
            sweep.hasControls = false
            let more = try self.rows(of: sweep, others, name: "untrained encoder")
            rows.table += more.table
            rows.results += more.results
        }
        if let output {
            var provenance = provenance(seed: sweep.seeds.first)
            provenance.inputs = try inputs.flatMap { try $0.sources() } + untrained.map(Provenance.Source.init(hashing:))
            provenance.settings = ProbeRecord.settings(of: sweep, train: inputs[0], dev: inputs[1])
            let table = ResultTable(Self.header.map { TableColumn($0) })
            try table.write(to: output, provenance: provenance) { write in
                for row in rows.table {
                    // Numbers stand from the third column on, already rounded.
                    try write(
                        row.enumerated().map { column, cell in
                            column < 2 ? .text(cell) : Double(cell).map(Cell.number) ?? (cell.isEmpty ? .missing : .text(cell))
                        })
                }
            }
        }
        if let figure { try chart(rows.results).write(to: URL(fileURLWithPath: figure)) }
        if report.json {
            try Console.print(
                JSON.array(
                    rows.table.map { row in
                        .object(
                            zip(Self.header, row).filter { !$1.isEmpty }.map { name, cell in
                                (name, Double(cell).map { .number($0) } ?? .string(cell))
                            })
                    }
                ).serialized(.pretty))
        } else if output == nil {
            try Console.print(([Self.header] + rows.table).map { $0.joined(separator: "\t") }.joined(separator: "\n"))
        }
    }

    private static func numbers(_ text: String, _ option: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let number = Int(part), number >= 0 else {
                throw ValidationError("\(option) expects numbers separated by commas, not '\(text)'")
            }
            return number
        }
    }

    private func rows(
        of sweep: ProbeSweep, _ inputs: [ProbeInput], name: String
    ) throws -> (table: [[String]], results: [(name: String, result: ProbeSweep.Result)]) {
        let sets = try inputs.map { ProbeSweep.DataSet(corpus: $0.corpus, vectors: try $0.vectors(sweep.layers)) }
        let progress = SharedProgress(unit: "probes", isQuiet: report.quiet)
        let results = try sweep.run(
            train: sets[0], dev: sets[1], test: sets[sets.count - 1], threads: data.threads,
            isCancelled: { Interruption.isRequested }, report: { progress.update($0, of: $1) })
        progress.finish()
        var table = results.map { result in
            let setting = result.setting
            func loss(_ kind: ProbeKind) -> String {
                result.trained.first { $0.probe.kind == kind }.map { Console.fixed($0.devLoss, 4) } ?? ""
            }
            return [name, setting.isControl ? "control task" : "treebank", "\(setting.layer)", "\(setting.rank)", "\(setting.seed)"]
                + Self.cells(result.evaluation)
                + [
                    loss(.distance), loss(.depth), result.trained.map { "\($0.epochs.count)" }.joined(separator: "+"),
                    Console.fixed(result.seconds, 1),
                ]
        }
        // Selectivity: what a probe reaches on the treebank above what it reaches on the control task.
        for real in results where !real.setting.isControl {
            var setting = real.setting
            setting.isControl = true
            guard let control = results.first(where: { $0.setting == setting }) else { continue }
            let cells = ProbeMeasure.allCases.flatMap { measure in
                // The control's root is the first word whatever its type: finding it is not memorization.
                let difference = measure == .rootAccuracy ? .nan : real.evaluation.value(measure) - control.evaluation.value(measure)
                return [difference.isNaN ? "" : Console.fixed(difference, 4), "", ""]
            }
            table.append([name, "selectivity", "\(setting.layer)", "\(setting.rank)", "\(setting.seed)"] + cells + ["", "", "", ""])
        }
        for (place, layer) in sweep.layers.enumerated() {
            let rank = sweep.ranks.max() ?? 1, test = sets[sets.count - 1]
            let evaluation = try ProbeSweep.evaluateRandom(rank: rank, seed: sweep.seeds.first ?? 0, test.corpus, test.vectors[place])
            table.append(
                [name, "treebank, random projection", "\(layer)", "\(rank)", "\(sweep.seeds.first ?? 0)"] + Self.cells(evaluation) + [
                    "", "", "", "",
                ])
        }
        return (table, results.map { (name, $0) })
    }

    private func baselines(_ input: ProbeInput) throws -> [[String]] {
        try ProbeBaseline.allCases.map {
            [$0.rawValue, "treebank", "", "", ""] + Self.cells(try ProbeSweep.evaluate($0, input.corpus)) + ["", "", "", ""]
        }
    }

    private static func cells(_ evaluation: ProbeEvaluation) -> [String] {
        ProbeMeasure.allCases.flatMap { measure -> [String] in
            guard evaluation.has(measure) else { return ["", "", ""] }
            let interval = evaluation.interval(measure)
            return [
                Console.fixed(evaluation.value(measure), 4), interval.map { Console.fixed($0.lowerBound, 4) } ?? "",
                interval.map { Console.fixed($0.upperBound, 4) } ?? "",
            ]
        }
    }

    /// Measures over layers, with bands of the intervals; over ranks if there is one layer.
    private func chart(_ results: [(name: String, result: ProbeSweep.Result)]) throws -> LineChart {
        let overRanks = Set(results.map(\.result.setting.layer)).count == 1, language = SessionLanguage.files.figures
        let seed = results.first?.result.setting.seed, largest = results.map(\.result.setting.rank).max()
        var series: [LineChart.Series] = []
        for (number, measure) in [ProbeMeasure.uuas, .distanceSpearman, .rootAccuracy, .depthSpearman].enumerated() {
            for name in ["trained encoder", "untrained encoder"] {
                let points = results.filter {
                    $0.name == name && !$0.result.setting.isControl && $0.result.setting.seed == seed
                        && (overRanks || $0.result.setting.rank == largest) && $0.result.evaluation.has(measure)
                }.map(\.result)
                guard !points.isEmpty else { continue }
                let intervals = points.map { $0.evaluation.interval(measure) }
                let band =
                    name == "trained encoder" && intervals.allSatisfy { $0 != nil }
                    ? (low: intervals.map { $0?.lowerBound ?? 0 }, high: intervals.map { $0?.upperBound ?? 0 }) : nil
                var curve = LineChart.Series(
                    (measure == .rootAccuracy ? language.says(measure.rawValue, "根の正答率") : measure.rawValue)
                        + (name == "trained encoder" ? "" : language.says(", untrained", "、未学習")),
                    x: points.map { Double(overRanks ? $0.setting.rank : $0.setting.layer) },
                    y: points.map { $0.evaluation.value(measure) }, band: band, hasMarkers: true, isDashed: name != "trained encoder")
                curve.styleNumber = number
                series.append(curve)
            }
        }
        var options = LineChart.Options()
        options.page.language = language
        options.xTitle = overRanks ? language.says("Rank of the probe", "プローブのランク") : language.says("Layer", "層")
        options.hasLogarithmicX = overRanks
        options.yRange = 0...1
        options.page.width = .millimetres(120)
        return try LineChart(series, options: options)
    }
}

/// A progress line that several threads may report to.
final class SharedProgress: Sendable {
    private let line: Mutex<ProgressLine>

    init(unit: String, isQuiet: Bool) { line = Mutex(ProgressLine(unit: unit, isQuiet: isQuiet)) }

    func update(_ done: Int, of total: Int) {
        line.withLock { $0.update(done: done, fraction: Double(done) / Double(max(total, 1))) }
    }

    func finish() { line.withLock { $0.finish() } }
}
