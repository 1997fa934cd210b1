import Foundation
import Statistics
import Tensors

// Goals in order: agreement with the public reference implementation (which words are left out, how ties break, what is averaged
// over what), sums in Double, results that do not depend on the number of threads.

/// What a predictor says about one sentence.
package struct ProbePrediction: Sendable {
    /// Distances between words, (words, words).
    package var distances: [Float]?
    /// Depths of words.
    package var depths: [Float]?

    package init(distances: [Float]? = nil, depths: [Float]? = nil) { (self.distances, self.depths) = (distances, depths) }
}

/// A share of edges or sentences: how many of how many.
package struct Tally: Sendable, Equatable {
    package var correct = 0
    package var total = 0
    package var share: Double { total > 0 ? Double(correct) / Double(total) : .nan }

    package init(correct: Int = 0, total: Int = 0) { (self.correct, self.total) = (correct, total) }
    package static func += (a: inout Tally, b: Tally) { (a.correct, a.total) = (a.correct + b.correct, a.total + b.total) }
}

/// The measures of a structural probe.
public enum ProbeMeasure: String, Sendable, CaseIterable {
    /// Undirected unlabelled attachment score: the share of the gold tree's edges that the minimum spanning tree of predicted
    /// distances has. Punctuation takes no part.
    case uuas = "UUAS"
    /// UUAS of gold edges between words that are not neighbours (punctuation does not count as being between).
    case nonAdjacent = "UUAS, non-adjacent"
    /// UUAS of the tree over bunsetsu: two bunsetsu are as far apart as their closest words.
    case bunsetsu = "UUAS, bunsetsu"
    /// Spearman's correlation of predicted and gold distances from each word to all words of its sentence; the mean over words of
    /// sentences of equal length, then over the lengths 5 to 50.
    case distanceSpearman = "DSpr."
    /// The share of sentences whose root is the word (not punctuation) of smallest predicted depth.
    case rootAccuracy = "root accuracy"
    /// Spearman's correlation of predicted and gold depths of a sentence's words, averaged likewise.
    case depthSpearman = "NSpr."
    /// The share of words with the right head when the spanning tree hangs from the word of smallest predicted depth. The root counts
    /// as right where it is found. (No other root makes more edges run from the shallower to the deeper word by a larger sum.)
    case directed = "directed accuracy"
}

/// What one sentence adds to each measure.
package struct SentenceScore: Sendable {
    var length: Int
    var tallies: [ProbeMeasure: Tally] = [:]
    /// Sums of correlations and how many went in.
    var distanceSpearman = (sum: 0.0, count: 0)
    var depthSpearman = (sum: 0.0, count: 0)
}

/// Scores of a predictor on a treebank.
public struct ProbeEvaluation: Sendable {
    package var sentences: [SentenceScore]
    /// Recall of edges by relation of the dependent.
    package var byRelation: [String: Tally] = [:]
    /// Recall of edges by how many words apart they stand (1 = neighbours).
    package var byLength: [Int: Tally] = [:]

