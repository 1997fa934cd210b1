import FileFormats
import Foundation
import Statistics
import Tensors

/// How an autoencoder is built and learned.
package struct AutoencoderSettings: Sendable, Equatable {
    /// Units of the code.
    package var code = 2
    /// Units of a tanh layer on either side of the code; nil for none, which makes the autoencoder linear.
    package var hidden: Int?
    /// The decoder's matrices are the encoder's, transposed.
    package var isTied = false
    /// λ of an L1 penalty on the code, whose units are then rectified (Olshausen & Field 1996); 0 for none.
    package var sparsity = 0.0
    /// Keeps only this many units of each row's code, the largest, and only if they are positive (Makhzani & Frey 2014); nil for all.
    package var active: Int?
    /// Probability that a number of the input is set to the mean, which the network should make good (Vincent et al. 2008).
    package var corruption = 0.0
    /// Of L-BFGS, or passes over the rows where parts of them are drawn.
    package var iterations = 1000
    /// Step of Adam, where rows are drawn.
    package var learningRate = 1e-3
    package var seed: UInt64 = 0
    package var threads = Parallel.availableThreads

    package init() {}

    /// Codes whose units are rectified.
    var isRectified: Bool { sparsity > 0 || active != nil }
    /// Whether what is minimized changes from step to step, or has too many corners for L-BFGS.
    package var isStochastic: Bool { corruption > 0 || isRectified }
}

/// A network that squeezes vectors through a code of few numbers and back: principal components, curved (Kramer 1991; Hinton &
/// Salakhutdinov 2006).
///
/// All in Double. Smooth networks are learned by L-BFGS over all rows; denoising and sparse ones by Adam over random parts of 256 rows.
/// Sums run over fixed parts in a fixed order, so threads change nothing. Without a hidden layer and tied, the code spans the subspace of
/// PCA.
package struct Autoencoder: Sendable {
    package let settings: AutoencoderSettings
    /// Of the rows that were learned from.
    package let mean: [Double]
    /// One number by which all components are divided, the root of their mean variance.
    package let scale: Double
    /// Steps or iterations taken.
    package let iterations: Int
    /// Whether L-BFGS came to an end before it had to stop; nil for Adam, which always takes all its steps.
    package let isConverged: Bool?
    private let network: CodeNetwork
    private let w: [Double]

    /// Learns from rows.
    ///
    /// - Parameter x: (rows, d), finite.
    /// - Throws: `DataError` if there are fewer than two rows, or all are equal.
    package init(_ x: Tensor<Float>, settings: AutoencoderSettings, watch: (_ share: Double) -> Void = { _ in }) throws {
        let n = x.rows, d = x.columns
        guard n >= 2 else { throw DataError(.badData, "an autoencoder needs at least two vectors; there \(n == 1 ? "is 1" : "are none")") }
        guard x.isFinite else { throw DataError(.badData, "the vectors contain NaN or infinity; leave out those rows or embed them again") }
        guard settings.active.map({ $0 <= settings.code }) ?? true else {
            throw DataError(.usage, "at most \(settings.code) units of the code can be active")
        }
        var rows = x.converted(to: Double.self)
        var center = [Double](repeating: 0, count: d), squares = 0.0
        rows.withUnsafeMutableElements { e in
            for row in 0..<n { for c in 0..<d { center[c] += e[row * d + c] } }
            for c in 0..<d { center[c] /= Double(n) }
            for row in 0..<n {
                for c in 0..<d {
                    e[row * d + c] -= center[c]
                    squares += e[row * d + c] * e[row * d + c]
                }
            }
        }
        guard squares > 0 else { throw DataError(.badData, "all vectors are equal") }
        let unit = (squares / Double(n * d)).squareRoot()
        rows.withUnsafeMutableElements { e in for i in 0..<n * d { e[i] /= unit } }
        (self.settings, mean, scale) = (settings, center, unit)
        let network = CodeNetwork(d, settings)
        var w = network.initial(seed: settings.seed)
        if settings.isStochastic {
            let batch = min(256, n), epochs = max(1, settings.iterations), perEpoch = max(1, n / batch), total = epochs * perEpoch
            var first = [Double](repeating: 0, count: w.count), second = first
            var sampler = RowSampler(rows: n, batchSize: batch, random: RandomSource(seed: settings.seed).split(1))
            for step in 0..<total {
                let part = rows.selecting(sampler.next())
                var random = RandomSource(seed: settings.seed).split(2).split(UInt64(step)), noisy = part
                if settings.corruption > 0 {
                    noisy.withUnsafeMutableElements { e in for i in 0..<part.count where random.uniform() < settings.corruption { e[i] = 0 }
                    }
                }
                let (_, g) = network.loss(w, noisy, target: part, threads: settings.threads)
                let rate = settings.learningRate * 0.5 * (1 + cos(.pi * Double(step) / Double(total)))
                let corrections = (1 - pow(0.9, Double(step + 1)), 1 - pow(0.999, Double(step + 1)))
                for i in w.indices {
                    first[i] = 0.9 * first[i] + 0.1 * g[i]
                    second[i] = 0.999 * second[i] + 0.001 * g[i] * g[i]
                    w[i] -= rate * (first[i] / corrections.0) / ((second[i] / corrections.1).squareRoot() + 1e-8)
                }
                watch(Double(step + 1) / Double(total))
            }
            (iterations, isConverged) = (total, nil)
        } else {
            var calls = 0
            let end = LBFGS(gradientLimit: 1e-7, fallbackLimit: 1e-5, maximumIterations: settings.iterations).minimize(&w) { w in
                calls += 1
                watch(min(1, Double(calls) / Double(settings.iterations)))
                let (loss, g) = network.loss(w, rows, target: rows, threads: settings.threads)
                return (loss, { g })
            }
            (iterations, isConverged) = (end.iterations, end.isConverged)
        }
        guard w.allSatisfy(\.isFinite) else { throw DataError(.badData, "the autoencoder diverged; lower \(Setting.learningRate)") }
        (self.network, self.w) = (network, w)
    }

    private func standardized(_ x: Tensor<Float>) throws -> Tensor<Double> {
        let d = mean.count, n = x.rows
        guard x.columns == d else {
            throw DataError(.badData, "the autoencoder was trained on vectors of dimension \(d); these have \(x.columns)")
        }
        var rows = x.converted(to: Double.self)
        rows.withUnsafeMutableElements { e in for row in 0..<n { for c in 0..<d { e[row * d + c] = (e[row * d + c] - mean[c]) / scale } } }
        return rows
    }

    /// Codes (rows, code).
    package func codes(_ x: Tensor<Float>) throws -> Tensor<Double> { network.encoded(w, try standardized(x)) }

    /// Mean squared Euclidean distance between vectors and what comes back of them, and its share of their mean squared distance from the
    /// mean.
    package func reconstructionError(_ x: Tensor<Float>) throws -> (meanSquared: Double, share: Double) {
        let rows = try standardized(x), back = network.decoded(w, network.encoded(w, rows))
        var lost = 0.0, whole = 0.0
        for (a, b) in zip(rows.elements, back.elements) {
            lost += (a - b) * (a - b)
            whole += a * a
        }
        let n = Double(max(1, x.rows))
        return (lost * scale * scale / n, whole > 0 ? lost / whole : 0)
    }

    /// Directions (code, d) in which the code's units lead from the mean, for a network without a hidden layer: its decoder's columns.
    package var directions: Tensor<Double>? { settings.hidden == nil ? network.decoder(w) : nil }
}

