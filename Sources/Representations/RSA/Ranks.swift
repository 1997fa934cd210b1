import Statistics

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
    var keys = [UInt64](repeating: 0, count: n), order = [UInt32](repeating: 0, count: n)
    for i in 0..<n {
        // Both zeros are one value; negative numbers count downward.
        let bits = (values[i] + 0).bitPattern
        keys[i] = bits >> 63 == 1 ? ~bits : bits | 1 << 63
        order[i] = UInt32(i)
    }
    var otherKeys = keys, otherOrder = order
    for shift in stride(from: 0, to: 64, by: 11) {
        var starts = [Int](repeating: 0, count: 2049)
        keys.withUnsafeBufferPointer { keys in
            starts.withUnsafeMutableBufferPointer { starts in for key in keys { starts[Int(key >> UInt64(shift) & 2047) + 1] += 1 } }
        }
        // All keys alike in these bits: nothing moves.
        if starts.contains(n) { continue }
        for place in 1...2048 { starts[place] += starts[place - 1] }
        keys.withUnsafeBufferPointer { keys in
            order.withUnsafeBufferPointer { order in
                otherKeys.withUnsafeMutableBufferPointer { toKeys in
                    otherOrder.withUnsafeMutableBufferPointer { toOrder in
                        starts.withUnsafeMutableBufferPointer { starts in
                            for i in 0..<n {
                                let digit = Int(keys[i] >> UInt64(shift) & 2047), place = starts[digit]
                                starts[digit] = place + 1
                                toKeys[place] = keys[i]
                                toOrder[place] = order[i]
                            }
                        }
                    }
                }
            }
        }
        swap(&keys, &otherKeys)
        swap(&order, &otherOrder)
    }
    var result = [Double](repeating: 0, count: n), start = 0
    while start < n {
        var end = start + 1
        while end < n, keys[end] == keys[start] { end += 1 }
        let rank = Double(start + end + 1) / 2
        for place in start..<end { result[Int(order[place])] = rank }
        start = end
    }
    return result
}
