import Glibc

/// Bytes of a file, a pipe or standard input, a block at a time, and their SHA-256.
///
/// The input is opened once: who looks at it, hashes it and parses it sees the same bytes, also where the path names a pipe
/// (`<(command)`) or another program puts a new file in its place meanwhile.
package final class ByteStream {
    /// The name under which errors speak of it.
    package let name: String
    /// Bytes of an ordinary file, nil for pipes and devices, whose length is unknown.
    package let fileSize: Int?
    private var hash = SHA256()
    /// Where reading began; standard input may be in the middle of a file.
    private let start: Int
    /// Bytes that are left of the stretch that was asked for; nil for everything that there is.
    private var left: Int?
    private let descriptor: Int32
    private let isOwned: Bool
    private let block: UnsafeMutableRawBufferPointer
    private var memory = MemoryBudget.Meter()

    package static let blockSize = 1 << 20

    /// Opens a file; `-` is standard input.
    /// - Parameter stretch: bytes of an ordinary file outside which nothing is read or hashed; nil for all.
    package init(path: String, stretch: Range<Int>? = nil) throws {
        if path == "-" {
            (name, descriptor, isOwned) = ("standard input", STDIN_FILENO, false)
        } else {
            name = path
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw SystemError.cannotRead(path) }
            isOwned = true
        }
        var information = stat()
        let isKnown = fstat(descriptor, &information) == 0
        // A small file needs no large block; one byte more than it has tells its end.
        let isRegular = isKnown && information.st_mode & S_IFMT == S_IFREG
        left = stretch?.count
        if let stretch {
            start = stretch.lowerBound
            fileSize = isRegular ? min(stretch.count, max(0, Int(information.st_size) - start)) : nil
            lseek(descriptor, off_t(start), SEEK_SET)
        } else {
            start = isRegular ? max(0, Int(lseek(descriptor, 0, SEEK_CUR))) : 0
            fileSize = isRegular ? max(0, Int(information.st_size) - start) : nil
        }
        block = .allocate(
            byteCount: isRegular ? min(max(Int(information.st_size) + 1, 4096), Self.blockSize) : Self.blockSize, alignment: 64)
        if isKnown, information.st_mode & S_IFMT == S_IFDIR { throw SystemError.cannotRead(name, EISDIR) }
        if let stretch, fileSize != stretch.count {
            throw DataError(
                .badData,
                isRegular
                    ? "expected bytes \(stretch.lowerBound) to \(stretch.upperBound), but the file ends at "
                        + "\(information.st_size)"
                    : "a stretch of an ordinary file was expected, and this is a pipe or a device", file: name)
        }
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        if isOwned { close(descriptor) }
        block.deallocate()
    }

    /// Hands the next block to `body`; false at the end.
    package func next(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        while true {
            let count = read(descriptor, block.baseAddress, min(block.count, left ?? .max))
            if count < 0 {
                if errno == EINTR { continue }
                throw DataError(.inputOutput, "reading failed: \(SystemError.text())", file: name)
            }
            if count == 0 { return false }
            left? -= count
            try memory.add(count, for: "this input", file: name)
            let bytes = UnsafeRawBufferPointer(rebasing: block[..<count])
            hash.update(bytes)
            try body(bytes)
            return true
        }
    }

    /// The hash of all bytes from the beginning to the end; what is left is read for it.
    package func sha256() throws -> String {
        while try next({ _ in }) {}
        return hash.hexSoFar()
    }

    /// Walks through a whole ordinary file without moving the place from which `next` reads.
    package func scan(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        precondition(fileSize != nil, "a pipe is read once")
        let part = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 64)
        defer { part.deallocate() }
        var offset = start
        while true {
            let count = pread(
                descriptor, part.baseAddress, min(part.count, fileSize.map { start + $0 - offset } ?? part.count), off_t(offset))
            if count < 0 {
                if errno == EINTR { continue }
                throw DataError(.inputOutput, "reading failed: \(SystemError.text())", file: name)
            }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: part[..<count]))
            offset += count
        }
    }

    /// The next bytes, `count` of them or more, fewer only at the end; pipes come in small pieces.
    package func head(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, try next({ bytes.append(contentsOf: $0) }) {}
        return bytes
    }

    /// Everything that is left, refused above `limit` bytes.
    package func readAll(limit: Int = .max) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while try next({ bytes.append(contentsOf: $0) }) {
            guard bytes.count <= limit else {
                throw DataError(
                    .badData,
                    "more than \(limit) bytes, the limit for a file of this kind, which is held in "
                        + "memory", file: name)
            }
        }
        return bytes
    }
}
