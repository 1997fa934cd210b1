import FileFormats
import Foundation
import Tensors

/// The words of a training text, the most frequent first, and what follows from their counts.
package struct Vocabulary: Sendable {
    package let words: WordList
    package let counts: [Int]
    /// Words of the text, those included that were too rare to be kept.
    package let totalTokens: Int
    /// Sum of `counts`.
    package let tokens: Int

    package init(words: WordList, counts: [Int], totalTokens: Int) {
        precondition(words.count == counts.count)
        (self.words, self.counts, self.totalTokens) = (words, counts, totalTokens)
        tokens = counts.reduce(0, +)
    }

    package var count: Int { words.count }

    /// For each word the probability that an occurrence is kept: √(t/f) + t/f, at most 1, f being its share of the text (word2vec.c; gensim
    /// and fastText use the same formula). With t = 0 everything is kept.
    package func keepProbabilities(_ threshold: Double) -> [Double] {
        guard threshold > 0 else { return [Double](repeating: 1, count: count) }
        return counts.map {
            let share = Double($0) / Double(tokens)
            return min(1, (threshold / share).squareRoot() + threshold / share)
        }
    }
}

/// Draws from a fixed distribution in constant time (Walker 1977; Vose 1991).
struct AliasTable: Sendable {
    /// Probability of keeping the drawn place, as a 32-bit fraction, in the upper half; the other choice in the lower half.
    private let entries: [UInt64]
    let count: Int

    init(weights: [Double]) {
        let n = weights.count, total = weights.reduce(0, +)
        var scaled = weights.map { $0 / total * Double(n) }
        var small: [Int] = [], large: [Int] = []
        for i in 0..<n { if scaled[i] < 1 { small.append(i) } else { large.append(i) } }
        var entries = [UInt64](repeating: 0, count: n)
        while let less = small.popLast() {
            guard let more = large.last else {
                entries[less] = UInt64(UInt32.max) << 32 | UInt64(less)
                continue
            }
            entries[less] = UInt64(min(Double(UInt32.max), scaled[less] * 0x1p32)) << 32 | UInt64(more)
            scaled[more] -= 1 - scaled[less]
            if scaled[more] < 1 {
                large.removeLast()
                small.append(more)
            }
        }
        for rest in large { entries[rest] = UInt64(UInt32.max) << 32 | UInt64(rest) }
        self.entries = entries
        count = n
    }

    @inline(__always) func draw(_ random: UInt64) -> UInt32 {
        // The upper half chooses the place, the lower the side.
        let place = Int(((random >> 32) &* UInt64(truncatingIfNeeded: count)) >> 32)
        let entry = entries.withUnsafeBufferPointer { $0[place] }
        return random & 0xFFFF_FFFF <= entry >> 32 ? UInt32(truncatingIfNeeded: place) : UInt32(truncatingIfNeeded: entry)
    }
}
