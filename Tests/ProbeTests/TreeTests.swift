import Analysis
import FileFormats
import Foundation
import Interpretation
import SentenceEmbedding
import Tensors
import Testing
import Tokenizers

@Suite struct Trees {
    @Test func distancesAndDepths() throws {
        // 1 ← 0 → 3, 1 → 2
        let tree = try #require(DependencyTree(heads: [-1, 0, 1, 0]))
        #expect(tree.root == 0)
        #expect(tree.depths == [0, 1, 2, 1])
        #expect(tree.distances() == [0, 1, 2, 1, 1, 0, 1, 2, 2, 1, 0, 3, 1, 2, 3, 0])
    }

    @Test func whatIsNoTree() {
        for heads in [[0], [1, 0], [-1, -1], [-1, 5], [-1, 2, 1], []] { #expect(DependencyTree(heads: heads) == nil, "\(heads)") }
    }

    @Test func spanningTreeOfTreeDistancesIsTheTree() throws {
        var random = RandomSource(seed: 3)
        for count in 1...30 {
            var heads = [-1]
            for word in 1..<max(count, 1) { heads.append(random.below(word)) }
            let tree = try #require(DependencyTree(heads: heads))
            let edges = MinimumSpanningTree.edges(distances: tree.distances(), count: count, among: Array(0..<count))
            #expect(Set(edges) == Set(heads.enumerated().filter { $1 >= 0 }.map { WordEdge($0, $1) }))
            #expect(DependencyTree.heads(hanging: edges, from: 0, words: count) == heads)
        }
    }

    @Test func equalDistancesJoinTheFirstPairs() {
        let distances = [Float](repeating: 1, count: 16)
        #expect(MinimumSpanningTree.edges(distances: distances, count: 4, among: [0, 1, 3]) == [WordEdge(0, 1), WordEdge(0, 3)])
    }

    private func treebank(_ text: String) throws -> Treebank { try WrittenTreebank.read(text) }

    @Test func bunsetsuAndNonAdjacentEdges() throws {
        // 私 は 本 を 読む 。 in three bunsetsu; the distances of a predictor that attaches everything to the last word but one.
        func row(_ id: Int, _ form: String, _ tag: String, _ head: Int, _ relation: String, _ label: String) -> String {
            "\(id)\t\(form)\t\(form)\tX\t\(tag)\t_\t\(head)\t\(relation)\t_\tBunsetuBILabel=\(label)|SpaceAfter=No\n"
        }
        let bank = try treebank(
            row(1, "私", "代名詞", 5, "nsubj", "B") + row(2, "は", "助詞", 1, "case", "I") + row(3, "本", "名詞", 5, "obj", "B")
                + row(4, "を", "助詞", 3, "case", "I") + row(5, "読む", "動詞", 0, "root", "B") + row(6, "。", "補助記号-句点", 5, "punct", "I") + "\n")
        let corpus = try ProbeCorpus(bank)
        #expect(corpus.punctuation == .unidic && corpus.punctuationCount == 1)
        #expect(corpus.sentences[0].bunsetsu == [0, 0, 1, 1, 2, 2])
        let perfect = try ProbeEvaluation(corpus) { ProbePrediction(distances: corpus.goldDistances($0), depths: corpus.goldDepths($0)) }
        for measure in [ProbeMeasure.uuas, .nonAdjacent, .bunsetsu, .rootAccuracy, .directed, .distanceSpearman, .depthSpearman] {
            #expect(abs(perfect.value(measure) - 1) < 1e-12, "\(measure)")
        }
        let chain = try ProbeSweep.evaluate(.adjacentWords, corpus)
        // Edges 1-5 (4 apart), 1-2, 3-5, 3-4: the chain finds 1-2 and 3-4; of the bunsetsu 0-2 and 1-2 only the second.
        #expect(chain.value(.uuas) == 0.5 && chain.value(.nonAdjacent) == 0 && chain.value(.bunsetsu) == 0.5)
        #expect(chain.byRelation["case"] == Tally(correct: 2, total: 2) && chain.byRelation["nsubj"] == Tally(correct: 0, total: 1))
        #expect(chain.byLength[1] == Tally(correct: 2, total: 2) && chain.byLength[4] == Tally(correct: 0, total: 1))
        #expect(chain.value(.rootAccuracy) == 0)
        #expect(try ProbeSweep.evaluate(.adjacentWordsBackward, corpus).value(.rootAccuracy) == 1)
    }

    @Test func allPunctuationIsRefused() throws {
        let bank = try treebank("1\t!\t!\tPUNCT\t.\t_\t0\troot\t_\t_\n\n")
        let error = #expect(throws: DataError.self) { try ProbeCorpus(bank) }
        #expect(error?.message.contains("every word is punctuation") == true)
    }

    @Test func aSentenceOfOneWord() throws {
        let corpus = try ProbeCorpus(try treebank("1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_\n\n"))
        let evaluation = try ProbeEvaluation(corpus) { ProbePrediction(distances: corpus.goldDistances($0), depths: corpus.goldDepths($0)) }
        #expect(!evaluation.has(.uuas) && !evaluation.has(.distanceSpearman) && evaluation.value(.rootAccuracy) == 1)
        let vectors = Tensor<Float>([1, 2], shape: [1, 2])
        let trained = try ProbeTraining.reference(.distance, rank: 1).train(corpus, vectors, dev: corpus, vectors)
        #expect(trained.devLoss == 0)
    }

    @Test func controlTaskIsATreeOfWordTypes() throws {
        var text = ""
        for (index, word) in ["b", "a", "c", "a", "d", "a", "b", "e"].enumerated() {
            text += "\(index + 1)\t\(word)\t_\tX\t_\t_\t\(index)\tdep\t_\t_\n"
        }
        let corpus = try ProbeCorpus(try treebank(text + "\n"))
        var seen: Set<[Int]> = []
        for seed in 0..<20 {
            let heads = ControlTask(seed: UInt64(seed)).corpus(corpus).sentences[0].tree.heads
            #expect(heads == ControlTask(seed: UInt64(seed)).corpus(corpus).sentences[0].tree.heads)
            // The three "a" (places 1, 3, 5) behave alike.
            let behaviours = [1, 3, 5].map { heads[$0] == 0 && $0 != 1 ? 0 : heads[$0] == 7 ? 1 : 2 }
            #expect(behaviours[1] == behaviours[2])
            #expect(heads[0] == -1 && heads[7] == 0)
            seen.insert(heads)
        }
        #expect(seen.count > 5)
    }
}

@Suite struct Texts {
    private func sentence(
        _ text: String?, _ words: [(String, String)], _ tokens: [Int: (last: Int, form: String)] = [:]
    ) throws -> TreebankSentence {
        try WrittenTreebank.make(
            [words.enumerated().map { WrittenTreebank.Word(form: $1.0, head: $0, misc: $1.1) }], text: text, tokens: tokens
        ).sentences[0]
    }

