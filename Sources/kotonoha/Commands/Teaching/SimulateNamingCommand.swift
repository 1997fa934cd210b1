import ArgumentParser
import Figures
import FileFormats
import Foundation
import Reporting
import Simulation
import Tensors

struct SimulateNamingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "naming", abstract: "Picture naming in aphasia by spreading activation (Dell 1997; Foygel & Dell 2000).",
        discussion: """
            kotonoha simulate naming patients.xlsx --omissions exclude -o fits.tsv --figure map.pdf

            fits the model to each person: parameters with 95 % profile intervals,
            predicted proportions, RMSD, AIC and BIC. The table has a row per person with
            the columns patient (患者), correct (正答), semantic (意味性錯語), formal (形式性錯語),
            nonword (非語), mixed (混合性錯語), unrelated (無関連錯語) and perhaps other (無反応): counts,
            or proportions of --items pictures. Or it has one row per response with the
            columns patient and category. Prefer counts: intervals depend on them.

            Without a table the model is run at --at (by default the published values for
            people without aphasia).

            --semantics takes the neighbours of real words from vectors: a neighbour shares
            10 (cos − c) / (1 − c) of ten features with its target, where c is the mean
            cosine of all pairs.

            The first fit simulates the model over its parameter space and caches the
            result in ~/.cache/kotonoha for later fits.
            """)

    @Argument(help: "A table of naming responses; - is standard input.") var input: String?
    @Option(help: "sp (semantic and phonological weights s and p) or wd (connection weight and decay); may be repeated to compare them.")
    var variant: [String] = []
    @Option(help: "Parameters to fit, such as s,p or s; the others keep the values of people without aphasia.") var fit = "all"
    @Option(
        help: ArgumentHelp(
            "Add λ (θ − θ₀)² to the negative log-likelihood, such as s=1000@0.0698 (λ in nats per squared unit).", valueName: "name=λ@θ₀"))
    var penalty: [String] = []
    @Option(help: "Number of pictures in the test, if the table has proportions.") var items = 175.0
    @Option(
        help: "Responses outside the six categories: exclude (proportions of classified responses) or keep (proportions of all pictures).")
    var omissions: String?
    @Option(help: "Values to simulate, such as s=0.02,p=0.03.") var at: String?
    @Option(help: "Simulated pictures per person or point.") var trials = 10_000
    @Option(help: "Simulated pictures at each point of the parameter space.") var surfaceTrials = 4000
    @Option(help: ArgumentHelp("File of the simulated parameter space; read if it exists, otherwise written.", valueName: "file"))
    var surface: String?
    @Flag(help: "Refine the fit by direct simulation.") var refine = false
    @Flag(help: "Also print the proportions that follow from the exact mean and covariance of the activations, and their bias.")
    var moments = false
    @Option(help: ArgumentHelp("Parameter recovery: fit this many simulated people of --items pictures.", valueName: "people")) var recover:
        Int?
    @Option(help: ArgumentHelp("How many pictures are needed to distinguish two people of the table, such as L.H.,I.G.", valueName: "a,b"))
    var power: String?
    @Option(help: ArgumentHelp("Word vectors: predict each word's errors, with semantic neighbours from the vectors.", valueName: "V.h5"))
    var semantics: String?
    @Option(help: "Maximum number of semantic neighbours per word.") var neighbors = 3
    @OptionGroup(title: "Input") var reading: TableArguments
    @OptionGroup(title: "Output") var options: SimulationOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func variants() throws -> [NamingModel.Variant] {
        try (variant.isEmpty ? ["sp"] : variant).map {
            guard let known = NamingModel.Variant(rawValue: $0) else { throw ValidationError("--variant is sp or wd, not '\($0)'") }
            return known
        }
    }

    func validate() throws {
        _ = try variants()
        guard (100...10_000_000).contains(trials), (100...1_000_000).contains(surfaceTrials) else {
            throw ValidationError("--trials is 100 to 10000000, --surface-trials 100 to 1000000")
        }
        guard items >= 1, items <= 1e6 else { throw ValidationError("--items is 1 to 1000000") }
        if let omissions, NamingFitter.Omissions(rawValue: omissions) == nil {
            throw ValidationError("--omissions is exclude or keep, not '\(omissions)'")
        }
        if let recover, !(2...100_000).contains(recover) { throw ValidationError("--recover is 2 to 100000") }
        if surface != nil, try variants().count > 1 { throw ValidationError("--surface needs a single --variant") }
        guard (1...20).contains(neighbors) else { throw ValidationError("--neighbors is 1 to 20") }
        if semantics != nil, try input != nil || recover != nil || variants().count > 1 {
            throw ValidationError("--semantics needs a single variant and no table of people")
        }
        if power != nil, input == nil { throw ValidationError("--power needs a table of people") }
        if moments, input != nil || recover != nil || semantics != nil {
            throw ValidationError("--moments accompanies a simulation at given values (--at)")
        }
        if input != nil, at != nil {
            throw ValidationError("--at simulates given values, and a table is for fitting; leave one of them out")
        }
    }

    func run() throws {
        try options.check(inputs: [input, semantics])
        if let semantics {
            try simulateWords(semantics)
        } else if let input {
            try fitAll(input)
        } else if let recover {
            try recoverAll(recover)
        } else {
            try simulate()
        }
    }

    // MARK: Simulation at given values

    private func simulate() throws {
        var rows: [[JSON]] = [], settings: [(String, JSON)] = [("simulation", .string("naming")), ("trials", .integer(trials))]
        for variant in try variants() {
            let values = try given(variant)
            let counts = try NamingModel(variant).counts(values, trials: trials, seed: options.seed, threads: options.threads)
            let approximate = moments ? try NamingModel(variant).momentProportions(values, seed: options.seed) : []
            for category in NamingModel.Category.allCases {
                let p = Double(counts[category.rawValue]) / Double(trials)
                let row: [JSON] = [
                    .string(variant.rawValue), .string(options.says(category.name, category.japaneseName)), .number(p),
                    .number((p * (1 - p) / Double(trials)).squareRoot()),
                ]
                rows.append(row + (moments ? [.number(approximate[category.rawValue]), .number(approximate[category.rawValue] - p)] : []))
            }
            settings += zip(variant.parameterNames, values).map { ($0, .number($1)) }
        }
        try options.report(
            ["variant", "category", "proportion", "standard_error"] + (moments ? ["moments", "bias"] : []), rows, report: report,
            provenance: options.provenance(settings: settings)
        ) {
            let isJapanese = options.isJapanese, categories = NamingModel.Category.allCases
            var chart = LineChart.Options()
            chart.page = try options.page()
            chart.title = options.says(
                "Naming, \(Console.grouped(trials)) simulated pictures", "呼称のシミュレーション(\(Console.grouped(trials)) 試行)")
            chart.yTitle = options.says("proportion", "割合")
            chart.xNames = categories.map { (Double($0.rawValue), isJapanese ? $0.japaneseName : $0.name) }
            chart.xRange = -0.4...5.4
            // Errors are some per cent of the responses, and differ among themselves by as much as from the correct ones.
            chart.hasLogarithmicY = true
            chart.yRange = 0.0001...1
            chart.caption = options.says("Logarithmic scale; a proportion of 0 is not drawn.", "対数目盛。割合 0 は描かれない。")
            return try LineChart(
                try variants().enumerated().map { k, variant in
                    LineChart.Series(
                        variant.rawValue.uppercased(), y: categories.map { rows[k * 6 + $0.rawValue][2].double ?? .nan }, hasMarkers: true,
                        hasLine: false)
                }, options: chart)
        }
    }

    /// The values of --at, those of people without aphasia where it names none.
    func given(_ variant: NamingModel.Variant) throws -> [Double] {
        let given = try Self.values(at), names = variant.parameterNames
        if let unknown = given.keys.sorted().first(where: { !names.contains($0) }) {
            throw DataError(
                .usage,
                "--at \(unknown) is not a parameter of \(variant.rawValue); its parameters are "
                    + "\(names.joined(separator: " and "))")
        }
        let values = zip(names, variant.controlValues).map { given[$0] ?? $1 }
        guard zip(names, values).allSatisfy({ $1 >= 0 && $1 <= ($0 == "decay" ? 1 : 10) }) else {
            throw DataError(.usage, "weights are 0 to 10 and decay is 0 to 1")
        }
        return values
    }

    /// "s=0.02,p=0.03".
    private static func values(_ text: String?) throws -> [String: Double] {
        var values: [String: Double] = [:]
        for part in text?.split(separator: ",") ?? [] {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let value = Double(sides[1]), value.isFinite else {
                throw DataError(.usage, "--at '\(part)' should look like s=0.02")
            }
            values[String(sides[0])] = value
        }
        return values
    }

    // MARK: Fits

    private func fitter(_ variant: NamingModel.Variant) throws -> NamingFitter {
        var fitter = NamingFitter(
            model: NamingModel(variant),
            surface: try NamingSurface.open(
                variant, trials: surfaceTrials, seed: options.seed, threads: options.threads, file: surface, isQuiet: report.quiet))
        let names = variant.parameterNames
        if fit != "all" {
            fitter.free = try fit.split(separator: ",").map(String.init).map {
                guard names.contains($0) else {
                    throw DataError(
                        .usage,
                        "--fit \($0) is not a parameter of \(variant.rawValue); its parameters are "
                            + "\(names.joined(separator: " and "))")
                }
                return $0
            }
            fitter.free = names.filter(fitter.free.contains)
            guard !fitter.free.isEmpty else { throw DataError(.usage, "--fit names no parameter") }
        }
        for text in penalty {
            let sides = text.split(separator: "=", maxSplits: 1),
                numbers = sides.count == 2 ? sides[1].split(separator: "@", maxSplits: 1).map { Double($0) } : []
            guard numbers.count == 2, let weight = numbers[0], let center = numbers[1], weight >= 0, weight.isFinite, center.isFinite else {
                throw DataError(.usage, "--penalty '\(text)' should look like s=1000@0.0698")
            }
            let name = String(sides[0])
            guard try variants().contains(where: { $0.parameterNames.contains(name) }) else {
                throw DataError(.usage, "--penalty \(name) is not a parameter of the model")
            }
            if names.contains(name) { fitter.penalties[name] = .init(weight: weight, center: center) }
        }
        fitter.omissions = omissions.flatMap(NamingFitter.Omissions.init(rawValue:)) ?? .exclude
        (fitter.trials, fitter.seed, fitter.threads) = (trials, options.seed, options.threads)
        return fitter
    }

    private func fitAll(_ input: String) throws {
        let table = try NamingTable(path: input, options: reading.options(), items: items)
        if omissions == nil, let who = table.patients.first(where: { $0.omissions > 0 }) {
            throw DataError(
                .usage,
                "\(who.name) has responses outside the six categories; add --omissions exclude (proportions of "
                    + "classified responses) or --omissions keep (proportions of all pictures)", file: input)
        }
        if table.isProportions && !report.quiet {
            Console.say(
                "note: the table has proportions, assumed to be of \(Int(items)) pictures (--items); with counts the intervals "
                    + "would be exact")
        }
        let categories = NamingModel.Category.allCases
        var rows: [[JSON]] = [], fits: [NamingFit] = [], header: [String] = []
        var settings: [(String, JSON)] = [
            ("method", .string("naming simulation")), ("variants", .array(try variants().map { .string($0.rawValue) })),
            ("items", .number(items)),
            ("omissions", .string(omissions ?? "exclude")), ("trials", .integer(trials)), ("surface_trials", .integer(surfaceTrials)),
        ]
        var further: [(key: String, value: JSON)] = []
        var drawn: NamingFitter?
        for variant in try variants() {
            let fitter = try fitter(variant)
            drawn = drawn ?? fitter
            let begin = ContinuousClock.now
            let own = try table.patients.map { try fitter.fit($0, refines: refine) }
            if !report.quiet {
                Console.say("\(variant.rawValue): \(own.count) fits in \(Console.fixed((ContinuousClock.now - begin) / .seconds(1), 1)) s")
            }
            header =
                [
                    "patient", "variant", "parameter_1", "value_1", "low_1", "high_1", "parameter_2", "value_2", "low_2", "high_2",
                    "identified", "rmsd", "published_rmsd",
                    "log_likelihood", "aic", "bic", "g2", "p",
                ] + categories.map { "observed_\($0.name)" } + categories.map { "predicted_\($0.name)" }
            for fit in own {
                var row: [JSON] = [.string(fit.responses.name), .string(variant.rawValue)]
                for (name, value) in zip(variant.parameterNames, fit.values) {
                    let fitted = fit.fit.parameters.first { $0.name == name }
                    row += [.string(name), .number(value), Self.cell(fitted?.low), Self.cell(fitted?.high)]
                }
                row += [
                    .string(fit.fit.parameters.allSatisfy(\.isIdentified) ? "yes" : "no"), .number(fit.rmsd), Self.cell(fit.publishedRMSD),
                    .number(-fit.fit.misfit), .number(fit.fit.aic), .number(fit.bic), .number(fit.deviance), .number(fit.devianceP),
                ]
                let observed = fitter.omissions == .keep ? fit.responses.rawProportions : fit.responses.proportions
                rows.append(row + observed.map { .number($0) } + fit.predicted.map { .number($0) })
            }
            fits += own
            settings.append(("mean_rmsd_\(variant.rawValue)", .number(own.reduce(0) { $0 + $1.rmsd } / Double(own.count))))
            if let power { further += try compare(power, own, fitter) }
        }
        settings.append(("fits", .array(fits.map(Self.record))))
        if let recover { further.append(("recovery", try recovered(recover))) }
        try options.report(
            header, rows, report: report, provenance: options.provenance(inputs: [input], settings: settings), further: further
        ) {
            guard let drawn else { throw DataError(.usage, "nothing to draw") }
            return try Self.map(drawn, fits.filter { $0.variant == drawn.model.variant }, options)
        }
        if !report.json && !report.quiet {
            for line in ResultsText.naming(.object([("fits", .array(fits.map(Self.record)))]), language: options.isJapanese ? .ja : .en) {
                Console.say(line)
            }
        }
    }

    private static func cell(_ number: Double?) -> JSON { number.map { $0.isFinite ? .number($0) : .null } ?? .null }

    /// What the Results paragraph tells of a fit.
    private static func record(_ fit: NamingFit) -> JSON {
        .object([
            ("patient", .string(fit.responses.name)), ("variant", .string(fit.variant.rawValue)),
            ("responses", .number(fit.responses.classified)),
            (
                "parameters",
                .array(
                    fit.fit.parameters.map {
                        .object([("name", .string($0.name)), ("value", .number($0.value)), ("low", cell($0.low)), ("high", cell($0.high))])
                    })
            ),
            ("rmsd", .number(fit.rmsd)), ("g2", .number(fit.deviance)), ("freedom", .integer(5 - fit.fit.parameters.count)),
            ("p", .number(fit.devianceP)),
            ("aic", .number(fit.fit.aic)), ("bic", .number(fit.bic)),
        ])
    }

    private func compare(_ text: String, _ fits: [NamingFit], _ fitter: NamingFitter) throws -> [(key: String, value: JSON)] {
        let names = text.split(separator: ",").map(String.init)
        guard names.count == 2 else { throw DataError(.usage, "--power expects two people, such as L.H.,I.G.") }
        let pair = try names.map { name in
            guard let fit = fits.first(where: { $0.responses.name == name }) else {
                throw DataError(
                    .usage, "--power \(name) is not in the table; its people are \(fits.map(\.responses.name).joined(separator: ", "))")
            }
            return fit
        }
        let power = try fitter.power(pair[0].fit, pair[1].fit)
        for entry in power.items where !report.json {
            Console.say(
                "\(fitter.model.variant.rawValue): \(names[0]) and \(names[1]) differ with power \(entry.power) at \(Console.grouped(entry.items)) pictures each (likelihood-ratio test, α .05)"
            )
        }
        return [
            (
                "power_\(fitter.model.variant.rawValue)",
                .array(power.items.map { .object([("power", .number($0.power)), ("items", .integer($0.items))]) })
            )
        ]
    }

    // MARK: Recovery

    /// The region from which simulated people are drawn: that of the published patients.
    private static func region(_ variant: NamingModel.Variant) -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        variant == .semanticPhonological ? (0.002...0.05, 0.015...0.09) : (0.006...0.1, 0.5...0.9)
    }

    private func recovered(_ people: Int) throws -> JSON {
        .array(
            try variants().flatMap { variant -> [JSON] in
                let fitter = try fitter(variant), begin = ContinuousClock.now, region = Self.region(variant)
                let recovery = try fitter.recovery(people: people, items: Int(items), x: region.x, y: region.y)
                let seconds = (ContinuousClock.now - begin) / .seconds(1)
                if !report.quiet { Console.say("\(variant.rawValue): \(people) simulated people fitted in \(Console.fixed(seconds, 1)) s") }
                return fitter.free.indices.map { i in
                    let s = recovery.summary(i)
                    return .object([
                        ("variant", .string(variant.rawValue)), ("parameter", .string(fitter.free[i])), ("coverage", .number(s.coverage)),
                        ("identified", .number(s.identified)),
                        ("log_bias", .number(s.bias)), ("log_error", .number(s.error)),
                    ])
                }
            })
    }

    private func recoverAll(_ people: Int) throws {
        guard fit == "all" else { throw DataError(.usage, "--recover fits all parameters") }
        let summary = try recovered(people).array ?? [],
            header = ["variant", "parameter", "coverage", "identified", "log_bias", "log_error"]
        let rows = summary.map { entry in header.map { entry[$0] ?? .null } }
        try options.report(
            header, rows, report: report,
            provenance: options.provenance(settings: [
                ("simulation", .string("naming recovery")), ("people", .integer(people)), ("items", .number(items)),
            ])
        ) {
            throw DataError(.usage, "--recover without a table cannot draw a figure")
        }
    }
}
