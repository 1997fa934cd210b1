import FileFormats
import Foundation
import Tensors

/// The state of a t-SNE run after some iterations, from which it continues as if it had never stopped.
package struct TSNECheckpoint: Sendable, Equatable {
    /// Iterations done.
    package let iteration: Int
    /// The early exaggeration in use.
    let earlyExaggeration: Double
    let best: Double
    let bestIteration: Int
    let count: Int
    let dimensions: Int
    /// The settings that decide what an iteration does.
    let fingerprint: String
    /// Coordinates, updates and gains, each (dimensions, count).
    let arrays: [Float]

    init(_ map: MapArrays, settings: TSNE, earlyExaggeration: Double, iteration: Int, best: Double, bestIteration: Int) {
        self.iteration = iteration
        self.earlyExaggeration = earlyExaggeration
        self.best = best
        self.bestIteration = bestIteration
        count = map.count
        dimensions = map.dimensions
        fingerprint = Self.fingerprint(settings)
        var arrays: [Float] = []
        arrays.reserveCapacity(3 * map.count * map.dimensions)
        for array in [map.x, map.y, map.updateX, map.updateY, map.gainX, map.gainY].compactMap({ $0 }) {
            arrays.append(contentsOf: UnsafeBufferPointer(start: array, count: map.count))
        }
        self.arrays = arrays
    }

    private static func fingerprint(_ s: TSNE) -> String {
        "\(s.perplexities) \(s.pairs.rawValue) \(s.dimensions) \(s.normalizesVectors) \(s.earlyExaggeration.map { "\($0)" } ?? "auto") \(s.earlyIterations) \(s.exaggeration) "
            + "\(s.learningRate.map { "\($0)" } ?? "auto") \(s.earlyMomentum) \(s.momentum) \(s.longestStep) \(s.degreesOfFreedom) \(s.gradient.rawValue) \(s.angle) \(s.spacing) \(s.seed)"
    }

    func restore(into map: MapArrays, settings: TSNE) throws {
        guard count == map.count, dimensions == map.dimensions, arrays.count == 3 * count * dimensions else {
            throw DataError(
                .badData,
                "the checkpoint is of a map of \(count) points in \(dimensions) dimensions; this one has \(map.count) in \(map.dimensions)")
        }
        guard fingerprint == Self.fingerprint(settings) else {
            throw DataError(.badData, "the checkpoint was made with other settings (\(fingerprint)); use the same settings or start over")
        }
        for (index, array) in [map.x, map.y, map.updateX, map.updateY, map.gainX, map.gainY].compactMap({ $0 }).enumerated() {
            arrays.withUnsafeBufferPointer { from in
                guard let base = from.baseAddress else { return }
                array.update(from: base + index * count, count: count)
            }
        }
    }

    // MARK: Bytes

    private static let magic = "kotonoha/tsne-checkpoint/1\n"

    /// The state as bytes, for a file.
    package var data: Data {
        var data = Data(Self.magic.utf8)
        func append(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
        append(UInt64(iteration))
        append(best.bitPattern)
        append(UInt64(bestIteration))
        append(UInt64(count))
        append(UInt64(dimensions))
        append(earlyExaggeration.bitPattern)
        append(UInt64(fingerprint.utf8.count))
        data.append(contentsOf: fingerprint.utf8)
        arrays.withUnsafeBytes { data.append(contentsOf: $0) }
        append(Self.checksum(data))
        return data
    }

    /// Reads what `data` gave.
    ///
    /// - Throws: `DataError` for bytes that are not a whole checkpoint.
    package init(data: Data) throws {
        let bytes = [UInt8](data)
        func broken(_ what: String) -> DataError { DataError(.badData, "not a checkpoint of a t-SNE run: \(what)") }
        let header = Self.magic.utf8.count
        guard bytes.count >= header + 64, bytes.starts(with: Self.magic.utf8) else { throw broken("the beginning is missing") }
        func word(_ at: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << (8 * UInt64($1)) } }
        guard word(bytes.count - 8) == Self.checksum(data.dropLast(8)) else { throw broken("it is damaged or truncated") }
        func number(_ index: Int) throws -> Int {
            guard let value = Int(exactly: word(header + 8 * index)), value < 1 << 40 else { throw broken("a number is out of range") }
            return value
        }
        iteration = try number(0)
        best = Double(bitPattern: word(header + 8))
        bestIteration = try number(2)
        count = try number(3)
        dimensions = try number(4)
        earlyExaggeration = Double(bitPattern: word(header + 40))
        let length = try number(6), text = header + 56
        guard (1...2).contains(dimensions), earlyExaggeration >= 1, length <= bytes.count - text - 8 else {
            throw broken("a number is out of range")
        }
        fingerprint = String(decoding: bytes[text..<text + length], as: UTF8.self)
        let start = text + length, size = 3 * count * dimensions
        guard count < 1 << 32, bytes.count - 8 - start == 4 * size else { throw broken("the number of points does not fit its length") }
        arrays = [Float](unsafeUninitializedCapacity: size) { buffer, filled in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + 4 * size]))
            }
            filled = size
        }
    }

    /// FNV-1a over 64-bit words: catches damage, not malice.
    private static func checksum(_ data: Data) -> UInt64 {
        data.withUnsafeBytes { bytes in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for i in stride(from: 0, to: bytes.count, by: 8) {
                var word: UInt64 = 0
                for j in i..<min(bytes.count, i + 8) { word |= UInt64(bytes[j]) << (8 * UInt64(j - i)) }
                hash = (hash ^ word) &* 0x0000_0100_0000_01B3
                hash ^= hash >> 32
            }
            return hash
        }
    }
}
