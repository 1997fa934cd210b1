/// The box that a map fills, in the map's own numbers, and places in it as shares: x to the right, y downward, as on a screen.
struct PlaneExtent: Sendable {
    let left: Double, low: Double, width: Double, height: Double

    /// - Parameter points: finite coordinates, at least one.
    init(_ points: [(x: Double, y: Double)]) {
        var (left, right, low, high) = (points[0].x, points[0].x, points[0].y, points[0].y)
        for p in points {
            (left, right) = (min(left, p.x), max(right, p.x))
            (low, high) = (min(low, p.y), max(high, p.y))
        }
        // A map without extent in one direction still has a middle.
        let extent = max(right - left, high - low), magnitude = max(abs(left), abs(right), abs(low), abs(high))
        let least = extent > max(magnitude * 1e-12, 1e-290) ? extent * 0.05 : max(magnitude, 1)
        width = max(right - left, least)
        height = max(high - low, least)
        self.left = (left + right - width) / 2
        self.low = (low + high - height) / 2
    }

    var aspect: Double { width / height }

    /// In [0, 1].
    func share(_ p: (x: Double, y: Double)) -> (x: Double, y: Double) { ((p.x - left) / width, 1 - (p.y - low) / height) }

    /// In steps of 1/65,535.
    func steps(_ p: (x: Double, y: Double)) -> (x: UInt16, y: UInt16) {
        let share = share(p)
        return (UInt16((share.x * 65_535).rounded()), UInt16((share.y * 65_535).rounded()))
    }
}
