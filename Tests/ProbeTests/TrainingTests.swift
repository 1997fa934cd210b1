import Analysis
import FileFormats
import Foundation
import Interpretation
import Tensors
import Testing

@Suite struct Training {
    /// Random trees whose words lie where a true map has the tree's distances, hidden among noise in other directions: each edge is a
    /// direction of its own, so that squared distances are tree distances.
    static func planted(sentences: Int, seed: UInt64) throws -> (corpus: ProbeCorpus, vectors: Tensor<Float>) {
        var random = RandomSource(seed: seed)
        let edges = 12, noise = 4, dimension = edges + noise
        var words: [[Int]] = [], values: [Float] = []
        for _ in 0..<sentences {
            let count = 3 + random.below(edges - 2)
            var heads = [0]
            for word in 1..<count { heads.append(1 + random.below(word)) }
            words.append(heads)
            var places: [[Float]] = []
            for word in 0..<count {
                var place = word == 0 ? [Float](repeating: 0, count: edges) : places[heads[word] - 1]
                if word > 0 { place[word - 1] += 1 }
                places.append(place)
                values += place + (0..<noise).map { _ in Float(3 * random.normal()) }
            }
        }
        let bank = try WrittenTreebank.make(
            words.map { heads in heads.enumerated().map { WrittenTreebank.Word(form: "w\($0)", head: $1) } })
        let corpus = try ProbeCorpus(bank)
        return (corpus, Tensor(values, shape: [corpus.wordCount, dimension]))
    }

    @Test(arguments: ProbeKind.allCases) func findsAPlantedTree(_ kind: ProbeKind) throws {
        let train = try Self.planted(sentences: 600, seed: 1), dev = try Self.planted(sentences: 100, seed: 2)
        var training = ProbeTraining.improved(kind, rank: 16)
        training.learningRate = 0.01
        training.maximumEpochs = 60
        let trained = try training.train(train.corpus, train.vectors, dev: dev.corpus, dev.vectors)
        let offsets = dev.corpus.offsets
        let evaluation = try ProbeEvaluation(dev.corpus) { sentence in
            let vectors = dev.vectors.rows(offsets[sentence]..<offsets[sentence + 1])
            return kind == .distance
                ? ProbePrediction(distances: trained.probe.distances(vectors)) : ProbePrediction(depths: trained.probe.depths(vectors))
        }
        #expect(evaluation.value(kind == .distance ? .uuas : .rootAccuracy) > 0.95)
        #expect(evaluation.value(kind == .distance ? .distanceSpearman : .depthSpearman) > 0.9)
    }

    @Test func sameBitsWhateverTheThreads() throws {
        let train = try Self.planted(sentences: 80, seed: 3), dev = try Self.planted(sentences: 20, seed: 4)
        var sweep = ProbeSweep(layers: [0, 1], ranks: [2, 7]) { kind, rank in
            var training = ProbeTraining.improved(kind, rank: rank)
            training.maximumEpochs = 3
            return training
        }
        sweep.hasControls = true
        func run(_ threads: Int) throws -> [ProbeSweep.Result] {
            let set = ProbeSweep.DataSet(corpus: train.corpus, vectors: [train.vectors, train.vectors])
            let held = ProbeSweep.DataSet(corpus: dev.corpus, vectors: [dev.vectors, dev.vectors])
            return try sweep.run(train: set, dev: held, test: held, threads: threads)
        }
        let one = try run(1), three = try run(3)
        #expect(one.count == 8 && one.map(\.setting) == three.map(\.setting))
        for (a, b) in zip(one, three) {
            #expect(a.trained.map(\.probe.kind) == [.distance, .depth])
            for (x, y) in zip(a.trained, b.trained) {
                #expect(x.epochs == y.epochs)
                #expect(x.probe.projection == y.probe.projection)
            }
            #expect(a.evaluation.has(.directed))
        }
    }

    @Test func settingsOfTheReference() throws {
        let training = ProbeTraining.reference(.distance, rank: 7)
        #expect(training.batch == 20 && training.learningRate == 0.001 && training.plateauFactor == 0.1 && training.plateauPatience == 0)
        #expect(training.maximumEpochs == 40 && training.stopPatience == 5 && training.initialRange == 0.05 && training.scaling == .none)
    }

    @Test func badInputs() throws {
        let (corpus, vectors) = try Self.planted(sentences: 5, seed: 5)
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch let error as DataError { return error.description } catch {}
            return "nothing was thrown"
        }
        #expect(
            message { _ = try ProbeTraining.improved(.distance, rank: 17).train(corpus, vectors, dev: corpus, vectors) }.contains(
                "the rank 17 is not between 1 and 16"))
        #expect(
            message { _ = try ProbeTraining.improved(.distance, rank: 0).train(corpus, vectors, dev: corpus, vectors) }.contains("rank 0"))
        var damaged = vectors
        damaged[corpus.offsets[2], 3] = .nan
        #expect(
            message { _ = try ProbeTraining.improved(.depth, rank: 2).train(corpus, damaged, dev: corpus, vectors) }.contains(
                "sentence #3: the vector of word 1"))
        let other = Tensor<Float>(repeating: 1, shape: [corpus.wordCount, 5])
        #expect(
            message { _ = try ProbeTraining.improved(.depth, rank: 2).train(corpus, vectors, dev: corpus, other) }.contains(
                "different encoders"))
        let large = Tensor<Float>(repeating: 3e38, shape: vectors.shape)
        #expect(message { _ = try ProbeTraining.reference(.depth, rank: 2).train(corpus, large, dev: corpus, large) }.contains("overflows"))
    }
}
