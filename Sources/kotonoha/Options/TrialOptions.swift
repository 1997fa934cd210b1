import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Representations
import Tensors
import VectorStore

/// How an array over time is understood: its trials, folds, times and noise.
struct TrialOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A table with the condition and fold of each trial, one row per entry of the array's second axis.", valueName: "table"))
    var trials: String?

    @Option(help: "Column of --trials (or of a table of conditions) that names the condition.")
    var conditionColumn = "condition"

    @Option(
        help:
            "Column of --trials with the fold (run, session) of each trial; by default 'fold' if it exists, otherwise trials alternate between two folds."
    )
    var foldColumn: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Times: START:STEP, or a table with a column 'time'; by default 0, 1, 2, …", valueName: "start:step|table"))
    var times: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Average over this time window into one matrix.", valueName: "from:to"))
    var window: String?

    @Option(help: "Shrinkage target of the noise covariance: diagonal, identity or none.")
    var shrinkage = NoiseCovariance.Shrinkage.diagonal

    @Flag(help: "Estimate the noise at each time separately instead of once for all times.")
    var noiseByTime = false

    func validate() throws { _ = try windowRange() }

    func windowRange() throws -> ClosedRange<Double>? {
        guard let window else { return nil }
        let ends = window.split(separator: ":").map { Double($0) }
        guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high else {
            throw ValidationError("--window expects FROM:TO in the unit of the times, such as 0.1:0.2; not '\(window)'")
        }
        return low...high
    }

    /// Whether an input is matrices over time.
    func isSeries(_ input: String) throws -> Bool {
        try ["h5", "hdf5"].contains(URL(fileURLWithPath: input).pathExtension.lowercased()) && FileManager.default.fileExists(atPath: input)
            && RDMSeries.isSeries(path: input)
    }

    /// Whether an input is an array over time, and neither vectors nor a matrix.
    func isArray(_ input: String) throws -> Bool {
        let (path, _) = ArrayFile.split(input)
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "mat": return true
        case "npy": return try trials != nil || NPYFile(path: path).shape.count == 3
        case "h5", "hdf5":
            return try trials != nil || HDF5Container(path: path).attribute("format") == nil && !LayerFile.isLayers(path: path)
        default: return false
        }
    }

    /// The matrices of an array, and what a record says of how they were made.
    func series(_ input: String, _ metric: TrialDistances.Measure, label say: ((String) -> Void)?) throws -> (RDMSeries, [(String, JSON)]) {
        let (path, _) = ArrayFile.split(input)
        var array = try ArrayFile.read(input)
        // One time may do without its axis.
        if array.shape.count == 2 { array = NumericArray(shape: [1] + array.shape, values: array.values) }
        guard array.shape.count == 3, array.shape.allSatisfy({ $0 > 0 }) else {
            throw DataError(.badData, "expected an array (times, conditions or trials, channels), found shape \(array.shape)", file: path)
        }
        let moments = try timeList(array.shape[0], path), design: TrialDesign
        do {
            if let trials {
                let table = try Table(path: trials, wanted: [conditionColumn]), conditions = try table.column(conditionColumn).texts
                let name = foldColumn ?? (table.columnNames.contains("fold") ? "fold" : nil),
                    folds = try name.map { try table.column($0).texts }
                guard conditions.count == array.shape[1] else {
                    throw DataError(
                        .badData,
                        "it has \(conditions.count) trials; the array of shape \(array.shape) has \(array.shape[1]) (its axes are times, trials, channels)",
                        file: trials)
                }
                design = try TrialDesign(conditions: conditions, folds: folds)
                if folds == nil, metric.isCrossValidated {
                    say?("note: --trials has no fold column, so the trials of each condition alternate between two folds")
                }
            } else {
                design = try TrialDesign(
                    conditions: (0..<array.shape[1]).map(String.init), folds: [String](repeating: "1", count: array.shape[1]))
            }
            let series = try TrialDistances(metric, shrinkage: shrinkage, sharesNoise: !noiseByTime)(array, design, times: moments)
            var settings: [(String, JSON)] = [
                ("trials", trials == nil ? .null : .integer(design.count)), ("channels", .integer(array.shape[2])),
                ("folds", metric.isCrossValidated ? .integer(design.folds.count) : .null),
            ]
            if metric.needsNoise {
                settings += [("shrinkage", .string(shrinkage.rawValue)), ("noise", .string(noiseByTime ? "each time" : "all times"))]
            }
            return (series, settings)
        } catch let error as DataError { throw DataError(error.kind, error.message, file: error.file ?? path, line: error.line) }
    }

    private func timeList(_ count: Int, _ path: String) throws -> [Double] {
        guard let times else { return (0..<count).map(Double.init) }
        let parts = times.split(separator: ":").map { Double($0) }
        if parts.count == 2, let start = parts[0], let step = parts[1], step > 0 {
            // Rounded, so that 0.1 + 2 × 0.1 is written as 0.3.
            return (0..<count).map { ((start + Double($0) * step) * 1e9).rounded() / 1e9 }
        }
        let found = try Table(path: times, wanted: ["time"]).column("time").numbers()
        guard found.count == count else { throw DataError(.badData, "it has \(found.count) times, the array has \(count)", file: times) }
        return found
    }
}

extension NoiseCovariance.Shrinkage: ExpressibleByArgument {}
