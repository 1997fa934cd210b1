// Kernels that go from row to row. A row's result never depends on the other rows of the call.

/// What layer normalization keeps for its derivative.
package struct LayerNormMemory<Scalar: TensorScalar>: Sendable {
    /// x + residual, `(n, size)`.
    fileprivate(set) var sum: Tensor<Scalar>
    /// `(n)`.
    fileprivate(set) var mean: Tensor<Scalar>
    /// 1 / √(variance + ε), `(n)`.
    fileprivate(set) var reciprocalDeviation: Tensor<Scalar>
}

extension TensorScalar {
    /// γ (s − mean) / √(variance + ε) + β over each row of s = x + residual, `(n, size)`.
    ///
    /// - Parameter keeping: whether the derivative will be asked for.
    package static func layerNorm(
        _ x: Tensor<Self>, residual: Tensor<Self>?, gamma: Tensor<Self>, beta: Tensor<Self>?, epsilon: Self, keeping: Bool
    ) -> (y: Tensor<Self>, kept: LayerNormMemory<Self>?) {
        let n = x.rows, size = x.columns
        precondition(gamma.count == size && (beta == nil || beta!.count == size) && (residual == nil || residual!.shape == x.shape))
        var y = Tensor<Self>(uninitialized: x.shape)
        guard keeping else {
            kernels.c.layerNorm(
                x.pointer, residual?.pointer, Int64(n), Int64(size), gamma.pointer, beta?.pointer, epsilon, nil,
                y.mutablePointer, nil, nil)
            return (y, nil)
        }
        var kept = LayerNormMemory(
            sum: residual == nil ? x : Tensor<Self>(uninitialized: x.shape), mean: Tensor(uninitialized: [n]),
            reciprocalDeviation: Tensor(uninitialized: [n]))
        kernels.c.layerNorm(
            x.pointer, residual?.pointer, Int64(n), Int64(size), gamma.pointer, beta?.pointer, epsilon,
            residual == nil ? nil : kept.sum.mutablePointer, y.mutablePointer, kept.mean.mutablePointer,
            kept.reciprocalDeviation.mutablePointer)
        return (y, kept)
    }

    /// The gradient of x and of the residual alike, `(n, size)`; dγ += Σ dy ∘ normalized s, dβ += Σ dy.
    package static func layerNormBackward(
        _ kept: LayerNormMemory<Self>, gamma: Tensor<Self>, _ dy: Tensor<Self>, addingTo dgamma: inout Tensor<Self>,
        _ dbeta: inout Tensor<Self>?
    ) -> Tensor<Self> {
        let n = kept.sum.rows, size = kept.sum.columns
        precondition(dy.count == kept.sum.count && dgamma.count == size && (dbeta == nil || dbeta!.count == size))
        var dx = Tensor<Self>(uninitialized: kept.sum.shape)
        kernels.c.layerNormBackward(
            kept.sum.pointer, Int64(n), Int64(size), gamma.pointer, kept.mean.pointer,
            kept.reciprocalDeviation.pointer, dy.pointer, dx.mutablePointer, dgamma.mutablePointer,
            dbeta?.mutablePointer)
        return dx
    }

    /// (offset + γ) x / √(mean square + ε) over each of `heads` stretches of γ's size at the beginning of every row, in place.
    ///
    /// - Returns: 1 / √(mean square + ε), `(n, heads)`, where the derivative will be asked for.
    package static func rmsNorm(
        _ x: MatrixView<Self>, heads: Int, gamma: Tensor<Self>, offset: Self, epsilon: Self, keeping: Bool,
        into y: inout MutableMatrixView<Self>
    ) -> Tensor<Self> {
        precondition(heads * gamma.count <= x.columns && y.rows == x.rows && y.columns >= heads * gamma.count)
        var kept = Tensor<Self>(uninitialized: [keeping ? x.rows : 0, heads])
        kernels.c.rmsNorm(
            x.start, Int64(x.stride), Int64(x.rows), Int64(heads), Int64(gamma.count), gamma.pointer, offset, epsilon, y.start,
            Int64(y.stride), keeping ? kept.mutablePointer : nil)
        return kept
    }

