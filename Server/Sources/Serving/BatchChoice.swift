/// Which of the waiting texts make up a batch.
///
/// Products compute tiles of 64 rows, and a tile that is not full takes as long as a full one. So a batch is whole tiles: its texts come in the
/// order of their requests, and the last tile gets the selection of the next texts that fills it best. What is left begins the next batch.
/// Filling rows that would stay empty delays no one, and a request that a later one has overtaken is not overtaken again unless it does not fit.
enum BatchChoice {
    /// Rows that a product computes at once.
    static let tile = 64

    /// A request that waits.
    struct Waiting: Equatable {
        /// Tokens of its next texts, in the order in which it gives them: all of them, or at least as many as fit into a batch and a tile.
        var lengths: [Int]
        /// Whether a later request has gone before it.
        var wasPassed = false
    }

    /// Rows of the tiles that tokens need; at least one tile.
    static func tiles(for tokens: Int) -> Int { max(tile, (tokens + tile - 1) / tile * tile) }

    /// How many texts each request gives. The first request gives at least one.
    ///
    /// - Parameters:
    ///   - waiting: in their order; the first one has a text. As many as hold `budget` tokens and a tile more are enough.
    ///   - budget: tokens of the batch at most, unless the first text alone has more.
    static func counts(_ waiting: [Waiting], budget: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: waiting.count), used = 0, isEmpty = true, next = 0
        let total = waiting.reduce(0) { $0 + $1.lengths.reduce(0, +) }
        var room = budget < tile ? budget : max(tile, min(budget, total) / tile * tile)
        if let first = waiting.first?.lengths.first, first > room { room = tiles(for: first) }
        // In their order, up to the last tile; a text that does not fit lets others pass.
        inOrder: while next < waiting.count {
            for length in waiting[next].lengths {
                if !isEmpty && room - used <= tile && !waiting[next].wasPassed { break inOrder }
                guard isEmpty || used + length <= room else { break }
                counts[next] += 1
                used += length
                isEmpty = false
            }
            next += 1
        }
        guard next < waiting.count else { return counts }
        // A request that has begun may give a part of the rest; others give all or nothing, so that none loses its turn for a text or two.
        let options = (next..<waiting.count).map { place -> [(texts: Int, tokens: Int)] in
            var sum = 0
            let sums = waiting[place].lengths.dropFirst(counts[place]).enumerated().map { offset, length in
                sum += length
                return (texts: offset + 1, tokens: sum)
            }
            return counts[place] > 0 ? sums : sums.suffix(1)
        }
        for (place, texts) in fill(room - used, options).enumerated() { counts[next + place] += texts }
        return counts
    }

    /// One of several options, or none, for each request, so that their tokens fill `space` best; of selections that fill it equally, the one
    /// that takes most from the earliest.
    private static func fill(_ space: Int, _ options: [[(texts: Int, tokens: Int)]]) -> [Int] {
        // Bit n of `sums[i]`: the requests from i on can make n tokens. A space is a tile at most.
        var sums: [UInt128] = [1]
        for choices in options.reversed() {
            let behind = sums[sums.count - 1]
            sums.append(
                choices.reduce(behind) { $1.tokens <= space ? $0 | behind << UInt128($1.tokens) : $0 } & ((2 << UInt128(space)) - 1))
        }
        sums.reverse()
        var left = UInt128.bitWidth - 1 - sums[0].leadingZeroBitCount
        return zip(options, sums.dropFirst()).map { choices, behind in
            let taken = choices.last { $0.tokens <= left && behind >> UInt128(left - $0.tokens) & 1 == 1 }
            left -= taken?.tokens ?? 0
            return taken?.texts ?? 0
        }
    }
}
