import Autograd
import FileFormats
import Foundation
import LanguageModels
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import TestSupport
import TestTools
import Testing
import Tokenizers
import Training
import VectorStore

/// A small world: sentences about letters, two "languages" (a letter and the one seven places on), made on the spot.
struct TinyRun {
    let folder: URL
    let model: TinyModel

    init() throws {
        model = try TinyModel()
        folder = try TestFolder.make("training")
        var random = RandomSource(seed: 1)
        let letters = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }
        var pairs = "a\tb\tscore\n"
        for _ in 0..<60 {
            // The other language has another letter for each.
            let words = (0..<3 + random.below(4)).map { _ in random.below(26) }
            pairs +=
                words.map { letters[$0] }.joined(separator: " ") + "\t" + words.map { letters[($0 + 7) % 26] }.joined(separator: " ")
                + "\t\(random.below(5))\n"
        }
        try write("pairs.tsv", pairs)
    }

    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }

    /// A vector file as `kotonoha embed` writes it.
    func writeVectors(_ name: String, _ texts: [String], _ vectors: [[Float]]) throws {
        let metadata = VectorMetadata(
            model: "teacher", modelSHA256: "", pooling: "mean", isNormalized: false, precision: "f32", maxLength: 20, prompt: "",
            createdBy: "test", source: "",
            sourceSHA256: "", provenance: "{}")
        let path = folder.appendingPathComponent(name).path
        let writer = try VectorFileWriter(path: path, layout: VectorLayout(dimension: vectors[0].count), metadata: metadata)
        try writer.append(VectorBlock(texts: texts, valid: texts.map { _ in true }, embeddings: vectors.flatMap { $0 }))
        try writer.finish()
    }

    func configuration(_ changes: [String: String] = [:]) throws -> SentenceTrainingConfiguration {
        var members: [String: String] = [
            "tokenizer": "\"\(model.folder.path)\"", "steps": "12", "max_length": "20", "shard_tokens": "40", "lanes": "3",
            "precision": "\"f32\"",
            "model": #"{"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40, "dropout": 0.1}"#,
            "optimizer": #"{"learning_rate": 0.003}"#, "evaluate_every": "4", "checkpoint_minutes": "0", "checkpoint_every": "5",
            "averaging": "0.9", "storage": "\"f32\"",
            "tasks": #"""
            [{"objective": "infonce", "files": "pairs.tsv", "columns": ["a", "b"], "batch_size": 16, "matryoshka": [8], "word_dropout": 0.1},
             {"objective": "cosent", "files": "pairs.tsv", "columns": ["a", "b"], "score": "score", "score_range": [0, 5], "batch_size": 8},
             {"objective": "mlm", "files": "pairs.tsv", "columns": ["a"], "batch_size": 8, "next_sentence": true}]
            """#,
            "development": #"""
            [{"name": "sts", "measure": "sts", "file": "pairs.tsv", "columns": ["a", "b"], "score": "score"},
             {"name": "pairs", "measure": "retrieval", "file": "pairs.tsv", "columns": ["a", "b"]}]
            """#,
        ]
        for (key, value) in changes { members[key] = value }
        let text = "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
        try write("config.json", text)
        return try SentenceTrainingConfiguration(file: folder.appendingPathComponent("config.json").path)
    }

    func remove() {
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(at: model.folder)
    }
}

private func weights(_ trainer: SentenceTrainer) -> [[UInt32]] { trainer.encoder.parameters.map { $0.value.elements.map(\.bitPattern) } }

@Suite struct SentenceTrainingTests {
    /// Stopped again and again, with changing numbers of threads: the very weights of an undisturbed run.
    @Test(.tags(.sameBits)) func resumedRunEndsWithTheSameBits() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let configuration = try run.configuration()
        let whole = try SentenceTrainer(configuration, threads: 1)
        try whole.run(in: run.folder.appendingPathComponent("whole"))
        let broken = run.folder.appendingPathComponent("broken")
        // Killed without a word after 7 steps: the checkpoint of step 5 is there.
        let killed = try SentenceTrainer(configuration, threads: 2)
        #expect(throws: DataError.self) {
            try killed.run(in: broken, shouldStop: { killed.step == 7 })
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: broken.path).filter { $0.hasPrefix("checkpoint") }
        #expect(names.count == 2)
        let newest = try #require(try Checkpoint.newest(in: broken))
        #expect(newest.step == 7)
        // The newer file is damaged: the older one counts.
        try Data("broken".utf8).write(to: URL(fileURLWithPath: newest.path))
        #expect(try Checkpoint.newest(in: broken)?.step == 5)
        var resumedAt: Int?
        let resumed = try SentenceTrainer(configuration, threads: 3)
        try resumed.run(in: broken, watch: { if case .resumed(let step, _) = $0 { resumedAt = step } })
        #expect(resumedAt == 5)
        #expect(weights(resumed) == weights(whole))
        try whole.takeFinalWeights(from: run.folder.appendingPathComponent("whole"))
        try resumed.takeFinalWeights(from: broken)
        #expect(weights(resumed) == weights(whole))
        func lines(_ name: String) throws -> [String] {
            try String(contentsOf: run.folder.appendingPathComponent("\(name)/log.jsonl"), encoding: .utf8).split(separator: "\n")
                .map { String($0.prefix(upTo: $0.range(of: ",\"seconds\"")?.lowerBound ?? $0.endIndex)) }
        }
        #expect(try lines("broken") == lines("whole"))
        #expect(try lines("whole").count == 15)
    }

    /// What the pairs say can be learned: retrieval rises from chance to nearly all.
    @Test func learns() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let configuration = try run.configuration([
            "steps": "150", "evaluate_every": "50", "checkpoint_every": "0", "averaging": "0",
            "tasks": #"[{"objective": "infonce", "files": "pairs.tsv", "columns": ["a", "b"], "batch_size": 60}]"#,
            "model": #"{"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40, "dropout": 0}"#,
        ])
        let trainer = try SentenceTrainer(configuration)
        let before = try #require(try trainer.evaluate()).figures[1].value
        try trainer.run(in: run.folder.appendingPathComponent("run"))
        let after = try #require(try trainer.evaluate()).figures[1].value
        #expect(before < 0.9)
        #expect(after > 0.95, "retrieval went from \(before) to \(after)")
    }

    /// The training figure: pairs with equal partners are not held against the model. Each sentence is its own partner here, twice.
    @Test func equalPartnersCountAsRight() throws {
        let run = try TinyRun()
        defer { run.remove() }
        try run.write("twice.tsv", "a\tb\n" + (0..<2).map { _ in "a b c\ta b c\nd e f\td e f\ng h i\tg h i\n" }.joined())
        let configuration = try run.configuration([
            "development": #"[{"name": "pairs", "measure": "retrieval", "file": "twice.tsv", "columns": ["a", "b"]}]"#
        ])
        #expect(try #require(try SentenceTrainer(configuration).evaluate()).figures[0].value == 1)
    }

    /// The folder that comes out is a model: read back, it gives the vectors that were trained, and it can be trained on.
    @Test func writesAModel() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let trainer = try SentenceTrainer(try run.configuration(["steps": "3"]))
        try trainer.run(in: run.folder.appendingPathComponent("run"))
        let output = run.folder.appendingPathComponent("model")
        var writer = SentenceModelWriter(maxLength: 20, tokenizerPath: run.model.folder.path)
        writer.storage = .f32
        try writer.write(trainer.encoder, tokenizer: trainer.tokenizer, to: output)
        try writer.write(trainer.encoder, tokenizer: trainer.tokenizer, to: output)
        let read = try SentenceEncoder(directory: ModelDirectory(folder: output))
        #expect(read.isNormalized && read.maxLength == 20)
        #expect(try zip(read.encoder.parameters, trainer.encoder.parameters).allSatisfy { $0.value == $1.value })
        let again = try SentenceTrainer(try run.configuration(["model": "{\"from\": \"\(output.path)\"}", "steps": "2"]))
        #expect(zip(again.encoder.parameters, trainer.encoder.parameters).allSatisfy { $0.value == $1.value })
        // Something else of that name is left alone.
        try run.write("file", "precious")
        #expect(throws: DataError.self) {
            try writer.write(trainer.encoder, tokenizer: trainer.tokenizer, to: run.folder.appendingPathComponent("file"))
        }
        #expect(try String(contentsOf: run.folder.appendingPathComponent("file"), encoding: .utf8) == "precious")
    }

    /// Masked words alone make a masked language model: its heads lie in the folder under BERT's names, and training goes on from them. With
    /// another aim beside them, only the encoder is kept.
    @Test(arguments: [false, true]) func writesAPretrainedModel(predictsNext: Bool) throws {
        let run = try TinyRun()
        defer { run.remove() }
        func settings(_ more: [String: String] = [:], tasks: String = "") throws -> SentenceTrainingConfiguration {
            let masked =
                "{\"objective\": \"mlm\", \"files\": \"pairs.tsv\", \"columns\": [\"a\"], \"batch_size\": 8, \"next_sentence\": \(predictsNext)}"
            return try run.configuration(["steps": "3", "development": "[]", "tasks": "[\(masked)\(tasks)]"].merging(more) { $1 })
        }
        func write(_ trainer: SentenceTrainer, _ name: String) throws -> ModelDirectory {
            var writer = SentenceModelWriter(trainer.configuration)
            writer.storage = .f32
            try writer.write(trainer, to: run.folder.appendingPathComponent(name))
            return try ModelDirectory(folder: run.folder.appendingPathComponent(name))
        }
        func hasHead(_ directory: ModelDirectory) throws -> Bool {
            try MaskedLanguageHead<Float>.isThere(
                json: directory.configuration, file: "config.json", names: ModelDirectory.weights(in: directory.folder).names)
        }
        let trainer = try SentenceTrainer(try settings())
        try trainer.run(in: run.folder.appendingPathComponent("run"))
        let directory = try write(trainer, "model"), heads = try #require(trainer.finishedHeads)
        #expect(directory.configuration["architectures"]?.array?.first?.string == (predictsNext ? "BertForPreTraining" : "BertForMaskedLM"))
        #expect(heads.entries.count == (predictsNext ? 9 : 5))
        #expect(try hasHead(directory))
        let archive = try ModelDirectory.weights(in: directory.folder)
        for entry in heads.entries { #expect(try archive.tensor(entry.key) == entry.stored, "\(entry.key)") }
        let model = try MaskedLanguageModel(directory: directory)
        #expect(zip(model.encoder.parameters, trainer.encoder.parameters).allSatisfy { $0.value == $1.value })
        #expect(zip(model.head.parameters, heads.entries).allSatisfy { $0.value == $1.stored })
        #expect(try SentenceEncoder(directory: directory).encoder.parameters.count == trainer.encoder.parameters.count)

        let from = "{\"from\": \"\(directory.folder.path)\"}"
        let again = try #require(try SentenceTrainer(try settings(["model": from])).finishedHeads)
        #expect(zip(again.entries, heads.entries).allSatisfy { $0.stored == $1.stored })
        let mixed = try SentenceTrainer(
            try settings(
                ["model": from], tasks: #", {"objective": "infonce", "files": "pairs.tsv", "columns": ["a", "b"], "batch_size": 8}"#))
        #expect(mixed.finishedHeads == nil)
        let vectors = try write(mixed, "vectors")
        #expect(try !hasHead(vectors))
        #expect(vectors.configuration["architectures"]?.array?.first?.string == "BertModel")
    }

    /// Batch norms train by the statistics of shards, and the model that comes out has those of its population: a vector does not depend on its
    /// neighbours, and training goes on from there.
    @Test(.tags(.sameBits)) func batchNormsEndWithThePopulation() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let model = #"{"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40, "dropout": 0, "norm": "batch"}"#
        func trained(threads: Int, _ name: String) throws -> SentenceTrainer {
            let tasks = #"[{"objective": "mlm", "files": "pairs.tsv", "columns": ["a"], "batch_size": 16}]"#
            let trainer = try SentenceTrainer(
                try run.configuration(["steps": "30", "development": "[]", "model": model, "tasks": tasks]), threads: threads)
            let folder = run.folder.appendingPathComponent(name)
            var losses: [Double] = []
            try trainer.run(in: folder, watch: { if case .step(_, let found, _, _, _) = $0 { losses.append(found[0].loss) } })
            #expect(losses.suffix(5).reduce(0, +) / 5 < losses[0])
            #expect(trainer.encoder.batchNorms.allSatisfy { $0.variance.value.squaredNorm == 0 && $0.mean.value.squaredNorm == 0 })
            try trainer.takeFinalWeights(from: folder)
            return trainer
        }
        let trainer = try trained(threads: 1, "one"), encoder = trainer.encoder
        #expect(weights(trainer) == weights(try trained(threads: 3, "three")))
        #expect(encoder.batchNorms.count == 5 && trainer.finishedHeads == nil)

        // The first norm's inputs are sums of three rows of tables. Means within shards add up to the mean over all tokens.
        let texts = try String(contentsOf: run.folder.appendingPathComponent("pairs.tsv"), encoding: .utf8).split(separator: "\n")
            .dropFirst()
        let sentences = try texts.map { try trainer.tokenizer.encode(String($0.split(separator: "\t")[0]), maxLength: 20).ids }
        let words = encoder.words.value, positions = try #require(encoder.positions).value, segment = try #require(encoder.segments).value
        var means = [Double](repeating: 0, count: 24), squares = means, tokens = 0.0
        for sentence in sentences {
            for (place, id) in sentence.enumerated() {
                tokens += 1
                for c in 0..<24 {
                    let x = Double(words[Int(id), c] + positions[place, c] + segment[0, c])
                    means[c] += x
                    squares[c] += x * x
                }
            }
        }
        let first = encoder.batchNorms[0]
        for c in 0..<24 {
            let mean = means[c] / tokens, variance = squares[c] / tokens - mean * mean
            #expect(abs(Double(first.mean.value[c]) - mean) < 1e-6)
            // What shards' means differ by is not in their variances; n / (n - 1) of some 40 tokens is.
            #expect(abs(Double(first.variance.value[c]) / variance - 1) < 0.2)
        }

        let folder = run.folder.appendingPathComponent("model")
        var writer = SentenceModelWriter(trainer.configuration)
        writer.storage = .f32
        try writer.write(trainer, to: folder)
        let directory = try ModelDirectory(folder: folder)
        #expect(directory.configuration["model_type"]?.string == "bert-batch-norm")
        let read = try SentenceEncoder(directory: directory)
        #expect(try zip(read.encoder.parameters, encoder.parameters).allSatisfy { $0.value == $1.value })
        let both = try read.encoder(PackedBatch([[5, 9, 7, 8], [6, 5]]), on: nil).value
        let alone = try read.encoder(PackedBatch([[6, 5]]), on: nil).value
        #expect(both.rows(4..<6).elements.map(\.bitPattern) == alone.elements.map(\.bitPattern))
        let again = try SentenceTrainer(try run.configuration(["model": "{\"from\": \"\(folder.path)\"}", "steps": "3", "averaging": "0"]))
        try again.run(in: run.folder.appendingPathComponent("again"))
        try again.takeFinalWeights(from: run.folder.appendingPathComponent("again"))
        for (a, b) in zip(again.encoder.batchNorms, encoder.batchNorms) {
            #expect(a.mean.value == b.mean.value && a.variance.value == b.variance.value && a.gamma.value != b.gamma.value)
        }
    }

    /// The next token, of an encoder that sees only those before it; what that network cannot give is refused.
    @Test func learnsTheNextToken() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let causal = #"{"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40, "dropout": 0, "attention": "causal"}"#
        func settings(_ model: String, next: Bool = false) throws -> SentenceTrainingConfiguration {
            try run.configuration([
                "steps": "40", "development": "[]", "model": model, "averaging": "0",
                "tasks":
                    "[{\"objective\": \"clm\", \"files\": \"pairs.tsv\", \"columns\": [\"a\"], \"batch_size\": 8, \"next_sentence\": \(next)}]",
            ])
        }
        let trainer = try SentenceTrainer(try settings(causal))
        var losses: [Double] = []
        try trainer.run(
            in: run.folder.appendingPathComponent("run"),
            watch: { if case .step(_, let found, _, _, _) = $0 { losses.append(found[0].loss) } })
        // At first as if all tokens were equally likely.
        #expect(abs(losses[0] - log(Double(trainer.tokenizer.idBound))) < 0.2)
        #expect(losses.suffix(5).reduce(0, +) / 5 < 0.8 * losses[0])

        let folder = run.folder.appendingPathComponent("model")
        var writer = SentenceModelWriter(trainer.configuration)
        writer.storage = .f32
        try writer.write(trainer, to: folder)
        let directory = try ModelDirectory(folder: folder)
        #expect(directory.configuration["architectures"]?.array?.first?.string == "BertLMHeadModel")
        #expect(directory.configuration["is_decoder"]?.bool == true)
        // What comes later changes nothing before it.
        let encoder = try SentenceEncoder(directory: directory).encoder
        let whole = encoder(PackedBatch([[5, 9, 7, 8]]), on: nil).value, start = encoder(PackedBatch([[5, 9]]), on: nil).value
        #expect(zip(whole.rows(0..<2).elements, start.elements).allSatisfy { abs($0 - $1) < 1e-6 })
        let again = try #require(try SentenceTrainer(try settings("{\"from\": \"\(folder.path)\"}")).finishedHeads)
        let heads = try #require(trainer.finishedHeads)
        let vectors = try run.configuration(
            ["development": "[]", "model": "{\"from\": \"\(folder.path)\"}"].merging([
                "tasks": #"[{"objective": "infonce", "files": "pairs.tsv", "columns": ["a", "b"], "batch_size": 8}]"#
            ]) { $1 })
        try SentenceModelWriter(vectors).write(try SentenceTrainer(vectors), to: run.folder.appendingPathComponent("vectors"))
        let bare = try ModelDirectory(folder: run.folder.appendingPathComponent("vectors")).configuration
        #expect(bare["architectures"]?.array?.first?.string == "BertModel")
        #expect(zip(again.entries, heads.entries).allSatisfy { $0.stored == $1.stored })

        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(message { _ = try MaskedLanguageModel(directory: directory) }.contains("attends only to earlier tokens"))
        let bidirectional = causal.replacingOccurrences(of: "causal", with: "bidirectional")
        #expect(message { _ = try SentenceTrainer(try settings(bidirectional)) }.contains("\"attention\": \"causal\""))
        #expect(message { _ = try SentenceTrainer(try settings(causal, next: true)) }.contains("next_sentence"))
        let base = try PretrainedBase(model: folder.path)
        let data = try LabelledTexts(
            Table(name: "t", columns: [("text", ["a dog", "a cat", "two dogs", "two cats"]), ("label", ["1", "2", "1", "2"])]),
            columns: .init(text: "text", label: "label"), task: .classification)
        let encodings = try base.encode(data, threads: 1).encodings
        func classifier(_ head: FineTuning.Head) throws {
            var settings = FineTuning()
            settings.head = head
            _ = try ClassifierTrainer(settings, base: base, data: data, encodings: encodings, train: [0, 1, 2, 3], heldOut: [], threads: 1)
        }
        #expect(message { try classifier(.mlp) }.contains("reads the first token"))
        try classifier(.linear)
    }

    /// A teacher's vectors out of files, centred file by file: each column learns to meet its own vectors, or what both have in common.
    @Test func meetsATeachersVectorsFromFiles() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let texts = [["a b c", "d e f", "g h i", "k l m"], ["n o p", "q r s", "t u v", "x y z"]]
        // A large common part, which centring takes off; what is left is a direction for each sentence, half of it shared by the row.
        func direction(_ column: Int, _ row: Int) -> [Float] { (0..<24).map { $0 == row ? 1 : $0 == 8 + 4 * column + row ? 1 : 0 } }
        for column in 0..<2 {
            let common = Float(5 + 3 * column)
            try run.writeVectors("\(column).h5", texts[column], (0..<4).map { direction(column, $0).map { $0 + common } })
        }
        try run.write("taught.tsv", "first\tsecond\n" + (0..<4).map { "\(texts[0][$0])\t\(texts[1][$0])\n" }.joined())
        func centred(_ column: Int) -> [[Float]] {
            let all = (0..<4).map { direction(column, $0) }, mean = (0..<24).map { i in all.reduce(0) { $0 + $1[i] } / 4 }
            return all.map { zip($0, mean).map { $0 - $1 } }
        }
        func cosine(_ a: [Float], _ b: [Float]) -> Double {
            func dot(_ x: [Float], _ y: [Float]) -> Double { zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
            return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
        }
        for view in ["own", "mean"] {
            let trainer = try SentenceTrainer(
                try run.configuration([
                    "steps": "300", "averaging": "0", "evaluate_every": "1000", "checkpoint_every": "0", "development": "[]",
                    "model": #"{"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40, "dropout": 0}"#,
                    "tasks": "[{\"objective\": \"distillation\", \"files\": \"taught.tsv\", \"columns\": [\"first\", \"second\"], "
                        + "\"batch_size\": 4, \"teacher_vectors\": [\"0.h5\", \"1.h5\"], \"teacher_center\": true, \"teacher_column\": \"\(view)\"}]",
                ]))
            try trainer.run(in: run.folder.appendingPathComponent("run-\(view)"))
            let output = run.folder.appendingPathComponent("model-\(view)")
            let writer = SentenceModelWriter(maxLength: 20, tokenizerPath: run.model.folder.path)
            try writer.write(trainer.encoder, tokenizer: trainer.tokenizer, to: output)
            let encoder = try SentenceEncoder(directory: ModelDirectory(folder: output))
            for column in 0..<2 {
                let found = try encoder.encode(texts[column])
                for row in 0..<4 {
                    let both = zip(centred(0)[row], centred(1)[row]).map { $0 + $1 }
                    let vector = (0..<24).map { found[row, $0] }
                    let own = cosine(vector, centred(column)[row]), common = cosine(vector, both)
                    let (met, other) = view == "own" ? (own, common) : (common, own)
                    #expect(met > 0.97 && other < 0.93, "\(view) \(column) \(row): \(own), \(common)")
                }
            }
        }
        try run.write("taught.tsv", "first\tsecond\na b c\tn o p\na a\tq r s\n")
        let error = #expect(throws: DataError.self) {
            try SentenceTrainer(
                try run.configuration([
                    "tasks": #"""
                    [{"objective": "distillation", "files": "taught.tsv", "columns": ["first", "second"], "teacher_vectors": ["0.h5", "1.h5"],
                      "teacher_column": "own"}]
                    """#
                ]))
        }
        #expect(error?.message.contains("for the sentence \"a a\" of column first") == true, "\(error?.message ?? "")")
    }

    /// Rows of one group are not negatives of each other: with one group for all there is nothing to choose between, and the loss is 0.
    @Test func rowsOfAGroupAreNoNegatives() throws {
        let run = try TinyRun()
        defer { run.remove() }
        func loss(_ groups: [Int]) throws -> Double {
            try run.write("groups.tsv", "a\tb\tscene\n" + zip(["a b", "c d", "e f"], groups).map { "\($0)\t\($0) x\t\($1)\n" }.joined())
            let tasks = #"[{"objective": "infonce", "files": "groups.tsv", "columns": ["a", "b"], "group": "scene", "batch_size": 3}]"#
            return try SentenceTrainer(try run.configuration(["tasks": tasks])).takeStep().losses[0].loss
        }
        let apart = try loss([1, 2, 3]), some = try loss([1, 1, 2])
        #expect(try loss([1, 1, 1]) == 0)
        #expect(0 < some && some < apart)
    }

    @Test func divergenceNamesStepAndCheckpoint() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let trainer = try SentenceTrainer(
            try run.configuration([
                "optimizer": #"{"name": "sgd", "learning_rate": 1e6}"#, "clip": "0", "warmup": "3", "schedule": "\"constant\"",
                "checkpoint_every": "1", "steps": "200",
                "tasks": #"[{"objective": "mlm", "files": "pairs.tsv", "columns": ["a"], "batch_size": 8}]"#,
            ]))
        let error = #expect(throws: DataError.self) { try trainer.run(in: run.folder.appendingPathComponent("run")) }
        #expect(error?.message.contains("diverged in step") == true)
        #expect(error?.message.contains("last good checkpoint is of step") == true)
    }

    @Test func checkpointOfAnotherConfigurationIsRefused() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let folder = run.folder.appendingPathComponent("run")
        try SentenceTrainer(try run.configuration(["steps": "5"])).run(in: folder)
        let other = try SentenceTrainer(try run.configuration(["steps": "5", "seed": "9"]))
        let error = #expect(throws: DataError.self) { try other.run(in: folder) }
        #expect(error?.message.contains("another configuration") == true)
    }

    @Test(arguments: [
        ("pairs.tsv", "a\tb\tscore\nx y\t\t3\nx\ty\t1\n", "the sentence in column b is empty"),
        ("pairs.tsv", "a\tb\tscore\nx y\ty\t9\nx\ty\t1\n", "outside 0.0 … 5.0"),
        ("pairs.tsv", "a\tb\tscore\nx y\ty\tmany\nx\ty\t1\n", "is not a number"),
        ("pairs.tsv", "a\tb\tscore\n", "no rows"),
        ("pairs.tsv", "a\tc\tscore\nx\ty\t1\n", "no column b"),
    ])
    func badTablesAreNamed(_ name: String, _ text: String, _ expected: String) throws {
        let run = try TinyRun()
        defer { run.remove() }
        let configuration = try run.configuration()
        try run.write(name, text)
        let error = #expect(throws: DataError.self) { try SentenceTrainer(configuration) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("steps", "0", "'steps' should be a whole number from 1"), ("stepps", "3", "'stepps' is not known"),
        ("precision", "\"int8\"", "int8 is for inference"),
        ("schedule", "\"steep\"", "'schedule' is one of"), ("tasks", "[]", "nothing to learn"),
        ("tasks", #"[{"objective": "cosent", "files": "pairs.tsv", "columns": ["a", "b"]}]"#, "needs a column of scores"),
        ("tasks", #"[{"objective": "triplet", "files": "pairs.tsv", "columns": ["a", "b"]}]"#, "takes 3 columns"),
        ("model", #"{"hidden_size": 25, "layers": 2, "heads": 3, "intermediate_size": 40}"#, "not divisible"),
        ("tokenizer", "\"nowhere\"", "does not exist"),
    ])
    func badConfigurationsAreNamed(_ key: String, _ value: String, _ expected: String) throws {
        let run = try TinyRun()
        defer { run.remove() }
        let error = #expect(throws: DataError.self) { try SentenceTrainer(try run.configuration([key: value])) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    /// A full disk while a checkpoint is written: the run ends with an error and the last checkpoint is intact.
    @Test(arguments: [
        (#""teacher": "x", "teacher_vectors": "y.h5""#, "exclude each other"),
        (#""teacher": "x", "teacher_column": "mean""#, "need 'teacher_vectors'"),
        (#""teacher_vectors": "y.h5", "teacher_column": "all""#, "own or mean"),
        (#""teacher_vectors": "y.h5", "regression_weight": 0"#, "learns nothing"),
    ])
    func badTeachersAreNamed(_ keys: String, _ expected: String) throws {
        let task = #"[{"objective": "distillation", "files": "pairs.tsv", "columns": ["a"], "# + keys + "}]"
        try badConfigurationsAreNamed("tasks", task, expected)
    }

    @Test func fullDiskLeavesTheLastCheckpoint() throws {
        let run = try TinyRun()
        defer { run.remove() }
        let checkpoint = Checkpoint(step: 1, state: .object([]), tensors: [("x", Tensor([1, 2, 3], shape: [3]))])
        try checkpoint.write(to: run.folder)
        try Checkpoint(step: 2, state: .object([]), tensors: [("x", Tensor([4, 5, 6], shape: [3]))]).write(to: run.folder)
        // Larger than the process may write: what a full disk looks like from inside.
        var old = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
        var small = old
        small.rlim_cur = 1 << 16
        signal(SIGXFSZ, SIG_IGN)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &small)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old) }
        #expect(throws: DataError.self) {
            try Checkpoint(step: 3, state: .object([]), tensors: [("x", Tensor(shape: [1 << 18]))]).write(to: run.folder)
        }
        let newest = try #require(try Checkpoint.newest(in: run.folder))
        #expect(newest.step == 2)
        #expect(try newest.tensor("x", shape: [3]) == Tensor([4, 5, 6], shape: [3]))
        #expect(throws: DataError.self) { try newest.tensor("x", shape: [4]) }
        #expect(throws: DataError.self) { try newest.tensor("y", shape: [3]) }
    }

    /// With two columns the second text follows the first; with one, the next row does.
    @Test(arguments: [["a", "b"], ["a"]]) func nextSentencesAreThoseOfThePairOrOfTheNextRow(columns: [String]) throws {
        let run = try TinyRun()
        defer { run.remove() }
        let tokenizer = try Tokenizer(directory: run.model.folder), arePairs = columns.count == 2
        let table = try SentenceTable(
            files: [run.folder.appendingPathComponent("pairs.tsv").path], columns: columns, tokenizer: tokenizer, maxLength: 20)
        var task = TrainingTask(name: "next", objective: .maskedLanguage, files: [], columns: columns), random = RandomSource(seed: 4)
        task.predictsNextSentence = true
        let rows = Array(0..<table.rows - 1)
        // Without masking every token but the last is looked at, and its successor is to be found.
        let sequences = table.languageSequences(rows: rows, of: task, masking: nil, longest: 100, random: &random)
        #expect(sequences.count == rows.count)
        var following = 0
        for (row, sequence) in zip(rows, sequences) {
            let first = Array(table.sentence(row: row, column: 0))
            let next = Array(table.sentence(row: arePairs ? row : row + 1, column: columns.count - 1)).dropFirst()
            #expect(Array(sequence.ids.prefix(first.count)) == first)
            #expect(sequence.types == first.map { _ in 0 } + [Int32](repeating: 1, count: sequence.ids.count - first.count))
            #expect(sequence.originals == Array(sequence.ids.dropFirst()))
            if sequence.isRandom == 0 {
                following += 1
                #expect(sequence.ids.dropFirst(first.count) == next)
            } else {
                let others = (0..<table.rows).map { table.sentence(row: $0, column: columns.count - 1).dropFirst() }
                #expect(others.contains { Array($0) == Array(sequence.ids.dropFirst(first.count)) })
            }
        }
        #expect(abs(following - rows.count / 2) < rows.count / 4)
        #expect(throws: DataError.self) {
            try run.configuration([
                "tasks": #"[{"objective": "mlm", "files": "pairs.tsv", "columns": ["a", "b", "a"], "next_sentence": true}]"#
            ])
        }
    }

    @Test func maskingFollowsBERT() {
        let masking = TokenMasking(rate: 0.15, maskID: 4, vocabularySize: 1000, specialIDs: [2, 3])
        var random = RandomSource(seed: 1), masked = 0, kept = 0, other = 0, total = 0
        let ids = [2] + (0..<100).map { Int32(10 + $0) } + [3]
        for _ in 0..<400 {
            let (seen, places) = masking.mask(ids, random: &random)
            #expect(places.count == 15 && places == places.sorted())
            #expect(!places.contains(0) && !places.contains(101))
            for place in ids.indices {
                if places.contains(place) {
                    total += 1
                    if seen[place] == 4 { masked += 1 } else if seen[place] == ids[place] { kept += 1 } else { other += 1 }
                } else {
                    #expect(seen[place] == ids[place])
                }
            }
        }
        #expect(abs(Double(masked) / Double(total) - 0.8) < 0.02)
        #expect(abs(Double(kept) / Double(total) - 0.1) < 0.02)
        #expect(abs(Double(other) / Double(total) - 0.1) < 0.02)
        // Whole words: all tokens of a word or none.
        let words = [-1] + (0..<100).map { Int32($0 / 3) } + [-1]
        for _ in 0..<50 {
            let (_, places) = masking.mask(ids, words: words, random: &random)
            for place in places {
                let mates = words.indices.filter { words[$0] == words[place] }
                #expect(mates.allSatisfy(places.contains))
            }
        }
    }
}
