import Analysis
import FileFormats
import Foundation
import VectorStore

/// What the record of a structural probe's result says of its making, beside the command line and the inputs.
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
            ("batch", .integer(training.batch)), ("learning_rate", .number(training.learningRate)), ("maximum_epochs", .integer(training.maximumEpochs)),
            ("control_task", .bool(sweep.hasControls)),
        ]
    }
}

extension LayerFile {
    /// What the vectors are, for the records of what is made from them. A file of another program says little.
    var description: JSON {
        var members: [(key: String, value: JSON)] = []
        if let metadata {
            members += [
                ("model", .string(metadata.model)), ("model_sha256", .string(metadata.modelSHA256)), ("precision", .string(metadata.precision)),
                ("source", .string(metadata.source)), ("pieces", .string(pieces)), ("text", .string(text)),
            ]
        }
        if let storage { members.append(("storage", .string(storage.rawValue))) }
        return .object(members + [("layers", .array(layers.map(JSON.integer))), ("dimension", .integer(dimension)), ("sentences", .integer(sentenceCount))])
    }
}
