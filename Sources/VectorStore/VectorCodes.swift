/// Short codes of the vectors that are in a file next to them: a search looks through the codes, and computes the cosines of the few
/// rows that can be among the best from the vectors themselves.
public enum VectorCodes: String, Sendable, CaseIterable {
    /// Whole numbers from −127 to 127 times the row's scale: a quarter of the size. With the length of what rounding took from each row, which bounds
    /// the error of a cosine, the answers are those of the whole vectors.
    case int8
    /// The signs: a thirty-second of the size. Answers can be missed.
    case binary

    /// The dataset that holds them.
    var datasetName: String { "/codes_" + rawValue }
    /// How a code is stored.
    var storage: VectorStorage { self == .int8 ? .int8 : .binary }

    /// int8 codes of rows, for each the scale with which it stands for the unit vector (0 for a row of zeros), and the length of what it lacks.
    package static func int8(
        _ values: ArraySlice<Float>, norms: [Float], dimension: Int
    ) -> (codes: [Int8], scales: [Float], errors: [Float]) {
        let (codes, whole) = VectorStorage.int8(values, dimension: dimension)
        var scales: [Float] = [], errors: [Float] = []
        values.withUnsafeBufferPointer { values in
            for (row, norm) in norms.enumerated() {
                guard norm > 0 else {
                    scales.append(0)
                    errors.append(0)
                    continue
                }
                let scale = Float(Double(whole[row]) / Double(norm)), reciprocal = 1 / Double(norm)
                var squares = 0.0
                for index in row * dimension..<(row + 1) * dimension {
                    let left = Double(values[index]) * reciprocal - Double(scale) * Double(codes[index])
                    squares += left * left
                }
                scales.append(scale)
                // Up, and a little more for the norm, which is rounded.
                errors.append(Float(squares.squareRoot() + 1e-7).nextUp)
            }
        }
        return (codes, scales, errors)
    }
}
