import Statistics
import Tensors

/// Ranks from 1, equal values sharing the average of theirs: what `averageRanks` gives, for the half million pairs of a thousand
/// conditions.
///
/// Numbers are sorted by their bits, eleven at a time, which needs no comparisons.
///
/// - Parameter values: no NaN among them.
/// - Complexity: O(n).
func ranks(_ values: [Double]) -> [Double] {
    let n = values.count
    guard n > 2000, n < Int(UInt32.max) else { return averageRanks(values) }
    var keys = TensorStorage<UInt64>(uninitializedCount: n), order = TensorStorage<UInt32>(uninitializedCount: n)
    for i in 0..<n {
        // Both zeros are one value; negative numbers count downward.
        let bits = (values[i] + 0).bitPattern
        keys.elements[i] = bits >> 63 == 1 ? ~bits : bits | 1 << 63
        order.elements[i] = UInt32(i)
    }
    var sortedKeys = TensorStorage<UInt64>(uninitializedCount: n), sortedOrder = TensorStorage<UInt32>(uninitializedCount: n)
    for shift in stride(from: UInt64(0), to: 64, by: 11) {
        if moved(keys, order, digit: shift, into: sortedKeys, sortedOrder) {
            swap(&keys, &sortedKeys)
            swap(&order, &sortedOrder)
        }
    }
    var result = [Double](repeating: 0, count: n), start = 0
    while start < n {
        var end = start + 1
        while end < n, keys.elements[end] == keys.elements[start] { end += 1 }
        let rank = Double(start + end + 1) / 2
        for place in start..<end { result[Int(order.elements[place])] = rank }
        start = end
    }
    return result
}

/// Writes keys and their order sorted by eleven bits, equal ones as they stood; false, and nothing is written, where all keys agree in
/// these bits.
private func moved(
    _ keys: TensorStorage<UInt64>, _ order: TensorStorage<UInt32>, digit shift: UInt64, into sortedKeys: TensorStorage<UInt64>,
    _ sortedOrder: TensorStorage<UInt32>
) -> Bool {
    let n = keys.count, from = keys.elements, to = sortedKeys.elements, rows = order.elements, sortedRows = sortedOrder.elements
    var starts = [Int](repeating: 0, count: 2049)
    return starts.withUnsafeMutableBufferPointer { starts in
        for i in 0..<n { starts[Int(from[i] >> shift & 2047) + 1] += 1 }
        if starts.contains(n) { return false }
        for place in 1...2048 { starts[place] += starts[place - 1] }
        for i in 0..<n {
            let digit = Int(from[i] >> shift & 2047), place = starts[digit]
            starts[digit] = place + 1
            to[place] = from[i]
            sortedRows[place] = rows[i]
        }
        return true
    }
}
