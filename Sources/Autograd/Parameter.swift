import Synchronization
import Tensors

/// A tensor that a network learns: weights of a linear layer `(outputs, inputs)`, a bias, an embedding table `(rows, size)`.
///
/// Beside the value it keeps the layouts that matrix products want, made when first asked for and dropped when the value
/// changes. Reading from many threads is safe; setting `value` is for the owner, while nobody computes.
public final class Parameter<Scalar: TensorScalar>: @unchecked Sendable {
    public var value: Tensor<Scalar> {
        didSet { layouts.withLock { $0 = [:] } }
    }
    /// Frozen parameters get no gradient.
    public var isTrainable = true

    public init(_ value: Tensor<Scalar>) {
        self.value = value
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
}
