import Networks

/// How sentences of a batch are dealt out to shards: by length, each to the shard with the fewest tokens, so that all take about as
/// long. It depends on the lengths alone.
struct Sharding: Sendable {
    /// Sentences of each shard, in the batch's numbering.
    let members: [[Int]]
    let batches: [PackedBatch]

    init(lengths: [Int], shardTokens: Int, sentence: (Int) -> ArraySlice<Int32>) {
        let total = lengths.reduce(0, +)
        let count = max(1, min(lengths.count, (total + shardTokens - 1) / shardTokens))
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
