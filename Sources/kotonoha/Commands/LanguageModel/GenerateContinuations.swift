import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors

/// `generate` with a causal language model: every source is the beginning of a text.
extension GenerateCommand {
    /// The model's folder where it holds a stack of decoder blocks; nil for anything else.
    func causalFolder() -> ModelDirectory? {
        guard let folder = try? ModelLocation.folder(for: model), let directory = try? ModelDirectory(folder: folder),
            DecoderConfiguration.describes(directory.configuration)
        else { return nil }
        return directory
    }

    func continueTexts(_ directory: ModelDirectory) throws {
        let misplaced = [
            ("--score", score != nil), ("--target", target != nil), ("--prefix-column", prefixColumn != nil),
            ("--attention", attention != nil),
            ("--keep-unknown", keepUnknown),
        ].first { $0.1 }
        if let misplaced {
            throw DataError(
                .usage, "\(misplaced.0) is for networks of `train seq2seq`; a causal language model continues texts", file: directory.name)
        }
        var options = decoding
        options.maximumLength = maxLength ?? Self.usualLength
        let model = try CausalLanguageModel(directory: directory, precision: precision?.resolved ?? .f32)
        let rows = try TextTable(path: input, options: table.options(isQuiet: report.quiet), wanted: [sourceColumn]),
            column = try rows.index(of: sourceColumn)
        let progress = ProgressLine(unit: "sources", isQuiet: report.quiet)
        var cells: [String] = [], done = 0, isAtEnd = false
        while !isAtEnd {
            var sources: [(text: String, ids: [Int32])] = []
            while sources.count < batchSize * threads {
                guard let line = try rows.next(into: &cells) else {
                    isAtEnd = true
                    break
                }
                sources.append((cells[column], try model.prompt(cells[column], file: rows.name, line: line)))
            }
            if sources.isEmpty { break }
            let results = try model.generate(
                sources.map(\.ids), options: options, batchSize: batchSize, threads: threads, firstSource: done)
            for (source, outputs) in zip(sources, results) { try emit(source.text, source.ids, outputs, model) }
            done += sources.count
            progress.update(done: done, fraction: rows.fractionRead)
        }
        progress.finish()
    }

    /// Tokens written where --max-length does not say.
    static let usualLength = 64

    private func emit(_ source: String, _ prompt: [Int32], _ outputs: [GeneratedSequence], _ model: CausalLanguageModel) throws {
        if report.json {
            return try Console.print(
                JSON.object([
                    ("source", .string(source)),
                    (
                        "outputs",
                        .array(
                            outputs.map {
                                .object([
                                    ("text", .string(model.continuation($0.ids, of: prompt))),
                                    ("log_probability", .number($0.logProbability)), ("score", .number($0.score)),
                                    ("finished", .bool($0.isFinished)),
                                ])
                            })
                    ),
                ]).serialized())
        }
        // A line is a source: line breaks in what was written become spaces; --json has them.
        func line(_ output: GeneratedSequence) -> String {
            String(
                String.UnicodeScalarView(
                    model.continuation(output.ids, of: prompt).unicodeScalars.map { ["\n", "\r", "\t"].contains($0) ? " " : $0 }))
        }
        for output in outputs {
            try Console.print(self.outputs == 1 ? line(output) : "\(source)\t\(line(output))\t\(Console.fixed(output.logProbability, 4))")
        }
    }
}
