import CKernels
import CLAPACK
import COneDNN
import Glibc

// How Float and Double multiply; the last lines before oneDNN and OpenBLAS.

func releasePacked(_ handle: OpaquePointer?) { kd_release(handle) }

extension ProductTable where S == Float {
    static var oneDNN: ProductTable<Float> {
        ProductTable(
            pack: packFloats, repack: repackFloats,
            multiply: { x, rows, matrix, bias, y in
                let size = matrix.precision == .bf16 ? MemoryLayout<UInt16>.size : MemoryLayout<Float>.size
                multiplyTogether(matrix, x, rows: rows, elementSize: size, bias, UnsafeMutableRawPointer(y))
            },
            product: { shape, a, b, c, precision in
                let status = kd_gemm(
                    precision == .bf16 ? KD_BF16 : KD_F32, shape.aTransposed, shape.bTransposed, Int64(shape.m),
                    Int64(shape.n), Int64(shape.k), a, Int64(shape.aStride), b, Int64(shape.bStride), c,
                    Int64(shape.cStride), shape.accumulates)
                precondition(status == 0, "oneDNN refused a product of \(shape.m) x \(shape.k) by \(shape.k) x \(shape.n)")
            },
            multiplyQuantized: { x, rows, matrix, bias, activation, y in
                matrix.multiplyQuantized(x, rows: rows, bias: bias, activation: activation, into: y)
            },
            feedForwardQuantized: { x, rows, weights, y in weights.multiplyQuantized(x, rows: rows, into: y) })
    }
}

/// y (rows, outputs) = x (rows, inputs) · matrix + bias on the threads that the work at hand has for itself: many rows are divided among them,
/// of few rows the columns. Either way every number has the bits that one thread gives it.
func multiplyTogether(
    _ matrix: PackedMatrix<Float>, _ x: UnsafeRawPointer, rows: Int, elementSize: Int, _ bias: UnsafePointer<Float>?,
    _ y: UnsafeMutableRawPointer
) {
    @Sendable func check(_ status: Int32) {
        precondition(status == 0, "oneDNN refused a product of \(rows) rows by \(matrix.inputs) x \(matrix.outputs)")
    }
    let helpers = Parallel.helpers, threads = helpers?.threads ?? 1, tile = Int(KD_TILE_ROWS)
    let parts = threads > 1 && rows < 2 * tile ? Int(kd_column_parts(matrix.handle, Int64(rows))) : 1
    // Waking a thread costs as much as some two million products of numbers.
    guard let helpers, threads > 1, parts > 1 || rows >= 2 * tile, rows * matrix.inputs * matrix.outputs >= 1 << (rows > tile ? 23 : 19)
    else {
        return check(kd_multiply(matrix.handle, x, Int64(rows), y, bias))
    }
    // Every item writes rows or columns of its own.
    nonisolated(unsafe) let x = x, bias = bias, y = y
    if parts > 1 {
        return helpers.run(parts) { part in
            check(kd_multiply_part(matrix.handle, x, Int64(rows), y, bias, Int32(part), Int32(parts)))
        }
    }
    let ranges = Parallel.chunks(rows, size: (rows / tile + threads - 1) / threads * tile)
    helpers.run(ranges.count) { index in
        let range = ranges[index]
        check(
            kd_multiply(
                matrix.handle, x + range.lowerBound * matrix.inputs * elementSize, Int64(range.count),
                y + range.lowerBound * matrix.outputs * MemoryLayout<Float>.size, bias))
    }
}

@Sendable private func packFloats(_ source: UnsafePointer<Float>, _ layout: MatrixLayout, _ precision: Precision) -> PackedMatrix<Float> {
    let (inputs, outputs) = (layout.inputs, layout.outputs)
    func made(_ handle: OpaquePointer?, scales: [Float]? = nil, columnSums: [Float]? = nil) -> PackedMatrix<Float> {
        precondition(handle != nil, "oneDNN could not lay out a \(inputs) by \(outputs) matrix in \(precision)")
        return PackedMatrix(
            layout, precision: precision, handle: handle, scales: scales.map { TensorStorage($0) },
            columnSums: columnSums.map { TensorStorage($0) })
    }
    switch precision {
    case .f32:
        return made(kd_pack(KD_F32, Int64(inputs), Int64(outputs), source, Int64(layout.inputStride), Int64(layout.outputStride)))
    case .bf16:
        return made(
            withHalves(of: source, count: layout.reach) {
                kd_pack(KD_BF16, Int64(inputs), Int64(outputs), $0, Int64(layout.inputStride), Int64(layout.outputStride))
            })
    case .int8:
        // Output by output, as the checkpoints of linear layers have them: reading and writing in order.
        var scales = [Float](repeating: 0, count: outputs), columnSums = scales
        let quantized = [Int8](unsafeUninitializedCapacity: inputs * outputs) { quantized, count in
            if layout.inputStride == 1 {
                kt_quantize_weights(
                    source, Int64(outputs), Int64(inputs), Int64(layout.outputStride), quantized.baseAddress, &scales, &columnSums)
            } else {
                Scratch.with(Float.self, count: inputs) { column in
                    for output in 0..<outputs {
                        let from = source + output * layout.outputStride
                        for input in 0..<inputs { column[input] = from[input * layout.inputStride] }
                        kt_quantize_weights(
                            column, 1, Int64(inputs), Int64(inputs), quantized.baseAddress! + output * inputs, &scales[output],
                            &columnSums[output])
                    }
                }
            }
            count = inputs * outputs
        }
        return made(kd_pack(KD_S8, Int64(inputs), Int64(outputs), quantized, 1, Int64(inputs)), scales: scales, columnSums: columnSums)
    }
}

