/// The complete lines of the beginning of a text.
struct SampleLines {
    let lines: [LineReader.Line]

    init(text: UnsafeRawBufferPointer, isAll: Bool, limit: Int = 5000) {
        var lines: [LineReader.Line] = []
        var start = 0
        while start < text.count, lines.count < limit {
            let end = text[start...].firstIndex(of: 0x0A)
            if end == nil && !isAll { break }
            let stop = end ?? text.count
            let hasReturn = end != nil && stop > start && text[stop - 1] == 0x0D
            lines.append(
                .init(
                    bytes: UnsafeRawBufferPointer(rebasing: text[start..<(hasReturn ? stop - 1 : stop)]),
                    number: lines.count + 1, hasCarriageReturn: hasReturn))
            start = stop + 1
        }
        self.lines = lines
    }

    /// The first records, up to one that breaks.
    static func records(of text: UnsafeRawBufferPointer, isAll: Bool, limit: Int, parser: inout DelimitedParser) throws -> [[String]] {
        var records: [[String]] = []
        for line in SampleLines(text: text, isAll: isAll).lines where records.count < limit {
            guard let isComplete = try? parser.take(line) else { break }
            if isComplete { records.append(parser.cells) }
        }
        return records
    }
}

/// Judges a text's format by its beginning. The file name's extension decides only between lines with commas and a table.
struct TableSniffer {
    let text: UnsafeRawBufferPointer
    let isAll: Bool
    let fileExtension: String
    /// Lines at the beginning that are not rows of the table, such as a title above the column names.
    var skippedLines = 0

    struct Result {
        var format: TableFormat
        var dialect: DelimitedDialect
    }

    func sniff(format: TableFormat?, delimiter: UInt8?) -> Result {
        let lines = Array(SampleLines(text: text, isAll: isAll).lines.dropFirst(skippedLines))
        switch format ?? json(lines) {
        case .txt?: return Result(format: .txt, dialect: .lines)
        case .tsv?: return Result(format: .tsv, dialect: tabs(lines) ?? .tsv)
        case .csv?:
            return Result(format: .csv, dialect: delimiter.map { DelimitedDialect(delimiter: $0, hasQuotes: true) } ?? commas(lines))
        case let other?: return Result(format: other, dialect: .lines)
        case nil: break
        }
        if let delimiter {
            return Result(
                format: delimiter == UInt8(ascii: "\t") ? .tsv : .csv,
                dialect: DelimitedDialect(delimiter: delimiter, hasQuotes: delimiter != UInt8(ascii: "\t")))
        }
        if let dialect = tabs(lines) { return Result(format: .tsv, dialect: dialect) }
        if fileExtension == "tsv" { return Result(format: .tsv, dialect: .tsv) }
        if fileExtension == "csv" { return Result(format: .csv, dialect: commas(lines)) }
        for delimiter in [UInt8(ascii: ","), UInt8(ascii: ";")] {
            let dialect = DelimitedDialect(delimiter: delimiter, hasQuotes: true)
            if let look = TableLook(lines, dialect, isAll: isAll), look.isSurelyTable { return Result(format: .csv, dialect: dialect) }
        }
        return Result(format: .txt, dialect: .lines)
    }

    /// True for a treebank in CoNLL-U or CoNLL-X: ten columns with tabs, the first one counting from 1, perhaps comments with `#` above.
    var isTreebank: Bool {
        let lines = SampleLines(text: text, isAll: isAll, limit: 200).lines.map { String(decoding: $0.bytes, as: UTF8.self) }
        guard let first = lines.first(where: { !$0.isEmpty && !$0.hasPrefix("#") }) else { return false }
        let cells = first.split(separator: "\t", omittingEmptySubsequences: false)
        guard cells.count == 10, ["1", "1-2", "1-3", "1-4"].contains(cells[0]) else { return false }
        return ["conllu", "conll", "conllx"].contains(fileExtension)
            || (Int(cells[6]) != nil && lines.contains { $0.hasPrefix("# text") || $0.hasPrefix("# sent_id") })
    }

    // MARK: JSON

