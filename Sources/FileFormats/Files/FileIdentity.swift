import Glibc

/// Which file something is known of, and in which state: it is the same as long as these numbers are. The time of the last change of any
/// kind is the system's own, which no program can set.
package struct FileIdentity: Hashable, Sendable {
    package let size: Int
    private let device: UInt, inode: UInt
    private let modified: Int, modifiedNanoseconds: Int, changed: Int, changedNanoseconds: Int

    /// Nil if there is no such file.
    package init?(_ path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        self.init(information)
    }

    package init?(_ descriptor: Int32) {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { return nil }
        self.init(information)
    }

    private init(_ information: stat) {
        size = Int(information.st_size)
        device = UInt(information.st_dev)
        inode = UInt(information.st_ino)
        (modified, modifiedNanoseconds) = (information.st_mtim.tv_sec, information.st_mtim.tv_nsec)
        (changed, changedNanoseconds) = (information.st_ctim.tv_sec, information.st_ctim.tv_nsec)
    }

    /// A name for the cache, of the file and of what else decides what is kept of it.
    package func key(_ others: String...) -> String {
        let numbers = [Int(bitPattern: device), Int(bitPattern: inode), size, modified, modifiedNanoseconds, changed, changedNanoseconds]
        return SHA256.hex(of: (others + numbers.map(String.init)).joined(separator: " "))
    }

    /// False within two seconds of the last change: one more in the same tick of the file system's clock would not show.
    package var isSettled: Bool { time(nil) - max(changed, modified) >= 2 }
}

extension SHA256 {
    /// The hash of a file's content, kept in the user's cache for large files: it is computed once for each state of the file.
    /// - Throws: `DataError` of kind `noInput` if it cannot be read.
    package static func keptHex(ofFile path: String) throws -> String {
        guard let identity = FileIdentity(path), identity.size >= 1 << 20, identity.isSettled else { return try hex(ofFile: path) }
        let key = identity.key("sha256")
        if let kept = UserCache.read("hashes", key: key), kept.count == 64 { return String(decoding: kept.bytes, as: UTF8.self) }
        let hash = try hex(ofFile: path)
        if FileIdentity(path) == identity { UserCache.write("hashes", key: key) { try $0.write(hash) } }
        return hash
    }
}
