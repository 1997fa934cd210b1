import FileFormats

/// Which words count as punctuation and are left out of trees when they are scored.
public enum PunctuationRule: String, Sendable, CaseIterable {
    /// Universal part of speech `PUNCT`.
    case upos
    /// The Penn Treebank tags '' , . : `` -LRB- -RRB-, as in the reference implementation of structural probes.
    case penn
    /// UniDic's supplementary symbols: the language's own tag begins with 補助記号.
    case unidic
    /// None: every word is scored.
    case none

    private static let pennTags: Set<String> = ["''", ",", ".", ":", "``", "-LRB-", "-RRB-"]

    /// The rule that fits a treebank's own tags: UniDic's or the Penn Treebank's where it has them, else `upos`.
    package init(fitting treebank: Treebank) {
        var tags: Set<String> = []
        var isUniDic = false
        for sentence in treebank.sentences {
            for word in sentence.words {
                tags.insert(word.xpos)
                if word.xpos.hasPrefix("補助記号") { isUniDic = true }
            }
        }
        self = isUniDic ? .unidic : tags.isSuperset(of: ["NN", "IN", "DT"]) ? .penn : .upos
    }

    package func isPunctuation(_ word: TreebankWord) -> Bool {
        switch self {
        case .upos: word.upos == "PUNCT"
        case .penn: Self.pennTags.contains(word.xpos)
        case .unidic: word.xpos.hasPrefix("補助記号")
        case .none: false
        }
    }

    /// What is left out, in words.
    package var summary: String {
        switch self {
        case .upos: "words with the universal tag PUNCT"
        case .penn: "words with the Penn Treebank tags '' , . : `` -LRB- -RRB-"
        case .unidic: "words whose tag begins with 補助記号"
        case .none: "nothing"
        }
    }
}

/// A treebank as probes see it: trees, the words that are scored, and what the words' vectors should be mapped to.
public struct ProbeCorpus: Sendable {
    /// A sentence of the treebank.
    public struct Sentence: Sendable {
        /// The sentence's `sent_id`.
        package var id: String
        package var forms: [String]
        package var relations: [String]
        package var tree: DependencyTree
        /// The words that are scored: all but punctuation.
        package var scored: [Int]
        /// For each word the number of its bunsetsu, from 0; nil if the treebank does not mark them.
        package var bunsetsu: [Int]?
        /// Number of words, punctuation included.
        package var count: Int { forms.count }
    }

    /// The treebank as the user named it.
    package let file: String
    package let punctuation: PunctuationRule
    /// The sentences, in the treebank's order.
    public let sentences: [Sentence]
    /// The first word of each sentence among all words, and the number of words at the end.
    package let offsets: [Int]
    /// Number of words, punctuation included.
    public var wordCount: Int { offsets[sentences.count] }
    func words(in sentence: Int) -> Int { offsets[sentence + 1] - offsets[sentence] }
    /// Words left out as punctuation.
    package var punctuationCount: Int { wordCount - sentences.reduce(0) { $0 + $1.scored.count } }

    /// Tree distances, (words, words) of sentence after sentence.
    let distances: [Float]
    let distanceOffsets: [Int]
    /// Depths in the tree of word after word.
    let depths: [Float]

    /// - Parameter punctuation: nil takes the rule that fits the treebank's tags.
    /// - Throws: `DataError` if every word is punctuation.
    public init(_ treebank: Treebank, punctuation: PunctuationRule? = nil) throws {
        let rule = punctuation ?? PunctuationRule(fitting: treebank)
        let sentences = try treebank.sentences.enumerated().map { number, sentence in
            let name = treebank.name(of: number)
            guard let tree = DependencyTree(heads: sentence.words.map { $0.head - 1 }) else {
                throw DataError(.badData, "sentence \(name): its heads do not form a tree", file: treebank.file, line: sentence.line)
            }
            let words = sentence.words
            return Sentence(
                id: name, forms: words.map(\.form), relations: words.map(\.deprel), tree: tree,
                scored: words.indices.filter { !rule.isPunctuation(words[$0]) }, bunsetsu: Self.bunsetsu(words))
        }
        guard sentences.contains(where: { !$0.scored.isEmpty }) else {
            throw DataError(
                .badData,
                "every word is punctuation (\(rule.summary)), so there is nothing to score; check the treebank and "
                    + "\(Setting.punctuation)", file: treebank.file)
        }
        self.init(file: treebank.file, punctuation: rule, sentences: sentences)
    }

    init(file: String, punctuation: PunctuationRule, sentences: [Sentence]) {
        (self.file, self.punctuation, self.sentences) = (file, punctuation, sentences)
        var offsets = [0], distanceOffsets = [0]
        var distances: [Float] = [], depths: [Float] = []
        for sentence in sentences {
            distances += sentence.tree.distances()
            depths += sentence.tree.depths.map(Float.init)
            offsets.append(depths.count)
            distanceOffsets.append(distances.count)
        }
        (self.offsets, self.distanceOffsets, self.distances, self.depths) = (offsets, distanceOffsets, distances, depths)
    }

    /// The first `count` sentences, for learning curves and trials.
    package func prefix(_ count: Int) -> ProbeCorpus {
        ProbeCorpus(file: file, punctuation: punctuation, sentences: Array(sentences.prefix(count)))
    }

    /// Tree distances of one sentence, (words, words).
    package func goldDistances(_ sentence: Int) -> [Float] { Array(distances[distanceOffsets[sentence]..<distanceOffsets[sentence + 1]]) }
    /// Tree depths of one sentence's words.
    package func goldDepths(_ sentence: Int) -> [Float] { Array(depths[offsets[sentence]..<offsets[sentence + 1]]) }

    /// `BunsetuBILabel` of UD Japanese: B begins a bunsetsu, I goes on with it.
    private static func bunsetsu(_ words: [TreebankWord]) -> [Int]? {
        var numbers: [Int] = []
        var current = -1
        for word in words {
            guard let label = word.remark("BunsetuBILabel") else { return nil }
            if label == "B" || current < 0 { current += 1 }
            numbers.append(current)
        }
        return numbers
    }
}
