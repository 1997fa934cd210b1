import CHDF5
import FileFormats
import Glibc
import Synchronization

/// Whether a file may be handed to libhdf5.
///
/// libhdf5 1.10 crashes or hangs on a few per cent of damaged files, and takes the process with it. A file that this process has not
/// written itself is therefore first walked through by a child process, with limits on its time and memory. The program says at its
/// start which executable does that (itself, with a hidden subcommand that calls `runAsChild`); a library user who sets none opens files
/// straight away. A file that passed is not looked at again until it changes.
public enum HDF5Validation {
    /// The executable that validates, and its arguments before the file's path.
    public struct Program: Sendable {
        public var executable: String
        public var arguments: [String]

        public init(executable: String, arguments: [String]) {
            self.executable = executable
            self.arguments = arguments
        }
    }

    /// What a file was when it was trusted.
    private struct Identity: Hashable {
        var device: UInt, inode: UInt, size: Int, seconds: Int, nanoseconds: Int

        init?(_ path: String) {
            var information = stat()
            guard stat(path, &information) == 0 else { return nil }
            device = UInt(information.st_dev)
            inode = UInt(information.st_ino)
            size = Int(information.st_size)
            seconds = information.st_mtim.tv_sec
            nanoseconds = information.st_mtim.tv_nsec
        }
    }

    private struct State {
        var program: Program?
        var trusted: Set<Identity> = []
    }

    private static let state = Mutex(State())

    /// Says who validates; nil for nobody.
    public static func use(_ program: Program?) { state.withLock { $0.program = program } }

    /// A file that this process wrote needs no validation.
    static func trust(_ path: String) {
        guard let identity = Identity(path) else { return }
        state.withLock { _ = $0.trusted.insert(identity) }
    }

    /// Validates a file unless that is known to be needless.
    static func ensureReadable(_ path: String) throws {
        try checkSignature(path)
        let identity = Identity(path)
        let (program, isTrusted) = state.withLock { state in (state.program, identity.map(state.trusted.contains) ?? false) }
        guard let program, !isTrusted else { return }
        try validate(path, by: program)
        trust(path)
    }

    /// Tells a file that is no HDF5 at all from one that is damaged.
    private static func checkSignature(_ path: String) throws {
        let file = try MappedFile(path: path)
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        // It stands at the beginning, or at 512, 1024 … behind a block of the user's own.
        let isFound = file.withUnsafeBytes { bytes in
            var offset = 0
            while offset + signature.count <= bytes.count {
                if bytes[offset...].starts(with: signature) { return true }
                offset = offset == 0 ? 512 : offset * 2
            }
            return false
        }
        guard isFound else { throw DataError(.badData, "this is no HDF5 file; an .h5 file is wanted here (commands write one where -o names it so)", file: path) }
    }

    // MARK: The parent's side

    /// Lets the child walk through the file.
    /// - Parameter timeLimit: processor time that the child may use; nil allows ten seconds and one more for every 50 MB. On a busy machine
    ///   or a slow disk the wait may be longer, up to `patience` times that, and a good file still passes.
    /// - Throws: `DataError` of kind `badData` with what the child found, or that it crashed or did not come to an end.
    public static func validate(_ path: String, by program: Program, timeLimit: Duration? = nil) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw DataError(.inputOutput, "no pipe to the validating process: \(SystemError.text())", file: path) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try spawn(program, path, output: ends[1])
        }
        let size = Identity(path)?.size ?? 0
        let limit = timeLimit ?? .seconds(10 + size / 50_000_000)
        let clock = ContinuousClock()
        let begin = clock.now
        var deadline = begin + limit
        var message: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1024)
        var isInTime = true
        // The child's end of the pipe closes with the child.
        while true {
            let left = clock.now.duration(to: deadline).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            var state = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            let ready = milliseconds > 0 ? poll(&state, 1, Int32(clamping: milliseconds)) : 0
            if ready < 0, errno == EINTR { continue }
            if ready == 0 {
                let unused = limit - processorTime(of: child)
                guard unused > .zero, clock.now - begin < limit * patience else {
                    isInTime = false
                    break
                }
                deadline = clock.now + max(unused, .milliseconds(50))
                continue
            }
            let count = read(ends[0], &block, block.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            if message.count < 4096 { message += block[..<count] }
        }
        if !isInTime { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F, code = status >> 8 & 0xFF
        switch (isInTime, signal, code) {
        case (false, _, _): throw DataError(.badData, "this HDF5 file is damaged: reading it does not come to an end", file: path)
        case (_, 0, 0): return
        case (_, 0, DataError.Kind.badData.rawValue):
            throw DataError(.badData, "this HDF5 file is damaged: \(String(decoding: message, as: UTF8.self))", file: path)
        case (_, 0, 127), (_, 0, DataError.Kind.usage.rawValue):
            throw DataError(.unavailable, "the program that validates HDF5 files (\(SystemError.name(of: program.executable))) cannot be run", file: path)
        default: throw DataError(.badData, "this HDF5 file is damaged: reading it crashes the HDF5 library", file: path)
        }
    }

    /// How many times the limit a child may take that waits for the processor or the disk.
    private static let patience = 20

    /// Processor time that a child has used; none where that cannot be told.
    private static func processorTime(of child: pid_t) -> Duration {
        var clock = clockid_t(), time = timespec()
        guard clock_getcpuclockid(child, &clock) == 0, clock_gettime(clock, &time) == 0 else { return .zero }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static func spawn(_ program: Program, _ path: String, output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // A path that begins with a dash is no option.
        let file = path.hasPrefix("-") ? "./" + path : path
        var arguments: [UnsafeMutablePointer<CChar>?] = ([program.executable] + program.arguments + [file]).map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, program.executable, &actions, nil, arguments, environ)
        guard status == 0 else {
            throw DataError(.unavailable, "the program that validates HDF5 files cannot be started: \(SystemError.text(status))", file: path)
        }
        return child
    }

    // MARK: The child's side

    /// Walks through a file as its readers do, and returns the exit status: 0 where nothing was found. What was found is written to
    /// standard output, which the parent reads. Memory and time are limited, and no core is dumped.
    public static func runAsChild(_ path: String) -> Int32 {
        let size = Identity(path)?.size ?? 0
        limit(RLIMIT_CORE, 0)
        limit(RLIMIT_CPU, 600)
        limit(RLIMIT_AS, UInt(4 << 30) + 4 * UInt(size))
        do {
            try HDF5Walk(path: path).run()
            return 0
        } catch {
            let message = Array(((error as? DataError)?.message ?? "\(error)").utf8.prefix(2000))
            _ = write(STDOUT_FILENO, message, message.count)
            return DataError.Kind.badData.rawValue
        }
    }

    private static func limit(_ resource: __rlimit_resource, _ value: UInt) {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0 else { return }
        limits.rlim_cur = min(value, limits.rlim_max)
        setrlimit(__rlimit_resource_t(resource.rawValue), &limits)
    }
}

