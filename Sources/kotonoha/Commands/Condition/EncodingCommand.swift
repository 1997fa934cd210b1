import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Representations
import Statistics
import Tensors
import VectorStore

struct EncodingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encoding", abstract: "Encoding models: predict measurements (voxels, channels) from vectors.",
        discussion: """
            kotonoha encoding words.h5 --data P1.tsv --leave 2 --alpha 100

            leaves out each pair of items in turn and tests whether their predictions match
            the two items better than the reverse (Mitchell et al. 2008).

            kotonoha encoding sentences.h5 --data voxels.npy --group-column run -o scores.tsv

            predicts each fold from the others by ridge regression; the penalty of each
            voxel is chosen in inner folds. Rows of --data are in the order of the vector
            file, or are matched to its texts or ids by the column --match.

            Repeated measurements (--data given several times, or an array of repetitions,
            rows, voxels) are averaged, give each voxel a noise ceiling, and allow --stable
            N: only the most reliable voxels in the training rows of each fold. --bands
            gives feature spaces separate penalties.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(
        help: ArgumentHelp(
            "Measurements: a table, .npy, .h5 or .mat (FILE:NAME), one row per vector, one column per voxel; several times for repetitions.",
            valueName: "file"))
    var data: [String]

    @Option(
        help: ArgumentHelp(
            "The column of --data whose values are the texts or ids of the vectors; rows are in order if not given.", valueName: "column"))
    var match: String?

    @Option(help: ArgumentHelp("Penalties of ridge regression, equally spaced on a logarithmic scale.", valueName: "low:high:count"))
    var alphas = "1e-2:1e5:15"

    @Option(help: "A fixed penalty instead of choosing one; 1 by default with --leave.")
    var alpha: Double?

    @Option(
        help: ArgumentHelp(
            "Feature spaces with separate penalties: widths that add up to the dimension (50,250), or more vector files, whose vectors are appended.",
            valueName: "widths|files"))
    var bands: String?

    @Option(help: "Random weightings of the bands to try, in addition to equal weights and each band alone.")
    var bandSamples = 20

    @Option(
        help: "Use only this many voxels, those with the most reliable repetitions in the training rows of each fold; needs repetitions.")
    var stable: Int?

    @Option(help: "Number of outer and of inner folds.")
    var folds = 5

    @Option(help: "2: leave two items out.")
    var leave: Int?

    @Option(help: "Column of groups that are never split between folds, such as runs of a scan.")
    var groupColumn: String?

    @Option(help: "Permutations for p-values; 0 for none.")
    var permutations = 0

    @Flag(inversion: .prefixedNo, help: "Scale features to mean 0 and standard deviation 1 over the training rows of each fold.")
    var standardize = true

    @Option(in: .seed, help: "Seed of folds and permutations.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(name: .shortAndLong, help: "One row per voxel: r, R², penalty (.tsv, .csv, .xlsx, .jsonl, .json or .h5).")
    var output: String?

    @OptionGroup(title: "Picture") var picture: PictureOptions
    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(output, OutputName.tables + (leave == nil ? OutputName.vectors : []), "scores are written")
        if data.isEmpty { throw ValidationError("give the measurements with --data") }
        if let leave, leave != 2 { throw ValidationError("--leave must be 2, not \(leave); for larger parts use --folds") }
        if leave != nil {
            try refuse([("--bands", bands != nil), ("--group-column", groupColumn != nil)], "is for folds, and --leave 2 leaves pairs out")
        }
        if folds < 2 { throw ValidationError("--folds should be at least 2, not \(folds)") }
        if permutations < 0 || bandSamples < 0 { throw ValidationError("--permutations and --band-samples should be at least 0") }
        if let stable, stable < 1 { throw ValidationError("--stable should be at least 1, not \(stable)") }
        if let alpha, !(alpha >= 0 && alpha.isFinite) { throw ValidationError("--alpha is a number from 0, not \(alpha)") }
        _ = try grid()
    }

    private func grid() throws -> [Double] {
        if let alpha { return [alpha] }
        let parts = alphas.split(separator: ":").map(String.init)
        guard parts.count == 3, let low = Double(parts[0]), let high = Double(parts[1]), let count = Int(parts[2]), low > 0, high >= low,
            high.isFinite, (1...1000).contains(count)
        else {
            throw ValidationError("--alphas expects LOW:HIGH:COUNT, such as 1e-2:1e5:15, not '\(alphas)'")
        }
        return EncodingModel.grid(low, high, count)
    }

    func run() throws {
        let paths = data.map { ArrayFile.split($0).path }, files = bandFiles
        try writing.check(inputs: [vectors] + files + paths, files: [output] + picture.figure)
        let file = try VectorFile(path: vectors), source = try MeasurementInput(data, match: match, file)
        let (x, ranges) = try features(file, files, source.rows)
        if let stable, source.repeats == nil {
            throw DataError(
                .usage,
                "--stable \(stable) chooses voxels by reliability: give --data several times, or an array "
                    + "(repetitions, rows, voxels)")
        }
        if let stable, stable > source.mean.columns {
            throw DataError(.usage, "--stable \(stable) exceeds the number of voxels, \(source.mean.columns)")
        }
        if !report.quiet { for note in source.notes { Console.say("note: " + note) } }
        var record = provenance(seed: seed)
        record.inputs = try ([vectors] + files + paths).map { try .init(hashing: $0) }
        record.settings = [
            ("method", .string("encoding model")), ("items", .integer(source.rows.count)), ("voxels", .integer(source.mean.columns)),
            ("standardized", .bool(standardize)),
            ("repetitions", .integer(source.repeats?.repeats.count ?? 1)), ("stable", stable.map(JSON.integer) ?? .null),
            ("bands", ranges.isEmpty ? .null : .integer(ranges.count)),
            ("permutations", .integer(permutations)), ("vectors", try file.description),
        ]
        if leave == 2 { try leaveTwoOut(x, source, &record) } else { try crossValidated(x, ranges, source, file, &record) }
    }

    /// Vector files of further bands; none if --bands lists widths.
    private var bandFiles: [String] {
        guard let bands, bands.contains(where: { !$0.isNumber && $0 != "," }) else { return [] }
        return bands.split(separator: ",").map(String.init)
    }

    /// Features of the rows that have measurements, and the columns of each band.
    private func features(_ file: VectorFile, _ others: [String], _ rows: [Int]) throws -> (Tensor<Float>, [Range<Int>]) {
        let sources = [file] + (try others.map { try VectorFile(path: $0) })
        for (path, other) in zip(others, sources.dropFirst()) {
            guard other.count == file.count else {
                throw DataError(
                    .badData, "it has \(other.count) rows, \(vectors) has \(file.count); bands describe the same rows in the same order",
                    file: path)
            }
            let valid = try other.valid()
            if let empty = rows.first(where: { !valid[$0] }) {
                throw DataError(.badData, "row \(empty) has no vector, but \(vectors) has one there", file: path)
            }
        }
        let widths = sources.map(\.dimension), total = widths.reduce(0, +)
        var x = Tensor<Float>(uninitialized: [rows.count, total]), start = 0
        for (source, d) in zip(sources, widths) {
            let all = try source.readEmbeddings(), offset = start
            x.withUnsafeMutableElements { to in
                for (place, row) in rows.enumerated() { for k in 0..<d { to[place * total + offset + k] = all[row * d + k] } }
            }
            start += d
        }
        guard let bands else { return (x, []) }
        let listed = others.isEmpty ? bands.split(separator: ",").compactMap { Int($0) } : widths
        guard listed.allSatisfy({ $0 > 0 }), listed.reduce(0, +) == total else {
            throw DataError(.usage, "--bands \(bands) adds up to \(listed.reduce(0, +)) features; the vectors have \(total)")
        }
        var edge = 0
        return (
            x,
            listed.map { width in
                edge += width
                return edge - width..<edge
            }
        )
    }

    private func leaveTwoOut(_ x: Tensor<Float>, _ source: MeasurementInput, _ record: inout Provenance) throws {
        let penalty = alpha ?? 1
        let (found, null) = try LeaveTwoOut(
            penalty: penalty, standardizes: standardize, stable: stable, permutations: permutations, seed: seed, threads: threads
        ).run(
            features: x.converted(to: Double.self), measurements: source.mean, repeats: source.repeats)
        record.settings += [
            ("leave", .integer(2)), ("alpha", .number(penalty)), ("accuracy", .number(found.value)),
            ("p", found.p.map(JSON.number) ?? .null),
        ]
        if let output {
            try ResultTable(["items", "pairs", "alpha", TableColumn("accuracy", decimals: 4), TableColumn("p", decimals: 5)], table).write(
                to: output, provenance: record
            ) { append in
                try append([
                    .integer(found.n), .integer(found.n * (found.n - 1) / 2), .number(penalty), .number(found.value), Cell(found.p),
                ])
            }
        }
        for path in picture.figure { try EncodingFigure(picture).draw(accuracy: found, null: null, to: path, record) }
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        try Console.print(
            "2-versus-2 accuracy\t\(Console.fixed(found.value, 4))\t(\(found.n * (found.n - 1) / 2) pairs of \(found.n) items, alpha \(penalty))"
                + (found.p.map { "\tp = \(Console.fixed($0, 4)) by permuting items" } ?? ""))
    }

    private func crossValidated(
        _ x: Tensor<Float>, _ ranges: [Range<Int>], _ source: MeasurementInput, _ file: VectorFile, _ record: inout Provenance
    ) throws {
        let penalties = try grid()
        var groups: [Int]?
        if let groupColumn {
            let all = try file.column(file.layout.requiredColumn(named: groupColumn, file: vectors)),
                factor = Factor(name: groupColumn, values: source.rows.map { all[$0] })
            guard !factor.codes.contains(nil) else {
                throw DataError(.badData, "the column \(groupColumn) is empty in some rows", file: vectors)
            }
            groups = factor.codes.compactMap { $0 }
        }
        let model = EncodingModel(
            penalties: penalties, folds: folds, standardizes: standardize, bands: ranges, bandSamples: bandSamples, stable: stable,
            permutations: permutations, seed: seed, threads: threads)
        let scores = try model(features: x, measurements: source.mean.converted(to: Float.self), groups: groups, repeats: source.repeats)
        let defined = scores.r.filter { !$0.isNaN }
        guard !defined.isEmpty else {
            throw DataError(.badData, "no voxel has a correlation: all \(scores.r.count) are constant", file: data[0])
        }
        record.settings += [
            ("folds", .integer(folds)), ("alphas", .array(penalties.map { .number($0) })), ("mean_r", .number(mean(defined))),
        ]
        if let output { try EncodingScores(scores, names: source.names).write(to: output, table, record) }
        for path in picture.figure { try EncodingFigure(picture).draw(scores, to: path, record) }
        let significant = scores.adjustedP?.count { $0 <= 0.05 }, ceilings = scores.ceiling?.filter { !$0.isNaN }
        let unused = scores.penalties.count(where: \.isEmpty)
        if report.json {
            return try Console.print(
                JSON.object(
                    record.settings + [
                        ("best_r", defined.max().map(JSON.number) ?? .null),
                        ("constant_voxels", .integer(scores.r.count - defined.count - unused)), ("unselected_voxels", .integer(unused)),
                        ("significant_fdr_05", significant.map(JSON.integer) ?? .null),
                        ("mean_ceiling", ceilings.map { .number(mean($0)) } ?? .null),
                        ("at_lower_edge", .integer(scores.atLowerEdge)), ("at_upper_edge", .integer(scores.atUpperEdge)),
                    ]
                ).serialized(.pretty))
        }
        try Console.print(
            "mean r\t\(Console.fixed(mean(defined), 4))\nbest r\t\(Console.fixed(defined.max() ?? .nan, 4))\nvoxels\t\(scores.r.count)"
                + (ceilings.map { "\nmean noise ceiling\t\(Console.fixed(mean($0), 4))" } ?? "")
                + (significant.map { "\nsignificant (FDR 5 %)\t\($0)" } ?? ""))
        guard !report.quiet else { return }
        if scores.atLowerEdge + scores.atUpperEdge > 0 {
            Console.say(
                "warning: the best penalty is at the edge of the grid for \(scores.atLowerEdge) (lower) and \(scores.atUpperEdge) "
                    + "(upper) of \(scores.r.count) voxels; widen --alphas")
        }
        if unused > 0 { Console.say("note: \(unused) voxels were not stable in any fold and have no r") }
        if defined.count + unused < scores.r.count {
            Console.say("note: \(scores.r.count - defined.count - unused) voxels are constant and have no r")
        }
    }
}
