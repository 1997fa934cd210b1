/// A mark's shape. Shape repeats colour, so that groups can be distinguished in a grayscale print.
package enum Marker: Int, Sendable, CaseIterable {
    case circle, square, triangle, diamond, invertedTriangle, plus, cross, star, openCircle, openSquare, openTriangle, openDiamond

    /// Open marks are drawn as a line of the group's colour.
    package var isOpen: Bool { rawValue >= Marker.openCircle.rawValue }

    /// The mark's corners around the origin, for a circle of the same area with diameter 1; nil for circles.
    var corners: [Point]? {
        switch self {
        case .circle, .openCircle: return nil
        case .square, .openSquare: return polygon(4, radius: 0.627, turn: .pi / 4)
        case .diamond, .openDiamond: return [Point(0, -0.72), Point(0.55, 0), Point(0, 0.72), Point(-0.55, 0)]
        case .triangle, .openTriangle: return polygon(3, radius: 0.74, turn: -.pi / 2).map { Point($0.x, $0.y + 0.08) }
        case .invertedTriangle: return polygon(3, radius: 0.74, turn: .pi / 2).map { Point($0.x, $0.y - 0.08) }
        case .plus: return bars
        case .cross: return bars.map { p in Point((p.x - p.y) * 0.7071, (p.x + p.y) * 0.7071) }
        case .star:
            return (0..<10).map { i in
                let angle = -Double.pi / 2 + Double(i) * .pi / 5
                let radius = i % 2 == 0 ? 0.78 : 0.34
                return Point(radius * cosine(angle), radius * sine(angle) + 0.04)
            }
        }
    }

    private var bars: [Point] {
        let (a, l) = (0.19, 0.66)
        return [
            Point(-a, -l), Point(a, -l), Point(a, -a), Point(l, -a), Point(l, a), Point(a, a),
            Point(a, l), Point(-a, l), Point(-a, a), Point(-l, a), Point(-l, -a), Point(-a, -a),
        ]
    }

    private func polygon(_ n: Int, radius: Double, turn: Double) -> [Point] {
        (0..<n).map { i in
            let angle = turn + Double(i) * 2 * .pi / Double(n)
            return Point(radius * cosine(angle), radius * sine(angle))
        }
    }
}
