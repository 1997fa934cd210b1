import ArgumentParser
import Foundation
import Glibc

/// The help of a command in Japanese. The parser writes it in English, on lines without end; this puts Japanese into its elements and breaks lines
/// where Japanese may be broken, by the width on the screen.
struct JapaneseHelp {
    private static let labelWidth = 26
    private let width: Int

    init(width: Int = JapaneseHelp.screenWidth) { self.width = max(width, 2 * Self.labelWidth) }

    /// The help that `error` asks for, nil if it asks for something else.
    static func answer(_ text: String, to arguments: [String], in root: any ParsableCommand.Type) -> String? {
        guard text.hasPrefix("OVERVIEW: ") else { return nil }
        let command = self.command(arguments, in: root)
        for isHidden in [false, true] where root.helpMessage(for: command, includeHidden: isHidden) == text {
            return JapaneseHelp().text(root.helpMessage(for: command, includeHidden: isHidden, columns: 1_000_000))
        }
        return nil
    }

    private static func command(_ arguments: [String], in root: any ParsableCommand.Type) -> any ParsableCommand.Type {
        var command = root
        for word in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
            guard
                let next = command.configuration.subcommands.first(where: { ([$0._commandName] + $0.configuration.aliases).contains(word) })
            else { break }
            command = next
        }
        return command
    }

    private static var screenWidth: Int {
        if let columns = ProcessInfo.processInfo.environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return columns }
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// - Parameter english: the parser's help, its lines not broken.
    func text(_ english: String) -> String {
        var result = "", lines = english.components(separatedBy: "\n")[...]
        if let first = lines.first, first.hasPrefix("OVERVIEW: ") {
            let overview = lines.prefix { !$0.hasPrefix("USAGE: ") }
            lines = lines.dropFirst(overview.count)
            result += wrapped("概要: " + Translation.help(String(first.dropFirst("OVERVIEW: ".count))), indent: 0) + "\n\n"
            let discussion = overview.dropFirst().joined(separator: "\n").trimmingCharacters(in: .newlines)
            if !discussion.isEmpty { result += Translation.help(discussion) + "\n\n" }
        }
        var pending: String?
        for line in lines {
            // A label too long for its column has its text on the next line.
            if let label = pending {
                pending = nil
                let indent = String(repeating: " ", count: Self.labelWidth)
                if line.hasPrefix(indent) {
                    result += label + "\n" + wrapped(Translation.help(String(line.dropFirst(indent.count))), indent: Self.labelWidth) + "\n"
                    continue
                }
                result += label + "\n"
            }
            if line.hasPrefix("USAGE: ") {
                result += "使い方: " + line.dropFirst("USAGE: ".count) + "\n"
            } else if line.hasPrefix("  See '"), line.hasSuffix("' for detailed help.") {
                result += "  それぞれの詳しい説明: " + line.dropFirst("  See '".count).dropLast("' for detailed help.".count) + "\n"
            } else if line.hasPrefix("  "), !line.hasPrefix("   ") {
                if line.count > Self.labelWidth,
                    let split = line.index(line.startIndex, offsetBy: Self.labelWidth, limitedBy: line.endIndex),
                    line[line.index(before: split)] == " "
                {
                    let label = String(line[..<split])
                    result +=
                        label + wrapped(Translation.help(String(line[split...])), indent: Self.labelWidth).dropFirst(Self.labelWidth) + "\n"
                } else {
                    pending = line
                }
            } else if line.hasSuffix(":"), !line.hasPrefix(" ") {
                result += (Translation.heading(String(line.dropLast())) ?? String(line.dropLast())) + ":\n"
            } else {
                result += line + "\n"
            }
        }
        if let pending { result += pending + "\n" }
        while result.hasSuffix("\n") { result.removeLast() }
        return result
    }

    /// The message of a mistake on the command line, with its usage.
    static func mistake(_ english: String) -> String {
        var lines = english.components(separatedBy: "\n")[...], message = ""
        guard let first = lines.popFirst(), first.hasPrefix("Error: ") else { return english }
        message = String(first.dropFirst("Error: ".count))
        while let next = lines.first, !next.hasPrefix("Help:  "), !next.hasPrefix("Usage: ") {
            message += "\n" + next
            lines = lines.dropFirst()
        }
        let rest = lines.map { line -> String in
            if line.hasPrefix("Usage: ") { return "使い方: " + line.dropFirst("Usage: ".count) }
            if line.hasPrefix("  See '"), line.hasSuffix("' for more information.") {
                return "  詳しくは " + line.dropFirst("  See '".count).dropLast("' for more information.".count)
            }
            guard line.hasPrefix("Help:  "),
                let split = line.range(of: "  ", range: line.index(line.startIndex, offsetBy: 7)..<line.endIndex)
            else { return line }
            return "説明:  " + line[..<split.upperBound].dropFirst("Help:  ".count) + Translation.help(String(line[split.upperBound...]))
        }
        return (["エラー: " + Translation.message(message)] + rest).joined(separator: "\n")
    }

    // MARK: Lines

    private func wrapped(_ text: String, indent: Int) -> String {
        let space = String(repeating: " ", count: indent), room = width - indent
        return text.components(separatedBy: "\n").map { line in
            var lines: [String] = [], current = "", used = 0
            for unit in Self.units(line) {
                let size = Self.width(unit.text)
                if used > 0, used + (unit.followsSpace ? 1 : 0) + size > room {
                    lines.append(current)
                    (current, used) = (unit.text, size)
                } else {
                    current += (unit.followsSpace ? " " : "") + unit.text
                    used += size + (unit.followsSpace ? 1 : 0)
                }
            }
            return (lines + [current]).map { $0.isEmpty ? $0 : space + $0 }.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// What stays on one line: a word, or a Japanese character with the punctuation that may not begin or end a line.
    private static func units(_ line: String) -> [(text: String, followsSpace: Bool)] {
        var units: [(text: String, followsSpace: Bool)] = [], isAfterSpace = false, sticks = false
        for character in line {
            if character == " " {
                (isAfterSpace, sticks) = (true, false)
                continue
            }
            let isWide = width(String(character)) > 1, lastIsWide = units.last?.text.last.map { width(String($0)) > 1 } ?? true
            let joins =
                !units.isEmpty && !isAfterSpace && (sticks || "、。，．）」』】：；？！・ー…％〜)],:;".contains(character) || (!isWide && !lastIsWide))
            if joins {
                units[units.count - 1].text.append(character)
            } else {
                units.append((String(character), isAfterSpace && !units.isEmpty))
            }
            (isAfterSpace, sticks) = (false, "（「『【〜([".contains(character))
        }
        return units
    }

    /// Columns on the screen: two for East Asian wide and full-width characters.
    static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x0300...0x036F, 0x200B...0x200F, 0x3099...0x309A, 0xFE00...0xFE0F: sum
            case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
                0xFFE0...0xFFE6,
                0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                sum + 2
            default: sum + 1
            }
        }
    }
}
