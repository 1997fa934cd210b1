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
    fileprivate let handle: OpaquePointer?
    /// Row-major (inputs, outputs), for Double.
    fileprivate var plain: [Scalar]
    /// For int8: the value of one step in each output column (outputs).
    package private(set) var scales: [Float]

    fileprivate init(inputs: Int, outputs: Int, inputStride: Int, outputStride: Int, precision: Precision,
                     handle: OpaquePointer?, plain: [Scalar] = [], scales: [Float] = []) {
        self.inputs = inputs
        self.outputs = outputs
        self.inputStride = inputStride
        self.outputStride = outputStride
        self.precision = precision
        self.handle = handle
        self.plain = plain
        self.scales = scales
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
        var scales: [Float] = []
        let handle: OpaquePointer?
        switch precision {
        case .f32:
            handle = kd_pack(KD_F32, Int64(inputs), Int64(outputs), source, Int64(inputStride), Int64(outputStride))
        case .bf16:
            var gathered = [UInt16](repeating: 0, count: inputs * outputs)
            withGathered(source, inputs, outputs, inputStride, outputStride) { plain in
                gathered.withUnsafeMutableBufferPointer { kt_f32_to_bf16(plain, Int64(inputs * outputs), $0.baseAddress!) }
            }
            handle = kd_pack(KD_BF16, Int64(inputs), Int64(outputs), gathered, Int64(outputs), 1)
        case .int8:
            var quantized = [Int8](repeating: 0, count: inputs * outputs)
            scales = [Float](repeating: 0, count: outputs)
            for output in 0..<outputs {
                var largest: Float = 0
                for input in 0..<inputs { largest = max(largest, abs(source[input * inputStride + output * outputStride])) }
                let step = largest > 0 ? largest / 127 : 1
                scales[output] = step
                for input in 0..<inputs {
                    let value = (source[input * inputStride + output * outputStride] / step).rounded(.toNearestOrEven)
                    quantized[input * outputs + output] = Int8(Swift.max(-127, Swift.min(127, value)))
                }
            }
            handle = kd_pack(KD_S8, Int64(inputs), Int64(outputs), quantized, Int64(outputs), 1)
        }
        precondition(handle != nil, "oneDNN could not lay out a \(inputs) by \(outputs) matrix in \(precision)")
        return PackedMatrix(inputs: inputs, outputs: outputs, inputStride: inputStride, outputStride: outputStride,
                            precision: precision, handle: handle, scales: scales)
    }

    /// Calls `body` with the matrix as contiguous rows (inputs, outputs).
    private static func withGathered(
        _ source: Input, _ inputs: Int, _ outputs: Int, _ inputStride: Int, _ outputStride: Int, _ body: (Input) -> Void
    ) {
        if outputStride == 1 && inputStride == outputs { return body(source) }
        let plain = [Float](unsafeUninitializedCapacity: inputs * outputs) { buffer, count in
            for output in 0..<outputs {
                for input in 0..<inputs { buffer[input * outputs + output] = source[input * inputStride + output * outputStride] }
            }
            count = inputs * outputs
        }
        plain.withUnsafeBufferPointer { body($0.baseAddress!) }
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
            preconditionFailure("int8 products run through QuantizedProducts")
        }
        precondition(status == 0, "oneDNN refused a product of \(rows) rows by \(matrix.inputs) x \(matrix.outputs)")
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
        let plain = [Double](unsafeUninitializedCapacity: inputs * outputs) { buffer, count in
            for input in 0..<inputs {
                for output in 0..<outputs { buffer[input * outputs + output] = source[input * inputStride + output * outputStride] }
            }
            count = inputs * outputs
        }
        return PackedMatrix(inputs: inputs, outputs: outputs, inputStride: outputs, outputStride: 1, precision: precision, handle: nil, plain: plain)
    }

    public static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Double>, bias: Input?, into y: Output) {
        guard rows > 0 else { return }
        product(x, transposed: false, matrix.plain, transposed: false, m: rows, n: matrix.outputs, k: matrix.inputs,
                lda: matrix.inputs, ldb: matrix.outputs, into: y, ldc: matrix.outputs, accumulate: false, precision: .f32)
        if let bias { addRowVector(bias, rows: rows, columns: matrix.outputs, to: y) }
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
