import CKernels
import CKissFFT
import Foundation
import Tensors

// Repulsion through a potential on a grid. Goals in order: an error of the forces below that of the reference (FIt-SNE: some 4 % root mean
// square, mostly between close neighbours, where it averages out over the iterations); the same bits for any number of threads; speed.
//
// As in FIt-SNE (Linderman et al. 2019) the sum over all pairs becomes a convolution on a regular grid. Three things differ, and
// leave one transform there and one back where FIt-SNE needs four and four:
// - The force is the gradient of one potential, −½ ∇ Σ_j w(|y − y_j|), so one charge per point is enough; no differences of
//   large moments are taken, and float is precise enough.
// - Between nodes the kernel is interpolated by quintic B-splines in both points (an exact cardinal interpolation: the
//   kernel's transform is divided by that of the splines), which have a smooth gradient. Forces are the exact gradient of the
//   approximated energy.
// - The kernel's transform is kept until the grid changes; spacings and sizes are taken from a ladder, so that this is rare.

/// A grid that holds every point: FFT length, spacing and what depends on them.
private final class Grid {
    let length: Int
    let spacing: Double
    /// Whether the kernel is w − 1, whose small differences near 0 survive in Float; the constant has no gradient.
    let isShifted: Bool
    /// Transform of the kernel over that of the splines, times the FFT's normalization, (length/2 + 1, length/2 + 1); one row on a line.
    let kernel: [Float]

    init(length: Int, spacing: Double, isShifted: Bool, alpha: Double, dimensions: Int, workers: FFTWorkers) {
        self.length = length
        self.spacing = spacing
        self.isShifted = isShifted
        let half = length / 2 + 1, rows = dimensions == 2 ? half : 1
        // Every quadrant of the kernel's image is the same: its transform is real and just as symmetric.
        var samples = [Double](repeating: 0, count: rows * half)
        for r in 0..<rows {
            for c in 0..<half {
                let squared = (Double(r * r) + Double(c * c)) * spacing * spacing
                let exponent = -alpha * log1p(squared / alpha)
                samples[r * half + c] = isShifted ? expm1(exponent) : exp(exponent)
            }
        }
        var transform = workers.evenTransform(samples, rows: rows, half: half, length: length)
        // Of the quintic spline at the nodes: 66, 26, 1 over 120.
        let spline = (0..<half).map { k -> Double in
            let angle = 2 * Double.pi * Double(k) / Double(length)
            return (66 + 52 * cos(angle) + 2 * cos(2 * angle)) / 120
        }
        let normalization = dimensions == 2 ? 1 / (Double(length) * Double(length)) : 1 / Double(length)
        for r in 0..<rows {
            for c in 0..<half {
                let across = spline[c] * spline[c], along = dimensions == 2 ? spline[r] * spline[r] : 1
                transform[r * half + c] *= normalization / (across * along)
            }
        }
        kernel = transform.map(Float.init)
    }
}

/// KissFFT's tables for one length, a set for each worker: the real transform keeps scratch memory in its own.
private final class FFTWorkers: @unchecked Sendable {
    // Sendable: tables do not change after they are made; those of the real transforms have scratch memory, and worker w uses the w-th.
    let length: Int
    let forward: kiss_fft_cfg
    let inverse: kiss_fft_cfg
    let realForward: [kiss_fftr_cfg]
    let realInverse: [kiss_fftr_cfg]

    init?(length: Int, workers: Int) {
        self.length = length
        let n = Int32(length)
        guard let forward = kiss_fft_alloc(n, 0, nil, nil), let inverse = kiss_fft_alloc(n, 1, nil, nil) else { return nil }
        self.forward = forward
        self.inverse = inverse
        realForward = (0..<workers).compactMap { _ in kiss_fftr_alloc(n, 0, nil, nil) }
        realInverse = (0..<workers).compactMap { _ in kiss_fftr_alloc(n, 1, nil, nil) }
        guard realForward.count == workers, realInverse.count == workers else { return nil }
    }

    deinit {
        for table in realForward + realInverse { free(UnsafeMutableRawPointer(table)) }
        free(UnsafeMutableRawPointer(forward))
        free(UnsafeMutableRawPointer(inverse))
    }

