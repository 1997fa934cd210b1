import FileFormats
import Foundation
import Tensors

/// Rows that repeat an earlier one, in files too large for all pairs to be compared: only rows that come near each other in sorted lists of
/// signatures are (Charikar 2002; Ravichandran, Pantel & Hovy 2005).
///
/// A signature is the sides of random hyperplanes on which a vector lies; of two vectors at angle θ a bit differs with probability θ/π.
/// Signatures are sorted several times, each time beginning with another part of the bits, and each row is compared with the next few rows
/// of each list whose signatures differ in few enough bits, by the exact cosine. What passes as a near-duplicate therefore is one; a few
/// are overlooked.
package struct SortedDuplicates: Sendable {
    /// Least cosine of a near-duplicate.
    package var cosine: Double
    package var seed: UInt64
    package var threads: Int
    /// Rows of a sorted list that a row is compared with.
    package var window = 24
    /// Sorted lists.
    package var lists = 16

    static let words = 4

    package init(cosine: Double, seed: UInt64 = 0, threads: Int = Parallel.availableThreads) {
        (self.cosine, self.seed, self.threads) = (cosine, seed, threads)
    }

    /// Scans rows in order and keeps those that are not detected as near-duplicates of a row kept before.
    /// - Parameter rows: ascending.
    /// - Throws: `DataError` naming a row that is zero or not finite.
    /// - Complexity: O(rows · (256 d + lists · (log rows + window))); memory for 36 bytes a row and the pairs that were found.
    package func drop<Source: RowSource>(_ rows: [Int], of x: Source) throws -> (kept: [Int], repeats: [NearDuplicates.Repeat]) {
        try x.checkShape("the vectors")
        let signatures = try signatures(rows, x)
        var near: [UInt64] = []
        // A few standard deviations above what the least cosine lets differ.
        let share = acos(min(1, max(-1, cosine))) / .pi, bits = Double(64 * Self.words)
        let most = Int(bits * share + 3 * (bits * share * (1 - share)).squareRoot() + 2)
        for list in 0..<lists {
            // A list begins its comparison at another bit; from list to list the parts that come first overlap little.
            let shift = list * 64 * Self.words / lists
            let keys = signatures.map { Self.key($0, shift) }, order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
            for (place, first) in order.enumerated() {
                for second in order[(place + 1)..<min(order.count, place + 1 + window)]
                where Self.distance(signatures[first], signatures[second]) <= most {
                    near.append(UInt64(max(first, second)) << 32 | UInt64(min(first, second)))
                }
            }
            near = Self.distinct(near)
        }
        return try resolve(near, rows, x)
    }

    /// Looks at the pairs in the order of the later row, and of the earlier one in that.
    private func resolve<Source: RowSource>(
        _ near: [UInt64], _ rows: [Int], _ x: Source
    ) throws -> (kept: [Int], repeats: [NearDuplicates.Repeat]) {
        let width = x.columns
        var goes = [Bool](repeating: false, count: rows.count), repeats: [NearDuplicates.Repeat] = []
        // Cosines in portions, so that the vectors of few pairs are in memory at a time.
        for part in Parallel.chunks(near.count, size: 65_536) {
            let pairs = near[part].map { (later: Int($0 >> 32), earlier: Int($0 & 0xFFFF_FFFF)) }
            let wanted = Set(pairs.flatMap { [rows[$0.later], rows[$0.earlier]] }).sorted(),
                places = Dictionary(uniqueKeysWithValues: wanted.enumerated().map { ($1, $0) })
            let vectors = try x.gather(wanted)
            let cosines = Parallel.map(pairs.count, threads: threads) { pair, _ in
                vectors.withUnsafeElements { p in
                    let a = p + (places[rows[pairs[pair].later]] ?? 0) * width, b = p + (places[rows[pairs[pair].earlier]] ?? 0) * width
                    return Float.dot(a, b, count: width)
                        / (Float.dot(a, a, count: width).squareRoot() * Float.dot(b, b, count: width).squareRoot())
                }
            }
            for (pair, cosine) in zip(pairs, cosines) where cosine >= self.cosine && !goes[pair.earlier] {
                if goes[pair.later] {
                    // The nearest of those it repeats is named.
                    if let last = repeats.last, last.row == rows[pair.later], last.cosine < cosine {
                        repeats[repeats.count - 1] = NearDuplicates.Repeat(row: rows[pair.later], of: rows[pair.earlier], cosine: cosine)
                    }
                } else {
                    goes[pair.later] = true
                    repeats.append(NearDuplicates.Repeat(row: rows[pair.later], of: rows[pair.earlier], cosine: cosine))
                }
            }
        }
        return (rows.indices.filter { !goes[$0] }.map { rows[$0] }, repeats)
    }

    typealias Signature = SIMD4<UInt64>

    private func signatures<Source: RowSource>(_ rows: [Int], _ x: Source) throws -> [Signature] {
        let width = x.columns, count = 64 * Self.words
        var random = RandomSource(seed: seed).split(0x5163)
        let planes = Tensor((0..<count * width).map { _ in Float(random.normal()) }, shape: [count, width])
        var result: [Signature] = []
        result.reserveCapacity(rows.count)
        for part in Parallel.chunks(rows.count, size: 4096) {
            let block = try x.gather(Array(rows[part]))
            let products = matrixProduct(block, transposed: false, planes, transposed: true)
            try products.withUnsafeElements { p in
                try block.withUnsafeElements { v in
                    for place in 0..<part.count {
                        let squares = Float.dot(v + place * width, v + place * width, count: width), row = rows[part.lowerBound + place]
                        guard squares.isFinite else { throw notFinite(row: row, of: "the vectors") }
                        guard squares > 0 else { throw DataError(.badData, "the vector of row \(row) is zero, so it has no cosine") }
                        var signature = Signature()
                        for bit in 0..<count where p[place * count + bit] > 0 { signature[bit / 64] |= 1 << UInt64(bit % 64) }
                        result.append(signature)
                    }
                }
            }
        }
        return result
    }

    /// 64 bits of a signature, from a bit on.
    private static func key(_ signature: Signature, _ shift: Int) -> UInt64 {
        let word = shift / 64, bit = UInt64(shift % 64), next = signature[(word + 1) % words]
        return bit == 0 ? signature[word] : signature[word] >> bit | next << (64 - bit)
    }

    private static func distance(_ a: Signature, _ b: Signature) -> Int {
        let different = a ^ b
        return (0..<words).reduce(0) { $0 + different[$1].nonzeroBitCount }
    }

    private static func distinct(_ pairs: [UInt64]) -> [UInt64] {
        var result: [UInt64] = []
        for pair in pairs.sorted() where result.last != pair { result.append(pair) }
        return result
    }
}
