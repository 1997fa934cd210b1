import Autograd
import Tensors

// Losses over sentence vectors, on one tape for the whole batch. Vectors come as the encoder pools them; each loss normalizes them
// itself where it wants cosines. Formulas are those of sentence-transformers, which the tests compare with.

/// InfoNCE with in-batch negatives (van den Oord et al. 2018; Henderson et al. 2017): every anchor must find its own positive among all
/// positives of the batch and all hard negatives. sentence-transformers' MultipleNegativesRankingLoss.
///
/// - Parameters:
///   - anchors, positives: `(n, size)`, row i of one belonging to row i of the other.
///   - negatives: `(m, size)`, hard negatives that belong to no anchor, or none.
///   - scale: 1 / temperature, by which cosines are multiplied.
///   - symmetric: positives must find their anchors as well; the two losses are averaged.
///   - confusable: pairs (i, j), i ≠ j, where positive j would also be right for anchor i (the same sentence twice in a batch): left
///     out of both directions.
/// - Returns: a tensor of one element.
package func inBatchNegativesLoss<S: TensorScalar>(
    anchors: Variable<S>, positives: Variable<S>, negatives: Variable<S>? = nil, scale: S = 20, symmetric: Bool = false,
    confusable: [(Int, Int)] = [], on tape: Tape<S>?
) -> Variable<S> {
    let count = anchors.value.rows
    precondition(positives.value.rows == count)
    let a = normalizedRows(anchors, on: tape)
    let candidates = negatives.map { concatenatedRows([positives, $0], on: tape) } ?? positives
    let b = normalizedRows(candidates, on: tape)
    let targets = (0..<Int32(count)).map { $0 }
    func direction(_ queries: Variable<S>, _ keys: Variable<S>, _ excluded: [(Int, Int)]) -> Variable<S> {
        var logits = scaled(matrixProduct(queries, keys, transposed: (false, true), on: tape), by: scale, on: tape)
        if !excluded.isEmpty {
            var mask = Tensor<S>(shape: logits.shape)
            for (i, j) in excluded { mask[i, j] = -1e9 }
            logits = sum(logits, Variable(mask), on: tape)
        }
        return mean(crossEntropy(logits, targets: targets, on: tape), on: tape)
    }
    let forward = direction(a, b, confusable)
    guard symmetric else { return forward }
    let own = negatives == nil ? b : rows(b, 0..<count, on: tape)
    let backward = direction(own, a, confusable.map { ($1, $0) })
    return scaled(sum(forward, backward, on: tape), by: 0.5, on: tape)
}

/// CoSENT (Su 2022): pairs that people judged more similar should have larger cosines, log(1 + Σ exp(scale (cosᵢ − cosⱼ))) over all pairs
/// of pairs with labelᵢ < labelⱼ.
///
/// - Parameters:
///   - first, second: `(n, size)`.
///   - labels: n; only their order counts.
/// - Returns: a tensor of one element.
package func cosentLoss<S: TensorScalar>(
    first: Variable<S>, second: Variable<S>, labels: [Double], scale: S = 20, on tape: Tape<S>?
) -> Variable<S> {
    let cosines = rowDots(normalizedRows(first, on: tape), normalizedRows(second, on: tape), on: tape)
    return rankedSoftPlus(scaled(cosines, by: scale, on: tape), labels: labels, on: tape)
}

/// The mean square of cosine − label: sentence-transformers' CosineSimilarityLoss.
///
/// - Parameter labels: n, on the scale of cosines.
package func cosineRegressionLoss<S: TensorScalar>(
    first: Variable<S>, second: Variable<S>, labels: [Double], on tape: Tape<S>?
) -> Variable<S> {
    let cosines = rowDots(normalizedRows(first, on: tape), normalizedRows(second, on: tape), on: tape)
    return meanSquaredError(cosines, Variable(Tensor(labels.map { S($0) }, shape: [labels.count])), on: tape)
}

