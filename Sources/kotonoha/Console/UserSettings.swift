import FileFormats
import Foundation
import Glibc

/// The settings file `~/.config/kotonoha/config.json`: defaults for environment variables, nothing else, so that no number depends on it.
enum UserSettings {
    /// What each key stands for.
    private static let variables = [
        ("language", "KOTONOHA_LANGUAGE"), ("models", "KOTONOHA_MODELS"), ("mecab_dictionary", "KOTONOHA_MECAB_DIC"),
        ("cache", "KOTONOHA_CACHE"),
        ("server", "KOTONOHA_SERVER"), ("hub", "HF_ENDPOINT"), ("offline", "HF_HUB_OFFLINE"),
    ]

    /// `KOTONOHA_CONFIG`, or its place among the user's files; nil if it is `off`, absent or there is no home.
    private static func path(_ environment: [String: String]) throws -> String? {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let named = given("KOTONOHA_CONFIG") {
            guard named != "off" else { return nil }
            guard FileManager.default.fileExists(atPath: named) else {
                throw DataError(.noInput, "no such file (KOTONOHA_CONFIG names it)", file: named)
            }
            return named
        }
        guard let folder = given("XDG_CONFIG_HOME") ?? given("HOME").map({ $0 + "/.config" }) else { return nil }
        let path = folder + "/kotonoha/config.json"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Sets the variables that the file names and the environment lacks. Called once, before other threads read the environment.
    /// - Throws: `DataError` for an unknown key or a value of the wrong kind.
    static func apply() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let path = try path(environment) else { return }
        guard let settings = try JSON(contentsOf: path).object else {
            throw DataError(.badData, "expected a JSON object of settings", file: path)
        }
        for (key, value) in settings {
            guard let variable = variables.first(where: { $0.0 == key })?.1 else {
                let near = CommandSuggestion.nearest(to: key, among: variables.map(\.0))
                throw DataError(
                    .usage,
                    "unknown setting '\(key)'; "
                        + (near.isEmpty
                            ? "expected one of \(variables.map(\.0).joined(separator: ", "))"
                            : "did you mean '\(near[0])'?"),
                    file: path)
            }
            guard let text = text(value, key) else {
                throw DataError(.usage, "the setting '\(key)' should be \(expectation(key))", file: path)
            }
            if environment[variable] == nil, !text.isEmpty { setenv(variable, text, 0) }
        }
    }

    private static func expectation(_ key: String) -> String {
        switch key {
        case "offline": "true or false"
        case "language": "\"en\" or \"ja\""
        case "models": "a folder or a list of folders"
        default: "a text"
        }
    }

    private static func text(_ value: JSON, _ key: String) -> String? {
        switch (key, value) {
        case ("offline", .bool(let isOffline)): isOffline ? "1" : ""
        case ("offline", _): nil
        case ("language", .string(let name)): SessionLanguage(rawValue: name)?.rawValue
        case ("models", .array(let folders)):
            folders.allSatisfy { $0.string != nil } ? folders.compactMap { $0.string.map(expanded) }.joined(separator: ":") : nil
        case ("models", .string(let folder)), ("mecab_dictionary", .string(let folder)), ("cache", .string(let folder)),
            ("server", .string(let folder)):
            expanded(folder)
        case (_, .string(let text)): text
        default: nil
        }
    }

    /// `~/` is the home folder, as in a shell.
    private static func expanded(_ path: String) -> String { path.hasPrefix("~/") ? NSHomeDirectory() + path.dropFirst() : path }
}
