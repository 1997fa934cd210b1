import FileFormats
import Foundation

/// Fetches a model from the Hugging Face hub into the standard cache, so that every tool that knows the cache finds it:
/// `models--ORG--NAME/blobs/ETAG`, `snapshots/COMMIT/FILE` as links to them, `refs/REVISION`.
///
/// Files that are there already are kept; a file that broke off goes on where it stopped; each is checked against the hash that the
/// hub states. Protocol: https://huggingface.co/docs/huggingface_hub/guides/manage-cache and the `resolve` addresses.
package struct ModelDownload: Sendable {
    /// `ORG/NAME`.
    package let name: String
    /// Branch, tag or commit.
    package let revision: String
    private let endpoint: String
    private let token: String?
    private let isOffline: Bool
    private let repository: URL

    /// What a hub may ask of this machine. A hub that is slow, broken or hostile ends in an error within these bounds; what arrived is
    /// kept.
    package struct Limits: Sendable {
        /// Bytes that a model may have in all.
        package var bytes = 20_000_000_000
        /// Bytes of a file whose size the hub does not state.
        package var unstatedBytes = 64 << 20
        /// Files that are fetched.
        package var files = 500
        /// Time for an answer without a file in it: the list of files, or one file's headers.
        package var answer = Duration.seconds(60)
        /// Time for the headers of all files.
        package var headers = Duration.seconds(600)
        /// Time for a file, however small, and the speed in bytes a second that a large one must keep on average.
        package var file = Duration.seconds(300), speed = 10_000

        package init() {}

        /// How long a file may take.
        func time(for size: Int) -> Duration { file + .seconds(size / max(1, speed)) }
    }

    package var limits = Limits()

    /// One file on its way: bytes received, and bytes in all where that is known.
    package typealias Progress = (_ file: String, _ received: Int, _ total: Int?) throws -> Void

    /// - Parameters:
    ///   - environment: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` count.
    ///   - cache: the hub cache.
    /// - Throws: `DataError` of kind `usage` if the name or the revision is none.
    package init(
        name: String, revision: String = "main", environment: [String: String] = ProcessInfo.processInfo.environment,
        cache: URL = ModelLocation.huggingFaceCache()
    ) throws {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy(Self.isPlain) else {
            throw DataError(.usage, "'\(name)' is not a name on the hub; expected ORGANIZATION/MODEL")
        }
        guard revision.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(Self.isPlain) else {
            throw DataError(.usage, "'\(revision)' is not a revision; expected a branch, a tag or a commit")
        }
        self.name = name
        self.revision = revision
        func setting(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
        var endpoint = setting("HF_ENDPOINT") ?? "https://huggingface.co"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        self.endpoint = endpoint
        token = setting("HF_TOKEN")
        isOffline = ["1", "on", "yes", "true"].contains(setting("HF_HUB_OFFLINE")?.lowercased() ?? "")
        repository = cache.appendingPathComponent("models--" + name.replacingOccurrences(of: "/", with: "--"))
    }

    /// Letters, digits, `-`, `_` and `.`, not beginning with a dot: safe in an address and as a file name.
    private static func isPlain(_ part: some StringProtocol) -> Bool {
        !part.isEmpty && part.utf8.count <= 96 && part.first != "."
            && part.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
                    || $0 == 0x2E
            }
    }

    /// Fetches what is needed to embed with the model.
    /// - Parameter check: looks at the folder when all files are in it; what it throws keeps the model from being found by its name.
    /// - Returns: the snapshot's folder.
    /// - Throws: `DataError` if the hub cannot be reached or does not have the model, where a file breaks off or has another
    ///   hash than the hub states, if `limits` are exceeded, the files are not a model, or `HF_HUB_OFFLINE` forbids it; what
    ///   `progress` and `check` throw. What arrived is kept for the next try.
    @discardableResult
    package func run(
        check: (URL) throws -> Void = { _ = try ModelDirectory(folder: $0) }, progress: Progress = { _, _, _ in }
    ) throws -> URL {
        guard !isOffline else {
            throw DataError(
                .unavailable,
                "HF_HUB_OFFLINE is set, so nothing is downloaded; unset it, or install the model's folder "
                    + "yourself", file: name)
        }
        let (commit, listed) = try listing()
        let needed = Self.needed(listed)
        guard !needed.isEmpty else {
            throw DataError(
                .badData,
                "the hub lists no model files (\(listed.count) files in all); expected a config.json and "
                    + "weights", file: name)
        }
        guard needed.count <= limits.files else {
            throw DataError(
                .badData,
                "the hub lists \(needed.count) files of this model; at most \(limits.files) are "
                    + "downloaded", file: name)
        }
        // All sizes first: what is too large is refused before any of it is fetched.
        let deadline = ContinuousClock.now + limits.headers
        let files = try needed.map { file in
            guard ContinuousClock.now < deadline else { throw DataError(.unavailable, "the hub is too slow; try again later", file: name) }
            return try remote(file, commit: commit)
        }
        let snapshot = repository.appendingPathComponent("snapshots/\(commit)")
        let blobs = repository.appendingPathComponent("blobs")
        for folder in [snapshot, blobs] { try Self.makeFolder(folder) }
        try checkRoom(files.filter { !FileManager.default.fileExists(atPath: blobs.appendingPathComponent($0.hash).path) }, on: blobs.path)
        for file in files { try fetch(file, blobs: blobs, snapshot: snapshot, progress: progress) }
        try check(snapshot)
        // Last: a name that points to a snapshot promises that the snapshot is whole.
        let reference = repository.appendingPathComponent("refs/\(revision)")
        if revision != commit {
            try Self.makeFolder(reference.deletingLastPathComponent())
            try AtomicFile.write(to: reference.path) { try $0.write(commit) }
        }
        return snapshot
    }

    /// Refuses a model that is larger than allowed, or than the disk has room for.
    private func checkRoom(_ files: [RemoteFile], on folder: String) throws {
        var total = 0
        for file in files {
            let sum = total.addingReportingOverflow(file.size ?? 0)
            guard !sum.overflow, sum.partialValue <= limits.bytes else {
                throw DataError(
                    .badData,
                    "the hub states more than \(limits.bytes / 1_000_000) MB for this model, the download limit "
                        + "(model pull \(Setting.maxSize))", file: name)
            }
            total = sum.partialValue
        }
        var disk = statvfs()
        guard statvfs(folder, &disk) == 0 else { return }
        let room = UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
        guard room.overflow || UInt64(total) <= room.partialValue else {
            throw DataError(
                .inputOutput,
                "the model has \(total / 1_000_000) MB, but only \(room.partialValue / 1_000_000) MB of disk "
                    + "space is free", file: folder)
        }
    }

    private static func makeFolder(_ folder: URL) throws {
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw DataError(.cannotCreate, "this folder cannot be created: \(error.localizedDescription)", file: folder.path)
        }
    }

    // MARK: What there is

    /// The commit that the revision names, and the files of the repository.
    private func listing() throws -> (commit: String, files: [String]) {
        let url = "\(endpoint)/api/models/\(name)/revision/\(revision.replacingOccurrences(of: "/", with: "%2F"))"
        var body: [UInt8] = []
        let response = try HTTPRequest(url: url, headers: authorization, followsRedirections: true, timeLimit: limits.answer).perform {
            _, bytes in
            guard body.count + bytes.count <= 64 << 20 else { throw DataError(.badData, "the hub's answer is too long", file: url) }
            body += bytes
        }
        try check(response, url: url)
        let json = try body.withUnsafeBytes { try JSON(parsing: $0, file: url) }
        guard let commit = json["sha"]?.string, Self.isHexadecimal(commit), commit.utf8.count == 40 else {
            throw DataError(.badData, "the hub's answer names no commit; is \(endpoint) a Hugging Face hub?", file: url)
        }
        guard let siblings = json["siblings"]?.array else {
            throw DataError(.badData, "the hub's answer has no list of files ('siblings'); is \(endpoint) a Hugging Face hub?", file: url)
        }
        return (
            commit,
            try siblings.map { entry in
                guard let file = entry["rfilename"]?.string else {
                    throw DataError(.badData, "the hub's list of files has an entry without a name ('rfilename')", file: url)
                }
                return file
            }
        )
    }

    /// Files of a sentence model: configuration, tokenizer, weights (safetensors, else pytorch_model.bin), and the same in the folders of
    /// the modules; nothing for other programs (onnx, openvino, tf).
    static func needed(_ files: [String]) -> [String] {
        let safe = files.filter { file in
            let parts = file.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count <= 2 && parts.allSatisfy(isFileName)
        }
        func folder(_ file: String) -> String { file.contains("/") ? String(file.split(separator: "/")[0]) : "" }
        func name(_ file: String) -> String { String(file.split(separator: "/").last ?? "") }
        let foreign: Set<String> = ["onnx", "openvino", "coreml", "tensorflow", "original"]
        let withSafetensors = Set(safe.filter { name($0).hasSuffix(".safetensors") }.map(folder))
        return safe.filter { file in
            let name = name(file)
            guard !foreign.contains(folder(file)) else { return false }
            if name.hasSuffix(".bin") || name.hasSuffix(".bin.index.json") {
                return name.hasPrefix("pytorch_model") && !withSafetensors.contains(folder(file))
            }
            return name.hasSuffix(".json") || name.hasSuffix(".safetensors") || name.hasSuffix(".model")
                || ["vocab.txt", "merges.txt", "README.md"].contains(name)
        }
    }

    /// A name that is the same thing to every program that meets it: no path, nothing hidden, no character that a terminal obeys.
    private static func isFileName(_ name: Substring) -> Bool {
        guard !name.isEmpty, name.first != ".", name.utf8.count <= 255 else { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
            default: scalar != "\\"
            }
        }
    }

    private var authorization: [(name: String, value: String)] { token.map { [("Authorization", "Bearer \($0)")] } ?? [] }

    private func check(_ response: HTTPRequest.Response, url: String) throws {
        switch response.status {
        case 200..<400: return
        case 401, 403:
            let advice = token == nil ? "set HF_TOKEN to a token with access" : "the token in HF_TOKEN has no access"
            throw DataError(
                .unavailable,
                "the hub refused \(name) (status \(response.status)): it does not exist or is not public; "
                    + "\(advice)", file: url)
        case 404: throw DataError(.noInput, "the hub has no \(name) with revision \(revision), or it has no such file", file: url)
        default: throw DataError(.unavailable, "the hub answered with status \(response.status)", file: url)
        }
    }

    private static func isHexadecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    // MARK: One file

    /// A file of the repository as the hub describes it.
    private struct RemoteFile {
        var name: String, url: String
        /// SHA-256, or git's hash of a blob where it has 40 digits.
        var hash: String
        var size: Int?
    }

    /// The hub's own answer has the file's hash and size; the storage that it redirects to does not.
    private func remote(_ file: String, commit: String) throws -> RemoteFile {
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

    private func fetch(_ file: RemoteFile, blobs: URL, snapshot: URL, progress: Progress) throws {
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
