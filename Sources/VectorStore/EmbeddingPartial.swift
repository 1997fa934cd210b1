import FileFormats
import Glibc

/// The work of an unfinished `embed`: the folder `OUT.partial` next to the output, with a manifest and checksummed blocks of rows.
///
/// Every file in it appears by rename, so that a process killed between any two writes leaves a manifest and a number of whole blocks.
/// `init` counts the rows that are safe; the caller goes on after them; `assemble` writes the HDF5 file in one go, the same bytes
/// whether or not the work was interrupted, and removes the folder.
///
/// The folder is touched only if it is one that this program has made: no symbolic link, the user's own, with the program's mark in its
/// lock file. Only files of the names that are written here are ever removed.
package final class EmbeddingPartial {
    /// What must be the same for rows to belong together: hashes of source and model, and every option that decides a vector.
    package typealias Fingerprint = [String: String]

    package let output: String
    /// Of the new rows.
    package let layout: VectorLayout
    /// Rows that are safe on the disk.
    package private(set) var completeRows = 0
    /// Columns that only the new rows have, and that only the earlier ones have (`--append`): their cells are empty in the others.
    package let addedColumns: [String]
    package let missingColumns: [String]

    private let folder: WorkFolder
    private var blocks: [(name: String, rows: Int)] = []
    private let base: VectorFile?
    /// Of the earlier and the new rows together.
    private let wholeLayout: VectorLayout

    /// The folder that belongs to an output.
    package static func folder(of output: String) -> String { output + ".partial" }

    /// True if an earlier run left something to resume.
    package static func exists(for output: String) -> Bool { access(folder(of: output) + "/" + manifestName, F_OK) == 0 }

    private static let manifestName = "manifest.json"

    /// Opens the folder.
    /// - Parameters:
    ///   - fingerprint: compared with that of the rows that are there already.
    ///   - resume: true keeps the rows of an earlier run; false starts from nothing.
    ///   - old: the file whose rows come before the new ones (`--append`); often the output itself. Its columns may differ.
    /// - Throws: `DataError` if the folder cannot be made or is someone else's, another process works in it, the earlier run does not
    ///   fit (the differing key is named), or the old file has another dimension or model than the new rows.
    package init(
        output: String, layout: VectorLayout, fingerprint: Fingerprint, resume: Bool, appendingTo old: String? = nil
    ) throws {
        self.output = output
        self.layout = layout
        base = try old.map { try VectorFile(path: $0) }
        wholeLayout = base.map { $0.layout.joined(with: layout) } ?? layout
        (addedColumns, missingColumns) = base.map { (layout.names(missingIn: $0.layout), $0.layout.names(missingIn: layout)) } ?? ([], [])
        folder = try WorkFolder(path: Self.folder(of: output), for: output, isOwn: Self.isOwn)
        var fingerprint = fingerprint
        if let old { fingerprint["append_to_sha256"] = try SHA256.hex(ofFile: old) }
        let manifest = Self.manifest(layout, fingerprint)
        if let base { try Self.check(base, layout, fingerprint) }
        if resume, Self.exists(for: output) {
            try Self.compare(try JSON(contentsOf: folder.path(Self.manifestName)), with: manifest, folder: folder.path)
            try findBlocks()
        } else {
            // Without its manifest a block belongs to nothing, so the manifest goes first and comes last.
            folder.remove(Self.manifestName)
            folder.removeFiles { _ in true }
            try AtomicFile.write(to: folder.path(Self.manifestName)) { try $0.write(manifest.serialized(.pretty) + "\n") }
        }
    }

    // MARK: Rows

    /// Adds the rows that follow `completeRows`. They are safe when this returns.
    package func append(_ block: VectorBlock) throws {
        precondition(block.fits(layout), "the block does not fit the layout")
        guard block.count > 0 else { return }
        let name = Self.blockName(first: completeRows)
        try PartialBlock.write(block, first: completeRows, to: folder.path(name))
        blocks.append((name, block.count))
        completeRows += block.count
    }

    /// Writes the output from all rows, the old file's first, and removes the folder.
    /// - Parameter metadata: of the new rows; appended files name both sources.
    /// - Parameter codes: what is written next to the vectors; a file that is appended to keeps what it has.
    package func assemble(metadata: VectorMetadata, storage: VectorStorage = .float32, codes: VectorCodes? = nil) throws {
        var metadata = metadata
        if let base {
            guard base.storage == storage else {
                throw DataError(
                    .usage, "its vectors are stored as \(base.storage.rawValue), the new ones as \(storage.rawValue)", file: base.path)
            }
            metadata.source = base.metadata.source + " + " + metadata.source
            metadata.sourceSHA256 = base.metadata.sourceSHA256 + " + " + metadata.sourceSHA256
            metadata.parts = base.metadata.parts + metadata.parts
        }
        let writer = try VectorFileWriter(
            path: output, layout: wholeLayout, metadata: metadata, storage: storage,
            rows: (base?.count ?? 0) + completeRows, codes: codes ?? base?.codeKinds.first)
        if let base {
            var start = 0
            while start < base.count {
                let rows = start..<min(start + 4096, base.count)
                try writer.append(try base.block(rows: rows).widened(from: base.layout, to: wholeLayout))
                start = rows.upperBound
            }
        }
        var first = 0
        for (name, rows) in blocks {
            guard let block = try PartialBlock.read(folder.path(name), first: first, layout: layout), block.count == rows else {
                throw DataError(.inputOutput, "this block of rows is damaged; resume to compute it again", file: folder.path(name))
            }
            try writer.append(block.widened(from: layout, to: wholeLayout))
            first += rows
        }
        try writer.finish()
        discard()
    }

    /// Removes the folder and all rows in it. What is not the program's own stays, and the folder with it.
    package func discard() {
        folder.remove(Self.manifestName)
        folder.removeAll()
        blocks = []
        completeRows = 0
    }

    /// Clears away what a process that was killed after its last step has left: the folder of a run with this fingerprint, or one without a
    /// manifest.
    package static func clear(output: String, fingerprint: Fingerprint) {
        guard access(folder(of: output), F_OK) == 0, let folder = try? WorkFolder(path: folder(of: output), for: output, isOwn: isOwn)
        else { return }
        if exists(for: output) {
            guard let manifest = try? JSON(contentsOf: folder.path(manifestName)) else { return }
            var found = (manifest["fingerprint"]?.dictionary ?? [:]).compactMapValues(\.string)
            found["append_to_sha256"] = nil
            guard found == fingerprint else { return }
            folder.remove(manifestName)
        }
        folder.removeAll()
    }

    private static func isOwn(_ name: String) -> Bool { name == manifestName || isBlock(name) }

    // MARK: The folder

    private static func blockName(first: Int) -> String {
        let digits = String(first)
        return "rows-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + ".block"
    }

    private static func isBlock(_ name: String) -> Bool {
        name.hasPrefix("rows-") && name.hasSuffix(".block") && name.utf8.dropFirst(5).dropLast(6).allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Walks from row 0 through whole blocks; what lies behind the first gap is of no use and goes.
    private func findBlocks() throws {
        var used: Set<String> = [Self.manifestName]
        while true {
            let name = Self.blockName(first: completeRows)
            guard let block = try PartialBlock.read(folder.path(name), first: completeRows, layout: layout) else { break }
            used.insert(name)
            blocks.append((name, block.count))
            completeRows += block.count
        }
        folder.removeFiles { !used.contains($0) }
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
            DataError(
                .usage,
                "the unfinished work here cannot be resumed: \(key) was \(found?.cellText ?? "not set") and is now \(expected?.cellText ?? "not set"). Run it as it was begun, or without \(Setting.resume)",
                file: folder)
        }
        for (key, value) in expected.object ?? [] where key != "fingerprint" {
            if found[key] != value { throw refuse(key, found[key], value) }
        }
        let before = found["fingerprint"]?.dictionary ?? [:], now = expected["fingerprint"]?.dictionary ?? [:]
        for key in Set(before.keys).union(now.keys).sorted() where before[key] != now[key] {
            throw refuse(key, before[key], now[key])
        }
    }

    /// Rows of two runs may be in one file only where both were made in the same way.
    private static func check(_ base: VectorFile, _ layout: VectorLayout, _ fingerprint: Fingerprint) throws {
        func refuse(_ what: String, _ old: String, _ new: String) -> DataError {
            DataError(.usage, "nothing can be appended: its \(what) is \(old), that of the new rows \(new)", file: base.path)
        }
        let pairs = [
            ("model_sha256", base.metadata.modelSHA256), ("pooling", base.metadata.pooling), ("precision", base.metadata.precision),
            ("prompt", base.metadata.prompt), ("normalized", base.metadata.isNormalized ? "1" : "0"),
            ("max_length", String(base.metadata.maxLength)),
        ]
        for (key, old) in pairs {
            if let new = fingerprint[key], new != old { throw refuse(key, old.isEmpty ? "empty" : old, new.isEmpty ? "empty" : new) }
        }
        if base.dimension != layout.dimension { throw refuse("dimension", String(base.dimension), String(layout.dimension)) }
    }
}

extension JSON {
    /// The value as it reads in a message.
    fileprivate var cellText: String { if case .string(let text) = self { text.isEmpty ? "empty" : text } else { serialized() } }
}