    /// Turns the gradient of y into that of x, in place; dγ += Σ dy ∘ normalized x.
    package static func rmsNormBackward(
        _ x: MatrixView<Self>, heads: Int, gamma: Tensor<Self>, offset: Self, reciprocals: Tensor<Self>,
        becoming d: inout MutableMatrixView<Self>,
        addingTo dgamma: inout Tensor<Self>
    ) {
        precondition(
            heads * gamma.count <= x.columns && d.rows == x.rows && d.columns >= heads * gamma.count && dgamma.count == gamma.count)
        precondition(reciprocals.count == x.rows * heads)
        kernels.c.rmsNormBackward(
            x.start, Int64(x.stride), Int64(x.rows), Int64(heads), Int64(gamma.count), gamma.pointer, offset,
            reciprocals.pointer, d.start, d.start, Int64(d.stride), dgamma.mutablePointer)
    }

    /// Of each row of scores: ln softmax(x)[target], the entropy of the softmax in nats, and the number of higher scores, plus 1.
    package static func tokenScores(
        _ x: MatrixView<Self>, targets: [Int32]
    ) -> (logProbabilities: [Double], entropies: [Double], ranks: [Int]) {
        precondition(targets.count == x.rows && targets.allSatisfy { $0 >= 0 && Int($0) < x.columns })
        var logProbabilities = [Double](repeating: 0, count: x.rows), entropies = logProbabilities,
            ranks = [Int64](repeating: 0, count: x.rows)
        guard x.rows > 0 else { return ([], [], []) }
        kernels.c.tokenScores(x.elements, Int64(x.rows), Int64(x.columns), targets, &logProbabilities, &entropies, &ranks)
        return (logProbabilities, entropies, ranks.map(Int.init))
    }

    // MARK: Softmax

    package static func softmax(_ x: MatrixView<Self>, into y: inout MutableMatrixView<Self>) {
        precondition(x.count == y.count)
        kernels.c.softmax(x.elements, Int64(x.rows), Int64(x.columns), y.elements)
    }

    package static func logSoftmax(_ x: MatrixView<Self>, into y: inout MutableMatrixView<Self>) {
        precondition(x.count == y.count)
        kernels.c.logSoftmax(x.elements, Int64(x.rows), Int64(x.columns), y.elements)
    }

    /// dx = y ∘ (dy − Σ y dy) for y = softmax(x).
    package static func softmaxBackward(_ y: Tensor<Self>, _ dy: Tensor<Self>) -> Tensor<Self> {
        precondition(y.count == dy.count)
        var result = Tensor<Self>(uninitialized: y.shape)
        let dx = result.mutablePointer, y = y.view, dy = dy.view, columns = y.columns
        for r in 0..<y.rows {
            let row = y.start + r * columns, g = dy.start + r * columns, along = Self(dot(y[r], dy[r]))
            for c in 0..<columns { dx[r * columns + c] = row[c] * (g[c] - along) }
        }
        return result
    }

    /// dx = dy − softmax(x) Σ dy for y = log softmax(x).
    package static func logSoftmaxBackward(_ y: Tensor<Self>, _ dy: Tensor<Self>) -> Tensor<Self> {
        precondition(y.count == dy.count)
        var dx = dy, softmax = Tensor<Self>(uninitialized: [1, y.columns])
        let columns = y.columns
        for r in 0..<y.rows {
            // The softmax of log-probabilities is the probabilities.
            Self.softmax(y.view[r], into: &softmax.target)
            let g = dx.pointer + r * columns, total = (0..<columns).reduce(Self(0)) { $0 + g[$1] }
            add(-total, times: softmax.view, to: &dx[rows: r..<r + 1])
        }
        return dx
    }

    // MARK: Cross-entropy

    /// −Σ t log softmax(x) of each row, t being 1 − ε + ε / classes for the target and ε / classes for the others; 0 where the target is
    /// negative.
    package static func crossEntropy(_ x: MatrixView<Self>, targets: ArraySlice<Int32>, smoothing: Self) -> [Self] {
        crossEntropy(x.elements, rows: x.rows, classes: x.columns, targets, smoothing, gradient: nil)
    }

