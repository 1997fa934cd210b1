/// Opens a table: format, dialect and columns from options where given, from the content otherwise.
struct TableOpening {
    var name: String
    var format: TableFormat
    var encoding: TextEncoding?
    var encodingIsGuess = false
    var columns: [String]
    var hasHeader: Bool
    var sample: [[String]]
    var roles: (text: Int?, group: Int?, id: Int?) = (nil, nil, nil)
    var source: any RecordSource
    var stream: ByteStream
    var dialect: DelimitedDialect?

    /// Bytes of the beginning that formats and columns are judged by.
    static let window = 1 << 20
    /// Rows that columns are judged by.
    static let sampleRows = 1000

    static func open(path: String, options: TableOptions, wanted: [String]) throws -> TableOpening {
        let stream = try ByteStream(path: path)
        let head = try stream.head(ByteStream.blockSize)
        if options.format == .xlsx || (options.format == nil && head.starts(with: [0x50, 0x4B, 0x03, 0x04])) {
            return try spreadsheet(stream, head: head, options: options, wanted: wanted)
        }
        let input = try TextInput(stream, head: head, encoding: options.encoding, isLossy: options.isLossy)
        let reader = LineReader(input: input, isLossy: options.isLossy)
        let fileExtension = SystemError.name(of: path).split(separator: ".").dropFirst().last?.lowercased() ?? ""
        let sniffed = try reader.peek(window) { text, isAll in
            let sniffer = TableSniffer(
                text: text, isAll: isAll, fileExtension: fileExtension, skippedLines: (options.headerRows?.lowerBound ?? 1) - 1)
            guard options.format != nil || !sniffer.isTreebank else {
                throw DataError(
                    .usage,
                    "this is a treebank (CoNLL-U), not a table of sentences; kotonoha embed \(SystemError.name(of: path)) \(Setting.tokens) -o layers.h5 "
                        + "makes vectors of its words (and \(Setting.format) tsv reads it as a table all the same)", file: stream.name)
            }
            return sniffer.sniff(format: options.format, delimiter: options.delimiter)
        }
        var opening: TableOpening
        switch sniffed.format {
        case .jsonl: opening = try jsonLines(reader)
        case .json, .coco: opening = try wholeJSON(reader, format: sniffed.format)
        default: opening = try delimited(reader, sniffed.format, sniffed.dialect, options: options, wanted: wanted)
        }
        opening.encoding = input.encoding
        opening.encodingIsGuess = input.isGuess
        return opening
    }

    // MARK: Text, TSV, CSV

    private static func delimited(
        _ reader: LineReader, _ format: TableFormat, _ dialect: DelimitedDialect, options: TableOptions, wanted: [String]
    ) throws -> TableOpening {
        let name = reader.input.name
        var sample: [[String]], isBrokenBelow: Bool
        (sample, isBrokenBelow) = try reader.peek(window) { text, isAll in
            var parser = DelimitedParser(dialect: dialect, file: name)
            let records = try SampleLines.records(of: text, isAll: isAll, limit: sampleRows, parser: &parser)
            return (records, records.count == 1 && text.split(separator: UInt8(ascii: "\n"), maxSplits: 1).count > 1)
        }
        let headerRows = options.headerRows.map { $0.lowerBound - 1..<$0.upperBound }
        guard headerRows.map({ $0.upperBound <= max(sample.count, 1) }) ?? true else {
            throw DataError(
                .usage, "\(Setting.headerRow) \(headerRows?.upperBound ?? 0) is beyond the table's \(sample.count) rows", file: name)
        }
        // A row that breaks off is reported when reading comes to it; until then it is ignored.
        let width = headerRows.map { sample[$0].map(\.count).max() ?? 1 } ?? sample.first?.count ?? 1
        let verdict =
            headerRows != nil
            ? HeaderDetection.Verdict(isHeader: true)
            : options.hasHeader.map { HeaderDetection.Verdict(isHeader: $0) }
                ?? HeaderDetection.judge(sample, wanted: wanted, isPlainText: format == .txt, isBrokenBelow: isBrokenBelow)
        if let note = verdict.note { options.note?("\(name): \(note)") }
        let source = DelimitedSource(reader: reader, dialect: dialect, width: width)
        var columns = (0..<width).map { String($0 + 1) }
        if verdict.isHeader, !sample.isEmpty {
            let rows = headerRows ?? 0..<1
            columns = HeaderDetection.columnNames(HeaderDetection.joined(Array(sample[rows]), width: width, fillsGaps: true))
            for _ in 0..<rows.upperBound { try source.skip() }
            sample.removeFirst(rows.upperBound)
        }
        return TableOpening(
            name: name, format: format, columns: columns, hasHeader: verdict.isHeader,
            sample: sample.map { $0 == [""] ? Array(repeating: "", count: width) : $0 }, source: source,
            stream: reader.input.stream, dialect: dialect)
    }

