import Glibc

/// Opens inputs that are read at any place, not from beginning to end.
package enum InputFile {
    /// A descriptor of an ordinary file, to be closed by the caller. A pipe without a writer does not block.
    /// - Throws: `DataError` of kind `noInput` if the file is missing, a folder, a pipe or device, or cannot be read.
    package static func open(_ path: String) throws -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SystemError.cannotRead(path) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            let number = errno
            close(descriptor)
            throw SystemError.cannotRead(path, number)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw information.st_mode & S_IFMT == S_IFDIR
                ? SystemError.cannotRead(path, EISDIR)
                : DataError(.noInput, "this is a pipe or a device; expected a regular file (write it to a file first)", file: path)
        }
        return descriptor
    }
}
