import Autograd
import CKernels
import FileFormats
import Tensors

/// How parameters follow their gradients; formulas are torch.optim's, so that its trajectories repeat.
public struct OptimizerConfiguration: Sendable, Equatable {
    public enum Method: String, Sendable, CaseIterable {
        case sgd, momentum, nesterov, adagrad, adam, adamw, lamb
    }

    public var method: Method
    public var learningRate: Double
    /// Of momentum and Nesterov.
    public var momentum = 0.9
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon: Double
    /// Decoupled from the gradient in AdamW and LAMB, added to it elsewhere. Biases and norms do not decay.
    public var weightDecay: Double

    public init(_ method: Method = .adamw, learningRate: Double) {
        self.method = method
        self.learningRate = learningRate
        epsilon = switch method {
        case .adagrad: 1e-10
        case .lamb: 1e-6
        default: 1e-8
        }
        weightDecay = method == .adamw || method == .lamb ? 0.01 : 0
    }

    /// Names of the tensors that the method keeps beside each parameter.
    var stateNames: [String] {
        switch method {
        case .sgd: []
        case .momentum, .nesterov: ["velocity"]
        case .adagrad: ["sums"]
        case .adam, .adamw, .lamb: ["first", "second"]
        }
    }
}

/// Applies gradients to parameters. Every element is computed alike whoever computes it, and norms are summed over fixed
/// chunks in a fixed order: the result does not depend on the number of threads.
public final class Optimizer<Scalar: TensorScalar> {
    public let configuration: OptimizerConfiguration
    public let parameters: [Parameter<Scalar>]
    /// Steps taken so far.
    public private(set) var steps = 0
    /// One list a name of `configuration.stateNames`, each with a tensor a parameter.
    private var states: [[Tensor<Scalar>]]
    /// Multiplies the learning rate of each parameter (0 for one that shall stand still).
    public var rateScales: [Double]
    /// Whether each parameter decays: matrices and tables do, vectors (biases, scales of norms) do not.
    public var decays: [Bool]

    public init(_ configuration: OptimizerConfiguration, parameters: [Parameter<Scalar>]) {
        self.configuration = configuration
        self.parameters = parameters
        states = configuration.stateNames.map { _ in parameters.map { Tensor(shape: $0.shape) } }
        rateScales = parameters.map { _ in 1 }
        decays = parameters.map { $0.shape.count > 1 }
    }

    /// Elements that one thread takes at a time.
    static var chunk: Int { 1 << 15 }

    /// One step.
    ///
    /// - Parameters:
    ///   - gradients: one a parameter, in order; nil stands for no gradient, which leaves the parameter as it is.
    ///   - learningRate: of this step, from the schedule.
    ///   - gradientScale: multiplies every gradient first (clipping, averaging).
    public func step(_ gradients: [Tensor<Scalar>?], learningRate: Double, gradientScale: Double = 1, threads: Int = Parallel.availableThreads) {
        precondition(gradients.count == parameters.count)
        steps += 1
        var common = kt_optimizer_step()
        common.gradient_scale = gradientScale
        common.momentum = [.momentum, .nesterov].contains(configuration.method) ? configuration.momentum : configuration.beta1
        common.beta2 = configuration.beta2
        common.epsilon = configuration.epsilon
        common.correction1 = 1 - power(configuration.beta1, steps)
        common.correction2 = 1 - power(configuration.beta2, steps)
        common.nesterov = configuration.method == .nesterov ? 1 : 0
        common.decoupled = configuration.method == .adamw ? 1 : 0
        common.first = steps == 1 ? 1 : 0

        var work: [Piece<Scalar>] = []
        for (index, parameter) in parameters.enumerated() {
            guard parameter.isTrainable, rateScales[index] != 0, let gradient = gradients[index] else { continue }
            precondition(gradient.count == parameter.value.count, "gradient \(gradient.shape) of parameter \(parameter.shape)")
            var step = common
            step.learning_rate = learningRate * rateScales[index]
            step.decay = decays[index] ? configuration.weightDecay : 0
            let value = parameter.mutablePointer()
            let own = states.indices.map { states[$0][index].withUnsafeMutableElements { $0 } }
            let source = gradient.withUnsafeElements { $0 }
            for range in Parallel.chunks(gradient.count, size: Self.chunk) {
                work.append(Piece(parameter: index, count: range.count, step: step, value: value + range.lowerBound,
                                  gradient: source + range.lowerBound, states: own.map { $0 + range.lowerBound }))
            }
        }
        if configuration.method == .lamb { stepLAMB(work, threads: threads) } else { stepEach(work, threads: threads) }
        withExtendedLifetime(gradients) {}
        let touched = Set(work.map(\.parameter)).sorted().map { parameters[$0] }
        Parallel.forEach(touched.count, threads: threads) { index, _ in touched[index].refreshLayouts() }
    }