/// Layers of an autoencoder over one flat list of weights, with their derivatives.
private struct CodeNetwork: Sendable {
    /// Inputs and outputs of each layer, encoder then decoder.
    private let sizes: [(inputs: Int, outputs: Int)]
    private let isTied: Bool
    private let settings: AutoencoderSettings
    private var middle: Int { sizes.count / 2 }
    /// Where each layer's matrix (outputs, inputs) and bias begin.
    private var matrices: [Int] = []
    private var biases: [Int] = []
    private(set) var count = 0

    init(_ d: Int, _ settings: AutoencoderSettings) {
        let path = [d] + [settings.hidden].compactMap(\.self) + [settings.code]
        let down = zip(path, path.dropFirst()).map { (inputs: $0, outputs: $1) }
        sizes = down + down.reversed().map { (inputs: $0.outputs, outputs: $0.inputs) }
        isTied = settings.isTied
        self.settings = settings
        for (index, size) in sizes.enumerated() {
            if isTied && index >= sizes.count / 2 {
                matrices.append(matrices[sizes.count - 1 - index])
            } else {
                matrices.append(count)
                count += size.inputs * size.outputs
            }
            biases.append(count)
            count += size.outputs
        }
    }

    private func isTransposed(_ layer: Int) -> Bool { isTied && layer >= middle }

    func initial(seed: UInt64) -> [Double] {
        var random = RandomSource(seed: seed), w = [Double](repeating: 0, count: count)
        for (layer, size) in sizes.enumerated() where !isTransposed(layer) {
            let deviation = 1 / Double(size.inputs).squareRoot()
            for i in 0..<size.inputs * size.outputs { w[matrices[layer] + i] = deviation * random.normal() }
        }
        return w
    }

    private func matrix(_ w: [Double], _ layer: Int) -> Tensor<Double> {
        let size = sizes[layer], shape = isTransposed(layer) ? [size.inputs, size.outputs] : [size.outputs, size.inputs]
        return Tensor(Array(w[matrices[layer]..<matrices[layer] + size.inputs * size.outputs]), shape: shape)
    }

