import ArgumentParser
import FileFormats
import Foundation
import VectorStore

/// Options of every command that writes files.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Replace a finished vector file or model.")
    var force = false

    /// Checks all outputs before any work: none may be an input or another output, each must be writable, and none replaces a finished vector
    /// file or model without --force.
    ///
    /// - Parameters:
    ///   - inputs: files and folders that are read; `-` is standard input, nil what was not given.
    ///   - files: files that are written; the record next to each is checked with it.
    ///   - folders: models' folders that are written.
    ///   - models: models' folders in `folders`, which need not be there yet.
    ///   - continuing: outputs that are added to, or gone on with, and so may be finished.
    func check(inputs: [String?], files: [String?], folders: [String?] = [], models: [String] = [], continuing: [String] = []) throws {
        let files = files.compactMap(\.self).filter { $0 != "-" }, folders = folders.compactMap(\.self)
        let isRecorded = Set(inputs.compactMap(\.self))
        try Outputs.check(inputs: inputs, files: files + files.map(Provenance.path(beside:)).filter(isRecorded.contains), folders: folders)
        guard !force else { return }
        for output in files where !continuing.contains(output) {
            let kind =
                output.lowercased().hasSuffix(".safetensors") && FileManager.default.fileExists(atPath: output)
                ? "a finished model's weights" : VectorFile.finishedKind(at: output)
            if let kind { throw Self.refusal(kind, output) }
        }
        for output in folders + models where !continuing.contains(output) && Self.isModel(output) {
            throw Self.refusal("a finished model", output)
        }
    }

    private static func refusal(_ kind: String, _ output: String) -> DataError {
        DataError(.cannotCreate, "\(kind) of this name exists; --force replaces it", file: output)
    }

    private static func isModel(_ folder: String) -> Bool {
        ["config.json", "modules.json", "model.safetensors"].contains { FileManager.default.fileExists(atPath: folder + "/" + $0) }
    }
}
