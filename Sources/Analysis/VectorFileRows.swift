import FileFormats
import VectorStore

/// The vectors of a file as rows that analyses read a range at a time; nothing is kept in memory but the range.
extension VectorFile: RowSource {
    public var rows: Int { count }
    public var columns: Int { dimension }

    public func withRows<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) throws -> Result) throws -> Result {
        let values = try readEmbeddings(rows: range)
        return try values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { throw DataError(.badData, "there are no rows to read", file: path) }
            return try body(base)
        }
    }
}
