import Tensors

/// Layer normalization (Ba et al. 2016) of x, or of x + residual: γ (s − mean) / √(variance + ε) + β over each row.
///
/// - Parameters:
///   - x, residual: `(n, size)`.
///   - gamma, beta: `(size)`; beta may be absent.
/// - Returns: `(n, size)`.
public func layerNorm<S: TensorScalar>(
    _ x: Variable<S>, residual: Variable<S>? = nil, gamma: Parameter<S>, beta: Parameter<S>?, epsilon: S, on tape: Tape<S>?
) -> Variable<S> {
    let rows = x.value.rows, columns = x.value.columns
    precondition(gamma.value.count == columns, "a layer norm of size \(gamma.value.count) got \(x.shape)")
    precondition(residual == nil || residual!.shape == x.shape)
    var y = Tensor<S>(uninitialized: x.shape)
    // Kept for the derivative only.
    var sum = tape != nil && residual != nil ? Tensor<S>(uninitialized: x.shape) : x.value
    var mean = Tensor<S>(uninitialized: [tape == nil ? 0 : rows]), deviation = mean
    x.value.withUnsafeElements { x in
        withOptionalElements(residual?.value) { residual in
            gamma.value.withUnsafeElements { gamma in
                withOptionalElements(beta?.value) { beta in
                    y.withUnsafeMutableElements { y in
                        func run(_ sum: UnsafeMutablePointer<S>?, _ mean: UnsafeMutablePointer<S>?, _ deviation: UnsafeMutablePointer<S>?) {
                            S.layerNorm(x, residual: residual, rows: rows, columns: columns, gamma: gamma, beta: beta, epsilon: epsilon,
                                        sum: sum, into: y, mean: mean, reciprocalDeviation: deviation)
                        }
                        guard tape != nil else { return run(nil, nil, nil) }
                        mean.withUnsafeMutableElements { mean in
                            deviation.withUnsafeMutableElements { deviation in
                                if residual == nil { run(nil, mean, deviation) }
                                else { sum.withUnsafeMutableElements { run($0, mean, deviation) } }
                            }
                        }
                    }
                }
            }
        }
    }
    guard let tape else { return Variable(y) }
    let normalized = sum, means = mean, deviations = deviation
    let places = (x.place, residual?.place)
    return tape.record(y) { tape, gradient in
        var dx = Tensor<S>(uninitialized: normalized.shape)
        normalized.withUnsafeElements { s in
            means.withUnsafeElements { mean in
                deviations.withUnsafeElements { deviation in
                    gradient.withUnsafeElements { dy in
                        gamma.value.withUnsafeElements { g in
                            dx.withUnsafeMutableElements { dx in
                                func run(_ dgamma: UnsafeMutablePointer<S>, _ dbeta: UnsafeMutablePointer<S>?) {
                                    S.layerNormBackward(s, rows: rows, columns: columns, gamma: g, mean: mean, reciprocalDeviation: deviation,
                                                        dy, into: dx, addingTo: dgamma, dbeta)
                                }
                                // A frozen scale still needs somewhere to put its sums.
                                var unusedGamma = Tensor<S>(shape: [gamma.isTrainable ? 0 : columns])
                                func withGamma(_ body: (UnsafeMutablePointer<S>) -> Void) {
                                    if gamma.isTrainable { tape.addGradient(of: gamma, body) } else { unusedGamma.withUnsafeMutableElements(body) }
                                }
                                withGamma { dgamma in
                                    if let beta, beta.isTrainable { tape.addGradient(of: beta) { run(dgamma, $0) } } else { run(dgamma, nil) }
                                }
                            }
                        }
                    }
                }
            }
        }
        if let residual = places.1 { tape.addGradient(of: residual, dx) }
        tape.addGradient(of: places.0, dx)
    }
}
