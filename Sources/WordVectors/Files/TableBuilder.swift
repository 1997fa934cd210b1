import FileFormats
import Tensors

/// Takes words with their vectors, and settles what all readers settle alike: duplicates, NaN, broken UTF-8, the limit.
struct TableBuilder {
    let file: String
    let dimension: Int
    /// Most words to keep.
    let limit: Int
    private(set) var words = WordList()
    private(set) var values: [Float] = []
    var remarks = ReadingRemarks()
    /// Whether `take` counts words or lines.
    let countsLines: Bool

    init(file: String, dimension: Int, limit: Int?, expected: Int?, countsLines: Bool) {
        (self.file, self.dimension, self.countsLines) = (file, dimension, countsLines)
        self.limit = min(limit ?? WordList.maximumCount, WordList.maximumCount)
        // What a header promises is reserved up to 16 MB; it may lie.
        if let expected { values.reserveCapacity(min(expected, self.limit, (1 << 22) / max(1, dimension)) * dimension) }
    }

    var isFull: Bool { words.count >= limit }

    /// - Parameter place: the line, or the number of the word, from 1.
    mutating func take(_ word: UnsafeRawBufferPointer, place: Int, _ fill: (inout [Float]) throws -> Void) throws {
        guard !word.isEmpty else { throw error("there is an empty word", place) }
        guard words.insert(word).isNew else {
            remarks.duplicates += 1
            if remarks.firstDuplicate == nil { remarks.firstDuplicate = (String(decoding: word, as: UTF8.self), place) }
            return
        }
        if !UTF8Text.isValid(word) {
            remarks.brokenWords += 1
            if remarks.firstBroken == nil { remarks.firstBroken = place }
        }
        if word.contains(0x20) {
            remarks.spacedWords += 1
            if remarks.firstSpaced == nil { remarks.firstSpaced = (String(decoding: word, as: UTF8.self), place) }
        }
        let start = values.count
        try fill(&values)
        var check: Float = 0
        for i in start..<values.count { check += values[i] * 0 }
        if check.isNaN {
            throw error("the vector of \"\(String(decoding: word, as: UTF8.self))\" contains NaN or infinity", place)
        }
    }

    func error(_ message: String, _ place: Int) -> DataError {
        countsLines ? DataError(.badData, message, file: file, line: place) : DataError(.badData, "\(message) (word \(place))", file: file)
    }

    func table() throws -> WordTable {
        guard words.count > 0 else { throw DataError(.badData, "no words found", file: file) }
        var table = WordTable(name: SystemError.name(of: file), words: words, vectors: Tensor(values, shape: [words.count, dimension]))
        table.remarks = remarks
        return table
    }
}