    /// Transform of a real image that is even in every direction, given by its first quadrant.
    func evenTransform(_ samples: [Double], rows: Int, half: Int, length: Int) -> [Double] {
        var line = [Float](repeating: 0, count: length), spectrum = [kiss_fft_cpx](repeating: kiss_fft_cpx(), count: half)
        var result = samples
        func transform(_ at: (Int) -> Int) {
            for i in 0..<half {
                line[i] = Float(result[at(i)])
                if i > 0 { line[length - i] = line[i] }
            }
            kiss_fftr(realForward[0], line, &spectrum)
            for i in 0..<half { result[at(i)] = Double(spectrum[i].r) }
        }
        for r in 0..<rows { transform { r * half + $0 } }
        if rows > 1 { for c in 0..<half { transform { $0 * half + c } } }
        return result
    }
}

/// A potential as coefficients of splines on a grid, valid during a call.
struct Potential: Sendable {
    let field: Shared<Float>
    let stride: Int
    let left: Float
    let bottom: Float
    let perUnit: Float
    /// To be added to the field's values.
    let constant: Double
}

/// Repulsion by interpolation on a grid.
final class FFTInterpolation: Repulsion {
    private static let leastCells = 50.0
    /// Nodes beyond the farthest pair before the kernel's mirror image begins, whose kink the splines carry a few nodes in.
    private static let margin = 16
    private static let bandRows = 16

    private let alpha: Double
    /// Distance between nodes in the map's units; smaller where the map itself is small.
    private let spacing: Double
    private let threads: Int
    private var grid: Grid?
    private var workers: FFTWorkers?
    private var order: [Int32]
    private var bands: [Int32]

    init(points: Int, alpha: Double, spacing: Double, threads: Int) {
        self.alpha = alpha
        self.spacing = spacing
        self.threads = max(1, threads)
        order = [Int32](repeating: 0, count: points)
        bands = order
    }

    func compute(_ map: MapArrays) -> Double {
        withPotential(of: map) { potential in
            let sum =
                map.y.map { gatherPlane(map, y: $0, potential) }
                ?? kt_spline_gather_line(
                    Int64(map.count), map.x, potential.left, potential.perUnit, potential.field.pointer, map.repulsionX, nil)
            // Each point's own potential is w(0) = 1.
            return sum + Double(map.count) * potential.constant - Double(map.count)
        } ?? .nan
    }

    /// Calls `body` with the potential Σ_j w(|y − y_j|) of the map's points, or returns nil if the map has flown apart.
    func withPotential<Result>(of map: MapArrays, _ body: (Potential) -> Result) -> Result? {
        let n = map.count
        let (left, right) = Self.bounds(map.x, n)
        let (bottom, top) = map.y.map { Self.bounds($0, n) } ?? (0, 0)
        let span = max(Double(right - left), Double(top - bottom))
        guard span.isFinite, span < 1e12, let grid = fittingGrid(span: span, dimensions: map.dimensions), let workers else { return nil }
        // The lower corner lies just above node 6, so that the first of a point's six nodes is node 0 or later, however it is rounded.
        let nodes = Double(KT_SPLINE_NODES) * grid.spacing
        let corner = (Float(Double(left) - nodes), Float(Double(bottom) - nodes))
        return map.y.map { plane(map, y: $0, grid, workers, corner: corner, top: top, body) }
            ?? line(map, grid, workers, left: corner.0, body)
    }

    private static func bounds(_ x: UnsafePointer<Float>, _ n: Int) -> (Float, Float) {
        var low = Float.infinity, high = -Float.infinity
        for i in 0..<n {
            low = min(low, x[i])
            high = max(high, x[i])
        }
        return (low, high)
    }

