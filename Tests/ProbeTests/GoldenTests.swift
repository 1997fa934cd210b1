import Analysis
import FileFormats
import Foundation
import Interpretation
import Tensors
import Testing

/// Losses, gradients and measures against values of an independent implementation (tools/golden/probes.py).
@Suite struct Golden {
    let golden: JSON
    let corpus: ProbeCorpus
    let vectors: Tensor<Float>
    let rank: Int

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/probes.json")
        golden = try JSON(contentsOf: file.path)
        rank = try #require(golden["rank"]?.int)
        let dimension = try #require(golden["dimension"]?.int)
        var values: [Float] = []
        let sentences = try #require(golden["sentences"]?.array).map { sentence in
            values += (sentence["vectors"]?.array ?? []).map { Float($0.double ?? .nan) }
            let tags = (sentence["tags"]?.array ?? []).map { $0.string ?? "" }
            return (sentence["heads"]?.array ?? []).enumerated().map { index, head in
                WrittenTreebank.Word(form: "w\(index)", head: head.int ?? 0, upos: "_", xpos: tags[index])
            }
        }
        corpus = try ProbeCorpus(WrittenTreebank.make(sentences), punctuation: .penn)
        vectors = Tensor(values, shape: [corpus.wordCount, dimension])
    }

    private func numbers(_ key: String) throws -> [Double] { try #require(golden[key]?.array).map { $0.double ?? .nan } }

    @Test(arguments: ProbeKind.allCases) func lossAndGradient(_ kind: ProbeKind) throws {
        let objective = ProbeObjective(kind: kind, corpus: corpus, vectors: vectors.converted(to: Double.self))
        let projection = try numbers("projection"), sentences = 0..<corpus.sentences.count
        var gradient = Tensor<Double>(shape: [vectors.columns, rank])
        let loss =
            gradient.withUnsafeMutableElements { objective.loss(sentences, projection: projection, rank: rank, gradient: $0) }
            / Double(sentences.count)
        #expect(abs(loss - (golden["\(kind.rawValue)_loss"]?.double ?? .nan)) < 1e-6)
        for (found, expected) in try zip(gradient.elements, numbers("\(kind.rawValue)_gradient")) { #expect(abs(found - expected) < 1e-6) }
    }

    /// Float must agree with Double but for rounding.
    @Test(arguments: ProbeKind.allCases) func gradientInFloat(_ kind: ProbeKind) throws {
        let objective = ProbeObjective(kind: kind, corpus: corpus, vectors: vectors)
        let projection = try numbers("projection").map(Float.init)
        var gradient = Tensor<Float>(shape: [vectors.columns, rank])
        _ = gradient.withUnsafeMutableElements {
            objective.loss(0..<corpus.sentences.count, projection: projection, rank: rank, gradient: $0)
        }
        for (found, expected) in try zip(gradient.elements, numbers("\(kind.rawValue)_gradient")) {
            #expect(abs(Double(found) - expected) < 2e-4)
        }
    }

    @Test func predictionsAndMeasures() throws {
        let projection = Tensor(try numbers("projection").map(Float.init), shape: [vectors.columns, rank])
        let file = ProbeFile(
            layer: 0, distance: StructuralProbe(kind: .distance, projection: projection),
            depth: StructuralProbe(kind: .depth, projection: projection))
        let last = file.predict(vectors.rows(corpus.offsets[10]..<corpus.offsets[11]))
        for (found, expected) in try zip(#require(last.distances), numbers("last_distances")) {
            #expect(abs(Double(found) - expected) < 1e-4 * max(1, expected))
        }
        for (found, expected) in try zip(#require(last.depths), numbers("last_depths")) {
            #expect(abs(Double(found) - expected) < 1e-4 * max(1, expected))
        }
        let evaluation = try ProbeSweep.evaluate(file, corpus, vectors)
        for (measure, key) in [
            (ProbeMeasure.uuas, "uuas"), (.rootAccuracy, "root_accuracy"), (.distanceSpearman, "dspr"), (.depthSpearman, "nspr"),
        ] {
            #expect(abs(evaluation.value(measure) - (golden[key]?.double ?? .nan)) < 1e-5, "\(measure.rawValue)")
        }
        #expect(!evaluation.has(.bunsetsu))
        let interval = try #require(evaluation.interval(.uuas))
        #expect(interval.contains(evaluation.value(.uuas)) && interval.upperBound > interval.lowerBound)
    }
}
