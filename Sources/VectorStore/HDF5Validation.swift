import CConfinement
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
///
/// The child gets the file as an open descriptor and gives up every way to reach another one; it ends with its parent. In both processes
/// libhdf5 runs on a thread that may open nothing (`HDF5`).
///
/// A damaged file can also make libhdf5 read a little beyond what it has allocated, which the child survives by chance and this process
/// might not. `endOnCrash` is for that: a crash of libhdf5's thread becomes a message and an exit status.
public enum HDF5Validation {
    /// The executable that validates, and its arguments before those of `runAsChild`.
    public struct Program: Sendable {
        /// Path of the executable.
        package var executable: String
        /// Its first arguments.
        package var arguments: [String]

        /// A program with its first arguments.
        public init(executable: String, arguments: [String]) {
            self.executable = executable
            self.arguments = arguments
        }
    }

    /// Names a file in the cache of files that passed.
    private static func key(_ identity: FileIdentity) -> String {
        var major: UInt32 = 0, minor: UInt32 = 0, release: UInt32 = 0
        HDF5.locked { _ = H5get_libversion(&major, &minor, &release) }
        return identity.key("hdf5 2", "\(major).\(minor).\(release)")
    }

    private struct State {
        var program: Program?
        /// Files that passed, and the stretches of them that may be mapped; nil if this process wrote the file.
        var trusted: [FileIdentity: Set<HDF5Stretch>?] = [:]
        /// In the child: the limit of memory is the one that was set here.
        var isMemoryOurs = false
    }

    private static let state = Mutex(State())

    /// The validator; nil for none.
    public static func use(_ program: Program?) { state.withLock { $0.program = program } }

    /// Lets this process end with a message about the file opened last and the status of damaged data where libhdf5 crashes in it, not with
    /// a signal. It is the program that decides so: a library user may have plans of their own for signals.
    package static func endOnCrash() { kc_end_on_crash(DataError.Kind.badData.rawValue) }

    /// Remembers which file a crash would be about.
    static func note(_ path: String) {
        kc_say_on_crash("kotonoha: \(DataError(.badData, "this HDF5 file is damaged: reading it crashes the HDF5 library", file: path))\n")
    }

    /// A file that this process wrote needs no validation.
    static func trust(_ path: String) {
        guard let identity = FileIdentity(path) else { return }
        state.withLock { $0.trusted[identity] = .some(nil) }
    }

    /// Validates a file unless that is known to be needless: this process wrote it, or it passed before, in this process or in another one
    /// of this user (`UserCache`), and has not changed since by the system's own clock.
    /// - Returns: the stretches of the file that may be mapped; nil if there is no validation or this process wrote the file, and any part
    ///   may be mapped.
    static func ensureReadable(_ descriptor: Int32, _ path: String) throws -> Set<HDF5Stretch>? {
        try checkSignature(descriptor, path)
        let identity = FileIdentity(descriptor)
        let (program, trusted) = state.withLock { state in (state.program, identity.flatMap { state.trusted[$0] }) }
        if let trusted { return trusted }
        guard let program else { return nil }
        if let identity, let kept = UserCache.read("validated", key: key(identity)),
            let stretches = Self.stretches(String(decoding: kept.bytes, as: UTF8.self))
        {
            state.withLock { $0.trusted[identity] = .some(stretches) }
            return stretches
        }
        let found = try validate(descriptor, path, by: program, timeLimit: nil)
        // It is as it was when it was looked at, or it is not trusted.
        guard let identity, FileIdentity(descriptor) == identity else { return found }
        state.withLock { $0.trusted[identity] = .some(found) }
        // A small file is looked at in less time than it takes to keep that it was.
        if identity.size >= keptFrom { UserCache.write("validated", key: key(identity)) { try $0.write(Self.text(found)) } }
        return found
    }

    /// Bytes from which on it is kept for other processes that a file passed.
    private static let keptFrom = 4 << 20

    /// Stretches as the child reports them, one a line: a mark, the offset, the number of bytes.
    private static func text(_ stretches: Set<HDF5Stretch>) -> String {
        stretches.sorted { $0.offset < $1.offset }.map { "@ \($0.offset) \($0.bytes)\n" }.joined() + passed
    }

