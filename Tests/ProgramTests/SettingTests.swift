import FileFormats
import Foundation
import TestSupport
import Testing

/// The library names settings; the program says what to type.
@Suite struct SettingTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Where options are data: command lines of a record, and a script for Slurm.
    private static let exceptions: Set = ["Provenance.swift", "BatchScript.swift"]

    @Test func noMessageOfTheLibraryNamesAnOption() throws {
        let sources = Self.root.appendingPathComponent("Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var found: [String] = [], read = 0
        let option = try Regex(#""([^"]*[^"\w-])?--[a-z][a-z-]+"#)
        for case let file as URL in files
        where file.pathExtension == "swift" && !["/Sources/kotonoha/", "/Sources/ServiceOptions/"].contains(where: file.path.contains) {
            read += 1
            if Self.exceptions.contains(file.lastPathComponent) { continue }
            for (number, line) in try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            where !line.drop(while: { $0 == " " }).hasPrefix("//") && line.replacing("--constraint", with: "").contains(option) {
                found.append("\(file.lastPathComponent):\(number + 1): \(line)")
            }
        }
        #expect(read > 100 && found.isEmpty, "say \\(Setting.name) in place of --name: \(found)")
    }

    @Test func everySettingIsAnOptionOfTheProgram() throws {
        let help = Self.root.appendingPathComponent("Tests/ProgramTests/Help")
        let texts = try FileManager.default.contentsOfDirectory(at: help, includingPropertiesForKeys: nil).map {
            try String(contentsOf: $0, encoding: .utf8)
        }
        let all = texts.joined()
        for setting in Setting.allCases {
            #expect(all.contains("--\(setting.rawValue)"), "no help names --\(setting.rawValue)")
        }
    }

    @Test func theProgramSpellsSettingsAsOptions() throws {
        #expect(Setting.spelled("name it by \(Setting.headerRow) or `this`") { "--\($0)" } == "name it by --header-row or `this`")
        let program = try Program(), table = program.folder.appendingPathComponent("t.tsv")
        try Data("first\tsecond\na\tb\n".utf8).write(to: table)
        let result = try program.run("tokenize", table.path, "--model", try TinyModel().folder.path, "--header-row", "9")
        #expect(
            result.status == 64 && result.errors.contains("--header-row 9 is beyond") && !result.errors.contains("`"), "\(result.errors)")
    }
}
