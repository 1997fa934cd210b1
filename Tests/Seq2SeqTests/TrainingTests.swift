import Autograd
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Testing
import Training

@Suite struct Seq2SeqTrainingTests {
    /// Reverse four letters: small enough to learn in a second.
    private func reversal(
        _ architecture: Seq2SeqConfiguration.Architecture, count: Int = 60
    ) throws -> (Seq2SeqModel, [Seq2SeqItem], [Seq2SeqExample]) {
        var random = RandomSource(seed: 7)
        let items = (0..<count).map { line in
            let letters = (0..<2 + random.below(3)).map { _ in ["あ", "い", "う", "え", "お"][random.below(5)] }
            return Seq2SeqItem(source: letters.joined(), target: letters.reversed().joined(), line: line + 1)
        }
        let tokenizer = makeSymbolTokenizer(items.flatMap { [$0.source, $0.target] }, unit: .characters)
        var configuration = try Seq2SeqModel.fitted(Seq2SeqConfiguration(architecture, vocabularySize: 4), to: tokenizer)
        configuration.maximumLength = 8
        let model = try Seq2SeqModel(network: makeSeq2SeqNetwork(configuration, seed: 1), tokenizerJSON: tokenizer)
        return (model, items, try model.examples(of: items))
    }

    private var transformer: Seq2SeqConfiguration.Architecture {
        var shape = Seq2SeqConfiguration.Transformer()
        shape.hiddenSize = 16
        shape.intermediateSize = 32
        return .transformer(shape)
    }

    private var recurrent: Seq2SeqConfiguration.Architecture {
        var shape = Seq2SeqConfiguration.Recurrent()
        shape.hiddenSize = 24
        shape.embeddingSize = 12
        shape.attention = .additive
        return .recurrent(shape)
    }

    private func options(threads: Int = 2) -> Seq2SeqTrainingOptions {
        var options = Seq2SeqTrainingOptions()
        options.optimizer = OptimizerConfiguration(.adam, learningRate: 1e-2)
        options.batchSize = 12
        options.shardSize = 4
        options.clipping = 1
        options.threads = threads
        return options
    }

    @Test func learnsAndWritesFreely() throws {
        for architecture in [transformer, recurrent] {
            let (model, items, examples) = try reversal(architecture)
            let trainer = try Seq2SeqTrainer(model.network, examples: examples, options: options())
            let first = try trainer.runEpoch()
            var last = first
            for _ in 0..<90 { last = try trainer.runEpoch() }
            #expect(last.loss < first.loss / 10)
            let evaluation = try FreeRunningEvaluation(model, items: items, examples: examples)
            #expect(evaluation.exactMatch > 0.9)
            #expect(evaluation.tokenAccuracy >= evaluation.exactMatch - 0.05)
        }
    }

    @Test func unshiftedTargetsTeachCopyingOnly() throws {
        let (model, items, examples) = try reversal(transformer)
        var unshifted = options()
        unshifted.decoderInput = .unshifted
        let trainer = try Seq2SeqTrainer(model.network, examples: examples, options: unshifted)
        for _ in 0..<40 { _ = try trainer.runEpoch() }
        #expect(teacherForcedMatches(model, examples, input: .unshifted) == examples.count)
        #expect(try FreeRunningEvaluation(model, items: items, examples: examples).exactMatches < examples.count / 4)
    }

