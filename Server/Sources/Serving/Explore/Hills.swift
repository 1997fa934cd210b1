/// The hills of a map's density: cells of a grid, smoothed, belong to the peak that they rise to. Peaks that a shallow saddle divides are one
/// (persistence by the ratio of peak and saddle, as in Edelsbrunner, Letscher & Zomorodian 2002).
struct Hills: Sendable {
    /// The hill of each point.
    let ofPoint: [Int]
    /// Points of each hill.
    let sizes: [Int]
    /// As shares of the extent.
    let peaks: [(x: Double, y: Double)]

    /// A peak that is not this many times as high as the saddle belongs to the hill behind it.
    private static let prominence = 1.35

    /// - Parameters:
    ///   - shares: places of the points, as shares of the extent.
    ///   - aspect: width / height of the extent.
    init(_ shares: [(x: Double, y: Double)], aspect: Double) {
        let long = min(160, max(24, Double(shares.count).squareRoot() / 3))
        let columns = max(3, Int((aspect >= 1 ? long : long * aspect).rounded())),
            rows = max(3, Int((aspect >= 1 ? long / aspect : long).rounded()))
        let cells = shares.map { p in
            min(rows - 1, max(0, Int(p.y * Double(rows)))) * columns + min(columns - 1, max(0, Int(p.x * Double(columns))))
        }
        var density = [Double](repeating: 0, count: columns * rows)
        for cell in cells { density[cell] += 1 }
        // Binomial weights, twice in either direction: a standard deviation of 1.4 cells.
        for _ in 0..<2 { density = Self.smoothed(Self.smoothed(density, columns, rows, along: 1), columns, rows, along: columns) }

        // From the highest cell down: a cell without a higher neighbour is a peak; one between two hills is their saddle.
        let order = density.indices.filter { density[$0] > 0 }.sorted { (density[$1], $0) < (density[$0], $1) }
        var parent = [Int](repeating: -1, count: density.count)
        func root(_ cell: Int) -> Int {
            var cell = cell
            while parent[cell] != cell { cell = parent[cell] }
            return cell
        }
        for cell in order {
            let (row, column) = (cell / columns, cell % columns)
            var around: [Int] = []
            for r in max(0, row - 1)...min(rows - 1, row + 1) {
                for c in max(0, column - 1)...min(columns - 1, column + 1) where parent[r * columns + c] >= 0 {
                    let found = root(r * columns + c)
                    if !around.contains(found) { around.append(found) }
                }
            }
            guard let highest = around.max(by: { (density[$0], $1) < (density[$1], $0) }) else {
                parent[cell] = cell
                continue
            }
            parent[cell] = highest
            for other in around where other != highest && density[other] < Self.prominence * density[cell] { parent[other] = highest }
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
