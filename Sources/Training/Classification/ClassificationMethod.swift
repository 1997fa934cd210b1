import FileFormats
import Foundation
import Statistics
import Tensors

/// A way from labelled texts to predictions for other texts of the same table.
package protocol ClassificationMethod: Sendable {
    /// As tables of figures call it.
    var name: String { get }

    /// Scores of the test rows, learned from the training rows alone.
    ///
    /// - Returns: (test rows, labels): logits of classes or labels, or the predicted number in one column.
    func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double>
}

/// Always the most frequent class, with the classes' shares as probabilities; of numbers their mean.
package struct MajorityMethod: ClassificationMethod {
    package let name = "majority"

    package init() {}

    package func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double> {
        let row: [Double]
        switch data.task {
        case .regression: row = [mean(train.map { data.numbers[$0] })]
        case .classification:
            row = data.labels.indices.map { k in log((Double(train.count { data.codes[$0] == k }) + 1e-9) / Double(train.count)) }
        case .multilabel: row = data.labels.indices.map { k in Self.logOdds(train.count { data.sets[$0][k] }, of: train.count) }
        }
        return Tensor(test.flatMap { _ in row }, shape: [test.count, row.count])
    }

    /// Log-odds of a share, half a row added to both sides.
    static func logOdds(_ count: Int, of total: Int) -> Double { log((Double(count) + 0.5) / (Double(total - count) + 0.5)) }
}

/// Character n-grams, TF–IDF and a linear model with a fixed penalty: scikit-learn's usual baseline.
///
/// Pairs have n-grams of either text, and the cosine of the two.
package struct CharacterMethod: ClassificationMethod {
    package let name = "character TF–IDF"
    /// λ of the linear model; scikit-learn's C is its inverse.
    package var penalty: Double
    package var lengths: ClosedRange<Int>
    package var minimum: Int
    package var isBalanced: Bool

    package init(penalty: Double = 0.1, lengths: ClosedRange<Int> = 2...5, minimum: Int = 2, isBalanced: Bool = false) {
        self.penalty = penalty
        self.lengths = lengths
        self.minimum = minimum
        self.isBalanced = isBalanced
    }

    package func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double> {
        let (x, new) = features(data, train, test)
        switch data.task {
        case .regression:
            let model = try SparseRidge(x, y: train.map { data.numbers[$0] }, penalty: max(penalty, 1e-6))
            return Tensor(model.predictions(new), shape: [test.count, 1])
        case .classification:
            let labels = train.map { data.codes[$0] }
            return try LogisticRegression(
                x, labels: labels, classes: data.labels.count,
                rowWeights: isBalanced ? balancedWeights(labels, classes: data.labels.count) : nil, penalty: penalty
            ).logits(new)
        case .multilabel:
            return try perLabel(data, train, test) { labels in
                let logits = try LogisticRegression(x, labels: labels, classes: 2, penalty: penalty).logits(new)
                return test.indices.map { logits[$0, 1] }
            }
        }
    }

    private func features(_ data: LabelledTexts, _ train: [Int], _ test: [Int]) -> (SparseRows, SparseRows) {
        guard let seconds = data.seconds else {
            let grams = CharacterTFIDF(train.map { data.texts[$0] }, lengths: lengths, minimum: minimum)
            func sparse(_ rows: [Int]) -> SparseRows {
                var x = SparseRows(columns: grams.columns)
                for row in grams.rows(rows.map { data.texts[$0] }) { x.append(row) }
                return x
            }
            return (sparse(train), sparse(test))
        }
        let grams = CharacterTFIDF(train.flatMap { [data.texts[$0], seconds[$0]] }, lengths: lengths, minimum: minimum)
        func sparse(_ rows: [Int]) -> SparseRows {
            var x = SparseRows(columns: 2 * grams.columns + 1)
            for (a, b) in zip(grams.rows(rows.map { data.texts[$0] }), grams.rows(rows.map { seconds[$0] })) {
                let other = Dictionary(uniqueKeysWithValues: b.map { ($0.column, $0.value) })
                let cosine = a.reduce(0) { $0 + $1.value * (other[$1.column] ?? 0) }
                x.append(a + b.map { ($0.column + grams.columns, $0.value) } + [(2 * grams.columns, cosine)])
            }
            return x
        }
        return (sparse(train), sparse(test))
    }
}

/// A column of logits for each label; where all training rows agree on a label, its log-odds.
func perLabel(_ data: LabelledTexts, _ train: [Int], _ test: [Int], _ fit: ([Int]) throws -> [Double]) throws -> Tensor<Double> {
    var result = Tensor<Double>(uninitialized: [test.count, data.labels.count])
    for k in data.labels.indices {
        let labels = train.map { data.sets[$0][k] ? 1 : 0 }, count = labels.reduce(0, +)
        let column =
            count == 0 || count == train.count
            ? [Double](repeating: MajorityMethod.logOdds(count, of: train.count), count: test.count) : try fit(labels)
        for row in test.indices { result[row, k] = column[row] }
    }
    return result
}

/// Weights by which all classes count alike: rows / (classes · rows of the class), scikit-learn's "balanced".
func balancedWeights(_ labels: [Int], classes: Int) -> [Double] {
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    return labels.map { Double(labels.count) / (Double(classes) * Double(counts[$0])) }
}
