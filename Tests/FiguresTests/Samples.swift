import Foundation

enum Samples {
    /// Points along a widening spiral, each nearest to the one before and after it.
    static func spiral(_ n: Int) -> [(x: Double, y: Double)] {
        (0..<n).map { i in
            let angle = 0.5 * Double(i).squareRoot() * 3, radius = 1 + 0.4 * angle
            return (radius * cos(angle), radius * sin(angle))
        }
    }

    /// Forty clouds of points, the same every time.
    static func clouds(_ n: Int) -> [(x: Double, y: Double)] {
        var state: UInt64 = 88172645463325252
        func uniform() -> Double {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Double(state >> 11) / Double(1 << 53)
        }
        let centers = (0..<40).map { _ in (uniform() * 100, uniform() * 100) }
        return (0..<n).map { i in
            let radius = (-2 * log(max(uniform(), 1e-12))).squareRoot() * 4, angle = 2 * Double.pi * uniform()
            return (centers[i % 40].0 + radius * cos(angle), centers[i % 40].1 + radius * sin(angle))
        }
    }

    /// Keeps a picture for looking at where `KOTONOHA_PICTURES` names a folder.
    static func keep(_ data: Data, as name: String) throws {
        guard let folder = ProcessInfo.processInfo.environment["KOTONOHA_PICTURES"] else { return }
        try data.write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
    }
}
