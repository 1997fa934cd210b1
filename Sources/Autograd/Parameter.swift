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
            layouts.withLock { $0 = Layouts() }
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
    private struct Layouts: Sendable {
        var whole: [Layout: PackedMatrix<Scalar>] = [:]
        var blocks: [Precision: [PackedMatrix<Scalar>]] = [:]
    }
    private let layouts = Mutex(Layouts())

    /// The matrix that takes `(n, inputs)` to `(n, outputs)`; `transposed` takes gradients back from outputs to inputs.
    package func packed(_ precision: Precision, transposed: Bool = false) -> PackedMatrix<Scalar> {
        layouts.withLock { layouts in
            let layout = Layout(precision: precision, transposed: transposed)
            if let known = layouts.whole[layout] { return known }
            let outputs = value.rows, inputs = value.columns
            let made = value.withUnsafeElements { source in
                transposed
                    ? Scalar.pack(source, inputs: outputs, outputs: inputs, inputStride: inputs, outputStride: 1, precision: precision)
                    : Scalar.pack(source, inputs: inputs, outputs: outputs, inputStride: 1, outputStride: inputs, precision: precision)
            }
            layouts.whole[layout] = made
            return made
        }
    }

    /// The matrix of `packed` cut into blocks of so many outputs, the last one smaller, each laid out by itself.
    package func packedBlocks(_ precision: Precision, columns: Int) -> [PackedMatrix<Scalar>] {
        let outputs = value.rows, inputs = value.columns
        if outputs <= columns { return [packed(precision)] }
        return layouts.withLock { layouts in
            if let known = layouts.blocks[precision], known.first?.outputs == columns { return known }
            let made = value.withUnsafeElements { source in
                stride(from: 0, to: outputs, by: columns).map { first in
                    Scalar.pack(source + first * inputs, inputs: inputs, outputs: min(columns, outputs - first), inputStride: 1,
                                outputStride: inputs, precision: precision)
                }
            }
            layouts.blocks[precision] = made
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
            // Blocks are for inference: made again when they are wanted, not with every step.
            layouts.blocks = [:]
            for matrix in layouts.whole.values { current.withUnsafeElements { Scalar.repack(matrix, $0) } }
        }
    }
}
