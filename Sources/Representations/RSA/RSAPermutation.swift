import FileFormats
import Foundation
import Statistics
import Tensors

/// Matrices turned into vectors whose scalar product is their agreement: all measures but τ-a are linear in this sense.
///
/// The vectors of cov-weighted have the diagonal behind the pairs.
struct PreparedMatrices: Sendable {
    let models: [[Double]], subjects: [[Double]]

    /// Nil if pairs are missing or the measure is τ-a.
    init?(_ models: [[Double]], _ subjects: [[Double]], _ n: Int, _ comparison: RDMComparison, threads: Int) {
        guard comparison != .tauA, !(models + subjects).contains(where: { $0.contains(where: \.isNaN) }) else { return nil }
        let all = models + subjects,
            prepared = Parallel.map(all.count, threads: threads) { item, _ in Self.prepared(all[item], n, comparison) }
        (self.models, self.subjects) = (Array(prepared[..<models.count]), Array(prepared[models.count...]))
    }

    /// A constant matrix has no direction.
    func isDefined(model: Int, subject: Int) -> Bool { !(models[model].isEmpty || subjects[subject].isEmpty) }

    func agreement(model: Int, subject: Int) -> Double { max(-1, min(1, Self.dot(models[model], subjects[subject]))) }

    static func dot(_ a: [Double], _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                // Four sums, in a fixed order.
                var s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, i = 0
                while i + 4 <= a.count {
                    s0 += a[i] * b[i]
                    s1 += a[i + 1] * b[i + 1]
                    s2 += a[i + 2] * b[i + 2]
                    s3 += a[i + 3] * b[i + 3]
                    i += 4
                }
                while i < a.count {
                    s0 += a[i] * b[i]
                    i += 1
                }
                return (s0 + s1) + (s2 + s3)
            }
        }
    }

    private static func prepared(_ values: [Double], _ n: Int, _ comparison: RDMComparison) -> [Double] {
        func unit(_ v: [Double], scale: Double) -> [Double] {
            let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length > 1e-13 * scale * Double(v.count).squareRoot() ? v.map { $0 / length } : []
        }
        func centred(_ v: [Double]) -> [Double] {
            let middle = mean(v)
            return v.map { $0 - middle }
        }
        let size = values.reduce(0) { max($0, abs($1)) }
        switch comparison {
        case .pearson: return unit(centred(values), scale: size)
        case .spearman, .tauA: return unit(centred(ranks(values)), scale: 1)
        case .rhoA:
            let count = Double(values.count), scale = (12 / (count * (count * count - 1))).squareRoot()
            return centred(ranks(values)).map { $0 * scale }
        case .cosine: return unit(values, scale: 0)
        case .covarianceWeighted: return unit(RDMComparison.whitened(values, n), scale: size)
        }
    }
}

extension RSA {
    /// One-sided p of each model at each time: the order of the model's conditions is drawn again; cells are never moved by themselves.
    /// The permutations are the same for all models and times.
    ///
    /// - Parameters:
    ///   - y: matrices (times, subjects).
    ///   - observed: mean agreements (models, times).
    ///   - prepared: of the models and, for a single time, of its subjects.
    func permutedP(_ x: [[Double]], _ y: [[[Double]]], _ n: Int, _ observed: [[Double]], _ prepared: PreparedMatrices?) -> [[Double]] {
        let source = RandomSource(seed: seed), times = y.count
        @Sendable func order(_ number: Int) -> [Int] {
            var random = source.split(UInt64(number))
            return random.permutation(n)
        }
        if let linear = prepared ?? PreparedMatrices(x, y.flatMap { $0 }, n, comparison, threads: threads),
            linear.models.allSatisfy({ !$0.isEmpty }), linear.subjects.allSatisfy({ !$0.isEmpty })
        {
            return linearP(linear, subjectsPerTime: y[0].count, times, n, order)
        }
        return x.indices.map { m in
            (0..<times).map { time in
                let null = Self.values(permutations, threads: threads) { number in
                    let moved = Self.reordered(x[m], order(number), n)
                    return mean(y[time].map { (try? comparison(moved, $0, conditions: n)) ?? .nan })
                }
                return PermutationTest.pValue(observed[m][time], null: null, counting: 1, .greater)
            }
        }
    }