    /// Scores predictions for every sentence.
    package init(
        _ corpus: ProbeCorpus, threads: Int = Parallel.availableThreads, predict: @Sendable (_ sentence: Int) throws -> ProbePrediction
    ) throws {
        var parts = [SentenceParts?](repeating: nil, count: corpus.sentences.count)
        try parts.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let results = Shared(base)
            try Parallel.forEach(corpus.sentences.count, threads: threads) { sentence, _ in
                results.pointer[sentence] = SentenceParts(corpus, sentence, try predict(sentence))
            }
        }
        sentences = []
        for part in parts.compactMap({ $0 }) {
            sentences.append(part.score)
            for (relation, isFound) in part.relations {
                byRelation[relation, default: Tally()] += Tally(correct: isFound ? 1 : 0, total: 1)
            }
            for (length, isFound) in part.lengths { byLength[length, default: Tally()] += Tally(correct: isFound ? 1 : 0, total: 1) }
        }
    }

    /// Whether the measure could be taken: the predictor gave what it needs, and the treebank has it.
    package func has(_ measure: ProbeMeasure) -> Bool { !value(measure).isNaN }

    /// The measure over all sentences, in [0, 1] or [−1, 1]; NaN if it could not be taken.
    public func value(_ measure: ProbeMeasure) -> Double { MeasureSums(measure, of: sentences).value(Array(sentences.indices)) }

    /// A 95 % interval by the percentile bootstrap over sentences (Efron & Tibshirani 1993).
    public func interval(_ measure: ProbeMeasure, resamples: Int = 1000, seed: UInt64 = 0) -> ClosedRange<Double>? {
        Self.percentiles(
            Bootstrap(resamples: resamples, seed: seed).distribution(.items(sentences.count), MeasureSums(measure, of: sentences).value))
    }

    /// The difference between two predictors on the same sentences: this minus the other, its 95 % interval by the paired bootstrap, and
    /// the share of resamples on the other side of zero, doubled (a p-value by inversion of the interval).
    package func difference(
        _ measure: ProbeMeasure, from other: ProbeEvaluation, resamples: Int = 1000, seed: UInt64 = 0
    )
        -> (value: Double, interval: ClosedRange<Double>, p: Double)?
    {
        precondition(sentences.count == other.sentences.count, "predictors of different treebanks")
        let value = value(measure) - other.value(measure)
        let mine = MeasureSums(measure, of: sentences), others = MeasureSums(measure, of: other.sentences)
        let differences = Bootstrap(resamples: resamples, seed: seed).distribution(.items(sentences.count)) {
            mine.value($0) - others.value($0)
        }
        guard !value.isNaN, let interval = Self.percentiles(differences) else { return nil }
        return (value, interval, Bootstrap.pValue(differences))
    }

    private static func percentiles(_ values: [Double]) -> ClosedRange<Double>? {
        let sorted = values.filter { !$0.isNaN }.sorted()
        return sorted.count >= 40 ? Bootstrap.percentileInterval(ofSorted: sorted) : nil
    }
}

/// A measure as what each sentence adds to it: a share within each class of sentences, and the mean over the classes. Correlations have a
/// class for each length from 5 to 50, all other measures have a single one. Laid out in arrays, because a bootstrap adds them up a
/// thousand times.
private struct MeasureSums: Sendable {
    private let sums: [Double]
    private let counts: [Double]
    /// −1 for sentences that take no part.
    private let classes: [Int]
    private let classCount: Int

    init(_ measure: ProbeMeasure, of sentences: [SentenceScore]) {
        let lengths = 5...50
        switch measure {
        case .distanceSpearman, .depthSpearman:
            let parts = sentences.map { measure == .distanceSpearman ? $0.distanceSpearman : $0.depthSpearman }
            (sums, counts) = (parts.map(\.sum), parts.map { Double($0.count) })
            classes = sentences.map { lengths.contains($0.length) ? $0.length - lengths.lowerBound : -1 }
            classCount = lengths.count
        default:
            let tallies = sentences.map { $0.tallies[measure] ?? Tally() }
            (sums, counts) = (tallies.map { Double($0.correct) }, tallies.map { Double($0.total) })
            classes = [Int](repeating: 0, count: sentences.count)
            classCount = 1
        }
    }

    /// The measure over the chosen sentences, of which one may be there several times.
    func value(_ chosen: [Int]) -> Double {
        var totals = [(sum: Double, count: Double)](repeating: (0, 0), count: classCount)
        for sentence in chosen where classes[sentence] >= 0 {
            totals[classes[sentence]].sum += sums[sentence]
            totals[classes[sentence]].count += counts[sentence]
        }
        let shares = totals.compactMap { $0.count > 0 ? $0.sum / $0.count : nil }
        return shares.isEmpty ? .nan : shares.reduce(0, +) / Double(shares.count)
    }
}

/// One sentence scored.
private struct SentenceParts: Sendable {
    var score: SentenceScore
    var relations: [(String, Bool)] = []
    var lengths: [(Int, Bool)] = []

