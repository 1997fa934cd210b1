import Foundation

/// A dense array of numbers, row-major and contiguous, with value semantics: a copy shares memory until one of the two is
/// written to.
///
/// Shapes are written in comments as `(rows, columns)`. Elements may lie in a memory-mapped file (`init(viewing:)`); such a tensor
/// is copied when it is first written to.
public struct Tensor<Scalar: TensorScalar>: Sendable {
    /// Length of each dimension, slowest first.
    public let shape: [Int]
    private(set) var storage: TensorStorage<Scalar>

    // MARK: Making

    /// Elements are whatever was in memory before; fill all of them.
    package init(uninitialized shape: [Int]) {
        self.shape = shape
        storage = TensorStorage(uninitializedCount: shape.reduce(1, *))
    }

    /// A tensor of one repeated value.
    public init(repeating value: Scalar = 0, shape: [Int]) {
        if value == 0, value.sign == .plus {
            self.init(shape: shape, storage: TensorStorage(zeroedCount: shape.reduce(1, *)))
            return
        }
        self.init(uninitialized: shape)
        Scalar.fill(storage.elements, with: value, count: storage.count)
    }

    /// - Precondition: `elements.count` is the product of `shape`.
    public init<Elements: Collection<Scalar>>(_ elements: Elements, shape: [Int]) {
        self.init(uninitialized: shape)
        precondition(elements.count == storage.count, "\(elements.count) elements do not fill a tensor of shape \(shape)")
        _ = UnsafeMutableBufferPointer(start: storage.elements, count: storage.count).initialize(from: elements)
    }

    /// Elements that `fill` writes, all of them.
    package init<Failure: Error>(
        filling shape: [Int], _ fill: (UnsafeMutableBufferPointer<Scalar>) throws(Failure) -> Void
    ) throws(Failure) {
        self.init(uninitialized: shape)
        try fill(UnsafeMutableBufferPointer(start: storage.elements, count: storage.count))
    }

    /// Memory owned by `owner`, which is not written to and is kept alive as long as the tensor.
    package init(viewing pointer: UnsafePointer<Scalar>, shape: [Int], owner: AnyObject) {
        self.shape = shape
        storage = TensorStorage(viewing: pointer, count: shape.reduce(1, *), owner: owner)
    }

