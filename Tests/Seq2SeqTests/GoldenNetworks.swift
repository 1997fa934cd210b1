import Autograd
import FileFormats
import Foundation
import Networks
import Tensors

/// A network of `tools/golden/seq2seq.py` with PyTorch's numbers for it.
struct GoldenNetwork {
    static let names = [
        "transformer-post", "transformer-pre-tied", "lstm-plain", "gru-plain", "gru-bahdanau", "lstm-general-fed", "gru-dot", "lstm-concat",
    ]

    let source: [[Int32]], input: [[Int32]], target: [[Int32]]
    let configuration: Seq2SeqConfiguration
    let logits: [Double]
    let loss: Double, smoothedLoss: Double
    let parameters: [String: (shape: [Int], data: [Double])]
    let gradients: [String: [Double]]

    init(_ name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name).json")
        let json = try Data(contentsOf: file).withUnsafeBytes { try JSON(parsing: $0, file: name) }
        func rows(_ key: String) -> [[Int32]] { json[key]?.array?.map { $0.array?.compactMap { $0.int.map(Int32.init) } ?? [] } ?? [] }
        func numbers(_ json: JSON?) -> [Double] { json?.array?.compactMap(\.double) ?? [] }
        source = rows("source")
        input = rows("input")
        target = rows("target")
        configuration = try Seq2SeqConfiguration(json: json["config"] ?? .null, file: name)
        logits = numbers(json["logits"])
        loss = json["loss"]?.double ?? .nan
        smoothedLoss = json["smoothed_loss"]?.double ?? .nan
        parameters = Dictionary(
            uniqueKeysWithValues: (json["parameters"]?.object ?? []).map { key, value in
                (key, (value["shape"]?.array?.compactMap(\.int) ?? [], numbers(value["data"])))
            })
        gradients = Dictionary(uniqueKeysWithValues: (json["gradients"]?.object ?? []).map { ($0, numbers($1)) })
    }

    /// The network with PyTorch's weights.
    func network<S: TensorScalar>(_ type: S.Type) throws -> any Seq2SeqNetwork<S> {
        let network = try makeSeq2SeqNetwork(configuration, seed: 0, as: S.self)
        try fill(network)
        return network
    }

    private func fill<N: Seq2SeqNetwork>(_ network: N) throws {
        for entry in network.checkpointEntries {
            guard let given = parameters[entry.key], given.shape == entry.shape else {
                throw DataError(.badData, "\(entry.key): the fixture has \(parameters[entry.key]?.shape ?? []), the network \(entry.shape)")
            }
            var whole = entry.parameter.value
            let first = (entry.rows?.lowerBound ?? 0) * whole.columns
            for (i, value) in given.data.enumerated() { whole[first + i] = N.Scalar(value) }
            entry.parameter.assign(whole)
        }
    }

    var targets: [Int32] { target.flatMap { $0 } }
}

/// The largest difference relative to the largest value.
func relativeError<S: TensorScalar>(_ found: [S], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    let scale = max(expected.map(abs).max() ?? 0, 1e-3)
    return (zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0) / scale
}

/// Σ over tokens of the mean cross-entropy, and its gradient as the seed of a tape.
func lossAndSeed<S: TensorScalar>(_ logits: Tensor<S>, _ targets: [Int32], smoothing: S = 0) -> (Double, Tensor<S>) {
    var seed = logits
    let losses = S.crossEntropy(logits.view, targets: targets[...], smoothing: smoothing, gradient: &seed.target)
    S.scale(&seed.target, by: 1 / S(logits.rows))
    return (losses.reduce(0) { $0 + Double($1) } / Double(logits.rows), seed)
}
