import Foundation
import Kotonoha

/// The points of a map in the order of a Morton curve (Morton 1966), on which neighbours in the list are mostly neighbours on the map: positions of
/// 16 bits as differences of their codes, byte by byte, which gzip makes small.
struct MortonPoints: Sendable {
    let extent: PlaneExtent
    /// For each place on the curve the point of the map.
    let order: [Int]
    private let codes: [UInt32]

    /// - Parameter points: finite coordinates.
    init(_ points: [(x: Double, y: Double)]) {
        let extent = PlaneExtent(points)
        let all = points.map { p -> UInt32 in
            let steps = extent.steps(p)
            return Self.spread(UInt32(steps.x)) | Self.spread(UInt32(steps.y)) << 1
        }
        self.extent = extent
        // One sort of pairs in 64 bits; equal codes stay in the order of their points.
        let sorted = all.enumerated().map { UInt64($1) << 32 | UInt64($0) }.sorted()
        order = sorted.map { Int($0 & 0xFFFF_FFFF) }
        codes = sorted.map { UInt32($0 >> 32) }
    }

    /// The bits of a 16-bit number on the even places.
    private static func spread(_ value: UInt32) -> UInt32 {
        var v = value & 0xFFFF
        v = (v | v << 8) & 0x00FF_00FF
        v = (v | v << 4) & 0x0F0F_0F0F
        v = (v | v << 2) & 0x3333_3333
        return (v | v << 1) & 0x5555_5555
    }

    /// Four planes of bytes of the differences of the codes, the highest byte first, then four planes of the row numbers; gzip.
    /// - Parameter rows: the row of each place.
    func blob(rows: [Int]) throws -> [UInt8] {
        let n = order.count
        var bytes = [UInt8](repeating: 0, count: 8 * n), before: UInt32 = 0
        for place in 0..<n {
            let difference = codes[place] - before, row = UInt32(rows[place])
            before = codes[place]
            for plane in 0..<4 {
                bytes[plane * n + place] = UInt8(truncatingIfNeeded: difference >> (24 - 8 * UInt32(plane)))
                bytes[(4 + plane) * n + place] = UInt8(truncatingIfNeeded: row >> (24 - 8 * UInt32(plane)))
            }
        }
        return try GZip.compressed(bytes)
    }
}

extension PlaneExtent {
    /// Where a point of the map lies, in steps of 1/65,535.
    func steps(_ p: (x: Double, y: Double)) -> (x: UInt16, y: UInt16) {
        let share = share(p)
        return (UInt16((share.x * 65_535).rounded()), UInt16((share.y * 65_535).rounded()))
    }
}
