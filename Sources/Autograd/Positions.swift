import Foundation
import Tensors

// What positions do to attention, in the three ways that encoders use beside a table of learned positions.

// MARK: Rotary

/// Cosines and sines of rotary positions (Su et al. 2021): position p turns pair c of a head by p times the pair's frequency.
package struct RotaryAngles<Scalar: TensorScalar>: Sendable {
    /// `(positions, pairs)`.
    package let cosines: Tensor<Scalar>
    /// `(positions, pairs)`.
    package let sines: Tensor<Scalar>

    /// - Parameters:
    ///   - frequencies: radians per position of each pair.
    ///   - magnitude: what turned pairs are multiplied with.
    package init(positions: Int, frequencies: [Float], magnitude: Double = 1) {
        // The reference keeps angles in 32 bits; at far positions that rounding shows.
        let angles = (0..<positions).flatMap { p in frequencies.map { Double(Float(p) * $0) } }
        cosines = Tensor(angles.map { Scalar(magnitude * cos($0)) }, shape: [positions, frequencies.count])
        sines = Tensor(angles.map { Scalar(magnitude * sin($0)) }, shape: [positions, frequencies.count])
    }
}

/// The first `heads` heads of every row turned by rotary positions: queries and keys of a fused projection in one pass. Of each head the
/// first elements turn, as many as there are pairs; the others stay.
///
/// - Parameters:
///   - x: `(tokens, width)` with width at least heads × headSize.
///   - positions: of each row.
package func rotated<S: TensorScalar>(
    _ x: Variable<S>, heads: Int, headSize: Int, positions: [Int32], angles: RotaryAngles<S>, on tape: Tape<S>?
) -> Variable<S> {
    func turn(_ tensor: inout Tensor<S>, backward: Bool) {
        S.rotate(
            &tensor.target, heads: heads, headSize: headSize, positions: positions, cosines: angles.cosines, sines: angles.sines,
            backward: backward)
    }
    var y = x.value
    turn(&y, backward: false)
    guard let tape else { return Variable(y) }
    return tape.record(y) { tape, gradient in
        var dx = gradient
        turn(&dx, backward: true)
        tape.addGradient(of: x, dx)
    }
}

// MARK: A learned bias for each distance

/// An attention bias that depends on distance alone (Raffel et al. 2020): bias[h, i, j] = table[bucket(j − i), h].
///
/// - Parameters:
///   - table: `(buckets, heads)`.
///   - length: of the longest sequence, n.
///   - bucket: a row of the table for each distance key − query.
/// - Returns: `(heads, n, n)`.
package func relativeBias<S: TensorScalar>(table: Parameter<S>, length n: Int, bucket: (Int) -> Int, on tape: Tape<S>?) -> Variable<S> {
    // Of distance d at d + n − 1.
    let rows = (0..<max(1, 2 * n - 1)).map { bucket($0 - n + 1) }
    let bias = S.relativeBias(table.value, rows: rows, length: n)
    guard let tape else { return Variable(bias) }
    return tape.record(bias) { tape, gradient in
        tape.addGradient(of: table) { dtable in S.relativeBiasBackward(gradient, rows: rows, addingTo: &dtable) }
    }
}

// MARK: Disentangled attention

/// What positions add to attention scores in disentangled attention (He et al. 2021): content looks at positions and positions at
/// content, scale · (qᵢ · positionKeys[r] + kⱼ · positionQueries[r]) with r = row(i − j).
///
/// - Parameters:
///   - queries, keys: of all tokens; rows of sequence s are `offsets[s] ..< offsets[s + 1]`.
///   - positionKeys, positionQueries: `(distances, …)`, heads as in `queries`; nil leaves the term out.
///   - row: a row of the position tables for each distance query − key.
/// - Returns: each sequence's `(heads, n, n)` one after the other, and where each begins: the bias that `packedAttention` takes.
package func disentangledScores<S: TensorScalar>(
    queries: AttentionColumns<S>, keys: AttentionColumns<S>, positionKeys: AttentionColumns<S>?, positionQueries: AttentionColumns<S>?,
    heads: Int, headSize: Int, offsets: [Int64], row: (Int) -> Int, scale: S, on tape: Tape<S>?
) -> (scores: Variable<S>, offsets: [Int64]) {
    let lengths = zip(offsets, offsets.dropFirst()).map { Int($1 - $0) }
    let longest = max(1, lengths.max() ?? 1)
    let rows = (0..<2 * longest - 1).map { Int32(row($0 - longest + 1)) }
    var scoreOffsets: [Int64] = [0]
    for n in lengths { scoreOffsets.append(scoreOffsets[scoreOffsets.count - 1] + Int64(heads * n * n)) }
    let shape = DisentangledShape(offsets: offsets, scoreOffsets: scoreOffsets, rowOfDistance: rows, heads: heads, headSize: headSize)
    let scores = S.disentangled(
        shape, queries.view, keys.view, positionKeys: positionKeys?.view, positionQueries: positionQueries?.view, scale: scale)
    guard let tape else { return (Variable(scores), scoreOffsets) }
    let recorded = tape.record(scores) { tape, gradient in
        tape.addGradients(of: [queries, keys, positionKeys, positionQueries]) { targets in
            S.disentangledBackward(
                shape, queries.view, keys.view, positionKeys: positionKeys?.view, positionQueries: positionQueries?.view,
                scale: scale, gradient, addingTo: &targets)
        }
    }
    return (recorded, scoreOffsets)
}
