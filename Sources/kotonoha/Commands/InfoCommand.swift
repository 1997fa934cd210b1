import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors
import VectorStore

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "What a vector file or a model's folder is, and how it was made.")

    @Argument(help: "A vector file, or a model: its folder or its name.")
    var subject: String

    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: subject, isDirectory: &isFolder)
        let facts = exists && !isFolder.boolValue ? try fileFacts() : try modelFacts()
        if report.json { return Console.print(JSON.object(facts.map { ($0.key, $0.value) }).serialized(.pretty)) }
        let width = facts.map(\.key.count).max() ?? 0
        for (key, value) in facts {
            let text = switch value {
            case .string(let string): string
            case .integer(let number): Console.grouped(number)
            case .bool(let flag): flag ? "yes" : "no"
            default: value.serialized()
            }
            Console.print(key.padding(toLength: width + 2, withPad: " ", startingAt: 0) + text)
        }
    }

    private func fileFacts() throws -> [(key: String, value: JSON)] {
        let file = try VectorFile(path: subject), metadata = file.metadata
        let valid = try file.valid()
        var facts: [(key: String, value: JSON)] = [
            ("file", .string(URL(fileURLWithPath: subject).lastPathComponent)), ("kind", .string("sentence vectors")),
            ("rows", .integer(file.count)), ("empty rows", .integer(valid.count { !$0 })), ("dimension", .integer(file.dimension)),
            ("storage", .string(file.storage.rawValue)), ("groups", .bool(file.layout.hasGroups)), ("ids", .bool(file.layout.hasIDs)),
        ]
        if !file.layout.columnNames.isEmpty { facts.append(("columns", .string(file.layout.columnNames.joined(separator: ", ")))) }
        facts += [
            ("model", .string(metadata.model)), ("model sha256", .string(metadata.modelSHA256)), ("pooling", .string(metadata.pooling)),
            ("normalized", .bool(metadata.isNormalized)), ("precision", .string(metadata.precision)), ("maximum length", .integer(metadata.maxLength)),
            ("prompt", .string(metadata.prompt)), ("made by", .string(metadata.createdBy)), ("source", .string(metadata.source)),
            ("source sha256", .string(metadata.sourceSHA256)),
        ]
        if file.layout.hasGroups, let groups = try file.groups() { facts.append(("different groups", .integer(Set(groups).count))) }
        return facts
    }

    private func modelFacts() throws -> [(key: String, value: JSON)] {
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: subject))
        let encoder = try SentenceEncoder(directory: directory)
        let configuration = encoder.encoder.configuration
        let parameters = encoder.encoder.parameters.reduce(0) { $0 + $1.value.count }
        var facts: [(key: String, value: JSON)] = [
            ("model", .string(directory.name)), ("family", .string(configuration.modelType)), ("parameters", .integer(parameters)),
            ("layers", .integer(configuration.layers)), ("hidden size", .integer(configuration.hiddenSize)),
            ("attention heads", .integer(configuration.attentionHeads)), ("vocabulary", .integer(configuration.vocabularySize)),
            ("dimension", .integer(encoder.dimension)), ("maximum length", .integer(encoder.maxLength)), ("pooling", .string(directory.poolingName)),
            ("normalized", .bool(encoder.isNormalized)), ("sha256", .string(try directory.sha256())),
        ]
        for name in directory.prompts.keys.sorted() { facts.append(("prompt \(name)", .string(directory.prompts[name] ?? ""))) }
        return facts
    }
}