    init(_ corpus: ProbeCorpus, _ index: Int, _ prediction: ProbePrediction) {
        let sentence = corpus.sentences[index], count = sentence.count
        score = SentenceScore(length: count)
        // Places among the scored words, so that a comma between two words does not make them distant.
        var place = [Int](repeating: -1, count: count)
        for (position, word) in sentence.scored.enumerated() { place[word] = position }
        var predicted: [WordEdge] = []

        if let distances = prediction.distances {
            let gold = corpus.goldDistances(index)
            let goldEdges = MinimumSpanningTree.edges(distances: gold, count: count, among: sentence.scored)
            predicted = MinimumSpanningTree.edges(distances: distances, count: count, among: sentence.scored)
            let found = Set(predicted)
            for edge in goldEdges {
                let isFound = found.contains(edge), length = place[edge.second] - place[edge.first]
                add(.uuas, isFound)
                if length > 1 { add(.nonAdjacent, isFound) }
                lengths.append((length, isFound))
                // Edges that the spanning tree makes around a left-out word have no relation.
                let dependent = sentence.tree.heads[edge.first] == edge.second ? edge.first : edge.second
                if gold[edge.first * count + edge.second] == 1 { relations.append((sentence.relations[dependent], isFound)) }
            }
            if let bunsetsu = sentence.bunsetsu { addBunsetsu(sentence, bunsetsu, gold, distances) }
            for word in 0..<count where count > 1 {
                let row = word * count..<(word + 1) * count
                score.distanceSpearman.sum += Spearman.correlation(distances[row], gold[row])
                score.distanceSpearman.count += 1
            }
        }
        if let depths = prediction.depths {
            let candidates = sentence.scored.isEmpty ? Array(0..<count) : sentence.scored
            let root = candidates.min { depths[$0] < depths[$1] } ?? 0
            add(.rootAccuracy, root == sentence.tree.root)
            if count > 1 {
                score.depthSpearman.sum += Spearman.correlation(depths[...], corpus.goldDepths(index)[...])
                score.depthSpearman.count += 1
            }
            if prediction.distances != nil, !sentence.scored.isEmpty {
                let heads = DependencyTree.heads(hanging: predicted, from: root, words: count)
                for word in sentence.scored { add(.directed, heads[word] == sentence.tree.heads[word]) }
            }
        }
    }

    private mutating func add(_ measure: ProbeMeasure, _ isCorrect: Bool) {
        score.tallies[measure, default: Tally()] += Tally(correct: isCorrect ? 1 : 0, total: 1)
    }

    private mutating func addBunsetsu(_ sentence: ProbeCorpus.Sentence, _ bunsetsu: [Int], _ gold: [Float], _ predicted: [Float]) {
        let groups = (bunsetsu.max() ?? -1) + 1, count = sentence.count
        func closest(_ distances: [Float]) -> [Float] {
            var result = [Float](repeating: .infinity, count: groups * groups)
            for a in sentence.scored {
                for b in sentence.scored where bunsetsu[a] != bunsetsu[b] {
                    let cell = bunsetsu[a] * groups + bunsetsu[b]
                    result[cell] = min(result[cell], distances[a * count + b])
                }
            }
            return result
        }
        let members = Set(sentence.scored.map { bunsetsu[$0] }).sorted()
        let goldEdges = MinimumSpanningTree.edges(distances: closest(gold), count: groups, among: members)
        let found = Set(MinimumSpanningTree.edges(distances: closest(predicted), count: groups, among: members))
        for edge in goldEdges { add(.bunsetsu, found.contains(edge)) }
    }
}

/// Spearman's rank correlation.
enum Spearman {
    /// Equal values share the mean of their ranks. 0 where one side is constant, for which the correlation is not defined.
    static func correlation(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
        let a = averageRanks(Array(x)), b = averageRanks(Array(y))
        let mean = Double(a.count + 1) / 2
        var ab = 0.0, aa = 0.0, bb = 0.0
        for i in a.indices {
            ab += (a[i] - mean) * (b[i] - mean)
            aa += (a[i] - mean) * (a[i] - mean)
            bb += (b[i] - mean) * (b[i] - mean)
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
    }
}
