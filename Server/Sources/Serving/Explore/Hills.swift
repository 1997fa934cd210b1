/// The hills of a map's density: cells of a grid, smoothed, belong to the peak that they rise to.
///
/// Hills that a shallow saddle divides are one (by the ratio of peak and saddle, as in ToMATo: Chazal et al. 2013), but only while one of them is small or
/// both together are not large: on a map without deep valleys everything would be one hill.
struct Hills: Sendable {
    /// The hill of each point.
    let ofPoint: [Int]
    /// Points of each hill.
    let sizes: [Int]
    /// As shares of the extent.
    let peaks: [(x: Double, y: Double)]

    /// A peak that is not this many times as high as the saddle can belong to the hill behind it.
    private static let prominence = 1.2
    /// The share of all points that hills which become one can have.
    private static let mostJoined = 0.04

    /// Points below which a hill joins any other.
    static func least(of points: Int) -> Int { max(12, points / 500) }

    /// - Parameters:
    ///   - shares: places of the points, as shares of the extent.
    ///   - aspect: width / height of the extent.
    init(_ shares: [(x: Double, y: Double)], aspect: Double) {
        let long = min(160, max(24, Double(shares.count).squareRoot() / 1.5))
        let columns = max(3, Int((aspect >= 1 ? long : long * aspect).rounded())),
            rows = max(3, Int((aspect >= 1 ? long / aspect : long).rounded()))
        let cells = shares.map { p in
            min(rows - 1, max(0, Int(p.y * Double(rows)))) * columns + min(columns - 1, max(0, Int(p.x * Double(columns))))
        }
        var density = [Double](repeating: 0, count: columns * rows)
        for cell in cells { density[cell] += 1 }
        // Binomial weights, twice in either direction: a standard deviation of 1.4 cells.
        for _ in 0..<2 { density = Self.smoothed(Self.smoothed(density, columns, rows, along: 1), columns, rows, along: columns) }

        // From the highest cell down: a cell without a higher neighbour is a peak; others belong to the hill of their highest neighbour, and are the saddle
        // to other hills that they touch.
        let order = density.indices.filter { density[$0] > 0 }.sorted { (density[$1], $0) < (density[$0], $1) }
        var parent = [Int](repeating: -1, count: density.count), points = [Int](repeating: 0, count: density.count), joined = points
        for cell in cells { points[cell] += 1 }
        func root(_ cell: Int) -> Int {
            var cell = cell
            while parent[cell] != cell { cell = parent[cell] }
            return cell
        }
        let least = Self.least(of: shares.count), most = Int(Self.mostJoined * Double(shares.count))
        for cell in order {
            let (row, column) = (cell / columns, cell % columns)
            var around: [Int] = []
            for r in max(0, row - 1)...min(rows - 1, row + 1) {
                for c in max(0, column - 1)...min(columns - 1, column + 1) where parent[r * columns + c] >= 0 {
                    around.append(r * columns + c)
                }
            }
            guard let highest = around.max(by: { (density[$0], $1) < (density[$1], $0) }) else {
                (parent[cell], joined[cell]) = (cell, points[cell])
                continue
            }
            parent[cell] = root(highest)
            joined[parent[cell]] += points[cell]
            for neighbour in around {
                let (own, other) = (root(cell), root(neighbour))
                guard own != other else { continue }
                let (low, high) = (density[own], own) < (density[other], other) ? (own, other) : (other, own)
                guard density[low] < Self.prominence * density[cell], joined[low] < least || joined[low] + joined[high] <= most else {
                    continue
                }
                parent[low] = high
                joined[high] += joined[low]
            }
        }
        var numbers: [Int: Int] = [:], sizes: [Int] = [], peaks: [(x: Double, y: Double)] = []
        ofPoint = cells.map { cell in
            let peak = root(cell)
            if let known = numbers[peak] {
                sizes[known] += 1
                return known
            }
            numbers[peak] = sizes.count
            sizes.append(1)
            peaks.append(((Double(peak % columns) + 0.5) / Double(columns), (Double(peak / columns) + 0.5) / Double(rows)))
            return sizes.count - 1
        }
        (self.sizes, self.peaks) = (sizes, peaks)
    }

    private static func smoothed(_ values: [Double], _ columns: Int, _ rows: Int, along step: Int) -> [Double] {
        values.indices.map { cell in
            let (place, count) = step == 1 ? (cell % columns, columns) : (cell / columns, rows)
            func at(_ offset: Int) -> Double { place + offset >= 0 && place + offset < count ? values[cell + offset * step] : 0 }
            return (at(-2) + 4 * at(-1) + 6 * at(0) + 4 * at(1) + at(2)) / 16
        }
    }
}
