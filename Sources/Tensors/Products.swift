import CKernels
import CLAPACK
import COneDNN
import Synchronization

// Matrix products. Goals in order: the same row gives the same bits in every batch; speed; memory.
//
// Float goes to oneDNN, one library thread for each of ours (COneDNN). Double goes to OpenBLAS, held to one thread too:
// with several, its sums are split by thread count.

/// A weight matrix prepared for repeated products: in oneDNN's own layout for `Float`, plain for `Double`.
///
/// Immutable after `init` but for `repack`, which the owner may call while nobody multiplies.
public final class PackedMatrix<Scalar: TensorScalar>: @unchecked Sendable {
    public let inputs: Int
    public let outputs: Int
    public let precision: Precision
    fileprivate let inputStride: Int
    fileprivate let outputStride: Int
    /// `kd_matrix` for Float, nil for Double.
    let handle: OpaquePointer?
    /// Row-major (inputs, outputs), for Double.
    fileprivate var plain: [Scalar]
    /// For int8: the value of one step in each output column (outputs).
    let scales: [Float]
    /// For int8: the sum of each column of the weights as their integers stand for them (outputs).
    let columnSums: [Float]

    fileprivate init(inputs: Int, outputs: Int, inputStride: Int, outputStride: Int, precision: Precision,
                     handle: OpaquePointer?, plain: [Scalar] = [], scales: [Float] = [], columnSums: [Float] = []) {
        self.inputs = inputs
        self.outputs = outputs
        self.inputStride = inputStride
        self.outputStride = outputStride
        self.precision = precision
        self.handle = handle
        self.plain = plain
        self.scales = scales
        self.columnSums = columnSums
    }

    deinit { kd_release(handle) }
}

extension PackedMatrix where Scalar == Float {
    /// Puts another f32 matrix of the same shape and strides in this one's place, without new memory.
    package func repack(_ source: UnsafePointer<Float>) {
        precondition(precision == .f32, "only an f32 matrix is packed again in place")
        precondition(kd_repack(handle, source) == 0, "oneDNN could not lay out a \(inputs) by \(outputs) matrix again")
    }
}

extension Float {
    public static func pack(
        _ source: Input, inputs: Int, outputs: Int, inputStride: Int, outputStride: Int, precision: Precision
    ) -> PackedMatrix<Float> {
        var scales: [Float] = [], columnSums: [Float] = []
        let handle: OpaquePointer?
        switch precision {
        case .f32:
            handle = kd_pack(KD_F32, Int64(inputs), Int64(outputs), source, Int64(inputStride), Int64(outputStride))
        case .bf16:
            // Every element lies within this reach, whatever the strides; what lies between is rounded for nothing.
            let reach = (inputs - 1) * inputStride + (outputs - 1) * outputStride + 1
            handle = Scratch.with(UInt16.self, count: reach) { halves in
                kt_f32_to_bf16(source, Int64(reach), halves)
                return kd_pack(KD_BF16, Int64(inputs), Int64(outputs), halves, Int64(inputStride), Int64(outputStride))
            }
        case .int8:
            var quantized = [Int8](repeating: 0, count: inputs * outputs)
            scales = [Float](repeating: 0, count: outputs)
            columnSums = scales
            for output in 0..<outputs {
                var largest: Float = 0
                for input in 0..<inputs { largest = max(largest, abs(source[input * inputStride + output * outputStride])) }
                let step = largest > 0 ? largest / 127 : 1
                scales[output] = step
                var sum = 0
                for input in 0..<inputs {
                    let value = (source[input * inputStride + output * outputStride] / step).rounded(.toNearestOrEven)
                    let integer = Int8(Swift.max(-127, Swift.min(127, value)))
                    quantized[input * outputs + output] = integer
                    sum += Int(integer)
                }
                columnSums[output] = step * Float(sum)
            }
            handle = kd_pack(KD_S8, Int64(inputs), Int64(outputs), quantized, Int64(outputs), 1)
        }
        precondition(handle != nil, "oneDNN could not lay out a \(inputs) by \(outputs) matrix in \(precision)")
        return PackedMatrix(inputs: inputs, outputs: outputs, inputStride: inputStride, outputStride: outputStride,
                            precision: precision, handle: handle, scales: scales, columnSums: columnSums)
    }

    public static func repack(_ matrix: PackedMatrix<Float>, _ source: Input) {
        let status: Int32
        switch matrix.precision {
        case .f32: status = kd_repack(matrix.handle, source)
        case .bf16:
            let reach = (matrix.inputs - 1) * matrix.inputStride + (matrix.outputs - 1) * matrix.outputStride + 1
            status = Scratch.with(UInt16.self, count: reach) { halves in
                kt_f32_to_bf16(source, Int64(reach), halves)
                return kd_repack(matrix.handle, halves)
            }
        case .int8: preconditionFailure("int8 weights are for inference and do not change")
        }
        precondition(status == 0, "oneDNN could not lay out a \(matrix.inputs) by \(matrix.outputs) matrix in \(matrix.precision)")
    }

