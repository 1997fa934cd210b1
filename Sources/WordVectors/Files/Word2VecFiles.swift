import FileFormats
import Glibc
import Tensors

/// The formats of word2vec.c, text and binary, and GloVe's text, which is word2vec's without the first line.
///
/// Text: `words dimension` in the first line, then a word and its numbers a line. Binary: the same first line, then for each word its
/// bytes, a space, and little-endian Floats; word2vec.c puts a line end behind them, others do not.
enum Word2VecFiles {
    static let longestLine = 1 << 26
    static let longestWord = 1 << 16
    static let largestDimension = 1 << 20

    /// The first line of a word2vec file; nil if it is none.
    static func header(_ line: UnsafeRawBufferPointer) -> (count: Int, dimension: Int)? {
        let fields = self.fields(line)
        guard fields.count == 2, let count = DecimalText.integer(fields[0]), let dimension = DecimalText.integer(fields[1]) else {
            return nil
        }
        return (count, dimension)
    }

    /// Pieces between white space.
    static func fields(_ line: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
        var fields: [UnsafeRawBufferPointer] = [], i = 0
        while i < line.count {
            while i < line.count, isSpace(line[i]) { i += 1 }
            let begin = i
            while i < line.count, !isSpace(line[i]) { i += 1 }
            if i > begin { fields.append(UnsafeRawBufferPointer(rebasing: line[begin..<i])) }
        }
        return fields
    }
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    /// Reads either format.
    static func read(_ path: String, limit: Int?) throws -> WordTable {
        let reader = try ByteReader(path: path)
        let first = try reader.peek(1 << 12)
        let isHeader =
            first.firstIndex(of: 0x0A).map { end in
                first.prefix(upTo: end).withUnsafeBytes { header($0) != nil }
            } ?? false
        guard isHeader else { return try text(reader, header: nil, limit: limit) }
        guard let found = try reader.next(upTo: 0x0A, limit: longestLine, header), let header = found else {
            throw DataError(.badData, "expected the number of words and the dimension on the first line", file: path)
        }
        guard header.count > 0, (1...largestDimension).contains(header.dimension) else {
            throw DataError(
                .badData,
                "the first line says \(header.count) words of dimension \(header.dimension), which is "
                    + "impossible", file: path, line: 1)
        }
        return try isBinary(reader, header.dimension)
            ? binary(reader, header: header, limit: limit) : text(reader, header: header, limit: limit)
    }

