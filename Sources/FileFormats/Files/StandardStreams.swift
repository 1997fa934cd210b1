import Glibc

/// Whoever read the output has closed it, as `| head` does: no fault of anyone. The program ends without a word.
package struct ClosedPipe: Error {
    package init() {}
}

/// Standard output and standard error, written in a way that neither crashes nor loses bytes in silence.
package enum StandardStreams {
    /// What every program that uses this layer does first: a closed pipe and a limit on the size of files become errors of the write
    /// instead of signals, and the three descriptors exist, so that no output file reuses the number of a closed one.
    package static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
            // Opened the wrong way round: reading and writing fail as they do on a closed descriptor.
            _ = open("/dev/null", (descriptor == 0 ? O_WRONLY : O_RDONLY))
        }
    }

    /// Writes data to standard output.
    /// - Throws: `ClosedPipe` if the reader has closed the pipe; `DataError` of kind `inputOutput` if the disk is full or the output
    ///   closed.
    package static func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    package static func write(_ bytes: UnsafeRawBufferPointer) throws {
        switch writeAll(bytes, to: STDOUT_FILENO) {
        case 0: return
        case EPIPE: throw ClosedPipe()
        case EBADF: throw DataError(.inputOutput, "standard output is closed; nothing can be written to it")
        case let number: throw DataError(.inputOutput, "standard output cannot be written: \(SystemError.text(number))")
        }
    }

    /// Messages for the person at the terminal. Failing to write them does not stop the work.
    package static func tell(_ text: String) {
        var text = text
        text.withUTF8 { _ = writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    /// 0, or what went wrong.
    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    // The other end has set the descriptor to return at once.
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                    continue
                }
                return errno
            }
            rest = rest.dropFirst(written)
        }
        return 0
    }

    /// Runs `body` with standard error going nowhere, for libraries that print words of their own next to the error they return.
    package static func withSilencedErrors<Result>(_ body: () throws -> Result) rethrows -> Result {
        let saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer {
            if saved >= 0 {
                dup2(saved, STDERR_FILENO)
                close(saved)
            }
            if nowhere >= 0 { close(nowhere) }
        }
        if saved >= 0, nowhere >= 0 {
            fflush(nil)
            dup2(nowhere, STDERR_FILENO)
        }
        return try body()
    }
}
