import COneDNN

/// A packed matrix in parts that can be kept in a file and mapped again.
package struct PackedParts {
    package var inputs: Int, outputs: Int
    package var precision: Precision
    /// In the layout of the library version and instruction set that `PackedParts.library` names.
    package var bytes: UnsafeRawBufferPointer
    /// For int8, as `PackedMatrix` has them.
    package var scales: [Float], columnSums: [Float]

    package init(inputs: Int, outputs: Int, precision: Precision, bytes: UnsafeRawBufferPointer, scales: [Float], columnSums: [Float]) {
        (self.inputs, self.outputs, self.precision) = (inputs, outputs, precision)
        (self.bytes, self.scales, self.columnSums) = (bytes, scales, columnSums)
    }

    /// What decides the layout besides the matrix.
    package static let library =
        "oneDNN \(String(cString: kd_library_version())) \(String(cString: kd_instruction_set())) tile \(KD_TILE_ROWS)"
}

extension PackedMatrix where Scalar == Float {
    /// Calls `body` with the matrix's parts, valid during the call.
    package func withParts<Result>(_ body: (PackedParts) throws -> Result) rethrows -> Result {
        var count = 0
        let start = kd_packed_bytes(handle, &count)
        defer { withExtendedLifetime(self) {} }
        func numbers(_ storage: TensorStorage<Float>?) -> [Float] {
            storage.map { Array(UnsafeBufferPointer(start: $0.elements, count: $0.count)) } ?? []
        }
        return try body(
            PackedParts(
                inputs: inputs, outputs: outputs, precision: precision, bytes: UnsafeRawBufferPointer(start: start, count: count),
                scales: numbers(scales), columnSums: numbers(columnSums)))
    }

    /// A matrix whose packed bytes lie in memory that `owner` keeps; nil if they are not what the library wants.
    package convenience init?(viewing parts: PackedParts, owner: AnyObject) {
        let precision =
            switch parts.precision {
            case .f32: KD_F32
            case .bf16: KD_BF16
            case .int8: KD_S8
            }
        let sums = parts.precision == .int8 ? parts.outputs : 0
        guard parts.inputs > 0, parts.outputs > 0, parts.scales.count == sums, parts.columnSums.count == sums,
            let start = parts.bytes.baseAddress,
            let handle = kd_view(precision, Int64(parts.inputs), Int64(parts.outputs), start, parts.bytes.count)
        else { return nil }
        self.init(
            MatrixLayout(inputs: parts.inputs, outputs: parts.outputs, inputStride: 1, outputStride: parts.inputs),
            precision: parts.precision, handle: handle,
            scales: sums > 0 ? TensorStorage(parts.scales) : nil, columnSums: sums > 0 ? TensorStorage(parts.columnSums) : nil, owner: owner
        )
    }
}
