import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Figures
import Reporting
import Tensors
import VectorStore

/// `tsne NEW --onto MAP`: new sentences on a map that stays as it is.
extension TSNECommand {
    func place(onto path: String) throws {
        let map = try MapFile(path: path), file = try VectorFile(path: vectors)
        guard map.method.hasPrefix("t-SNE") else {
            throw DataError(.badData, "this map was made by \(map.method); place vectors on it with the command that made it", file: path)
        }
        let reference = try MapReference(map, path: path, named: reference, placing: file, threads: threads)
        var rows = try MapRows(file, name: vectors)
        var settings = TSNE()
        settings.normalizesVectors = map.normalizesVectors && map.principalComponents == nil
        settings.degreesOfFreedom = map.degreesOfFreedom
        settings.threads = threads
        // Where a point ends does not depend on what else is placed, so a large file goes block by block.
        var y = Tensor<Float>(uninitialized: [rows.rows.count, map.coordinates.columns]), divergence = 0.0
        for part in Parallel.chunks(rows.rows.count, size: MapReference.placedAtOnce) {
            let placed = try settings.transform(try reference.prepared(file, Array(rows.rows[part])), reference: reference.vectors, map: map.coordinates)
            Float.copy(placed.coordinates.view, into: &y[rows: part])
            divergence += placed.meanDivergence * Double(part.count)
        }
        let meanDivergence = divergence / Double(max(1, rows.rows.count))
        rows.place(y)
        var record = provenance(seed: map.seed)
        record.inputs = [try .init(hashing: vectors), try .init(hashing: path), try .init(hashing: reference.source)]
        record.model = file.metadata.modelSource
        record.settings = [("method", .string("t-SNE, placed on an existing map")), ("mean_divergence", .number(meanDivergence)),
                           ("vectors", try file.description)]
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "h5", "hdf5":
            try MapFile.write(y, rows: rows.rows, method: "t-SNE, placed on an existing map", to: output, attributes: [
                ("source", .string(URL(fileURLWithPath: vectors).lastPathComponent)), ("source_sha256", .string(record.inputs[0].sha256)),
                ("map_sha256", .string(record.inputs[1].sha256)), ("preprocessing", .string(map.normalizesVectors ? "L2-normalized" : "none")),
                ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)),
                ("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(record.json().serialized())),
            ])
        default:
            try rows.write(to: output, withoutText: figures.withoutText, tableOutput, provenance: record)
        }
        if figures.isWanted {
            try figures.draw(rows, caption: "placed on \(URL(fileURLWithPath: path).lastPathComponent), n = \(y.rows)", axes: .none, provenance: record)
        }
        if report.json {
            try Console.print(JSON.object([("points", .integer(y.rows)), ("mean_divergence", .number(meanDivergence))]).serialized(.pretty))
        } else if !report.quiet {
            Console.say("\(output): \(Console.counted(y.rows, "point")) placed on \(Console.grouped(map.rows.count)) of \(path); "
                        + "mean divergence of their neighbourhoods \(Console.fixed(meanDivergence, 3))")
        }
    }
}
