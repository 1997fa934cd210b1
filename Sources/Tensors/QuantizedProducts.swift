import CKernels
import COneDNN

// Products in 8-bit integers: weights by column, activations by row, sums in 32 bits, oneDNN multiplies, our kernels convert.
//
// A row's own range is taken, not one for the whole tensor: a few tokens have values many times larger than the others.
// Everything goes in blocks of one tile's height, so that sums and the floats made of them stay in the cache.

/// Rows as 8-bit integers: value = scale · integer + offset.
package struct QuantizedRows {
    package let integers: UnsafeMutablePointer<Int8>
    package let scales: UnsafeMutablePointer<Float>
    package let offsets: UnsafeMutablePointer<Float>
}

extension Scratch {
    /// Memory for `rows` × `columns` integers and their scales, for the length of a call.
    package static func withQuantizedRows<Result>(_ rows: Int, columns: Int, _ body: (QuantizedRows) throws -> Result) rethrows -> Result {
        try Scratch.with(Float.self, count: 2 * rows) { floats in
            try Scratch.with(Int8.self, count: rows * columns) { try body(QuantizedRows(integers: $0, scales: floats, offsets: floats + rows)) }
        }
    }
}

extension PackedMatrix where Scalar == Float {
    /// sums (rows, outputs) = integers (rows, inputs) · weights.
    package func multiply(_ rows: QuantizedRows, count: Int, into sums: UnsafeMutablePointer<Int32>) {
        let status = kd_multiply(handle, rows.integers, Int64(count), sums, nil)
        precondition(status == 0, "oneDNN refused an int8 product of \(count) rows by \(inputs) x \(outputs)")
    }

    /// Calls `body` with what turns sums back into numbers.
    package func withDequantization<Result>(
        bias: UnsafePointer<Float>?, activation: Activation, _ body: (UnsafePointer<kt_dequantization>) -> Result
    ) -> Result {
        scales.withUnsafeBufferPointer { scales in
            columnSums.withUnsafeBufferPointer { sums in
                var how = kt_dequantization(columns: Int64(outputs), column_scales: scales.baseAddress, column_sums: sums.baseAddress, bias: bias,
                                            activation: activation.kernel)
                return body(&how)
            }
        }
    }

    /// y (rows, outputs) = f(x · weights + bias) in 8-bit integers.
    func multiplyQuantized(_ x: UnsafePointer<Float>, rows: Int, bias: UnsafePointer<Float>?, activation: Activation, into y: UnsafeMutablePointer<Float>) {
        let block = Int(KD_TILE_ROWS)
        Scratch.withQuantizedRows(block, columns: inputs) { quantized in
            withDequantization(bias: bias, activation: activation) { how in
                for first in stride(from: 0, to: rows, by: block) {
                    let count = min(block, rows - first), part = y + first * outputs
                    kt_quantize_rows(x + first * inputs, Int64(count), Int64(inputs), quantized.integers, quantized.scales, quantized.offsets)
                    // The sums lie where the numbers will: both have 32 bits.
                    part.withMemoryRebound(to: Int32.self, capacity: count * outputs) { sums in
                        multiply(quantized, count: count, into: sums)
                        kt_dequantize_rows(how, sums, Int64(count), quantized.scales, quantized.offsets, part)
                    }
                }
            }
        }
    }

    /// y (rows, down.outputs) = f(x · up + upBias) · down + downBias in 8-bit integers; `gated` as in `gated(_:_:on:)`.
    static func feedForwardQuantized(
        _ x: UnsafePointer<Float>, rows: Int, up: PackedMatrix, upBias: UnsafePointer<Float>?, activation: Activation, gated: Bool,
        down: PackedMatrix, downBias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
    ) {
        let block = Int(KD_TILE_ROWS)
        Scratch.withQuantizedRows(block, columns: up.inputs) { input in
            Scratch.withQuantizedRows(block, columns: down.inputs) { middle in
                Scratch.with(Int32.self, count: block * up.outputs) { sums in
                    Scratch.with(Float.self, count: up.outputs) { row in
                        up.withDequantization(bias: upBias, activation: activation) { upward in
                            down.withDequantization(bias: downBias, activation: .identity) { downward in
                                for first in stride(from: 0, to: rows, by: block) {
                                    let count = min(block, rows - first), part = y + first * down.outputs
                                    kt_quantize_rows(x + first * up.inputs, Int64(count), Int64(up.inputs), input.integers, input.scales, input.offsets)
                                    up.multiply(input, count: count, into: sums)
                                    kt_requantize_rows(upward, gated ? 1 : 0, sums, Int64(count), input.scales, input.offsets, middle.integers,
                                                       middle.scales, middle.offsets, row)
                                    part.withMemoryRebound(to: Int32.self, capacity: count * down.outputs) { sums in
                                        down.multiply(middle, count: count, into: sums)
                                        kt_dequantize_rows(downward, sums, Int64(count), middle.scales, middle.offsets, part)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
