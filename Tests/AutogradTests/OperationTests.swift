import Autograd
import Foundation
import Tensors
import Testing

@Suite struct OperationTests {
    /// max |a − b| / max |b|, and nil where shapes differ or something is not finite.
    private func relativeError<S: TensorScalar>(_ a: Tensor<S>, _ b: Tensor<Double>) -> Double? {
        guard a.shape == b.shape, a.isFinite else { return nil }
        var largest = 0.0, error = 0.0
        for i in 0..<b.count {
            largest = max(largest, abs(b[i]))
            error = max(error, abs(Double(a[i]) - b[i]))
        }
        return largest > 0 ? error / largest : error
    }

    /// The value and every gradient, whole tensors, against PyTorch's.
    private func compare<S: TensorScalar>(_ name: String, _ golden: OperationCase, in type: S.Type, tolerance: Double) throws {
        // Angles are kept in 32 bits, as the reference keeps them.
        let tolerance = name == "rotated" ? max(tolerance, 2e-8) : tolerance
        let tape = Tape<S>()
        let operands = Operands(
            variables: golden.inputs.mapValues { tape.input($0.tensor(S.self)) },
            parameters: golden.parameters.mapValues { Parameter($0.tensor(S.self)) })
        let y = try #require(run(name, operands, on: tape), "no operation for \(name)")
        let error = try #require(relativeError(y.value, golden.output.tensor(Double.self)), "\(name): value of shape \(y.shape)")
        #expect(error < tolerance, "\(name): value off by \(error) in \(type)")
        tape.backward(from: y, seed: golden.weights.tensor(S.self))
        for (input, expected) in golden.gradients {
            let gradient = golden.inputs[input] != nil ? tape.gradient(of: operands.x(input)) : tape.gradient(of: operands.p(input))
            let error = try #require(
                relativeError(gradient, expected.tensor(Double.self)), "\(name): gradient of \(input) of shape \(gradient.shape)")
            #expect(error < tolerance, "\(name): gradient of \(input) off by \(error) in \(type)")
        }
        // Without a tape the same numbers come out.
        let constants = Operands(variables: golden.inputs.mapValues { Variable($0.tensor(S.self)) }, parameters: operands.parameters)
        let inferred = try #require(run(name, constants, on: nil))
        #expect(try #require(relativeError(inferred.value, golden.output.tensor(Double.self))) < tolerance, "\(name) without a tape")
    }

    @Test func thereAreCases() { #expect(OperationCase.all.count > 60) }

    @Test(arguments: OperationCase.all.keys.sorted())
    func agreesWithPyTorch(_ name: String) throws {
        let golden = try #require(OperationCase.all[name])
        try compare(name, golden, in: Double.self, tolerance: 1e-9)
        try compare(name, golden, in: Float.self, tolerance: 1e-5)
    }

    @Test(arguments: OperationCase.all.keys.sorted())
    func agreesWithFiniteDifferences(_ name: String) throws {
        let golden = try #require(OperationCase.all[name])
        let weights = golden.weights.tensor(Double.self)
        func value(_ inputs: [String: Tensor<Double>], _ parameters: [String: Tensor<Double>]) throws -> Double {
            let operands = Operands(variables: inputs.mapValues { Variable($0) }, parameters: parameters.mapValues { Parameter($0) })
            let y = try #require(run(name, operands, on: nil)).value
            return (0..<y.count).reduce(0) { $0 + weights[$1] * y[$1] }
        }
        let inputs = golden.inputs.mapValues { $0.tensor(Double.self) }, parameters = golden.parameters.mapValues { $0.tensor(Double.self) }
        let tape = Tape<Double>()
        let operands = Operands(variables: inputs.mapValues { tape.input($0) }, parameters: parameters.mapValues { Parameter($0) })
        tape.backward(from: try #require(run(name, operands, on: tape)), seed: weights)
        let step = 1e-5
        for which in golden.gradients.keys {
            let gradient = inputs[which] != nil ? tape.gradient(of: operands.x(which)) : tape.gradient(of: operands.p(which))
            var numerical = gradient
            for i in 0..<gradient.count {
                func moved(by amount: Double) throws -> Double {
                    var inputs = inputs, parameters = parameters
                    inputs[which]?[i] += amount
                    parameters[which]?[i] += amount
                    return try value(inputs, parameters)
                }
                numerical[i] = (try moved(by: step) - moved(by: -step)) / (2 * step)
            }
            let error = try #require(relativeError(gradient, numerical))
            #expect(error < 1e-6, "\(name): gradient of \(which) off by \(error) from central differences")
        }
    }

    /// Dropout decides in the backward pass as it did forward, at the rate that was asked for.
    @Test func dropoutRepeatsItself() {
        let tape = Tape<Double>(seed: 3)
        let x = tape.input(Tensor(repeating: 1, shape: [200, 500]))
        let y = dropout(x, rate: 0.3, on: tape)
        let kept = y.value.elements.filter { $0 != 0 }.count
        #expect(abs(Double(kept) / 100_000 - 0.7) < 0.005)
        #expect(y.value.elements.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-12 })
        tape.backward(from: y)
        #expect(tape.gradient(of: x) == y.value)
        // Neighbours decide independently.
        let pairs = zip(y.value.elements, y.value.elements.dropFirst()).filter { $0 != 0 && $1 != 0 }.count
        #expect(abs(Double(pairs) / 99_999 - 0.49) < 0.006)
        #expect(dropout(x, rate: 0.3, on: nil).value == x.value)
        #expect(dropout(x, rate: 0.3, on: tape).value != y.value)
    }

    /// A value used several times gets the sum of what flows back, whichever way the gradients arrive.
    @Test func gradientsOfSharedValuesAdd() {
        let tape = Tape<Double>()
        let x = tape.input(Tensor([1, 2, 3, 4], shape: [2, 2]))
        let doubled = scaled(x, by: 2, on: tape)
        let y = sum(sum(doubled, doubled, on: tape), product(doubled, x, on: tape), on: tape)
        tape.backward(from: y)
        // y = 4 x + 2 x², so dy/dx = 4 + 4 x.
        #expect(tape.gradient(of: x) == Tensor([8, 12, 16, 20], shape: [2, 2]))
    }

    /// Frozen parameters get nothing; the others get what they would have got anyway.
    @Test func frozenParametersGetNoGradient() {
        let weight = Parameter(Tensor<Double>([1, -2, 0.5, 3], shape: [2, 2])), bias = Parameter(Tensor<Double>([1, 1], shape: [2]))
        let tape = Tape<Double>(frozen: [ObjectIdentifier(weight)])
        let x = tape.input(Tensor([1, 2, 3, 4], shape: [2, 2]))
        tape.backward(from: linear(x, weight: weight, bias: bias, on: tape))
        #expect(tape.store.whole[ObjectIdentifier(weight)] == nil)
        #expect(tape.gradient(of: bias) == Tensor([2, 2], shape: [2]))
        #expect(tape.gradient(of: x) == Tensor([1.5, 1, 1.5, 1], shape: [2, 2]))
    }

    /// bfloat16 products with everything else in 32 bits: near the f32 result, and not equal to it.
    @Test(.enabled(if: Precision.bf16.isFast, "this processor has no bfloat16 products")) func bfloat16ProductsStayNear() {
        var random = RandomSource(seed: 5)
        func normal(_ shape: [Int], _ scale: Double) -> Tensor<Float> {
            Tensor((0..<shape.reduce(1, *)).map { _ in Float(scale * random.normal()) }, shape: shape)
        }
        let x = normal([300, 64], 1), up = Parameter(normal([96, 64], 0.1)), down = Parameter(normal([32, 96], 0.1)),
            seed = normal([300, 32], 1)
        func gradients(_ precision: Precision) -> [Tensor<Float>] {
            let tape = Tape<Float>(precision: precision)
            let input = tape.input(x)
            let y = feedForward(input, up: up, upBias: nil, activation: .gelu, down: down, downBias: nil, on: tape)
            tape.backward(from: y, seed: seed)
            return [y.value, tape.gradient(of: input), tape.gradient(of: up), tape.gradient(of: down)]
        }
        for (half, full) in zip(gradients(.bf16), gradients(.f32)) {
            var difference = half
            Float.add(-1, times: full.view, to: &difference.target)
            let error = (difference.squaredNorm / full.squaredNorm).squareRoot()
            #expect(error < 0.01)
            #expect(error > 1e-5)
        }
    }
}