    private func json(_ lines: [LineReader.Line]) -> TableFormat? {
        let head = text.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.prefix(256)
        guard let first = head.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        let second = head.dropFirst().first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "[") {
            guard second == UInt8(ascii: "{") || second == UInt8(ascii: "\"") else { return nil }
            // "[“quoted”] he said" is a sentence; an array ends with its bracket.
            let last = text.last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            return !isAll || last == UInt8(ascii: "]") ? .json : nil
        }
        guard second == UInt8(ascii: "\"") || second == UInt8(ascii: "}") else { return nil }
        // A first line that was not finished within the window is a document without line ends.
        guard let line = lines.first(where: { !$0.bytes.isEmpty }) else { return .coco }
        if let object = try? JSON(parsing: line.bytes) { return object["annotations"]?.array != nil ? .coco : .jsonl }
        // The first line is broken, or it is the first of a document's many; then no other line is an object of its own.
        return lines.dropFirst().prefix(20).contains { (try? JSON(parsing: $0.bytes))?.object != nil } ? .jsonl : .coco
    }

    // MARK: Delimiters

    /// Tabs hardly occur in sentences: the same number of them on nearly every line makes a table.
    private func tabs(_ lines: [LineReader.Line]) -> DelimitedDialect? {
        let quoted = DelimitedDialect(delimiter: UInt8(ascii: "\t"), hasQuotes: true)
        if let look = TableLook(lines, quoted, isAll: isAll), look.width > 1, look.isConsistent, look.needsQuotes, !look.hasLooseQuotes {
            return quoted
        }
        guard let look = TableLook(lines, .tsv, isAll: isAll), look.width > 1, look.share >= 0.9 else { return nil }
        return .tsv
    }

    /// The delimiter of a file that is known to be CSV.
    private func commas(_ lines: [LineReader.Line]) -> DelimitedDialect {
        let looks = [",", ";", "\t"].compactMap {
            TableLook(lines, DelimitedDialect(delimiter: $0.utf8.first, hasQuotes: true), isAll: isAll)
        }
        let tables = looks.filter { $0.isConsistent && $0.width > 1 }
        return tables.max { $0.width < $1.width }?.dialect ?? .csv
    }
}

/// How much lines look like a table of one dialect.
private struct TableLook {
    let dialect: DelimitedDialect
    let records: [[String]]
    /// Cells of the first record.
    let width: Int
    /// The share of records with as many cells as the first.
    let share: Double
    private let quotedCells: Int
    private let quotedLines: Bool
    /// Quotation marks in cells that do not begin with one: a program that quotes would have quoted these.
    let hasLooseQuotes: Bool

    /// Nil if the dialect does not fit or there are no lines.
    init?(_ lines: [LineReader.Line], _ dialect: DelimitedDialect, isAll: Bool) {
        self.dialect = dialect
        var parser = DelimitedParser(dialect: dialect, file: "")
        var records: [[String]] = []
        var used = 0, quoted = 0, hasLooseQuotes = false
        for line in lines where !line.bytes.isEmpty {
            guard let isComplete = try? parser.take(line) else { return nil }
            used += 1
            guard isComplete else { continue }
            quoted += parser.quotedCells.count
            hasLooseQuotes =
                hasLooseQuotes
                || parser.cells.enumerated().contains { index, cell in
                    cell.utf8.contains(UInt8(ascii: "\"")) && !parser.quotedCells.contains(index)
                }
            records.append(parser.cells)
        }
        if isAll, (try? parser.finish()) == nil { return nil }
        guard let first = records.first else { return nil }
        self.records = records
        width = first.count
        share = Double(records.count { $0.count == first.count }) / Double(records.count)
        quotedCells = quoted
        quotedLines = used > records.count
        self.hasLooseQuotes = hasLooseQuotes
    }

    var isConsistent: Bool { share == 1 }

    /// Quotation marks that keep a delimiter, line end or quotation mark inside a cell, as programs write them and writers do not.
    var needsQuotes: Bool {
        guard quotedCells > 0 else { return false }
        return quotedLines
            || records.joined().contains { cell in
                cell.utf8.contains { $0 == dialect.delimiter || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: ",") }
            }
    }

    /// A table for sure, though no file name says so: sentences have commas too, but not as regularly and mostly with a space behind.
    var isSurelyTable: Bool {
        guard records.count >= 2, isConsistent, width > 1 else { return false }
        let others = records.flatMap { $0.dropFirst() }
        let spaced = others.count { $0.hasPrefix(" ") }
        guard 2 * spaced < others.count else { return false }
        return needsQuotes || width > 2 || HeaderDetection.hasKnownName(records[0])
            || (0..<width).contains { TextTable.isNumeric($0, in: records.dropFirst()) }
    }
}
