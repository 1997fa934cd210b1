import Autograd
import FileFormats
import Tensors

/// How parameters follow their gradients; formulas are torch.optim's, so that its trajectories repeat.
package struct OptimizerConfiguration: Sendable, Equatable {
    package enum Method: String, Sendable, CaseIterable {
        case sgd, momentum, nesterov, adagrad, adam, adamw, lamb
    }

    package var method: Method
    package var learningRate: Double
    /// Of momentum and Nesterov.
    package var momentum = 0.9
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon: Double
    /// Decoupled from the gradient in AdamW and LAMB, added to it elsewhere. Biases and norms do not decay.
    package var weightDecay: Double

    package init(_ method: Method = .adamw, learningRate: Double) {
        self.method = method
        self.learningRate = learningRate
        epsilon =
            switch method {
            case .adagrad: 1e-10
            case .lamb: 1e-6
            default: 1e-8
            }
        weightDecay = method == .adamw || method == .lamb ? 0.01 : 0
    }

    /// Names of the tensors that the method keeps next to each parameter.
    var stateNames: [String] {
        switch method {
        case .sgd: []
        case .momentum, .nesterov: ["velocity"]
        case .adagrad: ["sums"]
        case .adam, .adamw, .lamb: ["first", "second"]
        }
    }
}

