import CKernels
import FileFormats
import Foundation
import Tensors
import Testing

@testable import WordVectors

/// A text of ten topics: words of one topic stand together, besides a few that stand everywhere.
private func topicText(lines: Int, seed: UInt64 = 1) -> String {
    var random = RandomSource(seed: seed), text = ""
    for _ in 0..<lines {
        let topic = random.below(10)
        text +=
            (0..<12).map { _ in random.below(4) == 0 ? "common\(random.below(5))" : "t\(topic)w\(random.below(8))" }.joined(separator: " ")
            + "\n"
    }
    return text
}

private func options(_ kind: String) -> WordTrainingOptions {
    var options = WordTrainingOptions()
    (options.dimension, options.epochs, options.window, options.subsample) = (20, 3, 3, 1e-2)
    if kind.contains("cbow") { options.architecture = .cbow }
    if kind.contains("hs") { options.loss = .hierarchicalSoftmax }
    if kind.contains("ngrams") { options.subwords = Subwords(minimum: 2, maximum: 4, buckets: 500) }
    return options
}

private let kinds = ["skip-gram ns", "skip-gram hs", "cbow ns", "cbow hs", "skip-gram ns ngrams", "cbow ns ngrams"]

@Suite struct WordTrainingTests {
    let scratch = Scratch()

    private func text(lines: Int = 4000) throws -> TrainingText {
        var options = TrainingText.Options()
        options.folder = scratch.folder
        return try TrainingText(files: [scratch.write(topicText(lines: lines), "text")], options: options)
    }

    /// Share of topic words whose nearest other word is of their topic.
    private func nearestOfTopic(_ table: WordTable) -> Double {
        let words = table.words.strings, rows = (0..<table.count).filter { words[$0].hasPrefix("t") }
        let units = rows.map { row -> [Float] in
            let x = table.row(row), length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return x.map { $0 / length }
        }
        let hits = rows.indices.count { i in
            let best = rows.indices.filter { $0 != i }.max { a, b in
                zip(units[i], units[a]).reduce(0) { $0 + $1.0 * $1.1 } < zip(units[i], units[b]).reduce(0) { $0 + $1.0 * $1.1 }
            }
            return words[rows[i]].prefix(2) == words[rows[best ?? i]].prefix(2)
        }
        return Double(hits) / Double(rows.count)
    }

    @Test(arguments: kinds)
    func sameBitsWithAnyNumberOfThreads(_ kind: String) throws {
        let text = try text()
        func vectors(_ threads: Int) throws -> [Float] {
            let trainer = try WordTrainer(text: text, options: options(kind))
            try trainer.train(threads: threads)
            return try trainer.model().input.elements + trainer.model().output.elements
        }
        let one = try vectors(1)
        #expect(one.contains { $0 != 0 })
        #expect(try vectors(2) == one)
        #expect(try vectors(7) == one)
        var other = options(kind)
        other.seed = 1
        let trainer = try WordTrainer(text: text, options: other)
        try trainer.train()
        #expect(try trainer.model().input.elements != Array(one.prefix(trainer.input.rows * 20)))
    }

    /// Uniform in ±1/d, as in fastText and gensim, with n-grams or without.
    @Test(arguments: ["skip-gram ns", "cbow hs", "skip-gram ns ngrams"])
    func inputsBeginUniformAndOutputsAtZero(_ kind: String) throws {
        let trainer = try WordTrainer(text: text(), options: options(kind)), inputs = trainer.input.tensor().elements
        #expect(inputs.allSatisfy { abs($0) <= 0.05 } && inputs.min()! < -0.049 && inputs.max()! > 0.049)
        let meanSquare = inputs.reduce(0) { $0 + Double($1 * $1) } / Double(inputs.count)
        #expect(abs(meanSquare / (0.05 * 0.05 / 3) - 1) < 0.1)
        #expect(trainer.output.tensor().elements.allSatisfy { $0 == 0 })
    }

    @Test(arguments: kinds)
    func learnsTopics(_ kind: String) throws {
        let text = try text(lines: 6000)
        for isHogwild in [false, true] {
            var options = options(kind)
            options.epochs = 8
            let trainer = try WordTrainer(text: text, options: options)
            try trainer.train(threads: 2, isHogwild: isHogwild)
            let share = try nearestOfTopic(trainer.table(name: "t"))
            #expect(share > 0.9, "\(kind), hogwild \(isHogwild): \(share)")
        }
    }

