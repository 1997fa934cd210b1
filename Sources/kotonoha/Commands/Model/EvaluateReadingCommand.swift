import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import Statistics
import Tensors

struct EvaluateReadingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reading", abstract: "Reading times: how much surprisal explains beyond word length.",
        discussion: """
            kotonoha surprisal MODEL stories.tsv --column text -o words.csv      # then join the reading times to it
            kotonoha evaluate reading words.csv --time rt --group row -o coefficients.csv

            Regresses time on word length (and --baseline) by least squares, then adds the
            surprisal of the word and of the --lag preceding words. Reports the gain in
            log-likelihood in the sample (with the likelihood-ratio test) and per held-out
            word in cross-validation over groups, correlations, and partial correlations
            given the baseline. Rows must be in reading order; preceding words never come
            from another group.
            """)

    @Argument(help: "A table with one word per row, as written by surprisal, with a column of times.") var input: String
    @Option(help: "Column of the reading times.") var time: String
    @Option(help: "Column of the surprisals.") var surprisal = "surprisal"
    @Option(help: "Column of the text, story or item of each word; by default row, story, text or item.") var group: String?
    @Option(help: "Column of the words, whose characters are counted; by default the column length or a column of words.") var word: String?
    @Option(help: "Column of word lengths.") var length: String?
    @Option(help: ArgumentHelp("More numeric columns in the baseline, such as log frequency.", valueName: "a,b,…")) var baseline: String?
    @Option(in: Bounds(0...10), help: "Number of preceding words whose surprisal is included.") var lag = 1
    @Option(in: Bounds(2...1000), help: "Folds of the cross-validation; by default each group in turn if there are 2 to 20, otherwise 10.")
    var folds: Int?
    @Option(in: .samples, help: "Bootstrap samples of the held-out gain's interval.") var resamples = 10_000
    @Option(in: .seed, help: "Seed of folds and bootstrap.") var seed: UInt64 = 0
    @Option(in: .threads, help: "Number of threads; results do not depend on it.") var threads = Parallel.availableThreads
    @Option(name: .shortAndLong, help: "A table of the coefficients.") var output: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        if word != nil && length != nil { throw ValidationError("--word and --length exclude each other: both give the length of words") }
    }

    func run() throws {
        try writing.check(inputs: [input], files: [output])
        var columns = ReadingTimes.Columns(time: time)
        (columns.surprisal, columns.group, columns.word, columns.length, columns.lag) = (surprisal, group, word, length, lag)
        columns.baseline = baseline?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        let wanted = [time, surprisal] + [group, word, length].compactMap(\.self)
        let table = try Table(path: input, options: self.table.options(isQuiet: report.quiet), wanted: wanted)
        let reading = try ReadingTimes(table, columns: columns)
        let result = try reading.analyse(folds: folds, resamples: resamples, seed: seed, threads: threads)
        let facts = facts(reading, result)
        if let output {
            var record = provenance(seed: seed)
            record.inputs = [.init(path: input, sha256: table.sha256)]
            record.settings =
                [("method", .string("reading times"))]
                + facts.filter { !["coefficients", "correlations", "partial_correlations"].contains($0.key) }
            func number(_ name: String) -> TableColumn { TableColumn(name, decimals: 5) }
            let names: [TableColumn] = [
                "model", "predictor", number("coefficient"), number("low"), number("high"), number("standard_error"), number("t"),
                TableColumn("p"),
            ]
            try ResultTable(names, tableOutput).write(to: output, provenance: record) { append in
                for (name, fit) in [("baseline", result.baseline), ("full", result.full)] {
                    for (place, predictor) in fit.names.enumerated() {
                        let estimate = fit.coefficients[place]
                        try append([
                            .text(name), .text(predictor), .number(estimate.value), Cell(estimate.interval?.lowerBound),
                            Cell(estimate.interval?.upperBound),
                            .number(fit.standardErrors[place]), .number(fit.t[place]), Cell(estimate.p),
                        ])
                    }
                }
            }
        }
        if report.json { return try Console.print(JSON.object(facts).serialized(.pretty)) }
        for line in lines(reading, result) { try Console.print(line) }
        guard !report.quiet else { return }
        if reading.leftOut > 0 {
            Console.say(
                "note: \(Console.counted(reading.leftOut, "row")) without a time, a surprisal or \(Console.counted(lag, "word")) before it left out"
            )
        }
        if reading.groupCount < 2 {
            Console.say("note: all words count as one text (--group), so held-out words are next to words that were fitted")
        }
    }

    private func facts(_ reading: ReadingTimes, _ result: ReadingTimes.Result) -> [(key: String, value: JSON)] {
        func told(_ estimate: Estimate) -> JSON {
            .object([
                ("value", .number(estimate.value)),
                ("interval", estimate.interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
                ("p", estimate.p.map(JSON.number) ?? .null),
            ])
        }
        return [
            ("time", .string(time)), ("words", .integer(reading.time.count)), ("left_out", .integer(reading.leftOut)),
            ("group", reading.groupName.map(JSON.string) ?? .null),
            ("groups", .integer(reading.groupCount)), ("lag", .integer(lag)),
            ("baseline", .array(reading.baseline.map { .string($0.name) })),
            ("r_squared", .number(result.full.rSquared)), ("r_squared_baseline", .number(result.baseline.rSquared)),
            ("log_likelihood", .number(result.full.logLikelihood)), ("log_likelihood_baseline", .number(result.baseline.logLikelihood)),
            ("gain", .number(result.gain.value)), ("gain_freedom", .integer(result.gainFreedom)),
            ("gain_p", result.gain.p.map(JSON.number) ?? .null),
            ("held_out_gain_per_word", told(result.heldOut)), ("folds", .integer(result.folds)), ("fold_is_group", .bool(result.isByGroup)),
            ("resamples", .integer(resamples)),
            ("coefficients", .object(result.full.names.indices.map { (result.full.names[$0], told(result.full.coefficients[$0])) })),
            ("correlations", .object(result.correlations.map { ($0.name, told($0.estimate)) })),
            ("partial_correlations", .object(result.partials.map { ($0.name, told($0.estimate)) })),
        ]
    }

    private func lines(_ reading: ReadingTimes, _ result: ReadingTimes.Result) -> [String] {
        func p(_ estimate: Estimate) -> String { estimate.p.map { $0 < 0.0001 ? "p < 0.0001" : "p = \(Console.fixed($0, 4))" } ?? "" }
        func range(_ estimate: Estimate, _ digits: Int) -> String {
            estimate.interval.map { "95 % \(Console.fixed($0.lowerBound, digits)) … \(Console.fixed($0.upperBound, digits))" } ?? ""
        }
        let folds = result.isByGroup ? "each of \(result.folds) \(reading.groupName ?? "group") values in turn" : "\(result.folds) folds"
        var lines = ["words\t\(reading.time.count)\tgroups \(reading.groupCount)"]
        lines += result.correlations.map {
            "r with \($0.name)\t\(Console.fixed($0.estimate.value, 4))\t\(range($0.estimate, 4))\t\(p($0.estimate))"
        }
        lines += result.partials.map {
            "partial r of \($0.name)\t\(Console.fixed($0.estimate.value, 4))\t\(range($0.estimate, 4))\t\(p($0.estimate))"
        }
        lines += result.full.names.indices.map { place in
            let estimate = result.full.coefficients[place]
            return
                "\(result.full.names[place])\t\(Console.fixed(estimate.value, 4))\t\(range(estimate, 4))\tt \(Console.fixed(result.full.t[place], 2)), \(p(estimate))"
        }
        lines.append("R²\t\(Console.fixed(result.full.rSquared, 4))\tbaseline \(Console.fixed(result.baseline.rSquared, 4))")
        lines.append(
            "Δ log-likelihood\t\(Console.fixed(result.gain.value, 2))\tχ²(\(result.gainFreedom)) = \(Console.fixed(2 * result.gain.value, 2)), \(p(result.gain))"
        )
        lines.append("held out, per word\t\(Console.fixed(result.heldOut.value, 5))\t\(range(result.heldOut, 5))\t\(folds)")
        return lines
    }
}
