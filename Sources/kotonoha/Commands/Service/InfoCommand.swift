import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Interpretation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import VectorStore
import WordVectors

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Describe a vector file, a set or a model, and how it was made.")

    @Argument(help: "A vector file, a set (NAME.kset), or a model: its folder or its name.")
    var subject: String

    @Flag(help: "Recompute the hashes of the content and, if found, of inputs and model, and compare them with the record.")
    var check = false

    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        if check { return try RecordCheck(path: subject).report(asJSON: report.json, isQuiet: report.quiet) }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: subject, isDirectory: &isFolder)
        let isSet = isFolder.boolValue && subject.isSetFolder
        let facts = exists && (isSet || !isFolder.boolValue) ? try fileFacts() : try modelFacts()
        if report.json { return try Console.print(JSON.object(facts.map { ($0.key, $0.value) }).serialized(.pretty)) }
        let width = facts.map(\.key.count).max() ?? 0
        for (key, value) in facts {
            let text =
                switch value {
                case .string(let string): string
                case .integer(let number): Console.grouped(number)
                case .bool(let flag): flag ? "yes" : "no"
                default: value.serialized()
                }
            try Console.print(key.padding(toLength: width + 2, withPad: " ", startingAt: 0) + text)
        }
    }

    private static let kinds = [
        "kotonoha/pca": "principal components", "kotonoha/map": "map", "kotonoha/rdm": "dissimilarity matrix",
        "kotonoha/scores": "scores of an encoding model", LayerFile.format: "word vectors of a treebank",
    ]

    private func fileFacts() throws -> [(key: String, value: JSON)] {
        if URL(fileURLWithPath: subject).pathExtension.lowercased() == "safetensors" { return try facts(of: ProbeFile(path: subject)) }
        let container = subject.isSetFolder ? nil : try HDF5Container(path: subject),
            format = try container?.attribute("format")?.string ?? ""
        if let container, let kind = Self.kinds[format] { return try facts(of: container, kind: kind) }
        let file = try VectorFile(path: subject), metadata = file.metadata
        let valid = try file.valid()
        var facts: [(key: String, value: JSON)] = [
            ("file", .string(URL(fileURLWithPath: subject).lastPathComponent)),
            ("kind", .string(metadata.pooling == WordFile.pooling ? "word vectors" : "sentence vectors")),
            ("rows", .integer(file.count)), ("empty rows", .integer(valid.count { !$0 })), ("dimension", .integer(file.dimension)),
            ("storage", .string(file.storage.rawValue)), ("groups", .bool(file.layout.hasGroups)), ("ids", .bool(file.layout.hasIDs)),
        ]
        for (role, name) in [
            ("text column", file.layout.textName), ("group column", file.layout.groupName), ("id column", file.layout.idName),
        ] {
            if let name { facts.append((role, .string(name))) }
        }
        if !file.layout.columnNames.isEmpty { facts.append(("columns", .string(file.layout.columnNames.joined(separator: ", ")))) }
        facts += [
            ("model", .string(metadata.model)), ("model sha256", .string(metadata.modelSHA256)), ("pooling", .string(metadata.pooling)),
            ("normalized", .bool(metadata.isNormalized)), ("precision", .string(metadata.precision)),
            ("maximum length", .integer(metadata.maxLength)),
            ("prompt", .string(metadata.prompt)), ("made by", .string(metadata.createdBy)), ("source", .string(metadata.source)),
            ("source sha256", .string(metadata.sourceSHA256)),
        ]
        if let set = file.set { facts.insert(("shards", .integer(set.index.shards.count)), at: 2) }
        if file.layout.hasGroups, let groups = try file.groups() { facts.append(("different groups", .integer(Set(groups).count))) }
        return facts
    }

    private func facts(of probes: ProbeFile) -> [(key: String, value: JSON)] {
        var facts: [(key: String, value: JSON)] = [
            ("file", .string(URL(fileURLWithPath: subject).lastPathComponent)), ("kind", .string("structural probe")),
            ("layer", .integer(probes.layer)),
        ]
        for probe in probes.probes { facts.append((probe.kind.rawValue, .string("\(probe.rank) x \(probe.dimension)"))) }
        facts += [
            ("model", .string(probes.model)), ("model_sha256", .string(probes.modelSHA256)), ("pieces", .string(probes.pieces)),
            ("text", .string(probes.text)),
        ]
        return facts + probes.remarks.filter { $0.key != "provenance" }.map { ($0.key, .string($0.value)) }
    }

    /// Everything that a file says of itself, and the shapes of what it holds.
    private func facts(of container: HDF5Container, kind: String) throws -> [(key: String, value: JSON)] {
        var facts: [(key: String, value: JSON)] = [
            ("file", .string(URL(fileURLWithPath: subject).lastPathComponent)), ("kind", .string(kind)),
        ]
        // A file of words has one dataset per sentence; a few show what they are like.
        let names = try container.datasetNames()
        for name in names.prefix(12) {
            if let dataset = try container.dataset(name) {
                facts.append((name, .string(dataset.shape.map(String.init).joined(separator: " x "))))
            }
        }
        if names.count > 12 { facts.append(("further datasets", .integer(names.count - 12))) }
        for name in try container.attributeNames() where !["format", "provenance"].contains(name) {
            let value: JSON =
                switch try container.attribute(name) {
                case .string(let text): .string(text)
                case .int(let number): .integer(number)
                case .double(let number): .number(number)
                case nil: .null
                }
            facts.append((name, value))
        }
        return facts
    }

    private func modelFacts() throws -> [(key: String, value: JSON)] {
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: subject))
        let description = try ModelDescription(folder: directory.folder, name: directory.name)
        var facts: [(key: String, value: JSON)] = [
            ("model", .string(directory.name)), ("kind", .string(description.kind)), ("family", .string(description.family)),
        ]
        if !description.languages.isEmpty { facts.append(("languages", .string(description.languages.joined(separator: ", ")))) }
        if let license = description.license { facts.append(("licence", .string(license))) }
        func append(layers: Int, hiddenSize: Int, heads: Int) {
            facts += [("layers", .integer(layers)), ("hidden size", .integer(hiddenSize)), ("attention heads", .integer(heads))]
        }
        if description.kind == "reranker" {
            let reranker = try CrossEncoder(model: directory.folder.path)
            facts.append(("parameters", .integer(reranker.parameterCount)))
            append(
                layers: reranker.configuration.layers, hiddenSize: reranker.configuration.hiddenSize,
                heads: reranker.configuration.attentionHeads)
            facts += [("vocabulary", .integer(reranker.configuration.vocabularySize)), ("maximum length", .integer(reranker.maxLength))]
        } else {
            let encoder = try SentenceEncoder(directory: directory)
            facts.append(("parameters", .integer(encoder.parameterCount)))
            if !directory.isStatic {
                let network = try encoder.encoder
                append(layers: network.layerCount, hiddenSize: network.hiddenSize, heads: network.attentionHeads)
            }
            facts += [("vocabulary", .integer(encoder.vocabularySize)), ("dimension", .integer(encoder.dimension))]
            if !directory.isStatic { facts.append(("maximum length", .integer(encoder.maxLength))) }
            facts += [("pooling", .string(directory.poolingName)), ("normalized", .bool(encoder.isNormalized))]
        }
        facts += [("weights in bytes", .integer(description.weightBytes)), ("sha256", .string(try directory.sha256()))]
        for name in directory.prompts.keys.sorted() { facts.append(("prompt \(name)", .string(directory.prompts[name] ?? ""))) }
        if let name = directory.defaultPromptName { facts.append(("default prompt", .string(name))) }
        return facts
    }
}

extension String {
    /// Whether this names the folder of a set of vector files, finished or not.
    var isSetFolder: Bool {
        [VectorSetIndex.name, "plan.json"].contains { FileManager.default.fileExists(atPath: self + "/" + $0) }
    }
}
