import Analysis
import FileFormats
import Foundation
import Interpretation

extension MapQuality {
    private var values: [(name: String, key: String, value: Double?)] {
        [("trustworthiness", "trustworthiness", trustworthiness), ("continuity", "continuity", continuity),
         ("neighbours kept", "neighbor_preservation", neighborPreservation), ("distances, Spearman", "distance_spearman", distanceCorrelation),
         ("group by neighbours", "label_accuracy", labelAccuracy)]
    }

    /// One measure a line, for reading.
    var lines: String {
        values.compactMap { measure in measure.value.map { "\(measure.name)\t\(Console.fixed($0, 4))" } }.joined(separator: "\n")
            + "\n(\(neighbors) neighbours, \(Console.grouped(examined)) points examined)"
    }

    var json: JSON {
        .object([("neighbors", .integer(neighbors)), ("examined", .integer(examined))]
                + values.map { ($0.key, $0.value.map(JSON.number) ?? .null) })
    }
}

/// The state of a t-SNE run beside its output, kept until the map is written.
final class PartialMap {
    private let path: String
    /// What the run was made from; another run's state is refused.
    private let key: String
    private var lastWritten = ContinuousClock.now

    init(output: String, key: String) {
        path = output + ".partial"
        self.key = key
    }

    func read() throws -> TSNECheckpoint {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DataError(.noInput, "there is no stopped run to continue; leave --resume out", file: path)
        }
        let head = Data((key + "\n").utf8)
        guard data.starts(with: head) else {
            throw DataError(.badData, "the stopped run was made from other vectors or with another --pca; leave --resume out to start again", file: path)
        }
        do {
            return try TSNECheckpoint(data: data.dropFirst(head.count))
        } catch let error as DataError {
            throw DataError(error.kind, error.message, file: path)
        }
    }

    func write(_ checkpoint: TSNECheckpoint) throws {
        try AtomicFile.write(to: path) { file in
            try file.write(key + "\n")
            try file.write([UInt8](checkpoint.data))
        }
        lastWritten = .now
    }

    /// At most every ten seconds.
    func writeNowAndThen(_ progress: TSNEProgress) throws {
        if ContinuousClock.now - lastWritten > .seconds(10) { try write(progress.makeCheckpoint()) }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
