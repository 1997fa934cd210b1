/// A dense array of numbers, row-major and contiguous, with value semantics: a copy shares memory until one of the two is
/// written to.
///
/// Shapes are written in comments as `(rows, columns)`. Elements may lie in a memory-mapped file (`init(viewing:)`); such a tensor
/// is copied when it is first written to.
public struct Tensor<Scalar: TensorScalar>: @unchecked Sendable {
    public let shape: [Int]
    private var storage: TensorStorage<Scalar>

    // MARK: Making

    /// Elements are whatever was in memory before; fill all of them.
    public init(uninitialized shape: [Int]) {
        self.shape = shape
        storage = TensorStorage(uninitializedCount: shape.reduce(1, *))
    }

    public init(repeating value: Scalar = 0, shape: [Int]) {
        self.init(uninitialized: shape)
        Scalar.fill(storage.elements, with: value, count: storage.count)
    }

    /// - Precondition: `elements.count` is the product of `shape`.
    public init<Elements: Collection<Scalar>>(_ elements: Elements, shape: [Int]) {
        self.init(uninitialized: shape)
        precondition(elements.count == storage.count, "\(elements.count) elements do not fill a tensor of shape \(shape)")
        _ = UnsafeMutableBufferPointer(start: storage.elements, count: storage.count).initialize(from: elements)
    }

    /// Memory that someone else owns and nobody writes to; `owner` is kept alive as long as the tensor.
    public init(viewing pointer: UnsafePointer<Scalar>, shape: [Int], owner: AnyObject) {
        self.shape = shape
        storage = TensorStorage(viewing: pointer, count: shape.reduce(1, *), owner: owner)
    }

    /// The same elements in another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "shape \(self.shape) cannot become \(shape)")
        return Tensor(shape: shape, storage: storage)
    }

    private init(shape: [Int], storage: TensorStorage<Scalar>) {
        self.shape = shape
        self.storage = storage
    }

    // MARK: Elements

    public var count: Int { storage.count }
    /// Size of the first dimension.
    public var rows: Int { shape.first ?? 1 }
    /// Elements in one row: the product of the other dimensions.
    public var columns: Int { shape.dropFirst().reduce(1, *) }

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

    public subscript(row: Int, column: Int) -> Scalar {
        get { self[row * columns + column] }
        set { self[row * columns + column] = newValue }
    }

    public var elements: [Scalar] { Array(UnsafeBufferPointer(start: storage.elements, count: count)) }

    /// The pointer is valid during the call.
    public func withUnsafeElements<Result, Failure: Error>(_ body: (UnsafePointer<Scalar>) throws(Failure) -> Result) throws(Failure) -> Result {
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

    private mutating func makeUnique() {
        guard storage.isReadOnlyView || !isKnownUniquelyReferenced(&storage) else { return }
        let own = TensorStorage<Scalar>(uninitializedCount: count)
        own.elements.update(from: storage.elements, count: count)
        storage = own
    }

    // MARK: Parts

    /// Rows `range` as a tensor of their own.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        let width = columns
        var part = Tensor(uninitialized: [range.count] + shape.dropFirst())
        part.withUnsafeMutableElements { $0.update(from: storage.elements + range.lowerBound * width, count: range.count * width) }
        return part
    }

    public func transposed() -> Tensor {
        precondition(shape.count == 2, "only a matrix has a transpose, not shape \(shape)")
        let rows = self.rows, columns = self.columns, from = storage.elements
        var result = Tensor(uninitialized: [columns, rows])
        result.withUnsafeMutableElements { to in
            for r in 0..<rows { for c in 0..<columns { to[c * rows + r] = from[r * columns + c] } }
        }
        return result
    }

    /// Converts to another number type.
    public func converted<Other: TensorScalar>(to type: Other.Type) -> Tensor<Other> {
        var result = Tensor<Other>(uninitialized: shape)
        let from = storage.elements, count = self.count
        result.withUnsafeMutableElements { to in for i in 0..<count { to[i] = Other(from[i]) } }
        return result
    }

    /// Σ x², in Double.
    public var squaredNorm: Double { withUnsafeElements { Scalar.dot($0, $0, count: count) } }
    public var isFinite: Bool { withUnsafeElements { Scalar.allFinite($0, count: count) } }

    public static func += (a: inout Tensor, b: Tensor) {
        precondition(a.count == b.count, "shapes \(a.shape) and \(b.shape) do not add")
        let count = a.count
        b.withUnsafeElements { from in a.withUnsafeMutableElements { Scalar.add(from, count: count, to: $0) } }
    }
}

extension Tensor: Equatable {
    /// Equal shapes and equal elements, as numbers.
    public static func == (a: Tensor, b: Tensor) -> Bool {
        a.shape == b.shape && a.withUnsafeElements { x in b.withUnsafeElements { y in (0..<a.count).allSatisfy { x[$0] == y[$0] } } }
    }
}

/// a · b of matrices (m, k) and (k, n), either transposed first.
public func matrixProduct<S: TensorScalar>(
    _ a: Tensor<S>, transposed aTransposed: Bool = false, _ b: Tensor<S>, transposed bTransposed: Bool = false, precision: Precision = .f32
) -> Tensor<S> {
    let m = aTransposed ? a.columns : a.rows, k = aTransposed ? a.rows : a.columns
    let n = bTransposed ? b.rows : b.columns
    precondition(k == (bTransposed ? b.columns : b.rows), "shapes \(a.shape) and \(b.shape) do not multiply")
    if k == 0 { return Tensor(shape: [m, n]) }
    var c = Tensor<S>(uninitialized: [m, n])
    a.withUnsafeElements { a in
        b.withUnsafeElements { b in
            c.withUnsafeMutableElements { c in
                S.product(a, transposed: aTransposed, b, transposed: bTransposed, m: m, n: n, k: k,
                          lda: aTransposed ? m : k, ldb: bTransposed ? k : n, into: c, ldc: n, accumulate: false, precision: precision)
            }
        }
    }
    return c
}