/// The mean square between a student's vectors and a teacher's of the same sentence or of its translation (Reimers & Gurevych 2020).
///
/// - Parameters:
///   - students: `(n, size)`.
///   - teachers: `(n, size)`.
package func distillationLoss<S: TensorScalar>(students: Variable<S>, teachers: Tensor<S>, on tape: Tape<S>?) -> Variable<S> {
    meanSquaredError(students, Variable(teachers), on: tape)
}

/// Cross-entropy between the teacher's and the student's distribution over the batch: how similar each sentence is to all others, after
/// softmax (relational distillation: Park et al. 2019; Fang et al. 2021). The vector sizes of the two need not agree.
///
/// - Parameters:
///   - queries, keys: `(n, size)` of the student.
///   - teacherQueries, teacherKeys: `(n, teacher size)`.
///   - scale: 1 / temperature of both softmaxes.
package func similarityDistillationLoss<S: TensorScalar>(
    queries: Variable<S>, keys: Variable<S>, teacherQueries: Tensor<S>, teacherKeys: Tensor<S>, scale: S = 20, on tape: Tape<S>?
) -> Variable<S> {
    let count = queries.value.rows
    func logits(_ a: Variable<S>, _ b: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
        scaled(
            matrixProduct(normalizedRows(a, on: tape), normalizedRows(b, on: tape), transposed: (false, true), on: tape), by: scale,
            on: tape)
    }
    let wanted = softmax(logits(Variable(teacherQueries), Variable(teacherKeys), on: nil), on: nil)
    let given = logSoftmax(logits(queries, keys, on: tape), on: tape)
    return scaled(total(product(given, wanted, on: tape), on: tape), by: -1 / S(count), on: tape)
}

/// Triplet loss (Schroff et al. 2015): the positive should be nearer to the anchor than the negative by a margin.
package enum TripletDistance: String, Sendable, CaseIterable {
    case euclidean, cosine
}

/// - Parameters:
///   - anchors, positives, negatives: `(n, size)`.
///   - margin: in units of the distance; cosine distance is 1 − cosine.
/// - Returns: the mean of max(0, d(anchor, positive) − d(anchor, negative) + margin).
package func tripletLoss<S: TensorScalar>(
    anchors: Variable<S>, positives: Variable<S>, negatives: Variable<S>, distance: TripletDistance = .euclidean, margin: S = 5,
    on tape: Tape<S>?
) -> Variable<S> {
    let difference: Variable<S>
    switch distance {
    case .euclidean:
        difference = sum(
            rowDistances(anchors, positives, on: tape), scaled(rowDistances(anchors, negatives, on: tape), by: -1, on: tape), on: tape)
    case .cosine:
        let a = normalizedRows(anchors, on: tape)
        difference = sum(
            rowDots(a, normalizedRows(negatives, on: tape), on: tape),
            scaled(rowDots(a, normalizedRows(positives, on: tape), on: tape), by: -1, on: tape), on: tape)
    }
    let margins = Variable(Tensor(repeating: margin, shape: difference.shape))
    return mean(activated(sum(difference, margins, on: tape), .relu, on: tape), on: tape)
}

/// Matryoshka representation learning (Kusupati et al. 2022): the sum of a loss over prefixes of the vectors, so that the first
/// components alone are vectors too.
///
/// - Parameters:
///   - vectors: whatever the loss takes, each `(n, size)`.
///   - dimensions: lengths of the prefixes; the whole length is usually among them.
///   - weights: of each prefix; 1 if not given.
package func matryoshkaLoss<S: TensorScalar>(
    _ vectors: [Variable<S>], dimensions: [Int], weights: [S]? = nil, on tape: Tape<S>?, _ loss: ([Variable<S>]) -> Variable<S>
) -> Variable<S> {
    precondition(!dimensions.isEmpty && (weights == nil || weights!.count == dimensions.count))
    let parts = dimensions.enumerated().map { index, dimension in
        let cut = vectors.map { $0.value.columns == dimension ? $0 : columns($0, 0..<dimension, on: tape) }
        return scaled(loss(cut), by: weights?[index] ?? 1, on: tape)
    }
    return parts.dropFirst().reduce(parts[0]) { sum($0, $1, on: tape) }
}
