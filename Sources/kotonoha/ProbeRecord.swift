import Analysis
import FileFormats
import Foundation
import Interpretation
import VectorStore

/// What the record of a structural probe's result says of its making, next to the command line and the inputs.
enum ProbeRecord {
    static func settings(of sweep: ProbeSweep, train: ProbeInput, dev: ProbeInput) -> [(key: String, value: JSON)] {
        let training = sweep.training(sweep.kinds.first ?? .distance, sweep.ranks.first ?? 1)
        func name(_ path: String) -> JSON { .string(URL(fileURLWithPath: path).lastPathComponent) }
        return [
            ("method", .string("structural probe")), ("vectors", train.file.description),
            ("kinds", .array(sweep.kinds.map { .string($0.rawValue) })), ("layers", .array(sweep.layers.map(JSON.integer))),
            ("ranks", .array(sweep.ranks.map(JSON.integer))), ("seeds", .array(sweep.seeds.map { .integer(Int(clamping: $0)) })),
            ("train", name(train.corpus.file)), ("train_sentences", .integer(train.corpus.sentences.count)), ("dev", name(dev.corpus.file)),
            ("punctuation", .string(train.corpus.punctuation.summary)), ("scaling", .string(training.scaling.rawValue)),
            ("batch", .integer(training.batch)), ("learning_rate", .number(training.learningRate)),
            ("maximum_epochs", .integer(training.maximumEpochs)),
            ("control_task", .bool(sweep.hasControls)),
        ]
    }
}
