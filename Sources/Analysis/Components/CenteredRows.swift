import CKernels
import FileFormats
import Tensors

/// What a solver of principal components found; variances with n − 1, descending.
struct Decomposition {
    var components: Tensor<Double>
    var variances: [Double]
    var totalVariance: Double
    var mean: [Double]
}

/// The valid rows of a source, read in chunks, shifted and turned to Double, several chunks at a time.
///
/// Chunk `c` always adds to accumulator `c mod slots`, and the accumulators are added in order at the end: what is summed with
/// what does not depend on the number of threads.
struct CenteredRows<Source: RowSource> {
    let source: Source
    let valid: [Bool]?
    let threads: Int
    /// Rows that count.
    let count: Int
    private static var chunkRows: Int { 1024 }

    init(_ source: Source, valid: [Bool]?, threads: Int) {
        self.source = source
        self.valid = valid
        self.threads = threads
        count = valid?.lazy.filter { $0 }.count ?? source.rows
    }

    // MARK: Passing over the rows

    /// Calls `body(slot, first, rows, x)` for every chunk, where x (rows, columns) are the valid rows less `shift` and `first` is the place
    /// of the first among all valid rows. Calls with one slot never overlap and come in order.
    private func forEachChunk(slots: Int, shift: [Double], _ body: @Sendable (Int, Int, Int, UnsafePointer<Double>) -> Void) throws {
        let d = Int64(source.columns)
        try forEachChunk(slots: slots, as: Double.self, { kt_shift_to_double($0, shift, d, $1) }, body)
    }

