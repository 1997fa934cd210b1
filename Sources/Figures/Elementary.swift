import Glibc

// Glibc's functions under words, so that the files of this room import no C library.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
func cosine(_ angle: Double) -> Double { cos(angle) }
func sine(_ angle: Double) -> Double { sin(angle) }
func decimalLogarithm(_ value: Double) -> Double { log10(value) }

extension Double {
    /// This number with at most `digits` digits after the point, without trailing zeros and without a minus sign before zero:
    /// the same in every locale.
    package func short(_ digits: Int = 2) -> String {
        guard isFinite else { return isNaN ? "NaN" : self < 0 ? "−∞" : "∞" }
        let scale = power(10, Double(digits))
        let scaled = (self * scale).rounded()
        guard abs(scaled) < 1e15 else { return "\(self)" }
        var whole = Int64(scaled)
        if whole == 0 { return "0" }
        let isNegative = whole < 0
        if isNegative { whole = -whole }
        var count = digits
        while count > 0, whole % 10 == 0 { (whole, count) = (whole / 10, count - 1) }
        var text = String(whole)
        if count > 0 {
            if text.utf8.count <= count { text = String(repeating: "0", count: count + 1 - text.utf8.count) + text }
            let point = text.index(text.endIndex, offsetBy: -count)
            text = text[..<point] + "." + text[point...]
        }
        return isNegative ? "-" + text : text
    }

    /// Exactly `digits` digits after the point, for columns of equal numbers such as axis ticks; a true minus sign.
    package func fixed(_ digits: Int) -> String {
        var text = short(digits)
        if digits > 0, isFinite, abs(self) < 1e15 / power(10, Double(digits)) {
            let present = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
            if present == 0 { text += "." }
            text += String(repeating: "0", count: digits - present)
        }
        return text.hasPrefix("-") ? "−" + text.dropFirst() : text
    }
}
