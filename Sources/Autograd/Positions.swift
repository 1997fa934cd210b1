import CKernels
import Foundation
import Tensors

// What positions do to attention, in the three ways that encoders use beside a table of learned positions.

// MARK: Rotary

/// Cosines and sines of rotary positions (Su et al. 2021): position p turns pair c of a head by p · base^(−2c / headSize).
public struct RotaryAngles<Scalar: TensorScalar>: Sendable {
    /// `(positions, headSize / 2)`.
    public let cosines: Tensor<Scalar>
    public let sines: Tensor<Scalar>

    /// - Precondition: `headSize` is even.
    public init(positions: Int, headSize: Int, base: Double) {
        precondition(headSize % 2 == 0, "rotary positions turn pairs; a head of \(headSize) has none for its last element")
        let half = headSize / 2
        // The reference keeps frequencies and angles in 32 bits; at far positions that rounding shows.
        let frequencies = (0..<half).map { 1 / Float(pow(Float(base), Float(2 * $0) / Float(headSize))) }
        let angles = (0..<positions).flatMap { p in frequencies.map { Double(Float(p) * $0) } }
        cosines = Tensor(angles.map { Scalar(cos($0)) }, shape: [positions, half])
        sines = Tensor(angles.map { Scalar(sin($0)) }, shape: [positions, half])
    }
}

