import FileFormats
import Glibc
import VectorStore

/// The folder of a set that is being made, and what of it is there.
///
///     corpus.kset/plan.json            what is to be done
///                 shards/00007.h5      a finished shard, which appears by rename
///                 shards/00007.json    its size and hash: with it, the shard is done
///                 work/00007/          blocks of a shard in the making
///                 set.json             the index of the finished set
package struct ShardFolder: Sendable {
    package let path: String
    package let plan: ShardPlan
    let identity: String

    static let files = "shards"

    /// - Throws: `DataError` if the folder has no plan.
    package init(path: String) throws {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        plan = try ShardPlan(folder: path)
        identity = plan.identity
    }

    static func number(_ shard: Int) -> String {
        let digits = String(shard)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// A shard's file in the folder.
    static func file(_ shard: Int) -> String { files + "/" + number(shard) + ".h5" }
    func receipt(_ shard: Int) -> String { path + "/" + Self.files + "/" + Self.number(shard) + ".json" }
    func work(_ shard: Int) -> String { path + "/work/" + Self.number(shard) }

    /// What is known of a shard.
    package enum State: Sendable, Equatable {
        case done(VectorSetIndex.Shard)
        case missing
        /// Blocks of it are there, with this many rows.
        case begun(rows: Int)
        /// Its file is not what it was when it was finished; in words.
        case damaged(String)
    }

    /// Looks at a shard.
    /// - Parameter hashes: read the whole file; otherwise its size is compared.
    package func state(of shard: Int, hashes: Bool) throws -> State {
        let name = Self.file(shard), file = path + "/" + name
        if access(receipt(shard), F_OK) == 0, let json = try? JSON(contentsOf: receipt(shard)), json["plan"]?.string == identity,
            json["shard"]?.int == shard,
            let bytes = json["bytes"]?.int, let hash = json["sha256"]?.string, json["rows"]?.int == plan.shards[shard].rows
        {
            var information = stat()
            guard stat(file, &information) == 0 else {
                return .damaged(errno == ENOENT ? "the file is gone" : "the file cannot be read: \(SystemError.text())")
            }
            guard Int(information.st_size) == bytes else {
                return .damaged("\(information.st_size) bytes instead of \(bytes): truncated or replaced")
            }
            if hashes, try SHA256.hex(ofFile: file) != hash { return .damaged("its SHA-256 differs from that of the finished shard") }
            return .done(VectorSetIndex.Shard(file: name, rows: plan.shards[shard].rows, bytes: bytes, sha256: hash))
        }
        guard let first = blockStarts(of: shard).last else { return .missing }
        return .begun(rows: first + (PartialBlock.rows(block(shard, first: first)) ?? 0))
    }

    /// Notes that a shard's file is complete.
    func finish(_ shard: Int) throws -> VectorSetIndex.Shard {
        let name = Self.file(shard), file = path + "/" + name
        var information = stat()
        guard stat(file, &information) == 0 else { throw SystemError.cannotRead(file) }
        let done = VectorSetIndex.Shard(
            file: name, rows: plan.shards[shard].rows, bytes: Int(information.st_size), sha256: try SHA256.hex(ofFile: file))
        try AtomicFile.write(to: receipt(shard)) {
            try $0.write(
                JSON.object([
                    ("format", .string("kotonoha/shard")), ("plan", .string(identity)), ("shard", .integer(shard)),
                    ("rows", .integer(done.rows)),
                    ("bytes", .integer(done.bytes)), ("sha256", .string(done.sha256)),
                ]).serialized() + "\n")
        }
        return done
    }

    // MARK: Work

    /// The file of a block that begins at a row of its shard.
    func block(_ shard: Int, first: Int) -> String { work(shard) + "/\(identity.prefix(12))-\(first).block" }

    /// The rows at which blocks of a shard begin, in order.
    private func blockStarts(of shard: Int) -> [Int] {
        Self.names(in: work(shard)).compactMap { name in
            guard name.hasPrefix(identity.prefix(12) + "-"), name.hasSuffix(".block") else { return nil }
            return Int(name.dropFirst(13).dropLast(6))
        }.sorted()
    }

    func makeWork(_ shard: Int) throws {
        for folder in [path + "/work", work(shard)] where mkdir(folder, 0o777) != 0 && errno != EEXIST {
            throw SystemError.cannotCreate(folder)
        }
    }

    /// Forgets the blocks of a shard.
    func removeWork(_ shard: Int) {
        for name in Self.names(in: work(shard)) where name.hasSuffix(".block") || name.hasSuffix(".tmp") {
            unlink(work(shard) + "/" + name)
        }
        rmdir(work(shard))
        // Goes with the last shard.
        rmdir(path + "/work")
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            )
        }
        return names
    }
}
