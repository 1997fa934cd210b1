/// Points by group: names in a sensible order, and each point's place in that list.
struct Grouping: Sendable {
    /// More groups than this get their names on the map instead of a legend.
    static let legendLimit = 12

    var names: [String] = []
    /// The group of each point, −1 for points without one (an empty name).
    var index: [Int] = []
    var members: [[Int]] = []

    /// Groups in numerical order where all names are numbers, else in order of first appearance.
    init(_ labels: [String]) {
        var places: [String: Int] = [:]
        index.reserveCapacity(labels.count)
        for label in labels {
            if label.isEmpty {
                index.append(-1)
            } else if let place = places[label] {
                index.append(place)
            } else {
                places[label] = names.count
                index.append(names.count)
                names.append(label)
            }
        }
        let numbers = names.map(Double.init)
        if numbers.allSatisfy({ $0?.isFinite == true }) {
            let order = names.indices.sorted { (numbers[$0] ?? 0, $0) < (numbers[$1] ?? 0, $1) }
            var rank = [Int](repeating: 0, count: names.count)
            for (new, old) in order.enumerated() { rank[old] = new }
            names = order.map { names[$0] }
            index = index.map { $0 < 0 ? $0 : rank[$0] }
        }
        members = Array(repeating: [], count: names.count)
        for (point, group) in index.enumerated() where group >= 0 { members[group].append(point) }
    }

    /// The middle of each group: the median of either coordinate, which stragglers do not pull away.
    func middles(_ points: [Point]) -> [Point] {
        members.map { list in
            func median(_ values: [Double]) -> Double {
                let sorted = values.sorted()
                let half = sorted.count / 2
                return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
            }
            return Point(median(list.map { points[$0].x }), median(list.map { points[$0].y }))
        }
    }

    /// A palette index for each group. Up to the legend's limit each has its own; above it, groups that lie close together on the map
    /// get different colours.
    func colors(middles: [Point], available: Int = Palette.groups.count - 1) -> [Int] {
        guard names.count > Self.legendLimit else { return Array(names.indices) }
        // Thousands of groups cannot be distinguished anyway.
        guard names.count <= 2000 else { return names.indices.map { $0 % available } }
        var colors = [Int](repeating: -1, count: names.count)
        let biggestFirst = names.indices.sorted { (members[$1].count, $0) < (members[$0].count, $1) }
        for group in biggestFirst {
            // The cost of a colour falls with the distance of the groups that have it.
            var cost = [Double](repeating: 0, count: available)
            for other in names.indices where colors[other] >= 0 {
                let (dx, dy) = (middles[other].x - middles[group].x, middles[other].y - middles[group].y)
                let distance = dx * dx + dy * dy
                cost[colors[other]] += 1 / max(distance * distance, 1e-30)
            }
            colors[group] = cost.indices.min { cost[$0] < cost[$1] } ?? 0
        }
        return colors
    }
}
