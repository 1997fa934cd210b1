import Tensors

/// A value inside a network, and its place on the tape that records how it came about (none without a tape).
package struct Variable<Scalar: TensorScalar>: Sendable {
    /// The value.
    package let value: Tensor<Scalar>
    fileprivate let node: Int?

    /// A constant: no gradient flows into it.
    package init(_ value: Tensor<Scalar>) {
        self.value = value
        node = nil
    }

    fileprivate init(_ value: Tensor<Scalar>, node: Int) {
        self.value = value
        self.node = node
    }

    /// Shape of the value.
    package var shape: [Int] { value.shape }

    /// Where the gradient goes, without the value: a derivative that does not need the value keeps this, and the memory is free.
    package var place: Place { Place(node: node) }
}

/// A variable's place on the tape.
package struct Place: Sendable {
    fileprivate let node: Int?
    /// Whether a gradient is wanted here.
    package var isRecorded: Bool { node != nil }
}

/// Gradients of parameters: a value that goes from tape to tape, one shard after the other, and is added to.
package struct GradientStore<Scalar: TensorScalar>: Sendable {
    /// Gradients of whole parameters.
    package fileprivate(set) var whole: [ObjectIdentifier: Tensor<Scalar>] = [:]
    /// Gradients of single rows of tables, in the order in which they arose: an embedding touches few rows of a large table.
    package fileprivate(set) var rows: [ObjectIdentifier: [(rows: [Int32], gradient: Tensor<Scalar>)]] = [:]

    /// A store without gradients.
    package init() {}

    /// Whether no gradient has arrived.
    package var isEmpty: Bool { whole.isEmpty && rows.isEmpty }
}

