import Foundation

/// Training of the unigram language model (Kudo 2018, "Subword Regularization"): expectation–maximization over all ways to cut the text,
/// and rounds of pruning that drop the pieces whose loss costs the least likelihood. Sums are in Double, in one order.
enum UnigramTraining {
    private struct Piece {
        var spelling: [UInt8]
        var score: Double
        /// Single characters stay whatever happens: without them text could not be cut at all.
        var isCharacter: Bool
    }

    /// - Returns: pieces with their log probabilities, the most probable first.
    static func train(_ units: TrainingUnits, size: Int, options: VocabularyTrainer.Options) -> [(String, Double)] {
        var trainer = Trainer(units, size: size, options: options)
        return trainer.run()
    }

    private struct Trainer {
        /// The units in UTF-8.
        var text: [UInt8] = []
        var starts: [Int] = [0]
        let weights: [Double]
        var pieces: [Piece] = []
        let size: Int
        let shrinking: Double
        var trie = DoubleArrayTrie([(key: [UInt8], value: Int32)]())
        /// The smallest probability that anything gets, so that a character is never impossible.
        private static let floor = 1e-9

        init(_ units: TrainingUnits, size: Int, options: VocabularyTrainer.Options) {
            self.size = size
            shrinking = options.shrinkingFactor
            weights = units.counts.map(Double.init)
            var characterCounts = [Int](repeating: 0, count: units.alphabet.count)
            for unit in 0..<units.count {
                for i in units.starts[unit]..<units.starts[unit + 1] {
                    characterCounts[Int(units.symbols[i])] += units.counts[unit]
                    UTF8Scalars.append(units.alphabet[Int(units.symbols[i])], to: &text)
                }
                starts.append(text.count)
            }
            func bytes(_ symbols: ArraySlice<UInt32>) -> [UInt8] {
                var result: [UInt8] = []
                for symbol in symbols { UTF8Scalars.append(units.alphabet[Int(symbol)], to: &result) }
                return result
            }
            for (symbol, count) in characterCounts.enumerated() {
                pieces.append(Piece(spelling: bytes([UInt32(symbol)]), score: Double(max(count, 1)), isCharacter: true))
            }
            let limit = size > Int.max / options.seedFactor ? Int.max : max(size * options.seedFactor, 100_000)
            for seed in SeedPieces.find(units, longest: options.longestPiece, limit: limit) {
                pieces.append(
                    Piece(
                        spelling: bytes(units.symbols[seed.start..<seed.start + seed.length]), score: Double(seed.count), isCharacter: false
                    ))
            }
            let total = log(pieces.reduce(0) { $0 + $1.score })
            for i in pieces.indices { pieces[i].score = log(pieces[i].score) - total }
        }

        mutating func run() -> [(String, Double)] {
            // Pruning stops a little above the goal; the last cut is by probability.
            let goal = max(size * 11 / 10, size)
            while true {
                index()
                for _ in 0..<2 { maximize(expectation()) }
                guard pieces.count > goal else { break }
                index()
                prune(to: max(goal, Int(Double(pieces.count) * shrinking)))
            }
            index()
            maximize(expectation())
            return finished()
        }

        private mutating func index() {
            trie = DoubleArrayTrie(pieces.enumerated().map { (key: $1.spelling, value: Int32(truncatingIfNeeded: $0)) })
        }

        // MARK: Expectation and maximization

        /// How often each piece is expected, over all ways to cut each unit.
        private func expectation() -> [Double] {
            var expected = [Double](repeating: 0, count: pieces.count)
            let probabilities = pieces.map { max(exp($0.score), Self.floor) }
            var forward: [Double] = []
            var backward: [Double] = []
            var edges: [(start: Int32, end: Int32, piece: Int32)] = []
            text.withUnsafeBufferPointer { text in
                probabilities.withUnsafeBufferPointer { probabilities in
                    for unit in weights.indices {
                        let part = UnsafeBufferPointer(rebasing: text[starts[unit]..<starts[unit + 1]])
                        let n = part.count
                        if forward.count <= n {
                            forward = [Double](repeating: 0, count: n + 1)
                            backward = forward
                        }
                        for i in 0...n {
                            forward[i] = 0
                            backward[i] = 0
                        }
                        forward[0] = 1
                        backward[n] = 1
                        edges.removeAll(keepingCapacity: true)
                        var i = 0
                        while i < n {
                            let here = forward[i]
                            trie.forEachPrefix(of: part, from: i) { length, piece in
                                edges.append((Int32(truncatingIfNeeded: i), Int32(truncatingIfNeeded: i + length), piece))
                                forward[i + length] += here * probabilities[Int(piece)]
                            }
                            i += UTF8Scalars.decode(part, at: i).length
                        }
                        guard forward[n] > 0 else { continue }
                        let factor = weights[unit] / forward[n]
                        for edge in edges.reversed() {
                            let through = probabilities[Int(edge.piece)] * backward[Int(edge.end)]
                            backward[Int(edge.start)] += through
                            expected[Int(edge.piece)] += factor * forward[Int(edge.start)] * through
                        }
                    }
                }
            }
            return expected
        }