/// The first `heads` heads of every row turned by rotary positions: queries and keys of a fused projection in one pass.
///
/// - Parameters:
///   - x: `(tokens, width)` with width at least heads × headSize.
///   - positions: of each row.
public func rotated<S: TensorScalar>(
    _ x: Variable<S>, heads: Int, headSize: Int, positions: [Int32], angles: RotaryAngles<S>, on tape: Tape<S>?
) -> Variable<S> {
    let rows = x.value.rows, width = x.value.columns
    precondition(positions.count == rows && heads * headSize <= width && angles.cosines.columns * 2 == headSize)
    precondition(positions.allSatisfy { $0 >= 0 && Int($0) < angles.cosines.rows }, "a position beyond the \(angles.cosines.rows) known")
    func turn(_ tensor: inout Tensor<S>, backward: Bool) {
        angles.cosines.withUnsafeElements { cosines in
            angles.sines.withUnsafeElements { sines in
                tensor.withUnsafeMutableElements {
                    S.rotate($0, rows: rows, stride: width, heads: heads, headSize: headSize, positions: positions, (cosines, sines), backward: backward)
                }
            }
        }
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
public func relativeBias<S: TensorScalar>(table: Parameter<S>, length n: Int, bucket: (Int) -> Int, on tape: Tape<S>?) -> Variable<S> {
    let heads = table.value.columns
    // Of distance d at d + n − 1.
    let rows = (0..<max(1, 2 * n - 1)).map { bucket($0 - n + 1) }
    precondition(rows.allSatisfy { $0 >= 0 && $0 < table.value.rows }, "a bucket beyond the table's \(table.value.rows) rows")
    var bias = Tensor<S>(uninitialized: [heads, n, n])
    table.value.withUnsafeElements { table in
        bias.withUnsafeMutableElements { out in
            for h in 0..<heads {
                let ofDistance = rows.map { table[$0 * heads + h] }
                ofDistance.withUnsafeBufferPointer { ofDistance in
                    for i in 0..<n { (out + (h * n + i) * n).update(from: ofDistance.baseAddress! + n - 1 - i, count: n) }
                }
            }
        }
    }
    guard let tape else { return Variable(bias) }
    return tape.record(bias) { tape, gradient in
        gradient.withUnsafeElements { g in
            tape.addGradient(of: table) { to in
                for h in 0..<heads {
                    for i in 0..<n { for j in 0..<n { to[rows[j - i + n - 1] * heads + h] += g[(h * n + i) * n + j] } }
                }
            }
        }
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
public func disentangledScores<S: TensorScalar>(
    queries: AttentionColumns<S>, keys: AttentionColumns<S>, positionKeys: AttentionColumns<S>?, positionQueries: AttentionColumns<S>?,
    heads: Int, headSize: Int, offsets: [Int64], row: (Int) -> Int, scale: S, on tape: Tape<S>?
) -> (scores: Variable<S>, offsets: [Int64]) {
    let lengths = zip(offsets, offsets.dropFirst()).map { Int($1 - $0) }
    let longest = max(1, lengths.max() ?? 1)
    let rows = (0..<2 * longest - 1).map { Int32(row($0 - longest + 1)) }
    var scoreOffsets: [Int64] = [0]
    for n in lengths { scoreOffsets.append(scoreOffsets[scoreOffsets.count - 1] + Int64(heads * n * n)) }
    for table in [positionKeys, positionQueries].compactMap(\.self) {
        precondition(rows.allSatisfy { $0 >= 0 && Int($0) < table.matrix.value.rows }, "a distance beyond the position table")
    }
    precondition(queries.matrix.value.columns == keys.matrix.value.columns)
    precondition(positionKeys == nil || positionQueries == nil || positionKeys!.matrix.value.columns == positionQueries!.matrix.value.columns)
    let stride = queries.matrix.value.columns, positionStride = (positionKeys ?? positionQueries)?.matrix.value.columns ?? 0
    let starts = scoreOffsets

    typealias Place = UnsafePointer<S>
    func withInputs(_ body: (kt_disentangled_shape, Place, Place, Place?, Place?) -> Void) {
        offsets.withUnsafeBufferPointer { offsets in
            starts.withUnsafeBufferPointer { starts in
                rows.withUnsafeBufferPointer { rows in
                    queries.matrix.value.withUnsafeElements { q in
                        keys.matrix.value.withUnsafeElements { k in
                            withOptionalElements(positionKeys?.matrix.value) { pk in
                                withOptionalElements(positionQueries?.matrix.value) { pq in
                                    let shape = kt_disentangled_shape(
                                        offsets: offsets.baseAddress, score_offsets: starts.baseAddress, segments: Int64(lengths.count),
                                        heads: Int64(heads), head_size: Int64(headSize), stride: Int64(stride),
                                        position_stride: Int64(positionStride), row_of_distance: rows.baseAddress! + longest - 1)
                                    body(shape, q + queries.column, k + keys.column, pk.map { $0 + positionKeys!.column },
                                         pq.map { $0 + positionQueries!.column })
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    var scores = Tensor<S>(uninitialized: [Int(starts[starts.count - 1])])
    withInputs { shape, q, k, pk, pq in
        scores.withUnsafeMutableElements { S.disentangled(shape, q, k, positionKeys: pk, positionQueries: pq, scale: scale, into: $0) }
    }
    guard let tape else { return (Variable(scores), starts) }
    let recorded = tape.record(scores) { tape, gradient in
        // A constant has no gradient to add to; what the kernel writes for it goes nowhere.
        var unused: [Tensor<S>] = []
        func target(_ columns: AttentionColumns<S>) -> UnsafeMutablePointer<S> {
            if let pointer = tape.gradientPointer(of: columns.matrix) { return pointer + columns.column }
            unused.append(Tensor(shape: columns.matrix.shape))
            return unused[unused.count - 1].withUnsafeMutableElements { $0 } + columns.column
        }
        let (dq, dk) = (target(queries), target(keys))
        let (dpk, dpq) = (positionKeys.map(target), positionQueries.map(target))
        withInputs { shape, q, k, pk, pq in
            gradient.withUnsafeElements {
                S.disentangledBackward(shape, q, k, positionKeys: pk, positionQueries: pq, scale: scale, $0, addingTo: dq, dk, dpk, dpq)
            }
        }
        withExtendedLifetime(unused) {}
    }
    return (recorded, starts)
}
