import CHDF5
import FileFormats

/// How the components of the vectors are stored in `/embeddings`.
public enum VectorStorage: String, Sendable, CaseIterable {
    case float32
    /// IEEE 754 binary16: half the size, about three digits.
    case float16
    /// Whole numbers from −127 to 127, to be multiplied by the row's `/scale`.
    case int8
    /// One bit a component, 1 where it is above zero, the first in the highest bit (NumPy's `packbits`). Read back as ±1.
    case binary

    /// Elements of a stored row.
    func rowSize(dimension: Int) -> Int { self == .binary ? (dimension + 7) / 8 : dimension }

    func fileType(_ path: String) throws -> HDF5Handle {
        func copy(_ type: hid_t) throws -> HDF5Handle { try HDF5.locked { try HDF5Handle(H5Tcopy(type), HDF5Container.writing(path)) } }
        return switch self {
        case .float32: try copy(kh5_float32())
        case .float16: try HDF5Container.float16Type(path)
        case .int8: try copy(kh5_int8())
        case .binary: try copy(kh5_uint8())
        }
    }

    /// Quantizes rows to int8: each row's largest magnitude becomes 127.
    static func int8(_ values: ArraySlice<Float>, dimension: Int) -> (codes: [Int8], scales: [Float]) {
        var codes: [Int8] = []
        var scales: [Float] = []
        codes.reserveCapacity(values.count)
        for start in stride(from: values.startIndex, to: values.endIndex, by: dimension) {
            let row = values[start..<start + dimension]
            let scale = row.reduce(0) { max($0, abs($1)) } / 127
            scales.append(scale)
            for value in row { codes.append(scale > 0 ? Int8(clamping: Int((value / scale).rounded(.toNearestOrEven))) : 0) }
        }
        return (codes, scales)
    }

    /// The Euclidean length of each row, computed in Double.
    package static func norms(_ values: ArraySlice<Float>, dimension: Int) -> [Float] {
        values.withUnsafeBufferPointer { values in
            stride(from: 0, to: values.count, by: dimension).map { start in
                // Four sums that do not wait for one another, in an order that no processor changes.
                var sums = SIMD4<Double>(), index = start
                while index + 4 <= start + dimension {
                    let four = SIMD4<Double>(
                        Double(values[index]), Double(values[index + 1]), Double(values[index + 2]), Double(values[index + 3]))
                    sums += four * four
                    index += 4
                }
                var total = sums[0] + sums[1] + (sums[2] + sums[3])
                while index < start + dimension {
                    total += Double(values[index]) * Double(values[index])
                    index += 1
                }
                return Float(total.squareRoot())
            }
        }
    }

    /// Packs the signs of rows into bits, each row filled up to a whole byte with zeros.
    static func packed(_ values: ArraySlice<Float>, dimension: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: values.startIndex, to: values.endIndex, by: dimension) {
            for first in stride(from: 0, to: dimension, by: 8) {
                var byte: UInt8 = 0
                for bit in 0..<min(8, dimension - first) where values[start + first + bit] > 0 { byte |= 0x80 >> UInt8(bit) }
                bytes.append(byte)
            }
        }
        return bytes
    }
}
