import CLinux
import Glibc

/// A folder of files that is either there completely or not at all: a model.
///
/// The files are written into a hidden folder next to the target. `write` brings them to the disk and puts the folder in the target's place
/// in one step; a process killed at any moment leaves the old folder or the new one, whole. Files of an older folder that the new one does
/// not replace and that `isOwn` does not name (a README, notes) are carried over.
package enum AtomicFolder {
    /// - Parameters:
    ///   - path: the folder. One that exists is replaced only if it is empty or `isOwn` names one of its files.
    ///   - isOwn: whether a name in the folder is one that the writer of such folders makes, so that it may go.
    ///   - body: writes the files into the folder that it is given.
    /// - Throws: `DataError` of kind `cannotCreate` if the folder cannot be made or holds something else; what `body` throws. The folder
    ///   is then as it was.
    package static func write(to path: String, isOwn: (String) -> Bool, _ body: (_ temporary: String) throws -> Void) throws {
        var target = path
        while target.utf8.count > 1, target.hasSuffix("/") { target.removeLast() }
        var information = stat()
        var exists = stat(target, &information) == 0
        if exists {
            guard information.st_mode & S_IFMT == S_IFDIR else {
                throw DataError(.cannotCreate, "this is a file; the output is a folder", file: path)
            }
            // A link keeps pointing at its folder.
            if let resolved = realpath(target, nil) {
                target = String(cString: resolved)
                free(resolved)
            }
            let names = FolderListing.names(in: target)
            guard names.isEmpty || names.contains(where: isOwn) else {
                throw DataError(.cannotCreate, "a folder of this name exists and contains other files; choose another output", file: path)
            }
        } else {
            try makeFolders(above: target, for: path)
        }
        let folder = SystemError.folder(of: target), name = SystemError.name(of: target)
        FolderListing.removeLeftovers(of: name, in: folder, suffix: ".partial")
        let temporary = "\(folder == "/" ? "" : folder)/.\(name).\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16)).partial"
        guard mkdir(temporary, 0o777) == 0 else { throw SystemError.cannotCreate(path) }
        let held = FolderListing.hold(temporary)
        // Whatever lies there at the end goes: what was not finished, or what was replaced.
        defer {
            FolderListing.remove(temporary)
            if held >= 0 { close(held) }
        }
        try body(temporary)
        exists = stat(target, &information) == 0
        if exists {
            chmod(temporary, information.st_mode & 0o7777)
            for name in FolderListing.names(in: target) where !isOwn(name) && access(temporary + "/" + name, F_OK) != 0 {
                try carry(target + "/" + name, to: temporary + "/" + name, for: path)
            }
        }
        try FolderListing.synchronize(temporary, for: path)
        // Exchanged, so that there is no moment without a folder.
        if exists, kotonoha_exchange_names(temporary, target) != 0 {
            guard [EINVAL, ENOSYS, EXDEV, ENOTSUP].contains(errno) else { throw SystemError.cannotWrite(path) }
            // A file system that cannot exchange: two steps, the first undone where the second fails.
            let former = temporary + ".former"
            guard rename(target, former) == 0 else { throw SystemError.cannotWrite(path) }
            guard rename(temporary, target) == 0 else {
                let error = SystemError.cannotWrite(path)
                rename(former, target)
                throw error
            }
            rename(former, temporary)
        } else if !exists, rename(temporary, target) != 0 {
            throw SystemError.cannotWrite(path)
        }
        OutputPlace.synchronizeFolder(of: target)
    }

    private static func makeFolders(above target: String, for path: String) throws {
        let folder = SystemError.folder(of: target)
        guard access(folder, F_OK) != 0 else { return }
        try makeFolders(above: folder, for: path)
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw SystemError.cannotCreate(path) }
    }

    /// Links what is not the writer's into the new folder; both have it until the old one goes.
    private static func carry(_ from: String, to: String, for path: String) throws {
        var information = stat()
        guard lstat(from, &information) == 0 else { return }
        if information.st_mode & S_IFMT == S_IFDIR {
            guard mkdir(to, information.st_mode & 0o7777) == 0 else { throw SystemError.cannotWrite(path) }
            for name in FolderListing.names(in: from) { try carry(from + "/" + name, to: to + "/" + name, for: path) }
        } else if linkat(AT_FDCWD, from, AT_FDCWD, to, 0) != 0 {
            throw SystemError.cannotWrite(path)
        }
    }
}

/// What lies in a folder, without following links.
enum FolderListing {
    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder and all in it. A link in it goes, what it points at stays.
    static func remove(_ path: String) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    /// Brings the folder, and what is in it, to the disk.
    static func synchronize(_ path: String, for output: String) throws {
        var information = stat()
        guard lstat(path, &information) == 0, [S_IFDIR, S_IFREG].contains(information.st_mode & S_IFMT) else { return }
        let isFolder = information.st_mode & S_IFMT == S_IFDIR
        if isFolder { for name in names(in: path) { try synchronize(path + "/" + name, for: output) } }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw SystemError.cannotWrite(output) }
        defer { close(descriptor) }
        // Not an error if the file system cannot synchronize folders, as opposed to files.
        guard fsync(descriptor) == 0 || isFolder && errno == EINVAL else { throw SystemError.cannotWrite(output) }
    }

    // MARK: What killed processes have left

    /// A descriptor that tells other processes that a temporary file or folder is in use; closing it, or the end of the process, lets go.
    static func hold(_ path: String) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        if descriptor >= 0 { flock(descriptor, LOCK_SH | LOCK_NB) }
        return descriptor
    }

    /// Removes temporary files or folders of one output, `.NAME.PROCESS-NUMBER.tmp`, that no process holds: their writers were killed.
    static func removeLeftovers(of name: String, in folder: String, suffix: String) {
        for found in names(in: folder) where found.hasPrefix(".\(name).") && found.hasSuffix(suffix) {
            let parts = found.dropFirst(name.count + 2).dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let process = Int32(parts[0]), process > 0, UInt32(parts[1], radix: 16) != nil else { continue }
            guard kill(process, 0) != 0, errno == ESRCH else { continue }
            let path = folder + "/" + found, descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            // A process of another machine or container may have written it.
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { remove(path) }
            close(descriptor)
        }
    }
}
