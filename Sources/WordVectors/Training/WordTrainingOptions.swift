import FileFormats

/// What decides the vectors of a training run, its text aside.
public struct WordTrainingOptions: Sendable, Equatable {
    /// What predicts what.
    public enum Architecture: String, Sendable, CaseIterable {
        /// Each word predicts the words around it.
        case skipGram = "skip-gram"
        /// The mean of the words around it predicts each word.
        case cbow
    }
    /// How a prediction is scored without a softmax over all words.
    public enum Loss: String, Sendable, CaseIterable {
        /// Negative sampling (Mikolov et al. 2013).
        case negativeSampling = "ns"
        /// Hierarchical softmax over a Huffman tree.
        case hierarchicalSoftmax = "hs"
    }

    /// Skip-gram or continuous bag of words.
    public var architecture = Architecture.skipGram
    /// Negative sampling or hierarchical softmax.
    public var loss = Loss.negativeSampling
    /// Components of a vector.
    public var dimension = 100
    /// The window reaches 1 … this many words to either side, drawn for each word.
    public var window = 5
    /// Words drawn against each true one.
    public var negatives = 5
    /// Threshold of subsampling; 0 keeps every occurrence.
    package var subsample = 1e-3
    /// Words are drawn with probability ∝ count to this power: 0.75 in word2vec.c, 0.5 in fastText.
    package var exponent = 0.75
    /// Passes over the text.
    public var epochs = 5
    /// Falls linearly to a ten-thousandth of itself. Nil for 0.025 with skip-gram and 0.05 with CBOW, word2vec's own; with n-grams 0.05,
    /// fastText's.
    public var learningRate: Double?
    /// Character n-grams (fastText); none with `maximum` 0.
    package var subwords = Subwords(minimum: 0, maximum: 0, buckets: 2_000_000)
    /// Seed of the random numbers; it fixes the result.
    public var seed: UInt64 = 0

    /// Skip-gram with negative sampling, 100 dimensions, 5 epochs, whole words.
    public init() {}

    package var effectiveLearningRate: Double { learningRate ?? (architecture == .cbow || !subwords.isEmpty ? 0.05 : 0.025) }

    /// Scores beyond ± this count as certain: 6 in word2vec.c, 8 in fastText.
    var limit: Float { subwords.isEmpty ? 6 : 8 }
    /// word2vec.c passes over inner nodes that are certain already; fastText does not.
    var skipsCertain: Bool { loss == .hierarchicalSoftmax && subwords.isEmpty }
    /// Targets whose gradients are taken at one value of the input.
    var group: Int { loss == .negativeSampling ? 1 + negatives : 8 }

    /// - Throws: `DataError` of kind `usage` that names the option that is out of range.
    package func check() throws {
        func require(_ holds: Bool, _ message: String) throws { if !holds { throw DataError(.usage, message) } }
        try require((1...10_000).contains(dimension), "\(Setting.dimension) must be 1 to 10000, not \(dimension)")
        try require((1...1000).contains(window), "\(Setting.window) must be 1 to 1000, not \(window)")
        try require(loss == .hierarchicalSoftmax || (1...100).contains(negatives), "\(Setting.negative) must be 1 to 100, not \(negatives)")
        try require(subsample >= 0 && subsample < 1, "\(Setting.subsample) must be at least 0 and below 1, not \(subsample)")
        try require((1...10_000).contains(epochs), "\(Setting.epochs) must be 1 to 10000, not \(epochs)")
        try require(
            effectiveLearningRate > 0 && effectiveLearningRate <= 1,
            "\(Setting.learningRate) must be above 0 and at most 1, not \(effectiveLearningRate)")
        try require((0...100).contains(subwords.minimum) && (0...100).contains(subwords.maximum), "n-grams have up to 100 characters")
        try require(
            subwords.maximum == 0 || subwords.minimum >= 1 && subwords.minimum <= subwords.maximum,
            "\(Setting.minimumN) must be 1 to \(Setting.maximumN) (\(subwords.maximum)), not \(subwords.minimum)")
        try require(
            subwords.maximum == 0 || (1...100_000_000).contains(subwords.buckets),
            "\(Setting.buckets) must be 1 to 100000000, not \(subwords.buckets)")
    }

    /// Everything that decides the result, by name.
    package var facts: [(key: String, value: JSON)] {
        var facts: [(key: String, value: JSON)] = [
            ("architecture", .string(architecture.rawValue)), ("loss", .string(loss.rawValue)), ("dimension", .integer(dimension)),
            ("window", .integer(window)),
        ]
        if loss == .negativeSampling { facts += [("negative", .integer(negatives)), ("exponent", .number(exponent))] }
        facts += [("subsample", .number(subsample)), ("epochs", .integer(epochs)), ("learning_rate", .number(effectiveLearningRate))]
        if !subwords.isEmpty {
            facts += [
                ("minimum_n", .integer(subwords.minimum)), ("maximum_n", .integer(subwords.maximum)),
                ("buckets", .integer(subwords.buckets)),
            ]
        }
        return facts
    }
}

extension WordTrainingOptions {
    /// What a file says its vectors come from.
    package var name: String {
        let ngrams = subwords.isEmpty ? "" : ", n-grams of \(subwords.minimum)–\(subwords.maximum)"
        return
            "word vectors (\(architecture == .cbow ? "CBOW" : "skip-gram"), \(loss == .negativeSampling ? "negative sampling" : "hierarchical softmax")\(ngrams))"
    }
}
