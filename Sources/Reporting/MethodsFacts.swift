import FileFormats
import Foundation
import VectorStore

/// What a result says about how it was made: the attributes of an HDF5 file, or the record beside a table or picture.
public struct MethodsFacts {
    /// The newest step's record.
    let record: JSON
    /// What the vectors are that it rests on; nil if the file does not say.
    let vectors: JSON?
    /// `kotonoha/vectors`, `kotonoha/pca`, …; empty for tables and pictures.
    let format: String
    /// The program and its version.
    let program: String
    /// The result.
    let path: String

    /// - Throws: `DataError` if the file is missing, damaged, or says nothing about its making.
    public init(path: String) throws {
        self.path = path
        let sidecar = path + ".provenance.json"
        if FileManager.default.fileExists(atPath: sidecar) {
            let beside = try JSON(contentsOf: sidecar)
            record = beside
            if let described = beside["vectors"] {
                vectors = described
            } else {
                // A vector file with a record next to it, as of trained words, says itself what its vectors are.
                vectors = try beside["method"] == nil ? Self.vectors(in: path) : nil
            }
            format = ""
            program = "Kotonoha \(record["version"]?.string ?? "")"
            return
        }
        guard FileManager.default.fileExists(atPath: path) else { throw DataError(.noInput, "no such file", file: path) }
        if URL(fileURLWithPath: path).pathExtension.lowercased() == "safetensors" {
            let remarks = try SafetensorsFile(path: path).header.metadata
            record = try JSON(parsing: remarks.first { $0.key == "provenance" }?.value ?? "{}", file: path)
            vectors = record["vectors"]
            format = "kotonoha/probe"
            program = "Kotonoha \(record["version"]?.string ?? "")"
            return
        }
        if FileManager.default.fileExists(atPath: path + "/" + VectorSetIndex.name) {
            let file = try VectorFile(path: path)
            (record, vectors, format) = (file.set?.index.record ?? .object([]), try file.description, "kotonoha/vectors")
            program = file.metadata.createdBy.replacingOccurrences(of: "kotonoha", with: "Kotonoha")
            return
        }
        guard ["h5", "hdf5"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()) else {
            throw DataError(
                .noInput, "there is no record of how this file was made: \(URL(fileURLWithPath: sidecar).lastPathComponent) is missing",
                file: path)
        }
        let container = try HDF5Container(path: path)
        guard let format = try container.attribute("format")?.string, format.hasPrefix("kotonoha/") else {
            throw DataError(.badData, "this HDF5 file was not written by kotonoha (it has no attribute \"format\")", file: path)
        }
        self.format = format
        program =
            try container.attribute("created_by")?.string.map { $0.replacingOccurrences(of: "kotonoha", with: "Kotonoha") } ?? "Kotonoha"
        if let text = try container.attribute("provenance")?.string, !text.isEmpty {
            record = try JSON(parsing: text, file: path)
        } else {
            record = .object([])
        }
        vectors =
            switch format {
            // A clustered file says in its record which vectors it was made from.
            case "kotonoha/vectors": try record["vectors"] ?? VectorFile(path: path).description
            case LayerFile.format: try LayerFile(path: path).description
            default: record["vectors"]
            }
    }

    /// What the vectors of a vector file are; nil for other files and if absent.
    private static func vectors(in path: String) throws -> JSON? {
        guard ["h5", "hdf5"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()), FileManager.default.fileExists(atPath: path),
            try HDF5Container(path: path).attribute("format")?.string == "kotonoha/vectors"
        else { return nil }
        return try VectorFile(path: path).description
    }
}

extension VectorMetadata {
    /// The model that made the vectors, for the records of what is made from them.
    package var modelSource: Provenance.Source { Provenance.Source(path: model, sha256: modelSHA256) }
}

extension VectorFile {
    /// What the vectors are, for the records of what is made from them.
    package var description: JSON {
        get throws {
            .object([
                ("source", .string(metadata.source)), ("source_sha256", .string(metadata.sourceSHA256)),
                ("valid_rows", .integer(try valid().count { $0 })),
                ("model", .string(metadata.model)), ("model_sha256", .string(metadata.modelSHA256)), ("pooling", .string(metadata.pooling)),
                ("normalized", .bool(metadata.isNormalized)), ("precision", .string(metadata.precision)),
                ("max_length", .integer(metadata.maxLength)),
                ("prompt", .string(metadata.prompt)), ("dimension", .integer(dimension)), ("rows", .integer(count)),
                ("storage", .string(storage.rawValue)),
            ])
        }
    }
}

extension LayerFile {
    /// What the vectors are, for the records of what is made from them. A file of another program says little.
    package var description: JSON {
        var members: [(key: String, value: JSON)] = []
        if let metadata {
            members += [
                ("model", .string(metadata.model)), ("model_sha256", .string(metadata.modelSHA256)),
                ("precision", .string(metadata.precision)),
                ("source", .string(metadata.source)), ("pieces", .string(pieces)), ("text", .string(text)),
            ]
        }
        if let storage { members.append(("storage", .string(storage.rawValue))) }
        return .object(
            members + [
                ("layers", .array(layers.map(JSON.integer))), ("dimension", .integer(dimension)), ("sentences", .integer(sentenceCount)),
            ])
    }
}