    /// The mean over subjects of scalar products is the scalar product with the mean subject; a time course is a product of matrices.
    private func linearP(
        _ linear: PreparedMatrices, subjectsPerTime: Int, _ times: Int, _ n: Int, _ order: @escaping @Sendable (Int) -> [Int]
    ) -> [[Double]] {
        let width = linear.subjects[0].count, models = linear.models.count
        var targets = Tensor<Double>(repeating: 0, shape: [times, width])
        targets.withUnsafeMutableElements { t in
            for (place, subject) in linear.subjects.enumerated() {
                let row = t + place / subjectsPerTime * width
                for i in 0..<width { row[i] += subject[i] / Double(subjectsPerTime) }
            }
        }
        let average = targets, squares = linear.models.map { Self.square($0, n) }
        let observed = matrixProduct(
            Tensor(linear.models.flatMap { $0 }, shape: [models, width]), transposed: false, average, transposed: true)
        let blocks = Parallel.chunks(permutations, size: max(1, min(32, (1 << 20) / width)))
        let found = Parallel.map(blocks.count, threads: threads) { block, _ -> [Int] in
            let numbers = blocks[block]
            var moved = Tensor<Double>(uninitialized: [numbers.count * models, width])
            moved.withUnsafeMutableElements { to in
                for (place, number) in numbers.enumerated() {
                    let drawn = order(number)
                    for m in 0..<models { Self.gather(squares[m], linear.models[m], drawn, n, to + (place * models + m) * width) }
                }
            }
            let values = matrixProduct(moved, transposed: false, average, transposed: true)
            // Sums in another order round differently; as large is as large within that.
            return (0..<models * times).map { cell in
                numbers.indices.count { values[($0 - numbers.lowerBound) * models * times + cell] >= observed[cell] - 1e-12 }
            }
        }
        var counts = [Int](repeating: 1, count: models * times)
        for block in found { for cell in counts.indices { counts[cell] += block[cell] } }
        return (0..<models).map { m in counts[m * times..<(m + 1) * times].map { Double($0) / Double(permutations + 1) } }
    }

    /// A condensed matrix as a full one (n, n), so that a permuted row is gathered from one row.
    private static func square(_ values: [Double], _ n: Int) -> [Double] {
        var result = [Double](repeating: 0, count: n * n), pair = 0
        for i in 0..<n {
            for j in i + 1..<max(n, i + 1) {
                result[i * n + j] = values[pair]
                result[j * n + i] = values[pair]
                pair += 1
            }
        }
        return result
    }

    private static func gather(_ square: [Double], _ values: [Double], _ order: [Int], _ n: Int, _ to: UnsafeMutablePointer<Double>) {
        square.withUnsafeBufferPointer { square in
            order.withUnsafeBufferPointer { order in
                var pair = 0
                guard let base = square.baseAddress else { return }
                for i in 0..<n {
                    let row = base + order[i] * n
                    for j in i + 1..<max(n, i + 1) {
                        to[pair] = row[order[j]]
                        pair += 1
                    }
                }
                if values.count > pair { for i in 0..<n { to[pair + i] = values[pair + order[i]] } }
            }
        }
    }

    static func reordered(_ values: [Double], _ order: [Int], _ n: Int) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(values.count)
        for i in 0..<n {
            for j in i + 1..<max(n, i + 1) {
                let low = min(order[i], order[j]), high = max(order[i], order[j])
                result.append(values[low * (2 * n - low - 1) / 2 + high - low - 1])
            }
        }
        return result
    }
}