/// Applies gradients to parameters. Every element is computed alike on any thread, and norms are summed over fixed
/// chunks in a fixed order: the result does not depend on the number of threads.
package final class Optimizer<Scalar: TensorScalar> {
    /// The method and its settings.
    package let configuration: OptimizerConfiguration
    /// The parameters that are updated.
    package let parameters: [Parameter<Scalar>]
    /// Steps taken so far.
    package private(set) var steps = 0
    /// What the method keeps next to each parameter, as `configuration.stateNames` call it: velocities, sums or first moments, and second
    /// moments; empty if it keeps none.
    private var first: [Tensor<Scalar>]
    private var second: [Tensor<Scalar>]
    /// Multiplies the learning rate of each parameter (0 for one that shall stand still).
    package var rateScales: [Double]
    /// Whether each parameter decays: matrices and tables do, vectors (biases, scales of norms) do not.
    package var decays: [Bool]

    /// An optimizer before its first step.
    package init(_ configuration: OptimizerConfiguration, parameters: [Parameter<Scalar>]) {
        self.configuration = configuration
        self.parameters = parameters
        first = configuration.stateNames.count > 0 ? parameters.map { Tensor(shape: $0.shape) } : []
        second = configuration.stateNames.count > 1 ? parameters.map { Tensor(shape: $0.shape) } : []
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
    package func step(
        _ gradients: [Tensor<Scalar>?], learningRate: Double, gradientScale: Double = 1, threads: Int = Parallel.availableThreads
    ) {
        precondition(gradients.count == parameters.count)
        steps += 1
        var common = OptimizerStep()
        common.gradientScale = gradientScale
        common.momentum = [.momentum, .nesterov].contains(configuration.method) ? configuration.momentum : configuration.beta1
        common.beta2 = configuration.beta2
        common.epsilon = configuration.epsilon
        common.corrections = (1 - power(configuration.beta1, steps), 1 - power(configuration.beta2, steps))
        common.isNesterov = configuration.method == .nesterov
        common.isDecoupled = configuration.method == .adamw
        common.isFirst = steps == 1

        // The parameters' values are here for the step and are not used elsewhere meanwhile.
        let moving = parameters.indices.filter { parameters[$0].isTrainable && rateScales[$0] != 0 && gradients[$0] != nil }
        var work = StepWork<Scalar>(values: parameters.map { _ in Tensor(uninitialized: [0]) })
        for index in moving {
            precondition(
                gradients[index]?.count == parameters[index].shape.reduce(1, *), "a gradient for parameter \(parameters[index].shape)")
            var step = common
            step.learningRate = learningRate * rateScales[index]
            step.decay = decays[index] ? configuration.weightDecay : 0
            work.steps[index] = step
            work.gradients[index] = gradients[index]
            work.values[index] = parameters[index].take()
            work.stretches += Parallel.chunks(work.values[index].count, size: Self.chunk).map { Stretch(tensor: index, rows: $0) }
        }
        if configuration.method == .lamb { stepLAMB(&work, threads: threads) } else { stepEach(&work, threads: threads) }
        let changed = moving.map { (parameter: parameters[$0], value: work.values[$0]) }
        work.values = []
        Parallel.forEach(changed.count, threads: threads) { index, _ in changed[index].parameter.giveBack(changed[index].value) }
    }

    private func stepEach(_ work: inout StepWork<Scalar>, threads: Int) {
        let plan = work.plan, stretches = plan.stretches
        switch configuration.method {
        case .sgd:
            Parallel.forEachStretch(stretches, of: &work.values, threads: threads) { index, value in
                Scalar.stepSGD(&value, plan.gradient(index), plan.step(index))
            }
        case .momentum, .nesterov:
            Parallel.forEachStretch(stretches, of: &work.values, &first, threads: threads) { index, value, velocity in
                Scalar.stepSGD(&value, plan.gradient(index), velocity: &velocity, plan.step(index))
            }
        case .adagrad:
            Parallel.forEachStretch(stretches, of: &work.values, &first, threads: threads) { index, value, sums in
                Scalar.stepAdaGrad(&value, plan.gradient(index), sums: &sums, plan.step(index))
            }
        case .adam, .adamw:
            Parallel.forEachStretch(stretches, of: &work.values, &first, &second, threads: threads) { index, value, first, second in
                Scalar.stepAdam(&value, plan.gradient(index), &first, &second, plan.step(index))
            }
        case .lamb: preconditionFailure("LAMB takes its own way")
        }
    }

    /// LAMB scales each parameter's step by ‖p‖ / ‖direction‖, so directions come first, then norms, then the step.
    private func stepLAMB(_ work: inout StepWork<Scalar>, threads: Int) {
        let plan = work.plan, stretches = plan.stretches
        var directions = work.values.map { Tensor<Scalar>(uninitialized: [$0.count]) }
        var squares: [Int: (value: Double, direction: Double)] = [:]
        do {
            let values = work.values
            Parallel.forEachStretch(stretches, of: &first, &second, &directions, threads: threads) { index, first, second, direction in
                Scalar.lambDirection(
                    values[stretches[index].tensor].view(of: stretches[index]), plan.gradient(index), &first, &second,
                    plan.step(index), into: &direction)
            }
            let found = directions
            let norms = Parallel.map(stretches.count, threads: threads) { index, _ in
                let stretch = stretches[index]
                let value = values[stretch.tensor].view(of: stretch), direction = found[stretch.tensor].view(of: stretch)
                return (value: Scalar.dot(value, value), direction: Scalar.dot(direction, direction))
            }
            for (stretch, norm) in zip(stretches, norms) {
                squares[stretch.tensor, default: (0, 0)].value += norm.value
                squares[stretch.tensor, default: (0, 0)].direction += norm.direction
            }
        }
        let ratios = squares.mapValues { $0.value > 0 && $0.direction > 0 ? ($0.value / $0.direction).squareRoot() : 1 }, found = directions
        Parallel.forEachStretch(stretches, of: &work.values, threads: threads) { index, value in
            let stretch = stretches[index], length = plan.step(index).learningRate * (ratios[stretch.tensor] ?? 1)
            Scalar.add(Scalar(-length), times: found[stretch.tensor].view(of: stretch), to: &value)
        }
    }

    // MARK: State

    /// What the optimizer remembers, by name (`first.3` is the first moment of parameter 3), for checkpoints.
    package var state: [(name: String, tensor: Tensor<Scalar>)] {
        zip(configuration.stateNames, [first, second]).flatMap { name, tensors in tensors.enumerated().map { ("\(name).\($0)", $1) } }
    }

    /// Takes a remembered state back.
    ///
    /// - Throws: `DataError` that names a tensor which is missing or of another shape.
    package func restore(steps: Int, state: (String) throws -> Tensor<Scalar>?) throws {
        var restored = [first, second]
        for (which, name) in configuration.stateNames.enumerated() {
            for (index, parameter) in parameters.enumerated() {
                guard let tensor = try state("\(name).\(index)"), tensor.shape == parameter.shape else {
                    throw DataError(
                        .badData,
                        "the optimizer's state '\(name).\(index)' \(parameter.shape) is missing or has another "
                            + "shape; was the checkpoint written with another configuration?")
                }
                restored[which][index] = tensor
            }
        }
        (first, second) = (restored[0], restored[1])
        self.steps = steps
    }
}

/// What a step goes over, by number of the parameter.
private struct StepWork<Scalar: TensorScalar>: Sendable {
    var values: [Tensor<Scalar>]
    var gradients: [Int: Tensor<Scalar>] = [:]
    var steps: [Int: OptimizerStep] = [:]
    var stretches: [Stretch] = []

    /// What threads read: all but the values.
    var plan: StepWork {
        var plan = self
        plan.values = []
        return plan
    }

    func gradient(_ index: Int) -> MatrixView<Scalar> { gradients[stretches[index].tensor]!.view(of: stretches[index]) }
    func step(_ index: Int) -> OptimizerStep { steps[stretches[index].tensor]! }
}

/// b to a whole power, by repeated squaring: the same bits on every machine, which the C library does not promise.
func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0, square = base, left = exponent
    while left > 0 {
        if left & 1 == 1 { result *= square }
        square *= square
        left >>= 1
    }
    return result
}
