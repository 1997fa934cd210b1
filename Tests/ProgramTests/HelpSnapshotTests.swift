import FileFormats
import Foundation
import Testing

/// The exact `--help` of every command, as files in `Help/`. `tools/test --update-snapshots` writes them anew.
@Suite struct HelpSnapshotTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Help")
    static let isUpdating = ProcessInfo.processInfo.environment["KOTONOHA_UPDATE_SNAPSHOTS"] == "1"

    /// Paths of all commands that are not hidden, from the tree that the argument parser prints of itself.
    private func commands(_ program: Program) throws -> [[String]] {
        let dump = try program.run("--experimental-dump-help")
        func walk(_ command: JSON, _ path: [String]) -> [[String]] {
            if command["shouldDisplay"]?.bool == false { return [] }
            let subcommands = (command["subcommands"]?.array ?? []).filter { $0["commandName"]?.string != "help" }
            return [path] + subcommands.flatMap { walk($0, path + [$0["commandName"]?.string ?? "?"]) }
        }
        let tree = try JSON(parsing: dump.output, file: "--experimental-dump-help")
        return walk(try #require(tree["command"]), [])
    }

    @Test func everyHelpIsAsItWas() throws {
        let program = try Program()
        let commands = try commands(program)
        #expect(commands.count > 30)
        if Self.isUpdating {
            try? FileManager.default.removeItem(at: Self.folder)
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        }
        var names: Set<String> = []
        for command in commands {
            let name = (["kotonoha"] + command).joined(separator: "-") + ".txt", file = Self.folder.appendingPathComponent(name)
            names.insert(name)
            let help = try program.run(command + ["--help"])
            #expect(help.status == 0 && help.errors.isEmpty, "\(command)")
            // The number of processors of this machine is a default that another machine does not share.
            let text = help.output.replacingOccurrences(
                of: "--threads <threads>([^)]*?)\\(default: [0-9]+\\)", with: "--threads <threads>$1(default: N)",
                options: .regularExpression)
            if Self.isUpdating { try Data(text.utf8).write(to: file) }
            let known = try? String(contentsOf: file, encoding: .utf8)
            #expect(
                text == known, "the help of \(command.joined(separator: " ")) has changed; look at it, then tools/test --update-snapshots")
        }
        let present = Set(try FileManager.default.contentsOfDirectory(atPath: Self.folder.path))
        #expect(present == names, "a snapshot without a command, or the other way round")
    }
}
