import Glibc

/// What is asked of the outputs of a command before any work is done: that each can be written, and that none is a file that the command
/// reads or writes under another name.
public enum Outputs {
    /// - Parameters:
    ///   - inputs: files and folders that are read; `-` is standard input. Of a folder, every file in it counts.
    ///   - files: files that are written.
    ///   - folders: folders that are written.
    /// - Throws: `DataError` of kind `usage` if two of them are the same file: by device and inode, so that neither links nor detours
    ///   in a path hide it; of kind `cannotCreate` where an output's folder is missing or closed to writing.
    public static func check(inputs: [String?] = [], files: [String?] = [], folders: [String?] = []) throws {
        let inputs = inputs.compactMap(\.self)
        var written: [Identity: String] = [:]
        for (path, isFolder) in files.compactMap({ $0.map { ($0, false) } }) + folders.compactMap({ $0.map { ($0, true) } }) {
            guard let identity = try identity(ofOutput: path, isFolder: isFolder) else { continue }
            if let other = written.updateValue(path, forKey: identity) {
                throw DataError(
                    .usage,
                    other == path
                        ? "two outputs have this name; give each its own name"
                        : "this is the same file as "
                            + "the output \(other); give each its own name", file: path)
            }
        }
        guard !written.isEmpty else { return }
        func refuse(_ identity: Identity, _ input: String, _ words: String) throws {
            guard let output = written[identity] else { return }
            let name = input == "-" ? "what standard input reads" : input
            throw DataError(
                .usage,
                output == input
                    ? "the output \(words); writing it would destroy what is read. Choose another name"
                    : "this output \(words) (\(name)); writing it would destroy what is read. Choose another name", file: output)
        }
        for input in inputs {
            guard let (identity, isFolder) = identity(ofInput: input) else { continue }
            try refuse(identity, input, "is an input")
            if isFolder { try eachFile(in: input, depth: 3) { try refuse($0, $1, "belongs to an input") } }
        }
    }

    /// A file that exists, by device and inode; one that does not, by its folder's and its own name.
    private struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
        var name = ""
    }

    private static func identity(_ information: stat, name: String = "") -> Identity {
        Identity(device: UInt64(information.st_dev), inode: UInt64(information.st_ino), name: name)
    }

    /// Nil for devices and pipes, which hold nothing that could be destroyed.
    private static func identity(ofOutput path: String, isFolder: Bool) throws -> Identity? {
        var information = stat()
        if stat(path, &information) == 0 {
            switch (information.st_mode & S_IFMT, isFolder) {
            case (S_IFREG, false), (S_IFDIR, true): return identity(information)
            case (S_IFDIR, false): throw DataError(.cannotCreate, "this is a folder; give the name of a file to write", file: path)
            case (_, true): throw DataError(.cannotCreate, "this is a file; the output is a folder", file: path)
            case (_, false): return nil
            }
        }
        guard !path.isEmpty, isFolder || path.utf8.last != UInt8(ascii: "/") else {
            throw DataError(.cannotCreate, "this is the name of a folder; give the name of a file to write", file: path)
        }
        // Folders are made with those above them.
        let trimmed = String(path.reversed().drop { $0 == "/" }.reversed())
        let folder = SystemError.folder(of: trimmed)
        guard stat(folder, &information) == 0 else {
            if isFolder { return Identity(device: 0, inode: 0, name: trimmed) }
            throw SystemError.cannotCreate(path)
        }
        guard information.st_mode & S_IFMT == S_IFDIR else { throw SystemError.cannotCreate(path, ENOTDIR) }
        guard access(folder, W_OK | X_OK) == 0 else { throw SystemError.cannotCreate(path) }
        return identity(information, name: SystemError.name(of: trimmed))
    }

    /// Nil if there is no such file (whoever reads it says so) and for devices and pipes.
    private static func identity(ofInput path: String) -> (Identity, isFolder: Bool)? {
        var information = stat()
        guard (path == "-" ? fstat(STDIN_FILENO, &information) : stat(path, &information)) == 0 else { return nil }
        switch information.st_mode & S_IFMT {
        case S_IFREG: return (identity(information), false)
        case S_IFDIR: return (identity(information), true)
        default: return nil
        }
    }

    private static func eachFile(in folder: String, depth: Int, _ body: (Identity, String) throws -> Void) throws {
        guard depth > 0, let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            let path = folder + "/" + name
            guard let (identity, isFolder) = identity(ofInput: path) else { continue }
            if isFolder { try eachFile(in: path, depth: depth - 1, body) } else { try body(identity, path) }
        }
    }
}