    @Test func wordsFindTheirPlacesInTheText() throws {
        let found = try sentence("I don't  go.", [("I", "_"), ("do", "_"), ("n't", "_"), ("go", "_"), (".", "_")], [2: (3, "don't")])
            .written()
        #expect(found.isOriginal && found.sharedWords == 0)
        #expect(found.ranges == [0..<1, 2..<4, 4..<7, 9..<11, 11..<12])
    }

    @Test func wordsOfATokenThatCannotBeToldApartShareIt() throws {
        let found = try sentence("au lait", [("à", "_"), ("le", "_"), ("lait", "_")], [1: (2, "au")]).written()
        #expect(found.ranges == [0..<2, 0..<2, 3..<7] && found.sharedWords == 2)
    }

    @Test func aTextThatDiffersIsRebuilt() throws {
        let found = try sentence("something else", [("犬", "SpaceAfter=No"), ("が", "_"), ("x", "_")]).written()
        #expect(!found.isOriginal && found.text == "犬が x" && found.ranges == [0..<3, 3..<6, 7..<8])
        #expect(try sentence(nil, [("a", "_"), ("b", "_")]).spaced().text == "a b")
    }

    @Test func piecesAndWords() {
        // Text "ab cde", pieces: [special] "a" "b" "cd" "e" [special]; words "ab", "c", "de": "cd" crosses.
        let alignment = WordAlignment(
            words: [0..<2, 3..<4, 4..<6], offsets: [0..<0, 0..<1, 1..<2, 3..<5, 5..<6, 0..<0],
            special: [true, false, false, false, false, true])
        #expect(alignment.tokens == [1..<3, 3..<4, 3..<5] && alignment.crossingPieces == 1 && alignment.bareWords == 0)
        // A word that the tokenizer drops takes the piece before it.
        let dropped = WordAlignment(
            words: [0..<2, 2..<4, 4..<5], offsets: [0..<0, 0..<2, 4..<5, 0..<0], special: [true, false, false, true])
        #expect(dropped.tokens == [1..<2, 1..<2, 2..<3] && dropped.bareWords == 1)
        // Words of one token share its pieces, and that is not a crossing.
        let shared = WordAlignment(words: [0..<2, 0..<2], offsets: [0..<2], special: [false])
        #expect(shared.tokens == [0..<1, 0..<1] && shared.crossingPieces == 0)
    }

    @Test func typedWords() {
        let english = PlainWords.split("The dog (a big one) didn't bark.")
        #expect(english.ranges.count == 10 && english.text == "The dog (a big one) didn't bark.")
        let japanese = PlainWords.split("私 は 本 を 読む 。")
        #expect(japanese.text == "私は本を読む。" && japanese.ranges == [0..<3, 3..<6, 6..<9, 9..<12, 12..<18, 18..<21])
        #expect(PlainWords.split("Hi, you", spaced: true).text == "Hi , you")
    }
}
