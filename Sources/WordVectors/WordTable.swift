import FileFormats
import Tensors

/// Word vectors: words, one vector each, and where the file has them their counts and the vectors of n-grams, out of which unknown words
/// get vectors of their own.
public struct WordTable: Sendable {
    /// The file's name, without folders.
    package var name: String
    /// The words, in the order of the vectors.
    public let words: WordList
    /// Occurrences of each word in the text that the vectors were trained on; nil if the file does not say.
    package let counts: [Int]?
    /// Shape (words, dimension).
    public let vectors: Tensor<Float>
    /// Vectors of n-grams; nil if the table knows whole words only.
    package let subwords: SubwordVectors?
    /// What reading met and passed over.
    package var remarks = ReadingRemarks()

    /// Components of a vector.
    package var dimension: Int { vectors.columns }
    /// Number of words.
    package var count: Int { words.count }

    package init(name: String, words: WordList, counts: [Int]? = nil, vectors: Tensor<Float>, subwords: SubwordVectors? = nil) {
        precondition(vectors.shape.count == 2 && vectors.rows == words.count && (counts?.count ?? words.count) == words.count)
        (self.name, self.words, self.counts, self.vectors, self.subwords) = (name, words, counts, vectors, subwords)
    }

    /// The vector of a word: its own, else one made of its n-grams; nil if the table has neither.
    public func vector(of word: String) -> [Float]? {
        if let index = words.index(of: word) { return row(index) }
        return subwords?.vector(of: word)
    }

    /// One row.
    package func row(_ index: Int) -> [Float] {
        precondition(index >= 0 && index < count)
        return vectors.withUnsafeElements { Array(UnsafeBufferPointer(start: $0 + index * dimension, count: dimension)) }
    }
}

/// What a reader found that is not an error but that the user should know.
package struct ReadingRemarks: Sendable, Equatable {
    /// Words that came again; the first one counts. And where the first of them stood: line, or number of the word.
    package var duplicates = 0
    package var firstDuplicate: (word: String, place: Int)?
    /// Words that are not UTF-8. They are kept as bytes.
    package var brokenWords = 0
    package var firstBroken: Int?
    /// Words with spaces in them, which the text format hides.
    package var spacedWords = 0
    package var firstSpaced: (word: String, place: Int)?
    /// Words left out by a limit, if the file states its number of words.
    package var leftOut = 0

    package init() {}

    package static func == (a: ReadingRemarks, b: ReadingRemarks) -> Bool { a.sentences == b.sentences && a.leftOut == b.leftOut }

    /// One sentence for each kind of thing that was met.
    package var sentences: [String] {
        var result: [String] = []
        if let first = firstDuplicate {
            result.append(
                "\(duplicates) word\(duplicates == 1 ? " occurs" : "s occur") more than once (first \"\(first.word)\" at \(first.place)); the first vector of each is kept"
            )
        }
        if let firstBroken {
            result.append(
                "\(brokenWords) word\(brokenWords == 1 ? " is" : "s are") not UTF-8 (first number \(firstBroken)); kept byte for byte")
        }
        if let first = firstSpaced {
            result.append(
                "\(spacedWords) word\(spacedWords == 1 ? " contains" : "s contain") spaces (first \"\(first.word)\" at \(first.place))")
        }
        return result
    }
}

/// The vectors that n-grams share, and the rule by which a word is made of them.
package struct SubwordVectors: Sendable {
    package let rule: Subwords
    /// Shape (buckets, dimension).
    package let vectors: Tensor<Float>

    package init(rule: Subwords, vectors: Tensor<Float>) {
        precondition(vectors.rows == rule.buckets)
        (self.rule, self.vectors) = (rule, vectors)
    }

    /// The mean of the word's n-grams; nil if it has none.
    package func vector(of word: String) -> [Float]? { mean(rule.buckets(of: word.utf8), own: nil) }

    /// The mean of a word's own vector and its n-grams', added in fastText's order.
    func mean(_ buckets: [Int], own: UnsafePointer<Float>?) -> [Float]? {
        let width = vectors.columns, parts = buckets.count + (own == nil ? 0 : 1)
        guard parts > 0 else { return nil }
        var sum = [Float](repeating: 0, count: width)
        if let own { for i in 0..<width { sum[i] += own[i] } }
        vectors.withUnsafeElements { rows in
            for bucket in buckets { for i in 0..<width { sum[i] += rows[bucket * width + i] } }
        }
        let scale = 1 / Float(parts)
        for i in 0..<width { sum[i] *= scale }
        return sum
    }
}
