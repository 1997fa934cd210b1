import Tensors

/// A value inside a network, and its place on the tape that records how it came about (none without a tape).
public struct Variable<Scalar: TensorScalar>: Sendable {
    public let value: Tensor<Scalar>
    fileprivate let node: Int?

    /// A constant: no gradient flows into it.
    public init(_ value: Tensor<Scalar>) {
        self.value = value
        node = nil
    }

    fileprivate init(_ value: Tensor<Scalar>, node: Int) {
        self.value = value
        self.node = node
    }

    public var shape: [Int] { value.shape }

    /// Where the gradient goes, without the value: a derivative that does not need the value keeps this, and the memory is free.
    package var place: Place { Place(node: node) }
}

/// A variable's place on the tape.
package struct Place: Sendable {
    fileprivate let node: Int?
    /// Whether a gradient is wanted here.
    package var isRecorded: Bool { node != nil }
}

/// Gradients of parameters, added up over the tapes that share the store: one shard after the other.
public final class GradientStore<Scalar: TensorScalar> {
    /// Gradients of whole parameters.
    public fileprivate(set) var whole: [ObjectIdentifier: Tensor<Scalar>] = [:]
    /// Gradients of single rows of tables, in the order in which they arose: an embedding touches few rows of a large table.
    public fileprivate(set) var rows: [ObjectIdentifier: [(rows: [Int32], gradient: Tensor<Scalar>)]] = [:]

    public init() {}

    /// Memory of a parameter's gradient, uninitialized where there was none; valid until the gradient is removed.
    fileprivate func pointer(of parameter: Parameter<Scalar>) -> UnsafeMutablePointer<Scalar> {
        let key = ObjectIdentifier(parameter)
        var gradient = whole.removeValue(forKey: key) ?? Tensor(uninitialized: parameter.shape)
        let pointer = gradient.withUnsafeMutableElements { $0 }
        whole[key] = gradient
        return pointer
    }

    public func removeAll() {
        whole.removeAll()
        rows.removeAll()
    }
}

/// Records the operations of one forward pass and runs them backward: reverse-mode differentiation over coarse operations
/// (linear layer, layer norm, attention …), each of which states its own derivative beside its value.
///
/// Every operation takes an optional tape. With one it keeps what the derivative needs; without one it keeps nothing, and the very
/// same code is the inference path. A tape belongs to one thread; a batch is split over several tapes, whose gradients
/// the trainer adds in a fixed order.
public final class Tape<Scalar: TensorScalar> {
    /// What matrix products of the forward and backward pass compute in; sums, values and gradients stay in `Scalar`.
    public var precision: Precision
    /// Dropout draws from here.
    public var random: RandomSource
    /// Where the gradients of parameters go.
    public let store: GradientStore<Scalar>

    private struct Node {
        var shape: [Int]
        var gradient: Tensor<Scalar>?
        /// A leaf that the user will look at keeps its gradient; others give theirs back once it has been passed on.
        var isLeaf: Bool
        /// Turns the gradient of this node's value into additions to the gradients of what it was made from.
        var backward: ((Tape, Tensor<Scalar>) -> Void)?
    }
    private var nodes: [Node] = []

    public init(precision: Precision = .f32, seed: UInt64 = 0, store: GradientStore<Scalar> = GradientStore()) {
        self.precision = precision
        random = RandomSource(seed: seed)
        self.store = store
    }

    // MARK: Recording

    /// A leaf whose gradient is kept, for looking at it after `backward`.
    public func input(_ value: Tensor<Scalar>) -> Variable<Scalar> {
        nodes.append(Node(shape: value.shape, gradient: nil, isLeaf: true, backward: nil))
        return Variable(value, node: nodes.count - 1)
    }

