import Autograd
import FileFormats
import Tensors
import Testing
import Training

@Suite struct OptimizerTests {
    private func configuration(_ method: OptimizerConfiguration.Method) -> OptimizerConfiguration {
        var configuration = OptimizerConfiguration(method, learningRate: 0.05)
        configuration.weightDecay = 0.05
        return configuration
    }

    /// Twelve steps on PyTorch's gradients end where PyTorch ends; the vector does not decay, the matrix does.
    @Test(arguments: OptimizerConfiguration.Method.allCases)
    func followsPyTorch(_ method: OptimizerConfiguration.Method) throws {
        let golden = try #require(Golden.shared), trajectory = try #require(golden.optimizers[method.rawValue])
        func end<S: TensorScalar>(_ type: S.Type, threads: Int) throws -> [Tensor<S>] {
            let parameters = [
                Parameter(try #require(golden.start["matrix"]).tensor(S.self)),
                Parameter(try #require(golden.start["vector"]).tensor(S.self)),
            ]
            let optimizer = Optimizer(configuration(method), parameters: parameters)
            for gradients in trajectory.gradients {
                optimizer.step(gradients.map { $0.tensor(S.self) }, learningRate: 0.05, threads: threads)
            }
            return parameters.map(\.value)
        }
        let exact = try end(Double.self, threads: 1), single = try end(Float.self, threads: 1)
        for (value, expected) in zip(exact, [trajectory.matrix, trajectory.vector]) { #expect(relativeError(value, expected.data) < 1e-9) }
        for (value, expected) in zip(single, [trajectory.matrix, trajectory.vector]) { #expect(relativeError(value, expected.data) < 1e-5) }
        #expect(zip(try end(Float.self, threads: 3), single).allSatisfy { $0.hasSameBits(as: $1) })
    }

    /// State taken out and put back: the next steps are the same.
    @Test(arguments: OptimizerConfiguration.Method.allCases)
    func stateGoesOn(_ method: OptimizerConfiguration.Method) throws {
        var random = RandomSource(seed: 4)
        let shape = [70_000], gradients = (0..<6).map { _ in Tensor<Float>((0..<70_000).map { _ in Float(random.normal()) }, shape: shape) }
        let one = Parameter(Tensor<Float>(repeating: 1, shape: shape)), two = Parameter(one.value)
        let first = Optimizer(configuration(method), parameters: [one])
        for gradient in gradients { first.step([gradient], learningRate: 0.01, gradientScale: 0.5) }
        let early = Optimizer(configuration(method), parameters: [two])
        for gradient in gradients[..<3] { early.step([gradient], learningRate: 0.01, gradientScale: 0.5, threads: 1) }
        let later = Optimizer(configuration(method), parameters: [two])
        let state = Dictionary(uniqueKeysWithValues: early.state.map { ($0.name, $0.tensor) })
        try later.restore(steps: early.steps) { state[$0] }
        for gradient in gradients[3...] { later.step([gradient], learningRate: 0.01, gradientScale: 0.5, threads: 2) }
        #expect(one.value.hasSameBits(as: two.value))
        if !state.isEmpty { #expect(throws: DataError.self) { try later.restore(steps: 1) { _ in nil } } }
    }

    @Test(arguments: ["constant", "linear", "cosine", "one-cycle"])
    func schedulesAreThoseOfTheReference(_ name: String) throws {
        let golden = try #require(Golden.shared?.schedules[name])
        let schedule = LearningRateSchedule(try #require(LearningRateSchedule.Shape(rawValue: name)), warmupSteps: 8, totalSteps: 40)
        for (step, expected) in golden.enumerated() { #expect(abs(schedule.factor(step: step) - expected) < 1e-9, "step \(step)") }
    }

    @Test func plateauLowersTheRate() {
        var history = EvaluationHistory()
        let measures = [0.5, 0.4, 0.5, 0.6]
        var isBest: [Bool] = [], reductions: [Int] = [], since: [Int] = []
        for (index, measure) in measures.enumerated() {
            isBest.append(history.add(measure, step: index + 1, plateauPatience: 1))
            reductions.append(history.reductions)
            since.append(history.sinceBest)
        }
        #expect(isBest == [true, false, false, true])
        #expect(reductions == [0, 0, 1, 1])
        #expect(since == [0, 1, 2, 0])
        #expect(history.bestStep == 4)
        let schedule = LearningRateSchedule(.plateau, warmupSteps: 0, totalSteps: 10)
        #expect(abs(schedule.factor(step: 5, reductions: 2) - 0.01) < 1e-12)
    }

    /// Whatever the number of threads, the very same sums.
    @Test(.tags(.sameBits)) func shardedGradientsDoNotDependOnThreads() throws {
        var random = RandomSource(seed: 8)
        func normal(_ shape: [Int]) -> Tensor<Float> { Tensor((0..<shape.reduce(1, *)).map { _ in Float(random.normal()) }, shape: shape) }
        let table = Parameter(normal([50, 24])), weight = Parameter(normal([16, 24])), bias = Parameter(normal([16]))
        let ids = (0..<13).map { _ in (0..<40).map { _ in Int32(random.below(50)) } }
        func gradients(threads: Int) throws -> [Tensor<Float>?] {
            let engine = ShardedGradients([table, weight, bias], lanes: 4, threads: threads)
            for part in 0..<2 {
                try engine.add(shards: 13, seed: UInt64(part)) { shard, tape in
                    dropout(
                        linear(embedding(ids[shard], table: table, on: tape), weight: weight, bias: bias, activation: .gelu, on: tape),
                        rate: 0.2, on: tape)
                } loss: { outputs in
                    outputs
                }
            }
            return engine.gradients
        }
        let one = try gradients(threads: 1)
        for threads in 2...5 {
            #expect(zip(try gradients(threads: threads), one).allSatisfy { $0 != nil && $0!.hasSameBits(as: $1!) })
        }
        #expect(one.allSatisfy { ($0?.squaredNorm ?? 0) > 0 })
    }
}
