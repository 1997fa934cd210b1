import Tensors
import Testing

@Suite struct ProductTests {
    private func random(_ shape: [Int], seed: UInt64) -> Tensor<Float> {
        var source = RandomSource(seed: seed)
        return Tensor((0..<shape.reduce(1, *)).map { _ in Float(source.normal()) }, shape: shape)
    }

    /// By the definition, in Double.
    private func reference(_ a: Tensor<Float>, _ b: Tensor<Float>) -> [Double] {
        (0..<a.rows).flatMap { i in (0..<b.columns).map { j in (0..<a.columns).reduce(0.0) { $0 + Double(a[i, $1]) * Double(b[$1, j]) } } }
    }

    @Test(arguments: [(1, 1, 1), (3, 5, 7), (64, 24, 33), (70, 100, 129), (200, 31, 16)])
    func everyTransposition(_ m: Int, _ k: Int, _ n: Int) {
        let a = random([m, k], seed: 1), b = random([k, n], seed: 2), expected = reference(a, b)
        for (x, xt) in [(a, false), (a.transposed(), true)] {
            for (y, yt) in [(b, false), (b.transposed(), true)] {
                let c = matrixProduct(x, transposed: xt, y, transposed: yt)
                let d = matrixProduct(x.converted(to: Double.self), transposed: xt, y.converted(to: Double.self), transposed: yt)
                #expect(c.shape == [m, n])
                for i in 0..<m * n {
                    #expect(abs(Double(c[i]) - expected[i]) < 1e-4 * Double(k).squareRoot())
                    #expect(abs(d[i] - expected[i]) < 1e-12 * Double(k))
                }
            }
        }
    }

