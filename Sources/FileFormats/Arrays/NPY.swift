/// An array of floating-point numbers in NumPy's `.npy` format, versions 1 to 3, memory-mapped.
///
/// Format: numpy.lib.format. Little-endian f2, f4 and f8 are read, in C and in Fortran order; values come out in C order.
package struct NPYFile: Sendable {
    package enum Element: String, Sendable {
        case f2 = "<f2", f4 = "<f4", f8 = "<f8"

        var size: Int {
            switch self {
            case .f2: 2
            case .f4: 4
            case .f8: 8
            }
        }
    }

    /// The file's path.
    package let path: String
    package let element: Element
    /// Lengths of the axes, slowest first in C order.
    package let shape: [Int]
    package let isFortranOrder: Bool
    /// Elements.
    package let count: Int

    private let file: MappedFile
    private let start: Int

    /// Maps the file and checks its header.
    /// - Throws: `DataError` if it is not such a file, has another element type, or its length does not match its shape.
    package init(path: String) throws {
        func damaged(_ what: String) -> DataError { DataError(.badData, what, file: path) }
        self.path = path
        file = try MappedFile(path: path)
        let header: NPYHeader
        (header, start) = try file.withUnsafeBytes { try NPYHeader.parse($0, path: path) }
        guard let element = Element(rawValue: header.descr) else {
            throw damaged("the array has type \(header.descr), expected \"<f2\", \"<f4\" or \"<f8\" (in Python: array.astype(\"<f4\"))")
        }
        self.element = element
        (shape, isFortranOrder) = (header.shape, header.isFortranOrder)
        var size = element.size
        for length in shape {
            let product = size.multipliedReportingOverflow(by: length)
            guard !product.overflow else { throw damaged("the shape is larger than any file") }
            size = product.partialValue
        }
        guard file.count - start == size else {
            throw damaged("the array of shape \(shape) needs \(size) bytes, but \(file.count - start) follow the header")
        }
        count = size / element.size
    }

    /// All values in C order.
    package func floats() throws -> [Float] { try values { Float($0) } }
    /// All elements in C order as `Double`, whatever their type in the file.
    package func doubles() throws -> [Double] { try values { $0 } }

    private func values<T>(_ convert: (Double) -> T) throws -> [T] {
        try MemoryBudget.require(count * MemoryLayout<T>.stride, for: "the array", file: path)
        return file.withUnsafeBytes { all in
            let bytes = UnsafeRawBufferPointer(rebasing: all[start...])
            func value(_ index: Int) -> T {
                switch element {
                case .f2:
                    convert(
                        Double(
                            HalfPrecision.float(
                                float16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))))
                case .f4:
                    convert(
                        Double(Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))))
                case .f8: convert(Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))))
                }
            }
            guard isFortranOrder, shape.count > 1, count > 0 else { return (0..<count).map(value) }
            // In Fortran order the first axis runs fastest.
            var strides = [Int](repeating: 1, count: shape.count)
            for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
            var place = [Int](repeating: 0, count: shape.count)
            var offset = 0
            return (0..<count).map { _ in
                let result = value(offset)
                for axis in shape.indices.reversed() {
                    place[axis] += 1
                    offset += strides[axis]
                    if place[axis] < shape[axis] { break }
                    offset -= strides[axis] * shape[axis]
                    place[axis] = 0
                }
                return result
            }
        }
    }
}

/// Writes a `.npy` file of float32, row block after row block, complete or not at all.
package final class NPYWriter {
    private let file: AtomicFile
    private let expected: Int
    private var written = 0

    /// Opens the output for an array of this shape, in C order.
    package init(path: String, shape: [Int]) throws {
        file = try AtomicFile(path: path)
        expected = shape.reduce(1, *)
        let list = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(list)), }"
        // The data begins at a multiple of 64 bytes.
        while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
        header += "\n"
        try file.write([0x93] + Array("NUMPY".utf8) + [1, 0])
        try withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { try file.write($0) }
        try file.write(header)
    }

    package func append(_ values: UnsafeBufferPointer<Float>) throws {
        written += values.count
        precondition(written <= expected, "more values than the shape has room for")
        try file.write(UnsafeRawBufferPointer(values))
    }
    package func append(_ values: [Float]) throws { try values.withUnsafeBufferPointer { try append($0) } }

    /// Puts the file in its place.
    package func finish() throws {
        precondition(written == expected, "fewer values than the shape has room for")
        try file.commit()
    }
}

/// The header of a `.npy` file: a Python dictionary with exactly three entries.
private struct NPYHeader {
    var descr = ""
    var isFortranOrder = false
    var shape: [Int] = []

    /// The header and where the data begins.
    static func parse(_ bytes: UnsafeRawBufferPointer, path: String) throws -> (NPYHeader, Int) {
        func damaged(_ what: String) -> DataError { DataError(.badData, what, file: path) }
        guard bytes.count >= 10, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { throw damaged("not a .npy file") }
        let version = bytes[6]
        guard (1...3).contains(version) else { throw damaged("version \(version) of the .npy format is not supported; expected 1 to 3") }
        let prefix = version == 1 ? 10 : 12
        guard bytes.count >= prefix else { throw damaged("the file is truncated") }
        let length =
            version == 1
            ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
            : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        guard length <= bytes.count - prefix, length <= 1 << 20 else {
            throw damaged("the header claims \(length) bytes, more than the file has")
        }
        var reader = LiteralReader(bytes: Array(bytes[prefix..<prefix + length]))
        guard let header = reader.header() else {
            throw damaged("unexpected .npy header; expected 'descr', 'fortran_order' and 'shape', as NumPy writes it")
        }
        return (header, prefix + length)
    }

    /// Reads as much of Python's literals as NumPy's headers have.
    private struct LiteralReader {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func header() -> NPYHeader? {
            var header = NPYHeader()
            var keys: Set<String> = []
            guard take("{") else { return nil }
            while !take("}") {
                guard let key = string(), take(":"), keys.insert(key).inserted else { return nil }
                switch key {
                case "descr":
                    guard let text = string() else { return nil }
                    header.descr = text
                case "fortran_order":
                    if take("True") { header.isFortranOrder = true } else if !take("False") { return nil }
                case "shape":
                    guard let shape = tuple() else { return nil }
                    header.shape = shape
                default: return nil
                }
                if !take(","), bytes.indices.contains(index), bytes[index] != UInt8(ascii: "}") { return nil }
            }
            return keys.count == 3 && bytes[index...].allSatisfy { $0 == 0x20 || $0 == 0x0A } ? header : nil
        }

        mutating func space() {
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x0A { index += 1 }
        }

        mutating func take(_ text: String) -> Bool {
            space()
            guard bytes[index...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            space()
            return true
        }

        mutating func string() -> String? {
            space()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "'") || bytes[index] == UInt8(ascii: "\""),
                let end = bytes[(index + 1)...].firstIndex(of: bytes[index])
            else { return nil }
            defer { index = end + 1 }
            return String(decoding: bytes[index + 1..<end], as: UTF8.self)
        }

        mutating func tuple() -> [Int]? {
            guard take("(") else { return nil }
            var numbers: [Int] = []
            while !take(")") {
                let start = index
                while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
                guard index > start, let number = Int(String(decoding: bytes[start..<index], as: UTF8.self)), numbers.count < 32 else {
                    return nil
                }
                numbers.append(number)
                if !take(","), bytes.indices.contains(index), bytes[index] != UInt8(ascii: ")") { return nil }
            }
            return numbers
        }
    }
}