    private static func spreadsheet(_ stream: ByteStream, head: [UInt8], options: TableOptions, wanted: [String]) throws -> TableOpening {
        let bytes = try head + stream.readAll(limit: Spreadsheet.maximumBytes)
        let sheet = try Spreadsheet(bytes, path: stream.name, sheet: options.sheet)
        for note in sheet.notes(isChosen: options.sheet != nil) { options.note?("\(stream.name): \(note)") }
        var rows = sheet.rows
        let width = rows.map(\.cells.count).max() ?? 1
        for index in rows.indices {
            rows[index].cells += Array(repeating: "", count: width - rows[index].cells.count)
        }
        let headerRows = options.headerRows.map { $0.lowerBound - 1..<$0.upperBound }
        guard headerRows.map({ $0.upperBound <= max(rows.count, 1) }) ?? true else {
            throw DataError(
                .usage, "\(Setting.headerRow) \(headerRows?.upperBound ?? 0) is beyond the sheet's \(rows.count) rows", file: stream.name)
        }
        let verdict =
            headerRows != nil
            ? HeaderDetection.Verdict(isHeader: true)
            : options.hasHeader.map { HeaderDetection.Verdict(isHeader: $0) }
                ?? HeaderDetection.judge(rows.prefix(sampleRows).map(\.cells), wanted: wanted)
        if let note = verdict.note { options.note?("\(stream.name): \(note)") }
        if headerRows == nil, sheet.hasMergedNames {
            options.note?(
                "\(stream.name): note: cells of the first row span several columns; if the names are in rows 1 and 2, add \(Setting.headerRow) 1-2"
            )
        }
        var columns = (0..<width).map { String($0 + 1) }
        if verdict.isHeader, !rows.isEmpty {
            let range = headerRows ?? 0..<1
            columns = HeaderDetection.columnNames(
                HeaderDetection.joined(sheet.mergedRows(range, width: width), width: width, fillsGaps: false))
            rows.removeFirst(range.upperBound)
        }
        return TableOpening(
            name: stream.name, format: .xlsx, columns: columns, hasHeader: verdict.isHeader,
            sample: rows.prefix(sampleRows).map(\.cells), source: HeldSource(rows: rows.map { ($0.number, $0.cells) }), stream: stream)
    }

    // MARK: JSON

    private static func jsonLines(_ reader: LineReader) throws -> TableOpening {
        let name = reader.input.name
        var columns: [String] = []
        var places: [String: Int] = [:]
        var objects: [[(key: String, value: JSON)]] = []
        try reader.peek(window) { text, isAll in
            let parser = JSONParser()
            for line in SampleLines(text: text, isAll: isAll).lines where objects.count < sampleRows {
                // A broken line is reported when reading comes to it.
                guard let object = try? parser.parse(line.bytes).object else { continue }
                objects.append(object)
                for (key, _) in object where places[key] == nil {
                    places[key] = columns.count
                    columns.append(key)
                }
            }
        }
        let sample = objects.map { object in
            var cells = Array(repeating: "", count: columns.count)
            for (key, value) in object { if let place = places[key] { cells[place] = (try? value.cell(file: name, line: 0)) ?? "" } }
            return cells
        }
        return TableOpening(
            name: name, format: .jsonl, columns: columns, hasHeader: true, sample: sample,
            source: JSONLinesSource(reader: reader, places: places), stream: reader.input.stream)
    }

    private static func wholeJSON(_ reader: LineReader, format: TableFormat) throws -> TableOpening {
        let name = reader.input.name
        var bytes: [UInt8] = []
        while let line = try reader.next() {
            bytes.append(contentsOf: line.bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        let root = try bytes.withUnsafeBytes { try JSON(parsing: $0, file: name) }
        if format == .coco {
            guard let annotations = root["annotations"]?.array else {
                throw DataError(
                    .badData,
                    "this JSON object has no array \"annotations\", so it is not a caption file; expected an array "
                        + "of objects or one object per line", file: name)
            }
            var rows: [(Int, [String])] = []
            rows.reserveCapacity(annotations.count)
            for (index, annotation) in annotations.enumerated() {
                guard let caption = annotation["caption"]?.string else {
                    throw DataError(.badData, "annotation \(index + 1) has no \"caption\"", file: name)
                }
                let cells = try [.string(caption), annotation["image_id"] ?? .null, annotation["id"] ?? .null].map {
                    try $0.cell(file: name, line: index + 1)
                }
                rows.append((index + 1, cells))
            }
            return TableOpening(
                name: name, format: .coco, columns: ["caption", "image_id", "id"], hasHeader: true,
                sample: rows.prefix(sampleRows).map(\.1), roles: (0, 1, 2), source: HeldSource(rows: rows), stream: reader.input.stream)
        }
        guard let elements = root.array else { throw DataError(.badData, "expected an array of objects", file: name) }
        var columns: [String] = []
        var places: [String: Int] = [:]
        for element in elements {
            guard let object = element.object else { continue }
            for (key, _) in object where places[key] == nil {
                places[key] = columns.count
                columns.append(key)
            }
        }
        // An array of plain strings is a table of one column.
        if columns.isEmpty { columns = ["text"] }
        let rows = try elements.enumerated().map { index, element in
            var cells = Array(repeating: "", count: columns.count)
            if let object = element.object {
                for (key, value) in object { if let place = places[key] { cells[place] = try value.cell(file: name, line: index + 1) } }
            } else if element.string != nil, places.isEmpty {
                cells[0] = try element.cell(file: name, line: index + 1)
            } else {
                throw DataError(.badData, "element \(index + 1) of the array is not an object", file: name)
            }
            return (index + 1, cells)
        }
        return TableOpening(
            name: name, format: .json, columns: columns, hasHeader: true,
            sample: rows.prefix(sampleRows).map(\.1), source: HeldSource(rows: rows), stream: reader.input.stream)
    }
}

extension JSON {
    /// The value as the text of a table's cell: strings as they are, null as nothing, everything else as JSON.
    /// - Throws: `DataError` for a NUL, which no text may hold; `line` is the record's.
    func cell(file: String, line: Int) throws -> String {
        switch self {
        case .string(let text):
            guard !text.utf8.contains(0) else {
                throw DataError(.badData, "a text in this record contains a NUL character", file: file, line: line)
            }
            return text
        case .null: return ""
        default: return serialized()
        }
    }
}
