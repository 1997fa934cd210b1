import CKernels
import COneDNN

// Products in 8-bit integers: weights by column, activations by row, sums in 32 bits, oneDNN multiplies, our kernels convert.
//
// A row's own range is taken, not one for the whole tensor: a few tokens have values many times larger than the others.
// Everything goes in blocks of one tile's height, so that sums and the floats made of them stay in the cache.

private let block = Int(KD_TILE_ROWS)

/// Rows of one block as 8-bit integers: value = scale · integer + offset.
private struct QuantizedRows {
    let integers: TensorStorage<Int8>
    let scales = TensorStorage<Float>(uninitializedCount: block)
    let offsets = TensorStorage<Float>(uninitializedCount: block)
    let columns: Int

    init(columns: Int) {
        integers = TensorStorage(uninitializedCount: block * columns)
        self.columns = columns
    }

    func quantize(_ x: UnsafePointer<Float>, rows: Int) {
        kt_quantize_rows(x, Int64(rows), Int64(columns), integers.elements, scales.elements, offsets.elements)
    }
}

extension PackedMatrix where Scalar == Float {
    /// y (rows, outputs) = f(x · weights + bias) in 8-bit integers.
    func multiplyQuantized(
        _ x: UnsafePointer<Float>, rows: Int, bias: UnsafePointer<Float>?, activation: Activation, into y: UnsafeMutablePointer<Float>
    ) {
        let quantized = QuantizedRows(columns: inputs)
        for range in Parallel.chunks(rows, size: block) {
            quantized.quantize(x + range.lowerBound * inputs, rows: range.count)
            multiply(quantized, rows: range.count, bias: bias, activation: activation, into: y + range.lowerBound * outputs)
        }
    }

    fileprivate func multiply(
        _ x: QuantizedRows, rows: Int, bias: UnsafePointer<Float>?, activation: Activation, into y: UnsafeMutablePointer<Float>
    ) {
        var how = dequantization(bias: bias, activation: activation)
        // The sums lie where the numbers will: both have 32 bits.
        y.withMemoryRebound(to: Int32.self, capacity: rows * outputs) { sums in
            add(x, rows: rows, into: sums)
            kt_dequantize_rows(&how, sums, Int64(rows), x.scales.elements, x.offsets.elements, y)
        }
    }

    /// sums (rows, outputs) = integers (rows, inputs) · weights.
    fileprivate func add(_ x: QuantizedRows, rows: Int, into sums: UnsafeMutablePointer<Int32>) {
        multiplyTogether(
            self, UnsafeRawPointer(x.integers.elements), rows: rows, elementSize: 1, nil, UnsafeMutableRawPointer(sums))
    }

    /// What turns sums back into numbers; valid while the matrix and the bias live.
    fileprivate func dequantization(bias: UnsafePointer<Float>?, activation: Activation) -> kt_dequantization {
        kt_dequantization(
            columns: Int64(outputs), column_scales: scales?.elements, column_sums: columnSums?.elements, bias: bias,
            activation: activation.kernel)
    }
}

/// The lengths of what int8 products lose of their operands. By Cauchy and Schwarz |x·w − x̂·ŵ| ≤ |x − x̂| |w| + |x̂| |w − ŵ|, where int8 is
/// fast: instruction sets before VNNI let sums of two products saturate at 16 bits.
package enum RoundingLoss {
    /// Steps and the length itself are floats.
    private static let slack: Float = 1.001

    /// |x − x̂| of a row, at most.
    package static func row(_ x: UnsafePointer<Float>, columns: Int) -> Float {
        Scratch.with(Int8.self, count: columns) { integers in
            var scale: Float = 0, offset: Float = 0
            kt_quantize_rows(x, 1, Int64(columns), integers, &scale, &offset)
            return Float(kt_rounding_loss(x, Int64(columns), scale, offset)) * slack
        }
    }

    /// |w − ŵ| of the weights of one output, at most; they lie together, as they did when they were packed.
    package static func weights(_ w: UnsafePointer<Float>, output: Int, of matrix: PackedMatrix<Float>) -> Float {
        guard let scales = matrix.scales else { return 0 }
        return Float(kt_rounding_loss(w, Int64(matrix.inputs), scales.elements[output], 0)) * slack
    }
}

extension FeedForwardWeights where Scalar == Float {
    /// y (rows, down.outputs) = f(x · up + upBias) · down + downBias in 8-bit integers.
    func multiplyQuantized(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        let input = QuantizedRows(columns: up.inputs), middle = QuantizedRows(columns: down.inputs)
        let sums = TensorStorage<Int32>(uninitializedCount: block * up.outputs), row = TensorStorage<Float>(uninitializedCount: up.outputs)
        var how = up.dequantization(bias: upBias?.pointer, activation: activation)
        for range in Parallel.chunks(rows, size: block) {
            input.quantize(x + range.lowerBound * up.inputs, rows: range.count)
            up.add(input, rows: range.count, into: sums.elements)
            kt_requantize_rows(
                &how, isGated ? 1 : 0, sums.elements, Int64(range.count), input.scales.elements, input.offsets.elements,
                middle.integers.elements, middle.scales.elements, middle.offsets.elements, row.elements)
            down.multiply(
                middle, rows: range.count, bias: downBias?.pointer, activation: .identity, into: y + range.lowerBound * down.outputs)
        }
    }
}
