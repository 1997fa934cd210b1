import Foundation
import Kotonoha

/// Another map of the same rows, beside the first: where each place of the first one lies there, and how far both agree.
struct SecondMap: Sendable {
    let title: String
    let caption: String
    let extent: PlaneExtent
    /// For each place of the first map the coordinates here; nil where the row is not on this map.
    let positions: [(x: Double, y: Double)?]
    /// For each place the share of its neighbours on the first map that are also its neighbours here; nil off this map.
    let overlap: [Double?]

    /// Neighbours that are compared.
    static let neighbours = 10

    /// - Parameters:
    ///   - rows: the row of each place of the first map.
    ///   - first: its coordinates.
    /// - Throws: `DataError` where the maps have no row in common.
    init(
        title: String, caption: String, coordinates: [(x: Double, y: Double)], rows: [Int], onto placeRows: [Int],
        first: [(x: Double, y: Double)], threads: Int
    ) throws {
        let own = Dictionary(zip(rows, coordinates), uniquingKeysWith: { first, _ in first })
        let positions = placeRows.map { own[$0] }, shared = positions.compactMap(\.self)
        guard !shared.isEmpty else { throw DataError(.badData, "the two maps have no row in common") }
        (self.title, self.caption, self.positions) = (title, caption, positions)
        extent = PlaneExtent(shared)
        // Only rows that are on both maps can be neighbours on both.
        let here = PlaneNeighbours(positions), there = PlaneNeighbours(zip(first, positions).map { $1 == nil ? nil : $0 })
        let most = min(Self.neighbours, shared.count - 1), pieces = Parallel.chunks(placeRows.count, size: 4096)
        overlap = Parallel.map(pieces.count, threads: threads) { piece, _ in
            pieces[piece].map { place -> Double? in
                guard let position = positions[place], most > 0 else { return nil }
                let ours = here.nearest(to: position, most: most, except: place),
                    theirs = there.nearest(to: first[place], most: most, except: place)
                return Double(ours.count { theirs.contains($0) }) / Double(most)
            }
        }.flatMap(\.self)
    }

    /// Planes of bytes, gzip: the high and the low byte of x and of y as differences from the place before (16 bits, modulo 2¹⁶), and 1 where the place
    /// is on this map.
    func blob() throws -> [UInt8] {
        let n = positions.count
        var bytes = [UInt8](repeating: 0, count: 5 * n), before: (x: UInt16, y: UInt16) = (0, 0)
        for (place, position) in positions.enumerated() {
            guard let position else { continue }
            let steps = extent.steps(position), (dx, dy) = (steps.x &- before.x, steps.y &- before.y)
            before = steps
            (bytes[place], bytes[n + place]) = (UInt8(dx >> 8), UInt8(dx & 255))
            (bytes[2 * n + place], bytes[3 * n + place]) = (UInt8(dy >> 8), UInt8(dy & 255))
            bytes[4 * n + place] = 1
        }
        return try GZip.compressed(bytes, level: 4)
    }
}
