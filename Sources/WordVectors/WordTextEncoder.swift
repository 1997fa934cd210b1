import FileFormats
import Foundation
import Synchronization
import Tensors
import Tokenizers

/// Texts as weighted means of their words' vectors: the baseline for every analysis of sentence vectors.
///
/// A text that is itself a word of the table has that word's vector. Otherwise it is cut into words, each looked up as it stands, then
/// without punctuation around it, then in lower case; with n-grams every word has a vector. A text without any known word gets zeros.
package final class WordTextEncoder: Sendable {
    /// How words are weighed.
    package enum Pooling: String, Sendable, CaseIterable {
        case mean
        /// By ln((1 + N) / (1 + n)) + 1, N texts of which n have the word (Spärck Jones 1972, smoothed as in scikit-learn).
        case idf
        /// By a / (a + p), p the word's share of the text the vectors were trained on, then without the first singular vector of all texts
        /// (Arora, Liang & Ma 2017).
        case sif
    }

    /// How a text is cut into words.
    package enum Words: Sendable {
        case spaces
        case mecab(JapaneseWords)
    }

    /// Pooling, cutting into words, normalization and threads.
    package struct Options: Sendable {
        /// How words are weighed.
        package var pooling = Pooling.mean
        /// How a text is cut into words.
        package var words = Words.spaces
        /// SIF's a.
        package var smoothing = 1e-3
        /// Scale the vectors to length 1.
        package var normalizes = false
        /// Number of worker threads; results do not depend on it.
        package var threads = Parallel.availableThreads
        /// The plain mean of words cut at spaces.
        package init() {}
    }

    /// What one call met.
    package struct Counts: Sendable, Equatable {
        package var texts = 0
        package var words = 0
        package var unknownWords = 0
        /// Texts without any known word.
        package var emptyTexts = 0
        package init() {}
    }

    /// The word vectors.
    package let table: WordTable
    /// The settings.
    package let options: Options
    /// The hash of the table's file.
    package let sha256: String
    /// Components of a vector.
    package var dimension: Int { table.dimension }
    /// Weights of words by their spelling, and of words that the fit did not meet; nil if all weigh 1.
    private let weights: (words: WordList, values: [Float], other: Float)?
    /// The direction that SIF removes, of unit length.
    private let common: [Float]?
    private let isFitted: Bool

    package init(table: WordTable, sha256: String, options: Options = Options()) {
        (self.table, self.sha256, self.options) = (table, sha256, options)
        (weights, common) = (nil, nil)
        isFitted = options.pooling == .mean
    }

    /// A word file of any format as an encoder.
    package convenience init(path: String, options: Options = Options()) throws {
        let sha256 = try SHA256.hex(ofFile: path)
        try self.init(table: WordFile.read(path, threads: options.threads), sha256: sha256, options: options)
    }

    private init(_ other: WordTextEncoder, weights: (WordList, [Float], Float)?, common: [Float]?) {
        (table, sha256, options) = (other.table, other.sha256, other.options)
        self.weights = weights.map { ($0.0, $0.1, $0.2) }
        self.common = common
        isFitted = true
    }

    /// What the pooling wants to know of all texts: in how many a word occurs (idf), the direction they share (SIF).
    ///
    /// - Parameter pass: hands over all texts, in batches, in the same order whenever it is called; it is called up to twice.
    /// - Returns: the encoder itself for plain means.
    package func fitted(to pass: (_ batch: ([String]) throws -> Void) throws -> Void) throws -> WordTextEncoder {
        switch options.pooling {
        case .mean: return self
        case .idf:
            var words = WordList(), counts: [Int] = [], texts = 0
            var scratch = JapaneseWords.Scratch()
            try pass { batch in
                for text in batch {
                    var seen: Set<Int> = []
                    forEachToken(of: text, &scratch) { token in
                        let (index, isNew) = words.insert(token)
                        if isNew { counts.append(0) }
                        if seen.insert(index).inserted { counts[index] += 1 }
                    }
                    texts += 1
                }
            }
            func idf(_ count: Int) -> Float { Float(log((1 + Double(texts)) / (1 + Double(count))) + 1) }
            return WordTextEncoder(self, weights: (words, counts.map(idf), idf(0)), common: nil)
        case .sif:
            var words = table.words, counts = table.counts ?? []
            if table.counts == nil {
                words = WordList()
                var scratch = JapaneseWords.Scratch()
                try pass { batch in
                    for text in batch {
                        forEachToken(of: text, &scratch) { token in
                            let (index, isNew) = words.insert(token)
                            if isNew { counts.append(0) }
                            counts[index] += 1
                        }
                    }
                }
            }
            let total = Double(max(1, counts.reduce(0, +)))
            let weights = counts.map { Float(options.smoothing / (options.smoothing + Double($0) / total)) }
            let weighted = WordTextEncoder(self, weights: (words, weights, 1), common: nil)
            let d = dimension
            var moments = Tensor<Double>(repeating: 0, shape: [d, d])
            try pass { batch in
                for rows in Parallel.chunks(batch.count, size: 1024) {
                    var values = [Float](repeating: 0, count: rows.count * d)
                    try values.withUnsafeMutableBufferPointer { _ = try weighted.encode(Array(batch[rows]), into: $0) }
                    let doubles = values.map(Double.init)
                    moments.withUnsafeMutableElements { moments in
                        doubles.withUnsafeBufferPointer { x in
                            guard let x = x.baseAddress else { return }
                            Double.product(
                                x, transposed: true, x, transposed: false, m: d, n: d, k: rows.count, lda: d, ldb: d, into: moments, ldc: d,
                                accumulate: true, precision: .f32)
                        }
                    }
                }
            }
            do {
                let first = try symmetricEigenvectors(moments, count: 1).vectors.elements
                return WordTextEncoder(self, weights: (words, weights, 1), common: first.map(Float.init))
            } catch let error as FactorizationError {
                throw DataError(.badData, "the direction that all texts share cannot be found: \(error)")
            }
        }
    }

    /// Vectors of texts, `(texts.count, dimension)`, row-major.
    /// - Throws: `DataError` if idf or SIF were not fitted to texts before.
    @discardableResult
    package func encode(_ texts: [String], into vectors: UnsafeMutableBufferPointer<Float>) throws -> Counts {
        precondition(vectors.count == texts.count * dimension)
        guard isFitted else { throw DataError(.usage, "\(options.pooling.rawValue) weights need the texts they are made for first") }
        guard let base = vectors.baseAddress, !texts.isEmpty else { return Counts() }
        let target = Shared(base), chunks = Parallel.chunks(texts.count, size: 256)
        let found = Mutex([Counts](repeating: Counts(), count: chunks.count))
        Parallel.forEach(chunks.count, threads: options.threads) { chunk, _ in
            var counts = Counts(), scratch = JapaneseWords.Scratch()
            for row in chunks[chunk] { encode(texts[row], into: target.pointer + row * dimension, &counts, &scratch) }
            let done = counts
            found.withLock { $0[chunk] = done }
        }
        return found.withLock {
            $0.reduce(into: Counts()) { sum, part in
                sum.texts += part.texts
                sum.words += part.words
                sum.unknownWords += part.unknownWords
                sum.emptyTexts += part.emptyTexts
            }
        }
    }

    private func encode(
        _ text: String, into row: UnsafeMutablePointer<Float>, _ counts: inout Counts, _ scratch: inout JapaneseWords.Scratch
    ) {
        let d = dimension
        row.update(repeating: 0, count: d)
        counts.texts += 1
        var sum = [Double](repeating: 0, count: d), parts = 0
        func add(_ vector: UnsafePointer<Float>, _ weight: Float) {
            for i in 0..<d { sum[i] += Double(weight) * Double(vector[i]) }
            parts += 1
        }
        if let whole = table.words.index(of: text) {
            counts.words += 1
            table.vectors.withUnsafeElements { add($0 + whole * d, 1) }
        } else {
            forEachToken(of: text, &scratch) { token in
                counts.words += 1
                let weight = weights.map { weights in weights.words.index(of: token).map { weights.values[$0] } ?? weights.other } ?? 1
                if let index = lookUp(token) {
                    table.vectors.withUnsafeElements { add($0 + index * d, weight) }
                } else if let vector = table.subwords?.vector(of: String(decoding: token, as: UTF8.self)) {
                    vector.withUnsafeBufferPointer { if let base = $0.baseAddress { add(base, weight) } }
                } else {
                    counts.unknownWords += 1
                }
            }
        }
        guard parts > 0 else {
            counts.emptyTexts += 1
            return
        }
        for i in 0..<d { sum[i] /= Double(parts) }
        if let common {
            var along = 0.0
            for i in 0..<d { along += sum[i] * Double(common[i]) }
            for i in 0..<d { sum[i] -= along * Double(common[i]) }
        }
        var scale = 1.0
        if options.normalizes {
            let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if length > 0 { scale = 1 / length }
        }
        for i in 0..<d { row[i] = Float(sum[i] * scale) }
    }

    /// The words of a text, in the spelling in which the table has them, else without the punctuation around them.
    private func forEachToken(of text: String, _ scratch: inout JapaneseWords.Scratch, _ body: (UnsafeRawBufferPointer) -> Void) {
        switch options.words {
        case .spaces:
            for piece in text.split(whereSeparator: \.isWhitespace) {
                var word = String(piece)
                if table.words.index(of: word) == nil {
                    let bare = Self.bare(piece)
                    if bare.isEmpty { continue }
                    let candidates = [bare, word.lowercased(), bare.lowercased()]
                    word = candidates.first { table.words.index(of: $0) != nil } ?? bare
                }
                word.withUTF8 { body(UnsafeRawBufferPointer($0)) }
            }
        case .mecab(let words):
            var text = text
            text.withUTF8 { bytes in
                words.forEachWord(in: UnsafeRawBufferPointer(bytes), scratch: &scratch) { word in
                    let string = String(decoding: word, as: UTF8.self)
                    // Punctuation alone is not a word unless the table has it.
                    if lookUp(word) == nil, Self.bare(string[...]).isEmpty { return }
                    body(word)
                }
            }
        }
    }

    private static func bare(_ word: Substring) -> String {
        func isMark(_ character: Character) -> Bool { character.isPunctuation || character.isSymbol }
        return String(word.drop(while: isMark).reversed().drop(while: isMark).reversed())
    }

    private func lookUp(_ word: UnsafeRawBufferPointer) -> Int? {
        table.words.index(of: word) ?? table.words.index(of: String(decoding: word, as: UTF8.self).lowercased())
    }
}
