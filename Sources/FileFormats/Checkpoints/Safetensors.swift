/// A source of named tensors: one safetensors file, or several under one index.
package protocol TensorSource: Sendable {
    /// What errors call it.
    var path: String { get }
    /// The tensors' names, sorted.
    var names: [String] { get }
    /// The tensor of this name.
    subscript(name: String) -> SafetensorsEntry? { get }
    /// Whether the bytes that `withBytes` shows stay where they are as long as the source lives.
    var isMapped: Bool { get }
    /// The tensor's bytes as they lie in the file: little-endian, row-major, at any address.
    /// - Throws: `DataError` if there is no such tensor; what `body` throws.
    func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
}

extension TensorSource {
    func entry(_ name: String) throws -> SafetensorsEntry {
        guard let entry = self[name] else { throw DataError(.badData, "no tensor \(name)", file: path) }
        return entry
    }

    /// Reads a tensor of F32, F16, BF16 or F64, or some of its rows, as Float into `values`, which has as many elements.
    /// - Throws: `DataError` if the tensor is missing, of another kind, or of another size.
    package func read(_ name: String, rows: Range<Int>? = nil, into values: UnsafeMutableBufferPointer<Float>) throws {
        let entry = try entry(name), rowCount = entry.shape.dropFirst().reduce(1, *)
        let part = rows.map { $0.lowerBound * rowCount..<$0.upperBound * rowCount } ?? 0..<entry.count
        guard part.count == values.count, part.upperBound <= entry.count else {
            throw DataError(
                .badData,
                "tensor \(name) of shape \(entry.shape) has \(entry.count) elements, expected "
                    + "\(values.count)", file: path)
        }
        try withBytes(of: name) { bytes in
            let size = entry.dtype.size, bytes = UnsafeRawBufferPointer(rebasing: bytes[part.lowerBound * size..<part.upperBound * size])
            switch entry.dtype {
            case .f32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
            case .f16: HalfPrecision.widen(float16: bytes, into: values)
            case .bf16: HalfPrecision.widen(bfloat16: bytes, into: values)
            case .f64:
                for index in values.indices {
                    values[index] = Float(
                        Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))))
                }
            default:
                throw DataError(.badData, "tensor \(name) is of \(entry.dtype.rawValue), expected F32, F16, BF16 or F64", file: path)
            }
        }
    }

    /// Reads a tensor of F32, F16, BF16 or F64 as Floats, row-major.
    package func floats(_ name: String) throws -> [Float] {
        let entry = try entry(name)
        try MemoryBudget.require(entry.count * MemoryLayout<Float>.stride, for: "tensor \(name)", file: path)
        return try [Float](unsafeUninitializedCapacity: entry.count) { buffer, count in
            try read(name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<entry.count]))
            count = entry.count
        }
    }

    /// Reads a tensor of whole numbers, as `position_ids` (I64, I32, U8 …).
    /// - Throws: `DataError` if the tensor is missing, of another kind, or a value does not fit.
    package func integers(_ name: String) throws -> [Int] {
        let entry = try entry(name)
        try MemoryBudget.require(entry.count * MemoryLayout<Int>.stride, for: "tensor \(name)", file: path)
        func load<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _: T.Type) throws -> [Int] {
            try (0..<entry.count).map { index in
                let value = T(littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self))
                guard let value = Int(exactly: value) else {
                    throw DataError(.badData, "tensor \(name): \(value) is too large", file: path)
                }
                return value
            }
        }
        return try withBytes(of: name) { bytes in
            switch entry.dtype {
            case .i64: try load(bytes, Int64.self)
            case .u64: try load(bytes, UInt64.self)
            case .i32: try load(bytes, Int32.self)
            case .u32: try load(bytes, UInt32.self)
            case .i16: try load(bytes, Int16.self)
            case .u16: try load(bytes, UInt16.self)
            case .i8: try load(bytes, Int8.self)
            case .u8, .bool: try load(bytes, UInt8.self)
            default: throw DataError(.badData, "tensor \(name) is of \(entry.dtype.rawValue), expected integers", file: path)
            }
        }
    }
}

/// A safetensors file, memory-mapped.
package struct SafetensorsFile: TensorSource {
    /// The mapped bytes, for those who keep tensors in place.
    package let file: MappedFile
    package let header: SafetensorsHeader
    private let places: [String: Int]

    package var isMapped: Bool { true }
    package var path: String { file.path }
    package var names: [String] { header.entries.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// Maps the file and checks its header.
    /// - Throws: `DataError` if it cannot be read or its header lies.
    package init(path: String) throws {
        let file = try MappedFile(path: path)
        self.file = file
        header = try file.withUnsafeBytes { try SafetensorsHeader(file: $0, path: path) }
        places = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
    }

    package subscript(name: String) -> SafetensorsEntry? { places[name].map { header.entries[$0] } }

    package func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let entry = try entry(name)
        return try file.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[entry.byteRange])) }
    }
}
