import FileFormats
import Foundation
import VectorStore

/// Dissimilarity matrices of the same conditions at several times, as of EEG or MEG.
package struct RDMSeries: Sendable, Equatable {
    package let labels: [String]
    /// Time of each matrix, ascending, in the user's unit.
    package let times: [Double]
    /// Condensed dissimilarities (times, pairs), pairs as in `RDM`.
    package let values: [[Double]]
    package let metric: String

    /// - Throws: `DataError` if lists differ in length, times do not ascend, or labels repeat.
    package init(labels: [String], times: [Double], values: [[Double]], metric: String = "") throws {
        guard times.count == values.count, !times.isEmpty else {
            throw DataError(.badData, "\(times.count) times do not name \(values.count) matrices")
        }
        guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }), times.allSatisfy(\.isFinite) else {
            throw DataError(.badData, "times must ascend")
        }
        for row in values { _ = try RDM(labels: labels, values: row, metric: metric) }
        (self.labels, self.times, self.values, self.metric) = (labels, times, values, metric)
    }

    package var count: Int { times.count }

    /// The matrix at one time.
    package func rdm(_ index: Int) throws -> RDM { try RDM(labels: labels, values: values[index], metric: metric) }

    /// The mean over times from `range`'s lower to its upper end.
    /// - Throws: `DataError` if no time lies in it.
    package func mean(_ range: ClosedRange<Double>) throws -> RDM {
        let chosen = times.indices.filter { range.contains(times[$0]) }
        guard !chosen.isEmpty else {
            throw DataError(
                .usage,
                "no times between \(range.lowerBound) and \(range.upperBound); times run from \(times[0]) to "
                    + "\(times[count - 1])")
        }
        return try RDM(
            labels: labels, values: values[0].indices.map { pair in chosen.reduce(0.0) { $0 + values[$1][pair] } / Double(chosen.count) },
            metric: metric)
    }

    // MARK: Files

    /// Writes `.rdm.h5` with one row of dissimilarities per time.
    package func write(to path: String, attributes: [(String, HDF5Attribute)] = []) throws {
        try HDF5Container.create(path: path) { file in
            try file.set("format", .string("kotonoha/rdm"))
            try file.set("format_version", .int(2))
            try file.set("metric", .string(metric))
            for (name, value) in attributes { try file.set(name, value) }
            try file.write("labels", strings: labels)
            try file.write("times", shape: [count], values: times)
            try file.write("dissimilarities", shape: [count, values[0].count], values: values.flatMap { $0 })
        }
    }

    /// Whether a file holds matrices over time.
    package static func isSeries(path: String) throws -> Bool {
        let file = try HDF5Container(path: path)
        return try file.attribute("format")?.string == "kotonoha/rdm" && file.dataset("times") != nil
    }

    package init(path: String) throws {
        let file = try HDF5Container(path: path)
        guard try file.attribute("format")?.string == "kotonoha/rdm" else {
            throw DataError(.badData, "not a file of dissimilarity matrices; expected one written by `rdm`", file: path)
        }
        let (shape, flat) = try file.read("dissimilarities", as: Double.self), times = try file.read("times", as: Double.self).values
        guard shape.count == 2, shape[0] == times.count else {
            throw DataError(.badData, "dissimilarities of shape \(shape) do not fit \(times.count) times", file: path)
        }
        do {
            try self.init(
                labels: try file.required("labels").strings(), times: times,
                values: (0..<shape[0]).map { Array(flat[$0 * shape[1]..<($0 + 1) * shape[1]]) },
                metric: try file.attribute("metric")?.string ?? "")
        } catch let error as DataError {
            throw DataError(error.kind, error.message, file: path)
        }
    }
}
