/// A GGUF file (llama.cpp's), memory-mapped: named tensors and key–value pairs about them. Nothing in it is believed before it is checked:
/// lengths without overflow, every tensor's bytes inside the file.
///
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
package struct GGUFFile: Sendable {
    /// Kinds of element that are read; blocks of `elements` take `bytes`.
    package enum Kind: UInt32, Sendable, CaseIterable {
        case f32 = 0, f16 = 1, q4_0 = 2, q8_0 = 8, bf16 = 30

        var block: (elements: Int, bytes: Int) {
            switch self {
            case .f32: (1, 4)
            case .f16, .bf16: (1, 2)
            case .q4_0: (32, 18)
            case .q8_0: (32, 34)
            }
        }
    }

    package struct Entry: Sendable, Equatable {
        package var kind: Kind
        /// Slowest axis first, as everywhere here; the file has them the other way round.
        package var shape: [Int]
        /// Counted from the beginning of the file.
        package var byteRange: Range<Int>
    }

    /// A value of the file's own description.
    package enum Value: Sendable, Equatable {
        case integer(Int), number(Double), bool(Bool), string(String)
        /// Lists (a vocabulary, say) are passed over.
        case list(count: Int)
    }

    package let file: MappedFile
    package let metadata: [String: Value]
    private let entries: [String: Entry]

    package var path: String { file.path }
    package var names: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    package subscript(name: String) -> Entry? { entries[name] }
    /// `general.architecture`, as `qwen3`.
    package var architecture: String? {
        if case .string(let name)? = metadata["general.architecture"] { return name }
        return nil
    }

    private static let kindNames: [UInt32: String] = [
        3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS",
        17: "IQ2_XS",
        18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
        28: "F64", 29: "IQ1_M",
        34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
    ]

    /// Maps the file and checks its header.
    /// - Throws: `DataError` if it is damaged, of another version, or holds a kind of tensor that is not read, which it names.
    package init(path: String) throws {
        let file = try MappedFile(path: path)
        self.file = file
        var reader = GGUFReader(file.bytes, path: path)
        (metadata, entries) = try withExtendedLifetime(file) { try Self.header(&reader) }
    }

    private static func header(_ reader: inout GGUFReader) throws -> ([String: Value], [String: Entry]) {
        guard try reader.take(4).elementsEqual("GGUF".utf8) else { throw reader.damaged("not a GGUF file") }
        let version = try reader.number(UInt32.self)
        guard version == 2 || version == 3 else { throw reader.damaged("GGUF version \(version) is not supported; expected 2 or 3") }
        let tensors = try reader.count(smallest: 24), pairs = try reader.count(smallest: 13)
        var metadata: [String: Value] = [:]
        for _ in 0..<pairs {
            let key = try reader.string()
            metadata[key] = try reader.value(type: reader.number(UInt32.self), depth: 0)
        }
        var alignment = 32
        if case .integer(let stated)? = metadata["general.alignment"] {
            guard stated >= 1, stated <= 1 << 20 else { throw reader.damaged("general.alignment is \(stated)") }
            alignment = stated
        }
        var described: [(name: String, kind: Kind, shape: [Int], offset: Int, bytes: Int)] = [], seen: Set<String> = []
        for _ in 0..<tensors {
            let name = try reader.string()
            guard seen.insert(name).inserted else { throw reader.damaged("tensor '\(name)' occurs twice") }
            let rank = try reader.number(UInt32.self)
            guard rank <= 8 else { throw reader.damaged("tensor '\(name)' has \(rank) axes") }
            var lengths: [Int] = [], elements = 1
            for _ in 0..<rank {
                guard let length = Int(exactly: try reader.number(UInt64.self)) else {
                    throw reader.damaged("tensor '\(name)' has an axis that is too long")
                }
                lengths.append(length)
                let (product, overflow) = elements.multipliedReportingOverflow(by: length)
                guard !overflow else { throw reader.damaged("tensor '\(name)' of shape \(lengths) is too large") }
                elements = product
            }
            let type = try reader.number(UInt32.self)
            guard let kind = Kind(rawValue: type) else {
                throw reader.damaged(
                    "tensor '\(name)' is of kind \(kindNames[type] ?? "number \(type)"), which is not supported; "
                        + "expected F32, F16, BF16, Q8_0 or Q4_0")
            }
            guard let offset = Int(exactly: try reader.number(UInt64.self)) else {
                throw reader.damaged("tensor '\(name)' is beyond the end of the file")
            }
            let block = kind.block
            // Blocks run along the fastest axis.
            guard (lengths.first ?? 1) % block.elements == 0 else {
                throw reader.damaged(
                    "tensor '\(name)': \(lengths.first ?? 1) elements per row are not a multiple of the block size "
                        + "\(block.elements)")
            }
            let (bytes, overflow) = (elements / block.elements).multipliedReportingOverflow(by: block.bytes)
            guard !overflow else { throw reader.damaged("tensor '\(name)' of shape \(lengths) is too large") }
            described.append((name, kind, lengths.reversed(), offset, bytes))
        }
        let base = (reader.position + alignment - 1) / alignment * alignment
        var entries: [String: Entry] = [:]
        for tensor in described {
            let (first, over) = base.addingReportingOverflow(tensor.offset)
            guard !over, first <= reader.count, tensor.bytes <= reader.count - first else {
                throw reader.damaged(
                    "the file is truncated: tensor '\(tensor.name)' has \(tensor.bytes) bytes at offset "
                        + "\(tensor.offset), but the file has \(reader.count)")
            }
            entries[tensor.name] = Entry(kind: tensor.kind, shape: tensor.shape, byteRange: first..<first + tensor.bytes)
        }
        return (metadata, entries)
    }

    /// Reads a tensor as Float into `values`, which has as many elements as the tensor.
    /// - Throws: `DataError` if there is no such tensor, or it has another size.
    package func read(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
        guard let entry = entries[name] else { throw DataError(.badData, "no tensor '\(name)'", file: path) }
        let count = entry.shape.reduce(1, *)
        guard values.count == count else {
            throw DataError(
                .badData,
                "tensor '\(name)' of shape \(entry.shape) has \(count) elements, expected "
                    + "\(values.count)", file: path)
        }
        file.withUnsafeBytes { whole in
            let bytes = UnsafeRawBufferPointer(rebasing: whole[entry.byteRange])
            switch entry.kind {
            case .f32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
            case .f16: HalfPrecision.widen(float16: bytes, into: values)
            case .bf16: HalfPrecision.widen(bfloat16: bytes, into: values)
            case .q8_0:
                for block in 0..<count / 32 {
                    let start = block * 34, scale = Self.half(bytes, start)
                    for i in 0..<32 { values[block * 32 + i] = scale * Float(Int8(bitPattern: bytes[start + 2 + i])) }
                }
            case .q4_0:
                // A byte holds elements i and i + 16 of its block, 8 above their value.
                for block in 0..<count / 32 {
                    let start = block * 18, scale = Self.half(bytes, start)
                    for i in 0..<16 {
                        let byte = bytes[start + 2 + i]
                        values[block * 32 + i] = scale * Float(Int(byte & 15) - 8)
                        values[block * 32 + 16 + i] = scale * Float(Int(byte >> 4) - 8)
                    }
                }
            }
        }
    }

    private static func half(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Float {
        HalfPrecision.float(float16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }
}

/// Reads a GGUF header from front to back; every length is checked against what is left.
private struct GGUFReader {
    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer, path: String) {
        (self.bytes, self.path) = (bytes, path)
    }

    var count: Int { bytes.count }

    func damaged(_ message: String) -> DataError { DataError(.badData, message, file: path) }

    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else { throw damaged("the file is truncated at byte \(position)") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func number<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        T(littleEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self))
    }

    /// A count of entries that take at least this many bytes each.
    mutating func count(smallest: Int) throws -> Int {
        let stated = try number(UInt64.self)
        guard stated <= UInt64((bytes.count - position) / smallest) else {
            throw damaged("the header claims \(stated) entries, more than the file can contain")
        }
        return Int(stated)
    }

    mutating func string() throws -> String {
        let length = try count(smallest: 1)
        guard let text = String(validating: try take(length), as: UTF8.self) else {
            throw damaged("text that is not UTF-8 at byte \(position)")
        }
        return text
    }

    mutating func value(type: UInt32, depth: Int) throws -> GGUFFile.Value {
        func whole<T: FixedWidthInteger>(_ value: T) throws -> GGUFFile.Value {
            guard let number = Int(exactly: value) else { throw damaged("a number that is too large at byte \(position)") }
            return .integer(number)
        }
        switch type {
        case 0: return try whole(number(UInt8.self))
        case 1: return try whole(number(Int8.self))
        case 2: return try whole(number(UInt16.self))
        case 3: return try whole(number(Int16.self))
        case 4: return try whole(number(UInt32.self))
        case 5: return try whole(number(Int32.self))
        case 6: return .number(Double(Float(bitPattern: try number(UInt32.self))))
        case 7: return .bool(try number(UInt8.self) != 0)
        case 8: return .string(try string())
        case 9:
            guard depth < 4 else { throw damaged("lists nested too deeply at byte \(position)") }
            let element = try number(UInt32.self),
                sizes: [UInt32: Int] = [0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8]
            if let size = sizes[element] {
                let count = try count(smallest: size)
                _ = try take(count * size)
                return .list(count: count)
            }
            let count = try count(smallest: 8)
            for _ in 0..<count { _ = try value(type: element, depth: depth + 1) }
            return .list(count: count)
        case 10: return try whole(number(UInt64.self))
        case 11: return try whole(number(Int64.self))
        case 12: return .number(Double(bitPattern: try number(UInt64.self)))
        default: throw damaged("a value of unknown type \(type) at byte \(position)")
        }
    }
}
