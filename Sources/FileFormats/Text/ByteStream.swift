import Glibc

/// Bytes of a file or of standard input, a block at a time.
package final class ByteStream {
    /// The name under which errors speak of it.
    package let name: String
    private let descriptor: Int32
    private let isOwned: Bool
    private let block: UnsafeMutableRawBufferPointer
    private var memory = MemoryBudget.Meter()

    package static let blockSize = 1 << 20

    /// Opens a file; `-` is standard input.
    package init(path: String) throws {
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
        block = .allocate(byteCount: isRegular ? min(max(Int(information.st_size) + 1, 4096), Self.blockSize) : Self.blockSize, alignment: 64)
        if isKnown, information.st_mode & S_IFMT == S_IFDIR { throw SystemError.cannotRead(name, EISDIR) }
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        if isOwned { close(descriptor) }
        block.deallocate()
    }

    /// Hands the next block to `body`; false at the end.
    package func next(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        while true {
            let count = read(descriptor, block.baseAddress, block.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw DataError(.inputOutput, "reading broke off: \(SystemError.text())", file: name)
            }
            if count == 0 { return false }
            try memory.add(count, for: "this input", file: name)
            try body(UnsafeRawBufferPointer(rebasing: block[..<count]))
            return true
        }
    }

    /// Everything that is left, refused above `limit` bytes.
    package func readAll(limit: Int = .max) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while try next({ bytes.append(contentsOf: $0) }) {
            guard bytes.count <= limit else {
                throw DataError(.badData, "more than \(limit) bytes; a file of this kind is held in memory and may not be larger", file: name)
            }
        }
        return bytes
    }
}
