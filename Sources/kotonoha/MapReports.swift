import Analysis
import FileFormats
import Foundation
import Interpretation

extension MapQuality {
    private var values: [(name: String, key: String, value: Double?)] {
        [
            ("trustworthiness", "trustworthiness", trustworthiness), ("continuity", "continuity", continuity),
            ("neighbours kept", "neighbor_preservation", neighborPreservation),
            ("distances, Spearman", "distance_spearman", distanceCorrelation),
            ("group by neighbours", "label_accuracy", labelAccuracy),
        ]
    }

    /// One measure a line, for reading.
    var lines: String {
        values.compactMap { measure in measure.value.map { "\(measure.name)\t\(Console.fixed($0, 4))" } }.joined(separator: "\n")
            + "\n(\(neighbors) neighbours, \(Console.grouped(examined)) points examined)"
    }

    var json: JSON {
        .object(
            [("neighbors", .integer(neighbors)), ("examined", .integer(examined))]
                + values.map { ($0.key, $0.value.map(JSON.number) ?? .null) })
    }
}

extension TSNEMap {
    /// Between which points affinities were taken, in words.
    var affinities: String { pairs == .all ? "over all pairs" : "over the \(Console.grouped(neighbors)) nearest neighbours" }

    /// Both divergences by their names: over the pairs that were used, and over all.
    var divergences: String {
        let used = "\(Console.fixed(kullbackLeiblerDivergence, 4)) \(affinities)\(isExact ? "" : " (its normalization interpolated)")"
        guard pairs != .all else { return used }
        return used + (divergenceOverAllPairs.map { ", \(Console.fixed($0, 4)) over all pairs" } ?? " (not computed over all pairs)")
    }

    /// Says so where the usual early exaggeration was too strong; nil if it was used, or another one was asked for.
    func halvedExaggeration(asked: Double?) -> String? {
        guard asked == nil, let used = settings.earlyExaggeration, used < TSNE.usualEarlyExaggeration else { return nil }
        return
            "early exaggeration \(Console.fixed(used, used == used.rounded() ? 0 : 2)): higher values, up to the usual 12, collapsed the map (--early-exaggeration sets another)"
    }
}

/// The state of a t-SNE run next to its output, kept until the map is written.
///
/// The file begins with a line that marks it as the program's own; a file or link of this name without it is never touched.
final class PartialMap {
    private let path: String
    private static let mark = "kotonoha/unfinished t-SNE "
    /// What the run was made from; another run's state is refused.
    private let key: String
    private var lastWritten = ContinuousClock.now

    init(output: String, key: String) {
        path = output + ".partial"
        self.key = Self.mark + key
    }

    /// - Throws: `DataError` if another file is in the way of the state, before hours of work that could not be saved.
    func check() throws {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        let head =
            information.st_mode & S_IFMT == S_IFREG
            ? try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: Self.mark.utf8.count) : nil
        guard head == Data(Self.mark.utf8) else {
            throw DataError(
                .cannotCreate,
                "this file is not the state of an unfinished map and was left alone; move it or choose another "
                    + "output", file: path)
        }
    }

    func read() throws -> TSNECheckpoint {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DataError(.noInput, "no interrupted run to resume; leave out --resume", file: path)
        }
        let head = Data((key + "\n").utf8)
        guard data.starts(with: head) else {
            throw DataError(
                .badData,
                "the interrupted run used other vectors or another --pca; leave out --resume to start "
                    + "over", file: path)
        }
        do {
            return try TSNECheckpoint(data: data.dropFirst(head.count))
        } catch let error as DataError {
            throw DataError(error.kind, error.message, file: path)
        }
    }

    func write(_ checkpoint: TSNECheckpoint) throws {
        try check()
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

    func remove() { if (try? check()) != nil { unlink(path) } }
}
