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

    private struct Node {
        var shape: [Int]
        var gradient: Tensor<Scalar>?
        /// Turns the gradient of this node's value into additions to the gradients of what it was made from.
        var backward: ((Tape, Tensor<Scalar>) -> Void)?
    }
    private var nodes: [Node] = []

    /// Gradients of parameters that had any, after `backward`.
    public private(set) var gradients: [ObjectIdentifier: Tensor<Scalar>] = [:]
    /// Gradients of single rows of tables, in the order in which they arose: an embedding touches few rows of a large table.
    public private(set) var rowGradients: [ObjectIdentifier: [(rows: [Int32], gradient: Tensor<Scalar>)]] = [:]

    public init(precision: Precision = .f32, seed: UInt64 = 0) {
        self.precision = precision
        random = RandomSource(seed: seed)
    }

    // MARK: Recording

    /// A leaf whose gradient is kept, for looking at it after `backward`.
    public func input(_ value: Tensor<Scalar>) -> Variable<Scalar> { record(value) { _, _ in } }

    /// Puts a value on the tape together with its derivative.
    package func record(_ value: Tensor<Scalar>, backward: @escaping (Tape, Tensor<Scalar>) -> Void) -> Variable<Scalar> {
        nodes.append(Node(shape: value.shape, gradient: nil, backward: backward))
        return Variable(value, node: nodes.count - 1)
    }

    /// Whether anything upstream of the value wants a gradient.
    package func follows(_ variable: Variable<Scalar>) -> Bool { variable.node != nil }

    // MARK: Gradients

    /// Adds to a value's gradient; `body` gets zeros or what is there already, and adds.
    package func addGradient(of variable: Variable<Scalar>, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        guard let node = variable.node else { return }
        if nodes[node].gradient == nil { nodes[node].gradient = Tensor(shape: nodes[node].shape) }
        nodes[node].gradient!.withUnsafeMutableElements(body)
    }

    /// The gradient of a value, to add to; zeros at first, nil for a constant. Valid until the running derivative returns: for
    /// derivatives that write into several columns of one matrix at once.
    package func gradientPointer(of variable: Variable<Scalar>) -> UnsafeMutablePointer<Scalar>? {
        guard let node = variable.node else { return nil }
        if nodes[node].gradient == nil { nodes[node].gradient = Tensor(shape: nodes[node].shape) }
        return nodes[node].gradient!.withUnsafeMutableElements { $0 }
    }

    /// Adds a whole tensor to a value's gradient; the first one is taken over without a copy.
    package func addGradient(of variable: Variable<Scalar>, _ gradient: Tensor<Scalar>) {
        guard let node = variable.node else { return }
        if nodes[node].gradient == nil {
            nodes[node].gradient = gradient.shape == nodes[node].shape ? gradient : gradient.reshaped(nodes[node].shape)
        } else {
            nodes[node].gradient! += gradient
        }
    }

    package func addGradient(of parameter: Parameter<Scalar>, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        guard parameter.isTrainable else { return }
        gradients[ObjectIdentifier(parameter), default: Tensor(shape: parameter.shape)].withUnsafeMutableElements(body)
    }

    package func addRowGradient(of parameter: Parameter<Scalar>, rows: [Int32], _ gradient: Tensor<Scalar>) {
        guard parameter.isTrainable else { return }
        rowGradients[ObjectIdentifier(parameter), default: []].append((rows, gradient))
    }

    /// The gradient of a value after `backward`; zeros where none arrived.
    public func gradient(of variable: Variable<Scalar>) -> Tensor<Scalar> {
        guard let node = variable.node, let gradient = nodes[node].gradient else { return Tensor(shape: variable.shape) }
        return gradient
    }

    /// The gradient of a parameter after `backward`, rows and whole added up; zeros where none arrived.
    public func gradient(of parameter: Parameter<Scalar>) -> Tensor<Scalar> {
        var total = gradients[ObjectIdentifier(parameter)] ?? Tensor(shape: parameter.shape)
        let width = parameter.value.columns
        for (rows, gradient) in rowGradients[ObjectIdentifier(parameter)] ?? [] {
            total.withUnsafeMutableElements { total in
                gradient.withUnsafeElements { gradient in
                    for (i, row) in rows.enumerated() { Scalar.add(gradient + i * width, count: width, to: total + Int(row) * width) }
                }
            }
        }
        return total
    }

    /// Runs the tape backward from `result`, whose own gradient is `seed` (ones by default: the result is a sum of losses).
    public func backward(from result: Variable<Scalar>, seed: Tensor<Scalar>? = nil) {
        guard let last = result.node else { return }
        addGradient(of: result, seed ?? Tensor(repeating: 1, shape: result.shape))
        for node in stride(from: last, through: 0, by: -1) {
            guard let gradient = nodes[node].gradient, let backward = nodes[node].backward else { continue }
            backward(self, gradient)
            // What the derivative kept is no longer needed; give its memory back while the rest runs.
            nodes[node].backward = nil
        }
    }
}
