import Glibc

/// A file's bytes, mapped read-only: weights are paged in when they are touched and shared between processes.
///
/// The mapping lives as long as this object. A file that another program cuts short while it is mapped takes the
/// process down (SIGBUS), as with every mapped file; data that may still grow or shrink is read through streams instead.
public final class MappedFile: Sendable {
    /// The file as it was asked for.
    public let path: String
    /// Bytes in the file.
    public let count: Int
    // Unsafe only in type: the pages are mapped read-only and stay where they are until `deinit`.
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    /// Maps the file. An empty file is fine and has no bytes.
    /// - Throws: `DataError` of kind `noInput` where the file is missing, a folder, or cannot be read.
    public init(path: String) throws {
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw SystemError.cannotRead(path) }
        self.path = path
        count = Int(information.st_size)
        guard count > 0 else { base = nil; return }
        let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw errno == ENOMEM ? MemoryBudget.error("mapping this file", bytes: count, file: path) : SystemError.cannotRead(path)
        }
        base = UnsafeRawPointer(address)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// The bytes, for owners that keep this object alive as long as they look at them.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count) }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(bytes) }
    }
}
