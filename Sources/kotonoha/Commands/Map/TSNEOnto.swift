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
    private static let placedAtOnce = 65_536

    func place(onto path: String) throws {
        let map = try MapFile(path: path), file = try VectorFile(path: vectors)
        let source = try VectorFile(path: try referencePath(map, beside: path))
        guard let highest = map.rows.max(), highest < source.count else {
            throw DataError(.badData, "the map has points for rows that \(source.path) does not have; --reference names the vector file that the map was made from", file: path)
        }
        guard file.metadata.modelSHA256 == source.metadata.modelSHA256 else {
            throw DataError(.badData, "its vectors come from the model \(file.metadata.model), those of the map from \(source.metadata.model)", file: vectors)
        }
        var rows = try MapRows(file, name: vectors)
        var settings = TSNE()
        settings.normalizesVectors = map.normalizesVectors
        settings.degreesOfFreedom = map.degreesOfFreedom
        settings.threads = threads
        var old = try source.gather(map.rows), model: PCAModel?
        let normalizesFirst = map.principalComponents != nil && settings.normalizesVectors
        if let components = map.principalComponents {
            if normalizesFirst { old = normalizedRows(old, threads: threads) }
            settings.normalizesVectors = false
            let fitted = try PCA(components: .count(components), seed: map.seed, threads: threads).fit(old)
            (old, model) = (try fitted.transform(old, threads: threads), fitted)
        }
        // Where a point ends does not depend on what else is placed, so a large file goes block by block.
        var y = Tensor<Float>(uninitialized: [rows.rows.count, map.coordinates.columns]), divergence = 0.0
        for part in Parallel.chunks(rows.rows.count, size: Self.placedAtOnce) {
            var new = try file.gather(Array(rows.rows[part]))
            if normalizesFirst { new = normalizedRows(new, threads: threads) }
            if let model { new = try model.transform(new, threads: threads) }
            let placed = try settings.transform(new, reference: old, map: map.coordinates)
            Float.copy(placed.coordinates.view, into: &y[rows: part])
            divergence += placed.meanDivergence * Double(part.count)
        }
        let meanDivergence = divergence / Double(max(1, rows.rows.count))
        rows.points = (0..<y.rows).map { (Double(y[$0, 0]), y.columns == 2 ? Double(y[$0, 1]) : 0) }
        var record = provenance(seed: map.seed)
        record.inputs = [try .init(hashing: vectors), try .init(hashing: path), try .init(hashing: source.path)]
        record.model = file.metadata.modelSource
        record.settings = [("method", .string("t-SNE, placed on an existing map")), ("mean_divergence", .number(meanDivergence)),
                           ("vectors", try file.description)]
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "h5", "hdf5":
            try HDF5Container.create(path: output) { result in
                try result.set("format", .string("kotonoha/map"))
                try result.set("format_version", .int(1))
                try result.set("method", .string("t-SNE, placed on an existing map"))
                for (name, value) in [("source", URL(fileURLWithPath: vectors).lastPathComponent), ("source_sha256", record.inputs[0].sha256),
                                      ("map_sha256", record.inputs[1].sha256), ("preprocessing", map.normalizesVectors ? "L2-normalized" : "none"),
                                      ("model", file.metadata.model), ("model_sha256", file.metadata.modelSHA256),
                                      ("created_by", "kotonoha \(KotonohaProgram.version)"), ("provenance", record.json().serialized())] {
                    try result.set(name, .string(value))
                }
                try result.write("coordinates", shape: y.shape, values: y.elements)
                try result.write("rows", shape: [rows.rows.count], values: rows.rows)
            }
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

    /// The vector file of the map: the one that was named, or the one with its name and hash beside the map or in the working folder.
    private func referencePath(_ map: MapFile, beside path: String) throws -> String {
        let candidates = reference.map { [$0] } ?? map.source.map { [URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent($0).path, $0] } ?? []
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw DataError(.noInput, "the map was made from \(map.source ?? "a vector file that it does not name"), which is not beside it; --reference says where it is", file: path)
        }
        if let expected = map.sourceSHA256, !expected.isEmpty, try SHA256.hex(ofFile: found) != expected {
            throw DataError(.badData, "this is not the file that \(path) was made from: its SHA-256 differs", file: found)
        }
        return found
    }
}
