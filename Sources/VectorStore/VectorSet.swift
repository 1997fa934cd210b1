import FileFormats
import Glibc
import Synchronization

/// What a set says of itself: `set.json` in its folder. The hash of that file stands for the content of the set.
package struct VectorSetIndex: Sendable, Equatable {
    /// A file of vectors in the set's folder.
    package struct Shard: Sendable, Equatable {
        package var file: String
        package var rows: Int
        package var bytes: Int
        /// SHA-256 of the file, as `sha256sum` prints it.
        package var sha256: String

        package init(file: String, rows: Int, bytes: Int, sha256: String) {
            (self.file, self.rows, self.bytes, self.sha256) = (file, rows, bytes, sha256)
        }
    }

    package var shards: [Shard]
    /// How the set was made (a `Provenance`).
    package var record: JSON

    package init(shards: [Shard], record: JSON) { (self.shards, self.record) = (shards, record) }

    package static let name = "set.json"
    static let format = "kotonoha/set"

    /// - Throws: `DataError` if the file is missing, damaged, or of a later version.
    package init(path: String) throws {
        let json = try JSON(contentsOf: path)
        func damaged(_ what: String) -> DataError { DataError(.badData, what, file: path) }
        guard json["format"]?.string == Self.format else {
            throw damaged("this is not the index of a set of vectors: its \"format\" is not \"\(Self.format)\"")
        }
        guard json["format_version"]?.int == 1 else {
            throw damaged("the set has format version \(json["format_version"]?.int ?? 0); this program reads version 1")
        }
        guard let list = json["shards"]?.array, !list.isEmpty else { throw damaged("the set has no shards") }
        shards = try list.enumerated().map { index, entry in
            guard let file = entry["file"]?.string, let rows = entry["rows"]?.int, let bytes = entry["bytes"]?.int,
                let hash = entry["sha256"]?.string, rows > 0, bytes > 0
            else {
                throw damaged("entry \(index) of \"shards\" needs file, rows, bytes and sha256")
            }
            // Nothing outside the set's own folder is opened.
            guard !file.isEmpty, !file.hasPrefix("/"), !file.split(separator: "/").contains("..") else {
                throw damaged("entry \(index) of \"shards\" names a file outside the set: \(file)")
            }
            return Shard(file: file, rows: rows, bytes: bytes, sha256: hash)
        }
        guard shards.reduce(0, { $0.addingReportingOverflow($1.rows).partialValue }) >= 0, shards.allSatisfy({ $0.rows < 1 << 40 }) else {
            throw damaged("the rows of the shards cannot be counted")
        }
        record = json["record"] ?? .object([])
    }

    package var json: JSON {
        .object([
            ("format", .string(Self.format)), ("format_version", .integer(1)), ("rows", .integer(shards.reduce(0) { $0 + $1.rows })),
            (
                "shards",
                .array(
                    shards.map {
                        .object([
                            ("file", .string($0.file)), ("rows", .integer($0.rows)), ("bytes", .integer($0.bytes)),
                            ("sha256", .string($0.sha256)),
                        ])
                    })
            ),
            ("record", record),
        ])
    }
}

