import Statistics

/// How well similarities agree with people's scores: the correlations that semantic textual similarity is measured by.
package struct SimilarityEvaluation: Sendable {
    /// A correlation with 95 % intervals.
    package struct Measure: Sendable {
        /// In −1 ... 1.
        package let value: Double
        /// By Fisher's z.
        package let fisher: ClosedRange<Double>
        /// By resampling the pairs.
        package let bootstrap: ClosedRange<Double>
    }

    package let pairs: Int
    package let pearson: Measure
    package let spearman: Measure

    /// - Parameters:
    ///   - similarities, scores: one a pair.
    ///   - samples: resamples of the bootstrap, drawn by `seed`.
    /// - Throws: `DataError` if there are fewer than two pairs or one side is constant.
    package init(similarities: [Double], scores: [Double], samples: Int = 1000, seed: UInt64 = 0) throws {
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