    /// The same elements in another shape.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "shape \(self.shape) cannot become \(shape)")
        return Tensor(shape: shape, storage: storage)
    }

    private init(shape: [Int], storage: TensorStorage<Scalar>) {
        self.shape = shape
        self.storage = storage
    }

    /// True for memory that someone else owns, as a mapped file.
    package var isView: Bool { storage.isReadOnlyView }

    // MARK: Elements

    /// Number of elements.
    public var count: Int { storage.count }
    /// Size of the first dimension.
    public var rows: Int { shape.first ?? 1 }
    /// Elements in one row: the product of the other dimensions.
    public var columns: Int { shape.dropFirst().reduce(1, *) }

    /// An element by its place in row-major order.
    ///
    /// - Precondition: the place exists.
    public subscript(index: Int) -> Scalar {
        get {
            precondition(index >= 0 && index < count, "element \(index) of \(count)")
            return storage.elements[index]
        }
        set {
            precondition(index >= 0 && index < count, "element \(index) of \(count)")
            makeUnique()
            storage.elements[index] = newValue
        }
    }

    /// An element of a matrix.
    ///
    /// - Precondition: the element exists.
    public subscript(row: Int, column: Int) -> Scalar {
        get { self[row * columns + column] }
        set { self[row * columns + column] = newValue }
    }

    /// A copy of the elements in row-major order.
    public var elements: [Scalar] { Array(UnsafeBufferPointer(start: storage.elements, count: count)) }

    /// The pointer is valid during the call.
    public func withUnsafeElements<Result, Failure: Error>(
        _ body: (UnsafePointer<Scalar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafePointer(storage.elements))
    }

    /// The pointer is valid during the call; the tensor gets memory of its own first, if it shares any.
    public mutating func withUnsafeMutableElements<Result, Failure: Error>(
        _ body: (UnsafeMutablePointer<Scalar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        makeUnique()
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.elements)
    }

    /// For the last line before C: valid while the tensor is there and not written to.
    var pointer: UnsafePointer<Scalar> { UnsafePointer(storage.elements) }

    /// For the last line before C: valid while the tensor is there and not copied.
    var mutablePointer: UnsafeMutablePointer<Scalar> {
        mutating get {
            makeUnique()
            return storage.elements
        }
    }

    mutating func makeUnique() {
        guard storage.isReadOnlyView || !isKnownUniquelyReferenced(&storage) else { return }
        let own = TensorStorage<Scalar>(uninitializedCount: count)
        own.elements.update(from: storage.elements, count: count)
        storage = own
    }

    // MARK: Parts

    /// Rows `range` as a tensor of their own.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        var part = Tensor(uninitialized: [range.count] + shape.dropFirst())
        Scalar.copy(view[rows: range], into: &part.target)
        return part
    }

    /// Some rows in the order given, each as often as it is named.
    ///
    /// - Precondition: the rows exist.
    package func selecting(_ chosen: [Int]) -> Tensor {
        let columns = self.columns, from = pointer
        var part = Tensor(uninitialized: [chosen.count] + shape.dropFirst())
        let to = part.mutablePointer
        for (place, row) in chosen.enumerated() {
            precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
            (to + place * columns).update(from: from + row * columns, count: columns)
        }
        return part
    }

    /// The transpose of a matrix, `(columns, rows)`.
    package func transposed() -> Tensor {
        precondition(shape.count == 2, "only a matrix has a transpose, not shape \(shape)")
        let rows = self.rows, columns = self.columns, from = pointer
        var result = Tensor(uninitialized: [columns, rows])
        let to = result.mutablePointer
        for r in 0..<rows { for c in 0..<columns { to[c * rows + r] = from[r * columns + c] } }
        return result
    }

    /// Converts to another number type.
    package func converted<Other: TensorScalar>(to type: Other.Type) -> Tensor<Other> {
        var result = Tensor<Other>(uninitialized: shape)
        let from = pointer, to = result.mutablePointer, n = count
        // Other modules call this unspecialized: a conversion through witnesses for every element. These two are vector loops.
        if let from = from as? UnsafePointer<Double>, let to = to as? UnsafeMutablePointer<Float> {
            for i in 0..<n { to[i] = Float(from[i]) }
        } else if let from = from as? UnsafePointer<Float>, let to = to as? UnsafeMutablePointer<Double> {
            for i in 0..<n { to[i] = Double(from[i]) }
        } else {
            for i in 0..<n { to[i] = Other(from[i]) }
        }
        return result
    }

    /// Σ x², in Double.
    package var squaredNorm: Double { Scalar.dot(view, view) }
    /// Whether no element is NaN or infinite.
    public var isFinite: Bool { Scalar.allFinite(view) }

    /// Adds a tensor of the same shape, element by element.
    package static func += (a: inout Tensor, b: Tensor) {
        precondition(a.count == b.count, "shapes \(a.shape) and \(b.shape) do not add")
        Scalar.kernels.c.add(b.pointer, Int64(b.count), a.mutablePointer)
    }
}

extension Tensor {
    /// Equal shapes and the same bits in every element: unlike `==`, −0 is not 0, and NaN is itself.
    package func hasSameBits(as other: Tensor) -> Bool {
        shape == other.shape && memcmp(pointer, other.pointer, count * MemoryLayout<Scalar>.stride) == 0
    }
}

extension Tensor: Equatable {
    /// Equal shapes and equal elements, as numbers.
    public static func == (a: Tensor, b: Tensor) -> Bool {
        let x = a.pointer, y = b.pointer
        return a.shape == b.shape && (0..<a.count).allSatisfy { x[$0] == y[$0] }
    }
}
