/// Writes safetensors files: complete or absent, tensors in the order of their names, so that equal tensors give equal files.
package struct SafetensorsWriter {
    /// How Float values are stored.
    package enum Precision: Sendable {
        case f32, f16, bf16

        var dtype: SafetensorsType {
            switch self {
            case .f32: .f32
            case .f16: .f16
            case .bf16: .bf16
            }
        }
    }

    private struct Planned {
        var name: String
        var shape: [Int]
        var precision: Precision
        /// Hands out the values in blocks, when the file is written.
        var body: ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
    }

    private var tensors: [Planned] = []
    /// `__metadata__`; readers of the reference implementation want `format`.
    package var metadata: [(key: String, value: String)]

    package init(metadata: [(key: String, value: String)] = [("format", "pt")]) { self.metadata = metadata }

    /// Adds a tensor whose values lie in memory, row-major.
    package mutating func add(_ name: String, shape: [Int], values: [Float], precision: Precision = .f32) {
        precondition(values.count == shape.reduce(1, *), "the values do not fit the shape")
        add(name, shape: shape, precision: precision) { emit in try values.withUnsafeBufferPointer(emit) }
    }

    /// Adds a tensor whose values `body` hands to its argument, in one or several blocks, while the file is written.
    package mutating func add(
        _ name: String, shape: [Int], precision: Precision = .f32,
        _ body: @escaping ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
    ) {
        precondition(name != "__metadata__" && !tensors.contains { $0.name == name }, "a tensor \(name) is there already")
        tensors.append(Planned(name: name, shape: shape, precision: precision, body: body))
    }

    /// Writes the file.
    /// - Throws: `DataError` if it cannot be created or the disk is full; what the tensors' bodies throw.
    package func write(to path: String) throws {
        let ordered = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var members: [(key: String, value: JSON)] = []
        if !metadata.isEmpty { members.append(("__metadata__", .object(metadata.map { ($0.key, .string($0.value)) }))) }
        var offset = 0
        for tensor in ordered {
            let end = offset + tensor.shape.reduce(tensor.precision.dtype.size, *)
            members.append(
                (
                    tensor.name,
                    .object([
                        ("dtype", .string(tensor.precision.dtype.rawValue)),
                        ("shape", .array(tensor.shape.map(JSON.integer))),
                        ("data_offsets", .array([.integer(offset), .integer(end)])),
                    ])
                ))
            offset = end
        }
        var header: [UInt8] = []
        JSON.object(members).write(to: &header)
        // The data begins at a multiple of eight bytes, so that mapped tensors are aligned.
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }

        try AtomicFile.write(to: path) { file in
            try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
            try header.withUnsafeBytes { try file.write($0) }
            for tensor in ordered {
                let expected = tensor.shape.reduce(tensor.precision.dtype.size, *)
                let before = file.count
                try tensor.body { try Self.write($0, as: tensor.precision, to: file) }
                precondition(file.count - before == expected, "tensor \(tensor.name): the values do not fit the shape")
            }
        }
    }

    private static func write(_ values: UnsafeBufferPointer<Float>, as precision: Precision, to file: AtomicFile) throws {
        if precision == .f32 { return try file.write(UnsafeRawBufferPointer(values)) }
        let block = 1 << 16
        var start = 0
        while start < values.count {
            let part = UnsafeBufferPointer(rebasing: values[start..<min(start + block, values.count)])
            let narrow = [UInt16](unsafeUninitializedCapacity: part.count) { bits, count in
                let bits = UnsafeMutableBufferPointer(rebasing: bits[..<part.count])
                if precision == .bf16 { HalfPrecision.narrow(part, toBFloat16: bits) } else { HalfPrecision.narrow(part, toFloat16: bits) }
                count = part.count
            }
            try narrow.withUnsafeBytes { try file.write($0) }
            start += block
        }
    }
}