/// Touches everything in a file that a reader of this project may touch: attributes, the tree of groups, every dataset's type, space and
/// index of chunks, all strings, all of the small arrays and samples of the large ones, whose bytes cannot mislead anybody but by their value.
private final class HDF5Walk {
    let path: String
    let container: HDF5Container
    /// Numbers on their way to nowhere; one block for all arrays, because a large file has thousands of them.
    private var scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)

    private static let maximumObjects = 5_000_000
    private static let maximumDepth = 16
    /// Bytes up to which an array of numbers is read as a whole.
    private static let wholeLimit = 8 << 20

    init(path: String) throws {
        self.path = path
        container = try HDF5Container(trusted: path)
    }

    deinit { scratch.deallocate() }

    func run() throws {
        for name in try container.attributeNames() { _ = try container.attribute(name) }
        var objects = 0
        try walk("/", depth: 0, &objects)
    }

    private func walk(_ group: String, depth: Int, _ objects: inout Int) throws {
        guard depth <= Self.maximumDepth else { throw DataError(.badData, "its groups are nested too deeply", file: path) }
        for link in try container.links(in: group) {
            objects += 1
            guard objects <= Self.maximumObjects else { throw DataError(.badData, "it holds too many objects", file: path) }
            guard link.isHard else { throw DataError(.badData, "\(link.name) is a link to somewhere else; only files that are whole in themselves are read", file: path) }
            let name = (group == "/" ? "/" : group + "/") + link.name
            switch try container.kind(of: name) {
            case .group: try walk(name, depth: depth + 1, &objects)
            case .dataset: try touch(try container.required(name))
            case .other: break
            }
        }
    }

    private func touch(_ dataset: HDF5Dataset) throws {
        try dataset.walkChunks()
        guard dataset.rows > 0, dataset.rowSize > 0 else { return }
        switch dataset.kind {
        case .string where dataset.shape.count <= 1:
            for start in stride(from: 0, to: dataset.rows, by: 65536) { _ = try dataset.strings(rows: start ..< min(start + 65536, dataset.rows)) }
        case .float, .integer:
            let step = max(1, Self.wholeLimit / (8 * dataset.rowSize))
            guard step * dataset.rowSize <= 1 << 28 else { throw DataError(.badData, "\(dataset.name) has rows of \(dataset.rowSize) numbers", file: path) }
            // A compressed array is read whole: unpacking is work on data that may be damaged.
            let isWhole = dataset.isFiltered || dataset.rows <= step
            let starts = isWhole ? Array(stride(from: 0, to: dataset.rows, by: step)) : [0, dataset.rows / 2, dataset.rows - 1]
            let size = 8 * dataset.rowSize * (isWhole ? min(step, dataset.rows) : 1)
            if scratch.count < size {
                scratch.deallocate()
                scratch = .allocate(byteCount: size, alignment: 64)
            }
            for start in starts { try dataset.touch(rows: start ..< min(start + (isWhole ? step : 1), dataset.rows), scratch: scratch) }
        default: break
        }
    }
}
