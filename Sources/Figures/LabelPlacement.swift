/// Places labels beside their points so that no two overlap: near the point if there is room, else farther away with a leader line.
///
/// Greedy over many candidate boxes per label (near positions, then rings), cheapest first, followed by rounds in which every label may
/// move to a better place given all others. Overlap and leaving the frame are never allowed; a label without a place is left out.
struct LabelPlacement {
    struct Request {
        var anchor: Point
        var width: Double
        var height: Double
        /// Half the size of the mark that must stay visible.
        var clearance: Double
        /// Whether the label may lie on its anchor (names of groups do).
        var mayCoverAnchor = false
        /// Half the size of what the label names (a group's core): the label may also stand right next to it.
        var extent = Scene.Size(0, 0)
    }

    struct Placed: Equatable {
        var box: Rectangle
        /// From the mark's rim to the label, where the label is not next to it.
        var leader: Segment?
        fileprivate var cost: Double
    }

    struct Segment: Equatable {
        var from: Point
        var to: Point
    }

    private let requests: [Request]
    private let frame: Rectangle
    private let blocked: [Rectangle]
    private let maximumDistance: Double
    private let gap = 0.7
    /// What covering one mark costs, measured in positions: a mark that cannot be seen is worse than a leader line.
    private let coverCost: Double
    private var points: PointGrid
    private var placed: [Placed?]

    /// - Parameters:
    ///   - points: marks that labels should rather not cover.
    ///   - blocked: areas that labels may not touch.
    /// - Returns: one entry a request, nil if no place was found.
    static func place(
        _ requests: [Request], avoiding points: [Point], within frame: Rectangle, blocked: [Rectangle] = [], maximumDistance: Double = 60,
        coverCost: Double = 5
    ) -> [Placed?] {
        var placement = LabelPlacement(requests, points, frame, blocked, maximumDistance, coverCost)
        return placement.run()
    }

    private init(
        _ requests: [Request], _ points: [Point], _ frame: Rectangle, _ blocked: [Rectangle], _ maximumDistance: Double,
        _ coverCost: Double
    ) {
        self.requests = requests
        self.frame = frame
        self.blocked = blocked
        self.maximumDistance = maximumDistance
        self.coverCost = coverCost
        self.points = PointGrid(points, within: frame)
        placed = Array(repeating: nil, count: requests.count)
    }

    private mutating func run() -> [Placed?] {
        // Those in open country first: they take what is theirs, and crowded ones look around.
        let crowding = requests.map { r in
            points.count(in: Rectangle(x: r.anchor.x - r.width, y: r.anchor.y - 2 * r.height, width: 2 * r.width, height: 4 * r.height))
        }
        let order = requests.indices.sorted { (crowding[$0], $0) < (crowding[$1], $1) }
        for i in order { placed[i] = best(for: i, below: .infinity) }
        for _ in 0..<3 {
            var changed = false
            for i in order {
                let old = placed[i]
                placed[i] = nil
                let new = best(for: i, below: .infinity)
                placed[i] = new ?? old
                if new != old { changed = true }
            }
            if !changed { break }
        }
        return placed
    }

    private func best(for index: Int, below limit: Double) -> Placed? {
        let r = requests[index]
        var found: Placed?
        func consider(_ box: Rectangle, _ base: Double, leader: Bool) {
            guard base < found?.cost ?? limit, frame.contains(box) else { return }
            let padded = box.insetBy(-gap, -gap * 0.4)
            for other in blocked where other.intersects(padded) { return }
            let line = leader ? Self.leader(from: r, to: box) : nil
            var cost = base + coverCost * Double(points.count(in: box, except: r.mayCoverAnchor ? nil : r.anchor))
            for (i, other) in placed.enumerated() where i != index {
                guard let other else { continue }
                if other.box.intersects(padded) { return }
                if let line {
                    if Self.crosses(line, other.box) { return }
                    if let second = other.leader, Self.crosses(line, second) { cost += 40 }
                }
                if let second = other.leader, Self.crosses(second, padded) { return }
                if cost >= found?.cost ?? limit { return }
            }
            found = Placed(box: box, leader: line, cost: cost)
        }

        let (w, h, c) = (r.width, r.height, r.clearance + 0.8)
        let (x, y) = (r.anchor.x, r.anchor.y)
        func box(_ left: Double, _ top: Double) -> Rectangle { Rectangle(x: left, y: top, width: w, height: h) }
        if r.mayCoverAnchor {
            consider(box(x - w / 2, y - h / 2), 0, leader: false)
            let (ex, ey) = (r.extent.width + c, r.extent.height + c)
            let beside = [(x - w / 2, y - ey - h), (x - w / 2, y + ey), (x + ex, y - h / 2), (x - ex - w, y - h / 2)]
            for (i, corner) in beside.enumerated() { consider(box(corner.0, corner.1), 1 + 0.4 * Double(i), leader: false) }
            for (i, d) in [
                (0.0, -0.7), (0, 0.7), (0.25, 0), (-0.25, 0), (0, -1.2), (0, 1.2), (0.45, -0.6), (-0.45, -0.6), (0.45, 0.6), (-0.45, 0.6),
            ].enumerated() {
                consider(box(x - w / 2 + d.0 * w, y - h / 2 + d.1 * h), 2 + 0.5 * Double(i), leader: false)
            }
        } else {
            let diagonal = c * 0.7
            let near = [
                (x + c, y - h / 2), (x + diagonal, y - diagonal - h), (x + diagonal, y + diagonal), (x - c - w, y - h / 2),
                (x - w / 2, y - c - h),
                (x - w / 2, y + c), (x - diagonal - w, y - diagonal - h), (x - diagonal - w, y + diagonal),
            ]
            for (i, corner) in near.enumerated() { consider(box(corner.0, corner.1), 0.4 * Double(i), leader: false) }
        }
        var distance = c + h * 0.9
        while distance <= maximumDistance {
            for step in 0..<16 {
                let angle = Double(step) * .pi / 8 + (distance * 0.37)
                let (dx, dy) = (cosine(angle), sine(angle))
                // The box's nearest edge, not its middle, lies on the ring.
                let center = Point(x + dx * (distance + w / 2 * abs(dx)), y + dy * (distance + h / 2 * abs(dy)))
                consider(box(center.x - w / 2, center.y - h / 2), 6 + distance * 0.45, leader: true)
            }
            distance += max(h * 0.75, 3)
        }
        return found
    }

