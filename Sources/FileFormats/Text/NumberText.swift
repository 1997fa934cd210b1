import Foundation

/// Numbers as people read them, whatever the locale.
package enum NumberText {
    /// 12345 as "12,345".
    package static func grouped(_ number: Int) -> String {
        var digits = String(number.magnitude), result = ""
        while digits.count > 3 {
            result = "," + digits.suffix(3) + result
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + digits + result
    }

    /// A number with a fixed count of decimals.
    package static func fixed(_ number: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", number) }
}
