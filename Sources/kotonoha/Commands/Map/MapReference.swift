import Analysis
import FileFormats
import Foundation
import Tensors
import VectorStore

/// The vectors that a map was made from, for placing new ones on it, and what was done to them.
struct MapReference {
    /// The map's points, reduced as they were for the map.
    let vectors: Tensor<Float>
    /// The file that they come from.
    let source: String
    private let components: PCAModel?
    private let normalizesFirst: Bool
    private let threads: Int

    /// New vectors that are held at once.
    static let placedAtOnce = 65_536

    /// - Throws: `DataError` if the file is not there or another one, or its vectors come from another model than those of `file`.
    init(_ map: MapFile, path: String, named reference: String?, placing file: VectorFile, threads: Int) throws {
        let source = try VectorFile(path: try Self.find(map, path: path, named: reference))
        guard let highest = map.rows.max(), highest < source.count else {
            throw DataError(
                .badData,
                "the map has points for rows that are not in \(source.path); name the map's vector file with "
                    + "--reference", file: path)
        }
        guard file.metadata.modelSHA256 == source.metadata.modelSHA256 else {
            throw DataError(
                .badData,
                "its vectors were made with the model \(file.metadata.model), those of the map with "
                    + "\(source.metadata.model)", file: file.path)
        }
        var old = try source.gather(map.rows), model: PCAModel?
        normalizesFirst = map.principalComponents != nil && map.normalizesVectors
        if let components = map.principalComponents {
            if normalizesFirst { old = normalizedRows(old, threads: threads) }
            let fitted = try PCA(components: .count(components), seed: map.seed, threads: threads).fit(old)
            (old, model) = (try fitted.transform(old, threads: threads), fitted)
        }
        (vectors, components, self.source, self.threads) = (old, model, source.path, threads)
    }

    /// New vectors, reduced as the map's were.
    func prepared(_ file: VectorFile, _ rows: [Int]) throws -> Tensor<Float> {
        var new = try file.gather(rows)
        if normalizesFirst { new = normalizedRows(new, threads: threads) }
        return try components?.transform(new, threads: threads) ?? new
    }

    /// The file that was named, or the one with the map's name and hash for it next to the map or in the working folder.
    private static func find(_ map: MapFile, path: String, named reference: String?) throws -> String {
        let beside = map.source.map { [URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent($0).path, $0] } ?? []
        guard let found = (reference.map { [$0] } ?? beside).first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw DataError(
                .noInput,
                "the map was made from \(map.source ?? "an unnamed vector file"), which is not next to it; give its "
                    + "path with --reference", file: path)
        }
        if let expected = map.sourceSHA256, !expected.isEmpty, try SHA256.hex(ofFile: found) != expected {
            throw DataError(.badData, "this is not the file that \(path) was made from: its SHA-256 differs", file: found)
        }
        return found
    }
}
