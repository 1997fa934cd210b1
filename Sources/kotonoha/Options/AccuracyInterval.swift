/// The 95 % score interval of a share (Wilson 1927).
func accuracyInterval(_ correct: Int, _ asked: Int) throws -> ClosedRange<Double> {
    let n = Double(asked), p = Double(correct) / n, z = 1.959963984540054
    let middle = (p + z * z / (2 * n)) / (1 + z * z / n), half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, middle - half) ... min(1, middle + half)
}
