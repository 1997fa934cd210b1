import Networks
import Testing

@Suite struct PackedBatchTests {
    @Test func sequencesOfLikeLengthShareABatchWithinTheBudget() {
        #expect(PackedBatch.grouped(lengths: [3, 9, 1, 9, 4], budget: 10) == [[1], [3], [4, 0, 2]])
        // A sequence beyond the budget has a batch of its own; none is lost.
        #expect(PackedBatch.grouped(lengths: [50, 2, 50, 2], budget: 4) == [[0], [2], [1, 3]])
        #expect(PackedBatch.grouped(lengths: [2, 2], budget: 0) == [[0], [1]])
        #expect(PackedBatch.grouped(lengths: [], budget: 10).isEmpty)
    }
}