@Sendable private func repackFloats(_ matrix: PackedMatrix<Float>, _ source: UnsafePointer<Float>) {
    let status =
        switch matrix.precision {
        case .f32: kd_repack(matrix.handle, source)
        case .bf16: withHalves(of: source, count: matrix.layout.reach) { kd_repack(matrix.handle, $0) }
        case .int8: preconditionFailure("int8 weights are for inference and do not change")
        }
    precondition(status == 0, "oneDNN could not lay out a \(matrix.inputs) by \(matrix.outputs) matrix in \(matrix.precision)")
}

/// Numbers rounded to bfloat16, for the length of a call; whatever the strides, what lies between is rounded for nothing.
func withHalves<Result>(of source: UnsafePointer<Float>, count: Int, _ body: (UnsafePointer<UInt16>) -> Result) -> Result {
    Scratch.with(UInt16.self, count: count) { halves in
        kt_f32_to_bf16(source, Int64(count), halves)
        return body(halves)
    }
}

/// Ends the threads that OpenBLAS starts when it is loaded: they would turn round for some hundredths of a second, on a core that our own
/// workers want, before they sleep; and all of its products here run on the calling thread.
package func endIdleThreads() {
    // First their number, because to set it starts them again.
    _ = singleThreadedBLAS
    // The library's own function for that; another build of BLAS has none, and no such threads.
    guard let symbol = dlsym(nil, "blas_thread_shutdown_") else { return }
    typealias Shutdown = @convention(c) () -> Int32
    _ = unsafeBitCast(symbol, to: Shutdown.self)()
}

/// OpenBLAS with one thread, set before its first product.
private let singleThreadedBLAS: Void = openblas_set_num_threads(1)

extension ProductTable where S == Double {
    static var openBLAS: ProductTable<Double> {
        ProductTable(
            pack: { source, layout, precision in
                let matrix = PackedMatrix<Double>(
                    layout, precision: precision,
                    plain: TensorStorage(uninitializedCount: layout.inputs * layout.outputs))
                repackDoubles(matrix, source)
                return matrix
            },
            repack: repackDoubles,
            multiply: { x, rows, matrix, bias, y in
                let shape = ProductShape(
                    m: rows, n: matrix.outputs, k: matrix.inputs, aStride: matrix.inputs, bStride: matrix.outputs,
                    cStride: matrix.outputs)
                multiplyDoubles(shape, x, UnsafeRawPointer(matrix.plain!.elements), y)
                if let bias { Double.kernels.c.addRowVector(bias, Int64(rows), Int64(matrix.outputs), y) }
            },
            product: { shape, a, b, c, _ in multiplyDoubles(shape, a, b, c) }, multiplyQuantized: nil, feedForwardQuantized: nil)
    }
}

@Sendable private func repackDoubles(_ matrix: PackedMatrix<Double>, _ source: UnsafePointer<Double>) {
    let layout = matrix.layout, to = matrix.plain!.elements
    for input in 0..<layout.inputs {
        for output in 0..<layout.outputs {
            to[input * layout.outputs + output] = source[input * layout.inputStride + output * layout.outputStride]
        }
    }
}

private func multiplyDoubles(_ shape: ProductShape, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutablePointer<Double>) {
    _ = singleThreadedBLAS
    cblas_dgemm(
        CblasRowMajor, shape.aTransposed ? CblasTrans : CblasNoTrans, shape.bTransposed ? CblasTrans : CblasNoTrans,
        blasint(shape.m), blasint(shape.n), blasint(shape.k), 1, a.assumingMemoryBound(to: Double.self), blasint(shape.aStride),
        b.assumingMemoryBound(to: Double.self), blasint(shape.bStride), shape.accumulates ? 1 : 0, c, blasint(shape.cStride))
}
