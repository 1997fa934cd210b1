/// The rows of one sheet of an xlsx file (ECMA-376): texts as they are shown, without furigana; numbers with the fifteen digits that
/// spreadsheets keep; dates and times in ISO 8601.
package struct Spreadsheet {
    struct Row {
        /// As the spreadsheet counts, from 1.
        var number: Int
        /// Up to the last filled cell of the row.
        var cells: [String]
    }

    /// From the first row to the last that has something in it; rows between them that have nothing are there and empty.
    private(set) var rows: [Row] = []
    /// The sheet that was read, and the others that people see.
    let sheet: String
    let otherSheets: [String]
    /// Formulas whose result the file does not hold, and cells that hold an error such as `#DIV/0!`: how many, and where the first is.
    private(set) var emptyFormulas: (count: Int, first: String) = (0, "")
    private(set) var errors: (count: Int, first: String) = (0, "")
    /// Blocks of cells that are shown as one; all but the first cell are empty. Rows and columns from 0.
    private var merges: [(rows: ClosedRange<Int>, columns: ClosedRange<Int>)] = []

    /// Cells that a sheet may have.
    private static let cellLimit = 100_000_000
    /// Bytes of a spreadsheet file, which is held in memory.
    static let maximumBytes = 1 << 30
    static let maximumRows = 1_048_576
    static let maximumColumns = 16_384

    /// Reads a sheet: by its name, else by its number from 1, else the first that is not hidden.
    /// - Throws: `DataError` if the file is damaged or has no such sheet (its sheets are listed).
    init(_ bytes: [UInt8], path: String, sheet: String?) throws {
        let archive = try ZipArchive(bytes, path: path)
        let workbook = try SpreadsheetWorkbook(archive, path: path)
        let (part, name) = try workbook.part(ofSheet: sheet, path: path)
        self.sheet = name
        otherSheets = workbook.visibleSheets.filter { $0 != name }
        let strings = try workbook.sharedStrings.map { try SharedStrings(archive, part: $0, path: path).strings } ?? []
        let styles = try workbook.styles.map { try SpreadsheetStyles(archive, part: $0, path: path) } ?? SpreadsheetStyles()
        let reader = SheetReader(strings: strings, styles: styles, countsFrom1904: workbook.countsFrom1904, path: path)
        try archive.parse(part, path: path, handler: reader)
        rows = reader.rows
        (emptyFormulas, errors, merges) = (reader.emptyFormulas, reader.errors, reader.merges)
        while let last = rows.last, last.cells.isEmpty { rows.removeLast() }
        let width = rows.map(\.cells.count).max() ?? 0
        guard width * rows.count <= Self.cellLimit else {
            throw DataError(
                .badData,
                "the sheet spans \(rows.count) rows and \(width) columns, which is too large; remove stray cells "
                    + "far to the right or below", file: path)
        }
    }
}

extension Spreadsheet {
    /// What the user should know about the sheet.
    func notes(isChosen: Bool) -> [String] {
        var notes: [String] = []
        // The second sheet of our own results says how they were made.
        if !isChosen, !otherSheets.isEmpty, otherSheets != ["parameters"] {
            notes.append("note: reading the sheet '\(sheet)'; \(Setting.sheet) selects another: \(otherSheets.joined(separator: ", "))")
        }
        if emptyFormulas.count > 0 {
            notes.append(
                "warning: \(emptyFormulas.count == 1 ? "1 formula has" : "\(emptyFormulas.count) formulas have") no stored result "
                    + "(the first is in \(emptyFormulas.first)) and \(emptyFormulas.count == 1 ? "is an empty cell" : "are empty cells"); "
                    + "open the file in a spreadsheet program and save it, which computes them")
        }
        if errors.count > 0 {
            notes.append(
                "warning: \(errors.count == 1 ? "1 cell has an error" : "\(errors.count) cells have errors") (the first is in "
                    + "\(errors.first))")
        }
        return notes
    }

    /// True if a cell of the first row spans several columns, as above a second row of names.
    var hasMergedNames: Bool { merges.contains { $0.rows == 0...0 && $0.columns.count > 1 } }

    /// Rows with the text of a merged cell in all of its places.
    func mergedRows(_ range: Range<Int>, width: Int) -> [[String]] {
        var cells = rows[range].map { $0.cells + Array(repeating: "", count: max(0, width - $0.cells.count)) }
        for merge in merges where merge.rows.lowerBound < rows.count {
            let first = rows[merge.rows.lowerBound].cells
            guard merge.columns.lowerBound < first.count else { continue }
            for row in range where merge.rows.contains(row) {
                for column in merge.columns where column < width { cells[row - range.lowerBound][column] = first[merge.columns.lowerBound] }
            }
        }
        return cells
    }

