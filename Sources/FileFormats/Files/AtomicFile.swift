import Glibc

/// An output that is either there completely or not at all.
///
/// Bytes go into a temporary file in the target's folder; `commit` brings it to the disk and renames it over the target.
/// Without `commit` (an error, a full disk, the end of the process) the target stays as it was. Where the file system
/// offers unnamed files, even a killed process leaves nothing behind. An existing target keeps its permissions, and a
/// symbolic link keeps pointing at its file. A target that is not a regular file (`/dev/stdout`, a pipe) is written directly.
package final class AtomicFile {
    /// The output as the user named it.
    package let path: String
    private let target: String
    private let descriptor: Int32
    private let isDirect: Bool
    private let isUnnamed: Bool
    private let temporary: String
    private var buffer: [UInt8] = []
    private var isOpen = true
    /// Bytes written so far.
    package private(set) var count = 0

    private static let bufferSize = 1 << 18

    /// Opens a temporary file next to the target.
    /// - Throws: `DataError` of kind `cannotCreate` if the folder is missing or not writable or the target is a folder.
    package init(path: String) throws {
        self.path = path
        let place = try OutputPlace(path: path)
        target = place.target
        temporary = place.temporary
        isDirect = place.isSpecial
        if !isDirect { place.removeLeftovers() }
        if isDirect {
            descriptor = open(target, O_WRONLY | O_CLOEXEC)
            isUnnamed = false
        } else {
            // 0o20000000 is __O_TMPFILE, which Glibc's module does not export.
            let unnamed = open(SystemError.folder(of: target), O_WRONLY | O_CLOEXEC | O_DIRECTORY | 0o20000000, 0o666)
            isUnnamed = unnamed >= 0 && access("/proc/self/fd", X_OK) == 0
            if unnamed >= 0, !isUnnamed { close(unnamed) }
            descriptor = isUnnamed ? unnamed : open(temporary, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0o666)
        }
        guard descriptor >= 0 else { throw SystemError.cannotCreate(path) }
        if !isDirect { flock(descriptor, LOCK_SH | LOCK_NB) }
        if let permissions = place.permissions { fchmod(descriptor, permissions) }
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit { discard() }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        count += bytes.count
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        if bytes.count >= Self.bufferSize { try writeThrough(bytes) } else { buffer.append(contentsOf: bytes) }
    }
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
    package func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Brings everything to the disk and puts the file in the target's place. Nothing may be written afterwards.
    package func commit() throws {
        precondition(isOpen, "AtomicFile is closed")
        try MappedFile.requireAllWhole()
        try flush()
        if isDirect {
            isOpen = false
            guard close(descriptor) == 0 else { throw SystemError.cannotWrite(path) }
            return
        }
        guard fsync(descriptor) == 0 else { throw SystemError.cannotWrite(path) }
        if isUnnamed {
            let link = "/proc/self/fd/\(descriptor)"
            guard linkat(AT_FDCWD, link, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0 else { throw SystemError.cannotWrite(path) }
        }
        let isClosed = close(descriptor) == 0
        isOpen = false
        guard isClosed, rename(temporary, target) == 0 else {
            let error = SystemError.cannotWrite(path)
            unlink(temporary)
            throw error
        }
        OutputPlace.synchronizeFolder(of: target)
    }

    /// Drops what was written. The target stays as it was.
    package func discard() {
        guard isOpen else { return }
        isOpen = false
        close(descriptor)
        if !isDirect, !isUnnamed { unlink(temporary) }
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { try writeThrough($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(isOpen, "AtomicFile is closed")
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if written < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE, isDirect { throw ClosedPipe() }
                throw SystemError.cannotWrite(path)
            }
            done += written
        }
    }

    // MARK: Whole files at once

    /// Writes an output through `body`; it appears when `body` returns, and not when it throws.
    package static func write(to path: String, _ body: (AtomicFile) throws -> Void) throws {
        let file = try AtomicFile(path: path)
        do {
            try body(file)
            try file.commit()
        } catch {
            file.discard()
            throw error
        }
    }

    /// For libraries that insist on a path of their own: `body` writes the file `temporary`, which then takes the target's place.
    /// - Throws: what `body` throws, after removing the temporary file; `DataError` if the target cannot be created.
    package static func replace<Result>(_ path: String, _ body: (_ temporary: String) throws -> Result) throws -> Result {
        let replacement = try FileReplacement(path: path)
        let result = try body(replacement.temporary)
        try replacement.commit()
        return result
    }
}

/// A temporary file beside an output, for libraries that write to a path of their own: `commit` puts it in the output's place,
/// the end of this object without it removes it.
package final class FileReplacement {
    /// The output as the user named it.
    package let path: String
    /// The file to write. It exists and is empty.
    package let temporary: String
    private let place: OutputPlace
    private let held: Int32
    private var isOpen = true

    /// - Throws: `DataError` of kind `cannotCreate` if the folder is missing or not writable, or the target is not a regular file.
    package init(path: String) throws {
        self.path = path
        place = try OutputPlace(path: path)
        temporary = place.temporary
        guard !place.isSpecial else {
            throw DataError(.cannotCreate, "this kind of output needs a regular file, not a device or a pipe", file: path)
        }
        place.removeLeftovers()
        // Made here so that a missing folder is reported in our own words, whatever the library would say.
        let made = open(temporary, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0o666)
        guard made >= 0 else { throw SystemError.cannotCreate(path) }
        close(made)
        held = FolderListing.hold(temporary)
    }

    deinit {
        discard()
        if held >= 0 { close(held) }
    }

    /// Brings the temporary file to the disk and puts it in the output's place. Whoever wrote it has closed it.
    package func commit() throws {
        precondition(isOpen, "FileReplacement is closed")
        try MappedFile.requireAllWhole()
        let written = open(temporary, O_RDONLY | O_CLOEXEC)
        guard written >= 0 else { throw SystemError.cannotWrite(path) }
        defer { close(written) }
        if let permissions = place.permissions { fchmod(written, permissions) }
        guard fsync(written) == 0, rename(temporary, place.target) == 0 else { throw SystemError.cannotWrite(path) }
        isOpen = false
        OutputPlace.synchronizeFolder(of: place.target)
    }

    /// Removes the temporary file. The output stays as it was.
    package func discard() {
        guard isOpen else { return }
        isOpen = false
        unlink(temporary)
    }
}

/// Where an output goes: its real name, a free name next to it, and what is there already.
struct OutputPlace {
    var target: String
    var temporary: String
    var permissions: mode_t?
    var isSpecial = false

    init(path: String) throws {
        target = path
        var information = stat()
        if stat(path, &information) == 0 {
            switch information.st_mode & S_IFMT {
            case S_IFREG:
                permissions = information.st_mode & 0o7777
                if let resolved = realpath(path, nil) {
                    target = String(cString: resolved)
                    free(resolved)
                }
            case S_IFDIR: throw DataError(.cannotCreate, "this is a folder; give the name of a file to write", file: path)
            default: isSpecial = true
            }
        } else if path.isEmpty || path.utf8.last == UInt8(ascii: "/") {
            throw DataError(.cannotCreate, "this is the name of a folder; give the name of a file to write", file: path)
        }
        let name = SystemError.name(of: target).utf8.prefix(200)
        let random = UInt32.random(in: 0 ... .max)
        let folder = SystemError.folder(of: target)
        temporary = "\(folder == "/" ? "" : folder)/.\(String(decoding: name, as: UTF8.self)).\(getpid())-\(String(random, radix: 16)).tmp"
    }

    /// Removes temporary files of this output that killed processes have left.
    func removeLeftovers() {
        let folder = SystemError.folder(of: target)
        FolderListing.removeLeftovers(
            of: String(decoding: SystemError.name(of: target).utf8.prefix(200), as: UTF8.self), in: folder, suffix: ".tmp")
    }

    /// Makes the rename itself survive a power cut. It is not an error if the file system cannot do it.
    static func synchronizeFolder(of path: String) {
        let folder = open(SystemError.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
