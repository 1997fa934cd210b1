import Glibc

/// Small and large things that are quicker kept than made again: `$KOTONOHA_CACHE`, or `kotonoha` in `$XDG_CACHE_HOME` or `~/.cache`.
///
/// Everything in it may be deleted at any time. It is used only if the folder belongs to the user and others cannot write to it.
/// `KOTONOHA_CACHE=off` leaves it alone. Files appear by rename, so that processes may write the same one at once: equal keys mean equal
/// contents.
package enum UserCache {
    /// The folder of one kind of things, made where it is missing; nil if nothing is to be kept, or cannot be.
    package static func folder(_ kind: String) -> String? {
        guard let root = root() else { return nil }
        var path = ""
        for part in (root + "/" + kind).split(separator: "/") {
            path += "/" + part
            mkdir(path, 0o700)
        }
        return isOwn(root) && isOwn(path) ? path : nil
    }

    private static func root() -> String? {
        func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }
        let given = setting("KOTONOHA_CACHE")
        if given == "off" { return nil }
        let path = given ?? setting("XDG_CACHE_HOME").map { $0 + "/kotonoha" } ?? setting("HOME").map { $0 + "/.cache/kotonoha" }
        return path.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    private static func isOwn(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR && information.st_uid == geteuid()
            && information.st_mode & 0o022 == 0
    }

    /// What is kept under a key; nil if there is nothing.
    package static func read(_ kind: String, key: String) -> MappedFile? {
        guard let folder = folder(kind), access(folder + "/" + key, R_OK) == 0 else { return nil }
        return try? MappedFile(path: folder + "/" + key)
    }

    /// Caches something. Failure is ignored: the next run computes it again.
    /// - Parameters:
    ///   - key: names the contents completely; letters, digits and `-._`.
    ///   - limit: bytes that this kind may take; what was written longest ago goes first.
    package static func write(_ kind: String, key: String, limit: Int = 16 << 20, _ body: (AtomicFile) throws -> Void) {
        guard let folder = folder(kind), (try? AtomicFile.write(to: folder + "/" + key, body)) != nil else { return }
        prune(folder, keeping: key, limit: limit)
    }

    private static func prune(_ folder: String, keeping key: String, limit: Int) {
        guard let listing = opendir(folder) else { return }
        defer { closedir(listing) }
        var files: [(name: String, size: Int, time: Int)] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var information = stat()
            guard !name.hasPrefix("."), lstat(folder + "/" + name, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            // A small file takes a block of the disk.
            files.append((name, max(4096, Int(information.st_size)), information.st_mtim.tv_sec))
        }
        var total = files.reduce(0) { $0 + $1.size }
        for file in files.sorted(by: { ($0.time, $0.name) < ($1.time, $1.name) }) where total > limit && file.name != key {
            unlink(folder + "/" + file.name)
            total -= file.size
        }
    }
}
