import CZlib

/// Arrays of numbers in MATLAB's `.mat` format, versions 5 to 7 (MAT-File Format, The MathWorks; 7.3 is HDF5 and read elsewhere).
///
/// Numeric arrays of the file itself are read; cells, structures, texts and sparse matrices are passed over. Every length is checked
/// before anything is sliced, and packed variables may not unpack to more than deflate can have saved.
package struct MATFile: Sendable {
    package let path: String
    /// Names of the numeric arrays, in the order of the file.
    package let names: [String]
    private let arrays: [String: NumericArray]

    /// Whether a file begins as MATLAB's version 5 does.
    package static func isVersion5(path: String) throws -> Bool {
        let file = try MappedFile(path: path)
        return file.withUnsafeBytes { bytes in
            guard bytes.count >= 128 else { return false }
            return (bytes[126], bytes[127]) == (UInt8(ascii: "I"), UInt8(ascii: "M")) && bytes[125] == 1
                || (bytes[126], bytes[127]) == (UInt8(ascii: "M"), UInt8(ascii: "I")) && bytes[124] == 1
        }
    }

    /// - Throws: `DataError` if it is another format, or damaged.
    package init(path: String) throws {
        self.path = path
        let file = try MappedFile(path: path)
        var names: [String] = [], arrays: [String: NumericArray] = [:]
        try file.withUnsafeBytes { bytes in
            func damaged(_ what: String) -> DataError { DataError(.badData, what, file: path) }
            guard bytes.count >= 128 else {
                throw damaged("not a .mat file of version 5: \(bytes.count) bytes are fewer than its header needs")
            }
            let isSwapped: Bool
            switch (bytes[126], bytes[127]) {
            case (UInt8(ascii: "I"), UInt8(ascii: "M")): isSwapped = false
            case (UInt8(ascii: "M"), UInt8(ascii: "I")): isSwapped = true
            default: throw damaged("not a .mat file of version 5 (MATLAB: save -v7)")
            }
            var reader = MATReader(bytes: UnsafeRawBufferPointer(rebasing: bytes[128...]), isSwapped: isSwapped, file: path)
            while let element = try reader.element() {
                let found: (String, NumericArray)?
                switch element.type {
                case 14: found = try MATReader.matrix(element.bytes, isSwapped: isSwapped, file: path)
                case 15:
                    found = try MATReader.unpacked(element.bytes, file: path).withUnsafeBytes { inside in
                        var inner = MATReader(bytes: inside, isSwapped: isSwapped, file: path)
                        guard let packed = try inner.element(), packed.type == 14 else { return nil }
                        return try MATReader.matrix(packed.bytes, isSwapped: isSwapped, file: path)
                    }
                default: found = nil
                }
                if let (name, array) = found, arrays.updateValue(array, forKey: name) == nil { names.append(name) }
            }
        }
        (self.names, self.arrays) = (names, arrays)
    }

    /// The array of this name, or the only one where nil.
    /// - Throws: `DataError` that lists the arrays.
    package func array(_ name: String?) throws -> NumericArray {
        let list = names.isEmpty ? "none" : names.joined(separator: ", ")
        guard let chosen = name ?? (names.count == 1 ? names[0] : nil), let array = arrays[chosen] else {
            throw DataError(
                .usage,
                name.map { "it has no numeric array called '\($0)'; its arrays are: \(list)" }
                    ?? "it contains \(names.count) numeric arrays (\(list)); select one with FILE.mat:NAME", file: path)
        }
        return array
    }
}

/// Numbers with the lengths of their axes, the last axis running fastest.
package struct NumericArray: Sendable, Equatable {
    package let shape: [Int]
    package let values: [Double]

    package init(shape: [Int], values: [Double]) {
        precondition(shape.reduce(1, *) == values.count, "\(values.count) values do not fill \(shape)")
        (self.shape, self.values) = (shape, values)
    }

    /// From values whose first axis runs fastest, as MATLAB and Fortran keep them.
    package init(shape: [Int], columnMajor source: [Double]) {
        precondition(shape.reduce(1, *) == source.count, "\(source.count) values do not fill \(shape)")
        guard shape.count > 1, !source.isEmpty else {
            self.init(shape: shape, values: source)
            return
        }
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var place = [Int](repeating: 0, count: shape.count), offset = 0
        let values = source.indices.map { _ in
            let result = source[offset]
            for axis in shape.indices.reversed() {
                place[axis] += 1
                offset += strides[axis]
                if place[axis] < shape[axis] { break }
                offset -= strides[axis] * shape[axis]
                place[axis] = 0
            }
            return result
        }
        self.init(shape: shape, values: values)
    }
}

/// Data elements of a `.mat` file: a type, a length, bytes, filled up to eight.
private struct MATReader {
    let bytes: UnsafeRawBufferPointer
    let isSwapped: Bool
    let file: String
    private var position = 0

    init(bytes: UnsafeRawBufferPointer, isSwapped: Bool, file: String) {
        (self.bytes, self.isSwapped, self.file) = (bytes, isSwapped, file)
    }

    struct Element {
        let type: Int
        let bytes: UnsafeRawBufferPointer
    }

    private func word(_ offset: Int) -> UInt32 {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isSwapped ? value.bigEndian : value.littleEndian
    }

    private func damaged(_ what: String) -> DataError { DataError(.badData, "the .mat file is damaged: \(what)", file: file) }