/// A folder of vector files that count as one: `VectorFile(path:)` opens it.
///
/// Files are opened when their rows are asked for, and the last few stay open. Safe to share between threads.
package final class VectorSet: Sendable {
    /// The folder as the user named it.
    package let path: String
    package let index: VectorSetIndex
    /// Rows of all files.
    package let rows: Int
    /// The first row of each file, and the number of rows at the end.
    private let starts: [Int]

    private struct Open {
        var files: [(shard: Int, file: VectorFile)] = []
        var first: (layout: VectorLayout, storage: VectorStorage)?
    }
    private let open = Mutex(Open())
    private static let openFiles = 16

    /// Whether a path names a folder, which only a set can be where vectors are expected.
    static func isSet(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// Reads the index and looks whether all files are there in their full length.
    /// - Throws: `DataError` if the folder is not a finished set, or a file is missing or truncated (it is named).
    package init(path: String) throws {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        guard access(path + "/" + VectorSetIndex.name, F_OK) == 0 else {
            throw DataError(
                .noInput,
                access(path + "/plan.json", F_OK) == 0
                    ? "this set is not finished: its shards are planned, and kotonoha shard finish has not put them together; kotonoha shard status says what is missing"
                    : "this is a folder; a vector file or a set of them (a folder with \(VectorSetIndex.name), made by kotonoha shard) was expected",
                file: path)
        }
        index = try VectorSetIndex(path: path + "/" + VectorSetIndex.name)
        var starts = [0]
        for shard in index.shards { starts.append(starts[starts.count - 1] + shard.rows) }
        self.starts = starts
        rows = starts[starts.count - 1]
        for shard in index.shards { try Self.checkSize(of: path + "/" + shard.file, shard.bytes) }
    }

    private static func checkSize(of file: String, _ bytes: Int) throws {
        let advice = "kotonoha shard run makes it again, with the same bits"
        var information = stat()
        guard stat(file, &information) == 0 else {
            throw DataError(
                .noInput,
                errno == ENOENT
                    ? "this shard of the set is missing; \(advice)" : "this shard of the set cannot be read: \(SystemError.text())",
                file: file)
        }
        guard Int(information.st_size) == bytes else {
            throw DataError(
                .badData,
                "this shard of the set has \(information.st_size) bytes, but the index says \(bytes): it was truncated or replaced; \(advice)",
                file: file)
        }
    }

    /// The place of a file.
    package func path(of shard: Int) -> String { path + "/" + index.shards[shard].file }

    /// Rows of a file in the numbering of the set.
    package func rows(of shard: Int) -> Range<Int> { starts[shard]..<starts[shard + 1] }

    /// The first file says what the others must be.
    func check(first: VectorFile, rows: Int) throws {
        guard rows == index.shards[0].rows else { throw Self.wrong(path(of: 0), rows, index.shards[0].rows) }
        open.withLock { $0.first = (first.layout, first.storage) }
    }

    private static func wrong(_ file: String, _ found: Int, _ expected: Int) -> DataError {
        DataError(.badData, "this shard has \(found) rows, and the index of the set says \(expected)", file: file)
    }

    /// A file of the set.
    /// - Throws: `DataError` if it is damaged or does not fit the others.
    package func part(_ shard: Int) throws -> VectorFile {
        let (known, first) = open.withLock { open in (open.files.first { $0.shard == shard }?.file, open.first) }
        if let known { return known }
        let file = try VectorFile(path: path(of: shard))
        guard file.set == nil, file.count == index.shards[shard].rows else {
            throw Self.wrong(file.path, file.count, index.shards[shard].rows)
        }
        if let first, !file.layout.matches(first.layout) || file.storage != first.storage {
            throw DataError(
                .badData, "this shard has other columns, another dimension or another storage than the first one of the set",
                file: file.path)
        }
        open.withLock { open in
            if open.files.count >= Self.openFiles { open.files.removeFirst() }
            open.files.append((shard, file))
        }
        return file
    }

    /// Walks through rows file by file.
    /// - Parameter body: a file, the rows in its own numbering, and how many rows came before them.
    func forEach(_ rows: Range<Int>, _ body: (_ part: VectorFile, _ own: Range<Int>, _ place: Int) throws -> Void) throws {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= self.rows, "rows out of range")
        guard !rows.isEmpty else { return }
        // The last file that begins at or before the first row.
        var low = 0, high = index.shards.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= rows.lowerBound { low = middle } else { high = middle }
        }
        var place = 0
        while place < rows.count {
            let own = rows.clamped(to: self.rows(of: low))
            try body(try part(low), own.lowerBound - starts[low]..<own.upperBound - starts[low], place)
            place += own.count
            low += 1
        }
    }

    /// What `read` has for rows of each file, one after the other.
    func gather<Value>(_ rows: Range<Int>?, _ read: (_ part: VectorFile, _ own: Range<Int>) throws -> [Value]) throws -> [Value] {
        var values: [Value] = []
        let rows = rows ?? 0..<self.rows
        values.reserveCapacity(rows.count)
        try forEach(rows) { part, own, _ in values += try read(part, own) }
        return values
    }
}
