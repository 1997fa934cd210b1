/// The nearest other points of points in a plane, by a k-d tree (Friedman, Bentley & Finkel 1977): exact, whatever the density. Of points at equal
/// distances the one with the lower number comes first.
struct PlaneNeighbours: Sendable {
    private struct Point {
        var x: Float, y: Float
        var number: Int32

        /// A total order, so that equal coordinates cannot make a selection slow.
        func isBefore(_ other: Point, onX: Bool) -> Bool {
            let (a, b) = onX ? (x, other.x) : (y, other.y)
            return a != b ? a < b : number < other.number
        }
    }

    private static let leaf = 12
    private let points: [Point]
    /// Children of node i are 2i + 1 and 2i + 2, and a node's points are divided at their middle.
    private let divisions: [Division]

    /// No point of the first half lies above the value, none of the second half below.
    private struct Division {
        var isByX = false
        var value: Float = 0
    }

    /// - Parameter coordinates: of each point; nil for a number without a point.
    /// - Complexity: n log n.
    init(_ coordinates: [(x: Double, y: Double)?]) {
        var points: [Point] = []
        points.reserveCapacity(coordinates.count)
        for (number, p) in coordinates.enumerated() {
            if let p { points.append(Point(x: Float(p.x), y: Float(p.y), number: Int32(number))) }
        }
        var nodes = 1
        while nodes * Self.leaf < 2 * points.count { nodes *= 2 }
        var divisions = [Division](repeating: Division(), count: 2 * nodes)
        points.withUnsafeMutableBufferPointer { Self.divide($0, 0..<$0.count, node: 0, &divisions) }
        (self.points, self.divisions) = (points, divisions)
    }

    private static func divide(_ points: UnsafeMutableBufferPointer<Point>, _ range: Range<Int>, node: Int, _ divisions: inout [Division]) {
        guard range.count > leaf else { return }
        var (left, right, low, high) = (Float.infinity, -Float.infinity, Float.infinity, -Float.infinity)
        for p in points[range] {
            (left, right) = (min(left, p.x), max(right, p.x))
            (low, high) = (min(low, p.y), max(high, p.y))
        }
        let onX = right - left >= high - low, middle = (range.lowerBound + range.upperBound) / 2
        select(middle, points, range, onX: onX)
        divisions[node] = Division(isByX: onX, value: onX ? points[middle].x : points[middle].y)
        divide(points, range.lowerBound..<middle, node: 2 * node + 1, &divisions)
        divide(points, middle..<range.upperBound, node: 2 * node + 2, &divisions)
    }

    /// Puts in place `wanted` the point that sorting would put there, with none after it before it (Hoare 1961).
    private static func select(_ wanted: Int, _ points: UnsafeMutableBufferPointer<Point>, _ range: Range<Int>, onX: Bool) {
        var (low, high) = (range.lowerBound, range.upperBound - 1)
        while low < high {
            let (a, b, c) = (points[low], points[(low + high) / 2], points[high])
            let least = a.isBefore(b, onX: onX) ? a : b, most = a.isBefore(b, onX: onX) ? b : a
            let pivot = c.isBefore(least, onX: onX) ? least : c.isBefore(most, onX: onX) ? c : most
            var (i, j) = (low, high)
            while i <= j {
                while points[i].isBefore(pivot, onX: onX) { i += 1 }
                while pivot.isBefore(points[j], onX: onX) { j -= 1 }
                if i <= j {
                    points.swapAt(i, j)
                    i += 1
                    j -= 1
                }
            }
            if wanted <= j { high = j } else if wanted >= i { low = i } else { return }
        }
    }

    /// The best so far, nearest first.
    private struct Best {
        let most: Int
        var found: [(square: Float, number: Int32)] = []

        init(_ most: Int) {
            self.most = most
            found.reserveCapacity(most + 1)
        }

        var reach: Float { found.count < most ? .infinity : found[most - 1].square }

        mutating func offer(_ square: Float, _ number: Int32) {
            if found.count == most, let last = found.last, (last.square, last.number) < (square, number) { return }
            var place = found.count
            while place > 0, (square, number) < found[place - 1] { place -= 1 }
            found.insert((square, number), at: place)
            if found.count > most { found.removeLast() }
        }
    }

    /// The numbers of the `most` points nearest to a place, but for one, nearest first.
    func nearest(to place: (x: Double, y: Double), most: Int, except: Int) -> [Int] {
        var best = Best(most)
        points.withUnsafeBufferPointer { visit($0, 0..<$0.count, node: 0, Float(place.x), Float(place.y), Int32(except), &best) }
        return best.found.map { Int($0.number) }
    }

    private func visit(
        _ points: UnsafeBufferPointer<Point>, _ range: Range<Int>, node: Int, _ x: Float, _ y: Float, _ except: Int32, _ best: inout Best
    ) {
        guard range.count > Self.leaf else {
            for p in points[range] where p.number != except {
                let square = (p.x - x) * (p.x - x) + (p.y - y) * (p.y - y)
                if square <= best.reach { best.offer(square, p.number) }
            }
            return
        }
        let middle = (range.lowerBound + range.upperBound) / 2, away = (divisions[node].isByX ? x : y) - divisions[node].value
        let near = (range.lowerBound..<middle, 2 * node + 1), far = (middle..<range.upperBound, 2 * node + 2)
        let (first, second) = away < 0 ? (near, far) : (far, near)
        visit(points, first.0, node: first.1, x, y, except, &best)
        if away * away <= best.reach { visit(points, second.0, node: second.1, x, y, except, &best) }
    }
}
