import Foundation
import Tensors

/// What PyTorch and sentence-transformers say (tools/golden/training.py).
struct Golden: Decodable, Sendable {
    struct Values: Decodable, Sendable {
        var shape: [Int]
        var data: [Double]
        func tensor<S: TensorScalar>(_ type: S.Type) -> Tensor<S> { Tensor(data.map { S($0) }, shape: shape) }
    }
    struct Loss: Decodable, Sendable {
        var vectors: [Values]
        var labels: [Double]
        var loss: Double
        var gradients: [Values]
        var teacher: Values?
    }
    struct Trajectory: Decodable, Sendable {
        var gradients: [[Values]]
        var matrix: Values
        var vector: Values
    }

    var losses: [String: Loss]
    var optimizers: [String: Trajectory]
    var schedules: [String: [Double]]
    var start: [String: Values]

    static let shared: Golden? = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/training.json")
        return (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Golden.self, from: $0) }
    }()
}

/// max |a − b| / max |b|.
func relativeError<S: TensorScalar>(_ a: Tensor<S>, _ b: [Double]) -> Double {
    guard a.count == b.count, a.isFinite else { return .infinity }
    let largest = b.reduce(0) { max($0, abs($1)) }
    let error = (0..<b.count).reduce(0) { max($0, abs(Double(a[$1]) - b[$1])) }
    return largest > 0 ? error / largest : error
}
