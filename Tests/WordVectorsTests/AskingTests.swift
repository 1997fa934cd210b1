import Analysis
import FileFormats
import Foundation
import Tensors
import Testing
@testable import WordVectors

@Suite(.enabled(if: hasSharedData, "needs ../shared/data/words")) struct GloVeTests {
    static let table: WordTable? = sharedFolder.flatMap { try? WordFile.read($0 + "/words/glove50_20k/glove.6B.50d.20k.bin") }

    @Test func analogies() throws {
        let table = try #require(Self.table), questions = try AnalogyQuestions(path: shared("words/analogy/questions-words.txt"))
        let words = table.words.strings
        let add = try AnalogyEvaluation(questions, words: words, vectors: table.vectors)
        #expect(add.total(syntactic: false) == (2236, 4363, add.total(syntactic: false).skipped))
        #expect(add.total(syntactic: true) == (4032, 7679, add.total(syntactic: true).skipped))
        #expect(add.total().skipped == 7502)
        let mul = try AnalogyEvaluation(questions, words: words, vectors: table.vectors, method: .mul, threads: 1)
        let total = mul.total()
        #expect(String(format: "%.4f", Double(total.correct) / Double(total.asked)) == "0.4645")
    }

    @Test func queens() throws {
        let table = try #require(Self.table)
        func vector(_ word: String) throws -> [Float] { try #require(table.vector(of: word)) }
        let rows = Set(["king", "woman", "man"].compactMap { table.words.index(of: $0) })
        for (method, expected) in [(ArithmeticMethod.add, "0.8524"), (.mul, "0.9289")] {
            let found = try VectorArithmetic(method: method).search(table.vectors, plus: [vector("king"), vector("woman")], minus: [vector("man")], excluding: rows, top: 3)
            #expect(table.words[found[0].row] == "queen" && String(format: "%.4f", found[0].score) == expected, "\(found)")
        }
    }
}

@Suite struct ArithmeticTests {
    @Test func questionsNeedFourWords() throws {
        let scratch = Scratch()
        let error = try failure { _ = try AnalogyQuestions(path: scratch.write(": family\nboy girl brother sister\nking queen man\n")) }
        #expect(error.line == 3 && error.description.contains("3"))
        let questions = try AnalogyQuestions(path: scratch.write(": family\nboy girl brother sister\n\n: gram1-x\na b c d\n"))
        #expect(questions.sections.map(\.name) == ["family", "gram1-x"] && questions.sections.map(\.isSyntactic) == [false, true])
        #expect(try failure { _ = try AnalogyQuestions(path: scratch.write(": family\n")) }.description.contains("no questions"))
    }

    @Test func solvesASquareAndNeverAnswersWithTheQuestion() throws {
        let scratch = Scratch()
        let questions = try AnalogyQuestions(path: scratch.write(": s\nman king woman queen\nman king woman Queen\nman king woman absent\n"))
        let words = ["man", "king", "woman", "queen", "King", "other"]
        let vectors = Tensor<Float>([1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1.1, -1, -1, -1], shape: [6, 3])
        for method in ArithmeticMethod.allCases {
            let evaluation = try AnalogyEvaluation(questions, words: words, vectors: vectors, method: method)
            #expect(evaluation.answers == [3, 3, nil], "\(method)")
            #expect(evaluation.solved == [true, true, nil])
            let strict = try AnalogyEvaluation(questions, words: words, vectors: vectors, method: method, isCaseSensitive: true)
            #expect(strict.solved == [true, nil, nil] || strict.solved[1] == nil)
        }
    }

    @Test func cancelledVectorsAreRefused() throws {
        let corpus = Tensor<Float>([1, 0, 0, 1], shape: [2, 2])
        #expect(throws: DataError.self) { try VectorArithmetic().search(corpus, plus: [[1, 0]], minus: [[2, 0]], top: 1) }
        #expect(throws: DataError.self) { try VectorArithmetic().search(corpus, plus: [[0, 0]], minus: [], top: 1) }
        let found = try VectorArithmetic().search(corpus, plus: [[3, 0.1]], minus: [], excluding: [0], top: 5)
        #expect(found.map(\.row) == [1])
    }
}
