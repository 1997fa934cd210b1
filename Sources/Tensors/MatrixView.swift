/// Rows of numbers to read, `rows` × `columns`, a row every `stride` elements. What operations hand to kernels.
///
/// A view holds on to its memory, so a pointer taken from it lives as long as the view: as a parameter, until the function returns.
package struct MatrixView<Element: BitwiseCopyable & Sendable>: Sendable {
    let storage: TensorStorage<Element>
    let offset: Int
    package let rows: Int
    package let columns: Int
    package let stride: Int

    init(_ storage: TensorStorage<Element>, offset: Int = 0, rows: Int, columns: Int, stride: Int) {
        self.storage = storage
        self.offset = offset
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    package var count: Int { rows * columns }
    var isContiguous: Bool { stride == columns || rows <= 1 }

    /// Where the first row begins; valid while the view lives.
    var start: UnsafePointer<Element> { UnsafePointer(storage.elements + offset) }
    /// The same, of rows without gaps.
    var elements: UnsafePointer<Element> {
        precondition(isContiguous, "rows of \(columns) elements lie \(stride) apart")
        return start
    }

    package subscript(rows range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return MatrixView(storage, offset: offset + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    package subscript(columns range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
        return MatrixView(storage, offset: offset + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    package subscript(row: Int) -> MatrixView { self[rows: row..<row + 1] }

    package subscript(row: Int, column: Int) -> Element {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns, "element (\(row), \(column)) of (\(rows), \(columns))")
        return start[row * stride + column]
    }
}

/// Rows of numbers to write: what a kernel fills or adds to.
///
/// It cannot be copied, and is reached only as `&tensor.target`, `&tensor[rows: …]` and the like, so that Swift's law of exclusivity
/// holds for the tensor behind it: there are no other accesses to the tensor meanwhile, and two targets in one call are two tensors.
package struct MutableMatrixView<Element: BitwiseCopyable & Sendable>: ~Copyable {
    let storage: TensorStorage<Element>
    let offset: Int
    package let rows: Int
    package let columns: Int
    package let stride: Int

    init(_ storage: TensorStorage<Element>, offset: Int = 0, rows: Int, columns: Int, stride: Int) {
        self.storage = storage
        self.offset = offset
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    package var count: Int { rows * columns }
    var isContiguous: Bool { stride == columns || rows <= 1 }

    var start: UnsafeMutablePointer<Element> { storage.elements + offset }
    var elements: UnsafeMutablePointer<Element> {
        precondition(isContiguous, "rows of \(columns) elements lie \(stride) apart")
        return start
    }

    /// What is there now.
    package var view: MatrixView<Element> { MatrixView(storage, offset: offset, rows: rows, columns: columns, stride: stride) }
}

extension Tensor {
    /// All rows, `(rows, columns)`.
    package var view: MatrixView<Scalar> { MatrixView(storage, rows: rows, columns: columns, stride: columns) }

    /// All rows, to write: `&tensor.target`.
    package var target: MutableMatrixView<Scalar> {
        mutating get { writable(offset: 0, rows: rows, columns: columns, stride: columns) }
        set {}
    }

    /// Some rows, to write.
    package subscript(rows range: Range<Int>) -> MutableMatrixView<Scalar> {
        mutating get {
            precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
            let width = columns
            return writable(offset: range.lowerBound * width, rows: range.count, columns: width, stride: width)
        }
        set {}
    }

    /// Some columns of every row, to write.
    package subscript(columns range: Range<Int>) -> MutableMatrixView<Scalar> {
        mutating get {
            let width = columns
            precondition(range.lowerBound >= 0 && range.upperBound <= width, "columns \(range) of \(width)")
            return writable(offset: range.lowerBound, rows: rows, columns: range.count, stride: width)
        }
        set {}
    }

    /// Some columns of one row, to write.
    package subscript(row row: Int, columns range: Range<Int>) -> MutableMatrixView<Scalar> {
        mutating get {
            let width = columns
            precondition(row >= 0 && row < rows && range.lowerBound >= 0 && range.upperBound <= width, "(\(row), \(range)) of \(shape)")
            return writable(offset: row * width + range.lowerBound, rows: 1, columns: range.count, stride: range.count)
        }
        set {}
    }

    /// Some rows of the elements taken as rows of another width, to write: scratch memory for matrices of several widths.
    package subscript(rows range: Range<Int>, width width: Int) -> MutableMatrixView<Scalar> {
        mutating get {
            precondition(range.lowerBound >= 0 && range.upperBound * width <= count, "rows \(range) of width \(width) of \(count) elements")
            return writable(offset: range.lowerBound * width, rows: range.count, columns: width, stride: width)
        }
        set {}
    }

    /// Rows `first`, `first + step` … to write.
    package subscript(every step: Int, from first: Int) -> MutableMatrixView<Scalar> {
        mutating get {
            precondition(step > 0 && first >= 0)
            let width = columns
            return writable(offset: first * width, rows: max(0, (rows - first + step - 1) / step), columns: width, stride: step * width)
        }
        set {}
    }

    private mutating func writable(offset: Int, rows: Int, columns: Int, stride: Int) -> MutableMatrixView<Scalar> {
        makeUnique()
        return MutableMatrixView(storage, offset: offset, rows: rows, columns: columns, stride: stride)
    }
}
