import CKernels
import Glibc

/// Rows as products want them: as they are in f32, rounded to bfloat16 in bf16. Training uses the input of a layer twice (forward, and for
/// the gradient of the weights) and the gradient of its output twice; each is rounded once.
package struct ProductOperand<Scalar: TensorScalar>: Sendable {
    package let precision: Precision
    /// One of the two is there.
    let exact: MatrixView<Scalar>?
    let halves: MatrixView<UInt16>?

    /// - Parameter x: `(rows, columns)` without gaps.
    package init(_ x: MatrixView<Scalar>, precision: Precision) {
        self.precision = precision
        guard precision == .bf16, Scalar.self == Float.self else {
            exact = x
            halves = nil
            return
        }
        let rounded = TensorStorage<UInt16>(uninitializedCount: x.count)
        kt_f32_to_bf16(UnsafeRawPointer(x.elements).assumingMemoryBound(to: Float.self), Int64(x.count), rounded.elements)
        exact = nil
        halves = MatrixView(rounded, rows: x.rows, columns: x.columns, stride: x.columns)
    }

    private init(precision: Precision, exact: MatrixView<Scalar>?, halves: MatrixView<UInt16>?) {
        self.precision = precision
        self.exact = exact
        self.halves = halves
    }

    package init(_ tensor: Tensor<Scalar>, precision: Precision) { self.init(tensor.view, precision: precision) }

    package var rows: Int { exact?.rows ?? halves?.rows ?? 0 }
    package var columns: Int { exact?.columns ?? halves?.columns ?? 0 }

    package subscript(rows range: Range<Int>) -> ProductOperand {
        ProductOperand(precision: precision, exact: exact?[rows: range], halves: halves?[rows: range])
    }

    /// Valid while the operand lives.
    var start: UnsafeRawPointer {
        if let exact { return UnsafeRawPointer(exact.elements) }
        return UnsafeRawPointer(halves!.elements)
    }

    /// The same rows, and rows of zeros below them.
    func filledUp(to height: Int) -> ProductOperand {
        func filledUp<Element>(_ x: MatrixView<Element>) -> MatrixView<Element> {
            let storage = TensorStorage<Element>(uninitializedCount: height * x.columns)
            storage.elements.update(from: x.elements, count: x.count)
            // Zero is all bits 0 in floats and halves; as bytes, the fill is a memset also where this generic code is not specialized.
            memset(storage.elements + x.count, 0, (height * x.columns - x.count) * MemoryLayout<Element>.stride)
            return MatrixView(storage, rows: height, columns: x.columns, stride: x.columns)
        }
        return height == rows
            ? self
            : ProductOperand(precision: precision, exact: exact.map { filledUp($0) }, halves: halves.map { filledUp($0) })
    }
}
