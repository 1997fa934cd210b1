import Glibc

/// The system's words for a failed call, and which kind of failure it is to the user.
package enum SystemError {
    /// What `errno` says, in words.
    package static func text(_ number: Int32 = errno) -> String { String(cString: strerror(number)) }

    /// A file that cannot be opened for reading.
    package static func cannotRead(_ path: String, _ number: Int32 = errno) -> DataError {
        switch number {
        case ENOENT: DataError(.noInput, "no such file", file: path)
        case EISDIR: DataError(.noInput, "this is a folder; expected a file", file: path)
        case EACCES: DataError(.noInput, "this file is not readable: \(text(number))", file: path)
        default: DataError(.noInput, "this file cannot be read: \(text(number))", file: path)
        }
    }

    /// An output that cannot be created.
    package static func cannotCreate(_ path: String, _ number: Int32 = errno) -> DataError {
        switch number {
        case ENOENT, ENOTDIR:
            DataError(.cannotCreate, "the folder \(folder(of: path)) does not exist; create it or choose another folder", file: path)
        case EACCES, EROFS: DataError(.cannotCreate, "this folder is not writable: \(text(number))", file: path)
        default: writing(path, number, otherwise: .cannotCreate)
        }
    }

    /// A write that broke off.
    package static func cannotWrite(_ path: String, _ number: Int32 = errno) -> DataError { writing(path, number, otherwise: .inputOutput) }

    private static func writing(_ path: String, _ number: Int32, otherwise kind: DataError.Kind) -> DataError {
        switch number {
        case ENOSPC, EDQUOT:
            DataError(.inputOutput, "the disk is full; the earlier file, if any, is unchanged", file: path)
        default: DataError(kind, "writing failed: \(text(number))", file: path)
        }
    }

    /// The folder part of a path, `.` where it has none.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of a path: `captions.txt` of `/home/me/captions.txt`, without a slash at the end.
    package static func name(of path: String) -> String {
        path.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? path
    }
}
