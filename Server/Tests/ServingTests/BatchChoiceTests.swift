import Testing

@testable import Serving

@Suite struct BatchChoiceTests {
    private func choice(_ lengths: [Int], passed: Set<Int> = [], budget: Int) -> [Int] {
        BatchChoice.counts(
            lengths.enumerated().map { BatchChoice.Waiting(lengths: [$1], wasPassed: passed.contains($0)) }, budget: budget)
    }

    @Test func fillsTheLastTile() {
        // In order the batch would end with 50 rows.
        #expect(choice([20, 30, 20, 14, 40], budget: 64) == [1, 1, 0, 1, 0])
        // The whole tile in front keeps its order.
        #expect(choice([20, 30, 20, 30, 30, 28, 34], budget: 128) == [1, 1, 1, 1, 0, 1, 0])
        // Of selections that fill it equally, the earlier texts.
        #expect(choice([20, 10, 34, 10, 34], budget: 64) == [1, 1, 1, 0, 0])
    }

    @Test func leavesWhatDoesNotFillATile() {
        #expect(choice([30, 34, 20], budget: 1024) == [1, 1, 0])
        // Less than a tile is a batch.
        #expect(choice([30, 20], budget: 1024) == [1, 1])
        #expect(choice([7], budget: 1024) == [1])
        #expect(choice([0, 7], budget: 1024) == [1, 1])
    }

    @Test func theFirstTextGoesWhateverItsLength() {
        #expect(choice([150, 50, 42], budget: 64) == [1, 0, 1])
        #expect(choice([150, 50], budget: 16) == [1, 0])
        #expect(choice([10, 10], budget: 16) == [1, 0])
    }

    /// A text that does not fit lets others pass, once.
    @Test func whoWasPassedComesFirst() {
        #expect(choice([40, 30, 24], budget: 64) == [1, 0, 1])
        #expect(choice([40, 10, 24], budget: 64) == [1, 0, 1])
        #expect(choice([40, 10, 24], passed: [1], budget: 64) == [1, 1, 0])
    }

    @Test func requestsGiveAPartOnlyWhereTheyHaveBegun() {
        let large = BatchChoice.Waiting(lengths: Array(repeating: 10, count: 30)), small = BatchChoice.Waiting(lengths: [24])
        #expect(BatchChoice.counts([large, small], budget: 64) == [4, 1])
        #expect(BatchChoice.counts([large], budget: 128) == [12])
        // The last tile gets no text of a request that would lose its turn with it.
        #expect(BatchChoice.counts([small, large, small], budget: 64) == [1, 0, 1])
        #expect(BatchChoice.counts([small, large], budget: 128) == [1, 10])
        #expect(BatchChoice.counts([small, .init(lengths: [20, 20])], budget: 64) == [1, 2])
    }

    /// Sixty-four clients with one sentence each at a time: tiles are full, and what one batch leaves goes into the next.
    @Test func closedLoop() {
        var random = Generator(state: 3), rows = 0, tokens = 0
        func length() -> Int { Int.random(in: 9...27, using: &random) }
        var waiting = (0..<40).map { _ in (length: length(), batch: 0, wasPassed: false) }, computing = (0..<24).map { _ in length() }
        for batch in 1...2000 {
            // One batch ends and its clients send the next sentences while the next one is computed.
            let counts = BatchChoice.counts(waiting.map { .init(lengths: [$0.length], wasPassed: $0.wasPassed) }, budget: 1024)
            let last = counts.lastIndex(of: 1) ?? 0, taken = zip(waiting, counts).filter { $0.1 > 0 }.map(\.0)
            let sum = taken.reduce(0) { $0 + $1.length }
            #expect(counts[0] == 1)
            tokens += sum
            rows += (sum + 63) / 64 * 64
            for (place, count) in counts.enumerated() where count == 0 && place < last {
                #expect(!waiting[place].wasPassed)
                waiting[place].wasPassed = true
            }
            waiting = zip(waiting, counts).filter { $0.1 == 0 }.map(\.0)
            #expect(waiting.allSatisfy { $0.batch >= batch - 1 })
            waiting += computing.map { _ in (length: length(), batch: batch, wasPassed: false) }
            computing = taken.map(\.length)
        }
        #expect(Double(tokens) / Double(rows) > 0.99)
    }
}
