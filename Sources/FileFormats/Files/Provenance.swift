import Glibc

/// How a result was made, so that it can be made again: written into every output.
///
/// Folders are left out everywhere, because they name people and machines, and reviewers are blind.
package struct Provenance: Sendable {
    /// A file or model that went in: its name without folders, and the SHA-256 of its content.
    package struct Source: Sendable, Equatable {
        /// The name without folders.
        package var name: String
        /// 64 lower-case hexadecimal digits.
        package var sha256: String

        /// `path` may carry folders; only its last component is kept.
        package init(path: String, sha256: String) {
            // The number of a descriptor (`<(command)`) says nothing.
            let isPipe = path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
            name = path == "-" ? "standard input" : isPipe ? "pipe" : SystemError.name(of: path)
            self.sha256 = sha256
        }
        package init(hashing path: String) throws { self.init(path: path, sha256: try SHA256.hex(ofFile: path)) }
    }

    /// The command line, folders stripped.
    package var command: [String]
    /// The program's version.
    package var version: String
    /// The model that computed the result.
    package var model: Source?
    /// The files that went in.
    package var inputs: [Source] = []
    /// The seed of the random numbers, if any were drawn.
    package var seed: UInt64?
    /// The processor's kernels, as `avx512_core_amx`: the last bits of a result belong to them.
    package var kernels: String?
    /// Further settings that decide the result, in this order.
    package var settings: [(key: String, value: JSON)] = []

    /// - Parameter arguments: the command line as it was given, the program's own name first.
    package init(arguments: [String], version: String) {
        command = arguments.map(Self.withoutFolders)
        self.version = version
    }

    /// The record, with `date` (ISO 8601, as `2026-03-01T09:30:00Z`) where one is given; outputs that must be equal for equal runs have
    /// none.
    /// - Parameter output: the result itself, where the record is next to it.
    package func json(date: String? = nil, output: Source? = nil) -> JSON {
        var members: [(key: String, value: JSON)] = [
            ("command", .array(command.map(JSON.string))),
            ("version", .string(version)),
        ]
        if let output { members.append(("output", Self.json(output))) }
        if let model { members.append(("model", Self.json(model))) }
        if !inputs.isEmpty { members.append(("inputs", .array(inputs.map(Self.json)))) }
        if let seed { members.append(("seed", seed <= UInt64(Int.max) ? .integer(Int(seed)) : .string(String(seed)))) }
        if let kernels { members.append(("kernels", .string(kernels))) }
        members += settings
        if let date { members.append(("date", .string(date))) }
        return .object(members)
    }

    /// Where the record of an output stands.
    package static func path(beside output: String) -> String { output + ".provenance.json" }

    /// A command line without what changes no result: where the output goes, how much is said, how many workers, whether a stopped run was
    /// continued. Files that must be equal for equal runs hold this.
    package static func decisive(_ arguments: [String]) -> [String] {
        let flags: Set = ["--resume", "--quiet", "--json"], options: Set = ["-o", "--output", "--threads", "--batch-tokens"]
        var kept: [String] = [], skips = false
        for argument in arguments {
            if skips {
                skips = false
                continue
            }
            if flags.contains(argument) || options.contains(where: { argument.hasPrefix($0 + "=") }) { continue }
            skips = options.contains(argument)
            if !skips { kept.append(argument) }
        }
        return kept
    }

    /// Writes `NAME.provenance.json` next to the output `NAME`, with the hash of its content and today's date. A pipe or device has no
    /// record.
    /// - Throws: `DataError` if it cannot be created.
    package func write(beside output: String) throws {
        var information = stat()
        guard stat(output, &information) != 0 || information.st_mode & S_IFMT == S_IFREG else { return }
        let result = try? Source(hashing: output)
        try AtomicFile.write(to: Self.path(beside: output)) {
            try $0.write(json(date: Self.now(), output: result).serialized(.pretty) + "\n")
        }
    }

    /// The present time in UTC, as `2026-03-01T09:30:00Z`.
    package static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func json(_ source: Source) -> JSON {
        .object([("name", .string(source.name)), ("sha256", .string(source.sha256))])
    }

    /// An argument without the folders of the paths in it.
    ///
    /// A path is what begins like one (`/`, `./`, `../`, `~`), or whose folder exists here; other slashes belong to sentences and to
    /// model names such as `sentence-transformers/all-MiniLM-L6-v2`.
    package static func withoutFolders(_ argument: String) -> String {
        guard argument.utf8.contains(UInt8(ascii: "/")) else { return argument }
        if argument.hasPrefix("-"), let equals = argument.firstIndex(of: "=") {
            return argument[...equals] + withoutFolders(String(argument[argument.index(after: equals)...]))
        }
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        if parts.count > 1, parts.allSatisfy({ isPath(String($0)) }) {
            return parts.map { SystemError.name(of: String($0)) }.joined(separator: ",")
        }
        return isPath(argument) ? SystemError.name(of: argument) : argument
    }

    private static func isPath(_ text: String) -> Bool {
        if ["/", "./", "../", "~"].contains(where: text.hasPrefix) { return true }
        guard text.utf8.contains(UInt8(ascii: "/")) else { return false }
        return access(text, F_OK) == 0 || access(SystemError.folder(of: text), F_OK) == 0
    }
}
