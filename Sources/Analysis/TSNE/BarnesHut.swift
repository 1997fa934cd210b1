import CKernels
import Tensors

/// Repulsion by a quadtree whose distant cells count as one point (Barnes & Hut 1986; van der Maaten 2014).
///
/// Points are sorted along a Z-order curve and the tree is read off the sorted codes, so that it depends on nothing but where the
/// points are. In one dimension the tree is binary.
final class BarnesHut: Repulsion {
    private static let leafPoints = 8
    private static let bits = 16

    private let alpha: Float
    private let angle: Float
    private let threads: Int
    private var codes: [UInt32]
    private var order: [Int32]
    private var spareCodes: [UInt32]
    private var spareOrder: [Int32]
    private var sortedX: [Float]
    private var sortedY: [Float]
    /// Every point's own part of the normalization, of which each piece of points writes its own.
    private let z: TensorStorage<Double>
    private var cells: [kt_cell] = []

    init(points n: Int, alpha: Double, angle: Double, threads: Int) {
        self.alpha = Float(alpha)
        self.angle = Float(angle)
        self.threads = threads
        codes = [UInt32](repeating: 0, count: n)
        order = [Int32](repeating: 0, count: n)
        spareCodes = codes
        spareOrder = order
        sortedX = [Float](repeating: 0, count: n)
        sortedY = sortedX
        z = TensorStorage(zeroedCount: n)
    }

    func compute(_ map: MapArrays) -> Double {
        let n = map.count
        guard let side = encode(map) else { return .nan }
        sortByCode()
        for i in 0..<n {
            sortedX[i] = map.x[Int(order[i])]
            sortedY[i] = map.y?[Int(order[i])] ?? 0
        }
        cells.removeAll(keepingCapacity: true)
        addCell(0..<n, level: 0, side: side)
        let pieces = Parallel.chunks(n, size: 256), alpha = self.alpha, plane = map.y != nil
        let cells = TensorStorage(cells), order = TensorStorage(order), x = TensorStorage(sortedX), y = TensorStorage(sortedY)
        Parallel.forEach(pieces.count, threads: threads) { [z] piece, _ in
            kt_tree_repulsion(
                cells.elements, Int32(cells.count), order.elements, x.elements, plane ? y.elements : nil, Int64(pieces[piece].lowerBound),
                Int64(pieces[piece].upperBound), alpha, map.repulsionX, map.repulsionY, z.elements)
        }
        return (0..<n).reduce(0) { $0 + z.elements[$1] }
    }

    /// Z-order codes of the points; returns the side of the square that holds them, nil if they have flown apart.
    private func encode(_ map: MapArrays) -> Float? {
        let n = map.count
        var low = (x: Float.infinity, y: Float.infinity), high = (x: -Float.infinity, y: -Float.infinity)
        for i in 0..<n {
            low = (min(low.x, map.x[i]), min(low.y, map.y?[i] ?? 0))
            high = (max(high.x, map.x[i]), max(high.y, map.y?[i] ?? 0))
        }
        let side = max(high.x - low.x, high.y - low.y)
        guard side.isFinite else { return nil }
        let steps = Float(1 << Self.bits), scale = side > 0 ? steps / side : 0
        for i in 0..<n {
            let x = UInt32(max(0, min(steps - 1, (map.x[i] - low.x) * scale))),
                y = UInt32(max(0, min(steps - 1, ((map.y?[i] ?? 0) - low.y) * scale)))
            codes[i] = Self.spread(x) | Self.spread(y) << 1
            order[i] = Int32(i)
        }
        return side
    }

    /// Puts a zero between every two of the low 16 bits.
    private static func spread(_ value: UInt32) -> UInt32 {
        var v = value
        v = (v | v << 8) & 0x00FF_00FF
        v = (v | v << 4) & 0x0F0F_0F0F
        v = (v | v << 2) & 0x3333_3333
        return (v | v << 1) & 0x5555_5555
    }

    /// Radix sort, which keeps equal codes in the points' own order.
    private func sortByCode() {
        let n = codes.count
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            var starts = [Int](repeating: 0, count: 257)
            for i in 0..<n { starts[Int(codes[i] >> shift & 255) + 1] += 1 }
            for digit in 0..<256 { starts[digit + 1] += starts[digit] }
            for i in 0..<n {
                let digit = Int(codes[i] >> shift & 255), to = starts[digit]
                starts[digit] += 1
                spareCodes[to] = codes[i]
                spareOrder[to] = order[i]
            }
            swap(&codes, &spareCodes)
            swap(&order, &spareOrder)
        }
    }

    /// Adds the cell of sorted points `range`, which agree in their first `level` digits, and its subtree.
    private func addCell(_ range: Range<Int>, level: Int, side: Float) {
        var x = 0.0, y = 0.0
        for i in range {
            x += Double(sortedX[i])
            y += Double(sortedY[i])
        }
        let index = cells.count, leaf = range.count <= Self.leafPoints || level == Self.bits
        // An angle of 0 lets no cell stand for its points.
        let reach = angle > 0 ? side * side / (angle * angle) : Float.infinity
        cells.append(
            kt_cell(
                x: Float(x / Double(range.count)), y: Float(y / Double(range.count)), reach: reach, skip: 0,
                first: Int32(range.lowerBound), count: Int32(range.count), leaf: leaf ? 1 : 0))
        if !leaf {
            let shift = UInt32(2 * (Self.bits - 1 - level))
            var start = range.lowerBound
            for quadrant in UInt32(0)..<4 {
                var end = range.upperBound
                var low = start
                while low < end {
                    let middle = (low + end) / 2
                    if codes[middle] >> shift & 3 <= quadrant { low = middle + 1 } else { end = middle }
                }
                if low > start { addCell(start..<low, level: level + 1, side: side / 2) }
                start = low
            }
        }
        cells[index].skip = Int32(cells.count)
    }
}
