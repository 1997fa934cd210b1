import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Statistics
import Tensors
import TestSupport
import TestTools
import Testing
import Training

/// Classifiers against PyTorch, transformers and scikit-learn (tools/golden/classifiers.py), and their promises.
@Suite struct ClassifierTests {
    private struct Golden: Decodable {
        struct Run: Decodable { var losses: [Double], logits: [[Double]] }
        var texts: [String], labels: [Int], train: Int, features: Int
        var tfidf: [String: [[Double]]]
        var runs: [String: Run], ids: [[Int32]]
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/classifier")
    private let golden: Golden

    init() throws { golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: Self.folder.appending(path: "golden.json"))) }

    private func table(_ labels: [String], second: Bool = false, groups: [String]? = nil) throws -> LabelledTexts {
        var columns: [(name: String, values: [String])] = [("text", golden.texts), ("label", labels)]
        if second { columns.append(("second", golden.texts.indices.map { golden.texts[($0 + 5) % golden.texts.count] })) }
        if let groups { columns.append(("group", groups)) }
        return try LabelledTexts(
            Table(name: "golden", columns: columns),
            columns: .init(text: "text", second: second ? "second" : nil, label: "label", group: groups == nil ? nil : "group"),
            task: .classification)
    }

    @Test func characterTFIDFIsScikitLearns() throws {
        for (name, labels) in [("three", golden.labels.map(String.init)), ("two", golden.labels.map { $0 > 0 ? "1" : "0" })] {
            let data = try table(labels)
            let scores = try CharacterMethod(penalty: 0.1).scores(
                data, train: Array(0..<golden.train), test: Array(golden.train..<data.count))
            let own = softmaxRows(scores)
            for (row, expected) in (golden.tfidf[name] ?? []).enumerated() {
                for (k, p) in expected.enumerated() { #expect(abs(own[row, k] - p) < 1e-5, "\(name) row \(row)") }
            }
        }
    }

    /// Eight steps of fine-tuning give the losses and logits of transformers, or of a linear layer on its pooled states, and the saved folder gives
    /// them again.
    @Test(arguments: ["classification", "pairs", "regression", "linear"]) func fineTuningIsTransformers(_ name: String) throws {
        let expected = try #require(golden.runs[name])
        let isRegression = name == "regression"
        let columns: [(name: String, values: [String])] = [
            ("text", golden.texts), ("label", golden.labels.map(String.init)),
            ("second", golden.texts.indices.map { golden.texts[($0 + 5) % golden.texts.count] }),
        ]
        let data = try LabelledTexts(
            Table(name: "golden", columns: columns), columns: .init(text: "text", second: name == "pairs" ? "second" : nil, label: "label"),
            task: isRegression ? .regression : .classification)
        let base = try PretrainedBase(model: Self.folder.path)
        var settings = FineTuning()
        (settings.epochs, settings.batchSize, settings.learningRate, settings.warmup) = (8, data.count, 1e-2, 0.125)
        settings.head = name == "linear" ? .linear : .mlp
        let encodings = try base.encode(data, threads: 2).encodings
        if name != "pairs" { #expect(encodings.map(\.ids) == golden.ids) }
        let trainer = try ClassifierTrainer(
            settings, base: base, data: data, encodings: encodings, train: Array(0..<data.count), heldOut: [], threads: 2)
        trainer.network.output.weight.assign(Tensor(shape: trainer.network.output.weight.shape))
        var losses: [Double] = []
        try trainer.run(watch: { if case .step(_, let found, _, _, _) = $0 { losses.append(found[0].loss) } })
        // Standardized numbers have the mean 0, so the head's bias has the gradient 0 but for rounding, which Adam scales up to whole steps
        // on either side.
        let tolerance = isRegression ? 0.015 : 2e-4
        for (own, other) in zip(losses, expected.losses) { #expect(abs(own - other) < tolerance, "\(losses) \(expected.losses)") }
        let logits = try trainer.scores(Array(0..<data.count))
        let numbers = golden.labels.map(Double.init), center = mean(numbers), spread = standardDeviation(numbers)
        for (row, values) in expected.logits.enumerated() {
            for (k, value) in values.enumerated() {
                #expect(
                    abs(logits[row, k] - (isRegression ? value * spread + center : value)) < (isRegression ? 0.05 : 1e-3),
                    "row \(row): \(logits[row, k]) \(value)")
            }
        }
        let folder = try TestFolder.name("classifier")
        try ClassifierWriter(base: base, task: data.task, labels: data.labels).write(trainer.network, to: folder)
        let again = try TextClassifier(model: folder.path)
        #expect(again.labels == data.labels && again.task.rawValue == data.task.problemType)
        let read = try again.logits(data.texts, data.seconds).logits
        if name == "linear" {
            for i in 0..<read.count { #expect(abs(read[i] - logits[i]) < 1e-5) }
        } else {
            #expect(read.hasSameBits(as: logits))
        }
    }

    @Test func killedAndResumedToTheSameBits() throws {
        let data = try table(golden.labels.map(String.init)), base = try PretrainedBase(model: Self.folder.path)
        var settings = FineTuning()
        (settings.epochs, settings.batchSize, settings.learningRate, settings.dropout, settings.stopsEarly, settings.heldOutShare) = (
            4, 4, 3e-3, 0.1, true, 0.25
        )
        (settings.layerDecay, settings.pull, settings.isBalanced) = (0.8, 5, true)
        let encodings = try base.encode(data, threads: 1).encodings,
            parts = try ClassifierTrainer.parts(of: Array(0..<data.count), data, settings)
        #expect(!parts.heldOut.isEmpty && Set(parts.heldOut).isDisjoint(with: parts.train))
        func trainer(_ threads: Int) throws -> ClassifierTrainer {
            try ClassifierTrainer(
                settings, base: base, data: data, encodings: encodings, train: parts.train, heldOut: parts.heldOut, threads: threads)
        }
        let whole = try trainer(1)
        try whole.run()
        let folder = try TestFolder.make("run")
        for stop in [2, 5] {
            let part = try trainer(3)
            #expect(throws: DataError.self) { try part.run(in: folder, shouldStop: { part.step == stop }) }
            #expect(part.step == stop)
        }
        let rest = try trainer(2)
        try rest.run(in: folder)
        for (a, b) in zip(whole.network.parameters, rest.network.parameters) { #expect(a.value.hasSameBits(as: b.value)) }
        // Another seed is another run, and its checkpoint is refused.
        settings.seed = 7
        #expect(throws: DataError.self) { try trainer(1).run(in: folder) }
    }

    @Test func frozenPartsStandStill() throws {
        let data = try table(golden.labels.map(String.init)), base = try PretrainedBase(model: Self.folder.path),
            encodings = try base.encode(data, threads: 1).encodings
        func moved(
            _ freeze: FineTuning.Freeze, pull: Double = 0
        ) throws -> (embeddings: Double, first: Double, second: Double, head: Double) {
            var settings = FineTuning()
            (settings.freeze, settings.epochs, settings.batchSize, settings.learningRate, settings.pull) = (freeze, 2, 8, 1e-2, pull)
            let rows = Array(0..<data.count)
            let before = try ClassifierTrainer(settings, base: base, data: data, encodings: encodings, train: rows, heldOut: [], threads: 1)
            let after = try ClassifierTrainer(settings, base: base, data: data, encodings: encodings, train: rows, heldOut: [], threads: 1)
            try after.run()
            func distance(_ parameters: (SequenceClassifier<Float>) -> [Parameter<Float>]) -> Double {
                zip(parameters(before.network), parameters(after.network)).reduce(0) { sum, pair in
                    sum + zip(pair.0.value.elements, pair.1.value.elements).reduce(0) { $0 + abs(Double($1.0 - $1.1)) }
                }
            }
            return (
                distance { [$0.encoder.words] + $0.encoder.embeddingNorm.parameters }, distance { $0.encoder.distinctLayers[0].parameters },
                distance { $0.encoder.distinctLayers[1].parameters }, distance { $0.output.parameters }
            )
        }
        let free = try moved(.none), embeddings = try moved(.embeddings), one = try moved(.layers(1)), pulled = try moved(.none, pull: 50)
        #expect(free.embeddings > 0 && free.first > 0 && free.second > 0 && free.head > 0)
        #expect(embeddings.embeddings == 0 && embeddings.first > 0)
        #expect(one.embeddings == 0 && one.first == 0 && one.second > 0)
        #expect(pulled.second < free.second && pulled.second > 0)
        #expect(throws: DataError.self) { try moved(.layers(3)) }
    }

    /// A head on frozen vectors, saved, gives the same logits through the folder; its penalty is chosen without the tested rows.
    @Test func frozenHeadIsALayerBehindTheVectors() throws {
        let model = try TinyModel(), words = ["snow", "dogs", "play", "the cat", "two in the", "cat dogs"]
        let texts = (0..<60).map { "\(words[$0 % 6]) \(words[($0 / 6) % 6])" }, labels = (0..<60).map { $0 % 6 < 3 ? "snowy" : "feline" }
        let data = try LabelledTexts(
            Table(name: "t", columns: [("text", texts), ("label", labels)]), columns: .init(text: "text", label: "label"),
            task: .classification)
        let encoder = try SentenceEncoder(model: model.folder.path)
        var method = FrozenMethod(name: "frozen", first: try encoder.encode(texts), threads: 2)
        method.calibrates = true
        let rows = Array(0..<60), head = try method.fit(data, train: rows), temperature = try method.temperature(data, train: rows, head)
        let folder = try TestFolder.name("frozen")
        try ClassifierWriter(
            base: PretrainedBase(model: model.folder.path), task: .classification, labels: data.labels, temperature: temperature
        ).write(head, to: folder)
        let again = try TextClassifier(model: folder.path), own = head.scores(method.features), read = try again.logits(texts).logits
        for i in 0..<own.count { #expect(abs(own[i] - read[i]) < 1e-4 * max(1, abs(own[i]))) }
        #expect(again.labels == ["feline", "snowy"] && again.temperature == temperature && temperature != nil)
        #expect(throws: DataError.self) { try again.logits(texts, texts) }
        // The tested rows' labels change nothing.
        let train = Array(0..<40), test = Array(40..<60)
        let changed = try LabelledTexts(
            Table(name: "t", columns: [("text", texts), ("label", labels.enumerated().map { $0 < 40 ? $1 : "snowy" })]),
            columns: .init(text: "text", label: "label"), task: .classification)
        #expect(try method.scores(data, train: train, test: test).hasSameBits(as: method.scores(changed, train: train, test: test)))
        #expect(
            try FrozenMethod(name: "frozen", first: encoder.encode(texts), threads: 1).scores(data, train: train, test: test)
                .hasSameBits(
                    as: FrozenMethod(name: "frozen", first: encoder.encode(texts), threads: 3).scores(data, train: train, test: test)))
    }

    @Test func labelsAreReadWithCare() throws {
        func read(_ labels: [String], task: ClassificationTask = .classification, known: [String]? = nil) throws -> LabelledTexts {
            try LabelledTexts(
                Table(name: "t", columns: [("text", labels.indices.map { "text \($0)" }), ("label", labels)]),
                columns: .init(text: "text", label: "label"), task: task, known: known)
        }
        #expect(try read(["10", "9", "", " 9 "]).labels == ["9", "10"])
        #expect(try read(["10", "9", "", "9"]).unlabelled == [3])
        #expect(
            try read(["a;b", "b", "c | a"], task: .multilabel).sets == [[true, true, false], [false, true, false], [true, false, true]])
        func message(_ body: () throws -> LabelledTexts) -> String {
            do { _ = try body() } catch let error as DataError { return error.message } catch {}
            return ""
        }
        #expect(message { try read(["a", "a", "a"]) }.contains("only one class"))
        #expect(message { try read((0..<50).map { "id\($0)" }) }.contains("looks like ids"))
        #expect(message { try read(["a", "x"], known: ["a", "b"]) }.contains("'x'"))
        #expect(message { try read(["1", "two"], task: .regression) }.contains("not a number"))
        #expect(message { try read(["", ""]) }.contains("no row has both"))
        let grouped = try table((0..<16).map { $0 < 4 ? "rare" : "common" }, groups: (0..<16).map { $0 < 4 ? "g0" : "g\($0 / 2)" })
        do {
            _ = try grouped.folds(3, stratified: false, seed: 0)
            Issue.record("a fold without a class was accepted")
        } catch let error as DataError { #expect(error.message.contains("rare")) }
    }

    @Test func leakageIsCounted() throws {
        var texts = golden.texts
        texts[13] = "the  CAT sat on the mat."
        texts[14] = "Two dogs play in the snow!"
        let data = try LabelledTexts(
            Table(
                name: "t", columns: [("text", texts), ("label", golden.labels.map(String.init)), ("g", texts.indices.map { "g\($0 % 6)" })]),
            columns: .init(text: "text", label: "label", group: "g"), task: .classification)
        let check = LeakageCheck(data, splits: [(Array(0..<12), Array(12..<16))])
        #expect(check.identical == [13] && check.nearlyIdentical == [14] && check.sharedGroups == ["g0", "g1", "g2", "g3"])
    }
}

/// Autoencoders: linear ones against principal components, sparse ones by what they promise.
@Suite struct AutoencoderTests {
    /// Rows on a curved sheet in eight dimensions, with some noise.
    private var curved: Tensor<Float> {
        var random = RandomSource(seed: 4)
        var x = Tensor<Float>(uninitialized: [300, 8])
        for row in 0..<300 {
            let a = 3 * (random.uniform() - 0.5), b = random.uniform() - 0.5
            let values = [a, a * a, a * a * a / 3, b, a * b, 0.5 * b, 0.2 * a, 1]
            for (column, value) in values.enumerated() { x[row, column] = Float(value + 0.02 * random.normal()) }
        }
        return x
    }

    @Test func linearTiedCodesSpanThePrincipalComponents() throws {
        let x = curved
        var settings = AutoencoderSettings()
        (settings.code, settings.isTied) = (3, true)
        let model = try Autoencoder(x, settings: settings)
        let directions = try #require(model.directions)
        // The components themselves, by the singular values of the centred rows.
        let rows = Tensor((0..<300).flatMap { row in (0..<8).map { Double(x[row, $0]) - model.mean[$0] } }, shape: [300, 8]),
            v = try singularValues(rows).v
        for k in 0..<3 {
            // What is left of a component outside the span of the directions, by Gram–Schmidt.
            var basis: [[Double]] = []
            for i in 0..<3 {
                var d = (0..<8).map { directions[i, $0] }
                for b in basis {
                    let inner = zip(d, b).reduce(0) { $0 + $1.0 * $1.1 }
                    for c in 0..<8 { d[c] -= inner * b[c] }
                }
                let length = d.reduce(0) { $0 + $1 * $1 }.squareRoot()
                basis.append(d.map { $0 / length })
            }
            var left = (0..<8).map { v[k, $0] }
            for b in basis {
                let inner = zip(left, b).reduce(0) { $0 + $1.0 * $1.1 }
                for c in 0..<8 { left[c] -= inner * b[c] }
            }
            #expect(left.reduce(0) { $0 + $1 * $1 }.squareRoot() < 1e-3, "component \(k + 1)")
        }
        #expect(model.isConverged == true)
        settings.threads = 1
        #expect(try Autoencoder(x, settings: settings).codes(x).hasSameBits(as: model.codes(x)))
    }

    @Test func aHiddenLayerFollowsTheCurve() throws {
        let x = curved
        var settings = AutoencoderSettings()
        (settings.code, settings.iterations) = (2, 400)
        let linear = try Autoencoder(x, settings: settings).reconstructionError(x).share
        settings.hidden = 12
        let bent = try Autoencoder(x, settings: settings).reconstructionError(x).share
        #expect(bent < linear / 2, "\(bent) \(linear)")
        settings.isTied = true
        #expect(try Autoencoder(x, settings: settings).reconstructionError(x).share < 1.5 * linear)
    }

    @Test func sparseCodesHaveFewActiveUnits() throws {
        let x = curved
        var settings = AutoencoderSettings()
        (settings.code, settings.active, settings.iterations, settings.learningRate) = (12, 3, 1500, 5e-3)
        let model = try Autoencoder(x, settings: settings), codes = try model.codes(x)
        for row in 0..<300 { #expect((0..<12).count { codes[row, $0] != 0 } <= 3 && (0..<12).allSatisfy { codes[row, $0] >= 0 }) }
        #expect(try model.reconstructionError(x).share < 0.5)
        settings.active = nil
        func activity(_ sparsity: Double) throws -> Double {
            settings.sparsity = sparsity
            let codes = try Autoencoder(x, settings: settings).codes(x)
            return codes.elements.reduce(0) { $0 + abs($1) }
        }
        #expect(try activity(0.3) < activity(0.001))
        settings.corruption = 0.2
        #expect(try Autoencoder(x, settings: settings).reconstructionError(x).share < 1)
        settings.active = 13
        #expect(throws: DataError.self) { try Autoencoder(x, settings: settings) }
    }
}