        /// New probabilities; pieces that are hardly expected at all go. The digamma function in the place of the logarithm is the
        /// Bayesian variant with a sparse prior, which drops rare pieces sooner (Liang and Klein 2009).
        private mutating func maximize(_ expected: [Double]) {
            var kept: [Piece] = []
            var counts: [Double] = []
            for (i, piece) in pieces.enumerated() where piece.isCharacter || expected[i] >= 0.5 {
                kept.append(piece)
                counts.append(max(expected[i], piece.isCharacter ? 0.5 : 0))
            }
            let total = Self.digamma(counts.reduce(0, +))
            for i in kept.indices { kept[i].score = Self.digamma(counts[i]) - total }
            let changed = kept.count != pieces.count
            pieces = kept
            if changed { index() }
        }

        private static func digamma(_ argument: Double) -> Double {
            var x = argument
            var result = 0.0
            while x < 7 {
                result -= 1 / x
                x += 1
            }
            x -= 0.5
            let xx = 1 / x
            let xx2 = xx * xx
            let xx4 = xx2 * xx2
            return result + log(x) + xx2 / 24 - 7 * xx4 / 960 + 31 * xx4 * xx2 / 8064 - 127 * xx4 * xx4 / 30720
        }

        // MARK: Pruning

        /// Keeps the pieces without which the likelihood would fall the most.
        private mutating func prune(to target: Int) {
            let counts = bestPathCounts()
            let total = counts.reduce(0, +)
            guard total > 0 else { return }
            let logTotal = log(total)
            var kept: [Int] = []
            var candidates: [(loss: Double, piece: Int)] = []
            for (i, piece) in pieces.enumerated() {
                if piece.isCharacter {
                    kept.append(i)
                    continue
                }
                guard counts[i] > 0 else { continue }  // no best path uses it: nothing is lost
                // What would take its place, and what that is worth.
                let parts = replacement(of: i)
                let logAlternative = log(total + counts[i] * Double(parts.count - 1))
                let alternative = parts.reduce(0) { $0 + log(counts[$1] + counts[i]) - logAlternative }
                candidates.append((counts[i] / total * (log(counts[i]) - logTotal - alternative), i))
            }
            candidates.sort { $0.loss != $1.loss ? $0.loss > $1.loss : $0.piece < $1.piece }
            kept += candidates.prefix(max(target - kept.count, 0)).map(\.piece)
            kept.sort()
            pieces = kept.map { pieces[$0] }
        }

        /// How often each piece lies on the best path.
        private func bestPathCounts() -> [Double] {
            var counts = [Double](repeating: 0, count: pieces.count)
            var path: [Int] = []
            text.withUnsafeBufferPointer { text in
                for unit in weights.indices {
                    bestPath(UnsafeBufferPointer(rebasing: text[starts[unit]..<starts[unit + 1]]), without: -1, &path)
                    for piece in path { counts[piece] += weights[unit] }
                }
            }
            return counts
        }

        /// The best way to spell a piece without itself.
        private func replacement(of piece: Int) -> [Int] {
            var path: [Int] = []
            pieces[piece].spelling.withUnsafeBufferPointer { bestPath($0, without: piece, &path) }
            return path
        }

        private func bestPath(_ part: UnsafeBufferPointer<UInt8>, without excluded: Int, _ path: inout [Int]) {
            path.removeAll(keepingCapacity: true)
            let n = part.count
            guard n > 0 else { return }
            withUnsafeTemporaryAllocation(of: (score: Double, start: Int32, piece: Int32).self, capacity: n + 1) { best in
                best.initialize(repeating: (-.infinity, -1, -1))
                best[0].score = 0
                var i = 0
                while i < n {
                    let here = best[i].score
                    trie.forEachPrefix(of: part, from: i) { length, piece in
                        guard Int(piece) != excluded else { return }
                        let score = here + pieces[Int(piece)].score
                        if score > best[i + length].score { best[i + length] = (score, Int32(truncatingIfNeeded: i), piece) }
                    }
                    i += UTF8Scalars.decode(part, at: i).length
                }
                var end = n
                while end > 0, best[end].start >= 0 {
                    path.append(Int(best[end].piece))
                    end = Int(best[end].start)
                }
            }
        }

        // MARK: Result

        private func finished() -> [(String, Double)] {
            let ranked = pieces.indices.sorted { a, b in
                pieces[a].score != pieces[b].score ? pieces[a].score > pieces[b].score : a < b
            }
            // Characters first, so that all of them have a place.
            var chosen = Set(ranked.filter { pieces[$0].isCharacter })
            for i in ranked where chosen.count < size && !pieces[i].isCharacter { chosen.insert(i) }
            return ranked.filter(chosen.contains).map { (String(decoding: pieces[$0].spelling, as: UTF8.self), pieces[$0].score) }
        }
    }
}
