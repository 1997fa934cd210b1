import Statistics

/// How well similarities agree with people's scores: the correlations that semantic textual similarity is measured by.
public struct SimilarityEvaluation: Sendable {
    /// A correlation with 95 % intervals.
    public struct Measure: Sendable {
        /// In −1 ... 1.
        public let value: Double
        /// By Fisher's z.
        public let fisher: ClosedRange<Double>
        /// By resampling the pairs.
        public let bootstrap: ClosedRange<Double>
    }

    public let pairs: Int
    public let pearson: Measure
    public let spearman: Measure

    /// - Parameters:
    ///   - similarities, scores: one a pair.
    ///   - samples: resamples of the bootstrap, drawn by `seed`.
    /// - Throws: `DataError` if there are fewer than two pairs or one side is constant.
    public init(similarities: [Double], scores: [Double], samples: Int = 1000, seed: UInt64 = 0) throws {
        func measure(_ kind: Correlation) throws -> Measure {
            let value = try kind(similarities, scores)
            return Measure(
                value: value, fisher: kind.fisherInterval(value, count: scores.count),
                bootstrap: try kind.bootstrapInterval(similarities, scores, resamples: samples, seed: seed))
        }
        pairs = scores.count
        pearson = try measure(.pearson)
        spearman = try measure(.spearman)
    }
}
