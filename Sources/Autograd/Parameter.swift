import Synchronization
import Tensors

/// A tensor that a network learns: weights of a linear layer `(outputs, inputs)`, a bias, an embedding table `(rows, size)`.
///
/// Beside the value it keeps the layouts that matrix products want, made when first asked for and dropped when the value
/// changes. Reading from many threads is safe; setting `value` is for the owner, while nobody computes.
public final class Parameter<Scalar: TensorScalar>: @unchecked Sendable {
    public var value: Tensor<Scalar> {
        get { current }
        set {
            current = newValue
            layouts.withLock { $0 = [:] }
        }
    }
    /// The value, without the dropping of layouts that an assignment brings.
    private var current: Tensor<Scalar>
    /// Frozen parameters get no gradient.
    public var isTrainable = true

    public init(_ value: Tensor<Scalar>) {
        current = value
    }

    public var shape: [Int] { value.shape }

    private struct Layout: Hashable { var precision: Precision; var transposed: Bool }
    private let layouts = Mutex<[Layout: PackedMatrix<Scalar>]>([:])

    /// The matrix that takes `(n, inputs)` to `(n, outputs)`; `transposed` takes gradients back from outputs to inputs.
    package func packed(_ precision: Precision, transposed: Bool = false) -> PackedMatrix<Scalar> {
        layouts.withLock { layouts in
            let layout = Layout(precision: precision, transposed: transposed)
            if let known = layouts[layout] { return known }
            let outputs = value.rows, inputs = value.columns
            let made = value.withUnsafeElements { source in
                transposed
                    ? Scalar.pack(source, inputs: outputs, outputs: inputs, inputStride: inputs, outputStride: 1, precision: precision)
                    : Scalar.pack(source, inputs: inputs, outputs: outputs, inputStride: 1, outputStride: inputs, precision: precision)
            }
            layouts[layout] = made
            return made
        }
    }

    /// Memory of the value, for an optimizer to write to while nobody computes; `refreshLayouts` afterwards.
    package func mutablePointer() -> UnsafeMutablePointer<Scalar> {
        current.withUnsafeMutableElements { $0 }
    }

    /// Lays the changed value out again for products, in the memory that the layouts already have.
    package func refreshLayouts() {
        layouts.withLock { layouts in
            for matrix in layouts.values { current.withUnsafeElements { Scalar.repack(matrix, $0) } }
        }
    }
}
