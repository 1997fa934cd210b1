import FileFormats
import Foundation

/// The Japanese of an English sentence, looked up where the sentence is shown: the English at its place in the program is the key, as in gettext.
///
/// A key may have places: `{0}: {1} rows` matches any text of that form, and the Japanese names the places in its own order. What has no Japanese
/// stays English.
enum Translation {
    /// Of a note, a warning, a summary or an error; one line or several.
    static func message(_ text: String) -> String {
        if let found = sentence(text) { return found }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 1 ? lines.map { sentence(String($0)) ?? String($0) }.joined(separator: "\n") : text
    }

    /// Of an error, with the place at which it was found.
    static func message(_ error: DataError) -> String {
        var error = error
        let spelled = Setting.spelled(error.message) { "--\($0)" }
        error.message = sentence(spelled) ?? ofPart(spelled) ?? message(spelled)
        if error.file == nil, let line = error.line { return "\(line) 行目: \(error.message)" }
        return error.description
    }

    /// The line that shows how far the work has come.
    static func progress(done: String, unit: String, rate: String, left: String?) -> String {
        let unit = units[unit] ?? " " + unit
        return "\(done)\(unit)、毎秒 \(rate)" + (left.map { "、残り \($0)" } ?? "")
    }

    /// Of the line below a picture.
    static func caption(_ text: String) -> String { look(in: captions, text) ?? text }

    /// Of a help text, which may end with bounds, values and default in parentheses.
    static func help(_ text: String) -> String {
        guard !text.isEmpty else { return text }
        if let found = helpTexts[text] { return found }
        // The text of an option, then its bounds, then what the parser adds.
        guard text.hasSuffix(")"), let start = text.range(of: text.hasPrefix("(") ? "(" : " (", options: .backwards) else { return text }
        let head = help(String(text[..<start.lowerBound])), remark = text[start.upperBound...].dropLast()
        return (head.isEmpty ? "(" : head + " (")
            + remark.components(separatedBy: "; ").map { look(in: remarks, $0) ?? $0 }.joined(separator: "、") + ")"
    }

    /// Of a heading of the help, which the parser writes in capitals.
    static func heading(_ title: String) -> String? { headings[title.lowercased()] }

    private static func sentence(_ text: String) -> String? {
        for (english, japanese) in [("note: ", "注: "), ("warning: ", "警告: ")] where text.hasPrefix(english) {
            let rest = String(text.dropFirst(english.count))
            return japanese + (look(in: messages, rest) ?? rest)
        }
        return look(in: messages, text)
    }

    /// Of a message that first names the part of a file that it is about: `tasks[0].columns: …`.
    private static func ofPart(_ text: String) -> String? {
        var start = text.startIndex
        while let colon = text[start...].range(of: ": ") {
            if let rest = look(in: messages, String(text[colon.upperBound...])) {
                let part = String(text[..<colon.lowerBound])
                return (look(in: parts, part) ?? part) + ": " + rest
            }
            start = colon.upperBound
        }
        return nil
    }

    private static func look(in table: PhraseTable, _ text: String) -> String? {
        // A value may be a phrase itself: "700 rows".
        table.translated(text) { counted($0) ?? look(in: phrases, $0) ?? $0 }
    }

    private static func counted(_ text: String) -> String? {
        guard let space = text.firstIndex(of: " "), text[..<space].allSatisfy({ $0.isNumber || $0 == "," }) else { return nil }
        return counts[String(text[text.index(after: space)...])]?.replacing("{0}", with: text[..<space])
    }

    private static let helpTexts = Dictionary(Japanese.allHelp.joined().map { ($0.key, $0.value) }) { first, _ in first }
    private static let headings = Dictionary(Japanese.headings.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
    private static let units = Dictionary(Japanese.units.map { ($0.key, $0.value) }) { first, _ in first }
    private static let remarks = PhraseTable(Japanese.remarks)
    private static let captions = PhraseTable(Japanese.captions)
    private static let counts = Dictionary(Japanese.counts.map { ($0.key, $0.value) }) { first, _ in first }
    private static let parts = PhraseTable(Japanese.parts)
    private static let phrases = PhraseTable([Japanese.phrases, Japanese.reasons].joined())
    private static let messages = PhraseTable(Japanese.allMessages.joined())
}

/// Pairs of a pattern and its translation. The pattern with the most text of its own wins.
struct PhraseTable: Sendable {
    private struct Pattern: Sendable {
        /// What stands before, between and after the places.
        let parts: [Substring]
        let translation: String
    }

    private let patterns: [Pattern]
    /// Those without places, by their text.
    private let plain: [String: String]

    init(_ pairs: some Sequence<(key: String, value: String)>) {
        var plain: [String: String] = [:], patterns: [Pattern] = []
        for (key, value) in pairs {
            let parts = Self.parts(key)
            if parts.count == 1 { plain[key] = value } else { patterns.append(Pattern(parts: parts, translation: value)) }
        }
        self.plain = plain
        func length(_ pattern: Pattern) -> Int { pattern.parts.reduce(0) { $0 + $1.count } }
        self.patterns = patterns.sorted { length($0) > length($1) }
    }

    /// Nil if no pattern fits.
    /// - Parameter value: the translation of what stands at a place.
    func translated(_ text: String, value: (String) -> String) -> String? {
        if let found = plain[text] { return found }
        for pattern in patterns {
            guard let values = Self.values(of: pattern.parts[...], in: text[...]) else { continue }
            var result = pattern.translation
            // From the last place on, so that a value that looks like a place is not filled in.
            let spoken = values.map { value(String($0)) }
            result = Self.parts(result, named: { spoken.indices.contains($0) ? spoken[$0] : "" })
            return result
        }
        return nil
    }

    /// What stands between places `{0}`, `{1}`, ….
    private static func parts(_ key: String) -> [Substring] {
        var parts: [Substring] = [], rest = key[...]
        while let (range, _) = place(in: rest) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }

    private static func parts(_ text: String, named value: (Int) -> String) -> String {
        var result = "", rest = text[...]
        while let (range, number) = place(in: rest) {
            result += rest[..<range.lowerBound] + value(number)
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    private static func place(in text: Substring) -> (Range<String.Index>, Int)? {
        var start = text.startIndex
        while let open = text[start...].firstIndex(of: "{") {
            let inside = text[text.index(after: open)...]
            if let close = inside.firstIndex(of: "}"), let number = Int(inside[..<close]) {
                return (open..<text.index(after: close), number)
            }
            start = text.index(after: open)
        }
        return nil
    }

    /// What stands at the places, nil if the text has not this form. No place is empty.
    private static func values(of parts: ArraySlice<Substring>, in text: Substring) -> [Substring]? {
        guard let first = parts.first, text.hasPrefix(first) else { return nil }
        let rest = text.dropFirst(first.count), others = parts.dropFirst()
        guard let next = others.first else { return rest.isEmpty ? [] : nil }
        guard !rest.isEmpty else { return nil }
        if others.count == 1 {
            guard rest.count > next.count, rest.hasSuffix(next) else { return nil }
            return [rest.dropLast(next.count)]
        }
        var start = rest.index(after: rest.startIndex)
        while start < rest.endIndex {
            if rest[start...].hasPrefix(next), let more = values(of: others, in: rest[start...]) { return [rest[..<start]] + more }
            start = rest.index(after: start)
        }
        return nil
    }
}
