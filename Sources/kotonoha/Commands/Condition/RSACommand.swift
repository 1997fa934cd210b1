import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Representations
import Statistics
import Tensors

struct RSACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rsa", abstract: "Representational similarity analysis: models against subjects.",
        discussion: """
            kotonoha rsa layer4.rdm.h5 layer12.rdm.h5 --data s1.rdm.h5 --data s2.rdm.h5 -o rsa.csv --figure rsa.pdf

            Each model's dissimilarities are compared with each subject's. p-values permute
            conditions, never cells; the noise ceiling bounds what the best model could
            reach; matrices are matched by label. A table of pairs may contain several
            matrices: FILE.tsv:COLUMN,COLUMN selects some; a file of layers gives one model
            per layer.

            If --data are matrices over time (rdm of an array), the result is a time
            course: p is adjusted over times, and the figure marks significant times and
            shades the noise ceiling.
            """)

    @Argument(help: "Dissimilarity matrices of models.")
    var models: [String]

    @Option(help: ArgumentHelp("Dissimilarity matrices of subjects; may be given several times.", valueName: "file"))
    var data: [String]

    @Option(help: "spearman, rho-a, tau-a, pearson, cosine or cov-weighted.")
    var method = RDMComparison.spearman

    @Option(help: "Permutations of conditions.")
    var permutations = 10_000

    @Option(help: "What the bootstrap resamples: conditions, subjects or both.")
    var bootstrap = RSA.Resampled.conditions

    @Option(help: "Bootstrap resamples; 0 for no intervals and no p-values of differences.")
    var resamples = 1000

    @Option(help: "False discovery rate at which models are marked.")
    var fdr = 0.05

    @Option(in: .seed, help: "Seed of permutations and resamples.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl, .json); standard output by default.")
    var output: String?

    @OptionGroup(title: "Matrices") var matrices: DissimilarityOptions
    @OptionGroup(title: "Picture") var picture: PictureOptions
    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if models.isEmpty { throw ValidationError("name at least one model's matrix") }
        try OutputName.requireTable(output)
        if permutations < 1 || resamples < 0 { throw ValidationError("--permutations should be at least 1, and --resamples at least 0") }
        if !(fdr > 0 && fdr < 1) { throw ValidationError("--fdr is between 0 and 1, not \(fdr)") }
    }

    func run() throws {
        try writing.check(inputs: (models + data).map(DissimilarityOptions.path), files: [output] + picture.figure)
        let candidates = try models.flatMap(matrices.matrices), inTime = try data.map { try Self.isSeries($0) }
        if inTime.contains(true) {
            guard !inTime.contains(false) else {
                throw DataError(
                    .usage,
                    "--data mixes matrices over time (\(data[inTime.firstIndex(of: true) ?? 0])) with single matrices "
                        + "(\(data[inTime.firstIndex(of: false) ?? 0]))")
            }
            return try runTimeCourse(candidates)
        }
        let subjects = try data.flatMap(matrices.matrices)
        let rsa = RSA(method, permutations: permutations, bootstrap: bootstrap, resamples: resamples, seed: seed, threads: threads)
        let result = try rsa(models: candidates, subjects: subjects)
        var record = provenance(seed: seed)
        record.inputs = try (models + data).map { try .init(hashing: DissimilarityOptions.path($0)) }
        record.settings = [
            ("method", .string("RSA")), ("comparison", .string(method.rawValue)), ("permutations", .integer(permutations)),
            ("bootstrap", .string(bootstrap.rawValue)),
            ("resamples", .integer(resamples)), ("fdr", .number(fdr)), ("conditions", .integer(result.conditions)),
            ("subjects", .integer(result.subjects)),
            ("missing_pairs", .integer(result.missing)),
            ("noise_ceiling", result.ceiling.map { .array([.number($0.lower), .number($0.upper)]) } ?? .null),
            (
                "models",
                .array(
                    result.models.map {
                        .object([
                            ("name", .string($0.name)), ("value", .number($0.estimate.value)),
                            ("p", $0.estimate.p.map(JSON.number) ?? .null),
                        ])
                    })
            ),
        ]
        if output != nil || !report.json { try write(result, record) }
        for path in picture.figure { try draw(result, to: path, record) }
        if result.missing > 0, !report.quiet {
            Console.say(
                "note: up to \(result.missing) of \(result.conditions * (result.conditions - 1) / 2) pairs are missing from a "
                    + "matrix; each comparison leaves out pairs missing from either of its matrices")
        }
        if report.json { try Console.print(json(result).serialized(.pretty)) } else if !report.quiet { say(result) }
    }

    private static func isSeries(_ argument: String) throws -> Bool {
        let path = DissimilarityOptions.path(argument)
        return try ["h5", "hdf5"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()) && RDMSeries.isSeries(path: path)
    }

    private func write(_ result: RSA.Result, _ record: Provenance) throws {
        let columns: [TableColumn] = [
            "kind", "model", "model2", TableColumn("value", decimals: 4), TableColumn("low", decimals: 4), TableColumn("high", decimals: 4),
            TableColumn("p", decimals: 5), TableColumn("p_fdr", decimals: 5), TableColumn("partial", decimals: 4), "subjects", "conditions",
            "method",
        ]
        try ResultTable(columns, table).write(to: output, provenance: record) { append in
            func row(_ kind: String, _ a: String, _ b: String?, _ e: Estimate, _ adjusted: Double?, _ partial: Double?) throws {
                try append([
                    .text(kind), .text(a), Cell(b), .number(e.value), Cell(e.interval?.lowerBound), Cell(e.interval?.upperBound), Cell(e.p),
                    Cell(adjusted), Cell(partial),
                    .integer(result.subjects), .integer(result.conditions), .text(e.method.description),
                ])
            }
            for model in result.models { try row("model", model.name, nil, model.estimate, model.adjustedP, model.partial) }
            for difference in result.differences {
                try row("difference", difference.first, difference.second, difference.estimate, difference.adjustedP, nil)
            }
            if let ceiling = result.ceiling {
                for (name, value) in [("lower", ceiling.lower), ("upper", ceiling.upper)] {
                    try append([
                        .text("noise ceiling"), .text(name), .missing, .number(value), .missing, .missing, .missing, .missing, .missing,
                        .integer(result.subjects), .integer(result.conditions), .text(method.rawValue),
                    ])
                }
            }
        }
    }

    private func json(_ result: RSA.Result) -> JSON {
        func members(_ e: Estimate, _ adjusted: Double) -> [(String, JSON)] {
            [
                ("value", .number(e.value)),
                ("interval_95", e.interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
                ("p", e.p.map(JSON.number) ?? .null), ("p_fdr", adjusted.isNaN ? .null : .number(adjusted)),
            ]
        }
        return .object([
            ("method", .string(method.rawValue)), ("conditions", .integer(result.conditions)), ("subjects", .integer(result.subjects)),
            ("noise_ceiling", result.ceiling.map { .array([.number($0.lower), .number($0.upper)]) } ?? .null),
            (
                "models",
                .array(
                    result.models.map {
                        .object(
                            [("name", .string($0.name))] + members($0.estimate, $0.adjustedP)
                                + [
                                    ("by_subject", .array($0.bySubject.map { .number($0) })),
                                    ("partial", $0.partial.map(JSON.number) ?? .null),
                                ])
                    })
            ),
            (
                "differences",
                .array(
                    result.differences.map {
                        .object([("first", .string($0.first)), ("second", .string($0.second))] + members($0.estimate, $0.adjustedP))
                    })
            ),
        ])
    }

    private func draw(_ result: RSA.Result, to path: String, _ record: Provenance) throws {
        var options = CategoryPlot.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        options.yTitle = picture.isJapanese ? "データとの一致（\(method.rawValue)）" : "agreement with data (\(method.rawValue))"
        options.reference = 0
        options.band = result.ceiling.map {
            (min($0.lower, $0.upper)...max($0.lower, $0.upper), picture.isJapanese ? "ノイズシーリング" : "noise ceiling")
        }
        let plot = try CategoryPlot(
            result.models.map {
                .init(
                    $0.name + ($0.adjustedP <= fdr ? " *" : ""), points: $0.bySubject, mean: $0.estimate.value,
                    interval: $0.estimate.interval)
            }, options: options)
        try plot.write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }

    private func say(_ result: RSA.Result) {
        for model in result.models {
            Console.say(
                "\(model.name): \(method.rawValue) \(Console.fixed(model.estimate.value, 4))"
                    + (model.estimate.interval.map { " [\(Console.fixed($0.lowerBound, 4)), \(Console.fixed($0.upperBound, 4))]" } ?? "")
                    + ", p = \(Console.fixed(model.estimate.p ?? .nan, 4))\(model.adjustedP <= fdr ? " *" : "")")
        }
        if let ceiling = result.ceiling {
            Console.say(
                "noise ceiling \(Console.fixed(ceiling.lower, 4)) to \(Console.fixed(ceiling.upper, 4)) (\(result.subjects) subjects, \(result.conditions) conditions)"
            )
        }
    }
}

extension RDMComparison: ExpressibleByArgument {}
extension RSA.Resampled: ExpressibleByArgument {}
