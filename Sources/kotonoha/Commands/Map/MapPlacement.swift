import Analysis
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

/// `--onto MAP`: new rows on a map that stays as it is.
struct MapPlacement {
    let map: MapFile
    private let path: String
    private let file: VectorFile
    private let vectors: String
    private let method: String
    private let reference: MapReference
    private(set) var rows: MapRows

    /// - Parameter method: the method whose maps the command goes on with: "t-SNE" or "UMAP".
    init(_ vectors: String, onto path: String, of method: String, _ options: PointMapOptions) throws {
        map = try MapFile(path: path)
        file = try VectorFile(path: vectors)
        guard map.method.hasPrefix(method) else {
            throw DataError(.badData, "this map was made by \(map.method); place vectors on it with the command that made it", file: path)
        }
        reference = try MapReference(map, path: path, named: options.reference, placing: file, threads: options.threads)
        rows = try MapRows(file, name: vectors)
        (self.path, self.vectors, self.method) = (path, vectors, method)
    }

    /// Whether the map's distances are taken between vectors scaled to length 1.
    var normalizes: Bool { map.normalizesVectors && map.principalComponents == nil }

    /// Places block by block: where a point ends does not depend on what else is placed.
    /// - Parameter transform: new vectors and those of the map, reduced alike → coordinates of the new ones.
    mutating func place(_ transform: (_ new: Tensor<Float>, _ reference: Tensor<Float>) throws -> Tensor<Float>) throws -> Tensor<Float> {
        var y = Tensor<Float>(uninitialized: [rows.rows.count, map.coordinates.columns])
        for part in Parallel.chunks(rows.rows.count, size: MapReference.placedAtOnce) {
            Float.copy(try transform(reference.prepared(file, Array(rows.rows[part])), reference.vectors).view, into: &y[rows: part])
        }
        rows.place(y)
        return y
    }

    /// Completes the record and writes table or map file, and pictures.
    func write(
        _ y: Tensor<Float>, to output: String, _ base: Provenance, settings: [(String, JSON)], _ table: TableOutputOptions,
        _ figures: FigureOptions
    ) throws {
        let name = "\(method), placed on an existing map"
        var record = base
        record.inputs = [try .init(hashing: vectors), try .init(hashing: path), try .init(hashing: reference.source)]
        record.model = file.metadata.modelSource
        record.settings = [("method", .string(name))] + settings + [("points", .integer(y.rows)), ("vectors", try file.description)]
        if OutputName.isVectors(output) {
            try MapFile.write(
                y, rows: rows.rows, method: name, to: output,
                attributes: [
                    ("source", .string(URL(fileURLWithPath: vectors).lastPathComponent)),
                    ("source_sha256", .string(record.inputs[0].sha256)),
                    ("map_sha256", .string(record.inputs[1].sha256)),
                    ("preprocessing", .string(map.normalizesVectors ? "L2-normalized" : "none")),
                    ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)),
                ] + record.mapAttributes)
        } else {
            try rows.write(to: output, withoutText: figures.withoutText, table, provenance: record)
        }
        if figures.isWanted {
            let caption = "placed on \(URL(fileURLWithPath: path).lastPathComponent), n = \(y.rows)"
            try figures.draw(rows, caption: caption, axes: .none, provenance: record)
        }
    }

    /// 12 points placed on 1,000 of map.h5.
    func summary(_ output: String) -> String {
        "\(output): \(Console.counted(rows.rows.count, "point")) placed on \(Console.grouped(map.rows.count)) of \(path)"
    }
}