    private func forEachChunk<Element: BitwiseCopyable>(
        slots: Int, as element: Element.Type, _ prepare: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Element>) -> Void,
        _ body: @Sendable (Int, Int, Int, UnsafePointer<Element>) -> Void
    ) throws {
        let d = source.columns, chunk = Self.chunkRows
        var passed = 0
        for start in stride(from: 0, to: source.rows, by: slots * chunk) {
            let span = start..<min(source.rows, start + slots * chunk)
            let pieces = Parallel.chunks(span.count, size: chunk)
            var firsts: [Int] = []
            for piece in pieces {
                firsts.append(passed)
                passed += valid.map { flags in piece.count(where: { flags[start + $0] }) } ?? piece.count
            }
            let places = firsts, flags = valid
            try source.withRows(span) { pointer in
                let from = Shared(pointer)
                Parallel.forEach(pieces.count, threads: threads) { slot, _ in
                    Scratch.with(Element.self, count: chunk * d) { x in
                        var rows = 0
                        for row in pieces[slot] where flags?[start + row] != false {
                            prepare(from.pointer + row * d, x + rows * d)
                            rows += 1
                        }
                        body(slot, places[slot], rows, x)
                    }
                }
            }
        }
    }

    /// A first guess at the mean: that of the first chunk with valid rows.
    private func firstShift() throws -> [Double] {
        let d = source.columns
        for range in Parallel.chunks(source.rows, size: Self.chunkRows) {
            var sums = [Double](repeating: 0, count: d), rows = 0
            try source.withRows(range) { pointer in
                for row in range where valid?[row] != false {
                    for c in 0..<d { sums[c] += Double(pointer[(row - range.lowerBound) * d + c]) }
                    rows += 1
                }
            }
            if rows > 0 { return sums.map { $0.isFinite ? $0 / Double(rows) : 0 } }
        }
        return [Double](repeating: 0, count: d)
    }

    /// Names the first row with NaN or infinity; called when sums show that there is one.
    private func reportNotFinite() throws -> Never {
        let d = source.columns
        for range in Parallel.chunks(source.rows, size: Self.chunkRows) {
            try source.withRows(range) { pointer in
                for row in range where valid?[row] != false {
                    guard Float.allFinite(pointer + (row - range.lowerBound) * d, count: d) else {
                        throw notFinite(row: row, of: "the vectors")
                    }
                }
            }
        }
        throw DataError(.badData, "the vectors contain numbers so large that the variance overflows")
    }

    /// `size` sums over all chunks: `add(sums, first, rows, x)` adds what a chunk gives to those of its slot; the slots are added in order.
    private func sums(
        slots: Int, size: Int, shift: [Double], _ add: @Sendable (UnsafeMutablePointer<Double>, Int, Int, UnsafePointer<Double>) -> Void
    ) throws -> [Double] {
        let d = Int64(source.columns)
        return try sums(slots: slots, size: size, as: Double.self, { kt_shift_to_double($0, shift, d, $1) }, add)
    }

    private func sums<Element: BitwiseCopyable>(
        slots: Int, size: Int, as element: Element.Type, _ prepare: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Element>) -> Void,
        _ add: @Sendable (UnsafeMutablePointer<Double>, Int, Int, UnsafePointer<Element>) -> Void
    ) throws -> [Double] {
        var accumulated = [Double](repeating: 0, count: slots * size)
        try accumulated.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let all = Shared(base)
            try forEachChunk(slots: slots, as: element, prepare) { slot, first, rows, x in add(all.pointer + slot * size, first, rows, x) }
        }
        var total = [Double](repeating: 0, count: size)
        for slot in 0..<slots { for i in 0..<size { total[i] += accumulated[slot * size + i] } }
        return total
    }

    /// Mean of each column and the sum of squared deviations of all.
    private func moments() throws -> (mean: [Double], squares: Double) {
        let d = source.columns, shift = try firstShift(), n = Double(count)
        let total = try sums(slots: 8, size: 2 * d, shift: shift) { mine, _, rows, x in
            Double.addColumnSums(x, rows: rows, columns: d, to: mine)
            for row in 0..<rows { Double.addProduct(x + row * d, x + row * d, count: d, to: mine + d) }
        }
        let offset = total[..<d].map { $0 / n }
        var squares = 0.0
        for c in 0..<d { squares += total[d + c] - n * offset[c] * offset[c] }
        guard squares.isFinite else { try reportNotFinite() }
        return (zip(shift, offset).map(+), max(0, squares))
    }

    // MARK: Solvers

    /// Eigenvectors of the covariance matrix.
    ///
    /// The products of a chunk are taken in Float first and added up in Double, which leaves an error below 1e-9 of the total variance: of
    /// no account beside a component that has a thousandth of it. Where a smaller one is wanted, or squares leave Float's range, products
    /// are taken anew in Double.
    func covarianceDecomposition(count components: Int) throws -> Decomposition {
        if components <= source.columns / 4 {
            let moments = try singleMoments()
            if moments.fitsFloat {
                let (found, offset) = try covarianceDecomposition(count: components, moments)
                if let least = found.variances.last, least >= 1e-3 * (found.totalVariance + offset) { return found }
            }
        }
        return try covarianceDecomposition(count: components, try doubleMoments()).0
    }

    /// What the covariance is made of: Σxᵀx (columns, columns), its lower triangle alone, and Σx (columns) of the rows less `shift`.
    private struct Moments {
        let shift: [Double]
        let gram: [Double]
        let sums: [Double]

        init(shift: [Double], _ total: [Double]) {
            let d = shift.count
            self.shift = shift
            (gram, sums) = (Array(total[..<(d * d)]), Array(total[(d * d)...]))
        }

        /// Whether the squares lie where Float has room for them and for what is a millionth of them.
        var fitsFloat: Bool { (1e-20...1e30).contains(shift.indices.reduce(0) { $0 + gram[$1 * shift.count + $1] }) }
    }

    private func covarianceDecomposition(count components: Int, _ moments: Moments) throws -> (Decomposition, squaredOffset: Double) {
        let d = source.columns, n = Double(count)
        let offset = moments.sums.map { $0 / n }
        var covariance = Tensor<Double>(uninitialized: [d, d]), trace = 0.0
        covariance.withUnsafeMutableElements { c in
            moments.gram.withUnsafeBufferPointer { gram in
                for i in 0..<d {
                    for j in 0...i {
                        let value = (gram[i * d + j] - n * offset[i] * offset[j]) / (n - 1)
                        c[i * d + j] = value
                        c[j * d + i] = value
                    }
                    trace += c[i * d + i]
                }
            }
        }
        guard trace.isFinite else { try reportNotFinite() }
        let mean = zip(moments.shift, offset).map(+)
        // Equal rows leave only rounding; say so with a plain zero.
        if trace <= 1e-28 * mean.reduce(0, { $0 + $1 * $1 }) { trace = 0 }
        let (values, vectors) = try symmetricEigenvectors(covariance, count: components)
        return (Decomposition(components: vectors, variances: values, totalVariance: trace, mean: mean), offset.reduce(0) { $0 + $1 * $1 })
    }

    /// Fewer accumulators where each is large.
    private var momentSlots: Int { max(1, min(8, (256 << 20) / (8 * source.columns * source.columns))) }

    private func doubleMoments() throws -> Moments {
        let d = source.columns, shift = try firstShift()
        let total = try sums(slots: momentSlots, size: d * d + d, shift: shift) { mine, _, rows, x in
            Double.addGram(x, rows: rows, columns: d, to: mine)
            Double.addColumnSums(x, rows: rows, columns: d, to: mine + d * d)
        }
        return Moments(shift: shift, total)
    }

    private func singleMoments() throws -> Moments {
        let d = source.columns, center = try firstShift().map(Float.init)
        // Rows of the lower triangle that are multiplied together; what lies above the diagonal in the last columns is left alone.
        let band = 128
        let total = try sums(slots: momentSlots, size: d * d + d, as: Float.self, { kt_center_scale($0, center, 1, Int64(d), $1) }) {
            mine, _, rows, x in
            Scratch.with(Float.self, count: band * d) { products in
                for first in stride(from: 0, to: d, by: band) {
                    let end = min(d, first + band)
                    Float.product(
                        x + first, transposed: true, x, transposed: false, m: end - first, n: end, k: rows, lda: d, ldb: d,
                        into: products, ldc: end, accumulate: false, precision: .f32)
                    for i in first..<end {
                        let to = mine + i * d, from = products + (i - first) * end
                        for j in 0..<end { to[j] += Double(from[j]) }
                    }
                }
                products.update(repeating: 0, count: d)
                Float.addColumnSums(x, rows: rows, columns: d, to: products)
                for c in 0..<d { mine[d * d + c] += Double(products[c]) }
            }
        }
        return Moments(shift: center.map(Double.init), total)
    }

    func fullDecomposition() throws -> Decomposition {
        let (mean, squares) = try moments(), d = source.columns
        var x = Tensor<Double>(uninitialized: [count, d])
        try x.withUnsafeMutableElements { x in
            let to = Shared(x)
            try forEachChunk(slots: 8, shift: mean) { _, first, rows, chunk in (to.pointer + first * d).update(from: chunk, count: rows * d)
            }
        }
        let (_, s, v) = try Tensors.singularValues(x), n = Double(count)
        return Decomposition(components: v, variances: s.map { $0 * $0 / (n - 1) }, totalVariance: total(squares, mean: mean), mean: mean)
    }

    func randomizedDecomposition(count components: Int, oversampling: Int, passes: Int, seed: UInt64) throws -> Decomposition {
        let (mean, squares) = try moments(), d = source.columns
        let l = min(components + max(0, oversampling), min(count, d))
        var random = RandomSource(seed: seed)
        var basis = Tensor<Double>((0..<d * l).map { _ in random.normal() }, shape: [d, l])
        for _ in 0..<max(0, passes) {
            let image = try orthonormalBasis(project(basis, mean: mean))
            basis = try orthonormalBasis(back(image, mean: mean))
        }
        let q = try orthonormalBasis(project(basis, mean: mean))
        // qᵀ·x is the transpose of back(q); its right singular vectors are those of x.
        let (u, s, _) = try Tensors.singularValues(back(q, mean: mean)), n = Double(count)
        let vectors = u.transposed().rows(0..<components)
        return Decomposition(
            components: vectors, variances: s[..<components].map { $0 * $0 / (n - 1) }, totalVariance: total(squares, mean: mean),
            mean: mean)
    }

    private func total(_ squares: Double, mean: [Double]) -> Double {
        let scale = mean.reduce(0) { $0 + $1 * $1 }, variance = squares / Double(count - 1)
        return variance <= 1e-28 * scale ? 0 : variance
    }

    /// x · basis, (count, l).
    private func project(_ basis: Tensor<Double>, mean: [Double]) throws -> Tensor<Double> {
        let d = source.columns, l = basis.columns
        var result = Tensor<Double>(uninitialized: [count, l])
        try basis.withUnsafeElements { basis in
            try result.withUnsafeMutableElements { result in
                let from = Shared(basis), to = Shared(result)
                try forEachChunk(slots: 8, shift: mean) { _, first, rows, x in
                    Double.product(
                        x, transposed: false, from.pointer, transposed: false, m: rows, n: l, k: d, lda: d, ldb: l,
                        into: to.pointer + first * l, ldc: l, accumulate: false, precision: .f32)
                }
            }
        }
        return result
    }

    /// xᵀ · y for y (count, l), (columns, l).
    private func back(_ y: Tensor<Double>, mean: [Double]) throws -> Tensor<Double> {
        let d = source.columns, l = y.columns
        let total = try y.withUnsafeElements { y in
            let from = Shared(y)
            return try sums(slots: 8, size: d * l, shift: mean) { mine, first, rows, x in
                Double.product(
                    x, transposed: true, from.pointer + first * l, transposed: false, m: d, n: l, k: rows, lda: d, ldb: l,
                    into: mine, ldc: l, accumulate: true, precision: .f32)
            }
        }
        return Tensor(total, shape: [d, l])
    }
}