    /// The sheets of a spreadsheet in their order.
    /// - Throws: `DataError` if the file is missing or no spreadsheet.
    package static func sheets(path: String) throws -> [(name: String, isHidden: Bool)] {
        let stream = try ByteStream(path: path)
        return try SpreadsheetWorkbook(ZipArchive(stream.readAll(limit: maximumBytes), path: stream.name), path: stream.name).sheets.map {
            ($0.name, $0.isHidden)
        }
    }
}

/// What wants to see the elements of a part.
protocol XMLHandler: AnyObject {
    func begin(_ name: String, _ attributes: [String: String]) throws
    func end(_ name: String) throws
    func text(_ bytes: UnsafeRawBufferPointer) throws
}

extension ZipArchive {
    func parse(_ part: String, path: String, handler: some XMLHandler) throws {
        let stream = XMLStream(name: part, file: path)
        stream.onBegin = handler.begin
        stream.onEnd = handler.end
        stream.onText = handler.text
        try read(part) { try stream.take($0) }
        try stream.finish()
    }
}

/// Gathers the text of `<t>` elements, runs of rich text joined, furigana (`<rPh>`) left out.
struct RichText {
    private var bytes: [UInt8] = []
    private var isInText = false
    private var isPhonetic = false

    mutating func begin(_ name: String) {
        if name == "rPh" { isPhonetic = true } else if name == "t" { isInText = true }
    }
    mutating func end(_ name: String) {
        if name == "rPh" { isPhonetic = false } else if name == "t" { isInText = false }
    }
    mutating func take(_ text: UnsafeRawBufferPointer) {
        if isInText, !isPhonetic { bytes.append(contentsOf: text) }
    }

    /// The text so far; the next one begins empty.
    mutating func finish() -> String {
        defer { bytes.removeAll(keepingCapacity: true) }
        return Self.unescaped(String(decoding: bytes, as: UTF8.self))
    }

    /// Puts the underscore of what looks like an escape into one: `_x0041_` becomes `_x005F_x0041_`.
    static func escaped(_ text: String) -> String {
        guard text.contains("_x") else { return text }
        return text.replacing(/_x([0-9A-Fa-f]{4})_/) { "_x005F_x\($0.output.1)_" }
    }

    /// Characters that XML cannot hold stand as `_x000D_`, and an underscore that would look like one as `_x005F_`.
    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "_")), text.contains("_x") else { return text }
        let units = Array(text.utf16)
        var result: [UInt16] = []
        var index = 0
        while index < units.count {
            if index + 7 <= units.count, units[index] == 0x5F, units[index + 1] == 0x78, units[index + 6] == 0x5F {
                let digits = String(decoding: units[index + 2..<index + 6], as: UTF16.self)
                if digits.utf8.allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x66 || $0 >= 0x30 && $0 <= 0x39 }),
                    let unit = UInt16(digits, radix: 16)
                {
                    result.append(unit)
                    index += 7
                    continue
                }
            }
            result.append(units[index])
            index += 1
        }
        return String(decoding: result, as: UTF16.self)
    }
}

/// The table of texts that cells refer to by number.
private final class SharedStrings: XMLHandler {
    private(set) var strings: [String] = []
    private var current = RichText()

    init(_ archive: ZipArchive, part: String, path: String) throws { try archive.parse(part, path: path, handler: self) }

    func begin(_ name: String, _ attributes: [String: String]) { current.begin(name) }
    func end(_ name: String) {
        current.end(name)
        if name == "si" { strings.append(current.finish()) }
    }
    func text(_ bytes: UnsafeRawBufferPointer) { current.take(bytes) }
}

/// Reads the cells of a sheet.
private final class SheetReader: XMLHandler {
    private(set) var rows: [Spreadsheet.Row] = []
    private(set) var emptyFormulas: (count: Int, first: String) = (0, "")
    private(set) var errors: (count: Int, first: String) = (0, "")
    private(set) var merges: [(rows: ClosedRange<Int>, columns: ClosedRange<Int>)] = []

    private let strings: [String]
    private let styles: SpreadsheetStyles
    private let countsFrom1904: Bool
    private let path: String

    private var row = 0
    private var column = 0
    private var type = ""
    private var style = 0
    private var value: [UInt8] = []
    private var isInValue = false
    private var hasFormula = false
    private var inline = RichText()
    private var isInline = false
    /// Cells with something in them, and empty ones that were put before them.
    private var filled = 0, gaps = 0
    /// Empty cells that any sheet may have before filled ones; beyond that there may be as many as filled ones.
    private static let gapLimit = 4_000_000

    init(strings: [String], styles: SpreadsheetStyles, countsFrom1904: Bool, path: String) {
        (self.strings, self.styles, self.countsFrom1904, self.path) = (strings, styles, countsFrom1904, path)
    }

