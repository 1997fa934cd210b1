import Autograd
import Tensors
import Testing
import Training

@Suite struct LossTests {
    private func loss<S: TensorScalar>(_ name: String, _ v: [Variable<S>], _ golden: Golden.Loss, on tape: Tape<S>?) -> Variable<S>? {
        func teacher(_ range: Range<Int>? = nil) -> Tensor<S> {
            let all = golden.teacher.map { $0.tensor(S.self) } ?? Tensor(shape: [0, 0])
            return range.map { all.rows($0) } ?? all
        }
        switch name {
        case "inBatchNegatives": return inBatchNegativesLoss(anchors: v[0], positives: v[1], scale: 10, on: tape)
        case "inBatchNegatives.hard": return inBatchNegativesLoss(anchors: v[0], positives: v[1], negatives: v[2], scale: 10, on: tape)
        case "inBatchNegatives.symmetric": return inBatchNegativesLoss(anchors: v[0], positives: v[1], scale: 10, symmetric: true, on: tape)
        case "cosent": return cosentLoss(first: v[0], second: v[1], labels: golden.labels, on: tape)
        case "cosineRegression": return cosineRegressionLoss(first: v[0], second: v[1], labels: golden.labels, on: tape)
        case "triplet.euclidean": return tripletLoss(anchors: v[0], positives: v[1], negatives: v[2], margin: 1.5, on: tape)
        case "triplet.cosine": return tripletLoss(anchors: v[0], positives: v[1], negatives: v[2], distance: .cosine, margin: 0.4, on: tape)
        case "distillation": return distillationLoss(students: v[0], teachers: teacher(), on: tape)
        case "similarityDistillation":
            return similarityDistillationLoss(
                queries: v[0], keys: v[1], teacherQueries: teacher(0..<6), teacherKeys: teacher(6..<12), scale: 5, on: tape)
        case "matryoshka":
            return matryoshkaLoss(v, dimensions: [8, 4, 2], weights: [1, 0.5, 0.25], on: tape) {
                inBatchNegativesLoss(anchors: $0[0], positives: $0[1], scale: 10, on: tape)
            }
        default: return nil
        }
    }

    private func compare<S: TensorScalar>(_ name: String, _ golden: Golden.Loss, _ type: S.Type, _ tolerance: Double) throws {
        let tape = Tape<S>()
        let vectors = golden.vectors.map { tape.input($0.tensor(S.self)) }
        let value = try #require(loss(name, vectors, golden, on: tape))
        #expect(abs(Double(value.value[0]) - golden.loss) < tolerance * max(1, abs(golden.loss)), "\(name) in \(type)")
        tape.backward(from: value)
        for (vector, expected) in zip(vectors, golden.gradients) {
            let error = relativeError(tape.gradient(of: vector), expected.data)
            #expect(error < tolerance, "\(name): gradient off by \(error) in \(type)")
        }
    }

    @Test(arguments: Golden.shared?.losses.keys.sorted() ?? [])
    func agreesWithSentenceTransformers(_ name: String) throws {
        let golden = try #require(Golden.shared?.losses[name])
        try compare(name, golden, Double.self, 1e-9)
        try compare(name, golden, Float.self, 2e-5)
    }

    @Test func thereIsAGoldenFile() { #expect((Golden.shared?.losses.count ?? 0) == 10) }

    /// The same sentence twice in a batch: neither copy counts against the other.
    @Test func sameSentencesAreNoNegatives() {
        let a = Variable(Tensor<Double>([1, 0, 1, 0, 0, 1], shape: [3, 2]))
        let plain = inBatchNegativesLoss(anchors: a, positives: a, scale: 10, symmetric: true, on: nil).value[0]
        let aware = inBatchNegativesLoss(anchors: a, positives: a, scale: 10, symmetric: true, confusable: [(0, 1), (1, 0)], on: nil).value[
            0]
        #expect(plain > 0.4)
        #expect(aware < 1e-4)
    }

    /// Cosines far apart do not overflow.
    @Test func cosentStaysFinite() {
        let x = Variable(Tensor<Float>([1000, -1000, 0], shape: [3]))
        let value = rankedSoftPlus(x, labels: [0, 1, 0.5], on: nil).value[0]
        #expect(abs(value - 2000) < 1e-3)
    }
}
