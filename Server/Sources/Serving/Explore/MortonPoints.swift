import Foundation
import Kotonoha

/// The points of a map in the order of a Morton curve (Morton 1966), on which neighbours in the list are mostly neighbours on the map: positions of
/// 16 bits as differences of their codes, byte by byte, which gzip makes small.
struct MortonPoints: Sendable {
    /// Least coordinates and extent, in the map's own numbers.
    let left: Double, low: Double, width: Double, height: Double
    /// For each place on the curve the point of the map.
    let order: [Int]
    private let codes: [UInt32]

    /// - Parameter points: finite coordinates.
    init(_ points: [(x: Double, y: Double)]) {
        var (left, right, low, high) = (points[0].x, points[0].x, points[0].y, points[0].y)
        for p in points {
            (left, right) = (min(left, p.x), max(right, p.x))
            (low, high) = (min(low, p.y), max(high, p.y))
        }
        // A map without extent in one direction still has a middle.
        let extent = max(right - left, high - low), magnitude = max(abs(left), abs(right), abs(low), abs(high))
        let least = extent > max(magnitude * 1e-12, 1e-290) ? extent * 0.05 : max(magnitude, 1)
        width = max(right - left, least)
        height = max(high - low, least)
        self.left = (left + right - width) / 2
        self.low = (low + high - height) / 2
        let (fromX, fromY, w, h) = (self.left, self.low, width, height)
        let all = points.map { p -> UInt32 in
            let x = UInt32(((p.x - fromX) / w * 65_535).rounded()), y = UInt32(((1 - (p.y - fromY) / h) * 65_535).rounded())
            return Self.spread(x) | Self.spread(y) << 1
        }
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
