import Tensors

/// Dropout (Srivastava et al. 2014): each element is zeroed with probability `rate`, the others grow by 1 / (1 − rate). Only with a tape
/// that trains.
///
/// Which elements fall is a function of a number drawn from the tape and of the place, so that the derivative decides again in the
/// same way and nothing is kept.
package func dropout<S: TensorScalar>(_ x: Variable<S>, rate: Double, on tape: Tape<S>?) -> Variable<S> {
    guard let tape, tape.trains, rate > 0 else { return x }
    precondition(rate < 1, "a dropout rate lies in 0 ..< 1, not \(rate)")
    let seed = tape.random.next()
    func dropped(_ values: Tensor<S>) -> Tensor<S> {
        var result = Tensor<S>(uninitialized: values.shape)
        S.dropout(values.view, rate: rate, seed: seed, into: &result.target)
        return result
    }
    let place = x.place
    return tape.record(dropped(x.value)) { tape, gradient in tape.addGradient(of: place, dropped(gradient)) }
}