    @Test(.tags(.sameBits)) func threadsDoNotChangeABit() throws {
        var results: [[Tensor<Float>]] = []
        for threads in [1, 2, 5] {
            let (model, _, examples) = try reversal(recurrent)
            var options = options(threads: threads)
            options.sampledInput = 0.3
            let trainer = try Seq2SeqTrainer(model.network, examples: examples, options: options)
            for _ in 0..<2 { _ = try trainer.runEpoch() }
            results.append(model.network.parameters.map(\.value))
        }
        for result in results.dropFirst() { #expect(zip(result, results[0]).allSatisfy { $0.hasSameBits(as: $1) }) }
    }

    @Test func frozenGroupsStandStill() throws {
        for architecture in [transformer, recurrent] {
            for group in ParameterGroup.allCases {
                let (model, _, examples) = try reversal(architecture)
                let network = model.network
                if group == .recurrence, case .transformer = architecture { continue }
                let before = network.parameters.map(\.value)
                var options = options()
                options.frozen = [group]
                let trainer = try Seq2SeqTrainer(network, examples: examples, options: options)
                _ = try trainer.runEpoch()
                var moved = 0
                for (parameter, old) in zip(network.parameters, before) {
                    if network.groups(of: parameter).contains(group) {
                        #expect(parameter.value == old)
                    } else if parameter.value != old {
                        moved += 1
                    }
                }
                #expect(moved > 0)
            }
        }
    }

    /// λ ‖θ − θ₀‖² pulls toward its target: with a large λ the parameters stay there, or go to zero.
    @Test func penaltiesHold() throws {
        func distance(_ penalty: Seq2SeqTrainingOptions.Penalty?) throws -> (moved: Double, size: Double) {
            let (model, _, examples) = try reversal(recurrent)
            let network = model.network
            let held = network.parameters.filter { network.groups(of: $0).contains(.attention) }
            let before = held.map(\.value)
            var options = options()
            options.clipping = 0
            options.optimizer = OptimizerConfiguration(.sgd, learningRate: 0.01)
            options.penalties = penalty.map { [$0] } ?? []
            let trainer = try Seq2SeqTrainer(network, examples: examples, options: options)
            for _ in 0..<20 { _ = try trainer.runEpoch() }
            var moved = 0.0, size = 0.0
            for (parameter, old) in zip(held, before) {
                for i in 0..<old.count {
                    moved += Double((parameter.value[i] - old[i]) * (parameter.value[i] - old[i]))
                    size += Double(parameter.value[i] * parameter.value[i])
                }
            }
            return (moved, size)
        }
        let free = try distance(nil)
        let held = try distance(.init(group: .attention, lambda: 5, target: .pretrained))
        let toZero = try distance(.init(group: .attention, lambda: 5, target: .zero))
        #expect(held.moved < free.moved / 10)
        #expect(toZero.size < free.size / 10)
    }

    @Test func modelDirectoryKeepsEverything() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("seq2seq-\(ProcessInfo.processInfo.processIdentifier)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for architecture in [transformer, recurrent] {
            let (model, items, examples) = try reversal(architecture, count: 12)
            try model.save(to: folder)
            let again = try Seq2SeqModel(directory: folder)
            #expect(again.configuration == model.configuration)
            let sources = PackedBatch(examples.map(\.source))
            #expect(try again.network.generate(sources) == model.network.generate(sources))
            #expect(try again.examples(of: items) == examples)
        }
        try FileManager.default.removeItem(atPath: folder + "/model.safetensors")
        #expect(throws: DataError.self) { try Seq2SeqModel(directory: folder) }
        try #"{"model_type": "bert", "vocab_size": 5}"#.write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
        do {
            _ = try Seq2SeqModel(directory: folder)
            Issue.record("an encoder was taken for a generator")
        } catch let error as DataError { #expect(error.message.contains("expected a model with a decoder") && error.kind == .badData) }
    }

    @Test func badTextsAreNamed() throws {
        let (model, _, _) = try reversal(transformer, count: 12)
        func message(_ text: String) -> String {
            do {
                _ = try model.ids(of: text, file: "pairs.tsv", line: 7)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message("").contains("pairs.tsv:7:") && message("").contains("empty"))
        #expect(message("あX").contains("'X' is not in the model's vocabulary"))
        #expect(message("ああああああああ").contains("8 tokens, but the model has positions for 7"))
        #expect(try model.ids(of: "あX", keepsUnknown: true).count == 2)
        #expect(message("か\u{3099}").contains("pairs.tsv:7:"))
    }

    @Test func tablesAreReadWithTheirLines() throws {
        let folder = FileManager.default.temporaryDirectory
        func items(_ text: String, source: String = "1", target: String = "2") throws -> [Seq2SeqItem] {
            let file = folder.appendingPathComponent("seq2seq-\(UUID().uuidString).tsv")
            defer { try? FileManager.default.removeItem(at: file) }
            try text.write(to: file, atomically: true, encoding: .utf8)
            return try readSeq2SeqItems(file.path, sourceColumn: source, targetColumn: target)
        }
        #expect(try items("a\tb\nc\td\n").map(\.target) == ["b", "d"])
        #expect(try items("intended\tproduced\na\tb\n", source: "intended", target: "produced").map(\.source) == ["a"])
        for (text, part) in [("a\tb\nc\t\n", "target is empty"), ("a\tb\n \td\n", "source is empty")] {
            do {
                _ = try items(text)
                Issue.record("no error for \(text)")
            } catch { #expect("\(error)".contains(":2:") && "\(error)".contains(part)) }
        }
        #expect(throws: DataError.self) { try items("a\tb\n", target: "3") }
    }

    @Test func comparison() {
        // かき → かぎく: one substitution, one additional unit.
        let comparison = SequenceComparison(target: ["か", "き"], output: ["か", "ぎ", "く"])
        #expect(comparison.distance == 2)
        #expect(SequenceComparison(target: ["a", "b", "c"], output: ["a", "c"]).edits == [.equal("a"), .missing("b"), .equal("c")])
        #expect(SequenceComparison(target: [], output: []).distance == 0)
        #expect(SequenceComparison(target: ["a"], output: ["b"]).coloured == "\u{1B}[31mb\u{1B}[0m")
    }
}
