import Glibc

/// How much memory this process may still take, asked before an allocation in proportion to input.
///
/// A failed allocation ends a Swift program, so requests that are too large must be rejected before allocation. Counted are the limits
/// of the process (`ulimit -v`, `ulimit -d`), those of its control group (version 2), and what the machine has free. Small
/// allocations are not asked for and may still end the program where the last bytes are used up.
package enum MemoryBudget {
    /// Bytes below which memory is not checked.
    package static let smallest = 4 << 20

    /// What to do, for messages.
    package static let advice = "raise the limit (ulimit -v, ulimit -d, or that of the container), or use smaller input or a larger machine"

    /// Refuses what does not fit.
    /// - Parameters:
    ///   - bytes: what will be taken on top of what is taken now.
    ///   - what: what for, as in "not enough memory for WHAT".
    /// - Throws: `DataError` of kind `memory`.
    /// - Complexity: reads two or three small files of /proc where `bytes` is not small.
    package static func require(_ bytes: Int, for what: @autoclosure () -> String, file: String? = nil, line: Int? = nil) throws {
        guard bytes > smallest, let left = available(), bytes > left else { return }
        throw error(what(), bytes: bytes, available: left, file: file, line: line)
    }

    /// Looks now and then, while input is read and gathered, whether memory is about to run out.
    package struct Meter {
        private var unchecked = 0
        /// Bytes between two looks, and what must be left then: what is gathered from them may take several times their size.
        private static let step = 16 << 20, reserve = 96 << 20

        package init() {}

        /// Counts bytes that have arrived.
        /// - Throws: `DataError` of kind `memory` if hardly any is left.
        package mutating func add(_ bytes: Int, for what: @autoclosure () -> String, file: String?) throws {
            unchecked += bytes
            guard unchecked >= Self.step else { return }
            unchecked = 0
            try require(Self.reserve, for: what(), file: file)
        }
    }

    /// Address space that the linear algebra library takes when it is first used; without it, it waits for ever.
    private static let startReserve = 320 << 20

    /// Refuses to begin where a limit of the process leaves too little for the libraries.
    /// - Throws: `DataError` of kind `memory`.
    package static func checkStart() throws {
        guard limit(RLIMIT_AS) != nil || limit(RLIMIT_DATA) != nil, let left = available(), left < startReserve else { return }
        throw error("the program itself", bytes: startReserve, available: left)
    }

    package static func error(_ what: String, bytes: Int? = nil, available: Int? = nil, file: String? = nil, line: Int? = nil) -> DataError
    {
        let wanted = bytes.map { ": \(megabytes($0)) are wanted" } ?? ""
        let left = available.map { ", \(megabytes($0)) are left" } ?? ""
        return DataError(.memory, "not enough memory for \(what)\(wanted)\(left); \(advice)", file: file, line: line)
    }

    private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }

    /// Bytes that may still be taken; nil if unknown.
    package static func available() -> Int? {
        var left: [Int] = []
        let address = limit(RLIMIT_AS), data = limit(RLIMIT_DATA)
        if address != nil || data != nil, let pages = numbers(of: "/proc/self/statm"), pages.count > 5 {
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            if let address { left.append(address - pages[0] * page) }
            if let data { left.append(data - pages[5] * page) }
        }
        if let machine = machineFree() { left.append(machine) }
        if let group = groupFree() { left.append(group) }
        return left.min().map { max(0, $0) }
    }

    /// Bytes of address space that the process has taken.
    package static func addressSpace() -> Int? { numbers(of: "/proc/self/statm")?.first.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } }

    private static func limit(_ resource: __rlimit_resource) -> Int? {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0, limits.rlim_cur < UInt(Int.max) else { return nil }
        return Int(limits.rlim_cur)
    }

    /// Free memory and swap of the machine.
    private static func machineFree() -> Int? {
        guard let text = text(of: "/proc/meminfo") else { return nil }
        var total: Int?
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") || line.hasPrefix("SwapFree:") {
            if let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) { total = (total ?? 0) + kilobytes * 1024 }
        }
        return total
    }

    /// What the control group allows beyond what it uses; caches of files count as free.
    private static func groupFree() -> Int? {
        guard let line = text(of: "/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) else { return nil }
        let folder = "/sys/fs/cgroup" + line.dropFirst(3) + "/"
        guard let most = numbers(of: folder + "memory.max")?.first, let used = numbers(of: folder + "memory.current")?.first else {
            return nil
        }
        let cached = text(of: folder + "memory.stat")?.split(separator: "\n").first { $0.hasPrefix("inactive_file ") }
        return most - used + (cached?.split(separator: " ").last.flatMap { Int($0) } ?? 0)
    }

    /// The numbers of a small file; `max` is none.
    private static func numbers(of path: String) -> [Int]? { text(of: path)?.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) } }

    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 1 << 13, alignment: 8) { buffer in
            var count = 0
            while count < buffer.count {
                let got = read(descriptor, buffer.baseAddress! + count, buffer.count - count)
                guard got > 0 else { break }
                count += got
            }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
