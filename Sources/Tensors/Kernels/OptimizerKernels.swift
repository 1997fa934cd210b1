import CKernels

/// Numbers of an optimizer's step that are the same for every element of a parameter; formulas are torch.optim's.
package struct OptimizerStep: Sendable {
    package var learningRate = 0.0
    /// Multiplies the gradient first.
    package var gradientScale = 1.0
    /// Multiplies the parameter: added to the gradient, or decoupled from it.
    package var decay = 0.0
    /// Of SGD; β₁ of Adam.
    package var momentum = 0.0
    package var beta2 = 0.0
    package var epsilon = 0.0
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    package var corrections = (first: 1.0, second: 1.0)
    package var isNesterov = false
    package var isDecoupled = false
    package var isFirst = false

    package init() {}

    fileprivate var c: kt_optimizer_step {
        kt_optimizer_step(
            learning_rate: learningRate, gradient_scale: gradientScale, decay: decay, momentum: momentum, beta2: beta2,
            epsilon: epsilon, correction1: corrections.first, correction2: corrections.second, nesterov: isNesterov ? 1 : 0,
            decoupled: isDecoupled ? 1 : 0, first: isFirst ? 1 : 0)
    }
}

extension TensorScalar {
    package static func stepSGD(_ p: inout MutableMatrixView<Self>, _ gradient: MatrixView<Self>, _ step: OptimizerStep) {
        precondition(p.count == gradient.count)
        var c = step.c
        kernels.c.sgd(p.elements, gradient.elements, nil, Int64(p.count), &c)
    }

    /// With momentum.
    package static func stepSGD(
        _ p: inout MutableMatrixView<Self>, _ gradient: MatrixView<Self>, velocity: inout MutableMatrixView<Self>, _ step: OptimizerStep
    ) {
        precondition(p.count == gradient.count && p.count == velocity.count)
        var c = step.c
        kernels.c.sgd(p.elements, gradient.elements, velocity.elements, Int64(p.count), &c)
    }

    package static func stepAdaGrad(
        _ p: inout MutableMatrixView<Self>, _ gradient: MatrixView<Self>, sums: inout MutableMatrixView<Self>, _ step: OptimizerStep
    ) {
        precondition(p.count == gradient.count && p.count == sums.count)
        var c = step.c
        kernels.c.adaGrad(p.elements, gradient.elements, sums.elements, Int64(p.count), &c)
    }

    /// - Parameter m, v: the first and second moments.
    package static func stepAdam(
        _ p: inout MutableMatrixView<Self>, _ gradient: MatrixView<Self>, _ m: inout MutableMatrixView<Self>,
        _ v: inout MutableMatrixView<Self>, _ step: OptimizerStep
    ) {
        precondition(p.count == gradient.count && p.count == m.count && p.count == v.count)
        var c = step.c
        kernels.c.adam(p.elements, gradient.elements, m.elements, v.elements, Int64(p.count), &c)
    }

    /// direction = m̂ / (√v̂ + ε) + decay · p, with m and v as Adam's.
    package static func lambDirection(
        _ p: MatrixView<Self>, _ gradient: MatrixView<Self>, _ m: inout MutableMatrixView<Self>, _ v: inout MutableMatrixView<Self>,
        _ step: OptimizerStep, into direction: inout MutableMatrixView<Self>
    ) {
        precondition(p.count == gradient.count && p.count == m.count && p.count == v.count && p.count == direction.count)
        var c = step.c
        kernels.c.lambDirection(p.elements, gradient.elements, m.elements, v.elements, Int64(p.count), &c, direction.elements)
    }
}

// MARK: Structural probes

extension TensorScalar {
    /// |pᵢ − pⱼ|² of the rows of p `(words, rank)`, row by row.
    package static func probeDistances(_ p: Tensor<Self>) -> [Self] {
        var out = [Self](repeating: 0, count: p.rows * p.rows)
        if p.rows > 0 { kernels.c.probeDistances(p.pointer, Int64(p.rows), Int64(p.columns), &out) }
        return out
    }

    /// |pᵢ|² of the rows of p `(words, rank)`.
    package static func probeDepths(_ p: Tensor<Self>) -> [Self] {
        var out = [Self](repeating: 0, count: p.rows)
        if p.rows > 0 { kernels.c.probeDepths(p.pointer, Int64(p.rows), Int64(p.columns), &out) }
        return out
    }
}