    /// The next element, nil at the end.
    mutating func element() throws -> Element? {
        guard position < bytes.count else { return nil }
        guard bytes.count - position >= 8 else { throw damaged("\(bytes.count - position) bytes follow its last variable") }
        let first = word(position)
        // Up to four bytes of data may be in the tag itself.
        if first >> 16 != 0 {
            let length = Int(first >> 16)
            guard length <= 4 else { throw damaged("a small element claims \(length) bytes") }
            defer { position += 8 }
            return Element(type: Int(first & 0xFFFF), bytes: UnsafeRawBufferPointer(rebasing: bytes[position + 4..<position + 4 + length]))
        }
        let type = Int(first), length = Int(word(position + 4)), start = position + 8
        guard length <= bytes.count - start else { throw damaged("a variable claims \(length) bytes, \(bytes.count - start) are left") }
        // Packed variables are not filled up.
        position = type == 15 ? start + length : min(bytes.count, start + (length + 7) / 8 * 8)
        return Element(type: type, bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]))
    }

    private static let sizes = [1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8]

    private static func numbers(_ element: Element, isSwapped: Bool, file: String) throws -> [Double] {
        guard let size = sizes[element.type], element.bytes.count % size == 0 else {
            throw DataError(
                .badData, "the .mat file is damaged: numbers of type \(element.type) in \(element.bytes.count) bytes", file: file)
        }
        let bytes = element.bytes, count = bytes.count / size
        func integer<I: FixedWidthInteger>(_ index: Int, _: I.Type) -> I {
            let value = bytes.loadUnaligned(fromByteOffset: index * size, as: I.self)
            return isSwapped ? value.byteSwapped : value
        }
        return (0..<count).map { index in
            switch element.type {
            case 1: Double(integer(index, Int8.self))
            case 2: Double(integer(index, UInt8.self))
            case 3: Double(integer(index, Int16.self))
            case 4: Double(integer(index, UInt16.self))
            case 5: Double(integer(index, Int32.self))
            case 6: Double(integer(index, UInt32.self))
            case 7: Double(Float(bitPattern: integer(index, UInt32.self)))
            case 9: Double(bitPattern: integer(index, UInt64.self))
            case 12: Double(integer(index, Int64.self))
            default: Double(integer(index, UInt64.self))
            }
        }
    }

    /// Name and numbers of a matrix; nil if it holds something else than real numbers.
    static func matrix(_ bytes: UnsafeRawBufferPointer, isSwapped: Bool, file: String) throws -> (String, NumericArray)? {
        var reader = MATReader(bytes: bytes, isSwapped: isSwapped, file: file)
        func damaged(_ what: String) -> DataError { reader.damaged(what) }
        guard let flags = try reader.element(), flags.bytes.count >= 4 else { return nil }
        let word = flags.bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self), value = isSwapped ? word.bigEndian : word.littleEndian
        // Classes 6 to 15 are numbers; complex ones have a second part.
        guard (6...15).contains(value & 0xFF), value & 0x0800 == 0 else { return nil }
        guard let axes = try reader.element(), let name = try reader.element(), let data = try reader.element() else {
            throw damaged("a variable has no data")
        }
        var shape: [Int] = [], size = 1
        for length in try numbers(axes, isSwapped: isSwapped, file: file) {
            guard let whole = Int(exactly: length), whole >= 0, shape.count < 32 else { throw damaged("an axis of length \(length)") }
            let product = size.multipliedReportingOverflow(by: whole)
            guard !product.overflow else { throw damaged("its shape is larger than any file") }
            size = product.partialValue
            shape.append(whole)
        }
        try MemoryBudget.require(16 * data.bytes.count, for: "the array", file: file)
        let values = try numbers(data, isSwapped: isSwapped, file: file)
        guard values.count == size else { throw damaged("an array of shape \(shape) has \(values.count) values") }
        return (String(decoding: name.bytes, as: UTF8.self), NumericArray(shape: shape, columnMajor: values))
    }

    /// A packed variable (zlib, RFC 1950).
    static func unpacked(_ bytes: UnsafeRawBufferPointer, file: String) throws -> [UInt8] {
        func damaged() -> DataError {
            DataError(
                .badData,
                "the .mat file is damaged: a compressed variable cannot be "
                    + "unpacked", file: file)
        }
        guard let base = bytes.baseAddress, bytes.count < Int(UInt32.max) else { throw damaged() }
        let zlib = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        zlib.initialize(to: z_stream())
        defer { zlib.deallocate() }
        guard inflateInit_(zlib, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw damaged() }
        defer { inflateEnd(zlib) }
        zlib.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
        zlib.pointee.avail_in = UInt32(bytes.count)
        var result: [UInt8] = [], block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let status = block.withUnsafeMutableBufferPointer { buffer -> Int32 in
                zlib.pointee.next_out = buffer.baseAddress
                zlib.pointee.avail_out = UInt32(buffer.count)
                return inflate(zlib, Z_NO_FLUSH)
            }
            result += block[..<(block.count - Int(zlib.pointee.avail_out))]
            try MemoryBudget.require(8 * result.count, for: "the unpacked variable", file: file)
            if status == Z_STREAM_END { return result }
            guard status == Z_OK, zlib.pointee.avail_in > 0 || zlib.pointee.avail_out == 0 else { throw damaged() }
        }
    }
}
