/// The kinds of element a safetensors file may hold.
package enum SafetensorsType: String, Sendable, CaseIterable {
    case bool = "BOOL", u8 = "U8", i8 = "I8", f8e5m2 = "F8_E5M2", f8e4m3 = "F8_E4M3"
    case i16 = "I16", u16 = "U16", f16 = "F16", bf16 = "BF16"
    case i32 = "I32", u32 = "U32", f32 = "F32"
    case i64 = "I64", u64 = "U64", f64 = "F64"

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
        case .i16, .u16, .f16, .bf16: 2
        case .i32, .u32, .f32: 4
        case .i64, .u64, .f64: 8
        }
    }
}

/// One tensor of a safetensors file: what it is and where its bytes lie.
package struct SafetensorsEntry: Sendable, Equatable {
    package var name: String
    package var dtype: SafetensorsType
    /// The lengths of the axes, slowest first; empty for a scalar.
    package var shape: [Int]
    /// The tensor's bytes, counted from the beginning of the file: little-endian, row-major.
    package var byteRange: Range<Int>
    /// Elements in the tensor.
    package var count: Int { byteRange.count / dtype.size }
}

/// The header of a safetensors file, checked before anything is believed: lengths without overflow, every tensor's bytes
/// as many as its shape needs, no overlap, no gap, nothing left over.
///
/// Format: https://huggingface.co/docs/safetensors (eight bytes of header length, JSON, then the data).
package struct SafetensorsHeader: Sendable {
    /// In the order in which the data lies in the file.
    package var entries: [SafetensorsEntry]
    /// `__metadata__`, in its own order.
    package var metadata: [(key: String, value: String)]

    /// A longer header is refused.
    package static let maximumLength = 100_000_000
    private static let maximumRank = 32

    /// - Throws: `DataError` of kind `badData` that names the tensor.
    package init(file bytes: UnsafeRawBufferPointer, path: String) throws {
        func damaged(_ message: String) -> DataError { DataError(.badData, message, file: path) }
        guard bytes.count >= 8 else { throw damaged("not a safetensors file: it has only \(bytes.count) bytes") }
        let stated = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard stated <= UInt64(Self.maximumLength) else {
            throw damaged("not a safetensors file: its header claims \(stated) bytes, at most \(Self.maximumLength) are allowed")
        }
        let length = Int(stated)
        guard length <= bytes.count - 8 else {
            throw damaged("the file is truncated: its header claims \(length) bytes, \(bytes.count - 8) follow")
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + length])
        guard text.first == UInt8(ascii: "{") else { throw damaged("not a safetensors file: its header does not begin with '{'") }
        let json = try JSON(parsing: text, file: path)
        guard let members = json.object else { throw damaged("the safetensors header is not a JSON object") }

        entries = []
        metadata = []
        entries.reserveCapacity(members.count)
        var names: Set<String> = []
        let dataCount = bytes.count - 8 - length
        for (name, value) in members {
            guard names.insert(name).inserted else { throw damaged("tensor \(name) appears twice in the header") }
            if name == "__metadata__" {
                guard let pairs = value.object else { throw damaged("__metadata__ is not a JSON object") }
                metadata = try pairs.map { pair in
                    guard let text = pair.value.string else { throw damaged("__metadata__: the value of \(pair.key) is not a string") }
                    return (pair.key, text)
                }
            } else {
                entries.append(try Self.entry(name, value, dataStart: 8 + length, dataCount: dataCount, path: path))
            }
        }
        entries.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound, $0.name) < ($1.byteRange.lowerBound, $1.byteRange.upperBound, $1.name)
        }

        var end = 8 + length
        for entry in entries {
            guard entry.byteRange.lowerBound == end else {
                let what =
                    entry.byteRange.lowerBound < end
                    ? "overlaps the tensor before it" : "leaves a gap of \(entry.byteRange.lowerBound - end) bytes before it"
                throw damaged("tensor \(entry.name) \(what): it begins at byte \(entry.byteRange.lowerBound), expected \(end)")
            }
            end = entry.byteRange.upperBound
        }
        guard end == bytes.count else {
            throw damaged("\(bytes.count - end) bytes after the last tensor belong to no tensor")
        }
    }

    private static func entry(_ name: String, _ value: JSON, dataStart: Int, dataCount: Int, path: String) throws -> SafetensorsEntry {
        func damaged(_ message: String) -> DataError { DataError(.badData, "tensor \(name): \(message)", file: path) }
        guard let typeName = value["dtype"]?.string else { throw damaged("it has no dtype") }
        guard let dtype = SafetensorsType(rawValue: typeName) else {
            throw damaged("unknown dtype \(typeName); expected one of \(SafetensorsType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let lengths = value["shape"]?.array, lengths.count <= maximumRank else {
            throw damaged("it has no shape, or one of more than \(maximumRank) axes")
        }
        var size = dtype.size
        let shape = try lengths.map { length in
            guard case .integer(let length) = length, length >= 0 else {
                throw damaged("a length in its shape is not a non-negative integer")
            }
            let product = size.multipliedReportingOverflow(by: length)
            guard !product.overflow else { throw damaged("its shape is larger than any file") }
            size = product.partialValue
            return length
        }
        guard let offsets = value["data_offsets"]?.array, offsets.count == 2,
            case .integer(let start) = offsets[0], case .integer(let end) = offsets[1], start >= 0, start <= end
        else { throw damaged("its data_offsets are not two increasing integers") }
        guard end <= dataCount else {
            throw damaged("its data ends at byte \(end), but the file has only \(dataCount) bytes of data; it is truncated or damaged")
        }
        guard end - start == size else {
            throw damaged("its shape \(shape) of \(typeName) needs \(size) bytes, its data_offsets span \(end - start)")
        }
        return SafetensorsEntry(name: name, dtype: dtype, shape: shape, byteRange: dataStart + start..<dataStart + end)
    }
}
