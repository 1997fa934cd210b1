/// Writes vectors in the text format of word2vec (`.vec`): the number of vectors and of components, then a key and its components a line.
package final class WordVectorWriter {
    private let file: AtomicFile
    private let count: Int
    private let dimension: Int
    private var written = 0
    private var taken: Set<String> = []
    /// Keys that repeated an earlier one and got a number: `dog`, `dog_2`.
    package private(set) var renamed = 0

    /// Opens the output for `count` vectors.
    package init(path: String, count: Int, dimension: Int) throws {
        file = try AtomicFile(path: path)
        (self.count, self.dimension) = (count, dimension)
        try file.write("\(count) \(dimension)\n")
    }

    /// Writes a vector. White space in a key, which ends it in this format, becomes `_`; an empty key becomes the row's number.
    package func write(_ key: String, _ vector: some Collection<Float>) throws {
        precondition(vector.count == dimension && written < count, "the vectors are not as announced")
        written += 1
        var line =
            key.isEmpty
            ? String(written) : String(String.UnicodeScalarView(key.unicodeScalars.map { $0.properties.isWhitespace ? "_" : $0 }))
        var number = 2
        let key = line
        while !taken.insert(line).inserted {
            line = "\(key)_\(number)"
            number += 1
        }
        if number > 2 { renamed += 1 }
        for value in vector { line += " \(value)" }
        try file.write(line + "\n")
    }

    /// Puts the file in its place.
    package func finish() throws {
        precondition(written == count, "fewer vectors than announced")
        try file.commit()
    }
}
