import Autograd
import Foundation
import Tensors

/// One operation with its inputs, as the fixture lists it, and what PyTorch says of it.
struct OperationCase: Decodable, Sendable {
    struct Values: Decodable, Sendable {
        var shape: [Int]
        var data: [Double]
        func tensor<S: TensorScalar>(_ type: S.Type) -> Tensor<S> { Tensor(data.map { S($0) }, shape: shape) }
    }

    var inputs: [String: Values]
    var parameters: [String: Values]
    /// c of the scalar Σ c y that is differentiated.
    var weights: Values
    var output: Values
    var gradients: [String: Values]

    static let all: [String: OperationCase] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/autograd.json")
        guard let data = try? Data(contentsOf: file), let cases = try? JSONDecoder().decode([String: OperationCase].self, from: data) else {
            return [:]
        }
        return cases
    }()
}

/// Inputs of an operation while it runs.
struct Operands<S: TensorScalar> {
    var variables: [String: Variable<S>]
    var parameters: [String: Parameter<S>]

    func x(_ name: String) -> Variable<S> { variables[name]! }
    func p(_ name: String) -> Parameter<S> { parameters[name]! }
}

/// The operation that a case's name stands for.
func run<S: TensorScalar>(_ name: String, _ operands: Operands<S>, on tape: Tape<S>?) -> Variable<S>? {
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    let detail = parts.count > 1 ? parts[1] : ""
    let o = operands
    let activation = Activation(rawValue: detail) ?? .identity
    let offsets: [Int64] = [0, 3, 4, 15, 23]
    let gathered: [Int32] = [2, 0, 2, 5, 1, 2]
    let targets: [Int32] = [1, -100, 4, 0, 6]

    func attend(
        _ q: Variable<S>, _ kv: Variable<S>, columns: (Int, Int, Int), _ queryOffsets: [Int64], _ keyOffsets: [Int64],
        _ mask: AttentionMask = .none, bias: Variable<S>? = nil
    ) -> Variable<S> {
        packedAttention(
            queries: AttentionColumns(q, column: columns.0), keys: AttentionColumns(kv, column: columns.1),
            values: AttentionColumns(kv, column: columns.2), heads: 2, headSize: 4,
            queryOffsets: queryOffsets, keyOffsets: keyOffsets, mask: mask, bias: bias, on: tape)
    }
    func attendSelf(_ mask: AttentionMask, bias: Variable<S>? = nil) -> Variable<S> {
        attend(o.x("qkv"), o.x("qkv"), columns: (0, 8, 16), offsets, offsets, mask, bias: bias)
    }

    switch parts[0] {
    case "activated": return activated(o.x("x"), activation, on: tape)
    case "linear": return linear(o.x("x"), weight: o.p("w"), bias: o.p("b"), activation: activation, on: tape)
    case "feedForward":
        return feedForward(
            o.x("x"), up: o.p("w1"), upBias: o.p("b1"), activation: activation, down: o.p("w2"), downBias: o.p("b2"), on: tape)
    case "gated": return gated(o.x("x"), activation, on: tape)
    case "layerNorm":
        return layerNorm(
            o.x("x"), residual: o.variables["residual"], gamma: o.p("gamma"), beta: o.parameters["beta"], epsilon: 1e-5, on: tape)
    case "batchNorm":
        return batchNorm(
            o.x("x"), residual: o.variables["residual"], gamma: o.p("gamma"), beta: o.p("beta"), mean: o.p("mean"),
            variance: o.p("variance"), epsilon: 1e-5, on: tape)
    case "attention":
        switch detail {
        case "none": return attendSelf(.none)
        case "causal": return attendSelf(.causal)
        case "window": return attendSelf(.window(2))
        case "bias": return attendSelf(.none, bias: o.x("bias"))
        case "cross": return attend(o.x("q"), o.x("kv"), columns: (0, 0, 8), offsets, [0, 5, 7, 24, 33])
        case "causalCache": return attend(o.x("q"), o.x("kv"), columns: (0, 0, 8), [0, 1, 3, 12], [0, 6, 8, 20], .causal)
        default: return nil
        }
    case "rmsNorm":
        return rmsNorm(
            o.x("x"), gamma: o.p("gamma"), offset: detail == "plusOne" ? 1 : 0, epsilon: 1e-5, heads: detail == "heads" ? 1..<3 : nil,
            on: tape)
    case "grouped":
        func attendGrouped(
            _ q: Variable<S>, _ kv: Variable<S>, columns: (Int, Int), _ queryOffsets: [Int64], _ keyOffsets: [Int64],
            _ mask: AttentionMask, cap: Double? = nil, bias: Variable<S>? = nil
        ) -> Variable<S> {
            packedAttention(
                queries: AttentionColumns(q), keys: AttentionColumns(kv, column: columns.0),
                values: AttentionColumns(kv, column: columns.1),
                heads: 4, headSize: 4, group: 2, queryOffsets: queryOffsets, keyOffsets: keyOffsets, mask: mask, cap: cap, bias: bias,
                scale: 0.7, on: tape)
        }
        func fused(_ mask: AttentionMask, cap: Double? = nil, bias: Variable<S>? = nil) -> Variable<S> {
            attendGrouped(o.x("qkv"), o.x("qkv"), columns: (16, 24), offsets, offsets, mask, cap: cap, bias: bias)
        }
        switch detail {
        case "causal": return fused(.causal)
        case "window": return fused(.causalWindow(2))
        case "cap": return fused(.causal, cap: 0.8)
        case "capBias": return fused(.causalWindow(4), cap: 0.8, bias: o.x("bias"))
        case "cache": return attendGrouped(o.x("q"), o.x("kv"), columns: (0, 8), [0, 1, 3, 12], [0, 6, 8, 20], .causalWindow(3))
        default: return nil
        }
    case "rotated":
        return rotated(
            o.x("x"), heads: 1, headSize: 6, positions: [0, 1, 2, 3, 4], angles: RotaryAngles(positions: 5, frequencies: [1, 0.1]), on: tape
        )
    case "pooled": return PoolingMode(rawValue: detail).map { pooled(o.x("x"), offsets: [0, 3, 4, 9], mode: $0, on: tape) }
    case "normalizedRows": return normalizedRows(o.x("x"), on: tape)
    case "embeddingSum": return embeddingSum([(gathered, o.p("table")), ([0, 1, 2, 3, 0, 1], o.p("positions"))], on: tape)
    case "gatherRows": return gatherRows(o.x("x"), gathered.map(Int.init), on: tape)
    case "concatenatedRows": return concatenatedRows([o.x("a"), o.x("b"), o.x("c")], on: tape)
    case "concatenatedColumns": return concatenatedColumns([o.x("a"), o.x("b"), o.x("c")], on: tape)
    case "rows": return rows(o.x("x"), 1..<4, on: tape)
    case "columns": return columns(o.x("x"), 1..<3, on: tape)
    case "sum": return sum(o.x("x"), o.x("y"), on: tape)
    case "product": return product(o.x("x"), o.x("y"), on: tape)
    case "scaled": return scaled(o.x("x"), by: 2.5, on: tape)
    case "square": return product(o.x("x"), o.x("x"), on: tape)
    case "matrixProduct": return matrixProduct(o.x("a"), o.x("b"), transposed: (detail.first == "1", detail.last == "1"), on: tape)
    case "rowDots": return rowDots(o.x("x"), o.x("y"), on: tape)
    case "total": return total(o.x("x"), on: tape)
    case "mean": return mean(o.x("x"), on: tape)
    case "meanSquaredError": return meanSquaredError(o.x("x"), o.x("y"), on: tape)
    case "softmax": return softmax(o.x("x"), on: tape)
    case "logSoftmax": return logSoftmax(o.x("x"), on: tape)
    case "crossEntropy": return crossEntropy(o.x("x"), targets: targets, smoothing: S(Double(detail) ?? 0), on: tape)
    case "linearCrossEntropy":
        return linearCrossEntropy(
            o.x("x"), weight: o.p("w"), bias: o.p("b"), targets: targets, smoothing: S(Double(detail) ?? 0), divisor: 4,
            on: tape
        ).loss
    default: return nil
    }
}