    /// Nil if the text is not all of what was written.
    private static func stretches(_ text: String) -> Set<HDF5Stretch>? {
        guard text.hasSuffix(passed) else { return nil }
        var found: Set<HDF5Stretch> = []
        for line in text.dropLast(passed.count).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "@", let offset = Int(words[1]), let bytes = Int(words[2]), offset >= 0, bytes > 0 else {
                return nil
            }
            found.insert(HDF5Stretch(offset: offset, bytes: bytes))
        }
        return found
    }

    /// The last line of the child's report of a good file.
    private static let passed = "passed\n"

    /// Distinguishes a file that is not HDF5 from a damaged one.
    private static func checkSignature(_ descriptor: Int32, _ path: String) throws {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        // It is at the beginning, or at 512, 1024 … behind a block of the user's own.
        var offset: off_t = 0
        var bytes = [UInt8](repeating: 0, count: signature.count)
        while pread(descriptor, &bytes, bytes.count, offset) == bytes.count {
            if bytes == signature { return }
            offset = offset == 0 ? 512 : offset * 2
        }
        throw DataError(.badData, "not an HDF5 file; expected .h5 (commands write one if -o ends in .h5)", file: path)
    }

    // MARK: The parent's side

    /// Lets the child walk through the file.
    /// - Parameter timeLimit: processor time that the child may use; nil allows ten seconds and one more for every 50 MB. On a busy machine
    ///   or a slow disk the wait may be longer, up to `patience` times that, and a good file still passes.
    /// - Throws: `DataError` of kind `badData` with what the child found, or that it crashed or did not come to an end; of kind `memory`
    ///   where memory was what it lacked.
    package static func validate(_ path: String, by program: Program, timeLimit: Duration? = nil) throws {
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        _ = try validate(descriptor, path, by: program, timeLimit: timeLimit)
    }

    /// The bytes of a file that may be mapped, as the child reports them.
    package static func mappable(_ path: String, by program: Program) throws -> [Range<Int>] {
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        return try validate(descriptor, path, by: program, timeLimit: nil).map { $0.offset..<$0.offset + $0.bytes }.sorted {
            $0.lowerBound < $1.lowerBound
        }
    }

    private static func validate(_ descriptor: Int32, _ path: String, by program: Program, timeLimit: Duration?) throws -> Set<HDF5Stretch>
    {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw DataError(.inputOutput, "no pipe to the validating process: \(SystemError.text())", file: path)
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let size = FileIdentity(descriptor)?.size ?? 0
        let limit = timeLimit ?? .seconds(10 + size / 50_000_000)
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try spawn(program, path, input: descriptor, output: ends[1], seconds: Int((limit * patience).components.seconds) + 5)
        }
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
        let hasBegun = message.first == Self.begun, hasLittle = message.first == Self.begunWithLittle
        let text = String(decoding: hasBegun || hasLittle ? message.dropFirst() : message[...], as: UTF8.self)
        switch (isInTime, signal, code) {
        case (false, _, _), (_, SIGALRM, _), (_, SIGXCPU, _):
            throw DataError(.badData, "this HDF5 file is damaged: reading it timed out", file: path)
        case (_, 0, 0): return stretches(text) ?? []
        // libhdf5 does not always say that memory is what it lacks.
        case (_, 0, DataError.Kind.badData.rawValue) where hasLittle:
            throw DataError(
                .memory, "there is too little memory to read this HDF5 file, or it is damaged: \(text); \(MemoryBudget.advice)", file: path)
        case (_, 0, DataError.Kind.badData.rawValue):
            let reason = text.hasSuffix("\n") ? String(text.dropLast()) : text
            throw DataError(
                .badData, reason.hasPrefix("this HDF5 file is damaged") ? reason : "this HDF5 file is damaged: \(reason)", file: path)
        case (_, 0, DataError.Kind.memory.rawValue): throw DataError(.memory, text, file: path)
        // Killed by the kernel for lack of memory, or ended by Swift's allocator, with a message.
        case (_, SIGKILL, _): throw MemoryBudget.error("checking this file (the checking process was killed)", file: path)
        case (_, 1..., _) where text.contains("allocate memory") || text.contains("failed to allocate"):
            throw MemoryBudget.error("checking this file", file: path)
        case (_, 1..., _) where !hasBegun: throw MemoryBudget.error("the process that checks this file", file: path)
        case (_, 0, 127), (_, 0, DataError.Kind.usage.rawValue):
            throw DataError(
                .unavailable, "the program that validates HDF5 files (\(SystemError.name(of: program.executable))) cannot be run",
                file: path)
        default: throw DataError(.badData, "this HDF5 file is damaged: reading it crashes the HDF5 library", file: path)
        }
    }

    /// How many times the limit a child may take that waits for the processor or the disk.
    private static let patience = 6

    /// Processor time that a child has used; none if that cannot be told.
    private static func processorTime(of child: pid_t) -> Duration {
        var clock = clockid_t(), time = timespec()
        guard clock_getcpuclockid(child, &clock) == 0, clock_gettime(clock, &time) == 0 else { return .zero }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// What the child writes before it reads: from then on a crash is the file's fault, unless a limit of the user's leaves it less memory
    /// than it would have allowed itself.
    private static let begun = UInt8(ascii: "+"), begunWithLittle = UInt8(ascii: "-")

    /// The descriptor under which the child finds the file.
    private static let childDescriptor: Int32 = 3

    private static func spawn(_ program: Program, _ path: String, input: Int32, output: Int32, seconds: Int) throws -> pid_t {
        // Away from the number that it gets in the child.
        let file = fcntl(input, F_DUPFD_CLOEXEC, 16)
        guard file >= 0 else { throw SystemError.cannotRead(path) }
        defer { close(file) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        posix_spawn_file_actions_adddup2(&actions, file, childDescriptor)
        let words = [program.executable] + program.arguments + [String(getpid()), String(seconds)]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        // Without threads of the linear algebra library, which would take more memory than most files.
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("OPENBLAS_NUM_THREADS=1")]
        defer { free(environment[0]) }
        var entry = environ
        while let setting = entry.pointee {
            if strncmp(setting, "OPENBLAS_NUM_THREADS=", 21) != 0 { environment.append(setting) }
            entry += 1
        }
        environment.append(nil)
        var child: pid_t = 0
        let status = posix_spawn(&child, program.executable, &actions, nil, arguments, environment)
        guard status == 0 else {
            throw DataError(
                status == ENOMEM ? .memory : .unavailable,
                "the program that validates HDF5 files cannot be started: \(SystemError.text(status))", file: path)
        }
        return child
    }

    // MARK: The child's side

    /// Walks through the file that the parent handed over, as its readers do, and returns the exit status: 0 where nothing was found. What
    /// was found is written to standard output, which the parent reads.
    /// - Parameters:
    ///   - parent: the process that asks; the child ends with it.
    ///   - seconds: how long the child may live, by the clock.
    public static func runAsChild(parent: Int32, seconds: Int) -> Int32 {
        guard confineChild(parent: parent, seconds: seconds) else { return DataError.Kind.interrupted.rawValue }
        let size = FileIdentity(childDescriptor)?.size ?? 0
        _ = write(STDOUT_FILENO, [state.withLock { $0.isMemoryOurs } ? begun : begunWithLittle], 1)
        do {
            let walk = try HDF5Walk(descriptor: childDescriptor, size: size)
            try walk.run()
            let report = Array(text(walk.stretches).utf8)
            _ = write(STDOUT_FILENO, report, report.count)
            return 0
        } catch {
            var error = error as? DataError ?? DataError(.badData, "\(error)")
            if error.kind == .memory, state.withLock({ $0.isMemoryOurs }) {
                error = DataError(.badData, "reading its \(size) bytes takes more than \(allowance(for: size) / 1_000_000) MB of memory")
            }
            let message = Array(error.message.utf8.prefix(2000))
            _ = write(STDOUT_FILENO, message, message.count)
            return (error.kind == .memory ? DataError.Kind.memory : .badData).rawValue
        }
    }

    /// Makes this process one that ends with its parent and after some time by the clock, whose memory is limited in proportion to the
    /// file, which dumps no core, holds no other file open and can open none. False if the parent is gone already.
    package static func confineChild(parent: Int32, seconds: Int) -> Bool {
        alarm(UInt32(clamping: seconds))
        guard kc_die_with_parent(parent) != 0 else { return false }
        kc_close_from(childDescriptor + 1)
        limit(RLIMIT_CORE, 0)
        limit(RLIMIT_CPU, UInt(max(1, seconds)))
        // The thread of libhdf5 confines itself when it begins; it begins before this one loses the right to start another.
        HDF5.locked {}
        let isOurs = limitMemory(allowance(for: FileIdentity(childDescriptor)?.size ?? 0))
        state.withLock { $0.isMemoryOurs = isOurs }
        _ = kc_confine()
        return true
    }

    /// Memory that reading may take on top of what the program takes by itself.
    private static func allowance(for size: Int) -> Int { 256 << 20 + 4 * min(size, Int.max / 8) }

    /// Lets the address space grow by `bytes`, unless an older limit allows less. True if the new limit is the one that counts.
    private static func limitMemory(_ bytes: Int) -> Bool {
        var limits = rlimit()
        guard let taken = MemoryBudget.addressSpace(), getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0 else {
            return false
        }
        let wanted = UInt(taken + bytes)
        guard wanted < limits.rlim_cur else { return false }
        limits.rlim_cur = wanted
        return setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0
    }

    private static func limit(_ resource: __rlimit_resource, _ value: UInt) {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0 else { return }
        limits.rlim_cur = min(value, limits.rlim_max)
        setrlimit(__rlimit_resource_t(resource.rawValue), &limits)
    }
}