    /// The same, with softmax(x) − t in `gradient`.
    package static func crossEntropy(
        _ x: MatrixView<Self>, targets: ArraySlice<Int32>, smoothing: Self, gradient: inout MutableMatrixView<Self>
    ) -> [Self] {
        precondition(gradient.count == x.count)
        return crossEntropy(x.elements, rows: x.rows, classes: x.columns, targets, smoothing, gradient: gradient.elements)
    }

    /// The same, with softmax(x) − t in the place of x.
    package static func crossEntropy(
        becomingGradient x: inout MutableMatrixView<Self>, targets: ArraySlice<Int32>, smoothing: Self
    ) -> [Self] {
        crossEntropy(x.elements, rows: x.rows, classes: x.columns, targets, smoothing, gradient: x.elements)
    }

    private static func crossEntropy(
        _ x: UnsafePointer<Self>, rows: Int, classes: Int, _ targets: ArraySlice<Int32>, _ smoothing: Self,
        gradient: UnsafeMutablePointer<Self>?
    ) -> [Self] {
        precondition(targets.count == rows, "\(targets.count) targets for \(rows) rows")
        guard rows > 0 else { return [] }
        var losses = [Self](repeating: 0, count: rows)
        kernels.c.crossEntropy(x, Int64(rows), Int64(classes), Array(targets), smoothing, &losses, gradient)
        return losses
    }

    /// Looks through scores of the columns from `first` on.
    package static func scanScores(_ x: MatrixView<Self>, first: Int, wanted: [Int32], into scan: inout SoftmaxScan<Self>) {
        precondition(wanted.count == x.rows && scan.top.count == x.rows)
        kernels.c.scanScores(
            x.elements, Int64(x.rows), Int64(x.columns), Int64(first), wanted, &scan.top, &scan.total, &scan.best, &scan.at)
    }

    // MARK: Rows of tables

    /// y[i] = table[rows[i]], or added to it.
    package static func gatherRows(_ table: MatrixView<Self>, _ rows: [Int32], adding: Bool = false, into y: inout MutableMatrixView<Self>)
    {
        precondition(y.rows == rows.count && y.columns == table.columns)
        precondition(rows.allSatisfy { $0 >= 0 && Int($0) < table.rows }, "a row outside a table of \(table.rows)")
        kernels.c.gatherRows(table.elements, Int64(table.columns), rows, Int64(rows.count), adding ? 1 : 0, y.elements)
    }

    /// table[rows[i] − range.lowerBound] += x[i] for the rows that lie in `range`, in the order of i; `table` begins with row
    /// `range.lowerBound`.
    package static func scatterRows(
        _ x: MatrixView<Self>, _ rows: [Int32], within range: Range<Int>, addingTo table: inout MutableMatrixView<Self>
    ) {
        precondition(x.rows == rows.count && table.rows == range.count && x.columns == table.columns)
        kernels.c.scatterRows(
            x.elements, Int64(x.columns), rows, Int64(rows.count), Int64(range.lowerBound), Int64(range.upperBound),
            table.elements)
    }

    // MARK: Sums

    /// sums += Σ rows of x.
    package static func addColumnSums(_ x: MatrixView<Self>, to sums: inout MutableMatrixView<Self>) {
        precondition(sums.count == x.columns)
        kernels.c.addColumnSums(x.elements, Int64(x.rows), Int64(x.columns), sums.elements)
    }

    /// x[r] += vector.
    package static func addRowVector(_ vector: MatrixView<Self>, to x: inout MutableMatrixView<Self>) {
        precondition(vector.count == x.columns)
        kernels.c.addRowVector(vector.elements, Int64(x.rows), Int64(x.columns), x.elements)
    }

    /// The largest number in each column, and its row.
    package static func columnMaxima(_ x: MatrixView<Self>, firstRow: Int, into y: inout MutableMatrixView<Self>) -> [Int32] {
        let from = x.elements, to = y.elements, width = x.columns
        var places = [Int32](repeating: -1, count: width)
        for i in 0..<x.rows {
            for c in 0..<width where i == 0 || from[i * width + c] > to[c] {
                to[c] = from[i * width + c]
                places[c] = Int32(firstRow + i)
            }
        }
        return places
    }

