import FileFormats
import Tensors

/// Rows that repeat an earlier one.
package enum NearDuplicates {
    package struct Repeat: Sendable, Equatable {
        /// The row that goes, and the earlier kept row that it is nearest to.
        package let row: Int, of: Int
        package let cosine: Double
    }

    /// Goes through rows in order and keeps those whose cosine to every row kept before stays below a value.
    ///
    /// - Throws: `DataError` naming a row that is zero.
    /// - Complexity: O(rows · kept · d), blocks of 512 rows at a time on one core.
    package static func drop(_ rows: [Int], of x: Tensor<Float>, cosine least: Double) throws -> (kept: [Int], repeats: [Repeat]) {
        let d = x.columns, size = 512
        var unit = Tensor<Float>(uninitialized: [rows.count, d])
        var zero: Int?
        x.withUnsafeElements { from in
            unit.withUnsafeMutableElements { to in
                for (place, row) in rows.enumerated() {
                    let squares = Float.dot(from + row * d, from + row * d, count: d)
                    if !(squares > 0) { zero = zero ?? row }
                    let scale = Float(1 / squares.squareRoot())
                    for k in 0..<d { to[place * d + k] = from[row * d + k] * scale }
                }
            }
        }
        if let zero { throw DataError(.badData, "the vector of row \(zero) is zero, so it has no cosine") }
        var kept: [Int] = [], repeats: [Repeat] = [], store = Tensor<Float>(uninitialized: [rows.count, d])
        for range in Parallel.chunks(rows.count, size: size) {
            let block = unit.rows(range), before = kept.count
            let products = before == 0 ? nil : matrixProduct(block, transposed: false, store.rows(0..<before), transposed: true)
            for place in range {
                var best = -Double.infinity, nearest = -1
                if let products {
                    products.withUnsafeElements { p in
                        for k in 0..<before where Double(p[(place - range.lowerBound) * before + k]) > best {
                            (best, nearest) = (Double(p[(place - range.lowerBound) * before + k]), k)
                        }
                    }
                }
                unit.withUnsafeElements { u in
                    store.withUnsafeElements { s in
                        for k in before..<max(before, kept.count) {
                            let cosine = Float.dot(u + place * d, s + k * d, count: d)
                            if Double(cosine) > best { (best, nearest) = (Double(cosine), k) }
                        }
                    }
                }
                if nearest >= 0, best >= least {
                    repeats.append(Repeat(row: rows[place], of: kept[nearest], cosine: best))
                } else {
                    unit.withUnsafeElements { u in
                        store.withUnsafeMutableElements { $0.advanced(by: kept.count * d).update(from: u + place * d, count: d) }
                    }
                    kept.append(rows[place])
                }
            }
        }
        return (kept, repeats)
    }
}
