import FileFormats
import Glibc

/// A folder for unfinished work that one process holds at a time, and that is known to be the program's own.
///
/// Files are found and removed through a descriptor of the folder, which is opened without following a link, so that nothing outside it is
/// touched whatever happens to its path.
final class WorkFolder {
    let path: String
    private let descriptor: Int32
    private let lock: Int32
    private let isOwn: (String) -> Bool

    /// The first line of the lock file.
    private static let mark = "kotonoha: unfinished work; the program empties this folder\n"
    private static let lockName = "lock"

    /// Makes the folder or opens one that was made here, and locks it.
    /// - Parameter isOwn: the names of files that are written here, without temporary ones.
    /// - Throws: `DataError` if it cannot be made, is a link or another's, holds files and no mark, or another process works in it.
    init(path: String, for output: String, isOwn: @escaping (String) -> Bool) throws {
        self.path = path
        self.isOwn = isOwn
        func refuse(_ reason: String) -> DataError {
            DataError(.cannotCreate, "\(reason), so it is left alone; move it away or choose another output", file: path)
        }
        let isMade = mkdir(path, 0o777) == 0
        if !isMade, errno != EEXIST { throw SystemError.cannotCreate(output) }
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            var information = stat()
            // Linux says "not a folder" of a link that it was not to follow.
            let isLink = lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
            switch number {
            case _ where isLink && (number == ELOOP || number == ENOTDIR):
                throw refuse("unfinished work belongs here, and this is a symbolic link")
            case ENOTDIR: throw refuse("unfinished work needs a folder of this name, and this is not a folder")
            default: throw SystemError.cannotCreate(path, number)
            }
        }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_uid == geteuid() else {
            close(descriptor)
            throw refuse("this folder belongs to another user")
        }
        lock = openat(descriptor, Self.lockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard lock >= 0 else {
            throw errno == ELOOP ? refuse("its lock is a symbolic link") : SystemError.cannotCreate(path)
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw DataError(.cannotCreate, "another process is writing \(output); wait for it or choose another output", file: path)
        }
        guard isMade || isMarked() || hasNothingForeign() else {
            if isEmptyLock() { unlinkat(descriptor, Self.lockName, 0) }
            throw refuse("this folder contains files that kotonoha did not write")
        }
        let mark = Array(Self.mark.utf8)
        guard pwrite(lock, mark, mark.count, 0) == mark.count, ftruncate(lock, off_t(mark.count)) == 0 else {
            throw SystemError.cannotWrite(path)
        }
    }

    deinit {
        if lock >= 0 { close(lock) }
        if descriptor >= 0 { close(descriptor) }
    }

    func path(_ name: String) -> String { path + "/" + name }

    func remove(_ name: String) { unlinkat(descriptor, name, 0) }

    /// Removes the program's own files that `isUseless` names, and what was being written when a process ended.
    func removeFiles(where isUseless: (String) -> Bool) {
        for name in names() where isTemporary(name) || isOwn(name) && isUseless(name) { remove(name) }
    }

    /// Removes the program's own files and the folder, unless it holds others.
    func removeAll() {
        removeFiles { _ in true }
        remove(Self.lockName)
        rmdir(path)
    }

    /// Temporary files of `AtomicFile` for the program's own: `.NAME.….tmp`.
    private func isTemporary(_ name: String) -> Bool {
        guard name.hasPrefix("."), name.hasSuffix(".tmp"), let dot = name.dropLast(4).lastIndex(of: ".") else { return false }
        return isOwn(String(name[name.index(after: name.startIndex)..<max(dot, name.index(after: name.startIndex))]))
    }

    private func isMarked() -> Bool {
        let mark = Array(Self.mark.utf8)
        var found = [UInt8](repeating: 0, count: mark.count)
        return pread(lock, &found, found.count, 0) == mark.count && found == mark
    }

    /// Empty, as after a kill between making the folder and its mark, or with the files of an earlier version, which made no mark.
    private func hasNothingForeign() -> Bool { names().allSatisfy { $0 == Self.lockName || isOwn($0) || isTemporary($0) } }

    private func isEmptyLock() -> Bool {
        var information = stat()
        return fstat(lock, &information) == 0 && information.st_size == 0
    }

    private func names() -> [String] {
        // A descriptor of its own: closing the stream closes it.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let directory = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return []
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
