/// Minimizes a smooth function of many numbers by its gradients (Liu & Nocedal 1989), all in Double and always in the same order.
///
/// Steps satisfy the weak Wolfe conditions, found by bisection (Lewis & Overton 2013).
package struct LBFGS: Sendable {
    /// Done where no component of the gradient is larger.
    package var gradientLimit: Double
    /// Where no step lowers the function any more, a gradient below this counts as done: it is as far as Double can tell.
    package var fallbackLimit: Double
    package var maximumIterations: Int
    /// Pairs of steps that stand for the Hessian.
    package var memory: Int

    package init(gradientLimit: Double, fallbackLimit: Double? = nil, maximumIterations: Int = 1000, memory: Int = 20) {
        self.gradientLimit = gradientLimit
        self.fallbackLimit = fallbackLimit ?? gradientLimit
        self.maximumIterations = maximumIterations
        self.memory = memory
    }

    package struct End: Sendable {
        package let value: Double
        package let iterations: Int
        package let isConverged: Bool
    }

    /// - Parameters:
    ///   - w: where to begin; the minimum afterwards.
    ///   - function: the value at a place, and its gradient, which is computed only if needed.
    package func minimize(_ w: inout [Double], _ function: (_ w: [Double]) -> (value: Double, gradient: () -> [Double])) -> End {
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            var sum = 0.0
            for i in a.indices { sum += a[i] * b[i] }
            return sum
        }
        let first = function(w)
        var loss = first.value, g = first.gradient()
        var history: [(s: [Double], y: [Double], rho: Double)] = []
        for iteration in 0..<maximumIterations {
            let largest = g.reduce(0) { max($0, abs($1)) }
            if largest <= gradientLimit { return End(value: loss, iterations: iteration, isConverged: true) }
            var direction = g, alphas: [Double] = []
            for pair in history.reversed() {
                let alpha = pair.rho * dot(pair.s, direction)
                alphas.append(alpha)
                for i in direction.indices { direction[i] -= alpha * pair.y[i] }
            }
            let scale = history.last.map { dot($0.s, $0.y) / dot($0.y, $0.y) } ?? 1 / max(1, dot(g, g).squareRoot())
            for i in direction.indices { direction[i] *= scale }
            for (pair, alpha) in zip(history, alphas.reversed()) {
                let beta = pair.rho * dot(pair.y, direction)
                for i in direction.indices { direction[i] += (alpha - beta) * pair.s[i] }
            }
            let slope = dot(g, direction)
            var low = 0.0, high = Double.infinity, rate = 1.0, accepted: (w: [Double], loss: Double, g: [Double])?
            for _ in 0..<60 {
                let next = w.indices.map { w[$0] - rate * direction[$0] }
                let candidate = function(next)
                if !(candidate.value <= loss - 1e-4 * rate * slope) {
                    high = rate
                } else {
                    let gradient = candidate.gradient()
                    accepted = (next, candidate.value, gradient)
                    if dot(gradient, direction) > 0.9 * slope { low = rate } else { break }
                }
                rate = high.isFinite ? (low + high) / 2 : 2 * rate
            }
            guard let accepted else { return End(value: loss, iterations: iteration, isConverged: largest <= fallbackLimit) }
            // No lower by as much as Double can tell.
            if accepted.loss >= loss, largest <= fallbackLimit { return End(value: loss, iterations: iteration, isConverged: true) }
            let s = w.indices.map { accepted.w[$0] - w[$0] }, y = g.indices.map { accepted.g[$0] - g[$0] }, sy = dot(s, y)
            if sy > 1e-300 {
                history.append((s, y, 1 / sy))
                if history.count > memory { history.removeFirst() }
            }
            (w, loss, g) = accepted
        }
        return End(value: loss, iterations: maximumIterations, isConverged: false)
    }
}
