import FileFormats
import Foundation
import Statistics
import Tensors

/// A linear model on vectors that stay as they are: logistic or ridge regression whose penalty is chosen in folds of the training rows.
///
/// A pair (u, v) is u − v, |u − v| and u ∘ v side by side (after Conneau et al. 2017).
package struct FrozenMethod: ClassificationMethod {
    package let name: String
    /// (rows of the table, d).
    package let features: Tensor<Double>
    /// Penalties to choose from, as multiples of the mean squared length of the centred rows.
    package var penalties: [Double]
    package var innerFolds: Int
    package var isBalanced: Bool
    /// Divides logits by a temperature that was found on held-out scores of the training rows.
    package var calibrates = false
    package var seed: UInt64
    package var threads: Int

    /// - Parameters:
    ///   - first: vectors of the texts (rows, d); second: of the second texts.
    package init(
        name: String, first: Tensor<Float>, second: Tensor<Float>? = nil, isBalanced: Bool = false, seed: UInt64 = 0,
        threads: Int = Parallel.availableThreads
    ) {
        self.name = name
        let d = first.columns, rows = first.rows
        if let second {
            var x = Tensor<Double>(uninitialized: [rows, 3 * d])
            x.withUnsafeMutableElements { x in
                first.withUnsafeElements { a in
                    second.withUnsafeElements { b in
                        for row in 0..<rows {
                            for k in 0..<d {
                                let u = Double(a[row * d + k]), v = Double(b[row * d + k]), place = row * 3 * d + k
                                x[place] = u - v
                                x[place + d] = abs(u - v)
                                x[place + 2 * d] = u * v
                            }
                        }
                    }
                }
            }
            features = x
        } else {
            features = first.converted(to: Double.self)
        }
        penalties = (0..<9).map { pow(10, -4 + 0.75 * Double($0)) }
        innerFolds = 5
        self.isBalanced = isBalanced
        self.seed = seed
        self.threads = threads
    }

    /// A fitted head: scores are x · weightsᵀ + biases.
    package struct Head: Sendable {
        /// (labels, d).
        package let weights: Tensor<Double>
        package let biases: [Double]
        /// What was chosen: λ itself.
        package let penalty: Double
        /// Whether it was the weakest or strongest that could be chosen.
        package let isAtEdge: Bool

        package func scores(_ x: Tensor<Double>) -> Tensor<Double> {
            var result = matrixProduct(x, transposed: false, weights, transposed: true)
            for row in 0..<result.rows { for k in biases.indices { result[row, k] += biases[k] } }
            return result
        }
    }

    package func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double> {
        let head = try fit(data, train: train)
        var scores = head.scores(features.selecting(test))
        if let temperature = try temperature(data, train: train, head) {
            scores.withUnsafeMutableElements { e in for i in 0..<test.count * data.labels.count { e[i] /= temperature } }
        }
        return scores
    }

    /// The temperature of a head's logits, by held-out scores of its training rows; nil if none is wanted or there are no classes.
    package func temperature(_ data: LabelledTexts, train: [Int], _ head: Head) throws -> Double? {
        guard calibrates, data.task == .classification else { return nil }
        return Calibration.temperature(
            logits: try heldOutScores(data, train: train, penalty: head.penalty), labels: train.map { data.codes[$0] })
    }

    /// Fits a head to some rows, its penalty chosen in folds of these rows that split no group.
    package func fit(_ data: LabelledTexts, train: [Int]) throws -> Head {
        let scale = scale(train), grid = penalties.map { $0 * scale }.sorted(by: >)
        guard grid.count > 1 else { return try fit(data, train, [grid[0]], tolerance: 1e-8)[0] }
        let folds = try innerFolding(data, train)
        let losses = try Parallel.map(folds.count, threads: threads) { part, _ -> [Double] in
            let test = folds.tests[part], new = features.selecting(test)
            return try fit(data, folds.training(part, of: train), grid, tolerance: 1e-5).map { loss(data, test, $0.scores(new)) }
        }
        let sums = grid.indices.map { place in losses.reduce(0) { $0 + $1[place] } }
        let best = sums.indices.min { (sums[$0], $0) < (sums[$1], $1) } ?? 0
        let head = try fit(data, train, Array(grid[...best]), tolerance: 1e-8).last
        guard let head else { throw DataError(.badData, "no rows to fit a classifier to") }
        return Head(weights: head.weights, biases: head.biases, penalty: grid[best], isAtEdge: best == 0 || best == grid.count - 1)
    }

    /// Scores of the training rows, each from a head that did not learn from its row.
    private func heldOutScores(_ data: LabelledTexts, train: [Int], penalty: Double) throws -> Tensor<Double> {
        let folds = try innerFolding(data, train)
        var result = Tensor<Double>(repeating: 0, shape: [train.count, data.task == .regression ? 1 : data.labels.count])
        let places = Dictionary(uniqueKeysWithValues: train.enumerated().map { ($1, $0) })
        let parts = try Parallel.map(folds.count, threads: threads) { part, _ in
            try fit(data, folds.training(part, of: train), [penalty], tolerance: 1e-6)[0].scores(features.selecting(folds.tests[part]))
        }
        for (rows, part) in zip(folds.tests, parts) {
            for (i, row) in rows.enumerated() { for k in 0..<result.columns { result[places[row] ?? 0, k] = part[i, k] } }
        }
        return result
    }

    private func innerFolding(_ data: LabelledTexts, _ train: [Int]) throws -> Folds {
        let units = data.groups.map { groups in Set(train.map { groups[$0] }).count } ?? train.count
        var count = min(innerFolds, units)
        if data.task == .classification {
            // As many rows of the rarest class as folds, or some fold learns without it.
            let rarest = data.labels.indices.map { k in train.count { data.codes[$0] == k } }.filter { $0 > 0 }.min() ?? 0
            count = min(count, max(2, rarest))
        }
        return try Folds(
            rows: train, count: max(2, count), groups: data.groups, strata: data.task == .classification ? data.codes : nil,
            seed: seed &+ 0x9E37)
    }

    /// Heads for some penalties, strongest first, each beginning where the one before ended.
    private func fit(_ data: LabelledTexts, _ train: [Int], _ grid: [Double], tolerance: Double) throws -> [Head] {
        let x = features.selecting(train), d = x.columns
        func head(_ weights: Tensor<Double>, _ biases: [Double], _ penalty: Double) -> Head {
            Head(weights: weights, biases: biases, penalty: penalty, isAtEdge: false)
        }
        switch data.task {
        case .regression:
            let ridge = try Ridge(x), target = try ridge.target(Tensor(train.map { data.numbers[$0] }, shape: [train.count, 1]))
            return try grid.map { penalty in
                let found = try ridge.coefficients(target, penalty: penalty)
                return head(found.weights.transposed(), found.intercepts, penalty)
            }
        case .classification:
            // Classes that these rows lack keep a score that nothing reaches.
            let codes = train.map { data.codes[$0] }, present = Set(codes).sorted()
            guard present.count > 1 else {
                var biases = [Double](repeating: -30, count: data.labels.count)
                if let only = present.first { biases[only] = 0 }
                return grid.map { head(Tensor(repeating: 0, shape: [data.labels.count, d]), biases, $0) }
            }
            let places = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, $0) }), labels = codes.compactMap { places[$0] }
            let weights = isBalanced ? balancedWeights(labels, classes: present.count) : nil
            var last: LogisticRegression?
            return try grid.map { penalty in
                let model = try LogisticRegression(
                    x, labels: labels, classes: present.count, rowWeights: weights, penalty: penalty, solver: .lbfgs, tolerance: tolerance,
                    start: last)
                last = model
                var full = Tensor<Double>(repeating: 0, shape: [data.labels.count, d]),
                    biases = [Double](repeating: -30, count: data.labels.count)
                let shift = present.count - model.weights.rows
                for (place, k) in present.enumerated() {
                    biases[k] = place < shift ? 0 : model.intercepts[place - shift]
                    if place >= shift { for i in 0..<d { full[k, i] = model.weights[place - shift, i] } }
                }
                return head(full, biases, penalty)
            }
        case .multilabel:
            var heads = grid.map { _ in
                (
                    weights: Tensor<Double>(repeating: 0, shape: [data.labels.count, d]),
                    biases: [Double](repeating: 0, count: data.labels.count)
                )
            }
            for k in data.labels.indices {
                let labels = train.map { data.sets[$0][k] ? 1 : 0 }, count = labels.reduce(0, +)
                var last: LogisticRegression?
                for (place, penalty) in grid.enumerated() {
                    guard count > 0, count < train.count else {
                        heads[place].biases[k] = MajorityMethod.logOdds(count, of: train.count)
                        continue
                    }
                    let model = try LogisticRegression(
                        x, labels: labels, classes: 2, penalty: penalty, solver: .lbfgs, tolerance: tolerance, start: last)
                    last = model
                    for i in 0..<d { heads[place].weights[k, i] = model.weights[0, i] }
                    heads[place].biases[k] = model.intercepts[0]
                }
            }
            return zip(grid, heads).map { head($1.weights, $1.biases, $0) }
        }
    }

    /// Mean squared length of the centred training rows.
    private func scale(_ train: [Int]) -> Double {
        let d = features.columns
        return features.withUnsafeElements { x in
            var sums = [Double](repeating: 0, count: d), squares = 0.0
            for row in train {
                for k in 0..<d {
                    sums[k] += x[row * d + k]
                    squares += x[row * d + k] * x[row * d + k]
                }
            }
            let n = Double(train.count)
            return max(1e-12, squares / n - sums.reduce(0) { $0 + $1 * $1 } / (n * n))
        }
    }

    /// Sum of the squared errors, or of −ln of the labels' probabilities.
    private func loss(_ data: LabelledTexts, _ rows: [Int], _ scores: Tensor<Double>) -> Double {
        var sum = 0.0
        switch data.task {
        case .regression:
            for (i, row) in rows.enumerated() { sum += (scores[i, 0] - data.numbers[row]) * (scores[i, 0] - data.numbers[row]) }
        case .classification:
            let p = softmaxRows(scores)
            for (i, row) in rows.enumerated() { sum -= log(max(p[i, data.codes[row]], 1e-300)) }
        case .multilabel:
            for (i, row) in rows.enumerated() {
                for k in data.labels.indices {
                    let margin = data.sets[row][k] ? scores[i, k] : -scores[i, k]
                    sum += margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin))
                }
            }
        }
        return sum
    }
}
