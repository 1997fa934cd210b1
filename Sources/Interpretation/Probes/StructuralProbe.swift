import FileFormats
import Tensors

// The structural probe of Hewitt & Manning, "A Structural Probe for Finding Syntax in Word Representations", NAACL 2019.
// Reference implementation: https://github.com/john-hewitt/structural-probes.

/// What a probe reads off word vectors.
public enum ProbeKind: String, Sendable, CaseIterable, Codable {
    /// Edges between two words in the tree, as |B(hᵢ − hⱼ)|².
    case distance
    /// Edges from the root down to a word, as |Bh|².
    case depth
}

/// A linear map under which squared lengths are distances or depths in the dependency tree.
public struct StructuralProbe: Sendable {
    /// What the probe predicts.
    public var kind: ProbeKind
    /// Bᵀ, shape (dimension, rank): a word vector, as a row, times it.
    public var projection: Tensor<Float>

    package init(kind: ProbeKind, projection: Tensor<Float>) { (self.kind, self.projection) = (kind, projection) }

    /// Components of a word vector.
    package var dimension: Int { projection.rows }
    /// Dimensions of the probed space.
    package var rank: Int { projection.columns }

    /// Words in the probed space, shape (words, rank).
    package func project(_ vectors: Tensor<Float>) -> Tensor<Float> { matrixProduct(vectors, projection) }

    /// Predicted distances between a sentence's words, (words, words) row by row, from their vectors (words, dimension).
    public func distances(_ vectors: Tensor<Float>) -> [Float] { Self.distances(projected: project(vectors)) }

    /// Predicted depths of a sentence's words from their vectors (words, dimension).
    public func depths(_ vectors: Tensor<Float>) -> [Float] { Self.depths(projected: project(vectors)) }

    static func distances(projected: Tensor<Float>) -> [Float] { Float.probeDistances(projected) }

    static func depths(projected: Tensor<Float>) -> [Float] { Float.probeDepths(projected) }

    /// A map of independent normal numbers, scaled to keep squared lengths on average: what syntax is there without any learning.
    package static func random(kind: ProbeKind, dimension: Int, rank: Int, seed: UInt64) -> StructuralProbe {
        var random = RandomSource(seed: seed)
        let scale = 1 / Double(rank).squareRoot()
        return StructuralProbe(
            kind: kind, projection: Tensor((0..<dimension * rank).map { _ in Float(random.normal() * scale) }, shape: [dimension, rank]))
    }
}

/// The objective: the mean over sentences of Σ |d(i,j) − |B(hᵢ − hⱼ)|²| / |s|² (distance) or Σ |d(i) − |Bhᵢ|²| / |s| (depth).
package struct ProbeObjective<Scalar: TensorScalar>: Sendable {
    package let kind: ProbeKind
    package let corpus: ProbeCorpus
    /// (words, dimension), rows as the corpus counts words.
    package let vectors: Tensor<Scalar>

    package init(kind: ProbeKind, corpus: ProbeCorpus, vectors: Tensor<Scalar>) {
        precondition(vectors.rows == corpus.wordCount, "\(vectors.rows) vectors of \(corpus.wordCount) words")
        (self.kind, self.corpus, self.vectors) = (kind, corpus, vectors)
    }

    /// Products run on a multiple of this many rows, filled up with zeros, so that few shapes occur.
    private static var step: Int { 64 }

    /// The loss summed over `sentences`, and, where `gradient` (dimension, rank) is given, the gradient of their mean.
    package func loss(
        _ sentences: some Collection<Int>, projection: UnsafePointer<Scalar>, rank: Int, gradient: UnsafeMutablePointer<Scalar>?
    ) -> Double {
        let dimension = vectors.columns
        let words = sentences.reduce(0) { $0 + corpus.words(in: $1) }
        let rows = (words + Self.step - 1) / Self.step * Self.step
        return Scratch.with(Scalar.self, count: rows * (dimension + 2 * rank)) { scratch in
            let gathered = scratch, projected = scratch + rows * dimension, slopes = projected + rows * rank
            var row = 0
            vectors.withUnsafeElements { from in
                for sentence in sentences {
                    let start = corpus.offsets[sentence], count = corpus.words(in: sentence)
                    (gathered + row * dimension).update(from: from + start * dimension, count: count * dimension)
                    row += count
                }
            }
            (gathered + row * dimension).update(repeating: 0, count: (rows - row) * dimension)
            Scalar.product(
                gathered, transposed: false, projection, transposed: false, m: rows, n: rank, k: dimension, lda: dimension,
                ldb: rank, into: projected, ldc: rank, accumulate: false, precision: .f32)
            var total = 0.0
            row = 0
            for sentence in sentences {
                let count = corpus.words(in: sentence)
                let pairs = kind == .distance ? count * count : count
                let weight = Scalar(1) / Scalar(pairs * sentences.count)
                let gold = kind == .distance ? corpus.distances : corpus.depths
                let place = kind == .distance ? corpus.distanceOffsets[sentence] : corpus.offsets[sentence]
                gold.withUnsafeBufferPointer {
                    total +=
                        Scalar.probeLoss(
                            ofDistances: kind == .distance, projected + row * rank, words: count, rank: rank, gold: $0.baseAddress! + place,
                            weight: weight, gradient: gradient == nil ? nil : slopes + row * rank) / Double(pairs)
                }
                row += count
            }
            if let gradient {
                (slopes + row * rank).update(repeating: 0, count: (rows - row) * rank)
                Scalar.product(
                    gathered, transposed: true, slopes, transposed: false, m: dimension, n: rank, k: rows, lda: dimension,
                    ldb: rank, into: gradient, ldc: rank, accumulate: false, precision: .f32)
            }
            return total
        }
    }
}