    func begin(_ name: String, _ attributes: [String: String]) throws {
        switch name {
        case "row":
            // Rows and cells may leave out their place; then they follow the ones before them.
            let number =
                try attributes["r"].map { text in
                    guard let number = Int(text), number > row, number <= Spreadsheet.maximumRows else {
                        throw DataError(
                            .badData, "row number \(text.prefix(20)) is out of order or beyond \(Spreadsheet.maximumRows)", file: path,
                            line: row)
                    }
                    return number
                } ?? row + 1
            while rows.count < number { rows.append(.init(number: rows.count + 1, cells: [])) }
            row = number
            column = 0
        case "c":
            guard row > 0 else { throw DataError(.badData, "a cell is outside any row", file: path) }
            column = try attributes["r"].map(columnNumber) ?? column + 1
            guard column <= Spreadsheet.maximumColumns else {
                throw DataError(.badData, "a cell is beyond column \(Spreadsheet.maximumColumns)", file: path, line: row)
            }
            type = attributes["t"] ?? "n"
            style = attributes["s"].flatMap { Int($0) } ?? 0
            value.removeAll(keepingCapacity: true)
            hasFormula = false
        case "v": isInValue = true
        case "f": hasFormula = true
        case "mergeCell": if let place = attributes["ref"] { try merge(place) }
        case "is": isInline = true
        default: if isInline { inline.begin(name) }
        }
    }

    func text(_ bytes: UnsafeRawBufferPointer) {
        if isInValue { value.append(contentsOf: bytes) } else if isInline { inline.take(bytes) }
    }

    func end(_ name: String) throws {
        switch name {
        case "v": isInValue = false
        case "is": isInline = false
        case "c":
            let text = try cellText()
            if hasFormula, value.isEmpty, type != "str" { note(&emptyFormulas) }
            if type == "e", !value.isEmpty { note(&errors) }
            guard !text.utf8.contains(0) else {
                throw DataError(.badData, "a text in this row contains a NUL character", file: path, line: row)
            }
            guard !text.isEmpty else { return }
            let missing = column - rows[row - 1].cells.count
            guard missing > 0 else { throw DataError(.badData, "two cells of this row have the same position", file: path, line: row) }
            filled += 1
            gaps += missing - 1
            guard gaps <= Self.gapLimit + filled else {
                throw DataError(
                    .badData,
                    "the cells of the sheet are too far apart (\(gaps) empty ones before \(filled) others); remove "
                        + "stray cells far to the right", file: path, line: row)
            }
            rows[row - 1].cells += repeatElement("", count: missing - 1)
            rows[row - 1].cells.append(text)
        default: if isInline { inline.end(name) }
        }
    }

    private func note(_ finding: inout (count: Int, first: String)) {
        if finding.count == 0 {
            var letters = "", number = column
            while number > 0 {
                letters = String(UnicodeScalar(UInt8(65 + (number - 1) % 26))) + letters
                number = (number - 1) / 26
            }
            finding.first = letters + String(row)
        }
        finding.count += 1
    }

    /// Takes a block such as `B1:C1`; stray ones far outside are of no use to anybody.
    private func merge(_ block: String) throws {
        let corners = block.split(separator: ":").map(String.init)
        guard corners.count == 2, merges.count < 100_000 else { return }
        let columns = try corners.map(columnNumber), rows = corners.map { Int($0.filter { $0.isASCII && $0.isNumber }) ?? 0 }
        guard rows[0] >= 1, rows[1] >= rows[0], rows[1] <= Spreadsheet.maximumRows, columns[1] >= columns[0],
            columns[1] <= Spreadsheet.maximumColumns
        else { return }
        merges.append((rows[0] - 1...rows[1] - 1, columns[0] - 1...columns[1] - 1))
    }

    private func cellText() throws -> String {
        let raw = String(decoding: value, as: UTF8.self)
        switch type {
        case "s":
            guard !raw.isEmpty else { return "" }
            guard let number = Int(raw), strings.indices.contains(number) else {
                throw DataError(
                    .badData, "a cell refers to text \(raw.prefix(20)), of which there are \(strings.count)", file: path, line: row)
            }
            return strings[number]
        case "inlineStr": return inline.finish()
        case "b": return raw == "1" ? "TRUE" : raw.isEmpty ? "" : "FALSE"
        case "n":
            guard let number = Double(raw) else { return raw }
            return styles.text(of: number, style: style, countsFrom1904: countsFrom1904)
        // Texts that formulas yield, errors, ISO dates.
        default: return RichText.unescaped(raw)
        }
    }

    /// The column of a place such as `AB12`.
    private func columnNumber(_ place: String) throws -> Int {
        var number = 0
        for letter in place.utf8 {
            let digit = Int(letter & 0xDF) - 64
            guard letter >= 0x41, (1...26).contains(digit) else { break }
            number = number * 26 + digit
            if number > Spreadsheet.maximumColumns { break }
        }
        guard number > 0 else { throw DataError(.badData, "invalid cell reference \(place.prefix(20))", file: path, line: row) }
        return number
    }
}
