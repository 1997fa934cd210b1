/// The marks of an axis: round values, and the texts for them.
package struct Ticks: Sendable, Equatable {
    package var values: [Double]
    package var labels: [String]
    /// Unlabelled marks between them (logarithmic axes).
    package var minor: [Double] = []

    /// Round values (1, 2 or 5 times a power of ten) inside `low ... high`, about `count` of them.
    package static func linear(from low: Double, to high: Double, count: Int = 5) -> Ticks {
        guard low.isFinite, high.isFinite, high > low, count > 0 else { return Ticks(values: [], labels: []) }
        let rough = (high - low) / Double(count)
        guard rough > 0, rough.isFinite else { return Ticks(values: [], labels: []) }
        let exponent = decimalLogarithm(rough).rounded(.down)
        let unit = power(10, exponent)
        let share = rough / unit
        let step = (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10) * unit
        guard step > 0, step.isFinite else { return Ticks(values: [], labels: []) }
        // A tick that misses the end by rounding alone still belongs.
        let first = (low / step - 1e-9).rounded(.up), last = (high / step + 1e-9).rounded(.down)
        guard last >= first, last - first < 1000 else { return Ticks(values: [], labels: []) }
        let values = (0...Int(last - first)).map { (first + Double($0)) * step }
        let largest = max(abs(values[0]), abs(values[values.count - 1]))
        if largest >= 1e6 || (largest > 0 && largest < 1e-3) {
            return Ticks(values: values, labels: values.map { scientific($0, step: step) })
        }
        let digits = max(0, -Int(decimalLogarithm(step * 1.0000001).rounded(.down)))
        return Ticks(values: values, labels: values.map { $0.fixed(digits) })
    }

    /// Powers of ten inside `low ... high`; where fewer than two fit, also their doubles and fivefolds.
    package static func logarithmic(from low: Double, to high: Double) -> Ticks {
        guard low > 0, low.isFinite, high.isFinite, high > low else { return Ticks(values: [], labels: []) }
        let first = Int(decimalLogarithm(low).rounded(.down)), last = Int(decimalLogarithm(high).rounded(.up))
        func inside(_ multiples: [Double]) -> [Double] {
            (first...last).flatMap { e in multiples.map { $0 * power(10, Double(e)) } }.filter {
                $0 >= low * 0.999999 && $0 <= high * 1.000001
            }
        }
        var values = inside([1])
        // More than about eight decades crowd the axis.
        let stride = values.count / 8 + 1
        if stride > 1 { values = values.enumerated().filter { $0.offset % stride == 0 }.map(\.element) }
        if values.count < 2 { values = inside([1, 2, 5]) }
        if values.count < 2 { return linear(from: low, to: high) }
        let minor = stride == 1 ? inside([2, 3, 4, 5, 6, 7, 8, 9]).filter { !values.contains($0) } : []
        return Ticks(values: values, labels: values.map(decade), minor: minor)
    }

    private static func decade(_ value: Double) -> String {
        value >= 1e-3 && value < 1e5 ? value.fixed(max(0, -Int(decimalLogarithm(value).rounded(.down)))) : scientific(value, step: value)
    }

    private static func scientific(_ value: Double, step: Double) -> String {
        guard value != 0 else { return "0" }
        let exponent = Int(decimalLogarithm(abs(value)).rounded(.down))
        let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        let digits = String(abs(exponent)).compactMap(\.wholeNumberValue).map { superscripts[$0] }
        let tail = "10" + (exponent < 0 ? "⁻" : "") + String(digits)
        let mantissa = (value / power(10, Double(exponent))).short(2).replacing("-", with: "−")
        return mantissa == "1" ? tail : mantissa == "−1" ? "−" + tail : mantissa + "×" + tail
    }
}
