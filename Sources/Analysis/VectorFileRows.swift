import FileFormats
import VectorStore

/// The vectors of a file as rows that analyses read a range at a time: where they lie if the file is mapped, else a copy of the range.
extension VectorFile: RowSource {
    /// Number of vectors.
    public var rows: Int { count }
    /// Numbers in one vector.
    public var columns: Int { dimension }
    /// Whether the vectors are mapped rather than read in pieces.
    public var isInMemory: Bool { isMapped }

    /// Calls `body` with rows `range`: where they lie if the file is mapped, else a copy.
    ///
    /// - Throws: `DataError` if the file is damaged or was cut short.
    public func withRows<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) throws -> Result) throws -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        if let base = mappedVectors {
            let result = try body(base + range.lowerBound * columns)
            // What was computed from pages that are gone means nothing.
            try requireWhole()
            return result
        }
        let values = try readEmbeddings(rows: range)
        return try values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { throw DataError(.badData, "no rows to read", file: path) }
            return try body(base)
        }
    }
}
