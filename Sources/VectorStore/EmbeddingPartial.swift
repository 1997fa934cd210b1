import FileFormats
import Glibc

/// The work of an unfinished `embed`: the folder `OUT.partial` beside the output, with a manifest and checksummed blocks of rows.
///
/// Every file in it appears by rename, so that a process killed between any two writes leaves a manifest and a number of whole blocks.
/// `init` counts the rows that are safe; the caller goes on after them; `assemble` writes the HDF5 file in one go, the same bytes
/// whether or not the work was interrupted, and removes the folder.
public final class EmbeddingPartial {
    /// What must be the same for rows to belong together: hashes of source and model, and every option that decides a vector.
    public typealias Fingerprint = [String: String]

    public let output: String
    public let layout: VectorLayout
    /// Rows that are safe on the disk.
    public private(set) var completeRows = 0

    private let folder: String
    private var blocks: [(path: String, rows: Int)] = []
    private let lock: Int32
    private let base: VectorFile?

    /// The folder that belongs to an output.
    public static func folder(of output: String) -> String { output + ".partial" }

    /// True where an earlier run left something to resume.
    public static func exists(for output: String) -> Bool { access(folder(of: output) + "/" + manifestName, F_OK) == 0 }

    private static let manifestName = "manifest.json"

    /// Opens the folder.
    /// - Parameters:
    ///   - fingerprint: compared with that of the rows that are there already.
    ///   - resume: true keeps the rows of an earlier run; false starts from nothing.
    ///   - old: the file whose rows come before the new ones (`--append`); often the output itself.
    /// - Throws: `DataError` where the folder cannot be made, another process works in it, the earlier run does not fit (the differing
    ///   key is named), or the old file has other columns, another dimension or model than the new rows.
    public init(
        output: String, layout: VectorLayout, fingerprint: Fingerprint, resume: Bool, appendingTo old: String? = nil
    ) throws {
        self.output = output
        self.layout = layout
        folder = Self.folder(of: output)
        base = try old.map { try VectorFile(path: $0) }
        if mkdir(folder, 0o777) != 0, errno != EEXIST { throw SystemError.cannotCreate(output) }
        lock = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw SystemError.cannotCreate(folder) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw DataError(.cannotCreate, "another process is writing \(output); wait for it or choose another output", file: folder)
        }
        var fingerprint = fingerprint
        if let old { fingerprint["append_to_sha256"] = try SHA256.hex(ofFile: old) }
        let manifest = Self.manifest(layout, fingerprint)
        if let base { try Self.check(base, layout, fingerprint) }
        if resume, Self.exists(for: output) {
            try Self.compare(try JSON(contentsOf: folder + "/" + Self.manifestName), with: manifest, folder: folder)
            try findBlocks()
        } else {
            // Without its manifest a block belongs to nothing, so the manifest goes first and comes last.
            unlink(folder + "/" + Self.manifestName)
            try removeFiles { $0 != "lock" }
            try AtomicFile.write(to: folder + "/" + Self.manifestName) { try $0.write(manifest.serialized(.pretty) + "\n") }
        }
    }

    deinit { if lock >= 0 { close(lock) } }

    // MARK: Rows

    /// Adds the rows that follow `completeRows`. They are safe when this returns.
    public func append(_ block: VectorBlock) throws {
        precondition(block.fits(layout), "the block does not fit the layout")
        guard block.count > 0 else { return }
        let path = folder + "/" + Self.blockName(first: completeRows)
        try PartialBlock.write(block, first: completeRows, to: path)
        blocks.append((path, block.count))
        completeRows += block.count
    }

    /// Writes the output from all rows, the old file's first, and removes the folder.
    /// - Parameter metadata: of the new rows; appended files name both sources.
    public func assemble(metadata: VectorMetadata, storage: VectorStorage = .float32) throws {
        var metadata = metadata
        if let base {
            guard base.storage == storage else {
                throw DataError(.usage, "its vectors are stored as \(base.storage.rawValue), the new ones as \(storage.rawValue)", file: base.path)
            }
            metadata.source = base.metadata.source + " + " + metadata.source
            metadata.sourceSHA256 = base.metadata.sourceSHA256 + " + " + metadata.sourceSHA256
        }
        let writer = try VectorFileWriter(path: output, layout: layout, metadata: metadata, storage: storage)
        if let base {
            var start = 0
            while start < base.count {
                let rows = start ..< min(start + 4096, base.count)
                try writer.append(try base.block(rows: rows))
                start = rows.upperBound
            }
        }
        var first = 0
        for (path, rows) in blocks {
            guard let block = try PartialBlock.read(path, first: first, layout: layout), block.count == rows else {
                throw DataError(.badData, "this block of rows is damaged; resume to compute it again", file: path)
            }
            try writer.append(block)
            first += rows
        }
        try writer.finish()
        try discard()
    }

    /// Removes the folder and all rows in it.
    public func discard() throws {
        unlink(folder + "/" + Self.manifestName)
        try removeFiles { _ in true }
        rmdir(folder)
        blocks = []
        completeRows = 0
    }

    // MARK: The folder

    private static func blockName(first: Int) -> String {
        let digits = String(first)
        return "rows-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + ".block"
    }

    /// Walks from row 0 through whole blocks; what lies behind the first gap is of no use and goes.
    private func findBlocks() throws {
        var used: Set<String> = ["lock", Self.manifestName]
        while true {
            let name = Self.blockName(first: completeRows)
            guard let block = try PartialBlock.read(folder + "/" + name, first: completeRows, layout: layout) else { break }
            used.insert(name)
            blocks.append((folder + "/" + name, block.count))
            completeRows += block.count
        }
        try removeFiles { !used.contains($0) }
    }

    private func removeFiles(_ isUseless: (String) -> Bool) throws {
        guard let directory = opendir(folder) else { throw SystemError.cannotCreate(folder) }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", isUseless(name) { unlink(folder + "/" + name) }
        }
    }

    // MARK: The manifest

    private static func manifest(_ layout: VectorLayout, _ fingerprint: Fingerprint) -> JSON {
        .object([
            ("format", .string("kotonoha/partial")), ("format_version", .integer(1)),
            ("dimension", .integer(layout.dimension)), ("groups", .bool(layout.hasGroups)), ("ids", .bool(layout.hasIDs)),
            ("columns", .array(layout.columnNames.map(JSON.string))),
            ("fingerprint", .object(fingerprint.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
        ])
    }

    private static func compare(_ found: JSON, with expected: JSON, folder: String) throws {
        func refuse(_ key: String, _ found: JSON?, _ expected: JSON?) -> DataError {
            DataError(.usage, "the unfinished work here cannot be resumed: \(key) was \(found?.cellText ?? "not set") and is now \(expected?.cellText ?? "not set"). Run it as it was begun, or without --resume", file: folder)
        }
        for (key, value) in expected.object ?? [] where key != "fingerprint" {
            if found[key] != value { throw refuse(key, found[key], value) }
        }
        let before = found["fingerprint"]?.dictionary ?? [:], now = expected["fingerprint"]?.dictionary ?? [:]
        for key in Set(before.keys).union(now.keys).sorted() where before[key] != now[key] {
            throw refuse(key, before[key], now[key])
        }
    }

    /// Rows of two runs may stand in one file only where both were made in the same way.
    private static func check(_ base: VectorFile, _ layout: VectorLayout, _ fingerprint: Fingerprint) throws {
        func refuse(_ what: String, _ old: String, _ new: String) -> DataError {
            DataError(.usage, "nothing can be appended: its \(what) is \(old), that of the new rows \(new)", file: base.path)
        }
        let pairs = [
            ("model_sha256", base.metadata.modelSHA256), ("pooling", base.metadata.pooling), ("precision", base.metadata.precision),
            ("prompt", base.metadata.prompt), ("normalized", base.metadata.isNormalized ? "1" : "0"), ("max_length", String(base.metadata.maxLength)),
        ]
        for (key, old) in pairs {
            if let new = fingerprint[key], new != old { throw refuse(key, old.isEmpty ? "empty" : old, new.isEmpty ? "empty" : new) }
        }
        if base.dimension != layout.dimension { throw refuse("dimension", String(base.dimension), String(layout.dimension)) }
        func describe(_ layout: VectorLayout) -> String {
            ([layout.hasGroups ? "groups" : nil, layout.hasIDs ? "ids" : nil].compactMap { $0 } + layout.columnNames).joined(separator: ", ")
        }
        if !base.layout.matches(layout) { throw refuse("list of columns", "(\(describe(base.layout)))", "(\(describe(layout)))") }
    }
}

extension JSON {
    /// The value as it reads in a message.
    fileprivate var cellText: String { if case .string(let text) = self { text.isEmpty ? "empty" : text } else { serialized() } }
}