    /// The grid in use, or a new one where it is too small or needlessly large.
    private func fittingGrid(span: Double, dimensions: Int) -> Grid? {
        var spacing = self.spacing
        while spacing > 1e-12 && span < Self.leastCells * spacing { spacing /= 2 }
        // A few points far away from all others must not lead to an enormous grid.
        let side = max(1024, 4 * Int(Double(order.count).squareRoot())), mostCells = dimensions == 2 ? side : 64 * side
        while span > Double(mostCells) * spacing { spacing *= 2 }
        let cells = Int((span / spacing).rounded(.up)) + Int(KT_SPLINE_NODES) + 3
        let wanted = 2 * (cells + Self.margin), length = 2 * Int(kiss_fft_next_fast_size(Int32((wanted + 1) / 2)))
        if let grid, grid.spacing == spacing, grid.length == length { return grid }
        if workers?.length != length { workers = FFTWorkers(length: length, workers: threads) }
        guard let workers else { return nil }
        grid = Grid(
            length: length, spacing: spacing, isShifted: spacing < self.spacing, alpha: alpha, dimensions: dimensions, workers: workers)
        return grid
    }

    // MARK: Two dimensions

    private func plane<Result>(
        _ map: MapArrays, y: UnsafeMutablePointer<Float>, _ grid: Grid, _ workers: FFTWorkers, corner: (Float, Float), top: Float,
        _ body: (Potential) -> Result
    ) -> Result {
        let n = map.count, length = grid.length, half = length / 2 + 1, perUnit = Float(1 / grid.spacing), (left, bottom) = corner
        let threads = self.threads
        let rows = Int((top - bottom) * perUnit) + 3
        let stride = length + Int(KT_SPLINE_SLACK)
        let bandCount = rows / Self.bandRows + 1
        sortIntoBands(y, n, bottom: bottom, perUnit: perUnit, count: bandCount)
        let starts = bandStarts
        return Scratch.with(Float.self, count: rows * stride + Int(KT_SPLINE_SLACK)) { field in
            Scratch.with(kiss_fft_cpx.self, count: rows * half) { spectrum in
                let field = Shared(field), spectrum = Shared(spectrum), x = Shared(map.x), y = Shared(y)
                Parallel.forEach(rows, threads: threads) { row, _ in (field.pointer + row * stride).update(repeating: 0, count: stride) }
                order.withUnsafeBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let order = Shared(base)
                    // A band touches its own rows and five below: every other band at a time.
                    for parity in 0...1 {
                        Parallel.forEach((bandCount + 1 - parity) / 2, threads: threads) { item, _ in
                            let band = 2 * item + parity
                            kt_spline_spread(
                                order.pointer, Int64(starts[band]), Int64(starts[band + 1]), x.pointer, y.pointer, left, bottom, perUnit,
                                Int64(stride), field.pointer)
                        }
                    }
                }
                Parallel.forEach(rows, threads: threads) { row, worker in
                    kiss_fftr(workers.realForward[worker], field.pointer + row * stride, spectrum.pointer + row * half)
                }
                convolveColumns(spectrum, rows: rows, grid, workers)
                Parallel.forEach(rows, threads: threads) { row, worker in
                    kiss_fftri(workers.realInverse[worker], spectrum.pointer + row * half, field.pointer + row * stride)
                }
                return body(
                    Potential(
                        field: field, stride: stride, left: left, bottom: bottom, perUnit: perUnit, constant: grid.isShifted ? Double(n) : 0
                    ))
            }
        }
    }

    /// Forces on the points that made the potential, and the sum of its values at them.
    private func gatherPlane(_ map: MapArrays, y: UnsafeMutablePointer<Float>, _ p: Potential) -> Double {
        let starts = bandStarts, bandCount = starts.count - 1
        var sums = [Double](repeating: 0, count: bandCount)
        sums.withUnsafeMutableBufferPointer { buffer in
            order.withUnsafeBufferPointer { orderBuffer in
                guard let out = buffer.baseAddress, let base = orderBuffer.baseAddress, let forceY = map.repulsionY else { return }
                let sums = Shared(out), order = Shared(base), x = Shared(map.x), y = Shared(y),
                    forces = (Shared(map.repulsionX), Shared(forceY))
                Parallel.forEach(bandCount, threads: threads) { band, _ in
                    sums.pointer[band] = kt_spline_gather(
                        order.pointer, Int64(starts[band]), Int64(starts[band + 1]), x.pointer, y.pointer, p.left, p.bottom,
                        p.perUnit, Int64(p.stride), p.field.pointer, forces.0.pointer, forces.1.pointer, nil)
                }
            }
        }
        return sums.reduce(0, +)
    }

    private var bandStarts: [Int] = []

    /// Points in the order of their bands of grid rows, within a band in their own order.
    private func sortIntoBands(_ y: UnsafePointer<Float>, _ n: Int, bottom: Float, perUnit: Float, count: Int) {
        var starts = [Int](repeating: 0, count: count + 1)
        let inverse = 1 / Float(Self.bandRows)
        bands.withUnsafeMutableBufferPointer { bands in
            order.withUnsafeMutableBufferPointer { order in
                for i in 0..<n {
                    // By the first of the six rows that the point touches.
                    let band = Int32((Float(Int32((y[i] - bottom) * perUnit) - (KT_SPLINE_NODES - 1))) * inverse)
                    bands[i] = band
                    starts[Int(band) + 1] += 1
                }
                for band in 0..<count { starts[band + 1] += starts[band] }
                bandStarts = starts
                for i in 0..<n {
                    let band = Int(bands[i])
                    order[starts[band]] = Int32(i)
                    starts[band] += 1
                }
            }
        }
    }

    /// Transforms every column, multiplies with the kernel and transforms back; rows beyond `rows` are zeros and not needed afterwards.
    private func convolveColumns(_ spectrum: Shared<kiss_fft_cpx>, rows: Int, _ grid: Grid, _ workers: FFTWorkers) {
        let length = grid.length, half = length / 2 + 1, together = 8
        let blocks = Parallel.chunks(half, size: together)
        grid.kernel.withUnsafeBufferPointer { kernelBuffer in
            guard let base = kernelBuffer.baseAddress else { return }
            let kernel = Shared(base)
            Parallel.forEach(blocks.count, threads: threads) { block, _ in
                let columns = blocks[block]
                Scratch.with(kiss_fft_cpx.self, count: (together + 1) * length) { scratch in
                    let transformed = scratch + together * length
                    for row in 0..<rows {
                        let from = spectrum.pointer + row * half
                        for c in columns { scratch[(c - columns.lowerBound) * length + row] = from[c] }
                    }
                    for c in columns {
                        let line = scratch + (c - columns.lowerBound) * length
                        for row in rows..<length { line[row] = kiss_fft_cpx(r: 0, i: 0) }
                        kiss_fft(workers.forward, line, transformed)
                        for k in 0..<length {
                            let factor = kernel.pointer[min(k, length - k) * half + c]
                            transformed[k].r *= factor
                            transformed[k].i *= factor
                        }
                        kiss_fft(workers.inverse, transformed, line)
                    }
                    for row in 0..<rows {
                        let to = spectrum.pointer + row * half
                        for c in columns { to[c] = scratch[(c - columns.lowerBound) * length + row] }
                    }
                }
            }
        }
    }

    // MARK: One dimension

    private func line<Result>(_ map: MapArrays, _ grid: Grid, _ workers: FFTWorkers, left: Float, _ body: (Potential) -> Result) -> Result {
        let n = map.count, length = grid.length, half = length / 2 + 1, perUnit = Float(1 / grid.spacing)
        return Scratch.with(Float.self, count: length + Int(KT_SPLINE_SLACK)) { field in
            Scratch.with(kiss_fft_cpx.self, count: half) { spectrum in
                field.update(repeating: 0, count: length + Int(KT_SPLINE_SLACK))
                kt_spline_spread_line(Int64(n), map.x, left, perUnit, field)
                kiss_fftr(workers.realForward[0], field, spectrum)
                for k in 0..<half {
                    spectrum[k].r *= grid.kernel[k]
                    spectrum[k].i *= grid.kernel[k]
                }
                kiss_fftri(workers.realInverse[0], spectrum, field)
                return body(
                    Potential(
                        field: Shared(field), stride: 0, left: left, bottom: 0, perUnit: perUnit, constant: grid.isShifted ? Double(n) : 0))
            }
        }
    }
}
