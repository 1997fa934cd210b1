/// Outlines around groups of points.
enum Hull {
    /// The convex hull, counter-clockwise (Andrew's monotone chain, 1979).
    static func convex(_ points: [Point]) -> [Point] {
        var sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
        sorted = sorted.enumerated().filter { $0.offset == 0 || $0.element != sorted[$0.offset - 1] }.map(\.element)
        guard sorted.count > 2 else { return sorted }
        func chain(_ points: [Point]) -> [Point] {
            var hull: [Point] = []
            for p in points {
                while hull.count >= 2, turn(hull[hull.count - 2], hull[hull.count - 1], p) <= 0 { hull.removeLast() }
                hull.append(p)
            }
            return hull.dropLast()
        }
        return chain(sorted) + chain(sorted.reversed())
    }

    private static func turn(_ a: Point, _ b: Point, _ c: Point) -> Double {
        (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
    }

    /// The hull of most of a group: points farther from the group's middle than `reach` times the median distance are left outside, so
    /// that one straggler does not spread an outline over the whole map.
    static func withoutStragglers(_ points: [Point], middle: Point, reach: Double = 2.5) -> [Point] {
        let distances = points.map { squared($0, middle) }
        let median = distances.sorted()[distances.count / 2]
        let kept = zip(points, distances).filter { $0.1 <= median * reach * reach }.map(\.0)
        return convex(kept.count >= 3 ? kept : points)
    }

    static func squared(_ a: Point, _ b: Point) -> Double { (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y) }

    /// A closed smooth outline at distance `margin` around a convex polygon: its corners are rounded by arcs.
    static func outline(_ hull: [Point], margin: Double) -> Path {
        // The convex hull of small circles around the corners is the rounded outline, also for one or two points.
        let steps = 24
        let circles = hull.flatMap { p in
            (0..<steps).map { i in
                let angle = 2 * Double.pi * Double(i) / Double(steps)
                return Point(p.x + margin * cosine(angle), p.y + margin * sine(angle))
            }
        }
        return Path(polygon: convex(circles))
    }
}
