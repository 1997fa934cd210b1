import Analysis
import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding

/// Which words are alike in meaning: what a vertical slip draws from.
enum NeighbourSpace: String, CaseIterable, ExpressibleByArgument {
    /// The cosine of a sentence-embedding model's vectors of the words.
    case embedding
    /// The cosine of vectors of positive pointwise mutual information over two words on either side (Levy, Goldberg & Dagan 2015).
    case cooccurrence
}

/// The nearest words of each frequent word, among those of its class, best first.
///
/// Another spelling of the same word (equal sounds) is not a slip and is left out.
struct WordNeighbours {
    let nearest: [String: [String]]

    /// - Parameters:
    ///   - model: of the embedding space: a folder, or a name; nil for the default model.
    ///   - vocabulary: so many of the most frequent words take part, from five occurrences on.
    init(
        _ corpus: [Words], space: NeighbourSpace, model: String?, analysis: WordAnalysis, vocabulary: Int = 4000, count wanted: Int = 5,
        threads: Int
    ) throws {
        var counts: [String: Int] = [:]
        for sentence in corpus { for word in sentence { counts[word, default: 0] += 1 } }
        let words = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(vocabulary).filter { $0.value >= 5 }.map(\.key)
        let known = words.map(analysis.word)
        let ranked =
            switch space {
            case .embedding: try Self.byEmbedding(words, isContent: { known[$0].category != nil }, model: model, threads: threads)
            case .cooccurrence: Self.byCooccurrence(corpus, words, isContent: { known[$0].category != nil })
            }
        var nearest: [String: [String]] = [:]
        for (a, others) in ranked {
            nearest[words[a]] = Array(
                others.lazy.filter { b in
                    known[b].category == known[a].category && (known[a].sounds.isEmpty || known[a].sounds != known[b].sounds)
                }.prefix(wanted).map { words[$0] })
        }
        self.nearest = nearest
    }

    /// Content words by the cosine of their vectors as sentences of one word.
    private static func byEmbedding(_ words: [String], isContent: (Int) -> Bool, model: String?, threads: Int) throws -> [Int: [Int]] {
        let places = words.indices.filter(isContent)
        guard !places.isEmpty else { return [:] }
        var options = SentenceEncoder.Options()
        options.threads = threads
        let vectors = try SentenceEncoder(model: model, options: options).encode(places.map { words[$0] })
        let table = try CosineSearch(corpus: vectors, threads: threads).search(vectors, top: min(200, places.count))
        return Dictionary(
            uniqueKeysWithValues: places.indices.map { i in (places[i], table[i].map(\.row).filter { $0 != i }.map { places[$0] }) })
    }

    private static func byCooccurrence(_ corpus: [Words], _ words: [String], isContent: (Int) -> Bool) -> [Int: [Int]] {
        let number = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
        var together = [[Int: Double]](repeating: [:], count: words.count)
        var totals = [Double](repeating: 0, count: words.count)
        for sentence in corpus {
            let ids = sentence.map { number[$0] }
            for i in ids.indices {
                guard let a = ids[i] else { continue }
                for j in max(0, i - 2)..<min(ids.count, i + 3) where j != i {
                    guard let b = ids[j] else { continue }
                    together[a][b, default: 0] += 1
                    totals[a] += 1
                }
            }
        }
        // Contexts are smoothed with exponent 0.75, as the paper advises.
        let smoothed = totals.map { pow($0, 0.75) }, smoothedTotal = smoothed.reduce(0, +)
        var columns = [[(word: Int, value: Double)]](repeating: [], count: words.count)
        var rows = [[(context: Int, value: Double)]](repeating: [], count: words.count)
        for a in words.indices where isContent(a) {
            var weights: [(Int, Double)] = []
            for (b, n) in together[a].sorted(by: { $0.key < $1.key }) where n > 1 {
                let information = log(n / totals[a] / (smoothed[b] / smoothedTotal))
                if information > 0 { weights.append((b, information)) }
            }
            let norm = weights.reduce(0) { $0 + $1.1 * $1.1 }.squareRoot()
            for (b, value) in weights where norm > 0 {
                rows[a].append((b, value / norm))
                columns[b].append((a, value / norm))
            }
        }
        var result: [Int: [Int]] = [:]
        for a in words.indices where !rows[a].isEmpty {
            var cosines: [Int: Double] = [:]
            for (context, value) in rows[a] { for (b, other) in columns[context] where b != a { cosines[b, default: 0] += value * other } }
            result[a] = cosines.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        }
        return result
    }
}