/// Records the operations of one forward pass and runs them backward: reverse-mode differentiation over coarse operations
/// (linear layer, layer norm, attention …), each of which states its own derivative next to its value.
///
/// Every operation takes an optional tape. With one it keeps what the derivative needs; without one it keeps nothing, and the very
/// same code is the inference path. A tape belongs to one thread; a batch is split over several tapes, whose gradients
/// the trainer adds in a fixed order.
package final class Tape<Scalar: TensorScalar> {
    /// What matrix products of the forward and backward pass compute in; sums, values and gradients stay in `Scalar`.
    package var precision: Precision
    /// Dropout draws from here.
    package var random: RandomSource
    /// Where the gradients of parameters go. Taken out, given to the next tape of the same lane and so on.
    package var store: GradientStore<Scalar>
    /// False if derivatives are wanted of a network as it infers: nothing is dropped.
    package let trains: Bool
    /// Parameters that get no gradient in this training, next to those that never do.
    private let frozen: Set<ObjectIdentifier>

    private struct Node {
        var shape: [Int]
        var gradient: Tensor<Scalar>?
        /// A leaf that the user will look at keeps its gradient; others give theirs back once it has been passed on.
        var isLeaf: Bool
        /// Turns the gradient of this node's value into additions to the gradients of what it was made from.
        var backward: ((Tape, Tensor<Scalar>) -> Void)?
    }
    private var nodes: [Node] = []

    /// A tape without operations. Parameters in `frozen` get no gradient; dropout draws with `seed`.
    package init(
        precision: Precision = .f32, seed: UInt64 = 0, frozen: Set<ObjectIdentifier> = [], store: GradientStore<Scalar> = GradientStore(),
        trains: Bool = true
    ) {
        self.precision = precision
        self.trains = trains
        random = RandomSource(seed: seed)
        self.frozen = frozen
        self.store = store
    }

    // MARK: Recording

    /// A leaf whose gradient is kept, for looking at it after `backward`.
    package func input(_ value: Tensor<Scalar>) -> Variable<Scalar> {
        nodes.append(Node(shape: value.shape, gradient: nil, isLeaf: true, backward: nil))
        return Variable(value, node: nodes.count - 1)
    }

    /// A parameter as a value of its own, for operations that take it as such (a relative-position table, a tied matrix).
    package func value(of parameter: Parameter<Scalar>) -> Variable<Scalar> {
        record(parameter.value) { tape, gradient in tape.addGradient(of: parameter, gradient) }
    }

    /// Puts a value on the tape together with its derivative.
    package func record(_ value: Tensor<Scalar>, backward: @escaping (Tape, Tensor<Scalar>) -> Void) -> Variable<Scalar> {
        nodes.append(Node(shape: value.shape, gradient: nil, isLeaf: false, backward: backward))
        return Variable(value, node: nodes.count - 1)
    }

    /// Whether anything upstream of the value wants a gradient.
    package func follows(_ variable: Variable<Scalar>) -> Bool { variable.node != nil }

    // MARK: Gradients of values

    /// Adds to a value's gradient; `body` gets zeros or what is there already, and adds.
    package func addGradient(of place: Place, _ body: (inout Tensor<Scalar>) -> Void) {
        guard let node = place.node else { return }
        var gradient = takenGradient(of: node)
        body(&gradient)
        nodes[node].gradient = gradient
    }

    package func addGradient(of variable: Variable<Scalar>, _ body: (inout Tensor<Scalar>) -> Void) {
        addGradient(of: variable.place, body)
    }

    /// Adds to the gradients of several values at once, in each from a column on; the same value may come twice. Those of constants go
    /// nowhere.
    package func addGradients(of columns: [AttentionColumns<Scalar>?], _ body: (inout ColumnTargets<Scalar>) -> Void) {
        var taken: [Int?] = [], tensors: [Tensor<Scalar>] = [], places: [(tensor: Int, column: Int)?] = []
        for target in columns {
            guard let target else {
                places.append(nil)
                continue
            }
            let node = target.matrix.node
            if let node, let known = taken.firstIndex(of: node) {
                places.append((known, target.column))
                continue
            }
            places.append((taken.count, target.column))
            taken.append(node)
            tensors.append(node.map(takenGradient) ?? Tensor(shape: target.matrix.shape))
        }
        var targets = ColumnTargets(tensors: tensors, places: places)
        tensors = []
        body(&targets)
        for (node, gradient) in zip(taken, targets.tensors) { if let node { nodes[node].gradient = gradient } }
    }

    /// A node's gradient, or zeros; the node has none until it is given back, so that adding makes no copy.
    private func takenGradient(of node: Int) -> Tensor<Scalar> {
        let gradient = nodes[node].gradient
        nodes[node].gradient = nil
        return gradient ?? Tensor(shape: nodes[node].shape)
    }

    /// Adds a whole tensor to a value's gradient; the first one is taken over without a copy.
    package func addGradient(of place: Place, _ gradient: consuming Tensor<Scalar>) {
        guard let node = place.node else { return }
        if let present = nodes[node].gradient {
            nodes[node].gradient = nil
            // The new one is usually not shared, while the present one may be shared with another place (both
            // terms of a sum): adding into the newcomer saves a copy. a + b and b + a are the same number.
            gradient += present
        }
        nodes[node].gradient = gradient.shape == nodes[node].shape ? gradient : gradient.reshaped(nodes[node].shape)
    }

    package func addGradient(of variable: Variable<Scalar>, _ gradient: consuming Tensor<Scalar>) {
        addGradient(of: variable.place, gradient)
    }

    /// The gradient of a leaf (`input`) after `backward`; zeros where none arrived.
    package func gradient(of variable: Variable<Scalar>) -> Tensor<Scalar> {
        guard let node = variable.node, let gradient = nodes[node].gradient else { return Tensor(shape: variable.shape) }
        return gradient
    }

    // MARK: Gradients of parameters

    /// Whether a parameter gets a gradient.
    package func learns(_ parameter: Parameter<Scalar>) -> Bool { parameter.isTrainable && !frozen.contains(ObjectIdentifier(parameter)) }

    /// Adds to a parameter's gradient; where `isFirst`, the tensor is uninitialized and `body` fills it.
    package func addGradient(of parameter: Parameter<Scalar>, filling body: (inout Tensor<Scalar>, _ isFirst: Bool) -> Void) {
        guard learns(parameter) else { return }
        let key = ObjectIdentifier(parameter), present = store.whole.removeValue(forKey: key), isFirst = present == nil
        var gradient = present ?? Tensor(uninitialized: parameter.shape)
        _ = consume present
        body(&gradient, isFirst)
        store.whole[key] = gradient
    }

    package func addGradient(of parameter: Parameter<Scalar>, _ body: (inout Tensor<Scalar>) -> Void) {
        guard learns(parameter) else { return }
        let key = ObjectIdentifier(parameter)
        var gradient = store.whole.removeValue(forKey: key) ?? Tensor(shape: parameter.shape)
        body(&gradient)
        store.whole[key] = gradient
    }

    /// Adds to the gradients of two parameters in one pass. A frozen first one still gets a place for its sums, which then go nowhere;
    /// a frozen second one gets none.
    package func addGradients(
        of first: Parameter<Scalar>, _ second: Parameter<Scalar>?, _ body: (inout Tensor<Scalar>, inout Tensor<Scalar>?) -> Void
    ) {
        let second = second.flatMap { learns($0) ? $0 : nil }
        func taken(_ parameter: Parameter<Scalar>) -> Tensor<Scalar> {
            store.whole.removeValue(forKey: ObjectIdentifier(parameter)) ?? Tensor(shape: parameter.shape)
        }
        var a = learns(first) ? taken(first) : Tensor(shape: first.shape), b = second.map(taken)
        body(&a, &b)
        if learns(first) { store.whole[ObjectIdentifier(first)] = a }
        if let second, let b { store.whole[ObjectIdentifier(second)] = b }
    }

    package func addGradient(of parameter: Parameter<Scalar>, _ gradient: Tensor<Scalar>) {
        guard learns(parameter) else { return }
        let key = ObjectIdentifier(parameter)
        if store.whole[key] == nil { store.whole[key] = gradient.reshaped(parameter.shape) } else { store.whole[key]! += gradient }
    }

    package func addRowGradient(of parameter: Parameter<Scalar>, rows: [Int32], _ gradient: Tensor<Scalar>) {
        guard learns(parameter) else { return }
        store.rows[ObjectIdentifier(parameter), default: []].append((rows, gradient))
    }

    /// The gradient of a parameter after `backward`, rows and whole added up; zeros where none arrived.
    package func gradient(of parameter: Parameter<Scalar>) -> Tensor<Scalar> {
        var total = store.whole[ObjectIdentifier(parameter)] ?? Tensor(shape: parameter.shape)
        for (rows, gradient) in store.rows[ObjectIdentifier(parameter)] ?? [] {
            Scalar.scatterRows(gradient.view, rows, within: 0..<total.rows, addingTo: &total.target)
        }
        return total
    }

    /// Runs the tape backward from `result`, whose own gradient is `seed` (ones by default: the result is a sum of losses).
    package func backward(from result: Variable<Scalar>, seed: Tensor<Scalar>? = nil) {
        guard let last = result.node else { return }
        addGradient(of: result, seed ?? Tensor(repeating: 1, shape: result.shape))
        for node in stride(from: last, through: 0, by: -1) {
            guard !nodes[node].isLeaf, let backward = nodes[node].backward, let gradient = nodes[node].gradient else { continue }
            // The saved values and this gradient are not needed any more: release their memory while the rest runs.
            nodes[node].gradient = nil
            nodes[node].backward = nil
            backward(self, gradient)
        }
    }
}