    /// The rate comes down over the whole run, not over a thread's part of it or an epoch's.
    @Test(arguments: [false, true])
    func rateFallsInOneLineToTheEndWithAnyNumberOfThreads(_ isHogwild: Bool) throws {
        let text = try text(lines: 16_000)
        for threads in [1, 2, 3] {
            let trainer = try WordTrainer(text: text, options: options("skip-gram ns"))
            var reports: [WordTrainer.Progress] = []
            try trainer.train(threads: threads, isHogwild: isHogwild, progress: { reports.append($0) })
            #expect(reports.count > 6 && reports.allSatisfy { $0.totalWords == 3 * text.vocabulary.tokens })
            for report in reports {
                let left = 1 - Double(report.words) / Double(3 * text.vocabulary.tokens)
                #expect(abs(report.learningRate - max(2.5e-6, 0.025 * left)) < 1e-8)
            }
            #expect(reports.last?.words == 3 * text.vocabulary.tokens)
        }
    }

    @Test(arguments: ["skip-gram ns", "cbow hs", "skip-gram ns ngrams"])
    func resumesToTheSameBits(_ kind: String) throws {
        // Long enough for several blocks in an epoch, of which runs are cut off in the middle.
        let text = try text(lines: 16_000), output = scratch.path("words.h5")
        let blocksOfALife = kind.contains("cbow") ? 200 : kind.contains("ngrams") ? 14 : 3
        let whole = try WordTrainer(text: text, options: options(kind))
        try whole.train()
        var lives = 0
        while true {
            let trainer = try WordTrainer(text: text, options: options(kind))
            if WordCheckpoint.exists(for: output) { try WordCheckpoint.resume(trainer, for: output, isHogwild: false) }
            var blocks = 0
            try trainer.train(
                threads: lives + 1,
                isCancelled: {
                    blocks += 1
                    return blocks == blocksOfALife
                })
            lives += 1
            if trainer.isFinished {
                #expect(lives > 2)
                #expect(trainer.input.tensor().elements == whole.input.tensor().elements)
                break
            }
            #expect(trainer.position.chunk > 0)
            try WordCheckpoint.save(trainer, for: output, isHogwild: false)
        }
        var other = options(kind)
        other.dimension = 21
        let error = try failure { try WordCheckpoint.resume(WordTrainer(text: text, options: other), for: output, isHogwild: false) }
        #expect(error.kind == .usage && error.description.contains("dimension"))
        try Data("KTWORDS1 and nothing else".utf8).write(to: URL(fileURLWithPath: WordCheckpoint.path(for: output)))
        #expect(try failure { try WordCheckpoint.resume(whole, for: output, isHogwild: false) }.kind == .badData)
    }