    /// Text if what follows the first word up to the line's end is made of numbers.
    private static func isBinary(_ reader: ByteReader, _ dimension: Int) throws -> Bool {
        let sample = try reader.peek(min(longestWord + 40 * dimension, 1 << 22))
        return sample.withUnsafeBytes { bytes in
            let end = bytes.firstIndex(of: 0x0A) ?? bytes.count
            let fields = self.fields(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            return fields.count < 2 || !fields.suffix(dimension).allSatisfy { DecimalText.float($0) != nil }
        }
    }

    private static func text(_ reader: ByteReader, header: (count: Int, dimension: Int)?, limit: Int?) throws -> WordTable {
        var builder: TableBuilder?
        var line = header == nil ? 0 : 1, rows = 0
        let name = reader.name
        while builder?.isFull != true {
            line += 1
            let place = line
            let isThere: Void? = try reader.next(upTo: 0x0A, limit: longestLine) { bytes in
                let fields = self.fields(bytes)
                if fields.isEmpty { return }
                if builder == nil {
                    // Without a header the first line decides: as many components as numbers are at its end, but the first field is the
                    // word.
                    let dimension = header?.dimension ?? fields.dropFirst().reversed().prefix { DecimalText.float($0) != nil }.count
                    if bytes.contains(0) {
                        throw DataError(
                            .badData,
                            "not a supported file of word vectors; fastText models without its magic number (before "
                                + "format 11) are not supported. "
                                + "Load such a model with fastText 0.9 and save it again", file: name)
                    }
                    guard dimension > 0 else {
                        throw DataError(
                            .badData,
                            "not a word vector: expected a word and numbers separated by "
                                + "spaces", file: name, line: place)
                    }
                    builder = TableBuilder(file: name, dimension: dimension, limit: limit, expected: header?.count, countsLines: true)
                }
                guard let dimension = builder?.dimension else { return }
                guard fields.count > dimension else {
                    throw DataError(
                        .badData,
                        "\(max(0, fields.count - 1)) components, where \(header == nil ? "the first line has" : "the header says") \(dimension)",
                        file: name, line: place)
                }
                // A word may have spaces in it: the numbers are the last fields.
                let firstWord = fields[0], lastWord = fields[fields.count - dimension - 1]
                guard let from = firstWord.baseAddress, let to = lastWord.baseAddress else { return }
                let word = UnsafeRawBufferPointer(start: from, count: to - from + lastWord.count)
                rows += 1
                try builder?.take(word, place: place) { values in
                    for (index, field) in fields.suffix(dimension).enumerated() {
                        guard let value = DecimalText.float(field) else {
                            throw DataError(
                                .badData,
                                "component \(index + 1) of \"\(String(decoding: word.prefix(40), as: UTF8.self))\" "
                                    + "is not a number: "
                                    + "\"\(String(decoding: field.prefix(20), as: UTF8.self))\"", file: name, line: place)
                        }
                        values.append(value)
                    }
                }
            }
            if isThere == nil { break }
        }
        guard var builder else { throw DataError(.badData, "no words found", file: name) }
        if let header {
            if builder.isFull, rows < header.count {
                builder.remarks.leftOut = header.count - rows
            } else if rows != header.count {
                throw DataError(
                    .badData, "the header says \(header.count) words, but the file has \(rows); it is truncated or its first line is wrong",
                    file: name)
            }
        }
        return try builder.table()
    }

    private static func binary(_ reader: ByteReader, header: (count: Int, dimension: Int), limit: Int?) throws -> WordTable {
        let name = reader.name, dimension = header.dimension
        var builder = TableBuilder(file: name, dimension: dimension, limit: limit, expected: header.count, countsLines: false)
        for index in 1...header.count {
            if builder.isFull {
                builder.remarks.leftOut = header.count - index + 1
                return try builder.table()
            }
            func cut() -> DataError {
                DataError(
                    .badData,
                    "the header says \(header.count) words, but the file ends in word \(index); it is truncated or its first line is wrong",
                    file: name)
            }
            let word: [UInt8]? = try reader.next(upTo: 0x20, limit: longestWord) { bytes in
                // word2vec.c ends each row with a line end, which then begins the next word.
                Array(bytes.drop { $0 == 0x0A })
            }
            guard let word, !(try reader.isDone) else { throw cut() }
            try reader.take(4 * dimension, orElse: cut) { bytes in
                try word.withUnsafeBytes { word in
                    try builder.take(word, place: index) { values in
                        for i in 0..<dimension {
                            values.append(
                                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self))))
                        }
                    }
                }
            }
        }
        let rest = try reader.peek(2)
        guard rest.isEmpty || Array(rest) == [0x0A] else {
            throw DataError(.badData, "the header says \(header.count) words, but more follows; its first line is wrong", file: name)
        }
        return try builder.table()
    }

    // MARK: Writing

    /// Word2vec's binary format, complete or absent.
    /// - Throws: `DataError` if a word holds white space, which would end it in this format.
    static func writeBinary(_ table: WordTable, to path: String) throws {
        try AtomicFile.write(to: path) { file in
            try file.write("\(table.count) \(table.dimension)\n")
            for word in 0..<table.count {
                try file.write(try writable(table, word, path))
                try file.write([0x20])
                try withLittleEndian(table.row(word)) { try file.write($0) }
                try file.write([0x0A])
            }
        }
    }

    /// Word2vec's text format; the numbers are the shortest that read back as the same Float.
    static func writeText(_ table: WordTable, to path: String) throws {
        try AtomicFile.write(to: path) { file in
            try file.write("\(table.count) \(table.dimension)\n")
            for word in 0..<table.count {
                try file.write(try writable(table, word, path))
                var line = ""
                for value in table.row(word) { line += " \(value)" }
                try file.write(line + "\n")
            }
        }
    }

    static func writable(_ table: WordTable, _ word: Int, _ path: String) throws -> [UInt8] {
        let bytes = Array(table.words.bytes(of: word))
        guard !bytes.contains(where: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D || $0 == 0 }) else {
            throw DataError(
                .badData,
                "word \(word + 1), \"\(table.words[word])\", contains white space, which ends a word in this format; "
                    + "write .h5, or leave such words out", file: path)
        }
        return bytes
    }

    static func withLittleEndian(_ values: [Float], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        #if _endian(little)
        try values.withUnsafeBytes(body)
        #else
        try values.map { $0.bitPattern.littleEndian }.withUnsafeBytes(body)
        #endif
    }
}
