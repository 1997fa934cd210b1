import CMapping
import Glibc

/// A file's bytes, or a stretch of them, mapped read-only: they are paged in when they are touched and shared between processes.
///
/// The mapping lives as long as this object. Where another program cuts the file short, or the disk fails, while it is mapped, the bytes
/// that are gone read as zeros and the mapping counts as damaged: `requireWhole` says so, and until it has, no output is put in its place
/// (`AtomicFile`, `FileReplacement`).
package final class MappedFile: Sendable {
    /// The file as it was asked for.
    package let path: String
    /// Bytes that are mapped.
    package let count: Int
    // Unsafe only in type: the pages are mapped read-only and stay where they are until `deinit`.
    private nonisolated(unsafe) let base: UnsafeRawPointer?
    /// Bytes between the beginning of the first page and `base`.
    private let lead: Int
    private let watch: Int32

    /// Maps the file. An empty file is fine and has no bytes.
    /// - Throws: `DataError` of kind `noInput` if the file is missing, a folder, or cannot be read.
    package convenience init(path: String) throws {
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        try self.init(descriptor: descriptor, path: path)
    }

    /// Maps a stretch of an open file, all of it where none is given. The descriptor may be closed after that.
    /// - Throws: `DataError` of kind `badData` if the stretch lies beyond the end of the file that the descriptor means.
    package init(descriptor: Int32, stretch: Range<Int>? = nil, path: String) throws {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw SystemError.cannotRead(path) }
        let size = Int(information.st_size), stretch = stretch ?? 0..<size
        guard stretch.lowerBound >= 0, stretch.upperBound <= size else {
            throw DataError(
                .badData,
                "expected bytes \(stretch.lowerBound) to \(stretch.upperBound), but the file ends at "
                    + "\(size)", file: path)
        }
        self.path = path
        count = stretch.count
        lead = stretch.lowerBound % Int(sysconf(Int32(_SC_PAGESIZE)))
        guard count > 0 else {
            (base, watch) = (nil, -1)
            return
        }
        let address = mmap(nil, count + lead, PROT_READ, MAP_PRIVATE, descriptor, off_t(stretch.lowerBound - lead))
        guard let address, address != MAP_FAILED else {
            throw errno == ENOMEM ? MemoryBudget.error("mapping this file", bytes: count, file: path) : SystemError.cannotRead(path)
        }
        base = UnsafeRawPointer(address) + lead
        watch = km_watch(address, count + lead)
    }

    deinit {
        km_unwatch(watch)
        if let base { munmap(UnsafeMutableRawPointer(mutating: base - lead), count + lead) }
    }

    /// The bytes, for owners that keep this object alive as long as they look at them.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count) }

    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(bytes) }
    }

    /// - Throws: `DataError` if bytes were gone when they were touched.
    package func requireWhole() throws {
        guard km_is_damaged(watch) else { return }
        km_acknowledge(watch)
        throw Self.damage(path)
    }

    /// The same for all mappings of this process that were not checked yet; checked before an output is renamed into place.
    package static func requireAllWhole() throws {
        if km_damaged_ranges() > 0 { throw damage(nil) }
    }

    private static func damage(_ path: String?) -> DataError {
        DataError(
            .inputOutput,
            "\(path == nil ? "an input" : "the file") was truncated, or its disk failed, while being read; no results "
                + "were written", file: path)
    }
}
