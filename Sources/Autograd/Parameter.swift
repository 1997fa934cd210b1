import Synchronization
import Tensors

/// A tensor that a network learns: weights of a linear layer `(outputs, inputs)`, a bias, an embedding table `(rows, size)`.
///
/// Who infers only reads, and no public function changes a parameter. Loaders and trainers of this package change it, `assign` by
/// `assign` and step by step: a model that trains belongs to its trainer. Whoever reads meanwhile from another thread sees a whole value,
/// the one before or the one after.
///
/// Beside the value it keeps the layouts that matrix products want, made when first asked for and dropped when the value changes.
package final class Parameter<Scalar: TensorScalar>: Sendable {
    /// Shape of the value.
    package let shape: [Int]
    /// One that no training changes (a table of sinusoids) gets no gradient.
    package let isTrainable: Bool

    private struct Layout: Hashable {
        var precision: Precision
        var transposed: Bool
    }
    /// A part of a value that is read when it is wanted.
    package struct Deferred: Sendable {
        /// Rows of the parameter; nil for all of it.
        var rows: Range<Int>?
        var read: @Sendable () -> Tensor<Scalar>
        /// Reads rows of the part by themselves, where that is cheaper than all of it.
        var readRows: (@Sendable (Range<Int>) -> Tensor<Scalar>)?

        package init(
            rows: Range<Int>? = nil, read: @escaping @Sendable () -> Tensor<Scalar>,
            readRows: (@Sendable (Range<Int>) -> Tensor<Scalar>)? = nil
        ) {
            (self.rows, self.read, self.readRows) = (rows, read, readRows)
        }

        func fill(_ value: inout Tensor<Scalar>) {
            if let rows { Scalar.copy(read().view, into: &value[rows: rows]) } else { value = read() }
        }
    }

    private struct State: Sendable {
        var value: Tensor<Scalar> {
            mutating get {
                if !pending.isEmpty {
                    let parts = pending
                    pending = []
                    for part in parts { part.fill(&stored) }
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
        var pending: [Deferred] = []
        var whole: [Layout: PackedMatrix<Scalar>] = [:]
        var blocks: [Precision: [PackedMatrix<Scalar>]] = [:]

        init(value: Tensor<Scalar>) { stored = value }

        /// The value for the moment: what is deferred stays so, and a network that only multiplies holds its weights once, laid out.
        var passing: Tensor<Scalar> {
            guard !pending.isEmpty else { return stored }
            if pending.count == 1, pending[0].rows == nil { return pending[0].read() }
            let filled = pending.reduce(0) { $0 + ($1.rows?.count ?? stored.shape[0]) }
            // Rows that no part fills are the ones that are there.
            var value = filled == stored.shape[0] ? Tensor(uninitialized: stored.shape) : stored
            for part in pending { part.fill(&value) }
            return value
        }

        /// What reads rows of the whole value by themselves, if something does.
        var reader: (@Sendable (Range<Int>) -> Tensor<Scalar>)? { pending.count == 1 && pending[0].rows == nil ? pending[0].readRows : nil }
    }
    private let state: Mutex<State>

    /// A parameter with its initial value.
    package init(_ value: Tensor<Scalar>, isTrainable: Bool = true) {
        shape = value.shape
        self.isTrainable = isTrainable
        state = Mutex(State(value: value))
    }

    /// The value as it is now.
    package var value: Tensor<Scalar> { state.withLock { $0.value } }

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

    /// Defers a part of `assign` until the value is used, which never happens where only layouts are.
    package func fillLater(_ part: Deferred) {
        state.withLock {
            if part.rows == nil { $0.pending = [] }
            ($0.whole, $0.blocks) = ([:], [:])
            $0.pending.append(part)
        }
    }

    /// y[i] = value[rows[i]], or added to it. A large table that is still in a file stays there: only the rows are read.
    package func gatherRows(_ rows: [Int32], adding: Bool, into y: inout MutableMatrixView<Scalar>) {
        let reader = shape.reduce(1, *) >= 1 << 24 ? state.withLock { $0.reader } : nil
        guard let reader else { return Scalar.gatherRows(value.view, rows, adding: adding, into: &y) }
        precondition(rows.allSatisfy { $0 >= 0 && Int($0) < shape[0] }, "a row outside a table of \(shape[0])")
        var found = Tensor<Scalar>(uninitialized: [rows.count, shape[1]])
        for (i, row) in rows.enumerated() { Scalar.copy(reader(Int(row)..<Int(row) + 1).view, into: &found[rows: i..<i + 1]) }
        Scalar.gatherRows(found.view, (0..<Int32(rows.count)).map { $0 }, adding: adding, into: &y)
    }

    /// The matrix that takes `(n, inputs)` to `(n, outputs)`; `transposed` takes gradients back from outputs to inputs.
    package func packed(_ precision: Precision, transposed: Bool = false) -> PackedMatrix<Scalar> {
        state.withLock { state in
            let layout = Layout(precision: precision, transposed: transposed)
            if let known = state.whole[layout] { return known }
            let made = Scalar.pack(state.passing.view, transposed: transposed, precision: precision)
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
            let ranges = Parallel.chunks(shape[0], size: columns), reader = state.reader
            let weights = reader == nil ? state.passing : nil
            let made = ranges.map { rows in
                weights.map { Scalar.pack($0.view[rows: rows], precision: precision) }
                    ?? Scalar.pack(reader!(rows).view, precision: precision)
            }
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