    private func stepEach(_ work: [Piece<Scalar>], threads: Int) {
        let method = configuration.method
        Parallel.forEach(work.count, threads: threads) { index, _ in
            let piece = work[index]
            switch method {
            case .sgd: Scalar.stepSGD(piece.value, piece.gradient, velocity: nil, count: piece.count, piece.step)
            case .momentum, .nesterov: Scalar.stepSGD(piece.value, piece.gradient, velocity: piece.states[0], count: piece.count, piece.step)
            case .adagrad: Scalar.stepAdaGrad(piece.value, piece.gradient, sums: piece.states[0], count: piece.count, piece.step)
            case .adam, .adamw: Scalar.stepAdam(piece.value, piece.gradient, piece.states[0], piece.states[1], count: piece.count, piece.step)
            case .lamb: preconditionFailure("LAMB takes its own way")
            }
        }
    }

    /// LAMB scales each parameter's step by ‖p‖ / ‖direction‖, so directions come first, then norms, then the step.
    private func stepLAMB(_ work: [Piece<Scalar>], threads: Int) {
        var directions = Tensor<Scalar>(uninitialized: [work.reduce(0) { $0 + $1.count }])
        var starts: [Int] = []
        var total = 0
        for piece in work { starts.append(total); total += piece.count }
        var norms = [Double](repeating: 0, count: 2 * work.count)
        directions.withUnsafeMutableElements { pointer in
            let direction = Shared(pointer)
            let starts = starts
            norms.withUnsafeMutableBufferPointer { buffer in
                let norms = Shared(buffer.baseAddress!)
                Parallel.forEach(work.count, threads: threads) { index, _ in
                    let piece = work[index], mine = direction.pointer + starts[index]
                    Scalar.lambDirection(piece.value, piece.gradient, piece.states[0], piece.states[1], count: piece.count, piece.step, into: mine)
                    norms.pointer[2 * index] = Scalar.dot(piece.value, piece.value, count: piece.count)
                    norms.pointer[2 * index + 1] = Scalar.dot(mine, mine, count: piece.count)
                }
            }
            var squares: [Int: (value: Double, direction: Double)] = [:]
            for (index, piece) in work.enumerated() {
                squares[piece.parameter, default: (0, 0)].value += norms[2 * index]
                squares[piece.parameter, default: (0, 0)].direction += norms[2 * index + 1]
            }
            let ratios = squares.mapValues { $0.value > 0 && $0.direction > 0 ? ($0.value / $0.direction).squareRoot() : 1 }
            Parallel.forEach(work.count, threads: threads) { index, _ in
                let piece = work[index], length = piece.step.learning_rate * (ratios[piece.parameter] ?? 1)
                Scalar.add(Scalar(-length), times: direction.pointer + starts[index], count: piece.count, to: piece.value)
            }
        }
    }

    // MARK: State

    /// What the optimizer remembers, by name (`first.3` is the first moment of parameter 3), for checkpoints.
    public var state: [(name: String, tensor: Tensor<Scalar>)] {
        zip(configuration.stateNames, states).flatMap { name, tensors in tensors.enumerated().map { ("\(name).\($0)", $1) } }
    }

    /// Takes a remembered state back.
    ///
    /// - Throws: `DataError` that names a tensor which is missing or of another shape.
    public func restore(steps: Int, state: (String) throws -> Tensor<Scalar>?) throws {
        var restored = states
        for (which, name) in configuration.stateNames.enumerated() {
            for (index, parameter) in parameters.enumerated() {
                guard let tensor = try state("\(name).\(index)"), tensor.shape == parameter.shape else {
                    throw DataError(.badData, "the optimizer's state '\(name).\(index)' \(parameter.shape) is missing or of another shape; was the checkpoint written by another configuration?")
                }
                restored[which][index] = tensor
            }
        }
        states = restored
        self.steps = steps
    }
}

/// A stretch of one parameter, with what belongs to it.
private struct Piece<Scalar: TensorScalar>: @unchecked Sendable {
    var parameter: Int
    var count: Int
    var step: kt_optimizer_step
    var value: UnsafeMutablePointer<Scalar>
    var gradient: UnsafePointer<Scalar>
    var states: [UnsafeMutablePointer<Scalar>]
}

/// b to a whole power, by repeated squaring: the same bits on every machine, which the C library does not promise.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0, square = base, left = exponent
    while left > 0 {
        if left & 1 == 1 { result *= square }
        square *= square
        left >>= 1
    }
    return result
}
