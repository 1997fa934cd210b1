import Networks

/// How sentences of a batch are dealt out to shards: by length, each to the shard with the fewest tokens, so that all take about as
/// long. It depends on the lengths alone.
struct Sharding: Sendable {
    /// Tokens of a shard below which cutting a small batch further costs more than another thread gains.
    private static let fewestTokens = 128

    /// Sentences of each shard, in the batch's numbering.
    let members: [[Int]]
    let batches: [PackedBatch]

    /// - Parameters:
    ///   - shardTokens: tokens of a shard, about.
    ///   - wanted: shards into which a batch of fewer tokens is cut all the same, so that several threads have work.
    init(lengths: [Int], shardTokens: Int, wanted: Int = 1, sentence: (Int) -> ArraySlice<Int32>) {
        let total = lengths.reduce(0, +)
        let needed = max((total + shardTokens - 1) / shardTokens, min(wanted, total / Self.fewestTokens))
        let count = max(1, min(lengths.count, needed))
        var members = [[Int]](repeating: [], count: count), loads = [Int](repeating: 0, count: count)
        for index in lengths.indices.sorted(by: { (-lengths[$0], $0) < (-lengths[$1], $1) }) {
            var lightest = 0
            for shard in 1..<max(1, count) where loads[shard] < loads[lightest] { lightest = shard }
            members[lightest].append(index)
            loads[lightest] += lengths[index]
        }
        self.members = members
        batches = members.map { PackedBatch($0.map { Array(sentence($0)) }) }
    }
}
