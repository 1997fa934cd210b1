import Analysis
import FileFormats
import Foundation
import Tensors
import VectorStore

/// The vectors that a map was made from, for placing new ones on it.
struct MapReference {
    private let map: MapFile
    private let path: String
    private let reference: String?

    init(_ map: MapFile, path: String, reference: String?) { (self.map, self.path, self.reference) = (map, path, reference) }

    /// The vectors of the map's points and the new ones, both reduced as the map's were, and the file that the former come from.
    func vectors(placing file: VectorFile, threads: Int) throws -> (old: Tensor<Float>, new: Tensor<Float>, source: String) {
        let source = try VectorFile(path: try find())
        guard let highest = map.rows.max(), highest < source.count else {
            throw DataError(.badData, "the map has points for rows that \(source.path) does not have; --reference names the vector file that the map was made from", file: path)
        }
        guard file.metadata.modelSHA256 == source.metadata.modelSHA256 else {
            throw DataError(.badData, "its vectors come from the model \(file.metadata.model), those of the map from \(source.metadata.model)", file: file.path)
        }
        var (old, new) = (try source.matrix(map.rows), try MapRows(file, name: file.path).matrix())
        if let components = map.principalComponents {
            if map.normalizesVectors { (old, new) = (normalizedRows(old, threads: threads), normalizedRows(new, threads: threads)) }
            let model = try PCA(components: .count(components), seed: map.seed, threads: threads).fit(old)
            (old, new) = (try model.transform(old, threads: threads), try model.transform(new, threads: threads))
        }
        return (old, new, source.path)
    }

    /// The file that was named, or the one with the map's name and hash for it beside the map or in the working folder.
    private func find() throws -> String {
        let beside = map.source.map { [URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent($0).path, $0] } ?? []
        guard let found = (reference.map { [$0] } ?? beside).first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw DataError(.noInput, "the map was made from \(map.source ?? "a vector file that it does not name"), which is not beside it; --reference says where it is", file: path)
        }
        if let expected = map.sourceSHA256, !expected.isEmpty, try SHA256.hex(ofFile: found) != expected {
            throw DataError(.badData, "this is not the file that \(path) was made from: its SHA-256 differs", file: found)
        }
        return found
    }
}

extension VectorFile {
    /// These rows' vectors, (rows, dimension).
    func matrix(_ rows: [Int]) throws -> Tensor<Float> {
        let all = try readEmbeddings()
        if rows.count == count { return Tensor(all, shape: [count, dimension]) }
        return Tensor(rows.flatMap { all[$0 * dimension..<($0 + 1) * dimension] }, shape: [rows.count, dimension])
    }
}
