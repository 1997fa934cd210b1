/// The box that a map fills, in the map's own numbers, and places in it as shares: x to the right, y downward, as on a screen.
public struct PlaneExtent: Sendable {
    /// The smallest x.
    public let left: Double
    /// The smallest y, which is the lower edge.
    public let low: Double
    /// Above 0: a map without extent in one direction still has a middle.
    public let width: Double, height: Double

    /// - Parameter points: finite coordinates, at least one.
    /// - Complexity: O(n).
    public init(_ points: [(x: Double, y: Double)]) {
        var (left, right, low, high) = (points[0].x, points[0].x, points[0].y, points[0].y)
        for p in points {
            (left, right) = (min(left, p.x), max(right, p.x))
            (low, high) = (min(low, p.y), max(high, p.y))
        }
        let extent = max(right - left, high - low), magnitude = max(abs(left), abs(right), abs(low), abs(high))
        let least = extent > max(magnitude * 1e-12, 1e-290) ? extent * 0.05 : max(magnitude, 1)
        width = max(right - left, least)
        height = max(high - low, least)
        self.left = (left + right - width) / 2
        self.low = (low + high - height) / 2
    }

    /// Width / height.
    public var aspect: Double { width / height }

    /// In [0, 1] for a point of the map.
    public func share(_ p: (x: Double, y: Double)) -> (x: Double, y: Double) { ((p.x - left) / width, 1 - (p.y - low) / height) }
}
