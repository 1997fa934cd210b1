/// Byte-pair and WordPiece vocabularies: the most frequent pair of neighbours becomes one symbol, again and again. Counts are kept up
/// to date where a merge changes them, never recounted (Sennrich et al. 2016).
enum MergeTraining {
    /// - Parameter continuingPrefix: what marks symbols inside a word ("##"), empty for none.
    /// - Returns: single characters first, then merged tokens in the order of learning.
    static func train(
        _ units: TrainingUnits, size: Int, continuingPrefix: String,
        options: VocabularyTrainer.Options
    ) -> (tokens: [String], merges: [(String, String)]) {
        var trainer = Trainer(units, continuingPrefix: continuingPrefix, options: options)
        return trainer.run(size: size)
    }

    private struct Candidate {
        var count: Int
        var pair: UInt64
    }

    private struct Trainer {
        var tokens: [String] = []
        var lengths: [Int] = []
        /// By bytes: strings that only look alike are different tokens.
        var numbers: [[UInt8]: Int32] = [:]
        /// Symbols of all units; a merged-away place holds −1.
        var symbols: [Int32] = []
        let starts: [Int]
        let weights: [Int]
        /// For each pair its number, its count and the units where it was seen.
        var pairNumber: [UInt64: Int] = [:]
        var pairCounts: [Int] = []
        var pairUnits: [[Int32]] = []
        var heap: [Candidate] = []
        let prefix: String
        let longest: Int
        let smallest: Int

        init(_ units: TrainingUnits, continuingPrefix: String, options: VocabularyTrainer.Options) {
            prefix = continuingPrefix
            longest = options.longestPiece
            smallest = max(options.smallestCount, 1)
            starts = units.starts
            weights = units.counts
            for scalar in units.alphabet { _ = add(String(Unicode.Scalar(scalar) ?? " "), 1) }
            if !prefix.isEmpty { for scalar in units.alphabet { _ = add(prefix + String(Unicode.Scalar(scalar) ?? " "), 1) } }
            let inside = prefix.isEmpty ? 0 : Int32(units.alphabet.count)
            symbols.reserveCapacity(units.symbols.count)
            for unit in 0..<units.count {
                for i in starts[unit]..<starts[unit + 1] {
                    let isFirst = i == starts[unit] && units.beginsWord[unit]
                    symbols.append(Int32(units.symbols[i]) + (isFirst ? 0 : inside))
                }
            }
        }

        mutating func add(_ token: String, _ length: Int) -> Int32 {
            let key = Array(token.utf8)
            if let number = numbers[key] { return number }
            let number = Int32(tokens.count)
            numbers[key] = number
            tokens.append(token)
            lengths.append(length)
            return number
        }

        static func key(_ a: Int32, _ b: Int32) -> UInt64 { UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b)) }

        /// Adds to a pair's count, and returns its number.
        @inline(__always)
        mutating func change(_ a: Int32, _ b: Int32, by amount: Int, in unit: Int) {
            let key = Self.key(a, b)
            if let number = pairNumber[key] {
                pairCounts[number] += amount
                if amount > 0, pairUnits[number].last != Int32(unit) { pairUnits[number].append(Int32(unit)) }
            } else if amount > 0 {
                pairNumber[key] = pairCounts.count
                pairCounts.append(amount)
                pairUnits.append([Int32(unit)])
            }
        }

        mutating func run(size: Int) -> (tokens: [String], merges: [(String, String)]) {
            var merges: [(String, String)] = []
            if tokens.count < size {
                for unit in weights.indices {
                    for i in starts[unit]..<max(starts[unit + 1] - 1, starts[unit]) {
                        change(symbols[i], symbols[i + 1], by: weights[unit], in: unit)
                    }
                }
                for (key, number) in pairNumber { heap.append(Candidate(count: pairCounts[number], pair: key)) }
                heap.sort(by: Self.precedes)  // a sorted list is a heap, and the same one in every run
            }
            var touched: [UInt64] = []
            while tokens.count < size, let top = pop() {
                guard let number = pairNumber[top.pair], pairCounts[number] > 0 else { continue }
                if pairCounts[number] != top.count {
                    push(Candidate(count: pairCounts[number], pair: top.pair))
                    continue
                }
                if top.count < smallest { break }
                let (a, b) = (Int32(truncatingIfNeeded: top.pair >> 32), Int32(truncatingIfNeeded: top.pair & 0xFFFF_FFFF))
                let length = lengths[Int(a)] + lengths[Int(b)]
                if length > longest {
                    pairCounts[number] = 0
                    continue
                }
                let right = tokens[Int(b)]
                let tail =
                    !prefix.isEmpty && right.hasBytePrefix(prefix)
                    ? String(right.unicodeScalars.dropFirst(prefix.unicodeScalars.count)) : right
                let merged = add(tokens[Int(a)] + tail, length)
                merges.append((tokens[Int(a)], right))
                touched.removeAll(keepingCapacity: true)
                let places = pairUnits[number]
                pairUnits[number] = []
                for unit in places { merge(a, b, merged, in: Int(unit), &touched) }
                pairCounts[number] = 0
                for key in touched {
                    if let number = pairNumber[key], pairCounts[number] > 0 { push(Candidate(count: pairCounts[number], pair: key)) }
                }
            }
            return (tokens, merges)
        }

        /// Replaces the pair in a unit, left to right, and keeps the counts of its neighbours.
        private mutating func merge(_ a: Int32, _ b: Int32, _ merged: Int32, in unit: Int, _ touched: inout [UInt64]) {
            let (start, end) = (starts[unit], starts[unit + 1])
            let weight = weights[unit]
            // Symbols of a unit stand together at its front; what merging frees at its end holds −1.
            var read = start
            var write = start
            while read < end, symbols[read] >= 0 {
                guard symbols[read] == a, read + 1 < end, symbols[read + 1] == b else {
                    symbols[write] = symbols[read]
                    read += 1
                    write += 1
                    continue
                }
                if write > start {
                    let before = symbols[write - 1]
                    change(before, a, by: -weight, in: unit)
                    change(before, merged, by: weight, in: unit)
                    touched.append(Self.key(before, merged))
                }
                if read + 2 < end, symbols[read + 2] >= 0 {
                    let after = symbols[read + 2]
                    change(b, after, by: -weight, in: unit)
                    change(merged, after, by: weight, in: unit)
                    touched.append(Self.key(merged, after))
                }
                symbols[write] = merged
                write += 1
                read += 2
            }
            while write < end, symbols[write] >= 0 {
                symbols[write] = -1
                write += 1
            }
        }

        static func precedes(_ a: Candidate, _ b: Candidate) -> Bool { a.count != b.count ? a.count > b.count : a.pair < b.pair }

        private mutating func push(_ candidate: Candidate) {
            heap.append(candidate)
            var i = heap.count - 1
            while i > 0, Self.precedes(heap[i], heap[(i - 1) / 2]) {
                heap.swapAt(i, (i - 1) / 2)
                i = (i - 1) / 2
            }
        }

        private mutating func pop() -> Candidate? {
            guard let top = heap.first else { return nil }
            let last = heap.removeLast()
            guard !heap.isEmpty else { return top }
            heap[0] = last
            var i = 0
            while 2 * i + 1 < heap.count {
                let left = 2 * i + 1
                let child = left + 1 < heap.count && Self.precedes(heap[left + 1], heap[left]) ? left + 1 : left
                guard Self.precedes(heap[child], heap[i]) else { break }
                heap.swapAt(child, i)
                i = child
            }
            return top
        }
    }
}