    // MARK: Positions

    /// Rotary positions (Su et al. 2021): in the first `heads` heads of every row, elements c and c + turned / 2 turn by the angle of
    /// the row's position, or back again; elements from `turned` on stay as they are.
    ///
    /// - Parameter cosines, sines: `(positions, turned / 2)`.
    package static func rotate(
        _ x: inout MutableMatrixView<Self>, heads: Int, headSize: Int, positions: [Int32], cosines: Tensor<Self>, sines: Tensor<Self>,
        backward: Bool
    ) {
        precondition(positions.count == x.rows && heads * headSize <= x.columns && cosines.columns * 2 <= headSize)
        precondition(positions.allSatisfy { $0 >= 0 && Int($0) < cosines.rows } && cosines.count == sines.count)
        kernels.c.rotate(
            x.start, Int64(x.rows), Int64(x.stride), Int64(heads), Int64(headSize), Int64(2 * cosines.columns), positions,
            cosines.pointer, sines.pointer, backward ? -1 : 1)
    }

    /// bias[h, i, j] = table[rows[j − i + n − 1], h], `(heads, n, n)`; a row of the table for each distance j − i from −(n − 1) on.
    package static func relativeBias(_ table: Tensor<Self>, rows: [Int], length n: Int) -> Tensor<Self> {
        let heads = table.columns, from = table.pointer
        precondition(rows.count == max(1, 2 * n - 1) && rows.allSatisfy { $0 >= 0 && $0 < table.rows })
        var bias = Tensor<Self>(uninitialized: [heads, n, n])
        let to = bias.mutablePointer
        for h in 0..<heads {
            // Row i of a head is a window of the biases by distance.
            let ofDistance = TensorStorage(rows.map { from[$0 * heads + h] })
            for i in 0..<n { (to + (h * n + i) * n).update(from: ofDistance.elements + n - 1 - i, count: n) }
        }
        return bias
    }

    package static func relativeBiasBackward(_ gradient: Tensor<Self>, rows: [Int], addingTo dtable: inout Tensor<Self>) {
        let heads = gradient.shape[0], n = gradient.shape[1], g = gradient.pointer
        precondition(rows.count == max(1, 2 * n - 1) && rows.allSatisfy { $0 >= 0 && $0 < dtable.rows } && dtable.columns == heads)
        let to = dtable.mutablePointer
        for h in 0..<heads {
            for i in 0..<n { for j in 0..<n { to[rows[j - i + n - 1] * heads + h] += g[(h * n + i) * n + j] } }
        }
    }

    /// to[c × size + t] = from[c] for one neighbour: a column of a convolution's window.
    package static func interleave(_ from: MatrixView<Self>, at t: Int, of size: Int, into to: inout MutableMatrixView<Self>) {
        precondition(to.count == from.count * size && t >= 0 && t < size)
        let x = from.elements, y = to.elements
        for c in 0..<from.count { y[c * size + t] = x[c] }
    }

    /// to[c] += from[c × size + t].
    package static func addInterleaved(_ from: MatrixView<Self>, at t: Int, of size: Int, to: inout MutableMatrixView<Self>) {
        precondition(from.count == to.count * size && t >= 0 && t < size)
        let x = from.elements, y = to.elements
        for c in 0..<to.count { y[c] += x[c * size + t] }
    }
}

/// What is known of a softmax's scores when some of its columns have passed by.
package struct SoftmaxScan<Scalar: TensorScalar>: Sendable {
    /// The largest score so far.
    package fileprivate(set) var top: [Scalar]
    /// Σ exp(score − top).
    package fileprivate(set) var total: [Scalar]
    /// The column of `top`, of equal scores the first.
    package fileprivate(set) var best: [Int32]
    /// The score of the column that is wanted.
    package fileprivate(set) var at: [Scalar]

    package init(rows: Int) {
        top = [Scalar](repeating: -.infinity, count: rows)
        total = [Scalar](repeating: 0, count: rows)
        best = [Int32](repeating: -1, count: rows)
        at = total
    }
}
