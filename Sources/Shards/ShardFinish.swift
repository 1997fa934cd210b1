import FileFormats
import Glibc
import VectorStore

extension ShardFolder {
    /// Every shard with its state.
    package func states(hashes: Bool) throws -> [State] { try plan.shards.indices.map { try state(of: $0, hashes: hashes) } }

    /// Puts the finished shards together to a set: writes `set.json`, after which the folder opens as one vector file.
    /// - Parameter hashes: read all files again and compare their hashes.
    /// - Throws: `DataError` that names the first shards that are missing or damaged.
    package func finish(hashes: Bool) throws -> VectorSetIndex {
        var done: [VectorSetIndex.Shard] = [], faults: [String] = [], faulty = 0
        for (shard, state) in try states(hashes: hashes).enumerated() {
            let name = Self.file(shard)
            switch state {
            case .done(let found): done.append(found)
            case .missing: faults.append("\(name) is missing")
            case .begun(let rows): faults.append("\(name) is not finished (about \(rows) of \(plan.shards[shard].rows) rows)")
            case .damaged(let what): faults.append("\(name): \(what)")
            }
            if faults.count > 5 { faults.removeLast() }
            faulty = shard + 1 - done.count
        }
        guard faulty == 0 else {
            throw DataError(
                .badData,
                "\(faulty) of \(plan.shards.count) shards are missing or damaged: "
                    + "\(faults.joined(separator: "; "))\(faulty > faults.count ? " …" : ""). "
                    + "kotonoha shard run \(path) makes what is missing", file: path)
        }
        let index = VectorSetIndex(shards: done, record: plan.record)
        try AtomicFile.write(to: path + "/" + VectorSetIndex.name) { try $0.write(index.json.serialized(.pretty) + "\n") }
        return index
    }
}
