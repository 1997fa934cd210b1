import Analysis
import ArgumentParser
import FileFormats
import Figures
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

            leaves each pair of items out in turn and asks whether their predictions fit the right one of the two better (Mitchell et al. 2008).

            kotonoha encoding sentences.h5 --data voxels.npy --group-column run -o scores.tsv

            predicts each fold from the others by ridge regression; the penalty of each voxel is chosen in inner folds. Rows of --data are those of the
            vector file in order, or are matched with its texts or ids by the column --match.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(help: ArgumentHelp("Measurements: a table or .npy, one row per vector, one column per voxel.", valueName: "file"))
    var data: String

    @Option(help: ArgumentHelp("The column of --data whose values are the texts or ids of the vectors; rows are in order if not given.", valueName: "column"))
    var match: String?

    @Option(help: ArgumentHelp("Penalties of ridge regression, equally spaced in their logarithm.", valueName: "low:high:count"))
    var alphas = "1e-2:1e5:15"

    @Option(help: "One penalty instead of a choice; 1 if not given with --leave.")
    var alpha: Double?

    @Option(help: "Folds, outer and inner.")
    var folds = 5

    @Option(help: "2: leave two items out.")
    var leave: Int?

    @Option(help: "Rows that are never split between folds, as runs of a scan.")
    var groupColumn: String?

    @Option(help: "Permutations for p-values; 0 leaves them out.")
    var permutations = 0

    @Flag(inversion: .prefixedNo, help: "Scale features to mean 0 and standard deviation 1 over the training rows of each fold.")
    var standardize = true

    @Option(in: .seed, help: "Seed of folds and permutations.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Workers; the result does not depend on it.")
    var threads = Parallel.availableThreads

    @Option(name: .shortAndLong, help: "One row per voxel: r, R², penalty (.tsv, .csv, .xlsx, .jsonl, .json).")
    var output: String?

    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        if let leave, leave != 2 { throw ValidationError("--leave is 2, not \(leave); --folds leaves parts of other sizes out") }
        if folds < 2 { throw ValidationError("--folds should be at least 2, not \(folds)") }
        if permutations < 0 { throw ValidationError("--permutations should be at least 0, not \(permutations)") }
        if let alpha, !(alpha >= 0 && alpha.isFinite) { throw ValidationError("--alpha is a number from 0, not \(alpha)") }
        _ = try grid()
    }

    private func grid() throws -> [Double] {
        if let alpha { return [alpha] }
        let parts = alphas.split(separator: ":").map(String.init)
        guard parts.count == 3, let low = Double(parts[0]), let high = Double(parts[1]), let count = Int(parts[2]), low > 0, high >= low, high.isFinite, (1...1000).contains(count) else {
            throw ValidationError("--alphas is LOW:HIGH:COUNT, as 1e-2:1e5:15, not '\(alphas)'")
        }
        return EncodingModel.grid(low, high, count)
    }

    func run() throws {
        try writing.check(inputs: [vectors, data], files: [output])
        let file = try VectorFile(path: vectors)
        let (rows, measured, names) = try measurements(file)
        let x = try file.vectors(rows: rows)
        var record = provenance(seed: seed)
        record.inputs = [try .init(hashing: vectors), try .init(hashing: data)]
        record.settings = [("method", .string("encoding model")), ("items", .integer(rows.count)), ("voxels", .integer(measured.columns)), ("standardized", .bool(standardize)),
                           ("permutations", .integer(permutations)), ("vectors", try file.description)]
        if leave == 2 { try leaveTwoOut(x, measured, &record) } else { try crossValidated(x, measured, names, file, rows, &record) }
    }

    private func leaveTwoOut(_ x: Tensor<Float>, _ y: Tensor<Double>, _ record: inout Provenance) throws {
        let penalty = alpha ?? 1
        let found = try LeaveTwoOut(penalty: penalty, standardizes: standardize, permutations: permutations, seed: seed, threads: threads)(
            features: x.converted(to: Double.self), measurements: y)
        record.settings += [("leave", .integer(2)), ("alpha", .number(penalty)), ("accuracy", .number(found.value)), ("p", found.p.map(JSON.number) ?? .null)]
        if let output {
            try ResultTable(["items", "pairs", "alpha", TableColumn("accuracy", decimals: 4), TableColumn("p", decimals: 5)], table).write(to: output, provenance: record) { append in
                try append([.integer(found.n), .integer(found.n * (found.n - 1) / 2), .number(penalty), .number(found.value), Cell(found.p)])
            }
        }
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        try Console.print("2-versus-2 accuracy\t\(Console.fixed(found.value, 4))\t(\(found.n * (found.n - 1) / 2) pairs of \(found.n) items, alpha \(penalty))"
                      + (found.p.map { "\tp = \(Console.fixed($0, 4)) by permuting items" } ?? ""))
    }

    private func crossValidated(_ x: Tensor<Float>, _ y: Tensor<Double>, _ names: [String], _ file: VectorFile, _ rows: [Int], _ record: inout Provenance) throws {
        let penalties = try grid()
        var groups: [Int]?
        if let groupColumn {
            let all = try file.column(file.layout.requiredColumn(named: groupColumn, file: vectors)), factor = Factor(name: groupColumn, values: rows.map { all[$0] })
            guard !factor.codes.contains(nil) else { throw DataError(.badData, "the column \(groupColumn) is empty in some rows", file: vectors) }
            groups = factor.codes.compactMap { $0 }
        }
        let scores = try EncodingModel(penalties: penalties, folds: folds, standardizes: standardize, permutations: permutations, seed: seed, threads: threads)(
            features: x, measurements: y.converted(to: Float.self), groups: groups)
        let defined = scores.r.filter { !$0.isNaN }
        record.settings += [("folds", .integer(folds)), ("alphas", .array(penalties.map { .number($0) })), ("mean_r", .number(mean(defined)))]
        if let output {
            let columns: [TableColumn] = ["voxel", TableColumn("r", decimals: 4), TableColumn("r_squared", decimals: 4), TableColumn("alpha"), TableColumn("p", decimals: 5), TableColumn("p_fdr", decimals: 5)]
            try ResultTable(columns, table).write(to: output, provenance: record) { append in
                for k in scores.r.indices {
                    let chosen = scores.penalties[k].sorted()
                    try append([.text(names[k]), Cell(scores.r[k].isNaN ? nil : scores.r[k]), Cell(scores.rSquared[k].isNaN ? nil : scores.rSquared[k]), .number(chosen[chosen.count / 2]),
                                Cell(scores.p?[k]), Cell(scores.adjustedP?[k])])
                }
            }
        }
        let significant = scores.adjustedP?.count { $0 <= 0.05 }
        if report.json {
            return try Console.print(JSON.object(record.settings + [
                ("best_r", defined.max().map(JSON.number) ?? .null), ("constant_voxels", .integer(scores.r.count - defined.count)), ("significant_fdr_05", significant.map(JSON.integer) ?? .null),
                ("at_lower_edge", .integer(scores.atLowerEdge)), ("at_upper_edge", .integer(scores.atUpperEdge)),
            ]).serialized(.pretty))
        }
        try Console.print("mean r\t\(Console.fixed(mean(defined), 4))\nbest r\t\(Console.fixed(defined.max() ?? .nan, 4))\nvoxels\t\(scores.r.count)"
                      + (significant.map { "\nsignificant (FDR 5 %)\t\($0)" } ?? ""))
        guard !report.quiet else { return }
        if scores.atLowerEdge + scores.atUpperEdge > 0 {
            Console.say("warning: the best penalty lies at the edge of the grid for \(scores.atLowerEdge) (lower) and \(scores.atUpperEdge) (upper) of \(scores.r.count) voxels; widen --alphas")
        }
        if defined.count < scores.r.count { Console.say("note: \(scores.r.count - defined.count) voxels are constant and have no r") }
    }

    /// Rows of the vector file that have measurements, the measurements in the same order, and the voxels' names.
    private func measurements(_ file: VectorFile) throws -> ([Int], Tensor<Double>, [String]) {
        let valid = try file.valid()
        let values: Tensor<Double>, keys: [String]?, names: [String]
        if URL(fileURLWithPath: data).pathExtension.lowercased() == "npy" {
            let array = try NPYFile(path: data)
            guard array.shape.count == 2 else { throw DataError(.badData, "expected an array (rows, voxels), not of shape \(array.shape)", file: data) }
            (values, keys, names) = (Tensor(try array.doubles(), shape: array.shape), nil, (0..<array.shape[1]).map(String.init))
        } else {
            let table = try Table(path: data), key = try match.map { try table.column($0) }
            let used = table.columns.filter { $0.name != key?.name && ($0.kind == .number || $0.kind == .integer) }
            guard !used.isEmpty else { throw DataError(.badData, "it has no columns of numbers", file: data) }
            let columns = try used.map { try $0.numbers() }
            values = Tensor((0..<table.rowCount).flatMap { row in columns.map { $0[row] } }, shape: [table.rowCount, columns.count])
            (keys, names) = (key?.texts, used.map(\.name))
        }
        guard let keys else {
            guard values.rows == file.count else {
                throw DataError(.badData, "it has \(values.rows) rows, the vector file has \(file.count); --match COLUMN pairs them by text or id", file: data)
            }
            let rows = valid.indices.filter { valid[$0] }
            let v = values.columns
            return (rows, Tensor(rows.flatMap { row in (0..<v).map { values[row, $0] } }, shape: [rows.count, v]), names)
        }
        let texts = try file.ids() ?? file.texts(), other = try file.texts()
        var places: [String: Int] = [:]
        for row in valid.indices where valid[row] {
            places[other[row]] = places[other[row]] ?? row
            places[texts[row]] = row
        }
        let missing = keys.filter { places[$0] == nil }
        guard missing.isEmpty else {
            throw DataError(.badData, "\(missing.count) of its rows have no vector: \(missing.prefix(5).joined(separator: ", "))\(missing.count > 5 ? ", …" : "")", file: data)
        }
        return (keys.compactMap { places[$0] }, values, names)
    }
}
