import Foundation
import Kotonoha
import Synchronization

/// An opened vector file: exact search over all of its rows, or over those that filters leave.
public final class VectorIndex: Sendable {
    /// What requests call it: the file's name without folder and ending.
    public let name: String
    public let file: VectorFile
    /// The model that made it, nil where it is not at hand.
    public let encoder: ServedEncoder?
    let vectors: Tensor<Float>
    let valid: [Bool]
    private let columns = Mutex<[String: [String]]>([:])
    private let codes = Mutex<RowCodes?>(nil)
    /// Rows below which looking at the vectors themselves is quick enough.
    private static let fewRows = 50_000

    /// Reads the vectors into memory.
    /// - Throws: `DataError` where the file is damaged or memory does not suffice.
    public init(_ file: VectorFile, encoder: ServedEncoder?) throws {
        name = URL(fileURLWithPath: file.path).deletingPathExtension().lastPathComponent
        (self.file, self.encoder) = (file, encoder)
        vectors = Tensor(try file.readEmbeddings(), shape: [file.count, file.dimension])
        valid = try file.valid()
    }

    /// What a row must have in a column.
    enum Filter: Sendable {
        case anyOf(column: String, Set<String>)
        case between(column: String, ClosedRange<Double>)

        var column: String {
            switch self {
            case .anyOf(let column, _), .between(let column, _): column
            }
        }
        func accepts(_ cell: String) -> Bool {
            switch self {
            case .anyOf(_, let values): values.contains(cell)
            case .between(_, let range): Double(cell).map(range.contains) ?? false
            }
        }
    }

    /// The rows most similar to each query, best first.
    /// - Throws: `DataError` of kind `usage` for an unknown column or vectors of another width.
    func search(_ queries: Tensor<Float>, top: Int, filters: [Filter], except: Int? = nil, threads: Int) throws -> NeighborTable {
        var accepted = valid
        for filter in filters {
            let cells = try column(filter.column)
            for row in accepted.indices where accepted[row] { accepted[row] = filter.accepts(cells[row]) }
        }
        if let except { accepted[except] = false }
        var search = try CosineSearch(corpus: vectors, valid: accepted, threads: threads)
        search.codes = codes.withLock { $0 }
        return try search.search(queries, top: top)
    }

    /// Makes int8 codes of the vectors (a quarter of their memory), with which a search has the same answers and less to look at.
    func prepareCodes(threads: Int) throws {
        guard vectors.rows >= Self.fewRows else { return }
        let made = try file.codeKinds.contains(.int8) ? RowCodes(.int8, of: file) : RowCodes(int8: vectors, threads: threads)
        codes.withLock { $0 = made }
    }

    /// Shape (1, dimension).
    func vector(ofRow row: Int) throws -> Tensor<Float> {
        try vectors.withRows(row..<row + 1) {
            Tensor(Array(UnsafeBufferPointer(start: $0, count: vectors.columns)), shape: [1, vectors.columns])
        }
    }

    /// All cells of a column, read once.
    func column(_ name: String) throws -> [String] {
        if let known = columns.withLock({ $0[name] }) { return known }
        let cells = try file.column(file.layout.requiredColumn(named: name, file: self.name))
        columns.withLock { $0[name] = cells }
        return cells
    }

    /// Everything that belongs to a row, by column.
    func cells(row: Int) throws -> [(key: String, value: JSON)] {
        try file.layout.columns.map { column in
            let cells = try columns.withLock({ $0[column.name] }).map { [$0[row]] } ?? file.column(column, rows: row..<row + 1)
            return (column.name, .string(cells[0]))
        }
    }
}
