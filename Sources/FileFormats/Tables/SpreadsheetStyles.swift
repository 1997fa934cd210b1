import Glibc

/// How numbers in cells are shown, as far as it decides whether they are dates.
final class SpreadsheetStyles: XMLHandler {
    private enum Kind { case number, date, time, dateAndTime }

    private var kinds: [Kind] = []
    private var custom: [Int: Kind] = [:]
    private var isInCellFormats = false

    init() {}
    init(_ archive: ZipArchive, part: String, path: String) throws { try archive.parse(part, path: path, handler: self) }

    func begin(_ name: String, _ attributes: [String: String]) {
        switch name {
        case "numFmt":
            if let id = attributes["numFmtId"].flatMap({ Int($0) }), let code = attributes["formatCode"] {
                custom[id] = Self.kind(ofCode: code)
            }
        case "cellXfs": isInCellFormats = true
        case "xf" where isInCellFormats:
            let id = attributes["numFmtId"].flatMap { Int($0) } ?? 0
            kinds.append(custom[id] ?? Self.kind(ofBuiltIn: id))
        default: break
        }
    }
    func end(_ name: String) { if name == "cellXfs" { isInCellFormats = false } }
    func text(_ bytes: UnsafeRawBufferPointer) {}

    /// Formats 27 to 58 are those of the East Asian editions; ECMA-376 part 1, 18.8.30.
    private static func kind(ofBuiltIn id: Int) -> Kind {
        switch id {
        case 14...17, 27...31, 34...36, 50...58: .date
        case 18...21, 32, 33, 45...47: .time
        case 22: .dateAndTime
        default: .number
        }
    }

    private static func kind(ofCode code: String) -> Kind {
        // Letters in quotation marks, in brackets (but not [h], [mm]) or behind a backslash are not placeholders; only the first section
        // counts.
        var letters = "", isQuoted = false, isEscaped = false, bracket: String?
        scan: for character in code.lowercased() {
            if isEscaped {
                isEscaped = false
                continue
            }
            switch character {
            case "\"": isQuoted.toggle()
            case _ where isQuoted: continue
            case "\\", "_", "*": isEscaped = true
            case "[": bracket = ""
            case "]":
                if let inside = bracket, !inside.isEmpty, inside.allSatisfy({ "hms".contains($0) }) { letters += inside }
                bracket = nil
            case ";": break scan
            default: if bracket != nil { bracket?.append(character) } else { letters.append(character) }
            }
        }
        if letters.contains("general") { return .number }
        let hasDay = letters.contains { "yde".contains($0) } && !letters.contains("0") && !letters.contains("#")
        let hasTime = letters.contains { "hs".contains($0) }
        if hasDay { return hasTime ? .dateAndTime : .date }
        if hasTime { return .time }
        return letters.contains("m") && !letters.contains { "0#?".contains($0) } ? .date : .number
    }

    /// A number as text.
    func text(of number: Double, style: Int, countsFrom1904: Bool) -> String {
        let kind = kinds.indices.contains(style) ? kinds[style] : .number
        guard kind != .number, number >= 0, number < 2_958_466 else { return Self.digits(number) }
        var days = Int(number.rounded(.down))
        var seconds = Int(((number - Double(days)) * 86400).rounded())
        if seconds == 86400 { (days, seconds) = (days + 1, 0) }
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(Self.twoDigits).joined(separator: ":")
        // Durations of more than a day go on counting hours.
        if kind == .time {
            return days == 0 || number >= 1000
                ? time : [days * 24 + seconds / 3600, seconds / 60 % 60, seconds % 60].map(Self.twoDigits).joined(separator: ":")
        }
        if countsFrom1904 { days += 1462 }
        // Day 60 is 29 February 1900, which never was; the days before it count from one day later.
        let date = Self.date(daysSince1970: days - (days < 60 ? 25568 : 25569))
        return kind == .date && seconds == 0 ? date : date + " " + time
    }

    /// With the fifteen significant digits that spreadsheets show: 0.1 + 0.2 is 0.3.
    static func digits(_ number: Double) -> String {
        if number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
        var text = [CChar](repeating: 0, count: 40)
        withVaList([number]) { _ = vsnprintf(&text, text.count, "%.15g", $0) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// The proleptic Gregorian date, by counting in eras of 400 years.
    private static func date(daysSince1970 days: Int) -> String {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(year)-\(twoDigits(month))-\(twoDigits(day))"
    }
}
