import ArgumentParser
import FileFormats
import Foundation
import Training

/// The experiments of docs/experiments, one subcommand each; `tools/experiments/NAME` builds and runs them.
@main
struct Experiments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiments", abstract: "The experiments of docs/experiments.",
        subcommands: [Hyakunin.self, Comparison.self, Terao.self, SentenceSlips.self, Ablations.self])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as DataError {
            FileHandle.standardError.write(Data("experiments: \(error)\n".utf8))
            Foundation.exit(error.kind.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}

/// A line of a table, at once.
func report(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// The folder of the results, made before anything is computed: a run must not fail at its end for want of a place.
///
/// - Throws: `DataError` where it cannot be made.
func makeFolder(_ path: String) throws {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw DataError(.cannotCreate, "the folder of the results cannot be made: \(error.localizedDescription)", file: path)
    }
}

/// Seeds as the user writes them: `0-9`, `3,5`, `7`.
struct SeedList: ExpressibleByArgument {
    var seeds: [UInt64]

    init(seeds: [UInt64]) { self.seeds = seeds }

    init?(argument: String) {
        seeds = []
        for part in argument.split(separator: ",") {
            let ends = part.split(separator: "-", maxSplits: 1).map { UInt64($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last, last - first < 1000 else { return nil }
            seeds += first...last
        }
        if seeds.isEmpty { return nil }
    }

    var defaultValueDescription: String { seeds.map(String.init).joined(separator: ",") }
}

/// One row an item, condition and seed: what mixed models elsewhere want.
struct ItemTable {
    let columns: [String]
    private(set) var rows: [[String]] = []

    init(columns: [String]) { self.columns = columns }

    mutating func add(_ cells: any CustomStringConvertible...) { rows.append(cells.map(\.description)) }

    /// Writes NAME.csv and NAME.xlsx.
    func write(to folder: String, name: String) throws {
        try makeFolder(folder)
        let base = URL(fileURLWithPath: folder, isDirectory: true).appendingPathComponent(name).path
        var made = Provenance(arguments: CommandLine.arguments, version: "experiments")
        made.settings = [("table", .string(name))]
        for format in ["csv", "xlsx"] {
            let table = try TableWriter(path: "\(base).\(format)", columns: columns.map { .carried($0) })
            for row in rows { try table.write(row.map(Cell.text)) }
            try table.finish(provenance: made)
        }
    }
}
