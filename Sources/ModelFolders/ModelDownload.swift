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
    let endpoint: String
    let token: String?
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

    static func makeFolder(_ folder: URL) throws {
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

    var authorization: [(name: String, value: String)] { token.map { [("Authorization", "Bearer \($0)")] } ?? [] }

    func check(_ response: HTTPRequest.Response, url: String) throws {
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

    static func isHexadecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
