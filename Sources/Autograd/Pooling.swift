import Tensors

/// How the vectors of a sentence's tokens become one vector; the names are sentence-transformers'.
public enum PoolingMode: String, Sendable, CaseIterable {
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
public func pooled<S: TensorScalar>(
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
    var largest = [Int32](repeating: -1, count: mode == .max ? sequences * size : 0)
    x.value.withUnsafeElements { x in
        result.withUnsafeMutableElements { out in
            for s in 0..<sequences {
                let to = out + s * size, range = rows(s)
                if mode == .max {
                    for i in range {
                        for c in 0..<size where i == range.lowerBound || x[i * size + c] > to[c] {
                            to[c] = x[i * size + c]
                            largest[s * size + c] = Int32(i)
                        }
                    }
                } else if mode == .mean {
                    // Sum first and divide once, as the reference does: rounding then matches it best.
                    for i in range { S.add(x + i * size, count: size, to: to) }
                    if !range.isEmpty { S.scale(to, by: 1 / S(range.count), count: size) }
                } else {
                    for i in range {
                        let w = weight(i, of: range)
                        if w != 0 { S.add(w, times: x + i * size, count: size, to: to) }
                    }
                }
            }
        }
    }
    guard let tape else { return Variable(result) }
    let place = x.place
    let chosen = largest
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in
            tape.addGradient(of: place) { dx in
                for s in 0..<sequences {
                    if mode == .max {
                        for c in 0..<size where chosen[s * size + c] >= 0 { dx[Int(chosen[s * size + c]) * size + c] += g[s * size + c] }
                    } else {
                        let range = rows(s)
                        for i in range {
                            let w = weight(i, of: range)
                            if w != 0 { S.add(w, times: g + s * size, count: size, to: dx + i * size) }
                        }
                    }
                }
            }
        }
    }
}

/// Rows scaled to length 1: x / max(‖x‖, 1e-12), as `torch.nn.functional.normalize`. The length is summed in Double.
public func normalizedRows<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows, size = x.value.columns
    var result = x.value
    var reciprocals = [S](repeating: 0, count: rows)
    result.withUnsafeMutableElements { y in
        for r in 0..<rows {
            let row = y + r * size
            reciprocals[r] = S(1 / Swift.max(S.dot(row, row, count: size).squareRoot(), 1e-12))
            S.scale(row, by: reciprocals[r], count: size)
        }
    }
    guard let tape else { return Variable(result) }
    let place = x.place
    let y = result, scales = reciprocals
    return tape.record(result) { tape, gradient in
        y.withUnsafeElements { y in
            gradient.withUnsafeElements { g in
                tape.addGradient(of: place) { dx in
                    for r in 0..<rows {
                        // d(x/‖x‖) takes out what lies along x itself.
                        let along = S(S.dot(y + r * size, g + r * size, count: size))
                        S.add(scales[r], times: g + r * size, count: size, to: dx + r * size)
                        S.add(-scales[r] * along, times: y + r * size, count: size, to: dx + r * size)
                    }
                }
            }
        }
    }
}
