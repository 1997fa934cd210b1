import FileFormats
import Foundation

/// One file of a model: what the hub says of it, and its way into the cache.
extension ModelDownload {
    /// A file of the repository as the hub describes it.
    struct RemoteFile {
        var name: String, url: String
        /// SHA-256, or git's hash of a blob where it has 40 digits.
        var hash: String
        var size: Int?
    }

    /// The hub's own answer has the file's hash and size; the storage that it redirects to does not.
    func remote(_ file: String, commit: String) throws -> RemoteFile {
        let escaped = file.split(separator: "/").map {
            $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._"))) ?? String($0)
        }
        let url = "\(endpoint)/\(name)/resolve/\(commit)/\(escaped.joined(separator: "/"))"
        let head = try headers(url)
        guard let hash = (head.headers["x-linked-etag"] ?? head.headers["etag"]).map(Self.plainETag), Self.isHexadecimal(hash),
            hash.utf8.count == 64 || hash.utf8.count == 40
        else { throw DataError(.badData, "the hub gives no hash for this file", file: url) }
        let stated = head.headers["x-linked-size"] ?? ((200..<300).contains(head.status) ? head.headers["content-length"] : nil)
        let size = try stated.map { text in
            guard let size = Int(text), size >= 0 else { throw DataError(.badData, "the hub gives an invalid size", file: url) }
            return size
        }
        return RemoteFile(name: file, url: url, hash: hash, size: size)
    }

    func fetch(_ file: RemoteFile, blobs: URL, snapshot: URL, progress: Progress) throws {
        let blob = blobs.appendingPathComponent(file.hash)
        if !FileManager.default.fileExists(atPath: blob.path) { try download(file, to: blob, progress: progress) }
        try link(snapshot.appendingPathComponent(file.name), to: "blobs/" + file.hash, depth: 2 + file.name.split(separator: "/").count - 1)
    }

    /// Redirections within the hub are followed, the one that leaves it (to the storage) is not.
    private func headers(_ url: String) throws -> HTTPRequest.Response {
        var url = url, known: [String: String] = [:]
        for _ in 0..<5 {
            var answer = try HTTPRequest(url: url, headers: authorization, isHead: true, timeLimit: limits.answer).perform()
            try check(answer, url: url)
            answer.headers.merge(known) { $1 }
            guard (300..<400).contains(answer.status), let location = answer.headers["location"], location.hasPrefix("/"),
                !location.hasPrefix("//")
            else {
                return answer
            }
            known = answer.headers.filter { $0.key.hasPrefix("x-") }
            url = endpoint + location
        }
        throw DataError(.unavailable, "the hub redirects in a circle", file: url)
    }

    /// `W/"abc"` as `abc`.
    private static func plainETag(_ etag: String) -> String {
        (etag.hasPrefix("W/") ? etag.dropFirst(2) : etag[...]).trimmingCharacters(in: CharacterSet(charactersIn: "\""))
    }

    private func download(_ file: RemoteFile, to blob: URL, progress: Progress) throws {
        let partial = blob.appendingPathExtension("incomplete")
        let descriptor = open(partial.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw SystemError.cannotCreate(partial.path) }
        defer { close(descriptor) }
        // Two downloads at once must not write into each other.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw DataError(.unavailable, "another download of this file is in progress", file: file.name)
        }
        var received = Int(lseek(descriptor, 0, SEEK_END))
        if received > file.size ?? limits.unstatedBytes { received = 0 }
        if received == 0 || received < file.size ?? .max {
            do { try transfer(file, from: &received, to: descriptor, partial: partial.path, progress: progress) } catch is NothingLeft {
                // What is here is as long as the file or longer, and if it were correct it would have been used: start over.
                if try file.size != nil || Self.hash(of: partial.path, size: received, as: file.hash) != file.hash {
                    received = 0
                    do {
                        try transfer(file, from: &received, to: descriptor, partial: partial.path, progress: progress)
                    } catch is NothingLeft {
                        throw DataError(.unavailable, "the hub answered with status 416 to a request for the whole file", file: file.url)
                    }
                }
            }
        }
        if let size = file.size, received != size {
            throw DataError(.unavailable, "the download stopped after \(received) of \(size) bytes; run it again to resume", file: file.url)
        }
        let found = try Self.hash(of: partial.path, size: received, as: file.hash)
        guard found == file.hash else {
            unlink(partial.path)
            throw DataError(
                .badData,
                "download corrupted: expected hash \(file.hash), got \(found); run it again to download it "
                    + "again", file: file.url)
        }
        guard fsync(descriptor) == 0, rename(partial.path, blob.path) == 0 else { throw SystemError.cannotWrite(blob.path) }
    }

    private static func hash(of path: String, size: Int, as stated: String) throws -> String {
        try stated.utf8.count == 64 ? SHA256.hex(ofFile: path) : GitBlobHash.hex(ofFile: path, size: size)
    }

    /// The server has nothing from the place on that was asked for (status 416).
    private struct NothingLeft: Error {}

    /// Fetches a file from byte `received` on, and counts it up.
    private func transfer(_ file: RemoteFile, from received: inout Int, to descriptor: Int32, partial: String, progress: Progress) throws {
        let url = file.url, most = file.size ?? limits.unstatedBytes
        var request = HTTPRequest(url: url, headers: authorization, followsRedirections: true, timeLimit: limits.time(for: most))
        if received > 0 { request.headers.append(("Range", "bytes=\(received)-")) }
        var count = received, begun = false
        defer { received = count }
        try withoutActuallyEscaping(progress) { progress in
            let response = try request.perform { response, bytes in
                if response.status == 416 { throw NothingLeft() }
                try check(response, url: url)
                if !begun {
                    begun = true
                    // A server that cannot resume starts over.
                    if response.status != 206 { count = 0 }
                    guard ftruncate(descriptor, off_t(count)) == 0, lseek(descriptor, off_t(count), SEEK_SET) >= 0 else {
                        throw SystemError.cannotWrite(partial)
                    }
                }
                guard count + bytes.count <= most else {
                    throw DataError(
                        .badData,
                        file.size.map { "received more than the \($0) bytes stated by the hub" }
                            ?? "the hub does not state the file's size, and more than \(most) bytes arrive", file: url)
                }
                try Self.write(bytes, to: descriptor, path: partial)
                count += bytes.count
                try progress(file.name, count, file.size)
            }
            if response.status == 416 { throw NothingLeft() }
            try check(response, url: url)
            // An answer without a body.
            if !begun, response.status != 206 {
                count = 0
                guard ftruncate(descriptor, 0) == 0 else { throw SystemError.cannotWrite(partial) }
            }
        }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
        var done = 0
        while done < bytes.count {
            let written = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if written < 0 {
                if errno == EINTR { continue }
                throw SystemError.cannotWrite(path)
            }
            done += written
        }
    }

    /// A relative link, so that the cache can be moved; it takes the place of an older one.
    private func link(_ place: URL, to blob: String, depth: Int) throws {
        try Self.makeFolder(place.deletingLastPathComponent())
        let target = String(repeating: "../", count: depth) + blob
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: place.path)) == target { return }
        unlink(place.path)
        guard symlink(target, place.path) == 0 else { throw SystemError.cannotCreate(place.path) }
    }
}