    /// A parameter as a value of its own, for operations that take it as such (a relative-position table, a tied matrix).
    public func value(of parameter: Parameter<Scalar>) -> Variable<Scalar> {
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
    package func addGradient(of place: Place, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        guard let node = place.node else { return }
        body(preparedGradient(of: node))
    }

    package func addGradient(of variable: Variable<Scalar>, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        addGradient(of: variable.place, body)
    }

    /// The gradient of a value, to add to; zeros at first, nil for a constant. Valid until the running derivative returns: for
    /// derivatives that write into several columns of one matrix at once.
    package func gradientPointer(of variable: Variable<Scalar>) -> UnsafeMutablePointer<Scalar>? {
        guard let node = variable.node else { return nil }
        return preparedGradient(of: node)
    }

    /// The tape keeps the memory, so that the pointer outlives the access to the node: derivatives nest.
    private func preparedGradient(of node: Int) -> UnsafeMutablePointer<Scalar> {
        var gradient = nodes[node].gradient ?? Tensor(shape: nodes[node].shape)
        nodes[node].gradient = nil
        let pointer = gradient.withUnsafeMutableElements { $0 }
        nodes[node].gradient = gradient
        return pointer
    }

    /// Adds a whole tensor to a value's gradient; the first one is taken over without a copy.
    package func addGradient(of place: Place, _ gradient: consuming Tensor<Scalar>) {
        guard let node = place.node else { return }
        if let present = nodes[node].gradient {
            nodes[node].gradient = nil
            // The newcomer usually belongs to nobody else, while the present one may be shared with another place (both
            // terms of a sum): adding into the newcomer saves a copy. a + b and b + a are the same number.
            gradient += present
        }
        nodes[node].gradient = gradient.shape == nodes[node].shape ? gradient : gradient.reshaped(nodes[node].shape)
    }

    package func addGradient(of variable: Variable<Scalar>, _ gradient: consuming Tensor<Scalar>) {
        addGradient(of: variable.place, gradient)
    }

    /// The gradient of a leaf (`input`) after `backward`; zeros where none arrived.
    public func gradient(of variable: Variable<Scalar>) -> Tensor<Scalar> {
        guard let node = variable.node, let gradient = nodes[node].gradient else { return Tensor(shape: variable.shape) }
        return gradient
    }

    // MARK: Gradients of parameters

    /// Adds to a parameter's gradient; where `isFirst`, the memory is uninitialized and `body` fills it.
    package func addGradient(of parameter: Parameter<Scalar>, filling body: (UnsafeMutablePointer<Scalar>, _ isFirst: Bool) -> Void) {
        guard parameter.isTrainable else { return }
        let isFirst = store.whole[ObjectIdentifier(parameter)] == nil
        body(store.pointer(of: parameter), isFirst)
    }

    package func addGradient(of parameter: Parameter<Scalar>, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        guard parameter.isTrainable else { return }
        let isFirst = store.whole[ObjectIdentifier(parameter)] == nil
        let pointer = store.pointer(of: parameter)
        if isFirst { Scalar.fill(pointer, with: 0, count: parameter.value.count) }
        body(pointer)
    }

    package func addGradient(of parameter: Parameter<Scalar>, _ gradient: Tensor<Scalar>) {
        guard parameter.isTrainable else { return }
        let key = ObjectIdentifier(parameter)
        if store.whole[key] == nil { store.whole[key] = gradient.reshaped(parameter.shape) } else { store.whole[key]! += gradient }
    }

    package func addRowGradient(of parameter: Parameter<Scalar>, rows: [Int32], _ gradient: Tensor<Scalar>) {
        guard parameter.isTrainable else { return }
        store.rows[ObjectIdentifier(parameter), default: []].append((rows, gradient))
    }

    /// The gradient of a parameter after `backward`, rows and whole added up; zeros where none arrived.
    public func gradient(of parameter: Parameter<Scalar>) -> Tensor<Scalar> {
        var total = store.whole[ObjectIdentifier(parameter)] ?? Tensor(shape: parameter.shape)
        let width = parameter.value.columns, all = 0..<parameter.value.rows
        for (rows, gradient) in store.rows[ObjectIdentifier(parameter)] ?? [] {
            total.withUnsafeMutableElements { total in
                gradient.withUnsafeElements { Scalar.scatterRows($0, width: width, rows, within: all, addingTo: total) }
            }
        }
        return total
    }

    /// Runs the tape backward from `result`, whose own gradient is `seed` (ones by default: the result is a sum of losses).
    public func backward(from result: Variable<Scalar>, seed: Tensor<Scalar>? = nil) {
        guard let last = result.node else { return }
        addGradient(of: result, seed ?? Tensor(repeating: 1, shape: result.shape))
        for node in stride(from: last, through: 0, by: -1) {
            guard !nodes[node].isLeaf, let backward = nodes[node].backward, let gradient = nodes[node].gradient else { continue }
            // What the derivative kept is no longer needed afterwards, nor this gradient: give their memory back while the rest runs.
            nodes[node].gradient = nil
            nodes[node].backward = nil
            backward(self, gradient)
        }
    }
}
