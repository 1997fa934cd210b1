import CKernels
import FileFormats
import Tensors
import VectorStore

/// Codes of the vectors of a file, to be looked through in their place.
///
/// **int8**: x/|x| = s·c + e with whole numbers c and |e| written next to them. For a unit query the cosine lies within |e| of s·c·q
/// (Cauchy–Schwarz), so rows
/// that cannot be among the best are known for sure and the others, some dozens, are computed from the vectors themselves: no answer is
/// missed.
///
/// **binary**: the signs of x. Rows are ordered by Σ ±q, the query in 16 steps (as in RaBitQ: Gao & Long 2024), and the best `share` of
/// them computed from the vectors. How many true answers are among them depends on the vectors; docs/benchmarks.md states it.
public final class RowCodes: Sendable {
    /// int8 or binary.
    package let kind: VectorCodes
    /// Number of vectors.
    package let rows: Int
    /// Numbers in one vector.
    package let columns: Int
    let codes: MappedBytes
    let scales: MappedBytes?, errors: MappedBytes?

    /// Rows looked at again for binary codes: this share of all, and at least this many. For vectors of random directions in 256
    /// dimensions, the hardest
    /// case, 99 of 100 true answers are among them at a million rows and at ten (signs keep √(2/π) of a cosine: Charikar 2002).
    package static let binaryShare = 0.01
    package static let binaryLeast = 25_000

    /// - Throws: `DataError` of kind `usage` if the file has no such codes.
    public init(_ kind: VectorCodes, of file: VectorFile) throws {
        guard let codes = try file.codeBytes(kind) else {
            let has = file.codeKinds.map(\.rawValue).joined(separator: ", ")
            throw DataError(
                .usage,
                "the file has no \(kind.rawValue) codes\(has.isEmpty ? "" : ", but \(has)"); write them with vectors "
                    + "select \(Setting.codes) \(kind.rawValue)", file: file.path)
        }
        self.kind = kind
        rows = file.count
        columns = file.dimension
        self.codes = codes
        (scales, errors) = kind == .int8 ? (try file.codeScales(), try file.codeErrors()) : (nil, nil)
    }

    /// int8 codes of vectors in memory: a quarter of their size, for searches that ask the same vectors again and again.
    ///
    /// - Complexity: a few passes over the vectors.
    public init(int8 vectors: Tensor<Float>, threads: Int = Parallel.availableThreads) throws {
        let width = vectors.columns, pieces = Parallel.chunks(vectors.rows, size: 4096)
        let parts = try Parallel.map(pieces.count, threads: threads) { piece, _ in
            try vectors.withRows(pieces[piece]) { start -> (codes: [Int8], scales: [Float], errors: [Float]) in
                let values = Array(UnsafeBufferPointer(start: start, count: pieces[piece].count * width))[...]
                return VectorCodes.int8(values, norms: VectorStorage.norms(values, dimension: width), dimension: width)
            }
        }
        var codes: [UInt8] = [], scales: [UInt8] = [], errors: [UInt8] = []
        codes.reserveCapacity(vectors.rows * width)
        for part in parts {
            part.codes.withUnsafeBytes { codes.append(contentsOf: $0) }
            part.scales.withUnsafeBytes { scales.append(contentsOf: $0) }
            part.errors.withUnsafeBytes { errors.append(contentsOf: $0) }
        }
        (kind, rows, columns) = (.int8, vectors.rows, width)
        (self.codes, self.scales, self.errors) = (MappedBytes(codes), MappedBytes(scales), MappedBytes(errors))
    }

    /// Bytes of a row's code.
    var width: Int { kind == .int8 ? columns : (columns + 7) / 8 }

    /// Vectors longer than this overflow the sums.
    static let mostColumns = 1 << 15
}

/// A query as int8 codes are multiplied with it.
struct WideQuery: Sendable {
    let numbers: [Int16]
    let scale: Float
    /// The length of what rounding took from the query.
    let error: Float

    init(_ query: UnsafePointer<Float>, width: Int) {
        let most = min(32767, Int(Int32.max) / (127 * width))
        var largest: Float = 0
        for i in 0..<width { largest = max(largest, abs(query[i])) }
        let scale = largest > 0 ? largest / Float(most) : 1
        self.scale = scale
        var numbers = [Int16](repeating: 0, count: width), squares = 0.0
        for i in 0..<width {
            let number = max(-most, min(most, Int((query[i] / scale).rounded(.toNearestOrEven))))
            numbers[i] = Int16(number)
            let left = Double(query[i]) - Double(scale) * Double(number)
            squares += left * left
        }
        self.numbers = numbers
        error = Float(squares.squareRoot()).nextUp
    }
}

/// A query in 16 steps, bit by bit.
struct PlanedQuery: Sendable {
    static let planes = 4
    let words: [UInt64]
    let least: Float, step: Float, sum: Float

    init(_ query: UnsafePointer<Float>, width: Int) {
        let numbers = UnsafeBufferPointer(start: query, count: width)
        let least = numbers.min() ?? 0, steps = Float(1 << Self.planes - 1),
            step = max(((numbers.max() ?? 0) - least) / steps, .leastNormalMagnitude)
        (self.least, self.step) = (least, step)
        let bytes = (width + 7) / 8, count = (bytes + 7) / 8
        var planes = [UInt8](repeating: 0, count: Self.planes * count * 8), sum = 0.0
        for i in 0..<width {
            let level = Int(max(0, min(steps, ((query[i] - least) / step).rounded())))
            sum += Double(least) + Double(step) * Double(level)
            // As NumPy packs bits: the first in the highest of its byte.
            for plane in 0..<Self.planes where level >> plane & 1 == 1 { planes[plane * count * 8 + i / 8] |= 0x80 >> UInt8(i % 8) }
        }
        self.sum = Float(sum)
        words = planes.withUnsafeBytes { bytes in
            (0..<Self.planes * count).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
    }
}
