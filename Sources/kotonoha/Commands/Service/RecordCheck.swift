import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import VectorStore

/// A result against its record: whether content, inputs and model still have the hashes that it was made with.
struct RecordCheck {
    enum Outcome: String {
        case same, differs, absent = "not here", unrecorded = "not recorded"
    }

    /// `content`, then inputs and model by name.
    private(set) var findings: [(part: String, name: String, outcome: Outcome)] = []
    private let path: String

    /// - Throws: `DataError` if the file is missing, damaged, or has no record.
    init(path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { throw DataError(.noInput, "no such file", file: path) }
        let name = URL(fileURLWithPath: path).lastPathComponent, sidecar = Provenance.path(beside: path)
        var record: JSON
        if FileManager.default.fileExists(atPath: sidecar) {
            record = try JSON(contentsOf: sidecar)
            let hash = record["output"]?["sha256"]?.string
            findings.append(("content", name, try hash.map { try SHA256.hex(ofFile: path) == $0 ? .same : .differs } ?? .unrecorded))
        } else if path.isSetFolder {
            let set = try VectorSet(path: path)
            for (shard, entry) in set.index.shards.enumerated() {
                findings.append(("shard", entry.file, try SHA256.hex(ofFile: set.path(of: shard)) == entry.sha256 ? .same : .differs))
            }
            record = set.index.record
        } else if path.lowercased().hasSuffix(".safetensors") {
            let remarks = try SafetensorsFile(path: path).header.metadata
            guard let text = remarks.first(where: { $0.key == "provenance" })?.value else { throw Self.noRecord(path) }
            record = try JSON(parsing: text, file: path)
            findings.append(("content", name, .unrecorded))
        } else if ["h5", "hdf5"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()) {
            let container = try HDF5Container(path: path)
            guard try container.attribute("format")?.string?.hasPrefix("kotonoha/") == true else { throw Self.noRecord(path) }
            let hash = try container.recordedContentHash()
            findings.append(("content", name, try hash.map { try container.contentHash() == $0 ? .same : .differs } ?? .unrecorded))
            record =
                try container.attribute("provenance")?.string.flatMap { $0.isEmpty ? nil : try JSON(parsing: $0, file: path) }
                ?? .object([])
            func text(_ name: String) throws -> String? { try container.attribute(name)?.string.flatMap { $0.isEmpty ? nil : $0 } }
            if let source = try text("source"), let hash = try text("source_sha256") {
                // Appended parts stand one after the other.
                let names = source.components(separatedBy: " + "), hashes = hash.components(separatedBy: " + ")
                for (name, hash) in names.count == hashes.count ? Array(zip(names, hashes)) : [(source, hash)] {
                    try checkInput(name, hash)
                }
            }
            if let model = try text("model"), let hash = try text("model_sha256") { checkModel(model, hash) }
        } else {
            throw Self.noRecord(path)
        }
        for input in record["inputs"]?.array ?? [] {
            if let name = input["name"]?.string, let hash = input["sha256"]?.string,
                !findings.contains(where: { $0.part == "input" && $0.name == name })
            {
                try checkInput(name, hash)
            }
        }
        if let model = record["model"], let name = model["name"]?.string, let hash = model["sha256"]?.string,
            !findings.contains(where: { $0.part == "model" })
        {
            checkModel(name, hash)
        }
    }

    private static func noRecord(_ path: String) -> DataError {
        DataError(
            .noInput,
            "there is no record of how this file was made: neither in it nor in "
                + "\(URL(fileURLWithPath: Provenance.path(beside: path)).lastPathComponent)", file: path)
    }

    /// An input is looked for next to the result and in the working folder, by its name: records hold no folders.
    private mutating func checkInput(_ name: String, _ hash: String) throws {
        let places = [URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name).path, name]
        let found = places.filter { FileManager.default.fileExists(atPath: $0) }
        guard !hash.isEmpty, !found.isEmpty else { return findings.append(("input", name, hash.isEmpty ? .unrecorded : .absent)) }
        findings.append(("input", name, try found.contains { try SHA256.hex(ofFile: $0) == hash } ? .same : .differs))
    }

    private mutating func checkModel(_ name: String, _ hash: String) {
        let beside = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name)
        let folders = [try? ModelLocation.folder(for: name), FileManager.default.fileExists(atPath: beside.path) ? beside : nil].compactMap(
            \.self)
        let hashes = folders.compactMap { folder in
            (try? ModelDirectory(folder: folder).sha256(afresh: true)) ?? (try? ModelDirectory.sha256(of: folder, afresh: true))
        }
        findings.append(("model", name, hashes.isEmpty ? .absent : hashes.contains(hash) ? .same : .differs))
    }

    /// Prints what was found.
    /// - Throws: `DataError` of kind `badData` if something differs, after printing all.
    func report(asJSON: Bool, isQuiet: Bool) throws {
        if asJSON {
            try Console.print(
                JSON.array(
                    findings.map {
                        .object([("part", .string($0.part)), ("name", .string($0.name)), ("result", .string($0.outcome.rawValue))])
                    }
                ).serialized(.pretty))
        } else if !isQuiet {
            for finding in findings { try Console.print("\(finding.part)\t\(finding.name)\t\(finding.outcome.rawValue)") }
        }
        let different = findings.filter { $0.outcome == .differs }
        guard different.isEmpty else {
            let names = different.map { $0.part == "content" ? "its content" : "the \($0.part) \($0.name)" }
            throw DataError(.badData, "\(names.joined(separator: ", ")) differ\(names.count == 1 ? "s" : "") from the record", file: path)
        }
    }
}
