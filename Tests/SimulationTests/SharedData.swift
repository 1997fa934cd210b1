import Foundation

/// Tables beside the project that are read by tests only.
enum SharedData {
    static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("shared/data/simulation")

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// Rows of a tab-separated file by column name.
    static func rows(_ name: String) throws -> [[String: String]] {
        let lines = try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }
}
