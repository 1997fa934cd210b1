import FileFormats
import Foundation
import Tensors
import Tokenizers

/// Fine-tuning as a method that folds and seeds can repeat.
package struct FineTuningMethod: ClassificationMethod {
    package let name: String
    package let settings: FineTuning
    private let base: PretrainedBase
    private let encodings: [Encoding]
    private let threads: Int
    private let shouldStop: @Sendable () -> Bool
    private let watch: @Sendable (TrainingEvent) -> Void

    /// - Parameter encodings: of all rows of the table.
    package init(
        name: String, _ settings: FineTuning, base: PretrainedBase, encodings: [Encoding], threads: Int,
        shouldStop: @escaping @Sendable () -> Bool = { false },
        watch: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
    ) {
        (self.name, self.settings, self.base, self.encodings, self.threads, self.shouldStop, self.watch) = (
            name, settings, base, encodings, threads, shouldStop, watch
        )
    }

    package func scores(_ data: LabelledTexts, train: [Int], test: [Int]) throws -> Tensor<Double> {
        let parts = try ClassifierTrainer.parts(of: train, data, settings)
        let trainer = try ClassifierTrainer(
            settings, base: base, data: data, encodings: encodings, train: parts.0, heldOut: parts.1, threads: threads)
        try trainer.run(shouldStop: shouldStop, watch: watch)
        return try trainer.calibratedScores(test)
    }
}