    /// The decoder's only matrix, transposed: (code, d).
    func decoder(_ w: [Double]) -> Tensor<Double> { isTransposed(middle) ? matrix(w, middle) : matrix(w, middle).transposed() }

    /// A layer before its activation.
    private func linear(_ w: [Double], _ layer: Int, _ x: Tensor<Double>) -> Tensor<Double> {
        var y = matrixProduct(x, transposed: false, matrix(w, layer), transposed: !isTransposed(layer))
        let rows = y.rows, columns = y.columns, bias = biases[layer]
        y.withUnsafeMutableElements { e in for row in 0..<rows { for c in 0..<columns { e[row * columns + c] += w[bias + c] } } }
        return y
    }

    private func activate(_ layer: Int, _ y: inout Tensor<Double>) {
        let rows = y.rows, columns = y.columns, active = settings.active
        if layer == middle - 1 {
            guard settings.isRectified else { return }
            y.withUnsafeMutableElements { e in
                for row in 0..<rows {
                    let values = e + row * columns
                    var floor = 0.0
                    if let active, active < columns {
                        floor = max(0, (0..<columns).map { values[$0] }.sorted(by: >)[active - 1])
                    }
                    for c in 0..<columns where !(values[c] > 0 && values[c] >= floor) { values[c] = 0 }
                }
            }
        } else if layer != sizes.count - 1 {
            y.withUnsafeMutableElements { e in for i in 0..<rows * columns { e[i] = tanh(e[i]) } }
        }
    }

    private func run(_ w: [Double], _ layers: Range<Int>, _ x: Tensor<Double>) -> [Tensor<Double>] {
        var values = [x]
        for layer in layers {
            var y = linear(w, layer, values[values.count - 1])
            activate(layer, &y)
            values.append(y)
        }
        return values
    }

    func encoded(_ w: [Double], _ x: Tensor<Double>) -> Tensor<Double> { run(w, 0..<middle, x).last ?? x }
    func decoded(_ w: [Double], _ code: Tensor<Double>) -> Tensor<Double> { run(w, middle..<sizes.count, code).last ?? code }

    /// Mean squared error per number, plus the penalty on the code, and the gradient.
    func loss(_ w: [Double], _ x: Tensor<Double>, target: Tensor<Double>, threads: Int) -> (Double, [Double]) {
        let parts = Parallel.chunks(x.rows, size: 512), numbers = Double(target.count), rows = Double(x.rows)
        let found = Parallel.map(parts.count, threads: threads) { part, _ in
            piece(w, x.rows(parts[part]), target.rows(parts[part]), numbers, rows)
        }
        var sum = 0.0, g = [Double](repeating: 0, count: count)
        for (loss, gradient) in found {
            sum += loss
            for i in g.indices { g[i] += gradient[i] }
        }
        return (sum, g)
    }

    private func piece(
        _ w: [Double], _ x: Tensor<Double>, _ target: Tensor<Double>, _ numbers: Double, _ rows: Double
    ) -> (Double, [Double]) {
        let values = run(w, 0..<sizes.count, x)
        var slope = values[sizes.count], loss = 0.0
        let size = target.count
        slope.withUnsafeMutableElements { e in
            target.withUnsafeElements { t in
                for i in 0..<size {
                    let error = e[i] - t[i]
                    loss += error * error / numbers
                    e[i] = 2 * error / numbers
                }
            }
        }
        var g = [Double](repeating: 0, count: count)
        for layer in sizes.indices.reversed() {
            let out = values[layer + 1], input = values[layer], columns = out.columns, height = out.rows
            slope.withUnsafeMutableElements { e in
                out.withUnsafeElements { y in
                    if layer == middle - 1 {
                        guard settings.isRectified else { return }
                        for i in 0..<height * columns {
                            loss += settings.sparsity * y[i] / rows
                            e[i] = y[i] > 0 ? e[i] + settings.sparsity / rows : 0
                        }
                    } else if layer != sizes.count - 1 {
                        for i in 0..<height * columns { e[i] *= 1 - y[i] * y[i] }
                    }
                }
            }
            let own = isTransposed(layer) ? matrixProduct(input, transposed: true, slope) : matrixProduct(slope, transposed: true, input)
            let start = matrices[layer], bias = biases[layer]
            own.withUnsafeElements { o in for i in 0..<own.count { g[start + i] += o[i] } }
            slope.withUnsafeElements { e in for row in 0..<height { for c in 0..<columns { g[bias + c] += e[row * columns + c] } } }
            if layer > 0 { slope = matrixProduct(slope, transposed: false, matrix(w, layer), transposed: isTransposed(layer)) }
        }
        return (loss, g)
    }
}
