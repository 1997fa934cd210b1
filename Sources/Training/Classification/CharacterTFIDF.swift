import Foundation
import Statistics

/// Character n-grams weighted by TF–IDF, as scikit-learn's `TfidfVectorizer(analyzer="char")`: lower case, runs of white space as one
/// space, ln((1 + n)/(1 + df)) + 1, rows of length 1. A baseline that knows no language: what it reaches, spelling alone gives away.
struct CharacterTFIDF: Sendable {
    /// Lengths of the n-grams, in Unicode scalars; at most 5.
    let lengths: ClosedRange<Int>
    private let places: [Gram: Int32]
    private let weights: [Double]
    var columns: Int { weights.count }

    /// Up to five scalars, 21 bits each, and how many they are.
    private struct Gram: Hashable {
        var low: UInt64, high: UInt64
    }

    /// - Parameters:
    ///   - texts: those that are learned from.
    ///   - minimum: n-grams in fewer texts are left out.
    init(_ texts: [String], lengths: ClosedRange<Int> = 2...5, minimum: Int = 2) {
        self.lengths = lengths
        var order: [Gram] = [], counts: [Gram: Int32] = [:]
        for text in texts {
            var seen = Set<Gram>()
            Self.forEach(text, lengths) { gram in
                if seen.insert(gram).inserted {
                    if let count = counts[gram] {
                        counts[gram] = count + 1
                    } else {
                        counts[gram] = 1
                        order.append(gram)
                    }
                }
            }
        }
        var places: [Gram: Int32] = [:], weights: [Double] = []
        for gram in order {
            let count = Int(counts[gram] ?? 0)
            guard count >= minimum else { continue }
            places[gram] = Int32(weights.count)
            weights.append(log(Double(1 + texts.count) / Double(1 + count)) + 1)
        }
        (self.places, self.weights) = (places, weights)
    }

    /// Rows of texts, each of length 1; empty for a text of which nothing is known.
    func rows(_ texts: [String]) -> [[(column: Int, value: Double)]] {
        texts.map { text in
            var counts: [Int32: Double] = [:]
            Self.forEach(text, lengths) { gram in if let place = places[gram] { counts[place, default: 0] += 1 } }
            var entries = counts.sorted { $0.key < $1.key }.map { (column: Int($0.key), value: $0.value * weights[Int($0.key)]) }
            let length = entries.reduce(0) { $0 + $1.value * $1.value }.squareRoot()
            if length > 0 { for i in entries.indices { entries[i].value /= length } }
            return entries
        }
    }

    private static func forEach(_ text: String, _ lengths: ClosedRange<Int>, _ body: (Gram) -> Void) {
        var scalars: [UInt64] = [], wasSpace = false
        for scalar in text.lowercased().unicodeScalars {
            let isSpace = scalar.properties.isWhitespace
            // One white-space character stays what it is, several become one space.
            if isSpace && wasSpace { scalars[scalars.count - 1] = 0x20 } else { scalars.append(UInt64(scalar.value)) }
            wasSpace = isSpace
        }
        for n in lengths where n <= scalars.count {
            for start in 0...(scalars.count - n) {
                var gram = Gram(low: 0, high: UInt64(n) << 48)
                for k in 0..<n {
                    if k < 3 {
                        gram.low |= scalars[start + k] << (21 * UInt64(k))
                    } else {
                        gram.high |= scalars[start + k] << (21 * UInt64(k - 3))
                    }
                }
                body(gram)
            }
        }
    }
}