    public static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Float>, bias: Input?, into y: Output) {
        guard rows > 0 else { return }
        let status: Int32
        switch matrix.precision {
        case .f32:
            status = kd_multiply(matrix.handle, x, Int64(rows), y, bias)
        case .bf16:
            status = Scratch.with(UInt16.self, count: rows * matrix.inputs) { halves in
                kt_f32_to_bf16(x, Int64(rows * matrix.inputs), halves)
                return kd_multiply(matrix.handle, halves, Int64(rows), y, bias)
            }
        case .int8:
            return matrix.multiplyQuantized(x, rows: rows, bias: bias, activation: .identity, into: y)
        }
        precondition(status == 0, "oneDNN refused a product of \(rows) rows by \(matrix.inputs) x \(matrix.outputs)")
    }

    public static func convertOperand(_ x: Input, count: Int, precision: Precision, into y: UnsafeMutableRawPointer) {
        if precision.hasHalfOperands {
            kt_f32_to_bf16(x, Int64(count), y.assumingMemoryBound(to: UInt16.self))
        } else {
            y.copyMemory(from: x, byteCount: count * MemoryLayout<Float>.stride)
        }
    }

    public static func multiply(operand x: UnsafeRawPointer, rows: Int, by matrix: PackedMatrix<Float>, bias: Input?, into y: Output) {
        guard rows > 0 else { return }
        precondition(matrix.precision != .int8, "an int8 product takes floats and rounds them itself")
        let status = kd_multiply(matrix.handle, x, Int64(rows), y, bias)
        precondition(status == 0, "oneDNN refused a product of \(rows) rows by \(matrix.inputs) x \(matrix.outputs)")
    }

    public static func product(
        operand a: UnsafeRawPointer, transposed aTransposed: Bool, operand b: UnsafeRawPointer, transposed bTransposed: Bool,
        m: Int, n: Int, k: Int, lda: Int, ldb: Int, into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    ) {
        guard m > 0, n > 0 else { return }
        let status = kd_gemm(precision.hasHalfOperands ? KD_BF16 : KD_F32, aTransposed, bTransposed, Int64(m), Int64(n), Int64(k),
                             a, Int64(lda), b, Int64(ldb), c, Int64(ldc), accumulate)
        precondition(status == 0, "oneDNN refused a product of \(m) x \(k) by \(k) x \(n)")
    }

    public static func product(
        _ a: Input, transposed aTransposed: Bool, _ b: Input, transposed bTransposed: Bool,
        m: Int, n: Int, k: Int, lda: Int, ldb: Int, into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    ) {
        guard m > 0, n > 0 else { return }
        let status: Int32
        if precision == .bf16 {
            let aCount = (aTransposed ? k : m) * lda, bCount = (bTransposed ? n : k) * ldb
            status = Scratch.with(UInt16.self, count: aCount + bCount) { halves in
                kt_f32_to_bf16(a, Int64(aCount), halves)
                kt_f32_to_bf16(b, Int64(bCount), halves + aCount)
                return kd_gemm(KD_BF16, aTransposed, bTransposed, Int64(m), Int64(n), Int64(k), halves, Int64(lda),
                               halves + aCount, Int64(ldb), c, Int64(ldc), accumulate)
            }
        } else {
            status = kd_gemm(KD_F32, aTransposed, bTransposed, Int64(m), Int64(n), Int64(k), a, Int64(lda), b, Int64(ldb), c, Int64(ldc), accumulate)
        }
        precondition(status == 0, "oneDNN refused a product of \(m) x \(k) by \(k) x \(n)")
    }
}

/// OpenBLAS with one thread, set before its first product.
private let singleThreadedBLAS: Void = openblas_set_num_threads(1)

extension Double {
    public static func pack(
        _ source: Input, inputs: Int, outputs: Int, inputStride: Int, outputStride: Int, precision: Precision
    ) -> PackedMatrix<Double> {
        let matrix = PackedMatrix<Double>(inputs: inputs, outputs: outputs, inputStride: inputStride, outputStride: outputStride,
                                          precision: precision, handle: nil, plain: [Double](repeating: 0, count: inputs * outputs))
        repack(matrix, source)
        return matrix
    }

    public static func repack(_ matrix: PackedMatrix<Double>, _ source: Input) {
        for input in 0..<matrix.inputs {
            for output in 0..<matrix.outputs {
                matrix.plain[input * matrix.outputs + output] = source[input * matrix.inputStride + output * matrix.outputStride]
            }
        }
    }

    public static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Double>, bias: Input?, into y: Output) {
        guard rows > 0 else { return }
        product(x, transposed: false, matrix.plain, transposed: false, m: rows, n: matrix.outputs, k: matrix.inputs,
                lda: matrix.inputs, ldb: matrix.outputs, into: y, ldc: matrix.outputs, accumulate: false, precision: .f32)
        if let bias { addRowVector(bias, rows: rows, columns: matrix.outputs, to: y) }
    }

    public static func convertOperand(_ x: Input, count: Int, precision: Precision, into y: UnsafeMutableRawPointer) {
        y.copyMemory(from: x, byteCount: count * MemoryLayout<Double>.stride)
    }

    public static func multiply(operand x: UnsafeRawPointer, rows: Int, by matrix: PackedMatrix<Double>, bias: Input?, into y: Output) {
        multiply(x.assumingMemoryBound(to: Double.self), rows: rows, by: matrix, bias: bias, into: y)
    }

    public static func product(
        operand a: UnsafeRawPointer, transposed aTransposed: Bool, operand b: UnsafeRawPointer, transposed bTransposed: Bool,
        m: Int, n: Int, k: Int, lda: Int, ldb: Int, into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    ) {
        product(a.assumingMemoryBound(to: Double.self), transposed: aTransposed, b.assumingMemoryBound(to: Double.self), transposed: bTransposed,
                m: m, n: n, k: k, lda: lda, ldb: ldb, into: c, ldc: ldc, accumulate: accumulate, precision: precision)
    }

    public static func product(
        _ a: Input, transposed aTransposed: Bool, _ b: Input, transposed bTransposed: Bool,
        m: Int, n: Int, k: Int, lda: Int, ldb: Int, into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    ) {
        guard m > 0, n > 0 else { return }
        _ = singleThreadedBLAS
        cblas_dgemm(CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
                    blasint(m), blasint(n), blasint(k), 1, a, blasint(lda), b, blasint(ldb), accumulate ? 1 : 0, c, blasint(ldc))
    }
}
