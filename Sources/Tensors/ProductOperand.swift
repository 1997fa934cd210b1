import CKernels
import COneDNN

/// A matrix as products want it: the tensor itself in f32, its elements rounded to bfloat16 in bf16. Training uses the input of a layer
/// twice (forward, and for the gradient of the weights) and the gradient of its output twice; each is rounded once.
package struct ProductOperand<Scalar: TensorScalar>: @unchecked Sendable {
    package let precision: Precision
    package let rows: Int
    package let columns: Int
    private let tensor: Tensor<Scalar>?
    private let halves: TensorStorage<UInt16>?

    /// - Parameter tensor: `(rows, columns)`.
    package init(_ tensor: Tensor<Scalar>, precision: Precision) {
        rows = tensor.rows
        columns = tensor.columns
        self.precision = precision
        if precision.hasHalfOperands, Scalar.self == Float.self {
            let halves = TensorStorage<UInt16>(uninitializedCount: tensor.count)
            tensor.withUnsafeElements { Scalar.convertOperand($0, count: tensor.count, precision: precision, into: halves.elements) }
            self.halves = halves
            self.tensor = nil
        } else {
            halves = nil
            self.tensor = tensor
        }
    }

    /// The elements, of the type that `precision` says.
    package func withOperand<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        if let tensor { return tensor.withUnsafeElements { body(UnsafeRawPointer($0)) } }
        defer { withExtendedLifetime(halves) {} }
        return body(UnsafeRawPointer(halves!.elements))
    }
}

extension Precision {
    /// Whether `Float` matrices are rounded to bfloat16 before they are multiplied.
    package var hasHalfOperands: Bool { self == .bf16 }
}

extension TensorScalar {
    /// Bytes of one element of an operand.
    package static func operandStride(_ precision: Precision) -> Int {
        precision.hasHalfOperands && Self.self == Float.self ? 2 : MemoryLayout<Self>.stride
    }
}
