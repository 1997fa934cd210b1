import Tensors

/// How the vectors of a sentence's tokens become one vector; the names are sentence-transformers'.
package enum PoolingMode: String, Sendable, CaseIterable {
    /// The vector of the first token.
    case cls
    case mean
    /// The largest value in each dimension.
    case max
    /// Sum divided by √length.
    case meanSquareRootLength = "mean_sqrt_len_tokens"
    /// Mean weighted by position 1, 2, …
    case weightedMean = "weightedmean"
    case lastToken = "lasttoken"
}

/// One vector a sequence.
///
/// - Parameters:
///   - x: `(tokens, size)`, the rows of sequence s being `offsets[s] ..< offsets[s + 1]`.
///   - skipping: leading tokens of every sequence left out (an instruction that is not to be pooled).
/// - Returns: `(sequences, size)`; zeros for an empty sequence.
package func pooled<S: TensorScalar>(
    _ x: Variable<S>, offsets: [Int64], mode: PoolingMode, skipping: Int = 0, on tape: Tape<S>?
) -> Variable<S> {
    let size = x.value.columns, sequences = offsets.count - 1
    // Every mode but max is a weighted sum of rows; the weights are all that differs.
    func rows(_ s: Int) -> Range<Int> {
        let first = Int(offsets[s]), end = Int(offsets[s + 1])
        return min(end, first + skipping)..<end
    }
    func weight(_ i: Int, of rows: Range<Int>) -> S {
        let n = rows.count
        switch mode {
        case .cls: return i == rows.lowerBound ? 1 : 0
        case .lastToken: return i == rows.upperBound - 1 ? 1 : 0
        case .mean: return 1 / S(n)
        case .meanSquareRootLength: return 1 / S(n).squareRoot()
        case .weightedMean: return S(i - rows.lowerBound + 1) / S(n * (n + 1) / 2)
        case .max: return 0
        }
    }
    var result = Tensor<S>(shape: [sequences, size])
    var largest: [[Int32]] = []
    for s in 0..<sequences {
        let range = rows(s), row = s..<s + 1
        switch mode {
        case .max:
            largest.append(S.columnMaxima(x.value.view[rows: range], firstRow: range.lowerBound, into: &result[rows: row]))
        case .mean:
            // Sum first and divide once, as the reference does: rounding then matches it best.
            S.addColumnSums(x.value.view[rows: range], to: &result[rows: row])
            if !range.isEmpty { S.scale(&result[rows: row], by: 1 / S(range.count)) }
        default:
            for i in range {
                let w = weight(i, of: range)
                if w != 0 { S.add(w, times: x.value.view[i], to: &result[rows: row]) }
            }
        }
    }
    guard let tape else { return Variable(result) }
    let place = x.place, chosen = largest
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place) { dx in
            for s in 0..<sequences {
                if mode == .max {
                    for (c, row) in chosen[s].enumerated() where row >= 0 { dx[Int(row), c] += gradient[s, c] }
                } else {
                    let range = rows(s)
                    for i in range {
                        let w = weight(i, of: range)
                        if w != 0 { S.add(w, times: gradient.view[s], to: &dx[rows: i..<i + 1]) }
                    }
                }
            }
        }
    }
}

/// Rows scaled to length 1: x / max(‖x‖, 1e-12), as `torch.nn.functional.normalize`. The length is summed in Double.
package func normalizedRows<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows
    var result = x.value
    let reciprocals = (0..<rows).map { r in
        let row = x.value.view[r]
        return S(1 / Swift.max(S.dot(row, row).squareRoot(), 1e-12))
    }
    for (r, reciprocal) in reciprocals.enumerated() { S.scale(&result[rows: r..<r + 1], by: reciprocal) }
    guard let tape else { return Variable(result) }
    let place = x.place, y = result
    return tape.record(result) { tape, dy in
        tape.addGradient(of: place) { dx in
            for (r, reciprocal) in reciprocals.enumerated() {
                // d(x/‖x‖) takes out what lies along x itself.
                let along = S(S.dot(y.view[r], dy.view[r]))
                S.add(reciprocal, times: dy.view[r], to: &dx[rows: r..<r + 1])
                S.add(-reciprocal * along, times: y.view[r], to: &dx[rows: r..<r + 1])
            }
        }
    }
}
