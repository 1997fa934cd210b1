import Synchronization
import Tensors

/// A tensor that a network learns: weights of a linear layer `(outputs, inputs)`, a bias, an embedding table `(rows, size)`.
///
/// Who infers only reads, and no public function changes a parameter. Loaders and trainers of this package change it, `assign` by
/// `assign` and step by step: a model that trains belongs to its trainer. Whoever reads meanwhile from another thread sees a whole value,
/// the one before or the one after.
///
/// Beside the value it keeps the layouts that matrix products want, made when first asked for and dropped when the value changes.
public final class Parameter<Scalar: TensorScalar>: Sendable {
    /// Shape of the value.
    public let shape: [Int]
    /// One that no training changes (a table of sinusoids) gets no gradient.
    public let isTrainable: Bool

    private struct Layout: Hashable {
        var precision: Precision
        var transposed: Bool
    }
    private struct State: Sendable {
        var value: Tensor<Scalar> {
            mutating get {
                if !pending.isEmpty {
                    let parts = pending
                    pending = []
                    for part in parts { part(&stored) }
                }
                return stored
            }
            set {
                stored = newValue
                pending = []
            }
        }
        private var stored: Tensor<Scalar>
        /// Fills the value on first use.
        var pending: [@Sendable (inout Tensor<Scalar>) -> Void] = []
        var whole: [Layout: PackedMatrix<Scalar>] = [:]
        var blocks: [Precision: [PackedMatrix<Scalar>]] = [:]

        init(value: Tensor<Scalar>) { stored = value }
    }
    private let state: Mutex<State>

    /// A parameter with its initial value.
    public init(_ value: Tensor<Scalar>, isTrainable: Bool = true) {
        shape = value.shape
        self.isTrainable = isTrainable
        state = Mutex(State(value: value))
    }

    /// The value as it is now.
    public var value: Tensor<Scalar> { state.withLock { $0.value } }

    /// - Precondition: `value` has the parameter's shape.
    package func assign(_ value: Tensor<Scalar>) {
        precondition(value.shape == shape, "a parameter of shape \(shape) cannot become \(value.shape)")
        state.withLock { $0 = State(value: value) }
    }

    /// The same value that the parameter has, or will have on first use, in other memory: layouts are unchanged.
    package func assignKept(_ value: Tensor<Scalar>) {
        precondition(value.shape == shape)
        state.withLock { $0.value = value }
    }

    /// Defers a part of `assign` until the value is used, which never happens when computing with cached layouts (`adopt`).
    package func fillLater(_ part: @escaping @Sendable (inout Tensor<Scalar>) -> Void) { state.withLock { $0.pending.append(part) } }

    /// The matrix that takes `(n, inputs)` to `(n, outputs)`; `transposed` takes gradients back from outputs to inputs.
    package func packed(_ precision: Precision, transposed: Bool = false) -> PackedMatrix<Scalar> {
        state.withLock { state in
            let layout = Layout(precision: precision, transposed: transposed)
            if let known = state.whole[layout] { return known }
            let made = Scalar.pack(state.value.view, transposed: transposed, precision: precision)
            state.whole[layout] = made
            return made
        }
    }

    /// The layout of `packed` if it has been made.
    package func known(_ precision: Precision) -> PackedMatrix<Scalar>? {
        state.withLock { $0.whole[Layout(precision: precision, transposed: false)] }
    }

    /// Adopts a layout of the value that the parameter has.
    package func adopt(_ matrix: PackedMatrix<Scalar>) {
        precondition(shape == [matrix.outputs, matrix.inputs])
        state.withLock { $0.whole[Layout(precision: matrix.precision, transposed: false)] = matrix }
    }

    /// The matrix of `packed` split into blocks of this many outputs, the last one smaller, each laid out by itself.
    package func packedBlocks(_ precision: Precision, columns: Int) -> [PackedMatrix<Scalar>] {
        if shape[0] <= columns { return [packed(precision)] }
        return state.withLock { state in
            if let known = state.blocks[precision], known.first?.outputs == columns { return known }
            let weights = state.value.view
            let made = Parallel.chunks(weights.rows, size: columns).map { Scalar.pack(weights[rows: $0], precision: precision) }
            state.blocks[precision] = made
            return made
        }
    }

    /// Takes the value out for an optimizer to write to, without a copy; until `giveBack` the parameter has a value of zeros' shape only,
    /// and must not be used in computations.
    package func take() -> Tensor<Scalar> {
        state.withLock { state in
            let value = state.value
            state.value = Tensor(uninitialized: [0])
            return value
        }
    }

    /// Puts the changed value back and lays it out again for products: in the memory that a layout already has, where nobody else
    /// holds that layout.
    package func giveBack(_ value: consuming Tensor<Scalar>) {
        precondition(value.shape == shape)
        let value = value
        state.withLock { state in
            state.value = value
            // Blocks are for inference: made again when they are wanted, not with every step.
            state.blocks = [:]
            for layout in Array(state.whole.keys) {
                guard var matrix = state.whole.removeValue(forKey: layout) else { continue }
                if isKnownUniquelyReferenced(&matrix), !matrix.isView {
                    Scalar.repack(&matrix, value.view)
                    state.whole[layout] = matrix
                }
            }
        }
    }
}
