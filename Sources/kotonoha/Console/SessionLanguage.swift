import Figures
import FileFormats
import Foundation

/// The language in which the program speaks to the person at the terminal.
///
/// `KOTONOHA_LANGUAGE` decides, then the locale. Data on standard output (columns, JSON keys) never depends on it.
enum SessionLanguage: String, CaseIterable {
    case english = "en", japanese = "ja"

    /// Of help, notes, progress and errors.
    static let terminal: SessionLanguage = requested ?? ofLocale(ProcessInfo.processInfo.environment)

    /// Default of `--language` in pictures, pages and paragraphs: files change only where the language was asked for by name, not by a locale.
    static let files: SessionLanguage = requested ?? .english

    private static let variable = "KOTONOHA_LANGUAGE"
    private static var requested: SessionLanguage? { SessionLanguage(rawValue: ProcessInfo.processInfo.environment[variable] ?? "") }

    /// The same for options of pictures.
    var figures: FigureLanguage { self == .japanese ? .japanese : .english }

    /// As POSIX orders them: the first variable that is set and not empty.
    static func ofLocale(_ environment: [String: String]) -> SessionLanguage {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        return locale == "ja" || locale.hasPrefix("ja_") || locale.hasPrefix("ja.") ? .japanese : .english
    }

    /// - Throws: `DataError` if the variable names neither language.
    static func check() throws {
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty, requested == nil else { return }
        throw DataError(.usage, "\(variable) is '\(value)'; expected en or ja")
    }
}
