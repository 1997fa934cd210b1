import Tensors

/// Batch normalization (Ioffe and Szegedy 2015) of x, or of x + residual: γ (s − mean) / √(variance + ε) + β, each column by the mean and
/// the variance of that column over a population of rows.
///
/// A variance of zero in every column says that the population has not been measured yet. Then the rows at hand stand for it, the
/// derivative goes through their means and variances too, and a tape that learns `mean` and `variance` gets, in the place of their
/// gradients, n · mean and n · variance of the n rows (the variance without bias, as the paper has it for the population): what they sum
/// to over all tapes, divided by all rows, is the population's.
///
/// - Parameters:
///   - x, residual: `(n, size)`.
///   - gamma, beta, mean, variance: `(size)`.
/// - Returns: `(n, size)`.
package func batchNorm<S: TensorScalar>(
    _ x: Variable<S>, residual: Variable<S>? = nil, gamma: Parameter<S>, beta: Parameter<S>, mean: Parameter<S>, variance: Parameter<S>,
    epsilon: S, on tape: Tape<S>?
) -> Variable<S> {
    let size = gamma.shape[0], n = x.value.rows, scale = gamma.value
    precondition(x.value.columns == size, "a batch norm of \(size) columns got \(x.shape)")
    var centered = x.value, means = mean.value, variances = variance.value
    if let residual { S.add(residual.value.view, to: &centered.target) }
    let isOfRows = S.total(variances.view) == 0, share = 1 / S(max(1, n))
    if isOfRows {
        means = Tensor(shape: [size])
        S.addColumnSums(centered.view, to: &means.target)
        S.scale(&means.target, by: share)
    }
    addToRows(of: &centered, -1, means)
    if isOfRows {
        addSumOfProducts(centered, centered, to: &variances)
        S.scale(&variances.target, by: share)
    }
    let reciprocals = Tensor((0..<size).map { 1 / (variances[$0] + epsilon).squareRoot() }, shape: [size])
    let normalized = product(centered, reciprocals)
    var y = product(normalized, scale)
    S.addRowVector(beta.value.view, to: &y.target)
    guard let tape else { return Variable(y) }
    let places = (x.place, residual?.place), kept = (means, variances)
    return tape.record(y) { tape, dy in
        var dgamma = Tensor<S>(shape: [size]), dbeta = Tensor<S>(shape: [size])
        addSumOfProducts(dy, normalized, to: &dgamma)
        S.addColumnSums(dy.view, to: &dbeta.target)
        let slopes = product(scale, reciprocals)
        var dx = product(dy, slopes)
        if isOfRows {
            addToRows(of: &dx, -share, product(slopes, dbeta))
            S.add(-share, times: product(normalized, product(slopes, dgamma)).view, to: &dx.target)
            tape.addGradient(of: mean) { S.add(S(n), times: kept.0.view, to: &$0.target) }
            tape.addGradient(of: variance) { S.add(S(n) * S(n) / S(max(1, n - 1)), times: kept.1.view, to: &$0.target) }
        }
        tape.addGradient(of: gamma, dgamma)
        tape.addGradient(of: beta, dbeta)
        if let residual = places.1 { tape.addGradient(of: residual, dx) }
        tape.addGradient(of: places.0, dx)
    }
}

/// Each row times a vector, element by element; a vector counts as one row.
private func product<S: TensorScalar>(_ x: Tensor<S>, _ vector: Tensor<S>) -> Tensor<S> {
    let rows = x.count / vector.count, from = x.reshaped([rows, vector.count]).view
    var y = Tensor<S>(shape: [rows, vector.count])
    for row in 0..<rows { S.addProduct(from[row], vector.view, to: &y[rows: row..<row + 1]) }
    return y.reshaped(x.shape)
}

/// x[r] += a · vector.
private func addToRows<S: TensorScalar>(of x: inout Tensor<S>, _ a: S, _ vector: Tensor<S>) {
    var scaled = vector
    S.scale(&scaled.target, by: a)
    S.addRowVector(scaled.view, to: &x.target)
}

/// sums += Σ x[r] ∘ y[r].
private func addSumOfProducts<S: TensorScalar>(_ x: Tensor<S>, _ y: Tensor<S>, to sums: inout Tensor<S>) {
    for row in 0..<x.rows { S.addProduct(x.view[row], y.view[row], to: &sums.target) }
}
