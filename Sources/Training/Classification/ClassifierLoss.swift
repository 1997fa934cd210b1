import Autograd
import FileFormats
import Foundation
import Networks
import Statistics
import Tensors

/// The error of one row and its derivative, in Double.
struct ClassifierLoss: Sendable {
    private let data: LabelledTexts
    private let classWeights: [Double]
    /// Numbers are learned in units of their deviation from their mean.
    private let center: Double, spread: Double

    init(_ data: LabelledTexts, train: [Int], isBalanced: Bool) {
        self.data = data
        if data.task == .classification, isBalanced {
            let counts = data.labels.indices.map { k in train.count { data.codes[$0] == k } }
            classWeights = counts.map { $0 == 0 ? 0 : Double(train.count) / (Double(counts.count) * Double($0)) }
        } else {
            classWeights = data.labels.map { _ in 1 }
        }
        let numbers = data.task == .regression ? train.map { data.numbers[$0] } : []
        center = numbers.isEmpty ? 0 : mean(numbers)
        let deviation = numbers.count > 1 ? standardDeviation(numbers) : 1
        spread = deviation > 0 && deviation.isFinite ? deviation : 1
    }

    /// What a row counts in the mean over a batch.
    func weight(_ row: Int) -> Double { data.task == .classification ? classWeights[data.codes[row]] : 1 }

    func callAsFunction(_ row: Int, _ scores: [Double]) -> (loss: Double, slopes: [Double]) {
        switch data.task {
        case .regression:
            let error = scores[0] - (data.numbers[row] - center) / spread
            return (error * error, [2 * error])
        case .classification:
            let label = data.codes[row], weight = classWeights[label], largest = scores.max() ?? 0
            let shares = scores.map { exp($0 - largest) }, total = shares.reduce(0, +)
            return (
                weight * (log(total) + largest - scores[label]),
                shares.indices.map { weight * (shares[$0] / total - ($0 == label ? 1 : 0)) }
            )
        case .multilabel:
            let n = Double(scores.count)
            var sum = 0.0, slopes: [Double] = []
            for (k, z) in scores.enumerated() {
                let margin = data.sets[row][k] ? z : -z
                sum += (margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin))) / n
                slopes.append((1 / (1 + exp(-z)) - (data.sets[row][k] ? 1 : 0)) / n)
            }
            return (sum, slopes)
        }
    }

    /// Lets the last layer speak in the labels' own units.
    func foldScale(into output: Linear<Float>) {
        guard data.task == .regression, spread != 1 || center != 0 else { return }
        var weight = output.weight.take()
        Float.scale(&weight.target, by: Float(spread))
        output.weight.giveBack(weight)
        if let bias = output.bias {
            bias.assign(Tensor(bias.value.elements.map { Float(Double($0) * spread + center) }, shape: bias.shape))
        }
    }
}