    @Test func stepIsTheGradientOfTheLogLikelihood() {
        // One group against rows, beside the same in Double.
        var random = RandomSource(seed: 3)
        for (width, count) in [(16, 1), (112, 6), (48, 11), (208, 8)] {
            let x = PaddedMatrix(rows: 1, columns: width), output = PaddedMatrix(rows: 20, columns: width)
            guard let x, let output else { return }
            for i in 0..<width { x.base[i] = Float(random.normal()) / 3 }
            for i in 0..<20 * width { output.base[i] = Float(random.normal()) / 3 }
            let targets = (0..<count).map { (k: Int) -> UInt32 in UInt32(2 * ((7 * k + 3) % 20) + (k == 0 ? 1 : 0)) }
            var v = (0..<width).map { Double(x.base[$0]) }, o = (0..<20 * width).map { Double(output.base[$0]) }, expectedLoss = 0.0
            for group in stride(from: 0, to: count, by: 8) {
                let part = Array(targets[group..<min(count, group + 8)])
                var scores: [Double] = []
                for target in part {
                    var score = 0.0
                    for i in 0..<width { score += v[i] * o[Int(target >> 1) * width + i] }
                    scores.append(score)
                }
                var move = [Double](repeating: 0, count: width)
                for (target, score) in zip(part, scores) {
                    let label = Double(target & 1)
                    let p: Double = score > 6 ? 1 : score < -6 ? 0 : 1 / (1 + exp(-score))
                    let g: Double = 0.05 * (label - p)
                    expectedLoss += log1p(exp(label > 0 ? -score : score))
                    for i in 0..<width {
                        let old = o[Int(target >> 1) * width + i]
                        move[i] += g * old
                        o[Int(target >> 1) * width + i] += g * v[i]
                    }
                }
                for i in 0..<width { v[i] += move[i] }
            }
            let loss = kt_words_step(x.base, output.base, Int64(x.stride), targets, Int64(count), 8, 0.05, 6, 0, 1)
            for i in 0..<width { #expect(abs(Double(x.base[i]) - v[i]) < 1e-5) }
            for i in 0..<20 * width { #expect(abs(Double(output.base[i]) - o[i]) < 1e-5) }
            #expect(abs(loss - expectedLoss) < 1e-4 * max(1, expectedLoss))
        }
    }

    @Test func countsAndPrunes() throws {
        let path = try scratch.write("b a a\n\n  a\tb c \r\nz\n", "t")
        var options = TrainingText.Options()
        (options.minimumCount, options.folder) = (2, scratch.folder)
        let text = try TrainingText(files: [path], options: options)
        #expect(text.vocabulary.words.strings == ["a", "b"] && text.vocabulary.counts == [3, 2])
        #expect(text.vocabulary.totalTokens == 7 && text.vocabulary.tokens == 5 && text.sentences == 2)
        #expect(Array(text.ids) == [1, 0, 0, .max, 0, 1, .max])
        options.minimumCount = 9
        let error = try failure { _ = try TrainingText(files: [path], options: options) }
        #expect(error.description.contains("the most frequent of 4 occurs 3 times"))
        #expect(try failure { _ = try TrainingText(files: [scratch.write(" \n", "e")], options: options) }.description.contains("no words"))
        // Rare words are dropped while reading; a word that comes back counts from then on, and the numbers stay true.
        (options.minimumCount, options.maximumHeld) = (2, 3)
        let many = try TrainingText(files: [scratch.write("a a b\nc d\na b b\nd d\n", "m")], options: options)
        #expect(many.vocabulary.words.strings.prefix(1) == ["a"] && many.vocabulary.counts[0] == 3)
        #expect(many.ids.count { $0 == 0 } == 3)
    }

    @Test func drawsFollowTheWeights() {
        let weights = [10.0, 1, 5, 0.5, 3.5], table = AliasTable(weights: weights)
        var counts = [Int](repeating: 0, count: 5), random = RandomSource(seed: 5)
        for _ in 0..<400_000 { counts[Int(table.draw(random.next()))] += 1 }
        for (count, weight) in zip(counts, weights) { #expect(abs(Double(count) / 400_000 - weight / 20) < 0.003) }
    }

    @Test(.enabled(if: hasSharedData, "needs ../shared/data/words"))
    func huffmanCodeOfTheLeeCorpus() throws {
        var options = TrainingText.Options()
        options.folder = scratch.folder
        let text = try TrainingText(files: [shared("words/fasttext_fixtures/lee_background.cor")], options: options)
        #expect(text.vocabulary.count == 1762)
        let tree = HuffmanTree(counts: text.vocabulary.counts)
        #expect((0..<1762).map(tree.length).max() == 13)
        let mean = Double((0..<1762).reduce(0) { $0 + tree.length(of: $1) * text.vocabulary.counts[$1] }) / Double(text.vocabulary.tokens)
        #expect(String(format: "%.4f", mean) == "8.7107")
        // A code: no path is the beginning of another, so Kraft's sum is 1.
        #expect((0..<1762).reduce(0) { $0 + pow(0.5, Double(tree.length(of: $1))) } == 1)
    }

    @Test func modelsKeepTheirNgrams() throws {
        let trainer = try WordTrainer(text: text(), options: options("skip-gram ns ngrams"))
        try trainer.train()
        try trainer.model().write(to: scratch.path("m.bin"))
        let table = try WordFile.read(scratch.path("m.bin"))
        #expect(try table.vectors.elements == trainer.table(name: "").vectors.elements)
        // An unknown word of a known topic is near to it.
        #expect(table.vector(of: "t3w99") != nil && table.words.index(of: "t3w99") == nil)
    }

    @Test func optionsOutsideTheirRangesAreNamed() throws {
        var options = WordTrainingOptions()
        options.dimension = 0
        #expect(try failure { try options.check() }.description.contains("`dimension`"))
        options = WordTrainingOptions()
        options.subwords = Subwords(minimum: 5, maximum: 3, buckets: 10)
        #expect(try failure { try options.check() }.description.contains("`minimum-n`"))
    }
}
