import FileFormats
import Foundation
import Glibc
import Tensors
import VectorStore

/// Reads word vectors in any common format, detected from the content.
///
/// Known are word2vec text and binary, GloVe text, fastText `.vec` and `.bin` (versions 11 and 12), NumPy `.npy` beside a list of words,
/// and `vectors.h5`; all but `.npy`, fastText `.bin` and `.h5` also packed by gzip.
public enum WordFile {
    package enum Format: String, Sendable, CaseIterable {
        case word2vecText = "word2vec-text"
        case word2vecBinary = "word2vec-binary"
        case fastText = "fasttext"
    }

    /// What a file of word vectors says of its pooling.
    package static let pooling = "word"

    /// - Parameters:
    ///   - vocabulary: for `.npy`, the words, one a line; by default `NAME.vocab` or `NAME.txt` next to it.
    ///   - limit: the first words only, which in files made by training are the most frequent.
    /// - Throws: `DataError` with line or word where the file is missing, cut off, not of these formats, or holds NaN.
    public static func read(
        _ path: String, vocabulary: String? = nil, limit: Int? = nil, threads: Int = Parallel.availableThreads
    ) throws -> WordTable {
        if let limit, limit < 1 { throw DataError(.usage, "a limit of \(limit) words leaves none") }
        let head = try ByteReader(path: path).peek(8)
        if head.starts(with: [0x89, 0x48, 0x44, 0x46]) { return try table(of: VectorFile(path: path), limit: limit) }
        if head.starts(with: [0x93] + Array("NUMPY".utf8)) { return try array(path, vocabulary, limit) }
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) { throw DataError(.badData, "this is a zip file; unpack it first", file: path) }
        if FastTextModel.isModel(head) {
            guard try !ByteReader(path: path).stream.isPacked else {
                throw DataError(.badData, "a fastText model is mapped into memory; unpack it first (gunzip)", file: path)
            }
            return try FastTextModel(path: path).table(name: SystemError.name(of: path), limit: limit, threads: threads)
        }
        return try Word2VecFiles.read(path, limit: limit)
    }

    /// The rows of a vector file as words. Rows without a vector are left out; of equal texts the first counts.
    package static func table(of file: VectorFile, limit: Int? = nil) throws -> WordTable {
        let texts = try file.texts(), valid = try file.valid(), counts = try file.column("count")
        var builder = TableBuilder(file: file.path, dimension: file.dimension, limit: limit, expected: file.count, countsLines: false)
        var kept: [Int] = []
        for rows in Parallel.chunks(file.count, size: 4096) where !builder.isFull {
            let values = try file.readEmbeddings(rows: rows)
            for row in rows where valid[row] && !builder.isFull {
                var text = texts[row]
                let before = builder.words.count
                try text.withUTF8 { text in
                    try builder.take(UnsafeRawBufferPointer(text), place: row + 1) {
                        $0 += values[(row - rows.lowerBound) * file.dimension..<(row - rows.lowerBound + 1) * file.dimension]
                    }
                }
                if builder.words.count > before { kept.append(row) }
            }
        }
        let read = try builder.table()
        let numbers = counts.map { counts in kept.map { Int(counts[$0]) } }
        var table = WordTable(
            name: read.name, words: read.words, counts: numbers?.contains { $0 == nil } == false ? numbers?.compactMap(\.self) : nil,
            vectors: read.vectors)
        table.remarks = read.remarks
        table.remarks.leftOut = builder.isFull ? valid.count { $0 } - kept.count - read.remarks.duplicates : 0
        return table
    }

    private static func array(_ path: String, _ vocabulary: String?, _ limit: Int?) throws -> WordTable {
        let array = try NPYFile(path: path)
        guard array.shape.count == 2, array.shape[1] > 0 else {
            throw DataError(.badData, "the array has shape \(array.shape); word vectors are a matrix, a row a word", file: path)
        }
        let stem = (path as NSString).deletingPathExtension
        guard let list = vocabulary ?? [".vocab", ".txt", ".vocab.txt"].map({ stem + $0 }).first(where: { access($0, R_OK) == 0 }) else {
            throw DataError(
                .noInput,
                "an array needs a word list, one word per line; name it with \(Setting.vocabulary), or put it next to the array as \(SystemError.name(of: stem)).vocab",
                file: path)
        }
        let values = try array.floats(), width = array.shape[1]
        var builder = TableBuilder(file: list, dimension: width, limit: limit, expected: array.shape[0], countsLines: true)
        let reader = try ByteReader(path: list)
        var line = 0
        while !builder.isFull {
            let isThere: Void? = try reader.next(upTo: 0x0A, limit: Word2VecFiles.longestWord) { bytes in
                let end = bytes.last == 0x0D ? bytes.count - 1 : bytes.count
                line += 1
                guard line <= array.shape[0] else { return }
                try builder.take(UnsafeRawBufferPointer(rebasing: bytes[..<end]), place: line) {
                    $0 += values[(line - 1) * width..<line * width]
                }
            }
            if isThere == nil { break }
        }
        guard line == array.shape[0] || builder.isFull else {
            throw DataError(.badData, "the list has \(line) words, the array \(array.shape[0]) rows", file: list)
        }
        return try builder.table()
    }

    // MARK: Writing

    /// Writes word2vec text or binary, or a fastText model without n-grams and with an output matrix of zeros.
    package static func write(_ table: WordTable, to path: String, as format: Format) throws {
        switch format {
        case .word2vecText: try Word2VecFiles.writeText(table, to: path)
        case .word2vecBinary: try Word2VecFiles.writeBinary(table, to: path)
        case .fastText:
            // Unknown counts are replaced by ranks, to keep the order.
            let counts = table.counts ?? (0..<table.count).map { table.count - $0 }
            let arguments = FastTextModel.Arguments(
                dimension: Int32(clamping: table.dimension), window: 5, epochs: 0, minimumCount: 1, negatives: 5, wordNgrams: 1,
                loss: .negativeSampling,
                architecture: .skipGram, buckets: 0, minimumN: 0, maximumN: 0, learningRateUpdate: 100, subsample: 1e-4)
            try FastTextModel(
                arguments: arguments, words: table.words, counts: counts, tokens: counts.reduce(0, +), input: table.vectors,
                output: Tensor(repeating: 0, shape: [table.count, table.dimension])
            ).write(to: path)
        }
    }

    /// Writes `vectors.h5`: the words as texts, their counts as the column `count`.
    /// - Parameter modelSHA256: stands for what made the vectors; files of one hash can be compared.
    /// - Throws: `DataError` if a word is not UTF-8, as HDF5 strings must be, unless `isLossy`.
    package static func writeVectors(
        _ table: WordTable, to path: String, model: String, modelSHA256: String, createdBy: String, source: String, sourceSHA256: String,
        provenance: String = "", storage: VectorStorage = .float32, isLossy: Bool = false
    ) throws {
        if !isLossy, let bad = (0..<table.count).first(where: { !table.words.isText($0) }) {
            throw DataError(
                .badData,
                "word \(bad + 1), \"\(table.words[bad])\", is not UTF-8, which this format needs; \(Setting.lossy) writes U+FFFD in place of such bytes",
                file: path)
        }
        let layout = VectorLayout(dimension: table.dimension, columnNames: table.counts == nil ? [] : ["count"], textName: "word")
        let metadata = VectorMetadata(
            model: model, modelSHA256: modelSHA256, pooling: pooling, isNormalized: false, precision: "f32", maxLength: 0,
            createdBy: createdBy,
            source: source, sourceSHA256: sourceSHA256, provenance: provenance)
        let writer = try VectorFileWriter(path: path, layout: layout, metadata: metadata, storage: storage, rows: table.count)
        for rows in Parallel.chunks(table.count, size: 4096) {
            let values = table.vectors.withUnsafeElements {
                Array(UnsafeBufferPointer(start: $0 + rows.lowerBound * table.dimension, count: rows.count * table.dimension))
            }
            try writer.append(
                VectorBlock(
                    texts: rows.map { table.words[$0] }, columns: table.counts.map { counts in [rows.map { String(counts[$0]) }] } ?? [],
                    valid: rows.map { _ in true }, embeddings: values))
        }
        try writer.finish()
    }
}
