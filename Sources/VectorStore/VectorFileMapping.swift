import CHDF5
import FileFormats
import Tensors

// Vectors that lie in the file in one piece are looked at where they lie: nothing is copied, and what is not touched is not read.

extension VectorFile {
    /// Whether the vectors are mapped: they were written as Float in one piece.
    package var isMapped: Bool { mapping != nil }

    /// The vectors of all rows, row-major, valid while the file is open; nil if they are not mapped. Not checked for NaN and infinity.
    package var mappedVectors: UnsafePointer<Float>? { mapping?.bytes.baseAddress?.assumingMemoryBound(to: Float.self) }

    /// All vectors, shape (rows, dimension): a view of the file where it is mapped, else a copy in memory.
    /// - Throws: `DataError` if the file is damaged, a vector holds NaN or infinity (its row is named), or memory is short.
    /// - Complexity: one pass over the vectors.
    public func vectors() throws -> Tensor<Float> {
        guard let base = mappedVectors else { return Tensor(try readEmbeddings(), shape: [count, dimension]) }
        let tensor = Tensor(viewing: base, shape: [count, dimension], owner: self)
        let pieces = Parallel.chunks(count, size: 4096)
        try Parallel.forEach(pieces.count) { piece, _ in
            for row in pieces[piece] where !Float.allFinite(tensor.view[row]) {
                throw notFinite(row)
            }
        }
        try mapping?.requireWhole()
        return tensor
    }

    /// Some rows, in the order given, shape (rows.count, dimension).
    /// - Throws: as `vectors`.
    public func vectors(rows: [Int]) throws -> Tensor<Float> {
        var gathered: [Float] = []
        gathered.reserveCapacity(rows.count * dimension)
        if let base = mappedVectors {
            for row in rows {
                let first = gathered.count
                gathered += UnsafeBufferPointer(start: base + row * dimension, count: dimension)
                guard gathered[first...].allSatisfy(\.isFinite) else { throw notFinite(row) }
            }
            try requireWhole()
            return Tensor(gathered, shape: [rows.count, dimension])
        }
        var start = 0
        while start < rows.count {
            // Rows that follow one another are read together.
            var end = start + 1
            while end < rows.count, rows[end] == rows[end - 1] + 1, end - start < 4096 { end += 1 }
            gathered += try readEmbeddings(rows: rows[start]..<rows[end - 1] + 1)
            start = end
        }
        return Tensor(gathered, shape: [rows.count, dimension])
    }

    /// - Throws: `DataError` if the file was cut short while it was mapped.
    package func requireWhole() throws { try mapping?.requireWhole() }

    // MARK: Codes

    /// Codes that the file has next to its vectors.
    public var codeKinds: [VectorCodes] { VectorCodes.allCases.filter { codes[$0] != nil } }

    /// The codes of all rows as they lie in the file, `codeSize` bytes a row.
    package func codeBytes(_ kind: VectorCodes) throws -> MappedBytes? {
        guard let dataset = codes[kind] else { return nil }
        if let map = try mapped(dataset, as: kind == .int8 ? Int8.fileType : UInt8.fileType) { return MappedBytes(map) }
        return MappedBytes(kind == .int8 ? try dataset.read(Int8.self).map { UInt8(bitPattern: $0) } : try dataset.read(UInt8.self))
    }

    /// For each row of int8 codes, as Float: the scale of the unit vector's code, 0 for a row of zeros.
    package func codeScales() throws -> MappedBytes? { try codeScale.map(floats) }
    /// For each row of int8 codes, as Float: the length of what rounding took from the unit vector.
    package func codeErrors() throws -> MappedBytes? { try codeError.map(floats) }

    private func floats(_ dataset: HDF5Dataset) throws -> MappedBytes {
        if let map = try mapped(dataset, as: Float.fileType) { return MappedBytes(map) }
        return MappedBytes(try dataset.read(Float.self).withUnsafeBytes { Array($0) })
    }
}

/// Bytes of a file, mapped or read.
package final class MappedBytes: Sendable {
    private let map: MappedFile?
    private let read: [UInt8]

    init(_ map: MappedFile) { (self.map, read) = (map, []) }
    package init(_ bytes: [UInt8]) { (map, read) = (nil, bytes) }

    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        guard let map else { return try read.withUnsafeBytes(body) }
        defer { withExtendedLifetime(map) {} }
        let result = try map.withUnsafeBytes(body)
        try map.requireWhole()
        return result
    }
}
