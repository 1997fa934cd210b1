import ArgumentParser
import FileFormats

/// The argument parser suggests names of options; this suggests names of commands.
enum CommandSuggestion {
    /// - Throws: `DataError` if a word in the position of a command is not one: it names the nearest commands.
    static func check(_ arguments: [String], in root: any ParsableCommand.Type) throws {
        var command = root, path = root._commandName
        for word in arguments {
            let commands = subcommands(of: command)
            // "help embed" is the parser's own.
            guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            if let next = commands.first(where: { names(of: $0).contains(word) }) {
                command = next
                path += " " + word
                continue
            }
            let known = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }, near = nearest(to: word, among: known)
            let advice =
                near.isEmpty
                ? "expected one of \(known.joined(separator: ", "))"
                : "did you mean "
                    + "\(near.map { "'\($0)'" }.joined(separator: " or "))?"
            throw DataError(.usage, "unknown command '\(word)' in '\(path)'; \(advice)")
        }
    }

    private static func subcommands(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        command.configuration.subcommands
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] { [command._commandName] + command.configuration.aliases }

    /// The names at the least distance, if that is a third of the word's length or less, or the word begins them.
    static func nearest(to word: String, among names: [String]) -> [String] {
        let word = word.lowercased()
        let scored = names.map { (name: $0, distance: word.count > 1 && $0.hasPrefix(word) ? 1 : distance(word, $0)) }
        guard let least = scored.map(\.distance).min(), least <= max(1, (word.count + 1) / 3) else { return [] }
        return scored.filter { $0.distance == least }.map(\.name)
    }

    /// Edits that lead from one to the other: insertion, deletion, replacement, exchange of neighbours (optimal string alignment).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a), b = Array(b)
        var rows = [Array(0...b.count)]
        for i in 1..<a.count + 1 {
            var row = [i]
            for j in 1..<b.count + 1 {
                var least = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { least = min(least, rows[i - 2][j - 2] + 1) }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
