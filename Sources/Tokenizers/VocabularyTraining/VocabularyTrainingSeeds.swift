/// The pieces that unigram training starts from: stretches of characters that come again, found with a suffix array.
///
/// A stretch that is always followed by the same character tells nothing that the longer one does not; so only the inner nodes of the
/// suffix tree are candidates (Kudo 2018, following Abouelhoda et al. 2004), ranked by frequency × length.
enum SeedPieces {
    struct Piece {
        /// Where it is in the units' symbols.
        var start: Int
        var length: Int
        var count: Int
    }

    static func find(_ units: TrainingUnits, longest: Int, limit: Int) -> [Piece] {
        let n = units.symbols.count
        guard n > 1, longest > 1 else { return [] }
        // What is left of its unit at each place, and how often the unit occurs.
        var rest = [Int32](repeating: 0, count: n)
        var weight = [Int](repeating: 0, count: n)
        for unit in 0..<units.count {
            for i in units.starts[unit]..<units.starts[unit + 1] {
                rest[i] = Int32(units.starts[unit + 1] - i)
                weight[i] = units.counts[unit]
            }
        }
        let order = sortedSuffixes(units, rest, longest: longest)
        var pieces: [Piece] = []
        // Intervals of suffixes with a common prefix, kept on a stack while the prefix lasts: the inner nodes of the suffix tree.
        var stack: [(length: Int, count: Int)] = []
        var previous = 0
        func common(_ a: Int, _ b: Int) -> Int {
            let most = min(Int(rest[a]), Int(rest[b]), longest)
            var k = 0
            while k < most, units.symbols[a + k] == units.symbols[b + k] { k += 1 }
            return k
        }
        for i in 0..<n {
            let suffix = Int(order[i])
            let shared = i > 0 ? common(Int(order[i - 1]), suffix) : 0
            let following = i + 1 < n ? common(suffix, Int(order[i + 1])) : 0
            // Close the nodes that are deeper than what is still shared.
            var closed = 0
            while let top = stack.last, top.length > shared {
                stack.removeLast()
                closed += top.count
                if top.length > 1 { pieces.append(Piece(start: previous, length: top.length, count: closed)) }
            }
            if closed > 0 {
                if stack.last?.length == shared { stack[stack.count - 1].count += closed } else { stack.append((shared, closed)) }
            }
            // A suffix that shares no more with either neighbour than part of itself is a leaf; in a unit that comes again it is a piece
            // too.
            let own = min(Int(rest[suffix]), longest)
            let depth = max(shared, following)
            if own > depth, own > 1, weight[suffix] > 1 { pieces.append(Piece(start: suffix, length: own, count: weight[suffix])) }
            if stack.last?.length == depth { stack[stack.count - 1].count += weight[suffix] } else { stack.append((depth, weight[suffix])) }
            previous = suffix
        }
        var closed = 0
        while let top = stack.popLast() {
            closed += top.count
            if top.length > 1 { pieces.append(Piece(start: previous, length: top.length, count: closed)) }
        }
        pieces.removeAll { $0.count < 2 }
        let visibleSpace = units.alphabet.firstIndex(of: TrainingUnits.visibleSpace).map { UInt32($0) }
        pieces.removeAll { piece in
            piece.length == 1
                || (visibleSpace != nil && units.symbols[piece.start + 1..<piece.start + piece.length].contains(visibleSpace!))
        }
        pieces.sort { a, b in
            let (x, y) = (a.count * a.length, b.count * b.length)
            if x != y { return x > y }
            return units.symbols[a.start..<a.start + a.length].lexicographicallyPrecedes(units.symbols[b.start..<b.start + b.length])
        }
        return Array(pieces.prefix(limit))
    }

    /// Suffixes in order of their first `longest` symbols; equal ones in order of place. Doubling (Manber and Myers 1993): the rank by
    /// 2k symbols follows from the ranks by k symbols of the place and of the place k further on.
    private static func sortedSuffixes(_ units: TrainingUnits, _ rest: [Int32], longest: Int) -> [Int32] {
        let n = units.symbols.count
        var order = [Int32](repeating: 0, count: n)
        // Rank 0 is the end of a unit.
        var rank = units.symbols.map { Int32($0) + 1 }
        var highest = Int(rank.max() ?? 0)
        var buffer = order
        for i in 0..<n { buffer[i] = Int32(i) }
        order = countingSort(buffer, highest) { Int(rank[$0]) }
        var length = 1
        while length < longest {
            @inline(__always) func second(_ i: Int) -> Int { Int(rest[i]) > length ? Int(rank[i + length]) : 0 }
            for i in 0..<n { buffer[i] = Int32(i) }
            let bySecond = countingSort(buffer, highest) { second($0) }
            order = countingSort(bySecond, highest) { Int(rank[$0]) }
            var next = [Int32](repeating: 0, count: n)
            var current: Int32 = 0
            var last = -1
            for entry in order {
                let i = Int(entry)
                if last < 0 || rank[last] != rank[i] || second(last) != second(i) { current += 1 }
                next[i] = current
                last = i
            }
            rank = next
            highest = Int(current)
            length *= 2
            if highest == n { break }
        }
        return order
    }

    @inline(__always)
    private static func countingSort(_ items: [Int32], _ highest: Int, _ key: (Int) -> Int) -> [Int32] {
        var places = [Int](repeating: 0, count: highest + 2)
        for item in items { places[key(Int(item)) + 1] += 1 }
        for i in 1..<places.count { places[i] += places[i - 1] }
        var sorted = [Int32](repeating: 0, count: items.count)
        for item in items {
            let k = key(Int(item))
            sorted[places[k]] = item
            places[k] += 1
        }
        return sorted
    }
}