    @Test func packedWeightsWithBias() {
        let x = random([130, 48], seed: 3), w = random([20, 48], seed: 4), bias = random([20], seed: 5)
        let expected = reference(x, w.transposed())
        func product(_ precision: Precision, plus bias: Tensor<Float>?) -> Tensor<Float> {
            var y = Tensor<Float>(uninitialized: [130, 20])
            Float.multiply(
                ProductOperand(x, precision: precision), by: Float.pack(w.view, precision: precision), plus: bias?.view, into: &y.target)
            return y
        }
        var y = product(.f32, plus: bias)
        for i in 0..<y.count { #expect(abs(Double(y[i]) - expected[i] - Double(bias[i % 20])) < 1e-4) }
        // bfloat16 keeps eight bits: errors of a few thousandths of the sum's size.
        if Precision.bf16.isFast {
            y = product(.bf16, plus: nil)
            for i in 0..<y.count { #expect(abs(Double(y[i]) - expected[i]) < 0.2) }
        }
    }

    /// Weights in int8 by their definition, along either stride; and no product is farther from that of the numbers than is promised.
    @Test(arguments: [(31, 7), (48, 20), (130, 70)]) func quantizedWeights(inputs: Int, outputs: Int) {
        let x = random([66, inputs], seed: 6)
        var w = random([outputs, inputs], seed: 7)
        for i in 0..<inputs { w[2 * inputs + i] = 0 }
        let packed = Float.pack(w.view, precision: .int8), across = Float.pack(w.transposed().view, transposed: true, precision: .int8)
        for matrix in [packed, across] {
            matrix.withParts { parts in
                for output in 0..<outputs {
                    let row = (0..<inputs).map { w[output, $0] }, largest = row.map(abs).max() ?? 0, step = largest > 0 ? largest / 127 : 1
                    #expect(parts.scales[output].bitPattern == step.bitPattern)
                    let sum = row.reduce(0) { $0 + Int32(($1 / step).rounded(.toNearestOrEven)) }
                    #expect(parts.columnSums[output].bitPattern == (step * Float(sum)).bitPattern)
                }
            }
        }
        let expected = reference(x, w.transposed())
        func length(_ row: some Sequence<Float>) -> Double { row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
        var y = Tensor<Float>(uninitialized: [66, outputs]), other = y, closest = 0.0
        Float.multiply(ProductOperand(x, precision: .int8), by: packed, into: &y.target)
        Float.multiply(ProductOperand(x, precision: .int8), by: across, into: &other.target)
        #expect(y.hasSameBits(as: other))
        // Sums of two products saturate at 16 bits before VNNI: where int8 is not fast it is not exact either.
        guard Precision.int8.isFast else { return }
        for row in 0..<66 {
            let loss = x.withUnsafeElements { Double(RoundingLoss.row($0 + row * inputs, columns: inputs)) }
            let size = length((0..<inputs).map { x[row, $0] })
            for output in 0..<outputs {
                let weightLoss = w.withUnsafeElements { Double(RoundingLoss.weights($0 + output * inputs, output: output, of: packed)) }
                let bound = loss * length((0..<inputs).map { w[output, $0] }) + (size + loss) * weightLoss + 1e-5
                let error = abs(Double(y[row, output]) - expected[row * outputs + output])
                #expect(error <= bound)
                closest = max(closest, error / bound)
            }
        }
        // A bound that errors come nowhere near would let every row through.
        #expect(closest > 0.2)
    }
}

/// A row's product does not depend on the rows beside it.
@Suite struct RowProductTests {
    @Test(.tags(.sameBits)) func packedProduct() {
        var source = RandomSource(seed: 9)
        for (inputs, outputs) in [(48, 20), (384, 384), (33, 17)] {
            let w = Tensor<Float>((0..<inputs * outputs).map { _ in Float(source.normal()) }, shape: [outputs, inputs])
            let x = Tensor<Float>((0..<150 * inputs).map { _ in Float(source.normal()) }, shape: [150, inputs])
            let packed = Float.pack(w.view, precision: .f32)
            func product(_ rows: Range<Int>) -> Tensor<Float> {
                var y = Tensor<Float>(uninitialized: [rows.count, outputs])
                Float.multiply(ProductOperand(x.view[rows: rows], precision: .f32), by: packed, into: &y.target)
                return y
            }
            let whole = product(0..<150)
            for row in 0..<150 { #expect(product(row..<row + 1).hasSameBits(as: whole.rows(row..<row + 1))) }
            #expect(product(37..<120).hasSameBits(as: whole.rows(37..<120)))
        }
    }

    /// Few rows take a lower tile once their shape has come a few times, if its kernel rounds as the full tile's does.
    @Test(.tags(.sameBits), arguments: [Precision.f32, .bf16, .int8])
    func lowerTiles(_ precision: Precision) {
        guard precision == .f32 || precision.isFast else { return }
        var source = RandomSource(seed: 11)
        for (inputs, outputs) in [(384, 1152), (1536, 384), (1024, 512), (384, 2), (80, 1000), (33, 17)] {
            let w = Tensor<Float>((0..<inputs * outputs).map { _ in Float(source.normal()) }, shape: [outputs, inputs])
            let x = Tensor<Float>((0..<64 * inputs).map { _ in Float(source.normal()) }, shape: [64, inputs])
            let packed = Float.pack(w.view, precision: precision)
            func product(_ rows: Range<Int>) -> Tensor<Float> {
                var y = Tensor<Float>(uninitialized: [rows.count, outputs])
                Float.multiply(ProductOperand(x.view[rows: rows], precision: precision), by: packed, into: &y.target)
                return y
            }
            let whole = product(0..<64)
            for count in [1, 2, 4, 5, 8, 13, 16, 17, 32, 33, 63] {
                for repetition in 0..<8 {
                    let first = (repetition * 7) % (65 - count), rows = first..<first + count
                    #expect(product(rows).hasSameBits(as: whole.rows(rows)), "\(inputs) × \(outputs), \(rows)")
                }
            }
        }
    }

    /// Work that has several threads for itself divides a product among them, by columns or by rows.
    @Test(.tags(.sameBits), arguments: [Precision.f32, .bf16, .int8])
    func sharedProducts(_ precision: Precision) {
        guard precision == .f32 || precision.isFast else { return }
        var source = RandomSource(seed: 12)
        for (inputs, outputs) in [(1024, 3072), (1024, 1000), (2048, 1024), (640, 1536)] {
            let w = Tensor<Float>((0..<inputs * outputs).map { _ in Float(source.normal()) }, shape: [outputs, inputs])
            let x = Tensor<Float>((0..<200 * inputs).map { _ in Float(source.normal()) }, shape: [200, inputs])
            let bias = Tensor<Float>((0..<outputs).map { _ in Float(source.normal()) }, shape: [outputs])
            let packed = Float.pack(w.view, precision: precision)
            let product: @Sendable (Int) -> Tensor<Float> = { rows in
                var y = Tensor<Float>(uninitialized: [rows, outputs])
                Float.multiply(x.view[rows: 0..<rows], by: packed, plus: bias.view, activation: .identity, into: &y.target)
                return y
            }
            let alone = product(200)
            for rows in [1, 3, 16, 64, 65, 127, 128, 131, 200] {
                // The first times are not shared yet: trials come when a shape has come often enough.
                let shared = Parallel.map(1, threads: 3) { _, _ in (0..<7).map { _ in product(rows) } }[0]
                for found in shared { #expect(found.hasSameBits(as: alone.rows(0..<rows)), "\(inputs) × \(outputs), \(rows) rows") }
            }
        }
    }
}

@Suite struct TensorTests {
    @Test func valueSemantics() {
        let a = Tensor<Float>([1, 2, 3, 4, 5, 6], shape: [2, 3])
        var b = a
        b[1, 2] = 60
        #expect(a.elements == [1, 2, 3, 4, 5, 6] && b.elements == [1, 2, 3, 4, 5, 60])
        #expect(a.transposed().elements == [1, 4, 2, 5, 3, 6])
        #expect(a.rows(1..<2).elements == [4, 5, 6] && a.reshaped([6]).shape == [6])
        #expect(!Tensor<Float>([1, .nan], shape: [2]).isFinite && !Tensor<Float>([1, .infinity], shape: [2]).isFinite && a.isFinite)
        #expect(a.squaredNorm == 91)
    }

    @Test func viewsAreCopiedBeforeTheyAreWritten() {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 3)
        memory.update(from: [1, 2, 3], count: 3)
        final class Owner: Sendable {}
        var view = Tensor(viewing: UnsafePointer(memory), shape: [3], owner: Owner())
        view[0] = 10
        #expect(memory[0] == 1 && view.elements == [10, 2, 3])
        memory.deallocate()
    }
}

@Suite struct RandomTests {
    @Test func knownNumbers() {
        // Recomputed from the published algorithms: xoshiro256** from SplitMix64(42).
        var source = RandomSource(seed: 42)
        #expect((0..<3).map { _ in source.next() } == [1546998764402558742, 6990951692964543102, 12544586762248559009])
    }

    @Test func distributions() {
        var source = RandomSource(seed: 7)
        let normals = (0..<20_000).map { _ in source.normal() }
        let mean = normals.reduce(0, +) / 20_000, variance = normals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.04)
        var counts = [Int](repeating: 0, count: 5)
        for _ in 0..<10_000 { counts[source.below(5)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 2000) < 200 })
        #expect(source.permutation(100).sorted() == Array(0..<100))
        var a = source.split(1), b = source.split(2), again = source.split(1)
        let first = a.next()
        #expect(first != b.next() && first == again.next())
    }
}
