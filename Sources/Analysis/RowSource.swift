import FileFormats
import Tensors

/// A matrix of vectors, one a row, that is read a range of rows at a time: a tensor in memory, a mapped file, a dataset on disk.
public protocol RowSource: Sendable {
    /// Number of vectors.
    var rows: Int { get }
    /// Numbers in one vector.
    var columns: Int { get }
    /// Calls `body` with rows `range`, contiguous, valid during the call. Analyses never read from two threads at once.
    func withRows<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) throws -> Result) throws -> Result
    /// True if rows lie in memory or in a mapped file: any number of them costs nothing to ask for, from any number of threads.
    var isInMemory: Bool { get }
    /// The Euclidean length of each vector where that is known without looking at the vectors.
    func statedNorms() throws -> [Float]?
}

extension RowSource {
    /// False unless a source says otherwise.
    public var isInMemory: Bool { false }
    /// Nil unless a source knows its lengths.
    public func statedNorms() throws -> [Float]? { nil }
}

extension Tensor: RowSource where Scalar == Float {
    /// True.
    public var isInMemory: Bool { true }

    /// Calls `body` with rows `range`, without a copy.
    ///
    /// - Precondition: the rows exist.
    public func withRows<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) throws -> Result) throws -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return try withUnsafeElements { try body($0 + range.lowerBound * columns) }
    }
}

extension RowSource {
    /// Some rows as a tensor, read in runs.
    /// - Parameter wanted: rows, best in ascending order.
    package func gather(_ wanted: [Int]) throws -> Tensor<Float> {
        let width = columns
        var result = Tensor<Float>(uninitialized: [wanted.count, width])
        try result.withUnsafeMutableElements { to in
            var start = 0
            while start < wanted.count {
                // Neighbours that lie close are read with what lies between them.
                var end = start + 1
                while end < wanted.count, wanted[end] > wanted[end - 1], wanted[end] - wanted[end - 1] <= 16,
                    wanted[end] - wanted[start] < 4096
                { end += 1 }
                let range = wanted[start]..<wanted[end - 1] + 1
                try withRows(range) { from in
                    for place in start..<end {
                        (to + place * width).update(from: from + (wanted[place] - range.lowerBound) * width, count: width)
                    }
                }
                start = end
            }
        }
        return result
    }

    /// Throws unless this is a matrix of at least one column and no more rows than analyses can number.
    package func checkShape(_ what: String) throws {
        guard columns > 0 else { throw DataError(.badData, "\(what) have no columns; expected vectors of at least one number") }
        guard rows < Int(Int32.max) else { throw DataError(.badData, "\(rows) rows exceed the limit of 2,147,483,646") }
    }
}

/// The error for a vector that is not made of numbers.
func notFinite(row: Int, of what: String) -> DataError {
    DataError(.badData, "row \(row) of \(what) contains NaN or infinity (rows are numbered from 0); leave out that row or embed it again")
}

/// Throws, naming the first such row, if any row that counts holds NaN or infinity.
func checkFinite(_ x: Tensor<Float>, valid: [Bool]? = nil, _ what: String = "the vectors") throws {
    let columns = x.columns, rows = x.rows
    try x.withUnsafeElements { pointer in
        let shared = Shared(pointer)
        let ranges = Parallel.chunks(rows, size: 1024)
        try Parallel.forEach(ranges.count) { chunk, _ in
            for row in ranges[chunk] where valid?[row] != false {
                guard Float.allFinite(UnsafePointer(shared.pointer) + row * columns, count: columns) else {
                    throw notFinite(row: row, of: what)
                }
            }
        }
    }
}
