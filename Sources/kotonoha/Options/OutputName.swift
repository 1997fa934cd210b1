import ArgumentParser
import FileFormats
import Foundation

/// The format of an output follows its name; a name that promises another one is refused before any work.
enum OutputName {
    static let vectors = ["h5", "hdf5"]
    static let tables = TableOutputFormat.allCases.map(\.rawValue) + ["txt", "tab", "ndjson"]
    static let figures = ["svg", "pdf", "png"]
    static let pages = ["html", "htm"]

    static func ending(of path: String) -> String { URL(fileURLWithPath: path).pathExtension.lowercased() }

    static func isVectors(_ output: String) -> Bool { vectors.contains(ending(of: output)) }

    /// - Parameters:
    ///   - output: what the user named; nil and `-` (standard output) pass.
    ///   - what: what is written, as "a map is written".
    static func require(_ output: String?, _ endings: [String], _ what: String) throws {
        guard let output, output != "-", !endings.contains(ending(of: output)) else { return }
        let list = endings.filter { !["hdf5", "txt", "tab", "ndjson", "htm"].contains($0) }.map { "." + $0 }
        let names = list.count > 1 ? list.dropLast().joined(separator: ", ") + " or " + list[list.count - 1] : list[0]
        throw ValidationError("\(what) as \(names), not '\(output)'")
    }

    /// A table, or standard output.
    static func requireTable(_ output: String?) throws {
        // Devices and pipes (`>(command)`) have no ending.
        if let output, output.hasPrefix("/dev/") { return }
        try require(output, tables, "a table is written")
    }

    /// A vector file; standard output is none.
    static func requireVectors(_ output: String, _ what: String) throws {
        guard output != "-" else { throw ValidationError("\(what) to a file, not to standard output") }
        try require(output, vectors, what)
    }
}