    // MARK: Geometry

    private static func leader(from r: Request, to box: Rectangle) -> Segment? {
        let end = Point(min(max(r.anchor.x, box.x), box.maxX), min(max(r.anchor.y, box.y + box.height * 0.2), box.maxY - box.height * 0.2))
        let (dx, dy) = (end.x - r.anchor.x, end.y - r.anchor.y)
        let length = (dx * dx + dy * dy).squareRoot()
        let start = r.mayCoverAnchor ? 0 : r.clearance
        guard length > start + 1 else { return nil }
        return Segment(
            from: Point(r.anchor.x + dx / length * start, r.anchor.y + dy / length * start),
            to: Point(end.x - dx / length * 0.4, end.y - dy / length * 0.4))
    }

    private static func crosses(_ a: Segment, _ b: Segment) -> Bool {
        func side(_ s: Segment, _ p: Point) -> Double { (s.to.x - s.from.x) * (p.y - s.from.y) - (s.to.y - s.from.y) * (p.x - s.from.x) }
        return side(a, b.from) * side(a, b.to) < 0 && side(b, a.from) * side(b, a.to) < 0
    }

    static func crosses(_ s: Segment, _ r: Rectangle) -> Bool {
        // Liang & Barsky (1984): the part of the segment inside the box.
        var (low, high) = (0.0, 1.0)
        let (dx, dy) = (s.to.x - s.from.x, s.to.y - s.from.y)
        for (p, q) in [(-dx, s.from.x - r.x), (dx, r.maxX - s.from.x), (-dy, s.from.y - r.y), (dy, r.maxY - s.from.y)] {
            if p == 0 {
                if q <= 0 { return false }
            } else if p < 0 {
                low = max(low, q / p)
            } else {
                high = min(high, q / p)
            }
        }
        return low < high
    }
}

/// Points in square cells, to count those in a box quickly.
struct PointGrid {
    private let frame: Rectangle
    private let cell: Double
    private let columns: Int
    private let rows: Int
    private var starts: [Int]
    private var sorted: [Point]

    init(_ points: [Point], within frame: Rectangle, cell: Double = 6) {
        self.frame = frame
        self.cell = cell
        let columns = max(1, Int((frame.width / cell).rounded(.up))), rows = max(1, Int((frame.height / cell).rounded(.up)))
        (self.columns, self.rows) = (columns, rows)
        func place(_ p: Point) -> Int {
            let x = min(max(Int((p.x - frame.x) / cell), 0), columns - 1), y = min(max(Int((p.y - frame.y) / cell), 0), rows - 1)
            return y * columns + x
        }
        var counts = [Int](repeating: 0, count: columns * rows + 1)
        for p in points { counts[place(p) + 1] += 1 }
        for i in 1..<counts.count { counts[i] += counts[i - 1] }
        starts = counts
        var next = counts
        sorted = points
        for p in points {
            let c = place(p)
            sorted[next[c]] = p
            next[c] += 1
        }
    }

    func count(in box: Rectangle, except excluded: Point? = nil) -> Int {
        let left = min(max(Int((box.x - frame.x) / cell), 0), columns - 1),
            right = min(max(Int((box.maxX - frame.x) / cell), 0), columns - 1)
        let top = min(max(Int((box.y - frame.y) / cell), 0), rows - 1), bottom = min(max(Int((box.maxY - frame.y) / cell), 0), rows - 1)
        var count = 0
        for row in top...bottom {
            for i in starts[row * columns + left]..<starts[row * columns + right + 1] where box.contains(sorted[i]) && sorted[i] != excluded
            {
                count += 1
            }
        }
        return count
    }
}
