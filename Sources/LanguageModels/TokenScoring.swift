import Autograd
import Tensors

/// How expected targets are, from hidden states: logits are made and looked through in blocks of states, and never held all at once.
///
/// - Parameters:
///   - states: `(targets.count, hiddenSize)`.
///   - logits: scores of the vocabulary from some states; a state's scores do not depend on the others.
package func tokenScores(
    _ states: Tensor<Float>, targets: [Int32], logits: (Variable<Float>) -> Variable<Float>
) -> [TokenScore] {
    precondition(states.rows == targets.count)
    var scores: [TokenScore] = []
    scores.reserveCapacity(targets.count)
    // Products take 64 rows at once.
    for range in Parallel.chunks(targets.count, size: 64) {
        let found = Float.tokenScores(logits(Variable(states.rows(range))).value.view, targets: Array(targets[range]))
        for i in range.indices.map({ $0 - range.lowerBound }) {
            scores.append(TokenScore(logProbability: found.logProbabilities[i], entropy: found.entropies[i], rank: found.ranks[i]))
        }
    }
    return scores
}
