import Analysis
import FileFormats
import Foundation
import Interpretation
import Tensors
import Testing

/// A treebank of a few small trees.
func smallCorpus() throws -> ProbeCorpus {
    try ProbeCorpus(
        WrittenTreebank.make(
            [[0, 1, 2, 1], [2, 0], [0], [2, 3, 0, 3, 4]].map { heads in
                heads.enumerated().map { WrittenTreebank.Word(form: "w\($0)", head: $1, relation: $1 == 0 ? "root" : "dep") }
            }))
}

func randomTensor<S: TensorScalar>(_ shape: [Int], seed: UInt64, scale: Double = 1, as type: S.Type = S.self) -> Tensor<S> {
    var random = RandomSource(seed: seed)
    return Tensor((0..<shape.reduce(1, *)).map { _ in S(random.normal() * scale) }, shape: shape)
}

@Suite struct Objective {
    /// The gradient in Double against central differences; no error of the sample lies so near to zero that its sign turns.
    @Test(arguments: ProbeKind.allCases) func gradientAgreesWithFiniteDifferences(_ kind: ProbeKind) throws {
        let corpus = try smallCorpus(), dimension = 6, rank = 4
        let objective = ProbeObjective(
            kind: kind, corpus: corpus, vectors: randomTensor([corpus.wordCount, dimension], seed: 1, as: Double.self))
        var b: Tensor<Double> = randomTensor([dimension, rank], seed: 2, scale: 0.7)
        var gradient = Tensor<Double>(shape: [dimension, rank])
        func loss(_ b: Tensor<Double>) -> Double {
            b.withUnsafeElements { objective.loss(0..<4, projection: $0, rank: rank, gradient: nil) } / 4
        }
        b.withUnsafeElements { b in
            gradient.withUnsafeMutableElements { _ = objective.loss(0..<4, projection: b, rank: rank, gradient: $0) }
        }
        for index in 0..<b.count {
            let step = 1e-6, value = b[index]
            b[index] = value + step
            let above = loss(b)
            b[index] = value - step
            let below = loss(b)
            b[index] = value
            #expect(abs((above - below) / (2 * step) - gradient[index]) < 1e-7, "entry \(index)")
        }
    }

    @Test func lossOfTheIdentityByHand() throws {
        // Words at 0, 1, 3 on a line; tree 0 - 1 - 2: squared distances 1, 4, 9 against 1, 1, 2.
        let corpus = try ProbeCorpus(WrittenTreebank.make([(0..<3).map { WrittenTreebank.Word(form: "w", head: $0, upos: "X") }]))
        let vectors = Tensor<Double>([0, 1, 3], shape: [3, 1])
        let distance = ProbeObjective(kind: .distance, corpus: corpus, vectors: vectors),
            depth = ProbeObjective(kind: .depth, corpus: corpus, vectors: vectors)
        let one: [Double] = [1]
        let distanceLoss = distance.loss(0..<1, projection: one, rank: 1, gradient: nil),
            depthLoss = depth.loss(0..<1, projection: one, rank: 1, gradient: nil)
        // Both orders of (0, 1): 0, (1, 2): 3 and (0, 2): 7; squared depths 0, 1, 9 against 0, 1, 2.
        let expectedDistance = 20.0 / 9, expectedDepth = 7.0 / 3
        #expect(abs(distanceLoss - expectedDistance) < 1e-12)
        #expect(abs(depthLoss - expectedDepth) < 1e-12)
    }
}
