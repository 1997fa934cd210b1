import FileFormats
import Tensors

/// A model in fastText's binary format, versions 11 and 12: arguments, dictionary, input matrix (words, then buckets of n-grams), output
/// matrix. Reference: fastText 0.9.2, `FastText::saveModel`.
package struct FastTextModel: Sendable {
    /// What the file says about its training, under fastText's names.
    package struct Arguments: Sendable, Equatable {
        package var dimension: Int32
        package var window: Int32
        package var epochs: Int32
        package var minimumCount: Int32
        package var negatives: Int32
        package var wordNgrams: Int32
        package var loss: Loss
        package var architecture: Architecture
        package var buckets: Int32
        package var minimumN: Int32
        package var maximumN: Int32
        package var learningRateUpdate: Int32
        package var subsample: Double
    }
    package enum Loss: Int32, Sendable { case hierarchicalSoftmax = 1, negativeSampling, softmax, oneVersusAll }
    package enum Architecture: Int32, Sendable { case cbow = 1, skipGram, supervised }

    package var arguments: Arguments
    package var words: WordList
    package var counts: [Int]
    /// Labels of a supervised model, with their counts.
    package var labels: [(label: String, count: Int)] = []
    /// Words of the text that the model was trained on, labels and line ends included.
    package var tokens: Int
    /// Shape (words + buckets, dimension).
    package var input: Tensor<Float>
    /// Shape (words or inner nodes or labels, dimension).
    package var output: Tensor<Float>
    package var version: Int32 = 12

    static let magic: Int32 = 793_712_314
    static let versions: ClosedRange<Int32> = 11...12

    package var rule: Subwords {
        Subwords(minimum: Int(arguments.minimumN), maximum: Int(arguments.maximumN), buckets: Int(arguments.buckets))
    }

    package init(
        arguments: Arguments, words: WordList, counts: [Int], tokens: Int, input: Tensor<Float>, output: Tensor<Float>
    ) {
        (self.arguments, self.words, self.counts, self.tokens, self.input, self.output) = (arguments, words, counts, tokens, input, output)
    }

    /// Whether a file begins as one of fastText's.
    static func isModel(_ head: some Collection<UInt8>) -> Bool { head.starts(with: withUnsafeBytes(of: magic.littleEndian, Array.init)) }

    /// Opens a model. The matrices stay in the mapped file.
    /// - Throws: `DataError` if it is cut off, of another version, quantized, or its numbers do not match.
    package init(path: String) throws {
        let file = try MappedFile(path: path)
        var cursor = Cursor(file: file)
        let magic = try cursor.int32("the first number")
        guard magic == Self.magic else { throw DataError(.badData, "not a fastText model", file: path) }
        version = try cursor.int32("the version")
        guard Self.versions.contains(version) else {
            throw DataError(
                .badData, "version \(version) of fastText's format is not read; 11 and 12 are. Save the model again with fastText 0.9",
                file: path)
        }
        func argument(_ name: String, _ range: ClosedRange<Int32>) throws -> Int32 {
            let value = try cursor.int32(name)
            guard range.contains(value) else {
                throw cursor.error("\(name) is \(value), which is outside \(range.lowerBound) … \(range.upperBound)")
            }
            return value
        }
        let dimension = try argument("dim", 1...1 << 20), window = try cursor.int32("ws"), epochs = try cursor.int32("epoch")
        let minimumCount = try cursor.int32("minCount"), negatives = try cursor.int32("neg"), wordNgrams = try cursor.int32("wordNgrams")
        let lossCode = try cursor.int32("loss"), modelCode = try cursor.int32("model")
        guard let loss = Loss(rawValue: lossCode) else { throw cursor.error("loss \(lossCode) is unknown") }
        guard let architecture = Architecture(rawValue: modelCode) else { throw cursor.error("model \(modelCode) is unknown") }
        let buckets = try argument("bucket", 0 ... .max), minimumN = try argument("minn", 0...1 << 20)
        var maximumN = try argument("maxn", 0...1 << 20)
        let update = try cursor.int32("lrUpdateRate"), subsample = try cursor.double("t")
        // Version 11 wrote character n-grams of supervised models that it did not use.
        if version == 11, architecture == .supervised { maximumN = 0 }
        arguments = Arguments(
            dimension: dimension, window: window, epochs: epochs, minimumCount: minimumCount, negatives: negatives, wordNgrams: wordNgrams,
            loss: loss, architecture: architecture, buckets: buckets, minimumN: minimumN, maximumN: maximumN,
            learningRateUpdate: update, subsample: subsample)

        let size = try cursor.int32("the dictionary's size"), wordCount = try cursor.int32("the number of words"),
            labelCount = try cursor.int32("the number of labels")
        guard size >= 0, wordCount >= 0, labelCount >= 0, Int64(wordCount) + Int64(labelCount) == Int64(size) else {
            throw cursor.error("the dictionary has \(size) entries, but \(wordCount) words and \(labelCount) labels")
        }
        tokens = Int(try cursor.int64("the number of tokens"))
        let pruned = try cursor.int64("the number of pruned n-grams")
        words = WordList()
        counts = []
        for index in 0..<Int(size) {
            let word = try cursor.string("word \(index + 1)")
            let count = try cursor.int64("the count of word \(index + 1)"), kind = try cursor.byte("the kind of word \(index + 1)")
            guard count >= 0 else { throw cursor.error("the count of word \(index + 1) is \(count)") }
            switch kind {
            case 0:
                guard words.insert(word).isNew else {
                    throw cursor.error("the word \"\(String(decoding: word, as: UTF8.self))\" is there twice (entry \(index + 1))")
                }
                counts.append(Int(count))
            case 1: labels.append((String(decoding: word, as: UTF8.self), Int(count)))
            default: throw cursor.error("entry \(index + 1) of the dictionary is of kind \(kind); 0 (word) and 1 (label) are known")
            }
        }
        guard words.count == wordCount else {
            throw cursor.error("the dictionary announces \(wordCount) words and contains \(words.count)")
        }
        if pruned > 0 {
            throw DataError(
                .badData,
                "this model is quantized (its n-grams are pruned); quantized models are not read. Use the model before \"fasttext quantize\"",
                file: path)
        }
        input = try Self.matrix(&cursor, "input", file)
        let expected = Int(wordCount) + Int(buckets)
        // Without n-grams of any kind, fastText still writes the buckets it was given; a model trained with none has the words only.
        guard input.columns == Int(dimension), input.rows == expected else {
            throw cursor.error(
                "the input matrix is \(input.rows) × \(input.columns); \(wordCount) words and \(buckets) buckets of \(dimension) components need \(expected) × \(dimension)"
            )
        }
        output = try Self.matrix(&cursor, "output", file)
        guard output.columns == Int(dimension) else {
            throw cursor.error("the output matrix has \(output.columns) columns, the model \(dimension) components")
        }
        guard cursor.offset == file.count else { throw cursor.error("\(file.count - cursor.offset) bytes follow the model") }
    }

    private static func matrix(_ cursor: inout Cursor, _ name: String, _ file: MappedFile) throws -> Tensor<Float> {
        guard try cursor.byte("the kind of the \(name) matrix") == 0 else {
            throw DataError(
                .badData,
                "the \(name) matrix is quantized (.ftz); quantized models are not read. Use the model before \"fasttext quantize\"",
                file: file.path)
        }
        let rows = try cursor.int64("the rows of the \(name) matrix"), columns = try cursor.int64("the columns of the \(name) matrix")
        let size = rows.multipliedReportingOverflow(by: columns)
        let bytes = size.partialValue.multipliedReportingOverflow(by: 4)
        guard rows >= 0, columns > 0, !size.overflow, !bytes.overflow, bytes.partialValue <= Int64(file.count - cursor.offset) else {
            throw cursor.error(
                "the \(name) matrix should be \(rows) × \(columns), but \(file.count - cursor.offset) bytes are left; the file is truncated"
            )
        }
        let start = cursor.offset, count = Int(size.partialValue)
        cursor.offset += 4 * count
        #if _endian(little)
        if start % 4 == 0, count > 0, let base = file.bytes.baseAddress {
            return Tensor(viewing: (base + start).assumingMemoryBound(to: Float.self), shape: [Int(rows), Int(columns)], owner: file)
        }
        #endif
        var tensor = Tensor<Float>(uninitialized: [Int(rows), Int(columns)])
        tensor.withUnsafeMutableElements { to in
            file.withUnsafeBytes { bytes in
                for i in 0..<count {
                    to[i] = Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * i, as: UInt32.self)))
                }
            }
        }
        return tensor
    }

    /// Steps through the file; nothing is read past its end.
    private struct Cursor {
        let file: MappedFile
        var offset = 0

        func error(_ message: String) -> DataError { DataError(.badData, message, file: file.path) }
        private mutating func take<T: BitwiseCopyable>(_ type: T.Type, _ what: String) throws -> T {
            let size = MemoryLayout<T>.size
            guard file.count - offset >= size else { throw error("the file ends before \(what); it is truncated") }
            defer { offset += size }
            return file.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        }
        mutating func byte(_ what: String) throws -> UInt8 { try take(UInt8.self, what) }
        mutating func int32(_ what: String) throws -> Int32 { Int32(littleEndian: try take(Int32.self, what)) }
        mutating func int64(_ what: String) throws -> Int64 { Int64(littleEndian: try take(Int64.self, what)) }
        mutating func double(_ what: String) throws -> Double { Double(bitPattern: UInt64(littleEndian: try take(UInt64.self, what))) }
        /// Bytes up to a zero; they stay valid as long as the file.
        mutating func string(_ what: String) throws -> UnsafeRawBufferPointer {
            let rest = UnsafeRawBufferPointer(rebasing: file.bytes[offset...])
            guard let end = rest.prefix(Word2VecFiles.longestWord).firstIndex(of: 0) else {
                throw error("\(what) has no end; the file is truncated or damaged")
            }
            offset += end + 1
            return UnsafeRawBufferPointer(rebasing: rest[..<end])
        }
    }

    // MARK: As a table

    /// The words with their vectors as fastText gives them out: the mean of the word's own row and its n-grams'.
    /// - Parameter limit: keep only the first words, which are the most frequent.
    package func table(name: String, limit: Int? = nil, threads: Int = Parallel.availableThreads) throws -> WordTable {
        let count = min(limit ?? words.count, words.count), width = Int(arguments.dimension), rule = rule
        guard count > 0 else { throw DataError(.badData, "no words found", file: name) }
        let buckets: Tensor<Float>? =
            rule.isEmpty
            ? nil
            : input.withUnsafeElements { base in
                // The tensor's own storage is the owner: the view keeps the whole input matrix.
                Tensor(viewing: base + words.count * width, shape: [rule.buckets, width], owner: TensorOwner(input))
            }
        let subwords = buckets.map { SubwordVectors(rule: rule, vectors: $0) }
        var vectors = Tensor<Float>(uninitialized: [count, width])
        vectors.withUnsafeMutableElements { to in
            input.withUnsafeElements { from in
                let target = Shared(to), source = Shared(from), chunks = Parallel.chunks(count, size: 1024)
                Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                    for word in chunks[chunk] {
                        let own = UnsafePointer(source.pointer) + word * width
                        let bytes = words.bytes(of: word)
                        // fastText gives the line end no n-grams.
                        let grams = bytes.elementsEqual("</s>".utf8) ? [] : rule.buckets(of: bytes)
                        if let subwords, let mean = subwords.mean(grams, own: own) {
                            (target.pointer + word * width).update(from: mean, count: width)
                        } else {
                            (target.pointer + word * width).update(from: own, count: width)
                        }
                    }
                }
            }
        }
        if let bad = vectors.withUnsafeElements({ base in (0..<count).first { !Float.allFinite(base + $0 * width, count: width) } }) {
            throw DataError(.badData, "the vector of \"\(words[bad])\" contains NaN or infinity (word \(bad + 1))", file: name)
        }
        var kept = WordList()
        var broken = ReadingRemarks()
        for word in 0..<count {
            _ = words.bytes(of: word).withUnsafeBytes { kept.insert($0) }
            if !words.isText(word) {
                broken.brokenWords += 1
                if broken.firstBroken == nil { broken.firstBroken = word + 1 }
            }
        }
        var table = WordTable(name: name, words: kept, counts: Array(counts.prefix(count)), vectors: vectors, subwords: subwords)
        broken.leftOut = words.count - count
        table.remarks = broken
        return table
    }

    // MARK: Writing

    /// Writes version 12, which fastText and gensim read.
    /// - Throws: `DataError` if a word holds white space or NUL, or there are more words than the format counts.
    package func write(to path: String) throws {
        guard words.count <= Int(Int32.max), labels.isEmpty, input.rows == words.count + Int(arguments.buckets) else {
            throw DataError(
                .badData, "fastText's format allows at most \(Int32.max) words and cannot store a model of this shape", file: path)
        }
        try AtomicFile.write(to: path) { file in
            func put<T: FixedWidthInteger>(_ value: T) throws { try withUnsafeBytes(of: value.littleEndian) { try file.write($0) } }
            try put(Self.magic)
            try put(Int32(12))
            let a = arguments
            for value in [
                a.dimension, a.window, a.epochs, a.minimumCount, a.negatives, a.wordNgrams, a.loss.rawValue, a.architecture.rawValue,
                a.buckets, a.minimumN, a.maximumN, a.learningRateUpdate,
            ] { try put(value) }
            try put(a.subsample.bitPattern)
            try put(Int32(words.count))
            try put(Int32(words.count))
            try put(Int32(0))
            try put(Int64(tokens))
            try put(Int64(-1))
            let names = WordTable(name: path, words: words, vectors: Tensor(uninitialized: [words.count, 0]))
            for word in 0..<words.count {
                try file.write(try Word2VecFiles.writable(names, word, path))
                try file.write([0])
                try put(Int64(counts[word]))
                try put(UInt8(0))
            }
            for matrix in [input, output] {
                try put(UInt8(0))
                try put(Int64(matrix.rows))
                try put(Int64(matrix.columns))
                try matrix.withUnsafeElements { base in
                    for rows in Parallel.chunks(matrix.rows, size: 4096) {
                        let part = Array(
                            UnsafeBufferPointer(start: base + rows.lowerBound * matrix.columns, count: rows.count * matrix.columns))
                        try Word2VecFiles.withLittleEndian(part) { try file.write($0) }
                    }
                }
            }
        }
    }
}

/// Keeps a tensor's memory for views into it.
private final class TensorOwner: Sendable {
    let tensor: Tensor<Float>
    init(_ tensor: Tensor<Float>) { self.tensor = tensor }
}
